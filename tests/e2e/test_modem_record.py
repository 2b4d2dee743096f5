"""Transcripts of an AT port: kept without secrets, played back, so that a day in the field becomes a test."""

import asyncio
import json
import os

import pytest
from modem_device import QUICK, Device, Echo, until
from modem_line import AT_ONCE, Line

from pointsman.tools.faults import Fault
from pointsman.tools.modem import record, script, secrets
from pointsman.tools.modem.emulator import Emulator
from pointsman.tools.modem.replay import Replay, exchanges


def recorded(path, steps, **known):
    """Run steps(emulator) with a modem that keeps a record."""
    book = record.Record(path, "quectel-ec25")

    async def run():
        emulator = Emulator(**{"ms": AT_ONCE, "record": book, **known})
        await emulator.start()
        try:
            await steps(emulator)
        finally:
            await emulator.stop()

    asyncio.run(run())
    book.close()


def replayed(path, steps, **known):
    """Run steps(replay) with what the record holds."""

    async def run():
        replay = Replay(path, pause_ms=20, **known)
        await replay.start()
        try:
            await steps(replay)
        finally:
            await replay.stop()

    asyncio.run(run())


@pytest.mark.parametrize("line, shown", [
    ("AT+CPIN=1234", "AT+CPIN=****"),
    ('at+cpin="12345678","4711"', 'at+cpin="********","****"'),
    ("AT+CPIN?", "AT+CPIN?"),
    ('AT+CLCK="SC",1,"1234"', 'AT+CLCK="SC",1,"****"'),
    ('AT+CPWD="SC","1234","5678"', 'AT+CPWD="SC","****","****"'),
    ('AT+CMEE=1;+CPIN="1234";+CSQ', 'AT+CMEE=1;+CPIN="****";+CSQ'),
    ('AT+QICSGP=1,1,"iot","me","s3;cr,et",1', 'AT+QICSGP=1,1,"iot","**","**;**,**",*'),
    ('AT+CGAUTH=1,2,"me","x"', 'AT+CGAUTH=1,2,"**","*"'),
    ("AT+CPIN=1234\rAT+CSQ=1234", "AT+CPIN=****\rAT+CSQ=1234"),
])
def test_secrets_become_stars_in_pieces_of_any_size(line, shown):
    assert secrets.masked(line) == shown
    mask = secrets.Mask()
    assert "".join([mask.feed(character) for character in line]) == shown


def test_the_pin_is_nowhere(tmp_path):
    """Not in what the device says, not in its echo, even when a line comes in between; not in the log."""
    path, told = tmp_path / "record", []

    async def steps(emulator):
        await until(lambda: emulator.state.registered, "the network")
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PIN", "pin": "80157326"})
        line = Line(emulator.path)
        for command in ("AT+CPIN=80157326", 'AT+CLCK="SC",0,"80157326"'):
            assert (await line.ask(command))[-1] == "OK"
        await emulator.control({"do": "sim", "present": True, "lock": "SIM PIN"})
        for character in "AT+CPIN=80157326\r":
            line.write(character.encode())
            await asyncio.sleep(0.002)
            await emulator.control({"do": "urc", "line": "RING"})
        await line.until("+CPIN: READY")
        line.close()

    recorded(path, steps, trace=True, log=lambda actor, event, **fields: told.append((actor, event, fields)))
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    for secret in ("80157326", "8015", "7326", "573"):
        assert secret not in text.replace("RING", "") and secret not in repr(told)
    said = "".join(json.loads(line).get("text", "") for line in text.splitlines() if '"to": "device"' in line)
    assert not set("80157326") & set(said.partition("RING")[2])
    assert "AT+CPIN=********\\r" in text and "command" in repr(told)


def test_a_data_call_is_only_counted(tmp_path):
    async def steps(emulator):
        await until(lambda: emulator.state.registered, "the network")
        line = Line(emulator.path)
        await line.ask("ATD*99#")
        await until(lambda: emulator.online, "the call")
        emulator.wire.heard(b"~secret~")
        emulator.lines.hang_up()
        emulator.wire.heard(b"~secret~")  # it has not noticed yet
        line.close()

    recorded(tmp_path / "record", steps)
    text = (tmp_path / "record").read_text()
    assert "secret" not in text and '"to": "modem", "data": 8}' in text and '"to": "device", "data": ' in text


async def exchange(device, echo):
    """Bring the agent's engine up and a datagram there and back."""
    device.do("target", "connected")
    await until(lambda: device.modem.state == "connected", device.states)
    device.do("send", "127.0.0.1", echo.port, b"hi\rthere")
    await until(lambda: device.datagrams, "the answer")
    device.close()


