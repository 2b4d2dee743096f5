"""How a policy gets on: a bar on a terminal, a line for each change elsewhere, one JSON object each for machines."""

import json
import sys
import time

from ..terminal import width

_EVERY = 0.5  # s
_MOVING = ("planned", "sent")
_ANSWERED = ("acknowledged", "rejected", "rolled back")


def follow(ask, as_json, out=None):
    """Show what ask() tells, a status of the REST, until nobody who can be reached is still to answer; -> the last."""
    out, before = out or sys.stdout, None
    bar = not as_json and out.isatty()
    while True:
        told = ask()
        if told != before:
            print(json.dumps(told) if as_json else _bar(told) if bar else line(told), file=out,
                  end="" if bar else "\n", flush=True)
        if ended(told):
            break
        before = told
        time.sleep(_EVERY)
    if bar:
        print(file=out)
    return told


def keys(ask, as_json):
    """Show what ask() tells, a status of the keys, once nobody is being told of them; -> it."""
    while (told := ask())["telling"]:
        time.sleep(_EVERY)
    counts = ", ".join(f"{count} {said}" for said, count in told["counts"].items())
    print(json.dumps(told) if as_json else f"keys {told['version']}: {counts or 'no member of their groups'}")
    return told


def ended(told):
    """Whether it has ended, or all that goes on is waiting for who is away."""
    return told["state"] != "running" or not any(told["counts"][state] for state in _MOVING)


def line(told):
    """A status as one line."""
    counts = ", ".join(f"{count} {state}" for state, count in told["counts"].items() if count)
    why = f" ({told['why']})" if told["why"] else ""
    return f"{told['group']} {told['version']}: {told['state']}{why}: {counts or 'no members'}"


def _bar(told):
    """The line begins with how much of the group has answered; it writes over the one before."""
    share = sum(told["counts"][state] for state in _ANSWERED) / max(1, told["members"])
    full = int(share * 20)
    return "\r\x1b[K" + f"[{'#' * full}{'.' * (20 - full)}] {int(share * 100):3} %  {line(told)}"[:width() - 1]
