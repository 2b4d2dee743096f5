"""PDP contexts: defined, active, negotiated, and every form of event; addresses in every notation."""

from agent.codec import at_address, at_context
from agent.errors import RemoteError


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_addresses():
    for text, want in (
        ("10.1.2.3", ("10.1.2.3", None)),
        ('"10.1.2.3.255.255.255.0"', ("10.1.2.3", "255.255.255.0")),
        ("254.128.0.0.0.0.0.0.0.0.0.9.0.8.0.1", ("fe80::9:8:1", None)),
        ("32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.255.255.255.255.255.255.255.255.0.0.0.0.0.0.0.0", ("2001:db8::1", "/64")),
        ("2001:0DB8:0000:0001:0000:0000:0000:0005", ("2001:db8:0:1::5", None)),
        ("FE80::1/64", ("fe80::1", "/64")),
        ("1:0:0:2:0:0:0:3", ("1:0:0:2::3", None)),
        ("::1", ("::1", None)),
        ("1::", ("1::", None)),
        ("1:2:3:4:5:6:7:8", ("1:2:3:4:5:6:7:8", None)),
    ):
        assert at_address.address(text) == want, (text, at_address.address(text))
    for none in ("", "0.0.0.0", "::", "0:0:0:0:0:0:0:0", "1.2.3", "1.2.3.256", "1:2", "::1::2", "g::1", "1.2.3.4.5",
                 ".", ":"):  # fmt: skip
        assert at_address.address(none) == (None, None), none


def test_masks():
    for text, want in (("255.255.255.0", 24), ("255.255.255.255", 32), ("128.0.0.0", 1), ("/64", 64),
                       ("255.0.255.0", None), ("10.0.0.1", None), ("", None), ("0.0.0.0", None)):  # fmt: skip
        assert at_address.prefix(text) == want, text


def test_little_endian_addresses():
    assert at_address.little("0100000A") == at_address.little("0x100000a") == "10.0.0.1"
    assert at_address.little("0") == "0.0.0.0"
    assert at_address.little("") is at_address.little("xyz") is at_address.little("123456789") is None


def test_contexts_defined():
    assert at_context.contexts([
        '+CGDCONT: 1,"IP","iot.example","",0,0',
        "+CGDCONT: 02,IPV4V6 , , ,0,0,0,0",
        '+CGDCONT:3,"IPV6","ims","0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",0,0,0,0,,,,,"",,,,0',
        '+CGDCONT: 4,"IP","fixed","10.9.8.7"',
        "OK",
    ]) == [
        (1, "IP", "iot.example", None), (2, "IPV4V6", None, None), (3, "IPV6", "ims", None),
        (4, "IP", "fixed", "10.9.8.7"),
    ]  # fmt: skip
    assert at_context.contexts([]) == []
    assert refused(at_context.contexts, ["+CGDCONT: "]) and refused(at_context.contexts, ["+CGDCONT: x,1"])


def test_contexts_possible():
    assert at_context.ranges([
        '+CGDCONT: (1-16),"IP",,,(0-2),(0-4)',
        '+CGDCONT: ( 1 ) , "IPV6" ,,, (0)',
        '+CGDCONT: (1-11, 101-103),"IPV4V6",,,(0)',
        '+CGDCONT: , "PPP" ,,, (0-2)',
        "OK",
    ]) == [(1, 16, "IP"), (1, 1, "IPV6"), (1, 11, "IPV4V6"), (101, 103, "IPV4V6")]  # fmt: skip
    assert at_context.ranges(["+CGDCONT: (", "+CGDCONT:", "+CGDCONT: (x-y),\"IP\""]) == []


def test_contexts_active():
    assert at_context.active(["+CGACT: 1,1", "+CGACT:2, 0", "+CGACT: 003,001", "OK"]) == {1: True, 2: False, 3: True}
    assert at_context.active(["!SCACT: 1,0"]) == {1: False} and at_context.active([]) == {}
    assert refused(at_context.active, ["+CGACT: 1"])


def test_addresses_of_a_context():
    for line, want in (
        ('+CGPADDR: 1,"10.20.30.40"', (1, ["10.20.30.40"])),
        ("+CGPADDR: 1,10.20.30.40", (1, ["10.20.30.40"])),
        ('+CGPADDR: 2,"10.20.30.40","FE80::2"', (2, ["10.20.30.40", "fe80::2"])),
        ('+CGPADDR: 3,"254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.5"', (3, ["fe80::5"])),
        ('+CGPADDR: 4,"10.20.30.40 FE80:0:0:0:0:0:0:2"', (4, ["10.20.30.40", "fe80::2"])),
        ('+CGPADDR: 1,"0.0.0.0"', (1, [])),
        ("+CGPADDR: 1", (1, [])),
        ('+CGPADDR: 1,""', (1, [])),
    ):
        assert at_context.addresses(line) == want, (line, at_context.addresses(line))
    assert refused(at_context.addresses, "+CGPADDR:")


