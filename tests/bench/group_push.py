"""group.10k.*, group.500.*: a signed policy to ten thousand emulated members (pointsman fleet, a process of its own)
over loopback UDP, beside the same members asked by CoAP unicast alone, under the same budget of 2,000 acknowledgements
a second; to five hundred beside ACME's group fan-out too, which knows no budget.

Both are the product's rollout engine and wire code; unicast alone has our retries too, which never give up. What the
standard's four retransmissions leave undone (0.4 % at 20 % loss each way) is not in the figure.
"""

import asyncio
import contextlib
import functools
import json
import random
import subprocess
import sys
import tempfile
import time

import acme_group

from pointsman.tools.faults import Fault
from pointsman.tools.fleet.members import address, endpoint
from pointsman.tools.groups import planning
from pointsman.tools.groups.delivery import Delivery, open_socket
from pointsman.tools.groups.members import Group
from pointsman.tools.groups.planning import MULTICAST, Reach, Terms
from pointsman.tools.groups.rollout import COMPLETE, Rollout
from pointsman.tools.policies.keys import create
from pointsman.tools.policies.signing import sign

RATE = 2000  # acknowledgements a second
INTAKE = (2000, 4000, 8000)
PORT, GROUP = 5687, ("239.77.0.3", 5685)
_LONGEST_S = 150
_VERSION = 7


def measure(quick=False, figure="all_acked_s", loss=0, deaf=0):
    """One row. `loss`: percent each way; `deaf`: percent of the members without multicast."""
    if figure == "intake":
        return intake()
    if figure == "small":
        return small(quick)
    count = 1000 if quick else 10_000
    ours, unicast = pushed(count, loss, deaf, True), pushed(count, loss, 0, False)
    return [{"value": ours[figure], "interpreter": "cpython", "n": count, "peer": "CoAP unicast alone",
             "peer_value": unicast[figure]}]


def small(quick):
    """The same to as many members as ACME can have in some seconds, one row a peer."""
    count = 100 if quick else 500
    value, unicast = (pushed(count, 0, 0, multicast)["all_acked_s"] for multicast in (True, False))
    peers = [("CoAP unicast alone", unicast)]
    with contextlib.suppress(Fault):  # not here, and not to be had
        peers.append((acme_group.NAME, round(acme_group.pushed(_document()[0], count), 2)))
    return [{"value": value, "interpreter": "cpython", "n": count, "peer": name, "peer_value": found}
            for name, found in peers]


def intake():
    """The highest of some rates at which ten thousand acknowledgements come in and none is missed."""
    best = 0
    for rate in INTAKE:
        found = pushed(10_000, 0, 0, True, rate)
        if found["datagrams"] != {"multicast": 1, "unicast": 0, "topic": 0}:
            break
        best = rate
    return [{"value": best, "interpreter": "cpython", "n": 10_000}]


@functools.cache
def pushed(count, loss, deaf, multicast, rate=RATE):
    """{figure: value} of one push. Raises Fault: not all have acknowledged, or one applied it twice."""
    document, public = _document()
    with _fleet(count, loss, deaf, public) as fleet:
        delivery, took = asyncio.run(_push(count, deaf, multicast, document, rate))
        told = _ended(fleet)
    if delivery.rollout.state != COMPLETE or (told["applied_once"], told["applied_more"]) != (count, 0):
        raise Fault(f"after {took:.0f} s: {delivery.rollout.counts}, and the members say {told}", "run it again")
    return {"all_acked_s": round(took, 2), "bytes_out": delivery.bytes, "datagrams": dict(delivery.rollout.sent)}


@functools.cache
def _document():
    with tempfile.TemporaryDirectory() as folder:
        key = create(folder + "/signer.pem")
    now = int(time.time())
    settings = {1: 900, 2: 60, 3: 3600, 4: [[0, 86400, 900]], 5: [1, 2], 6: 5_000_000}
    return sign({1: b"meters", 2: _VERSION, 3: now - 60, 4: now + 3600, 5: settings}, key), key.public


@contextlib.contextmanager
def _fleet(count, loss, deaf, public):
    command = [sys.executable, "-m", "pointsman.tools", "fleet", "--members", str(count), "--loss", str(loss),
               "--without-multicast", str(deaf), "--signer", public.hex(), "--json"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        if json.loads(process.stdout.readline() or "{}").get("event") != "ready":
            raise Fault("the fleet has not started", "run it by hand: pointsman fleet --any-signer")
        yield process
    finally:
        process.kill()
        process.communicate()


def _ended(fleet):
    fleet.terminate()
    return json.loads(fleet.communicate(timeout=20)[0])


async def _push(count, deaf, multicast, document, rate):
    chance = random.Random(1)
    group = Group("meters", multicast=GROUP)
    group.rows = {endpoint(index): [index, True, True] for index in range(count)}
    hearing = count - round(count * deaf / 100)
    reaches = [Reach(True, "gw-1", (MULTICAST,) if multicast and index < hearing else ()) for index in range(count)]
    ways = planning.ways(group, lambda name: reaches[group.index(name)])
    expires = int((time.monotonic() + 3600) * 1000)
    rollout = Rollout(group, document, _VERSION, ways, Terms(rate=rate), chance, expires)
    delivery = Delivery(rollout, lambda name: (address(group.index(name)), PORT), chance)
    start = time.monotonic()
    await delivery.start(open_socket("127.0.0.1"))
    try:
        await asyncio.wait_for(delivery.done.wait(), _LONGEST_S)
    except TimeoutError:
        pass
    finally:
        delivery.close()
    return delivery, time.monotonic() - start
