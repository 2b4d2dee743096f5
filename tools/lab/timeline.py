"""What a lab run looks like: JSON lines for programs, a line drawing of the two tracks for people.

Both have the same methods, so the story does not know which one it talks to:
`event` (anything any part of the lab did), `waits` and `done` (the acts), `summary`, `say`, `close`.
"""

import collections
import json
import sys
import time

from .. import terminal
from .acts import NAMED
from .tracks import Tracks, readings

_COLOURS = {
    "lab": "1;33",
    "portal": "35",
    "configuration": "35",
    "gateway": "32",
    "platform": "36",
    "modem": "34",
    "device": "2",
    "dim": "2",
    "bad": "1;31",
    "good": "1;32",
    "bold": "1",
}
_TOLD = {  # (part of the agent, event): what it means
    ("agent", "started"): "starts; its epoch is %(epoch)s, %(pending)s readings wait in its store",
    ("discovery", "searching"): "asks over %(link)s: where is the configuration server?",
    ("links", "up"): "carrier on %(link)s",
    ("links", "down"): "no carrier on %(link)s",
    ("modem", "identity"): "its modem is a %(manufacturer)s %(model)s, IMEI %(imei)s, SIM %(iccid)s",
    ("modem", "connecting"): "dials",
    ("modem", "disconnecting"): "hangs up",
    ("policies", "applied"): "applies %(setting)s = %(value)s",
    ("registration", "requested"): "asks %(registrar)s over %(link)s, epoch %(epoch)s",
    ("reports", "dropped"): "its store is full",
}
_LINKS = {"eth": "Ethernet", "lte": "4G"}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Lines:
    """One JSON object a line: `{"t": ms since the start, "actor": ..., "event": ..., ...}`."""

    def __init__(self, out=None):
        self.out = out or sys.stdout
        self.started = time.time()

    def event(self, actor, event, **fields):
        row = {"t": round((time.time() - self.started) * 1000), "actor": actor, "event": event}
        row.update((k, v) for k, v in fields.items() if k not in row)
        self._write(row)

    def waits(self, device, name, seen=None):
        pass

    def done(self, device, name, tracks=None, detail="", **fields):
        self.event(NAMED[name].actor, "act", act=name, device=device, detail=detail, **fields)

    def broken(self, device, error, tail):
        self.event("lab", "broken", device=device, act=error.act, expected=error.expected, seen=error.seen, log=tail)

    def summary(self, total, devices):
        row = {"event": "summary"}
        row.update(total)
        if len(devices) > 1:
            row["devices"] = devices
        self._write(row)

    def moved(self, device, place, actor, text):
        self.event(actor, "moved", device=device, on=place.on, cable=place.cable, bearer=place.bearer, text=text)

    def settled(self, device, place):
        pass

    def draw(self, title, since, times):
        pass

    def say(self, text):
        self.event("lab", "note", text=text)

    def tick(self):
        pass

    def close(self):
        pass

    def _write(self, row):
        self.out.write(json.dumps(row, default=str, ensure_ascii=False) + "\n")
        self.out.flush()


def unicode_capable(out):
    return "utf" in (getattr(out, "encoding", "") or "").lower()


