"""`pointsman modem`: an AT modem on a pseudo-terminal, with its SIM, its network and its faults."""

import argparse
import asyncio
import json
import os
import signal
import sys
import time

from .. import faults
from ..modem import control, random_faults, script
from ..modem.centre import Centre, semi_octets
from ..modem.emulator import Emulator, load, names
from ..modem.record import Record
from ..modem.replay import Replay

HELP = """\
examples:
  pointsman modem                                    prints the port to open, and runs until Ctrl-C
  pointsman modem --link /tmp/modem --control /tmp/modem.ctl
  pointsman agent --modem /tmp/modem ...             an agent that dials through it
  pointsman modem --tcp 127.0.0.1:7000 --tun ppp-net --auth chap:me:secret
  echo '{"do": "coverage", "on": false}' | nc -U -q 1 /tmp/modem.ctl
  pointsman modem --number +491700000007 --centre /tmp/centre     and serve platform --sms NUMBER --centre /tmp/centre
  pointsman modem --script day.txt                   where a line is: 2.5 {"do": "coverage", "on": false}
  pointsman modem --seed 7 --every 20                trouble at random times, the same with every run
  pointsman modem --record field.jsonl               keeps what crosses the port, without secrets
  pointsman modem --replay field.jsonl               a modem that answers as it did then
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
    parser.add_argument("--number", metavar="NUMBER", type=_number, help="its own telephone number, with --centre")
    parser.add_argument("--centre", metavar="PLACE",
                        help="be the short-message centre too, for servers (serve --sms) at this HOST:PORT or path")
    parser.add_argument("--control", metavar="PATH", help="a Unix socket that takes control commands")
    parser.add_argument("--script", metavar="FILE", help="control commands with the second each is due, one a line")
    parser.add_argument("--seed", type=_seed, metavar="N", help="something goes wrong at random times; N repeats it")
    parser.add_argument("--every", type=_every, default=60, metavar="S",
                        help="how often, with --seed: every S seconds on average (default 60)")
    parser.add_argument("--record", metavar="FILE", help="keep every byte both ways, with its time; secrets are stars")
    parser.add_argument("--replay", metavar="FILE", help="answer from a record instead of being a modem")
    parser.add_argument("--address", default="127.0.0.3", help="where its datagrams come from (default 127.0.0.3)")
    parser.add_argument("--dial-ms", type=_ms, metavar="MS", help="how long dialling takes (default 300)")
    parser.add_argument("--attach-ms", type=_ms, metavar="MS", help="how long finding the network takes (default 300)")
    parser.add_argument("--boot-ms", type=_ms, metavar="MS", help="how long booting takes (default 200)")
    parser.add_argument("--json", action="store_true", help="what happens, one JSON object a line")
    parser.add_argument("--trace", action="store_true", help="tell every command and its answer too")


def run(args):
    """Run until interrupted (130) or terminated (0)."""
    load(args.profile)
    if [args.tcp, args.unix, args.link].count(None) < 2:
        raise faults.Fault("--tcp, --unix and --link exclude each other", "give one of them", faults.USAGE)
    if bool(args.number) != bool(args.centre):
        raise faults.Fault("--number and --centre go together", "give both, or neither", faults.USAGE)
    if args.replay:
        return _replay(args)
    steps = script.read(args.script) if args.script else []
    given = {"dial": args.dial_ms, "attach": args.attach_ms, "boot": args.boot_ms}
    ms = {name: value for name, value in given.items() if value is not None}
    record = Record(args.record, args.profile) if args.record else None
    told = _json if args.json else _text
    centre = Centre(told) if args.centre else None
    modem = Emulator(args.profile, args.address, told, link=args.link, control=args.control, number=args.number,
                     centre=centre,
                     ms=ms, trace=args.trace, ppp=args.auth, tun=args.tun, socket=args.tcp or _path(args.unix),
                     record=record, seed=args.seed or 0)  # fmt: skip
    try:
        return asyncio.run(_run(modem, args, steps, centre))
    finally:
        if record:
            record.close()


def _replay(args):
    for name in ("control", "centre", "script", "seed", "record", "tun", "auth"):
        if getattr(args, name) is not None:
            raise faults.Fault("--%s does not go with --replay: a record has no modem behind it" % name,
                               "leave one of them out", faults.USAGE)
    told = _json if args.json else _text
    replay = Replay(args.replay, told, link=args.link, socket=args.tcp or _path(args.unix))
    return asyncio.run(_run(replay, args, []))


async def _run(modem, args, steps, centre=None):
    loop = asyncio.get_running_loop()
    ended, playing = loop.create_future(), []
    for number, code in ((signal.SIGINT, faults.INTERRUPTED), (signal.SIGTERM, faults.OK)):
        loop.add_signal_handler(number, lambda code=code: ended.done() or ended.set_result(code))
    try:
        if centre:
            await _listen(centre, args.centre)
        await modem.start()
        _greet(modem, args)
        playing = [loop.create_task(script.play(modem, steps))]
        if args.seed is not None:
            playing.append(loop.create_task(script.play(modem, random_faults.timeline(args.seed, args.every))))
        # A job in the background must not read the terminal: it would be stopped.
        if not args.replay and sys.stdin is not None and sys.stdin.isatty() and (
                os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()):  # fmt: skip
            loop.add_reader(sys.stdin, _typed, modem, loop)
        return await ended
    finally:
        for task in playing:
            task.cancel()
        await modem.stop()
        if centre:
            await centre.stop()


async def _listen(centre, place):
    try:
        await centre.start(place)
    except (OSError, ValueError) as error:
        raise faults.Fault("no centre at %s: %s" % (place, error), "choose another HOST:PORT or path",
                           faults.BUSY) from None


def _greet(modem, args):
    if args.json:
        return
    print(args.link or modem.path, flush=True)
    if sys.stdout.isatty() and not args.replay:
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


def _seed(text):
    if not text.isdecimal() or int(text) >= 1 << 64:
        raise argparse.ArgumentTypeError("%s is no seed; a number such as 7" % text)
    return int(text)


def _every(text):
    if not text.isdecimal() or not 1 <= int(text) <= 86400:
        raise argparse.ArgumentTypeError("%s is no time; 1 to 86400 s" % text)
    return int(text)


def _number(text):
    try:
        semi_octets(text)
    except ValueError:
        raise argparse.ArgumentTypeError("%s is no number; for example +491700000007" % text) from None
    return text


def _place(text):
    if not text.rpartition(":")[2].isdecimal() or int(text.rpartition(":")[2]) > 65535:
        raise argparse.ArgumentTypeError("%s is no place; for example 127.0.0.1:7000, port 0 for a free one" % text)
    return text


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
