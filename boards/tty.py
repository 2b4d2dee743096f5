"""A serial port or pseudo-terminal as bytes: raw, never waiting, on CPython and on MicroPython's unix port."""

import os
import termios

from .files import reason

try:
    from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: TID251 - MicroPython goes without
except ImportError:
    flock = None

_Error = getattr(termios, "error", OSError)  # CPython has one of its own
_EAGAIN, _EBUSY = 11, 16
_CS8_CREAD_CLOCAL = 0x30 | 0x80 | 0x800  # 8 bits, receiver on, no modem control lines; and no hang-up at close
_VTIME, _VMIN = 5, 6
_QUEUE_MAX = 16384  # what a port that takes nothing may keep us holding


class Tty:
    """`stream` is what to wait on for data. Every method raises OSError when the port has vanished."""

    def __init__(self, path, baud=115200):
        """Raises OSError when the port is not there or in use (EBUSY), ValueError for an unknown speed."""
        self._queue = b""
        speed = getattr(termios, "B%d" % baud, None)
        if speed is None:
            raise ValueError("serial port: %s bit/s is not possible here; 115200 is" % baud)
        try:
            self.stream = _open(path)
            self._make_raw(speed)
        except (OSError, _Error) as e:
            raise OSError(e.args[0], "serial port: %s cannot be used (%s)" % (path, reason(e)))

    def read(self):
        """What has arrived, maybe b"". After having been ready to read, b"" means that the other end hung up."""
        return self.stream.read(1024) or b""

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

    def _make_raw(self, speed):
        number = self.stream.fileno()
        mode = termios.tcgetattr(number)
        mode[0] = mode[1] = mode[3] = 0
        mode[2] = _CS8_CREAD_CLOCAL
        mode[4] = mode[5] = speed
        mode[6][_VMIN] = mode[6][_VTIME] = 0  # a read gives what is there
        termios.tcsetattr(number, termios.TCSANOW, mode)


def _open(path):
    if flock is None:
        return open(path, "r+b", buffering=0)
    # Without O_NOCTTY a port may become our terminal, and its end our end.
    number = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    stream = open(number, "r+b", buffering=0)
    try:
        flock(number, LOCK_EX | LOCK_NB)
    except OSError:
        stream.close()
        raise OSError(_EBUSY, "in use by another program")
    return stream
