"""`pointsman agent` and a standard LwM2M 1.1 server: reading, writing, executing, discovering."""

import json

import cbor2
import pytest
from aiocoap.numbers.codes import Code
from lwm2m_values import BN, CBOR, JSON, LINKS, LWM2M_CBOR, LWM2M_JSON, OPAQUE, SENML, TEXT, TLV, VS, N, V, packed

DEVICE = {0: "maker", 1: "model-1", 2: "serial-1", 3: "1.2.3"}


@pytest.fixture(scope="module")
def options():
    names = ("manufacturer", "model", "serial", "firmware")
    return {"options": [word for rid, name in enumerate(names) for word in ("--set", f"{name}={DEVICE[rid]}")]}


def holds(found):
    """What the Device object says."""
    assert {path: found[path] for path in found if path in ("/3/0/0", "/3/0/1", "/3/0/2", "/3/0/3")} == {
        f"/3/0/{rid}": value for rid, value in DEVICE.items()}
    assert found["/3/0/16"] == "U" and found["/3/0/11/0"] == 0
    assert all(path.startswith("/3/0/") for path in found)


def test_querying_in_plain_text(device):
    """LightweightM2M-1.1-int-201 Querying basic information in Plain Text format."""
    for rid, value in DEVICE.items():
        assert device.text(f"/3/0/{rid}") == value
    assert device.text("/3/0/16") == "U" and device.text(device.account + "/1") == "60"


def test_querying_in_tlv(device):
    """LightweightM2M-1.1-int-203 Querying basic information in TLV format."""
    holds(device.read("/3/0", TLV))
    assert device.read(device.account, TLV)[device.account + "/1"] == 60
    assert device.get(device.account + "/1", TLV).payload == b"\xc1\x01\x3c"


def test_setting_in_plain_text(device):
    """LightweightM2M-1.1-int-205 Setting basic information in Plain Text format."""
    for rid, value, before in ((2, b"101", b"0"), (3, b"1010", b"0"), (1, b"90", b"60")):
        for payload in (value, before):
            assert device.put(f"{device.account}/{rid}", payload) == Code.CHANGED
            assert device.text(f"{device.account}/{rid}") == payload.decode()


def test_querying_in_cbor(device):
    """LightweightM2M-1.1-int-211 Querying basic information in CBOR format."""
    assert device.read(device.account + "/0", CBOR) == {device.account + "/0": 1}
    assert device.read(device.account + "/6", CBOR) == {device.account + "/6": True}
    assert device.read(device.account + "/7", CBOR) == {device.account + "/7": "U"}


def test_setting_in_cbor(device):
    """LightweightM2M-1.1-int-212 Setting basic information in CBOR format."""
    for rid, value, before in ((2, 101, 0), (3, 1010, 0), (6, False, True)):
        for one in (value, before):
            path = f"{device.account}/{rid}"
            assert device.put(path, cbor2.dumps(one), CBOR) == Code.CHANGED
            assert device.read(path, CBOR) == {path: one}


def settable(device, format):
    """Partial update of the Server object in a format, then of a resource alone, and back."""
    instance = device.account
    for changes in ({1: 90, 2: 101, 3: 1010, 6: False}, {1: 60, 2: 0, 3: 0, 6: True}):
        wanted = {f"{instance}/{rid}": value for rid, value in changes.items()}
        assert device.post(instance, packed(format, wanted), format) == Code.CHANGED
        found = device.read(instance, format)
        assert {path: found[path] for path in wanted} == wanted and found[instance + "/0"] == 1
    for value in (61, 60):
        path = instance + "/1"
        assert device.put(path, packed(format, {path: value}), format) == Code.CHANGED
        assert device.read(path, format) == {path: value}


def test_setting_in_tlv(device):
    """LightweightM2M-1.1-int-215 Setting basic information in TLV format."""
    settable(device, TLV)


def test_querying_in_json(device):
    """LightweightM2M-1.1-int-204 Querying basic information in JSON format, which is that of 1.0."""
    holds(device.read("/3/0", LWM2M_JSON))
    assert device.read(device.account + "/1", LWM2M_JSON) == {device.account + "/1": 60}


def test_setting_in_json(device):
    """LightweightM2M-1.1-int-220 Setting basic information in JSON format."""
    settable(device, LWM2M_JSON)


def test_in_lwm2m_cbor(device):
    """1.2 Core 7.4.7: as 203 and 215, in LwM2M CBOR."""
    holds(device.read("/3/0", LWM2M_CBOR))
    settable(device, LWM2M_CBOR)


def test_security_is_not_for_servers(device):
    """LightweightM2M-1.1-int-221 Attempt to perform operations on Security: 4.01 to all of them."""
    for path in ("/0", "/0/0", "/0/0/0"):
        assert device.get(path).code == Code.UNAUTHORIZED
        assert device.get(path, LINKS).code == Code.UNAUTHORIZED
        assert device.ask(Code.GET, path, observe=0).code == Code.UNAUTHORIZED
    assert device.put("/0/0/0", b"coap://evil") == Code.UNAUTHORIZED
    assert device.post("/0/0/3") == Code.UNAUTHORIZED
    assert device.ask(Code.DELETE, "/0/0").code in (Code.UNAUTHORIZED, Code.METHOD_NOT_ALLOWED)


def test_read_on_object(device):
    """LightweightM2M-1.1-int-222 Read on Object."""
    holds(device.read("/3"))
    assert device.read("/1")[device.account + "/1"] == 60


def test_read_on_object_instance(device):
    """LightweightM2M-1.1-int-223 Read on Object Instance."""
    holds(device.read("/3/0"))
    found = device.read(device.account)
    assert found[device.account + "/1"] == 60 and found[device.account + "/7"] == "U"
    assert device.account + "/8" not in found  # executable


