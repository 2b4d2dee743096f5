"""The whole agent, as a process under either interpreter, registered under DTLS with resource directories that are not
ours: libcoap's over OpenSSL and over GnuTLS (Debian's libcoap3-bin). They know neither Connection IDs nor LwM2M."""

import subprocess
import time

import pytest
from free_ports import free_port
from leshan_servers import Agent, need, shown
from programs import found

KEY = b"secretPSK16bytes"
PATIENCE_S = 60


@pytest.fixture(params=["openssl", "gnutls"])
def directory(request, tmp_path):
    """The port of a resource directory that takes KEY, and a function that gives what it has said."""
    program = found("coap-rd-" + request.param, "libcoap3-bin")
    port = free_port(2)
    said = tmp_path / "said"
    with open(said, "wb") as file:
        process = subprocess.Popen([program, "-A", "127.0.0.1", "-p", str(port), "-k", KEY.decode(), "-h", "hint",
                                    "-v", "7"], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
    try:
        until(lambda: b"created DTLS endpoint" in said.read_bytes())
        yield port + 1, said.read_bytes
    finally:
        process.kill()
        process.wait()


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(params=["cpython", "micropython"])
def start(request, tmp_path, directory):
    """start(key): a device with this key; it ends with the test."""
    interpreter, started = need(request.param), []

    def begin(key):
        agent = Agent(interpreter, tmp_path / "device", {
            "endpoint": "meter-7", "server_uri": "coaps://127.0.0.1:%d" % directory[0], "security": "dtls",
            "device_key": key.hex(), "report_period_s": 3600, "probe_ms": 0, "log_level": "info"})  # fmt: skip
        started.append(agent)
        return agent

    yield begin
    for agent in started:
        if agent.process.poll() is None:
            agent.cut()


def test_register_and_leave(start, directory):
    """LightweightM2M-1.1-int-401: registered under PSK-CCM8, and de-registered at the end."""
    said = directory[1]
    agent = start(KEY)
    with shown(agent):
        agent.waits_for('"event": "registered"')
        until(lambda: b"ep=meter-7" in said())
        assert agent.leave() == 0
        until(lambda: b"DELETE" in said())
    assert KEY.hex() not in agent.said()


def test_a_new_process_needs_a_new_handshake(start, directory):
    """Without a Connection ID the directory drops what comes from another port: the device notices, and begins anew."""
    agent = start(KEY)
    with shown(agent):
        agent.waits_for('"event": "registered"')
        agent.cut()
    before = len(agent.said())
    again = start(KEY)
    with shown(again):
        until(lambda: '"event": "registered"' in again.said()[before:])
