"""The SIM: locks, tries left, presence by every maker's own line, the card's files."""

from agent.codec import at_sim
from agent.errors import RemoteError


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_locks():
    assert at_sim.lock("+CPIN: SIM PUK2") == "SIM PUK2"
    assert at_sim.lock('+CPIN: "PH-NET PIN"') == "PH-NET PIN"
    assert at_sim.lock("  sim puk ") == "SIM PUK"
    assert at_sim.lock("^CPIN: SIM PIN,3,10,3,10,3") == "SIM PIN"
    for bad in ("+CME ERROR: 10", "+CPIN:", "", "+CPIN: 3"):
        assert refused(at_sim.lock, bad), bad


def test_tries_left():
    """A PIN's last tries are never spent (knowledge: whatever counter the maker offers)."""
    for lines, want in (
        (["+UPINCNT: 3,2,10,9"], {"pin": 3, "pin2": 2, "puk": 10, "puk2": 9}),  # u-blox
        (["^CPIN: SIM PIN,3,10,2,10,3"], {"puk": 10, "pin": 2, "puk2": 10, "pin2": 3}),  # Huawei
        (["^CPIN: READY,,10,3,10,3"], {"puk": 10, "pin": 3, "puk2": 10, "pin2": 3}),
        (["+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10", "+CPINR: SIM PIN2, 1"], {"pin": 3, "puk": 10, "pin2": 1}),
        (['+QPINC: "SC",3,10', '+QPINC: "P2",2,9'], {"pin": 3, "puk": 10, "pin2": 2, "puk2": 9}),  # Quectel
        (["+SPIC: 3,10,0,10"], {"pin": 3, "puk": 10, "pin2": 0, "puk2": 10}),  # SIMCom
        (["*EPIN: 3,10,3,10"], {"pin": 3, "puk": 10, "pin2": 3, "puk2": 10}),  # Ericsson
        (["+EPINC: 3, 3, 10, 10"], {"pin": 3, "pin2": 3, "puk": 10, "puk2": 10}),  # MediaTek
        (["#PCT: 3"], {"pin": 3}),  # Telit
        (["^SPIC: 2"], {"pin": 2}),  # Cinterion
        (["PIN1=3; PUK1=10; PIN2=2; PUK2=10"], {"pin": 3, "puk": 10, "pin2": 2, "puk2": 10}),  # Longcheer
    ):
        assert at_sim.tries(lines) == want, (lines, at_sim.tries(lines))
    assert at_sim.tries("+UPINCNT: 003,3,10,10\r\n")["pin"] == 3
    for bad in ([], ["+UPINCNT: x,,"], ["OK"], ["3,3,10,10"]):
        assert refused(at_sim.tries, bad), bad


def test_presence_in_every_makers_words():
    for line in (
        "+QUSIM: 1", "+QSIMSTAT: 1,1", "#QSS: 1", "#QSS: 3", "#QSS: 0,2", "^SCKS: 1", "^SCKS: 0,1", "+CIEV: simlocal,1",
        "+CIEV: simlocal,0,1", "^SIMST: 1", "^SIMST:4", "+SIM: Inserted", "+SIM READY", "+ZUSIMR: 1", "+CPIN: READY",
        "+CPIN: SIM PIN", "+CPIN: PH-NET PUK", "+UUSIMSTAT: 6", "#SIMDET: 2,1", "+CIEV: simstatus,5",
        "^SIND: simstatus,1,5", "^SIND: simlocal,0,1",
    ):  # fmt: skip
        assert at_sim.presence(line) is True, line
    for line in (
        "+QUSIM: 0", "+QSIMSTAT: 1,0", "#QSS: 0", "#QSS: 1,0", "^SCKS: 0", "+CIEV: simlocal,0", "^SIMST: 255",
        "+SIM: Removed", "+SIM DROP", "+SIM: DROP", "+ZUSIMR: 0", "+CPIN: NOT READY", "+CPIN: NOT INSERTED",
        "+CPIN: SIM REMOVED", "+CPIN: SIM NOT INSERTED", "+UUSIMSTAT: 0", "+SIMCARD: NOT AVAILABLE",
        "+CIEV: simstatus,0",
    ):  # fmt: skip
        assert at_sim.presence(line) is False, line
    for line in (
        '*PSUTTZ: 2026,3,1,12,0,0,"+4",0', "DST: 1", "+CREG: 1", "RDY", "SMS Ready", "PB DONE", "^RSSI: 12", "^MODE: 7",
        "^SRVST: 2", "+CIEV: 3,1", "+CIEV: roam,1", "#QSS: 9", "", ":", "+QUSIM:", '^HCSQ: "LTE",30,19,66,0',
        "+CGEV: ME DETACH",
    ):  # fmt: skip
        assert at_sim.presence(line) is None, line


def test_files_of_the_card():
    assert at_sim.file_answer('+CRSM: 144, 0,"98940200"') == (0x9000, b"\x98\x94\x02\x00")
    assert at_sim.file_answer("+CRSM: 106,130") == (0x6A82, b"")
    assert at_sim.file_answer('+CSIM: 8,"00009000"') == (0x9000, b"\0\0")
    for bad in ("+CRSM: x,0", "+CRSM: 144,0,9", "+CRSM: 300,0", "+CSIM: 2", '+CSIM: 2,"9"', "+CRSM:"):
        assert refused(at_sim.file_answer, bad), bad
    assert at_sim.verifications('+CSIM: 4,"63C2"') == 2
    assert at_sim.verifications('+CSIM: 4,"6983"') is None


def test_check_digits():
    assert at_sim.numbered("89490200001000000016") is False
    assert at_sim.numbered("8949022021101234565") is True
    assert at_sim.numbered("898602B1234567890123") is False
