"""One command at a time: what is its answer, what came by itself, what is noise."""

from agent.engine.at_channel import Channel


def answered(command, data, family=None):
    """Feed bytes after a command; -> (the answer or None, [lines that came by themselves])."""
    channel = Channel()
    if family:
        channel.family = family
    channel.start(command)
    answer, others = None, []
    for token in channel.reader.feed(data):
        found = channel.accept(token)
        if found and found[0] == "answer":
            answer = found[1:]
        elif found:
            others.append(found[1])
    return answer, others


def test_noise_before_an_answer():
    """An echo that the line has damaged is no part of the answer; a read registration is still recognised behind it."""
    assert answered("AT+CPIN?", b"x7AT+CPI\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n") == ((True, ["+CPIN: READY"]), [])
    assert answered("AT+CEREG?", b"~~\r\n+CEREG: 0,1\r\n\r\nOK\r\n") == ((True, ["+CEREG: 0,1"]), [])
    assert answered("AT+CIMI", b"\0\xff262011234567890\r\nOK\r\n") == ((True, ["262011234567890"]), [])


def test_what_follows_a_header_without_a_prefix_is_kept():
    lines = b"+CMGR: 1,,23\r\n0001000B91\r\n\r\nOK\r\n"
    assert answered("AT+CMGR=1", lines) == ((True, ["+CMGR: 1,,23", "0001000B91"]), [])


def test_lines_in_between_come_by_themselves():
    data = b"+CGREG: 1\r\n+CEREG: 0,5\r\n+CEREG: 5\r\nRDY\r\n\r\nOK\r\n\r\n+QIURC: \"recv\",0\r\n"
    assert answered("AT+CEREG?", data) == (
        (True, ["+CEREG: 0,5"]),
        ["+CGREG: 1", "+CEREG: 5", "RDY", '+QIURC: "recv",0'],
    )


class Simcom:
    """What a family's file may have."""

    REFUSALS = "\n+CIPERROR:\nCLOSE FAIL\n"
    SUCCESSES = "\nSHUT OK\n"


def test_finals_of_a_family():
    assert answered("AT+CIPSHUT", b"\r\nSHUT OK\r\n", Simcom) == ((True, []), [])
    assert answered("AT+CIPSEND=1,2", b"\r\n+CIPERROR: 4\r\n", Simcom) == ((False, ["+CIPERROR: 4"]), [])
    assert answered("AT+CIPSHUT", b"\r\nSHUT OK\r\n") == (None, [])
