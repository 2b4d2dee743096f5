"""PPP frames, and the device's end of a data call against a network played by hand (RFC 1661, 1662, 1994, 1332)."""

import hashlib

from agent.codec.ppp import CHAP, IP, IPCP, LCP, PAP, Reader, encode, joined, options, packet, unpack
from agent.engine.ppp import Ppp

REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATED = 1, 2, 3, 4, 5, 6
ECHO = b"\x7e\xff\x03\xc0\x21\x09\x01\x00\x08\x99\xd1\x35\xc1\x8e\x2c\x7e"  # as an ESP32's library sends it
OWN, PEER, DNS = b"\x0a\x40\x00\x02", b"\x0a\x40\x00\x01", b"\x08\x08\x08\x08"


class Network:
    """The other end, by hand: what the device sent is in `heard` as (protocol, code, identifier, data)."""

    def __init__(self, user="", secret=""):
        self.ppp = Ppp(lambda n: 7 % n, user, secret)
        self.reader, self.heard, self.events, self.now = Reader(), [], [], 0
        self.ppp.open(0)
        self.fetch()

    def fetch(self):
        for item in self.ppp.take():
            if item[0] == "serial":
                for protocol, body in self.reader.feed(item[1]):
                    self.heard.append((protocol,) + (unpack(body) if protocol != IP else (0, 0, body)))
            else:
                self.events.append(item)

    def say(self, protocol, code, identifier, data=b""):
        self.raw(encode(protocol, packet(code, identifier, data)))

    def raw(self, data):
        self.ppp.receive(data, self.now)
        self.fetch()

    def pass_time(self, limit):
        """Let all timers run out up to a moment."""
        while self.ppp.deadline() is not None and self.ppp.deadline() <= limit:
            self.now = self.ppp.deadline()
            self.ppp.poll(self.now)
            self.fetch()

    def last(self, protocol, code):
        found = [item for item in self.heard if item[:2] == (protocol, code)]
        return found[-1] if found else None

    def agree(self, protocol, *wanted):
        """Acknowledge the device's request, and make ours."""
        _, _, identifier, data = self.last(protocol, REQUEST)
        self.say(protocol, ACK, identifier, data)
        self.say(protocol, REQUEST, 77, joined(wanted))

    def up(self):
        self.agree(LCP, (2, b"\0\0\0\0"))
        _, _, identifier, _ = self.last(IPCP, REQUEST)
        self.say(IPCP, NAK, identifier, joined([(3, OWN), (129, DNS), (131, DNS)]))
        self.agree(IPCP, (3, PEER))
        assert self.ppp.state == "up", self.ppp.state
        return self


def test_a_frame_byte_for_byte():
    assert encode(LCP, packet(9, 1, b"\x99\xd1\x35\xc1"), 0) == ECHO
    assert Reader().feed(ECHO) == [(LCP, packet(9, 1, b"\x99\xd1\x35\xc1"))]
    assert encode(LCP, packet(9, 1), 0xFFFFFFFF)[:12] == b"~\xff}#\xc0!})}!} "


def test_every_byte_survives_with_and_without_escaping():
    body = bytes(range(256)) * 2
    for escaped in (0, 0xFFFFFFFF, 1 << 17):
        raw = encode(IP, body, escaped)
        assert raw.count(b"~") == 2
        assert not escaped & 1 << 17 or b"\x11" not in raw
        assert Reader().feed(raw) == [(IP, body)]


def test_frames_in_any_pieces_and_with_compressed_heads():
    stream = ECHO[:-1] + encode(IP, b"abc")
    for size in range(1, len(stream) + 1):
        reader, found = Reader(), []
        for at in range(0, len(stream), size):
            found += reader.feed(stream[at : at + size])
        assert [item[0] for item in found] == [LCP, IP] and reader.bad == 0
    # RFC 1661 6.5, 6.6: the network may leave out what is always the same
    assert Reader().feed(b"\x7e\x21\x61\x62\xfc\xb9\x7e") in ([], [(IP, b"ab")])


def test_damaged_frames_are_dropped_and_counted():
    for at in range(1, len(ECHO) - 1):
        raw = bytearray(ECHO)
        raw[at] ^= 0x04
        reader = Reader()
        assert reader.feed(bytes(raw)) == [] and reader.bad >= 1, at
        assert len(reader.feed(ECHO)) == 1


