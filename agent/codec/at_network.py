"""What a modem says of the network: registration in full, operators (TS 27.007 7.2, 7.3, 10.1.20, 10.1.22, 10.1.47).

at.registration has the state, area and cell that the agent lives on; here is the rest, for diagnosis and for the
choice of an operator.
"""

from . import at

# Access technologies 0.. of +COPS and +CREG (TS 27.007 7.3), which are no measure of quality.
_TECHNOLOGIES = "gsm gsm-compact umts edge hsdpa hsupa hspa lte ec-gsm nb-iot lte-5gcn nr-5gcn ng-ran en-dc"


def technology(number):
    """An access technology's name ("lte", "nr-5gcn"), or "" when unknown."""
    names = _TECHNOLOGIES.split()
    return names[number] if number is not None and 0 <= number < len(names) else ""


def rejection(line, read=None):
    """Why the network refused: (kind, cause) from +CREG, +CGREG, +CEREG, +C5GREG with n = 3 or 5, or None.

    Kind 0: `cause` is the network's number (TS 24.008 annex G, TS 24.301 annex A); kind 1: the maker's own.
    `read` as in at.registration.
    """
    parts = at.registration_fields(line, read) + [""] * 7
    # After the technology +CGREG has the routing area, as SIMCom's +CEREG, and +C5GREG its slices' length and value.
    skip = 5 if line[:6] == "+CGREG" or len(parts[4]) == 2 else 6 if line[:7] == "+C5GREG" else 4
    kind, cause = at.number(parts[skip]), at.number(parts[skip + 1])
    return None if kind is None or not cause else (kind, cause)


def system(line):
    """^SYSINFO, ^SYSINFOEX of Huawei -> dict of service, domain, roaming, mode, sim, submode, as far as told.

    service 2: full; domain 1: packets, 2: calls too; roaming 1; sim 1: valid, 255: none; mode and submode as
    each command counts them.
    """
    parts = [at.number(part) for part in at.fields(line)] + [None] * 8
    if None in parts[:4] or line[:8] != "^SYSINFO":
        at.bad("system", line)
    # ^SYSINFOEX: ..., roaming, SIM, lock, mode, its name, submode, its name
    order = (3, 5, 7) if line[:10] == "^SYSINFOEX" else (4, 3, 6)
    names = ("service", "domain", "roaming", "sim", "mode", "submode")
    values = parts[:3] + [parts[place] for place in order]
    return {name: value for name, value in zip(names, values) if value is not None}


def operator(line, charset=""):
    """+COPS? -> (mode, format, name, technology); name and technology are None without an operator.

    Mode: 0 automatic, 1 manual, 2 de-registered, 4 manual then automatic. Format: 0 long, 1 short, 2 number.
    """
    parts = at.fields(line) + [""] * 3
    mode = at.number(parts[0])
    if mode is None:
        at.bad("operator", line)
    return mode, at.number(parts[1]), name(parts[2], charset) or None, at.number(parts[3])


def operators(text, charset=""):
    """+COPS=? -> [(status, long name, short name, number, technology)]; what is empty or missing is None.

    Status: 0 unknown, 1 available, 2 current, 3 forbidden. `text` is the answer's line, or several joined. The
    lists of modes and formats at the end are skipped, as is what has no operator number in it.
    """
    if "+COPS" not in text:
        at.bad("operators", text)
    found, rest = [], text[text.find("+COPS") :]
    begin = rest.find("(")
    while begin >= 0:
        end = _end(rest, begin + 1)
        entry = _operator(at.fields("+:" + rest[begin + 1 : end]), charset)
        if entry and entry[4] is None and rest[end : end + 2] == "),":
            # Some put the bracket too early: (2,"T - Mobile","T - Mobile","310260"),2)
            after = rest[end + 2 : end + 5].partition(")")
            if after[1] and at.number(after[0].strip()) is not None:
                entry = entry[:4] + (at.number(after[0].strip()),)
        if entry:
            found.append(entry)
        begin = rest.find("(", end)
    return found


def _end(text, start):
    """Where the bracket is closed that was opened before `start`; brackets in quotes do not count."""
    quoted = False
    for index in range(start, len(text)):
        if text[index] == '"':
            quoted = not quoted
        elif text[index] == ")" and not quoted:
            return index
    return len(text)


def _operator(parts, charset):
    status = at.number(parts[0])
    if len(parts) < 4 or status is None or status > 3:
        return None
    number = name(parts[3], charset).replace("-", "")
    if not 5 <= len(number) <= 8 or at.number(number) is None:  # 6 at most; one maker puts a zero behind
        return None
    known = at.number(parts[4]) if len(parts) > 4 else None
    return status, name(parts[1], charset) or None, name(parts[2], charset) or None, number, known


def name(text, charset=""):
    """An operator's name or number as text, whatever +CSCS (TS 27.007 5.5) the modem is set to.

    Hexadecimal UCS2 is recognised by its shape: modems send it, and plain text, with any charset set. "HEX"
    stands for the GSM alphabet in hexadecimal. Bytes are taken as `charset` says (UTF-8, 8859-1, UCS2, else
    the GSM alphabet).
    """
    charset = charset.upper()
    if not isinstance(text, str):
        return _decoded(text, charset)
    value = text.strip().strip('"').strip()
    if charset == "HEX" or _looks_ucs2(value, charset):
        from . import alphabet

        data = alphabet.unhex(value)
        if data is not None:
            return _decoded(data, charset if charset == "HEX" else "UCS2")
    return _decoded(value.encode(), charset) if charset == "GSM" else value


def _looks_ucs2(text, charset):
    """Four hexadecimal digits a character; unless that is what was asked for, all of Latin or of one script."""
    if not text or len(text) % 4:
        return False
    if charset == "UCS2":
        return True
    for start in range(0, len(text), 4):
        if text[start : start + 2] not in ("00", text[:2]):
            return False
    return text[:1] == "0" and len(text) >= 8


def _decoded(data, charset):
    from . import alphabet

    if charset == "UCS2":
        return alphabet.ucs2(data).strip("\0 ")
    if charset[:3] == "UTF":
        from . import utf8

        return utf8.decode(data, "at").strip()
    if charset[:4] == "8859" or charset == "IRA":
        return alphabet.ucs2(bytes([half for byte in data for half in (0, byte)])).strip()
    return alphabet.gsm(data).strip()
