"""One AT interpreter of the modem: its dialogue, and the data call that may run over the same line.

Data mode begins with ATD*99#, ATD*99***CID# or AT+CGDATA and ends with +++ (silence before and after it, register
S12), with the end of the call, or with the line. ATO goes back to it, ATH hangs up (ITU-T V.250 6.3, TS 27.007 10).
"""

import asyncio
import re

from .data_call import DataCall
from .dialogue import Answer, Dialogue, Refused

_DIAL = re.compile(r"T?\*9[89](?:\*[^*#]*){0,2}(?:\*(\d*))?#?$", re.I)
GUARD_MS = 1000
_NO_CARRIER = "NO CARRIER"


class Terminal:
    """write(bytes) goes to whoever listens on this line; carrier(on): there is a call, or none any more."""

    def __init__(self, modem, write, log, more=None, carrier=None):
        self._modem, self._write, self._carrier = modem, write, carrier or (lambda on: None)
        own = {"D": self._dial, "O": self._again, "H": self._hang_up, "+CGDATA": self._enter}
        known = {**modem.profile["commands"], **own, **(more or {})}
        known = {name: known[name] for name in known if name not in modem.profile["lacks"]}
        self.dialogue = Dialogue(modem, known, self.spoken, log)
        self.call = None
        self._plus, self._heard, self._escape = 0, 0, None

    @property
    def online(self):
        """In data mode."""
        return self.call is not None and self.call.online

    def feed(self, data):
        """Bytes from the device."""
        if not self.online:
            return self.dialogue.feed(data)
        self._watch(data)
        self.call.receive(data)
        return None

    def say(self, line):
        """An unsolicited line; there is no place for it in data mode."""
        if not self.online:
            self.dialogue.say(line)

    def hang_up(self, cause="", aloud=True):
        """End the data call, if there is one; NO CARRIER tells the device."""
        call, self.call = self.call, None
        if call is None:
            return False
        was = call.online
        call.close()
        self._forget_escape()
        self._modem.deactivate(call.cid)
        self._modem.note("call", on=False, cause=cause)
        self._carrier(False)
        if aloud and was:
            self._write(b"\r\n" + _NO_CARRIER.encode() + b"\r\n")
        return True

    async def stop(self):
        """Forget everything, as at a restart."""
        self.hang_up("off", False)
        await self.dialogue.stop()

    def spoken(self, data):
        """Bytes of the dialogue; in data mode there is no place for them."""
        if not self.online:
            self._write(data)

    # --- the escape sequence ---

    def _watch(self, data):
        now = asyncio.get_running_loop().time()
        quiet = (now - self._heard) * 1000 >= self._guard()
        self._heard = now
        self._forget_escape(self._plus if data.strip(b"+") == b"" and (quiet or self._plus) else 0)
        if data.strip(b"+") == b"" and (quiet or self._plus):
            self._plus += len(data)
            if self._plus == 3 and self._modem.profile["escapes"]:
                wait = self._guard() / 1000
                self._escape = asyncio.get_running_loop().call_later(wait, self._escaped)

    def _guard(self):
        return self._modem.profile["ms"].get("guard", GUARD_MS)

    def _forget_escape(self, plus=0):
        self._plus = plus
        if self._escape:
            self._escape.cancel()
            self._escape = None

    def _escaped(self):
        self._forget_escape()
        if self.call:
            self.call.online = False
            self._modem.note("call", on=True, escaped=True)
            self._write(b"\r\nOK\r\n")

    # --- commands ---

    async def _dial(self, modem, operator, arguments):
        found = _DIAL.match(arguments[0].replace(" ", "").replace(",", ""))
        return await self._connect(int(found[1] or 1)) if found else Answer(final=_NO_CARRIER)

    async def _enter(self, modem, operator, arguments):
        if operator not in ("", "=") or arguments[:1] not in (["PPP"], [""], []):
            raise Refused(50)
        return await self._connect(int(arguments[1] if len(arguments) > 1 else modem.profile["context"]))

    async def _connect(self, cid):
        modem = self._modem
        if self.call or cid not in (modem.profile["context"], *range(1, 17)):
            raise Refused()
        if modem.profile["attached"] and cid != modem.profile["context"] and not modem.state.context(cid).apn:
            raise Refused()  # only the context of the attach is there unless defined
        if modem.state.context(cid).active and modem.calling(cid) or not await modem.activate(cid):
            return Answer(final=_NO_CARRIER)
        self.call = DataCall(modem, cid, self._write, self.hang_up)
        self.call.online = False  # until CONNECT is said
        return Answer(final=modem.profile.get("connect", "CONNECT 150000000"), after=self._go_online)

    def _go_online(self):
        if self.call:
            self.call.online = True
            self._carrier(True)
            self._modem.note("call", on=True, cid=self.call.cid, address=self.call.address)
            self.call.start()

    def _again(self, modem, operator, arguments):
        if self.call is None:
            return Answer(final=_NO_CARRIER)

        def online():
            if self.call:
                self.call.go_on()

        return Answer(final=modem.profile.get("connect", "CONNECT 150000000"), after=online)

    def _hang_up(self, modem, operator, arguments):
        self.hang_up("device", False)
