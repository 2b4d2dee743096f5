"""Signal levels on every maker's scale (TS 27.007 8.5, 8.69)."""

from agent.codec import at_signal
from agent.errors import RemoteError


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_levels():
    for line, want in (
        ("+CSQ: 17,99", {"rssi": -79}),
        ("+CSQ:31,0", {"rssi": -51, "ber": 0}),
        ("+CSQ: 99,99", {}),
        ("+CSQ: 130,99", {"rscp": -86}),
        ("+CESQ: 99,99,255,255,20,80", {"rsrq": -10, "rsrp": -61}),
        ("+CESQ: 20,3,255,255,255,255", {"rssi": -91, "ber": 3}),
        ("+CESQ:99,99,40,30,255,255", {"rscp": -81, "ecno": -9.5}),
        ("+CESQ: 99,99,255,255,255,255,60,70,50", {"rsrq": -13.5, "rsrp": -87, "sinr": 1.5}),
        ("+XCESQ: 0,99,99,255,255,20,50,-10", {"rsrq": -10, "rsrp": -91, "sinr": -5}),
        ('^HCSQ:"LTE",40,45,111,22', {"technology": "lte", "rssi": -81, "rsrp": -96, "rsrq": -9}),
        ("^HCSQ: WCDMA,40,45,50", {"technology": "wcdma", "rssi": -81, "rscp": -76, "ecno": -7.5}),
        ('^HCSQ: "GSM",40,255', {"technology": "gsm", "rssi": -81}),
        ("^SMONI: 4G,6300,20,10,10,FDD,262,02,BF75,0345103,350,-,-94.5,-7,NOCONN",
         {"technology": "4g", "rsrp": -94.5, "rsrq": -7}),
        ("^SMONI: 3G,10564,296,-7.5,-79,262,02,0143,00228FF,-92,-78,NOCONN",
         {"technology": "3g", "ecno": -7.5, "rscp": -79}),
        ("^SMONI: 2G,71,-61,262,02", {"technology": "2g", "rssi": -61}),
        ("^SMONI: 4G,SEARCH", {"technology": "4g"}),
        ('+QCSQ: "LTE",-52,-81,195,-10', {"technology": "lte", "rssi": -52, "rsrp": -81, "sinr": 19, "rsrq": -10}),
        ('+QCSQ: "WCDMA",-60,-70,-5', {"technology": "wcdma", "rssi": -60, "rscp": -70, "ecno": -5}),
        ("+CPSI: LTE,Online,262-01,0x1A2B,1234567,100,EUTRAN-BAND3,1300,5,5,-94,-850,-545,15",
         {"technology": "lte", "rsrq": -9.4, "rsrp": -85, "rssi": -54.5}),
    ):  # fmt: skip
        got = at_signal.signal(line)
        assert len([key for key in want if key not in got]) == 0, (line, got)
        for key in got:
            if key != "sinr" or key in want:
                assert type(got[key]) is str and got[key] == want[key] or abs(got[key] - want[key]) < 0.01, (line, got)


def test_nonsense():
    for bad in ("+CSQ:", "+CSQ: x", "+CESQ: 1,2,3", "+XCESQ: 0", '^HCSQ: "NOSERVICE"', "^HCSQ:", "^SMONI: SEARCH",
                "+QCSQ:", '+QCSQ: "NOSERVICE"', "+CPSI: NO SERVICE,Online", "+CREG: 1", "", ":"):  # fmt: skip
        assert refused(at_signal.signal, bad).startswith("at: "), bad
