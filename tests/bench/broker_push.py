"""mqtt.5k.last_s: a document from the platform's publisher through Eclipse Mosquitto to 5,000 subscribers on loopback
TCP, QoS 1, until the last one has it.

The subscribers are sockets of one process, with the packets of the device's codec. What they got is taken apart and
acknowledged when the last one has it: 5,000 devices do so each by itself, not one after the other on the machine whose
broker is measured.
"""

import asyncio
import contextlib
import os
import resource
import select
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from agent.codec import mqtt
from pointsman.tools.faults import PROGRAM, Fault
from pointsman.tools.servers.broker import Broker

TOPIC, SIZE, ROUNDS = "pointsman/groups/6d6574657273", 300, 5
_LONGEST_S = 60
_AT_ONCE = 100  # connections on their way: a listener's queue is short


def measure(quick=False):
    """One row: the median of some rounds."""
    count = 1000 if quick else 5000
    _files(2 * count + 100)
    with _mosquitto() as port, _publisher(port) as publish:  # it first: its select() takes no numbers over 1023
        crowd = Crowd(port, count)
        took = []
        for _ in range(ROUNDS):
            begun = publish(os.urandom(SIZE))
            took.append(crowd.receive() - begun)
        crowd.close()
    return [{"value": round(statistics.median(took), 3), "interpreter": "cpython", "n": count}]


class Crowd:
    """So many subscribers of TOPIC."""

    def __init__(self, port, count):
        self._poll, self._open = select.epoll(), {}
        for first in range(0, count, _AT_ONCE):
            names = range(first, min(first + _AT_ONCE, count))
            for name in names:
                self._join(port, "meter-%d" % name)
            self._until(mqtt.SUBACK, len(names))

    def receive(self):
        """Until each has the next message; when the last one had it (s)."""
        end, got = time.monotonic() + _LONGEST_S, {}
        while len(got) < len(self._open):
            _check(end, len(self._open) - len(got))
            for number, _ in self._poll.poll(1):
                got[number] = got.get(number, b"") + self._open[number][0].recv(4096)
        last = time.monotonic()
        missing = len(got) - sum(self._take_in(*self._open[number], data, mqtt.PUBLISH) for number, data in got.items())
        if missing:  # some came in pieces
            self._until(mqtt.PUBLISH, missing)
            last = time.monotonic()
        return last

    def close(self):
        for sock, _ in self._open.values():
            sock.close()

    def _join(self, port, name):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(mqtt.connect(name, 600) + mqtt.subscribe(1, [TOPIC]))
        sock.setblocking(False)
        self._open[sock.fileno()] = sock, mqtt.Reader(2048)
        self._poll.register(sock, select.EPOLLIN)

    def _until(self, kind, count):
        end = time.monotonic() + _LONGEST_S
        while count:
            _check(end, count)
            for number, _ in self._poll.poll(1):
                sock, reader = self._open[number]
                count -= self._take_in(sock, reader, sock.recv(4096), kind)

    def _take_in(self, sock, reader, data, kind):
        """-> how many packets of this kind have come."""
        if not data:
            raise Fault("the broker has hung up on a subscriber", "run it again")
        found = reader.feed(data)
        for packet in found:
            if packet[0] == mqtt.PUBLISH:
                sock.sendall(mqtt.puback(mqtt.publication(packet[1], packet[2])[2]))
        return len([packet for packet in found if packet[0] == kind])


def _check(end, missing):
    if time.monotonic() > end:
        raise Fault("%d subscribers have heard nothing for %d s" % (missing, _LONGEST_S), "run it again")


@contextlib.contextmanager
def _publisher(port):
    """A function that publishes a document and says when (s): the platform's publisher, in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    publisher = Broker("mqtt://127.0.0.1:%d" % port, lambda event, **fields: None)

    async def begin():
        publisher.start()
        publisher.publish(TOPIC, b"")
        await publisher.settled()

    async def publish(document):
        begun = time.monotonic()
        publisher.publish(TOPIC, document)
        return begun

    def done(scene):
        return asyncio.run_coroutine_threadsafe(scene, loop).result(_LONGEST_S)

    try:
        done(begin())
        yield lambda document: done(publish(document))
    finally:
        done(publisher.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def _mosquitto():
    """The port of a broker of this run."""
    program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        raise Fault("no `mosquitto` found", "apt-get install mosquitto", PROGRAM)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "mosquitto.conf")
        config.write_text("user root\nlistener %d 127.0.0.1\nallow_anonymous true\nlog_type none\n" % port)
        process = subprocess.Popen([program, "-c", config], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def _wait_for(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port)).close()
        time.sleep(0.02)
    raise Fault("mosquitto does not take connections", "run it again")


def _files(wanted):
    """So many open files, for the broker too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < wanted:
        raise Fault("%d open files are needed, %d are allowed" % (wanted, most), "raise the hard limit: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
