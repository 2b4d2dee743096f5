"""What becomes of the policies that are kept: joined, started, due, confirmed, merged. Loaded for that, and dropped."""

from ..errors import LocalError
from . import policy_slots as slots
from .policy_member import enter, keep, read, recalled, started

_MOST = 8
_CUTS_OFF = (5, 6, 7, 10)  # WAN order, cap, APN, lifetime: what may lose us the connection
_TRIAL_S = 300
_APPLIED, _TRIAL, _ROLLED = 0, 2, 7
_NOT_CONFIRMED = 1


def belong(engine, groups, join):
    """-> the members for these groups, the highest rank first. Raises LocalError."""
    if len(groups) > _MOST or len({one[0] for one in groups}) < len(groups):
        raise LocalError("policy: %d groups; %d different ones are possible" % (len(groups), _MOST))
    members = []
    for name, rank, guard in sorted(groups, key=lambda one: (-one[1], one[0])):
        member = engine.member(name)
        if member is None:
            member = join(name)
            if not recalled(member, engine.medium):
                engine.say("damaged", name)
        member.rank, member.guard = rank, guard
        members.append(member)
    return members


def start(engine, now):
    """The device has started."""
    for member in engine.members:
        if started(member, engine.medium, now):
            engine.acknowledge(member, member.version, _ROLLED, member.detail, now)
        limit(engine, member, now)


def confirm(engine, now):
    """The connection holds under what is on trial."""
    for member in engine.members:
        if member.state == "trial":
            _enter(engine, member, "confirmed", _APPLIED, None, now)


def proceed(engine, member, now):
    """What is due: the end of a trial, a date, another try to write."""
    wall = engine.wall(now)
    if member.until is not None and now >= member.until:
        _enter(engine, member, "failed", _ROLLED, _NOT_CONFIRMED, now)
    if member.revert and wall >= member.revert:
        enter(member, engine.medium, "revert", now)
        engine.changed = True
    if member.activate and wall >= member.activate:
        if is_risky(engine, member, read(member, engine.medium, slots.newest)):
            _enter(engine, member, "try", _TRIAL, None, now)
            limit(engine, member, now)
        else:
            _enter(engine, member, "apply", _APPLIED, None, now)
    if member.retry is not None and now >= member.retry:
        keep(member, engine.medium, now)


def limit(engine, member, now):
    """A trial ends."""
    if member.state == "trial":
        member.until = now + read(member, engine.medium, slots.newest).get(7, _TRIAL_S) * 1000


def is_risky(engine, member, document):
    """Whether it may cut us off: it wants to be tried, or how we reach the registrar is not as it was proven."""
    before, after = merged(engine, member, read(member, engine.medium, slots.good)), merged(engine, member, document)
    return 7 in document or any([before[0].get(key) != after[0].get(key) for key in _CUTS_OFF])


def merged(engine, instead=None, document=None):
    """({setting: value} of all groups, (group, version) that the period is of); the member `instead` has that document
    instead of its own. Jitter goes with its period."""
    settings, source = {}, None
    for member in engine.members:
        found = document if member is instead else read(member, engine.medium, slots.in_force)
        own = found.get(5, {})
        leads = 1 in own and 1 not in settings
        for key in own:
            if key not in settings and (key != 2 or leads):
                settings[key] = own[key]
        if leads:
            source = member.name, found[2]
    return settings, source


def effective(engine, device):
    """({setting: value} of all groups, offset in s of the reports). device: the device's own key (bytes)."""
    settings, source = merged(engine)
    if not settings.get(2):
        return settings, 0
    from .policy_offset import offset

    return settings, offset(device, source[0], source[1], settings[2])


def _enter(engine, member, event, status, detail, now):
    enter(member, engine.medium, event, now, detail or 0)
    engine.changed = True
    engine.acknowledge(member, member.version, status, detail, now)
