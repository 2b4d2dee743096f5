"""A device that one server manages: the northbound over a tree of test objects, joined with that server's exchange in
virtual time."""

from coap_pair import A, Pair

from agent.codec import coap
from agent.engine.objects import Objects
from agent.errors import RemoteError
from agent.north.lwm2m import Lwm2m

TABLE = """
0 R! str
1 RW! int
2 E -
3 RW* str
4 RW? float
5 W str
6 RW bool
7 RW?L opaque
8 RW? objlnk
9 R* int
"""
SERVER = """
0 R! int
1 RW! int
2 RW? int
3 RW? int
6 RW bool
26 RW? int
"""
WHOLE = {0: "thing", 1: 5, 3: {0: "a", 2: "c"}, 4: 1.5, 6: False, 9: [7, 8]}


class Things:
    """Object 33000: instances of the table above, to be created and deleted."""

    def __init__(self):
        self.there = {0: dict(WHOLE), 5: dict(WHOLE)}
        self.ran = []

    def enter(self, objects):
        objects.add(33000, TABLE, self.read, self.write, self.run, self.ids, create=self.create, delete=self.delete)

    def ids(self):
        return sorted(self.there)

    def read(self, instance, rid):
        return self.there[instance].get(rid)

    def write(self, instance, rid, value, really):
        if value == 13:
            raise RemoteError("unlucky")
        if really and value is None:
            self.there[instance].pop(rid, None)
        elif really:
            self.there[instance][rid] = value

    def run(self, instance, rid, arguments):
        self.ran.append((instance, rid, arguments))

    def create(self, instance, values, really):
        if 13 in values.values():
            raise RemoteError("unlucky")
        if really:
            self.there[instance] = values

    def delete(self, instance, really):
        if instance == 5:
            raise RemoteError("not this one", coap.NOT_ALLOWED)
        if really:
            del self.there[instance]


class Account:
    """The server's account on the device."""

    ssid, instance, lifetime_s, knows_epoch = 1, 0, 60, False

    def __init__(self, peer):
        self._peer = peer

    def peer(self, _link):
        return self._peer


class Managed(Pair):
    """`a` is the server, `b` the device; `notices` are responses that came unasked, or again."""

    def __init__(self, **options):
        Pair.__init__(self, **options)
        self.things, self.objects = Things(), Objects()
        self.things.enter(self.objects)
        self.objects.add(0, "\n0 RW str\n", None, hidden=True)
        self.objects.add(3, "\n0 R str\n4 E -\n", lambda _instance, rid: "maker", execute=self.things.run)
        self.servers = {0: {0: 1, 1: 60}, 1: {0: 2, 1: 60}}  # /1: instance: {resource: value}
        self.objects.add(1, SERVER, lambda instance, rid: self.servers[instance].get(rid), instances=lambda: [0, 1])
        self.kept = {}
        self.clock = 0
        self.north = Lwm2m(self.b, self.objects, self, lambda: self.clock)
        self.account = Account(A)
        self.notices, self.handles = [], []

    def settle(self):
        for event in self.b.events():
            if event[0] == "request":
                self.served.append(event[1])
                self.north.handle(event[1], self.account, self.now)
            elif event[0] in ("unobserved", "notified"):
                self.north.observer("lost" if event[0] == "unobserved" else "notified", event[1])
        self.got += self.a.events()

    def ask(self, code, path, payload=b"", **more):
        """The answer to one request; what else came is in `notices`."""
        segments = [part for part in path.split("/") if part]
        handle = self.a.request(("eth", "b", 5683), code, segments, self.now, payload=payload, **more)
        self.transfer()
        answers = [event[2] for event in self.got if event[0] == "response" and event[1] == handle]
        assert answers, self.got
        self.notices += [event[2] for event in self.got if event[0] == "response"][:]
        self.notices.remove(answers[0])
        self.got[:] = []
        self.handle = handle
        return answers[0]

    # the device's store

    def get(self, key, default=None):
        return self.kept.get(key, default)

    def keep(self, changes):
        self.kept.update(changes)
        self.kept = {key: self.kept[key] for key in self.kept if self.kept[key] is not None}

    def code(self, code, path, payload=b"", **more):
        """The answer's code as it is written."""
        return coap.dotted(self.ask(code, path, payload, **more).code)

    def observe(self, path, **more):
        """The first answer to an observation."""
        answer = self.ask(coap.GET, path, observe=0, **more)
        assert answer.code == coap.CONTENT and answer.observe is not None, coap.dotted(answer.code)
        self.handles.append(self.handle)
        return answer

    def set(self, rid, value, instance=0):
        """A value of object 33000 changes."""
        self.things.there[instance][rid] = value
        self.north.changed((33000, instance, rid), self.now)
        self.transfer()

    def told(self):
        """The payloads of the notifications since the last time, in their order."""
        self.transfer()
        found = [event[2] for event in self.got if event[0] == "response"]
        self.got[:] = []
        found, self.notices = self.notices + found, []
        return [notice.payload for notice in found]

    def pass_time(self, ms):
        """What is due by then happens."""
        end = self.now + ms
        while True:
            times = [at for at in (self.a.deadline(), self.b.deadline(), self.north.deadline()) if at is not None]
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            self.poll()
            self.north.poll(self.now)
            self.transfer()
        self.now = end
