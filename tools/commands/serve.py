"""`pointsman serve`: one of the servers of the story, alone, until it is interrupted."""

import asyncio
import errno
import json
import signal
import socket
import sys
import time
from urllib.parse import urlsplit

import sqlalchemy.exc

from .. import faults
from ..faults import Fault
from ..modem.centre import Party, semi_octets
from ..policies.asking import token
from ..servers import publishing
from ..servers.configuration import Configuration
from ..servers.credentials import DTLS, NONE, OSCORE, BadSecret, load, load_key
from ..servers.credentials import KINDS as KINDS_OF_SECURITY
from ..servers.devices_file import read_devices
from ..servers.gateway import Gateway
from ..servers.messages import SLOW, Face
from ..servers.platform import Platform
from ..servers.protection import asking, serving
from ..servers.storage import Storage

KINDS = ("configuration", "gateway", "platform")
PORTS = {"gateway": 5683, "platform": 5693, "configuration": 5783}

HELP = """\
configuration  LwM2M bootstrap server: gives devices their server accounts and settings
gateway        registers the devices of a LAN, and each of them with the platform; stores and relays readings
platform       takes registrations and readings; of two registrations of a device the newer one holds

Each server has one secret, in a file that nobody else may read; keys are derived from it (pointsman key --help). Its
database and its secret belong together: OSCORE's numbers are there, and must never start again under one secret.

examples:
  (umask 77; openssl rand -hex 32 > platform.secret)
  pointsman key gw-1 --security oscore --secret platform.secret --out gw-1.key
  pointsman serve platform --security oscore --secret platform.secret --db platform.sqlite --gateway gw-1
  pointsman serve gateway --security oscore --secret gateway.secret --db gateway.sqlite \\
      --bind 192.168.1.1:5683 --platform coap://platform.example:5693 --platform-key gw-1.key
  pointsman serve configuration --security dtls --secret configuration.secret --accounts devices.json
  pointsman serve platform --insecure --bind 0.0.0.0:5693       where you trust the network
  pointsman serve platform --insecure --rest 127.0.0.1:5694 --rest-token operator.token      for pointsman policy push
  pointsman serve platform --insecure --broker mqtts://broker.example --broker-user platform --broker-password mqtt.key
  pointsman serve platform --insecure --sms +491700000001 --centre /tmp/centre       the laboratory's short messages

devices.json names what each device gets, by its endpoint name:
  {"meter-7": {"accounts": [{"uri": "coap://192.168.1.1:5683", "ssid": 1, "links": "eth",
                             "security": "oscore", "secret": "gateway.secret"},
                            {"uri": "coap://platform.example:5693", "ssid": 2, "links": "lte", "priority": 1}],
               "settings": {"report_period_s": 60, "apn": "internet"}}}
"security" of an account is oscore (coap://), dtls (coaps://) or none; "secret" is the file of that server's secret. An
account also takes "lifetime" (s, default 300) and "epoch" (true; false for a server that is not one of these).
Policies (pointsman policy): "groups": [{"id": "meters", "rank": 1, "index": 0, "multicast": "239.77.0.1:5685", "topic":
"policies/meters", "guard": FILE}], "policy_root": the root's public key, "broker": {"uri", "user", "password": FILE}.
Of groups a platform tells its members all but the guard (pointsman group); whom to believe only a bootstrap says.
"""


def arguments(parser):
    """The command's arguments."""
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--bind", metavar="HOST:PORT", help="listen here (default 127.0.0.1 and a port by kind)")
    parser.add_argument("--db", default="sqlite://", metavar="URL",
                        help="a file, or a database URL as SQLAlchemy takes it (default: memory, nothing is kept)")
    parser.add_argument("--security", choices=KINDS_OF_SECURITY, help="what protects the devices' messages (with "
                        "--insecure: none)")
    parser.add_argument("--secret", metavar="FILE", help="what the devices' keys are derived from, mode 0600")
    parser.add_argument("--insecure", action="store_true", help="accept that there is no security")
    parser.add_argument("--gateway", metavar="NAME", action="append", default=[],
                        help="platform: a gateway that may register devices; may be repeated")
    parser.add_argument("--rest", metavar="HOST:PORT", help="platform: groups and policies over HTTP, on this machine")
    parser.add_argument("--rest-token", metavar="FILE", help="and what operators prove themselves with, mode 0600")
    publishing.arguments(parser)
    parser.add_argument("--platform", metavar="URI", help="gateway: the platform to register devices with")
    parser.add_argument("--platform-key", metavar="FILE",
                        help="gateway: its own key there; coap:// is OSCORE then, coaps:// is DTLS")
    parser.add_argument("--name", default="gw-1", help="gateway: what the platform knows it by (default gw-1)")
    parser.add_argument("--accounts", metavar="FILE.json", help="configuration: what each device gets")
    parser.add_argument("--multicast-port", type=int, metavar="N",
                        help="configuration: answer CoAP multicast discovery there (the standard's port is 5683)")
    parser.add_argument("--advertise", action="store_true", help="configuration: also by DNS-SD over mDNS")
    parser.add_argument("--sms", metavar="NUMBER", help="configuration, platform: also reached by short messages")
    parser.add_argument("--centre", metavar="PLACE", help="where the short-message centre is (modem --centre)")
    parser.add_argument("--limit", type=int, default=10_000, metavar="N", help="devices at one time (default 10000)")
    parser.add_argument("--json", action="store_true", help="the log as one JSON object a line")


