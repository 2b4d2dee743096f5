"""Cinterion's Internet services: how data is asked for and handed over, old and new modems."""

from family_script import drive, family_of, read

from agent.engine.modem import Modem


def test_a_family_may_tell_how_long_the_data_is():
    """Cinterion ^SISR: the answer about a datagram, and the notice that there is one."""
    counted = family_of("cinterion").COUNTED
    for line, data in (("^SISR: 0,5", b"\r\nOK\xff"), ("^SISR: 0,2,0", b"ab"), ("^SISR: 12,1,7", b"\r"),
                       ("^SISR: 0,1", b""), ("^SISR: 0,2", b""), ("^SISR: 0,0", b""), ("^SISR: 0", b"")):  # fmt: skip
        for size in (1, 3, 100):
            tokens = read(counted, b"\r\n%s\r\n%s\r\n\r\nOK\r\n" % (line.encode(), data), size)
            assert tokens == [line] + ([data] if data else []) + ["OK"], (line, size, tokens)


def test_data_is_asked_for_by_a_line():
    """Cinterion: as many bytes as ^SISW with three fields says, and no more, or the rest would be a command."""
    modem = Modem("cinterion", "iot")
    channel = modem._channel
    for wanted, sent in ((5, b"hello"), (3, b"hel"), (0, None)):
        channel.start("AT^SISW=1,5", b"hello")
        channel.out = []
        for token in channel.reader.feed(b"\r\n> @\r\n^SISW: 0,1\r\n+CREG: 1\r\n^SISR: 1,1\r\n"):
            channel.accept(token)
        assert channel.out == [] and channel.command
        assert channel.accept("^SISW: 1,%d,0" % wanted) is None and channel.out == ([sent] if sent else [])
        assert channel.accept("^SISR: 1,1") == ("line", "^SISR: 1,1")
        done, ok, lines = channel.accept("OK")
        assert ok and "^SISW: 1,%d,0" % wanted in lines
    channel.start("AT^SISW=1,5", b"hello")
    assert channel.accept("+CME ERROR: 256")[1] is False
    channel.start("AT")
    assert channel.accept("^SISW: 1,5,0") == ("line", "^SISW: 1,5,0")


def test_an_answer_is_about_what_was_asked_for():
    """Another service's notice inside the answer is no part of it."""
    modem = Modem("cinterion", "iot")
    channel = modem._channel
    channel.start("AT^SISR=1,1500")
    assert channel.accept("^SISR: 2,1") == ("line", "^SISR: 2,1")
    assert channel.accept("^SISR: 1,5") is None and channel.accept(b"hello") is None
    assert channel.accept("OK") == ("answer", True, ["^SISR: 1,5", b"hello"])


def test_cinterion_old_and_new():
    family, busy = family_of("cinterion"), [""] * 4
    known = '+CGDCONT: 1,"IPV4V6","IOT","",0,0'
    assert drive(family.connect("iot"), known, *busy, "^SICA: 1,0", "")[0] == ""
    kept, steps = drive(family.connect("iot"), known, *busy, "^SICA: 1,1", "^SICA: 1,1")
    assert kept == "" and "AT^SICA=1,1" not in steps
    result, steps = drive(family.connect("iot"), '+CGDCONT: 1,"IP","iot2"', "", "", *busy, "^SICA: 1,0", "")
    assert result == "" and steps[1:3] == ["AT^SICA=0,1", 'AT+CGDCONT=1,"IP","iot"']
    result, steps = drive(family.connect("iot"), known, *busy, None, "+CGATT: 1", None, None, "", "")
    assert result == "" and steps[-1] == 'AT^SICS=1,"apn","iot"', steps
    assert drive(family.active(), None, "+CGATT: 1")[0] and not drive(family.active(), None, "+CGATT: 0")[0]


def test_cinterion_services():
    family = family_of("cinterion")
    up = drive(family.open_socket(2, "a.b", 7), "", "", "", "", "^SISI: 2,3,0,0,0,0", None, "^SISI: 2,4,0,0,0,0")
    assert up[0] == 2 and up[1][2] == 'AT^SISS=2,"address","sockudp://a.b:7"', up
    assert drive(family.open_socket(2, "a.b", 7), "", "", "", "", "^SISI: 2,6,0,0,0,0", "")[0] is None
    refused = drive(family.open_socket(2, "a.b", 7), "", None, "")
    assert refused == (None, ['AT^SISS=2,"srvType","Socket"', 'AT^SISS=2,"conId","1"', "AT^SISC=2"])
    for lines, reason in (("^SISW: 0,1\n^SISW: 0,3,0", ""), ("^SISW: 0,0,0", "full"), ("^SISW: 0,2,0", "in parts"),
                          ("", "no answer"), (None, "ERROR")):  # fmt: skip
        assert drive(family.send(0, b"abc"), lines)[0] == reason, lines
    assert drive(family.send(0, b"x" * 1461)) == ("full", [])
    assert drive(family.receive(0), "^SISR: 0,0") == (None, ["AT^SISR=0,1500"])
    assert drive(family.receive(0), None)[0] is None
    assert drive(family.receive(0), "^SISR: 0,1\nx")[0] == b"x"  # a datagram of one byte
    # A notice that came meanwhile: what it tells of is read too.
    assert drive(family.receive(0), "^SISR: 0,0\n^SISR: 0,1", "^SISR: 0,0")[1] == ["AT^SISR=0,1500"] * 2