def test_bounds():
    reader = Reader(limit=100)
    for _ in range(50):
        assert reader.feed(b"~" + b"x" * 99) == []
    reader.feed(b"y" * 1000)
    assert len(reader._buffer) < 101 and len(reader.feed(b"z" * 10 + ECHO)) == 1
    for junk in (b"}", b"~}~", b"~}}~", b"~\xff\x03~", b"~\xff~", b"~a~"):
        assert len(Reader().feed(junk + ECHO)) == 1, junk
    assert options(b"\x01") is None and options(b"\x01\x01") is None and options(b"\x01\x09a") is None
    assert unpack(b"") is None and unpack(b"\x01\x01\0\x03") is None and unpack(b"\x01\x01\0\x09a") is None


def test_a_call_without_authentication():
    network = Network().up()
    assert network.events == [("up", "10.64.0.2", "10.64.0.1", ["8.8.8.8"])]
    network.raw(encode(IP, b"packet"))
    assert network.events[-1] == ("packet", b"packet")
    assert network.ppp.send(b"out")
    network.fetch()
    assert network.heard[-1] == (IP, 0, 0, b"out")


def test_pap():
    """RFC 1334 2."""
    network = Network("user", "secret")
    network.agree(LCP, (3, b"\xc0\x23"))
    _, code, identifier, data = network.heard[-1]
    assert (code, data) == (1, b"\x04user\x06secret")
    network.say(PAP, 2, identifier, b"\0")
    assert network.ppp.state == "ipcp"


def test_chap():
    """RFC 1994 4.1."""
    network = Network("user", "secret")
    network.agree(LCP, (3, b"\xc2\x23\x05"))
    network.say(CHAP, 1, 9, b"\x04abcdname")
    assert network.heard[-1] == (CHAP, 2, 9, b"\x10" + hashlib.md5(b"\x09secretabcd").digest() + b"user")
    network.say(CHAP, 3, 9)
    assert network.ppp.state == "ipcp"
    network.say(CHAP, 1, 10, b"\x04abcdname")  # it may ask again at any time
    assert network.heard[-1][:3] == (CHAP, 2, 10)


def test_refused():
    for kind, code in ((PAP, 3), (CHAP, 4)):
        network = Network("user", "wrong")
        network.agree(LCP, (3, b"\xc0\x23" if kind == PAP else b"\xc2\x23\x05"))
        network.say(kind, code, 1)
        assert network.events == [("down", "authentication refused")]
        assert network.ppp.state == "closed" and network.ppp.deadline() is None


def test_what_is_not_possible_is_said():
    network = Network()
    network.say(LCP, REQUEST, 5, joined([(3, b"\xc2\x27")]))  # EAP
    assert network.heard[-1] == (LCP, NAK, 5, joined([(3, b"\xc2\x23\x05")]))
    network.say(LCP, REQUEST, 6, joined([(17, b"\x05\xdc"), (2, b"\0\0\0\0")]))  # multilink
    assert network.heard[-1] == (LCP, REJECT, 6, joined([(17, b"\x05\xdc")]))
    network.say(LCP, REQUEST, 7, joined([(5, b"\7\7\7\7")]))  # our own magic number: a loop
    assert network.heard[-1][:3] == (LCP, NAK, 7)
    network.say(LCP, REQUEST, 8, b"\x01\x09")  # malformed: as if it had never come
    assert network.heard[-1][:3] == (LCP, NAK, 7)
    network.agree(LCP)
    network.say(0x80FD, REQUEST, 1)  # compression
    assert network.heard[-1][:2] == (LCP, 8) and network.heard[-1][3][:2] == b"\x80\xfd"
    network.say(IPCP, REQUEST, 9, joined([(2, b"\0\x2d\x0f\1"), (3, PEER)]))  # header compression
    assert network.heard[-1] == (IPCP, REJECT, 9, joined([(2, b"\0\x2d\x0f\1")]))


