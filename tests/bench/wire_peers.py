"""The peers of lwm2m_wire.py, measured in the same run: libcoap's client (Debian's libcoap3-bin) says what our device
has said, with the same path, query, format and payload, to the same server through the same relay; its server notifies
what our device has notified. For the handshake there is OpenSSL's client too.
"""

import contextlib
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from relay import OUT, Relay
from wire_scene import ENDPOINT, PATIENCE_S, Scene, asked, free_port, is_handshake, said, until, until_answered

from agent.codec import coap
from agent.north.resources import METER
from pointsman.tools.faults import DEVICE, Fault

_KEY = "secretPSK16bytes"
_CLIENT, _SERVER = "libcoap's client", "libcoap's server"
_METHODS = {coap.POST: "post", coap.PUT: "put", coap.DELETE: "delete"}
_QUIET = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def beside(figure, security, requests):
    """-> (name, value) of who does the same as the device that has sent `requests` (datagrams without security);
    (None, None) where nobody can, or nobody is here."""
    try:
        return PEERS[figure, security](requests) if (figure, security) in PEERS else (None, None)
    except Fault:
        return None, None


def _started(command, **streams):
    try:
        return subprocess.Popen(command, **streams)
    except OSError as problem:
        raise Fault("no %s here" % command[0], "apt-get install openssl libcoap3-bin", DEVICE) from problem


