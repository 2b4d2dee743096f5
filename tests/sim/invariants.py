"""What must hold after every event of the simulation, and what must hold in the end.

Cheap on purpose: each check compares a few numbers, and the expensive ones (is the store readable? is a
reading gone?) run when something could have changed them - at a power cut, at an acknowledgement - not after
each of the many thousand events.
"""

import sys

from agent.store import Journal, Store

REGISTERED_WITHIN_MS = 60000
# One gateway-platform exchange with all its retransmissions: MAX_TRANSMIT_WAIT of RFC 7252 4.8.2.
ROUND_TRIP_MS = 93000
FOUND_OUT_WITHIN_MS = 660000  # the lifetime of the accounts in stage.py, and a minute
_PLAIN = (int, float, str, bytes, bytearray, tuple, type(sys))
_ELSEWHERE = ("journal", "_procedure")  # bounded by a setting; a generator
TABLE_MAX = 64  # items of any list, dict or set in the agent


def largest(thing, name, depth=0):
    """-> (items, where) of the largest container among an object's attributes and theirs."""
    best = (0, name)
    inside = getattr(thing, "__dict__", {}) if depth < 5 else {}
    for attribute in inside:
        value = inside[attribute]
        if attribute in _ELSEWHERE or value is None or callable(value):
            continue
        where = "%s.%s" % (name, attribute)
        if isinstance(value, (list, dict, set)):
            best = max(best, (len(value), where))
        elif not isinstance(value, _PLAIN):
            best = max(best, largest(value, where, depth + 1))
    return best


