"""The agent is given its accounts by Leshan's bootstrap server, and registers with Leshan's server, under both
interpreters. Leshan deletes, writes instance after instance in the format that is asked for, and finishes."""

import base64
import itertools

import pytest
from leshan_servers import JSON, SCHEME, SENML, TEXT, TLV, Agent, name_of, need, shown, trust

OWN, GIVEN = "0f" * 16, "a1" * 16  # the keys that a device is born with, and is given
WAYS = list(itertools.product(["none", "dtls", "oscore"], repeat=2))[1:]
CONTEXT = {"none": {}, "dtls": {}, "oscore": {"sender": b"srv".hex(), "salt": b"salt".hex()}}
FORMATS = {"tlv": TLV, "senml-json": JSON, "senml-cbor": SENML, "asked": None}


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


def test_discovered_first(leshan, start):
    """Bootstrap-Discover: Leshan looks for free instances of object 0 before it writes there, and deletes all else."""
    name = start.name("discovered")
    whole = {**configuration(leshan.uris["coap"]), "autoIdForSecurityObject": True, "toDelete": ["/"]}
    leshan.tell("configure", name, config=whole)
    agent = start(name, bootstrap_uri=leshan.uris["bs-coap"])
    with shown(agent):
        leshan.event("bootstrap-done", name, detail="BootstrapDiscoverRequest /")
        leshan.event("bootstrap-done", name, detail="BootstrapDeleteRequest /")
        leshan.event("registered", name)


def test_asked_for_by_the_server(leshan, start):
    """LightweightM2M-1.1-int-5: Execute /1/x/9, and the device has another account; the bootstrap server's stays."""
    name = start.name("triggered")
    leshan.tell("configure", name, config=configuration(leshan.uris["coap"]))
    agent = start(name, bootstrap_uri=leshan.uris["bs-coap"])
    with shown(agent):
        assert leshan.event("registered", name)["lifetime"] == 70
        for lifetime in (80, 90):
            leshan.tell("configure", name, config=configuration(leshan.uris["coap"], server={"lifetime": lifetime}))
            with leshan.brings("registered", name, lifetime=lifetime):
                assert leshan.code("execute", name, "/1/0/9") == 204
    assert leshan.count("bootstrap-end", name) == 3


def two_servers(leshan, *rights):
    """The configuration of two servers, with rights of the first one: (object, instance, owner, sum of rights)."""
    acls = {number: {"objectId": oid, "objectInstanceId": instance, "AccessControlOwner": owner, "acls": {123: sum}}
            for number, (oid, instance, owner, sum) in enumerate(rights)}  # fmt: skip
    two = configuration(leshan.uris["coap"], acls=acls)
    two["servers"][1] = {"shortId": 124, "lifetime": 70}
    two["security"][2] = {"uri": "coap://127.0.0.1:9", "securityMode": "NO_SEC", "serverId": 124}
    return two


def test_access_control(leshan, start):
    """Core 8: with two servers in its configuration the device asks object 2 what each may do."""
    name = start.name("access")
    leshan.tell("configure", name, config=two_servers(leshan, (3, 0, 123, 1), (1, 0, 123, 3)))
    agent = start(name, bootstrap_uri=leshan.uris["bs-coap"])
    with shown(agent):
        leshan.event("registered", name)
        assert leshan.tell("read", name, "/2/0/2")
        assert leshan.code("read", name, "/3/0/16") == 205 and leshan.code("execute", name, "/3/0/4") == 401
        assert leshan.code("replace", name, "/1/0/1", value=80, format=TEXT) == 204
        assert leshan.code("read", name, "/1/1") == 401


@pytest.mark.parametrize("rights", [16, 15], ids=["creator", "others"])
def test_access_to_instances(leshan, start, rights):
    """Core 8.2.2: only who has the right to create makes an instance, and it is the owner's to read and to delete."""
    name, host = start.name("owner-%d" % rights), {"0": {"0": "host"}}
    leshan.tell("configure", name, config=two_servers(leshan, (16, 65535, 65535, rights)))
    agent = start(name, bootstrap_uri=leshan.uris["bs-coap"], portfolio=True)
    with shown(agent):
        leshan.event("registered", name)
        code = leshan.code("create", name, "/16", instance=2, values=host, format=SENML)
        if rights & 16:
            assert code == 201 and leshan.tell("read", name, "/16/2", format=SENML) == {"/16/2/0/0": "host"}
            owned = leshan.tell("read", name, "/2/1", format=SENML)
            assert (owned["/2/1/0"], owned["/2/1/1"], owned["/2/1/3"]) == (16, 2, 123)
            assert leshan.code("delete", name, "/16/2") == 202 and leshan.code("read", name, "/2/1") == 404
        else:
            assert code == 401 and leshan.code("delete", name, "/16/2") == 401


