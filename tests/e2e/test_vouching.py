"""G1: the platform tells the members of groups who may sign for them, before it sends them what is signed, and again
where a device has lost that. The members share no code with the agent."""

import asyncio
import os
from contextlib import asynccontextmanager

import cbor2
import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from fake_device import becomes
from pushed import Member, written

from agent.errors import LocalError
from pointsman.tools import cli, faults
from pointsman.tools.groups.members import Group
from pointsman.tools.groups.planning import Terms
from pointsman.tools.policies import keys, signing
from pointsman.tools.policies.keys import Signer, Signers
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

TOKEN = b"0123456789abcdef"
DUPLICATE, SUPERSEDED = 3, 4


class Believer(Member):
    """One that takes documents of the version of keys that it has been told, or a later one; `wants`: that version;
    `code`: with which it answers keys."""

    def __init__(self, name, wants=1, code=Code.CHANGED):
        super().__init__(name)
        self.wants, self.code, self.keys, self.told = wants, code, 0, []

    def on_post(self, path, request):
        if path == "/policy/keys":
            return self._believe(cbor2.loads(cbor2.loads(request.payload).value[2])[1])
        if path == "/policy" and self.keys < self.wants:
            return Message(code=Code.BAD_REQUEST)
        return super().on_post(path, request)

    def _believe(self, version):
        self.told.append(version)
        if self.code != Code.CHANGED:
            return Message(code=self.code)
        status = DUPLICATE if version == self.keys else SUPERSEDED if version < self.keys else 0
        self.keys = max(version, self.keys)
        return Message(code=Code.CHANGED, payload=cbor2.dumps([status]))


@pytest.fixture(scope="module")
def pens(tmp_path_factory):
    """(the root's Key, the operator's, a function that makes a document of keys)."""
    folder = tmp_path_factory.mktemp("keys")
    root, operator, other = (keys.create(folder / name) for name in ("root.pem", "operator.pem", "other.pem"))

    def signers(version, *groups, by=root):
        known = Signers(version - 1)
        known.replace([Signer(operator.public, groups or [b"meters"])])
        return signing.sign_signers(known, by)
    return root, operator, other, signers


@asynccontextmanager
async def platform(*members, url="sqlite://", log=None):
    """A platform whose group has these members."""
    books = Storage(url)
    one = Platform(books, port=0, log=log)
    await one.start()
    try:
        if members:
            await one.pushes.groups.create(Group("meters"))
            await one.pushes.groups.include("meters", members)
        yield one
    finally:
        await one.stop()
        books.close()


def run(story):
    asyncio.run(asyncio.wait_for(story(), 180))


def counts(one):
    return one.pushes.vouched()["counts"]


def test_members_learn_the_keys_at_once_or_when_they_come(pens):
    """Once each, and again only what is new."""
    _, operator, _, signers = pens

    async def story():
        async with platform("dev0", "dev1", "dev2") as one, Believer("dev0") as here, Believer("dev1") as away:
            await here.register(one.uri)
            await one.pushes.vouch(signers(1))
            await becomes(lambda: counts(one) == {"has them": 1, "not told yet": 2}, 20)
            await away.register(one.uri)
            await becomes(lambda: counts(one) == {"has them": 2, "not told yet": 1}, 20)
            await one.pushes.push("meters", signing.sign(written(7), operator), Terms())
            await becomes(lambda: here.applied == away.applied == [7], 20)
            await here.update()
            await here.register(one.uri)
            await one.pushes.vouch(signers(2))
            await becomes(lambda: counts(one) == {"has them": 2, "not told yet": 1}, 20)
            assert here.told == away.told == [1, 2]
    run(story)


def test_who_joins_learns_them_and_who_is_in_another_group_does_not(pens):
    async def story():
        async with platform("dev0") as one, Believer("late") as late, Believer("other") as other:
            await one.pushes.groups.create(Group("valves"))
            await one.pushes.groups.include("valves", ["other"])
            await one.pushes.vouch(pens[3](1))
            await late.register(one.uri)
            await other.register(one.uri)
            await one.pushes.groups.include("meters", ["late"])
            await becomes(lambda: late.told == [1], 20)
            assert other.told == []
            await one.pushes.vouch(pens[3](2, b"meters", b"valves"))
            await becomes(lambda: other.told == [2] and late.told == [1, 2], 20)
    run(story)


