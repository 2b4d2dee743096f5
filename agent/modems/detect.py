"""Which family's file is for which modem; needed only when a modem has been found."""

# What the maker's word begins with, what AT+CGMM has in it (* = anything), the file. The first row that fits counts.
FILES = """
quectel BG quectelbg
simcom SIM7000 simcom7000
simcom SIM70 simcom70
simcom A76 simcoma76
incorporated A76 simcoma76
simcom * simcom
ublox SARA-R5 ubloxr5
ublox LARA-R6 ubloxr6
sierra HL sierra
sierra * generic
siemens * cinterion
gemalto * cinterion
thales * cinterion
"""


def load(maker, model=""):
    """The family file for a maker's name and a model as the modem gives them (or for a file's name), or None."""
    word = maker.strip().split(" ")[0].lower()
    name = "".join([char for char in word if char < "{" and (char.isalpha() or char.isdigit())])
    for row in FILES.split("\n")[1:-1] if model else ():
        head, part, file = row.split()
        if name.startswith(head) and (part == "*" or part in model.upper()):
            name = file
            break
    try:
        return __import__(name, globals(), None, ("INIT",), 1) if name not in ("", "detect", "attach", "news") else None
    except ImportError:
        return None
