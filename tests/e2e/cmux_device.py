"""A device that keeps asking for the signal on one channel while another carries a data call. Both interpreters.

usage: python|micropython cmux_device.py ROOT PATH SIZE PORT
It prints what happens; the last lines are "signal N" (answers while data flowed) and "plain AT" (after closing down).
"""

import os
import sys
import time

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/tests/e2e")

from ppp_device import below, datagram, now  # noqa: E402

from agent.engine.cmux import Cmux  # noqa: E402
from agent.engine.ppp import Ppp  # noqa: E402
from boards.tty import Tty  # noqa: E402

END = time.time() + 25


class Device:
    """The driver in small: `heard` is what the AT channel said."""

    def __init__(self, path, size):
        self.port, self.mux, self.ppp = Tty(path), Cmux(size), Ppp(below)
        self.heard, self.text, self.events, self.online = b"", b"", [], False

    def turn(self):
        """Let things happen for a moment."""
        if time.time() > END:
            raise SystemExit("too late: %r %r" % (self.heard, self.events))
        time.sleep(0.002)
        self.mux.receive(self.port.read(), now())
        self.mux.poll(now())
        self.ppp.poll(now())
        for item in self.ppp.take():
            if item[0] == "serial":
                assert self.mux.write(2, item[1]) == len(item[1])
            else:
                self.events.append(item)
        for item in self.mux.take():
            if item[0] == "serial":
                self.port.write(item[1])
            elif item[0] == "channel" and item[1] == 1:
                self.heard += item[2]
            elif item[0] == "channel":
                self.data(item[2])
            else:
                self.events.append(item)

    def data(self, data):
        self.text = (self.text + data)[-4000:]
        if self.online:
            self.ppp.receive(data, now())
        elif b"CONNECT" in self.text:
            self.online = True
            self.ppp.open(now())

    def until(self, kind):
        """The first event of a kind."""
        while True:
            for event in self.events:
                if event[0] == kind:
                    self.events.remove(event)
                    return event
            self.turn()

    def plain(self, command, wanted):
        """A command without the multiplexer."""
        heard = b""
        while wanted not in heard:
            if time.time() > END:
                raise SystemExit("no answer: %r" % heard)
            self.port.write(command)
            time.sleep(0.1)
            heard += self.port.read()


def main(path, size, number):
    device = Device(path, int(size))
    device.plain(b"AT\r", b"OK")
    device.plain(b"AT+CMUX=0,0,5,%d\r" % device.mux._size, b"OK")
    time.sleep(0.15)
    device.mux.open(1, now())
    device.mux.open(2, now())
    print(device.until("up"), device.until("up"), device.until("up"))
    device.mux.write(2, b"ATD*99#\r")
    own = device.until("up")
    print("address", own[1])
    signals = 0
    for turn in range(5):
        text = b"%d" % turn * 300
        device.ppp.send(datagram(own[1], own[2], int(number), text))
        device.heard = b""
        device.mux.write(1, b"AT+CSQ\r")
        assert device.until("packet")[1][28:] == text
        while b"OK" not in device.heard:
            device.turn()
        signals += b"+CSQ: 22" in device.heard
    print("signal", signals)
    device.ppp.close(now())
    print(device.until("down"))
    while b"NO CARRIER" not in device.text:
        device.turn()
    device.mux.close(0, now())
    print(device.until("closed"))
    device.plain(b"AT\r", b"OK")
    print("plain AT")
    os._exit(0) if hasattr(os, "_exit") else None


main(*sys.argv[2:])
