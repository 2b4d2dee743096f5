"""What to do about a setting that was refused, in words. Loaded only when one is."""

from .log import is_secret


def no_such(name, names):
    """A setting that does not exist, and the nearest one that does."""
    near = min([(_distance(str(name), other), other) for other in names])
    hint = "; did you mean %s?" % near[1] if near[0] <= max(2, len(str(name)) // 3) else ""
    return "setting %s: there is none of this name%s" % (name, hint)


def refused(row, value):
    """A value that a setting cannot have; one that is meant to be secret is not repeated."""
    value = "this" if is_secret(row[0]) else repr(value)[:60]
    return "setting %s: %s is not possible; %s" % (row[0], value, allowed(row))


def allowed(row):
    """What a setting can be, for people."""
    _name, kind, _default, unit, low, high = row
    if kind == "bool":
        return "true or false"
    if kind == "int":
        return "a whole number from %d to %d%s" % (low, high, " " + unit if unit else "")
    if "|" in unit:
        return "one of " + unit.replace("|", ", ")
    if unit == "uri":
        return "coap://HOST:PORT or coaps://HOST:PORT, at most %d characters" % high
    if unit == "dns":
        return "addresses with commas between them, such as 192.0.2.53 or eth=192.0.2.53, at most %d characters" % high
    if unit == "hex":
        return "16, 32 or 64 bytes as hexadecimal digits"
    if unit == "digits":
        return "4 to %d digits" % high
    if unit == "apn":
        return "letters, digits, dots and hyphens, at most %d" % high
    form = "words with commas between them, " if unit == "list" else "text without control characters, "
    return form + "%d to %d bytes" % (low, high)


def _distance(a, b):
    """How many letters to insert, remove or replace (Levenshtein)."""
    line = list(range(len(b) + 1))
    for i in range(len(a)):
        corner, line[0] = line[0], i + 1
        for j in range(len(b)):
            best = min(line[j] + 1, line[j + 1] + 1, corner + (a[i] != b[j]))
            corner, line[j + 1] = line[j + 1], best
    return line[-1]
