"""What can be done to an emulated modem from outside: a table, in process and as JSON lines on a Unix socket."""

import asyncio
import json
import os
import socket
import stat

from ..faults import BUSY, Fault, nearest
from .data_call import KINDS
from .network import VERDICTS
from .state import REGISTRATION

MAX_LINE = 4096
LOCKS = ("", "SIM PIN", "SIM PUK")


def _coverage(modem, on):
    modem.network.coverage = on
    modem.network.refresh()


def _registration(modem, verdict):
    modem.network.verdict = verdict
    modem.network.refresh()


def _sim(modem, present, lock=None):
    modem.set_sim(present, lock)


def _detach(modem, silent=False):
    for cid in sorted(modem.state.contexts):
        if silent:
            modem.deactivate(cid, silent=True)
        else:
            modem.lose_context(cid)


def _close(modem, number):
    return None if modem.lose_socket(number) else {"error": "no socket %d is open" % number}


def _delay(modem, ms):
    modem.state.faults.delay_ms = ms


def _mute(modem, on):
    modem.state.faults.mute = on


def _split(modem, bytes):
    modem.port.split = bytes


def _urc(modem, line, inside=False):
    if inside:
        modem.state.faults.inside = (modem.state.faults.inside + [line])[-16:]
    else:
        modem.say(line)


def _signal(modem, level):
    modem.state.signal = level


def _restart(modem):
    modem.restart()


async def _power(modem, on):
    await modem.power(on)


def _port(modem, on):
    if on and not modem.port.is_open:
        modem.port.open()
        modem.note("port", path=modem.path)
    elif not on:
        modem.port.close()
        modem.note("port", path=None)


def _ppp(modem, fault):
    if fault == "terminate":
        for call in modem.lines.calls():
            call.fault(fault)
        return
    modem.state.faults.ppp = fault
    for call in modem.lines.calls():
        call.fault(fault)


def _cmux(modem, corrupt):
    if modem.lines.mux is None:
        return {"error": "the multiplexer is not on"}
    modem.lines.mux.corrupt = corrupt
    return None


def _rebind(modem):
    for call in modem.lines.calls():
        call.network.rebind()


def _status(modem):
    state, faults = modem.state, modem.state.faults
    return {
        "profile": modem.name, "path": modem.path if modem.port.is_open else None, "power": state.power,
        "running": state.running, "sim": {"present": state.sim.present, "lock": state.sim.lock},
        "functionality": state.functionality, "coverage": modem.network.coverage,
        "registration": REGISTRATION[state.registration], "signal": state.signal,
        "contexts": [{"cid": cid, **vars(context)} for cid, context in sorted(state.contexts.items())],
        "sockets": [{"number": relay.number, "peer": "%s:%d" % relay.peer[:2], "sent": relay.sent,
                     "received": relay.received, "lost": relay.lost} for relay in modem.sockets],
        "calls": [call.status() for call in modem.lines.calls()],
        "channels": sorted(modem.lines.mux.open) if modem.lines.mux else None,
        "faults": {"delay_ms": faults.delay_ms, "mute": faults.mute, "split": modem.port.split},
        "unread_bytes_dropped": modem.port.dropped,
    }  # fmt: skip


def _help(modem):
    return {"commands": {name: text for name, (_, _, text) in COMMANDS.items()}}


