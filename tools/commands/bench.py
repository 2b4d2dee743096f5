"""`pointsman bench`: every figure that we state, measured here and now, beside a peer's where there is one.

What is measured lies in tests/bench, one file a figure, each with a function `measure(quick)` that returns rows: dicts
with value, interpreter, n and, where there is one, peer and peer_value. The names below are stable: scripts may rely on
them.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path

from .. import faults, terminal
from ..faults import Fault

HELP = """\
examples:
  pointsman bench                              everything; takes some minutes
  pointsman bench --list                       what each figure means
  pointsman bench coap.roundtrips_per_s --json one JSON object a line
  pointsman bench heap.story_min_kib --quick   coarser, sooner
"""

LESS, MORE = "less", "more"

# name, meaning, unit, which is better, file of tests/bench, options of its measure()
FIGURES = (
    ("sim.day_s", "one simulated day with faults, every invariant checked after every event",
     "s", LESS, "sim_day", {}),
    ("heap.story_min_kib", "smallest MicroPython heap (64-bit) in which the lab's story passes, code loaded from .mpy",
     "KiB", LESS, "heap", {"form": "mpy"}),
    ("heap.story_romfs_min_kib", "the same with the code executed in place from a ROMFS image, as when frozen",
     "KiB", LESS, "heap", {"form": "romfs"}),
    ("coap.roundtrips_per_s", "confirmable requests and their answers over loopback UDP, one after the other",
     "1/s", MORE, "coap_roundtrips", {}),
    ("at.commands_per_s", "AT commands and their answers over a pseudo-terminal, one after the other",
     "1/s", MORE, "at_commands", {}),
    ("lab.failover_ms", "cable pulled to registered with the platform over 4G, by the servers' records, median",
     "ms", LESS, "failover", {}),
    ("failover.floor.median_ms", "two WANs in namespaces: cable pulled to an echo over the other WAN, no agent at all",
     "ms", LESS, "failover_wans", {"figure": "floor"}),
    ("failover.hot.median_ms", "hot stand-by: cable pulled to registered with the other server, by its books, median",
     "ms", LESS, "failover_wans", {"figure": "hot"}),
    ("failover.hot.max_ms", "the same, the longest",
     "ms", LESS, "failover_wans", {"figure": "hot_max"}),
    ("failover.hot.register_ms", "from the verdict to the answer to the registration, by the device's metrics, median",
     "ms", LESS, "failover_wans", {"figure": "hot_register"}),
    ("failback.median_ms", "cable back to registered with the gateway, beyond the fail-back hold, median",
     "ms", LESS, "failover_wans", {"figure": "failback"}),
    ("failover.warm.median_ms", "warm stand-by: cable pulled to registered over 4G, a dial taking 1.5 s, median",
     "ms", LESS, "failover", {"dial_ms": 1500}),
    ("failover.warm.dial_ms", "the phase of it until the modem is connected, by the device's metrics, median",
     "ms", LESS, "failover", {"dial_ms": 1500, "phase": "dial_ms"}),
    ("failover.warm.register_ms", "from there to the answer to the registration, by the device's metrics, median",
     "ms", LESS, "failover", {"dial_ms": 1500, "phase": "register_ms"}),
    ("failover.cold.median_ms", "cold stand-by (radio off): cable pulled to registered over 4G, a dial taking 1.5 s",
     "ms", LESS, "failover", {"dial_ms": 1500, "standby": "cold"}),
    ("silent_loss.detect_ms", "a silent path: from the last sign of life to the verdict, by the device's log, median",
     "ms", LESS, "failover_wans", {"figure": "silent_detect"}),
    ("silent_loss.notice_ms", "the path swallows all, carrier stays: until registered over the other WAN, longest",
     "ms", LESS, "failover_wans", {"figure": "silent"}),
    ("probe.bytes_per_month", "what probes cost on an idle metered link in 30 days, headers included",
     "B", LESS, "probe_month", {}),
    ("flap50.switches", "moves of the registration while a cable flaps 50 times in a minute",
     "", LESS, "failover_wans", {"figure": "flaps"}),
    ("lwm2m.bootstrap_bytes", "a bootstrap with one account, without security: UDP payload both ways",
     "B", LESS, "lwm2m_wire", {"figure": "bootstrap"}),
    ("lwm2m.register_bytes", "Register, NoSec, an endpoint of 10 characters, eight objects, and the format it prefers",
     "B", LESS, "lwm2m_wire", {"figure": "eight"}),
    ("lwm2m.register_all_bytes", "the same with all nine objects of a device with a modem",
     "B", LESS, "lwm2m_wire", {"figure": "register"}),
    ("lwm2m.update_bytes", "Update without security",
     "B", LESS, "lwm2m_wire", {"figure": "update"}),
    ("lwm2m.notify_bytes", "a notification of one number without security",
     "B", LESS, "lwm2m_wire", {"figure": "notify"}),
    ("lwm2m.send_bytes", "a report (Send) with one reading, its time and sequence, without security",
     "B", LESS, "lwm2m_wire", {"figure": "send"}),
    ("lwm2m.notify_alloc_bytes", "heap that is allocated for a notification of one number as SenML, .mpy",
     "B", LESS, "payload_cost", {"what": "notify"}),
    ("lwm2m.send_alloc_bytes", "the same for a report (Send) with ten readings",
     "B", LESS, "payload_cost", {"what": "send10"}),
    ("lwm2m.read_alloc_bytes", "the same for a Read of a whole device object, with the code that is loaded for it",
     "B", LESS, "payload_cost", {"what": "read_device"}),
    ("lwm2m.send_us", "time for a report (Send) with ten readings, from the readings to the datagram",
     "us", LESS, "payload_cost", {"what": "send10", "figure": "us"}),
    ("lwm2m.read_us", "time for a Read of a whole device object, from the request's datagram to the answer's",
     "us", LESS, "payload_cost", {"what": "read_device", "figure": "us"}),
    ("oscore.register_bytes", "Register under OSCORE as others measure it: a name of 2 characters, objects 1 and 3",
     "B", LESS, "lwm2m_wire", {"figure": "least", "security": "oscore"}),
    ("oscore.register_all_bytes", "the same of a whole device without a modem: five objects, and the format it prefers",
     "B", LESS, "lwm2m_wire", {"figure": "register", "security": "oscore"}),
    ("oscore.rebind_bytes", "Update under OSCORE after the device's address has changed, out",
     "B", LESS, "lwm2m_wire", {"figure": "rebind_bytes", "security": "oscore"}),
    ("dtls.handshake_bytes", "DTLS 1.2 handshake with a pre-shared key and Connection ID, both ways",
     "B", LESS, "lwm2m_wire", {"figure": "handshake", "security": "dtls"}),
    ("dtls.rebind_bytes", "Update under DTLS after the device's address has changed, out",
     "B", LESS, "lwm2m_wire", {"figure": "rebind_bytes", "security": "dtls"}),
    ("dtls.rebind_rtts", "round trips of that",
     "", LESS, "lwm2m_wire", {"figure": "rebind_rtts", "security": "dtls"}),
    ("dtls.seal_100_us", "sealing 100 bytes with AES-CCM-8",
     "us", LESS, "dtls_cost", {"figure": "seal"}),
    ("dtls.handshake_us", "a DTLS handshake, both ends in one process",
     "us", LESS, "dtls_cost", {"figure": "handshake"}),
    ("es256.verify_ms", "believing a signed policy: envelope and ES256 signature, the shortest of many",
     "ms", LESS, "es256_cost", {"figure": "verify"}),
    ("es256.heap_kib", "smallest MicroPython heap (64-bit) in which that passes, code from .mpy, nothing else there",
     "KiB", LESS, "es256_cost", {"figure": "heap"}),
    ("coldboot.rtts", "round trips from a power cut to the next registration with a kept DTLS session",
     "", LESS, "lwm2m_wire", {"figure": "cold_boot", "security": "dtls"}),
    ("group.10k.loss0.all_acked_s", "a policy to 10,000 emulated members, 2,000 answers a second: until the last",
     "s", LESS, "group_push", {}),
    ("group.10k.loss20.all_acked_s", "the same with 20 % lost each way",
     "s", LESS, "group_push", {"loss": 20}),
    ("group.10k.loss20.bytes_out", "what that sends, UDP payload",
     "B", LESS, "group_push", {"loss": 20, "figure": "bytes_out"}),
    ("group.10k.mixed.all_acked_s", "the same where 30 % of the members have no multicast",
     "s", LESS, "group_push", {"loss": 20, "deaf": 30}),
    ("group.500.all_acked_s", "a policy to 500 emulated members, beside what a oneM2M server takes for it",
     "s", LESS, "group_push", {"figure": "small"}),
    ("group.200.last_s", "one datagram to 200 MicroPython agents in namespaces, 15 s for the answers: until the last",
     "s", LESS, "street_push", {}),
    ("group.200.process_kib", "what each of those processes takes of the memory",
     "KiB", LESS, "street_push", {"figure": "process_kib"}),
    ("mqtt.5k.last_s", "a document through an MQTT broker to 5,000 subscribers, QoS 1: until the last has it",
     "s", LESS, "broker_push", {}),
    ("ack.intake_per_s", "acknowledgements over a socket of which none is missed, of 2,000, 4,000 and 8,000 a second",
     "1/s", MORE, "group_push", {"figure": "intake"}),
    ("hil.failover_ms", "virtual Raspberry Pi: cable pulled to registered over pppd, a dial taking 0.3 s, median",
     "ms", LESS, "hil_failover", {}),
)
NAMES = [figure[0] for figure in FIGURES]
KEYS = ("name", "value", "unit", "interpreter", "n", "peer", "peer_value")
FOLDER = Path(__file__).resolve().parents[2] / "tests" / "bench"


def arguments(parser):
    """The command's arguments."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures to measure (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line: " + ", ".join(KEYS))
    parser.add_argument("--list", action="store_true", help="say what each figure means, measure nothing")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and coarser steps")


