"""The agent and Leshan, without security: each operation and format that Leshan speaks, under both interpreters.

Leshan 2.0 implements LwM2M 1.1 and shares no code with us. One server process and one agent an interpreter serve the
tests; those that end a registration start an agent of their own.
"""

import pytest
from leshan_servers import CBOR, JSON, OPAQUE, SENML, TEXT, TLV, Agent, need, shown
from rebinding import Router

FORMATS = {"text": TEXT, "cbor": CBOR, "senml-json": JSON, "senml-cbor": SENML, "tlv": TLV}
STRUCTURED = {name: FORMATS[name] for name in ("senml-json", "senml-cbor", "tlv")}
single = pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
structured = pytest.mark.parametrize("format", STRUCTURED.values(), ids=STRUCTURED)
LIFETIME = "/1/0/1"


@pytest.fixture(scope="module", params=["cpython", "micropython"])
def interpreter(request):
    return need(request.param)


def settings(leshan, endpoint, **more):
    return {"endpoint": endpoint, "server_uri": leshan.uris["coap"], "insecure": True, "lifetime_s": 60,
            "report_period_s": 10, "manufacturer": "pointsman", **more}


@pytest.fixture(scope="module")
def device(leshan, interpreter, tmp_path_factory):
    """The endpoint of an agent that is registered, and stays so."""
    endpoint = "dev-" + interpreter
    agent = Agent(interpreter, tmp_path_factory.mktemp(interpreter), settings(leshan, endpoint, portfolio=True))
    with shown(agent):
        leshan.event("registered", endpoint)
        yield endpoint
        agent.leave()


@pytest.fixture
def another(leshan, interpreter, tmp_path):
    """another(**settings): an agent of this test's own, registered; it ends with the test. installer: its board's."""
    started = []

    def start(endpoint, installer="", **more):
        agent = Agent(interpreter, tmp_path / endpoint, settings(leshan, endpoint, **more), installer=installer)
        started.append(agent)
        with shown(agent):
            leshan.event("registered", endpoint)
        return agent

    yield start
    for agent in started:
        agent.cut() if agent.process.poll() is None else None


def test_register(leshan, device):
    """LightweightM2M-1.1-int-101: what Leshan made of the registration."""
    seen = leshan.event("registered", device)
    assert (seen["lifetime"], seen["version"], seen["binding"], seen["queue"]) == (60, "1.1", "U", False)
    assert seen["more"] == {} and "</3/0>" in seen["links"] and "</1/0>" in seen["links"] and "</0" not in seen["links"]


def test_update_on_trigger(leshan, device):
    """LightweightM2M-1.1-int-104."""
    with leshan.brings("updated", device):
        assert leshan.code("execute", device, "/1/0/8") == 204


def test_deregister(leshan, interpreter, another):
    """LightweightM2M-1.1-int-103: it leaves, and says so; started again it registers again."""
    name = "leaver-" + interpreter
    agent = another(name)
    with leshan.brings("unregistered", name):
        assert agent.leave() == 0
    with leshan.brings("registered", name):
        another(name)


def test_restart_replaces_the_registration(leshan, interpreter, another):
    name = "restarted-" + interpreter
    another(name).cut()
    with leshan.brings("replaced", name), leshan.brings("registered", name):
        another(name)


@single
def test_read_resource(leshan, device, format):
    """LightweightM2M-1.1-int-224, in each format."""
    assert leshan.tell("read", device, "/3/0/0", format=format) == {"/3/0/0": "pointsman"}
    assert leshan.tell("read", device, LIFETIME, format=format) == {LIFETIME: 60}


@structured
def test_read_instance_and_object(leshan, device, format):
    """LightweightM2M-1.1-int-222, 223."""
    instance = leshan.tell("read", device, "/3/0", format=format)
    assert instance["/3/0/0"] == "pointsman" and instance["/3/0/16"] == "U" and instance["/3/0/11/0"] == 0
    assert leshan.tell("read", device, "/3", format=format).keys() == instance.keys()


@single
def test_write_resource(leshan, device, format):
    """LightweightM2M-1.1-int-227, in each format; a changed lifetime is told with an Update (107)."""
    with leshan.brings("updated", device, lifetime=90):
        assert leshan.code("replace", device, LIFETIME, value=90, format=format) == 204
    with leshan.brings("updated", device, lifetime=60):
        assert leshan.code("replace", device, LIFETIME, value=60, format=format) == 204


@structured
def test_write_partially(leshan, device, format):
    """LightweightM2M-1.1-int-226."""
    assert leshan.code("update", device, "/1/0", values={"1": 75}, format=format) == 204
    assert leshan.tell("read", device, LIFETIME) == {LIFETIME: 75}
    assert leshan.code("update", device, "/1/0", values={"1": 60}, format=format) == 204


