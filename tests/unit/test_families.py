"""Modem families: what every family's file must have, and how their odder ways of handing over data are read."""

from agent.codec import at
from agent.engine.modem import Modem
from agent.modems import generic


def _read(counted, data, size):
    reader = at.Reader(counted)
    tokens = []
    for start in range(0, len(data), size):
        tokens += reader.feed(data[start : start + size])
    return tokens


def test_data_that_begins_inside_a_line():
    """u-blox +USORF (in quotes) and SIMCom +CARECV (bare), in any chunking, whatever the bytes are."""
    payload = b'\r\nOK\r\n",\x00\xff> "'
    for counted, head, tail in (
        ({"+USORF": (3, b',"')}, b'+USORF: 1,"127.0.0.1",5683,%d' % len(payload), b'"'),
        ({"+CARECV": (0, b",")}, b"+CARECV: %d" % len(payload), b""),
    ):
        gap = counted[head.partition(b":")[0].decode()][1]
        data = b"\r\n" + head + gap + payload + tail + b"\r\n\r\nOK\r\n"
        for size in (1, 2, 3, 7, 16, 1000):
            assert _read(counted, data, size) == [head.decode(), payload, "OK"], size


def test_a_line_without_data_stays_a_line():
    for line in ('+USORF: 1,""', "+USORF: 1,0", '+USORF: 1,"a",2,0,""', '+USORF: 1,"a",2,1501,"x"', "+UUSORF: 1,5"):
        data = line.encode() + b"\r\nOK\r\n"
        for size in (1, 5, 100):
            assert _read({"+USORF": (3, b',"')}, data, size) == [line, "OK"], line


def test_both_prompts():
    for sign in (b">", b"@"):
        reader = at.Reader()
        reader.prompt = True
        assert reader.feed(b"\r\n" + sign + b" ") == [at.PROMPT]
        assert reader.feed(b"\r\nOK\r\n") == ["OK"]


FAMILIES = "generic quectel quectelbg simcom simcoma76 simcom70 simcom7000 ublox ubloxr5 ubloxr6"
# What CGMI and CGMM say: the file.
MODEMS = """
Quectel|EC25|quectel
QUECTEL|EG91|quectel
Quectel|BG95-M3|quectelbg
Quectel|BG96|quectelbg
SIMCOM INCORPORATED|SIMCOM_SIM7600E-H|simcom
SIMCOM INCORPORATED|SIM7500A|simcom
SIMCOM INCORPORATED|A7670E-FASE|simcoma76
INCORPORATED|A7672S-LASE|simcoma76
SIMCOM_Ltd|SIMCOM_SIM7080G|simcom70
SIMCOM_Ltd|SIMCOM_SIM7070G|simcom70
SIMCOM_Ltd|SIMCOM_SIM7000G|simcom7000
u-blox|SARA-R410M-02B|ublox
u-blox|SARA-R510S-01B|ubloxr5
u-blox|LARA-R6001D-00B|ubloxr6
"""


def _family(name):
    return __import__("agent.modems." + name, None, None, ("INIT",))


def _row(family, name):
    return getattr(family, name, getattr(generic, name))


def test_maker_and_model_choose_the_file():
    for row in MODEMS.split("\n")[1:-1]:
        maker, model, file = row.split("|")
        assert generic.load(maker, model) is _family(file), row
    for maker in ("", "?", "ACME", "..", "os", "\xff"):
        assert generic.load(maker, "X1") is None, maker
    for name in FAMILIES.split():  # as the setting "modem" names it
        assert generic.load(name) is _family(name)


