"""AT lines made up by hypothesis: whatever a serial line brings, the agent and the emulator stay on their feet."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as some

from agent.codec import at
from agent.engine.modem import Modem
from agent.errors import RemoteError
from agent.modems import quectel
from pointsman.tools.modem.dialogue import _parts
from pointsman.tools.modem.emulator import Emulator, names

PIECES = (b"\r\n", b"\r", b"OK", b"ERROR", b"+QIRD: 5", b"+QIRD: 1500", b"> ", b"+CEREG: 1,1", b"+CEREG: 2", b"AT",
          b'+QIURC: "recv",0', b'+QIURC: "closed",3', b'+QIURC: "pdpdeact",1', b"+QIOPEN: 0,0", b"+CPIN: READY", b"RDY",
          b"+CPIN: NOT READY", b"+CME ERROR: 10", b"+CME ERROR: ", b"SEND OK", b"Quectel", b"+QIACT: 1,1,1", b"\0\xff",
          b"+CFUN: 1", b"+CSQ: 9,9", b"89490200001000000016", b"+QCCID: ", b"+QICSGP: 1,\"iot\"")  # fmt: skip
chunks = some.lists(some.one_of(some.sampled_from(PIECES), some.binary(max_size=40)), max_size=80)


@given(chunks, some.integers(1, 7))
def test_chunking_changes_nothing(pieces, step):
    data = b"".join(pieces)
    whole, cut = at.Reader(quectel.COUNTED), at.Reader(quectel.COUNTED)
    tokens = []
    for start in range(0, len(data), step):
        tokens += cut.feed(data[start:start + step])
    assert tokens == whole.feed(data) and cut.dropped == whole.dropped


@given(some.text(some.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_a_parser_understands_or_says_why_not(line):
    for name in ("", "+CEREG: ", "+CPIN: ", "+QIURC: ", "+CME ERROR: "):
        for parser in (at.registration, at.sim, at.signal, at.iccid, at.imsi, at.imei, at.text):
            try:
                parser(name + line)
            except RemoteError as error:
                assert str(error).startswith("at: ")
        at.final(name + line), at.cause(name + line), quectel.event(name + line)


@settings(deadline=None)
@given(chunks, some.lists(some.integers(0, 200000), max_size=40))
def test_the_modem_engine_takes_anything(pieces, waits):
    modem, now = Modem("auto", "iot"), 0
    modem.target("connected", now)
    for at_piece, piece in enumerate(pieces):
        modem.receive(piece + b"\r\n" * (at_piece % 2), now)
        now += waits[at_piece] if at_piece < len(waits) else 10
        modem.send("a", 1 + at_piece % 6, b"x", now)
        modem.poll(now)
        assert modem.deadline() is not None and len(modem.take()) < 30


@given(some.text(max_size=200))
def test_the_emulator_cuts_any_command_line(body):
    for part in _parts(body):
        assert len(part) == 3


@settings(deadline=None, max_examples=30)
@given(chunks, some.sampled_from(names()))
def test_the_emulator_answers_after_anything(pieces, profile):
    async def run():
        emulator = Emulator(profile, ms={"boot": 0, "sim": 0, "attach": 0, "dial": 0, "open": 0})
        said = []
        emulator.port.write = said.append
        await emulator.power(True)
        while not emulator.state.running:
            await asyncio.sleep(0)
        for piece in pieces:
            emulator._received(piece)
        emulator._received(b"\r" + b"A" * 1500 + b"\r")  # ends a prompt, if one is open
        for _ in range(300):
            await asyncio.sleep(0)
        del said[:]
        emulator._received(b"\rAT+CMEE?\r")
        while b"+CMEE: " not in b"".join(said):
            await asyncio.sleep(0)
        await emulator._halt()

    asyncio.run(asyncio.wait_for(run(), 120))
