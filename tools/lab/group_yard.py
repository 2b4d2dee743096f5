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

GROUP = "meters"
DECEITS = {"unknown key", "forged", "duplicate"}  # how devices call what a stranger announces
_VALID_S = 3600  # of a policy


class GroupYard(Yard):
    """Members alternate between the two interpreters, where both are there."""

    pushed_at = None  # Unix s
    there = ()  # the endpoints that were registered then

    async def start(self):
        """As Yard.start; the group is made, and has no members yet."""
        await super().start()
        made = [keys.create(self.directory / name) for name in ("root.pem", "operator.pem", "stranger.pem")]
        self._root, self._operator, self._stranger = made
        self._signers = keys.Signers()
        self._signers.replace([keys.Signer(self._operator.public, [writing.group_id(GROUP)])])
        # Another lab on this machine hears its own address only.
        self._place = "239.77.%d.%d" % tuple(secrets.token_bytes(2)), free_port()
        await self.platform.pushes.groups.create(Group(GROUP, multicast=self._place))

    async def _policies(self, device):
        indexes = await self.platform.pushes.groups.include(GROUP, [device.endpoint])
        group = {"id": GROUP, "index": indexes[0], "multicast": "%s:%d" % self._place}
        return {"groups": [group], "policy_root": self._root.public.hex()}

    async def vouch(self):
        """Have the platform tell the members who signs for them, and those who are not there at their next contact.
        Raises LocalError."""
        await self.platform.pushes.vouch(signing.sign_signers(self._signers, self._root))

    async def push(self, version, settings):
        """Sign these {name: value} for the group, and have the platform push them; -> bytes of the document. Raises
        LocalError."""
        now = time.time()
        self._pushed = signing.sign(_written(version, settings), self._operator)
        await self.platform.pushes.push(GROUP, self._pushed, Terms())
        self.pushed_at = now
        return len(self._pushed)

    def deceive(self, version, settings):
        """A stranger on the LAN announces such a policy of his own, the same as if the operator had signed it, and once
        more the one that he has heard. See DECEITS."""
        document = _written(version, settings)
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

    def sent(self, version):
        """{way: messages} of the platform."""
        return self.platform.pushes.status(GROUP, version)["sent"] if self.pushed_at else {}


def _written(version, settings):
    now = int(time.time())
    return writing.document({"group": GROUP, "version": version, "not_before": now - 60, "expiry": now + _VALID_S,
                             "settings": settings})
