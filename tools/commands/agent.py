"""`pointsman agent`: the device agent on this machine, until it is interrupted."""

import argparse
import errno
import fcntl
import json
import os
import socket
from pathlib import Path
from urllib.parse import quote

from ...agent import reference
from ...agent import run as driver
from ...agent.errors import LocalError
from ...agent.log import is_secret, sink
from ...agent.store import Store
from ...boards import linux
from ...boards.files import Files
from ...boards.tty import Tty
from .. import faults
from ..faults import Fault
from ..firmware import attended, launch

_SECRETS_MAX = 64 * 1024  # characters
LTE, SMS = "lte", "sms"  # what the agent calls the links through the modem

HELP = """\
With --server the agent registers there and nowhere else. With --bootstrap, or with neither (then it looks for a
configuration server on the LAN), it is given its servers: a gateway, a platform, and over which link to reach each.
Ctrl-C or SIGTERM de-registers and ends it, within 6 s; a second one ends it at once.

examples:
  any LwM2M 1.1 server, over whatever way this machine has:
    pointsman agent --server coap://leshan.eclipseprojects.io:5683 --endpoint meter-7 --insecure
  two ways, Ethernet preferred, a modem as the other one; the configuration server says where to register:
    pointsman agent --bootstrap coap://192.168.1.9:5783 --endpoint meter-7 --insecure \\
        --link eth=eth0 --modem /dev/ttyUSB2
  the same program as on a device, under MicroPython, its log for a program to read:
    pointsman agent --server coap://127.0.0.1:5683 --endpoint meter-7 --insecure --interpreter micropython --json

  nothing but short messages (the modem's link sms; what it costs is bounded by --set sms_per_day=N):
    pointsman agent --bootstrap sms:+491701234567 --endpoint meter-7 --insecure --modem /dev/ttyUSB2

links (--link, the most preferred first; a configuration server speaks of them by NAME, such as eth):
  any, NAME=any           no interface in particular: the routes of this machine decide (the default)
  lo                      the loopback interface
  NAME=INTERFACE          a network interface; sockets are bound to it, so that the routes do not matter
  NAME=INTERFACE@ADDRESS  the same where the interface has several addresses

security: each account says how it is protected, by OSCORE or by DTLS with a pre-shared key. With --security the server
named, or the configuration server, is spoken to under the key that the device was born with, from a file of your own:
    (umask 77; echo '{"device_key": "16 bytes as hexadecimal digits"}' > meter-7.json)
    pointsman agent --bootstrap coap://192.168.1.9:5783 --endpoint meter-7 --security oscore --secrets meter-7.json
--insecure allows accounts without any; use it where you trust the network.
"""


def arguments(parser):
    """The command's arguments."""
    parser.add_argument("--endpoint", metavar="NAME", help="who the device is towards every server")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--server", metavar="URI", help="register with this server: coap://HOST:PORT or sms:NUMBER")
    where.add_argument("--bootstrap", metavar="URI", help="ask this configuration server first: the same")
    parser.add_argument("--lifetime", metavar="S", help="of the registration with --server (default 300)")
    parser.add_argument("--security", choices=("oscore", "dtls"), help="with the key from --secrets, see below")
    parser.add_argument("--secrets", metavar="FILE", help="settings that nobody else may see, as a JSON object: "
                        "device_key, pin, ppp_secret")
    parser.add_argument("--insecure", action="store_true", help="accept servers without security (NoSec)")
    parser.add_argument("--store", metavar="DIR", help="what survives (default: in the user's state folder)")
    parser.add_argument("--link", metavar="SPEC", action="append", help="see below; may be given several times")
    parser.add_argument("--modem", metavar="PATH", help="the modem's AT port; adds the link lte, preferred last")
    parser.add_argument("--baud", metavar="N", type=int, default=115200, help="speed of that port (default 115200)")
    parser.add_argument("--ppp", metavar="INTERFACE", help="dial with the modem and make this interface, such as ppp0, "
                        "instead of using its own sockets (root; CPython)")
    parser.add_argument("--routes", action="store_true", help="let this machine's default routes follow the agent's "
                        "choice of link, for other programs (root; never against NetworkManager)")
    parser.add_argument("--meter", metavar="FILE", help="a file that holds the reading (default: seconds since boot)")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="any setting of the agent")
    parser.add_argument("--settings", action=_ListSettings, nargs=0, help="list all settings and end")
    parser.add_argument("--interpreter", choices=("cpython", "micropython"), default="cpython")
    parser.add_argument("--json", action="store_true", help="the log as one JSON object a line")


