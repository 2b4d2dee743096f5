"""What every modem has by 3GPP TS 27.007; a family's file overrides by name what it does differently.

A family = one file here, named as the first word of what AT+CGMI answers, in lower case and letters and digits only
("Quectel" -> quectel.py, "u-blox" -> ublox.py). Tables are data; procedures are generators that yield a step and are
sent its answer (agent/engine/modem.py says what a step may be). A family without sockets reaches "registered" only.
"""

INIT = ""  # commands after ATE0 and +CMEE=1, between newlines; a refusal is ignored
ICCID = "AT+CCID"
PREFIXES = {}  # command: what its answer lines begin with, where that is not the command's own name
COUNTED = {}  # name of a line that announces raw data: index of the field with the length
REFUSALS = ""  # final results besides the standard ones that mean "refused", between newlines
SOCKETS = 0  # how many datagram sockets we use at once

# Longest time that a command may take (ms), by its name; "" for all others.
TIMEOUTS = {"AT": 300, "AT+CPIN": 10000, "AT+CFUN": 30000, "AT+CIMI": 10000, "AT+CCID": 10000, "": 5000}

# Unsolicited lines that do not begin with a sign, so that they are never taken for an answer.
WORDS = "\nRDY\nAPP RDY\nSMS DONE\nPB DONE\nSMS Ready\nCall Ready\nRING\nPOWERED DOWN\nNORMAL POWER DOWN\n"


def event(line):
    """What an unsolicited line means: ("boot",), ("sim", present), ("context", id or None), or None for noise.

    A family adds ("recv", socket) and ("closed", socket).
    """
    if line in ("RDY", "APP RDY"):
        return ("boot",)
    if line.startswith("+CPIN:"):
        return "sim", "NOT" not in line and "REMOVED" not in line
    if line.startswith("+CGEV:") and "PDN DEACT" in line:  # of the network or of the modem itself
        return "context", None
    return None


def load(maker):
    """The family file for a maker's name as the modem gives it, or None."""
    word = maker.strip().split(" ")[0].lower()
    name = "".join([char for char in word if char < "{" and (char.isalpha() or char.isdigit())])
    try:
        return __import__(name, globals(), None, ("INIT",), 1) if name else None
    except ImportError:
        return None
