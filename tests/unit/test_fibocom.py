"""Fibocom's contexts and sockets."""

from family_script import drive, family_of


def test_fibocom_contexts_and_sockets():
    family, known, closed = family_of("fibocom"), '+CGDCONT: 1,"IP","iot"', [None] * 4
    for answer in (("+MIPCALL: 10.0.0.1",), ("+MIPCALL: 1,10.0.0.1",)):
        assert drive(family.connect("iot"), known, "+MIPCALL: 0", "", answer)[0] == ""
    assert drive(family.connect("iot"), known, "+MIPCALL: 1,10.0.0.1", *closed)[0] == ""
    refused = drive(family.connect("iot"), known, "+MIPCALL: 0", "", ("+MIPCALL: 0",), "", ("+MIPCALL: 0",))
    assert refused[0] == "+MIPCALL: 0" and refused[1][-2:] == ["AT+MIPCALL=0", "+MIPCALL:"]
    assert drive(family.open_socket(0, "a.b", 7), "", ("+MIPOPEN: 1,1",)) == (
        1, ['AT+MIPOPEN=1,,"a.b",7,1', "+MIPOPEN:"])  # fmt: skip
    assert drive(family.open_socket(0, "a.b", 7), "", ("+MIPOPEN: 1,0",), None)[0] is None
    assert drive(family.send(1, b"abc"), "+MIPSEND: 1,0,2048")[0] == ""
    assert drive(family.send(1, b"abc"), "+MIPSEND: 1,1,0")[0] == "full"
    assert drive(family.close_socket(1), "", ("+MIPCLOSE: 1,0",))[1] == ["AT+MIPCLOSE=1", "+MIPCLOSE:"]