@contextlib.contextmanager
def _ending(*processes):
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _libcoap(message, port, key=None, path=None):
    """Its client, about to say what a message of ours says; without Uri-Port, which would be the relay's."""
    words = ["coap-client-openssl", "-U", "-v", "7", "-B", "5", "-m", _METHODS[message.code]]
    words += ["-k", key, "-u", ENDPOINT] if key else []
    if message.payload:
        words += ["-t", str(message.uint(coap.CONTENT_FORMAT)), "-f", "-"]
    query = "&".join([quote(word, "=") for word in message.query()])
    where = "/".join(path or message.path()) + "?" * bool(query) + query
    words.append("%s://127.0.0.1:%d/%s" % ("coaps" if key else "coap", port, where))
    process = _started(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdin.write(message.payload)
    process.stdin.close()
    return process


def _served(process):
    """The place that a server gives to what has registered ([]: none), once the client has its answer, a success."""
    with process:
        shown = process.stdout.read().decode("utf-8", "replace")
    if " c:2." not in shown:
        raise Fault("libcoap's client got no success: " + shown[-300:], "ask it by hand")
    return re.findall(r"Location-Path:(\w+)", shown)


@contextlib.contextmanager
def _platform(security):
    with tempfile.TemporaryDirectory() as folder, Scene(Path(folder), "cpython", security) as scene:
        yield scene


def _asks(requests):
    """Bytes of the last request. What comes before it is the Register, which gives an Update its path."""
    *before, last = [coap.decode(data) for data in requests]
    with _platform("none") as scene:
        path = None
        for register in before:
            place = _served(_libcoap(register, scene.relay.port))
            path = place if last.path()[0] == place[0] else None
        mark = scene.relay.mark()
        _served(_libcoap(last, scene.relay.port, path=path))
        return _CLIENT, len(said(scene.relay.since(mark), OUT)[0])


def _bootstraps(requests):
    """Bytes both ways: each request of the bootstrap, whoever asks, is said by the client, and answered as it was."""
    messages, total = [coap.decode(data) for data in requests], 0
    for request in [message for message in messages if message.code in _METHODS]:
        (answer,) = [one for one in messages if one.mid == request.mid and one.code >= coap.CREATED]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(PATIENCE_S)
            process = _libcoap(request, server.getsockname()[1])
            data, client = server.recvfrom(2048)
            heard = coap.decode(data)
            assert (heard.code, heard.path(), heard.payload) == (request.code, request.path(), request.payload)
            response = coap.Message(coap.ACK, answer.code, heard.mid, heard.token, answer.options, answer.payload)
            back = coap.encode(response)
            server.sendto(back, client)
            _served(process)
        total += len(data) + len(back)
    return _CLIENT, total


def _notifies(requests):
    """Bytes of a notification of the same value by its server, at the same path, observed in the same way."""
    value, port = coap.decode(requests[0]), free_port()
    path = [(coap.URI_PATH, str(part).encode()) for part in METER]
    format = [(coap.CONTENT_FORMAT, coap.uint(value.uint(coap.CONTENT_FORMAT)))]
    server = _started(["coap-server-openssl", "-A", "127.0.0.1", "-p", str(port), "-d", "1"], **_QUIET)
    with _ending(server), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", port))
        asking.settimeout(PATIENCE_S)
        time.sleep(0.5)

        def ask(mid, code, token, options, payload=b""):
            asking.send(coap.encode(coap.Message(coap.CON, code, mid, token, path + options, payload)))
            return asking.recv(2048)

        ask(1, coap.PUT, b"p", format, bytes(len(value.payload)))
        ask(2, coap.GET, b"o", [(coap.OBSERVE, b"")])
        data = ask(3, coap.PUT, b"p", format, value.payload)
        while coap.decode(data).token != b"o":
            data = asking.recv(2048)
        assert coap.decode(data).payload == value.payload
        return _SERVER, len(data)


def _moved():
    """What crosses the wire for a registration under DTLS and, from another address, for an Update, each up to its
    answer. The client knows no Connection ID, and begins anew each time."""
    options = [(coap.URI_PATH, b"rd"), (coap.CONTENT_FORMAT, coap.uint(40))]
    options += [(coap.URI_QUERY, word) for word in (b"ep=" + ENDPOINT.encode(), b"lt=300", b"lwm2m=1.1")]
    register = coap.Message(coap.CON, coap.POST, 1, b"", options, b"</1/0>,</3/0>")
    with _platform("dtls") as scene:
        key = scene.secret.device_key("dtls", ENDPOINT)
        if b"\0" in key:  # which no command line can hold
            return _moved()
        place = _served(_libcoap(register, scene.relay.port, key))
        with Relay(scene.port) as elsewhere:
            _served(_libcoap(coap.Message(coap.CON, coap.POST, 2), elsewhere.port, key, place))
        return until_answered(scene.relay.seen), until_answered(elsewhere.seen)


def _moved_bytes(_requests):
    return _CLIENT, sum(len(data) for way, data in _moved()[1] if way == OUT)


def _moved_rtts(_requests):
    return _CLIENT, asked(_moved()[1])


def _cold_boot(_requests):
    return _CLIENT, asked(_moved()[0])


def _foreign(server, client, offset=0):
    """Bytes of a handshake between a foreign server, started on a free port, and a foreign client."""
    port = free_port()
    with Relay(port + offset) as relay:
        serving = _started([word.replace("%d", str(port)) for word in server], **_QUIET)
        with _ending(serving):
            time.sleep(0.5)
            asking = _started([word.replace("%d", str(relay.port)) for word in client], **_QUIET)
            with _ending(asking):
                until(lambda: sum(is_handshake(data) for _, data in relay.seen) >= 6, "no handshake")
                time.sleep(0.2)
                return sum(len(data) for _, data in relay.seen if is_handshake(data))


def _openssl():
    """Forced to the cipher suite that we use."""
    words = ["-dtls1_2", "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0", "-psk", _KEY.encode().hex()]
    server = ["openssl", "s_server", *words, "-nocert", "-listen", "-accept", "127.0.0.1:%d"]
    return _foreign(server, ["openssl", "s_client", *words, "-psk_identity", "dev1", "-connect", "127.0.0.1:%d"])


def _libcoap_pair():
    server = ["coap-server-openssl", "-A", "127.0.0.1", "-p", "%d", "-k", _KEY, "-h", "hint"]
    client = ["coap-client-openssl", "-k", _KEY, "-u", "dev1", "coaps://127.0.0.1:%d/"]
    return _foreign(server, client, 1)  # it speaks DTLS one port above


def _handshakes(_requests):
    """The leaner of those that are here."""
    found = []
    for name, measured in (("OpenSSL s_client", _openssl), ("libcoap, OpenSSL", _libcoap_pair)):
        with contextlib.suppress(Fault):
            found.append((measured(), name))
    value, name = min(found) if found else (None, None)
    return name, value


PEERS = {
    ("register", "none"): _asks, ("eight", "none"): _asks, ("update", "none"): _asks, ("send", "none"): _asks,
    ("notify", "none"): _notifies,
    ("bootstrap", "none"): _bootstraps, ("handshake", "dtls"): _handshakes,
    ("rebind_bytes", "dtls"): _moved_bytes, ("rebind_rtts", "dtls"): _moved_rtts, ("cold_boot", "dtls"): _cold_boot,
}  # fmt: skip
