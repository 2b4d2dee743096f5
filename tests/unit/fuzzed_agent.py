"""The agent as a target (see fuzzed.py): well-formed requests out of any bytes, by its registrar or bootstrap server.

An input is several requests. The agent goes on with the next input, so that a finding may need those before.
"""

from replayed import joined, pieces
from test_agent import GATEWAY, start

from agent.codec import coap

_FORMATS = (None, 0, 40, 42, 60, 110, 112, 11542, 11543, 11544, 65000)
_CODES = (coap.GET, coap.POST, coap.PUT, coap.DELETE, coap.FETCH, 6, 7)
_OPTIONS = (0, coap.OBSERVE, 27, 23, 15, 60, 5, 1)
HELD = []  # the agent that is asked, one for many requests: bootstrapping, registered


def request(data, mid):
    """A well-formed request out of any bytes: what it asks, of which path, in which format, with what."""
    data = data + bytes(8)
    depth, accept, more = data[2] & 7, _FORMATS[data[3] % 11], _OPTIONS[data[2] >> 3 & 7]
    options = [(11, segment) for segment in _segments(data[4 : 4 + depth])]
    if more:
        options.append((more, b"pmin=%d" % data[1] if more == 15 else bytes(data[1:2]).lstrip(b"\0")))
    sent = _FORMATS[data[1] % 11]
    options += [(coap.CONTENT_FORMAT, coap.uint(sent))] if sent is not None else []
    options += [(17, coap.uint(accept))] if accept is not None else []
    payload = data[4 + depth : -8]
    code = _CODES[data[0] % 7]
    return coap.encode(coap.Message(data[0] >> 7, code, mid, b"f", sorted(options, key=_number), payload))


def _number(option):
    return option[0]


def _segments(data):
    known = (0, 1, 3, 4, 5, 7, 21, 26241, 26242, 65534, 65535, 3331, 2, 25)
    return [b"%d" % (known[byte - 200] if 200 <= byte < 214 else byte) for byte in data]


def fuzz_management(data):
    """From the registrar."""
    net = _agent(0)
    _asked(net, data)


def fuzz_bootstrap(data):
    """From the bootstrap server, in the middle of a bootstrap."""
    net = _agent(1)
    _asked(net, data)


def _agent(bootstrapping):
    """One that was asked little so far; making it takes long."""
    if not HELD or HELD[0] != bootstrapping or HELD[2] > 40:
        HELD[:] = [bootstrapping, _bootstrapping() if bootstrapping else start()[0], 0]
    HELD[2] += 1
    return HELD[1]


def _bootstrapping():
    net, _, _ = start({"bootstrap_uri": "coap://%s:%d" % GATEWAY}, None)
    net.agent.bootstrap.start(("eth",) + GATEWAY, {}, net.now)
    net.run(100)
    return net


def _asked(net, data):
    agent = net.agent
    agent.receive("eth", GATEWAY[0], GATEWAY[1], b"\x40\1\xff\xff", net.now)
    for datagram in pieces(data, 6):
        HELD[2] += 1
        agent.receive("eth", GATEWAY[0], GATEWAY[1], request(datagram, 0x8000 + HELD[2] % 0x7000), net.now)
        for what in agent.take():
            if what[0] == "reset":
                HELD[2] = 99  # it would start over: the next input has a new one
        net.now += 10
        agent.poll(net.now)
        agent.take()


def seeds(name):
    """Inputs to begin with that are right."""
    if name == "bootstrap":
        return [joined([b"\3\0\0\0", b"\2\6\3\0\xc8\0\0coap://10.0.0.1", b"\1\0\0\0"])]
    return [joined([b"\0\0\2\x07\xca\0", b"\2\1\3\0\xd0\0\1\x39", b"\1\0\3\0\xc9\0\x08", b"\0\0\3\0\xca\0\0"])]
