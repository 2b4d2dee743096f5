"""ACME (PyPI acmecse), a CSE that is not ours, as a peer of group.500.all_acked_s: a document written once to the
fan-out point of a oneM2M group (TS-0001 10.2.7). Its members are containers, each of an application that has subscribed
to changes of its own over CoAP, as a meter would; it has the document when it has answered the notification.

ACME is installed once, into a venv inside this one: it brings some fifty packages.
"""

import base64
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

from agent.codec import coap
from pointsman.tools.faults import PROGRAM, Fault

NAME = "ACME, group fan-out"
_PACKAGE = "acmecse>=2026.5,<2026.6"
_START_S, _LONGEST_S = 60, 120
_RSC, _RQI, _OK = 307, 283, b"\x07\xd0"  # oneM2M's CoAP options and status 2000 (TS-0008 6.2.2)
_AE, _CONTAINER, _INSTANCE, _GROUP, _SUBSCRIPTION = 2, 3, 4, 9, 23  # resource types (TS-0004 6.3.4.2.1)

_CONFIG = """
[basic.config]
cseType=IN
cseID=id-in
cseName=cse-in
adminID=CAdmin
dataDirectory=${baseDirectory}
networkInterface=127.0.0.1
cseHost=127.0.0.1
httpPort=HTTP
logLevel=warning
databaseType=memory
consoleTheme=dark
[cse]
poa=http://127.0.0.1:HTTP
[coap]
enable=true
port=COAP
[cse.registration]
allowedAEOriginators=C*
[webui]
enable=false
[textui]
startWithTUI=False
[cse.statistics]
enable=false
[scripting]
fileMonitoringInterval=0
[logging]
enableFileLogging=true
enableScreenLogging=false
"""
# Its table of methods lacks an entry, without which each notification over CoAP ends in a KeyError.
_LAUNCH = """
import importlib, pathlib, sys
import acmecse
from acmecse.etc.Types import Operation
from coapthon import defines
root = pathlib.Path(acmecse.__path__[0])
path = next(root.rglob("CoAPthonTools.py")).relative_to(root.parent).with_suffix("")
table = importlib.import_module(".".join(path.parts)).operationsMethodsMap
table.setdefault(Operation.NOTIFY, defines.Codes.POST.number)
from acmecse.__main__ import main
sys.argv[0] = "acmecse"
main()
"""


def pushed(document, count):
    """Seconds from the one request until the last of so many members has answered. Raises Fault."""
    text = base64.b64encode(document).decode()
    with _started() as cse, contextlib.closing(_Meters(count, text.encode())) as meters:
        _enrol(cse, meters)
        told = []
        begun = time.monotonic()
        asking = threading.Thread(target=lambda: told.append(cse.create("cse-in/meters/fopt", _INSTANCE, con=text)))
        asking.start()
        took = meters.serve() - begun
        asking.join()
    if not told or [row["rsc"] for row in told[0]["m2m:agr"]["m2m:rsp"]] != [2001] * count:
        raise Fault("ACME has not written to all members of its group", "run it again")
    return took


def _enrol(cse, meters):
    """Each with a container for policies and a subscription to it; the group of the containers."""
    places = [("meter-%d" % port, port) for port in meters.ports]
    for name, port in places:
        who, own = "C" + name, "cse-in/" + name
        cse.create("cse-in", _AE, who, rn=name, api="Norg.example.meter", rr=True, srv=["4"],
                   poa=["coap://127.0.0.1:%d" % port])
        cse.create(own, _CONTAINER, who, rn="policy", mni=3)
        cse.create(own + "/policy", _SUBSCRIPTION, who, rn="s", nu=[who], nct=1, enc={"net": [3]})
    members = ["cse-in/%s/policy" % name for name, _ in places]
    cse.create("cse-in", _GROUP, rn="meters", mt=_CONTAINER, mnm=len(members), mid=members)


