"""The broker's connection: TCP over one link, driven by waiting.py. Nothing in here waits, whatever the broker does.

Loaded on a device whose groups have topics.
"""

from .interpreter import reason

_AGAIN = (11, 35)
_ON_THE_WAY = (36, 107, 115, 119, 128)  # EINPROGRESS, and what a socket says that is not connected yet
_AGAIN_MS = 200  # until a socket that took nothing is tried again
_PIECE = 512  # bytes to be read at a time
_ROOM = 4096  # bytes that a broker may leave lying; one that reads so little is given up


class Line:
    """dial() -> a non-blocking socket on its way to the broker, or OSError; told(*event): what engine/broker.py has to
    tell: "up", "down" and why, "message" with topic, payload and token; count(way, bytes): for the books of what is
    sent (0) and received (1)."""

    def __init__(self, waiting, clock, engine, dial, told, count=lambda way, size: None):
        self.engine, self._count = engine, count
        self._waiting, self._clock, self._dial, self._told = waiting, clock, dial, told
        self._sock, self._unsent = None, b""

    def start(self):
        """From now on, until stop()."""
        self.engine.start(self._clock.now())
        self.flush()

    def stop(self):
        """Good-bye, as far as it can be said without waiting."""
        self.engine.stop()
        self.flush()

    def stored(self, token):
        """The message with this token is safe: it is acknowledged."""
        self.engine.stored(token)
        self.flush()

    def rest(self, ms):
        """Take nothing in for so long: whoever floods us fills the broker's buffers, and does not keep us busy."""
        sock = self._sock
        if sock:
            self._waiting.off(sock)
            self._waiting.after(ms, "broker rest", lambda: self._waiting.on(sock, self._read))

    def want(self, topics):
        """Listen to these topics (str) from now on."""
        self.engine.want(topics, self._clock.now())
        self.flush()

    def flush(self):
        """Do what the engine wants now, and look at it again when it asks for that."""
        events = self.engine.take()
        while events:
            for event in events:
                self._do(*event)
            self._send()
            events = self.engine.take()
        due = self.engine.deadline()
        if due is None:
            self._waiting.forget("broker")
        else:
            self._waiting.after(max(0, due - self._clock.now()), "broker", self._poll)

    def _do(self, name, *what):
        if name == "dial":
            self._open()
        elif name == "tcp":
            if self._sock:  # else it could not be dialled, or was closed meanwhile
                self._unsent += what[0]
        elif name == "close":
            self._send()
            self._close()
        else:
            self._told(name, *what)

    def _poll(self):
        self.engine.poll(self._clock.now())
        self.flush()

    def _open(self):
        try:
            self._sock = self._dial()
            self._waiting.on(self._sock, self._read)
        except OSError as e:
            self._lost(reason(e))

    def _close(self):
        sock, self._sock, self._unsent = self._sock, None, b""
        self._waiting.forget("broker send")
        self._waiting.forget("broker rest")
        if sock:
            self._waiting.off(sock)
            sock.close()

    def _read(self):
        try:
            data = self._sock.recv(_PIECE)
        except OSError as e:
            if e.errno in _AGAIN:
                return
            data = b""
            self._lost(reason(e))
        if data:
            self._count(1, len(data))
            self.engine.receive(data, self._clock.now())
        else:
            self._lost("closed by the broker")
        self.flush()

    def _send(self):
        """What can be sent now; the rest later."""
        try:
            while self._sock and self._unsent:
                size = self._sock.send(self._unsent)
                self._unsent = self._unsent[size:]
                self._count(0, size)
        except OSError as e:
            if e.errno not in _AGAIN and e.errno not in _ON_THE_WAY:
                return self._lost(reason(e))
            self._waiting.after(_AGAIN_MS, "broker send", self._send_again)
        if len(self._unsent) > _ROOM:
            self._lost("takes nothing in")

    def _send_again(self):
        self._send()
        self.flush()

    def _lost(self, why):
        self._unsent = b""
        self.engine.lost(why, self._clock.now())
