"""The only file with sockets, a serial port and tasks: runs the agent on a board, under either Python.

One task a socket, one for the serial port, one that looks at the links, one armed timer. The agent sees peers as
(host, port) with the host as it was written in the server's URI: names are resolved here, and answers get it back.

SIGTERM and SIGINT de-register before the end; on MicroPython's unix port a board's stopping() does (see boards/sim.py).
"""

import asyncio
import sys

from . import log
from .agent import Agent
from .interpreter import MICRO, Clock, Readable, look_up, peer_of, print_exception, reason, receive, send_to, sleep_ms
from .names import Names
from .settings import Settings

_EAGAIN = (11, 35)
_STOP_MS = 5000  # for the good-bye
_IDLE_MS = 3600000  # the clock must be read before ticks_ms() wraps
_QUIET_MS = 10000  # between two warnings of a kind
_NAMES = 16  # looked up at a time
_AGAIN = -1  # instead of an exit code: the agent wants to start over


def sink(form):
    """A log sink that prints lines: "text" for people, "json" for programs. ValueError for anything else."""
    if form not in ("text", "json"):
        raise ValueError("log: %r is not possible; text or json" % (form,))
    make = log.json_line if form == "json" else log.line

    def write(*entry):
        try:
            sys.stdout.write(make(*entry) + "\n")
            sys.stdout.flush()
        except OSError:
            pass  # nobody listens any more: no reason to stop metering

    return write


def main(board, values, sink):
    """Run the agent with these settings on this board until it is stopped: the exit code.

    LocalError for impossible settings, OSError when the board's medium cannot be read; nothing was started then.
    """
    code = _AGAIN
    while code == _AGAIN:
        agent = Agent(Settings(values), board.medium(), board.below, board.measure, board.wall, sink)
        driver = Driver(board, agent)
        try:
            asyncio.run(driver.run())
        except KeyboardInterrupt:  # MicroPython only: it may have struck in the midst of any task
            _forget_tasks()
            asyncio.run(driver.run(True))
        _forget_tasks()
        code = driver.code
        if code:
            board.reset()  # a device does not come back from here
    return code


def _forget_tasks():
    if MICRO:
        asyncio.new_event_loop()