class _Meters:
    """So many sockets that answer each notification at once."""

    def __init__(self, count, text):
        self._text, self._poll, self._open = text, select.epoll(), {}
        for _ in range(count):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
            self._open[sock.fileno()] = sock
            self._poll.register(sock, select.EPOLLIN)
        self.ports = [sock.getsockname()[1] for sock in self._open.values()]

    def serve(self):
        """Until each has had the text; when the last one had answered (s)."""
        left, end = set(self._open), time.monotonic() + _LONGEST_S
        while left:
            if time.monotonic() > end:
                raise Fault("%d of ACME's members have heard nothing" % len(left), "run it again")
            left.difference_update([number for number, _ in self._poll.poll(1) if self._answered(self._open[number])])
        return time.monotonic()

    def _answered(self, sock):
        """Whether this was it: the first datagram of a notification, or a copy of it."""
        data, source = sock.recvfrom(4096)
        asked = coap.decode(data)
        options = [(_RQI, value) for number, value in asked.options if number == _RQI] + [(_RSC, _OK)]
        sock.sendto(coap.encode(coap.Message(coap.ACK, coap.CHANGED, asked.mid, asked.token, options)), source)
        return self._text in asked.payload

    def close(self):
        for sock in self._open.values():
            sock.close()
        self._poll.close()


class _Cse:
    """A CSE by its HTTP binding (TS-0009)."""

    def __init__(self, port):
        self._uri = "http://127.0.0.1:%d/" % port

    def create(self, path, kind, who="CAdmin", **values):
        """The resource that has been made, as ACME shows it. Raises Fault."""
        name = {_AE: "ae", _CONTAINER: "cnt", _INSTANCE: "cin", _GROUP: "grp", _SUBSCRIPTION: "sub"}[kind]
        return self._ask(path, who, json.dumps({"m2m:" + name: values}).encode(), ";ty=%d" % kind)

    def answers(self):
        with contextlib.suppress(Fault):
            return self._ask("cse-in", "CAdmin")

    def _ask(self, path, who, body=None, kind=""):
        headers = {"X-M2M-Origin": who, "X-M2M-RI": "1", "X-M2M-RVI": "4", "Content-Type": "application/json" + kind}
        request = urllib.request.Request(self._uri + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=_LONGEST_S) as answer:
                return json.load(answer)
        except (OSError, ValueError) as problem:
            told = problem.read(300).decode() if isinstance(problem, urllib.error.HTTPError) else problem
            raise Fault("ACME has not done %s: %s" % (path, told), "run it again") from problem


@contextlib.contextmanager
def _started():
    python = _installed()
    http, udp = _free(socket.SOCK_STREAM), _free(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "acme.ini").write_text(_CONFIG.replace("HTTP", str(http)).replace("COAP", str(udp)))
        words = ["--headless", "--base-directory", folder, "--config", "acme.ini", "--db-type", "memory"]
        process = subprocess.Popen([python, "-c", _LAUNCH, *words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            yield _ready(process, _Cse(http))
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _ready(process, cse):
    end = time.monotonic() + _START_S
    while not cse.answers():
        if process.poll() is not None or time.monotonic() > end:
            raise Fault("ACME does not start", "see what it says of a configuration like that")
        time.sleep(0.1)
    return cse


def _installed():
    """The Python that has it. Raises Fault."""
    folder = Path(sys.prefix, "peers", "acme")
    python = folder / ("bin/python" if os.name == "posix" else "Scripts/python.exe")
    done = folder / "installed"
    if not done.exists():
        venv.EnvBuilder(with_pip=True, clear=True).create(folder)
        made = subprocess.run([python, "-m", "pip", "install", "-q", _PACKAGE], capture_output=True, text=True)
        if made.returncode:
            raise Fault("acmecse cannot be installed: " + made.stderr.strip()[-200:], "pip install acmecse", PROGRAM)
        done.touch()
    return python


def _free(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