def protected(name, security, uri, key=None):
    """The configuration, with a new key for the server; the device's way to the bootstrap server stays."""
    if security == "none":
        return configuration(uri)
    given = base64.b64encode(bytes.fromhex(key or GIVEN)).decode()
    if security == "dtls":
        identity = base64.b64encode(name.encode()).decode()
        return configuration(uri, security={"securityMode": "PSK", "publicKeyOrId": identity, "secretKey": given})
    context = {"oscoreMasterSecret": given, "oscoreSenderId": base64.b64encode(name_of(name)).decode(),
               "oscoreRecipientId": base64.b64encode(b"srv").decode(), "oscoreAeadAlgorithm": 10,
               "oscoreHmacAlgorithm": -10, "oscoreMasterSalt": base64.b64encode(b"salt").decode()}  # fmt: skip
    return configuration(uri, security={"oscoreSecurityMode": 7}, oscore={7: context})


@pytest.mark.parametrize("ways", WAYS, ids=["%s-then-%s" % ways for ways in WAYS])
def test_keys_from_a_bootstrap(leshan, start, ways):
    """LightweightM2M-1.1-int-1 and Leshan's SecureBootstrap, OscoreBootstrap: by a way without, with a key or under
    OSCORE the device is given a server of any kind; the keys last over a power cut."""
    first, then = ways
    name = start.name("-".join(("keys", *ways)))
    trust(leshan, first, name, OWN, bootstrap=True)
    trust(leshan, then, name, GIVEN, **CONTEXT[then])
    leshan.tell("configure", name, config=protected(name, then, leshan.uris[SCHEME[then]]))
    settings = {"bootstrap_uri": leshan.uris["bs-" + SCHEME[first]], "insecure": "none" in ways, "security": first,
                "device_key": OWN, "manufacturer": "pointsman"}  # fmt: skip
    agent = start(name, **settings)
    with shown(agent):
        leshan.event("bootstrap-end", name)
        seen = leshan.event("registered", name)
        assert {"none": "unsecure", "dtls": "psk=" + name, "oscore": "oscore="}[then] in seen["identity"]
        assert leshan.tell("read", name, "/3/0/0") == {"/3/0/0": "pointsman"}
        assert [leshan.code("read", name, path) for path in ("/0", "/21")] == [401, 401]
        agent.cut()
        since = len(leshan.events)
    agent = start(name, **settings)
    with shown(agent):
        leshan.event("registered", name, since)
    assert leshan.count("bootstrap-end", name) == 1
    assert OWN not in agent.said() and GIVEN not in agent.said()


@pytest.mark.parametrize("security", ["dtls", "oscore"])
def test_new_keys(leshan, start, security):
    """Keys change by a bootstrap that the server asks for, under the old ones; with the new ones the device is back.
    (By DTLS: Leshan's bootstrap server begins its OSCORE numbers again at 0 each time, replays to us.)"""
    name = start.name("rotated-" + security)
    uri = leshan.uris[SCHEME[security]]
    trust(leshan, "dtls", name, OWN, bootstrap=True)
    trust(leshan, security, name, GIVEN, **CONTEXT[security])
    leshan.tell("configure", name, config=protected(name, security, uri))
    agent = start(name, bootstrap_uri=leshan.uris["bs-coaps"], security="dtls", device_key=OWN, insecure=False)
    with shown(agent):
        leshan.event("registered", name)
        agent.waits_for('"event": "registered"')
        leshan.tell("configure", name, config=protected(name, security, uri, "77" * 16))
        with leshan.brings("registered", name):
            assert leshan.code("execute", name, "/1/0/9") == 204
            leshan.tell("distrust", name)  # else it goes on with the keys that it has derived
            trust(leshan, security, name, "77" * 16, **CONTEXT[security])
        assert leshan.tell("read", name, "/1/0/0") == {"/1/0/0": 123}