def test_keys_go_before_the_document_that_needs_them(pens):
    """Also to a device that had them and has lost them, as by a wipe."""
    _, operator, _, signers = pens

    async def story():
        async with platform("dev0") as one, Believer("dev0") as device:
            await one.pushes.vouch(signers(1))
            await device.register(one.uri)
            await one.pushes.push("meters", signing.sign(written(7), operator), Terms())
            await becomes(lambda: one.pushes.status("meters", 7)["state"] == "complete", 20)
            device.keys = 0
            await device.register(one.uri)
            asked = len(device.requests)
            await one.pushes.push("meters", signing.sign(written(8), operator), Terms())
            await becomes(lambda: one.pushes.status("meters", 8)["state"] == "complete", 20)
            paths = [path for _, path in device.requests[asked:] if path.startswith("/policy")]
            assert paths == ["/policy", "/policy/keys", "/policy"]
            assert device.applied == [7, 8] and device.told == [1, 1]
    run(story)


def test_who_refuses_is_told_again_at_its_next_contact_only(pens):
    async def story():
        async with platform("dev0") as one, Believer("dev0", code=Code.BAD_REQUEST) as device:
            await one.pushes.vouch(pens[3](1))
            await device.register(one.uri)
            await becomes(lambda: counts(one) == {"refused: 4.00": 1}, 20)
            await one.pushes.push("meters", signing.sign(written(7), pens[1]), Terms())
            await becomes(lambda: "answer" in one.pushes.outcomes("meters", 7)[0]["reason"], 20)
            reason = one.pushes.outcomes("meters", 7)[0]["reason"]
            assert reason.startswith("its answer: 4.00: it believes nobody") and device.told == [1]
            device.code = Code.CHANGED
            await device.update()
            await becomes(lambda: device.applied == [7] and counts(one) == {"has them": 1}, 20)
    run(story)


def test_a_restart_knows_who_has_them(pens, tmp_path):
    async def story():
        url = f"sqlite:///{tmp_path}/platform.sqlite"
        async with Believer("dev0") as device:
            async with platform("dev0", url=url) as one:
                await one.pushes.vouch(pens[3](3))
                await device.register(one.uri)
                await becomes(lambda: counts(one) == {"has them": 1}, 20)
            async with platform(url=url) as one:
                assert counts(one) == {"has them": 1} and one.pushes.vouched()["version"] == 3
                await device.register(one.uri)
                await one.pushes.push("meters", signing.sign(written(7), pens[1]), Terms())
                await becomes(lambda: device.applied == [7], 20)
                assert device.told == [3]
                with pytest.raises(LocalError, match="version 3 of this root has been; the next document needs 4"):
                    await one.pushes.vouch(pens[3](2))
                with pytest.raises(LocalError, match="the next document needs 4"):
                    await one.pushes.vouch(pens[3](3, b"valves"))
                await one.pushes.vouch(pens[3](1, by=pens[2]))  # another root begins anew
                assert one.pushes.vouched()["version"] == 1
    run(story)


def test_nobody_is_sent_what_they_would_not_believe(pens, monkeypatch):
    """Where it is known who may sign for a group, whoever else has signed learns it before any device does."""
    root, operator, other, signers = pens

    async def story():
        async with platform("dev0") as one, Believer("dev0", wants=0) as device:
            await device.register(one.uri)
            await one.pushes.push("meters", signing.sign(written(7), other), Terms())  # nothing is known yet
            await becomes(lambda: device.applied == [7], 20)
            await one.pushes.vouch(signers(1))
            await becomes(lambda: one.pushes.status("meters", 7)["state"] == "complete", 20)
            with pytest.raises(LocalError, match=f"group meters: key {other.kid.hex()} is not among those"):
                await one.pushes.push("meters", signing.sign(written(8), other), Terms())
            await one.pushes.vouch(signers(2, b"valves"))
            with pytest.raises(LocalError, match="is not among those who may"):
                await one.pushes.push("meters", signing.sign(written(8), operator), Terms())
            known = Signers(2)
            known.replace([Signer(operator.public, [b"meters"], 0, 5)])
            await one.pushes.vouch(signing.sign_signers(known, root))
            with pytest.raises(LocalError, match="may not sign at this time; policy keys --root and --push say who"):
                await one.pushes.push("meters", signing.sign(written(8), operator), Terms())
            assert one.pushes.versions("meters") == [7] and device.applied == [7]
    run(story)


