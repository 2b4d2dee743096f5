"""Our DTLS client on a socket, under either Python: sends one datagram a line of answers, tells what happens.

usage: python|micropython dtls_client.py ROOT PORT IDENTITY KEY-HEX REPEATS SECONDS HEX...
Each HEX is sent when the one before was answered. Prints "up BYTES-OUT BYTES-IN", "plain HEX", "refused WHY" and, at
the end, "closed WHY".
"""

import os
import select
import socket
import sys
import time

sys.path.insert(0, sys.argv[1])

from agent.engine.dtls import Dtls  # noqa: E402 - only now can it be found


def below(n):
    return int.from_bytes(os.urandom(4), "big") % n


def now():
    return time.ticks_ms() if hasattr(time, "ticks_ms") else time.monotonic_ns() // 1000000


class Client:
    """The client, its socket and what it has yet to send."""

    def __init__(self, port, identity, key, repeats, seconds, *texts):
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.connect(socket.getaddrinfo("127.0.0.1", int(port))[0][-1])
        self.guard = Dtls(identity.encode(), bytes.fromhex(key), below, repeats=int(repeats))
        self.texts, self.end, self.out, self.back = list(texts), now() + int(seconds) * 1000, 0, 0

    def say(self):
        """Sends the next text, or the end."""
        if self.texts:
            self.guard.send(bytes.fromhex(self.texts.pop(0)), now())
        else:
            self.guard.close(now())
        return self.flush()

    def flush(self):
        """Does what the client wants; False: it was the last."""
        for event in self.guard.take():
            if event[0] == "udp":
                self.wire.send(event[1])
                self.out += len(event[1])
            elif event[0] == "plain":
                print("plain", event[1].hex())
                return self.say()
            elif event[0] == "up":
                print("up", self.out, self.back)
            elif event[0] != "keep":
                print(*event)
                return False
        return True

    def run(self):
        ready = select.poll()
        ready.register(self.wire, select.POLLIN)
        going = self.say()
        while going and now() < self.end:
            if ready.poll(20):
                data = self.wire.recv(2048)
                self.back += len(data)
                self.guard.receive(data, now())
            self.guard.poll(now())
            going = self.flush()


Client(*sys.argv[2:]).run()
