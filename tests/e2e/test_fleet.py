"""`pointsman fleet` and the delivery over sockets: a signed policy to members that lose. G1, G2."""

import asyncio
import random
import socket
import time

import group_push  # tests/bench
import pytest

from agent.codec import coap
from pointsman.tools import cli, faults
from pointsman.tools.fleet.members import Members, address, endpoint, index_of
from pointsman.tools.groups import wire
from pointsman.tools.groups.delivery import Delivery, open_socket
from pointsman.tools.groups.members import Group
from pointsman.tools.groups.planning import Terms
from pointsman.tools.groups.rollout import COMPLETE, Rollout
from pointsman.tools.policies.keys import create
from pointsman.tools.policies.signing import sign

SOURCE = ("127.0.0.1", 40000)
DAY = 86_400_000


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return create(str(tmp_path_factory.mktemp("keys") / "signer.pem"))


def document(key, version=7, group=b"meters"):
    now = int(time.time())
    return sign({1: group, 2: version, 3: 0, 4: now + 3600, 5: {1: 900}}, key)


def members(key, count=4, **known):
    return Members(count, b"meters", key.public, random.Random(1), **known)


def announce(data, **known):
    return wire.push(wire.announcement(data, 1000, **known), 5, b"ab")


def statuses(fleet, now=DAY):
    """{index: status} of what they answer until then."""
    told = {index: coap.decode(data) for index, _, data in fleet.answers(now)}
    return {index: wire.read_acknowledgement(message.payload).status for index, message in told.items()}


def test_each_applies_once_and_answers_when_spoken_to(key):
    fleet, seven = members(key, deaf=0.25), document(key)
    fleet.heard(announce(seven), SOURCE, 0)
    assert fleet.deadline() < 1000 and statuses(fleet) == {0: 0, 1: 0, 2: 0}
    fleet.heard(announce(seven, base=1, bitmap=b"\x01"), SOURCE, 0)
    assert statuses(fleet) == {1: 3}
    fleet.asked(3, wire.push(seven, 6, b"ab", True), SOURCE, 0)
    (index, where, answer), = fleet.answers(0)
    assert (index, where, coap.header(answer)) == (3, SOURCE, (coap.ACK, coap.CHANGED, 6))
    assert fleet.applied == [1, 1, 1, 1]
    fleet.heard(announce(document(key, 8)), SOURCE, 0)
    fleet.heard(announce(seven), SOURCE, 0)
    assert fleet.applied == [2, 2, 2, 1] and set(statuses(fleet).values()) <= {0, 4}


def test_what_is_not_genuine_is_not_answered(key, tmp_path):
    fleet, good = members(key), document(key)
    other = create(str(tmp_path / "other.pem"))
    bad = [announce(document(other)), announce(document(key, group=b"others")), announce(good[:-1] + b"\0"),
           announce(good[:-1]), b"\x52\x02\0\1ab\xff", wire.push(b"\x83\0\0\xf6", 1, b""),
           coap.encode(coap.Message(coap.NON, coap.POST, 1, b"", [(coap.URI_PATH, b"rd")], good))]
    for data in bad:
        fleet.heard(data, SOURCE, 0)
        fleet.asked(0, data, SOURCE, 0)
    assert fleet.refused == 2 * len(bad) and fleet.deadline() is None and fleet.applied == [0] * 4


def test_addresses():
    assert all(index_of(address(index)) == index for index in (0, 249, 250, 9999, 49_999))


def test_a_push_over_real_sockets():
    """Thirty members, a third of them without multicast: each applies it once and is acknowledged."""
    sent = group_push.pushed(30, 0, 33, True)["datagrams"]
    assert sent["multicast"] >= 1 and sent["unicast"] >= 10  # more where the machine is slow to answer


def test_the_delivery_takes_what_is_meant_for_it_and_nothing_else():
    asyncio.run(asyncio.wait_for(_answered(), 120))


async def _answered():
    """The member here answers with a message of its own, a CON (RFC 7252 5.2.2), after some that are none."""
    group = Group("meters")
    group.rows = {endpoint(0): [0, True, True]}
    told = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as member:
        member.bind(("127.0.0.1", 0))
        member.setblocking(False)
        expires = int(time.monotonic() * 1000) + DAY
        rollout = Rollout(group, b"\xd2abc", 7, {0: ("unicast", None)}, Terms(), random.Random(1), expires)
        delivery = Delivery(rollout, lambda name: member.getsockname(), random.Random(1),
                            tell=lambda event, fields: told.append(event))
        await delivery.start(open_socket("127.0.0.1"))
        loop = asyncio.get_running_loop()
        data, place = await loop.sock_recvfrom(member, 2000)
        push = coap.decode(data)
        yes = wire.acknowledgement(b"fleet-0", b"meters", 7, 0)
        trial = wire.acknowledgement(b"fleet-0", b"meters", 7, 2)
        for code, token, payload in ((coap.CHANGED, b"zz", yes), (coap.CONTENT, push.token, yes),
                                     (coap.CHANGED, push.token, b"\xff"), (coap.CHANGED, push.token, trial)):
            answer = coap.Message(coap.CON, code, 77, token, (), payload)
            await loop.sock_sendto(member, coap.encode(answer), place)
        await loop.sock_sendto(member, wire.push(yes, 78, b"zz", True), place)  # later, on its own account
        await delivery.done.wait()
        assert [each.status for each in rollout.records] == [0]
        answers = []
        while len(answers) < 2:
            said = (await loop.sock_recvfrom(member, 2000))[0]
            answers += [said] if said != data else []  # a slow machine asks again
        assert answers == [b"\x60\x00\x00\x4d", b"\x62\x44\x00\x4ezz"]
        delivery.close()
    assert rollout.state == COMPLETE and delivery.refused == 1 and told == ["running", "stage", "complete"]


@pytest.mark.parametrize("options, says", [
    (["--members", "0"], "--members 0 is not 1 to 50000"), (["--loss", "100"], "out of range"), ([], "whose documents"),
    (["--any-signer", "--signer", "00"], "whose documents"), (["--signer", "00"], "no public key"),
    (["--signer", "xy"], "no public key"), (["--any-signer", "--multicast", "5685"], "no HOST:PORT")])
def test_what_makes_no_fleet(options, says, capsys):
    assert cli.main(["fleet", *options]) == faults.USAGE
    assert says in capsys.readouterr().err


def test_a_port_in_use(capsys):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        assert cli.main(["fleet", "--any-signer", "--port", str(taken.getsockname()[1])]) == faults.BUSY
    assert "cannot listen" in capsys.readouterr().err
