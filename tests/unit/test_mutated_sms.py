"""Short messages, damaged in thousands of ways: they may be refused by RemoteError and in no other way.

The mutations come from a seeded xorshift, so both interpreters see the same ones.
"""

from agent.codec import alphabet, at_finals, at_network, sms
from agent.errors import RemoteError

ROUNDS = 60
DIGITS = "0123456789ABCDEFx"

PDUS = (
    "0791947101670000040B919471325476F8000062113121436500" + "0AE8329BFD4697D9EC37",
    "0040" + "0B919471325476F8" + "0004" + "62113121436500" + "0906050416330000AABB",
    "0040" + "0B919471325476F8" + "0008" + "62113121436500" + "0A050003CC0302D83DDE00",
    "0011000B919471325476F80000A70AE8329BFD4697D9EC37",
    "0791947101670000062A0B919471325476F8621131214365006211312153750000",
    "00000AD0E8329BFD0600F9621131214365000400410042",
)


class Chance:
    """xorshift32; `below(n)` as the engines want it."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        x = self.state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.state = x
        return x % n


def mutated(text, other, chance):
    """A copy of a text, damaged once to four times; `other` is what may be spliced in."""
    for _ in range(1 + chance.below(4)):
        kind, at = chance.below(6), chance.below(len(text) + 1)
        if kind == 0:
            text = text[:at]
        elif kind == 1:
            text = text[:at] + other[chance.below(len(other)):]
        elif kind == 2:
            text = text[:at] + text[at + 1 + chance.below(3):]
        elif kind == 3:
            text = text[:at] + DIGITS[chance.below(len(DIGITS))] + text[at:]
        elif kind == 4:
            text = text[:at] + text[chance.below(at + 1):at] + text[at:]
        else:
            text = text[:at] + DIGITS[chance.below(len(DIGITS))] + text[at + 1:]
    return text[:400]


def survives(parser, *args):
    """Whether a parser takes or properly refuses something; every other exception goes through."""
    try:
        parser(*args)
    except RemoteError as error:
        assert str(error).startswith("at"), error


def test_damaged_messages():
    chance = Chance(4711)
    for pdu in PDUS:
        for _ in range(ROUNDS):
            survives(sms.decode, mutated(pdu, PDUS[chance.below(len(PDUS))], chance))


def test_damaged_messages_stay_hexadecimal():
    """Every byte replaced by every interesting value: lengths, types and groups that lie."""
    for pdu in PDUS:
        data = alphabet.unhex(pdu)
        for place in range(len(data)):
            for value in (0, 1, 0x0A, 0x40, 0x50, 0x7F, 0x80, 0xD0, 0xF4, 0xFF):
                survives(sms.decode, data[:place] + bytes([value]) + data[place + 1:])


def test_any_bytes():
    chance = Chance(7)
    for _ in range(300):
        data = bytes([chance.below(256) for _ in range(chance.below(60))])
        survives(sms.decode, data)
        survives(sms.decode, data, False)
        alphabet.gsm(data), alphabet.ucs2(data), alphabet.unpack(data, chance.below(70), chance.below(7))
        at_finals.without_echo(data)
        for charset in ("", "GSM", "UCS2", "UTF-8", "8859-1", "IRA", "HEX"):
            survives(at_network.name, data, charset)
