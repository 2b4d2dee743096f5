"""Faults that a certain command sets off: the modem crashes at it, or refuses whatever it is asked."""

from .dialogue import SILENCE, Answer


def interfere(modem, line):
    """What a command line (in capitals) is answered because of a fault, or None: it is carried out."""
    faults = modem.state.faults
    if faults.crash and line.startswith(faults.crash):
        faults.crash = ""
        modem.note("crash", at=line.partition("=")[0])
        modem.restart()
        return SILENCE
    if faults.errors and line.startswith(faults.errors_at):
        faults.errors -= 1
        return Answer(final=modem.lines.main.dialogue.refusal(faults.errors_code))
    return None
