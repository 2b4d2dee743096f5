"""A device that dials by hand and sends one datagram over PPP. Both interpreters; with "tun" CPython only, as root.

usage: python|micropython ppp_device.py ROOT PATH USER SECRET PORT TEXT [tun]
It prints "up ADDRESS PEER", then "answer TEXT" and "down REASON", or what went wrong. With "tun" it moves into a
network namespace of its own, and an ordinary UDP socket bound to the interface ppp0 sends the datagram.
"""

import os
import select
import sys
import time

sys.path.insert(0, sys.argv[1])

from agent.engine.ppp import Ppp  # noqa: E402
from boards.tty import Tty  # noqa: E402

END = time.time() + 90


def now():
    return int(time.time() * 1000)


def below(n):
    return int.from_bytes(os.urandom(4), "big") % n


def dial(port):
    """From the command line to CONNECT."""
    time.sleep(0.05)
    port.read()  # what the last call left there
    heard = b""
    while b"CONNECT" not in heard:
        if b"OK" not in heard:
            port.write(b"AT\r")
        elif b"ATD" not in heard:
            port.write(b"ATD*99#\r")
            heard += b"ATD"
        time.sleep(0.05)
        heard += port.read()
        if b"NO CARRIER" in heard or time.time() > END:
            raise SystemExit("not connected")


def checksum(data):
    total = 0
    for at in range(0, len(data), 2):
        total += data[at] << 8 | (data[at + 1] if at + 1 < len(data) else 0)
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return (~total & 0xFFFF).to_bytes(2, "big")


def datagram(source, target, number, text):
    """An IPv4 packet with UDP in it."""
    source, target = [bytes([int(part) for part in address.split(".")]) for address in (source, target)]
    size = 8 + len(text)
    ports = (40000).to_bytes(2, "big") + number.to_bytes(2, "big") + size.to_bytes(2, "big")
    check = checksum(source + target + b"\0\x11" + size.to_bytes(2, "big") + ports + b"\0\0" + text)
    head = b"\x45\0" + (20 + size).to_bytes(2, "big") + b"\0\0\0\0\x40\x11"
    return head + checksum(head + source + target) + source + target + ports + check + text


def by_hand(port, user, secret, number, text):
    ppp = Ppp(below, user, secret)
    ppp.open(now())
    while time.time() < END:
        for item in ppp.take():
            if item[0] == "serial":
                port.write(item[1])
            elif item[0] == "up":
                print("up", item[1], item[2])
                ppp.send(datagram(item[1], item[2], number, text))
            elif item[0] == "packet":
                print("answer", item[1][28:].decode())
                ppp.close(now())
            else:
                return print("down", item[1])
        poll = select.poll()
        poll.register(port.stream, select.POLLIN)
        if poll.poll(20):
            ppp.receive(port.read(), now())
        ppp.poll(now())


def by_socket(port, user, secret, number, text):
    import ctypes
    import socket

    from agent.session import Session
    from boards.linux import Interface
    from boards.ppp import open_session

    system = ctypes.CDLL(None, use_errno=True)
    if (system.unshare(0x40020000) or system.mount(b"none", b"/", None, 0x44000, None)
            or system.mount(b"sysfs", b"/sys", b"sysfs", 0, None)):  # fmt: skip
        raise SystemExit("no network namespace: " + os.strerror(ctypes.get_errno()))
    session = Session(open_session("tun", "ppp0", "/tmp"), below, user, secret)
    session.start(now())
    link, sock = Interface("lte", "ppp0"), None
    while time.time() < END and session.reason is None:
        data = session.take()
        if data:
            port.write(data)
        for stream in select.select([port.stream, session.port.stream] + ([sock] if sock else []), [], [], 0.02)[0]:
            if stream is port.stream:
                session.receive(port.read(), now())
            elif stream is sock:
                print("answer", sock.recv(2048).decode())
                session.stop(now())
            elif session.reason is None:
                session.readable(now())
        session.poll(now())
        if sock is None and link.poll():
            print("up", session.address, "10.64.0.1")
            sock = link.open()
            assert sock.getsockopt(socket.SOL_SOCKET, 25, 16).startswith(b"ppp0")
            sock.sendto(text, ("10.64.0.1", number))
    data = session.take()
    if data:
        port.write(data)
    session.close()
    print("down", session.reason)


def main(path, user, secret, number, text, how=""):
    port = Tty(path)
    dial(port)
    (by_socket if how else by_hand)(port, user, secret, int(number), text.encode())


if __name__ == "__main__":
    main(*sys.argv[2:])