class Driver:
    """Does for one agent what it asks for. `code` is the exit code once it has ended."""

    def __init__(self, board, agent):
        self.board, self.agent, self.code = board, agent, None
        self.clock = Clock()
        self._sockets, self._tasks = {}, []  # link name -> (socket, its task, its address); the other tasks
        self._port = self.call = None
        self._names, self._resolving = Names(agent.store), {}  # (host name, port) -> its task while it is looked up
        self._quiet, self._unsent = {}, 0
        self._armed, self._leaving = None, False
        self._woken = self._done = None

    async def run(self, leaving=False):
        """Until the agent has stopped. `leaving`: after an interrupt, with new tasks, only to say good-bye."""
        self._woken, self._done = asyncio.Event(), asyncio.Event()
        self._catch_signals()
        self._tasks, self._resolving = [], {}
        for name, (sock, _, address) in list(self._sockets.items()):
            self._sockets[name] = (sock, self._spawn(self._receive(name, sock)), address)
        for coroutine in (self._begin(leaving), self._watch(), self._listen(), self._tick(), self._serial()):
            self._tasks.append(self._spawn(coroutine))
        await self._finish()

    def stop(self):
        """De-register, then end; asked a second time: end."""
        if self._leaving:
            return self._end(1)
        self._leaving = True
        self._tasks.append(self._spawn(self._leave()))

    async def _finish(self):
        await self._done.wait()
        for name in list(self._sockets):
            self._sockets.pop(name)[1].cancel()
        while self._tasks:
            self._tasks.pop().cancel()
        await asyncio.sleep(0)  # the tasks close what they own

    def flush(self):
        """Do what the agent wants now, and set the timer."""
        for what in self.agent.take():
            if what[0] == "udp":
                self._send(*what[1:])
            elif what[0] == "serial":
                self._write(what[1])
            elif what[0] == "session":
                self._session(what[1])
            else:
                self._end(_AGAIN if what[0] == "reset" else 0)
        if self.agent.deadline() != self._armed:
            self._woken.set()

    # tasks

    def _spawn(self, coroutine):
        return asyncio.create_task(self._guard(coroutine))

    async def _guard(self, coroutine):
        try:
            await coroutine
        except Exception as e:  # a bug: say so once, and start over (a device) or end
            self._end(1)  # first: saying so may fail as well, where memory is short
            self.agent.log.error(self.clock.now(), "run", "failed", error="%s: %s" % (type(e).__name__, e))
            print_exception(e)

    async def _begin(self, leaving):
        if leaving:
            return self.stop()
        self.agent.start(self.clock.now())
        self.flush()

    async def _leave(self):
        self.agent.stop(self.clock.now())
        self.flush()
        await sleep_ms(_STOP_MS)
        self._end(0)

    async def _tick(self):
        while True:
            self._woken.clear()
            self._armed = due = self.agent.deadline()
            wait = _IDLE_MS if due is None else min(max(1, due - self.clock.now()), _IDLE_MS)
            try:
                await asyncio.wait_for(self._woken.wait(), wait / 1000)
            except asyncio.TimeoutError:
                self.agent.poll(self.clock.now())
                self.flush()

    async def _watch(self):
        asked = getattr(self.board, "stopping", None)  # a board may have another way to ask for the end than a signal
        while True:
            if asked and not self._leaving and asked():
                self.stop()
            self._look_at_links()
            if getattr(self.board, "inquired", bool)():
                self.agent.tell(self.board.reply, self.clock.now())
            if self._port and self._port.waiting:
                self._write(b"")
            await sleep_ms(self.board.poll_ms)

    async def _listen(self):
        """The board's word that something about the links has changed, where it has one."""
        stream = self.board.listen() if hasattr(self.board, "listen") else None
        try:
            while stream:
                await Readable(stream)
                self.board.heard()
                self._look_at_links()
        finally:
            if stream:
                stream.close()

    async def _receive(self, name, sock):
        try:
            while True:
                await Readable(sock)
                if not self._take_in(name, sock):
                    await sleep_ms(100)
        except BaseException as e:
            if not isinstance(e, KeyboardInterrupt):  # after which another task goes on with it
                sock.close()
            raise

    def _take_in(self, name, sock):
        """Hand one datagram to the agent; False when the socket is in trouble."""
        try:
            data, address = receive(sock)
        except OSError as e:
            if e.errno not in _EAGAIN:
                self._warn("unreceived", link=name, error=reason(e))
            return e.errno in _EAGAIN
        peer = peer_of(address)
        self.agent.receive(name, self._names.host(peer), peer[1], data, self.clock.now())
        self.flush()
        return True

    async def _serial(self):
        """The modem's port, for as long as there is one; opened again when it has vanished."""
        wait = 500
        while True:
            try:
                self._port = self._port or self.board.serial()
                if self._port is None:
                    return
                wait = 500
            except OSError as e:
                self._warn("no serial port", error=reason(e))
            try:
                await self._read()
            finally:
                self._close_port()
            self.agent.serial_lost(self.clock.now())
            self.flush()
            await sleep_ms(wait)
            wait = min(wait * 2, 8000)

    async def _read(self):
        """Until the port has vanished: readable without data (three times, to be sure), or an error."""
        empty = 0
        while self._port and empty < 3:
            await Readable(self._port.stream)
            try:
                data = self._port.read()
            except OSError:
                break
            empty = 0 if data else empty + 1
            if data and self.call:
                self.call.heard(data)
            elif data:
                self.agent.serial(data, self.clock.now())
                self.flush()

    def _session(self, begins):
        """From here on the port's bytes are a data session's, until it says otherwise (session.py)."""
        from .session import Call

        if begins:
            self.call = Call(self)
            self.call.start()
        elif self.call:
            self.call.stop()

    def _close_port(self):
        port, self._port = self._port, None
        if port:
            self._warn("serial port closed")
            port.close()

    # what happens

    def _look_at_links(self):
        for link in self.board.links():
            self._look(link)

    def _look(self, link):
        """One socket a link that is up. The agent hears of a loss first, and of a link when there is a socket."""
        up, known = link.poll(), self._sockets.get(link.name)
        if up and (not known or known[2] != link.address):
            up = self._open(link)
            if up and known:
                self.agent.moved(link.name, self.clock.now())
                self.flush()
        if up != bool(known):
            self.agent.link(link.name, up, self.clock.now())
            self.flush()
        if known and not up:
            self._sockets.pop(link.name, None)
        if known and self._sockets.get(link.name) is not known:
            known[1].cancel()

    def _open(self, link):
        """-> whether the link has a socket now."""
        try:
            sock = link.open()
        except OSError as e:
            self._warn("link unusable", link=link.name, error=reason(e))
            return False
        if link.note:
            self._warn("link", link=link.name, text=link.note)
        self._sockets[link.name] = (sock, self._spawn(self._receive(link.name, sock)), link.address)
        return True

    def _end(self, code):
        self.code = code if self.code is None else self.code
        self._done.set()

    def _warn(self, event, quiet=_QUIET_MS, **fields):
        """Log it, but the same trouble with the same thing not again within `quiet` ms."""
        key, now = (event, fields.get("link"), fields.get("host")), self.clock.now()
        if self._quiet.get(key, now) <= now:
            self._quiet[key] = now + quiet
            self.agent.log.warning(now, "run", event, **fields)

    # sending

    def _write(self, data):
        try:
            if self._port:
                self._port.write(data)
        except OSError as e:  # when it has vanished, the reader finds out
            self._warn("unwritten", error=reason(e))

    def _send(self, link, host, port, data):
        """A datagram; one for a name not yet known goes out when it is. Losing one is never fatal."""
        if link not in self._sockets:
            return
        address, fresh = self._names.find(host, port, self.clock.now())
        if address:
            self._transmit(link, address, data)
        if not fresh and (host, port) not in self._resolving and len(self._resolving) < _NAMES:
            self._resolving[(host, port)] = self._spawn(self._resolve(link, host, port, None if address else data))

    def _transmit(self, link, address, data):
        try:
            send_to(self._sockets[link][0], data, address)
        except OSError as e:
            self._unsent += 1
            self._warn("unsent", link=link, error=reason(e), count=self._unsent)

    async def _resolve(self, link, host, port, data):
        """data: what waits for the address, or None."""
        address = None
        try:
            address = await look_up(host, port)
        except (OSError, UnicodeError) as e:
            self._warn("unknown host", 60000, host=host, error=reason(e))
        try:
            self._names.learn(host, port, address, self.clock.now())
            if address and data is not None:
                self._send(link, host, port, data)
        finally:
            self._resolving.pop((host, port))

    def _catch_signals(self):
        if not MICRO:
            import signal

            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