def test_read_on_resource(device):
    """LightweightM2M-1.1-int-224 Read on Resource, in each format that one value can be had in."""
    path = device.account + "/1"
    for format, value in ((TEXT, "60"), (CBOR, 60), (SENML, 60), (JSON, 60), (TLV, 60), (LWM2M_CBOR, 60)):
        assert device.read(path, format) == {path: value}


def test_read_on_resource_instance(device):
    """LightweightM2M-1.1-int-225 Read on Resource Instance."""
    assert device.text("/3/0/11/0") == "0" and device.read("/3/0/11/0") == {"/3/0/11/0": 0}


def test_what_is_not_there_is_not_found(device):
    """Core 6.3.1: 4.04, 4.05 and 4.06 where they belong."""
    for path in ("/3/1", "/3/0/9999", "/9999", "/1/65535", "/3/0/16/5", "/3/0/11/7"):
        assert device.get(path).code == Code.NOT_FOUND, path
    assert device.get("/3/0/4").code == Code.METHOD_NOT_ALLOWED
    assert device.get("/3/0/16", 9999).code == Code.NOT_ACCEPTABLE
    assert device.get("/3/0/16", OPAQUE).code == Code.NOT_ACCEPTABLE


def test_partial_update_of_an_instance(device):
    """LightweightM2M-1.1-int-226 Write (Partial Update) on Object Instance: what is not named stays."""
    instance, before = device.account, device.read(device.account)
    for lifetime, storing in ((90, False), (60, True)):
        rows = cbor2.dumps([{BN: instance + "/", N: "1", V: lifetime}, {N: "6", 4: storing}])
        assert device.post(instance, rows, SENML) == Code.CHANGED
        assert device.read(instance) == {**before, instance + "/1": lifetime, instance + "/6": storing}


def test_replacing_a_resource(device):
    """LightweightM2M-1.1-int-227 Write (replace) on Resource: the registration follows."""
    path = device.account + "/1"
    for payload in (b"63", b"60"):
        with device.once_more("update"):
            assert device.put(path, payload) == Code.CHANGED
        assert device.client.lifetime == int(payload) and device.text(path) == payload.decode()


@pytest.mark.parametrize("format", (JSON, SENML))
def test_querying_in_senml(device, format):
    """LightweightM2M-1.1-int-231 Querying basic information in SenML JSON format; -int-232 in SenML CBOR format."""
    holds(device.read("/3/0", format))
    assert device.read("/1", format)[device.account + "/1"] == 60
    assert device.read("/3/0/16", format) == {"/3/0/16": "U"}
    assert device.read("/3/0/11/0", format) == {"/3/0/11/0": 0}


@pytest.mark.parametrize("format", (SENML, JSON))
def test_setting_in_senml(device, format):
    """LightweightM2M-1.1-int-233 Setting basic information in SenML CBOR format; -int-234 in SenML JSON format."""
    settable(device, format)


def test_read_without_accept(device):
    """LightweightM2M-1.1-int-237 Read on Object without specifying Content-Type: a format of the client's choice."""
    found = device.get("/3", None)
    assert found.code == Code.CONTENT and found.format in (SENML, JSON)
    holds(found.values)
    assert device.get("/3/0/16", None).value == "U"


def test_write_operation_failure(device):
    """LightweightM2M-1.1-int-256 Write Operation Failure: nothing is changed."""
    instance = device.account
    path = instance + "/1"
    for payload, format, expected in [
        (b"often", TEXT, Code.BAD_REQUEST), (b"", TEXT, Code.BAD_REQUEST), (b"-1", TEXT, Code.BAD_REQUEST),
        (cbor2.dumps("often"), CBOR, Code.BAD_REQUEST), (b"\xff\xff", CBOR, Code.BAD_REQUEST),
        (cbor2.dumps([{BN: path, VS: "often"}]), SENML, Code.BAD_REQUEST), (b"\x81", SENML, Code.BAD_REQUEST),
        (json.dumps([{"bn": path, "vs": "often"}]).encode(), JSON, Code.BAD_REQUEST), (b"[", JSON, Code.BAD_REQUEST),
        (b"\xc2\x01\x3c", TLV, Code.BAD_REQUEST), (b"60", LINKS, Code.UNSUPPORTED_CONTENT_FORMAT),
    ]:
        assert device.put(path, payload, format) == expected, payload
    assert device.put(path, cbor2.dumps([{BN: instance + "/9999", V: 1}]), SENML).class_ == 4
    half = cbor2.dumps([{BN: instance + "/", N: "1", V: 77}, {N: "7", V: 5}])
    assert device.post(instance, half, SENML) == Code.BAD_REQUEST
    assert device.put(instance + "/0", b"5") == Code.METHOD_NOT_ALLOWED  # read-only
    assert device.text(instance + "/0") == "1" and device.text(path) == "60"


def test_discover(device):
    """LightweightM2M-1.1-int-260 Discover Command: the object, its instances and resources, no values."""
    whole = device.discover("/3")
    assert {"/3", "/3/0", *[f"/3/0/{rid}" for rid in (0, 1, 2, 3, 4, 11, 16)]} <= set(whole)
    assert all(path == "/3" or path.startswith("/3/") for path in whole)
    assert set(device.discover("/3/0")) == set(whole) - {"/3"}
    assert "/3/0/16" in device.discover("/3/0/16")


def test_reboot(device):
    """LightweightM2M-1.1-int-241 Executable Resource: Rebooting the device: 2.04, then it registers anew."""
    with device.once_more("register"):
        assert device.post("/3/0/4") == Code.CHANGED
    assert device.text("/3/0/16") == "U"
