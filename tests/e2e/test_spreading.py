"""G2, W4: a gateway announces policies on its LAN by multicast and passes its devices' acknowledgements on together."""

import asyncio
import os
import socket
from contextlib import asynccontextmanager

import cbor2
import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from fake_device import becomes
from pushed import DUPLICATE, Member, written

from agent.errors import RemoteError
from pointsman.tools.groups import wire
from pointsman.tools.groups.members import Group
from pointsman.tools.groups.planning import Terms
from pointsman.tools.policies import keys, signing
from pointsman.tools.servers.gateway import Gateway
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

PLACE = ("239.77.%d.%d" % divmod(os.getpid() % 65536, 256), 5685)  # nobody else's on this machine
APPLIED = "pol=%s.7.applied" % b"meters".hex()


class Listener(Member):
    """One that hears the group too; `deaf`: it does not. It acknowledges over its session, to its registrar."""

    def __init__(self, name, index, deaf=False):
        super().__init__(name)
        self.index, self.deaf, self.heard, self.tasks = index, deaf, 0, set()

    async def __aenter__(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(PLACE)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton(PLACE[0]) + socket.inet_aton("127.0.0.1"))
        sock.setblocking(False)
        self.sock = sock
        asyncio.get_running_loop().add_reader(sock, self._hear)
        return await super().__aenter__()

    async def __aexit__(self, *what):
        asyncio.get_running_loop().remove_reader(self.sock)
        self.sock.close()
        await asyncio.gather(*self.tasks)
        await super().__aexit__(*what)

    def _hear(self):
        message = Message.decode(self.sock.recv(2000))
        assert message.code == Code.POST and message.opt.uri_path == ("policy",)
        if self.deaf:
            return
        self.heard += 1
        told = wire.read_announcement(message.payload)
        version = cbor2.loads(cbor2.loads(told.document).value[2])[2]
        again = version in self.applied
        if not again:
            self.applied.append(version)
        if wire.speaks_to(told, self.index):
            says = self.says(version, DUPLICATE if again else self.status)
            task = asyncio.create_task(self.ask(self.location.partition("/rd")[0] + "/policy", payload=says))
            self.tasks.add(task)


@asynccontextmanager
async def site():
    """A platform, a gateway and what they have logged; there is a group with an address."""
    events, books, more = [], Storage(), Storage()

    def log(actor, event, **fields):
        events.append((event, fields))
    platform = Platform(books, port=0, log=log)
    await platform.start()
    gateway = Gateway(more, "127.0.0.1", 0, platform.uri, log)
    await gateway.start()
    await platform.pushes.groups.create(Group("meters", multicast=PLACE))
    try:
        yield platform, gateway, events
    finally:
        await gateway.stop()
        await platform.stop()
        books.close()
        more.close()


@pytest.fixture(scope="module")
def sign(tmp_path_factory):
    key = keys.create(tmp_path_factory.mktemp("keys") / "operator.pem")
    return lambda *what: signing.sign(written(*what), key)


def run(story):
    asyncio.run(asyncio.wait_for(story(), 180))


def test_one_datagram_reaches_all_on_a_lan_and_their_answers_come_together(sign):
    async def story():
        async with site() as (platform, gateway, events):
            await platform.pushes.groups.include("meters", ["dev0", "dev1", "dev2"])
            async with Listener("dev0", 0) as one, Listener("dev1", 1) as two, Listener("dev2", 2) as three:
                for device in (one, two, three):
                    await device.register(gateway.uri)
                await becomes(lambda: len(platform.registrations(live=True)) == 3)
                await platform.pushes.push("meters", sign(7), Terms())
                await becomes(lambda: platform.pushes.status("meters", 7)["state"] == "complete")
                assert one.applied == two.applied == three.applied == [7]
                assert platform.pushes.status("meters", 7)["sent"] == {"multicast": 1, "unicast": 0, "topic": 0}
                assert [fields["to"] for event, fields in events if event == "announced"] == ["%s:%d" % PLACE]
    run(story)


def test_who_does_not_hear_is_asked_by_unicast_through_the_gateway(sign):
    async def story():
        async with site() as (platform, gateway, _):
            await platform.pushes.groups.include("meters", ["dev0", "dev1"])
            async with Listener("dev0", 0) as one, Listener("dev1", 1, deaf=True) as deaf:
                await one.register(gateway.uri)
                await deaf.register(gateway.uri)
                await becomes(lambda: len(platform.registrations(live=True)) == 2)
                await platform.pushes.push("meters", sign(7), Terms())
                await becomes(lambda: platform.pushes.status("meters", 7)["state"] == "complete")
                assert one.applied == deaf.applied == [7]
                assert platform.pushes.status("meters", 7)["sent"]["unicast"] >= 1
    run(story)


def test_what_a_device_says_of_its_policies_goes_upstream(sign):
    """In the registration, and when it changes."""
    async def story():
        async with site() as (platform, gateway, _):
            await platform.pushes.groups.include("meters", ["dev0", "dev1"])
            await platform.pushes.push("meters", sign(7), Terms())
            async with Member("dev0") as one, Member("dev1") as two:
                await one.register(gateway.uri, more="&" + APPLIED)
                two.silent = True
                await two.register(gateway.uri)
                await becomes(lambda: platform.pushes.status("meters", 7)["counts"]["acknowledged"] == 1)
                await two.update("?" + APPLIED)
                await becomes(lambda: platform.pushes.status("meters", 7)["state"] == "complete")
                assert one.applied == two.applied == []
                two.silent = False
    run(story)


def test_nobody_answers_for_another(sign):
    async def story():
        async with site() as (platform, gateway, _):
            await platform.pushes.groups.include("meters", ["dev0", "dev1"])
            await platform.pushes.push("meters", sign(7), Terms())
            async with Member("dev0") as one, Member("dev1") as direct:
                forged = direct.says(7, 0)
                assert (await one.ask(gateway.uri + "/policy", payload=one.says(7, 0))).code == Code.NOT_FOUND
                assert (await one.ask(platform.uri + "/policy", payload=b"\x81" + forged)).code == Code.NOT_FOUND
                await one.register(gateway.uri, more="&" + APPLIED)
                for payload in (forged, b"", b"\xff", b"\x81" + one.says(7, 0)):
                    answer = await one.ask(gateway.uri + "/policy", payload=payload)
                    assert answer.code == Code.BAD_REQUEST
                await becomes(lambda: platform.pushes.status("meters", 7)["counts"]["acknowledged"] == 1)
                await one.ask(platform.uri + "/policy", payload=b"\x81" + forged)  # a gateway's host, not its device
                assert platform.pushes.status("meters", 7)["counts"]["waiting"] == 1
    run(story)


def test_a_batch_on_the_wire():
    told = [wire.Acknowledgement(b"a", b"g", 7, 0, None), wire.Acknowledgement(b"b", b"g", 7, 5, 2)]
    assert wire.read_batch(wire.batch(told)) == told
    for payload in (b"", b"\x80", b"\x81\x80", b"\xa0", b"\x81\x01", cbor2.dumps([[b"a", b"g", 7, 12]]),
                    cbor2.dumps([[b"a", b"g", 7, 0]] * 501)):
        with pytest.raises(RemoteError):
            wire.read_batch(payload)