def test_write_refused(leshan, device):
    """LightweightM2M-1.1-int-256."""
    assert leshan.code("replace", device, LIFETIME, value=1, format=TEXT) == 400
    assert leshan.code("replace", device, "/3/0/0", value="somebody", format=TEXT) == 405
    assert leshan.tell("read", device, LIFETIME) == {LIFETIME: 60}


def test_security_is_hidden(leshan, device):
    """LightweightM2M-1.1-int-221."""
    for path in ("/0", "/0/0", "/0/0/0"):
        assert leshan.code("read", device, path) == 401, path
        assert leshan.code("discover", device, path) == 401, path


def test_nothing_there(leshan, device):
    for path in ("/9999", "/3/7", "/3/0/9999"):
        assert leshan.code("read", device, path) == 404, path
    assert leshan.code("read", device, "/3/0/4") == 405


@structured
def test_create_and_delete(leshan, device, format):
    """LwM2M 1.1 Core 6.3.6, 6.3.7, of the object of which servers make instances: Leshan hears of it in an Update."""
    path, whole = "/16/3", {"0": {"0": "host", "7": "maker"}}
    with leshan.brings("updated", device) as seen:
        assert leshan.code("create", device, "/16", instance=3, values=whole, format=format) == 201
    assert "<%s>" % path in seen[0]["links"]
    assert leshan.tell("read", device, path, format=SENML) == {path + "/0/0": "host", path + "/0/7": "maker"}
    assert leshan.code("create", device, "/16", instance=3, values=whole, format=format) == 400  # it is there
    assert leshan.code("create", device, "/16", instance=4, values={}, format=format) == 400  # and that one is empty
    with leshan.brings("updated", device) as seen:
        assert leshan.code("delete", device, path) == 202
    assert "</16/" not in seen[0]["links"]
    assert leshan.code("read", device, path) == 404 and leshan.code("delete", device, path) == 404


def test_create_without_id(leshan, device):
    """LwM2M 1.1 Core 6.3.6: the device chooses the id. Only with TLV, where an instance needs none."""
    for place in ("/16/0", "/16/1"):
        made = leshan.ask("create", device, "/16", values={"0": {"0": place}}, format=TLV)
        assert (made["code"], made["location"]) == (201, place[1:])
    assert leshan.tell("read", device, "/16", format=SENML) == {"/16/0/0/0": "/16/0", "/16/1/0/0": "/16/1"}
    for place in ("/16/0", "/16/1"):
        assert leshan.code("delete", device, place) == 202


def test_create_and_delete_refused(leshan, device):
    """Of objects that are the device's own."""
    assert leshan.code("create", device, "/3", instance=1, values={"0": "somebody"}, format=TLV) == 405
    assert leshan.code("delete", device, "/3/0") == 405


def test_discover(leshan, device):
    """LightweightM2M-1.1-int-260: Leshan's parser takes the links."""
    links = leshan.ask("discover", device, "/3")["links"]
    assert "</3/0/0>" in links and "</3/0/4>" in links and "</1" not in links
    assert leshan.ask("discover", device, "/3/0/16")["links"].startswith("[</3/0/16>")


@structured
def test_observe(leshan, device, format):
    """LightweightM2M-1.1-int-301, 303: observed, notified, and cancelled by Observe=1."""
    assert leshan.tell("observe", device, LIFETIME, format=format) == {LIFETIME: 60}
    for value in (70, 60):
        with leshan.brings("notified", device, path=LIFETIME, values={LIFETIME: value}):
            leshan.tell("replace", device, LIFETIME, value=value, format=TEXT)
    assert leshan.tell("unobserve", device, LIFETIME) == {LIFETIME: 60}
    quiet_about_changes(leshan, device)


def test_cancel_by_reset(leshan, device):
    """LightweightM2M-1.1-int-302."""
    leshan.tell("observe", device, LIFETIME)
    leshan.tell("cancel", device, LIFETIME)
    quiet_about_changes(leshan, device)


def quiet_about_changes(leshan, device):
    """Changes that nobody is told of; the Updates that they cause come after what would be told."""
    before = len(leshan.events)
    for value in (80, 60):
        with leshan.brings("updated", device, lifetime=value):
            leshan.tell("replace", device, LIFETIME, value=value, format=TEXT)
    assert not leshan.count("notified", device, before)


@pytest.mark.parametrize("format", [JSON, SENML], ids=["senml-json", "senml-cbor"])
def test_composite(leshan, device, format):
    """LightweightM2M-1.1-int-229, 230, 236: several places at a time; what is not there is left out."""
    both, missing = {"/3/0/0": "pointsman", LIFETIME: 60}, "/3/0/9999"
    assert leshan.tell("read-composite", device, paths=list(both), format=format) == both
    found = leshan.tell("read-composite", device, paths=[*both, missing], format=format)
    assert found == {**both, missing: None}
    for value in (85, 60):
        with leshan.brings("updated", device, lifetime=value):
            assert leshan.code("write-composite", device, values={LIFETIME: value}, format=format) == 204


