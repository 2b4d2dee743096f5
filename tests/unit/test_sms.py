"""Short messages as PDUs: received, stored, reported, written; long ones in parts (TS 23.040)."""

from agent.codec import sms
from agent.errors import RemoteError

CENTRE = "0791947101670000"  # +491710760000
SENDER = "0B919471325476F8"  # +49172345678
WHEN = "62113121436500"  # 2026-11-13 12:34:56 UTC
SECONDS = 1794573296
HELLO = "0AE8329BFD4697D9EC37"


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_a_message_received():
    got = sms.decode(CENTRE + "04" + SENDER + "0000" + WHEN + HELLO)
    assert got == {
        "kind": "deliver", "smsc": "+491710760000", "number": "+49172345678", "pid": 0, "dcs": 0, "time": SECONDS,
        "zone": 0, "text": "hellohello", "part": None, "ports": None,
    }  # fmt: skip


def test_tolerated_around_a_pdu():
    """Some modems close a quote that they never opened, some end the line twice, some pad with FF."""
    pdu = CENTRE + "04" + SENDER + "0000" + WHEN + HELLO
    for text in (pdu + '"\r', pdu.lower(), '"' + pdu + '"', pdu + "FFFFFF", pdu + "\r\n"):
        assert sms.decode(text)["text"] == "hellohello"
    assert sms.decode(bytes([int(pdu[at : at + 2], 16) for at in range(0, len(pdu), 2)]))["text"] == "hellohello"
    assert sms.decode(pdu[16:], centre=False)["text"] == "hellohello"


def test_senders():
    for address, want in (
        ("0B919471325476F8", "+49172345678"),
        ("0C919471325476F8", "+49172345678"),  # the filler counted as a digit
        ("0B819471325476F8", "49172345678"),
        ("04858100", "1800"),
        ("0AD0E8329BFD06", "hello"),
        ("039111F2", "+112"),
        ("05812A1BFC", "*2#1a"),
        ("0081", ""),
    ):
        got = sms.decode("0000" + address + "0000" + WHEN + HELLO)
        assert got["number"] == want, (address, got["number"])
        assert got["smsc"] == "" and got["text"] == "hellohello"


def test_times():
    for zone, minutes in (("00", 0), ("40", 60), ("4A", -360), ("69", -240), ("97", 1185)):
        got = sms.decode("0000" + SENDER + "0000" + WHEN[:-2] + zone + "00")
        assert (got["time"], got["zone"]) == (SECONDS - minutes * 60, minutes), zone
    for nonsense in ("00000000000000", "FFFFFFFFFFFFFF", "62313121436500", "621131214365F7"):
        got = sms.decode("0000" + SENDER + "0000" + nonsense + "00")
        assert got["time"] is got["zone"] is None, nonsense


def test_codings():
    for dcs, want in ((0x00, "gsm"), (0x04, "data"), (0x08, "ucs2"), (0x11, "gsm"), (0x15, "data"), (0x1A, "ucs2"),
                      (0x20, "data"), (0x48, "ucs2"), (0xC0, "gsm"), (0xD0, "gsm"), (0xE0, "ucs2"), (0xF0, "gsm"),
                      (0xF1, "gsm"), (0xF4, "data"), (0xF5, "data"), (0x84, "gsm")):  # fmt: skip
        assert sms.coding(dcs) == want, hex(dcs)


def test_other_content():
    head = "0000" + SENDER
    assert sms.decode(head + "0008" + WHEN + "080442043504410442")["text"] == "\u0442\u0435\u0441\u0442"
    assert sms.decode(head + "0008" + WHEN + "04D83DDE00")["text"] == "\U0001f600"
    got = sms.decode(head + "00F4" + WHEN + "0300FF1B")
    assert got["data"] == b"\0\xff\x1b" and "text" not in got
    # the reserved bit of group F: UCS2 when the length fits that, else the GSM alphabet as the standard says
    assert sms.decode(head + "00F9" + WHEN + "0400410042")["text"] == "AB"
    assert sms.decode(head + "00F9" + WHEN + HELLO)["text"] == "hellohello"


def test_a_message_of_ours_that_is_stored():
    got = sms.decode("0011000B919471325476F80000A70AE8329BFD4697D9EC37")
    assert (got["kind"], got["number"], got["text"], got["validity"]) == ("submit", "+49172345678", "hellohello", 86400)
    assert sms.decode("0001070B919471325476F800000AE8329BFD4697D9EC37")["reference"] == 7
    assert sms.decode("0009000B919471325476F80000" + WHEN + HELLO)["validity"] is None  # enhanced
    assert sms.decode("0019000B919471325476F80000" + WHEN + HELLO)["text"] == "hellohello"  # a date


def test_a_report_of_delivery():
    got = sms.decode(CENTRE + "062A" + SENDER + WHEN + "62113121537500" + "00")
    assert (got["kind"], got["reference"], got["status"], got["done"] - got["time"]) == ("report", 42, 0, 61)


