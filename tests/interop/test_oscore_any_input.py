"""Whatever comes, OSCORE neither fails nor grows, and lets nothing up but what says nothing."""

from hypothesis import given
from hypothesis import strategies as st

from agent.codec import coap
from agent.codec import oscore as codec
from agent.engine.oscore import Context, Oscore
from agent.errors import RemoteError

OURS, PEERS = b"\x01", b"\x02"
CONTEXT = Context(b"sixteen bytes of", b"", OURS, PEERS)
REQUEST = coap.encode(coap.Message(coap.CON, coap.GET, 7, b"t", [(coap.OBSERVE, b"")]))

options = st.tuples(st.integers(0, 300), st.binary(max_size=20))
keys = st.builds(codec.encode, st.binary(min_size=1, max_size=5).map(lambda piv: piv.lstrip(b"\0") or b"\0"),
                 st.sampled_from([PEERS, OURS, b"", None]), st.sampled_from([None, b"", b"group"]))
shaped = st.builds(coap.Message, st.integers(0, 3), st.integers(0, 255), st.sampled_from([7, 8]),
                   st.sampled_from([b"t", b"u", b""]),
                   st.lists(options | st.tuples(st.just(codec.OPTION), keys | st.binary(max_size=9)), max_size=4),
                   st.binary(max_size=60)).map(coap.encode)


@given(st.lists(shaped | st.binary(max_size=80), min_size=1, max_size=60), st.sampled_from([None, [64], [64, 3, 15]]))
def test_any_datagrams(datagrams, state):
    guard = Oscore(CONTEXT, lambda n: 0, state)
    guard.send(REQUEST, 0)
    guard.take()
    for now, data in enumerate(datagrams):
        guard.receive(data, now)
    assert len(guard._out) <= 32 and len(guard._asked) <= 1 and not guard._served
    for kind, what in guard.take():
        assert kind in ("udp", "plain", "refused")
        if kind == "plain":
            assert _says_nothing(what)


def _says_nothing(data):
    """Empty, malformed, or the 5.02 that stands for an answer without protection."""
    try:
        return coap.decode(data).code in (0, 162)
    except RemoteError:
        return True


@given(st.binary(max_size=40))
def test_any_option(value):
    try:
        read = codec.decode(value)
    except RemoteError:
        return
    assert codec.encode(*read) == value
