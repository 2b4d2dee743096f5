"""The lab's yard with a group in it: the platform knows who is a member, the devices learn it with their bootstrap, the
keys of those who sign are made anew for each run.
"""

import secrets
import time

from ..groups import wire
from ..groups.delivery import open_socket
from ..groups.members import Group
from ..groups.planning import Terms
from ..policies import keys, signing, writing
from .yard import HOST, Yard, free_port

GROUP, ROOF = "meters", "roof"  # all of them; the one that is going to lose its cable
DECEITS = {"unknown key", "forged", "duplicate"}  # how devices call what a stranger announces
TRIAL_S = 30  # the shortest that there is
_VALID_S = 3600  # of a policy


class GroupYard(Yard):
    """Members alternate between the two interpreters, where both are there."""

    pushed_at = None  # Unix s: the first version
    sent = None  # of the first version: {way: messages}
    there = ()  # the endpoints that were registered then
    version = 0  # of the last policy

    async def start(self):
        """As Yard.start; the group is made, and has no members yet."""
        await super().start()
        made = [keys.create(self.directory / name) for name in ("root.pem", "operator.pem", "stranger.pem")]
        self._root, self._operator, self._stranger = made
        self._signers = keys.Signers()
        self._signers.replace([keys.Signer(self._operator.public, map(writing.group_id, (GROUP, ROOF)))])
        # Another lab on this machine hears its own address only.
        self._place = "239.77.%d.%d" % tuple(secrets.token_bytes(2)), free_port()
        groups = self.platform.pushes.groups
        await groups.create(Group(GROUP, multicast=self._place))
        await groups.create(Group(ROOF))
        await groups.include(ROOF, [self.roaming.endpoint] if self.roaming else [])

    @property
    def roaming(self):
        """The device that loses its cable: the last but those that sleep and that come late, if any."""
        return self.devices[-3] if len(self.devices) > 2 else None

    async def _policies(self, device):
        indexes = await self.platform.pushes.groups.include(GROUP, [device.endpoint])
        found = [{"id": GROUP, "index": indexes[0], "multicast": "%s:%d" % self._place}]
        found += [{"id": ROOF, "rank": 1}] if device is self.roaming else []
        return {"groups": found, "policy_root": self._root.public.hex()}

    async def vouch(self):
        """Have the platform tell the members who signs for them, and those who are not there at their next contact.
        Raises LocalError."""
        await self.platform.pushes.vouch(signing.sign_signers(self._signers, self._root))

    async def push(self, settings):
        """Sign these {name: value} for the group, and have the platform push them; -> bytes of the document. Raises
        LocalError, and Fault for what no device would take."""
        now = time.time()
        envelope = signing.sign(_written(GROUP, self.version + 1, settings), self._operator)
        await self.platform.pushes.push(GROUP, envelope, Terms())
        self.version, self._pushed = self.version + 1, envelope
        self.pushed_at = self.pushed_at or now
        return len(envelope)

    def count(self):
        """What has been sent of the first version is that, from now on."""
        self.sent = self.platform.pushes.status(GROUP, 1)["sent"]
        return self.sent

    async def cut_off(self):
        """A policy by which the one without a cable is to use its cable alone, to be tried as shortly as possible.
        Raises LocalError."""
        document = _written(ROOF, 1, {"wan_order": ["eth"]}, trial_s=TRIAL_S)
        await self.platform.pushes.push(ROOF, signing.sign(document, self._operator), Terms())

    def deceive(self, settings):
        """A stranger on the LAN announces such a policy of his own, the same as if the operator had signed it, and once
        more the one that he has heard. See DECEITS."""
        document = _written(GROUP, self.version + 1, settings)
        claimed = bytearray(signing.sign(document, self._operator))
        claimed[-1] ^= 1
        with open_socket(HOST) as sock:
            for mid, envelope in enumerate((signing.sign(document, self._stranger), bytes(claimed), self._pushed)):
                sock.sendto(wire.push(wire.announcement(envelope, 0), mid, b""), self._place)

    async def turned_away(self, device):
        """The words for which a device has turned documents away, as the platform reads them. Raises Refusal,
        Unreachable."""
        found = await self.platform.read(device.endpoint, "/26244/0/4")
        return {text.rpartition(" ")[0] for text in found.values()}


def _written(group, version, settings, **more):
    now = int(time.time())
    return writing.document({"group": group, "version": version, "not_before": now - 60, "expiry": now + _VALID_S,
                             "settings": settings, **more})
