"""`pointsman policy`: writes, signs, shows and pushes what a group of devices is to obey, and makes the keys for it."""

import json
import os
import time

from .. import faults
from ..faults import Fault
from ..policies import keys, rolling, showing, signing, writing
from ..servers import enrolling
from ..servers.credentials import BadSecret

HELP = """\
keys    make a key; show its public half; sign, with the root's, who may sign for which groups; have a platform tell
        the members of these groups, and show who knows
create  write a document by the names of its settings, checked as a device checks it
sign    sign it; devices take it by multicast, broker, unicast, short message or stick
show    verify it, and show what is in it
push    have a platform bring it to all members of its group, and watch; those who are away get it when they come
status  how that gets on; pause, resume, abort: go on with it, or do not

examples:
  pointsman policy keys --new root.pem                     stays away from every network
  pointsman policy keys --new operator.pem
  pointsman policy keys --root root.pem --signers signers.json --signer PUBLIC=meters,valves --out keys.cose
  pointsman policy keys --push keys.cose --token operator.token
  pointsman policy create --group meters --number 7 --expiry +30d --set report_period_s=900 \\
      --set wan_order=eth,lte --out seven.json
  pointsman policy sign seven.json --key operator.pem --out seven.cose
  pointsman policy show seven.cose --keys keys.cose --root-public HEX
  pointsman group create meters --token operator.token
  pointsman group add meters meter-7 meter-8 --token operator.token
  pointsman policy push seven.cose --token operator.token --stages 1,10,100
  pointsman policy status meters --token operator.token --members

seven.json, as create writes it and sign takes it; all settings that the group has are replaced by these:
  {"group": "meters", "version": 7, "not_before": 0, "expiry": "2027-01-31T00:00:00Z",
   "settings": {"report_period_s": 900, "schedule": [["06:00", "22:00", 300]], "wan_order": ["eth", "lte"]}}
"""