@pytest.mark.parametrize("format", [JSON, SENML], ids=["senml-json", "senml-cbor"])
def test_observe_composite(leshan, device, format):
    """LightweightM2M-1.1-int-304, 305."""
    assert leshan.tell("observe-composite", device, paths=["/3/0/0", LIFETIME], format=format)[LIFETIME] == 60
    for value in (70, 60):
        with leshan.brings("notified", device, values={"/3/0/0": "pointsman", LIFETIME: value}):
            leshan.tell("replace", device, LIFETIME, value=value, format=TEXT)
    leshan.tell("unobserve", device, "")
    quiet_about_changes(leshan, device)


def test_attributes(leshan, device):
    """LightweightM2M-1.1-int-261: seen by Discover, obeyed by what is observed, taken off again."""
    assert leshan.code("attributes", device, LIFETIME, attributes="gt=100&st=20") == 204
    links = leshan.ask("discover", device, "/1/0")["links"]
    assert "</1/0/1>;gt=100" in links and "st=20" in links
    leshan.tell("observe", device, LIFETIME)
    with leshan.brings("notified", device, path=LIFETIME, values={LIFETIME: 130}):
        for value in (65, 130):  # the first one is too little of a change
            leshan.tell("replace", device, LIFETIME, value=value, format=TEXT)
    assert leshan.tell("unobserve", device, LIFETIME) == {LIFETIME: 130}
    leshan.tell("replace", device, LIFETIME, value=60, format=TEXT)
    assert leshan.code("attributes", device, LIFETIME, attributes="gt&st") == 204
    assert "gt=" not in leshan.ask("discover", device, "/1/0")["links"]


def test_longest_period(leshan, device):
    """Core 5.1.2: with pmax the value comes though it has not changed."""
    assert leshan.code("attributes", device, "/3/0/16", attributes="pmin=0&pmax=1") == 204
    leshan.tell("observe", device, "/3/0/16")
    with leshan.brings("notified", device, path="/3/0/16", values={"/3/0/16": "U"}):
        pass
    leshan.tell("unobserve", device, "/3/0/16")
    assert leshan.code("attributes", device, "/3/0/16", attributes="pmin&pmax") == 204


def test_queue_mode(leshan, interpreter, another):
    """LightweightM2M-1.1-int-108, 109: Leshan keeps quiet until it hears of the device again."""
    name = "queued-" + interpreter
    another(name, lifetime_s=10)
    since = len(leshan.events)
    assert leshan.code("replace", name, "/1/0/7", value="UQ", format=TEXT) == 204
    seen = leshan.event("asleep", name, since)
    assert "ClientSleeping" in leshan.ask("read", name, "/3/0/0").get("raised", "")
    leshan.event("awake", name, leshan.events.index(seen))
    assert leshan.tell("read", name, "/3/0/0") == {"/3/0/0": "pointsman"}


def test_firmware(leshan, interpreter, another, tmp_path):
    """Object 5: Leshan pushes a package block by block, and has it installed."""
    name, package = "upgraded-" + interpreter, bytes(range(256)) * 20
    program, installed = tmp_path / "install", tmp_path / "installed"
    program.write_text('#!/bin/sh\n[ $1 = check ] && printf "meter\\n1.1\\n" || cp "$2" %s\n' % installed)
    program.chmod(0o700)
    another(name, installer=str(program))
    assert leshan.tell("read", name, "/5/0/3") == {"/5/0/3": 0}
    assert leshan.code("replace", name, "/5/0/0", value=package.hex(), format=OPAQUE) == 204
    assert leshan.tell("read", name, "/5/0/3") == {"/5/0/3": 2}
    assert leshan.tell("read", name, "/5/0/7") == {"/5/0/7": "1.1"}
    assert leshan.code("execute", name, "/5/0/2") == 204
    assert leshan.tell("read", name, "/5/0/5") == {"/5/0/5": 1} and installed.read_bytes() == package


def test_address_changes_without_security(leshan, interpreter, another):
    """Leshan's DynamicIP: it does not know who sends from the new address, so the device makes itself known anew, and
    the reading that was refused arrives (W4)."""
    name = "moved-" + interpreter
    way = Router(leshan.place("none"))
    try:
        another(name, server_uri="coap://127.0.0.1:%d" % way.address[1], probe_ms=0, report_period_s=5)
        way.rebind("127.0.0.9")
        sent = leshan.event("sent", name)
    finally:
        way.stop()
    assert sent["address"] == "127.0.0.9" and leshan.count("sent", name) == 1


def test_reboot(leshan, interpreter, another):
    """LightweightM2M-1.1-int-241: answered first, then it registers anew."""
    name = "rebooted-" + interpreter
    another(name)
    with leshan.brings("replaced", name):
        assert leshan.code("execute", name, "/3/0/4") == 204


def test_send(leshan, device):
    """LightweightM2M-1.1-int-306: the shared device's readings arrive, with their time."""
    seen = leshan.event("sent", device)
    assert list(seen["values"]) == ["/3331/0/5700"] and seen["time"] > 1_600_000_000
