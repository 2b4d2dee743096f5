"""How strong the signal is: +CSQ, +CESQ (TS 27.007 8.5, 8.69) and what makers have instead.

Each gives a dict of what the line knows: "technology" (a word, where told), levels in dBm ("rssi", "rscp", "rsrp"),
qualities in dB ("ecno", "rsrq", "sinr"), "ber" 0..7 (TS 45.008 8.2.4). A name that is missing is not known.
at.signal has the one number that the agent reports.
"""

from . import at


def signal(line):
    """Any of +CSQ, +CESQ, +XCESQ, ^HCSQ, ^SMONI, +QCSQ, +CPSI -> dict. RemoteError for other lines and no numbers."""
    name = line.partition(":")[0].strip().upper()
    parser = _PARSERS.get(name)
    return (parser or _unknown)(line)


def _unknown(line):
    at.bad("signal", line)


def csq(line):
    """+CSQ: rssi (0..31, 99 unknown; 100..199 TD-SCDMA's RSCP), ber."""
    parts = at.fields(line) + [""]
    level, found = at.number(parts[0]), {}
    if level is None:
        at.bad("signal", line)
    if at.signal(line) is not None:
        found["rssi" if level < 100 else "rscp"] = at.signal(line)
    _put(found, "ber", at.number(parts[1]), 7, 0, 1)
    return found


def cesq(line):
    """+CESQ: rxlev, ber, RSCP, Ec/No, RSRQ, RSRP, and since release 15 the same of NR: SS-RSRQ, SS-RSRP, SS-SINR."""
    values = [at.number(part) for part in at.fields(line)]
    if len(values) < 6 or None in values[:6]:
        at.bad("signal", line)
    found = {}
    _put(found, "rssi", values[0], 63, -111, 1)
    _put(found, "ber", values[1], 7, 0, 1)
    _put(found, "rscp", values[2], 96, -121, 1)
    _put(found, "ecno", values[3], 49, -24.5, 0.5)
    _put(found, "rsrq", values[4], 34, -20, 0.5)
    _put(found, "rsrp", values[5], 97, -141, 1)
    if len(values) >= 9:
        _put(found, "rsrq", values[6], 126, -43.5, 0.5)
        _put(found, "rsrp", values[7], 126, -157, 1)
        _put(found, "sinr", values[8], 127, -23.5, 0.5)
    return found


def _xcesq(line):
    """+XCESQ of Intel: n, the fields of +CESQ, and the signal to noise ratio in half dB, signed."""
    parts = at.fields(line)
    found = cesq("+CESQ: " + ",".join(parts[1:7]))
    ratio = _signed(parts[7] if len(parts) > 7 else "")
    if ratio is not None and -100 <= ratio <= 100:
        found["sinr"] = ratio / 2
    return found


def _hcsq(line):
    """^HCSQ of Huawei: technology, then levels of its own scales."""
    parts = at.fields(line)
    kind, values = parts[0].lower(), [at.number(part) for part in parts[1:]] + [None] * 5
    found = {"technology": kind}
    if kind == "noservice" or values[0] is None:
        at.bad("signal", line)
    _put(found, "rssi", values[0], 96, -121, 1)
    if kind in ("wcdma", "umts"):
        _put(found, "rscp", values[1], 96, -121, 1)
        _put(found, "ecno", values[2], 65, -32.5, 0.5)
    elif kind == "lte":
        _put(found, "rsrp", values[1], 97, -141, 1)
        _put(found, "sinr", values[2], 251, -20.2, 0.2)
        _put(found, "rsrq", values[3], 34, -20, 0.5)
    return found


def _smoni(line):
    """^SMONI of Cinterion: generation, then fields that differ by it; "SEARCH" where there is no cell."""
    parts = at.fields(line) + [""] * 20
    found = {"technology": parts[0].lower()}
    for generation, name, place in (("2G", "rssi", 2), ("3G", "ecno", 3), ("3G", "rscp", 4),
                                    ("4G", "rsrp", 12), ("4G", "rsrq", 13)):  # fmt: skip
        value = _signed(parts[place])
        if parts[0] == generation and value is not None:
            found[name] = value
    if parts[0] not in ("2G", "3G", "4G"):
        at.bad("signal", line)
    return found


def _qcsq(line):
    """+QCSQ of Quectel: technology, RSSI, then for LTE RSRP, SINR (0.2 dB above -20), RSRQ; for WCDMA RSCP, Ec/Io."""
    parts = at.fields(line)
    kind, values = parts[0].lower(), [_signed(part) for part in parts[1:]] + [None] * 4
    if kind == "noservice" or not kind:
        at.bad("signal", line)
    found = {"technology": kind}
    names = ("rssi", "rscp", "ecno") if kind == "wcdma" else ("rssi", "rsrp", "sinr", "rsrq")
    for name, value in zip(names, values):
        if value is not None:
            found[name] = value
    if "sinr" in found:
        found["sinr"] = found["sinr"] / 5 - 20
    return found


def _cpsi(line):
    """+CPSI of SIMCom: system, operation mode, ..., and for LTE at the end RSRQ, RSRP, RSSI (tenths), SINR level."""
    parts = at.fields(line)
    kind = parts[0].lower()
    if kind in ("", "no service"):
        at.bad("signal", line)
    found = {"technology": kind.split(" ")[0]}
    if kind[:3] == "lte" and len(parts) >= 13:
        for name, part in (("rsrq", parts[-4]), ("rsrp", parts[-3]), ("rssi", parts[-2])):
            value = _signed(part)
            if value is not None:
                found[name] = value / 10 if value < -200 or name == "rsrq" and value < -40 else value
    return found


def _put(found, name, value, highest, lowest_level, step):
    """Keep a level of a reported value 0..highest; everything above means "not known"."""
    if value is not None and 0 <= value <= highest:
        found[name] = lowest_level + value * step


def _signed(text):
    """A number with a sign and perhaps a decimal point, or None."""
    body = text[1:] if text[:1] in ("-", "+") else text
    whole, dot, tenths = body.partition(".")
    if at.number(whole) is None or dot and at.number(tenths) is None:
        return None
    value = float(body) if dot else int(whole)
    return -value if text[:1] == "-" else value


_PARSERS = {
    "+CSQ": csq,
    "+CESQ": cesq,
    "+XCESQ": _xcesq,
    "^HCSQ": _hcsq,
    "^SMONI": _smoni,
    "+QCSQ": _qcsq,
    "+CPSI": _cpsi,
}
