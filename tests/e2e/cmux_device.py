"""A device that keeps asking for the signal while a data call runs over the same serial port. Both interpreters.

usage: python|micropython cmux_device.py ROOT PATH CMUX PORT MODE
The agent's modem engine with a driver in small: it connects, sends datagrams by PPP, reads the signal meanwhile, hangs
up, and does that once more. MODE kill: it ends in the midst of the call. It prints what happens.
"""

import sys
import time

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/tests/e2e")

from ppp_device import below, datagram, now  # noqa: E402

from agent.engine.modem import Modem  # noqa: E402
from agent.session import Session  # noqa: E402
from boards.tty import Tty  # noqa: E402

END = time.time() + 90


class Interface:
    """Takes a TUN interface's place: `got` is what has arrived."""

    packets, stream = True, None

    def __init__(self):
        self.got, self.sent, self.own = [], [], None

    def up(self, address, peer):
        self.own = (address, peer)

    def write(self, data):
        self.got.append(data)

    def read(self):
        return self.sent.pop(0) if self.sent else b""

    def ended(self):
        return None

    def stop(self):
        pass

    kill = stop


class Device:
    def __init__(self, path, cmux):
        self.port, self.modem = Tty(path), Modem("auto", "iot", below, "ppp", cmux=cmux)
        self.states, self.channel, self.session = [], None, None

    def turn(self):
        """Let things happen for a moment."""
        if time.time() > END:
            raise SystemExit("too late: %s" % self.states)
        time.sleep(0.002)
        data = self.port.read()
        if data and self.channel is True:
            self.session.receive(data, now())
        elif data:
            self.modem.receive(data, now())
        due = self.modem.deadline()
        if due is not None and due <= now():
            self.modem.poll(now())
        for item in self.modem.take():
            self.obey(*item)
        if self.session:
            self.session.poll(now())
            self.push()

    def obey(self, what, *details):
        if what == "serial":
            self.port.write(details[0])
        elif what == "state":
            self.states.append(details[0])
        elif what == "data" and self.session:
            self.session.receive(details[0], now())
        elif what == "session" and details[0]:
            self.channel, self.session = details[0], Session(Interface(), below)
            self.session.start(now())
        elif what == "session" and self.session:
            self.session.stop(now())

    def push(self):
        data = self.session.take()
        if data:
            (self.port if self.channel is True else self.channel).write(data)
        if self.session.reason is not None:
            why, self.session, self.channel = self.session.reason, None, None
            print("session over:", why)
            self.modem.session(why, now())

    def until(self, condition):
        while not condition():
            self.turn()

    def call(self, number):
        """Datagrams of some size, and the signal in between."""
        self.modem.target("connected", now())
        self.until(lambda: self.session and self.session.port.own)
        port, own = self.session.port, self.session.port.own
        print("address", own[0], "at once" if self.channel is True else "beside AT")
        for turn in range(3):
            text = b"%d" % turn * 300
            port.sent.append(datagram(own[0], own[1], number, text))
            self.session.readable(now())
            self.modem.signal, self.modem._looked = None, -100000
            self.modem._wake()
            self.until(lambda: port.got and (self.channel is True or self.modem.signal is not None))
            assert port.got.pop()[28:] == text
        print("signal", self.modem.signal)


def main(path, cmux, number, mode):
    device = Device(path, cmux)
    for _ in range(2):
        device.call(int(number))
        if mode == "kill":
            break
        device.modem.target("registered", now())
        device.until(lambda: device.modem.state == "registered" and not device.session)
        device.states.clear()
    print("end")


main(*sys.argv[2:])
