"""What can be done to an emulated modem from outside: a table, in process and as JSON lines on a Unix socket."""

import asyncio
import json
import os
import socket
import stat

from ..faults import BUSY, Fault, nearest
from . import control_faults, control_messages, control_network
from .state import REGISTRATION, Faults

MAX_LINE = 32768  # a trace of a day


def _status(modem):
    state = modem.state
    return {
        "profile": modem.name, "path": modem.path if modem.port.is_open else None, "power": state.power,
        "running": state.running,
        "sim": {name: getattr(state.sim, name) for name in ("present", "ready", "lock", "asks", "tries", "puk_tries")},
        "functionality": state.functionality, "baud": state.baud, "coverage": modem.network.coverage,
        "registration": REGISTRATION[state.registration], "cause": modem.network.cause, "signal": state.signal,
        "contexts": [{"cid": cid, **vars(context)} for cid, context in sorted(state.contexts.items())],
        "sockets": [{"number": relay.number, "peer": "%s:%d" % relay.peer[:2], "sent": relay.sent,
                     "received": relay.received, "lost": relay.lost} for relay in modem.sockets],
        "calls": [call.status() for call in modem.lines.calls()],
        "channels": sorted(modem.lines.mux.open) if modem.lines.mux else None,
        "faults": _wrong(modem),
        "unread_bytes_dropped": modem.port.dropped, "datagrams_lost": modem.air.lost,
    }  # fmt: skip


def _wrong(modem):
    """Every fault that is on."""
    air, wire, usual = modem.air, modem.wire, vars(Faults())
    known = {name: value for name, value in vars(modem.state.faults).items() if value != usual[name]}
    known.update(split=modem.port.split, merge=wire.merge_ms, drop=wire.drop, lose=wire.permille,
                 late=air.ms + air.jitter, loss=air.loss, refuse=modem.network.context_cause,
                 suspended=sorted(modem.network.suspended))  # fmt: skip
    return {name: value for name, value in known.items() if value and name not in ("errors_at", "errors_code")}


def _help(modem):
    return {"commands": {name: text for name, (_, _, text) in COMMANDS.items()}}


# name: (function(modem, **parameters), {parameter: what it must be}, example and meaning). What it must be is a type,
# values, a range, or a function that says whether a value will do; a parameter with a default may be left out.
COMMANDS = {
    **control_network.COMMANDS,
    **control_faults.COMMANDS,
    **control_messages.COMMANDS,
    "status": (_status, {}, '{"do": "status"}  what is true right now'),
    "help": (_help, {}, '{"do": "help"}  this list'),
}
SECRETS = ("pin",)


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
            self._modem.note("control", **{name: request[name] for name in request if name not in SECRETS})
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
    if callable(wanted) and not isinstance(wanted, type):
        return wanted(value)
    if isinstance(wanted, type):
        return isinstance(value, wanted) and (wanted is not str or value.isprintable() and len(value) <= 200)
    return type(value) is type(wanted[0]) and value in wanted


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
