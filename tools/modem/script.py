"""Scripts for an emulated modem: control commands with the second at which each is due, read and played."""

import asyncio
import json
import math

from ..faults import USAGE, Fault

MAX_LINE = 65536


def read(path):
    """[(seconds, command)] in order of time. A line is `SECONDS COMMAND`, or a command with "at_s"; # is a comment.

    Fault with the line that is wrong.
    """
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Fault("the script %s cannot be read: %s" % (path, error), "name another", USAGE) from None
    steps = [_step(path, number, line.strip()) for number, line in enumerate(lines, 1)]
    return sorted([step for step in steps if step], key=lambda step: step[0])


def _step(path, number, line):
    if not line or line.startswith("#"):
        return None
    try:
        seconds, _, command = line[:MAX_LINE].partition(" ")
        if line.startswith("{"):
            known = json.loads(line[:MAX_LINE])
            seconds = known.pop("at_s")
        else:
            known = json.loads(command)
        seconds = float(seconds)
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError(seconds)
        return seconds, known
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        remedy = 'for example: 2.5 {"do": "detach"}, or {"at_s": 2.5, "do": "detach"}'
        raise Fault("%s, line %d: %r" % (path, number, line[:60]), remedy, USAGE) from None


async def play(modem, steps):
    """Do what the steps say when it is due, counted from now; what is wrong is told to the modem's log."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for seconds, command in steps:
        await asyncio.sleep(max(0, begun + seconds - loop.time()))
        answer = await modem.control(command)
        if "error" in answer:
            modem.note("script", at=seconds, error=answer["error"])
