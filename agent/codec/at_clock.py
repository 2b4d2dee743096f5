"""The modem's clock: +CCLK, and what the network says of time (TS 27.007 8.15, 8.40, 8.41; TS 22.042).

All give (seconds, zone, summer): Unix seconds, the zone in minutes east of Greenwich, summer time in minutes; what was
not said is None. Without a zone the seconds are of the modem's local time. A clock that was never set says so by its
year: before 2000 it is 1970 or 1980.
"""

from . import at

# +NAME: of lines whose time is Greenwich's already; everybody else's is local.
_UTC = ("*PSUTTZ", "+QNITZ", "+NITZ")


def clock(line):
    """The time in any line that has one: +CCLK, +CTZE, +CTZU, *PSUTTZ, ^NWTIME, ^TIME, +QLTS, +QNITZ, +NITZ, +CTZV.

    Fields may be apart by / : , or a blank; the zone is a signed number of quarters of an hour, within the quotes
    or after them. RemoteError when there is no time, or one that no calendar has.
    """
    name = line.partition(":")[0].strip().upper()
    body = at.rest(line).replace('"', " ").replace("(GMT)", " ").replace("GMT", " ").strip()
    zone_first = None
    if body[:1] in ("+", "-"):  # +CTZE: "+08",0,"2019/..."; +CTZU and +CTZV of some
        zone_first, body = _leading_zone(body, line)
    parts, zone, summer = _split(body, line)
    if zone is None:
        zone, summer = zone_first if zone_first else (None, None)
    seconds = unix(parts, line)
    if zone is not None and name not in _UTC:
        seconds -= zone * 60
    return seconds, zone, summer


def _split(body, line):
    """-> ([year, month, day, hour, minute, second], zone, summer) of what begins with a date."""
    found = _numbers(body, line)
    if len(found) < 6 or [sign for sign, _ in found[:6] if sign]:
        at.bad("time", line)
    zone = _zone(found[6][0], found[6][1], line) if len(found) > 6 else None
    return [value for _, value in found[:6]], zone, 60 * found[7][1] if len(found) > 7 else None


def _numbers(body, line):
    """-> [(sign before it or "", number)] of what stands between / : , and blanks."""
    found, word, sign = [], "", ""
    for char in body + ",":
        if "0" <= char <= "9":
            word += char
            continue
        if char not in "/:, +-" or sign and not word or len(word) > 4:
            at.bad("time", line)
        if word:
            found.append((sign, int(word)))
        word, sign = "", char if char in "+-" else ""
    return found


def _zone(sign, quarters, line):
    if quarters > 96:
        at.bad("zone", line)
    return -15 * quarters if sign == "-" else 15 * quarters


def _leading_zone(body, line):
    """-> ((zone, summer), what follows) of a body that begins with a signed zone."""
    parts = [part.strip() for part in body.split(",")]
    value = at.number(parts[0][1:].strip())
    if value is None:
        at.bad("zone", line)
    summer, used = None, 1
    if len(parts) > 1 and len(parts[1]) == 1 and at.number(parts[1]) is not None:
        summer, used = 60 * int(parts[1]), 2
    return (_zone(parts[0][0], value, line), summer), ",".join(parts[used:])


def zone(line):
    """+CTZV, or the zone in any other line of time -> (zone, summer) in minutes; summer is None if not told."""
    body = at.rest(line).replace('"', " ").strip()
    if body[:1] not in ("+", "-"):
        if at.number(body) is None:
            _, found, summer = clock(line)
            return found, summer
        body = "+" + body  # firmwares that leave out the sign of an eastern zone
    return _leading_zone(body, line)[0]


def unix(parts, line=""):
    """Unix seconds of [year, month, day, hour, minute, second] (UTC); a year of two digits is 1970..2069."""
    year, month, day, hour, minute, second = parts
    if year < 100:
        year += 1900 if year >= 70 else 2000
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1970 <= year <= 2199 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 60:
        at.bad("time", line)
    if not 1 <= day <= (29 if leap and month == 2 else b"\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"[month - 1]):
        at.bad("time", line)
    # Days since 1970-03-01 in years that begin in March, so that the leap day comes last.
    past = year - (month < 3)
    days = past * 365 + past // 4 - past // 100 + past // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469
    return ((days * 24 + hour) * 60 + minute) * 60 + second
