"""The device's end of a data call: LCP, PAP or CHAP-MD5, IPCP (RFC 1661, 1334, 1994, 1332, 1877). No I/O, no clock.

    ppp = Ppp(below, user, secret); ppp.open(now)              CONNECT has been said
    ppp.receive(data, now); ppp.send(packet); ppp.poll(now); ppp.deadline(); ppp.close(now)
    ppp.take() -> [("serial", bytes) | ("up", address, peer, [DNS servers]) | ("packet", bytes) | ("down", reason)]

One object a call: after "down" make a new one. It asks for an address and name servers, proves itself in whichever of
the two ways the network wants, refuses compression, and notices by echoes when the modem's end is gone (not when the
network is: the modem itself answers them).
"""

import hashlib

from ..codec.ppp import CHAP, IP, IPCP, LCP, PAP, Reader, encode, joined, options, packet, unpack
from ..table import find

# state event next-state; * = any state
_TRANSITIONS = """
closed open lcp
lcp agreed ipcp
lcp challenged auth
auth accepted ipcp
ipcp agreed up
auth again lcp
ipcp again lcp
up again lcp
lcp close closing
auth close closing
ipcp close closing
up close closing
* ended closed
"""
_REQUEST, _ACK, _NAK, _REJECT, _TERMINATE, _TERMINATED, _CODE_REJECT, _PROTOCOL_REJECT, _ECHO, _REPLY = range(1, 11)
_MRU, _ACCM, _AUTH, _MAGIC, _PFC, _ACFC = 1, 2, 3, 5, 7, 8
_ADDRESS, _DNS1, _DNS2 = 3, 129, 131
_CHAP_MD5 = b"\xc2\x23\x05"
_RETRY_MS, _TRIES = 1000, 10
_ECHO_MS, _ECHOES = 10000, 3
_QUEUE = 32  # packets that wait to be fetched