class Timeline:
    """For people: seconds, the two tracks with the device on one of them, who, what; and what is being waited for."""

    def __init__(self, count, title, out=None, verbose=False, rows=None):
        """rows(total, devices): (what, figure, remark) of the summary."""
        self.out = out or sys.stdout
        self.count = count
        self.verbose = verbose
        self._rows = rows or figures
        self.started = time.time()
        self.tracks = Tracks(count, unicode_capable(self.out))
        self._colour = terminal.colourful(self.out)
        self._live = self.out.isatty()
        self._waiting = {}  # device -> name of the act it waits for
        self._since = {}
        self._reached = {}  # act -> {device: seconds it was waited for}
        self._turn = 0
        self._head(title)

    def event(self, actor, event, **fields):
        """Everything else: of one device what it tells of itself; all of it for those who asked for it."""
        if self.verbose:
            told = " ".join("%s=%s" % item for item in fields.items())
            self._line(self.tracks.same(), actor, self._paint("dim", "%s %s" % (event, told)))
        elif self.count == 1 and (fields.get("part"), event) in _TOLD:
            known = collections.defaultdict(str, fields, link=_LINKS.get(fields.get("link"), ""))
            text = _TOLD[fields["part"], event] % known
            self._line(self.tracks.same(), "device", self._paint("dim", text))

    def waits(self, device, name, seen=None):
        """`device` begins to wait for the act `name`; seen() says in words what there is so far."""
        self._waiting[device] = (name, seen)
        self._since[device] = time.time()

    def done(self, device, name, tracks=None, detail="", **fields):
        """`device` has passed the act `name`, and is at this Place. With many devices the line comes when the last one
        has; with the name of the group and no place it is an act of the whole."""
        self._waiting.pop(device, None)
        reached = self._reached.setdefault(name, {})
        reached[device] = time.time() - self._since.pop(device, time.time())
        drawing = self.tracks.move(device, tracks) if tracks else self.tracks.same()
        act = NAMED[name]
        if len(reached) < self.count and not act.whole:
            return
        if self.count > 1 and not act.whole:
            slowest = max(reached.values())
            detail = "all %d%s" % (len(reached), ", slowest %.2f s" % slowest if slowest >= 0.01 else "")
        text = self._paint("bold", act.text) if act.actor == "lab" else act.text
        self._line(drawing, act.actor, text + (self._paint("dim", "  " + detail) if detail else ""))

    def broken(self, device, error, tail):
        self._line(self.tracks.same(), "lab", self._paint("bad", "%s: %s" % (device, error)))
        for row in tail:
            self._print(self._paint("dim", "           | " + row))

    def settled(self, device, place):
        """It has been told elsewhere what brought `device` to this place."""
        self._waiting.pop(device, None)
        self.tracks.move(device, place)

    def draw(self, title, since, times):
        """Readings at these times (Unix s), a column a second, and the moment `since`."""
        self._print("   %s %s" % (title, readings(since, times, self.tracks.unicode)))

    def summary(self, total, devices):
        """total: the figures of all; devices: {endpoint: figures}."""
        self._print("")
        for name, value, remark in self._rows(total, devices):
            self._print("   %-38s %s  %s" % (name, self._paint("bold", "%-8s" % value), self._paint("dim", remark)))
        for name, own in devices.items():
            if not own["ok"]:
                self._print("   " + self._paint("bad", "%s: %s" % (name, own["broken"] or _what_is_wrong(own))))
        good = total["ok"]
        self._print("")
        self._print("   " + self._paint("good" if good else "bad", "The story holds." if good else "It does NOT hold."))
        self._print("")

    def moved(self, device, place, actor, text):
        self._line(self.tracks.move(device, place), actor, text)

    def say(self, text):
        self._line(self.tracks.same(), "lab", text)

    def tick(self):
        """Redraws the waiting line; called ten times a second, does nothing where nobody looks."""
        if not self._live or not self._waiting:
            return
        self._turn += 1
        device, (name, seen) = min(self._waiting.items(), key=lambda item: list(NAMED).index(item[1][0]))
        wheel = _SPINNER[self._turn % len(_SPINNER)] if self.tracks.unicode else "|/-\\"[self._turn % 4]
        text = "waiting for %s" % NAMED[name].hope
        if self.count > 1 and not NAMED[name].whole:
            text += ", %d of %d" % (len(self._reached.get(name, ())), self.count)
        elif seen:
            text += ", " + seen()
        text = text[: terminal.width() - 40]
        waited = time.time() - self._since.get(device, time.time())
        self.out.write(
            "\r\x1b[K %8s  %s  %s %s"
            % ("", self.tracks.same(), wheel, self._paint("dim", "%s, %.1f s" % (text, waited)))
        )
        self.out.flush()

    def close(self):
        if self._live:
            self.out.write("\r\x1b[K")
            self.out.flush()

    def _head(self, title):
        self._print("")
        self._print(" " + self._paint("bold", title))
        self._print("")
        self._print(self._paint("dim", " %8s  %s" % ("", self.tracks.heading())))

    def _line(self, drawing, actor, text):
        seconds = "%7.2f s" % (time.time() - self.started)
        who = self._paint(actor, "%-13s" % actor) if actor else ""
        self._print(" %s  %s   %s %s" % (self._paint("dim", seconds[1:]), drawing, who, text))

    def _print(self, text):
        self.out.write(("\r\x1b[K" if self._live else "") + text.rstrip() + "\n")
        self.out.flush()

    def _paint(self, name, text):
        return "\x1b[%sm%s\x1b[0m" % (_COLOURS.get(name, "0"), text) if self._colour else text


def figures(f, devices):
    """(what, figure, remark) rows of the story of each."""
    worst = "the slowest of %d" % len(devices) if len(devices) > 1 else ""
    hold = "of which %s are the hold against flapping" % ms(f["hold_ms"])
    exchange = "one gateway-platform exchange: %s" % ms(f["exchange_ms"])
    yield "readings in the books", f["readings"], "lost %d, duplicated %d" % (f["lost"], f["duplicated"])
    yield "cable pulled - registered over 4G", ms(f["failover_ms"]), worst
    yield "cable back - registered over Ethernet", ms(f["failback_ms"]), hold
    yield "with two registrars at a time", ms(f["double_registration_ms"]), exchange


def _what_is_wrong(own):
    if own["lost"] or own["duplicated"]:
        return "lost %d, duplicated %d" % (own["lost"], own["duplicated"])
    if own["exchange_ms"] is None:
        return "the platform never told the gateway that the device had moved"
    return "two registrations for %s, an exchange takes %s" % (
        ms(own["double_registration_ms"]),
        ms(own["exchange_ms"]),
    )


def ms(value):
    """A time (ms) for people."""
    if value is None:
        return "-"
    if value < 1000:
        return "%.1f ms" % value if value < 100 else "%d ms" % value
    return "%.2f s" % (value / 1000)
