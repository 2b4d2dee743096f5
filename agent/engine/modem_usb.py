"""The modem's own USB network as the data session: started and stopped by AT, the interface is the system's (Linux).

It takes the family's place for connect, active and disconnect; the serial port stays ours. A part of the modem engine.
"""

from ..codec import at_bearer
from ..errors import RemoteError
from ..table import find

# Family (what its file's name begins with): start, stop, read. %s is the APN. Those of Quectel and SIMCom are
# *not verified* on hardware; the others are ModemManager's.
_CALLS = """
quectel AT+QNETDEVCTL=1,1,1 AT+QNETDEVCTL=1,0,1 AT+QNETDEVCTL?
simcom AT$QCRMCALL=1,1 AT$QCRMCALL=0,1 AT$QCRMCALL?
telit AT#ECM=1,0 AT#ECMD=0 AT#ECM?
huawei AT^NDISDUP=1,1,"%s" AT^NDISDUP=1,0 AT^NDISSTATQRY?
cinterion AT^SWWAN=1,1,1 AT^SWWAN=0,1,1 AT^SWWAN?
fibocom AT+GTRNDIS=1,1 AT+GTRNDIS=0,1 AT+GTRNDIS?
"""
# Without one: quectelbg, simcom70, simcom7000
_UP_S = 30  # from the command until the network is there
_LOOK_MS = 10000


class UsbNet:
    """`modem` is the engine."""

    online = False  # the port is never given away

    def __init__(self, modem):
        self._modem = modem

    def start(self):
        """Nothing is to be done before."""
        return
        yield

    def connect(self, apn):
        """Start the network. Returns "" or why it was refused."""
        calls = self._calls()
        if not calls:
            return "no USB network"
        if apn:
            ok, lines = yield 'AT+CGDCONT=1,"IP","%s"' % apn
            if not ok:
                return lines[-1]
        if (yield from self.active()):
            yield calls[1]  # perhaps for another APN
        ok, lines = yield calls[0].replace("%s", apn)
        for _ in range(_UP_S if ok else 0):
            if (yield from self.active()):
                return ""
            yield 1000
        yield calls[1]
        return "no USB network" if ok else lines[-1]

    def active(self):
        """Whether the modem says that the network is there."""
        ok, lines = yield self._calls()[2]
        try:
            return ok and True in at_bearer.states(lines).values()
        except RemoteError:
            return False

    def wait(self):
        """While it is connected: look whether it still is."""
        yield _LOOK_MS
        if not (yield from self.active()) and self._modem.state == "connected":
            self._modem._drop("USB network lost")

    def disconnect(self):
        """Stop it."""
        calls = self._calls()
        if calls:
            yield calls[1]

    def rouse(self):
        """The port was never in data mode, so there is nothing to leave."""
        yield 0

    def forget(self):
        """The port has vanished, or the modem has restarted: nothing to give back."""

    def _calls(self):
        name = self._modem._channel.family.__name__.rpartition(".")[2]
        return find(_CALLS, name) or (find(_CALLS, "simcom") if name == "simcoma76" else None)
