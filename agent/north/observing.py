"""Information reporting: who observes what of the object tree, and when each is told (LwM2M 1.1 Core 6.4).

Loaded while somebody observes. An observation ends with the registration in which it was made (6.2.1). Where the
server wants it (/1/x/6) its notifications go on being taken while it cannot be reached, and reach it, with their
times, when it observes the same again. So does a confirmable one that was not acknowledged. (Readings of the meter are
in the journal besides, which a registrar empties: engine/reports.py.)
"""

import binascii

from ..codec import coap, senml
from ..engine import tree_reading, tree_rows
from ..engine.notices import Notice
from ..engine.objects import spelled
from ..errors import RemoteError
from ..overlay import drop
from . import content

_SERVER = 1
_MIN_PERIOD, _MAX_PERIOD, _STORING, _CONFIRMED = 2, 3, 6, 26  # resources of /1/x
_WATCHES = 16
_STORED = 8  # notifications of one observation; hqmax says otherwise, up to
_STORED_MAX = 32
_SENML = (110, 112)


class Watch:
    """One observation: by which server (short id, instance of /1), of which paths, in which format."""

    lapsed = False  # whether a registration went by in which it was not renewed
    under_way = 0  # how many of `stored` a notification says that is not acknowledged yet

    def __init__(self, observer, account, request, paths, format):
        self.observer, self.ssid, self.instance = observer, account.ssid, account.instance
        self.paths, self.format = paths, format
        self.composite = request.code == coap.FETCH
        self.words = request.query
        self.stored = []  # [(ms, [(path, value)])]
        self.notice = None


class Observing:
    def __init__(self, north):
        self._north = north
        self._watches = []

    def register(self, request, account, paths, format, now):
        """The server was just answered what is at `paths`; what it missed while it was away follows."""
        watch = Watch(request.observer, account, request, paths, format)
        for before in self._watches[:]:
            same = before.paths == paths and before.ssid == watch.ssid and not self._alive(before)
            if before.observer == watch.observer or same:
                self._watches.remove(before)
                watch.stored, watch.under_way = before.stored, 0 if same else before.under_way
        self._refresh(watch)
        watch.notice = Notice(watch.rules, self._look(watch)[1], now)
        while len(self._watches) >= _WATCHES:
            self._watches.pop(0)
        self._watches.append(watch)
        self._catch_up(watch, now)

    def registered(self, ssid):
        """A registration begins: what its server observed in the last one but one is over for good. -> whether nothing
        is left."""
        for watch in self._watches[:]:
            if watch.ssid == ssid and watch.lapsed:
                self._watches.remove(watch)
            watch.lapsed = watch.lapsed or watch.ssid == ssid
        return not self._watches

    def lost(self, observer):
        """It wants no more, or does not answer. -> whether nothing is left."""
        self._watches = [watch for watch in self._watches if watch.observer != observer]
        return not self._watches

    def notified(self, observer):
        """What was said last has arrived. Of what was to be said since then, the newest is under way now."""
        for watch in self._watches:
            if watch.observer == observer:
                watch.stored = watch.stored[watch.under_way :][-1:]
                watch.under_way = len(watch.stored)

    def paths(self):
        """All that is observed."""
        return [path for watch in self._watches for path in watch.paths]

    def renew(self):
        """Attributes, or the server's settings, changed."""
        for watch in self._watches:
            self._refresh(watch)
            watch.notice.set_rules(watch.rules)

    def changed(self, path, now):
        if path[0] == _SERVER:
            self.renew()
        for watch in self._watches[:]:
            if [one for one in watch.paths if not [1 for a, b in zip(one, path) if a != b]]:
                self._judge(watch, now)

    def poll(self, now):
        for watch in self._watches[:]:
            at = watch.notice.deadline()
            if at is not None and now >= at:
                self._judge(watch, now)

    def deadline(self):
        times = [watch.notice.deadline() for watch in self._watches]
        times = [at for at in times if at is not None]
        return min(times) if times else None

    def _judge(self, watch, now):
        try:
            values, seen = self._look(watch)
            watch.notice.look(seen, now)
            if watch.notice.due(now):
                watch.notice.told(seen, now)
                self._tell(watch, values, now)
        except RemoteError as error:
            self._watches.remove(watch)
            code, text, _ = content.refusal(error)
            self._north.exchange.notify(watch.observer, code, text, None, now)

    def _look(self, watch):
        """-> ([(path, value)], what stands for it)."""
        objects = content.visible(self._north.objects, watch.ssid)
        if watch.composite:
            from . import composing

            values = composing.values(objects, watch.paths)
        else:
            values = tree_reading.read(objects, watch.paths[0])
        if len(values) == 1 and isinstance(values[0][1], (int, float, bool)):
            return values, values[0][1]
        return values, binascii.crc32(repr(values).encode())

    def _tell(self, watch, values, now):
        if not self._alive(watch):
            if not self._store(watch, values, now):  # nobody wants to have it later
                self._watches.remove(watch)
            return
        asked = () if watch.composite else watch.paths[0]
        kind = lambda where: tree_rows.kind(self._north.objects, where)
        payload, format = content.encode(asked, values, watch.format, kind, self._north.exchange.room())
        if self._arrives(watch, payload, format, now):
            return
        self._store(watch, values, now)
        watch.under_way = watch.under_way or len(watch.stored)

    def _arrives(self, watch, payload, format, now):
        """Tell the observer. -> whether no acknowledgement is to be waited for."""
        confirmed = bool(watch.rules.get("con"))
        return self._north.exchange.notify(watch.observer, coap.CONTENT, payload, format, now, confirmed) == 1

    def _store(self, watch, values, now):
        """-> whether the server wants to have it later."""
        most = min(watch.rules.get("hqmax", _STORED), _STORED_MAX)
        if not watch.storing or not most or watch.format not in _SENML:
            return False
        watch.stored.append((now, values))
        del watch.stored[:-most]
        return True

    def _catch_up(self, watch, now):
        """What was stored, as one notification: records with their times (1.1 Core 7.4.5)."""
        if not watch.stored or watch.under_way or watch.format not in _SENML:
            return
        wall = self._north.wall()
        records = []
        for taken, values in watch.stored:
            at = wall - (now - taken) // 1000 if wall else (taken - now) // 1000
            records += [(spelled(path), value, at) for path, value in values]
        watch.under_way = len(watch.stored)
        out = self._north.exchange.room()
        senml.pack(records, "", watch.format == _SENML[0], out)
        if self._arrives(watch, out, watch.format, now):
            watch.stored, watch.under_way = [], 0

    def _alive(self, watch):
        return watch.observer in [observer for observer, _, _ in self._north.exchange.observed()]

    def _refresh(self, watch):
        """What holds: as said with the observation (1.2 Core 6.4.1), else as attached, else as the account has it."""
        rules = {}
        for name, rid in (("pmin", _MIN_PERIOD), ("pmax", _MAX_PERIOD), ("con", _CONFIRMED)):
            if self._setting(watch, rid):
                rules[name] = self._setting(watch, rid)
        book = self._north.store.get("attributes", {})
        if book or watch.words:
            from ..engine import attributes

            for path in watch.paths:
                rules.update(attributes.inherited(book, watch.ssid, path))
            rules = attributes.merged(rules, watch.words, 4, None)
            drop("engine.attributes")
        watch.rules = rules
        watch.storing = self._setting(watch, _STORING) is not False

    def _setting(self, watch, rid):
        """A resource of the server's /1 instance, or None."""
        try:
            return self._north.objects.at((_SERVER,))[1](watch.instance, rid)
        except RemoteError:
            return None
