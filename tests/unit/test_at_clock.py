"""Clocks and zones in every maker's notation."""

from agent.codec import at_clock
from agent.errors import RemoteError

UTC = 1794573296  # 2026-11-13 12:34:56


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_calendar():
    for parts, seconds in (
        ([1970, 1, 1, 0, 0, 0], 0),
        ([2000, 2, 29, 23, 59, 59], 951868799),
        ([24, 12, 31, 0, 0, 0], 1735603200),
        ([2026, 11, 13, 12, 34, 56], UTC),
        ([80, 1, 6, 0, 0, 0], 315964800),  # what a Qualcomm that was never set says
        ([2038, 1, 19, 3, 14, 8], 2147483648),
        ([2016, 12, 31, 23, 59, 60], 1483228800),  # a leap second
    ):
        assert at_clock.unix(parts) == seconds, parts
    for bad in ([2023, 2, 29, 0, 0, 0], [2026, 0, 1, 0, 0, 0], [2026, 13, 1, 0, 0, 0], [2026, 4, 31, 0, 0, 0],
                [1969, 1, 1, 0, 0, 0], [2026, 1, 0, 0, 0, 0], [2026, 1, 1, 24, 0, 0], [2026, 1, 1, 0, 60, 0],
                [2026, 1, 1, 0, 0, 61]):  # fmt: skip
        assert refused(at_clock.unix, bad), bad


def test_clocks():
    for line, want in (
        ('+CCLK: "26/11/13,12:34:56+00"', (UTC, 0, None)),
        ('+CCLK: "26/11/13,13:34:56+04"', (UTC, 60, None)),
        ('+CCLK:   "26/11/13,06:34:56-24"', (UTC, -360, None)),
        ("+CCLK: 26/11/13,12:49:56+01", (UTC, 15, None)),
        ('+CCLK: "26/11/13,12:34:56"', (UTC, None, None)),
        ('+CCLK: "2026/11/13,12:34:56+0"', (UTC, 0, None)),
        # Huawei
        ("^NWTIME: 26/11/13,14:34:56+08,01", (UTC, 120, 60)),
        ("^TIME: 2026/11/13 12:34:56", (UTC, None, None)),
        # Cinterion, Quectel, u-blox
        ('+CTZU: "26/11/13,14:34:56",+08', (UTC, 120, None)),
        ('+CTZU: "26/11/13,14:34:56",+08,1', (UTC, 120, 60)),
        ('+QLTS: "2026/11/13,13:34:56+04,0"', (UTC, 60, 0)),
        ('+CTZE: "+04",0,"2026/11/13,13:34:56"', (UTC, 60, 0)),
        ('+CTZE: "-24",1,"2026/11/13,06:34:56"', (UTC, -360, 60)),
        ('+CTZV: +4,"26/11/13,13:34:56"', (UTC, 60, None)),
        # SIMCom: the time is Greenwich's already, the zone is not in it
        ('*PSUTTZ: 2026,11,13,12,34,56,"+4",1', (UTC, 60, 60)),
        ("*PSUTTZ: 26/11/13,12:34:56\",\"-24\",0", (UTC, -360, 0)),
    ):
        assert at_clock.clock(line) == want, (line, at_clock.clock(line))
    for bad in ('+CCLK: ""', "+CCLK:", '+CCLK: "26-11-13,12:34:56"', '+CCLK: "26/11/13"', '+CCLK: "26/11/13,12:34:56+"',
                '+CCLK: "26/11/13,12:34:56+97"', "^TIME: 26/11/13 12:34:56 CET", '+CCLK: "XX/XX/XX"', "+CTZV: +4",
                '+CCLK: "26/11/13,12:34:-56"', '+CCLK: "26/13/11,12:34:56"',
                '+CTZE: "+x",0,"2026/11/13,13:34:56"'):  # fmt: skip
        assert refused(at_clock.clock, bad), bad


def test_zones():
    for line, want in (
        ("+CTZV: +04", (60, None)),
        ('+CTZV: "-20"', (-300, None)),
        ("+CTZV: 8", (120, None)),
        ('+CTZE: "+08",1', (120, 60)),
        ('+CCLK: "26/11/13,12:34:56-48"', (-720, None)),
        ('+CCLK: "26/11/13,12:34:56"', (None, None)),
    ):
        assert at_clock.zone(line) == want, (line, at_clock.zone(line))
    for bad in ("+CTZV:", "+CTZV: x", "+CTZV: +", "+CTZV: +99"):
        assert refused(at_clock.zone, bad), bad
