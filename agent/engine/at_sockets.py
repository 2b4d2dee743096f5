"""Datagrams through a modem's own sockets: one socket a peer, opened on demand. A part of the modem engine.

The queue and the sockets are few; the socket not used for longest gives way. What cannot be sent is dropped and
counted, as a network would: whoever sends over UDP repeats.
"""

try:
    from micropython import const
except ImportError:
    const = lambda value: value

_MAX_QUEUE = const(8)  # datagrams
_MAX_DATAGRAM = const(1460)  # bytes, what the modems take in one piece
_MAX_HOST = const(150)  # characters


class _Socket:
    def __init__(self, host, port, number):
        self.host, self.port = host, port
        self.own = number  # what the family knows it by: the modem's number for it, or a tuple that begins with it
        self.used = 0
        self.readable = self.noticed = False  # the modem said that there is something; since the last read began
        self.unsure = False  # sent, and nothing heard since: the notice may have got lost
        self.dead = False  # closed by the modem, or in a state that we do not know


class Sockets:
    """`use(family)` first: its file has the procedures. `step()` is a generator that does one piece of work."""

    def __init__(self):
        self.dropped = 0
        self.failed = False  # an attempt to open or to send was refused: perhaps the context is gone
        self._turn = 0

    def use(self, family):
        """From now on, this family's sockets (none when it has no SOCKETS)."""
        self._family = family
        self.reset()

    def reset(self):
        """The context is gone, and all sockets with it."""
        self._slots = [None] * getattr(self._family, "SOCKETS", 0)
        self._queue = []

    def send(self, host, port, data):
        """Queue a datagram; False when it is refused (too big, or an address no modem command can carry).

        When the queue is full the oldest gives way.
        """
        good = 0 < len(host) <= _MAX_HOST and 0 < port < 65536 and 0 < len(data) <= _MAX_DATAGRAM
        for char in host:
            good = good and char < "{" and (char.isalpha() or char.isdigit() or char in ".-_:")
        if good:
            self._queue.append((host, port, data))
        if not good or len(self._queue) > _MAX_QUEUE:
            self._queue = self._queue[-_MAX_QUEUE:]
            self.dropped += 1
        return good

    def heard(self, kind, number):
        """The modem said "recv" (there is something to read) or "closed" of a socket."""
        for socket in self._slots:
            if socket and number == (socket.own[0] if isinstance(socket.own, tuple) else socket.own):
                socket.readable = socket.noticed = True
                socket.dead = socket.dead or kind == "closed"

    def unsure(self, look=False):
        """Whether a socket may hold an answer that we were not told of; `look`: have them read."""
        found = False
        for socket in self._slots:
            if socket and socket.unsure:
                found = True
                socket.readable = socket.readable or look
        return found

    def busy(self):
        """Whether step() has anything to do."""
        for socket in self._slots:
            if socket and (socket.readable or socket.dead):
                return True
        return bool(self._queue)

    def step(self):
        """Do one thing: close, read or send; reads and sends take turns. Returns (host, port, data) when one came."""
        self._turn += 1
        for number, socket in enumerate(self._slots):
            if socket and socket.dead:
                self._slots[number] = None
                return (yield from self._family.close_socket(socket.own))
            if socket and socket.readable and (self._turn % 2 or not self._queue):
                return (yield from self._read(socket))
        if self._queue:
            yield from self._send(*self._queue.pop(0))

    def _read(self, socket):
        socket.noticed = False
        data = yield from self._family.receive(socket.own)
        socket.unsure = False
        if data is False:
            socket.dead = True
            return None
        socket.readable = socket.noticed or data is not None  # the notice may come inside the answer "nothing"
        return (socket.host, socket.port, data) if data is not None else None

    def _send(self, host, port, data):
        number = self._find(host, port)
        socket = self._slots[number]
        fresh = not socket or socket.host != host or socket.port != port
        if fresh:
            if socket:
                yield from self._family.close_socket(socket.own)
            socket = self._slots[number] = _Socket(host, port, number)
        socket.used = self._turn
        socket.dead = True  # until proven otherwise: without an answer we cannot know its state
        self.dropped += 1
        if fresh:
            own = yield from self._family.open_socket(number, host, port)
            if own is None:
                self._slots[number] = None
                return self._refused(host, port)
            socket.own = own
        reason = yield from self._family.send(socket.own, data)
        socket.unsure = not reason
        socket.dead = reason not in ("", "full")
        self.failed = self.failed or socket.dead
        self.dropped -= not reason

    def _find(self, host, port):
        """The number of the socket of this peer, else of an unused one, else of the one not used for longest."""
        best = 0
        for number, socket in enumerate(self._slots):
            if socket and socket.host == host and socket.port == port:
                return number
            least = self._slots[best]
            if least and (not socket or socket.used < least.used):
                best = number
        return best

    def _refused(self, host, port):
        """Drop what is queued for a peer that cannot be reached."""
        self.failed = True
        left = [item for item in self._queue if item[:2] != (host, port)]
        self.dropped += len(self._queue) - len(left)
        self._queue = left
