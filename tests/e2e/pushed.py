"""A member of a group for tests of the servers: it takes any document with a higher version, and answers as
tools/groups/wire.py says. It verifies nothing: the agent does, and its tests."""

import cbor2
from aiocoap import Message
from aiocoap.numbers.codes import Code
from fake_device import FakeDevice

from pointsman.tools.policies.writing import document

APPLIED, TRIAL, DUPLICATE, ROLLED_BACK = 0, 2, 3, 7


class Member(FakeDevice):
    """`status`: what it answers; `applied`: the versions that it has taken, each once."""

    def __init__(self, name, status=APPLIED):
        super().__init__(name)
        self.status, self.applied = status, []

    def on_post(self, path, request):
        if path != "/policy":
            return super().on_post(path, request)
        found = cbor2.loads(cbor2.loads(request.payload).value[2])
        again = found[2] in self.applied
        if not again:
            self.applied.append(found[2])
        return Message(code=Code.CHANGED, payload=self.says(found[2], DUPLICATE if again else self.status))

    def says(self, version, status, group=b"meters"):
        """The acknowledgement of a version."""
        return cbor2.dumps([self.name.encode(), group, version, status])


def written(version, group="meters", **more):
    """A document, to be signed."""
    return document({"group": group, "version": version, "not_before": 0, "expiry": 4000000000,
                     "settings": {"report_period_s": 900}, **more})