def test_every_family_has_what_the_engine_needs():
    for name in FAMILIES.split():
        family = _family(name)
        pulse, reset, start, stop = [at.number(word) for word in _row(family, "POWER").split()]
        assert 0 < pulse <= 6000 and 0 <= reset <= 1000 and 1000 <= start <= 30000 and 0 <= stop <= 20000, name
        for row in ("INIT", "REFUSALS"):
            text = _row(family, row)
            assert not text or text[0] == text[-1] == "\n", (name, row)
        for command in _row(family, "INIT").split("\n")[1:-1] + [_row(family, "ICCID"), _row(family, "RESET")]:
            assert command.startswith("AT+") or command.startswith("AT^"), (name, command)
        for command in ("OFF", "MUX"):
            assert _row(family, command)[:3] in ("", "AT+", "AT#"), name
        assert _row(family, "DIAL").startswith("ATD*99"), name
        for command, ms in _row(family, "TIMEOUTS").items():
            assert command == "" or command.startswith("AT"), (name, command)
            assert 300 <= ms <= 360000, (name, command)
        if _row(family, "SOCKETS"):
            for procedure in ("connect", "active", "disconnect", "open_socket", "send", "receive", "close_socket"):
                assert callable(getattr(family, procedure)), (name, procedure)
            assert _row(family, "COUNTED"), name


def test_lines_that_every_family_understands():
    for name in FAMILIES.split():
        event = _family(name).event
        for line in ("", ":", "+", "+CREG: 1", "+CGEV: ME PDN ACT 1", "+CPIN", "*PSUTTZ: 21,3,1", "+QIURC:", "OK", "+UUSORF:",
                     "+CIPRXGET:", "+CIPRXGET: 1", "+IPCLOSE:", "+CASTATE:", "+CADATAIND: x", "+UUSOCL: ,"):  # fmt: skip
            assert event(line) is None, (name, line)
        assert event("+CPIN: READY") == ("sim", True) and event("+CPIN: NOT READY") == ("sim", False), name
        assert event("+CGEV: NW PDN DEACT 1") == ("context", None), name
        assert event("RDY") == ("boot",), name


def test_what_a_family_says_by_itself():
    for name, line, meaning in (
        ("quectel", '+QIURC: "recv",2,100', ("recv", 2)), ("quectelbg", '+QIURC: "closed",0', ("closed", 0)),
        ("quectel", '+QIURC: "pdpdeact",1', ("context", 1)), ("quectel", "+QSIMSTAT: 1,0", ("sim", False)),
        ("simcom", "+CIPRXGET: 1,3", ("recv", 3)), ("simcom", "+IPCLOSE: 1,1", ("closed", 1)),
        ("simcoma76", "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", ("context", None)),
        ("simcoma76", "*ATREADY: 1", ("boot",)), ("simcom", "+SIMCARD: NOT AVAILABLE", ("sim", False)),
        ("simcom70", "+CADATAIND: 0", ("recv", 0)), ("simcom70", "+CASTATE: 1,0", ("closed", 1)),
        ("simcom70", "+CASTATE: 1,1", None), ("simcom70", "+APP PDP: 0,DEACTIVE", ("context", None)),
        ("simcom7000", "+APP PDP: DEACTIVE", ("context", None)), ("simcom70", "+APP PDP: 0,ACTIVE", None),
        ("ublox", "+UUSORF: 3,16", ("recv", 3)), ("ubloxr5", "+UUSORD: 0,5", ("recv", 0)),
        ("ublox", "+UUSOCL: 6", ("closed", 6)), ("ubloxr6", "+UUPSDD: 0", ("context", None)),
        ("ublox", "+UUSIMSTAT: 0", ("sim", False)), ("ublox", "+UUSIMSTAT: 6", ("sim", True)),
    ):  # fmt: skip
        assert _family(name).event(line) == meaning, (name, line)


def test_a_prompt_that_wants_to_be_left_alone():
    """u-blox: 50 ms between "@" and the data (SARA-R4 AT commands manual, +USOST)."""
    modem = Modem("ublox", "iot")
    channel = modem._channel
    assert channel.start("AT+USOWR=0,2", b"hi") == 15000
    channel.out = []
    assert [channel.accept(token) for token in channel.reader.feed(b"\r\n@")] == [("hold", 50)]
    assert channel.out == [] and channel.held
    assert channel.release() == 15000 and channel.out == [b"hi"] and not channel.held
    assert channel.accept("OK") == ("answer", True, [])
    channel.start("AT+USOWR=0,2", b"hi")
    channel.out = []
    channel.reader.feed(b"\r\n@")
    channel.accept(at.PROMPT)
    assert channel.accept("ERROR") == ("answer", False, ["ERROR"]) and not channel.held and channel.out == []
