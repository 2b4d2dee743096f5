"""A short-message centre: takes SMS-SUBMIT from one party and brings it to another as SMS-DELIVER (TS 23.040 9.2.2).

Parties are emulated modems, servers, or whoever speaks JSON lines on its socket:

    -> {"number": "+491700000001"}      first: who this is      <- {"ok": true}
    -> {"submit": "0100..."}            a TPDU in hexadecimal   <- {"reference": 7}, or {"error": cause}
                                                                <- {"deliver": "0406..."}   when one has come
A message for a party that cannot take it now waits, as in a real centre. It knows the PDUs by itself, not from the
agent's codec, so that each proves the other.
"""

import asyncio
import json
import os
import random
import time

NUMBER = "+491700000000"
MAX_WAITING = 100  # messages for one party that is not there
MAX_LINE = 4096
FAULTS = {"delay_ms": 0, "shuffle_ms": 0, "lose": 0, "repeat": 0}
_DIGITS = "0123456789*#abc"


class Centre:
    """`log(actor, event, **fields)` is told what happens. `faults`: delay_ms and up to shuffle_ms more for each message
    (so that they overtake each other); every lose-th is lost, every repeat-th comes twice; 0: none."""

    def __init__(self, log=None, seed=0):
        self._log = log or (lambda actor, event, **fields: None)
        self._chance = random.Random(seed)
        self.faults = dict(FAULTS)
        self._parties = {}  # number: take(bytes) -> whether it was taken
        self._waiting = {}  # number: [bytes]
        self._timers = set()
        self._server = self._path = None
        self.submitted = self.delivered = self.lost = 0

    def attach(self, number, take):
        """From now on messages for `number` are handed to take(TPDU), which says whether it could take it."""
        self._parties[number] = take
        self.wake(number)

    def detach(self, number):
        self._parties.pop(number, None)

    def wake(self, number):
        """The party can take messages again."""
        waiting = self._waiting.pop(number, [])
        for tpdu in waiting:
            self._hand_over(number, tpdu)

    def submit(self, sender, tpdu):
        """Accept an SMS-SUBMIT (bytes) for delivery; -> its reference. ValueError when it makes no sense."""
        recipient, made = delivered(tpdu, sender, time.time())
        self.submitted += 1
        count, faults = self.submitted, self.faults
        self._log("centre", "submitted", number=recipient, sender=sender, octets=len(made))
        if faults["lose"] and count % faults["lose"] == 0:
            self.lost += 1
            self._log("centre", "lost", number=recipient)
        else:
            for _ in range(2 if faults["repeat"] and count % faults["repeat"] == 0 else 1):
                self.post(recipient, made)
        return count % 256

    def post(self, recipient, tpdu):
        """Bring a TPDU, whatever it is, to its recipient, after the time that it takes."""
        wait = self.faults["delay_ms"] + self._chance.uniform(0, self.faults["shuffle_ms"])
        timer = asyncio.get_running_loop().call_later(wait / 1000, lambda: self._due(timer, recipient, tpdu))
        self._timers.add(timer)

    def _due(self, timer, recipient, tpdu):
        self._timers.discard(timer)
        self._hand_over(recipient, tpdu)

    def _hand_over(self, recipient, tpdu):
        take = self._parties.get(recipient)
        if take and take(tpdu):
            self.delivered += 1
            return
        waiting = self._waiting.setdefault(recipient, [])
        if len(waiting) < MAX_WAITING and len(self._waiting) < MAX_WAITING:
            waiting.append(tpdu)
        else:
            self.lost += 1

    # --- on a socket ---

    async def start(self, place):
        """Listen at HOST:PORT or at a path. OSError when it is taken. -> the port, where that was 0."""
        host, _, port = place.rpartition(":")
        if "/" in place:
            mask = os.umask(0o177)
            try:
                self._server = await asyncio.start_unix_server(self._serve, place, limit=MAX_LINE)
            finally:
                os.umask(mask)
            self._path = place
            return None
        self._server = await asyncio.start_server(self._serve, host, int(port), limit=MAX_LINE)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self):
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._server:
            self._server.close()
            self._server = None
        if self._path:
            os.unlink(self._path)

    async def _serve(self, reader, writer):
        number = None

        def take(tpdu):
            if writer.is_closing():
                return False
            writer.write(json.dumps({"deliver": tpdu.hex()}).encode() + b"\n")
            return True

        try:
            while line := await reader.readline():
                answer, number = self._heard(line, number, take)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            pass  # a line beyond all bounds, or nobody there any more
        finally:
            if number and self._parties.get(number) is take:
                self.detach(number)
            writer.close()

    def _heard(self, line, number, take):
        """-> (answer, the party's number)."""
        try:
            said = json.loads(line)
            if number is None:
                semi_octets(said["number"])
                if said["number"] in self._parties:
                    return {"error": "somebody else has this number"}, None
                asyncio.get_running_loop().call_soon(self.attach, said["number"], take)  # after the answer
                return {"ok": True}, said["number"]
            return {"reference": self.submit(number, bytes.fromhex(said["submit"]))}, number
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            return {"error": 'first {"number": ...}, then {"submit": TPDU}: %s' % error}, number