def arguments(parser):
    """The command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, help=", ".join(_VERBS))
    for name, (add, _) in _VERBS.items():
        own = verbs.add_parser(name, description=f"See pointsman policy --help for examples of {name}.")
        add(own)
        own.add_argument("--json", action="store_true", help="one JSON object")


def run(args):
    """Do what the verb says."""
    return _VERBS[args.verb][1](args)


def _keys_arguments(parser):
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--new", metavar="FILE", help="make a key in this new file, mode 0600")
    what.add_argument("--public", metavar="FILE", help="show the public half of the key in this file")
    what.add_argument("--root", metavar="FILE", help="with this key sign who the signers are, from now on")
    what.add_argument("--push", metavar="FILE", help="have a platform tell the groups' members what --out wrote")
    what.add_argument("--who", action="store_true", help="show who has been told")
    rolling.platform_arguments(parser, required=False)
    parser.add_argument("--signers", metavar="FILE", help="where the last version of that is kept, or is to be")
    parser.add_argument("--signer", metavar="PUBLIC=GROUP[,GROUP]", action="append", default=[],
                        help="who may sign for which groups, its public half in hex; two at most")
    parser.add_argument("--from", dest="begins", metavar="TIME", default="0", help="when they may begin (default: now)")
    parser.add_argument("--until", metavar="TIME", default=str(keys.LATEST), help="when they end (default: never)")
    parser.add_argument("--out", metavar="FILE", help="a new file for the signed document of keys")


def _keys(args):
    if args.push or args.who:
        return rolling.vouch(args)
    if args.root:
        return _say(args, _name_signers(args))
    key = keys.create(args.new) if args.new else keys.load(args.public)
    return _say(args, {"kid": key.kid.hex(), "public": key.public.hex()})


def _name_signers(args):
    if not (args.signers and args.signer and args.out):
        raise Fault("policy keys: --root needs --signers, --signer and --out", "see policy --help", faults.USAGE)
    begins, ends = writing.moment(args.begins, time.time()), writing.moment(args.until, time.time())
    known = keys.load_signers(args.signers) if os.path.exists(args.signers) else keys.Signers()
    known.replace([_signer(text, begins, ends) for text in args.signer])
    envelope = signing.sign_signers(known, keys.load(args.root))
    _write(args.out, envelope)
    known.save(args.signers)  # last: a version that nobody has seen may be used again
    return {"version": known.version, "bytes": len(envelope), "out": args.out}


def _signer(text, begins, ends):
    public, equals, groups = text.partition("=")
    if not equals:
        raise Fault(f"policy keys: --signer {text!r} names no group", "as --signer PUBLIC=meters,valves", faults.USAGE)
    return keys.Signer(showing.public_key(public), map(writing.group_id, groups.split(",")), begins, ends)


def _create_arguments(parser):
    parser.add_argument("--group", required=True, metavar="NAME", help="the group that is to obey")
    parser.add_argument("--number", type=int, required=True, metavar="N", help="its version: above all before")
    parser.add_argument("--expiry", required=True, metavar="TIME", help="nobody takes it as new from then on: +30d, a "
                        "date as 2027-01-31T00:00:00Z or Unix s")
    parser.add_argument("--settings", metavar="FILE.json", help="settings by name")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="one more; may be repeated")
    parser.add_argument("--not-before", metavar="TIME", default="0", help="nobody takes it earlier")
    parser.add_argument("--activate-at", metavar="TIME", help="all obey at once, then")
    parser.add_argument("--revert-at", metavar="TIME", help="the group has no settings from then on")
    parser.add_argument("--trial", type=int, metavar="S", help="tried for so long, and undone where the way is lost")
    parser.add_argument("--window", type=int, metavar="S", help="acknowledgements are spread over so long")
    parser.add_argument("--out", required=True, metavar="FILE.json", help="a new file for the document")


def _create(args):
    now = time.time()
    settings = writing.load(args.settings) if args.settings else {}
    if not isinstance(settings, dict):
        raise Fault(f"policy create: {args.settings} is no object of settings by name", "see policy --help",
                    faults.USAGE)
    settings.update(map(writing.assigned, args.set))
    given = {"group": args.group, "version": args.number, "not_before": writing.moment(args.not_before, now),
             "expiry": writing.moment(args.expiry, now), "settings": settings, "trial_s": args.trial,
             "activate_at": args.activate_at and writing.moment(args.activate_at, now),
             "revert_at": args.revert_at and writing.moment(args.revert_at, now), "ack_window_s": args.window}
    found = writing.document({name: value for name, value in given.items() if value is not None})
    _current(found, now)
    shown = writing.named(found)
    _write(args.out, json.dumps(shown, indent=1, ensure_ascii=False).encode() + b"\n")
    return _say(args, shown)


def _sign_arguments(parser):
    parser.add_argument("document", metavar="FILE.json", help="what create has written")
    parser.add_argument("--key", required=True, metavar="FILE", help="the signer's key")
    parser.add_argument("--guard", metavar="FILE", help="enclose it for a group whose members have this guard: they do "
                        "not look at what strangers send to all")
    parser.add_argument("--out", required=True, metavar="FILE", help="a new file for the signed document")


def _sign(args):
    found = writing.document(writing.load(args.document))
    _current(found, time.time())
    key = keys.load(args.key)
    envelope = signing.sign(found, key)
    if args.guard:
        envelope = signing.enclose(envelope, _guard(args.guard), found[1][:8])
    _write(args.out, envelope)
    return _say(args, {**showing.described(envelope), "out": args.out})


def _guard(file):
    try:
        return enrolling.guard(file)
    except BadSecret as problem:
        raise Fault(f"policy sign: {problem}", problem.remedy, faults.USAGE) from problem


def _show_arguments(parser):
    parser.add_argument("file", metavar="FILE", help="a signed document")
    parser.add_argument("--by", metavar="HEX", help="the public key that it is signed under")
    parser.add_argument("--keys", metavar="FILE", help="or: the document of keys that says who may sign")
    parser.add_argument("--root-public", metavar="HEX", help="and the root's public key; alone: FILE is the keys")


def _show(args):
    envelope = showing.read(args.file)
    if args.by and not args.keys and not args.root_public:
        found = showing.policy(envelope, showing.public_key(args.by))
    elif args.root_public and not args.by and args.keys:
        root = showing.public_key(args.root_public)
        found = showing.vouched(envelope, showing.read(args.keys), root, time.time())
    elif args.root_public and not args.by:
        version, rows = showing.signers(envelope, showing.public_key(args.root_public))
        return _say(args, {"version": version, "signers": [showing.entry(row) for row in rows]})
    else:
        raise Fault("policy show: whose signature shall it have", "give --by HEX, or --keys FILE and --root-public HEX",
                    faults.USAGE)
    return _say(args, {**writing.named(found), **showing.described(envelope), "expired": time.time() >= found[4]})


def _current(found, now):
    if found[4] <= now:
        raise Fault("policy: this document has expired", "give a later --expiry", faults.USAGE)


def _write(file, data):
    """A new file. What is signed is never written over: somebody may have it."""
    try:
        with open(file, "xb") as target:
            target.write(data)
    except OSError as problem:
        raise Fault(f"policy: cannot write {file}: {problem.strerror}", "name a new file", faults.USAGE) from problem


def _say(args, told):
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
        return faults.OK
    for name, value in told.items():
        if isinstance(value, dict):
            value = "".join(f"\n  {key:24} {json.dumps(one, ensure_ascii=False)}" for key, one in value.items())
            print(f"{name}:{value}")
        else:
            print(f"{name:14} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    return faults.OK


_VERBS = {
    "keys": (_keys_arguments, _keys),
    "create": (_create_arguments, _create),
    "sign": (_sign_arguments, _sign),
    "show": (_show_arguments, _show),
    "push": (rolling.push_arguments, rolling.push),
    "status": (rolling.status_arguments, rolling.status),
    "pause": (rolling.version_arguments, rolling.change),
    "resume": (rolling.version_arguments, rolling.change),
    "abort": (rolling.version_arguments, rolling.change),
}
