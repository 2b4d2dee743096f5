"""Many simulated days, hard ones, on all processors: for what twenty do not find.

usage: python tests/sim/soak.py [DAYS [FIRST_SEED]]      (1000 days from seed 0; `make soak` runs it)

Prints what was played and the worst that was seen. Exit code 1 when an invariant broke; how to replay that day is said.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..")]

import day  # noqa: E402

_TERMINAL = sys.stderr.isatty()


def play(seed):
    """-> (seed, {"events", "away_ms", "twice_ms", ...}, None), or (seed, None, why) when an invariant broke."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # day.py tells a broken day itself; here they would come mixed up
    try:
        stage = day.simulate(seed, hard=True)
    except Exception as e:
        return seed, None, "%s: %s" % (type(e).__name__, e)
    return seed, dict(stage.worst(), events=stage.world.events), None


def main(arguments):
    days, first = [int(word) for word in arguments] + [1000, 0][len(arguments):]
    began, done, events, worst, broken = time.monotonic(), 0, 0, {}, []
    with ProcessPoolExecutor() as pool:
        for turn in as_completed([pool.submit(play, seed) for seed in range(first, first + days)]):
            seed, found, why = turn.result()
            done += 1
            if why:
                broken.append(seed)
                print("seed %d: %s\n  replay: %s" % (seed, why, day.replay(seed, True)), flush=True)
            else:
                events += found.pop("events")
                worst = {name: max(found[name], worst.get(name, 0)) for name in found}
            if _TERMINAL:
                print("\r%d of %d days, %d broken" % (done, days, len(broken)), end="", file=sys.stderr, flush=True)
    spent = time.monotonic() - began
    print("%s%d days, %d events in %d s; %d broken" % ("\n" * _TERMINAL, days, events, spent, len(broken)))
    for name in sorted(worst):
        print("  %-40s %s" % (name, worst[name]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
