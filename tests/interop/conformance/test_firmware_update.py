"""Firmware update (object 5; LwM2M 1.1 Core E.6), pushed and fetched by aiocoap's block-wise transfer, installed by a
program on a Linux board."""

import json
import os

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from lwm2m_device import NAME, Device
from lwm2m_server import Server

from pointsman.tools.firmware import launch

OPAQUE, TEXT = 42, 0
IMAGE = os.urandom(1_050_001)
HEAP = "1M"
IDLE, DOWNLOADED = "0", "2"
PROGRAM = """#!/bin/sh
test "$1" = check && { head -c 7 "$2" | grep -q damaged && exit 1; echo meter; echo 2.0; }
test "$1" = install && exit 3
exit 0
"""


class FileServer(Server):
    """A registrar that has the package, too."""

    def obey(self, request):
        if request.opt.uri_path == ("images", "b") and request.code == Code.GET:
            return Message(code=Code.CONTENT, payload=IMAGE)
        if request.opt.uri_path == ("images", "c") and request.code == Code.GET:
            number, _, exponent = request.opt.block2
            at, size = number << exponent + 4, 16 << exponent
            return Message(code=Code.CONTENT, payload=IMAGE[at : at + size], etag=b"c",
                           block2=(number, at + size < len(IMAGE), exponent))  # fmt: skip
        return super().obey(request)

    async def needs_blockwise_assembly(self, request):
        """/images/c is served block by block, as from a file."""
        return request.opt.uri_path != ("images", "c")


class Updatable(Device):
    """A device whose board has an installer. No package fits into MicroPython's heap."""

    def __init__(self, interpreter, folder):
        super().__init__(interpreter, folder)
        self.call(self.server.stop())
        self.server, self._by_signal = FileServer(), False
        self.call(self.server.start())
        self._command = self._configured(interpreter, {
            "endpoint": NAME, "insecure": True, "links": "eth", "server_uri": self.server.uri})  # fmt: skip
        program, file = folder / "program", folder / "config.json"
        program.write_text(PROGRAM)
        program.chmod(0o700)
        config = json.loads(file.read_text())
        config["options"].update(installer=str(program), package_max=1_300_000)
        file.write_text(json.dumps(config))
        if interpreter == "micropython":
            self._command = launch.command(launch.find_micropython(), file, HEAP)
        self.package = folder / "firmware.package"

    def cut(self):
        """The power fails."""
        self._process.kill()
        self.end()

    def logged(self, actor, event):
        return f'"actor": "{actor}", "event": "{event}"' in (self._folder / "agent.log").read_text()

    @property
    def state(self):
        return [self.text("/5/0/3"), self.text("/5/0/5")]


@pytest.fixture(scope="module")
def device(interpreter, tmp_path_factory):
    device = Updatable(interpreter, tmp_path_factory.mktemp(interpreter))
    try:
        device.start()
        yield device
    except BaseException:
        print(device.told)
        raise
    finally:
        device.close()


def test_what_there_is(device):
    assert "/5/0" in device.client.links and device.state == [IDLE, "0"]
    assert device.read("/5/0/8") == {"/5/0/8/0": 0} and device.text("/5/0/9") == "2"


def test_a_package_is_pushed_and_installed_by_a_restart(device):
    """1.1 Core E.6: Downloading, Downloaded, Updating, and result 1 after the restart."""
    assert device.put("/5/0/0", IMAGE, OPAQUE) == Code.CHANGED
    assert device.state == [DOWNLOADED, "0"] and device.package.read_bytes() == IMAGE
    assert (device.text("/5/0/6"), device.text("/5/0/7")) == ("meter", "2.0")
    with device.once_more("register"):
        assert device.post("/5/0/2") == Code.CHANGED
    assert device.state == [IDLE, "1"]


def test_a_package_is_fetched(device):
    assert device.put("/5/0/1", f"{device.server.uri}/images/b".encode()) == Code.CHANGED
    device.becomes(lambda: device.package.exists() and device.package.stat().st_size == len(IMAGE), 240)
    device.becomes(lambda: device.state == [DOWNLOADED, "0"])
    assert device.package.read_bytes() == IMAGE
    assert device.put("/5/0/1", b"") == Code.CHANGED and device.state == [IDLE, "0"] and not device.package.exists()


def test_a_fetch_goes_on_after_a_power_cut(device):
    assert device.put("/5/0/1", f"{device.server.uri}/images/c".encode()) == Code.CHANGED
    device.becomes(lambda: device.package.exists() and device.package.stat().st_size > 200_000)
    device.cut()
    assert device.package.stat().st_size < len(IMAGE)
    device.start()
    device.becomes(lambda: device.state == [DOWNLOADED, "0"], 240)
    assert device.package.read_bytes() == IMAGE and device.logged("firmware", "resumed")
    assert device.put("/5/0/1", b"") == Code.CHANGED


def test_what_is_refused(device):
    assert device.post("/5/0/2") == Code.METHOD_NOT_ALLOWED
    assert device.put("/5/0/0", b"damaged" * 1000, OPAQUE) == Code.REQUEST_ENTITY_INCOMPLETE
    assert device.state == [IDLE, "5"]
    assert device.put("/5/0/0", bytes(1_300_001), OPAQUE) == Code.REQUEST_ENTITY_TOO_LARGE
    assert device.state == [IDLE, "2"]
    for uri, result in ((b"http://h/x", "9"), (b"?", "7"), (f"{device.server.uri}/nothing".encode(), "7")):
        assert device.put("/5/0/1", uri) == Code.CHANGED
        device.becomes(lambda result=result: device.state == [IDLE, result])