def run(args):
    """Serve until Ctrl-C or SIGTERM; returns 0."""
    _check(args)
    secrets = _secrets(args)
    host, port = _bind(args.bind or f"127.0.0.1:{PORTS[args.kind]}")
    devices = read_devices(args.accounts) if args.accounts else {}
    storage = _storage(args.db)
    try:
        log = _Lines(args.json)
        broker = publishing.publisher(args, storage.notes("platform", log))
        server = _server(args, secrets, storage, host, port, log, broker)
        asyncio.run(_serve(args, server, broker, devices, f"{host}:{port}"))
    finally:
        storage.close()
    return faults.OK


def _check(args):
    only = {"gateway": ("platform", "platform_key"), "platform": ("gateway", "rest", "rest_token", *publishing.OPTIONS),
            "configuration": ("accounts", "multicast_port", "advertise")}
    for kind, names in only.items():
        for name in names:
            if kind != args.kind and getattr(args, name) not in (None, False, []):
                raise Fault(f"serve {args.kind}: --{name.replace('_', '-')} is for {kind}", "leave it out",
                            faults.USAGE)
    if args.kind == "gateway":
        _check_platform(args.platform, args.platform_key)
    _check_sms(args)
    _check_rest(args)
    if args.multicast_port is not None and not 1 <= args.multicast_port <= 65535:
        raise Fault(f"serve: --multicast-port {args.multicast_port} is no port", "1 to 65535", faults.USAGE)
    if args.limit < 1:
        raise Fault(f"serve: --limit {args.limit} leaves no room for a device", "1 or more", faults.USAGE)


def _check_rest(args):
    if bool(args.rest) != bool(args.rest_token):
        raise Fault("serve: --rest and --rest-token go together", "see serve --help", faults.USAGE)
    if args.rest and _bind(args.rest, "--rest")[0] not in ("127.0.0.1", "::1", "localhost"):
        raise Fault(f"serve: --rest {args.rest} is not this machine alone, and has no TLS",
                    "as 127.0.0.1:5694, and a proxy with TLS before it", faults.USAGE)
    args.rest_token = args.rest_token and token(args.rest_token)


def _check_sms(args):
    if bool(args.sms) != bool(args.centre) or args.sms and args.kind == "gateway":
        raise Fault("serve: --sms and --centre go together, for configuration and platform",
                    "as --sms +491700000001 --centre 127.0.0.1:7700", faults.USAGE)
    try:
        semi_octets(args.sms or "000")
    except ValueError as problem:
        raise Fault(f"serve: --sms {problem}", "as --sms +491700000001", faults.USAGE) from None


def _secrets(args):
    """(the server's Secret or None, the gateway's key at its platform or None). Raises Fault."""
    open_legs = [] if args.security in (OSCORE, DTLS) else ["a device's accounts and readings"]
    open_legs += ["the way to the platform"] if args.kind == "gateway" and not args.platform_key else []
    open_legs += ["the password for the broker"] if publishing.in_the_clear(args) else []
    if bool(open_legs) != args.insecure or (args.insecure and args.security is None and args.secret):
        _refuse_insecurity(args, open_legs)
    if (args.security in (OSCORE, DTLS)) != bool(args.secret):
        raise Fault(f"serve: --security {args.security} and --secret go together", "see serve --help", faults.USAGE)
    if OSCORE in (args.security, _upstream(args)) and args.db == "sqlite://":
        raise Fault("serve: OSCORE in memory would use its numbers again after a restart, which gives the keys away",
                    "add --db FILE", faults.USAGE)
    try:
        secret = load(args.secret) if args.secret else None
        return secret, load_key(args.platform_key) if args.platform_key else None
    except BadSecret as problem:
        raise Fault(f"serve: {problem}", problem.remedy, faults.USAGE) from problem


def _refuse_insecurity(args, open_legs):
    if open_legs and not args.insecure:
        raise Fault(f"serve: {' and '.join(open_legs)} would go in the clear", "give --security oscore --secret FILE "
                    "(gateway: and --platform-key FILE; --broker mqtts://), or --insecure if you trust the network",
                    faults.USAGE)
    raise Fault("serve: --insecure, and nothing is", "leave it out, or --secret and --platform-key", faults.USAGE)


def _upstream(args):
    """What protects the way to the platform."""
    if not args.platform_key:
        return NONE
    return DTLS if args.platform.startswith("coaps:") else OSCORE


