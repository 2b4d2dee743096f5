"""Nordic's sockets: those of Serial Modem, those of Serial LTE Modem, and data mode."""

from family_script import drive, family_of, read

from agent.engine.modem import Modem

KNOWN = '+CGDCONT: 0,"IP","iot.mnc001.mcc001.gprs","10.0.0.1",0,0'


def test_data_goes_out_after_ok():
    """It ends at +++; and only #XDATAMODE: 0 ends the command."""
    channel = Modem("nordic", "iot")._channel
    for command, data in (("AT#XSEND=1,2,0", b"hello+++"), ("AT#XSEND", b"x" * 1200 + b"+++")):
        channel.start(command, data)
        channel.out = []
        assert [channel.accept(token) for token in channel.reader.feed(b"\r\n> \r\n#XAPOLL: 2,1\r\n")][-1] == (
            "line", "#XAPOLL: 2,1")  # fmt: skip
        assert channel.out == [] and channel.accept("OK") is None and channel.out == [data]
        assert channel.accept("+CEREG: 1") == ("line", "+CEREG: 1")
        assert channel.accept("#XDATAMODE: 0")[:2] == ("answer", True)
    channel.start("AT#XSEND=1,2,0", b"hello+++")
    assert channel.accept("ERROR")[:2] == ("answer", False)
    channel.start("AT#XSEND", b"hello+++")
    channel.accept("OK")
    assert channel.accept("OK")[:2] == ("answer", True)  # some say so when they leave data mode
    channel.start("AT")
    assert channel.accept("OK") == ("answer", True, [])


def test_both_forms_of_received_data():
    data = b"\r\nOK\r\n\x00"
    for line in ("#XRECV: 3,0,7", "#XRECV: 7"):
        said = b"\r\n%s\r\n%s\r\nOK\r\n" % (line.encode(), data)
        for size in (1, 5, 100):
            assert read(family_of("nordic").COUNTED, said, size) == [line, data, "OK"], (line, size)


def test_the_apn_is_that_of_the_attach():
    family = family_of("nordic")
    for apn, known in (("iot", KNOWN), ("IOT", KNOWN), ("", ""), ("", KNOWN)):
        assert drive(family.connect(apn), known, "+CGACT: 0,1", "")[0] == "", (apn, known)
    for known in ("", '+CGDCONT: 0,"IP","iot2"', '+CGDCONT: 1,"IP","iot"'):
        reason, steps = drive(family.connect("iot"), known)
        assert reason and steps[1:] == ["AT+CFUN=44", 'AT+CGDCONT=0,"IP","iot"', "AT+CFUN=1"], known
    assert drive(family.connect("iot"), KNOWN, "+CGACT: 0,0", "", "")[1][2] == "AT+CGACT=1,0"
    assert drive(family.connect("iot"), KNOWN, "", None)[0] == "ERROR"


def test_sockets_of_a_life_before_are_closed():
    family = family_of("nordic")
    assert drive(family.disconnect(), "#XCLOSE: 0,0\n#XCLOSE: 1,0")[1] == ["AT#XCLOSE"]
    closed = '#XSOCKET: 0,"closed"'
    assert drive(family.disconnect(), None, closed, closed, None)[1] == ["AT#XCLOSE"] + ["AT#XSOCKET=0"] * 3
    assert len(drive(family.disconnect(), None, *[closed] * 8)[1]) == 9


def test_which_firmware_shows_when_a_socket_is_connected():
    family = family_of("nordic")
    new = drive(family.open_socket(0, "a.b", 7), "#XSOCKET: 5,2,17", "#XCONNECT: 5,1", "")
    assert new == ((5, False), ["AT#XSOCKET=1,2,0", 'AT#XCONNECT=5,"a.b",7', "AT#XAPOLL=5,1,1"])
    old, steps = drive(family.open_socket(0, "a.b", 7), "#XSOCKET: 5,2,17", None, "#XCONNECT: 1", None)
    assert old == (5, True) and steps[-1] == "AT#XAPOLL=1,1"  # before #XAPOLL it is refused
    refused = drive(family.open_socket(0, "a.b", 7), "#XSOCKET: 5,2,17", None, None, None, "")
    assert refused[0] is None and refused[1][-2:] == ["AT#XCLOSE=5", "AT#XSOCKET=0"]
    assert drive(family.open_socket(0, "a.b", 7), None)[0] is None
    assert drive(family.send((5, False), b"abc"), "")[1] == ["AT#XSEND=5,2,0"]
    assert drive(family.send((5, True), b"abc"), "", "") == ("", ["AT#XSOCKETSELECT=5", "AT#XSEND"])
    assert drive(family.send((5, True), b"abc"), None) == ("closed", ["AT#XSOCKETSELECT=5"])
    for data in (b"a+++b", b"ab+", b"x" * 1201):
        assert drive(family.send((5, True), data)) == ("full", []), data
    assert drive(family.send((5, False), b"a+++"), "#XSEND: 5,0,4") == ("", ['AT#XSEND=5,1,0,"612B2B2B"'])
    assert drive(family.receive((5, True)), "", None) == (None, ["AT#XSOCKETSELECT=5", "AT#XRECV=0,64"])
    assert drive(family.receive((5, False)), None) == (None, ["AT#XRECV=5,0,64,0"])
    assert drive(family.close_socket((5, True)), "", "")[1] == ["AT#XSOCKETSELECT=5", "AT#XSOCKET=0"]
    assert drive(family.close_socket((5, False)), "")[1] == ["AT#XCLOSE=5"]
    assert drive(family.close_socket(3))[1] == []  # was never opened, and 3 may be another one's
