"""`pointsman fleet`: many emulated members of a group in one process, to try and measure the delivery of policies."""

import asyncio
import json
import random
import signal

from .. import faults
from ..faults import Fault
from ..fleet.members import MAX_MEMBERS, Members, address
from ..fleet.sockets import Sockets

HELP = """\
Each member has an address of its own in 127.1.0.0/16, hears the group on the loopback interface, loses what --loss says
each way, verifies, applies once and acknowledges. It ends with what happened: applied once, more than once, refused.

examples:
  pointsman fleet --members 10000 --loss 20 --signer PUBLIC_KEY_IN_HEX
  pointsman fleet --members 1000 --without-multicast 30 --any-signer --json
"""


def arguments(parser):
    """The command's arguments."""
    parser.add_argument("--members", type=int, default=1000, metavar="N", help="how many (default 1000)")
    parser.add_argument("--group", default="meters", metavar="NAME", help="the group they are in (default meters)")
    parser.add_argument("--multicast", default="239.77.0.3:5685", metavar="HOST:PORT",
                        help="where the group is spoken to (default 239.77.0.3:5685)")
    parser.add_argument("--port", type=int, default=5687, metavar="N", help="their own port (default 5687)")
    parser.add_argument("--loss", type=float, default=0, metavar="PERCENT", help="lost each way (default 0)")
    parser.add_argument("--without-multicast", type=float, default=0, metavar="PERCENT",
                        help="members, the last ones, that hear no multicast (default 0)")
    parser.add_argument("--signer", metavar="HEX", help="the public key that they believe: x and y, 64 bytes")
    parser.add_argument("--any-signer", action="store_true", help="believe any signature")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what gets lost and of leisure (default 1)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args):
    """Listen until Ctrl-C or SIGTERM; returns 0."""
    members = _members(args)
    try:
        sockets = Sockets(members, _place(args.multicast), args.port)
    except OSError as problem:
        raise Fault(f"fleet: cannot listen at {args.multicast} and 127.1.0.0/16:{args.port}: {problem.strerror}",
                    "choose other ports; only Linux has what this needs", faults.BUSY) from problem
    asyncio.run(_serve(sockets, args))
    once, more = members.applied.count(1), sum(count > 1 for count in members.applied)
    _say(args, "ended", applied_once=once, applied_more=more, acknowledgements=members.acknowledgements,
         refused=members.refused)
    return faults.OK


def _members(args):
    if not 1 <= args.members <= MAX_MEMBERS:
        raise Fault(f"fleet: --members {args.members} is not 1 to {MAX_MEMBERS}", "start another process", faults.USAGE)
    if not (0 <= args.loss < 100 and 0 <= args.without_multicast <= 100 and 1 <= args.port <= 65535):
        raise Fault("fleet: --loss, --without-multicast or --port is out of range", "percent, and 1 to 65535",
                    faults.USAGE)
    if bool(args.signer) == args.any_signer:
        raise Fault("fleet: whose documents shall they believe", "give --signer HEX, or --any-signer", faults.USAGE)
    return Members(args.members, args.group.encode(), _key(args.signer), random.Random(args.seed), args.loss / 100,
                   args.without_multicast / 100)


def _key(text):
    try:
        key = bytes.fromhex(text or "")
    except ValueError:
        key = b""
    if text and len(key) != 64:
        raise Fault("fleet: --signer is no public key", "x and y in hex, 128 digits", faults.USAGE)
    return key or None


def _place(text):
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise Fault(f"fleet: --multicast {text!r} is no HOST:PORT", "as 239.77.0.3:5685", faults.USAGE)
    return host, int(port)


async def _serve(sockets, args):
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    sockets.start()
    _say(args, "ready", members=args.members, first=f"{address(0)}:{args.port}", multicast=args.multicast)
    try:
        await ended.wait()
    finally:
        sockets.close()


def _say(args, event, **fields):
    if args.json:
        print(json.dumps({"event": event, **fields}), flush=True)
    else:
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fields.items())
        print(f"{event}: {told}", flush=True)
