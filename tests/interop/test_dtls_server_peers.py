"""The DTLS server role against clients that are not ours: OpenSSL's own, and libcoap over OpenSSL and GnuTLS (Debian's
libcoap3-bin), talking to a real platform."""

import asyncio
import contextlib
import time

import pytest
from programs import found

from pointsman.tools.servers.credentials import Secret
from pointsman.tools.servers.dtls import Sessions
from pointsman.tools.servers.platform import Platform
from pointsman.tools.servers.storage import Storage

SECRET = Secret(bytes(range(32)))
WORD = "secretPSK16bytes"
PATIENCE_S = 60


class Word:
    """A key that can be written on a command line: libcoap takes no other."""

    def dtls_key(self, identity):
        return WORD.encode()


@contextlib.asynccontextmanager
async def platform(secret=SECRET):
    storage, keys = Storage(), Sessions(secret)
    server = Platform(storage, "127.0.0.1", 0, keys=keys)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        storage.close()


async def run(program, *arguments, until=None, say=b""):
    """What a program prints, up to where it ends or has printed `until`."""
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT)  # fmt: skip
    process.stdin.write(say)
    said, end = b"", time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < end and (until is None or until not in said):
            some = await asyncio.wait_for(process.stdout.read(4096), PATIENCE_S)
            if not some:
                break
            said += some
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return said.decode("utf-8", "replace")


def openssl(port, key, *more):
    return (found("openssl", "openssl"), "s_client", "-dtls1_2", "-connect", "127.0.0.1:%d" % port, "-psk", key.hex(),
            "-psk_identity", "dev1", "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0", *more)  # fmt: skip


def test_openssl():
    async def story():
        async with platform() as server:
            said = await run(*openssl(server._coap.port, SECRET.dtls_key(b"dev1")), until=b"Extended master secret")
            assert "Cipher is PSK-AES128-CCM8" in said and "Secure Renegotiation IS supported" in said, said
            assert "Extended master secret: yes" in said, said
            assert len(server._coap._messages.message_interface.server) <= 1

    asyncio.run(story())


def test_openssl_with_another_key():
    """Told by an alert, and nothing is kept."""
    async def story():
        async with platform() as server:
            said = await run(*openssl(server._coap.port, bytes(16)))
            assert "alert decrypt error" in said, said
            assert len(server._coap._messages.message_interface.server) == 0
            assert server._coap.reject.counts == {"forged": server._coap.reject.counts["forged"]}

    asyncio.run(story())


@pytest.mark.parametrize("flavour", ["openssl", "gnutls"])
def test_libcoap(flavour):
    """Register, and read the list of resources, with two sessions of one identity one after the other."""
    program = found("coap-client-" + flavour, "libcoap3-bin")

    async def story():
        async with platform(Word()) as server:
            def ask(path, *more):
                return run(program, "-u", "dev1", "-k", WORD, "-B", "5", *more,
                           "coaps://127.0.0.1:%d/%s" % (server._coap.port, path))
            assert 'rt="core.rd"' in await ask(".well-known/core", "-m", "get")
            await ask("rd?ep=dev1&lt=60&lwm2m=1.1&b=U", "-m", "post", "-t", "40", "-e", "</3/0>")
            assert [row["endpoint"] for row in server.registrations(live=True)] == ["dev1"]
            assert "4.03" in await ask("rd?ep=dev2&lt=60&lwm2m=1.1&b=U", "-m", "post", "-t", "40", "-e", "</3/0>")
            assert server._coap.reject.counts == {}

    asyncio.run(story())
