"""What becomes of a document that comes in: judged, taken up or refused, answered. Loaded for that, and dropped."""

from .policy_course import is_risky, limit
from .policy_gate import SESSIONS, bucket, opened, remember
from .policy_keys import renew
from .policy_member import accept
from .policy_rules import Refused, check

_APPLIED, _STORED, _TRIAL, _STORAGE, _EXPIRED, _OVERRIDE = 0, 1, 2, 8, 10, 11
_RULED_OUT = (5, 6)  # bad value, unsupported
_NO_CLOCK = 1
_THRESHOLDS = 8


def offer(engine, data, via, now, window_ms):
    """-> (status, detail) as may be told, or None; see GroupPolicies.offer()."""
    engine.bucket = engine.bucket or bucket()
    member = version = None
    try:
        member, document, body, digest = opened(engine, data, via, now)
        version = document[2]
        status, detail = _take_up(engine, member, document, body, digest, now)
    except Refused as e:
        status, detail = e.status, e.detail
        ruled_out = member and status in _RULED_OUT
        engine.count("refused" if ruled_out else e.args[0])
        if ruled_out:
            e.about = member, version
            remember(engine.bucket, data, e, now)
        member, version = e.about or (member, version)
    if status is None or not (member or via in SESSIONS):
        return None
    if member and via != "unicast":
        engine.acknowledge(member, version, status, detail, now, window_ms)
    return status, detail


def offer_keys(engine, data, via):
    """-> (status, detail) as may be told, or None."""
    try:
        if via not in SESSIONS:
            raise Refused("stranger")
        return renew(engine, data)
    except Refused as e:
        engine.count(e.args[0])
        return None if e.status is None else (e.status, e.detail)


def _take_up(engine, member, document, body, digest, now):
    """-> (status, detail) of a genuine document that is newer. Raises Refused."""
    if engine.override:
        raise Refused("override", _OVERRIDE)
    check(document, engine.links())
    for row in document[5].get(_THRESHOLDS, ()) if engine.channels else ():
        if row[0] not in engine.channels():
            raise Refused("not obeyed", _RULED_OUT[1], _THRESHOLDS)
    wall = engine.wall(now)
    if wall and 0 < document.get(8, 0) <= wall:
        raise Refused("over", _EXPIRED)
    if wall < document.get(6, 0):
        event, status = "store", _STORED
    else:
        event, status = ("try", _TRIAL) if is_risky(engine, member, document) else ("apply", _APPLIED)
    if event == "store" and member.state == "trial":
        raise Refused("busy")  # there is room for what is on trial and what held before; the sender comes again
    try:
        accept(member, engine.medium, document, body, digest, event)
    except OSError as e:
        raise Refused("storage", _STORAGE, e.args[0])
    engine.changed = True
    limit(engine, member, now)
    return status, None if wall else _NO_CLOCK