# name: (function, {parameter: what it must be}, example and meaning); what it must be is a type, values or a range
COMMANDS = {
    "coverage": (_coverage, {"on": bool}, '{"do": "coverage", "on": false}  the network is lost; true: it is back'),
    "registration": (_registration, {"verdict": tuple(VERDICTS)},
                     '{"do": "registration", "verdict": "denied"}  or home, roaming, searching'),
    "sim": (_sim, {"present": bool, "lock": LOCKS},
            '{"do": "sim", "present": false}  taken out; true, with "lock": "SIM PIN": put in, locked'),
    "detach": (_detach, {"silent": bool},
               '{"do": "detach"}  the network deactivates the contexts; "silent": true: without saying so'),
    "close": (_close, {"number": range(64)}, '{"do": "close", "number": 0}  a socket ends by itself'),
    "delay": (_delay, {"ms": range(60001)}, '{"do": "delay", "ms": 500}  every answer comes that much later'),
    "mute": (_mute, {"on": bool}, '{"do": "mute", "on": true}  hears and says nothing'),
    "split": (_split, {"bytes": range(1025)}, '{"do": "split", "bytes": 1}  so many bytes a write; 0: as they come'),
    "urc": (_urc, {"line": str, "inside": bool},
            '{"do": "urc", "line": "+CREG: 1"}  says a line by itself; "inside": true: inside the next answer'),
    "signal": (_signal, {"level": range(100)}, '{"do": "signal", "level": 5}  what +CSQ tells'),
    "restart": (_restart, {}, '{"do": "restart"}  the modem restarts by itself'),
    "power": (_power, {"on": bool}, '{"do": "power", "on": false}  off; true: boots'),
    "port": (_port, {"on": bool}, '{"do": "port", "on": false}  the serial port vanishes; true: a new one'),
    "ppp": (_ppp, {"fault": KINDS},
            '{"do": "ppp", "fault": "zombie"}  data calls carry nothing any more; or ' + ", ".join(KINDS)),
    "cmux": (_cmux, {"corrupt": range(1001)},
             '{"do": "cmux", "corrupt": 5}  every fifth frame of the multiplexer is damaged; 0: none'),
    "rebind": (_rebind, {}, '{"do": "rebind"}  the NAT forgets the data call\'s ports'),
    "status": (_status, {}, '{"do": "status"}  what is true right now'),
    "help": (_help, {}, '{"do": "help"}  this list'),
}  # fmt: skip


class Control:
    """Checks and carries out control commands; serves them on a Unix socket when a path is given."""

    def __init__(self, modem, path=None):
        self._modem, self._path = modem, path
        self._server = None

    async def do(self, request):
        """Carry out one command; what it tells, {"ok": true}, or {"error": cause}."""
        wrong = _check(request)
        if wrong:
            return {"error": wrong}
        values = {name: request[name] for name in request if name != "do"}
        if request["do"] not in ("status", "help"):
            self._modem.note("control", **request)
        answer = COMMANDS[request["do"]][0](self._modem, **values)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return answer or {"ok": True}

    async def start(self):
        """Listen. Fault when another modem, or a file, has the path."""
        if self._path is None:
            return
        _make_room(self._path)
        mask = os.umask(0o177)  # only this user may pull cables
        try:
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_LINE)
        except OSError as error:
            raise Fault("no control socket at %s: %s" % (self._path, error.strerror), "choose another --control",
                        BUSY) from None
        finally:
            os.umask(mask)

    async def stop(self):
        if self._server:
            self._server.close()
            self._server = None
            os.unlink(self._path)

    async def _serve(self, reader, writer):
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.do(_parsed(line))).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            pass  # a line beyond all bounds, or nobody there any more
        finally:
            writer.close()


def _parsed(line):
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _check(request):
    """Why a request cannot be carried out, or None."""
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        return 'a command is an object like {"do": "coverage", "on": false}'
    name = request["do"]
    if name not in COMMANDS:
        guess = nearest(name, COMMANDS)
        return "no command is called %s; %s" % (name, "did you mean %s?" % guess if guess else "try help")
    function, known, example = COMMANDS[name]
    for key in request:
        if key != "do" and (key not in known or not _fits(request[key], known[key])):
            return "%s does not fit; for example %s" % (key, example)
    optional = len(function.__defaults__ or ())
    needed = list(known)[:len(known) - optional]
    missing = [key for key in needed if key not in request]
    return "%s is missing; for example %s" % (missing[0], example) if missing else None


def _fits(value, wanted):
    if isinstance(wanted, type):
        return isinstance(value, wanted) and (wanted is not str or value.isprintable() and len(value) <= 200)
    return type(value) is (int if isinstance(wanted, range) else str) and value in wanted


def _make_room(path):
    """Remove what a killed process left behind. Fault when somebody lives there."""
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise Fault("%s exists and is no socket" % path, "choose another --control", BUSY)
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise Fault("another modem is controlled at %s" % path, "stop it, or choose another --control", BUSY)
    os.unlink(path)
