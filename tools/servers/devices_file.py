"""The file that says what each device gets from the configuration server (`pointsman serve --help` shows its form)."""

import json

from .. import faults
from ..faults import Fault
from . import enrolling
from .configuration import checked_accounts, checked_settings

_MOST = 16 * 1024 * 1024  # bytes


def read_devices(file):
    """{endpoint: {"accounts": [...], "settings": {...}, ...}} of a file. Raises Fault, which names the line."""
    try:
        with open(file, encoding="utf-8") as source:
            text = source.read(_MOST)
        found = json.loads(text)
    except json.JSONDecodeError as problem:
        raise _bad(file, problem.lineno, problem.msg) from problem
    except (OSError, UnicodeDecodeError) as problem:
        cause = getattr(problem, "strerror", None) or "it is not UTF-8 text"
        raise Fault(f"serve: cannot read {file}: {cause}", "see serve --help", faults.USAGE) from problem
    if not isinstance(found, dict):
        raise _bad(file, 1, "an object of endpoint names is expected")
    for endpoint, given in found.items():
        try:
            _check_device(given)
        except ValueError as problem:
            raise _bad(file, _line(text, endpoint, str(problem)), f"{endpoint}: {problem}") from problem
    return found


def _check_device(given):
    policies = {"groups", "policy_root", "broker"}
    if not isinstance(given, dict) or not {"accounts"} <= set(given) <= {"accounts", "settings"} | policies:
        raise ValueError('an object with "accounts", and perhaps "settings", "groups", "policy_root", "broker"')
    checked_accounts(given["accounts"])
    checked_settings(given.get("settings", {}))
    enrolling.checked(**{name: given[name] for name in policies & set(given)})


def _line(text, endpoint, problem):
    """Where in the file: the first mention, after the endpoint's name, of the word that the message begins with."""
    start = max(0, text.find(json.dumps(endpoint, ensure_ascii=False)))
    word = text.find(f'"{problem.partition(":")[0]}"', start)
    return text.count("\n", 0, max(start, word)) + 1


def _bad(file, line, cause):
    return Fault(f"serve: {file} line {line}: {cause}", "correct it; serve --help shows the form", faults.USAGE)
