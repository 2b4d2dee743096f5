"""Trouble at random times that a seed repeats: what goes wrong, for how long, when. Everything ends by itself."""

import random

MOST_MS = 30000
# weight, what begins it, what ends it (None: it ends by itself)
TROUBLE = (
    (4, {"do": "coverage", "on": False}, {"do": "coverage", "on": True}),
    (3, {"do": "detach"}, None),
    (3, {"do": "deactivate", "cid": 1}, None),
    (2, {"do": "deactivate", "cid": 1, "silent": True}, None),
    (3, {"do": "zombie", "cid": 1}, None),
    (2, {"do": "rebind"}, None),
    (2, {"do": "air", "ms": 400, "jitter": 400, "loss": 20}, {"do": "air"}),
    (2, {"do": "registration", "verdict": "denied", "cause": 15}, {"do": "registration", "verdict": "home"}),
    (1, {"do": "refuse", "cause": 26}, {"do": "refuse", "cause": 0}),
    (1, {"do": "busy", "ms": 3000}, None),
    (3, {"do": "delay", "ms": 250}, {"do": "delay", "ms": 0}),
    (2, {"do": "split", "bytes": 1}, {"do": "split", "bytes": 0}),
    (2, {"do": "merge", "ms": 50}, {"do": "merge", "ms": 0}),
    (2, {"do": "drop", "writes": 2}, None),
    (2, {"do": "lose", "permille": 10}, {"do": "lose", "permille": 0}),
    (2, {"do": "urc", "line": "+CREG: 1", "inside": True}, None),
    (1, {"do": "echo", "on": True}, {"do": "echo", "on": False}),
    (2, {"do": "mute", "on": True}, {"do": "mute", "on": False}),
    (1, {"do": "stuck"}, {"do": "restart"}),
    (1, {"do": "errors", "times": 10}, None),
    (1, {"do": "port", "on": False}, {"do": "port", "on": True}),
    (1, {"do": "restart"}, None),
)


def timeline(seed, every_s):
    """For ever: (second, command), in order of time; one thing goes wrong every `every_s` seconds on average."""
    chance = random.Random(seed)
    weights = [weight for weight, _, _ in TROUBLE]
    now = 0.0
    while True:
        now += 0.001 + chance.expovariate(1 / every_s)
        _, begin, end = chance.choices(TROUBLE, weights)[0]
        yield round(now, 3), begin
        if end:
            now += chance.uniform(0, min(MOST_MS / 1000, every_s))
            yield round(now, 3), end
