"""The emulator's end of a pseudo-terminal: raw, survives being opened and closed by others, never blocks the loop."""

import asyncio
import os
import termios
import tty
from pathlib import Path

from ..faults import BUSY, DEVICE, Fault

SPEEDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
MAX_BUFFER = 16384  # bytes that wait for somebody to read them; a real UART keeps far less


class Port:
    """received(bytes) is called with what the other side writes. `link`: a path that always leads to the port."""

    def __init__(self, received, link=None):
        self._received = received
        self._link = Path(link) if link else None
        self._master = self._slave = None
        self._buffer = bytearray()
        self._timer = None
        self.path = None
        self.split = 0  # bytes a write, 0 = as they come
        self.dropped = 0  # bytes nobody read in time

    @property
    def is_open(self):
        return self._master is not None

    def open(self):
        """Create the pseudo-terminal. Fault when there is none, or the link cannot be made."""
        if self._link and self._link.exists() and not self._link.is_symlink():
            raise Fault("%s exists and is no link" % self._link, "choose another --link", BUSY)
        try:
            self._master, self._slave = os.openpty()
        except OSError as error:
            raise Fault("no pseudo-terminal to be had: %s" % error.strerror, "close some terminals", DEVICE) from None
        # The slave stays open here too, so that the line does not hang up when the other side closes it.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        asyncio.get_running_loop().add_reader(self._master, self._readable)
        try:
            if self._link:
                self._link.unlink(missing_ok=True)
                self._link.symlink_to(self.path)
        except OSError as error:
            self.close()
            raise Fault("no link at %s: %s" % (self._link, error.strerror), "choose another --link", BUSY) from None

    def close(self):
        """The port vanishes, as when a USB plug is pulled: whoever has it open gets an error."""
        if self._master is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        if self._timer:
            self._timer.cancel()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = self._timer = None
        self._buffer.clear()
        if self._link and self._link.is_symlink() and os.readlink(self._link) == self.path:
            self._link.unlink()

    def speed(self):
        """What the other side has set (bit/s), or None where there is no such thing."""
        return SPEEDS.get(termios.tcgetattr(self._slave)[5]) if self._slave is not None else None

    def write(self, data):
        """Send, now or when there is room; what exceeds the buffer is dropped and counted."""
        room = MAX_BUFFER - len(self._buffer)
        self._buffer += data[:room]
        self.dropped += max(0, len(data) - room)
        if self._timer is None:
            self._flush()

    def _flush(self):
        self._timer = None
        if self._master is None:
            self._buffer.clear()
            return
        loop = asyncio.get_running_loop()
        loop.remove_writer(self._master)
        while self._buffer:
            try:
                written = os.write(self._master, self._buffer[:self.split or 1024])
            except BlockingIOError:
                loop.add_writer(self._master, self._flush)
                return
            del self._buffer[:written]
            if self.split and self._buffer:
                self._timer = loop.call_later(0.001, self._flush)
                return

    def _readable(self):
        try:
            data = os.read(self._master, 4096)
        except (BlockingIOError, OSError):
            return
        if data:
            self._received(data)
