"""IPv4, UDP and ICMP echo packets taken apart and put together (RFC 791, 768, 792)."""

import socket
import struct

ICMP, UDP = 1, 17
ECHO, ECHO_REPLY = 8, 0


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse(data):
    """(source, target, protocol, payload) with addresses as text; None for what is damaged or a fragment."""
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    head, size = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    fragment = int.from_bytes(data[6:8], "big") & 0x3FFF
    if not 20 <= head <= size <= len(data) or fragment or checksum(data[:head]):
        return None
    return socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20]), data[9], data[head:size]


def ends(data):
    """(source, target) of any IPv4 packet; None when it is none."""
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    return socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])


def build(source, target, protocol, payload, identification=0):
    """An IPv4 packet, not to be fragmented."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), identification, 0x4000, 64, protocol, 0)
    return head[:10] + struct.pack("!H", checksum(head + ends)) + ends + payload


def _udp_checksum(source, target, datagram):
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!HH", UDP, len(datagram))
    return checksum(pseudo + datagram)


def parse_udp(source, target, payload):
    """(source port, target port, data), or None when it is damaged."""
    if len(payload) < 8:
        return None
    sender, receiver, size, check = struct.unpack("!HHHH", payload[:8])
    if not 8 <= size <= len(payload) or check and _udp_checksum(source, target, payload[:size]):
        return None
    return sender, receiver, payload[8:size]


def build_udp(source, sender, target, receiver, data):
    """A whole IPv4 packet with one datagram."""
    head = struct.pack("!HHHH", sender, receiver, 8 + len(data), 0)
    check = _udp_checksum(source, target, head + data) or 0xFFFF
    return build(source, target, UDP, head[:6] + struct.pack("!H", check) + data)


def echo_reply(payload):
    """The answer to an ICMP echo request; None for any other ICMP message."""
    if len(payload) < 8 or payload[0] != ECHO or checksum(payload):
        return None
    body = b"\0\0\0\0" + payload[4:]
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]
