"""Operators, reject causes and names, in the ways of a dozen makers."""

from agent.codec import at_network
from agent.errors import RemoteError


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_why_the_network_refused():
    for line, want in (
        ("+CEREG: 3,3,,,,0,15", (0, 15)),
        ('+CEREG: 3,3,"00A1","0001F2",7,0,11', (0, 11)),
        ("+CEREG: 3,,,,1,3", (1, 3)),
        ('+CREG: 3,3,"00A1","0001F2",2,0,13', (0, 13)),
        ('+CGREG: 3,3,"00A1","0001F2",2,"05",0,7', (0, 7)),
        ('+C5GREG: 3,3,"00A1","0001F2",11,,,0,27', (0, 27)),
        ('+CEREG: 5,3,"00A0","0002920C",9,"00",0,15,"00100010","00010010"', (0, 15)),  # SIMCom
        ("+CEREG: 5,0,,,9,0,0,,", None),  # Nordic: nothing wrong
        ("+CEREG: 0,1", None),
        ('+CEREG: 1,"00A1","0001F2",7', None),
    ):
        assert at_network.rejection(line) == want, (line, at_network.rejection(line))


def test_the_operator_in_use():
    for line, want in (
        ('+COPS: 0,0,"Telekom.de",7', (0, 0, "Telekom.de", 7)),
        ('+COPS: 1,2,"26202"', (1, 2, "26202", None)),
        ("+COPS: 0", (0, None, None, None)),
        ("+COPS: 2,,", (2, None, None, None)),
        ('+COPS:0,1,"o2, de" , 2', (0, 1, "o2, de", 2)),
        ("+COPS: 0,2,00320036003200300031,7", (0, 2, "26201", 7)),
    ):
        assert at_network.operator(line) == want, (line, at_network.operator(line))
    assert refused(at_network.operator, "+COPS:") and refused(at_network.operator, "+COPS: x")


def test_operators_found():
    for text, want in (
        # Quectel, Telit: the standard's form, with the lists at the end
        ('+COPS: (2,"Telekom.de","TDG","26201",7),(3,"o2 - de","o2","26203",0),,(0,1,2,3,4),(0,1,2)',
         [(2, "Telekom.de", "TDG", "26201", 7), (3, "o2 - de", "o2", "26203", 0)]),
        # Sierra: no comma before the lists
        ('+COPS: (1,"vodafone.de","Voda","26202",12)(0-4),(0-2)', [(1, "vodafone.de", "Voda", "26202", 12)]),
        # before UMTS: no technology
        ('+COPS: (2,"blau","","26203"),(3,"","","26201")',
         [(2, "blau", None, "26203", None), (3, None, None, "26201", None)]),
        # Nokia: nothing at all instead of an empty name, one operator a line
        ('+COPS: (2,"T - Mobile",,"26201",0),\n(1,"E-Plus",,"26203",0),,(0,1,3),(0,2)',
         [(2, "T - Mobile", None, "26201", 0), (1, "E-Plus", None, "26203", 0)]),
        # Sony Ericsson: a bracket too early
        ('+COPS: (2,"Swisscom","Swisscom","22801"),2),(1,"Salt","Salt","22803"),0)',
         [(2, "Swisscom", "Swisscom", "22801", 2), (1, "Salt", "Salt", "22803", 0)]),
        # commas and brackets in names, blanks around fields
        ('+COPS: (1, "Wind, Tre (IT)" , "W(3)", "22288", 2 )', [(1, "Wind, Tre (IT)", "W(3)", "22288", 2)]),
        # u-blox with UCS2
        ('+COPS: (2,"0059004F00490047004F","0059004F0049","00320031003400300034",7)',
         [(2, "YOIGO", "YOI", "21404", 7)]),
        # numbers written apart; unclosed; only the lists
        ('+COPS: (1,"A","B","262-01",7),(1,"C","D","26202",7', [(1, "A", "B", "26201", 7), (1, "C", "D", "26202", 7)]),
        ("+COPS: (0,1,2,3),(1,2,3,4)", []),
        ("+COPS: ", []),
    ):  # fmt: skip
        assert at_network.operators(text) == want, (text, at_network.operators(text))
    assert refused(at_network.operators, "ERROR")


def test_names_in_every_character_set():
    for text, charset, want in (
        ("Telekom.de", "IRA", "Telekom.de"),
        ("00540065006C0065006B006F006D", "UCS2", "Telekom"),
        ("00540065006C0065006B006F006D", "", "Telekom"),
        ("041C0422042100200052", "", "\u041c\u0422\u0421 R"),  # Cyrillic
        ("4E2D56FD79FB52A8", "UCS2", "\u4e2d\u56fd\u79fb\u52a8"),
        ("4E2D56FD79FB52A8", "", "4E2D56FD79FB52A8"),  # a name of hexadecimal digits, as far as anybody knows
        ("26201", "UCS2", "26201"),
        ("Telekom", "UCS2", "Telekom"),
        ("54656C656B6F6D", "HEX", "Telekom"),
        ("AT&T@", "GSM", "AT&T\u00a1"),
        (b"\x02A\x24", "GSM", "$A\u00a4"),
        (b"Telef\xf3nica", "8859-1", "Telef\u00f3nica"),
        ("Telef\u00f3nica".encode(), "UTF-8", "Telef\u00f3nica"),
        ("", "UCS2", ""),
    ):
        assert at_network.name(text, charset) == want, (text, at_network.name(text, charset))
    assert refused(at_network.name, b"\xff\xfe", "UTF-8")


def test_systems_of_huawei():
    want = {"service": 2, "domain": 3, "roaming": 0, "mode": 5, "sim": 1}
    assert at_network.system("^SYSINFO:2,3,0,5,1") == at_network.system("^SYSINFO: 2,3,0,5,1,,") == want
    for line in ("^SYSINFO:2,3,0,5,1,,4", "^SYSINFO:2,3,0,5,1,0,4"):
        assert at_network.system(line)["submode"] == 4
    want = {"service": 2, "domain": 3, "roaming": 1, "mode": 6, "sim": 255, "submode": 101}
    assert at_network.system('^SYSINFOEX:2,3,1,255,,6,"LTE",101,"LTE"') == want
    for bad in ("^SYSINFO:", "^SYSINFO:2,3", "^SYSINFOEX:,,,", "+CREG: 1,1,1,1"):
        assert refused(at_network.system, bad), bad


def test_technologies():
    assert [at_network.technology(number) for number in (0, 2, 7, 9, 11, 13)] == [
        "gsm", "umts", "lte", "nb-iot", "nr-5gcn", "en-dc",
    ]  # fmt: skip
    assert at_network.technology(None) == at_network.technology(99) == ""