class _ListSettings(argparse.Action):
    """Prints the reference of all settings, as --help prints the help."""

    def __call__(self, parser, namespace, values, option_string=None):
        for name, kind, default, unit, low, high, text in reference.rows():
            form = "%d to %d %s" % (low, high, unit) if kind == "int" else unit.replace("|", " ") or kind
            print("%s = %s\n    %s (%s)" % (name, json.dumps(default), text, form.strip()))
        parser.exit()


def run(args):
    """Run the agent until it is stopped; returns its exit code. Everything is checked before anything is written."""
    values = _settings(args)
    micropython = launch.need_micropython() if args.interpreter == "micropython" else None
    if not Path(_store_folder(args)).exists():  # else DNS may be dead, and an agent that was there before does without
        for name in ("server", "bootstrap"):
            _check_host(getattr(args, name))
    options = {"dir": _store_folder(args), "links": _links(args), "modem": args.modem or "",
               "baud": args.baud, "meter": args.meter or "", "ppp": args.ppp or "",
               "routes": args.routes}  # fmt: skip
    board = _board(options)
    _check_store(options["dir"])
    lock = _lock(options["dir"])
    if micropython:
        return _execute(micropython, options, values, args.json, lock)
    with lock:
        return driver.main(board, values, sink("json" if args.json else "text"))


def _settings(args):
    """The settings that the arguments amount to. Faults for all that is impossible in them."""
    if not args.endpoint:
        raise _usage("--endpoint is missing", "name the device, as --endpoint meter-7")
    links = [spec.partition("=")[0] for spec in _links(args)]
    if len(set(links)) < len(links) or {LTE, SMS} & set(links):
        raise _usage("two links of one name, or one called lte or sms, which are the modem's",
                     "give each --link its own name")
    given = {"endpoint": args.endpoint, "insecure": "yes" if args.insecure else None,
             "security": args.security, "server_uri": args.server,
             "bootstrap_uri": args.bootstrap, "lifetime_s": args.lifetime, "session": "ppp" if args.ppp else None,
             "links": ",".join(links + _modem_links(args, links))}  # fmt: skip
    values = {name: _value(name, text) for name, text in given.items() if text is not None}
    for item in args.set:
        name, equals, text = item.partition("=")
        if not equals:
            raise _usage("--set %s has no value" % item, "as --set NAME=VALUE; --settings lists them")
        if name in values:
            raise _usage("%s is set twice" % name, "leave one out")
        if is_secret(name):
            raise _usage("--set %s: everybody on this machine can read it there" % name,
                         "put it into a file and name that with --secrets")
        values[name] = _value(name, text)
    values.update(_secrets(args.secrets) if args.secrets else {})
    _check_security(args, values)
    return values


def _secrets(file):
    """The settings in a file that only its owner may read. Faults quote nothing of it."""
    try:
        with open(file, encoding="utf-8") as source:
            shared = os.fstat(source.fileno()).st_mode & 0o077
            found = json.loads(source.read(_SECRETS_MAX))
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "no JSON"
        raise _usage("cannot read %s: %s" % (file, cause), 'it holds an object, as {"pin": "1234"}') from error
    if shared:
        raise _usage("others may read %s" % file, "chmod 600 %s, and change the secrets in it" % file)
    if not isinstance(found, dict):
        raise _usage("%s holds no object" % file, 'as {"pin": "1234"}')
    return {name: _value(name, text if isinstance(text, str) else json.dumps(text)) for name, text in found.items()}


