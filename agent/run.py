"""The only file that sends and receives: runs the agent on a board, under either Python.

One loop sleeps until a socket, the serial port or a timer has something (waiting.py). The agent sees peers as
(host, port) with the host as it was written in the server's URI: names are resolved on the way (lookups.py), and
answers get them back.

SIGTERM and SIGINT de-register before the end; on MicroPython a board's stopping() does (see boards/sim.py).
"""

from .agent import Agent
from .interpreter import MICRO, Clock, peer_of, print_exception, reason, receive, send_to
from .settings import Settings
from .waiting import Waiting

_EAGAIN = (11, 35)
_STOP_MS = 5000  # for the good-bye
_PAUSE_MS = 100  # for a socket in trouble
_REOPEN_MS, _REOPEN_MAX_MS = 500, 8000  # until a serial port that has vanished is looked for again
_QUIET_MS = 10000  # between two warnings of a kind
_AGAIN = -1  # instead of an exit code: the agent wants to start over


def _nothing(*_):
    """What a board does that cannot."""


def main(board, values, sink):
    """Run the agent with these settings on this board until it is stopped: the exit code.

    LocalError for impossible settings, OSError when the board's medium cannot be read; nothing was started then.
    """
    code = _AGAIN
    while code == _AGAIN:
        kind, settings = Agent, Settings(values)
        getattr(board, "choose", _nothing)(settings)
        if "sms" in settings.get("links").split(","):
            from . import texting

            kind = texting.Texting
        agent = kind(settings, board.medium(), board.below, board.measure, board.wall, sink)
        code = Driver(board, agent).run()
        if code:
            board.reset()  # a device does not come back from here
    return code


