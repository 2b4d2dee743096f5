"""The verbs of `pointsman policy` that a platform carries out: keys --push and --who, push, status, pause, resume and
abort."""

import base64
import json

from ...agent.codec import cose
from ...agent.engine import policy_rules as rules
from ...agent.errors import RemoteError
from .. import faults
from ..faults import Fault
from . import progress, showing, signing, writing
from .asking import Asking, token

_PLATFORM = "http://127.0.0.1:5694"


def platform_arguments(parser, required=True):
    """Of all of them."""
    parser.add_argument("--platform", metavar="URI", default=_PLATFORM, help=f"its REST (default {_PLATFORM})")
    parser.add_argument("--token", metavar="FILE", required=required, help="as of serve platform --rest-token")


def push_arguments(parser):
    """Of push."""
    parser.add_argument("file", metavar="FILE", help="what sign has written")
    platform_arguments(parser)
    parser.add_argument("--stages", metavar="PERCENT,...", help="as 1,10,100: how many of those reachable at a time")
    parser.add_argument("--soak", type=int, metavar="S", help="a stage is watched for so long after its last answer")
    parser.add_argument("--patience", type=int, metavar="S", help="a stage is waited for so long (default 60)")
    parser.add_argument("--rate", type=int, metavar="N", help="acknowledgements a second (default 2000)")
    parser.add_argument("--bad", type=float, metavar="PERCENT", help="it ends itself at so many refusals (default 5)")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for answers")


def version_arguments(parser):
    """Of the others."""
    parser.add_argument("group", metavar="GROUP", help="the group's name")
    parser.add_argument("--number", type=int, metavar="N", help="the version (default: the newest)")
    platform_arguments(parser)


def status_arguments(parser):
    """Of status."""
    version_arguments(parser)
    parser.add_argument("--members", action="store_true", help="what each member has said")
    parser.add_argument("--follow", action="store_true", help="until nobody who can be reached is still to answer")


def push(args):
    """Push a signed document, and show how it gets on; 1 when it ends itself."""
    envelope = showing.read(args.file)
    group, version = _addressed(envelope)
    asking = Asking(args.platform, token(args.token))
    body = {"document": base64.b64encode(envelope).decode(), "terms": _terms(args), "dry_run": args.dry_run}
    told = asking.ask("POST", "groups", group, "policies", **body)
    if args.dry_run:
        return _planned(args, told)
    if args.no_wait:
        return _said(args, told)
    return _ended(progress.follow(lambda: asking.ask("GET", "groups", group, "policies", version), args.json))


def status(args):
    """Show how a policy gets on."""
    asking = Asking(args.platform, token(args.token))
    where = "groups", args.group, "policies", _version(args, asking)
    if args.follow:
        return _ended(progress.follow(lambda: asking.ask("GET", *where), args.json))
    told = asking.ask("GET", *where, query="?members=1" if args.members else "")
    for one in () if args.json else told.get("outcomes", ()):
        print(f"{one['endpoint']:32} {one['state']:13} {one['way']:10} {one['reason']}")
    return _said(args, told)


def change(args):
    """Pause, resume or abort, as the verb says."""
    asking = Asking(args.platform, token(args.token))
    where = "groups", args.group, "policies", _version(args, asking), args.verb
    return _said(args, asking.ask("POST", *where))


def vouch(args):
    """Have a platform tell its groups' members who may sign, or show who knows."""
    if not args.token:
        raise Fault("policy keys: --token is missing", "the file of serve platform --rest-token", faults.USAGE)
    asking = Asking(args.platform, token(args.token))
    if args.push:
        asking.ask("POST", "keys", document=base64.b64encode(showing.read(args.push)).decode())
    told = progress.keys(lambda: asking.ask("GET", "keys", query="?members=1" if args.who else ""), args.json)
    for one in () if args.json else told.get("outcomes", ()):
        print(f"{one['endpoint']:32} {one['said']}")
    return faults.FAILED if any(said.startswith("refused") for said in told["counts"]) else faults.OK


def _version(args, asking):
    if args.number is not None:
        return args.number
    versions = asking.ask("GET", "groups", args.group, "policies")["versions"]
    if not versions:
        raise Fault(f"policy: nothing has been pushed to {args.group}", "pointsman policy push FILE", faults.USAGE)
    return versions[0]


def _addressed(envelope):
    """(group, version) that an envelope says it is for; the platform and the devices look closer."""
    try:
        found = rules.read(cose.split(signing.bare(envelope))[4])
    except RemoteError as problem:
        raise Fault(f"no device takes this document: {problem}", "name what policy sign has written",
                    faults.USAGE) from problem
    return writing.shown(found[1]), found[2]


def _terms(args):
    given = {"soak_ms": args.soak and args.soak * 1000, "patience_ms": args.patience and args.patience * 1000,
             "rate": args.rate, "bad_percent": args.bad, "stages": args.stages and _stages(args.stages)}
    return {name: value for name, value in given.items() if value is not None}


def _stages(text):
    parts = text.split(",")
    if not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise Fault(f"policy push: --stages {text!r} is no list of percentages", "as 1,10,100", faults.USAGE)
    return [int(part) for part in parts]


def _planned(args, told):
    if args.json:
        print(json.dumps(told))
        return faults.OK
    for way, found in told.items():
        print(f"{way:10} {found['members']:6} members {found['datagrams']:6} datagrams {found['bytes']:9} bytes")
    return faults.OK


def _said(args, told):
    print(json.dumps(told) if args.json else progress.line(told))
    return faults.OK


def _ended(told):
    return faults.FAILED if told["state"] in ("aborted", "expired") else faults.OK
