"""Who belongs to which group: members named one by one, and those that a rule finds by capabilities and tags, later
joiners included.

A member gets an index when it joins and keeps it for good, also while it is out of the group: repairs speak to members
by index, and a device only learns its own when it is told of its membership. As with registrations, the tables in
memory decide at once and the storage follows; what is awaited here is durable.
"""

import ipaddress
import time
from collections import namedtuple

import sqlalchemy as sa

from ...agent.errors import LocalError
from ..faults import Fault
from ..policies.writing import group_id, shown
from .wire import MAX_GROUP, MAX_NAME

MAX_GROUPS = 1000
MAX_MEMBERS = 100_000  # indexes of a group
MAX_DEVICES = 1_000_000
MAX_WORDS = 32  # capabilities, tags
_MAX_WORD = 64  # characters

_tables = sa.MetaData()
_groups = sa.Table(
    "policy_groups", _tables,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("multicast", sa.String),  # host:port
    sa.Column("topic", sa.String),
    sa.Column("rule", sa.JSON),
    sa.Column("created_at", sa.Float, nullable=False),
)
_members = sa.Table(
    "policy_members", _tables,
    sa.Column("group", sa.String, primary_key=True),
    sa.Column("endpoint", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),  # its index
    sa.Column("named", sa.Boolean, nullable=False),  # by somebody, not by the rule
    sa.Column("there", sa.Boolean, nullable=False),  # not: it has left, and its index stays its own
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.UniqueConstraint("group", "number"),
)
_devices = sa.Table(
    "policy_devices", _tables,
    sa.Column("endpoint", sa.String, primary_key=True),
    sa.Column("capabilities", sa.JSON, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
)

Member = namedtuple("Member", "index endpoint")
Device = namedtuple("Device", "capabilities tags")


class Group:
    """A group and who is in it. `id`: as documents have it (bytes), `name`: the same as text, hex:... where it is none;
    `multicast`: (host, port) on each gateway's LAN, or None; `rule`: a dict with
    `capabilities` (all of these) and `tags` (name: one value, or a list of those that will do), or None."""

    def __init__(self, name, priority=0, multicast=None, topic=None, rule=None):
        self.id, self.priority = _id(name), priority
        self.name = shown(self.id)
        if type(priority) is not int or not 0 <= priority <= 255:
            raise LocalError("group %s: priority %r is not 0 to 255" % (name, priority))
        self.multicast = multicast and _multicast(*multicast)
        self.topic = topic and _topic(topic)
        self.rule = rule and _rule(rule)
        self.rows = {}  # endpoint: [index, named by somebody, still in]

    @property
    def members(self):
        """[Member] in the order of their joining."""
        return [Member(index, endpoint) for endpoint, (index, _, there) in self.rows.items() if there]

    def index(self, endpoint):
        """The index of a member, or None."""
        index, _, there = self.rows.get(endpoint, (None, False, False))
        return index if there else None

    def fits(self, device):
        """Whether the rule takes this Device in."""
        if not self.rule:
            return False
        tags = self.rule.get("tags", {})
        return (set(self.rule.get("capabilities", ())) <= set(device.capabilities)
                and all(device.tags.get(key) in _listed(wanted) for key, wanted in tags.items()))


class Groups:
    """All groups and devices. `joined(group, member)` and `left(group, member)` are called in the moment of the change:
    a rollout that is under way takes later joiners in."""

    def __init__(self, storage, joined=None, left=None):
        self._storage = storage
        self._joined, self._left = joined or (lambda group, member: None), left or (lambda group, member: None)
        self._groups, self._devices = {}, {}
        self._save_member = storage.upsert(_members, ["group", "endpoint"])
        self._save_device = storage.upsert(_devices, ["endpoint"])
        storage.submit(_tables.create_all).result()
        self._restore()

    def __iter__(self):
        return iter(list(self._groups.values()))

    def of(self, name):
        """The Group of a name. Raises LocalError."""
        if name not in self._groups:
            raise LocalError("no group is called %s" % name)
        return self._groups[name]

    def find(self, its_id):
        """The Group with this id (bytes), or None."""
        return self._groups.get(shown(its_id))

    def capabilities(self, endpoint):
        """What a device is known to be able to do."""
        return tuple(self._devices[endpoint].capabilities) if endpoint in self._devices else ()

    def memberships(self, endpoint):
        """[Group] that a device is in, the weightiest first."""
        return sorted((group for group in self if group.index(endpoint) is not None), key=lambda g: -g.priority)

    async def create(self, group):
        """Take up a new Group; what fits its rule is in it at once. Raises LocalError."""
        if group.name in self._groups or len(self._groups) >= MAX_GROUPS:
            raise LocalError("group %s: there is one already, or there are %d" % (group.name, MAX_GROUPS))
        self._groups[group.name] = group
        place = group.multicast and "%s:%d" % group.multicast
        values = {"name": group.name, "priority": group.priority, "multicast": place, "topic": group.topic,
                  "rule": group.rule, "created_at": time.time()}
        rows = [self._join(group, endpoint, False) for endpoint, device in self._devices.items() if group.fits(device)]
        await self._write([(_groups.insert(), values)], rows)

    async def delete(self, name):
        """There is no such group any more. Raises LocalError."""
        group = self._groups.pop(self.of(name).name)
        for member in group.members:
            self._leave(group, member.endpoint)
        await self._write([(_groups.delete().where(_groups.c.name == name), None),
                           (_members.delete().where(_members.c.group == name), None)], [])

    async def include(self, name, endpoints):
        """Name members of a group; -> their indexes. Raises LocalError, and nothing has changed."""
        group = self.of(name)
        endpoints = [_name(endpoint, MAX_NAME, "endpoint") for endpoint in dict.fromkeys(endpoints)]
        new = sum(endpoint not in group.rows for endpoint in endpoints)
        if len(group.rows) + new > MAX_MEMBERS:
            raise LocalError("group %s: more than %d members; make another group" % (name, MAX_MEMBERS))
        await self._write([], [self._join(group, endpoint, True) for endpoint in endpoints])
        return [group.index(endpoint) for endpoint in endpoints]

    async def exclude(self, name, endpoint):
        """End a membership that somebody named; where the rule fits, it goes on. Raises LocalError."""
        group = self.of(name)
        if group.index(endpoint) is None:
            raise LocalError("group %s has no member %s" % (name, endpoint))
        device = self._devices.get(endpoint)
        stays = device is not None and group.fits(device)
        group.rows[endpoint][1] = False
        await self._write([], [self._row(group, endpoint) if stays else self._leave(group, endpoint)])

    async def device(self, endpoint, capabilities=(), tags=None):
        """What is known of a device now: rules take it in, or let it go. Raises LocalError."""
        device = _device(endpoint, capabilities, tags or {})
        if endpoint not in self._devices and len(self._devices) >= MAX_DEVICES:
            raise LocalError("more than %d devices" % MAX_DEVICES)
        if self._devices.get(endpoint) == device:
            return
        self._devices[endpoint] = device
        rows = []
        for group in self:
            index, named, there = group.rows.get(endpoint, (None, False, False))
            if group.fits(device) and not there and (index is not None or len(group.rows) < MAX_MEMBERS):
                rows.append(self._join(group, endpoint, False))
            elif there and not named and not group.fits(device):
                rows.append(self._leave(group, endpoint))
        known = {"endpoint": endpoint, "capabilities": device.capabilities, "tags": device.tags}
        await self._write([(self._save_device, known)], rows)

    def _join(self, group, endpoint, named):
        """Its row, for the storage. The index it once had is its own."""
        index, was_named, there = group.rows.get(endpoint, (len(group.rows), False, False))
        group.rows[endpoint] = [index, named or was_named, True]
        if not there:
            self._joined(group, Member(index, endpoint))
        return self._row(group, endpoint)

    def _leave(self, group, endpoint):
        group.rows[endpoint][2] = False
        self._left(group, Member(group.rows[endpoint][0], endpoint))
        return self._row(group, endpoint)

    def _row(self, group, endpoint):
        index, named, there = group.rows[endpoint]
        return {"group": group.name, "endpoint": endpoint, "number": index, "named": named, "there": there,
                "changed_at": time.time()}

    async def _write(self, work, rows):
        work = work + ([(self._save_member, rows)] if rows else [])

        def job(connection):
            for statement, values in work:
                connection.execute(statement, values)
        await self._storage.write(job)

    def _restore(self):
        for row in self._storage.read(sa.select(_groups)):
            host, _, port = (row["multicast"] or "").rpartition(":")
            place = (host, int(port)) if host else None
            self._groups[row["name"]] = Group(row["name"], row["priority"], place, row["topic"], row["rule"])
        for row in self._storage.read(sa.select(_members).order_by(_members.c.number)):
            place = [row["number"], row["named"], row["there"]]
            self._groups[row["group"]].rows[row["endpoint"]] = place
        for row in self._storage.read(sa.select(_devices)):
            self._devices[row["endpoint"]] = Device(row["capabilities"], row["tags"])


def _id(name):
    if not str(name).startswith("hex:"):
        return _name(name, MAX_GROUP, "group").encode()
    try:
        return group_id(name)
    except Fault as problem:
        raise LocalError(str(problem)) from problem


def _name(text, most, what):
    if not isinstance(text, str) or not text.isprintable() or not 1 <= len(text.encode()) <= most:
        raise LocalError("%s %.80r: a name is 1 to %d printable bytes" % (what, text, most))
    return text


def _multicast(host, port):
    try:
        fine = ipaddress.ip_address(host).is_multicast and 1 <= port <= 65535
    except (ValueError, TypeError):
        fine = False
    if not fine:
        raise LocalError("%s:%s is no multicast address with a port; as 239.77.0.1:5685" % (host, port))
    return host, port


def _topic(text):
    if not 1 <= len(text.encode()) <= 256 or set("+#\0") & set(text):
        raise LocalError("topic %.80r: 1 to 256 bytes without + and #" % text)
    return text


def _rule(rule):
    if not isinstance(rule, dict):
        raise LocalError("a rule is a table of capabilities and tags")
    capabilities, tags = rule.get("capabilities", []), rule.get("tags", {})
    if set(rule) - {"capabilities", "tags"} or not (capabilities or tags):
        raise LocalError("a rule has capabilities, tags or both")
    _words(capabilities)
    _words(tags)
    for wanted in tags.values():
        _words(_listed(wanted))
    return rule


def _device(endpoint, capabilities, tags):
    _words(capabilities)
    _words(tags)
    _words(list(tags.values()))
    return Device(sorted(capabilities), dict(tags)) if _name(endpoint, MAX_NAME, "endpoint") else None


def _words(words):
    if len(words) > MAX_WORDS or not all(isinstance(word, str) and 1 <= len(word) <= _MAX_WORD for word in words):
        raise LocalError("capabilities and tags are at most %d words of 1 to %d characters" % (MAX_WORDS, _MAX_WORD))


def _listed(wanted):
    return wanted if isinstance(wanted, list) else [wanted]