def _check_security(args, values):
    if values.get("security", "none") != "none" and not values.get("device_key"):
        raise _usage("--security %s needs the device's key" % values["security"],
                     'put it into a file as {"device_key": "HEX"} and name that with --secrets')
    if not values.get("insecure") and values.get("security", "none") == "none" and not os.path.exists(
            _store_folder(args)):
        raise _usage("servers without security (NoSec) are refused",
                     "add --security and --secrets, or --insecure if you trust the network")


def _modem_links(args, others):
    """What the modem is good for: data, and short messages where a server is known by its number."""
    if not _by_number(args):
        return [LTE] if args.modem else []
    if not args.modem:
        raise _usage("a server by short messages needs a modem", "name its port, as --modem /dev/ttyUSB2")
    return [LTE, SMS] if others else [SMS]


def _by_number(args):
    return (args.server or args.bootstrap or "").startswith("sms:")


def _links(args):
    if _by_number(args):
        return args.link or []
    # Accounts from a configuration server name the links that they may be reached over: eth is what one can expect.
    return args.link or (["any"] if args.server else ["eth=any"])


def _value(name, text):
    try:
        return reference.from_text(name, text)
    except LocalError as error:
        raise _usage(str(error), "--settings lists them all") from error


def _usage(message, remedy):
    return Fault("agent: " + message, remedy, faults.USAGE)


def _check_host(uri):
    if not uri or uri.startswith("sms:"):
        return
    host = uri.partition("://")[2].partition("/")[0].partition(":")[0]
    try:
        socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise Fault("agent: unknown host %s" % host, "check the name, or give an address", faults.HOST) from error


def _board(options):
    """The board, once every link, the modem's port and the meter have been seen to be there."""
    try:
        board = linux.Board(options)
        if options["modem"]:
            Tty(options["modem"], options["baud"]).close()
        board.measure()
        return board
    except ValueError as error:
        raise _usage(str(error), "see agent --help") from error
    except OSError as error:
        code = faults.BUSY if error.errno == errno.EBUSY else faults.DEVICE
        remedy = {
            errno.EBUSY: "end that program (ModemManager?), or name another port",
            errno.EACCES: "join the group that owns it (often dialout)",
            errno.ENODEV: "name one of those",
        }.get(error.errno, "is it plugged in?")
        raise Fault("agent: " + (error.args[1] if error.filename is None else str(error)), remedy, code) from error


def _store_folder(args):
    if args.store:
        return os.path.abspath(args.store)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return str(Path(state) / "pointsman" / quote(args.endpoint, safe=""))


def _check_store(folder):
    """Fault unless the folder is a readable store, or can become one; nothing is written."""
    path = Path(folder)
    if not path.exists():
        return
    try:
        damaged = Store(Files(folder)).damaged
        if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "store: %s is no folder that may be written" % folder)
    except OSError as error:
        raise Fault("agent: " + error.args[1], "choose another with --store", faults.STORE) from error
    if damaged:
        raise Fault("agent: the store in %s is damaged, both copies" % folder,
                    "move the folder away; the device then starts as new", faults.STORE)


def _lock(folder):
    """An open file whose lock says that this agent uses the folder; the lock ends with the process."""
    try:
        Files(folder)
        lock = open(os.open(folder + "/lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    except OSError as error:
        raise Fault("agent: " + str(error.args[1]), "choose another with --store", faults.STORE) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Fault("agent: another agent uses the store in %s" % folder,
                    "end it, or give this one its own --store", faults.BUSY) from error
    return lock


def _execute(micropython, options, values, as_json, lock):
    """Run firmware/main.py under MicroPython, which holds the lock too; -> its exit code."""
    theirs, ours = attended.leash()
    options["stop"] = theirs
    config = {"board": "linux", "options": options, "settings": values, "log": "json" if as_json else "text"}
    file = options["dir"] + "/agent.json"
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(config, out)
    return attended.run(launch.command(micropython, file), (lock.fileno(), theirs), ours)
