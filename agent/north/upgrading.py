"""Joins the firmware update to the agent: blocks over the exchange, what is to be kept into the store, the restart.
Loaded when a server first touches object 5, or when an update was under way at the last start.
"""

from ..codec import coap
from ..engine.firmware import Firmware

_REFUSED = (coap.BAD_REQUEST, coap.UNAUTHORIZED, coap.FORBIDDEN, coap.NOT_FOUND, coap.NOT_ALLOWED)
_RESET_MS = 1000  # the answer has to get out
_TAG = 8  # bytes of an ETag (RFC 7252 5.10)
_OBSERVED = ((5, 0, 3), (5, 0, 5))


def firmware_of(agent):
    """The Firmware of an agent whose board has an installer."""
    if not agent.upgrade:
        agent.upgrade = Upgrade(agent)
        agent._compose()
    return agent.upgrade.firmware


def update(agent):
    """Install the package: at once, or when a policy lets us. RemoteError 4.05 unless there is one."""
    firmware_of(agent).update(bool(agent.upgrade.closed(agent)))


def resume(agent):
    """After a start, with something kept of an update, on a board with an installer."""
    firmware_of(agent).start()


class Upgrade:
    """The agent's engine `upgrade`."""

    _look_at = 0  # ms: the next look whether it may be installed

    def __init__(self, agent):
        self._agent = agent
        kept = agent.store.get("firmware")
        self.firmware = Firmware(agent.board.installer, kept, agent.settings.get("block_size"))
        self._handle = None

    def poll(self, now):
        firmware = self.firmware
        firmware.poll(now)
        if firmware.waits and now >= self._look_at:
            wait = self.closed(self._agent, now)
            self._look_at = now + wait * 1000
            if not wait:
                firmware.update()

    def deadline(self):
        """When poll() has something to do (ms), or None."""
        at = self.firmware.deadline()
        return at if not self.firmware.waits or (at is not None and at < self._look_at) else self._look_at

    def closed(self, agent, now=None):
        """As Timing.closed(): maintenance windows of a policy. What it says is not known yet right after a start."""
        if agent.timing:
            return agent.timing.closed(now)
        policing = getattr(agent, "policing", None)
        return int(bool(policing) and (policing.engine is None or policing.engine.changed))

    def take(self):
        return [("do",) + action for action in self.firmware.take()]

    def do(self, agent, now, what, *more):
        """One thing that the engine wants."""
        if what == "keep":
            self._keep(agent, now, more[0])
        elif what == "mark":
            agent.store.keep({"firmware": more[0]})
        elif what == "ask":
            self._ask(agent, now, *more)
        elif what == "resumed":
            agent.log.info(now, "firmware", what, at=more[0])
        else:
            self._install(agent, now)

    def answered(self, handle, response, now):
        """-> whether it was a block that we asked for, or the reason why there is none."""
        if handle != self._handle or handle is None:
            return False
        self._handle = None
        code = 0 if isinstance(response, str) else response.code
        if code == coap.INCOMPLETE:  # a server that remembers to whom it has sent the block before, and has not to us
            self.firmware.anew(now)
        elif code != coap.CONTENT:
            self.firmware.failed(code in _REFUSED, now)
        else:
            self._block(response, now)
        return True

    def _block(self, response, now):
        block = int.from_bytes(response.get(coap.BLOCK2) or b"\x06", "big")
        size, total = 16 << (block & 7), int.from_bytes(response.get(coap.SIZE2) or b"", "big")
        etag, data = (response.get(coap.ETAG) or b"")[:_TAG] or None, response.payload
        self.firmware.block((block >> 4) * size, bool(block & 8), total, etag, data, size, now)

    def _keep(self, agent, now, kept):
        agent.store.keep({"firmware": kept})
        agent.log.info(now, "firmware", self.firmware.state, result=self.firmware.result)
        for path in _OBSERVED:
            agent.north.changed(path, now)

    def _ask(self, agent, now, target, number, size):
        host, port, path, query = target
        link = agent.links.active
        if not link:
            return self.firmware.failed(False, now)
        exponent = 0
        while 16 << exponent < size:
            exponent += 1
        options = (coap.BLOCK2, coap.uint(number << 4 | exponent)), (coap.SIZE2, b"")
        self._handle = agent.exchange.request((link, host, port), coap.GET, path, now, query=query, options=options)

    def _install(self, agent, now):
        """True, False: installed or not, without a restart; None: one is needed."""
        try:
            well = agent.board.installer.install()
        except OSError as e:
            agent.log.error(now, "firmware", "not installed", error=str(e))
            well = False
        if well is None:
            agent._reset_at = now + _RESET_MS
        else:
            self.firmware.installed(well)
