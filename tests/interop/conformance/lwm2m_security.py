"""What protects the conformance servers, and is not ours: OSCORE by aiocoap, and DTLS by `openssl s_server`, which
stands before a server and hands each record's content on as a datagram."""

import asyncio
import socket
import subprocess
from typing import NamedTuple

from aiocoap import oscore
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper
from aiocoap.transports.oscore import OSCOREAddress
from free_ports import free_port
from programs import found

SUITE = "PSK-AES128-CCM8:@SECLEVEL=0"


class Keys(NamedTuple):
    """What one client and one server share: PSK identity or OSCORE ids, and the key or master secret."""

    client: bytes
    server: bytes
    secret: bytes
    salt: bytes = b""


class Context(oscore.CanProtect, oscore.CanUnprotect, oscore.SecurityContextUtils):
    """Of a server, with keys that were never used before."""

    alg_aead = oscore.algorithms["AES-CCM-16-64-128"]
    hashfun = oscore.hashfunctions["sha256"]
    id_context = None

    def __init__(self, keys):
        self.sender_id, self.recipient_id = keys.server, keys.client
        self.derive_keys(keys.salt, keys.secret)
        self.sender_sequence_number = 0
        self.recipient_replay_window = oscore.ReplayWindow(32, lambda: None)
        self.recipient_replay_window.initialize_empty()

    def post_seqnoincrease(self):
        """The numbers live as long as the process."""


class Door(OscoreSiteWrapper):
    """A site whose requests are opened with one context."""

    def __init__(self, site, keys):
        super().__init__(site, self)
        self._context = Context(keys)

    def find_oscore(self, header):
        """As aiocoap wants it. Raises KeyError."""
        if header.get(oscore.COSE_KID) != self._context.recipient_id:
            raise KeyError
        return self._context


def is_protected(remote):
    return isinstance(remote, OSCOREAddress)


class Tunnel:
    """DTLS 1.2 for one client, before the server at `port`: it asks at `uri`."""

    def __init__(self, keys, port):
        self._place = "127.0.0.1:%d" % free_port()
        self.uri = "coaps://" + self._place
        # A record's content is one datagram on this pair, either way.
        self._plain, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.connect(("127.0.0.1", port))
        self._process = subprocess.Popen(
            [found("openssl", "openssl"), "s_server", "-dtls1_2", "-accept", self._place, "-nocert", "-quiet",
             "-psk", keys.secret.hex(), "-psk_identity", keys.client, "-cipher", SUITE],
            stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)  # fmt: skip
        theirs.close()

    async def start(self):
        """From now on datagrams are carried."""
        loop = asyncio.get_running_loop()
        for one, other in ((self._plain, self._wire), (self._wire, self._plain)):
            one.setblocking(False)
            loop.add_reader(one, self._carry, one, other)

    def _carry(self, one, other):
        data = one.recv(4096)
        if data:
            other.send(data)
        else:
            asyncio.get_running_loop().remove_reader(one)  # openssl ended

    async def stop(self):
        for one in (self._plain, self._wire):
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        self._process.kill()
        self._process.wait()
