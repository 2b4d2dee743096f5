"""What is fuzzed: one function for each thing that takes bytes from outside; the agent's own are in fuzzed_agent.py.

`make fuzz` drives them by coverage (tests/fuzz); test_mutated_corpus.py under both Pythons with what that found,
damaged. A target takes bytes and returns, or raises RemoteError or LocalError. All else is a finding: another
exception, state without a limit, something believed that was not said.
"""

from coap_pair import below
from dtls_server import IDENTITY, KEY, Line
from oscore_pair import contexts
from policy_documents import ALL, WALL, document, encoded
from policy_world import NORTH, SOUTH, World
from policy_world import signed as double
from replayed import joined, pieces
from signed import ENCLOSED, FULL, SIGNED, SIGNERS
from test_lwm2m_cbor import DEVICE
from test_mutated_at import MANY, ONE

from agent.codec import (  # fmt: skip
    alphabet,
    at,
    cbor,
    cmux,
    coap,
    cose,
    dns,
    dtls,
    linkformat,
    lwm2m_cbor,
    lwm2m_json,
    ppp,
    senml,
    sms,
    strict,
    tlv,
    utf8,
)
from agent.codec import oscore as option
from agent.engine import policy_rules
from agent.engine.broker import Broker
from agent.engine.discovery import Discovery
from agent.engine.dtls import Dtls
from agent.engine.exchange import Exchange
from agent.engine.modem import Modem
from agent.engine.oscore import Oscore
from agent.errors import RemoteError

PEER = ("eth", "10.0.0.1", 5683)
LINE, OURS = Line().up(), contexts()[0]
KINDS = ("int", "float", "bool", "str", "opaque", "time", "objlnk", None)


# codecs


def fuzz_coap(data):
    message = coap.decode(data)
    coap.unknown_critical(message), message.path(), message.query(), message.uint(12)
    assert coap.decode(coap.encode(message)).options == message.options


def fuzz_cbor(data):
    data = cbor.encode(cbor.decode(data))
    assert cbor.encode(cbor.decode(data)) == data


def fuzz_senml_cbor(data):
    records = senml.unpack(data)
    assert len(senml.unpack(senml.pack(records))) == len(records)


def fuzz_senml_json(data):
    senml.unpack(data, json=True)


def fuzz_lwm2m_cbor(data):
    packed = lwm2m_cbor.pack([record for record in lwm2m_cbor.unpack(data) if record[1] is not None])
    assert lwm2m_cbor.pack(lwm2m_cbor.unpack(packed)) == packed


def fuzz_tlv(data):
    base = ((3, 0), (2,), (9, 0), (5, 0, 1))[data[0] & 3] if data else (3, 0)
    records = tlv.unpack(data[1:], base, _kinds)
    assert len(tlv.pack(records, base, _kinds)) <= 2 * len(data) + 8


def _kinds(path):
    return KINDS[path[2] & 7]


def fuzz_linkformat(data):
    links = linkformat.decode(utf8.decode(data, "link format"))
    assert linkformat.decode(linkformat.encode(links)) == links


def fuzz_dns(data):
    dns.parse(data)
    dns.reply(data, ("host.local", 1))


def fuzz_lwm2m_json(data):
    lwm2m_json.unpack(data, (3, 0), _kinds)


def fuzz_at_lines(data):
    """Every parser, and the reader that cuts the lines out of a stream."""
    text = "".join([chr(byte) for byte in data[1:]])
    lines = text.split("\n")
    parsers = ONE + MANY
    parser = parsers[data[0] % len(parsers)] if data else ONE[0]
    for line in lines[:20]:
        _tried(parser, line if parser in ONE else lines)
    reader = at.Reader("")
    reader.feed(data)
    assert len(reader.feed(b"\r\n" * 3)) < 3000


def _tried(parser, argument):
    try:
        parser(argument)
    except RemoteError:
        pass


def fuzz_sms(data):
    message = sms.decode("".join(["%02X" % byte for byte in data[1:]]), bool(data and data[0] & 1))
    assert message


def fuzz_alphabet(data):
    septets = alphabet.unpack(data[1:], data[0], data[0] & 7) if data else None
    assert septets is None or isinstance(alphabet.gsm(septets), str)
    alphabet.ucs2(data)


