"""Policy documents as people write them: members and settings by name, dates as ISO 8601, times of day as 06:30, links
by their names. What a device would refuse is refused here, in the device's own words, before anybody signs it.

The names are those of the device's own tables (agent/engine/policy_rules.py).
"""

import json
import re
from datetime import UTC, datetime

import cbor2

from ...agent import table
from ...agent.engine import policy_rules as rules
from ...agent.errors import RemoteError
from .. import faults
from ..faults import Fault

MAX_FILE = 20_000  # bytes of a document as JSON
_MEMBERS = {row[1]: int(row[0]) for row in table.rows(rules.DOCUMENT)}
_SETTINGS = {row[1]: (int(row[0]), row[2]) for row in table.rows(rules.SETTINGS)}
_DATES = ("not_before", "expiry", "activate_at", "revert_at")
_TIME_OF_DAY = re.compile("([0-9]{1,2}):([0-9]{2})")


def document(named):
    """{number: value} of a document by names, checked. Raises Fault: what no device would take."""
    if not isinstance(named, dict):
        raise _bad("a document is an object of members by name")
    found = {_key(_MEMBERS, name, "member"): _member(name, value) for name, value in named.items()}
    _check(found)
    return found


def named(found):
    """The same document by names, as document() takes it and people read it."""
    values = {name: found[key] for name, key in _MEMBERS.items() if key in found}
    values["group"] = shown(values["group"])
    for name in set(_DATES) & set(values):
        values[name] = values[name] and datetime.fromtimestamp(values[name], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    values["settings"] = {name: _readable(form, key, found[5][key])
                          for name, (key, form) in _SETTINGS.items() if key in found[5]}
    return values


def load(file):
    """The document in a JSON file. Raises Fault."""
    try:
        with open(file, "rb") as source:
            text = source.read(MAX_FILE + 1)
        if len(text) > MAX_FILE:
            raise _bad(f"{file} has more than {MAX_FILE} bytes")
        return json.loads(text)
    except OSError as problem:
        raise Fault(f"cannot read {file}: {problem.strerror}", "name a file with a document as JSON",
                    faults.USAGE) from problem
    except (ValueError, RecursionError) as problem:
        raise Fault(f"{file} is no JSON: {problem}", "see policy create --help", faults.USAGE) from problem


def assigned(text):
    """(name, value) of `report_period_s=900`, `wan_order=eth,lte`, `schedule=[["06:00","22:00",900]]`. Raises Fault."""
    name, equals, value = text.partition("=")
    if not equals:
        raise _bad(f"{text!r} is no NAME=VALUE")
    _, form = _SETTINGS[_known(_SETTINGS, name, "setting")]
    if form == "text":
        return name, value
    if form == "links" and not value.startswith("["):
        return name, value.split(",")
    try:
        return name, json.loads(value)
    except ValueError as problem:
        raise _bad(f"{name}: {value!r} is neither a number nor a list of rows") from problem


def moment(text, now):
    """Unix seconds of `+30d` (s, m, h, d from now), a date in ISO 8601 or a number of seconds. Raises Fault."""
    spans = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    found = re.fullmatch("[+]([0-9]{1,9})([smhd])", str(text))
    return int(now) + int(found[1]) * spans[found[2]] if found else _date("the time", text)


def shown(group):
    """A group's id as text, in hex where it is none."""
    try:
        text = group.decode()
    except UnicodeDecodeError:
        text = ""
    return text if text.isprintable() and text else "hex:" + group.hex()


def group_id(text):
    """The id (bytes) of a group's name, or of hex:... . Raises Fault."""
    try:
        found = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
    except (ValueError, AttributeError) as problem:
        raise _bad(f"group {text!r} is neither a name nor hex:...") from problem
    if not 1 <= len(found) <= 32:
        raise _bad(f"group {text!r} has {len(found)} bytes; 1 to 32 are possible")
    return found


def _member(name, value):
    _whole(name, value)
    if name == "group":
        return group_id(value)
    if name in _DATES:
        return _date(name, value)
    if name == "settings" and isinstance(value, dict):
        return {_SETTINGS[_known(_SETTINGS, key, "setting")][0]: _value(key, each) for key, each in value.items()}
    return value


def _value(name, value):
    _, form = _SETTINGS[name]
    _whole(name, value)
    if form == "links" and isinstance(value, list):
        return [rules.LINKS.index(one) + 1 if one in rules.LINKS else one for one in value]
    if form == "rows" and isinstance(value, list):
        return [[_seconds(one) for one in row] if isinstance(row, list) else row for row in value]
    return value


def _whole(name, value):
    if value is None or isinstance(value, bool | float):
        raise _bad(f"{name}: {json.dumps(value)} is no whole number, text or list")


def _seconds(value):
    found = _TIME_OF_DAY.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) * 3600 + int(found[2]) * 60 if found and int(found[2]) < 60 else value


def _readable(form, key, value):
    if form == "links":
        return [rules.LINKS[code - 1] for code in value]
    if form != "rows":
        return value
    clock = [name in ("start", "end") for name in _columns(key)]
    return [[_time(one) if is_time and one % 60 == 0 else one for one, is_time in zip(row, clock, strict=True)]
            for row in value]


def _time(seconds):
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _columns(key):
    return [row[2] for row in table.rows(rules.COLUMNS) if int(row[0]) == key]


def _date(name, value):
    if type(value) is int or isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    try:
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError) as problem:
        raise _bad(f"{name} {value!r} is no date; as 2027-01-31T00:00:00Z") from problem
    if found.tzinfo is None:
        raise _bad(f"{name} {value!r} has no time zone; as 2027-01-31T00:00:00Z")
    return int(found.timestamp())


def _key(known, name, what):
    return known[_known(known, name, what)]


def _known(known, name, what):
    if name not in known:
        raise Fault(f"no {what} is called {name}", faults.did_you_mean(str(name), known), faults.USAGE)
    return name


def _check(found):
    try:
        body = cbor2.dumps(found, canonical=True)
        rules.check(rules.read(body))
    except RemoteError as problem:
        raise _bad(str(problem)) from problem
    except (cbor2.CBOREncodeError, OverflowError, TypeError) as problem:
        raise _bad(f"a value has no place in a document: {problem}") from problem


def _bad(text):
    return Fault(text, "correct the document; policy create --help shows the form", faults.USAGE)
