"""Runs under CPython and MicroPython: prints what the exchange's datagrams with a payload cost, one line an operation:
its name, the bytes of heap that it allocates (MicroPython, nothing collected meanwhile), and the us that it takes.

usage: python|micropython payload_rendering.py TIMES
"""

import gc
import sys
import time

from agent.codec import coap
from agent.engine.exchange import Exchange
from agent.engine.objects import Objects
from agent.north.lwm2m import Lwm2m

PEER = ("eth", "192.0.2.1", 5683)
DEVICE = """
0 R str
1 R str
2 R str
3 R str
6 R* int
7 R* int
8 R* int
9 R int
10 R int
11 R* int
13 RW time
16 R str
17 R str
18 R str
19 R str
20 R int
21 R int
"""
VALUES = {0: "Open Mobile Alliance", 1: "Lightweight M2M Client", 2: "345000123", 3: "1.0", 6: [1, 5],
          7: [3800, 5000], 8: [125, 900], 9: 100, 10: 15, 11: [0], 13: 1367491215, 16: "UQ", 17: "meter", 18: "1.2.3",
          19: "4.5.6", 20: 1, 21: 128}  # fmt: skip
READINGS = [(7 + n, 1700000000 + 60 * n, 230.25 + n) for n in range(10)]
LINKS = [(3, 0), (4, 0), (7, 0), (10, 0), (11, 0), (13, 0), (504, 0), (3331, 0)]
MICRO = sys.implementation.name == "micropython"
ticks = getattr(time, "ticks_us", None) or (lambda: time.perf_counter_ns() // 1000)


class Account:
    ssid, instance, lifetime_s, knows_epoch = 1, 0, 60, True

    def peer(self, _link):
        return PEER


class Device:
    """The northbound over a device object and a sensor, both at hand; the server is what is written here."""

    def __init__(self):
        self.now, self.mid, self.value = 0, 0, 0.5
        self.exchange, objects = Exchange(lambda n: 7 % n), Objects()
        self.north = Lwm2m(self.exchange, objects, {}, lambda: 1700000000)
        for oid, instance in LINKS:
            objects.later(oid, None, (instance,))
        objects.add(3, DEVICE, lambda instance, rid: VALUES[rid])
        objects.add(3331, "\n5700 R float\n", lambda instance, rid: self.value)
        self.target = Account(), "eth"

    def request(self, code, path, *options):
        """The datagram of a request."""
        self.mid += 1
        options = [(coap.URI_PATH, part.encode()) for part in path.split("/")] + list(options)
        return coap.encode(coap.Message(coap.CON, code, self.mid & 0xFFFF, b"t", options))

    def take_in(self, data):
        self.now += 1000
        self.exchange.receive(PEER, data, self.now)
        for event in self.exchange.events():
            if event[0] == "request":
                self.north.handle(event[1], self.target[0], self.now)
        return self.exchange.take()

    def acknowledge(self, sent):
        """The server answers what was sent with 2.04."""
        asked = coap.decode(sent[0][1])
        self.take_in(coap.encode(coap.Message(coap.ACK, coap.CHANGED, asked.mid, asked.token)))

    # what is measured: each takes what prepare() gave

    def notify(self, _):
        self.value += 1
        self.now += 1000
        self.north.changed((3331, 0, 5700), self.now)
        return self.exchange.take()

    def send(self, readings):
        self.north.report(self.target, readings, self.now)
        return self.exchange.take()

    def register(self, _):
        self.north.register(self.target, "meter-0001", 5, self.now)
        return self.exchange.take()


def cost(device, operation, prepare, times, after=lambda sent: None):
    """-> (bytes allocated, us) of one of them, at best."""
    least, soonest = None, None
    for n in range(times + 1):
        given = prepare()
        if MICRO:
            gc.collect()
            gc.disable()
            before = gc.mem_alloc()
        began = ticks()
        sent = operation(given)
        took = ticks() - began
        if MICRO:
            took_up = gc.mem_alloc() - before
            gc.enable()
            least = took_up if n and (least is None or took_up < least) else least
        soonest = took if n and (soonest is None or took < soonest) else soonest
        assert len(sent) == 1
        after(sent)
    return least, soonest


def main(times):
    device = Device()
    senml = (coap.ACCEPT, b"\x70")
    read_one = lambda: device.request(coap.GET, "3331/0/5700")
    read_all = lambda: device.request(coap.GET, "3/0", senml)
    nothing = lambda: None
    rows = [("send1", device.send, lambda: READINGS[:1], device.acknowledge),
            ("send10", device.send, lambda: READINGS, device.acknowledge),
            ("register", device.register, nothing, device.acknowledge),
            ("read", device.take_in, read_one, nothing_more), ("read_device", device.take_in, read_all, nothing_more)]
    for name, operation, prepare, after in rows:
        print(name, *cost(device, operation, prepare, times, after))
    device.take_in(device.request(coap.GET, "3331/0/5700", (coap.OBSERVE, b""), senml))
    print("notify", *cost(device, device.notify, nothing, times))


def nothing_more(_):
    pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
