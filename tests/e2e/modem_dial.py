"""The agent's modem engine dials, and its PPP carries datagrams, again after each loss. Both interpreters, no root.

usage: python|micropython modem_dial.py ROOT PATH PORT TEXT...
It prints "up ADDRESS", "answer TEXT" and "lost STATE"; after a loss it goes on with the next text.
"""

import sys
import time

sys.path.insert(0, sys.argv[1])

from agent.engine.modem import Modem  # noqa: E402
from agent.engine.ppp import Ppp  # noqa: E402
from boards.tty import Tty  # noqa: E402

PATIENCE_MS = 120000


def now():
    return int(time.time() * 1000)


def below(n):
    return now() * 7919 % n


def number(address):
    return bytes([int(part) for part in address.split(".")])


def datagram(source, target, port, text):
    """An IPv4 packet with UDP in it; a UDP checksum of zero says that there is none (RFC 768)."""
    head = b"\x45\0" + (28 + len(text)).to_bytes(2, "big") + b"\0\0\0\0\x40\x11\0\0" + number(source) + number(target)
    total = sum([head[at] << 8 | head[at + 1] for at in range(0, 20, 2)])
    total = (total >> 16) + (total & 0xFFFF)
    check = (~(total + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
    body = (40000).to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + len(text)).to_bytes(2, "big") + b"\0\0" + text
    return head[:10] + check + head[12:] + body


class Device:
    """The driver in small; `call` is the PPP of the data call that is going on."""

    def __init__(self, path, port, texts):
        self.tty, self.modem = Tty(path), Modem("auto", "iot", session="ppp")
        self.port, self.texts, self.call, self.state = port, texts, None, ""

    def turn(self):
        """Once around: what came, what is due, what is to be done."""
        data = self.tty.read()
        if self.call:
            self.call.receive(data, now())
            self.call.poll(now())
            self.carry()
        elif data:
            self.modem.receive(data, now())
        self.modem.poll(now())
        for item in self.modem.take():
            self.obey(item)

    def obey(self, item):
        if item[0] == "serial":
            self.tty.write(item[1])
        elif item[0] == "session" and item[1]:
            self.call = Ppp(below)
            self.call.open(now())
        elif item[0] == "session":
            self.hang_up("told to")
        elif item[0] == "state" and self.state == "connected":
            print("lost", item[1])
        if item[0] == "state":
            self.state = item[1]

    def carry(self):
        call = self.call
        for item in call.take():
            if item[0] == "serial":
                self.tty.write(item[1])
            elif item[0] == "up":
                print("up", item[1])
                call.send(datagram(item[1], item[2], self.port, self.texts[0].encode()))
            elif item[0] == "packet":
                print("answer", item[1][28:].decode())
                self.texts = self.texts[1:]
            else:
                self.hang_up(item[1])

    def hang_up(self, reason):
        self.call = None
        self.modem.session(reason, now())


def main(path, port, *texts):
    device, end = Device(path, int(port), texts), now() + PATIENCE_MS
    device.modem.target("connected", now())
    while device.texts and now() < end:
        device.turn()
        time.sleep(0.002)
    if device.texts:
        print("left in state", device.modem.state, device.modem.reason)


main(*sys.argv[2:])