def test_a_network_without_name_servers():
    network = Network()
    network.agree(LCP)
    _, _, identifier, _ = network.last(IPCP, REQUEST)
    network.say(IPCP, REJECT, identifier, joined([(129, b"\0\0\0\0"), (131, b"\0\0\0\0")]))
    _, _, identifier, data = network.last(IPCP, REQUEST)
    assert data == joined([(3, b"\0\0\0\0")])
    network.say(IPCP, NAK, identifier, joined([(3, OWN)]))
    network.agree(IPCP, (3, PEER))
    assert network.events == [("up", "10.64.0.2", "10.64.0.1", [])]


def test_requests_are_repeated_ten_times():
    """RFC 1661 4.6."""
    network = Network()
    network.pass_time(60000)
    assert len(network.heard) == 10 and network.now == 10000
    assert len({item[2] for item in network.heard}) == 10
    assert network.events == [("down", "no answer in lcp")]


def test_answers_to_older_requests_say_nothing():
    network = Network()
    _, _, identifier, data = network.last(LCP, REQUEST)
    network.pass_time(1000)
    network.say(LCP, ACK, identifier, data)
    network.say(LCP, REQUEST, 1)
    assert network.ppp.state == "lcp"
    _, _, identifier, data = network.last(LCP, REQUEST)
    network.say(LCP, ACK, identifier, data)
    assert network.ppp.state == "ipcp"


def test_a_refused_protocol_does_not_spoil_the_open_request():
    """Linux' pppd asks for compression and IPv6 while IPCP is being agreed on."""
    network = Network()
    network.agree(LCP)
    for protocol in (0x80FD, 0x8057):
        network.say(protocol, REQUEST, 1)
        assert network.heard[-1][:2] == (LCP, 8)
    _, _, identifier, _ = network.last(IPCP, REQUEST)
    network.say(IPCP, NAK, identifier, joined([(3, OWN)]))
    network.agree(IPCP, (3, PEER))
    assert network.ppp.state == "up"


def test_echoes():
    network = Network().up()
    network.say(LCP, 9, 3, b"\1\2\3\4data")
    assert network.heard[-1] == (LCP, 10, 3, b"\7\7\7\7data")
    network.pass_time(60000)
    assert network.events[-1] == ("down", "no echo") and network.now == 50000
    assert len([item for item in network.heard if item[:2] == (LCP, 9)]) == 3


def test_traffic_replaces_echoes():
    network = Network().up()
    for moment in range(5000, 100000, 5000):
        network.now = moment
        network.raw(encode(IP, b"x"))
        network.pass_time(moment)
    assert not [item for item in network.heard if item[:2] == (LCP, 9)] and network.ppp.state == "up"


def test_hanging_up():
    network = Network().up()
    network.ppp.close(100)
    network.fetch()
    assert network.heard[-1][:2] == (LCP, TERMINATE)
    network.say(LCP, TERMINATED, network.heard[-1][2])
    assert network.events[-1] == ("down", "closed")
    network = Network().up()
    network.ppp.close(100)
    network.pass_time(5000)
    assert network.events[-1] == ("down", "closed") and network.now == 2100


def test_the_network_hangs_up():
    network = Network().up()
    network.say(LCP, TERMINATE, 4)
    assert network.heard[-1] == (LCP, TERMINATED, 4, b"") and network.events[-1] == ("down", "hung up by the network")
    assert not network.ppp.send(b"late")
    network.ppp.poll(10**9)
    network.ppp.close(10**9)


def test_no_carrier():
    for text in (b"\r\nNO CARRIER\r\n", b"~\r\nNO CARRIER\r\n", b"NO CARRIER\r\n"):
        network = Network().up()
        network.raw(text)
        assert network.events[-1] == ("down", "no carrier"), text
    network = Network().up()
    network.raw(encode(IP, b"\r\nNO CARRIER\r\n"))
    assert network.events[-1] == ("packet", b"\r\nNO CARRIER\r\n")


def test_any_bytes_are_survived():
    state, network = 1, Network().up()
    for turn in range(150):
        junk = []
        for _ in range(23):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            junk.append(state >> 16 & 255)
        protocol = (LCP, IPCP, PAP, CHAP, IP, 0x80FD)[turn % 6]
        junk = bytes(junk)
        network.raw(junk + encode(protocol, junk) + encode(protocol, packet(turn % 14, turn, junk)))
        if network.ppp.state == "closed":
            network = Network().up()
