"""`pointsman modem`: an AT modem on a pseudo-terminal, with its SIM, its network and its faults."""

import argparse
import asyncio
import json
import os
import signal
import sys
import time

from .. import faults
from ..modem import control
from ..modem.emulator import Emulator, load, names

HELP = """\
examples:
  pointsman modem                                    prints the port to open, and runs until Ctrl-C
  pointsman modem --link /tmp/modem --control /tmp/modem.ctl
  pointsman agent --modem /tmp/modem ...             an agent that dials through it
  pointsman modem --tcp 127.0.0.1:7000 --tun ppp-net --auth chap:me:secret
  echo '{"do": "coverage", "on": false}' | nc -U -q 1 /tmp/modem.ctl
  pointsman modem --script day.txt                   where a line is: 2.5 {"do": "coverage", "on": false}
  pointsman modem --json --trace                     everything that happens, one JSON object a line

control commands, one JSON object a line, on the socket and (from a terminal) typed here:
""" + "".join("  %s\n" % text for _, _, text in control.COMMANDS.values())


def arguments(parser):
    """The options of `pointsman modem`."""
    parser.add_argument("--profile", default="quectel-ec25", metavar="NAME",
                        help="which modem (default quectel-ec25); there are: " + ", ".join(names()))
    parser.add_argument("--link", metavar="PATH", help="a path that always leads to the port, also after it vanished")
    parser.add_argument("--tcp", metavar="HOST:PORT", type=_place,
                        help="listen there instead of making a pseudo-terminal")
    parser.add_argument("--unix", metavar="PATH", help="the same on a Unix socket, for QEMU's -chardev socket")
    parser.add_argument("--tun", metavar="NAME",
                        help="carry data calls by this TUN interface (root); else UDP is relayed")
    parser.add_argument("--auth", metavar="KIND:USER:SECRET", type=_auth,
                        help="what a data call must prove: pap or chap, for example chap:user:secret")
    parser.add_argument("--control", metavar="PATH", help="a Unix socket that takes control commands")
    parser.add_argument("--script", metavar="FILE", help="control commands with the second each is due, one a line")
    parser.add_argument("--address", default="127.0.0.3", help="where its datagrams come from (default 127.0.0.3)")
    parser.add_argument("--dial-ms", type=_ms, metavar="MS", help="how long dialling takes (default 300)")
    parser.add_argument("--attach-ms", type=_ms, metavar="MS", help="how long finding the network takes (default 300)")
    parser.add_argument("--boot-ms", type=_ms, metavar="MS", help="how long booting takes (default 200)")
    parser.add_argument("--json", action="store_true", help="what happens, one JSON object a line")
    parser.add_argument("--trace", action="store_true", help="tell every command and its answer too")


def run(args):
    """Run until interrupted (130) or terminated (0)."""
    load(args.profile)
    script = _script(args.script) if args.script else []
    given = {"dial": args.dial_ms, "attach": args.attach_ms, "boot": args.boot_ms}
    ms = {name: value for name, value in given.items() if value is not None}
    if [args.tcp, args.unix, args.link].count(None) < 2:
        raise faults.Fault("--tcp, --unix and --link exclude each other", "give one of them", faults.USAGE)
    modem = Emulator(args.profile, args.address, _json if args.json else _text, link=args.link, control=args.control,
                     ms=ms, trace=args.trace, ppp=args.auth, tun=args.tun, socket=args.tcp or _path(args.unix))
    return asyncio.run(_run(modem, args, script))


async def _run(modem, args, script):
    loop = asyncio.get_running_loop()
    ended, playing = loop.create_future(), None
    for number, code in ((signal.SIGINT, faults.INTERRUPTED), (signal.SIGTERM, faults.OK)):
        loop.add_signal_handler(number, lambda code=code: ended.done() or ended.set_result(code))
    try:
        await modem.start()
        _greet(modem, args)
        playing = loop.create_task(_play(modem, script))
        # A job in the background must not read the terminal: it would be stopped.
        if sys.stdin is not None and sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp():
            loop.add_reader(sys.stdin, _typed, modem, loop)
        return await ended
    finally:
        if playing:
            playing.cancel()
        await modem.stop()


def _greet(modem, args):
    if args.json:
        return
    print(args.link or modem.path, flush=True)
    if sys.stdout.isatty():
        print("\n%s on %s; Ctrl-C ends it. Type, or send:\n" % (modem.profile["about"], modem.path))
        for _, _, text in control.COMMANDS.values():
            print("  " + text)
        print(flush=True)


def _typed(modem, loop):
    line = sys.stdin.readline()
    if not line:
        loop.remove_reader(sys.stdin)
    elif line.strip():
        loop.create_task(_answer(modem, line))


async def _answer(modem, line):
    try:
        request = json.loads(line)
    except ValueError:
        request = None
    print(json.dumps(await modem.control(request)), flush=True)


def _ms(text):
    if not text.isdecimal() or int(text) > 600000:
        raise argparse.ArgumentTypeError("%s is no time; 0 to 600000 ms" % text)
    return int(text)


def _place(text):
    if not text.rpartition(":")[2].isdecimal() or int(text.rpartition(":")[2]) > 65535:
        raise argparse.ArgumentTypeError("%s is no place; for example 127.0.0.1:7000, port 0 for a free one" % text)
    return text


def _script(path):
    """[(seconds, command)] of a script, in order. Fault with the line that is wrong."""
    found = []
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise faults.Fault("the script %s cannot be read: %s" % (path, error), "name another", faults.USAGE) from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            seconds, _, command = line.strip().partition(" ")
            found.append((float(seconds), json.loads(command)))
        except ValueError:
            raise faults.Fault("%s, line %d: %r" % (path, number, line[:60]), 'for example: 2.5 {"do": "detach"}',
                               faults.USAGE) from None
    return sorted(found, key=lambda step: step[0])


async def _play(modem, script):
    """Do what the script says when it is due, counted from the start."""
    begun = time.monotonic()
    for seconds, command in script:
        await asyncio.sleep(max(0, begun + seconds - time.monotonic()))
        answer = await modem.control(command)
        if "error" in answer:
            modem.note("script", at=seconds, error=answer["error"])


def _auth(text):
    kind, _, rest = text.partition(":")
    user, separator, secret = rest.partition(":")
    if kind not in ("pap", "chap") or not separator:
        raise argparse.ArgumentTypeError("%s is no authentication; pap:USER:SECRET or chap:USER:SECRET" % text)
    return {"auth": kind, "user": user, "secret": secret}


def _path(text):
    return text if text is None or "/" in text else "./" + text


def _json(actor, event, **fields):
    print(json.dumps({"t": round(time.monotonic() * 1000), "actor": actor, "event": event, **fields}), flush=True)


def _text(actor, event, **fields):
    # The port's path alone goes to stdout, so that a script can read it.
    print(event, " ".join("%s=%s" % item for item in fields.items()), file=sys.stderr, flush=True)
