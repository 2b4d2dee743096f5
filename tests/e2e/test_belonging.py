"""G1: a platform tells devices which of its groups they are in, over their sessions: once, what is not so already, and
again after a wipe. The devices share no code with the agent."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from fake_device import becomes, entries
from pushed import Member

from pointsman.tools.groups.members import Group
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

POL = "&pol=%s.0.none"


class Grouped(Member):
    """`asked`: what it has been asked of object 26243; `refuses`: with this code; `before_answer`: called when a group
    has been written, before it says so."""

    refuses = before_answer = None

    def __init__(self, name):
        super().__init__(name)
        self.values, self.asked = {}, []

    async def render(self, request):
        path = "/" + "/".join(request.opt.uri_path)
        if path.startswith("/26243"):
            self.asked.append((request.code.name, path))
            if self.refuses:
                return Message(code=self.refuses)
        answer = await super().render(request)
        if self.before_answer and request.code == Code.POST:
            await self.before_answer()
        return answer

    def on_post(self, path, request):
        self.values.update(entries(request.payload))
        return Message(code=Code.CREATED if path.count("/") == 1 else Code.CHANGED)

    def on_delete(self, path, request):
        self.values = {name: value for name, value in self.values.items() if not name.startswith(path + "/")}
        return Message(code=Code.DELETED)

    @property
    def groups(self):
        """Ids by instance."""
        return {name: value for name, value in self.values.items() if name.endswith("/0")}

    async def comes(self, platform):
        """It registers, and says which groups it is in."""
        await self.register(platform.uri, more="".join(POL % name.hex() for name in self.groups.values()))


@pytest.fixture
def platform(tmp_path):
    @asynccontextmanager
    async def made(log=None):
        books = Storage(f"sqlite:///{tmp_path}/platform.sqlite")
        one = Platform(books, port=0, log=log)
        await one.start()
        try:
            yield one
        finally:
            await one.stop()
            books.close()
    return made


def run(story):
    asyncio.run(asyncio.wait_for(story(), 180))


def test_a_device_learns_its_groups_once(platform):
    async def story():
        async with Grouped("dev0") as device:
            async with platform() as one:
                groups = one.pushes.groups
                await groups.create(Group("meters", 7, ("239.77.0.1", 5685), "p/meters"))
                await groups.include("meters", ["other", "dev0"])
                await device.comes(one)
                await becomes(lambda: device.groups == {"/26243/0/0": b"meters"}, 20)
                assert device.values == {"/26243/0/0": b"meters", "/26243/0/1": 7, "/26243/0/2": 1,
                                         "/26243/0/3": "239.77.0.1:5685", "/26243/0/4": "p/meters"}
                await groups.create(Group("north"))
                await groups.include("north", ["dev0"])
                await becomes(lambda: device.groups.get("/26243/1/0") == b"north", 20)
                await becomes(lambda: not one.pushes._belonging.lacks("dev0"), 20)
                asked = len(device.asked)
            async with platform() as one:
                await device.comes(one)
                await device.update()
                await one.pushes.groups.exclude("meters", "dev0")
                await becomes(lambda: device.groups == {"/26243/1/0": b"north"}, 20)
                assert device.asked[asked:] == [("GET", "/26243"), ("DELETE", "/26243/0")]
    run(story)


def test_what_a_bootstrap_has_said_stays_where_it_fits(platform):
    """Its rank, its guard, groups that are not ours; an index that is another's is not."""
    async def story():
        async with Grouped("dev0") as device, platform() as one:
            device.values = {"/26243/3/0": b"theirs", "/26243/3/2": 4, "/26243/5/0": b"meters", "/26243/5/1": 9,
                             "/26243/5/2": 0}
            await one.pushes.groups.create(Group("meters"))
            await one.pushes.groups.include("meters", ["other", "dev0"])
            await device.comes(one)
            await becomes(lambda: device.values["/26243/5/2"] == 1, 20)
            assert device.values["/26243/5/1"] == 9 and device.values["/26243/3/2"] == 4
            assert device.asked == [("GET", "/26243"), ("POST", "/26243/5")]
            await one.pushes.groups.create(Group("north"))
            await one.pushes.groups.include("north", ["dev0"])
            await becomes(lambda: device.values.get("/26243/0/0") == b"north", 20)
            await one.pushes.delete("north")
            await becomes(lambda: sorted(device.groups.values()) == [b"meters", b"theirs"], 20)
    run(story)


def test_who_leaves_while_it_is_told_of_its_group(platform):
    async def story():
        async with Grouped("dev0") as device, platform() as one:
            async def leave():
                device.before_answer = None
                await one.pushes.groups.exclude("meters", "dev0")

            device.before_answer = leave
            await one.pushes.groups.create(Group("meters"))
            await one.pushes.groups.include("meters", ["dev0"])
            await device.comes(one)
            await becomes(lambda: ("DELETE", "/26243/0") in device.asked and not device.groups)
    run(story)


def test_who_was_wiped_or_away_learns_them_when_it_comes(platform):
    async def story():
        async with Grouped("dev0") as device, platform() as one:
            await one.pushes.groups.create(Group("meters"))
            await one.pushes.groups.include("meters", ["dev0"])
            await device.comes(one)
            await becomes(lambda: device.groups and not one.pushes._belonging.lacks("dev0"), 20)
            device.values = {}
            await device.comes(one)
            await becomes(lambda: device.groups and not one.pushes._belonging.lacks("dev0"), 20)
            await device.deregister()
            await one.pushes.groups.exclude("meters", "dev0")
            await device.comes(one)
            await becomes(lambda: not device.groups, 20)
    run(story)


@pytest.mark.parametrize("code", [Code.METHOD_NOT_ALLOWED, Code.NOT_FOUND, Code.BAD_REQUEST])
def test_who_refuses_is_asked_once_a_registration(platform, code):
    async def story():
        events = []
        async with Grouped("dev0") as device, platform(lambda actor, event, **fields: events.append(event)) as one:
            device.refuses = code
            await one.pushes.groups.create(Group("meters"))
            await one.pushes.groups.include("meters", ["dev0"])
            for count in (1, 2):
                await device.comes(one)
                await becomes(lambda count=count: events.count("membership_refused") == count, 20)
                asked = len(device.asked)
                await device.update()
                assert (await device.ask(one.uri + "/.well-known/core", Code.GET)).code == Code.CONTENT
                assert len(device.asked) == asked
    run(story)
