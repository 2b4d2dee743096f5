"""A serial port or pseudo-terminal as bytes: raw, never waiting, on CPython and on MicroPython's unix port."""

_EAGAIN = 11
_QUEUE_MAX = 16384  # what a port that takes nothing may keep us holding
_AT_ONCE = 256  # bytes; more is asked for again at once, and a small heap has no larger pieces to spare


class Tty:
    """`stream` is what to wait on for data. Every method raises OSError when the port has vanished."""

    def __init__(self, path, baud=115200):
        """Raises OSError when the port is not there or in use (EBUSY), ValueError for an unknown speed."""
        from .opening import opened

        self._queue = b""
        self._baud = baud
        self.stream = opened(path, baud)

    def baud(self, baud):
        """Another speed from now on; 0 is the one that it was opened with. One that is not possible is left out."""
        from .opening import speed

        speed(self.stream.fileno(), baud or self._baud)

    def read(self):
        """What has arrived, maybe b"". After having been ready to read, b"" means that the other end hung up."""
        return self.stream.read(_AT_ONCE) or b""

    def write(self, data):
        """Send all of it, as fast as the port takes it (the rest with the next call)."""
        if len(self._queue) + len(data) > _QUEUE_MAX:
            raise OSError(_EAGAIN, "serial port: it takes no data")
        self._queue += data
        sent = self.stream.write(self._queue)
        self._queue = self._queue[sent or 0 :]

    @property
    def waiting(self):
        """Bytes that the port has not taken yet; write(b"") tries again."""
        return len(self._queue)

    def fileno(self):
        return self.stream.fileno()

    def close(self):
        self.stream.close()
