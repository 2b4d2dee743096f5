"""ECDSA over P-256 with SHA-256 (FIPS 186-5 6.4.2; ES256 of RFC 9053 2.1): verification alone.

A device holds nobody's private key for this, and all that is computed with here is public: nothing needs to take the
same time always. Points are in Jacobian coordinates (x/z2, y/z3), where only two inversions are left; both products go
in one pass (Shamir's trick) over digits -1, 0 and 1, of which half are no work at all.
"""

import gc

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
_GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5


def point(key):
    """(x, y) of a public key, x and y of 32 bytes each one after the other; None for what is no point of the curve."""
    if len(key) != 64:
        return None
    x, y = _halves(key)
    if x >= _P or y >= _P or (y * y - (x * x - 3) * x - _B) % _P:
        return None
    return x, y


def verify(key, signature, digest):
    """Whether `signature` (r and s, 32 bytes each) of a SHA-256 `digest` was made with the private key of `key` (as
    for point()). Bytes that cannot be a key, a signature or a digest are no error: the answer is False."""
    public = point(key)
    if not public or len(signature) != 64 or len(digest) != 32:
        return False
    r, s = _halves(signature)
    if not (0 < r < _N and 0 < s < _N):
        return False
    w = _inverse(s, _N)
    x, z = _sum_in_one_go(int.from_bytes(digest, "big") * w % _N, r * w % _N, public)
    # r is x/z2 modulo N, and x/z2 may have been N or a little more: two comparisons are cheaper than an inversion.
    zz = z * z
    return bool(z) and (not (r * zz - x) % _P or (r + _N < _P and not ((r + _N) * zz - x) % _P))


def _halves(data):
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


def _inverse(a, m):
    """By Euclid's algorithm."""
    last, rest, s, t = m, a % m, 0, 1
    while rest:
        q = last // rest
        last, rest, s, t = rest, last - q * rest, t, s - q * t
    return s % m


def _sum_in_one_go(u, v, public):
    """_sum(), with a heap that is collected when it is full. A megabyte and a half goes through it and nothing stays:
    where a small heap is collected every other kilobyte (firmware/main.py), that would take ten times as long."""
    every = gc.threshold() if hasattr(gc, "threshold") else None
    if not every or every < 0:
        return _sum(u, v, public)
    gc.threshold(-1)
    try:
        return _sum(u, v, public)
    finally:
        gc.threshold(every)


def _sum(u, v, public):
    """(x, z) of u times the base point plus v times the public one; z is 0 for the point at infinity."""
    points = _points(public)
    if not points:  # the public point is the base point or the one opposite it
        u, v = (u + v if public[1] == _GY else u - v) % _N, 0
        points = (None, (_GX, _GY))
    a, b = 3 * u, 3 * v
    x, y, z = 0, 1, 0
    for bit in range(257, 0, -1):
        x, y, z = _double(x, y, z)
        # The digits of u are the bits of 3u less those of u (non-adjacent form), those of v likewise.
        index = (a >> bit & 1) - (u >> bit & 1) + 3 * ((b >> bit & 1) - (v >> bit & 1))
        if index > 0:
            x, y, z = _add(x, y, z, points[index][0], points[index][1])
        elif index:
            x, y, z = _add(x, y, z, points[-index][0], -points[-index][1])
    return x, z


def _points(public):
    """What is added for each sum of a digit of the base point and three times one of the public point: 1 to 4."""
    x, y = public
    if x == _GX:
        return None
    slope = _inverse(x - _GX, _P)
    return None, (_GX, _GY), _chord(x, slope * (y + _GY), -_GY), public, _chord(x, slope * (y - _GY), _GY)


def _chord(x, slope, base_y):
    slope %= _P
    x3 = (slope * slope - x - _GX) % _P
    return x3, (slope * (_GX - x3) - base_y) % _P


def _double(x, y, z):
    p = _P
    delta = z * z % p
    gamma = y * y % p
    beta = 4 * x * gamma % p
    alpha = 3 * (x - delta) * (x + delta) % p
    x3 = (alpha * alpha - beta - beta) % p
    return x3, (alpha * (beta - x3) - 8 * gamma * gamma) % p, 2 * y * z % p


def _add(x, y, z, x2, y2):
    """A point in Jacobian coordinates and one in plain ones."""
    if not z:
        return x2, y2, 1
    p = _P
    zz = z * z % p
    h = (x2 * zz - x) % p
    r = (y2 * z * zz - y) % p
    if not h:
        return (0, 1, 0) if r else _double(x, y, z)
    hh = h * h % p
    v = x * hh % p
    hh = h * hh % p
    x3 = (r * r - hh - v - v) % p
    return x3, (r * (v - x3) - y * hh) % p, z * h % p