class Party:
    """A connection to a centre elsewhere: what Centre.attach() and submit() are in its own process."""

    def __init__(self, place, number, take):
        self.place, self.number, self._take = place, number, take
        self._writer = self._task = None

    async def start(self):
        """OSError when there is no centre, ValueError when it does not take us."""
        host, _, port = self.place.rpartition(":")
        opening = asyncio.open_unix_connection(self.place, limit=MAX_LINE) if "/" in self.place else (
            asyncio.open_connection(host, int(port), limit=MAX_LINE))
        reader, self._writer = await opening
        self._say({"number": self.number})
        answer = json.loads(await reader.readline() or b"{}")
        if "ok" not in answer:
            self._writer.close()
            raise ValueError(answer.get("error", "the centre has gone"))
        self._task = asyncio.create_task(self._listen(reader))

    async def stop(self):
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._writer.close()

    def submit(self, tpdu):
        self._say({"submit": tpdu.hex()})

    def _say(self, what):
        self._writer.write(json.dumps(what).encode() + b"\n")

    async def _listen(self, reader):
        while line := await reader.readline():
            said = json.loads(line)
            if "deliver" in said:
                self._take(bytes.fromhex(said["deliver"]))


def delivered(submit, sender, when):
    """-> (recipient, SMS-DELIVER) of an SMS-SUBMIT from `sender` at `when` (Unix s). ValueError: it is none."""
    try:
        first, digits, kind = submit[0], submit[2], submit[3]
        if first & 3 != 1 or not 3 <= digits <= 20:
            raise ValueError("no SMS-SUBMIT")
        at = 4 + (digits + 1) // 2
        recipient = ("+" if kind & 0x70 == 0x10 else "") + _digits(submit[4:at])[:digits]
        pid, coding = submit[at:at + 2]
        at += 2 + (0, 7, 1, 7)[first >> 3 & 3]
        length, data = submit[at], submit[at + 1:]
    except (IndexError, ValueError) as error:
        raise ValueError("no SMS-SUBMIT: %s" % error) from None
    octets = length if coding & 0x0C == 4 or coding & 0x0C == 8 else (length * 7 + 7) // 8
    if len(data) != octets or octets > 140:
        raise ValueError("no SMS-SUBMIT: %d octets of user data, not %d" % (len(data), octets))
    head = bytes([4 | first & 0x40]) + address(sender) + bytes([pid, coding])
    return recipient, head + timestamp(when) + bytes([length]) + data


def address(number):
    """An address field (9.1.2.5)."""
    return bytes([len(number.lstrip("+")), 0x91 if number[:1] == "+" else 0x81]) + semi_octets(number)


def semi_octets(number):
    """ValueError when it is no number."""
    digits = [_DIGITS.index(digit) for digit in number.removeprefix("+")]
    if not 3 <= len(digits) <= 20:
        raise ValueError("no number: " + number[:24])
    digits += [15] * (len(digits) % 2)
    return bytes(low | high << 4 for low, high in zip(digits[::2], digits[1::2], strict=True))


def timestamp(when):
    """A time stamp in UTC (9.2.3.11)."""
    parts = time.gmtime(when)
    return bytes(number % 10 << 4 | number // 10 for number in (parts[0] % 100, *parts[1:6], 0))


def _digits(data):
    return "".join(_DIGITS[digit] for byte in data for digit in (byte & 15, byte >> 4) if digit < 15)