def test_a_field_log_becomes_a_test(tmp_path):
    """The agent's engine plays its part again: same states, same identity, same datagram, and no modem behind it."""
    path, then = tmp_path / "record", {}

    async def field(emulator):
        echo = Echo()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: echo, local_addr=("127.0.0.1", 0))
        echo.port = transport.get_extra_info("sockname")[1]
        device = Device(emulator.path)
        await emulator.control({"do": "urc", "line": '+QIND: "csq",20,99', "inside": True})
        await exchange(device, echo)
        transport.close()
        then.update(port=echo.port, states=device.states, identity=device.modem.identity, got=device.datagrams)

    async def desk(replay):
        device, echo = Device(replay.path), Echo()
        echo.port = then["port"]
        await exchange(device, echo)
        assert [device.states, device.modem.identity, device.datagrams] == [
            then["states"], then["identity"], then["got"]]  # fmt: skip

    recorded(path, field, ms=QUICK)
    replayed(path, desk)


ENTRIES = [
    (0, "device", b"\r\nRDY\r\n"), (10, "modem", b"ATE0\r"), (11, "device", b"ATE0\r\r\nOK\r\n"),
    (20, "modem", b"AT+X=0,"), (21, "modem", b"3\r"), (22, "device", b"\r\n> "), (30, "modem", b"a\rb"),
    (31, "device", b"\r\nSEND OK\r\n"), (40, "modem", b"AT+CSQ\r"), (41, "device", b"\r\n+CSQ: 9,99\r\n\r\nOK\r\n"),
    (90, "device", b"\r\n+X: late\r\n"), (99, "modem", b"AT+CSQ\r"), (100, "device", b"\r\n+CSQ: 7,99\r\n\r\nOK\r\n"),
]  # fmt: skip


def test_a_transcript_is_cut_at_its_commands():
    found = exchanges(ENTRIES)
    assert [row.command for row in found] == ["", "ATE0", "AT+X=0,3", "AT+CSQ", "AT+CSQ"]
    assert [row.prompted for row in found] == [False, False, True, False, False]
    assert found[2].data == b"a\rb" and found[2].after == [(1, b"\r\nSEND OK\r\n")]
    assert found[3].before[1] == (49, b"\r\n+X: late\r\n")


def test_answers_come_in_order_then_again_and_unknown_ones_are_refused(tmp_path):
    path = tmp_path / "record"
    rows = [{"transcript": 1}] + [{"ms": ms, "to": end, "text": data.decode()} for ms, end, data in ENTRIES]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    async def steps(replay):
        line = Line(replay.path)
        await line.until("RDY")
        assert await line.ask("at+csq") == ["+CSQ: 9,99", "OK"]
        await line.until("+X: late")  # by itself, when it came then
        assert await line.ask("AT+CSQ") == ["+CSQ: 7,99", "OK"]
        assert await line.ask("AT+CSQ") == ["+CSQ: 7,99", "OK"]
        assert await line.ask("AT+NEVER") == ["ERROR"]
        line.heard = ""
        line.write(b"AT+X=0,5\r")  # more data than then
        await line.until("> ")
        line.write(b"12\r45AT+CSQ\r")
        await line.until("SEND OK\r\n\r\n+CSQ")
        line.close()

    replayed(path, steps)


@pytest.mark.parametrize("text, words", [
    ("nonsense\n", "line 1: 'nonsense"), ('{"transcript": 1}\n{}\n', "line 2"), ("{}\n", "line 1"),
    ('{"ms": -1, "to": "modem", "text": "x"}\n', "line 1"), ('{"ms": 1, "to": "me", "text": "x"}\n', "line 1"),
    ('{"ms": 1, "to": "modem", "text": "\u20ac"}\n', "line 1"), ("[" * 5000 + "\n", "line 1"), ("7\n", "line 1"),
])
def test_what_is_no_transcript_is_refused(tmp_path, text, words):
    (tmp_path / "record").write_text(text)
    with pytest.raises(Fault, match=words):
        Replay(tmp_path / "record")


def test_a_record_ends_when_it_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "MAX_BYTES", 500)
    book = record.Record(tmp_path / "record", "x")
    for number in range(100):
        book.add("modem" if number % 2 else "device", b"AT\r")
    book.close()
    assert os.path.getsize(tmp_path / "record") < 600
    assert (tmp_path / "record").read_text().endswith('{"end": "full"}\n')
    assert record.read(tmp_path / "record")


@pytest.mark.parametrize("line, step", [
    ('2.5 {"do": "detach"}', (2.5, {"do": "detach"})), ('{"at_s": 1, "do": "x"}', (1.0, {"do": "x"})),
    ("# note", None), ("", None),
])
def test_a_script_has_two_forms(tmp_path, line, step):
    (tmp_path / "script").write_text("9 {}\n%s\n" % line)
    assert script.read(tmp_path / "script") == ([step] if step else []) + [(9.0, {})]


@pytest.mark.parametrize("line", ['{"do": "x"}', "1 {", "inf {}", "nan {}", "-1 {}", '{"at_s": [], "do": 1}', "1",
                                  "1 " + "[" * 9000])
def test_a_bad_line_of_a_script_is_named(tmp_path, line):
    (tmp_path / "script").write_text("\n" + line)
    with pytest.raises(Fault, match="line 2"):
        script.read(tmp_path / "script")
