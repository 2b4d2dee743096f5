"""A family's file driven by hand, for the tests of the modem families."""

from agent.codec import at


def read(counted, data, size):
    """What a reader makes of data that comes in chunks of this size."""
    reader = at.Reader(counted)
    tokens = []
    for start in range(0, len(data), size):
        tokens += reader.feed(data[start : start + size])
    return tokens


def family_of(name):
    """A family's file."""
    return __import__("agent.modems." + name, None, None, ("INIT",))


def drive(procedure, *answers):
    """Run a family's procedure on what the modem says: "" = OK, text = its lines and OK, (text,) = a line that comes
    after OK, None = ERROR. -> (result, the steps).
    """
    steps, waiting = [], list(answers)
    try:
        step = next(procedure)
        while True:
            steps.append(step[0] if isinstance(step, tuple) else step)
            late = isinstance(step, tuple) and isinstance(step[1], int)
            answer = waiting.pop(0) if waiting else None if late else ""
            if late:
                assert isinstance(answer, tuple) or answer is None, steps
                reply = answer and answer[0]
            elif answer is None:
                reply = False, ["ERROR"]
            else:
                reply = True, [line for line in answer.split("\n") if line]
            step = procedure.send(reply)
    except StopIteration as end:
        assert not waiting, (steps, waiting)
        return end.value, steps
