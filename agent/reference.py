"""The settings for people: typed, and explained. Nothing on a device needs it."""

import sys

from . import settings, table
from .forms import check

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def from_text(name, text):
    """A setting's value from what a person typed; LocalError as for Settings.set()."""
    row, value = settings.row(name), text
    if row[1] == "bool" and text.lower() in _TRUE + _FALSE:
        value = text.lower() in _TRUE
    elif row[1] == "int":
        try:
            value = int(text)
        except ValueError:
            pass
    check(row, value)
    return value


def rows():
    """The whole table as (name, kind, default, unit, low, high, help); help is empty on a device."""
    helps = {}
    module = sys.modules[__name__.rpartition(".")[0] + ".settings"]  # the build joins files
    for line in (getattr(module, "__doc__", None) or "").split("\n"):
        name, _, text = line.strip().partition("  ")
        helps[name] = text.strip()
    return [settings.row(words[0]) + (helps.get(words[0], ""),) for words in table.rows(settings.TABLE)]
