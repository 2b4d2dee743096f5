"""G1, G2: the platform pushes a policy to the members of a group over their sessions, serves those who were away at
their next contact, and hears how it ended. The members share no code with the agent."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiocoap.numbers.codes import Code
from fake_device import becomes
from pushed import ROLLED_BACK, TRIAL, Member, written

from agent.errors import LocalError
from pointsman.tools.groups.members import Group
from pointsman.tools.groups.planning import Terms
from pointsman.tools.policies import keys, signing
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.pushes import reported
from pointsman.tools.servers.storage import Storage


@pytest.fixture(scope="module")
def sign(tmp_path_factory):
    key = keys.create(tmp_path_factory.mktemp("keys") / "operator.pem")
    return lambda *what, **more: signing.sign(written(*what, **more), key)


@asynccontextmanager
async def platform(url="sqlite://", port=0):
    books = Storage(url)
    one = Platform(books, "127.0.0.1", port)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()
        books.close()


@asynccontextmanager
async def world(count, **more):
    """A platform with a group of so many members, none of them registered."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(platform(**more))
        devices = [await stack.enter_async_context(Member(f"dev{number}")) for number in range(count)]
        await one.pushes.groups.create(Group("meters"))
        await one.pushes.groups.include("meters", [device.name for device in devices])
        yield one, devices


def run(story, *arguments):
    asyncio.run(asyncio.wait_for(story(*arguments), 180))


def test_members_obey_at_once_and_at_their_next_contact(sign):
    """Done when 5: who was away is served by its registration, and the operator does nothing."""
    async def story():
        async with world(3) as (one, (first, second, away)):
            await first.register(one.uri)
            await second.register(one.uri)
            await one.pushes.push("meters", sign(7), Terms())
            await becomes(lambda: one.pushes.status("meters", 7)["counts"]["acknowledged"] == 2)
            told = one.pushes.status("meters", 7)
            assert told["state"] == "running" and told["counts"]["waiting"] == 1 and told["members"] == 3
            await away.register(one.uri)
            await becomes(lambda: one.pushes.status("meters", 7)["state"] == "complete")
            assert first.applied == second.applied == away.applied == [7]
            assert {row["reason"] for row in one.pushes.outcomes("meters", 7)} == {"applied"}
    run(story)


def test_a_registration_says_what_a_lost_acknowledgement_did(sign):
    """`pol=`: a member that has the version already is not asked, however it came by it."""
    async def story():
        async with world(1) as (one, (device,)):
            await one.pushes.push("meters", sign(7), Terms())
            await device.register(one.uri, more="&pol=%s.7.trial&pol=00.1.applied" % b"meters".hex())
            await becomes(lambda: one.pushes.outcomes("meters", 7)[0]["reason"] == "on trial")
            assert one.pushes.status("meters", 7)["state"] == "running"
            await device.update("?pol=%s.7.applied" % b"meters".hex())
            await becomes(lambda: one.pushes.status("meters", 7)["state"] == "complete")
            assert device.applied == []
    run(story)


def test_what_happens_later_comes_over_the_session_of_the_device(sign):
    async def story():
        async with world(2) as (one, (device, other)):
            device.status = TRIAL
            await device.register(one.uri)
            await other.register(one.uri)
            await one.pushes.push("meters", sign(7, trial_s=60), Terms())
            await becomes(lambda: device.applied == other.applied == [7])
            await becomes(lambda: one.pushes.status("meters", 7)["counts"]["acknowledged"] == 2)
            for forged in (other.says(7, 0), device.says(8, 0), device.says(7, 0, b"valves")):
                assert (await device.ask(one.uri + "/policy", payload=forged)).code == Code.CHANGED
            assert one.pushes.status("meters", 7)["state"] == "running"
            answer = await device.ask(one.uri + "/policy", payload=device.says(7, ROLLED_BACK))
            assert answer.code == Code.CHANGED
            assert one.pushes.status("meters", 7)["counts"]["rolled back"] == 1
            for payload in (b"", b"\xff", b"\x80", device.says(7, 12), b"\x00" * 300):
                assert (await device.ask(one.uri + "/policy", payload=payload)).code == Code.BAD_REQUEST
            await device.deregister()
            answer = await device.ask(one.uri + "/policy", payload=device.says(7, 0))
            assert answer.code == Code.NOT_FOUND
    run(story)


