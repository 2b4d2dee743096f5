"""lab.failover_ms, failover.warm.*, failover.cold.*: from the pulled cable to a registration at the platform, as the
servers' own records have it; the phases of it as the device's own metrics have them.

One device of the lab whose cable is pulled and put back again and again, its modem on warm standby: registered with
the mobile network, not connected; or cold: its radio off. Carrier is looked at every 20 ms, then the modem is dialled
over AT.
"""

import asyncio
import functools
import statistics
import time

from pointsman.tools.faults import Fault
from pointsman.tools.firmware.launch import find_micropython
from pointsman.tools.lab.options import Options
from pointsman.tools.lab.summary import delay_ms
from pointsman.tools.lab.yard import Yard

LIMIT_S = 30
REST_S = 1.5  # for the modem to stand by again


def measure(quick=False, dial_ms=None, standby="warm", phase=None):
    """One row an interpreter: the median of several fail-overs, or of one phase of them. dial_ms: how long the network
    takes for a dial."""
    interpreters = ["cpython"] + (["micropython"] if find_micropython() else [])
    return [_row(interpreter, 3 if quick else 9, dial_ms, standby, phase) for interpreter in interpreters]


def _row(interpreter, count, dial_ms, standby, phase):
    figures, moves = _figures(interpreter, count, dial_ms, standby)
    values = [move[phase] for move in moves] if phase else figures
    return {"value": round(statistics.median(values), 1), "interpreter": interpreter, "n": len(values)}


@functools.cache
def _figures(*case):
    return asyncio.run(_measure(*case))


async def _measure(interpreter, count, dial_ms, standby):
    moves = []

    def told(_actor, event, **fields):
        if event == "moved" and "dial_ms" in fields:
            moves.append(fields)

    yard = Yard(Options(interpreter, discovery="core", settings={"standby": standby}), told)
    try:
        await yard.start()
        device = yard.devices[0]
        if dial_ms is not None:
            device.modem._emulator.profile["ms"]["dial"] = dial_ms
        await yard.prepare(device)
        await device.agent.start()
        await _until(lambda: yard.at_gateway(device), "the gateway", device)
        delays = []
        for _ in range(count):
            await asyncio.sleep(REST_S)
            delays.append(await _fail_over(yard, device))
        return delays, moves
    finally:
        await yard.stop()


async def _fail_over(yard, device):
    """One there and back; ms until the platform had its direct record."""
    pulled_at = time.time()
    device.cable.pull()
    record = await _until(lambda: yard.direct(device), "the platform", device)
    device.cable.plug()
    await _until(lambda: yard.at_gateway(device) and not yard.direct(device), "the gateway", device)
    return delay_ms([record], pulled_at)


async def _until(check, who, device):
    deadline = time.monotonic() + LIMIT_S
    while not check():
        if not device.agent.alive or time.monotonic() > deadline:
            raise Fault("the device did not register with %s: %s" % (who, " ".join(list(device.agent.tail)[-1:])),
                        "run the story by hand: pointsman lab --once")
        await asyncio.sleep(0.01)
    return check()
