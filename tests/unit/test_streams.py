"""Sockets for groups, real ones, over loopback: what is sent to the group by that link, and nothing else."""

import os
import select
import socket

from agent.interpreter import receive, send_to
from boards.streams import open_group

JOINED, OTHER = "239.77.0.21", "239.77.0.22"
PORT = 20000 + int.from_bytes(os.urandom(2), "big") % 10000  # not that of a test that runs beside this one
_MULTICAST_IF = 32


def sender():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(0, _MULTICAST_IF, b"\x7f\0\0\1")
    return sock


def heard(sock):
    """What comes in, up to the last."""
    poll, found = select.poll(), []
    poll.register(sock, 1)
    while poll.poll(20000):
        found.append(receive(sock)[0])
        if found[-1] == b"last":
            break
    return found


def test_what_is_sent_to_the_group_comes_in():
    """Two programs on one machine may listen; each has a copy. Another group, or the port alone, is not listened to."""
    one, two, out = open_group("127.0.0.1", "%s:%d" % (JOINED, PORT)), None, sender()
    try:
        two = open_group("127.0.0.1", "%s:%d" % (JOINED, PORT))
        for place in (OTHER, "127.0.0.1"):
            send_to(out, b"others", (place, PORT))
        send_to(out, b"all", (JOINED, PORT))
        send_to(out, b"last", (JOINED, PORT))
        assert heard(one) == heard(two) == [b"all", b"last"]
    finally:
        for sock in (one, two, out):
            if sock:
                sock.close()


def test_without_the_link_there_is_no_way():
    try:
        open_group("192.0.2.1", "%s:%d" % (JOINED, PORT)).close()
    except OSError as e:
        assert e.errno == 19
    else:
        raise AssertionError("joined")
