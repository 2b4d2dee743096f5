"""Every modem family sends and receives short messages against the emulator with its profile: a trigger from anybody,
8-bit datagrams both ways, what came while it was away.
"""

import asyncio
import random

import pytest
from families import FAMILIES, every_family
from modem_device import QUICK, Device, until

from agent.codec import sms
from agent.engine.modem_texts import TextModem
from pointsman.tools.modem import centre
from pointsman.tools.modem.emulator import Emulator

pytestmark = pytest.mark.long
OWN, SERVER, STRANGER = "+491700000007", "+491700000001", "+491799999999"
TRIGGER = b"\x40\x02\x00\x01\xb1\x31\x01\x30\x01\x38"  # CON POST /1/0/8


class Texting(Device):
    """With an engine for messages; `messages` holds (number, data) of what came."""

    def __init__(self, path):
        self.messages, self.unsent = [], []
        Device.__init__(self, path)
        self.modem = TextModem("auto", "iot", random.Random(1).randrange)
        self.modem.data = False

    def other(self, what, *details):
        if what == "message":
            found = sms.decode(details[0])
            self.messages.append((found["number"], found["data"]))
        elif what == "unsent":
            self.unsent.append(details)


def submit(route, sender, data):
    """A message from this number, as its network hands it in."""
    for pdu, _ in sms.encode(OWN, data):
        route.submit(sender, bytes.fromhex(pdu)[1:])


@every_family
def test_messages_both_ways(profile):
    """L1: registered and no further; what waited, a trigger, datagrams of any bytes; each deleted or acknowledged."""

    async def main(route, emulator, device, heard):
        submit(route, STRANGER, b"early")
        device.do("target", "registered")
        await until(lambda: device.messages == [(STRANGER, b"early")], device.messages)
        assert device.modem._channel.family.__name__.rpartition(".")[2] == FAMILIES[profile]
        for data in (TRIGGER, bytes(range(140)), b"\0"):
            submit(route, SERVER, data)
            await until(lambda data=data: device.messages[-1] == (SERVER, data), device.messages)
            for pdu, length in sms.encode(SERVER, data):
                assert device.do("text", pdu, length)
            await until(lambda data=data: heard and heard[-1] == data, heard)
        assert len(device.messages) == 4 and not device.unsent
        await until(lambda: not emulator.messages.box() and not emulator.messages.owed, "deleted")
        assert device.modem.state == "registered" and not emulator.state.context(1).active

    play(profile, main)


def play(profile, steps):
    """steps(centre, emulator, device, what the server heard)"""

    async def run():
        route, heard = centre.Centre(), []

        def take(tpdu):
            heard.append(sms.decode(b"\0" + tpdu)["data"])
            return True

        route.attach(SERVER, take)
        emulator = Emulator(profile=profile, ms=QUICK, number=OWN, centre=route)
        await emulator.start()
        device = Texting(emulator.path)
        try:
            await steps(route, emulator, device, heard)
        finally:
            if device.fd is not None:
                device.close()
            await emulator.stop()
            await route.stop()

    asyncio.run(run())
