"""What can be broken in an emulated modem and on the line to it: functions, and their table."""

from .basic_commands import BAUDS
from .data_call import KINDS


def _delay(modem, ms):
    modem.state.faults.delay_ms = ms


def _split(modem, bytes):
    modem.port.split = bytes


def _merge(modem, ms):
    modem.wire.merge_ms = ms


def _drop(modem, writes):
    modem.wire.drop = writes


def _lose(modem, permille):
    modem.wire.permille = permille


def _urc(modem, line, inside=False):
    if inside:
        modem.state.faults.inside = (modem.state.faults.inside + [line])[-16:]
    else:
        modem.say(line)


def _echo(modem, on):
    modem.state.faults.echo = on


def _garbage(modem, bytes):
    modem.state.faults.garbage = bytes


def _mute(modem, on):
    modem.state.faults.mute = on


def _baud(modem, rate):
    modem.state.baud = rate


def _stuck(modem):
    modem.state.faults.stuck = True


def _crash(modem, at):
    modem.state.faults.crash = at.upper()


def _errors(modem, times, at="AT", code=None):
    faults = modem.state.faults
    faults.errors, faults.errors_at, faults.errors_code = times, at.upper(), code


def _port(modem, on, ms=0):
    modem.plug(on, ms)


def _close(modem, number):
    return None if modem.lose_socket(number) else {"error": "no socket %d is open" % number}


def _ppp(modem, fault):
    if fault != "terminate":
        modem.state.faults.ppp = fault
    for call in modem.lines.calls():
        call.fault(fault)


def _cmux(modem, corrupt=None, dead=None, hold=None):
    mux = modem.lines.mux
    if mux is None:
        return {"error": "the multiplexer is not on"}
    mux.corrupt = mux.corrupt if corrupt is None else corrupt
    mux.dead = mux.dead if dead is None else dead
    if hold is not None:
        mux.hold(hold)
    return None


def _restart(modem):
    modem.restart()


async def _power(modem, on):
    await modem.power(on)


# name: (function, {parameter: what it must be}, example and meaning); control.py says what it may be
COMMANDS = {
    "delay": (_delay, {"ms": range(60001)}, '{"do": "delay", "ms": 500}  every answer comes that much later'),
    "split": (_split, {"bytes": range(1025)}, '{"do": "split", "bytes": 1}  so many bytes a write; 0: as they come'),
    "merge": (_merge, {"ms": range(1001)},
              '{"do": "merge", "ms": 20}  what is said within so many ms comes in one write; 0: as it comes'),
    "drop": (_drop, {"writes": range(1001)}, '{"do": "drop", "writes": 3}  the modem\'s next three writes are lost'),
    "lose": (_lose, {"permille": range(1001)}, '{"do": "lose", "permille": 20}  that part of all bytes is lost'),
    "urc": (_urc, {"line": str, "inside": bool},
            '{"do": "urc", "line": "+CREG: 1"}  says a line by itself; "inside": true: inside the next answer'),
    "echo": (_echo, {"on": bool}, '{"do": "echo", "on": true}  echoes whatever ATE0 said'),
    "garbage": (_garbage, {"bytes": range(1025)},
                '{"do": "garbage", "bytes": 40}  every boot begins with NULs and noise; 0: with none'),
    "baud": (_baud, {"rate": BAUDS},
             '{"do": "baud", "rate": 57600}  talks at that speed only, and hears rubbish at others; 0: at any'),
    "mute": (_mute, {"on": bool}, '{"do": "mute", "on": true}  hears and says nothing'),
    "stuck": (_stuck, {}, '{"do": "stuck"}  the same, until it is restarted: "restart" is the reset line'),
    "crash": (_crash, {"at": str}, '{"do": "crash", "at": "AT+CGACT"}  restarts instead of answering that, once'),
    "errors": (_errors, {"times": range(100001), "at": str, "code": range(1000)},
               ('{"do": "errors", "times": 20}  the next 20 commands are refused; "at": those that begin so; "code": '
               "with a +CME ERROR")),
    "port": (_port, {"on": bool, "ms": range(600001)},
             '{"do": "port", "on": false}  the serial port vanishes; true: a new one; "ms": comes back after that'),
    "close": (_close, {"number": range(64)}, '{"do": "close", "number": 0}  a socket ends by itself'),
    "ppp": (_ppp, {"fault": KINDS},
            '{"do": "ppp", "fault": "zombie"}  data calls carry nothing any more; or ' + ", ".join(KINDS)),
    "cmux": (_cmux, {"corrupt": range(1001), "dead": bool, "hold": bool},
             ('{"do": "cmux", "corrupt": 5}  every fifth frame of the multiplexer is damaged; 0: none; "dead": hears '
              'nothing but a close-down; "hold": the device must send nothing (FCoff), or may again')),
    "restart": (_restart, {}, '{"do": "restart"}  the modem restarts by itself, or by its reset line'),
    "power": (_power, {"on": bool}, '{"do": "power", "on": false}  off; true: boots'),
}  # fmt: skip
