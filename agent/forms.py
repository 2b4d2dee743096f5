"""Whether a setting can have a value: loaded when one is set, and dropped."""

from .errors import LocalError


def check(row, value):
    """LocalError, with what is allowed, when the setting of this row (settings.row) cannot have this value."""
    name, kind, _default, unit, low, high = row
    if kind == "bool":
        fits = isinstance(value, bool)
    elif kind == "int":
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    else:
        fits = isinstance(value, str) and low <= len(value.encode()) <= high and _form(unit, value)
    if not fits:
        from .advice import refused

        raise LocalError(refused(row, value))


def _form(form, text):
    if "|" in form:
        return text in form.split("|")
    if form == "uri":
        return not text or _is_uri(text)
    if form == "host":
        return not text or _is_uri("coap://" + text)
    if form == "dns":
        words = [word.rpartition("=")[2] for word in text.split(",")] if text else []
        return all([_is_uri("coap://" + word) and not word.strip("0123456789.:") for word in words])
    if form == "apn":  # TS 23.003 9.1
        return all(char.isdigit() or char in ".-_" or "a" <= char.lower() <= "z" for char in text)
    if form == "hex":
        return len(text) in (0, 32, 64, 128) and not text.lower().strip("0123456789abcdef")
    if form == "digits":
        return not text or len(text) >= 4 and not text.strip("0123456789")
    if form == "list":
        return not text or all(word and word == word.strip() for word in text.split(","))
    return all(" " <= char != "\x7f" for char in text)


def _is_uri(text):
    """coap[s]://HOST[:PORT][/], or sms:NUMBER"""
    if text.startswith("sms:"):
        return text[4:].lstrip("/+").isdigit()
    scheme, _, rest = text.partition("://")
    host, _, port = (rest[:-1] if rest.endswith("/") else rest).partition(":")
    plain = host and all(char.isdigit() or char.isalpha() or char in ".-_" for char in host)
    return scheme in ("coap", "coaps") and plain and (not port or port.isdigit() and 0 < int(port) < 65536)
