"""`pointsman group`: who belongs together on a platform, and is to obey the same policies."""

import json

from .. import faults
from ..faults import Fault
from ..policies.asking import Asking, token
from ..policies.rolling import platform_arguments

MAX_FILE = 8 << 20  # bytes: 100,000 names

HELP = """\
create  make a group: of members that are named, or found by a rule, those who come later included
add     name members; remove: let them go, where no rule takes them in
device  say what a device can do and what it is, as rules go by that; all that was said before is replaced
list, show, delete: what there is, who is in it and how each is reached now; a group that is no longer needed

A platform tells its members that they are in it, when they are named or when they come: their bootstrap need only say
whom to believe (policy_root, see serve --help).

examples:
  pointsman group create meters --token operator.token
  pointsman group create north --priority 2 --multicast 239.77.0.1:5685 --topic policies/north --tag area=north
  pointsman group add meters meter-7 meter-8 --token operator.token
  pointsman group device meter-7 --capability mqtt --tag area=north,northwest --token operator.token
  pointsman group show meters --token operator.token
"""


def arguments(parser):
    """The command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, help=", ".join(_VERBS))
    for name, (add, _) in _VERBS.items():
        own = verbs.add_parser(name, description=f"See pointsman group --help for examples of {name}.")
        add(own)
        platform_arguments(own)
        own.add_argument("--json", action="store_true", help="one JSON object")


def run(args):
    """Do what the verb says."""
    told = _VERBS[args.verb][1](args, Asking(args.platform, token(args.token)))
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        _say(told)
    return faults.OK


def _name_arguments(parser):
    parser.add_argument("group", metavar="GROUP", help="the group's name")


def _no_arguments(_parser):
    pass


def _facts_arguments(parser):
    parser.add_argument("--capability", metavar="WORD", action="append", default=[], help="as mqtt; may be repeated")
    parser.add_argument("--tag", metavar="NAME=VALUE", action="append", default=[],
                        help="as area=north; may be repeated. A rule takes NAME=VALUE,VALUE: any of these")


def _create_arguments(parser):
    _name_arguments(parser)
    parser.add_argument("--priority", type=int, metavar="N", help="0 to 255: of two groups that set the same the "
                        "higher one holds (default 0)")
    parser.add_argument("--multicast", metavar="HOST:PORT", help="where gateways announce to it on their LANs")
    parser.add_argument("--topic", metavar="TOPIC", help="where a broker keeps its policy")
    _facts_arguments(parser)


def _create(args, asking):
    rule = {"capabilities": args.capability} if args.capability else {}
    if args.tag:
        rule["tags"] = {name: found if len(found) > 1 else found[0] for name, found in _tags(args.tag, True).items()}
    return asking.ask("POST", "groups", name=args.group, priority=args.priority, multicast=args.multicast,
                      topic=args.topic, rule=rule or None)


def _tags(texts, several=False):
    """{name: value}, or {name: [value]} of a rule's."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise Fault(f"group: --tag {text!r} is no NAME=VALUE", "as --tag area=north", faults.USAGE)
        found[name] = value.split(",") if several else value
    return found


def _device_arguments(parser):
    parser.add_argument("endpoint", metavar="ENDPOINT", help="the device's name")
    _facts_arguments(parser)


def _device(args, asking):
    return asking.ask("PUT", "devices", args.endpoint, capabilities=args.capability, tags=_tags(args.tag))


def _members_arguments(parser):
    _name_arguments(parser)
    parser.add_argument("endpoints", metavar="ENDPOINT", nargs="*", help="names of devices")
    parser.add_argument("--from", dest="file", metavar="FILE", help="more of them, one a line")


def _endpoints(args):
    found = list(args.endpoints)
    if args.file:
        try:
            with open(args.file, encoding="utf-8") as source:
                found += source.read(MAX_FILE).split("\n")
        except (OSError, UnicodeDecodeError) as problem:
            cause = getattr(problem, "strerror", None) or "it is not UTF-8 text"
            raise Fault(f"group: cannot read {args.file}: {cause}", "one name a line", faults.USAGE) from problem
    found = [name for name in map(str.strip, found) if name]
    if not found:
        raise Fault(f"group {args.verb}: nobody is named", "name devices, or --from FILE", faults.USAGE)
    return found


def _add(args, asking):
    asking.ask("POST", "groups", args.group, "members", endpoints=_endpoints(args))
    return _summary(asking.ask("GET", "groups", args.group))


def _remove(args, asking):
    for endpoint in _endpoints(args):
        asking.ask("DELETE", "groups", args.group, "members", endpoint)
    return _summary(asking.ask("GET", "groups", args.group))


def _summary(told):
    return {name: value for name, value in told.items() if name != "members"}


def _list(_args, asking):
    return asking.ask("GET", "groups")


def _show(args, asking):
    return asking.ask("GET", "groups", args.group)


def _delete(args, asking):
    return asking.ask("DELETE", "groups", args.group)


def _say(told):
    for group in told.get("groups", [told] if "name" in told else []):
        more = " ".join(f"{name}={json.dumps(group[name], ensure_ascii=False)}"
                        for name in ("priority", "multicast", "topic", "rule") if group[name])
        print(f"{group['name']:32} {group['size']:6} members  {more}".rstrip())
    for member in told.get("members", ()):
        print(f"  {member['index']:6} {member['endpoint']:32} {member['way']}")


_VERBS = {
    "create": (_create_arguments, _create),
    "add": (_members_arguments, _add),
    "remove": (_members_arguments, _remove),
    "device": (_device_arguments, _device),
    "list": (_no_arguments, _list),
    "show": (_name_arguments, _show),
    "delete": (_name_arguments, _delete),
}