def run(args):
    """Measure what was asked for. One figure that cannot be measured does not keep the others from being printed."""
    for name in args.names:
        if name not in NAMES:
            raise Fault("no figure is called %s" % name, faults.did_you_mean(name, NAMES), faults.USAGE)
    chosen = [figure for figure in FIGURES if figure[0] in (args.names or NAMES)]
    if args.list:
        return _list(chosen, args.json)
    if not FOLDER.is_dir():
        raise Fault("the benchmarks are part of the source checkout, not of the installed package",
                    "clone the repository and run `make bench` there")
    code = faults.OK
    for figure in chosen:
        try:
            _show(measured(figure, args.quick), args.json)
        except Fault as fault:
            print("pointsman: %s: %s" % (figure[0], fault), file=sys.stderr)
            code = fault.code
    return code


def measured(figure, quick=False):
    """[row] of one figure, each with exactly KEYS. Raises Fault where it cannot be measured."""
    name, _, unit, _, file, options = figure
    for folder in (str(FOLDER), str(FOLDER.parents[1])):  # a benchmark may import what lies beside it, and agent.x
        if folder not in sys.path:
            sys.path.insert(0, folder)
    if terminal.colourful(sys.stderr):
        print("measuring %s ..." % name, end="\r", file=sys.stderr, flush=True)
    try:
        rows = importlib.import_module(file).measure(quick=quick, **options)
    except subprocess.CalledProcessError as error:
        told = (str(error.stderr or error.stdout or "").strip() or "it said nothing").splitlines()[-1]
        raise Fault("a run failed: " + told, "run it by hand: " + " ".join(map(str, error.cmd))) from error
    return [{key: dict(row, name=name, unit=unit).get(key) for key in KEYS} for row in rows]


