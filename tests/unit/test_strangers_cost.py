"""An unauthenticated datagram costs bounded work and leaves nothing behind: no state, no write, one short answer."""

import gc

from guarded_net import begin, both, oscore, registered, secure
from test_agent import GATEWAY, start

from agent.codec import coap
from agent.engine.discovery import Discovery

MANY = 400


def asked(number, kind=coap.CON):
    path = [(11, b"26242"), (11, b"0"), (11, b"1")]
    return coap.encode(coap.Message(kind, coap.PUT, number & 0xFFFF, b"%d" % number, path, b"7"))


def told(agent):
    return [what for what in agent.take() if what[0] == "udp"]


def held(agent):
    """How many things the exchange remembers."""
    parts = [agent.exchange] + [part for part in agent.exchange.__dict__.values() if hasattr(part, "__dict__")]
    return sum([len(value) for part in parts for value in part.__dict__.values() if isinstance(value, (list, dict))])


def flood(agent, now, host):
    """-> the longest that was ever held; each datagram has one answer at most, a short one."""
    longest = 0
    for number in range(MANY):
        agent.receive("eth", host(number), 5683, asked(number, (coap.CON, coap.NON)[number & 1]), now)
        answers = told(agent)
        assert len(answers) <= 1 and sum([len(what[4]) for what in answers]) <= 60
        longest = max(longest, held(agent))
    return longest


def test_strangers_at_an_agent_that_is_registered():
    net, _, _ = start()
    agent, before = net.agent, dict(net.medium.files)
    flood(agent, net.now, lambda number: "192.0.2.%d" % (number % 250))
    gc.collect()
    size = held(agent)
    longest = flood(agent, net.now, lambda number: "198.51.100.%d" % (number % 250))
    assert 0 < longest <= size + 16 and net.medium.files == before
    assert agent.settings.get("report_period_s") == 60


def test_somebody_with_the_registrars_address_where_it_is_protected():
    net = begin(secure(tree=both(oscore)))
    agent, before = net.agent, dict(net.medium.files)
    flood(agent, net.now, lambda _: GATEWAY[0])
    assert net.medium.files == before and registered(net) == (GATEWAY[0], "eth")
    assert agent.settings.get("report_period_s") == 60


def test_answers_to_a_search_that_nobody_asked():
    found = Discovery(lambda n: n // 2, secure=False)
    found.start("eth", 0)
    found.poll(found.deadline())
    found.take()
    for number in range(MANY):
        links = [(12, b"\x28")], b"</bs>;rt=oma.bs"
        answer = coap.Message(coap.NON, coap.CONTENT, number, b"bad%d" % (number % 10), *links)
        assert not found.receive("eth", "192.0.2.9", 5683, coap.encode(answer), 1000) or not found.take()
    assert found.take() == []
