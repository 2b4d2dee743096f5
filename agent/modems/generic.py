"""What every modem has by 3GPP TS 27.007; a family's file overrides by name what it does differently.

A family = one file here, named as the first word of what AT+CGMI answers, in lower case and letters and digits only
("Quectel" -> quectel.py), or as detect.py says. Tables are data; procedures are generators that yield a step and are
sent its answer (agent/engine/modem.py says what a step may be). A family without sockets reaches "registered" only.
"""

from ..overlay import drop

INIT = ""  # commands after ATE0 and +CMEE=1, between newlines; a refusal is ignored
ICCID = "AT+CCID"
TRIES = "AT+CPINR"  # how often the PIN may be entered (27.007 8.65); codec/at_sim.py knows what makers answer
SIGNAL = "AT+CSQ"  # or AT+CESQ
PREFIXES = {}  # command, or its name: what its answer lines begin with, where not the command's name; %s: 1st argument
COUNTED = {}  # name of a line that announces raw data: index of the field with the length (codec/at.py, Reader)
# A family whose radio must have been on for a while before AT+CMUX has MUX_MS.
# A family whose modem asks for data by a line and not by a prompt has asks(line) -> how many bytes it wants, or None.
REFUSALS = ""  # final results besides the standard ones that mean "refused", between newlines (codec/at_finals.py)
SUCCESSES = ""  # the same for "done"
SOCKETS = 0  # how many datagram sockets we use at once
PROMPT_MS = 0  # how long the modem wants to be left alone between its prompt and our data

POWER = "500 100 20000 5000"  # ms: how long to hold the power key and the reset line, to boot, to switch off
OFF = ""  # the command that switches it off, if it has one
FLIGHT = "AT+CFUN=4"  # radio off, with a SIM that can be read
RESET = "AT+CFUN=1,1"  # the command that restarts it
DIAL = "ATD*99***1#"  # PPP in context 1
BACK = "ATO"  # into the data call that +++ has left; "": there is no way back
MUX = "AT+CMUX=0,0,5,127"  # 3GPP TS 27.010 basic option at 115200 Bd; N1 is the last number

# Longest time that a command may take (ms), by its name; "" for all others.
TIMEOUTS = {"AT": 300, "AT+CPIN": 10000, "AT+CFUN": 30000, "AT+CIMI": 10000, "AT+CCID": 10000,
            "ATD*99***1#": 60000, "ATD*99#": 60000, "": 5000}  # fmt: skip

# Unsolicited lines (up to a colon) that do not begin with a sign, so that they are never taken for an answer.
WORDS = (
    "\nRDY\nAPP RDY\nSMS DONE\nPB DONE\nSMS Ready\nCall Ready\nRING\nPOWERED DOWN\nNORMAL POWER DOWN\nDST:\n"
    "RECV FROM:\nReady\n"
)


_NEWS = "+CGEV: SIM QSS: SCKS: DEACT NDIS PDP"  # lines with one of these may mean something


def event(line):
    """What an unsolicited line means: ("boot",), ("sim", present), ("context", id or None), ("doubt",) = perhaps
    that, or None for noise.

    A family adds ("recv", socket) and ("closed", socket).
    """
    if line in ("RDY", "APP RDY"):
        return ("boot",)
    if line.startswith("+CPIN:"):
        return "sim", "NOT" not in line and "REMOVED" not in line
    for word in _NEWS.split():
        if word in line:
            from . import news

            drop("modems.news")
            return news.event(line)
    return None


def answer(command, name, ms):
    """The line that tells how a command went, which comes before OK or up to `ms` later; None when it never does.

    A refused command's final result.
    """
    ok, lines = yield command
    if lines or not ok:
        return lines[-1]
    return (yield (name, ms))


def load(maker, model=""):
    """The family file for a maker's name and a model as the modem gives them (or for a file's name), or None."""
    from .detect import load

    family = load(maker, model)
    drop("modems.detect")
    return family
