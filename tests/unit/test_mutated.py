"""Valid messages, damaged in thousands of ways: a codec may refuse them by RemoteError and in no other way.

The mutations come from a seeded xorshift, so both interpreters see the same ones. What is accepted after all
must mean something: it is written and read again where the codec can write.
"""

from agent.codec import cbor, coap, dns, linkformat, senml, utf8
from agent.engine.discovery import Discovery
from agent.errors import RemoteError

ROUNDS = 400
INTERESTING = (
    0,
    1,
    0x0D,
    0x0E,
    0x0F,
    0x17,
    0x18,
    0x1B,
    0x1F,
    0x20,
    0x22,
    0x3F,
    0x40,
    0x5C,
    0x5F,
    0x7F,
    0x80,
    0x9F,
    0xBF,
    0xC0,
    0xD0,
    0xE0,
    0xF7,
    0xF8,
    0xFB,
    0xFE,
    0xFF,
)

COAP = (
    "40017d34bb74656d7065726174757265",
    "44025ca7deadbeefb27264113a65703d64657631046c743d3330304c77646d3d312e313cff3c2f333e",
    "6245a1b2cafe60520a61423130c12ad10a8aff0102030405060708090a",
    "58450007010203040506070861ab8104616263640561626364656131e1fef2ffe2ff00",
    "70000007",
)
CBOR = (
    "a26161016162820203",
    "9f018202039f0405ffff",
    "bf6346756ef563416d7421ff",
    "d28443a10126a04568656c6c6f423132",
    "83f93c00fa47c35000fb3ff199999999999a",
    "5f42010243030405ff",
    "a301021b000000e8d4a510003903e72063e282ac",
)
LINKS = (
    '</>;rt="oma.lwm2m";ct=112,</1/1>,</1>;ver=1.1,</3/0>',
    '</bs>;rt="oma.bs x\\"y";obs;title="\u20ac"',
    '<coap://192.0.2.77:5783/bs>;rt="oma.bs"',
)
DNS = (
    ("abcd84000001000100000003"
    "065f6d326d6273045f737562055f636f6170045f756470056c6f63616c00000c0001"  # the question
    "c00c000c0001000000780007"
    "04626f6f74c018"  # PTR boot._coap._udp.local
    "c03a00218001000000780012"
    "00000000163304686f7374056c6f63616c00"  # SRV 5683 host.local
    "c03a00108001000000780012"
    "08706174683d2f627303763d3104666c6167"  # TXT path=/bs v=1 flag
    "04686f7374056c6f63616c00000180010000007800"
    "04c0000207"),  # A 192.0.2.7
)
RECORDS = [
    ("/26242/0/0", 7, None),
    ("/3331/0/5805", 100, 1700000000),
    ("/3331/0/5805", 1.5, 1700000060),
    ("/3/0/0", 'Open "\u20ac', None),
    ("/3/0/1", True, None),
    ("/3/0/2", b"\x00\xfb\xff", None),
]


class Chance:
    """xorshift32; `below(n)` as the engines want it."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        x = self.state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.state = x
        return x % n


def mutated(data, other, chance):
    """A copy of data (bytes), damaged once to four times; `other` is what may be spliced in."""
    data = bytearray(data)
    for _ in range(1 + chance.below(4)):
        kind = chance.below(7)
        at = chance.below(len(data) + 1)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + other[chance.below(len(other)) :]
        elif kind == 2:
            data = data[:at] + data[at + 1 + chance.below(3) :]
        elif kind == 3:
            data = data[:at] + bytes((INTERESTING[chance.below(len(INTERESTING))],)) + data[at:]
        elif kind == 4:
            data = data[:at] + data[chance.below(at + 1) : at] + data[at:]
        elif at < len(data):
            data[at] = (
                data[at] ^ 1 << chance.below(8) if kind == 5 else INTERESTING[chance.below(len(INTERESTING))]
            )
    return bytes(data[:600])


def hammer(corpus, seed, read):
    """Feeds damaged messages to `read(bytes)`, out of which only a RemoteError may come."""
    chance = Chance(seed)
    accepted = 0
    for data in corpus:
        read(data)
        for _ in range(ROUNDS):
            bad = mutated(data, corpus[chance.below(len(corpus))], chance)
            try:
                read(bad)
                accepted += 1
            except RemoteError:
                pass
            except Exception as error:
                raise AssertionError("%s: %s" % (repr(error), bad.hex()))
    assert 0 < accepted < ROUNDS * len(corpus)


def hexes(*texts):
    return [bytes.fromhex(text) for text in texts]


def test_coap():
    def read(data):
        message = coap.decode(data)
        coap.unknown_critical(message), message.path(), message.query()
        for number in range(70):
            message.uint(number)
        assert coap.decode(coap.encode(message)).options == message.options

    hammer(hexes(*COAP), 1, read)


def test_cbor():
    def read(data):
        data = cbor.encode(cbor.decode(data))
        assert cbor.encode(cbor.decode(data)) == data

    hammer(hexes(*CBOR), 2, read)


def test_senml_in_cbor():
    def read(data):
        records = senml.unpack(data)
        assert len(senml.unpack(senml.pack(records))) == len(records)

    corpus = [
        senml.pack(RECORDS),
        senml.pack(RECORDS[3:]),
        senml.pack([("0", 1, 5), ("1", "x", None)], "/3/0/"),
    ]
    hammer(corpus, 3, read)


def test_senml_in_json():
    def read(data):
        senml.unpack(data, json=True)

    corpus = [senml.pack(RECORDS, json=True), senml.pack([("0", 1, 5), ("1", "x", None)], "/3/0/", json=True)]
    corpus.append(b'[{"bver":5,"bn":"/3/","bv":1.5,"n":"0/1","u":"V","v":1e3,"foo":{"x":[1,null]}}]')
    hammer(corpus, 4, read)


def test_link_format():
    def read(data):
        links = linkformat.decode(utf8.decode(data, "test"))
        assert linkformat.decode(linkformat.encode(links)) == links

    hammer([text.encode() for text in LINKS], 5, read)


def test_dns():
    hammer(hexes(*DNS) * 5, 6, dns.parse)


def test_discovery():
    """The engine swallows what its codecs refuse."""
    found = Discovery(Chance(7).below, secure=False)
    found.start("eth", 0)
    found.poll(found.deadline())
    sent = [event[4] for event in found.take()]
    token = coap.decode(sent[0]).token
    answer = coap.encode(coap.Message(coap.NON, coap.CONTENT, 1, token, [(12, b"\x28")], LINKS[2].encode()))
    reply = sent[1][:2] + hexes(*DNS)[0][2:]
    chance = Chance(8)
    reported = 0
    for _ in range(4 * ROUNDS):
        for data, port in ((answer, 5683), (reply, 5353)):
            found.receive("eth", "192.0.2.9", port, mutated(data, data, chance), 1000)
            reported += len(found.take())
            found.state = "asking"
    assert reported and found.ignored > ROUNDS
