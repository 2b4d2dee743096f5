"""The lab's yard with a group in it: the platform knows who is a member, the devices learn it with their bootstrap, the
keys of those who sign are made anew for each run.
"""

import time

from ..groups.members import Group
from ..groups.planning import Terms
from ..policies import keys, signing, writing
from .yard import Yard

GROUP = "meters"
_VALID_S = 3600  # of a policy


class GroupYard(Yard):
    """Members alternate between the two interpreters, where both are there."""

    pushed_at = None  # Unix s
    there = ()  # the endpoints that were registered then

    async def start(self):
        """As Yard.start; the group is made, and has no members yet."""
        await super().start()
        self._root, self._operator = (keys.create(self.directory / name) for name in ("root.pem", "operator.pem"))
        self._signers = keys.Signers()
        self._signers.replace([keys.Signer(self._operator.public, [writing.group_id(GROUP)])])
        await self.platform.pushes.groups.create(Group(GROUP))

    async def _policies(self, device):
        indexes = await self.platform.pushes.groups.include(GROUP, [device.endpoint])
        return {"groups": [{"id": GROUP, "index": indexes[0]}], "policy_root": self._root.public.hex()}

    async def vouch(self):
        """Have the platform tell the members who signs for them, and those who are not there at their next contact.
        Raises LocalError."""
        await self.platform.pushes.vouch(signing.sign_signers(self._signers, self._root))

    async def push(self, version, settings):
        """Sign these {name: value} for the group, and have the platform push them; -> bytes of the document. Raises
        LocalError."""
        now = time.time()
        document = writing.document({"group": GROUP, "version": version, "not_before": int(now) - 60,
                                     "expiry": int(now) + _VALID_S, "settings": settings})
        envelope = signing.sign(document, self._operator)
        await self.platform.pushes.push(GROUP, envelope, Terms())
        self.pushed_at = now
        return len(envelope)

    def sent(self, version):
        """{way: messages} of the platform."""
        return self.platform.pushes.status(GROUP, version)["sent"] if self.pushed_at else {}
