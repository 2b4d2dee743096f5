"""What several makers' modems share about PDP context 1 (TS 27.007 10.1.1)."""

from ..codec import at


def defined(apn):
    """Whether context 1 is for this APN already."""
    ok, lines = yield "AT+CGDCONT?"
    for line in lines:
        parts = at.fields(line) + ["", "", ""]
        if ok and parts[0] == "1" and parts[2].lower() == apn.lower():
            return True
    return False
