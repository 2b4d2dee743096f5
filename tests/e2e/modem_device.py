"""A device on the modem emulator's port, for tests: the agent's modem engine with a driver in small, and a peer."""

import asyncio
import os
import random
import time
import tty

from agent.engine.modem import Modem
from pointsman.tools.modem.emulator import Emulator

QUICK = {"boot": 20, "sim": 5, "attach": 20, "dial": 20, "open": 5}


class Echo(asyncio.DatagramProtocol):
    """A peer on the internet: sends everything back, in capitals."""

    def __init__(self):
        self.seen = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.seen.append((data, address))
        self.transport.sendto(data.upper(), address)


class Device:
    """The agent's modem engine on the emulator's port: the driver in small."""

    def __init__(self, path):
        self.modem = Modem("auto", "iot", below=random.Random(1).randrange)
        self.states, self.datagrams = [], []
        self.seen = []  # (state, reason, ms)
        self.loop = asyncio.get_running_loop()
        self.timer = None
        self.open(path)

    def open(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        self.loop.add_reader(self.fd, self._readable)

    def close(self):
        self.loop.remove_reader(self.fd)
        if self.timer:
            self.timer.cancel()
        os.close(self.fd)
        self.fd = None

    def now(self):
        return int(time.monotonic() * 1000)

    def do(self, name, *args):
        result = getattr(self.modem, name)(*args, self.now())
        self._settle()
        return result

    def _readable(self):
        try:
            data = os.read(self.fd, 512)
        except OSError:
            data = b""
        if data:
            return self.heard(data)
        self.close()
        return self.do("lost")

    def heard(self, data):
        """Bytes from the port."""
        self.do("receive", data)

    def say(self, data):
        """Bytes for the port; what has no place on the line is lost."""
        if self.fd is not None:
            try:
                os.write(self.fd, data)
            except OSError:
                pass  # gone, or nobody reads; the next read says which

    def other(self, *item):
        """What else the engine wants done."""

    def _settle(self):
        for item in self.modem.take():
            if item[0] == "serial":
                self.say(item[1])
            elif item[0] == "state":
                self.states.append(item[1])
                self.seen.append(item[1:] + (self.modem._now,))
            elif item[0] == "datagram":
                self.datagrams.append(item[1:])
            else:
                self.other(*item)
        if self.timer:
            self.timer.cancel()
        due = self.modem.deadline()
        self.timer = due and self.loop.call_later(max(0, due - self.now()) / 1000, self.do, "poll")


async def until(condition, what, seconds=60):
    """Wait for a condition; fail with its name when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.005)


def scenario(steps, device=Device, **known):
    """Run `steps(emulator, device, echo)` with an emulator, a device on its port and a peer on the internet."""
    make = device

    async def run():
        emulator = Emulator(**{"ms": QUICK, **known})
        await emulator.start()
        echo = Echo()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: echo, local_addr=("127.0.0.1", 0))
        echo.port = transport.get_extra_info("sockname")[1]
        device = make(emulator.path)
        try:
            await steps(emulator, device, echo)
        finally:
            if device.fd is not None:
                device.close()
            transport.close()
            await emulator.stop()

    asyncio.run(run())
