"""After the story the lab stays up: what a user may do to the devices, one command a line."""

import asyncio
import os
import sys
import time

_LOOK_S = 0.05
HELP = """\
pull, plug            the Ethernet cable
coverage on, off      the mobile network
sim in, out           the SIM card
cut                   a power cut in the middle of the next write, then power again
period SECONDS        the platform changes the report period
status                where every device is
quit                  de-register, sum up, end
A number after the command means that device only: pull 2"""


class Console:
    """`await Console(yard, show).run()` until quit or the end of the input."""

    help = HELP

    def __init__(self, yard, show):
        self._yard = yard
        self._show = show
        self._places = {}
        self._lines = asyncio.Queue()
        self._commands = {
            "pull": self._pull,
            "plug": self._plug,
            "coverage": self._coverage,
            "sim": self._sim,
            "cut": self._cut,
            "period": self._period,
            "status": self._status,
        }
        self._whole = {}  # commands that concern all devices together

    async def run(self):
        self._show.say("it stays up. commands: %s, quit; help explains" % ", ".join([*self._commands, *self._whole]))
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin, self._read)
        watching = asyncio.create_task(self._watch())
        try:
            while (line := await self._lines.get()) != "quit":
                await self._obey(line.split())
        finally:
            loop.remove_reader(sys.stdin)
            watching.cancel()

    def _read(self):
        # The descriptor itself: a text stream would keep lines in a buffer that nothing wakes us for.
        data = os.read(sys.stdin.fileno(), 4096)
        if not data:
            self._lines.put_nowait("quit")
        for line in data.decode("utf-8", "replace").splitlines():
            self._lines.put_nowait(line.strip())

    async def _obey(self, words):
        if not words:
            return
        if words[0] not in (*self._commands, *self._whole):
            for line in self.help.splitlines():
                self._show.say(line)
            return
        try:
            if words[0] in self._whole:
                await self._whole[words[0]](*words[1:])
            else:
                await self._each(*self._chosen(words))
        except (TypeError, ValueError):
            self._show.say("that was not understood; help explains")
        except Exception as error:  # a device that cannot answer now is part of the game
            self._show.say("%s: %s" % (words[0], str(error) or type(error).__name__))

    async def _each(self, devices, words):
        if not devices:
            self._show.say("there is no such device; the last one is %d" % len(self._yard.devices))
        for device in devices:
            await self._commands[words[0]](device, *words[1:])

    def _chosen(self, words):
        devices = self._yard.devices
        named = len(words) > 1 and words[-1].isdigit() and (words[0] != "period" or len(words) > 2)
        if not named:
            return devices, words
        return devices[int(words[-1]) - 1 :][:1], words[:-1]

    async def _pull(self, device):
        device.cable.pull()
        self._moved(device, "lab", "cable pulled")

    async def _plug(self, device):
        device.cable.plug()
        self._moved(device, "lab", "cable back")

    async def _coverage(self, device, what):
        await device.modem.coverage({"on": True, "off": False}[what])
        self._moved(device, "lab", "coverage %s" % what)

    async def _sim(self, device, what):
        await device.modem.sim({"in": True, "out": False}[what])
        self._moved(device, "lab", "SIM %s" % what)

    async def _cut(self, device):
        device.fuse.set()
        deadline = time.monotonic() + 30
        while not device.fuse.blown and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_S)
        device.moments.cuts += 1
        await device.lose_power()
        self._moved(device, "lab", "power cut, and power again")
        await device.power_up()

    async def _period(self, device, seconds):
        await asyncio.wait_for(self._yard.platform.write(device.endpoint, "/26242/0/1", int(seconds)), 10)
        self._moved(device, "platform", "report period %s s" % seconds)

    async def _status(self, device):
        place, name = self._place(device), device.endpoint
        on = {"eth": "with the gateway, over Ethernet", "lte": "with the platform, over 4G"}.get(place.on, "nowhere")
        self._show.say(
            "%s: registered %s; cable %s; modem %s; %d readings in the books, %d missing"
            % (
                name,
                on,
                "in" if place.cable else "out",
                device.modem.says(),
                self._yard.books.count(name),
                self._yard.books.lost(name),
            )
        )

    async def _watch(self):
        """Says when a device has moved to the other track."""
        while True:
            for device in self._yard.devices:
                place = self._place(device)
                before = self._places.get(device.endpoint)
                if before and before.on != place.on:
                    who = {"eth": "gateway", "lte": "platform"}.get(place.on, "lab")
                    self._moved(device, who, "registered here" if place.on else "registered nowhere")
                self._places[device.endpoint] = place
            await asyncio.sleep(_LOOK_S)

    def _moved(self, device, actor, text):
        name = "" if len(self._yard.devices) == 1 else device.endpoint + ": "
        self._show.moved(device.endpoint, self._place(device), actor, name + text)

    def _place(self, device):
        return self._yard.place(device)
