"""Who the modem is: +CGMI, +CGMM, +CGMR, +CGSN, ATI, +CFUN (TS 27.007 5.1 to 5.4, 8.2; V.250 6.1).

Some firmwares put the command's name before the answer, some quote it, some label the lines of ATI, and some show the
echo again: what is left is the bare value.
"""

from ..errors import RemoteError
from . import at

_LABELS = "\nmanufacturer manufacturer\nmodel model\nrevision revision\nimei imei\nsvn svn\n"


def name(line):
    """Maker, model or revision: the text behind any prefix or label, at most 64 characters (+CGMI, +CGMM, +CGMR)."""
    label, _, value = line.partition(":")
    words = label.strip().lower().split(" ")
    if words[0] and "\n" + words[0] + " " in _LABELS:
        return value.strip().strip('"').strip()[:64]
    return at.text(line)


def serial(lines):
    """+CGSN, +GSN -> the IMEI with its check digit (TS 23.003 6.2), from the first line that has one."""
    for line in lines:
        try:
            return at.imei(line)
        except RemoteError:  # the next line may have it
            continue
    at.bad("IMEI", " ".join(lines))


def information(lines):
    """ATI -> dict of manufacturer, model, revision, imei, as far as told; what else was said is under "other" (list).

    Labelled lines (SIMCom, Huawei, Sierra) are taken by their label; of bare ones the first three are maker, model
    and revision (Quectel, Cinterion), but a lone one is the model (u-blox, Nordic).
    """
    found, bare = {}, []
    for line in lines:
        label, colon, value = line.partition(":")
        key = label.strip().lower()
        value = value.strip().strip('"')
        if key[:1] == "+":  # +GCAP
            bare.append(line)
        elif colon and "\n" + key + " " in _LABELS:
            if key == "imei":
                value = serial([value])
            found.setdefault(key, value)
        elif key.startswith("revision "):
            found.setdefault("revision", line.strip()[9:].strip())
        elif line.strip():
            bare.append(line.strip().strip('"'))
    plain = [line for line in bare if line[:1] != "+"]
    keys = ("model",) if len(plain) == 1 and "model" not in found else ("manufacturer", "model", "revision")
    used = 0
    for key in keys:
        if key not in found and used < len(plain):
            found[key] = plain[used]
            used += 1
    found["other"] = plain[used:] + [line for line in bare if line[:1] == "+"]
    return found


def functionality(line):
    """+CFUN -> the level: 0 off, 1 full, 4 flight; others are makers' own (5 and 6: one radio only; 19: u-blox)."""
    value = at.number(at.fields(line)[0])
    return at.bad("functionality", line) if value is None or value > 255 else value


def radio(level, makers=""):
    """"on", "low" or "off" of a functionality level; `makers`: levels of this maker that mean "on"."""
    if level == 0:
        return "off"
    return "on" if level == 1 or str(level) in makers.split() else "low"
