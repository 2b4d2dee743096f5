"""The emulator's port as a socket: TCP (a modem behind ser2net, pyserial's socket://), or a Unix socket (QEMU's
-chardev socket). A connection is the plug: one at a time, and when it ends, DTR has fallen.
"""

import asyncio
import os
import socket
import stat

from ..faults import BUSY, Fault
from .port import Port


class SocketPort(Port):
    """where: "HOST:PORT" (port 0: a free one) or a path; unplugged() is called when the other side has gone."""

    def __init__(self, received, where, unplugged):
        super().__init__(received)
        self._where, self._unplugged = where, unplugged
        self._listener = self._connection = None

    @property
    def is_open(self):
        return self._listener is not None

    def open(self):
        """Listen. Fault when the address or the path is taken."""
        tcp = "/" not in self._where
        self._listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if tcp:
                host, _, number = self._where.rpartition(":")
                self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._listener.bind((host or "127.0.0.1", int(number)))
            else:
                _make_room(self._where)
                self._listener.bind(self._where)
            self._listener.listen(1)
        except OSError as error:
            self._listener.close()
            self._listener = None
            raise Fault("no port at %s: %s" % (self._where, error.strerror), "choose another", BUSY) from None
        self._listener.setblocking(False)
        self.path = "%s:%d" % self._listener.getsockname() if tcp else self._where
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def close(self):
        """Pull the plug, and let nobody plug in again."""
        if self._listener is None:
            return
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._listener = None
        self._drop()
        if "/" in self._where:
            os.unlink(self._where)

    def _accept(self):
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if self._connection:
            connection.close()  # the port is in use
            return
        connection.setblocking(False)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection, self._master = connection, connection.fileno()
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def _drop(self):
        if self._connection is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        if self._timer:
            self._timer.cancel()
        self._connection.close()
        self._connection = self._master = self._timer = None
        self._buffer.clear()
        self._unplugged()

    def _readable(self):
        try:
            data = self._connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received(data)
        else:
            self._drop()

    def _flush(self):
        try:
            super()._flush()
        except OSError:
            self._drop()


def _make_room(path):
    """Remove what a killed process left behind."""
    if os.path.lexists(path) and stat.S_ISSOCK(os.lstat(path).st_mode):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(path) != 0:
                os.unlink(path)
