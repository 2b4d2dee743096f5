"""The lines around short messages: lists, notices, references (TS 27.005 3)."""

from agent.codec import at_sms
from agent.errors import RemoteError

PDU = "0001000B919471325476F800000AE8329BFD4697D9EC37"


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_one_that_is_stored():
    for lines, status in (
        (["+CMGR: 1,,23", PDU], 1),
        (['+CMGR: 0,"",23', PDU], 0),  # Telit
        (['+CMGR: 3,"Mum, at home",23', PDU], 3),
        (["+CMGR: 2,23", PDU], 2),
        (["+CMGR: 1,,23 " + PDU], 1),  # on one line
        (["+CMGR: 23", PDU], None),
    ):
        assert at_sms.stored(lines) == (status, PDU), lines
    for bad in ([], ["+CMGR:"], ["+CMGR: 1,,x", PDU], [b"data"]):
        assert refused(at_sms.stored, bad), bad


def test_a_list():
    lines = ["+CMGL: 0,1,,23", PDU, '+CMGL: 2,0,"A, B",23', PDU, "+CMGL: 17,3,23", PDU + "00", "+CMGL: 4,1,,23"]
    lines += ["+CMGL: 5,1,,23", PDU]
    assert at_sms.listed(lines) == [(0, 1, PDU), (2, 0, PDU), (17, 3, PDU + "00"), (5, 1, PDU)]
    assert at_sms.listed([]) == at_sms.listed(["OK", b"x"]) == []


def test_notices():
    assert at_sms.arrived('+CMTI: "SM",3') == ("SM", 3)
    assert at_sms.arrived("+CMTI: ME, 012") == ("ME", 12)
    assert at_sms.arrived('+CDSI: "SR",1') == ("SR", 1)
    assert refused(at_sms.arrived, '+CMTI: "SM"') and refused(at_sms.arrived, "+CMTI: ,1")
    for header in ("+CMT: ,23", '+CMT: "Mum",23', "+CMT: 23", "+CDS: 23"):
        assert at_sms.delivered([header, PDU]) == PDU
    assert refused(at_sms.delivered, ["+CMT: ,23"]) and refused(at_sms.delivered, ["+CMT:", PDU])


def test_references():
    assert at_sms.sent("+CMGS: 42") == at_sms.sent('+CMGS: 042,"26/01/01"') == 42
    assert refused(at_sms.sent, "+CMGS:")


def test_the_centre():
    assert at_sms.centre('+CSCA: "+491710760000",145') == "+491710760000"
    assert at_sms.centre('+CSCA: "491710760000",145') == "+491710760000"
    assert at_sms.centre("+CSCA: 002B0034003900310037,145") == "+4917"
    assert at_sms.centre('+CSCA: "0171",129') == "0171"
    assert at_sms.centre('+CSCA: "",129') is None


def test_storages():
    assert at_sms.storages('+CPMS: "SM",2,30,"ME",0,99,"SM",2,30') == [("SM", 2, 30), ("ME", 0, 99), ("SM", 2, 30)]
    assert at_sms.storages("+CPMS: 2,30,0,99,2,30") == [("", 2, 30), ("", 0, 99), ("", 2, 30)]
    assert refused(at_sms.storages, "+CPMS:")