def fuzz_frames(data):
    """PPP's and the multiplexer's framing, in two pieces."""
    for reader in (ppp.Reader(), cmux.Reader()):
        reader.feed(data[: len(data) // 2])
        reader.feed(data[len(data) // 2 :])
    ppp.options(data)


def fuzz_cose(data):
    """There is one envelope of what is split out of it, and one form of its content; forging.py tries signatures."""
    tag, algorithm, kid, _, body, proof = cose.split(data)
    header = cbor.encode({1: algorithm, 4: kid})
    assert data == cbor.encode(cbor.Tag(tag, [header, {}, body, proof]))
    assert cbor.encode(strict.load_all(body)) == body


def fuzz_dtls_messages(data):
    parsers = (dtls.server_hello, dtls.verify_request, dtls.fragments, dtls.records)
    parsers[data[0] & 3 if data else 0](data[1:])


def fuzz_oscore_option(data):
    assert option.encode(*option.decode(data)) == data


# engines: several datagrams, and what they leave behind


def fuzz_dtls_handshake(data):
    """Whatever comes first, nothing goes up that was not said: the key says who speaks."""
    client = Dtls(IDENTITY, KEY, below())
    client.open(0)
    for turn, datagram in enumerate(pieces(data)):
        client.receive(datagram, turn)
    kinds = [event[0] for event in client.take()]
    assert "plain" not in kinds and len(kinds) < 40


def fuzz_dtls_records(data):
    """A session that is up, and records of somebody who has no key."""
    client = LINE.client
    client.take()
    for turn, datagram in enumerate(pieces(data)):
        client.receive(datagram, turn)
    assert client.is_up() and not [event for event in client.take() if event[0] == "plain"]


def fuzz_oscore(data):
    """Requests and responses of somebody who has no key."""
    guard = Oscore(OURS, lambda n: 0, [64, 5, 1] if data[:1] == b"\1" else None)
    guard.send(coap.encode(coap.Message(coap.CON, coap.GET, 7, b"t", [(coap.OBSERVE, b"")])), 0)
    guard.take()
    for turn, datagram in enumerate(pieces(data[1:])):
        guard.receive(datagram, turn)
    assert len(guard._asked) <= 1 and not guard._served and len(guard._out) <= 30
    for kind, what in guard.take():
        assert kind in ("udp", "plain", "refused", "keep")
        assert kind != "plain" or _says_nothing(what)


def _says_nothing(data):
    """Empty, malformed, or the 5.02 that stands for an answer without protection."""
    try:
        return coap.decode(data).code in (0, 162)
    except RemoteError:
        return True


def fuzz_exchange(data):
    """Anything between two peers, with a request of ours under way; time passes."""
    exchange = Exchange(below(3))
    exchange.request(PEER, coap.GET, ("rd",), 0, payload=b"x" * (700 if data[:1] == b"\1" else 1))
    now = 0
    for datagram in pieces(data[1:]):
        exchange.receive(PEER, datagram, now)
        for event in exchange.events():
            if event[0] == "request":
                exchange.respond(event[1], coap.CONTENT, now, b"y" * (datagram[-1] * 8))
        exchange.take()
        now += 900
        exchange.poll(now)
    assert len(exchange.take()) < 60


def fuzz_discovery(data):
    found = Discovery(below(5), secure=False)
    found.start("eth", 0)
    found.poll(found.deadline())
    found.take()
    for datagram in pieces(data):
        found.receive("eth", "192.0.2.9", 5353 if len(datagram) & 1 else 5683, datagram, 1000)
    assert len(found.take()) < 20


def fuzz_policies(data):
    """Documents that an operator gone mad signs, and the same without a signature."""
    world = World(((NORTH, 1, None), (SOUTH, 2, None)))
    for piece in pieces(data, 4):
        world.offer(double(piece), "usb"), world.offer(piece), world.wait(40)
    assert len(world.take()) <= 12 and len(world.medium.files) <= 6
    policy_rules.check(document(1, world.force()))


def fuzz_modem(data):
    """The modem's lines as it comes up."""
    modem, now = Modem("auto", "iot"), 0
    modem.target("connected", now)
    for piece in pieces(data, 40):
        modem.receive(piece, now)
        now += 250
        modem.send("a", 1 + len(piece) % 6, b"x", now)
        modem.poll(now)
        assert modem.deadline() is not None and len(modem.take()) < 40


def fuzz_broker(data):
    """A connection's bytes, in pieces; a broker that is not one is left and called again."""
    broker = Broker("m1", ["g/1"], lambda n: n // 2, longest=64)
    broker.start(0)
    for now, piece in enumerate(pieces(data)):
        broker.receive(piece, now)
        for event in broker.take():
            if event[0] == "message":
                assert event[1] == "g/1" and len(event[2]) <= 104
                broker.stored(event[3])
        if broker.state == "waiting":
            broker.poll(broker.deadline())
        assert broker.state != "idle" and not broker._open and len(broker._reader._data) <= 512


def targets(found=None):
    """-> [(name, function)] of this file, or of others' globals."""
    found = found or globals()
    return [(name[5:], found[name]) for name in sorted(found) if name.startswith("fuzz_")]


def seeds(name):
    """Inputs to begin with that are right."""
    line = LINE
    text = {
        "senml_cbor": [senml.pack([("/3331/0/5805", 1.5, 1700000060), ("/3/0/2", b"\0\xfb", None)])],
        "senml_json": [senml.pack([("/3331/0/5805", 100, 1700000000), ("/3/0/1", True, None)], json=True)],
        "lwm2m_cbor": [lwm2m_cbor.pack(DEVICE)],
        "lwm2m_json": [b'{"bn":"/3/0/","e":[{"n":"0","sv":"Open"},{"n":"9","v":9.5},{"n":"11/0","v":0}]}'],
        "cbor": [cbor.encode({"a": [1, -2, 1.5, None, True], "b": b"x"}), b"\xd2\x84\x43\xa1\x01\x26\xa0\x41a\x41b"],
        "coap": [bytes.fromhex("44025ca7deadbeefb27264113a65703d64657631046c743d3330304c77646d3d312e313cff3c2f333e")],
        "tlv": [b"\0\xc8\0\x14Open Mobile Alliance\xc1\x01\x16\x86\x06\x41\0\1\x41\1\5"],
        "linkformat": [b'</>;rt="oma.lwm2m";ct=112,</1/1>;ver=1.1;obs,</3/0>;title="a"'],
        "dns": [bytes.fromhex("abcd84000001000100000000065f6d326d6273045f756470056c6f63616c00000c0001"
                              "c00c000c0001000000780007046f6e6573c018")],
        "broker": [joined([b"\x20\2\0\0", b"\x90\3\0\1\1", b"\x32\x08\0\3g/1\0\5x",
                           b"\x30\x80\1\0\3g/1" + bytes(123)])],
        "cose": [SIGNED, SIGNERS, ENCLOSED, FULL],
        "policies": [joined([encoded(document(1, ALL)), encoded(document(2, {}, SOUTH, activate=WALL + 9, trial=60))])],
        "dtls_handshake": [joined(line.back[:3])],
        "dtls_records": [joined([line.server.seal(dtls.APPLICATION, b"hello")[:-1] + b"\0"])],
        "dtls_messages": [b"\0" + dtls.VERSION + bytes(32) + b"\0" + dtls.SUITE + b"\0\0\x04\0\x17\0\0"],
        "oscore": [b"\0" + joined([coap.encode(coap.Message(coap.CON, coap.POST, 9, b"t", [
            (9, option.encode(b"\5", b"\1"))], bytes(20)))])],
        "oscore_option": [option.encode(b"\5", b"kid", b"group")],
        "exchange": [b"\1" + joined([bytes.fromhex("6045000061"), bytes.fromhex("44011234746f6b6eb272646161ff78")])],
        "modem": [joined([b"AT\r\r\nOK\r\n", b"Quectel\r\nEC25\r\nOK\r\n", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"])],
        "sms": [b"\1" + bytes.fromhex("07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07")],
    }
    return text.get(name, [b"\0" * 8, b"+CEREG: 2,1,\"00A1\",\"01B2\",7\r\nOK\r\n"])
