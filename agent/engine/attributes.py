"""The attributes that say when an observer is told (LwM2M 1.1 Core 5.1.2 and 7.3, 1.2 Core 7.3.2): their syntax, what
goes together, and where they hold.

A book is {"server path": "pmin=5&pmax=60"}, as it lies in the store: each server has its own, on an object, an
instance, a resource or an instance of one, and what is below inherits. Rules are {name: number}.
"""

from ..errors import RemoteError
from ..table import find

# name, the highest level it may be set on (1 an object .. 4 an instance of a resource), the kind of number; what of a
# value only may be judged, of which kind
_KNOWN = """
pmin 1 count any
pmax 1 count any
epmin 1 count any
epmax 1 count any
con 1 flag any
hqmax 1 count any
gt 3 number number
lt 3 number number
st 3 step number
edge 3 flag bool
"""
_ORDER = ("pmin", "pmax", "gt", "lt", "st", "epmin", "epmax", "edge", "con", "hqmax")
_ENTRIES = 32
_NUMBERS = ("int", "float", "time")


def own(book, server, path):
    """-> the rules set at `path` itself."""
    return _rules(book.get(_key(server, path), ""))


def inherited(book, server, path):
    """-> the rules that hold at `path`: those set there, before those set above."""
    found = {}
    for depth in range(1, len(path) + 1):
        found.update(own(book, server, path[:depth]))
    return found


def attached(book, server, path, words, kind):
    """-> the book after a Write-Attributes of `words` ("pmin=5", "pmin=" takes away). kind: of the resource at `path`,
    None above one. RemoteError when they are wrong, or do not go together with what is there."""
    rules = merged(own(book, server, path), words, len(path), kind)
    check(rules)
    book = dict(book)
    book[_key(server, path)] = text(rules)
    if not rules:
        del book[_key(server, path)]
    if len(book) > _ENTRIES:
        raise RemoteError("attributes are on %d paths already: take some away" % _ENTRIES)
    return book


def merged(rules, words, depth, kind):
    """-> rules after what `words` say. RemoteError when they say what cannot be at that depth of a path."""
    rules = dict(rules)
    for word in words:
        name, _, value = word.partition("=")
        known = find(_KNOWN, name) if name else None
        if known is None or depth < int(known[0]):
            raise RemoteError("%s is no attribute here" % name[:20])
        if kind is not None and known[2] != "any" and (known[2] == "bool") != (kind == "bool"):
            raise RemoteError("%s is not for %s" % (name, kind))
        if kind is not None and known[2] == "number" and kind not in _NUMBERS:
            raise RemoteError("%s is not for %s" % (name, kind))
        rules[name] = _number(name, known[1], value) if value else None
    return {name: rules[name] for name in rules if rules[name] is not None}


def check(rules):
    """RemoteError when the rules contradict each other (1.1 Core 7.3: pmin up to pmax, lt + 2 st below gt)."""
    get = rules.get
    for low, high in (("pmin", "pmax"), ("epmin", "epmax")):
        if get(high) and get(low, 0) > get(high):
            raise RemoteError("%s must not be over %s" % (low, high))
    if "lt" in rules and "gt" in rules and get("lt") + 2 * get("st", 0) >= get("gt"):
        raise RemoteError("lt and twice st must be below gt")


def text(rules):
    """"pmin=5&pmax=60", in a fixed order."""
    return "&".join(["%s=%s" % (name, rules[name]) for name in _ORDER if name in rules])


def without(book, path):
    """-> the book without what is at or below `path`, of all servers: it was deleted, or will be another."""
    head = _key("", path)
    kept = {}
    for key in book:
        place = key[key.find(" ") :]
        if place != head and not place.startswith(head.rstrip("/") + "/"):
            kept[key] = book[key]
    return kept


def _key(server, path):
    return "%s /%s" % (server, "/".join([str(part) for part in path]))


def _rules(words):
    return {name: _value(value) for name, _, value in [word.partition("=") for word in words.split("&") if word]}


def _value(text):
    if text.strip("0123456789-.eE"):
        raise ValueError
    return float(text) if text.strip("0123456789-") else int(text)


def _number(name, kind, value):
    try:
        number = _value(value)
    except ValueError:
        number = None
    if number is None or len(value) > 20 or number - number != 0 or not _fits(number, kind):
        raise RemoteError("%s cannot be %s" % (name, value[:20]))
    return number


def _fits(number, kind):
    if kind == "number":
        return True
    if kind == "step":
        return number > 0
    return isinstance(number, int) and 0 <= number < (2 if kind == "flag" else 1 << 31)
