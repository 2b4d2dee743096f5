"""PDP contexts: what is defined, active, negotiated, and what happens to them (TS 27.007 10.1).

Lines are those of one answer; an event is one line. What an operator or a firmware leaves out is None.
"""

from . import at, at_address


def contexts(lines):
    """+CGDCONT? -> [(cid, type, APN, address)] (10.1.1)."""
    found = []
    for parts in _fields_of(lines, "+CGDCONT"):
        cid = at.number(parts[0])
        if cid is None:
            at.bad("context", ",".join(parts))
        parts += ["", "", ""]
        found.append((cid, parts[1].upper(), parts[2] or None, at_address.address(parts[3])[0]))
    return found


def ranges(lines):
    """+CGDCONT=? -> [(lowest cid, highest cid, type)]; several ranges of one type are several entries."""
    found = []
    for line in lines:
        body = at.rest(line)
        first, _, rest = body.partition(")")
        kind = at.fields(rest.strip().lstrip(","))[0].upper()
        if line[:8] != "+CGDCONT" or first[:1] != "(" or not kind:
            continue
        for part in first[1:].split(","):
            low, _, high = part.partition("-")
            low = at.number(low.strip())
            high = low if not high else at.number(high.strip())
            if low is not None and high is not None:
                found.append((low, high, kind))
    return found


def active(lines):
    """+CGACT?, !SCACT? -> {cid: whether it is active} (10.1.10)."""
    found = {}
    for line in lines:
        parts = at.fields(line)
        cid, state = at.number(parts[0]), at.number((parts + [""])[1])
        if line[:7] in ("+CGACT:", "!SCACT:"):
            if cid is None or state is None:
                at.bad("context", line)
            found[cid] = state == 1
    return found


def addresses(line):
    """+CGPADDR -> (cid, [address]); no address yet is an empty list (10.1.19)."""
    parts = at.fields(line)
    cid = at.number(parts[0])
    if cid is None:
        at.bad("context", line)
    found = [at_address.address(word)[0] for part in parts[1:] for word in part.split(" ")]
    return cid, [address for address in found if address]


def parameters(line):
    """+CGCONTRDP -> dict of cid, bearer, apn, address, mask, gateway, dns (a list) (10.1.23).

    Before release 9 of the standard the mask was a field of its own; a field that looks like one tells.
    """
    parts = at.fields(line) + [""] * 9
    cid = at.number(parts[0])
    if cid is None:
        at.bad("context", line)
    address, mask = at_address.address(parts[3])
    rest = parts[4:]
    if address and mask is None and at_address.is_mask(rest[0]):
        mask, rest = rest[0], rest[1:]
    dns = [at_address.address(part)[0] for part in rest[1:3]]
    return {
        "cid": cid,
        "bearer": at.number(parts[1]),
        "apn": parts[2] or None,
        "address": address,
        "mask": mask,
        "gateway": at_address.address(rest[0])[0],
        "dns": [server for server in dns if server],
    }


# What the words of an event mean, and what follows them: c context, p its primary one, r reason, e event type,
# t type, a address, x class. Longer ones come first.
_EVENTS = """
REJECT|reject|ta
REACT|reactivated|tac
PDN DEACT|deactivated|cr
PDN ACT|activated|cr
DEACT|deactivated|tac
ACT|activated|tac
MODIFY|modified|cre
DETACH|detached|
CLASS|class|x
"""
_KEYS = {"c": "cid", "p": "primary", "r": "reason", "e": "event", "t": "type", "a": "address", "x": "class"}


def event(line):
    """+CGEV, with or without its name -> dict (10.1.19): by "NW", "ME" or "", what, and what else is told.

    what: "reject", "activated", "deactivated", "reactivated", "modified", "detached", "class". A secondary
    context has its primary one in "primary". After "detached" all contexts are gone.
    """
    body = at.rest(line)
    upper = body.upper()
    by = upper[:2] if upper[:3] in ("NW ", "ME ") else ""
    words = upper[3:].lstrip() if by else upper
    if words[:4] == "EPS ":  # SIMCom's
        words = words[4:]
    for row in _EVENTS.split("\n")[1:-1]:
        head, what, order = row.split("|")
        if words == head or words[: len(head) + 1] == head + " ":
            break
    else:
        at.bad("event", line)
    values = at.fields(body[len(body) - len(words) + len(head) :])
    found = {"by": by, "what": what, "cid": None}
    if "ta" in order and at.number(values[0]) is not None:
        # A bare number instead of a type: a secondary context, or a maker's short form with the context alone.
        order = "pce" if len(values) > 2 else "ce"
    for key, value in zip(order, values):
        if key in "cpre":
            value = at.number(value)
        if value not in (None, ""):
            found[_KEYS[key]] = value
    return found


def _fields_of(lines, name):
    return [at.fields(line) for line in lines if line[: len(name) + 1] == name + ":"]
