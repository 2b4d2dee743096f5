"""PINs and passwords in AT commands: what of a command may be shown in a log or kept in a record."""

import re

# The command, and how many of its parameters may be shown.
SHOWN = {
    "+CPIN": 0, "+CPIN2": 0, "^CPIN": 0, "+CPWD": 1, "+CLCK": 2, "+CGAUTH": 2, "+QICSGP": 3, "+UAUTHREQ": 2,
    "+UPSD": 2, "^AUTHDATA": 2, "^NDISDUP": 3, "+CNCFG": 3, "+CSTT": 1, "$QCPDPP": 2, "#PDPAUTH": 2, "#PPPCFGAUTH": 1,
    "+KCNXCFG": 3, "^SGAUTH": 2,
}  # fmt: skip
_BEGIN = re.compile(r"(%s)=" % "|".join(re.escape(name) for name in sorted(SHOWN, key=len, reverse=True)), re.I)
_SIGNS = '",;'  # what stays of a secret parameter


class Mask:
    """One direction of a line, in pieces of any size: letters and digits of secrets become stars."""

    def __init__(self):
        self._line = ""

    def feed(self, text):
        """The same text, as long as it was, without secrets."""
        return "".join([self._character(character) for character in text])

    def _character(self, character):
        if character in "\r\n":
            self._line = ""
            return character
        hidden = character not in _SIGNS and _secret(self._line)
        self._line = (self._line + character)[-1024:]
        return "*" if hidden else character


def masked(line):
    """A whole command line without its secrets."""
    return Mask().feed(line)


def _secret(before):
    """Whether what follows this beginning of a line is to be hidden."""
    found = list(_BEGIN.finditer(before))
    if not found:
        return False
    parameters = before[found[-1].end():]
    if ";" in re.sub(r'"[^"]*("|$)', "", parameters):
        return False  # another command on the same line
    return re.sub(r'"[^"]*("|$)', "", parameters).count(",") >= SHOWN[found[-1][1].upper()]
