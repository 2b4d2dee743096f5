"""Seeded randomness that gives the same numbers on every Python.

CPython's and MicroPython's own `random` differ; a trace that must be equal on both needs its own generator.
"""


class Chance:
    """xorshift32 (Marsaglia 2003). One stream a purpose, so that a change in one part of the world does not
    shift the faults of another."""

    def __init__(self, seed, stream=0):
        self._state = (seed * 2654435761 + stream * 40503 + 1) & 0xFFFFFFFF or 1
        for _ in range(4):  # small seeds need a few rounds before their high bits differ
            self.below(2)

    def below(self, n):
        """An integer in [0, n)."""
        x = self._state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self._state = x
        return x % n

    def between(self, low, high):
        """An integer in [low, high]."""
        return low + self.below(high - low + 1)

    def often(self, permille):
        """True in `permille` of 1000 cases."""
        return permille > 0 and self.below(1000) < permille
