"""`pointsman agent` and a standard LwM2M 1.1 server: several resources in one request, and attributes. The device was
bootstrapped with a second, less preferred server, and so with access rights, which their owner may write."""

import pytest
from aiocoap.numbers.codes import Code
from lwm2m_values import JSON, SENML, TEXT, TLV, packed

LIFETIME, STORING, BINDING, RIGHTS = "/1/1/1", "/1/1/6", "/1/1/7", "/2/0/2"
each_senml = pytest.mark.parametrize("format", (JSON, SENML))


@pytest.fixture(scope="module")
def options():
    return {"bootstrap": True, "options": ["--set", "report_period_s=1"]}


@pytest.fixture(scope="module")
def device(prepared):
    rows = {
        "/0/1": {0: prepared.server.uri, 1: False, 2: 3, 10: 101},
        "/1/1": {0: 101, 1: 60, 2: 0, 3: 0, 6: True, 7: "U"},
        "/2/0": {0: 1, 1: 1, "2/101": 31, 3: 101},
        "/2/1": {0: 3, 1: 0, "2/0": 7, 3: 101},
        "/0/2": {0: "coap://127.0.0.1:9", 1: False, 2: 3, 10: 102},
        "/1/2": {0: 102, 1: 60, 6: True, 7: "U", 13: 1},
    }
    steps = [(Code.PUT, path, packed(SENML, {f"{path}/{rid}": value for rid, value in values.items()}), SENML)
             for path, values in rows.items()]
    prepared.bs.steps = [(Code.DELETE, "/", b"", None), *steps, (Code.POST, "/bs", b"", None)]
    prepared.start()
    assert set(prepared.answers) == {Code.DELETED, Code.CHANGED}
    return prepared


def test_write_on_a_resource_instance(device):
    """LightweightM2M-1.1-int-228 Write on Resource Instance: the others stay."""
    mine, theirs = RIGHTS + "/101", RIGHTS + "/102"
    assert device.read(RIGHTS) == {mine: 31}
    assert device.put(RIGHTS, packed(SENML, {mine: 31, theirs: 1}), SENML) == Code.CHANGED
    assert device.read(RIGHTS) == {mine: 31, theirs: 1}
    for payload, format, value in ((b"2", TEXT, 2), (b"\x41\x66\x03", TLV, 3), (packed(SENML, {theirs: 4}), SENML, 4)):
        assert device.put(theirs, payload, format) == Code.CHANGED
        assert device.read(theirs) == {theirs: value} and device.read(mine) == {mine: 31}
    assert device.put(RIGHTS + "/9", b"1") == Code.NOT_FOUND
    assert device.put(RIGHTS, packed(SENML, {mine: 31}), SENML) == Code.CHANGED
    assert device.read(RIGHTS) == {mine: 31}


@each_senml
def test_read_composite(device, format):
    """LightweightM2M-1.1-int-229 Read-Composite Operation; -int-280 Successful Read-Composite Operation: no more."""
    found, clock = device.fetch(["/3", "/1/1"], format), "/3/0/13"
    assert found == {**device.read("/3", format), **device.read("/1/1", format), clock: found[clock]}
    assert device.fetch(["/3/0/16", "/3/0/11/0", LIFETIME], format) == {"/3/0/16": "U", "/3/0/11/0": 0, LIFETIME: 60}


@each_senml
def test_write_composite(device, format):
    """LightweightM2M-1.1-int-230, -int-257 Write-Composite Operation: all of it, in several objects, or
    nothing."""
    values = {LIFETIME: 61, STORING: False, RIGHTS + "/101": 15, RIGHTS + "/7": 3}
    assert device.patch(values, format) == Code.CHANGED
    assert device.fetch([LIFETIME, STORING, RIGHTS], format) == values
    device.becomes(lambda: device.client.lifetime == 61)
    assert device.patch({LIFETIME: 62, "/3/0/16": "UQ"}, format) in (Code.METHOD_NOT_ALLOWED, Code.BAD_REQUEST)
    assert device.patch({LIFETIME: 62, STORING: "no"}, format) == Code.BAD_REQUEST
    assert device.patch({LIFETIME: 62, "/9999/0/1": 1}, format).class_ == 4
    assert device.read(LIFETIME) == {LIFETIME: 61}
    assert device.patch({LIFETIME: 60, STORING: True}, format) == Code.CHANGED
    assert device.put(RIGHTS, packed(SENML, {RIGHTS + "/101": 31}), SENML) == Code.CHANGED


@each_senml
def test_read_composite_on_root(device, format):
    """LightweightM2M-1.1-int-235 Read-Composite Operation on root path: all objects, but those that are secret."""
    found = device.fetch(["/"], format)
    assert found[LIFETIME] == 60 and found["/3/0/16"] == "U" and found[RIGHTS + "/101"] == 31
    assert not [path for path in found if path.startswith(("/0/", "/21/"))]


@each_senml
def test_read_composite_partial_presence(device, format):
    """LightweightM2M-1.1-int-236 Read-Composite - Partial Presence: what is there."""
    assert device.fetch(["/3/0/11/0", LIFETIME, "/3339/0/5522", "/3353/0/6030"], format) == {
        "/3/0/11/0": 0, LIFETIME: 60}


