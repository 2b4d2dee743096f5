"""From the port to the AT interpreters: one of them, or after AT+CMUX one for each channel of the multiplexer.

A profile's "mux" row: parameters (how many AT+CMUX takes), n1 (the default frame size), channels, leaves (whether a
close-down ends it), broken_above (a frame size above which the firmware's checksums are wrong).
"""

import asyncio

from .cmux_server import CmuxServer
from .dialogue import Answer, Refused
from .terminal import Terminal

SETTLE_MS = 100  # after the OK of AT+CMUX nothing is heard for a while


class Lines:
    """write(bytes) goes to the port."""

    def __init__(self, modem, write, log):
        self._modem, self._write, self._log = modem, write, log
        self.mux = None
        self._deaf_until = 0
        self.main = Terminal(modem, self._plain, log, {"+CMUX": self._start_mux})
        self._channels = {}  # DLCI: Terminal

    def start(self):
        self.main.dialogue.start()

    async def stop(self):
        """As at a restart: plain AT commands again."""
        for terminal in self.terminals():
            await terminal.stop()
        self._channels, self.mux = {}, None

    def terminals(self):
        return [self.main] + [self._channels[dlci] for dlci in sorted(self._channels)]

    def feed(self, data):
        """Bytes from the port."""
        if self.mux is None:
            self.main.feed(data)
        elif asyncio.get_running_loop().time() >= self._deaf_until:
            self.mux.feed(data)

    def say(self, line):
        """An unsolicited line: on the first port that is not busy with data."""
        listening = self.terminals()[self.mux is not None:]
        for terminal in listening:
            if not terminal.online:
                return terminal.say(line)
        return None

    def speaking(self):
        """The terminal whose command runs in this task."""
        for terminal in self.terminals():
            if terminal.dialogue.runs(asyncio.current_task()):
                return terminal
        return self.main

    def write(self, data):
        """Bytes that belong to an unsolicited line."""
        listening = self.terminals()[self.mux is not None:]
        for terminal in listening:
            if not terminal.online:
                return terminal.spoken(data)
        return None

    def hang_up(self, cid=None, cause="", aloud=True):
        """End the data call over this context (None: every call)."""
        for terminal in self.terminals():
            if terminal.call and cid in (None, terminal.call.cid):
                terminal.hang_up(cause, aloud)

    def calls(self):
        return [terminal.call for terminal in self.terminals() if terminal.call]

    def unplugged(self):
        """Nobody is at the other end any more: DTR has fallen, and with it call and multiplexer."""
        self.hang_up(cause="line", aloud=False)
        if self.mux:
            self._end_mux()

    # --- the multiplexer ---

    def _start_mux(self, modem, operator, arguments):
        row = modem.profile.get("mux", {})
        size = row.get("n1", 31)
        if operator == "?":
            return ["+CMUX: 0,0,5,%d" % size]
        early = modem.time() < modem.state.radio_since + modem.profile["ms"]["mux"] / 1000
        if self.mux or early or int(arguments[0]) != 0:
            raise Refused(3)
        size = int((arguments + [""] * 3)[3] or size)
        if not 1 <= size <= 32768 or len(arguments) > row.get("parameters", 9):
            raise Refused(50)
        return Answer(after=lambda: self._enter_mux(size, row))

    def _enter_mux(self, size, row):
        settle = self._modem.profile["ms"].get("cmux", SETTLE_MS)
        self._deaf_until = asyncio.get_running_loop().time() + settle / 1000
        self.mux = CmuxServer(self._write, self._opened, self._closed, self._data, self._end_mux, size=size,
                              channels=row.get("channels", 4), leaves=row.get("leaves", True),
                              broken_above=row.get("broken_above", 32768))  # fmt: skip
        self._modem.note("cmux", on=True, size=size)

    def _plain(self, data):
        if self.mux is None:
            self._write(data)

    def _opened(self, dlci):
        terminal = Terminal(self._modem, lambda data: self.mux and self.mux.send(dlci, data), self._log,
                            carrier=lambda on: self.mux and self.mux.status(dlci, carrier=on))  # fmt: skip
        self._channels[dlci] = terminal
        terminal.dialogue.start()

    def _closed(self, dlci):
        terminal = self._channels.pop(dlci)
        terminal.hang_up("channel", False)
        self._modem.later(terminal.stop())

    def _data(self, dlci, data):
        if dlci in self._channels:
            self._channels[dlci].feed(data)

    def _end_mux(self):
        self.mux = None
        for dlci in sorted(self._channels):
            self._closed(dlci)
        self._modem.note("cmux", on=False)
