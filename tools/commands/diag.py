"""`pointsman diag`: what a running `pointsman agent` knows of itself - links, moves, costs, the end of its log.

A file is the question and a file is the answer: `diag.ask` in the agent's store makes the agent write `diag.json` there
the next time it looks at its links. So it works under both interpreters, and for nobody but the store's owner.
"""

import argparse
import fcntl
import json
import os
import time
from pathlib import Path

from .. import faults
from ..faults import Fault
from . import agent

PATIENCE_S = 6

HELP = """\
examples:
  pointsman diag --endpoint meter-7          the agent that was started with this --endpoint
  pointsman diag --store /var/lib/meter      the agent that was started with this --store
  pointsman diag --endpoint meter-7 --json   for a program
"""


def arguments(parser):
    """The command's arguments."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--endpoint", metavar="NAME", help="as given to the agent")
    who.add_argument("--store", metavar="DIR", help="as given to the agent")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args):
    """Ask, and print the answer."""
    folder = Path(agent._store_folder(argparse.Namespace(store=args.store, endpoint=args.endpoint)))
    found = ask(folder)
    print(json.dumps(found) if args.json else "\n".join(shown(found)))
    return faults.OK


def ask(folder):
    """The answer of the agent that uses this store. Raises Fault when none does, or it does not answer."""
    if not _in_use(folder):
        raise Fault("diag: no agent uses the store in %s" % folder, "start one, or name its --endpoint or --store",
                    faults.DEVICE)
    answer, question = folder / "diag.json", folder / "diag.ask"
    answer.unlink(missing_ok=True)
    question.touch(mode=0o600)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            return json.loads(answer.read_text("utf-8"))
        except (OSError, ValueError):
            time.sleep(0.02)
    question.unlink(missing_ok=True)
    raise Fault("diag: the agent does not answer", "it may be waiting for its modem's port, or be older than this")


def _in_use(folder):
    try:
        with open(folder / "lock", "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in (11, 13, 35):
            return os.access(folder, os.W_OK)
        raise Fault("diag: " + str(error), "name a store of your own", faults.STORE) from error
    return False


def shown(found):
    """The answer as lines for people."""
    registration, metrics = found["registration"], found["metrics"] or {}
    yield "%s: %s with %s over %s, epoch %s, up for %d s" % (
        found["endpoint"], registration["state"], registration["registrar"] or "nobody",
        registration["link"] or "no link", registration["epoch"], found["now_ms"] // 1000)
    for link in found["links"]:
        carried = [metrics.get(day, {}).get(link["name"], (0, 0)) for day in ("bytes_today", "bytes_yesterday")]
        yield "  link %-6s %-8s %s  sent %d B, received %d B today; %d and %d yesterday" % (
            link["name"], link["state"], "active" if link["active"] else "      ", *carried[0], *carried[1])
    if found["modem"]:
        yield "  modem " + " ".join("%s=%s" % item for item in sorted(found["modem"].items()))
    outbox = found["outbox"]
    yield "  outbox %d waiting, %d dropped, next is %d" % (outbox["waiting"], outbox["dropped"], outbox["next"])
    if metrics:
        yield "  moves %d, the last: detect %d, dial %d, register %d ms; worst %d ms; modem started %d times" % (
            metrics["moves"], *(metrics["last"][name] for name in ("detect_ms", "dial_ms", "register_ms")),
            metrics["worst_ms"], metrics["modem_starts"])
        yield "  a move takes, on average: detect %d, dial %d, register %d ms" % tuple(
            metrics["mean"][name] for name in ("detect_ms", "dial_ms", "register_ms"))
        yield "  seconds " + " ".join("%s=%s" % item for item in sorted(metrics["state_s"].items()))
        yield "  metered, this month: %s" % (
            " ".join("%s=%d B" % item for item in sorted(metrics["spent_month"].items())) or "nothing")
    yield "  probes %d" % found["probes"]
    if found["transcript"]:
        yield "modem, said (>) and heard (<):"
        yield from ("  " + line for line in found["transcript"])
    yield "log:"
    yield from ("  " + line for line in found["log"])
