"""Modem families: what every family's file must have, and how their odder ways of handing over data are read."""

from family_script import drive, family_of, read

from agent.codec import at
from agent.engine.modem import Modem
from agent.modems import generic


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
            assert read(counted, data, size) == [head.decode(), payload, "OK"], size


def test_a_line_without_data_stays_a_line():
    for line in ('+USORF: 1,""', "+USORF: 1,0", '+USORF: 1,"a",2,0,""', '+USORF: 1,"a",2,1501,"x"', "+UUSORF: 1,5"):
        data = line.encode() + b"\r\nOK\r\n"
        for size in (1, 5, 100):
            assert read({"+USORF": (3, b',"')}, data, size) == [line, "OK"], line


def test_both_prompts():
    for sign in (b">", b"@"):
        reader = at.Reader()
        reader.prompt = True
        assert reader.feed(b"\r\n" + sign + b" ") == [at.PROMPT]
        assert reader.feed(b"\r\nOK\r\n") == ["OK"]


FAMILIES = (
    "generic quectel quectelbg simcom simcoma76 simcom70 simcom7000 ublox ubloxr5 ubloxr6 sierra telit huawei "
    "cinterion fibocom nordic"
)
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
Sierra Wireless|HL7800|sierra
Sierra Wireless|HL7812|sierra
Sierra Wireless, Incorporated|MC7455|generic
Telit|LE910C1-EUX|telit
Telit|ME910C1-E2|telit
Huawei Technologies Co., Ltd.|ME909s-120|huawei
huawei|ME909u-521|huawei
Cinterion|PLS62-W|cinterion
SIEMENS|TC63i|cinterion
Gemalto M2M|ELS61-E2|cinterion
THALES|EXS82-W|cinterion
Fibocom Wireless Inc.|L610-CN|fibocom
Fibocom|NL668-EAU|fibocom
Nordic Semiconductor ASA|nRF9160-SICA|nordic
Nordic Semiconductor ASA|nRF9151-LACA|nordic
"""


def _row(family, name):
    return getattr(family, name, getattr(generic, name))


def test_maker_and_model_choose_the_file():
    for row in MODEMS.split("\n")[1:-1]:
        maker, model, file = row.split("|")
        assert generic.load(maker, model) is family_of(file), row
    for maker in ("", "?", "ACME", "..", "os", "detect", "attach", "\xff"):
        assert generic.load(maker, "X1") is None, maker
    for name in FAMILIES.split():  # as the setting "modem" names it
        assert generic.load(name) is family_of(name)


def test_every_family_has_what_the_engine_needs():
    for name in FAMILIES.split():
        family = family_of(name)
        pulse, reset, start, stop = [at.number(word) for word in _row(family, "POWER").split()]
        assert 0 < pulse <= 6000 and 0 <= reset <= 1000 and 1000 <= start <= 30000 and 0 <= stop <= 20000, name
        for row in ("INIT", "REFUSALS"):
            text = _row(family, row)
            assert not text or text[0] == text[-1] == "\n", (name, row)
        for command in _row(family, "INIT").split("\n")[1:-1] + [_row(family, "ICCID"), _row(family, "RESET")]:
            assert command[:3] in ("AT+", "AT^", "AT#", "AT%", "AT*"), (name, command)
        for command in ("OFF", "MUX"):
            assert _row(family, command)[:3] in ("", "AT+", "AT#", "AT^"), name
        assert _row(family, "DIAL").startswith(("ATD*99", "AT+CGDATA")), name
        for command, ms in _row(family, "TIMEOUTS").items():
            assert command == "" or command.startswith("AT"), (name, command)
            assert 300 <= ms <= 360000, (name, command)
        if _row(family, "SOCKETS"):
            for procedure in ("connect", "active", "disconnect", "open_socket", "send", "receive", "close_socket"):
                assert callable(getattr(family, procedure)), (name, procedure)
            assert _row(family, "COUNTED"), name


def test_lines_that_every_family_understands():
    for name in FAMILIES.split():
        event = family_of(name).event
        for line in ("", ":", "+", "+CREG: 1", "+CGEV: ME PDN ACT 1", "+CPIN", "*PSUTTZ: 21,3,1", "+QIURC:", "OK",
                     "+UUSORF:", "+CIPRXGET:", "+CIPRXGET: 1", "+IPCLOSE:", "+CASTATE:", "+CADATAIND: x",
                     "+UUSOCL: ,", "^SISR:", "^SISW: 0,1", "^SIS: 0,5", "^SCKS", "+MIPCALL:", "+MIPREAD: ,5",
                     "+MIPDATA: 1,5", "+MIPCALL: 10.0.0.1", "#XAPOLL:", "%XSIM:"):  # fmt: skip
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
        ("simcoma76", "+CADATAIND:0", ("recv", 0)), ("simcoma76", "*ATREADY: 1", ("boot",)),
        ("simcom", "+SIMCARD: NOT AVAILABLE", ("sim", False)),
        ("simcom70", "+CADATAIND: 0", ("recv", 0)), ("simcom70", "+CASTATE: 1,0", ("closed", 1)),
        ("simcom70", "+CASTATE: 1,1", None), ("simcom70", "+APP PDP: 0,DEACTIVE", ("context", None)),
        ("simcom7000", "+APP PDP: DEACTIVE", ("context", None)), ("simcom70", "+APP PDP: 0,ACTIVE", None),
        ("ublox", "+UUSORF: 3,16", ("recv", 3)), ("ubloxr5", "+UUSORD: 0,5", ("recv", 0)),
        ("ublox", "+UUSOCL: 6", ("closed", 6)), ("ubloxr6", "+UUPSDD: 0", ("context", None)),
        ("ublox", "+UUSIMSTAT: 0", ("sim", False)), ("ublox", "+UUSIMSTAT: 6", ("sim", True)),
        ("sierra", "+KUDP_DATA: 2,100", ("recv", 2)), ("sierra", "+KUDP_NOTIF: 1,0", ("closed", 1)),
        ("sierra", "+KUDP_NOTIF: 1,8", None), ("sierra", "+KCNX_IND: 1,0,0", ("context", 1)),
        ("sierra", "+KCNX_IND: 1,1,0", None), ("sierra", "+KCNX_IND: 1,3", ("context", 1)),
        ("sierra", "+KSUP: 0", ("boot",)), ("sierra", "+SIM: 0", ("sim", False)), ("sierra", "+SIM: 1", ("sim", True)),
        ("telit", "SRING: 1", ("recv", 1)), ("telit", "SRING: 6,120", ("recv", 6)),
        ("telit", "NO CARRIER: 3,1", ("closed", 3)), ("telit", "NO CARRIER", None), ("telit", "SRING:", None),
        ("telit", "#QSS: 0", ("sim", False)), ("telit", "#QSS: 1", ("boot",)), ("telit", "#QSS: 3", ("sim", True)),
        ("huawei", "^SIMST: 255", ("sim", False)), ("huawei", "^SIMST: 1", ("sim", True)),
        ("huawei", "^SIMST: 255,1", ("sim", False)), ("huawei", "^SYSSTART", ("boot",)),
        ("huawei", '^NDISSTAT: 0,33,,"IPV4"', ("context", None)), ("huawei", '^NDISSTAT: 0,,,"IPV6"', None),
        ("huawei", '^NDISSTAT:1,,,"IPV4"', None), ("huawei", "^NDISEND:1,0", ("context", None)),
        ("huawei", "^HCSQ: \"LTE\",46,42,121,20", None), ("huawei", "^BOOT:39808534,0,0,0,72", None),
        ("cinterion", "^SISR: 3,1", ("recv", 3)), ("cinterion", "^SISR: 3,2", ("closed", 3)),
        ("cinterion", '^SIS: 2,0,48,"Remote peer has closed the connection"', ("closed", 2)),
        ("cinterion", '^SIS: 2,0,2200,"Http tinyurl:8080"', None), ("cinterion", "^SIS: 2,5", None),
        ("cinterion", "^SYSSTART", ("boot",)), ("cinterion", "^SYSSTART AIRPLANE MODE", ("boot",)),
        ("cinterion", "^SCKS: 0", ("sim", False)), ("cinterion", "^SCKS: 1", ("sim", True)),
        ("cinterion", "+CIEV: simlocal,0", ("sim", False)), ("cinterion", "+CIEV: prov,0,fallb3gpp", None),
        ("fibocom", "+MIPREAD: 1,100", ("recv", 1)), ("fibocom", "+MIPSTAT: 2,1", ("closed", 2)),
        ("fibocom", "+MIPCLOSE: 3,2", ("closed", 3)), ("fibocom", "+MIPCALL: 0", ("context", None)),
        ("fibocom", "+SIM: Inserted", ("sim", True)), ("fibocom", "+SIM: Removed", ("sim", False)),
        ("nordic", "#XAPOLL: 3,1", ("recv", 3)), ("nordic", "#XAPOLL: 3,17", ("closed", 3)),
        ("nordic", "#XAPOLL: 3,32", ("closed", 3)), ("nordic", "#XAPOLL: 3,4", None), ("nordic", "Ready", ("boot",)),
        ("nordic", "#XMODEM: FAULT,0x1,0x2", ("boot",)), ("nordic", "#XMODEM: SHUTDOWN,0", None),
        ("nordic", "%XSIM: 0,1", ("sim", False)), ("nordic", "%XSIM: 1", ("sim", True)),
        ("nordic", "+CGEV: ME PDN DEACT 0", ("context", None)),
        ("fibocom", "+SIM READY", ("sim", True)), ("fibocom", "+SIM DROP", ("sim", False)),
    ):  # fmt: skip
        assert family_of(name).event(line) == meaning, (name, line)


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


def test_simcom_answers_before_and_after_ok():
    family = family_of("simcom")
    for line in ("+NETOPEN: 0", "+NETOPEN:0"):
        result, steps = drive(family.connect("iot"), '+CGDCONT: 1,"IP","iot","0.0.0.0",0,0', "+NETOPEN: 0,0",
                               *[""] * 7, (line,))  # fmt: skip
        assert result == "" and steps[-2:] == ["AT+NETOPEN", "+NETOPEN:"], steps
    result, steps = drive(family.connect("iot"), "", "+NETOPEN: 0", *[""] * 7, "+NETOPEN: 1", "")
    assert result == "+NETOPEN: 1" and steps[-2:] == ["AT+NETCLOSE", "+NETCLOSE:"], steps
    result, steps = drive(family.connect("iot"), '+CGDCONT: 1,"IPV4V6","other"', "+NETOPEN: 1, 0", None)
    assert "AT+NETCLOSE" in steps and 'AT+CGDCONT=1,"IP","iot"' in steps  # open, but for another APN
    kept, steps = drive(family.connect("iot"), '+CGDCONT: 1,"IP","IOT"', "+NETOPEN: 1, 0", None, None, None, None)
    assert kept == "" and steps[2:] == ["AT+CIPCLOSE=%d" % number for number in range(4)]


def test_simcom_sends_to_addresses_only():
    family = family_of("simcom")
    assert drive(family.open_socket(1, "192.0.2.7", 5683), "", ("+CIPOPEN: 1,0",))[0] == (1, "192.0.2.7", 5683)
    opened, steps = drive(family.open_socket(1, "host.example", 1), "", ('+CDNSGIP: 1,"host.example","192.0.2.8"',),
                           "+CIPOPEN: 1,0")  # fmt: skip
    assert opened == (1, "192.0.2.8", 1) and steps[0] == 'AT+CDNSGIP="host.example"'
    for answer in (("+CDNSGIP: 0,10",), None):
        answers = ["", answer] if answer else [None]
        assert drive(family.open_socket(1, "host.example", 1), *answers)[0] is None
    assert drive(family.open_socket(1, "192.0.2.7", 1), "", ("+CIPOPEN: 1,4",), "")[0] is None
    assert drive(family.send((1, "192.0.2.7", 5), b"abc"), "")[1] == ['AT+CIPSEND=1,3,"192.0.2.7",5']


def test_simcom_70_in_both_forms():
    family, old = family_of("simcom70"), family_of("simcom7000")
    for line in ("+APP PDP: 0,ACTIVE", "+APP PDP:0, ACTIVE"):
        assert drive(family.connect("iot"), '+CNCFG: 0,1,"iot","","",0', '+CNACT: 0,0,"0.0.0.0"', "", (line,))[0] == ""
    refused = drive(family.connect("iot"), "", "", "", "", "", ("+APP PDP: 0,DEACTIVE",), None)
    assert refused[0] == "+APP PDP: 0,DEACTIVE" and refused[1][-1] == "AT+CNACT=0,0"
    assert drive(family.open_socket(2, "a.b", 7), "+CAOPEN: 2,0") == (2, ['AT+CAOPEN=2,0,"UDP","a.b",7'])
    assert drive(family.open_socket(2, "a.b", 7), "", ("+CAOPEN: 2,27",), None)[0] is None
    assert drive(family.send(0, b"x" * 1460)) == ("full", [])
    assert drive(old.connect("iot"), '+CNACT: 0,"0.0.0.0"', "", "", ("+APP PDP: ACTIVE",))[0] == ""
    assert drive(old.open_socket(0, "a.b", 7), "", "", None, "", ("+CAOPEN: 0,0",))[0] == 0
    assert drive(old.receive(1), "+CASTATE: 1,1", "+CARECV: 0,9") == (None, ["AT+CASTATE?", "AT+CARECV?"])
    steps = drive(old.receive(1), "+CASTATE: 0,1\n+CASTATE: 1,1", "+CARECV: 0,9\n+CARECV: 1,5")[1]
    assert steps[-1] == "AT+CARECV=1,5"
    assert drive(old.receive(1), None) == (None, ["AT+CASTATE?"])


def test_an_old_simcom_is_not_asked_what_came_for_a_closed_socket():
    """It would hang. The notice of the closing looks like an answer, and comes inside it, too."""
    old = family_of("simcom7000")
    other = "+CASTATE: 0,1"
    for answer in ("", "+CASTATE: 1,0", other, "+CASTATE: 1,1\n+CASTATE: 1,0", "+CASTATE: 1,0\n" + other):
        assert drive(old.receive(1), answer) == (False, ["AT+CASTATE?"]), answer


def test_ublox_numbers_its_sockets_itself():
    family = family_of("ublox")
    assert drive(family.open_socket(0, "a.b", 7), "+USOCR: 5", "") == (5, ["AT+USOCR=17", 'AT+USOCO=5,"a.b",7'])
    assert drive(family.open_socket(0, "a.b", 7), "+USOCR: 5", None) == (
        None, ["AT+USOCR=17", 'AT+USOCO=5,"a.b",7', "AT+USOCL=5"])  # fmt: skip
    assert drive(family.open_socket(0, "a.b", 7), None)[0] is None
    assert drive(family.send(0, b"x" * 1025)) == ("full", [])


def test_ublox_attaches_anew_for_another_apn():
    """It lets the APN be changed only while it is not registered."""
    define = family_of("ublox").define
    for known, apn in (("iot", "iot"), ("IOT.mnc001.mcc001.gprs", "iot"), ("given.by.network", "")):
        assert drive(define(apn), '+CGDCONT: 1,"IP","%s","10.0.0.1",0,0,0,0' % known)[0] == "", known
    assert drive(define("iot"), '+CGDCONT: 1,"IP","iot2"', "")[1][-1] == 'AT+CGDCONT=1,"IP","iot"'
    reason, steps = drive(define("iot"), '+CGDCONT: 1,"IP","iot2"', None, "", "", "")
    assert reason and steps[2:] == ["AT+CFUN=4", 'AT+CGDCONT=1,"IP","iot"', "AT+CFUN=1"]


def test_ublox_profiles():
    family = family_of("ubloxr5")
    known, closed = '+CGDCONT: 1,"IP","iot"', [None] * 7
    up = ('+UUPSDA: 0,"10.0.0.1"',)
    assert drive(family.connect("iot"), known, "+UPSND: 0,8,0", "", "", "", up, *closed)[0] == ""
    assert drive(family.connect("iot"), known, "+UPSND: 0,8,1", *closed)[0] == ""
    assert drive(family.connect("iot"), known, "+UPSND: 0,8,0", "", "", "", ("+UUPSDA: 34",), "")[0]


def test_another_apn_means_attaching_anew():
    """Telit and Sierra take the APN at any time, and use it from the next attach on."""
    for name in ("sierra", "telit"):
        reason, steps = drive(family_of(name).connect("iot"), '+CGDCONT: 1,"IP","other","0.0.0.0",0,0')
        assert reason and steps[1:] == ["AT+CFUN=4", 'AT+CGDCONT=1,"IP","iot"', "AT+CFUN=1"], name
        assert drive(family_of(name).connect("iot"), "", "", None, "")[0] == "ERROR", name


KNOWN = '+CGDCONT: 1,"IP","IOT.mnc001.mcc001.gprs"'


def test_sierra_waits_for_its_connection():
    family = family_of("sierra")
    config = 'AT+KCNXCFG=1,"GPRS","iot",,,"IPV4"'
    for answers in (("", ("+KCNX_IND: 1,1,0",)), ("", ("+KCNX_IND: 1,4,1",), ("+KCNX_IND: 1,1,0",)),
                    ("+KCNX_IND: 1,4,1", ("+KCNX_IND: 1,1,0",)), ("+KCNX_IND: 1,4,1\n+KCNX_IND: 1,1,0",),
                    ("", ("+KCNX_IND: 1,3",), ("+KCNX_IND: 1,1,0",))):  # fmt: skip
        result, steps = drive(family.connect("iot"), KNOWN, "+CGACT: 1,0", "", *answers)
        assert result == "" and steps[2:4] == [config, "AT+KCNXUP=1"] and steps[-1] == "AT+KUDPCLOSE=6", answers
    for answers in ((None,), ("", ("+KCNX_IND: 1,2,1,1,30",)), ("", None), ("", ("+KCNX_IND: 1,0,0",))):
        result, steps = drive(family.connect("iot"), KNOWN, "+CGACT: 1,0", "", *answers)
        assert result and steps[-1] == "AT+KCNXDOWN=1,1", answers
    result, steps = drive(family.connect("iot"), KNOWN, "+CGACT: 1,1", *[None] * 6)
    assert result == "" and len(steps) == 8


def test_sierra_sends_and_reads_after_connect():
    """What ends the data is not known to anybody else, and never part of it."""
    family, modem = family_of("sierra"), Modem("sierra", "iot", below=lambda n: n - 7)
    end = family.COUNTED["CONNECT"]
    Modem("sierra", "iot", below=lambda n: 3)  # keeps it, as the modem has been told
    assert family.INIT.count('AT+KPATTERN="%s"' % end.decode()) == 1 and len(end) == 16
    opened = drive(family.open_socket(0, "a.b", 7), "+KUDPCFG: 2", ("+KUDP_IND: 2,1",))[0]
    assert opened == (2, "a.b", 7) and drive(family.open_socket(0, "a.b", 7), None)[0] is None
    assert drive(family.send(opened, b"x" + end)) == ("full", [])
    channel = modem._channel
    channel.start('AT+KUDPSND=2,"a.b",7,2', b"hi" + end)
    channel.out = []
    tokens = channel.reader.feed(b"\r\nCONN") + channel.reader.feed(b"ECT\r\n")
    assert [channel.accept(token) for token in tokens] == [None] and channel.out == [b"hi" + end]
    assert channel.accept("OK") == ("answer", True, [])
    channel.start("AT+KUDPRCV=2,1500")
    answers = []
    said = b"\r\nCONNECT\r\n\r\nOK\r\n> " + end + b'\r\nOK\r\n\r\n+KUDP_RCV: "1.2.3.4",7\r\n'
    for token in channel.reader.feed(said):
        answers.append(channel.accept(token))
    assert answers == [None, ("answer", True, [b"\r\nOK\r\n> "]), ("line", '+KUDP_RCV: "1.2.3.4",7')]
    channel.start("ATD*99***1#")
    assert [channel.accept(token) for token in channel.reader.feed(b"\r\nCONNECT\r\n")] == [("answer", True, [])]


def test_telit_reads_datagram_by_datagram():
    """SRING and NO CARRIER with a number come by themselves, also inside an answer (#SRECV with the data's source)."""
    family = family_of("telit")
    result, steps = drive(family.connect("iot"), KNOWN, "#SGACT: 1,0", "#SGACT: 10.0.0.1")
    assert result == "" and steps[3:5] == ["AT#SH=1", family._SETUP % (1, 1, 1)] and len(steps) == 11
    result, steps = drive(family.connect("iot"), KNOWN, "#SGACT: 1,0", None, "")
    assert result == "ERROR" and steps[-1] == "AT#SGACT=1,0"
    assert drive(family.open_socket(0, "a.b", 7), "") == (1, ['AT#SD=1,1,7,"a.b",0,50000,1'])
    assert drive(family.open_socket(3, "a.b", 7), None, "")[1] == ['AT#SD=4,1,7,"a.b",0,50003,1', "AT#SH=4"]
    channel = Modem("telit", "iot")._channel
    channel.start("AT#SRECV=1,1500,1")
    said = b"\r\nSRING: 2\r\n\r\n#SRECV: 1.2.3.4,7,1,3,0\r\na\r\n\r\n\r\nNO CARRIER: 3,1\r\n\r\nOK\r\n"
    answers = [channel.accept(token) for token in channel.reader.feed(said)]
    assert [answer for answer in answers if answer] == [
        ("line", "SRING: 2"), ("line", "NO CARRIER: 3,1"),
        ("answer", True, ["#SRECV: 1.2.3.4,7,1,3,0", b"a\r\n"])]  # fmt: skip