def _list(figures, as_json):
    for name, meaning, unit, better, _, _ in figures:
        if as_json:
            print(json.dumps({"name": name, "meaning": meaning, "unit": unit, "better": better}))
        else:
            print("%-26s %-4s %s is better: %s" % (name, unit, better, meaning))
    return faults.OK


def _show(rows, as_json):
    if as_json:
        for row in rows:
            print(json.dumps(row), flush=True)
        return
    most = max([number for row in rows for number in (row["value"], row["peer_value"]) if number] or [1])
    for row in rows:
        print(_line(row["name"], row["value"], row, most, "%s, n=%s" % (row["interpreter"], row["n"])), flush=True)
        if row["peer"]:
            print(_line("", row["peer_value"], row, most, row["peer"]), flush=True)


def _line(name, value, row, most, remark):
    text = "%-26s %10s %-4s" % (name, _number(value), row["unit"])
    if not sys.stdout.isatty():
        return text + " " + remark
    room = terminal.width() - len(text) - 36
    bar = "█" * max(1, round(room * (value or 0) / most))
    colour = ("\033[32m", "\033[0m") if name and terminal.colourful(sys.stdout) else ("", "")
    return "%s %s%-*s%s %s" % (text, colour[0], room, bar, colour[1], remark)


def _number(value):
    if value is None:
        return "-"
    return "%.3g" % value if value < 100 else "%.0f" % value