@each_senml
def test_read_composite_of_what_cannot_be_read(device, format):
    """LightweightM2M-1.1-int-281 Partially Successful Read-Composite Operation: executables, secrets are left out."""
    assert device.fetch([LIFETIME, BINDING, "/1/1/8", "/0/1/0"], format) == {LIFETIME: 60, BINDING: "U"}


def test_attributes_of_a_multiple_resource(device):
    """LightweightM2M-1.1-int-261 Write-Attribute Operation on a multiple resource: what is nearer counts, and what is
    not there is inherited."""
    path = "/3/0/11"
    found = device.discover(path)
    assert set(found) == {path, path + "/0"} and found[path]["dim"] == "1"
    for where, word in (("/3", "pmin=10"), ("/3", "pmax=200"), ("/3/0", "pmax=320"), (path + "/0", "pmax=100"),
                        (path + "/0", "epmin=1"), (path + "/0", "epmax=20")):  # fmt: skip
        assert device.attributes(where, word) == Code.CHANGED, (where, word)
    found = device.discover(path)
    assert (found[path]["pmin"], found[path]["pmax"]) == ("10", "320")
    assert [found[path + "/0"][word] for word in ("pmax", "epmin", "epmax")] == ["100", "1", "20"]
    for where, words in (("/3", ["pmin", "pmax"]), ("/3/0", ["pmax"]), (path + "/0", ["pmax", "epmin", "epmax"])):
        assert device.attributes(where, *words) == Code.CHANGED
    assert device.discover(path) == {path: {"dim": "1"}, path + "/0": {}}


def test_attributes_that_cannot_be(device):
    """1.1 Core 5.1.2: thresholds are for numbers, and what contradicts itself is refused."""
    for where, words in (("/3/0/16", ["gt=5"]), (LIFETIME, ["pmin=x"]), (LIFETIME, ["lt=9", "gt=5"]),
                         (LIFETIME, ["colour=5"]), (LIFETIME, ["st=-1"])):  # fmt: skip
        assert device.attributes(where, *words) == Code.BAD_REQUEST, words
    assert device.attributes("/3/0/9999", "pmin=5") == Code.NOT_FOUND
    assert device.attributes("/0/1", "pmin=5") == Code.UNAUTHORIZED


def test_discover_with_attributes(device):
    """LightweightM2M-1.1-int-260 Discover Command, with attributes and the dimension of multiple resources."""
    for word in ("pmin=0", "pmax=50", "lt=20", "gt=100", "st=5"):
        assert device.attributes(LIFETIME, word) == Code.CHANGED
    found = {word: float(value) for word, value in device.discover("/1/1")[LIFETIME].items()}
    assert found == {"pmin": 0, "pmax": 50, "lt": 20, "gt": 100, "st": 5}
    assert device.discover("/2/0")[RIGHTS]["dim"] == "1"


def test_thresholds(device):
    """LightweightM2M-1.1-int-301 Observation and Notification of parameter values, with attributes: what is crossed is
    told, and steps; not what lies between."""
    device.observe(LIFETIME)
    for lifetime in (b"62", b"120", b"122", b"60"):
        assert device.put(LIFETIME, lifetime) == Code.CHANGED
    device.becomes(lambda: len(device.notified(LIFETIME)) > 1)
    assert device.notified(LIFETIME) == [{LIFETIME: 120}, {LIFETIME: 60}]
    device.cancel(LIFETIME)
    for word in ("pmin", "pmax", "lt", "gt", "st"):
        assert device.attributes(LIFETIME, word) == Code.CHANGED


def test_minimum_and_maximum_period(device):
    """LightweightM2M-1.1-int-301: not before pmin, though it changes; and after pmax, though it does not."""
    for word in ("pmin=1", "pmax=2"):
        assert device.attributes(STORING, word) == Code.CHANGED
    device.observe(STORING)
    device.becomes(lambda: len(device.notified(STORING)) > 1)
    assert device.notified(STORING)[:2] == [{STORING: True}] * 2
    device.cancel(STORING)
    for word in ("pmin", "pmax"):
        assert device.attributes(STORING, word) == Code.CHANGED


def test_observe_composite(device):
    """LightweightM2M-1.1-int-304 Observe-Composite Operation; -int-310 Observe-Composite and modification of
    parameter values: one notification tells all that is observed."""
    paths = [LIFETIME, STORING, "/3/0/16"]
    assert device.observe_composite(paths) == {LIFETIME: 60, STORING: True, "/3/0/16": "U"}
    assert device.put(LIFETIME, b"70") == Code.CHANGED
    device.becomes(lambda: device.notified("/")[-1:] == [{LIFETIME: 70, STORING: True, "/3/0/16": "U"}])
    assert device.patch({LIFETIME: 60, STORING: False}) == Code.CHANGED
    device.becomes(lambda: device.notified("/")[-1:] == [{LIFETIME: 60, STORING: False, "/3/0/16": "U"}])


def test_cancel_observe_composite(device):
    """LightweightM2M-1.1-int-305 Cancel Observation-Composite Operation."""
    payload = packed(SENML, dict.fromkeys([LIFETIME, STORING, "/3/0/16"]))
    device.cancel("/", payload=payload, format=SENML)
    before = len(device.server.notified)
    for storing in (b"1", b"0", b"1"):
        assert device.put(STORING, storing) == Code.CHANGED
        assert device.text(STORING) == storing.decode()
    assert len(device.server.notified) == before
