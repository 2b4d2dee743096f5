"""Our SenML and link lists beside json, cbor2 and aiocoap's parser, on inputs that hypothesis makes up."""

import json

import cbor2
from aiocoap.util import linkformat as peer_links
from hypothesis import given, settings
from hypothesis import strategies as some

from agent.codec import linkformat, senml
from agent.errors import RemoteError

settings.register_profile("codecs", deadline=None, max_examples=200)
settings.load_profile("codecs")

# No surrogates: they are no text.
texts = some.text(some.characters(codec="utf-8"), max_size=40)


# SenML

names = some.text("abcXYZ019-:._/", min_size=1, max_size=12)
times = some.one_of(some.none(), some.integers(1, 1 << 33), some.floats(1, 1 << 33))
finite = some.floats(allow_nan=False, allow_infinity=False)
small = some.integers(-(1 << 64), (1 << 64) - 1)
readings = some.one_of(some.none(), some.booleans(), small, finite, texts, some.binary(max_size=20))
records = some.lists(some.tuples(names, readings, times), max_size=12)


@given(records, some.booleans())
def test_senml_comes_back(pack, as_json):
    assert senml.unpack(senml.pack(pack, json=as_json), as_json) == pack


@given(records, some.booleans(), some.sampled_from(("/3/0/", "urn:dev:")))
def test_senml_comes_back_under_a_base(pack, as_json, base):
    found = senml.unpack(senml.pack(pack, base, as_json), as_json)
    assert found == [(base + name, value, time) for name, value, time in pack]


@given(records)
def test_senml_is_valid_json_and_cbor_to_others(pack):
    labels = {-2: "bn", -3: "bt", 0: "n", 2: "v", 3: "vs", 4: "vb", 6: "t", 8: "vd"}
    text = json.loads(senml.pack(pack, json=True))
    data = cbor2.loads(senml.pack(pack))
    for first, second in zip(text, data, strict=True):
        assert set(first) == {labels[label] for label in second}
        assert all(first[labels[label]] == value for label, value in second.items() if label != 8)


@given(
    some.one_of(
        some.binary(max_size=80), some.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_senml_garbage(data):
    for as_json in (False, True):
        try:
            senml.unpack(data, as_json)
        except RemoteError:
            pass


json_values = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=8)),
    lambda inner: some.one_of(
        some.lists(inner, max_size=4),
        some.dictionaries(
            some.sampled_from(("n", "bn", "v", "vs", "vb", "vd", "t", "bt", "bver", "x", "x_")), inner
        ),
    ),
)


@given(some.lists(json_values, max_size=4))
def test_senml_of_the_wrong_shape(value):
    """CPython's json also writes NaN, Infinity and lone surrogates, as a careless peer would."""
    try:
        senml.unpack(json.dumps(value).encode(), True)
    except RemoteError:
        pass


# Link format

attribute = some.tuples(
    some.text("abcdefgh-*", min_size=1, max_size=6),
    some.one_of(
        some.none(), some.text(some.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
    ),
)
links = some.lists(
    some.tuples(
        some.text(
            some.characters(codec="ascii", exclude_characters=">", exclude_categories=["Cc"]), max_size=20
        ),
        some.lists(attribute, max_size=5),
    ),
    max_size=6,
)


@given(links)
def test_links_come_back(value):
    assert linkformat.decode(linkformat.encode(value)) == value


def test_links_of_aiocoap():
    theirs = peer_links.LinkFormat(
        [peer_links.Link("/", rt="oma.lwm2m", ct="112"), peer_links.Link("/3331/0", title='a "b", c; d')]
    )
    assert linkformat.decode(str(theirs)) == [
        ("/", [("rt", "oma.lwm2m"), ("ct", "112")]),
        ("/3331/0", [("title", 'a "b", c; d')]),
    ]


def test_links_for_aiocoap():
    ours = [("/", [("rt", "oma.lwm2m"), ("ct", "112")]), ("/1", [("ver", "1.1")]), ("/3/0", [("obs", None)])]
    found = peer_links.parse(linkformat.encode(ours)).links
    assert [(link.href, [tuple(pair) for pair in link.attr_pairs]) for link in found] == ours


@given(some.text(some.sampled_from('<>;,="\\/a1 \u20ac'), max_size=30))
def test_link_garbage(text):
    try:
        found = linkformat.decode(text)
    except RemoteError:
        return
    assert linkformat.decode(linkformat.encode(found)) == found