class Book:
    """What one device's outbox promised and what the servers took over: the readings, each followed to the
    end."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.values = {}  # sequence -> value, as append() returned it
        self.acknowledged = {}  # sequence -> value, as a server acknowledged it
        self.dropped = 0
        self.epoch = 0
        self._epochs = {}  # epoch -> the registrar it was given to
        self.configured = False

    def attach(self, device, agent):
        """Watch the outbox of a freshly started agent."""
        journal = agent.journal
        append, acknowledge = journal.append, journal.acknowledge

        def appended(wall, value):
            sequence = append(wall, value)
            assert sequence not in self.values, "sequence %d given twice" % sequence
            self.values[sequence] = value
            return sequence

        def forgotten(upto):
            for sequence, _, _ in journal.pending(64):
                if sequence <= upto:
                    assert sequence in self.acknowledged, "reading %d forgotten unacknowledged" % sequence
            acknowledge(upto)

        journal.append, journal.acknowledge = appended, forgotten

    def take_over(self, found):
        """A server acknowledges [(sequence, value)]: from now on it answers for them."""
        for sequence, value in found:
            known = self.values.get(sequence, value)
            assert known == value, "sequence %d had another value" % sequence
            assert self.acknowledged.get(sequence, value) == value, "sequence %d counted anew" % sequence
            self.acknowledged[sequence] = value

    def use_epoch(self, epoch, registrar):
        """An epoch stands for one registrar: with the same one at two of them nobody could tell which is the newer."""
        assert self._epochs.get(epoch, registrar) == registrar, "epoch %d at two registrars" % epoch
        self._epochs[epoch] = registrar

    def after_cut(self, device):
        """A fresh reader of what the flash holds now finds the identity and every reading that nobody
        acknowledged."""
        medium = device.flash.copy()
        store = Store(medium)
        assert not store.damaged, "the store is unreadable after a power cut"
        self.configured = self.configured or store.get("config") is not None
        assert store.get("config") is not None or not self.configured, "the accounts are gone"
        epoch = store.get("epoch", 0)
        assert epoch >= self.epoch, "the epoch went back from %d to %d" % (self.epoch, epoch)
        self.epoch = epoch
        self._outbox_whole(Journal(medium, device.values["outbox_max"]))

    def _outbox_whole(self, journal):
        waiting = {}
        for sequence, _, value in journal.pending():
            assert self.values.get(sequence, value) == value, "reading %d changed on the flash" % sequence
            waiting[sequence] = value
        lost = [s for s in self.values if s not in self.acknowledged and s not in waiting]
        assert len(lost) <= journal.dropped, "readings lost at a power cut: %s" % lost

    def settle(self, books, queue, journal):
        """The end: every reading is in the platform's books once, unless the outbox said that it dropped
        it."""
        missing = [s for s in self.acknowledged if s not in books]
        assert not missing, "acknowledged readings lost: %s" % missing
        assert not queue, "the gateway still holds %d payloads" % len(queue)
        waiting = [record[0] for record in journal.pending()]
        missing = [s for s in self.values if s not in books and s not in waiting]
        assert len(missing) <= journal.dropped, "readings lost: %s, dropped %d" % (missing, journal.dropped)
        counted = [books[s] for s in books]
        assert len(set(counted)) == len(counted), "a measurement counted twice"
        assert len(waiting) <= 1, "%d readings still wait" % len(waiting)


class Since:
    """For how long something has been true without a break, in world time."""

    def __init__(self):
        self.start = None
        self.longest = 0
        self.total = 0

    def mark(self, true, now):
        """-> ms since it is true, 0 when it is not."""
        if not true:
            if self.start is not None:
                self.total += now - self.start
            self.start = None
            return 0
        if self.start is None:
            self.start = now
        self.longest = max(self.longest, now - self.start)
        return now - self.start


class Watch:
    """The check that the world makes after every event."""

    def __init__(self, stage):
        self.stage = stage
        self.latest = 0  # ms: the longest that a device with a working path was not registered
        self._turn = 0
        self._devices = []
        for device in stage.devices:
            self._devices.append((device, Since(), Since(), Since(), Since(), Since()))

    def __call__(self, world):
        gateway, platform = self.stage.gateway.records, self.stage.platform.records
        for device, away, eth, lte, twice, phantom in self._devices:
            agent, name = device.agent, device.name
            registrar = agent.registration.registrar if agent else None
            if device.touched:  # else nothing of it can have changed
                device.touched = False
                if registrar:
                    self._one_registrar(device, agent, registrar)
                if agent:
                    self._bounded(device, agent, registrar, phantom)
            if registrar is None or away.start is not None:
                self._registered_in_time(device, registrar, away, eth, lte, world.now)
            there = platform.get(name)
            if (there and not there.via and name in gateway) or twice.start is not None:
                self._one_record(name, twice, world.now)

    def _one_registrar(self, device, agent, registrar):
        """W2 on the device: it believes in one registrar, and only over a link that is up."""
        link = registrar[1]
        assert agent.links.is_up(link), "registered over %s, which is down" % link
        assert link != "eth" or device.eth.up, "registered over a pulled cable"
        assert registrar[0].allows(link), "registered over a link that the account forbids"

    def _bounded(self, device, agent, registrar, phantom):
        """Nothing queues without end: the outbox at once, every other table every few hundred events."""
        assert agent.journal.count <= device.values["outbox_max"], "the outbox overflows"
        self._turn += 1
        if self._turn % 16 == 0:
            self._known(device, registrar, phantom)
        if self._turn % 499 == 0:
            size, where = largest(agent, "agent")
            assert size <= TABLE_MAX, "%s holds %d items" % (where, size)

    def _registered_in_time(self, device, registrar, away, eth, lte, now):
        """A device with a working path is registered within a minute. (Paths are timed while it is not registered.)"""
        stage = self.stage
        lost = device.powered and registrar is None
        out = away.mark(lost, now)
        known = device.book.configured or stage.configuration.up
        welcome = stage.gateway.up and device.name not in stage.gateway.banned
        by_eth = eth.mark(lost and known and device.eth.up and welcome, now)
        by_lte = lte.mark(lost and known and device.lte.up and stage.platform.up and device.modem.serving, now)
        late = min(out, max(by_eth, by_lte))
        self.latest = max(late, self.latest)
        assert late <= REGISTERED_WITHIN_MS, "not registered for %d s with a working path" % (late // 1000)

    def _one_record(self, name, twice, now):
        """W2 on the servers: never two live records for longer than one exchange between gateway and platform."""
        stage = self.stage
        both = stage.wan.up and stage.gateway.live(name) and stage.platform.direct(name)
        length = twice.mark(bool(both), now)
        assert length <= ROUND_TRIP_MS, "two live records for %d s" % (length // 1000)

    def _known(self, device, registrar, phantom):
        """Whom the device believes to be registered with finds out within a lifetime when that is not so."""
        stage, now = self.stage, self.stage.world.now
        known = True
        if registrar and registrar[1] == "eth":
            known = not stage.gateway.up or stage.gateway.live(device.name)
        elif registrar:
            known = not (stage.platform.up and device.modem.serving) or stage.platform.direct(device.name)
        length = phantom.mark(not known, now)
        assert length <= FOUND_OUT_WITHIN_MS, "its registrar does not know it for %d s" % (length // 1000)

    def worst(self):
        """-> the longest times (ms): without registration though a path was there, and with two live
        records."""
        return self.latest, max([item[4].longest for item in self._devices])
