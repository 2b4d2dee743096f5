"""One virtual day a seed: everything goes wrong, the invariants hold after every event, and in the end
nothing is lost.

usage: python|micropython -X heapsize=4M tests/sim/day.py [SEEDS | SEED..SEED | -s SEED]...
       20        seeds 0 to 19 (the default is 3)
       4..6      seeds 4, 5 and 6
       -s 4      seed 4 alone; with -v also every event
       --each    one line a seed: its number, digest and events
       --hard    days that are hard on the modem, too (hardships.py)

Prints what was simulated, the digest of all events - the same on every Python - and seconds a day.
"""

import gc
import sys
import time

HERE = __file__.rpartition("/")[0] or "."
if __name__ == "__main__":
    sys.path[:0] = [HERE, HERE + "/../.."]

import hardships  # noqa: E402
from stage import Stage  # noqa: E402
from troubles import Troubles  # noqa: E402
from world import DAY, MINUTE  # noqa: E402

CALM = 30 * MINUTE  # at the end, for what is still on its way
_STANDBY = ("warm", "hot", "cold")
_DISCOVERY = ("core,dns-sd", "core", "dns-sd")


def simulate(seed, tell=None, duration=DAY, hard=False):
    """-> the Stage after one day of troubles. AssertionError says which invariant broke, and when."""
    chosen = {"standby": _STANDBY[seed % 3], "discovery": _DISCOVERY[seed // 3 % 3]}
    stage = Stage(seed, 2 if seed % 7 == 6 else 1, tell, **chosen)
    if tell:
        for device in stage.devices:
            device.sink = _teller(tell)
    try:
        if hard:
            hardships.lock(stage, seed)
        stage.power_on()
        (hardships.Hardships if hard else Troubles)(stage, duration - CALM)
        stage.run(duration - CALM)
        stage.calm()
        stage.run(CALM)
        stage.settled()
    except Exception as e:
        print("\nseed %d at %.3f s: %r\nreplay: %s" % (seed, stage.world.now / 1000, e, replay(seed, hard)))
        raise
    return stage


def replay(seed, hard=False):
    option = "--hard " if hard else ""
    if sys.implementation.name == "micropython":
        return "micropython -X heapsize=4M tests/sim/day.py %s-v -s %d" % (option, seed)
    if hard:
        return "python tests/sim/day.py --hard -v -s %d" % seed
    return "SEED=%d python -m pytest tests/sim -k day    (or: python tests/sim/day.py -v -s %d)" % (seed, seed)


def _teller(tell):
    def sink(level, now, actor, event, fields):
        shown = ["%s=%s" % (name, fields[name]) for name in sorted(fields)]
        tell("%11.3f   %s: %s %s %s" % (now / 1000, level, actor, event, " ".join(shown)))

    return sink


def seeds(arguments):
    """-> (list of seeds, verbose)."""
    found, verbose, single = [], False, False
    for argument in arguments:
        if argument in ("-v", "-s", "--each", "--hard"):
            verbose, single = verbose or argument == "-v", argument == "-s"
        elif ".." in argument:
            low, _, high = argument.partition("..")
            found += list(range(int(low), int(high) + 1))
        else:
            found += [int(argument)] if single else list(range(int(argument)))
            single = False
    return found or [0, 1, 2], verbose


def main(arguments):
    chosen, verbose = seeds(arguments)
    events, digest, away, twice, start = 0, 0, 0, 0, time.time()
    for seed in chosen:
        stage = simulate(seed, print if verbose else None, hard="--hard" in arguments)
        out, both = stage.watch.worst()
        events += stage.world.events
        digest ^= stage.world.digest
        away, twice = max(away, out), max(twice, both)
        if "--each" in arguments:
            print("seed %d %08x %d" % (seed, stage.world.digest, stage.world.events))
        stage = None
        gc.collect()
    spent = time.time() - start
    text = "%s: %d seeds, %d events, digest %08x, longest away %.1f s, longest double record %.3f s, %.2f s a day"
    python = sys.implementation.name
    print(text % (python, len(chosen), events, digest, away / 1000, twice / 1000, spent / len(chosen)))


if __name__ == "__main__":
    main(sys.argv[1:])
