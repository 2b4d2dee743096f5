"""A server's face towards the world of short messages: CoAP datagrams in 8-bit messages (OMA LwM2M SMS binding) on one
side, UDP to the server on the other. Each telephone number gets a socket of its own, so that any CoAP server sees an
endpoint behind it.

What a server repeats because nobody has answered for two seconds costs money here and is not sent again; nor are empty
acknowledgements. Our own servers are told to have more patience with the address that these sockets have (`slow`).
"""

import asyncio
import collections
import random
import socket
import time

from ...agent.codec import sms
from ...agent.errors import RemoteError

ADDRESS = "127.0.0.9"
SLOW = {ADDRESS: 15}  # how much slower a short message is than a datagram
PORT = 5683
MAX_LINES = 500  # numbers with a socket
MAX_SETS = 500  # datagrams that wait for parts
MAX_PARTS = 20
_SET_S = 600
_MAX_DATAGRAM = 2048


class Face:
    """`number`: the server's, `server`: its (host, port); submit(TPDU) hands a message to the centre, which brings what
    comes for the number to take(). `quiet_s`: how long the same datagram is not sent again."""

    def __init__(self, number, server, submit, log=None, address=ADDRESS, quiet_s=20.0):
        self.number, self._server, self._submit, self._address = number, server, submit, address
        self._log = log or (lambda actor, event, **fields: None)
        self._quiet_s = quiet_s
        self._lines = collections.OrderedDict()  # number: _Line, the one used longest ago first
        self._sets = collections.OrderedDict()  # (number, reference, parts): [since, {place: message}]
        self._reference = random.randrange(256)
        self.counters = collections.Counter()

    def close(self):
        while self._lines:
            self._lines.popitem()[1].close()

    def take(self, tpdu):
        """A message has come; whatever it is, there is no use in delivering it again: True."""
        try:
            message = sms.decode(b"\0" + tpdu)
            if message["kind"] == "deliver" and "data" in message:
                data = self._whole(message)
                if data:
                    self._line(message["number"]).send(data)
            else:
                self.counters["strange"] += 1
        except RemoteError as error:
            self.counters["refused"] += 1
            self._log("messages", "refused", number=self.number, why=str(error))
        return True

    def _whole(self, message):
        """The datagram that a message completes, or None."""
        self.counters["received"] += 1
        if message["part"] is None:
            return message["data"]
        key, now = (message["number"], *message["part"][:2]), time.monotonic()
        since, parts = self._sets.pop(key, (now, {}))
        if message["part"][1] > MAX_PARTS:
            self.counters["refused"] += 1
            return None
        parts = parts if now - since < _SET_S else {}
        parts[message["part"][2]] = message
        if len(parts) == message["part"][1]:
            return sms.join(parts.values())["data"]
        self._sets[key] = (since if len(parts) > 1 else now, parts)
        while len(self._sets) > MAX_SETS:
            self._sets.popitem(last=False)
        return None

    def _line(self, number):
        line = self._lines.pop(number, None) or _Line(self, number, self._server, self._address)
        self._lines[number] = line
        while len(self._lines) > MAX_LINES:
            self._lines.popitem(last=False)[1].close()
        return line

    def send(self, number, data, known):
        """A datagram of the server's for a number; `known`: {datagram: when it was sent last}."""
        now = time.monotonic()
        for old in [old for old, at in known.items() if now - at >= self._quiet_s]:
            del known[old]
        if data in known or len(data) == 4 and data[0] >> 4 == 6:
            self.counters["spared"] += 1
            return
        known[data] = now
        self._reference = (self._reference + 1) % 256
        try:
            for pdu, _ in sms.encode(number, data, reference=self._reference):
                self.counters["sent"] += 1
                self._submit(bytes.fromhex(pdu)[1:])
        except (RemoteError, ValueError) as error:  # a sender without a number cannot be answered
            self._log("messages", "unsent", number=number, why=str(error))


class _Line:
    """The socket of one telephone number."""

    def __init__(self, face, number, server, address):
        self._face, self._number, self._known = face, number, {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((address, 0))
        self._socket.connect(server)
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def send(self, data):
        try:
            self._socket.send(data)
        except OSError as error:
            self._face.counters["undelivered"] += 1
            self._face._log("messages", "undelivered", number=self._number, why=error.strerror)

    def close(self):
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _readable(self):
        try:
            data = self._socket.recv(_MAX_DATAGRAM)
        except OSError:  # the server is not there; the device will find out
            return
        self._face.send(self._number, data, self._known)