def test_a_restart_goes_on_with_who_has_not_answered(sign, tmp_path):
    async def story():
        url = f"sqlite:///{tmp_path}/platform.sqlite"
        async with world(2, url=url) as (one, (first, second)):
            await first.register(one.uri)
            await one.pushes.push("meters", sign(7), Terms())
            await becomes(lambda: one.pushes.status("meters", 7)["counts"]["acknowledged"] == 1)
            port = int(one.uri.rpartition(":")[2])
            await one.stop()
            async with platform(url, port) as again:
                assert again.pushes.status("meters", 7)["counts"]["waiting"] == 1
                await second.register(again.uri)
                await becomes(lambda: again.pushes.status("meters", 7)["state"] == "complete")
                assert first.applied == second.applied == [7]
                with pytest.raises(LocalError, match="version 7 has been, the next document needs 8"):
                    await again.pushes.push("meters", sign(7), Terms())
    run(story)


def test_pause_abort_and_what_cannot_be_pushed(sign):
    async def story():
        async with world(1) as (one, (device,)):
            pushes = one.pushes
            await pushes.push("meters", sign(7), Terms())
            assert (await pushes.change("meters", 7, "pause"))["state"] == "paused"
            await device.register(one.uri)
            assert (await pushes.change("meters", 7, "resume"))["state"] == "running"
            await becomes(lambda: device.applied == [7])
            await becomes(lambda: pushes.status("meters", 7)["state"] == "complete")
            await device.deregister()
            await pushes.push("meters", sign(8), Terms())
            with pytest.raises(LocalError, match="version 8 is on its way; abort it first"):
                await pushes.push("meters", sign(9), Terms())
            assert (await pushes.change("meters", 8, "abort"))["state"] == "aborted"
            await device.register(one.uri)
            await pushes.push("meters", sign(9), Terms())
            await becomes(lambda: device.applied == [7, 9])
            assert pushes.versions("meters") == [9, 8, 7] and pushes.status("meters", 8)["state"] == "aborted"
            for document, said in ((b"", "no device takes this document"), (b"\xd2\x84", "no device takes"),
                                   (sign(10, "valves"), "for another group than meters"),
                                   (sign(10, expiry=5), "has expired")):
                with pytest.raises(LocalError, match=said):
                    await pushes.push("meters", document, Terms())
            parts = pushes.plan("meters", sign(10), Terms())
            assert [(part.way, part.members, part.datagrams) for part in parts] == [("unicast", 1, 1)]
    run(story)


def test_a_later_joiner_gets_it(sign):
    async def story():
        async with world(1) as (one, (device,)):
            await device.register(one.uri)
            await one.pushes.push("meters", sign(7), Terms())
            await becomes(lambda: one.pushes.status("meters", 7)["state"] == "complete")
            async with Member("late") as late:
                await late.register(one.uri)
                await one.pushes.groups.include("meters", ["late"])
                await becomes(lambda: late.applied == [7])
                await becomes(lambda: one.pushes.status("meters", 7)["members"] == 2)
    run(story)


def test_what_a_registration_may_say():
    assert reported(["ep=a", "pol=6d.7.applied", "pol=6E.1.x", "pol=6.1.x", "pol=6e.99999999999.x", "pol=",
                     "pol=6e.2.Trial", "pol=6f.0.none"]) == {b"m": (7, "applied"), b"o": (0, "none")}
    assert len(reported(["pol=%04x.1.applied" % number for number in range(50)])) == 16


@pytest.mark.parametrize("broker", [False, True])
def test_a_broker_is_used_where_there_is_one(sign, broker):
    """Who can, takes it from the topic; without a broker everybody is asked."""
    async def story():
        published, books = [], Storage()
        publish = (lambda *what: published.append(what)) if broker else None
        one = Platform(books, port=0, publish=publish)
        await one.start()
        await one.pushes.groups.create(Group("meters", topic="policies/meters"))
        await one.pushes.groups.device("dev0", ["mqtt"])
        await one.pushes.groups.include("meters", ["dev0"])
        async with Member("dev0") as device:
            await device.register(one.uri)
            document = sign(7)
            await one.pushes.push("meters", document, Terms())
            assert published == ([("policies/meters", document)] if broker else [])
            if broker:
                await device.ask(one.uri + "/policy", payload=device.says(7, 0))
            await becomes(lambda: one.pushes.status("meters", 7)["state"] == "complete")
            assert device.applied == ([] if broker else [7])
        await one.stop()
        books.close()
    run(story)
