"""The platform's publisher against Eclipse Mosquitto; what is retained is read by its mosquitto_sub."""

import asyncio
import datetime
import ipaddress
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mosquitto import PATIENCE_S, Mosquitto
from programs import found

from agent.errors import LocalError
from pointsman.tools.servers.broker import Broker

TOPIC = "pointsman/groups/6d6574657273"


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path).start()
    broker.publish("mark", b"mark", "-r")
    yield broker
    broker.end()


class Notes(list):
    """What was noted: [(event, fields)]."""

    def __call__(self, event, **fields):
        self.append((event, fields))

    async def until(self, event):
        while event not in [note[0] for note in self]:
            await asyncio.sleep(0.01)


def retained(broker, *options):
    """What a new subscriber of the topic finds; b"mark": nothing, for that is what it finds in the next topic."""
    command = [found("mosquitto_sub", "mosquitto-clients"), "-p", str(broker.port), "-t", TOPIC, "-t", "mark",
               "-q", "1", "-C", "1", "-N", *(options or ["-h", "127.0.0.1"])]  # fmt: skip
    return subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=True).stdout


def played(scene, broker, **more):
    """Run scene(publisher, notes) with a publisher for this broker."""
    async def play():
        notes = Notes()
        publisher = Broker("%s://127.0.0.1:%d" % (more.pop("scheme", "mqtt"), broker.port), notes, **more)
        publisher.start()
        try:
            await asyncio.wait_for(scene(publisher, notes), PATIENCE_S)
        finally:
            await publisher.stop()

    asyncio.run(play())


def test_retained_and_taken_back(mosquitto):
    async def scene(publisher, notes):
        publisher.publish(TOPIC, b"first")
        publisher.publish(TOPIC, b"second")
        await publisher.settled()
        assert await asyncio.to_thread(retained, mosquitto) == b"second"
        publisher.publish(TOPIC, b"")
        await publisher.settled()
        assert await asyncio.to_thread(retained, mosquitto) == b"mark"

    played(scene, mosquitto)


def test_a_broker_that_has_lost_everything_is_given_it_again(mosquitto):
    async def scene(publisher, notes):
        publisher.publish(TOPIC, b"in force")
        await publisher.settled()
        mosquitto.end(signal.SIGKILL)
        (mosquitto.folder / "mosquitto.db").unlink(missing_ok=True)
        await notes.until("broker_lost")
        publisher.publish("another", b"meanwhile")
        await asyncio.to_thread(mosquitto.start)
        await publisher.settled()
        assert await asyncio.to_thread(retained, mosquitto) == b"in force"

    played(scene, mosquitto)


def test_tls_and_credentials(tmp_path):
    """The broker's certificate is checked, and who has no password is not let in."""
    certificate(tmp_path)
    program = found("mosquitto_passwd", "mosquitto")
    subprocess.run([program, "-c", "-b", tmp_path / "users", "platform", "secret"], check=True)
    mosquitto = Mosquitto(tmp_path, "certfile %s" % (tmp_path / "cert.pem"), "keyfile %s" % (tmp_path / "key.pem"),
                          "allow_anonymous false", "password_file %s" % (tmp_path / "users")).start()  # fmt: skip

    async def let_in(publisher, notes):
        publisher.publish(TOPIC, b"sealed")
        await publisher.settled()
        options = ("-h", "localhost", "--cafile", str(tmp_path / "cert.pem"), "-u", "platform", "-P", "secret")
        assert await asyncio.to_thread(retained, mosquitto, *options) == b"sealed"

    async def refused(publisher, notes):
        publisher.publish(TOPIC, b"forged")
        await notes.until("broker_refused")
        assert not publisher.connected

    async def untrusted(publisher, notes):
        await notes.until("broker_unreachable")
        assert not publisher.connected

    try:
        trusted = {"scheme": "mqtts", "user": "platform", "password": "secret"}
        played(let_in, mosquitto, ca=tmp_path / "cert.pem", **trusted)
        played(refused, mosquitto, ca=tmp_path / "cert.pem", **dict(trusted, password="wrong"))
        played(untrusted, mosquitto, **trusted)
    finally:
        mosquitto.end()


def certificate(folder):
    """cert.pem and key.pem of a broker on this machine, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), False)
            .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))  # fmt: skip
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip


@pytest.mark.parametrize("uri", ["", "host", "http://host", "mqtt://", "mqtt://host:x", "mqtt://a:b@host", "mqtt://host/x"])
def test_uris_that_are_none(uri):
    with pytest.raises(LocalError, match="mqtt://host"):
        Broker(uri, print)


def test_what_no_broker_takes():
    publisher = Broker("mqtt://127.0.0.1:1", print)
    for topic, document in (("a/+", b""), ("", b""), ("a" * 257, b""), ("a", bytes(5000))):
        with pytest.raises(LocalError):
            publisher.publish(topic, document)
