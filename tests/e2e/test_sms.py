"""L1: a device without IP, with nothing but a modem, bootstraps, registers, reports and is read by short messages."""

import asyncio
import json
import sys

import pytest
from modem_device import until

from agent.codec import sms
from pointsman.tools.firmware.launch import command, find_micropython
from pointsman.tools.modem import centre as centres
from pointsman.tools.modem.emulator import Emulator
from pointsman.tools.servers.configuration import Configuration
from pointsman.tools.servers.messages import ADDRESS, Face
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

BOTH = pytest.mark.parametrize("python", ["cpython", "micropython"])
DEVICE, PLATFORM, CONFIGURATION, STRANGER = "+491700000007", "+491700000001", "+491700000002", "+491799999999"
QUICK = {"boot": 20, "sim": 5, "attach": 20, "dial": 20, "message": 5}
TRIGGER = b"\x40\x02\x00\x01\xb1\x31\x01\x30\x01\x38"  # CON POST /1/0/8
HEAD = "040B919471700000F1" + "0004" + "62113121436500"  # up to the length of the user data
PACE = {ADDRESS: 0.5}  # these messages are quicker than real ones
SETTINGS = {"endpoint": "meter-7", "insecure": True, "links": "sms", "bootstrap_uri": "sms:" + CONFIGURATION,
            "sms_per_day": 5000, "sms_ack_timeout_ms": 3000}  # fmt: skip


class World:
    """A centre, the servers with their faces, a modem that never gives a context, and an agent process."""

    def __init__(self, folder, python):
        self.folder, self.python = folder, python
        self.events, self.log, self.process = [], [], None

    def note(self, actor, event, **fields):
        self.events.append((actor, event, fields))

    def seen(self, actor, event):
        return [fields for one, name, fields in self.events if (one, name) == (actor, event)]

    def logged(self, actor, event):
        return [entry for entry in self.log if (entry["actor"], entry["event"]) == (actor, event)]

    async def __aenter__(self):
        self.centre, self.books = centres.Centre(self.note), Storage()
        self.platform = Platform(self.books, "127.0.0.1", 0, self.note, slow=PACE)
        self.configuration = Configuration(self.books, "127.0.0.1", 0, self.note, slow=PACE)
        await self.platform.start()
        await self.configuration.start()
        self.faces = [self.face(PLATFORM, self.platform), self.face(CONFIGURATION, self.configuration)]
        account = {"uri": "sms:" + PLATFORM, "ssid": 1, "links": "sms", "lifetime": 3600}
        await self.configuration.prepare("meter-7", [account], {"report_period_s": 1})
        self.modem = Emulator(ms=QUICK, number=DEVICE, centre=self.centre, log=self.note)
        await self.modem.start()
        return self

    def face(self, number, server):
        address = ("127.0.0.1", int(server.uri.rpartition(":")[2]))
        face = Face(number, address, lambda tpdu: self.centre.submit(number, tpdu), self.note, quiet_s=0.3)
        self.centre.attach(number, face.take)
        return face

    async def __aexit__(self, *_):
        await self.kill()
        for face in self.faces:
            face.close()
        await self.modem.stop()
        await self.configuration.stop()
        await self.platform.stop()
        await self.centre.stop()
        self.books.close()

    async def start(self, **settings):
        file = self.folder / "agent.json"
        options = {"dir": str(self.folder / "store"), "links": [], "modem": self.modem.path}
        file.write_text(json.dumps({"board": "linux", "options": options, "settings": {**SETTINGS, **settings},
                                    "log": "json"}))  # fmt: skip
        if self.python == "micropython":
            words = command(find_micropython() or pytest.skip("no micropython"), file)
        else:
            words = [sys.executable, "-c", "import sys; from firmware.main import main; sys.exit(main(sys.argv[1]))",
                     str(file)]  # fmt: skip
        self.process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        self.reading = asyncio.create_task(self._read())

    async def kill(self):
        if self.process:
            self.process.kill()
            await self.process.wait()
            await self.reading

    async def _read(self):
        async for line in self.process.stdout:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"actor": "output", "event": line.decode().rstrip()})

    async def until(self, condition, what):
        end = asyncio.get_running_loop().time() + 120
        while not condition():
            late = asyncio.get_running_loop().time() > end or self.process.returncode is not None
            assert not late, "%s; log:\n%s" % (what, "\n".join(map(str, self.log[-30:] + self.events[-10:])))
            await asyncio.sleep(0.01)

    async def registered(self, times=1):
        await self.until(lambda: len(self.seen("platform", "registered")) >= times, "registered")

    def send(self, sender, data):
        """A message from a number that has no server."""
        for pdu, _ in sms.encode(DEVICE, data, reference=200):
            self.centre.submit(sender, bytes.fromhex(pdu)[1:])


def scenario(python, folder, steps, **settings):
    async def main():
        async with World(folder, python) as world:
            await world.start(**settings)
            await steps(world)
            assert not world.logged("run", "failed") and not world.seen("platform", "bug")

    asyncio.run(main())


@BOTH
def test_bootstraps_registers_reports_and_is_read_without_ip(python, tmp_path):
    """L1: no context, no socket, no discovery: 8-bit messages only."""

    async def steps(world):
        await world.registered()
        await world.until(lambda: world.seen("configuration", "bootstrapped"), "bootstrapped")
        assert len(world.seen("configuration", "bootstrapped")) == 1
        await world.until(lambda: world.platform.registrations(live=True), "in the books")
        (row,) = world.platform.registrations(live=True)
        assert (row["endpoint"], row["binding"]) == ("meter-7", "S")
        await world.until(lambda: sum(told["stored"] for told in world.seen("platform", "readings")) >= 2, "readings")
        assert (await world.platform.read("meter-7", "/26242/0/5")) == "sms"
        await world.platform.write("meter-7", "/26242/0/1", 30)
        assert (await world.platform.read("meter-7", "/26242/0/1")) == 30
        assert len(str(await world.platform.read("meter-7", "/3"))) > 20
        assert not world.seen("modem", "context")
        await world.until(lambda: world.modem.messages.box() == {}, "deleted")

    scenario(python, tmp_path, steps)