def parameters(line):
    found = at_context.parameters(line)
    return tuple(found[key] for key in ("cid", "bearer", "apn", "address", "mask", "gateway", "dns"))


def test_negotiated_parameters():
    """TS 27.007 10.1.23 as it is, as it was before release 9, and as Quectel and others send IPv6."""
    head = '+CGCONTRDP: 1,5,"iot.mnc001.mcc262.gprs"'
    start = (1, 5, "iot.mnc001.mcc262.gprs")
    for tail, want in (
        ("", (None, None, None, [])),
        (',"10.4.3.2.255.255.255.240","10.4.3.1","9.9.9.9","1.1.1.1","0.0.0.0","0.0.0.0",0',
         ("10.4.3.2", "255.255.255.240", "10.4.3.1", ["9.9.9.9", "1.1.1.1"])),
        (',"10.4.3.2","255.255.255.240","10.4.3.1","9.9.9.9"',
         ("10.4.3.2", "255.255.255.240", "10.4.3.1", ["9.9.9.9"])),
        (',"10.4.3.2","10.4.3.1","9.9.9.9","0.0.0.0"', ("10.4.3.2", None, "10.4.3.1", ["9.9.9.9"])),
        (",10.4.3.2,255.255.255.240", ("10.4.3.2", "255.255.255.240", None, [])),
        (',"32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.7",,"32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.53"',
         ("2001:db8::7", None, None, ["2001:db8::35"])),
        (',"2001:0DB8::7","FE80:0:0:0:0:0:0:1","2001:DB8::35"', ("2001:db8::7", None, "fe80::1", ["2001:db8::35"])),
        (',,,"9.9.9.9","1.1.1.1"', (None, None, None, ["9.9.9.9", "1.1.1.1"])),
    ):
        assert parameters(head + tail) == start + want, (tail, parameters(head + tail))
    assert parameters('+CGCONTRDP: 2,6,""')[:3] == (2, 6, None)
    assert refused(at_context.parameters, "+CGCONTRDP: ")


def test_every_form_of_event():
    for line, want in (
        ("NW PDN DEACT 1", {"by": "NW", "what": "deactivated", "cid": 1}),
        ("ME PDN ACT 3,0", {"by": "ME", "what": "activated", "cid": 3, "reason": 0}),
        ("EPS PDN ACT 1", {"by": "", "what": "activated", "cid": 1}),  # SIMCom A76xx
        ("NW DETACH", {"by": "NW", "what": "detached", "cid": None}),
        ("ME DETACH", {"by": "ME", "what": "detached", "cid": None}),
        ("NW CLASS B", {"by": "NW", "what": "class", "cid": None, "class": "B"}),
        ("ME DEACT 2, 5, 1", {"by": "ME", "what": "deactivated", "primary": 2, "cid": 5, "event": 1}),
        ("NW ACT 2,5,0", {"by": "NW", "what": "activated", "primary": 2, "cid": 5, "event": 0}),
        ("NW DEACT 4", {"by": "NW", "what": "deactivated", "cid": 4}),
        ('NW DEACT "IP","1.2.3.4",2',
         {"by": "NW", "what": "deactivated", "cid": 2, "type": "IP", "address": "1.2.3.4"}),
        ("ME DEACT IP, 1.2.3.4", {"by": "ME", "what": "deactivated", "cid": None, "type": "IP", "address": "1.2.3.4"}),
        ("NW REACT IP,1.2.3.4,1", {"by": "NW", "what": "reactivated", "cid": 1, "type": "IP", "address": "1.2.3.4"}),
        ("REJECT IP, 1.2.3.4", {"by": "", "what": "reject", "cid": None, "type": "IP", "address": "1.2.3.4"}),
        ("NW MODIFY 1,2,0", {"by": "NW", "what": "modified", "cid": 1, "reason": 2, "event": 0}),
        ("me pdn deact 1", {"by": "ME", "what": "deactivated", "cid": 1}),
    ):
        for text in ("+CGEV: " + line, "+CGEV:" + line, line):
            assert at_context.event(text) == want, (text, at_context.event(text))
    for bad in ("+CGEV:", "+CGEV: NW", "+CGEV: SOMETHING 1", "RING", "+CGEV: NW DEACTIVATED"):
        assert refused(at_context.event, bad), bad
