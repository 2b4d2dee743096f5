"""The network's end of a data call: LCP, PAP or CHAP-MD5, IPCP with addresses and DNS (RFC 1661, 1332, 1334, 1877,
1994). Bytes and the time in, bytes and packets out: no I/O, no clock. Written apart from the agent's own PPP, so that
each is a second opinion on the other.

    server = Server(address="10.64.0.2", own="10.64.0.1", dns=("10.64.0.1",))
    server.start(now); server.receive(data, now); server.send(packet); server.poll(now); server.deadline()
    server.output -> bytes for the line; server.packets -> IP packets of the device; server.state
"""

import hashlib
import os

from .ppp_frames import (
    ACK,
    ALL_CONTROLS,
    CHAP,
    CODE_REJECT,
    ECHO,
    ECHO_REPLY,
    IP,
    IPCP,
    LCP,
    NAK,
    PAP,
    PROTOCOL_REJECT,
    REJECT,
    REQUEST,
    TERMINATE,
    TERMINATED,
    Reader,
    counted,
    fields,
    frame,
    joined,
    options,
    packet,
    unpack,
)  # fmt: skip

_MRU, _ACCM, _AUTH, _MAGIC, _PFC, _ACFC = 1, 2, 3, 5, 7, 8
_SIZES = {_MRU: 2, _ACCM: 4, _MAGIC: 4, _PFC: 0, _ACFC: 0}  # what the device may ask of LCP, and how long it is
_ADDRESS, _DNS1, _DNS2 = 3, 129, 131
_AUTH_VALUES = {"pap": b"\xc0\x23", "chap": b"\xc2\x23\x05"}
RETRY_MS = 1000
SOON_MS = 50  # after the device was heard for the first time
MAX_TRIES = 10  # RFC 1661 4.6: Max-Configure
MAX_NAKS = 5
MAX_QUEUE = 64  # packets

FAULTS = ("none", "zombie", "silent", "drop-lcp", "deny")


def _ip4(text):
    return bytes(int(part) for part in text.split("."))