@BOTH
def test_messages_that_are_lost_doubled_late_and_out_of_order(python, tmp_path):
    async def steps(world):
        await world.registered()
        await world.until(lambda: sum(told["stored"] for told in world.seen("platform", "readings")) >= 3, "readings")
        await world.until(lambda: world.logged("registration", "registered"), "told of it")
        assert world.centre.lost
        values = [row["sequence"] for row in world.platform.readings("meter-7")]
        assert values == sorted(set(values))

    async def main():
        async with World(tmp_path, python) as world:
            world.centre.faults.update(lose=7, repeat=4, delay_ms=20, shuffle_ms=100)
            await world.start(sms_ack_timeout_ms=1000)
            await steps(world)

    asyncio.run(main())


@BOTH
def test_a_trigger_is_a_hint_and_not_too_often(python, tmp_path):
    """From anybody: an Update at once; the next one within a minute is counted and nothing more. Nobody but the server
    that is spoken to gets an answer."""

    async def steps(world):
        await world.registered()
        await world.until(lambda: world.logged("registration", "registered"), "told of it")
        world.send(STRANGER, TRIGGER)
        await world.until(lambda: world.seen("platform", "updated"), "an Update")
        await world.until(lambda: world.logged("sms", "trigger"), "the trigger")
        assert len(world.logged("sms", "trigger")) == 1
        world.send(STRANGER, TRIGGER)
        world.send(STRANGER, b"\x40\x03\x00\x02\xb1\x31\x01\x30\x01\x31\xff\x11\x3c")  # PUT /1/0/1
        world.send(CONFIGURATION, b"\x40\x04\x00\x03")  # DELETE /, of a server whose turn is over
        counted = lambda: world.asked["sms"]["strange"] >= 2 and world.asked["sms"]["too_often"]  # noqa: E731
        await asked(world, counted)
        assert len(world.logged("sms", "trigger")) == len(world.seen("platform", "updated")) == 1
        numbers = {told["number"] for told in world.seen("centre", "submitted")}
        assert STRANGER not in numbers and not world.logged("exchange", "unauthorized")

    scenario(python, tmp_path, steps, report_period_s=1000)


@BOTH
def test_hostile_messages_are_counted(python, tmp_path):
    async def steps(world):
        await world.registered()
        for pdu in ("00", "04", "0405", "FF" * 100, HEAD + "8D" + "00" * 141, HEAD[:-2] + "0405AA"):
            await world.modem.control({"do": "message", "pdu": pdu})
        for reference in range(7):  # one part of seven datagrams, and of those one has 255 parts
            part = "44" + HEAD[2:] + "0A050003%02X%02X01" % (reference, 255 if reference == 6 else 2) + "40404040"
            await world.modem.control({"do": "message", "pdu": part})
        await asked(world, lambda: world.asked["sms"]["refused"] >= 6 and world.asked["sms"]["incomplete"] == 2)
        await world.until(lambda: world.modem.messages.box() == {}, "deleted")
        assert (await world.platform.read("meter-7", "/26242/0/5")) == "sms"

    scenario(python, tmp_path, steps)


@BOTH
def test_a_network_for_messages_only(python, tmp_path):
    """+CREG 6: registered for short messages only (TS 27.007 7.2)."""

    async def main():
        async with World(tmp_path, python) as world:
            await world.modem.control({"do": "registration", "verdict": "messages"})
            await world.start()
            await world.registered()
            await world.modem.control({"do": "coverage", "on": False})
            await world.until(lambda: world.logged("links", "down"), "down")
            await world.modem.control({"do": "coverage", "on": True})
            await world.registered(2)

    asyncio.run(main())


async def asked(world, condition):
    """Until what the agent says of itself fulfils a condition."""
    place = world.folder / "store"
    world.asked = {"sms": dict.fromkeys(("strange", "too_often", "refused", "incomplete"), 0)}

    def look():
        answer = place / "diag.json"
        if answer.exists():
            world.asked = json.loads(answer.read_text())
        (place / "diag.ask").touch()
        return condition()

    await world.until(look, "counted")


def test_over_a_socket(tmp_path):
    """A server's face in another process than the centre: JSON lines."""

    async def main():
        place = str(tmp_path / "centre")
        centre, got = centres.Centre(), []
        await centre.start(place)
        one = centres.Party(place, DEVICE, got.append)
        other = centres.Party(place, PLATFORM, got.append)
        await one.start()
        await other.start()
        with pytest.raises(ValueError, match="has this number"):
            await centres.Party(place, PLATFORM, got.append).start()
        for pdu, _ in sms.encode(PLATFORM, bytes(range(200))):
            one.submit(bytes.fromhex(pdu)[1:])
        one.submit(b"\x01\x02")
        await until(lambda: len(got) >= 2, "both parts")
        parts = [sms.decode(b"\0" + tpdu) for tpdu in got]
        assert sms.join(parts)["data"] == bytes(range(200)) and parts[0]["number"] == DEVICE
        await one.stop()
        await other.stop()
        await centre.stop()

    asyncio.run(main())
