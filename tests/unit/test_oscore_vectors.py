"""OSCORE against RFC 8613 Appendix C: derived keys and every message, in both roles; and what the option may be."""

from coap_pair import below
from oscore_pair import taken

from agent.codec import oscore as codec
from agent.engine.oscore import Context, Oscore
from agent.errors import LocalError, RemoteError


def unhex(text):
    return None if text == "-" else bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


SECRET = "0102030405060708090a0b0c0d0e0f10"
# Name, salt, sender, recipient, ID context; the nonces of Partial IV 0 of sender and recipient.
DERIVED = """
C.1.1 9e7ca92223786340 <> 01 - 4622d4dd6d944168eefb54987c 4722d4dd6d944169eefb54987c
C.1.2 9e7ca92223786340 01 <> - 4722d4dd6d944169eefb54987c 4622d4dd6d944168eefb54987c
C.2.1 <> 00 01 - bf35ae297d2dace910c52e99f9 bf35ae297d2dace810c52e99f9
C.2.2 <> 01 00 - bf35ae297d2dace810c52e99f9 bf35ae297d2dace910c52e99f9
C.3.1 9e7ca92223786340 <> 01 37cbf3210017a2d3 2ca58fb85ff1b81c0b7181b85e 2da58fb85ff1b81d0b7181b85e
C.3.2 9e7ca92223786340 01 <> 37cbf3210017a2d3 2da58fb85ff1b81d0b7181b85e 2ca58fb85ff1b81c0b7181b85e
"""
# The row above of the client, that of the server; the plain and the protected request. Its sequence number is 20.
REQUESTS = """
C.4 0 1 44015d1f00003974396c6f63616c686f737483747631
 44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e
C.5 2 3 440171c30000b932396c6f63616c686f737483747631
 440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0
C.6 4 5 44012f8eef9bbf7a396c6f63616c686f737483747631
 44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3
"""
ANSWER = "64455d1f00003974ff48656c6c6f20576f726c6421"
C7 = "64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106"
C8 = "64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e"


def derived():
    """[(context, sender nonce, recipient nonce)]"""
    rows = []
    for line in DERIVED.strip().split("\n"):
        _, salt, sender, recipient, group, own, peers = line.replace("<>", "").split(" ")
        context = Context(unhex(SECRET), unhex(salt), unhex(sender), unhex(recipient), unhex(group))
        rows.append((context, unhex(own), unhex(peers)))
    return rows


def requests():
    """[(client context, server context, plain, protected)]"""
    contexts = [row[0] for row in derived()]
    words = REQUESTS.split()
    return [(contexts[int(words[at + 1])], contexts[int(words[at + 2])], unhex(words[at + 3]), unhex(words[at + 4]))
            for at in range(0, len(words), 5)]


def refused(call, *args):
    try:
        call(*args)
    except (LocalError, RemoteError):
        return True
    return False


def test_derivation():
    """C.1 to C.3: IVs and nonces; the keys show in the messages."""
    for context, own, peers in derived():
        assert context.nonce(context.sender, b"\x00") == own
        assert context.nonce(context.recipient, b"\x00") == peers


def test_external_additional_data():
    """C.4: the Enc_structure as the RFC prints it."""
    expected = unhex("8368456e63727970743040488501810a40411440")
    assert derived()[0][0].additional(b"", b"\x14") == expected


def test_requests():
    """C.4, C.5 and C.6 as the client seals and the server opens them."""
    for client, server, plain, protected in requests():
        guard = Oscore(client, below(), [20, 5])
        guard.send(plain, 0)
        assert guard.take() == [("keep", [84, 5]), ("udp", protected)]
        guard = Oscore(server, below())
        guard.receive(protected, 0)
        # Uri-Host was for those on the way.
        assert guard.take() == [("keep", [64, 28]), ("plain", plain.replace(b"\x39localhost\x83", b"\xb3"))]


def test_responses():
    """C.7 under the request's nonce, C.8 under a Partial IV of the server's own, in both roles."""
    client, server, plain, protected = requests()[0]
    for own, sealed in ((None, C7), (b"used", C8)):
        guard = Oscore(server, below())
        guard.receive(protected, 0)
        guard._served[0].text = own  # the request's nonce was used
        guard.send(unhex(ANSWER), 0)
        assert taken(guard, "udp") == [unhex(sealed)]
        guard = Oscore(client, below(), [20])
        guard.send(plain, 0)
        guard.receive(unhex(sealed), 0)
        assert taken(guard, "plain") == [unhex(ANSWER)]


def test_option():
    """6.1 and the examples of 6.3."""
    examples = (("0905", b"\x05", b"", None), ("0914", b"\x14", b"", None), ("", b"", None, None),
                ("190508" + "37cbf3210017a2d3", b"\x05", b"", unhex("37cbf3210017a2d3")),
                ("090525", b"\x05", b"\x25", None), ("190502aabb25", b"\x05", b"\x25", b"\xaa\xbb"),
                ("0107", b"\x07", None, None))
    for value, piv, kid, group in examples:
        assert codec.encode(piv, kid, group) == unhex(value)
        assert codec.decode(unhex(value)) == (piv, kid, group)


def test_option_refused():
    """6.1: reserved bits and lengths, what is cut off, what is left over, a flag byte that should not be there."""
    for value in ("00", "2905", "4905", "8905", "0e010203040506", "0f01020304050607", "09", "0a05", "0a0005", "1905",
                  "190502aa", "010725", "11070137" + "25"):
        assert refused(codec.decode, unhex(value)), value


def test_context_refused():
    """3.3: ids are unique and fit into the nonce."""
    for secret, sender, recipient, group, algorithm in (
        (b"", b"a", b"b", None, 10), (b"s", b"a", b"a", None, 10), (b"s", bytes(8), b"b", None, 10),
        (b"s", b"a", b"b", bytes(65), 10), (b"s", b"a", b"b", None, 1),
    ):
        assert refused(Context, secret, b"", sender, recipient, group, algorithm)
    assert Context(b"s", b"", b"a", b"b", None, 31).tag == 16
