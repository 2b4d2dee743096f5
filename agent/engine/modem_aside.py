"""A look at the modem in the midst of a data call, where no multiplexer keeps it listening: the session lends us its
port, `+++` leads the modem out of data mode, `ATO` back into it (V.250 6.3.6, 3.1.2; TS 27.007 10).

It is short: about three seconds, and bounded. When there is no way back the call is dropped and dialled anew. A part of
the modem engine, loaded for that and dropped again; meanwhile it stands between port and channel, because until the
modem has obeyed the `+++` what comes is the call's.
"""

from ..errors import LinkError

_GUARD_MS = 1100  # silence before and after +++ (V.250: a second)
_ANSWER_MS = 3000  # from +++ to OK, guard time included
_LOOK_MS = 8000  # for all that is asked
_BACK_MS = 5000
_LOST_MS = 15000  # so long without a network is no cell change any more
_ANSWER = "+PPP: "  # begins a line that we make up: what the procedure waits for has happened
_OUT, _OVER = b"\r\nOK\r\n", b"\r\nNO CARRIER\r\n"


class Aside:
    """`modem` is the engine."""

    def __init__(self, modem):
        self._modem, self._deaf, self._tail = modem, True, None  # _tail: what came last, once +++ was said
        self._until = modem._now + _GUARD_MS + _ANSWER_MS + _LOOK_MS

    def look(self):
        """Look, and go back into the call; or drop it. A generator as in modem_ladder.py."""
        modem = self._modem
        modem._mux = self
        try:
            reason = yield from self._whole()
        finally:
            modem._mux = None
        if not self._lasts():
            return
        if reason:
            modem._drop(reason)
        else:
            modem._out.append(("session", "resume"))

    def _whole(self):
        """-> why there is no way back, or ""."""
        modem = self._modem
        said = yield from self._leave()
        if said != "OK":
            modem._dialler.fixed = True  # for as long as this call lasts it is not tried again
            return said
        modem._swapped = True
        try:
            yield from modem._look()
            if not self._lasts():
                return ""
            if modem._away is not None and modem._now - modem._away >= _LOST_MS:
                return "network lost"
            self._until = modem._now + _BACK_MS
            ok, lines = yield modem._channel.of("BACK")
            return "" if ok else lines[-1].lower()
        except LinkError as error:
            return str(error)

    def _leave(self):
        """Out of data mode -> "OK", a reason why the call is over, or "" when the modem stays in it."""
        modem = self._modem
        modem._patient = True
        yield _GUARD_MS
        if not self._lasts():
            return ""
        modem._channel.reader.reset()
        modem._channel.out.append(b"+++")
        self._tail = b""
        line = yield (_ANSWER, _ANSWER_MS)
        return line[len(_ANSWER) :] if line else ""

    def _lasts(self):
        """The call may have ended meanwhile."""
        return self._modem.state == "connected" and self._modem._dialler.online

    # --- for the engine, in the multiplexer's place ---

    def receive(self, data):
        """Bytes from the port -> those for the channel."""
        if not self._deaf:
            return data
        if self._tail is None:
            return b""
        self._tail += data
        for end, word in ((_OUT, b"OK"), (_OVER, b"no carrier")):
            at = self._tail.find(end)
            if at >= 0:
                self._deaf = False
                return b"\r\n%s%s\r\n" % (_ANSWER.encode(), word) + self._tail[at + len(end) :]
        self._tail = self._tail[-len(_OVER) :]
        return b""

    def poll(self):
        """What takes too long is given up."""
        modem = self._modem
        if modem._due is not None and modem._now >= self._until:
            modem._due = modem._now

    def deadline(self, due):
        """When poll() is due (ms)."""
        return self._until if due is None else min(due, self._until)

    def flush(self):
        """Nothing is put into frames."""

    close = flush