class Ppp:
    """below(n) -> random int in [0, n). `state` is closed, lcp, auth, ipcp, up or closing."""

    def __init__(self, below, user="", secret=""):
        self._below, self._user, self._secret = below, user.encode(), secret.encode()
        self.state, self.dropped = "closed", 0
        self._reader, self._escaped = Reader(), 0xFFFFFFFF
        self._out, self._serial = [], []
        self._identifier = self._echoes = self._tries = 0
        self._auth = self._asked = self._due = None
        self._ours = self._theirs = self._heard = False
        self._peer = b"\0\0\0\0"

    def open(self, now):
        """Begin; ("up", ...) or ("down", reason) follows."""
        self._enter("open")
        self._ask(now)

    def close(self, now):
        """Hang up; ("down", "closed") follows within two seconds."""
        if self.state not in ("closed", "closing"):
            self._enter("close")
            self._ask(now)

    def receive(self, data, now):
        """Bytes from the serial port."""
        self._heard = True
        for protocol, body in self._reader.feed(data):
            if self.state == "closed":
                return
            if protocol == IP:
                self._packet(body)
            else:
                parts = unpack(body)
                if parts:
                    self._control(protocol, parts, body, now)
        if self._reader.hung_up:
            self._end("no carrier")

    def send(self, data):
        """An IP packet for the network; False when there is no link."""
        if self.state != "up":
            return False
        self._say(IP, data)
        return True

    def poll(self, now):
        """Let time pass."""
        if self._due is None or now < self._due:
            return
        if self.state == "up":
            return self._echo(now)
        if self._tries < (2 if self.state == "closing" else _TRIES):
            return self._ask(now)
        self._end("closed" if self.state == "closing" else "no answer in " + self.state)

    def deadline(self):
        """When poll() is due (ms), or None."""
        return self._due

    def take(self):
        """What is to be done, and empties it."""
        out, self._out = self._out, []
        if self._serial:
            out.insert(0, ("serial", b"".join(self._serial)))
            self._serial = []
        return out

    # --- saying ---

    def _random(self):
        return bytes([self._below(256) for _ in range(4)])

    def _say(self, protocol, body):
        self._serial.append(encode(protocol, body, 0xFFFFFFFF if protocol == LCP else self._escaped))

    def _enter(self, event):
        self.state = (find(_TRANSITIONS, self.state, event) or find(_TRANSITIONS, "*", event))[0]
        self._tries, self._due, self._ours, self._theirs = 0, None, False, False
        if self.state == "lcp":
            self._magic, self._acked = self._random(), {}
            self._wish = {_ACCM: b"\0\0\0\0", _MAGIC: self._magic}
        elif self.state == "ipcp":
            self._wish = {_ADDRESS: b"\0\0\0\0", _DNS1: b"\0\0\0\0", _DNS2: b"\0\0\0\0"}

    def _ask(self, now):
        """The request of the phase we are in."""
        self._tries, self._due = self._tries + 1, now + _RETRY_MS
        self._identifier = self._identifier % 255 + 1
        if self.state in ("lcp", "ipcp"):
            self._asked = joined(sorted(self._wish.items()))
            self._say(LCP if self.state == "lcp" else IPCP, packet(_REQUEST, self._identifier, self._asked))
        elif self.state == "closing":
            self._say(LCP, packet(_TERMINATE, self._identifier))
        elif self._auth == b"\xc0\x23":
            fields = [bytes([len(text)]) + text for text in (self._user, self._secret)]
            self._say(PAP, packet(1, self._identifier, fields[0] + fields[1]))

    def _echo(self, now):
        """Only when nothing came since the last look: the modem's end may be gone."""
        self._echoes = 0 if self._heard else self._echoes + 1
        if self._echoes > _ECHOES:
            return self._end("no echo")
        if self._echoes:
            self._say(LCP, packet(_ECHO, self._echoes, self._magic))
        self._heard, self._due = False, now + _ECHO_MS

    def _end(self, reason):
        if self.state != "closed":
            self._enter("ended")
            self._out.append(("down", reason))

    # --- hearing ---

    def _packet(self, body):
        if self.state == "up" and len(self._out) < _QUEUE:
            self._out.append(("packet", body))
        else:
            self.dropped += 1

    def _control(self, protocol, parts, body, now):
        if protocol == LCP:
            self._lcp(parts[0], parts[1], parts[2], now)
        elif protocol == IPCP:
            if self.state in ("ipcp", "up"):
                self._ipcp(parts[0], parts[1], parts[2], now)
        elif protocol in (PAP, CHAP):
            if self.state in ("auth", "ipcp", "up"):
                self._prove(protocol, parts[0], parts[1], parts[2], now)
        elif self.state not in ("lcp", "closing"):
            # Not one of the requests' numbers: the answer to one may be on its way.
            self._say(LCP, packet(_PROTOCOL_REJECT, self._identifier ^ 128, protocol.to_bytes(2, "big") + body[:1400]))

    def _lcp(self, code, identifier, data, now):
        if code == _REQUEST and self.state != "closing":
            if self.state != "lcp" and data == self._acked.get(LCP):
                return self._say(LCP, packet(_ACK, identifier, data))  # a duplicate
            if self.state != "lcp":
                self._enter("again")  # the network starts over
                self._ask(now)
            self._requested(LCP, identifier, data, self._judge_lcp)
        elif code in (_ACK, _NAK, _REJECT) and self.state == "lcp":
            self._answered(code, identifier, data, now)
        elif code == _TERMINATE:
            self._say(LCP, packet(_TERMINATED, identifier))
            self._end("closed" if self.state == "closing" else "hung up by the network")
        elif code == _TERMINATED and self.state == "closing":
            self._end("closed")
        elif code == _PROTOCOL_REJECT and data[:2] == b"\x80\x21":
            self._end("no IP")
        elif code == _ECHO and self.state != "lcp":
            self._say(LCP, packet(_REPLY, identifier, self._magic + data[4:]))
        if self.state == "lcp" and self._ours and self._theirs:
            self._enter("challenged" if self._auth else "agreed")
            self._ask(now)

    def _requested(self, protocol, identifier, data, judge):
        """Agree to what the network wants, or say what must be otherwise (RFC 1661 5.1 to 5.4)."""
        asked = options(data)
        if asked is None:
            return
        rejected, wrong = judge(asked)
        self._theirs = not rejected and not wrong
        if self._theirs:
            self._acked[protocol] = data
            self._say(protocol, packet(_ACK, identifier, data))
        else:
            self._say(protocol, packet(_REJECT if rejected else _NAK, identifier, joined(rejected or wrong)))

    def _judge_lcp(self, asked):
        rejected, wrong, known = [], [], {}
        for kind, value in asked:
            if kind == _AUTH and value not in (b"\xc0\x23", _CHAP_MD5):
                wrong.append((_AUTH, _CHAP_MD5))
            elif kind == _MAGIC and value == self._magic:
                wrong.append((_MAGIC, self._random()))  # our own voice: a loop
            elif kind not in (_MRU, _ACCM, _AUTH, _MAGIC, _PFC, _ACFC) or kind == _ACCM and len(value) != 4:
                rejected.append((kind, value))
            known[kind] = value
        if not rejected and not wrong:
            self._auth = known.get(_AUTH)
            self._escaped = int.from_bytes(known.get(_ACCM, b"\xff\xff\xff\xff"), "big")
        return rejected, wrong

    def _judge_ipcp(self, asked):
        rejected = [(kind, value) for kind, value in asked if kind != _ADDRESS or len(value) != 4]
        for kind, value in asked:
            if kind == _ADDRESS and value == b"\0\0\0\0":  # a network without an address takes any
                return rejected, [(_ADDRESS, b"\x0a\x40\x40\x40")]
            if kind == _ADDRESS:
                self._peer = value
        return rejected, []

    def _answered(self, code, identifier, data, now):
        """The answer to our own Configure-Request; one to an older request says nothing."""
        if identifier != self._identifier or self._ours:
            return
        if code == _ACK:
            self._ours = data == self._asked
            return
        for kind, value in options(data) or ():
            if code == _REJECT and kind != _ADDRESS:
                self._wish.pop(kind, None)
            elif kind == _MAGIC:
                self._magic = self._wish[kind] = self._random()
            elif kind in self._wish and len(value) == 4:
                self._wish[kind] = value
        if self._tries < _TRIES:
            self._ask(now)

    def _prove(self, protocol, code, identifier, data, now):
        if protocol == CHAP and code == 1 and self._auth == _CHAP_MD5 and data[:1] and len(data) > data[0]:
            challenge = data[1 : 1 + data[0]]
            proof = hashlib.md5(bytes([identifier]) + self._secret + challenge).digest()
            self._say(CHAP, packet(2, identifier, b"\x10" + proof + self._user))
        elif self.state == "auth" and code == (2 if protocol == PAP else 3):
            self._enter("accepted")
            self._ask(now)
        elif code == (3 if protocol == PAP else 4):
            self._say(LCP, packet(_TERMINATE, self._identifier))  # it would wait for that
            self._end("authentication refused")

    def _ipcp(self, code, identifier, data, now):
        if code == _REQUEST:
            if self.state == "up" and data != self._acked[IPCP]:
                return self._end("the network started over")
            self._requested(IPCP, identifier, data, self._judge_ipcp)
        elif code in (_ACK, _NAK, _REJECT) and self.state == "ipcp":
            self._answered(code, identifier, data, now)
        elif code == _TERMINATE:
            self._say(IPCP, packet(_TERMINATED, identifier))
            self._end("hung up by the network")
        if self.state == "ipcp" and self._ours and self._theirs:
            self._up(now)

    def _up(self, now):
        address, servers = self._wish[_ADDRESS], []
        for kind in (_DNS1, _DNS2):
            found = self._wish.get(kind, b"\0\0\0\0")
            if found != b"\0\0\0\0" and _text(found) not in servers:
                servers.append(_text(found))
        self._enter("agreed")
        self._due, self._heard = now + _ECHO_MS, False
        self._out.append(("up", _text(address), _text(self._peer), servers))


def _text(address):
    return ".".join([str(byte) for byte in address])
