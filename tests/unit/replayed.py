"""Inputs of a fuzzing target: made of datagrams, kept, damaged, put into it again. Loads no target itself: all of them
together are too much for the room that a test file has under MicroPython."""

from test_mutated import Chance, mutated

from agent.errors import LocalError, RemoteError

PLACE = __file__.rpartition("/")[0] + "/../fuzz/corpus/%s.hex"
ROUNDS = 6  # damaged copies of each input


def replay(name, target, begin, rounds=ROUNDS, step=1):
    """-> how many inputs the target took; all that it does not may only be refused. step: one of so many is tried."""
    corpus, taken = begin + kept(name)[::step], 0
    chance = Chance(20261121)
    for data in corpus:
        tried = [data] + [mutated(data, corpus[chance.below(len(corpus))] or b"\0", chance) for _ in range(rounds)]
        for bad in tried:
            try:
                target(bad)
                taken += 1
            except (RemoteError, LocalError):
                pass
            except Exception as e:
                raise AssertionError("%s: %s of %s" % (name, repr(e), bad.hex()))
    return taken


def kept(name):
    """The corpus of a target; a new target has none yet."""
    try:
        with open(PLACE % name) as file:
            return [bytes.fromhex(line.strip()) for line in file]
    except OSError:
        return []


def pieces(data, most=12):
    """Several datagrams in one input: a byte of length before each."""
    found = []
    while data and len(found) < most:
        size = data[0]
        found.append(data[1 : 1 + size])
        data = data[1 + size :]
    return found


def joined(datagrams):
    """What pieces() takes apart."""
    return b"".join([bytes((len(data),)) + data for data in datagrams])
