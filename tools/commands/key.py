"""`pointsman key`: the key that a server shares with one device or gateway, in a file for its owner alone."""

import json

from .. import faults
from ..faults import Fault
from ..servers.credentials import DTLS, OSCORE, BadSecret, load, write

HELP = """\
A server has one secret; each device's key is derived from it, so that the server needs no list of them. A device gets
the key for its configuration server this way, as its setting device_key, and all others from there. A gateway gets the
one for its platform, as its --platform-key.

examples:
  (umask 77; openssl rand -hex 32 > platform.secret)                               a new server's secret
  pointsman key gw-1 --security oscore --secret platform.secret --out gw-1.key     for serve gateway --platform-key
  pointsman key meter-7 --security dtls --secret configuration.secret --out meter-7.json --json
  pointsman agent --bootstrap coaps://192.168.1.9:5783 --endpoint meter-7 --security dtls --secrets meter-7.json
"""


def arguments(parser):
    """The command's arguments."""
    parser.add_argument("name", metavar="NAME", help="the device's endpoint name, or the gateway's")
    parser.add_argument("--security", choices=(OSCORE, DTLS), required=True, help="what the key is for")
    parser.add_argument("--secret", metavar="FILE", required=True, help="the server's secret")
    parser.add_argument("--out", metavar="FILE", required=True, help="a new file for the key, 32 hexadecimal digits")
    parser.add_argument("--json", action="store_true", help="as pointsman agent --secrets takes it")


def run(args):
    """Write the key; nothing of it is shown."""
    try:
        key = load(args.secret).device_key(args.security, args.name).hex()
        write(args.out, json.dumps({"device_key": key}) if args.json else key)
    except BadSecret as problem:
        raise Fault(f"key: {problem}", problem.remedy, faults.USAGE) from problem
    except OSError as problem:
        raise Fault(f"key: cannot write {args.out}: {problem.strerror}", "name a new file", faults.USAGE) from problem
    return faults.OK