def test_a_group_whose_id_is_no_text(pens):
    async def story():
        async with platform() as one, Believer("dev0") as device:
            await one.pushes.groups.create(Group("hex:ff00"))
            await one.pushes.groups.include("hex:ff00", ["dev0"])
            await one.pushes.vouch(pens[3](1, b"\xff\0"))
            await device.register(one.uri)
            await one.pushes.push("hex:ff00", signing.sign(written(7, "hex:ff00"), pens[1]), Terms())
            await becomes(lambda: device.applied == [7], 20)
            assert device.told == [1] and device.values["/26243/0/0"] == b"\xff\0"
            with pytest.raises(LocalError, match="group 'hex:ff0' is neither a name nor hex"):
                Group("hex:ff0")
    run(story)


def test_what_are_no_keys(pens):
    root, operator, _, signers = pens
    entry = Signer(operator.public, [b"meters"]).entry()
    wrong = [b"", b"\xd2\x84", signing.sign(written(7), operator), signers(1) + b"\0",
             signing.enclose(signers(1), bytes(16), b"k", signing.KEYS)]
    wrong += [signing.sign(content, root, signing.KEYS) for content in (
        {1: 1}, {1: 0, 2: [entry]}, {1: 1, 2: [entry], 3: 1}, {1: 1, 2: 7}, {1: 1, 2: [entry[1:]]},
        {1: 1, 2: [[b"else", *entry[1:]]]}, {1: 1, 2: [[*entry[:2], [], *entry[3:]]]})]

    async def story():
        async with platform("dev0") as one:
            for document in wrong:
                with pytest.raises(LocalError, match="no device takes this document: .*; take what policy keys"):
                    await one.pushes.vouch(document)
            with pytest.raises(LocalError, match="there are none here; pointsman policy keys --push"):
                one.pushes.vouched()
    run(story)


def test_an_operator_types_it_in(pens, tmp_path, capsys):
    (tmp_path / "token").write_bytes(TOKEN)
    os.chmod(tmp_path / "token", 0o600)
    (tmp_path / "keys.cose").write_bytes(pens[3](1))

    def say(*words):
        code = cli.main(["policy", "keys", *words])
        return code, *capsys.readouterr()

    async def story():
        async with platform("dev0", "dev1") as one, Believer("dev0") as device:
            await one.offer_rest(TOKEN, "127.0.0.1", 0)
            place = ["--platform", f"http://127.0.0.1:{one._rest.port}", "--token", str(tmp_path / "token")]
            told = await asyncio.to_thread(say, "--who", *place)
            assert told[0] == faults.USAGE and "there are none here; pointsman policy keys --push FILE" in told[2]
            await device.register(one.uri)
            told = await asyncio.to_thread(say, "--push", str(tmp_path / "keys.cose"), *place)
            assert told[:2] == (0, "keys 1: 1 has them, 1 not told yet\n") and device.told == [1]
            told = await asyncio.to_thread(say, "--who", *place)
            assert told[1].splitlines()[1:] == [f"{'dev0':32} has them", f"{'dev1':32} not told yet"]
            device.code = Code.BAD_REQUEST
            (tmp_path / "keys.cose").write_bytes(pens[3](2))
            told = await asyncio.to_thread(say, "--push", str(tmp_path / "keys.cose"), *place, "--json")
            assert told[0] == faults.FAILED and '"counts": {"refused: 4.00": 1, "not told yet": 1}' in told[1]
    run(story)
    assert "--token is missing; the file of serve platform --rest-token" in say("--who")[2]
