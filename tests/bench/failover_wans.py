"""failover.*, failback.*, silent_loss.*, probe.*, flap50.*: two WANs in network namespaces, by the servers' own books.

Hot stand-by: both links are up and their sockets open. The floor is what a program of twenty lines needs that waits for
the kernel's word and sends one datagram over the other WAN, to an echo server, in the same namespaces and the same run.
One run an interpreter serves all these figures.
"""

import functools
import select
import socket
import statistics
import threading
import time

import two_wans

from pointsman.tools.faults import Fault
from pointsman.tools.firmware.launch import find_micropython

HOLD_MS = 1000
SPACING_S = 1.3  # the kernel tells of at most one change a second at once


def measure(quick=False, figure="hot"):
    """One row an interpreter (and one for the floor)."""
    reason = two_wans.missing()
    if reason:
        raise Fault("two WANs cannot be laid here: " + reason, "run it as root")
    if figure == "floor":
        values = _floor(4 if quick else 12)
        return [{"value": round(statistics.median(values), 2), "interpreter": "cpython", "n": len(values)}]
    interpreters = ["cpython"] + (["micropython"] if find_micropython() else [])
    return [dict(_figures(interpreter, quick)[figure], interpreter=interpreter) for interpreter in interpreters]


@functools.cache
def _figures(interpreter, quick):
    found = {}
    with two_wans.TwoWans({"fail_back_hold_ms": HOLD_MS, "flap_max_ms": 0}) as field:
        agent = _start(field, interpreter)
        out, back = [], []
        for _ in range(4 if quick else 12):
            for server, up, delays in (("platform", False, out), ("gw-1", True, back)):
                at = field.carrier("eth", up)
                delays.append((field.registered_at(server, at) - at) * 1000 - (HOLD_MS if up else 0))
                time.sleep(SPACING_S)
        found["hot"] = _row(statistics.median(out), out)
        found["hot_max"] = _row(max(out), out)
        found["failback"] = _row(statistics.median(back), back)
        registers = [entry["register_ms"] for entry in agent.entries("moved")]
        found["hot_register"] = _row(statistics.median(registers), registers)
        notices = [_silent(field) for _ in range(1 if quick else 3)]
        found["silent"] = _row(max(notices), notices)
        detects = [entry["ms"] for entry in agent.entries("silent") if entry["link"] == "eth"]
        found["silent_detect"] = _row(statistics.median(detects), detects)
        agent.stop()
    found["flaps"] = _flaps(interpreter, 10 if quick else 50)
    return found


def _row(value, values):
    return {"value": round(value, 2), "n": len(values)}


def _start(field, interpreter, **settings):
    agent = field.agent(interpreter, **settings)
    field.until(field.at_gateway, "the gateway's record")
    field.until(lambda: field.books.count(field.endpoint) >= 2, "readings")
    time.sleep(SPACING_S)
    return agent


def _silent(field):
    """The path swallows everything, with the product's own settings; ms until the platform has the device."""
    at = field.path("eth", False)
    notice = (field.registered_at("platform", at) - at) * 1000
    field.registered_at("gw-1", field.path("eth", True))
    time.sleep(SPACING_S)
    return notice


def _flaps(interpreter, count):
    """Moves of the registration in a minute of 50 flaps, with the product's own settings, and while it lasts."""
    with two_wans.TwoWans({"fail_back_hold_ms": 10000}) as field:
        _start(field, interpreter)
        before = len(_direct(field))
        for _ in range(count):
            for up in (False, True):
                field.carrier("eth", up)
                time.sleep(0.6)
        return {"value": len(_direct(field)) - before, "n": count}


def _direct(field):
    return [row for row in field.books.registrations(field.endpoint) if row.via is None]


def _floor(count):
    """ms from the pulled cable to the echo over the other WAN."""
    with two_wans.TwoWans() as field:
        echo = field.socket("platform", socket.AF_INET, socket.SOCK_DGRAM)
        echo.bind((two_wans.PLATFORM, 7))
        threading.Thread(target=_echo, args=(echo,), daemon=True).start()
        kernel = field.socket("device", socket.AF_NETLINK, socket.SOCK_RAW, 0)
        kernel.bind((0, 1))
        kernel.setblocking(False)
        wan = field.socket("device", socket.AF_INET, socket.SOCK_DGRAM)
        wan.setsockopt(socket.SOL_SOCKET, 25, b"wwan0\0")
        wan.connect((two_wans.PLATFORM, 7))
        wan.settimeout(5)
        values = [_round(field, kernel, wan) for _ in range(count)]
        wan.send(b"end")
        return values


def _round(field, kernel, wan):
    while select.select([kernel], [], [], 0)[0]:
        kernel.recv(4096)
    pulling = threading.Thread(target=lambda: at.append(field.carrier("eth", False)))
    at = []
    pulling.start()
    select.select([kernel], [], [], 5)
    wan.send(b"register")
    wan.recv(100)
    done = time.time()
    pulling.join()
    time.sleep(SPACING_S)
    field.carrier("eth", True)
    time.sleep(SPACING_S)
    return (done - at[0]) * 1000


def _echo(sock):
    data = b""
    while data != b"end":
        data, peer = sock.recvfrom(100)
        sock.sendto(data, peer)
