"""An AT modem without hardware: true state, a mobile network behind it, a pseudo-terminal in front of it.

    modem = Emulator("quectel-ec25", address="127.0.0.3")
    await modem.start()
    ... open modem.path as a serial port ...
    await modem.control({"do": "coverage", "on": False})
    await modem.stop()
"""

import asyncio
import importlib
import pkgutil
import random

from ..faults import USAGE, Fault, did_you_mean
from . import profiles
from .air import Air
from .command_faults import interfere
from .control import Control
from .data_call import DEFAULTS as PPP
from .lines import Lines
from .messages import COMMANDS as MESSAGES
from .messages import Messages
from .network import Network
from .port import Port
from .ppp_network import Tun
from .socket_port import SocketPort
from .sockets import Sockets
from .state import Sim, State
from .subscriber import Subscriber
from .wire import Wire


def names():
    """The profiles there are."""
    return sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(profiles.__path__))


def load(name):
    """A profile by its name. Fault when there is none."""
    if name not in names():
        raise Fault("no modem profile is called %s" % name, did_you_mean(name, names()), USAGE)
    return importlib.import_module("." + name.replace("-", "_"), profiles.__name__).PROFILE


class Emulator(Subscriber):
    """One modem. `address`: where its sockets leave this machine; `log(actor, event, **fields)` is told what happens.

    `link`: a path that always leads to the port; `control`: a path for a Unix socket that takes control commands;
    `identity`, `ms` and `ppp` replace rows of the profile's; `trace`: also log every command with its answer;
    `tun`: a TUN interface that carries data calls (else UDP is relayed by sockets); `socket`: HOST:PORT or a path to
    listen at instead of a pseudo-terminal; `record`: a Record that keeps what crosses the port; what chance decides
    follows from `seed`; `number` and `centre`: its own telephone number, and who carries its short messages.
    """

    def __init__(self, profile="quectel-ec25", address="127.0.0.3", log=None, *, link=None, control=None,
                 identity=None, ms=None, trace=False, ppp=None, tun=None, socket=None, record=None, seed=0, number=None,
                 centre=None):
        self.name = profile
        known = {**profiles.DEFAULTS, **load(profile)}
        self.profile = dict(known, identity=dict(known["identity"], **identity or {}),
                            commands={**MESSAGES, **known["commands"]},
                            ms={**profiles.DEFAULTS["ms"], **known["ms"], **(ms or {})})
        self._log, self._trace = log or (lambda actor, event, **fields: None), trace
        own = self.profile["identity"]
        self.state = State(Sim(own["iccid"], own["imsi"]), self.profile["signal"], dict(self.profile["session"]))
        for cid, apn in self.profile["contexts"].items():
            self.state.context(cid).apn = apn
        self.state.restart()
        self.messages = Messages(self, number, centre)
        chance = random.Random(seed)
        self.air = Air(chance)
        if record:
            record.online, record.echo = lambda: self.online, lambda: self.state.session["echo"]
        self.wire = Wire(lambda data: self.port.write(data), self._received, chance, record)
        self.wire.misfit = self._misfit
        heard = self.wire.heard
        self.port = SocketPort(heard, socket, self._unplugged) if socket else Port(heard, link)
        self.ppp = {**PPP, **self.profile["ppp"], **(ppp or {})}
        self.tun = Tun(tun) if tun else None
        self.network = Network(self.state, self.profile["ms"], self._registration_changed)
        self.sockets = Sockets(address, self._arrived, self._carry)
        self.lines = Lines(self, self._write, self._dialogue_log)
        self._control = Control(self, control)
        self._tasks = set()
        self._turning = None  # off or on
        self._plugging = None

    @property
    def path(self):
        """The serial port to open, or None while it is gone."""
        return self.port.path

    async def start(self):
        """Create the port and switch the modem on; it answers once it has booted. Fault when a path is taken."""
        self.sockets.check()
        if self.tun:
            self.tun.open()
        await self._control.start()
        self.port.open()
        self.note("port", path=self.path)
        await self.power(True)

    async def stop(self):
        """Switch everything off and remove what was created."""
        await self._control.stop()
        self.network.follow([])
        await self._halt()
        self.plug(False)
        if self.tun:
            self.tun.close()

    async def control(self, request):
        """Do what a control command says (control.py has the table); the answer, {"error": cause} when it is wrong."""
        return await self._control.do(request)

    # --- power ---

    async def power(self, on):
        """Switch the modem on or off; either forgets everything volatile."""
        await self._halt()
        self.state.power = on
        if on:
            self.later(self._boot())

    def plug(self, on, ms=0):
        """The port vanishes or is there again; ms: vanishes for so long."""
        if self._plugging:
            self._plugging.cancel()
            self._plugging = None
        if on and not self.port.is_open:
            self.port.open()
            self.note("port", path=self.path)
        elif not on and self.port.is_open:
            self.port.close()
            self.wire.clear()
            self.note("port", path=None)
        if not on and ms:
            self._plugging = asyncio.get_running_loop().call_later(ms / 1000, self.plug, True)

    def restart(self):
        """Boot again, as after AT+CFUN=1,1 or a crash."""
        self._turning = asyncio.get_running_loop().create_task(self.power(True))

    def power_down(self):
        """Switched off by a command."""
        self.tell("power_down")
        self._turning = asyncio.get_running_loop().create_task(self.power(False))

    async def _halt(self):
        self.state.running = False
        self.network.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.lines.stop()
        self.sockets.close_all()
        self.state.restart()
        self.messages.restart()

    async def _boot(self):
        self.note("boot")
        await self.pause("boot")
        self.state.running, self.state.faults.stuck = True, False
        self.lines.start()
        if self.state.faults.garbage:
            self.wire.said(self.wire.noise(self.state.faults.garbage))
        self.tell("booted")
        await self._sim_found()

    async def _sim_found(self):
        """The SIM is read; then the network is searched for."""
        await self.pause("sim")
        sim = self.state.sim
        if sim.present and not sim.ready and self.state.running:
            sim.ready = True
            if sim.lock:
                self.say("+CPIN: " + (sim.lock if sim.lock != "BLOCKED" else "NOT READY"))
            else:
                self.tell("sim_ready")
        self.network.refresh()

    def later(self, work):
        """Run a coroutine for as long as the modem is on."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def pause(self, what):
        """The time that something takes, by the profile."""
        await asyncio.sleep(self.profile["ms"][what] / 1000)

    @staticmethod
    def time():
        """Now, in seconds."""
        return asyncio.get_running_loop().time()

    # --- the line ---

    def say(self, line):
        """An unsolicited line."""
        if self.state.running:
            self.lines.say(line)

    def tell(self, row, **fields):
        """The unsolicited lines of a row of the profile (profiles/__init__.py says what they are)."""
        for line in self.profile[row]:
            if isinstance(line, tuple):
                setting, line = line
                if not self.state.session.get(setting):
                    continue
            self.say(line % fields if fields else line)

    def write(self, data):
        """Bytes as they are, outside of any answer."""
        if self.state.running:
            self.lines.write(data)

    async def prompt(self, length, text=None, until=None):
        """Ask the device for data; None when it gives up (dialogue.py)."""
        return await self.lines.speaking().dialogue.prompt(length, text, until)

    @property
    def online(self):
        """Whether a data call has the line, or one of its channels."""
        return any(terminal.online for terminal in self.lines.terminals())

    def note(self, event, **fields):
        """Tell the log."""
        self._log("modem", event, **fields)

    def _dialogue_log(self, event, **fields):
        if self._trace:
            self.note(event, **fields)

    def interfere(self, line):
        """What a fault makes of a command line (command_faults.py)."""
        return interfere(self, line)

    def _misfit(self):
        return self.state.baud != 0 and self.port.speed() not in (None, self.state.baud)

    def _silenced(self):
        return self.state.faults.mute or self.state.faults.stuck

    def _received(self, data):
        if self.state.running and not self._silenced():
            self.lines.feed(data)

    def _unplugged(self):
        self.note("unplugged")
        self.lines.unplugged()

    def _write(self, data):
        if not self._silenced():
            self.wire.said(data)
