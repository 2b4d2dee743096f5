"""Emulated members of a group, many in one process: each hears, verifies, applies and acknowledges by the product's own
code and wire functions; what it loses is drawn for each member and each direction.

What is emulated is the member's side of the delivery alone: there is no agent behind it. A document's signature is
verified once for all of them, not once each: ES256 has a figure of its own (es256.verify_ms).
"""

import hashlib
import heapq

from ...agent.codec import coap, cose
from ...agent.crypto import es256
from ...agent.engine import policy_rules
from ...agent.errors import RemoteError
from ..groups import wire

MAX_MEMBERS = 50_000
_KNOWN = 16  # documents whose verdict is remembered
APPLIED, DUPLICATE, SUPERSEDED = 0, 3, 4


def endpoint(index):
    """The name of a member."""
    return "fleet-%d" % index


def address(index):
    """The loopback address of a member."""
    return "127.1.%d.%d" % (index // 250, 1 + index % 250)


def index_of(host):
    """The member with this address."""
    third, fourth = host.split(".")[2:]
    return int(third) * 250 + int(fourth) - 1


class Members:
    """`group`: its id (bytes); `signer`: the public key (64 bytes) that documents are to be signed with, None: any
    signature will do; `loss`: share of what is lost each way; `deaf`: share (the last ones) without multicast."""

    def __init__(self, count, group, signer, chance, loss=0.0, deaf=0.0):
        self.count, self._group, self._signer, self._chance, self._loss = count, group, signer, chance, loss
        self._hearing = count - round(count * deaf)
        self._digests = [(0, b"")] * count  # of each member: version and digest of what it has
        self.applied = [0] * count
        self.refused = self.acknowledgements = 0
        self._verdicts = {}  # document: (version, digest), or None
        self._due = []  # heap of (ms, number, index, where to, what is answered, version, status)
        self._mid = chance.randrange(0x10000)

    def heard(self, data, source, now):
        """A datagram to the group has come (`now`: ms)."""
        message = self._push(data)
        told = message and self._read(wire.read_announcement, message.payload)
        verdict = told and self._verdict(told.document)
        if not verdict:
            self.refused += 1
            return
        for index in range(self._hearing):
            if not self._lost():
                status = self._take(index, verdict)
                if told.window and wire.speaks_to(told, index):
                    leisure = self._chance.randrange(told.window)
                    self._acknowledge(index, verdict, status, message, source, now + leisure)

    def asked(self, index, data, source, now):
        """A datagram to one member has come."""
        if self._lost() or index >= self.count:
            return
        message = self._push(data)
        verdict = message and self._verdict(message.payload)
        if not verdict:
            self.refused += 1
            return
        self._acknowledge(index, verdict, self._take(index, verdict), message, source, now)

    def deadline(self):
        """When the next answer is due (ms), or None."""
        return self._due[0][0] if self._due else None

    def answers(self, now):
        """Yield (index, where to, datagram) of the answers that are due."""
        while self._due and self._due[0][0] <= now:
            _, _, index, place, message, version, status = heapq.heappop(self._due)
            detail = APPLIED if status == DUPLICATE else None  # what became of it
            told = wire.acknowledgement(endpoint(index).encode(), self._group, version, status, detail)
            self._mid = (self._mid + 1) & 0xFFFF
            yield index, place, wire.answer(message, told, self._mid)

    def _lost(self):
        return self._loss and self._chance.random() < self._loss

    def _push(self, data):
        message = self._read(coap.decode, data)
        return message if message and wire.is_push(message) else None

    def _read(self, read, data):
        try:
            return read(data)
        except RemoteError:
            return None

    def _verdict(self, document):
        if document not in self._verdicts:
            if len(self._verdicts) == _KNOWN:
                self._verdicts.clear()
            self._verdicts[document] = self._read(self._verified, document)
        return self._verdicts[document]

    def _verified(self, document):
        """(version, digest) of a document for our group, or None. Raises RemoteError."""
        tag, _, _, proven, body, proof = cose.split(document)
        digest = hashlib.sha256(proven).digest()
        if tag != cose.SIGN1 or (self._signer and not es256.verify(self._signer, proof, digest)):
            return None
        content = policy_rules.read(body)
        return (content[2], digest) if content[1] == self._group else None

    def _take(self, index, verdict):
        """The status of a member to whom a genuine document has come."""
        known = self._digests[index]
        if verdict == known:
            return DUPLICATE
        if verdict[0] <= known[0]:
            return SUPERSEDED
        self._digests[index] = verdict
        self.applied[index] += 1
        return APPLIED

    def _acknowledge(self, index, verdict, status, message, source, due):
        if not self._lost():
            self.acknowledgements += 1
            heapq.heappush(self._due, (due, self.acknowledgements, index, source, message, verdict[0], status))
