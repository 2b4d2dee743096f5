"""The lines around short messages (TS 27.005 3, PDU mode): where one lies, what a listing holds, what was sent.

The messages themselves are hexadecimal PDUs for sms.decode. Modems put them on a line of their own, or, some of them,
behind the header on the same line; the name of the sender in between may be missing, empty or quoted.
"""

from . import at


def arrived(line):
    """+CMTI, +CDSI -> (storage, index) of a message or report that lies there now (27.005 3.4.1)."""
    parts = at.fields(line) + [""]
    index = at.number(parts[1])
    if not parts[0] or index is None:
        at.bad("place of a message", line)
    return parts[0], index


def stored(lines):
    """+CMGR -> (status, PDU). Status: 0 unread, 1 read, 2 not sent, 3 sent (27.005 3.1); None where not told."""
    numbers, pdu = _header(lines, 0)
    return (numbers[0] if len(numbers) > 1 else None), pdu


def listed(lines):
    """+CMGL -> [(index, status, PDU)]. Headers without a PDU behind them are left out."""
    found = []
    for at_line, line in enumerate(lines):
        if isinstance(line, str) and line.startswith("+CMGL"):
            numbers, pdu = _header(lines, at_line)
            if pdu and len(numbers) > 1:
                found.append((numbers[0], numbers[1], pdu))
    return found


def delivered(lines):
    """+CMT, +CDS and the line behind them -> the PDU of a message or report that is stored nowhere."""
    pdu = _header(lines, 0)[1]
    return pdu or at.bad("PDU", lines[0])


def sent(line):
    """+CMGS, +CMGW, +CMSS -> the message's reference number, or its index where it was stored."""
    value = at.number(at.fields(line)[0])
    return at.bad("reference", line) if value is None else value


def centre(line, charset=""):
    """+CSCA -> the service centre's number; some give it as UCS2 in hexadecimal. None when none is set."""
    from . import at_network

    parts = at.fields(line) + [""]
    value = at_network.name(parts[0], charset)
    if value and parts[1] == "145" and value[0] != "+":
        value = "+" + value
    return value or None


def storages(line):
    """+CPMS? -> [(name, used, total)] for reading, writing and receiving; +CPMS= has no names (then "")."""
    parts, found, name = at.fields(line), [], ""
    numbers = []
    for part in parts + [""]:
        value = at.number(part)
        if value is not None:
            numbers.append(value)
        if value is None or len(numbers) == 2 and not name:
            if len(numbers) == 2:
                found.append((name, numbers[0], numbers[1]))
            numbers, name = [], part if value is None else ""
    return found or at.bad("storages", line)


def _header(lines, at_line):
    """-> (the header's numbers, PDU or ""); the last number is the PDU's length."""
    if not lines or not isinstance(lines[at_line], str):
        at.bad("message", "")
    parts = at.fields(lines[at_line])
    last, _, pdu = parts[-1].partition(" ")
    pdu = pdu.strip()
    if not pdu and at_line + 1 < len(lines) and isinstance(lines[at_line + 1], str):
        pdu = lines[at_line + 1].strip().strip('"')
        pdu = "" if pdu[:1] == "+" else pdu
    numbers = [at.number(part) for part in parts[:-1] + [last]]
    if numbers[-1] is None:
        at.bad("length of a message", lines[at_line])
    return [value for value in numbers if value is not None], pdu
