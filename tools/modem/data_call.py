"""One data call of the modem: the PPP server with a clock, and the network behind it."""

import asyncio

from .ppp_network import Relay
from .ppp_server import FAULTS, Server

DEFAULTS = {"auth": None, "user": "", "secret": "", "own": "10.64.0.1", "dns": ("10.64.0.1",), "mru": 1500}

HELD = 4096  # bytes


class DataCall:
    """write(bytes) goes to the device, ended(cause) is called once. `context`: whose address the device gets."""

    def __init__(self, modem, cid, write, ended):
        self.cid, self.online = cid, True
        self._modem, self._write, self._ended = modem, write, ended
        context, known = modem.state.context(cid), modem.ppp
        self.address, self._shown = context.address, ""
        self.server = Server(address=context.address, **known)
        self.server.fault = modem.state.faults.ppp
        self._timer = None
        if modem.tun:
            self.network = modem.tun
            modem.tun.use(self.address, self._deliver)
        else:
            self.network = Relay(modem.sockets.address, self.address, known["own"], self._deliver)

    def start(self):
        """CONNECT has been said."""
        self.server.start(self._now())
        self._flush()

    def go_on(self):
        """Back from commands to data."""
        self.online = True
        self._flush()

    def receive(self, data):
        """Bytes from the device."""
        self.server.receive(data, self._now())
        self._flush()

    def fault(self, name):
        """Break it: one of ppp_server.FAULTS, or "terminate"."""
        if name == "terminate":
            self.server.terminate(self._now())
        else:
            self.server.fault = name
        self._flush()

    def close(self):
        """Gone, without a word; ended() is not called."""
        self._ended = None
        if self._timer:
            self._timer.cancel()
        if self._modem.tun:
            self._modem.tun.use(None, None)
        else:
            self.network.close()

    def status(self):
        """What is true of it."""
        return {"cid": self.cid, "address": self.address, "state": self.server.state, "online": self.online,
                "sent": self.network.sent, "received": self.network.received,
                "dropped": self.network.dropped + self.server.lost}  # fmt: skip

    @staticmethod
    def _now():
        return round(asyncio.get_running_loop().time() * 1000)

    def _deliver(self, data):
        self._modem.air.carry(self._arrive, data)

    def _leave(self, data):
        if self._ended:
            self.network.packet(data)

    def _arrive(self, data):
        if self._ended:
            self.server.send(data)
            self._flush()

    def _flush(self):
        server = self.server
        packets, server.packets = server.packets, []
        for data in packets:
            self._modem.air.carry(self._leave, data)
        if server.output:
            if self.online:
                self._write(bytes(server.output))
            if self.online or len(server.output) > HELD:  # back in commands some is kept for the way back (ATO)
                server.output.clear()
        if server.state != self._shown:
            self._shown = server.state
            self._modem.note("ppp", state=server.state, address=self.address, cause=server.cause)
        if self._timer:
            self._timer.cancel()
        due = server.deadline()
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0, due - self._now()) / 1000, self._late)
        if server.state == "closed" and self._ended:
            ended, self._ended = self._ended, None
            ended(server.cause)

    def _late(self):
        self._timer = None
        self.server.poll(self._now())
        self._flush()


KINDS = FAULTS + ("terminate",)
