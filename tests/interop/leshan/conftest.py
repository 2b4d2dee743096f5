"""What the tests of this folder share: Leshan, another one, the router before it, and protected devices."""

import pytest
from leshan_servers import KEY, SCHEME, Agent, Leshan, need
from rebinding import Router


@pytest.fixture(scope="module")
def leshan(tmp_path_factory):
    servers = Leshan(tmp_path_factory.mktemp("leshan"), awake_ms=1000)
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def successor(tmp_path_factory):
    """A Leshan that knows nothing of what the other one has agreed."""
    servers = Leshan(tmp_path_factory.mktemp("successor"))
    yield servers
    servers.stop()


@pytest.fixture(params=["cpython", "micropython"])
def protected(request, tmp_path):
    """protected(security, name, uri, links, **settings): an agent with the key; it ends with the test."""
    interpreter, started = need(request.param), []

    def begin(security, name, uri, links=("any",), **settings):
        agent = Agent(interpreter, tmp_path / name, {
            "endpoint": name, "server_uri": uri, "security": security, "device_key": KEY, "lifetime_s": 60,
            "report_period_s": 3600, "manufacturer": "pointsman", **settings}, links)  # fmt: skip
        started.append(agent)
        return agent

    begin.name = lambda *words: "-".join([*words, interpreter])
    yield begin
    for agent in started:
        if agent.process.poll() is None:
            agent.cut()


@pytest.fixture
def router(leshan):
    """router(security): between the device and Leshan; its URI is in `uri`."""
    made = []

    def make(security):
        one = Router(leshan.place(security))
        one.uri = "%s://127.0.0.1:%d" % (SCHEME[security], one.address[1])
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
