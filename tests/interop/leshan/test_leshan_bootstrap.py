"""The agent is given its accounts by Leshan's bootstrap server, and registers with Leshan's server, under both
interpreters. Leshan deletes, writes instance after instance in the format that is asked for, and finishes."""

import pytest
from leshan_servers import JSON, SENML, TLV, Agent, Leshan, need, shown

FORMATS = {"tlv": TLV, "senml-json": JSON, "senml-cbor": SENML, "asked": None}


@pytest.fixture(scope="module")
def leshan(tmp_path_factory):
    servers = Leshan(tmp_path_factory.mktemp("leshan"))
    yield servers
    servers.stop()


@pytest.fixture(params=["cpython", "micropython"])
def start(request, tmp_path):
    """start(name, **settings): a new agent; its endpoint has the interpreter's name in it. It ends with the test."""
    interpreter, started = need(request.param), []

    def begin(name, **settings):
        agent = Agent(interpreter, tmp_path / name, {"endpoint": name, "insecure": True, "report_period_s": 10,
                                                     **settings})  # fmt: skip
        started.append(agent)
        return agent

    begin.name = lambda word: "%s-%s" % (word, interpreter)
    yield begin
    for agent in started:
        if agent.process.poll() is None:
            agent.cut()


def configuration(uri, format=None, server=None, security=None, **more):
    """Leshan's BootstrapConfig: one server of short id 123 at `uri`."""
    return {
        "contentFormat": format, "toDelete": ["/0", "/1"],
        "servers": {0: {"shortId": 123, "lifetime": 70, **(server or {})}},
        "security": {1: {"uri": uri, "securityMode": "NO_SEC", "serverId": 123, **(security or {})}},
        **more,
    }  # fmt: skip


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
def test_bootstrap_and_register(leshan, start, format):
    """LightweightM2M-1.1-int-0, in each format that Leshan writes; the account is kept over a power cut."""
    name = start.name("bs-%s" % format)
    leshan.tell("configure", name, config=configuration(leshan.uris["coap"], format))
    agent = start(name, bootstrap_uri=leshan.uris["bs-coap"])
    with shown(agent):
        leshan.event("bootstrap-end", name)
        assert leshan.event("registered", name)["lifetime"] == 70
    assert leshan.tell("read", name, "/1/0/0") == {"/1/0/0": 123}
    agent.cut()
    with leshan.brings("replaced", name):
        start(name, bootstrap_uri=leshan.uris["bs-coap"])
    assert leshan.count("bootstrap-end", name) == 1


def test_unknown_to_the_bootstrap_server(leshan, start):
    """LightweightM2M-1.1-int-0: refused at first, it asks again, and has its account once there is one."""
    name = start.name("early")
    agent = start(name, bootstrap_uri=leshan.uris["bs-coap"])
    with shown(agent):
        leshan.event("bootstrap-unknown", name)
        leshan.tell("configure", name, config=configuration(leshan.uris["coap"]))
        leshan.event("registered", name)


def test_impossible_configuration(leshan, start):
    """LightweightM2M-1.1-int-9: Finish is refused with 4.06, nothing of it is used, and the next one is taken."""
    name = start.name("impossible")
    leshan.tell("configure", name, config=configuration(leshan.uris["coap"], server={"lifetime": 1}))
    agent = start(name, bootstrap_uri=leshan.uris["bs-coap"])
    with shown(agent):
        assert "NOT_ACCEPTABLE" in leshan.event("bootstrap-error", name)["detail"]
        assert leshan.event("bootstrap-failed", name)["detail"] == "FINISH_FAILED"
        leshan.tell("configure", name, config=configuration(leshan.uris["coap"]))
        assert leshan.event("registered", name)["lifetime"] == 70
