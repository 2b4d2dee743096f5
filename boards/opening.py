"""How a serial port is opened and made raw. Needed each time one appears, and not in between."""

import os
import sys
import termios

from .files import reason

_MICRO = sys.implementation.name == "micropython"
if not _MICRO:
    from fcntl import LOCK_EX, LOCK_NB, flock  # noqa: TID251 - MicroPython goes without

_Error = getattr(termios, "error", OSError)  # CPython has one of its own
_EBUSY = 16
_CS8_CREAD_CLOCAL = 0x30 | 0x80 | 0x800  # 8 bits, receiver on, no modem control lines; and no hang-up at close
_VTIME, _VMIN = 5, 6


def opened(path, baud):
    """-> a stream of raw bytes that never waits. Raises OSError when the port is not there or in use (EBUSY),
    ValueError for an unknown speed."""
    speed = getattr(termios, "B%d" % baud, None)
    if speed is None:
        raise ValueError("serial port: %s bit/s is not possible here; 115200 is" % baud)
    try:
        stream = _open(path)
        _make_raw(stream.fileno(), speed)
        return stream
    except (OSError, _Error) as e:
        raise OSError(e.args[0], "serial port: %s cannot be used (%s)" % (path, reason(e)))


def speed(number, baud):
    """Change the speed of an open port, if it can have that one."""
    speed = getattr(termios, "B%d" % baud, None)
    try:
        if speed is not None:
            _make_raw(number, speed)
    except _Error as e:
        raise OSError(e.args[0], "serial port: %d bit/s is not possible (%s)" % (baud, reason(e)))


def _open(path):
    if _MICRO:
        return open(path, "r+b", buffering=0)
    else:
        # Without O_NOCTTY a port may become our terminal, and its end our end.
        number = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        stream = open(number, "r+b", buffering=0)
        try:
            flock(number, LOCK_EX | LOCK_NB)
        except OSError:
            stream.close()
            raise OSError(_EBUSY, "in use by another program")
        return stream


def _make_raw(number, speed):
    mode = termios.tcgetattr(number)
    mode[0] = mode[1] = mode[3] = 0
    mode[2] = _CS8_CREAD_CLOCAL
    mode[4] = mode[5] = speed
    mode[6][_VMIN] = mode[6][_VTIME] = 0  # a read gives what is there
    termios.tcsetattr(number, termios.TCSANOW, mode)