class Driver:
    """Does for one agent what it asks for."""

    def __init__(self, board, agent):
        self.board, self.agent, self.clock = board, agent, Clock()
        agent.ports, agent.board = board.links, board
        self.waiting = Waiting(self.clock)
        self.port = self.call = self.groups = None
        self._sockets = {}  # link name -> (socket, its address)
        self._quiet, self._unsent = {}, 0
        self._code = self._leaving = self._bell = self._events = self._lookups = None
        self._reopen_ms, self._empty = _REOPEN_MS, 0

    def run(self):
        """Until the agent has stopped: the exit code."""
        try:
            self._begin()
            while self._code is None:
                self.waiting.turn(self.agent.deadline())
                self._poll()
        except Exception as e:  # a bug: say so once, and start over (a device) or end
            self._code = 1
            self.agent.log.error(self.clock.now(), "run", "failed", error="%s: %s" % (type(e).__name__, e))
            print_exception(e)
        finally:
            self._close()
        return self._code

    def stop(self):
        """De-register, then end; asked a second time: end."""
        if self._leaving:
            return self._end(1)
        self._leaving = True
        self.waiting.after(_STOP_MS, "leave", lambda: self._end(0))
        self.agent.stop(self.clock.now())
        self.flush()

    def flush(self):
        """Do what the agent wants now."""
        for what in self.agent.take():
            if what[0] == "udp":
                self._send(*what[1:])
            elif what[0] == "serial":
                self.write(what[1])
            elif what[0] == "session":
                from .session import change

                change(self, what[1])
            elif what[0] == "data":
                if self.call:
                    self.call.heard(what[1])
            elif what[0] in ("power", "baud"):
                self._hand_on(*what)
            elif what[0] == "groups":
                from .joining import join

                join(self)
            else:
                self._end(_AGAIN if what[0] == "reset" else 0)

    def _begin(self):
        if not MICRO:
            from .bell import Bell

            self._bell = Bell(self.waiting)
            self._bell.catch(self.stop)
        self.agent.start(self.clock.now())
        self.flush()
        self._listen()
        self._watch()
        self._open_port()

    def _poll(self):
        due = self.agent.deadline()
        if due is not None and due <= self.clock.now():
            self.agent.poll(self.clock.now())
            self.flush()

    def _close(self):
        if self.groups:
            self.groups.close()
        for name in list(self._sockets):
            self._drop(name)
        if hasattr(self.board, "follow"):
            self._follow("")
        if self.call:
            self.call.end()
        self.write(getattr(self.agent.modem, "leave", bytes)())
        self._close_port()
        if self._events:
            self.waiting.off(self._events)
            self._events.close()
        if self._bell:
            self._bell.close()

    def _end(self, code):
        self._code = code if self._code is None else self._code

    # the board

    def _watch(self):
        """Look at what tells nothing by itself, now and then."""
        asked = getattr(self.board, "stopping", None)  # a board may have another way to ask for the end than a signal
        if asked and not self._leaving and asked():
            self.stop()
        self._look_at_links()
        if hasattr(self.board, "follow"):
            self._follow(self.agent.links.active)
        if getattr(self.board, "inquired", bool)():
            self.agent.tell(self.board.reply, self.clock.now())
        if self.port and self.port.waiting:
            self.write(b"")
        self.waiting.after(self.board.poll_ms, "watch", self._watch)

    def _follow(self, link):
        """Let the machine's routes follow; a board that is not asked to has no such thing."""
        why = self.board.follow(link)
        if why:
            self.warn("routes", text=why)

    def _listen(self):
        """The board's word that something about the links has changed, where it has one."""
        self._events = self.board.listen() if hasattr(self.board, "listen") else None
        if self._events:
            self.waiting.on(self._events, self._changed)

    def _changed(self):
        self.board.heard()
        self._look_at_links()

    # the serial port

    def _open_port(self):
        """The modem's port, for as long as there is one; opened again when it has vanished."""
        try:
            self.port = self.board.serial()
        except OSError as e:
            self.warn("no serial port", error=reason(e))
            return self._port_lost()
        if self.port:
            self._reopen_ms, self._empty = _REOPEN_MS, 0
            self.waiting.on(self.port.stream, self._read)

    def _read(self):
        """The port has vanished when it is readable without data (three times, to be sure), or in error."""
        try:
            data = self.port.read()
        except OSError:
            return self._port_lost()
        self._empty = 0 if data else self._empty + 1
        if data and self.call and self.call.port:
            self.call.heard(data)
        elif data:
            self.agent.serial(data, self.clock.now())
            self.flush()
        elif self._empty >= 3:
            self._port_lost()

    def _port_lost(self):
        self._close_port()
        self.agent.serial_lost(self.clock.now())
        self.flush()
        self.waiting.after(self._reopen_ms, "port", self._open_port)
        self._reopen_ms = min(self._reopen_ms * 2, _REOPEN_MAX_MS)

    def _close_port(self):
        port, self.port = self.port, None
        if port:
            self.warn("serial port closed")
            self.waiting.off(port.stream)
            port.close()

    def write(self, data):
        """Bytes for the serial port."""
        try:
            if self.port:
                self.port.write(data)
        except OSError as e:  # when it has vanished, the reader finds out
            self.warn("unwritten", error=reason(e))

    def _hand_on(self, name, *what):
        """What not every board has: a say in the modem's power, a port whose speed can change."""
        try:
            getattr(self.board if name == "power" else self.port, name, _nothing)(*what)
        except OSError as e:
            self.warn("no " + name, error=reason(e))

    # the links

    def _look_at_links(self):
        for link in self.board.links():
            self._look(link)

    def _look(self, link):
        """One socket a link that is up. The agent hears of a loss first, and of a link when there is a socket."""
        up, known = link.poll(), self._sockets.get(link.name)
        if up and (not known or known[1] != link.address):
            up = self._open(link)
            if up and known:
                self.agent.moved(link.name, self.clock.now())
                self.flush()
        if up != bool(known):
            self.agent.link(link.name, up, self.clock.now())
            self.flush()
        if not up:
            self._drop(link.name)
        if self.groups and self._sockets.get(link.name) is not known:
            self.groups.look()

    def _open(self, link):
        """-> whether the link has a socket now."""
        try:
            sock = link.open()
        except OSError as e:
            self.warn("link unusable", link=link.name, error=reason(e))
            return False
        if link.note:
            self.warn("link", link=link.name, text=link.note)
        self._drop(link.name)
        self._sockets[link.name] = (sock, link.address)
        self._await(link.name)
        return True

    def _drop(self, name):
        sock = self._sockets.pop(name, None)
        self.waiting.forget(name)
        if self._lookups:
            self._lookups.drop(name)
        if sock:
            self.waiting.off(sock[0])
            sock[0].close()

    def _await(self, name):
        self.waiting.on(self._sockets[name][0], lambda: self._take_in(name))

    def _take_in(self, name):
        """Hand one datagram to the agent; a socket in trouble is left alone for a while."""
        sock = self._sockets[name][0]
        try:
            data, address = receive(sock)
        except OSError as e:
            if e.errno not in _EAGAIN:
                self.warn("unreceived", link=name, error=reason(e))
                self.waiting.off(sock)
                self.waiting.after(_PAUSE_MS, name, lambda: self._await(name))
            return
        peer = peer_of(address)
        host = self._lookups.host(peer) if self._lookups else peer[0]
        self.agent.receive(name, host, peer[1], data, self.clock.now())
        self.flush()

    # sending

    def _send(self, link, host, port, data):
        """A datagram; losing one is never fatal."""
        if link not in self._sockets:
            return
        if not self._lookups and not host.replace(".", "").isdigit():
            from .lookups import Lookups

            self._lookups = Lookups(self)
        if self._lookups:
            self._lookups.send(link, host, port, data)
        else:
            self.transmit(link, (host, port), data)

    def transmit(self, link, address, data):
        """To (ip, port)."""
        try:
            send_to(self._sockets[link][0], data, address)
        except OSError as e:
            self._unsent += 1
            self.warn("unsent", link=link, error=reason(e), count=self._unsent)

    def warn(self, event, quiet=_QUIET_MS, **fields):
        """Log it, but the same trouble with the same thing not again within `quiet` ms."""
        key, now = (event, fields.get("link"), fields.get("host")), self.clock.now()
        if self._quiet.get(key, now) <= now:
            self._quiet[key] = now + quiet
            self.agent.log.warning(now, "run", event, **fields)
