"""What a policy document may say: the one table of its members and settings, for the device and for who writes it.

A document is a map {member: value} with the settings under member 5; docs/policy.cddl shows the same as CDDL. A setting
that nobody here knows refuses the whole document. Loaded when a document comes in, and dropped.
"""

from ..codec import strict
from ..errors import RemoteError
from ..table import find

# key name form unit low high: of a number the bounds are its own, else those of the length
DOCUMENT = """
1 group bytes - 1 32
2 version number - 1 4294967295
3 not_before number s 0 4294967295
4 expiry number s 1 4294967295
5 settings map - 0 32
6 activate_at number s 1 4294967295
7 trial_s number s 30 65535
8 revert_at number s 1 4294967295
9 ack_window_s number s 0 65535
"""
SETTINGS = """
1 report_period_s number s 10 2678400
2 report_jitter_s number s 0 1339200
3 measurement_interval_s number s 1 2678400
4 schedule rows s 1 8
5 wan_order links - 1 3
6 lte_cap_bytes number bytes 0 1099511627776
7 apn text - 0 63
8 thresholds rows - 1 8
9 maintenance_windows rows s 0 4
10 lifetime_s number s 60 31536000
"""
# setting column name low high; times are seconds of the day, UTC
COLUMNS = """
4 0 start 0 86399
4 1 end 1 86400
4 2 period_s 10 86400
8 0 channel 0 65535
8 1 low -2147483648 2147483647
8 2 high -2147483648 2147483647
8 3 hysteresis 0 2147483647
9 0 start 0 86399
9 1 end 1 86400
"""
LINKS = ("eth", "lte", "wifi")  # 1, 2, 3 in wan_order
OF_DOCUMENT = 64  # added to the key of a member that is at fault, as the settings have numbers of their own
_NEEDED = (1, 2, 3, 4, 5)
BAD_VALUE, UNSUPPORTED = 5, 6


class Refused(RemoteError):
    """status: the code of the answer, None: nothing is said; detail: the setting at fault, 64 and more: member of the
    document. about: (member, version), set where the document is known to be genuine."""

    def __init__(self, text, status=None, detail=None):
        super().__init__(text)
        self.status, self.detail, self.about = status, detail, None


def read(body):
    """A document (bytes) -> {member: value}, with all that has to be known of it before anybody vouches for it.

    RemoteError: it is no deterministic CBOR (RFC 8949 4.2.1), or lacks a member that it needs."""
    document = plain(body)
    for key in _NEEDED:
        if key not in document:
            raise RemoteError("policy: no member %d" % key)
        try:
            _value(DOCUMENT, key, document[key])
        except Refused as e:
            raise RemoteError(e.args[0])
    _numbered(document[5])
    return document


def plain(body):
    """A map with numbers as keys (bytes) -> dict. RemoteError: it is something else, or in another form than ours."""
    value = strict.load_all(body)
    _numbered(value)
    return value


def check(document, links=None):
    """Whether this document (as from read()) can be obeyed. links: {name: is it up} of the device, None: unknown.

    Raises Refused with the status (5 bad value, 6 unsupported), what is at fault, and what is possible."""
    settings = document[5]
    for table, values in ((DOCUMENT, document), (SETTINGS, settings)):
        for key in sorted(values):
            _value(table, key, values[key])
    _dates(document)
    _periods(settings)
    for key in (4, 9):
        _ascending(key, settings.get(key, ()))
    _limits(settings.get(8, ()))
    if links is not None:
        _ways(settings, links)


def _numbered(value):
    if not isinstance(value, dict) or [key for key in value if type(key) is not int or not 0 <= key < 1 << 32]:
        raise RemoteError("policy: no map with numbers as keys")


def _bad(table, key, text):
    name = find(table, str(key))[0]
    return Refused("policy: %s %s" % (name, text), BAD_VALUE, key + (OF_DOCUMENT if table is DOCUMENT else 0))


def _value(table, key, value):
    row = find(table, str(key))
    if row is None:
        detail = key + (OF_DOCUMENT if table is DOCUMENT else 0)
        raise Refused("policy: %d is unknown here; leave it out" % key, UNSUPPORTED, detail)
    form, low, high = row[1], int(row[3]), int(row[4])
    kind = {"number": int, "bytes": bytes, "text": str, "map": dict}.get(form, list)
    if type(value) is not kind:
        raise _bad(table, key, "is no %s" % form)
    size = value if kind is int else len(value.encode() if kind is str else value)
    if not low <= size <= high:
        of = "" if kind is int else "of length "
        raise _bad(table, key, "is %s%d; %d to %d are possible" % (of, size, low, high))
    if form == "text" and not _is_name(value):
        raise _bad(table, key, "has other characters than letters, digits, dot, hyphen and underscore")
    if form == "links" and not _is_order(value):
        raise _bad(table, key, "is to hold each of 1 (eth), 2 (lte), 3 (wifi) once at most")
    if form == "rows":
        for line in value:
            _line(table, key, line)


def _is_name(text):
    """An access point name (TS 23.003 9.1)."""
    return not text.lower().strip("abcdefghijklmnopqrstuvwxyz0123456789.-_")


def _is_order(codes):
    fit = [code for code in codes if type(code) is int and 1 <= code <= len(LINKS)]
    return len(fit) == len(codes) == len(set(fit))


def _line(table, key, line):
    width = 0
    while find(COLUMNS, str(key), str(width)):
        width += 1
    if not isinstance(line, list) or len(line) != width:
        raise _bad(table, key, "is to have rows of %d numbers" % width)
    for column in range(width):
        name, low, high = find(COLUMNS, str(key), str(column))
        if type(line[column]) is not int or not int(low) <= line[column] <= int(high):
            raise _bad(table, key, "needs a %s of %s to %s" % (name, low, high))


def _dates(document):
    if document[4] <= document[3]:
        raise _bad(DOCUMENT, 4, "is not after not_before")
    if 8 in document and document[8] <= max(document[3], document.get(6, 0)):
        raise _bad(DOCUMENT, 8, "is not after not_before and activate_at")


def _periods(settings):
    """Jitter belongs to a period, and leaves half of it. The lifetime is free of it: the agent's Updates come by
    themselves, however seldom it reports."""
    if 2 in settings:
        periods = [settings.get(1, 0)] + [row[2] for row in settings.get(4, ())]
        if 2 * settings[2] > min(periods):
            raise _bad(SETTINGS, 2, "is more than half of a period (%d s)" % min(periods))


def _ascending(key, rows):
    before = 0
    for row in rows:
        if not before <= row[0] < row[1]:
            raise _bad(SETTINGS, key, "is to ascend without overlaps; write what spans midnight as two rows")
        before = row[1]


def _limits(rows):
    for _, low, high, hysteresis in rows:
        if low >= high or hysteresis > high - low:
            raise _bad(SETTINGS, 8, "is to have low below high, and hysteresis not beyond their distance")
    if len({row[0] for row in rows}) < len(rows):
        raise _bad(SETTINGS, 8, "names a channel twice")


def _ways(settings, links):
    """What would leave the device without any way out is refused before it is tried."""
    order = [LINKS[code - 1] for code in settings.get(5, (1, 2, 3))]
    ours = [name for name in order if name in links]
    if 5 in settings and not ours:
        raise _bad(SETTINGS, 5, "holds no link that the device has (%s)" % ", ".join(sorted(links)))
    up = [name for name in ours if links[name]]
    if settings.get(6) == 0 and "lte" in ours and (up or ours) == ["lte"]:
        raise _bad(SETTINGS, 6, "of 0 takes the only way out away; lte is all there is")
