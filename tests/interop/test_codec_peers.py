"""Our CoAP and CBOR beside aiocoap and cbor2, on inputs that hypothesis makes up."""

import math

import aiocoap
import cbor2
from hypothesis import given, settings
from hypothesis import strategies as some

from agent.codec import cbor, coap
from agent.errors import RemoteError

settings.register_profile("codecs", deadline=None, max_examples=200)
settings.load_profile("codecs")


# CoAP

TEXT_OPTIONS = (coap.LOCATION_PATH, coap.URI_PATH, coap.URI_QUERY)
# aiocoap reads numbers as numbers: only their shortest form comes back as it was.
UINT_OPTIONS = (coap.OBSERVE, coap.CONTENT_FORMAT, coap.MAX_AGE, coap.ACCEPT, coap.SIZE2, coap.SIZE1)
BLOCK_OPTIONS = (coap.BLOCK1, coap.BLOCK2)
OPAQUE_OPTIONS = (coap.ETAG, coap.ECHO, 9, 2048, 3001, 65000)

# No surrogates: they are no text.
texts = some.text(some.characters(codec="utf-8"), max_size=40)
options = some.lists(
    some.one_of(
        some.tuples(some.sampled_from(TEXT_OPTIONS), texts.map(str.encode)),
        some.tuples(some.sampled_from(UINT_OPTIONS), some.integers(0, 0xFFFF).map(coap.uint)),
        some.tuples(
            some.sampled_from(BLOCK_OPTIONS), some.integers(0, 0xFFFF).map(lambda n: coap.uint(n << 4 | 6))
        ),
        some.tuples(some.sampled_from(OPAQUE_OPTIONS), some.binary(min_size=1, max_size=300)),
    ),
    max_size=12,
)
messages = some.builds(
    coap.Message,
    some.sampled_from((coap.CON, coap.NON)),
    some.sampled_from(
        (coap.GET, coap.POST, coap.FETCH, coap.CREATED, coap.CONTENT, coap.NOT_FOUND, coap.UNAVAILABLE)
    ),
    some.integers(0, 0xFFFF),
    some.binary(max_size=8),
    options,
    some.binary(max_size=200),
)


def parts(message):
    """A message of ours as a comparable tuple."""
    return (message.type, message.code, message.mid, message.token, ordered(message.options), message.payload)


def peer_parts(message):
    found = [(int(option.number), option.encode()) for option in message.opt.option_list()]
    return (
        int(message.mtype),
        int(message.code),
        message.mid,
        message.token,
        ordered(found),
        message.payload,
    )


def ordered(found):
    """By number only: repeated options keep their order."""
    return sorted(found, key=lambda option: option[0])


@given(messages)
def test_coap_messages_of_ours_are_read_by_aiocoap(message):
    assert peer_parts(aiocoap.Message.decode(coap.encode(message))) == parts(message)


@given(messages)
def test_coap_messages_come_back(message):
    assert parts(coap.decode(coap.encode(message))) == parts(message)


@given(messages)
def test_coap_messages_of_aiocoap_are_read_by_us(message):
    theirs = aiocoap.Message.decode(coap.encode(message))
    theirs.direction = aiocoap.message.Direction.OUTGOING
    assert parts(coap.decode(theirs.encode())) == parts(message)


def test_coap_request_built_by_aiocoap():
    theirs = aiocoap.Message(code=aiocoap.POST, uri="coap://192.0.2.1/rd?ep=dev%C3%A9&lt=300", payload=b"</>")
    theirs.mtype, theirs.mid, theirs.token = aiocoap.CON, 77, b"tok"
    theirs.opt.content_format = 40
    ours = coap.decode(theirs.encode())
    assert ours.path() == ("rd",) and ours.query() == ("ep=dev\u00e9", "lt=300")
    assert ours.uint(coap.CONTENT_FORMAT) == 40 and ours.payload == b"</>" and ours.code == coap.POST


@given(some.binary(max_size=80))
def test_coap_garbage(data):
    """What we accept, aiocoap accepts too and reads alike."""
    try:
        ours = coap.decode(data)
    except RemoteError:
        return
    theirs = aiocoap.Message.decode(data)
    assert (theirs.code, theirs.mid, theirs.token, theirs.payload) == (
        ours.code,
        ours.mid,
        ours.token,
        ours.payload,
    )
    assert parts(coap.decode(coap.encode(ours))) == parts(ours)


@given(some.binary(max_size=60))
def test_coap_garbage_behind_a_good_header(data):
    test_coap_garbage.hypothesis.inner_test(b"\x42\x01\x12\x34" + data)


# CBOR

numbers = some.integers(-(1 << 64), (1 << 64) - 1)
scalars = some.one_of(some.none(), some.booleans(), numbers, some.floats(), texts, some.binary(max_size=40))
# Length first (RFC 7049, cbor2) and bytewise (RFC 8949, ours) order keys of one kind alike.
values = some.recursive(
    scalars,
    lambda inner: some.one_of(
        some.lists(inner, max_size=6),
        some.dictionaries(texts, inner, max_size=6),
        some.dictionaries(some.integers(0, 1 << 64 - 1), inner, max_size=6),
    ),
    max_leaves=40,
)


def alike(first, second):
    """Equality, but a NaN is a NaN, 1 is not True and 1.0 is not 1."""
    if isinstance(first, float) and isinstance(second, float) and math.isnan(first):
        return math.isnan(second)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(alike, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(alike(first[key], second[key]) for key in first)
    return type(first) is type(second) and first == second


@given(values)
def test_cbor_is_what_cbor2_calls_canonical(value):
    assert cbor.encode(value) == cbor2.dumps(value, canonical=True)


@given(values)
def test_cbor_of_ours_is_read_by_cbor2_and_by_us(value):
    data = cbor.encode(value)
    assert alike(cbor2.loads(data), value) and alike(cbor.decode(data), value)


@given(values)
def test_cbor_of_cbor2_is_read_by_us(value):
    assert alike(cbor.decode(cbor2.dumps(value)), value)
    assert alike(cbor.decode(cbor2.dumps(value, indefinite_containers=True)), value)


@given(some.dictionaries(some.one_of(numbers, texts), numbers, max_size=8))
def test_cbor_maps_are_in_the_order_of_rfc_8949(table):
    """RFC 8949 4.2.1: the encoded keys rise bytewise."""
    data = cbor.encode(table)
    assert alike(cbor2.loads(data), table)
    keys = [cbor.encode(key) for key in cbor2.loads(data)]
    assert keys == sorted(keys)


@given(some.binary(max_size=60))
def test_cbor_garbage(data):
    """What we accept, cbor2 accepts too and reads alike (but tags: it makes dates and the like of them)."""
    try:
        ours = cbor.decode(data)
    except RemoteError:
        return
    again = cbor.encode(ours)
    assert cbor.encode(cbor.decode(again)) == again
    if not tagged(ours):
        assert alike(plain(cbor2.loads(data)), ours)


def tagged(value):
    if isinstance(value, dict):
        return any(map(tagged, value.values()))
    return isinstance(value, cbor.Tag) or (isinstance(value, list) and any(map(tagged, value)))


def plain(value):
    """cbor2 tells undefined from null; we do not."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return None if value is cbor2.undefined else value
