"""The data session of a Linux machine: PPP by the kernel and pppd, or by the agent itself and a TUN interface.

The agent keeps the modem's port and hands the bytes of the data call on. With pppd they go through a pseudo-terminal
(`packets` is False: read() and write() carry PPP); without it the agent speaks PPP and a TUN interface takes the
packets (`packets` is True). CPython only: MicroPython has neither pseudo-terminals nor ioctl.
"""

import os
import socket
import struct

from .files import reason

try:
    import fcntl  # noqa: TID251 - MicroPython goes without
    import subprocess  # noqa: TID251
    import tty  # noqa: TID251
except ImportError:
    fcntl = None

_ENOSYS, _ENODEV, _EAGAIN = 38, 19, 11
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFDSTADDR, _TUNSETIFF = 0x8914, 0x8916, 0x8918, 0x400454CA
_UP, _TUN = 0x41, 0x1001  # IFF_UP | IFF_RUNNING, IFF_TUN | IFF_NO_PI
_QUEUE_MAX = 65536
_PROGRAMS = ("/usr/sbin/pppd", "/sbin/pppd")
# No chat script: the agent has dialled. No default route: the agent's sockets are bound to the interface.
_OPTIONS = (
    "nodetach local noauth nodefaultroute noipdefault usepeerdns ipcp-accept-local ipcp-accept-remote "
    "lcp-echo-interval 10 lcp-echo-failure 3 lcp-max-configure 10 novj noccp noipv6 linkname m2m"
)


def open_session(how, interface, folder, user="", secret=""):
    """A port for one data call. how: "pppd", "tun", or "auto" (pppd where the kernel has PPP); interface: its name;
    folder: where pppd's options with the secret may lie. OSError, with a remedy, when neither is possible."""
    if how not in ("auto", "pppd", "tun"):
        raise OSError(_ENODEV, "session: ppp_by is auto, pppd or tun, not %s" % how)
    if fcntl is None:
        raise OSError(_ENOSYS, "session: ppp needs CPython on this machine; set session to sockets")
    program = [path for path in _PROGRAMS if _there(path)]
    if how == "pppd" or how == "auto" and program and _there("/dev/ppp"):
        if not program:
            raise OSError(_ENODEV, "session: no pppd here; install the package ppp, or choose tun")
        if not _there("/dev/ppp"):
            raise OSError(_ENODEV, "session: the kernel has no PPP (/dev/ppp); modprobe ppp_async, or choose tun")
        return Pppd(program[0], interface, folder, user, secret)
    return Tun(interface)


def _there(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


class _Stream:
    """A file without blocking; what it does not take at once waits, so much and no more."""

    def __init__(self, number):
        os.set_blocking(number, False)
        self.stream = open(number, "r+b", buffering=0)
        self._queue = b""

    def read(self):
        """What has arrived, maybe b""."""
        try:
            return self.stream.read(4096) or b""
        except OSError:
            return b""

    def write(self, data):
        """Hand it on; OSError when nothing is taken any more."""
        if len(self._queue) + len(data) > _QUEUE_MAX:
            raise OSError(_EAGAIN, "session: it takes no data")
        self._queue += data
        sent = self.stream.write(self._queue)
        self._queue = self._queue[sent or 0 :]

    def kill(self):
        """At once."""
        self.stream.close()


class Pppd(_Stream):
    """pppd at the other end of a pseudo-terminal; it creates the interface and ends with the call."""

    packets = False

    def __init__(self, program, interface, folder, user="", secret=""):
        master, self._slave = os.openpty()
        tty.setraw(self._slave)  # it stays open here, so that pppd may come and go without a hang-up
        _Stream.__init__(self, master)
        try:
            self._process = self._start(program, interface, folder, user, secret)
        except OSError as e:
            self.stream.close()
            os.close(self._slave)
            raise OSError(e.errno, "session: %s cannot be started (%s)" % (program, reason(e)))

    def _start(self, program, interface, folder, user, secret):
        own = ["unit", interface[3:]] if interface[:3] == "ppp" and interface[3:].isdigit() else ["ifname", interface]
        if user or secret:
            path = folder + "/ppp.options"
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # not for the list of processes
            with open(number, "w") as file:
                file.write("hide-password\nuser %s\npassword %s\n" % (_quoted(user), _quoted(secret)))
            own += ["file", path]
        command = [program, os.ttyname(self._slave), "115200"] + _OPTIONS.split() + own
        none = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=none, stdout=none, stderr=none, start_new_session=True)

    def ended(self):
        """Why pppd has ended, or None while it runs."""
        code = self._process.poll()
        return None if code is None else "pppd ended, code %d%s" % (code, _CAUSES.get(code, ""))

    def stop(self):
        """Hang up politely; it has ended once ended() says so."""
        if self._process.poll() is None:
            self._process.terminate()

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.stream.close()
        os.close(self._slave)


_CAUSES = {5: ": was told to", 8: ": could not connect", 10: ": no agreement", 15: ": the modem does not answer",
           16: ": the modem hung up", 17: ": loop", 19: ": authentication refused"}  # fmt: skip


class Tun(_Stream):
    """A TUN interface; it exists from up() on, and vanishes with kill()."""

    packets = True

    def __init__(self, interface):
        self._interface = interface.encode()
        try:
            number = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(number, _TUNSETIFF, struct.pack("16sH22x", self._interface, _TUN))
        except OSError as e:
            raise OSError(e.errno, "session: no TUN interface %s (%s); run as root, or with CAP_NET_ADMIN"
                          % (interface, reason(e)))  # fmt: skip
        _Stream.__init__(self, number)

    def up(self, address, peer):
        """Give it its addresses (text). OSError when the kernel refuses them."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number, text in ((_SIOCSIFADDR, address), (_SIOCSIFDSTADDR, peer)):
                place = struct.pack("HH4s8x", 2, 0, bytes([int(part) for part in text.split(".")]))
                fcntl.ioctl(sock, number, struct.pack("16s16s8x", self._interface, place))
            fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sH22x", self._interface, _UP))

    def write(self, data):
        """One packet; OSError when the kernel does not take it."""
        self.stream.write(data)

    def ended(self):
        return None

    def stop(self):
        """Nothing to be told."""


def _quoted(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')
