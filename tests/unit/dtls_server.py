"""A small DTLS 1.2 server for one client, in virtual time, with the habits that servers have; for tests only."""

import hashlib

from coap_pair import below

from agent.codec import dtls as codec
from agent.crypto.ccm import Ccm
from agent.crypto.hashes import prf
from agent.engine.dtls import Dtls

IDENTITY, KEY = b"dev1", b"secretPSK16bytes"


class Server:
    """cid: what it wants in records, None: it has never heard of that; piece: bytes of handshake in one fragment;
    mute: silent to a wrong Finished."""

    def __init__(self, key=KEY, cid=b"\x73\x01", cookie=b"cookie", extended=True, hint=None, piece=1000, mute=False):
        self.key, self.cookie, self.extended, self.hint = key, cookie, extended, hint
        self.knows_cid, self.cid = cid is not None, cid or b""
        self.piece, self.mute = piece, mute
        self.random = bytes(range(32))
        self.got, self.alerts, self.out = [], [], []
        self.count = self.sealed = 0
        self.suite, self.more, self.read, self.last = codec.SUITE, b"", None, b""

    def receive(self, datagram):
        records, rest = codec.records(datagram, len(self.cid))
        assert not rest
        for kind, head, cid, body in records:
            if head[2:4] == b"\0\0":
                if kind == codec.HANDSHAKE:
                    self._handshake(body)
                elif kind == codec.ALERT:
                    self.alerts.append(body)
            elif self.read:
                self._sealed(kind, head, cid, body)

    def take(self):
        out, self.out = self.out, []
        return out

    def plain(self, kind, body):
        self.count += 1
        return codec.record(kind, codec.header(0, self.count - 1), body)

    def seal(self, kind, plain):
        head = codec.header(1, self.sealed)
        self.sealed += 1
        body = self.write(self.write_iv + head[2:], plain, codec.additional(kind, head, len(plain)))
        return codec.record(kind, head, head[2:] + body)

    def pieces(self, messages):
        """Records with the messages, cut up."""
        out = []
        for kind, number, body in messages:
            for at in range(0, len(body) or 1, self.piece):
                part = body[at : at + self.piece]
                out.append(self.plain(codec.HANDSHAKE, bytes((kind,)) + len(body).to_bytes(3, "big")
                           + number.to_bytes(2, "big") + at.to_bytes(3, "big") + len(part).to_bytes(3, "big") + part))
        return out

    def _handshake(self, text):
        for kind, _, number, _, body in codec.fragments(text):
            if kind == codec.CLIENT_HELLO:
                self._hello(number, body, codec.message(kind, number, body))
            elif kind == codec.CLIENT_KEY:
                self._keys(codec.message(kind, number, body))

    def _hello(self, number, body, text):
        if self.cookie and body[36 : 36 + body[35]] != self.cookie:
            request = codec.OLDER + bytes((len(self.cookie),)) + self.cookie
            self.out.append(self.plain(codec.HANDSHAKE, codec.message(codec.VERIFY_REQUEST, number, request)))
            return
        self.client_random = body[2:34]
        more = self.more + (b"\0\x17\0\0" if self.extended else b"")
        if self.knows_cid:
            more += b"\0\x36" + (len(self.cid) + 1).to_bytes(2, "big") + bytes((len(self.cid),)) + self.cid
        hello = codec.VERSION + self.random + b"\0" + self.suite + b"\0" + len(more).to_bytes(2, "big") + more
        flight = [(codec.SERVER_HELLO, number, hello)]
        if self.hint is not None:
            flight.append((codec.SERVER_KEY, number + 1, len(self.hint).to_bytes(2, "big") + self.hint))
        flight.append((codec.SERVER_DONE, number + len(flight), b""))
        self.next = number + len(flight)
        self.transcript = text + b"".join([codec.message(*message) for message in flight])
        records = self.pieces(flight)
        self.out += records if self.piece < 1000 else [b"".join(records)]

    def _keys(self, text):
        whole = self.transcript + text
        size = len(self.key).to_bytes(2, "big")
        first = size + bytes(len(self.key)) + size + self.key
        if self.extended:
            self.master = prf(first, b"extended master secret", hashlib.sha256(whole).digest(), 48)
        else:
            self.master = prf(first, b"master secret", self.client_random + self.random, 48)
        block = prf(self.master, b"key expansion", self.random + self.client_random, 40)
        self.read, self.write = Ccm(block[:16]).open, Ccm(block[16:32]).seal
        self.read_iv, self.write_iv = block[32:36], block[36:40]
        self.seen, self.whole = [], whole

    def _sealed(self, kind, head, cid, body):
        if cid != (self.cid if kind == codec.CONNECTED else b"") or head in self.seen:
            return
        size = len(body) - 16
        plain = self.read(self.read_iv + body[:8], body[8:], codec.additional(kind, head, size, cid))
        if plain is None:
            if not self.mute:
                self.out.append(self.plain(codec.ALERT, b"\x02\x14"))
            return
        self.seen.append(head)
        if kind == codec.CONNECTED:
            kind, plain = plain[-1], plain[:-1]
        if kind == codec.HANDSHAKE:
            self._finished(plain)
        elif kind == codec.ALERT:
            self.alerts.append(plain)
        else:
            self.got.append(plain)

    def _finished(self, text):
        assert text[12:] == prf(self.master, b"client finished", hashlib.sha256(self.whole).digest(), 12)
        proof = prf(self.master, b"server finished", hashlib.sha256(self.whole + text).digest(), 12)
        message = codec.message(codec.FINISHED, self.next, proof)
        self.out.append(self.plain(codec.CHANGE, b"\x01") + self.seal(codec.HANDSHAKE, message))


class Line:
    """A client and a server. `lose(from_client, count)`: whether this datagram is lost; `said`: all but datagrams."""

    def __init__(self, server=None, lose=None, state=b"", **options):
        self.server = server or Server()
        self.client = Dtls(IDENTITY, KEY, below(), state, **options)
        self.lose = lose or (lambda up, count: False)
        self.now, self.sent, self.back = 0, [], []
        self.said, self.kept, self.got = [], b"", []

    def run(self):
        """Until nobody has anything to say without waiting."""
        busy = True
        while busy:
            busy = False
            for event in self.client.take():
                busy = True
                self._event(event)
            for data in self.server.take():
                busy = True
                self.back.append(data)
                if not self.lose(False, len(self.back)):
                    self.client.receive(data, self.now)

    def _event(self, event):
        if event[0] == "udp":
            self.sent.append(event[1])
            if not self.lose(True, len(self.sent)):
                self.server.receive(event[1])
        elif event[0] == "keep":
            self.kept = event[1]
        elif event[0] == "plain":
            self.got.append(event[1])
        else:
            self.said.append(event)

    def wait(self, limit=600000):
        """Lets time pass until there is no deadline any more."""
        self.run()
        while self.client.deadline() is not None and self.now < limit:
            self.now = max(self.now, self.client.deadline())
            self.client.poll(self.now)
            self.run()

    def up(self):
        """Itself, with a session."""
        self.client.open(self.now)
        self.wait()
        assert self.said == [("up",)], self.said
        return self
