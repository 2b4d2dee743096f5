"""The modem's USB network as the data session: what is said to which family, and what is made of the answers."""

from agent.engine.modem_usb import UsbNet
from agent.modems import generic


class _Engine:
    """The part of the modem engine that it looks at."""

    state = "connected"

    def __init__(self, family):
        self._channel = self
        self.family = generic.load(family)
        self.dropped = None

    def _drop(self, reason):
        self.dropped = reason


def _drive(procedure, *answers):
    """Run a procedure; an answer is lines (text) and OK, or None = ERROR. -> (result, commands, ms waited)."""
    commands, waited, waiting = [], 0, list(answers)
    try:
        step = next(procedure)
        while True:
            if isinstance(step, int):
                waited += step
                step = procedure.send(False)
                continue
            commands.append(step)
            answer = waiting.pop(0) if waiting else ""
            reply = (False, ["ERROR"]) if answer is None else (True, [line for line in answer.split("\n") if line])
            step = procedure.send(reply)
    except StopIteration as end:
        return end.value, commands, waited


def test_starts_and_waits_until_it_is_there():
    result, commands, waited = _drive(UsbNet(_Engine("quectel")).connect("iot"), "", "+QNETDEVCTL: 1,1,1,0", "",
                                      "+QNETDEVCTL: 1,1,1,0", "+QNETDEVCTL: 1,1,1,1")  # fmt: skip
    assert result == "" and waited == 1000
    assert commands == ['AT+CGDCONT=1,"IP","iot"', "AT+QNETDEVCTL?", "AT+QNETDEVCTL=1,1,1", "AT+QNETDEVCTL?",
                        "AT+QNETDEVCTL?"]  # fmt: skip


def test_gives_up_and_stops_it():
    result, commands, waited = _drive(UsbNet(_Engine("simcom")).connect(""))
    assert result == "no USB network" and waited == 30000 and commands[-1] == "AT$QCRMCALL=0,1"
    result, commands, _ = _drive(UsbNet(_Engine("simcoma76")).connect(""), "", None)
    assert result == "ERROR" and commands[1] == "AT$QCRMCALL=1,1"


def test_a_network_of_a_life_before_is_begun_anew():
    there = "+QNETDEVCTL: 1,1,1,1"
    _, commands, _ = _drive(UsbNet(_Engine("quectel")).connect(""), there, "", "", there)
    assert commands[1:3] == ["AT+QNETDEVCTL=1,0,1", "AT+QNETDEVCTL=1,1,1"]


def test_notices_its_end():
    engine = _Engine("quectel")
    assert _drive(UsbNet(engine).wait(), "+QNETDEVCTL: 1,1,1,1")[2] == 10000 and engine.dropped is None
    for answer in ("+QNETDEVCTL: 1,1,1,0", "", None, "+QNETDEVCTL: 1,1,1,x"):
        engine = _Engine("quectel")
        _drive(UsbNet(engine).wait(), answer)
        assert engine.dropped == "USB network lost", answer


def test_a_modem_without_one_says_so():
    for family in ("quectelbg", "simcom7000", "ublox"):
        assert _drive(UsbNet(_Engine(family)).connect("iot")) == ("no USB network", [], 0)
        assert _drive(UsbNet(_Engine(family)).disconnect())[1] == []
