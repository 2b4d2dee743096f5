"""`pointsman lab`: the whole story on this machine."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from .. import faults
from ..firmware.launch import find_micropython
from ..lab import group_summary
from ..lab.console import Console
from ..lab.group_console import GroupConsole
from ..lab.group_play import GroupPlay
from ..lab.group_story import FEWEST
from ..lab.options import BOTH, CPYTHON, MICROPYTHON, PATIENT, Options
from ..lab.performance import perform
from ..lab.timeline import Lines, Timeline
from ..servers.credentials import KINDS, OSCORE

_MEMBERS = 6
HELP = """\
It starts a configuration server, a gateway, a platform, and for each device a modem and an agent, all real: sockets on
the loopback interface, a pseudo-terminal, a process. Then: a device is bought, finds the configuration server, gets its
accounts, registers with the gateway over Ethernet; its cable is pulled and put back; its power is cut. No root is
needed and nothing stays behind.

examples:
  pointsman lab --once                         the story once; exit code 1 if anything in it did not happen
  pointsman lab --once --agent micropython     the same agent files under MicroPython
  pointsman lab --once --agents 10 --seed 7    ten devices, another choice of moments for the faults
  pointsman lab --once --group                 one policy for a group, however its members are reached
  pointsman lab --once --security dtls         with DTLS sessions instead of OSCORE, or with none
  pointsman lab                                the story, then play: pull, plug, coverage off, cut, status, quit
  pointsman lab --once --json | tail -1        the figures, from the servers' own records

--dir DIR keeps everything: the servers' books (*.sqlite) and each device's configuration, store and meter.
"""


def arguments(parser):
    """The command's arguments."""
    parser.add_argument("--once", action="store_true", help="end after the story")
    parser.add_argument("--agent", choices=(CPYTHON, MICROPYTHON),
                        help="what the agent runs on (default cpython; of a group every other one on each)")
    parser.add_argument("--agents", type=_count, default=1, metavar="N", help="how many devices (default 1)")
    parser.add_argument("--group", type=_count, nargs="?", const=_MEMBERS, metavar="N",
                        help="the story of a group of N devices (default %d) that gets a policy" % _MEMBERS)
    parser.add_argument(
        "--security", choices=KINDS, default=OSCORE, help="what protects every message (default oscore)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="decides the moments of the faults (default 1)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line: every event, at last the summary")
    parser.add_argument("--heap", metavar="SIZE", help="MicroPython's heap, as it takes it: 192K")
    parser.add_argument(
        "--agent-root", metavar="PATH", help="MicroPython runs this folder of .py or .mpy, or ROMFS image"
    )
    parser.add_argument("--dir", type=Path, metavar="DIR", help="keep everything in this empty folder")
    parser.add_argument("--verbose", action="store_true", help="everything the servers, the modem and the agent log")


def run(args):
    """Returns 0, or 1 when the story does not hold."""
    if args.agent != MICROPYTHON and (args.heap or args.agent_root):
        raise faults.Fault("--heap and --agent-root are MicroPython's", "add --agent micropython", faults.USAGE)
    # For tests of the lab itself: a part that is left out. No option, because nobody else has a use for it.
    fault = os.environ.get("POINTSMAN_LAB_FAULT", "")
    options = Options(args.agent or CPYTHON, args.agents, args.seed, args.heap, args.agent_root, args.dir, fault,
                      security=args.security)
    if args.group is not None:
        _make_group(options, args)
    rows, early = (group_summary.rows, args.group - 1) if options.group else (None, options.agents)
    show = Lines() if args.json else Timeline(early, options.title, verbose=args.verbose, rows=rows)
    return asyncio.run(_perform(options, show, None if args.once else _play))


def _make_group(options, args):
    if args.agents != 1:
        raise faults.Fault("--agents and --group do not go together", "say --group %d" % args.agents, faults.USAGE)
    if args.group < FEWEST:
        raise faults.Fault("--group: %d devices are too few for the story" % args.group, "%d or more" % FEWEST,
                           faults.USAGE)
    options.group, options.agents, options.settings = True, args.group, dict(PATIENT)
    options.interpreter = args.agent or (BOTH if find_micropython() else CPYTHON)


async def _perform(options, show, console):
    # As after Ctrl-C, so that an end by `kill` leaves nothing behind either.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    try:
        return await perform(options, show, console, play=GroupPlay() if options.group else None)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _play(yard, show):
    await (GroupConsole if yard.options.group else Console)(yard, show).run()


def _count(text):
    with contextlib.suppress(ValueError):
        if int(text) > 0:
            return int(text)
    raise faults.Fault("--agents: %r is no number of devices" % text, "1 or more", faults.USAGE)
