"""What the LTE families share: the modem attaches with the APN of context 1, so another one means attaching anew."""

from ..codec import at


def define(apn):
    """Have context 1 be for this APN, and be what the modem is attached with.

    Returns "" or why we cannot go on yet: the radio was switched off and on, and it searches again.
    """
    ok, lines = yield "AT+CGDCONT?"
    for line in lines:
        parts = at.fields(line) + ["", "", ""]
        # What the network has added to the name ("iot.mnc001.mcc001.gprs") does not count; without one, any is right.
        if ok and parts[0] == "1" and (parts[2].lower() + ".mnc").startswith(apn and apn.lower() + ".mnc"):
            return ""
    yield "AT+CFUN=4"
    ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
    yield "AT+CFUN=1"
    return "attaches with another APN" if ok else lines[-1]


def active(command):
    """Whether context 1 is active; `command` reads it, and its lines begin with context and state."""
    ok, lines = yield command
    for line in lines:
        if ok and at.fields(line)[:2] == ["1", "1"]:
            return True
    return False