def test_a_header_with_fill_bits():
    """The text begins at a septet's edge; concatenation with 8 and with 16 bits of reference."""
    for header, part in (("050003CC0302", (0xCC, 3, 2)), ("06080412340201", (0x1234, 2, 1))):
        got = sms.decode("0040" + SENDER + "0000" + WHEN + _content(header, "hello"))
        assert (got["part"], got["text"]) == (part, "hello")
    got = sms.decode("0040" + SENDER + "0004" + WHEN + "09" + "06050416330000" + "AABB")
    assert (got["ports"], got["data"], got["part"]) == ((0x1633, 0), b"\xaa\xbb", None)
    got = sms.decode("0040" + SENDER + "0004" + WHEN + "07" + "040402E2E1" + "AABB")
    assert (got["ports"], got["data"]) == ((0xE2, 0xE1), b"\xaa\xbb")
    # part 0, part 3 of 2, an unknown element: nothing to put together
    for header in ("050003CC0200", "050003CC0203", "04700201FF"):
        got = sms.decode("0040" + SENDER + "0004" + WHEN + "%02X" % (len(header) // 2 + 1) + header + "AA")
        assert got["part"] is None and got["data"] == b"\xaa"


def _content(header, text):
    from agent.codec import alphabet

    length = len(header) // 2
    septets = alphabet.to_gsm(text)
    packed = alphabet.pack(septets, -length * 8 % 7)
    return "%02X" % ((length * 8 + 6) // 7 + len(septets)) + header + "".join(["%02X" % byte for byte in packed])


def test_nonsense_is_refused():
    whole = CENTRE + "04" + SENDER + "0000" + WHEN + HELLO
    for end in range(0, len(whole) - 1, 2):
        assert refused(sms.decode, whole[:end]), end
    for bad in ("", "0", "xx", "0D91", "00041E91", "0040" + SENDER + "0000" + WHEN + "00",
                "0040" + SENDER + "0004" + WHEN + "0205AA", "0040" + SENDER + "0004" + WHEN + "0504000301AA",
                "0000" + SENDER + "0004" + WHEN + "8D" + "00" * 141,
                "0040" + SENDER + "0000" + WHEN + "02" + "01FF"):  # fmt: skip
        assert refused(sms.decode, bad).startswith("at: "), bad


# --- writing ---


def test_a_short_text():
    assert sms.encode("+49172345678", "hellohello") == [("0001000B919471325476F800000AE8329BFD4697D9EC37", 22)]
    pdus = sms.encode("112", "\u0442", smsc="+491710760000", validity=300)
    assert pdus == [(CENTRE + "1100038111F2000800020442", 12)]


def test_what_is_written_is_read():
    for content in ("", "A", "hellohello", "[\u20ac]", "\u0442\u0435\u0441\u0442", "\U0001f600", b"", b"\0\xff" * 70,
                    "x" * 160, "\u0442" * 70):  # fmt: skip
        for options in ({}, {"smsc": "+4917", "validity": 3600}, {"report": True}):
            pdus = sms.encode("+49172345678", content, **options)
            assert len(pdus) == 1
            got = sms.decode(pdus[0][0])
            assert got.get("text", got.get("data")) == content and got["number"] == "+49172345678"
            assert got["part"] is None and got["validity"] == options.get("validity")
            assert pdus[0][1] == len(pdus[0][0]) // 2 - 1 - (3 if options.get("smsc") else 0)


def test_long_messages_come_in_parts_and_are_joined():
    euro = "\u20ac" * 200
    for content, parts in (("x" * 161, 2), ("x" * 152 * 3, 3), (euro, 3), ("\u0442" * 71, 2), ("\U0001f600" * 80, 3),
                           (bytes(range(256)) * 2, 4)):  # fmt: skip
        for reference in (7, 4711):
            got = [sms.decode(pdu) for pdu, _ in sms.encode("+4917", content, reference=reference)]
            assert len(got) == parts, (len(got), parts)
            assert [message["part"] for message in got] == [(reference, parts, place + 1) for place in range(parts)]
            whole = sms.join(got[1:] + got[:1])
            assert whole.get("text", whole.get("data")) == content and whole["part"] is None
            assert sms.join(got[1:]) is None and sms.join([]) is None


def test_datagrams_have_ports():
    for size in (1, 133, 134, 300):
        content = bytes([index % 251 for index in range(size)])
        got = [sms.decode(pdu) for pdu, _ in sms.encode("+4917", content, reference=3, ports=(5683, 5684))]
        assert [message["ports"] for message in got] == [(5683, 5684)] * len(got)
        assert sms.join(got)["data"] == content
    assert [len(sms.encode("+4917", bytes(size), ports=(1, 2))) for size in (133, 134)] == [1, 2]


def test_validity_is_never_shorter_than_asked_for():
    for seconds in (1, 300, 301, 43200, 43201, 86400, 86401, 172800, 604800 * 5, 604800 * 63):
        got = sms.decode(sms.encode("+4917", "x", validity=seconds)[0][0])["validity"]
        assert seconds <= got <= max(300, seconds * 2), (seconds, got)
    assert sms.decode(sms.encode("+4917", "x", validity=10**9)[0][0])["validity"] == 604800 * 63


def test_what_cannot_be_sent():
    for number in ("", "+", "name", "1" * 21, "+49 17"):
        assert refused(sms.encode, number, "x"), number
    assert refused(sms.encode, "+4917", "x" * 153 * 256)
    assert len(sms.encode("+4917", "x" * 153 * 255)) == 255


def test_parts_of_different_kinds_do_not_join():
    text = sms.decode(sms.encode("+4917", "x" * 200)[0][0])
    data = sms.decode(sms.encode("+4917", b"x" * 200)[1][0])
    assert refused(sms.join, [text, data])
