"""Whatever a bootstrap server asks, in whatever order: the stored configuration stays as it was until a consistent one
is finished, the server's own account stays, and nothing but an answer comes of nonsense (1.1 Core 6.1)."""

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as some

from agent import accounts, vetting
from agent.codec import coap
from agent.engine.bootstrap import _STAGED_MAX, Bootstrap
from agent.engine.objects import Objects
from agent.north import bootstrapping

PEER = ("eth", "10.0.0.1", 5683)
OBJECTS = (0, 1, 2, 3, 21, 26241, 26242, 7)
NUMBERS = some.integers(0, 3)


class Wire:
    """In the place of the exchange: keeps the answers."""

    def __init__(self):
        self.answers = []

    def room(self):
        return bytearray()

    def respond(self, request, code, now, payload=b"", format=None):
        assert isinstance(payload, bytes | bytearray)
        self.answers.append(code)


class North:
    def __init__(self):
        self.exchange, self.objects = Wire(), Objects()


class Request:
    observe = None

    def __init__(self, code, path, payload=b"", format=None, accept=None):
        self.code, self.path, self.payload, self.format, self.accept = code, path, payload, format, accept


def account(number, ssid, bootstrap, uri):
    rows = {0: uri, 1: bootstrap, 2: 3, 10: ssid}
    return Request(coap.PUT, ("0", str(number)), cbor2.dumps([{0: f"/0/{number}/{rid}", **_value(value)}
                                                              for rid, value in rows.items()]), 112)


def server(number, ssid, lifetime):
    rows = {0: ssid, 1: lifetime, 6: True, 7: "U"}
    return Request(coap.PUT, ("1", str(number)), cbor2.dumps([{0: f"/1/{number}/{rid}", **_value(value)}
                                                              for rid, value in rows.items()]), 112)


def _value(value):
    return {4: value} if isinstance(value, bool) else {3: value} if isinstance(value, str) else {2: value}


paths = some.lists(some.one_of(some.sampled_from([str(number) for number in OBJECTS]), NUMBERS.map(str),
                               some.text(max_size=3)), max_size=5).map(tuple)
requests = some.one_of(
    some.builds(account, NUMBERS, NUMBERS, some.booleans(), some.sampled_from(["coap://10.0.0.9", "coaps://x", "no"])),
    some.builds(server, NUMBERS, NUMBERS, some.integers(-1, 100)),
    some.builds(Request, some.just(coap.DELETE), paths),
    some.builds(Request, some.integers(0, 40), paths, some.binary(max_size=40),
                some.sampled_from([None, 0, 42, 60, 110, 112, 11542, 9]), some.sampled_from([None, 40, 112, 110, 9])),
    some.just(Request(coap.POST, ("bs",))),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(some.lists(requests, max_size=25))
def test_nothing_but_a_consistent_whole_is_committed(asked):
    before = {**vetting.bootstrap_single("coap://10.0.0.1"), (0, 1, 0): "coap://10.0.0.8", (0, 1, 1): False,
              (0, 1, 2): 3, (0, 1, 10): 1, (1, 1, 0): 1, (1, 1, 1): 60}  # fmt: skip
    kept, north = dict(before), North()
    b = Bootstrap(accounts.CONFIGURED, lambda tree: vetting.check(tree, True), lambda n: n - 1)
    b.start(PEER, before, 0)
    b.take()
    for now, request in enumerate(asked):
        if not b.writable(PEER):
            break
        bootstrapping.handle(north, request, b, now)
        assert len(north.exchange.answers) == now + 1 and before == kept
        if b.writable(PEER):
            assert len(b.staged) <= _STAGED_MAX and (0, 65534, 0) in b.staged
    for what in b.take():
        if what[0] == "commit":
            vetting.check(what[1], True)
            assert len([key for key in what[1] if key[0] == 0 and key[2] == 1 and what[1][key]]) <= 1


@settings(max_examples=200, deadline=None)
@given(some.binary(max_size=200), some.sampled_from([None, 110, 112, 11542, 11543, 60, 0]))
def test_a_pack_is_believed_as_a_whole_or_not_at_all(payload, format):
    class Response:
        code = coap.CONTENT

    Response.payload, Response.format = payload, format
    b = Bootstrap(accounts.CONFIGURED, lambda tree: vetting.check(tree, True), lambda n: n - 1)
    b.start(PEER, vetting.bootstrap_single("coap://10.0.0.1"), 0, 0, True)
    b.packed(bootstrapping.packed(Response), 1)
    assert [what for what, _ in b.take()] == ["fetch", "request"] and b.staged == vetting.bootstrap_single(
        "coap://10.0.0.1")  # fmt: skip
