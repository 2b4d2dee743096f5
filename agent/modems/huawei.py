"""Huawei ME909s, ME909u: data by the modem's own USB network (AT^NDISDUP, engine/modem_usb.py) or PPP (HUAWEI ME909s
Series LTE Module AT Command Interface Specification). The sockets that some firmwares have (^IPOPEN) are not used.
"""

from ..codec import at
from . import generic

# Signal, mode and flow are reported every few seconds; muting them (0) would mute the SIM and the network's end too.
INIT = "\nAT^CURC=1\nAT+CGEREP=2,1\n"
ICCID = "AT^ICCID?"
TRIES = "AT^CPIN?"
REFUSALS = "\nTOO MANY PARAMETERS\n"
TIMEOUTS = {"AT^NDISDUP": 120000, "AT^NDISSTATQRY?": 10000, "AT^RESET": 10000}
POWER = "1000 500 15000 10000"  # *not verified*
RESET = "AT^RESET"
DIAL = "ATD*99#"
MUX = ""  # it has several ports on USB; whether it leaves the multiplexer is *not verified*


def event(line):
    """As generic.event; a restart by ^SYSSTART, the SIM by ^SIMST, the USB network by ^NDISSTAT and ^NDISEND."""
    first = at.fields(line)[0]
    if line.startswith("^SYSSTART"):
        return ("boot",)
    if line.startswith("^SIMST:") and at.number(first) is not None:
        return "sim", at.number(first) != 255
    if line.startswith("^NDISEND") or line.startswith("^NDISSTAT:") and first == "0" and "IPV6" not in line.upper():
        return "context", None
    return generic.event(line)
