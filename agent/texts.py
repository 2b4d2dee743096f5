"""Whether a text is an address, a list, digits: what a setting that is a text has to be. Loaded when one is set."""


def has_form(form, text):
    """Whether a text has the form that its setting is to have (the unit in settings.TABLE)."""
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