class Server:
    """state: lcp, auth, ipcp, up, closing, closed; `cause` says why it closed.

    auth: None, "pap" or "chap"; user and secret are what is accepted (user "": any). fault: "zombie" carries no IP
    packets any more, "silent" says nothing at all, "drop-lcp" never answers LCP, "deny" refuses every device.
    """

    def __init__(self, address="10.64.0.2", own="10.64.0.1", dns=("10.64.0.1",), auth=None, user="", secret="",
                 mru=1500, random=os.urandom):
        self._address, self._own = _ip4(address), _ip4(own)
        servers = [_ip4(text) for text in dns] or [bytes(4)]
        self._dns = {_DNS1: servers[0], _DNS2: servers[-1]}
        self._auth, self._user, self._secret = auth, user.encode(), secret.encode()
        self._mru, self._random = mru, random
        self.output, self.packets = bytearray(), []
        self.fault, self.cause, self.state = "none", "", "closed"
        self.lost = 0  # packets that nobody fetched, or that came when there was no link
        self._reader, self._identifier, self._refusal = Reader(), 0, 0
        self._due, self._now = None, 0
        self._begin("closed")

    def start(self, now):
        """CONNECT was said: ask for the device's LCP."""
        self._now = now
        self._begin("lcp")
        self._ask()

    def receive(self, data, now):
        """Bytes from the device."""
        self._now = now
        for protocol, body in self._reader.feed(data):
            if self.fault != "silent" and self.state != "closed":
                self._accept(protocol, body)

    def send(self, data):
        """An IP packet for the device."""
        if self.state != "up" or self.fault in ("zombie", "silent"):
            self.lost += 1
        else:
            self._say(IP, data)

    def terminate(self, now, cause="network"):
        """Hang up, politely (RFC 1661 3.7)."""
        self._now = now
        if self.state not in ("closing", "closed"):
            self.cause = cause
            self._begin("closing")
            self._ask()

    def poll(self, now):
        """Ask again for what was not answered; the first request is often lost, nobody reads the line yet."""
        self._now = now
        if self._due is None or now < self._due:
            return
        if self._tries < (2 if self.state == "closing" else MAX_TRIES):
            return self._ask()
        self._close("no answer")

    def deadline(self):
        """When poll() is due (ms), or None."""
        return self._due

    # --- saying ---

    def _begin(self, state):
        """Enter a phase: nothing of it is agreed on yet."""
        self.state, self._tries, self._naks = state, 0, 0
        self._ours = self._theirs = False
        self._due = None
        if state == "lcp":
            self._escaped, self._magic, self._acked = ALL_CONTROLS, self._random(4), {}
            self._wish = {_ACCM: bytes(4), _MAGIC: self._magic}
            if self._mru != 1500:
                self._wish[_MRU] = self._mru.to_bytes(2, "big")
            if self._auth:
                self._wish[_AUTH] = _AUTH_VALUES[self._auth]
        elif state == "ipcp":
            self._wish = {_ADDRESS: self._own}

    def _say(self, protocol, body):
        if self.fault != "silent":
            self.output += frame(protocol, body, ALL_CONTROLS if protocol == LCP else self._escaped)

    def _ask(self):
        """The request of the phase we are in."""
        self._tries += 1
        self._due = self._now + RETRY_MS
        self._identifier = self._identifier % 255 + 1
        if self.state in ("lcp", "ipcp"):
            self._asked = joined(sorted(self._wish.items()))
            self._say(LCP if self.state == "lcp" else IPCP, packet(REQUEST, self._identifier, self._asked))
        elif self.state == "auth" and self._auth == "chap":
            self._challenge = self._random(16)
            self._say(CHAP, packet(1, self._identifier, counted(self._challenge) + b"network"))
        elif self.state == "closing":
            self._say(LCP, packet(TERMINATE, self._identifier))

    def _close(self, cause):
        self.cause = self.cause or cause
        self._begin("closed")

    # --- hearing ---

    def _accept(self, protocol, body):
        if protocol == IP:
            return self._ip(body)
        if protocol not in (LCP, PAP, CHAP, IPCP):
            if self.state not in ("lcp", "closing"):
                self._refusal = self._refusal % 255 + 1  # not of the requests' numbers: one may be open
                self._say(LCP, packet(PROTOCOL_REJECT, self._refusal, protocol.to_bytes(2, "big") + body[:64]))
            return None
        parts = unpack(body)
        if parts is None or protocol == LCP and self.fault == "drop-lcp":
            return None
        if protocol == LCP:
            return self._lcp(*parts)
        if protocol == IPCP:
            return self._ipcp(*parts) if self.state in ("ipcp", "up") else None
        return self._pap(*parts) if protocol == PAP else self._chap(*parts)

    def _ip(self, body):
        if self.state == "up" and self.fault != "zombie" and len(self.packets) < MAX_QUEUE:
            self.packets.append(body)
        else:
            self.lost += 1

    def _lcp(self, code, identifier, data):
        if code == REQUEST and self.state != "closing":
            if self.state != "lcp" and data == self._acked.get(LCP):
                return self._say(LCP, packet(ACK, identifier, data))  # a duplicate
            if self.state != "lcp":
                self._begin("lcp")  # the device starts over
                self._ask()
            self._answer(LCP, identifier, data, self._judge_lcp)
            if not self._ours:  # it is listening now: do not wait long
                self._due = min(self._due, self._now + SOON_MS)
        elif code in (ACK, NAK, REJECT) and self.state == "lcp":
            self._answered(code, identifier, data)
        elif code == ECHO and self.state != "lcp":
            self._say(LCP, packet(ECHO_REPLY, identifier, self._magic + data[4:]))
        else:
            self._lcp_end(code, identifier, data)
        self._advance()

    def _lcp_end(self, code, identifier, data):
        if code == TERMINATE:
            self._say(LCP, packet(TERMINATED, identifier))
            self._close("device")
        elif code == TERMINATED and self.state == "closing":
            self._close("network")
        elif code == PROTOCOL_REJECT and data[:2] == IPCP.to_bytes(2, "big"):
            self.terminate(self._now, "the device wants no IPCP")
        elif code > 11:
            self._say(LCP, packet(CODE_REJECT, identifier, packet(code, identifier, data)))

    def _judge_lcp(self, asked):
        rejected = [(kind, value) for kind, value in asked if _SIZES.get(kind) != len(value)]
        wrong = [(kind, self._random(4)) for kind, value in asked if kind == _MAGIC and value == self._magic]
        if not rejected and not wrong:
            self._escaped = int.from_bytes(dict(asked).get(_ACCM, b"\xff\xff\xff\xff"), "big")
        return rejected, wrong

    def _judge_ipcp(self, asked):
        known = {_ADDRESS: self._address, **self._dns}
        rejected = [(kind, value) for kind, value in asked if kind not in known or len(value) != 4]
        wrong = [(kind, known[kind]) for kind, value in asked if kind in known and value != known[kind]]
        if _ADDRESS not in dict(asked):
            wrong.append((_ADDRESS, self._address))
        return rejected, wrong

    def _answer(self, protocol, identifier, data, judge):
        """Acknowledge a Configure-Request, or say what must be otherwise (RFC 1661 5.1 to 5.4)."""
        asked = options(data)
        if asked is None:
            return
        rejected, wrong = judge(asked)
        self._theirs = not rejected and not wrong
        if rejected:
            self._say(protocol, packet(REJECT, identifier, joined(rejected)))
        elif wrong:
            self._naks += 1
            self._say(protocol, packet(NAK, identifier, joined(wrong)))
            if self._naks > MAX_NAKS:
                self.terminate(self._now, "no agreement")
        else:
            self._acked[protocol] = data
            self._say(protocol, packet(ACK, identifier, data))

    def _answered(self, code, identifier, data):
        """The answer to our own Configure-Request; one to an older request says nothing."""
        if identifier != self._identifier or self._ours:
            return
        if code == ACK:
            self._ours = data == self._asked
            return
        changed = dict(options(data) or [])
        if _AUTH in changed:
            return self.terminate(self._now, "the device refuses to authenticate")
        for kind in [kind for kind in changed if kind in self._wish]:
            if code == REJECT:
                del self._wish[kind]
            elif kind == _MAGIC:
                self._magic = self._wish[kind] = self._random(4)
            elif kind in (_MRU, _ACCM):
                self._wish[kind] = changed[kind]
        if self._tries < MAX_TRIES:
            self._ask()

    def _advance(self):
        if not (self._ours and self._theirs):
            return
        if self.state == "lcp":
            self._begin("auth" if self._auth else "ipcp")
            if self.fault == "deny" and not self._auth:
                return self.terminate(self._now, "denied")
            self._due = self._now + MAX_TRIES * RETRY_MS  # PAP: it is the device that asks
            if self._auth != "pap":
                self._ask()
        elif self.state == "ipcp":
            self._begin("up")

    def _pap(self, code, identifier, data):
        parts = fields(data, 2)
        if code != 1 or self._auth != "pap" or self.state == "lcp" or parts is None:
            return
        good = self._known(parts[0]) and parts[1] == self._secret
        self._say(PAP, packet(2 if good else 3, identifier, counted(b"" if good else b"no")))
        self._verdict(good)

    def _chap(self, code, identifier, data):
        parts = fields(data, 1)
        if code != 2 or self._auth != "chap" or self.state != "auth" or parts is None or identifier != self._identifier:
            return  # or it answers an older challenge
        wanted = hashlib.md5(bytes((identifier,)) + self._secret + self._challenge).digest()
        good = self._known(parts[1]) and parts[0] == wanted
        self._say(CHAP, packet(3 if good else 4, identifier))
        self._verdict(good)

    def _known(self, user):
        return self.fault != "deny" and (not self._user or user == self._user)

    def _verdict(self, good):
        if not good:
            self.terminate(self._now, "authentication")
        elif self.state == "auth":
            self._begin("ipcp")
            self._ask()

    def _ipcp(self, code, identifier, data):
        if code == REQUEST:
            if self.state == "up" and data == self._acked.get(IPCP):
                return self._say(IPCP, packet(ACK, identifier, data))
            if self.state == "up":
                self._begin("ipcp")
                self._ask()
            self._answer(IPCP, identifier, data, self._judge_ipcp)
        elif code in (ACK, NAK, REJECT):
            if self.state == "ipcp":
                self._answered(code, identifier, data)
        elif code == TERMINATE:
            self._say(IPCP, packet(TERMINATED, identifier))
            self.terminate(self._now, "device")
        self._advance()
