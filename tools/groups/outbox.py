"""What a rollout wants done, and how much of it there has been:

    ("multicast", gateway, payload)   to the group's address on that gateway's LAN, as wire.push() packs it
    ("unicast", endpoint, payload)    the same to one member, confirmable, by the way it is registered
    ("publish", topic, document)      retained, QoS 1; an empty document takes back what is retained
    ("publish", topic, document, True)    the same, if the broker does not have it any more
    ("tell", event, fields)           for a log or a progress bar
"""

from . import wire
from .planning import MULTICAST, TOPIC, UNICAST


class Outbox:
    """For one document (bytes) to a Group. `sent`: messages by way."""

    def __init__(self, group, document):
        self._group, self._document, self._out = group, document, []
        self._retained = False
        self.sent = {MULTICAST: 0, UNICAST: 0, TOPIC: 0}

    def announce(self, gateway, blocks, window):
        """To the LAN of a gateway, once for each (base, bitmap)."""
        for base, bitmap in blocks:
            self._out.append(("multicast", gateway, wire.announcement(self._document, window, base, bitmap)))
        self.sent[MULTICAST] += len(blocks)

    def ask(self, endpoint):
        """To one member."""
        self._out.append(("unicast", endpoint, self._document))
        self.sent[UNICAST] += 1

    def publish(self):
        """To the group's topic."""
        self._out.append(("publish", self._group.topic, self._document))
        self.sent[TOPIC] += 1
        self._retained = True

    def published(self):
        """It may have been published before a restart."""
        if self._group.topic:
            self._out.append(("publish", self._group.topic, self._document, True))
            self._retained = True

    def retract(self):
        """Take back what the broker has retained, if anything."""
        if self._retained:
            self._out.append(("publish", self._group.topic, b""))

    def tell(self, event, **fields):
        """Say what has happened."""
        self._out.append(("tell", event, fields))

    def take(self):
        """All of it, in order; asked once."""
        out, self._out = self._out, []
        return out
