"""The AT dialogue, character by character (ITU-T V.250): echo, command lines, prompts, answers, unsolicited lines."""

import asyncio
import inspect
import re

from .secrets import masked

MAX_LINE = 4096  # as some modems take data in hexadecimal
MAX_WAITING = 8  # command lines that came before the last one was answered

# TS 27.007 9.2
TEXTS = {3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required",
         12: "SIM PUK required", 13: "SIM failure", 14: "SIM busy", 16: "incorrect password",
         30: "no network service", 50: "Incorrect parameters", 100: "unknown"}  # fmt: skip


class Refused(Exception):
    """A command fails: with a number of TS 27.007 9.2, or with a bare ERROR (None)."""

    name = "+CME ERROR"

    def __init__(self, code=None):
        super().__init__(code)
        self.code = code


class Answer:
    """What a command answers: lines (str) and raw data (bytes), how it ends, and what happens once it is said."""

    def __init__(self, items=(), final="OK", after=None):
        self.items, self.final, self.after = list(items), final, after


SILENCE = Answer()  # no answer at all


class Dialogue:
    """write(bytes) says something; commands: {"+NAME": function(modem, operator, arguments)}, `modem` is handed on."""

    def __init__(self, modem, commands, write, log):
        self._modem, self._commands, self._write, self._log = modem, commands, write, log
        self._line = bytearray()
        self._lines = asyncio.Queue(MAX_WAITING)
        self._task = None
        self._reset()

    def _reset(self):
        self._line.clear()
        self._need = self._deaf_until = 0
        self._until = None
        self._data = None  # a future, while a prompt is open
        self._held = []  # unsolicited lines that wait for the prompt to close

    def start(self):
        self._task = asyncio.get_running_loop().create_task(self._work())

    def runs(self, task):
        """Whether its commands are carried out in this task."""
        return self._task is not None and self._task is task

    async def stop(self):
        """Forget what is pending, as at a restart."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        self._lines = asyncio.Queue(MAX_WAITING)
        self._reset()

    # --- hearing ---

    def feed(self, data):
        """Characters from the device."""
        if self._data is not None:
            used = self._collect(data)
            return self.feed(data[used:]) if used < len(data) else None
        if self._session["echo"] or self._modem.state.faults.echo:
            self._write(data)
        for byte in data:
            self._character(byte)
        return None

    def _character(self, byte):
        if byte == 13:
            line, self._line = self._line.decode("latin-1"), bytearray()
            if not self._lines.full():
                self._lines.put_nowait(line)
        elif byte == 8:
            del self._line[-1:]
        elif byte >= 32 and len(self._line) <= MAX_LINE:
            self._line.append(byte)

    def _collect(self, data):
        """Take what a prompt waits for; how many bytes were used. ESC as the first one gives up."""
        if asyncio.get_running_loop().time() < self._deaf_until:
            return len(data)
        if data[:1] == b"\x1b" and (self._until or not self._line and self._modem.profile["prompt_escape"]):
            self._finish(None)
            return 1
        before = len(self._line)
        self._line += data[:self._need - before]
        at = self._line.find(self._until, max(0, before - len(self._until))) if self._until else -1
        if at >= 0:
            del self._line[at + len(self._until):]
        used = len(self._line) - before
        if len(self._line) == self._need or at >= 0:
            self._finish(bytes(self._line))
        return used

    def _finish(self, data):
        self._line.clear()
        if not self._data.done():
            self._data.set_result(data)
        self._data = None

    async def prompt(self, length, text=None, until=None):
        """Ask for `length` bytes, or for what ends with `until`; None when the device gives up. `text`: how to ask."""
        self._data = future = asyncio.get_running_loop().create_future()
        self._need, self._until = length, until
        self._deaf_until = asyncio.get_running_loop().time() + self._modem.profile["prompt_ms"] / 1000
        self._write((text or self._modem.profile["prompt"]).encode())
        data = await future
        held, self._held = self._held, []
        for line in held:
            self.say(line)
        return data

    # --- answering ---

    @property
    def _session(self):
        return self._modem.state.session

    def say(self, line):
        """An unsolicited line; never in the middle of another one, nor while a prompt is open."""
        if self._data is not None:
            self._held.append(line)
        else:
            self._write(b"\r\n" + line.encode() + b"\r\n")

    async def _work(self):
        while True:
            line = await self._lines.get()
            start = line.upper().find("AT")
            if start < 0 or not line.strip():
                continue  # noise
            answer = self._modem.interfere(line[start:].strip().upper())
            if answer is SILENCE:
                continue
            answer = answer or await self._execute(line[start + 2:].strip())
            await asyncio.sleep(self._modem.state.faults.delay_ms / 1000)
            self._log("command", command=masked(line[start:]), answer=self._shown(answer))
            self._write(self._bytes(answer))
            if answer.after:
                answer.after()

    async def _execute(self, body):
        whole = Answer()
        try:
            for part in _parts(body):
                answer = await self._one(*part)
                whole.items += answer.items
                whole.final, whole.after = answer.final, answer.after or whole.after
        except Refused as refused:
            return Answer(whole.items, self.refusal(refused.code, refused.name))
        return whole

    async def _one(self, name, operator, arguments):
        function = self._commands.get(name)
        if function is None:
            raise Refused()
        if operator == "=?":
            return Answer()
        try:
            answer = function(self._modem, operator, arguments)
            if inspect.isawaitable(answer):
                answer = await answer
        except (ValueError, IndexError):
            raise Refused(50) from None
        return answer if isinstance(answer, Answer) else Answer(answer or ())

    def refusal(self, code, name="+CME ERROR"):
        """The final result that says so, as AT+CMEE wants it."""
        level = self._session["errors"]
        if code is None or level == 0:
            return "ERROR"
        return "%s: %s" % (name, code if level == 1 else TEXTS.get(code, "unknown"))

    def _bytes(self, answer):
        inside = self._modem.state.faults.inside
        text = b""
        if answer.items:
            for item in answer.items:
                text += item + b"\r\n" if isinstance(item, bytes) else item.encode() + b"\r\n"
            text = b"\r\n" + text
        if inside:
            text += b"\r\n" + inside.pop(0).encode() + b"\r\n"
        return text + b"\r\n" + answer.final.encode() + b"\r\n"

    @staticmethod
    def _shown(answer):
        items = ["(%d bytes)" % len(item) if isinstance(item, bytes) else item for item in answer.items]
        return " | ".join(items + [answer.final])


def _parts(body):
    """The commands of a line (V.250 5.2.1): [(name, operator "" "?" "=" "=?", [argument])]."""
    found = []
    for part in re.findall(r'(?:"[^"]*"|[^;"])+', body):
        while part and not part.startswith(("+", "$", "^", "#", "%", "*")):
            if part[0] in "Dd":  # V.250 6.3.1: dialling takes the rest of the line
                return found + [("D", "=", [part[1:]])]
            basic = re.match(r"(&?[A-Za-z])(\d*=?\d*)", part)
            if basic is None:
                return found + [("", "", [])]
            found.append((basic[1].upper(), "=", [basic[2].rpartition("=")[2] or "0"]))
            part = part[basic.end():].strip()
        if part:
            name, operator, rest = re.match(r"([^=?]+)(=\?|\?|=)?(.*)", part, re.S).groups()
            found.append((name.upper().strip(), operator or "", _arguments(rest)))
    return found


def _arguments(text):
    """A parameter list: quotes removed, commas inside them kept."""
    return [part.strip().strip('"') for part in re.findall(r'(?:^|,)((?:"[^"]*"|[^,"])*)', text)] if text else []
