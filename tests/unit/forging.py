"""Envelopes that nobody signed: damaged ones, and forgeries of right form; the same ones on both interpreters."""

from signed import DOCUMENT, ENCLOSED, FULL, KID, SIGNED, SIGNERS, opens
from test_mutated import Chance, mutated

from agent.codec import cbor, cose
from agent.crypto import es256
from agent.errors import RemoteError

GOOD = (SIGNED, FULL, SIGNERS, ENCLOSED)
# What r and s may be tried with: the ends of their range, and what is congruent to nothing.
NUMBERS = (0, 1, 2, es256._N - 1, es256._N, es256._N + 1, es256._P - 1, es256._P, es256._GX, (1 << 256) - 1)


def damaged(chance):
    return mutated(GOOD[chance.below(4)], GOOD[chance.below(4)], chance)


def changed(chance):
    """Another policy under the signature of the first, or of another document."""
    document = dict(DOCUMENT)
    key = (1, 2, 3, 4, 7, 9)[chance.below(6)]
    document[key] = b"meters-south" if key == 1 else document[key] + 1 + chance.below(1000)
    return envelope(cbor.encode(document), (SIGNED, FULL, SIGNERS)[chance.below(3)][-64:])


def resigned(chance):
    """The policy under any two numbers."""
    return envelope(cbor.encode(DOCUMENT), b"".join([number(chance).to_bytes(32, "big") for _ in range(2)]))


def rekeyed(chance):
    """The policy under its signature, but said to be by another key: the id is part of what is signed."""
    kid = bytes([chance.below(256) for _ in range(1 + chance.below(8))])
    return envelope(cbor.encode(DOCUMENT), SIGNED[-64:], kid)


def swapped(chance):
    """One document with another's signature, or with a piece of it."""
    at = 64 - chance.below(65)
    return SIGNED[: len(SIGNED) - at] + FULL[len(FULL) - at :]


def number(chance):
    if chance.below(3):
        return NUMBERS[chance.below(len(NUMBERS))]
    return int.from_bytes(bytes([chance.below(256) for _ in range(32)]), "big")


def envelope(body, proof, kid=KID):
    return cbor.encode(cbor.Tag(cose.SIGN1, [cbor.encode({1: cose.ES256, 4: kid}), {}, body, proof]))


def hammer(count, seed):
    """(refused for their form, refused for their signature) of so many; AssertionError: one was believed, or ended in
    anything but a RemoteError."""
    chance, malformed, unsigned = Chance(seed), 0, 0
    makers = (damaged, damaged, damaged, changed, resigned, rekeyed, swapped)
    for turn in range(count):
        data = makers[turn % len(makers)](chance)
        while data in GOOD:
            data = damaged(chance)
        try:
            assert opens(data, purpose=(cose.KEYS, cose.POLICY, cose.POLICY)[chance.below(3)]) is None, "believed"
            unsigned += 1
        except RemoteError:
            malformed += 1
        except Exception as error:
            raise AssertionError("%s: %s" % (repr(error), data.hex()))
    return malformed, unsigned
