"""Control commands about short messages: what the centre does to them, and one that comes from nowhere."""

from .centre import FAULTS

MAX_PDU = 2 * 255  # characters


def _centre(modem, delay_ms=None, shuffle_ms=None, lose=None, repeat=None):
    if modem.messages.route is None:
        return {"error": "this modem has no centre"}
    given = {"delay_ms": delay_ms, "shuffle_ms": shuffle_ms, "lose": lose, "repeat": repeat}
    modem.messages.route.faults.update((name, value) for name, value in given.items() if value is not None)
    return None


def _message(modem, pdu):
    try:
        return None if modem.messages.take(bytes.fromhex(pdu)) else {"error": "there is no room, or no network"}
    except ValueError:
        return {"error": "pdu is hexadecimal: an SMS-DELIVER without the centre's address"}


def _is_pdu(value):
    return isinstance(value, str) and len(value) <= MAX_PDU


COMMANDS = {
    "centre": (_centre, dict.fromkeys(FAULTS, range(600001)),
               '{"do": "centre", "lose": 3}  every third short message is lost; or repeat, delay_ms, shuffle_ms'),
    "message": (_message, {"pdu": _is_pdu}, '{"do": "message", "pdu": "04..."}  a short message comes, whatever it is'),
}  # fmt: skip
