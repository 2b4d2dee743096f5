"""What a modem says of its SIM: locks, tries left, whether one is there (TS 27.007 8.3, 8.65, and makers' own lines).

at.sim, at.iccid and at.imsi have what the way up needs; here is what spares a PIN and what notices a SIM that was
pulled or swapped. `presence` is for unsolicited lines: it knows what each maker sends, and what is only noise.
"""

from . import alphabet, at

# Which counters a line has, in which order: name, then p (PIN), u (PUK), 2 and 3 (PIN2, PUK2), - (something else).
_COUNTERS = """
+UPINCNT p2u3
+EPINC p2u3
*EPIN pu23
+SPIC pu23
^CPIN --up32
+CPNNUM pu23
+ZPINPUK pu
#PCT p
^SPIC p
+QPINC -pu
"""
_NAMES = {"p": "pin", "u": "puk", "2": "pin2", "3": "puk2"}


def lock(line):
    """+CPIN, ^CPIN -> "READY", "SIM PIN", "SIM PUK"...; also without its prefix, as some firmwares answer.

    RemoteError when the line is a refusal or has no words.
    """
    word = at.fields(line)[0].upper()
    if line[:4] in ("+CME", "+CMS") or not word or word.isdigit():
        at.bad("SIM status", line)
    return word


def tries(lines):
    """How often each code may still be tried: {"pin": n, "puk": n, "pin2": n, "puk2": n}, as far as told.

    +CPINR (27.007 8.65), +UPINCNT, ^CPIN, *EPIN, +EPINC, +SPIC, +QPINC, #PCT, ^SPIC, +CPNNUM. A lone #PCT or
    ^SPIC counts the code that is asked for now; it is called "pin".
    """
    found = {}
    for line in lines if not isinstance(lines, str) else lines.split("\n"):
        line = line.strip()
        if line.startswith("+CPINR"):
            _cpinr(at.fields(line), found)
        elif "=" in line and "PIN" in line.upper():
            _worded(line, found)
        elif line:
            _ordered(line, found)
    return found or at.bad("tries", str(lines))


def _cpinr(parts, found):
    """+CPINR: SIM PIN,3,3 - one line a code."""
    count = at.number(parts[1]) if len(parts) > 1 else None
    words = parts[0].upper().split(" ")
    if count is not None and words[-1].lower() in _NAMES.values() and words[0] not in ("PH-SIM", "PH-NET"):
        found[words[-1].lower()] = count


def _worded(line, found):
    """PIN1=3; PUK1=10; PIN2=3; PUK2=10"""
    for part in at.rest(line).upper().replace(",", ";").split(";"):
        word, _, count = part.partition("=")
        word = word.strip().rstrip("1").lower()
        if word in _NAMES.values() and at.number(count.strip()) is not None:
            found[word] = at.number(count.strip())


def _ordered(line, found):
    name = line.partition(":")[0].strip()
    start = _COUNTERS.find("\n" + name + " ")
    if start < 0 or ":" not in line:
        return
    order = _COUNTERS[start + len(name) + 2 : _COUNTERS.find("\n", start + 1)]
    parts = at.fields(line)
    if name == "+QPINC" and parts[0].upper() == "P2":
        order = "-23"
    for letter, part in zip(order, parts):
        count = at.number(part)
        if letter in _NAMES and count is not None:
            found[_NAMES[letter]] = count


# What a maker sends when a SIM comes or goes: name, index of the field that tells, its values for "there" and "gone".
# The index counts from the end when the line may begin with n, as an answer to a read does.
_PRESENCE = """
+QUSIM 0 1 0
+QSIMSTAT -1 1 0
#QSS -1 1,2,3 0
^SCKS -1 1 0
^SIMST 0 0,1,2,3,4,240,241 255
+SIM 0 INSERTED,READY REMOVED,DROP,NOT_READY
+ZUSIMR 0 1 0
+UUSIMSTAT 0 1,2,3,4,5,6,7,8,9,10,11,12 0
+CPIN 0 - -
#SIMDET -1 1 0
"""


def presence(line):
    """Whether an unsolicited line says that a SIM is there: True, False, or None when it says nothing of it.

    Quectel +QUSIM, +QSIMSTAT; Telit #QSS; Cinterion ^SCKS, +CIEV: simlocal; Fibocom +SIM: Inserted, +SIM DROP;
    ZTE +ZUSIMR; Huawei ^SIMST; u-blox +UUSIMSTAT; SIMCom and others +CPIN, +SIMCARD.
    """
    upper = line.strip().upper()
    if upper in ("+SIM READY", "SIM READY", "+SIM INSERTED"):
        return True
    if upper in ("+SIM DROP", "+SIM REMOVED", "SIM REMOVED", "SIM DROP", "+SIM NOT READY"):
        return False
    if "SIMCARD:" in upper:  # +SIMCARD: NOT AVAILABLE
        return "NOT" not in upper
    name, colon, _ = upper.partition(":")
    parts = at.fields(upper)
    if not colon:
        return None
    if name in ("+CIEV", "^SIND"):
        return _simlocal(parts)
    start = _PRESENCE.find("\n" + name.strip() + " ")
    if start < 0:
        return None
    row = _PRESENCE[start + 1 : _PRESENCE.find("\n", start + 1)].split(" ")
    return _told(name, parts, int(row[1]), row[2].split(","), row[3].split(","))


def _told(name, parts, index, there, gone):
    value = parts[index]
    known = at.number(value)
    value = value if known is None else str(known)
    if name == "+CPIN":
        # A lock needs a SIM to be locked; only these words tell of none.
        return not ("NOT" in value and value != "NOT READY" or "REMOVED" in value or value in ("", "NOT READY"))
    if value in there:
        return True
    return False if value in gone else None


def _simlocal(parts):
    """+CIEV: simlocal,1 or simlocal,0,1 (the last one counts), and simstatus of others: 5 ready, 0 and 1 none."""
    value = at.number(parts[-1])
    if value is None or len(parts) < 2:
        return None
    if parts[0] == "SIMLOCAL":
        return value == 1
    if parts[0] == "SIMSTATUS":
        return value > 1
    return None


def file_answer(line):
    """+CRSM, +CSIM -> (status word as one number, bytes) (27.007 8.17, 8.18; 0x9000 is success)."""
    parts = at.fields(line)
    if line.startswith("+CRSM"):
        high, low = at.number(parts[0]), at.number((parts + [""])[1])
        data = alphabet.unhex(parts[2]) if len(parts) > 2 else b""
        if high is None or low is None or high > 255 or low > 255 or data is None:
            at.bad("SIM answer", line)
        return high << 8 | low, data
    data = alphabet.unhex(parts[-1]) if len(parts) > 1 else None
    if not data or len(data) < 2:
        at.bad("SIM answer", line)
    return data[-2] << 8 | data[-1], data[:-2]


def verifications(line):
    """+CSIM: how often a code may be tried by the card's own word 63Cx, or None (TS 102 221 11.1.9)."""
    status = file_answer(line)[0]
    return status & 15 if status & 0xFFF0 == 0x63C0 else None


def numbered(text):
    """Whether an ICCID's last digit is its check digit (ITU-T E.118, ISO/IEC 7812): some operators use none."""
    from .checkdigit import luhn

    return at.number(text) is not None and len(text) > 1 and luhn(text[:-1]) == text[-1]
