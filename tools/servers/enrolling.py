"""What a device learns of policies with its bootstrap: the groups that it is in (object 26243), whose signers it
believes and where the broker is (26244). As with the servers' secrets, guards and passwords stay in files of their own,
are read for each bootstrap, and are not in our books.
"""

import re

from ...agent import grouping
from ...agent.errors import LocalError
from ..faults import Fault
from ..policies.showing import public_key
from ..policies.writing import group_id
from .credentials import BadSecret, read_private

_GROUP = {"id": (0, str), "rank": (1, int), "index": (2, int), "multicast": (3, str), "topic": (4, str),
          "guard": (5, str)}
_BROKER = {"uri": (1, str), "user": (2, str), "password": (3, str)}
_MOST_FILE = 300  # bytes of a file with a secret


def checked(groups=None, policy_root=None, broker=None):
    """{"groups", "policy_root", "broker"} of those that are given. Raises ValueError naming what is wrong."""
    found = {"groups": groups, "policy_root": policy_root, "broker": broker}
    found = {name: value for name, value in found.items() if value is not None}
    groups = [] if groups is None else groups
    if not isinstance(groups, list) or not all(isinstance(group, dict) and "id" in group for group in groups):
        raise ValueError('groups: a list of objects with "id" and more is expected')
    for group in groups:
        _types("groups", group, _GROUP)
    _types("broker", {} if broker is None else broker, _BROKER)
    if not isinstance(policy_root, str | None):
        raise ValueError("policy_root: the root's public key in hex is expected")
    if groups and policy_root is None:
        raise ValueError("groups: without policy_root the device believes no policy; give the root's public key")
    tree = {}
    try:
        for path, values in instances(found):
            object, instance = map(int, path[1:].split("/"))
            tree.update({(object, instance, rid): value for rid, value in values.items()})
        grouping.check(tree)
    except (LocalError, Fault) as problem:
        raise ValueError(f"groups: {problem}") from problem
    except BadSecret as problem:
        raise ValueError(f"groups: {problem}; {problem.remedy}") from problem
    return found


def instances(found):
    """(path of an instance, {resource: value}) of what checked() gave. Raises BadSecret."""
    for number, group in enumerate(found.get("groups", ()), 1):
        values = {rid: group[name] for name, (rid, _) in _GROUP.items() if name in group}
        values[0] = group_id(group["id"])
        if "guard" in group:
            values[5] = guard(group["guard"])
        yield f"/{grouping.GROUP}/{number}", values
    broker = found.get("broker", {})
    values = {rid: broker[name] for name, (rid, _) in _BROKER.items() if name in broker}
    if "password" in broker:
        values[3] = _secret(broker["password"])
    if "policy_root" in found:
        values[0] = public_key(found["policy_root"])
    if values:
        yield f"/{grouping.POLICIES}/0", values


def guard(file):
    """The key in a file with which a group keeps strangers out. Raises BadSecret."""
    text = _secret(file)
    if not re.fullmatch(b"([0-9a-fA-F]{2}){16,64}", text):
        raise BadSecret(f"{file} does not hold 32 to 128 hexadecimal digits and nothing else",
                        f"make it: openssl rand -hex 16 > {file}")
    return bytes.fromhex(text.decode())


def _secret(file):
    return read_private(file, _MOST_FILE, "name the file that it is in").strip()


def _types(what, values, kinds):
    if not isinstance(values, dict):
        raise ValueError(f"{what}: an object is expected")
    for name, value in values.items():
        if name not in kinds:
            raise ValueError(f"{what}: {name} is unknown; known are {', '.join(kinds)}")
        if type(value) is not kinds[name][1]:
            raise ValueError(f"{what}: {name} {value!r} is not of type {kinds[name][1].__name__}")
