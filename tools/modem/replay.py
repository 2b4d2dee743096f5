"""A modem that answers from a transcript (record.py): what happened in the field, as often as it takes to mend it.

A command gets what the same command got next in the transcript, else what it got before, else ERROR. Lines that came by
themselves come when they came then, counted from the command before them; when the device asks on, at once.
"""

import asyncio

from . import record
from .port import Port
from .secrets import masked
from .socket_port import SocketPort

PROMPTS = (b">", b"@")
MAX_LINE = 2048
MAX_WAITING = 64


class Exchange:
    """One command of a transcript: what came back, what was sent at the prompt, what came back then."""

    def __init__(self, command):
        self.command = command
        self.before, self.data, self.after = [], b"", []  # [(ms since what was before it, bytes)]

    @property
    def prompted(self):
        """Whether it ended in a question for data."""
        return bool(self.before) and self.before[-1][1].rstrip(b" ")[-1:] in PROMPTS


def exchanges(entries):
    """The transcript, cut at its commands; the first one has no command."""
    found, line, last = [Exchange("")], bytearray(), 0
    for ms, end, data in entries:
        current = found[-1]
        if end == "device":
            (current.after if current.data else current.before).append((ms - last, data))
        elif current.prompted and not current.after:
            current.data += data
        else:
            line += data
            while b"\r" in line:
                command, _, rest = bytes(line).partition(b"\r")
                line[:] = rest
                found.append(Exchange(_key(command)))
        last = ms
    return found


def _key(line):
    """A command as it is compared: without noise before it, secrets and case."""
    text = line.decode("latin-1")
    start = text.upper().find("AT")
    return masked(text[start:].strip()).upper() if start >= 0 else ""


class Replay:
    """path: the transcript; link, socket: as of an Emulator; pause_ms: no pause is longer, whatever it was then.

    Raises Fault for a file that is no transcript.
    """

    def __init__(self, path, log=None, *, link=None, socket=None, pause_ms=600000):
        self._known = exchanges(record.read(path))
        self._log = log or (lambda actor, event, **fields: None)
        self._next, self._pause_ms = 1, pause_ms
        self._line = bytearray()
        self._commands, self._asked = asyncio.Queue(MAX_WAITING), asyncio.Event()
        self._need, self._given = 0, None  # bytes wanted at a prompt; a future
        self._task = None
        self.port = SocketPort(self._heard, socket, lambda: None) if socket else Port(self._heard, link)

    @property
    def path(self):
        """The serial port to open."""
        return self.port.path

    async def start(self):
        """Create the port. Fault when its place is taken."""
        self.port.open()
        self._log("replay", "port", path=self.path)
        self._task = asyncio.get_running_loop().create_task(self._play())

    async def stop(self):
        """Remove what was created."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.port.close()

    def _heard(self, data):
        if self._given is not None:
            taken, data = data[:self._need], data[self._need:]
            self._need -= len(taken)
            if not self._need or taken[:1] == b"\x1b":
                given, self._given = self._given, None
                given.set_result(None)
        self._line += data
        while b"\r" in self._line:
            line, _, rest = bytes(self._line).partition(b"\r")
            self._line[:] = rest
            if _key(line) and not self._commands.full():
                self._commands.put_nowait(_key(line))
                self._asked.set()
        del self._line[:-MAX_LINE]

    async def _play(self):
        await self._say(self._known[0].before)
        while True:
            command = await self._commands.get()
            if self._commands.empty():
                self._asked.clear()
            exchange = self._find(command)
            self._log("replay", "command", command=command, known=exchange is not None)
            if exchange is None:
                self.port.write(b"\r\nERROR\r\n")
                continue
            await self._say(exchange.before)
            if exchange.prompted:
                await self._data(command, exchange)
                await self._say(exchange.after)

    def _find(self, command):
        """The next exchange with this command, or with this name; one of before; None."""
        order = list(range(self._next, len(self._known))) + list(range(self._next - 1, 0, -1))
        name = command.partition("=")[0]
        for fits in (lambda known: known == command, lambda known: "=" in command and known.partition("=")[0] == name):
            for at in order:
                if fits(self._known[at].command):
                    self._next = max(self._next, at + 1)
                    return self._known[at]
        return None

    async def _data(self, command, exchange):
        """Wait for what is sent at the prompt: as much as this command announces in the place where it did then."""
        length = b"%d" % len(exchange.data)
        then, now = [text.encode().split(b",") for text in (exchange.command, command)]
        place = [at for at, word in enumerate(then) if word.rpartition(b"=")[2] == length]
        told = now[place[0]].rpartition(b"=")[2] if place and place[0] < len(now) else length
        self._need = min(int(told), 65536) if told.isdigit() else len(exchange.data)
        early = bytes(self._line)
        self._line.clear()
        if self._need:
            self._given = given = asyncio.get_running_loop().create_future()
            self._heard(early)
            await given

    async def _say(self, chunks):
        """Say it with the pauses of then, unless the device has asked on."""
        for ms, data in chunks:
            try:
                await asyncio.wait_for(self._asked.wait(), min(ms, self._pause_ms) / 1000)
            except TimeoutError:
                pass
            self.port.write(data)
