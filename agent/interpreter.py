"""Where the two Pythons differ for the driver: the clock, addresses, tracebacks."""

import gc
import socket
import sys

MICRO = sys.implementation.name == "micropython"
if MICRO:
    from time import ticks_diff, ticks_ms
else:
    from time import monotonic

    def ticks_ms():
        return int(monotonic() * 1000)

    def ticks_diff(later, earlier):
        return later - earlier


_SIZES = (1500, 640, 1)  # bytes to ask a socket for, while a small heap in pieces does not have them


class Clock:
    """Milliseconds since it was made, as an int that never wraps if it is read once in six days."""

    def __init__(self):
        self._last, self._total = ticks_ms(), 0

    def now(self):
        ticks = ticks_ms()
        self._total += ticks_diff(ticks, self._last)
        self._last = ticks
        return self._total


def send_to(sock, data, address):
    """sendto() for (ip, port)."""
    if MICRO:
        address = socket.getaddrinfo(address[0], address[1])[0][-1]  # the unix port takes no tuple
    sock.sendto(data, address)


def receive(sock):
    """(data, address) of the next datagram; data is empty when it was longer than there was room for."""
    for size in _SIZES:
        try:
            data, address = sock.recvfrom(size)
            break
        except MemoryError:
            gc.collect()
    return data if len(data) < size else b"", address


def peer_of(address):
    """(ip, port) of an address that came from the interpreter; MicroPython's unix port gives the raw sockaddr_in."""
    if isinstance(address, tuple):
        return address[:2]
    return "%d.%d.%d.%d" % tuple(address[4:8]), address[2] << 8 | address[3]


def print_exception(e):
    """The traceback, to stderr."""
    if MICRO:
        sys.print_exception(e, sys.stderr)
    else:
        sys.excepthook(type(e), e, e.__traceback__)


def reason(e):
    """An OSError's text, which MicroPython often leaves out."""
    return e.args[1] if len(e.args) > 1 else "%s %s" % (type(e).__name__, e)