def _check_platform(uri, key):
    if not uri:
        raise Fault("serve gateway: --platform is missing", "name it, as --platform coap://HOST:PORT", faults.USAGE)
    try:
        parts = urlsplit(uri)
        good = parts.scheme in ("coap", "coaps") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Fault(f"serve gateway: --platform {uri!r} is no CoAP URI", "as coap://HOST:PORT", faults.USAGE)
    if parts.scheme == "coaps" and not key:
        raise Fault("serve gateway: --platform coaps:// needs --platform-key", "see pointsman key --help", faults.USAGE)
    _resolve(parts.hostname)


def _bind(text, option="--bind"):
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise Fault(f"serve: {option} {text!r} is no HOST:PORT", f"as {option} 127.0.0.1:5683", faults.USAGE)
    host = host.strip("[]")
    _resolve(host)
    return host, int(port)


def _resolve(host):
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (socket.gaierror, UnicodeError) as problem:
        raise Fault(f"serve: unknown host {host}", "check the name, or give an address", faults.HOST) from problem


def _storage(url):
    url = url if "://" in url else "sqlite:///" + url
    try:
        return Storage(url)
    except sqlalchemy.exc.ArgumentError as problem:
        raise Fault(f"serve: --db {url!r} is no database URL", "as sqlite:///FILE", faults.USAGE) from problem
    except ImportError as problem:
        raise Fault(f"serve: --db needs {problem.name}", f"pip install {problem.name}", faults.PROGRAM) from problem
    except sqlalchemy.exc.SQLAlchemyError as problem:
        cause = str(getattr(problem, "orig", problem)).splitlines()[0]
        raise Fault(f"serve: cannot open {url}: {cause}", "check the file or move it away", faults.STORE) from problem


def _server(args, secrets, storage, host, port, log, broker):
    secret, key = secrets
    name = args.name if args.kind == "gateway" else args.kind
    keys = serving(args.security, secret, storage, name, args.gateway)
    if args.kind == "gateway":
        upstream = asking(_upstream(args), key, storage, name)
        return Gateway(storage, host, port, args.platform, log, name, args.limit, keys=keys, upstream_keys=upstream)
    if args.kind == "platform":
        return Platform(storage, host, port, log, args.limit, keys=keys, gateways=args.gateway,
                        slow=SLOW if args.sms else None, publish=broker and broker.publish)
    return Configuration(storage, host, port, log, args.multicast_port, args.advertise, keys=keys,
                         slow=SLOW if args.sms else None)


async def _serve(args, server, broker, devices, where):
    ended, face, party = asyncio.Event(), None, None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        if broker:
            broker.start()  # first: it is at home with small descriptors only
        await server.start()
        if args.rest:
            await _rest(args, server)
        if args.sms:
            face, party = await _face(args, server)
        for endpoint, given in devices.items():
            await server.prepare(endpoint, **given)
        await ended.wait()
    except OSError as problem:
        raise _cannot_listen(problem, where, args.multicast_port) from problem
    finally:
        if party:
            await party.stop()
            face.close()
        await server.stop()
        if broker:
            await broker.stop()


async def _rest(args, server):
    try:
        await server.offer_rest(args.rest_token, *_bind(args.rest))
    except OSError as problem:
        raise _cannot_listen(problem, args.rest, None) from problem


async def _face(args, server):
    """The server's face towards the short-message centre, and the connection to that."""
    where = ("127.0.0.1", int(server.uri.rpartition(":")[2]))
    face = Face(args.sms, where, lambda tpdu: party.submit(tpdu))
    party = Party(args.centre, args.sms, face.take)
    try:
        await party.start()
    except (OSError, ValueError) as problem:
        face.close()
        raise Fault(f"serve: no short-message centre at {args.centre} ({problem})",
                    "start it first: pointsman modem --number NUMBER --centre PLACE", faults.HOST) from None
    return face, party


def _cannot_listen(problem, where, multicast_port):
    if problem.errno == errno.EADDRINUSE:
        also = f" or multicast port {multicast_port}" if multicast_port else ""
        return Fault(f"serve: {where}{also} is in use by another program",
                     "end it, or choose another port with --bind", faults.BUSY)
    if problem.errno == errno.EACCES:
        return Fault(f"serve: {where} needs privileges", "choose a port above 1023", faults.USAGE)
    if problem.errno == errno.EADDRNOTAVAIL:
        return Fault(f"serve: {where} is no address of this machine", "choose one of its own, or 0.0.0.0", faults.HOST)
    return Fault(f"serve: cannot listen on {where}: {problem.strerror or problem}", "", faults.FAILED)


class _Lines:
    """The log on standard output: for people, or one JSON object a line; t counts in ms from the start."""

    def __init__(self, json_lines):
        self._json = json_lines
        self._began = time.monotonic()

    def __call__(self, actor, event, **fields):
        now = round((time.monotonic() - self._began) * 1000)
        if self._json:
            line = json.dumps({"t": now, "actor": actor, "event": event, **fields})
        else:
            told = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
            line = f"{now / 1000:9.3f} s  {actor:14} {event:22} {told}".rstrip()
        print(line, file=sys.stdout, flush=True)
