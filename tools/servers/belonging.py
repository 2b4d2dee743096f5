"""What a device is told of the groups that it is in, by its registrar: the instances of its object 26243. Rules take in
who came later, and a bootstrap need not know how groups change.

What a group of ours does not say (rank, multicast, topic) stays as it is on the device, and so does its guard; groups
that we do not have are not touched.
"""

import re

import sqlalchemy as sa
from aiocoap.numbers.codes import Code

from ...agent.grouping import GROUP
from .coap import Refusal, Unreachable
from .lwm2m import SENML, pack, unpack

_tables = sa.MetaData()
_told = sa.Table(
    "policy_memberships_told", _tables,
    sa.Column("endpoint", sa.String, primary_key=True),
    sa.Column("groups", sa.JSON, nullable=False),  # {id in hex: {resource: value}}
)
_NUMBER = re.compile("[0-9]{1,5}")  # of an instance
_ID, _RANK, _INDEX, _MULTICAST, _TOPIC = range(5)  # resources


class Belonging:
    """`request`: as of Pushes; `groups`: all of them, in a Storage."""

    def __init__(self, storage, groups, request, note):
        self._storage, self._groups, self._request, self._note = storage, groups, request, note
        self._save = storage.upsert(_told, ["endpoint"])
        storage.submit(_tables.create_all).result()
        self._told = {row["endpoint"]: row["groups"] for row in storage.read(sa.select(_told))}
        self._settled = set()  # endpoints that have answered since they registered or their groups changed

    def lacks(self, endpoint):
        """Whether it is to be told of a change."""
        return endpoint not in self._settled and self._wanted(endpoint) != self._told.get(endpoint, {})

    def registered(self, endpoint, told):
        """It has, and says that it is in these groups (ids): it may have been wiped, or refuse no more."""
        self._settled.discard(endpoint)
        known = self._told.get(endpoint)
        if known:
            self._told[endpoint] = {name: known[name] for name in known if bytes.fromhex(name) in told}

    def changed(self, endpoint):
        """It has come into a group, or left one."""
        self._settled.discard(endpoint)

    async def tell(self, endpoint):
        """Of what it lacks. Raises Unreachable."""
        wanted = self._wanted(endpoint)
        try:
            there = await self._read(endpoint)
            for name in sorted(wanted):
                await self._have(endpoint, name, wanted[name], there)
            for name in set(self._told.get(endpoint, {})) - set(wanted):
                if name in there:
                    await self._ask(endpoint, Code.DELETE, (str(GROUP), str(there[name][0])))
        except Refusal as problem:
            self._note("membership_refused", endpoint=endpoint, why=str(problem)[:200])
            self._settled.add(endpoint)
            return
        self._told[endpoint] = wanted
        self._storage.execute(self._save, {"endpoint": endpoint, "groups": wanted})  # what is lost is told again

    def _wanted(self, endpoint):
        """{id in hex: {resource as text: value}}, as JSON has it."""
        return {group.id.hex(): _facts(group, endpoint) for group in self._groups.memberships(endpoint)}

    async def _read(self, endpoint):
        """{id in hex: (instance, {resource as text: value})} of the device."""
        try:
            answer = await self._ask(endpoint, Code.GET, (str(GROUP),))
        except Refusal as problem:
            if problem.code != Code.NOT_FOUND:
                raise
            return {}
        found, rows = unpack(answer.payload, answer.opt.content_format, "/"), {}
        for path, value in found.items() if isinstance(found, dict) else ():
            parts = str(path).split("/")  # "", object, instance, resource
            if len(parts) == 4 and parts[1] == str(GROUP) and _NUMBER.fullmatch(parts[2]):
                rows.setdefault(int(parts[2]), {})[parts[3]] = value
        return {rows[number][str(_ID)].hex(): (number, rows[number]) for number in sorted(rows)
                if isinstance(rows[number].get(str(_ID)), bytes)}

    async def _have(self, endpoint, name, facts, there):
        """The device is in this group, with these facts."""
        number, known = there.get(name, (None, {}))
        if number is None:
            taken = {number for number, _ in there.values()}
            number = min(set(range(len(taken) + 1)) - taken)
            there[name] = number, facts
            values = {str(_ID): bytes.fromhex(name), **facts}
            await self._ask(endpoint, Code.POST, (str(GROUP),), pack(f"/{GROUP}/{number}", values))
        elif any(known.get(rid) != value for rid, value in facts.items()):
            await self._ask(endpoint, Code.POST, (str(GROUP), str(number)), pack(f"/{GROUP}/{number}", facts))

    async def _ask(self, endpoint, code, path, payload=b""):
        try:
            return await self._request(endpoint, code, path, payload, SENML if payload else None, SENML)
        except Refusal as problem:
            if problem.code.class_ == Code.GATEWAY_TIMEOUT.class_:  # a gateway's, whose device is silent
                raise Unreachable(str(problem)) from problem
            raise


def _facts(group, endpoint):
    place = group.multicast and "%s:%d" % group.multicast
    found = {_RANK: group.priority or None, _INDEX: group.index(endpoint), _MULTICAST: place, _TOPIC: group.topic}
    return {str(rid): value for rid, value in found.items() if value is not None}
