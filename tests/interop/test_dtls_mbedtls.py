"""Both DTLS roles against Mbed TLS, through python-mbedtls: a third stack beside OpenSSL's and GnuTLS's, and one that
splits its handshake messages where it is told a small MTU. Its wheels have release 2.28, without Connection IDs."""

import asyncio
import socket
import threading

import pytest
from test_dtls_peers import KEY, PATIENCE_S, client, lines
from test_dtls_server_peers import SECRET, platform

from agent.codec import coap

tls = pytest.importorskip("mbedtls.tls", reason="python-mbedtls has no wheel for this Python or machine")
TLSError = pytest.importorskip("mbedtls.exceptions").TLSError

SMALL = 60  # bytes of UDP payload
SUITE = "TLS-PSK-WITH-AES-128-CCM-8"
each_interpreter = pytest.mark.parametrize("interpreter", ["cpython", "micropython"])


def configuration(**more):
    return tls.DTLSConfiguration(
        ciphers=[SUITE], validate_certificates=False, lowest_supported_version=tls.DTLSVersion.DTLSv1_2,
        handshake_timeout_min=0.5, handshake_timeout_max=4.0, **more)  # fmt: skip


class Server(threading.Thread):
    """Mbed TLS's server: one session, and every datagram back in capitals. `ended`: what it died of."""

    def __init__(self, mtu=None):
        super().__init__(daemon=True)
        context = tls.ServerContext(configuration(pre_shared_key_store={"dev1": KEY}))
        self._wire = context.wrap_socket(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # accept() binds another one there
        self._wire.bind(("127.0.0.1", 0))
        self._wire.settimeout(PATIENCE_S)
        self.port, self.mtu, self.suite, self.ended = self._wire.getsockname()[1], mtu, None, None
        self.start()

    def run(self):
        try:
            session = self._session(self._wire)
            with pytest.raises(tls.HelloVerifyRequest):
                session.do_handshake()
            session = self._session(session)
            self._handshake(session)
            self.suite = session.cipher()
            while said := session.recv(2048):
                session.send(said.upper())
        except Exception as problem:
            self.ended = problem

    @staticmethod
    def _handshake(session):
        try:
            session.do_handshake()
        except TLSError:
            session.shutdown(socket.SHUT_RDWR)  # sends the alert as well
            raise

    def _session(self, wire):
        session, address = wire.accept()
        session.settimeout(PATIENCE_S)
        session.setcookieparam(address[0].encode())
        if self.mtu:
            session.setmtu(self.mtu)
        return session


@each_interpreter
@pytest.mark.parametrize("mtu", [None, SMALL], ids=["whole", "split"])
def test_server(interpreter, mtu):
    """Cookie, handshake and data with its server; its flights in one datagram each, or in as many as it takes."""
    server = Server(mtu)
    said = lines(client(interpreter, server.port, b"hello", b"again"))
    assert [words[0] for words in said] == ["up", "plain", "plain", "closed"], (said, server.ended)
    assert [bytes.fromhex(words[1]) for words in said[1:3]] == [b"HELLO", b"AGAIN"] and server.suite == SUITE
    assert (int(said[0][2]) > 300) == bool(mtu)
    server.join(PATIENCE_S)
    assert "going to be closed" in str(server.ended)  # our alert at the end


@each_interpreter
def test_server_says_that_the_key_is_wrong(interpreter):
    """By an alert, at once: refused."""
    server = Server()
    said = lines(client(interpreter, server.port, b"hello", key=b"anotherPSK16byte"))
    assert [words[0] for words in said] == ["refused"], (said, server.ended)


def ask(port, key, message, mtu=None):
    """Its client, with the name dev1: what a server answers to a message."""
    context = tls.ClientContext(configuration(pre_shared_key=("dev1", key)))
    with context.wrap_socket(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), None) as session:
        session.settimeout(PATIENCE_S)
        session.connect(("127.0.0.1", port))
        if mtu:
            session.setmtu(mtu)
        session.do_handshake()
        session.setmtu(0)  # data is not split
        session.send(coap.encode(message))
        return coap.decode(session.recv(2048))


REGISTER = coap.Message(coap.CON, coap.POST, 1, b"m", [(coap.URI_PATH, b"rd"), (coap.CONTENT_FORMAT, b"(")] + [
    (coap.URI_QUERY, word) for word in (b"ep=dev1", b"lt=60", b"lwm2m=1.1")], b"</1/0>,</3/0>")  # fmt: skip


@pytest.mark.parametrize("mtu", [None, SMALL], ids=["whole", "split"])
def test_client(mtu):
    """It registers with a platform, over again too."""
    async def story():
        async with platform() as server:
            for _ in range(2):
                answer = await asyncio.to_thread(ask, server._coap.port, SECRET.dtls_key(b"dev1"), REGISTER, mtu)
                assert answer.code == coap.CREATED, coap.dotted(answer.code)
            assert [row["endpoint"] for row in server.registrations(live=True)] == ["dev1"]
            assert server._coap.reject.counts == {}

    asyncio.run(story())


def test_client_with_another_key():
    """Told by an alert, and nothing is kept."""
    async def story():
        async with platform() as server:
            with pytest.raises(TLSError):
                await asyncio.to_thread(ask, server._coap.port, bytes(16), REGISTER)
            assert server.registrations(live=True) == []
            assert len(server._coap._messages.message_interface.server) == 0
            assert list(server._coap.reject.counts) == ["forged"]

    asyncio.run(story())
