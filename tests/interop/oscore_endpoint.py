"""The exchange with OSCORE on a real socket, under either interpreter: a client that does what it is told, or a server.

usage: oscore_endpoint.py client PORT STATE STEP...    get:PATH put:PATH:TEXT big:PATH observe:PATH:COUNT replay move
       oscore_endpoint.py server PORT STATE            GET /p, PUT /p (tells its observers), GET /large

STATE is the file of what has to be kept; without it the keys count as never used. One line is printed for each step.
"""

import os
import select
import socket
import sys
import time

from agent.codec import coap
from agent.engine.exchange import Exchange
from agent.engine.oscore import Context, Oscore

SECRET = b"Correct Horse Battery Staple"
PATIENCE_MS = 10000
BODY = "0123456789" * 200


def below(n):
    return int.from_bytes(os.urandom(4), "big") % n


def clock():
    return int(time.time() * 1000)


class Endpoint:
    """One socket, one peer's context."""

    def __init__(self, port, path, context):
        self.path = path
        self.poll, self.sock = select.poll(), None
        self.bind(port)
        self.exchange = Exchange(below)
        self.guard = Oscore(context, below, self._kept())
        self.peer, self.events, self.last, self.answers = None, [], b"", []

    def bind(self, port):
        """From now on at this port; 0 for any."""
        if self.sock:
            self.poll.unregister(self.sock)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        self.poll.register(self.sock, select.POLLIN)

    def _kept(self):
        try:
            with open(self.path) as file:
                return [int(word) for word in file.read().split()]
        except OSError:
            return None

    def step(self):
        """Waits for a datagram or what is due, and does it."""
        due = self.exchange.deadline()
        if self.poll.poll(500 if due is None else max(0, min(500, due - clock()))):
            data, address = self.sock.recvfrom(2048)
            self.peer = "lo", address
            self.guard.receive(data, clock())
            self.answers = self.answers[-3:] + [data]
        else:
            self.exchange.poll(clock())
        self.settle()

    def settle(self):
        """Carries datagrams between exchange, guard and socket until there are none."""
        self._do()
        while True:
            out = self.exchange.take()
            self.events += self.exchange.events()
            if not out:
                return
            for self.peer, data in out:
                self.guard.send(data, clock())
                self._do()

    def _do(self):
        for kind, what in self.guard.take():
            if kind == "keep":
                with open(self.path + ".new", "w") as file:
                    file.write(" ".join([str(number) for number in what]))
                os.rename(self.path + ".new", self.path)
            elif kind == "udp":
                self.last = what if coap.header(what)[1] else self.last
                self.sock.sendto(what, self.peer[1])
            elif kind == "plain":
                self.exchange.receive(self.peer, what, clock())
            else:
                print(kind, what)

    def event(self):
        """The next event, or None when none comes."""
        end = clock() + PATIENCE_MS
        while not self.events and clock() < end:
            self.step()
        return self.events.pop(0) if self.events else None


def show(event):
    """One line about how a request ended."""
    if not event or event[0] != "response":
        return str(event)
    text = str(event[2].payload, "utf-8")
    return "%s %s" % (coap.dotted(event[2].code), text if len(text) < 100 else "%d characters" % len(text))


def client(endpoint, server, steps):
    for step in steps:
        kind, _, rest = step.partition(":")
        path, _, text = rest.partition(":")
        if kind == "replay":
            print(replay(endpoint, server))
            continue
        if kind == "move":
            endpoint.bind(0)
            continue
        code = coap.GET if kind in ("get", "observe") else coap.PUT
        body = BODY if kind == "big" else text if kind == "put" else ""
        endpoint.exchange.request(server, code, (path,), clock(), payload=body.encode(),
                                  observe=0 if kind == "observe" else None)
        endpoint.settle()
        for _ in range(int(text) if kind == "observe" else 1):
            print(show(endpoint.event()))
    sent = endpoint.exchange.counters["sent"] - endpoint.exchange.counters["repeated"]
    print("counters", sorted(endpoint.guard.counters.items()), "sent", sent)


def replay(endpoint, server):
    """What the server says to the newest request under another message id."""
    data = endpoint.last
    endpoint.answers = []
    endpoint.sock.sendto(data[:2] + bytes((data[2] ^ 0x55,)) + data[3:], server[1])
    end = clock() + PATIENCE_MS
    while not endpoint.answers and clock() < end:
        endpoint.step()
    answer = coap.decode(endpoint.answers[0])
    return "%s %s" % (coap.dotted(answer.code), str(answer.payload, "utf-8"))


def serve(endpoint):
    value = b"none"
    print("serving")
    while True:
        endpoint.step()
        while endpoint.events:
            event = endpoint.events.pop(0)
            if event[0] != "request":
                continue
            code, payload = coap.CONTENT, BODY.encode() if event[1].path == ("large",) else value
            if event[1].code == coap.PUT:
                code, payload, value = coap.CHANGED, b"", event[1].payload
                print("put %d bytes" % len(value))
            endpoint.exchange.respond(event[1], code, clock(), payload)
            for observer, _, _ in endpoint.exchange.observed(("p",)) if code == coap.CHANGED else ():
                endpoint.exchange.notify(observer, coap.CONTENT, value, 0, clock())
        endpoint.settle()


def main(role, port, path, *steps):
    if role == "server":
        return serve(Endpoint(int(port), path, Context(SECRET, b"salt", b"\x01", b"file")))
    endpoint = Endpoint(0, path, Context(SECRET, b"salt", b"\x01", b"file"))
    client(endpoint, ("lo", socket.getaddrinfo("127.0.0.1", int(port))[0][-1]), steps)


main(*sys.argv[1:])
