"""ES256 verification: RFC 6979 A.2.5, edge cases in the manner of Wycheproof, and bytes that are nothing at all."""

from agent.crypto import es256

PLACE = __file__.rpartition("/")[0] + "/es256_edges.txt"


def edges():
    """[(name, verdict, public key, signature, digest)]"""
    with open(PLACE) as file:
        rows = [line.split() for line in file if line[0] != "#"]
    return [(row[0], row[1] == "1") + tuple([bytes.fromhex(word) for word in row[2:]]) for row in rows]


def edge(name):
    return [row[2:] for row in edges() if row[0] == name][0]


def test_vectors_of_rfc_6979():
    """RFC 6979 A.2.5, P-256 with SHA-256: both messages, and neither signature for the other message."""
    sample, test = edge("RFC-6979-A.2.5-sample"), edge("RFC-6979-A.2.5-test")
    assert es256.verify(*sample) and es256.verify(*test)
    assert sample[0] == test[0]
    assert not es256.verify(sample[0], sample[1], test[2]) and not es256.verify(sample[0], test[1], sample[2])


def test_edge_cases():
    """r or s of 0, n and beyond; keys off the curve; sums that are infinity or a doubling; x over n; and more."""
    rows = edges()
    assert len(rows) > 60
    for name, verdict, key, signature, digest in rows:
        assert es256.verify(key, signature, digest) is verdict, name


def test_any_touched_bit_is_noticed():
    """One bit in each of the bytes of key, signature and digest."""
    row = edge("RFC-6979-A.2.5-sample")
    for part, data in enumerate(row):
        for at in range(part, len(data), 9):
            touched = list(row)
            touched[part] = data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]
            assert not es256.verify(*touched), (part, at)


def test_other_lengths_are_no_error():
    """Short and long, a key with its 04 (SEC 1), a signature in DER, a digest of SHA-1's length."""
    key, signature, digest = edge("RFC-6979-A.2.5-sample")
    der = b"\x30\x46\x02\x21\x00" + signature[:32] + b"\x02\x21\x00" + signature[32:]
    for other in (b"", key[:63], key + b"\x00", b"\x04" + key, b"\x03" + key[:32], key + key):
        assert es256.point(other) is None and not es256.verify(other, signature, digest)
    for other in (b"", signature[:63], b"\x00" + signature, signature + b"\x00", signature * 2, der, bytes(64)):
        assert not es256.verify(key, other, digest)
    for other in (b"", digest[:20], digest[:31], b"\x00" + digest, digest + b"\x00", digest * 2):
        assert not es256.verify(key, signature, other)


def test_points():
    key = edge("RFC-6979-A.2.5-sample")[0]
    x, y = es256.point(key)
    assert x.to_bytes(32, "big") + y.to_bytes(32, "big") == key
    assert es256.point(edge("key-off-the-curve")[0]) is None and es256.point(bytes(64)) is None


def test_bytearrays_do_as_well():
    """What comes from a socket on MicroPython may be one."""
    assert es256.verify(*[bytearray(part) for part in edge("RFC-6979-A.2.5-test")])


class Heap:
    """A double of gc, where one can say how often it collects."""

    def __init__(self, every):
        self.every, self.set = every, []

    def threshold(self, *every):
        self.set += every
        self.every = every[0] if every else self.every
        return self.every


def test_a_heap_that_is_collected_often_is_left_to_fill_meanwhile():
    gc = es256.gc
    try:
        for every, seen in ((2048, [-1, 2048]), (-1, [])):
            es256.gc = Heap(every)
            assert es256.verify(*edge("RFC-6979-A.2.5-test"))
            assert es256.gc.set == seen and es256.gc.every == every
    finally:
        es256.gc = gc
