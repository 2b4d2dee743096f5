"""Device management over CoAP: what a registrar may read, write, execute, create and delete, and what it may not."""

from managed import WHOLE, Managed

from agent.codec import cbor, coap, senml
from agent.engine.tree_reading import discover, read

SENML, TLV = 112, 11542


def pack(base, *records):
    return senml.pack([(name, value, None) for name, value in records], base)


def test_write_replaces_an_instance():
    """LightweightM2M-1.1 6.3.3: what is not named goes, if it can; what is mandatory must be named."""
    net = Managed()
    base = "/33000/0/"
    assert net.code(coap.PUT, "/33000/0", pack(base, ("1", 6), ("3/1", "b")), format=SENML) == "2.04"
    left = net.things.there[0]
    assert left[1] == 6 and left[3] == {1: "b"} and 4 not in left and left[6] is False and left[0] == "thing"
    assert net.code(coap.PUT, "/33000/0", pack(base, ("4", 2.5)), format=SENML) == "4.00"
    assert 4 not in left and left[1] == 6


def test_write_adds_to_an_instance():
    """LightweightM2M-1.1-int-226 Write (Partial Update) on Object Instance."""
    net = Managed()
    assert net.code(coap.POST, "/33000/0", pack("/33000/0/", ("4", 2.5), ("3/1", "b")), format=SENML) == "2.04"
    left = net.things.there[0]
    assert left[4] == 2.5 and left[1] == 5 and left[3] == {0: "a", 1: "b", 2: "c"}


def test_write_a_resource_of_several_instances():
    """LightweightM2M-1.1-int-227 on such a resource, and what a partial one does to it."""
    net = Managed()
    path = "/33000/0/3"
    assert net.code(coap.PUT, path, pack(path + "/", ("4", "x"), ("5", "y")), format=SENML) == "2.04"
    assert net.things.there[0][3] == {4: "x", 5: "y"}
    assert net.code(coap.POST, path, pack(path + "/", ("5", "z"), ("6", "w")), format=SENML) == "2.04"
    assert net.things.there[0][3] == {4: "x", 5: "z", 6: "w"}
    assert net.code(coap.PUT, path, b"", format=TLV) == "2.04" and net.things.there[0][3] == {}
    assert net.ask(coap.GET, path, accept=SENML).payload == cbor.encode([])
    assert net.code(coap.PUT, path, b"x", format=0) == "4.00"
    assert net.code(coap.PUT, "/33000/0/1", b"", format=TLV) == "4.00"


def test_write_an_instance_of_a_resource():
    """LightweightM2M-1.1-int-228 Write on Resource Instance."""
    net = Managed()
    assert net.code(coap.PUT, "/33000/0/3/2", b"new", format=0) == "2.04"
    assert net.things.there[0][3] == {0: "a", 2: "new"}
    assert net.code(coap.PUT, "/33000/0/3/1", b"new", format=0) == "4.04"
    assert net.code(coap.PUT, "/33000/0/1/0", b"1", format=0) == "4.00"
    assert net.ask(coap.GET, "/33000/0/3/2").payload == b"new"


def test_writes_are_all_or_nothing():
    """LightweightM2M-1.1-int-256 Write Operation Failure."""
    net = Managed()
    for records in ((("1", 6), ("0", "x")), (("1", 6), ("4", "x")), (("1", 13),), (("1", 6), ("99", 1)),
                    (("1", 6), ("1", 7)), (("4", 2.0), ("8", "x")), (("4", 2.0), ("8", "1:70000")),
                    (("3/0", "x"), ("3", "y")), (("1", 6), ("5", "x" * 256))):  # fmt: skip
        assert net.code(coap.POST, "/33000/0", pack("/33000/0/", *records), format=SENML)[0] == "4", records
    assert net.things.there[0] == WHOLE
    assert net.code(coap.PUT, "/33000", b"", format=SENML) == "4.05"
    assert net.code(coap.PUT, "/33000/0/1", b"6", format=9999) == "4.15"
    assert net.code(coap.PUT, "/33000/9/1", b"6", format=0) == "4.04"
    assert net.ask(coap.PUT, "/33000/0/0", b"6", format=0).payload == b"/33000/0/0 cannot be written"


def test_long_values_and_links():
    net = Managed()
    assert net.code(coap.PUT, "/33000/0/7", b"\x01" * 3000, format=42) == "2.04"  # in blocks
    assert len(net.things.there[0][7]) == 3000
    assert net.ask(coap.GET, "/33000/0/7", accept=42).payload == b"\x01" * 3000
    assert net.code(coap.PUT, "/33000/0/8", b"3:0", format=0) == "2.04" and net.things.there[0][8] == (3, 0)
    assert net.ask(coap.GET, "/33000/0/8", accept=0).payload == b"3:0"


def test_execute():
    """LightweightM2M-1.1 6.3.5: the syntax of arguments."""
    net = Managed()
    good = (b"", b"0", b"0='x'", b"5,2='http://a?b',7", b"1='',2")
    for arguments in good:
        assert net.code(coap.POST, "/33000/5/2", arguments) == "2.04", arguments
    assert net.things.ran == [(5, 2, arguments) for arguments in good]
    for arguments in (b"x", b"10", b"0='", b"0=x", b"0='x", b"0='a b'", b"0='a\"'", b",", b"0,", b"0='x'1",
                      b"0=", b"0,,1", b"\xff"):  # fmt: skip
        assert net.code(coap.POST, "/33000/5/2", arguments, format=0) == "4.00", arguments
    assert net.code(coap.POST, "/33000/5/2", b"\x80", format=60) == "4.15"
    assert net.code(coap.POST, "/33000/5/1") == "4.05" and net.code(coap.PUT, "/33000/5/2", b"1", format=0) == "4.05"
    assert net.code(coap.POST, "/33000/9/2") == "4.04" and len(net.things.ran) == len(good)


def test_create():
    """LightweightM2M-1.1 6.3.6: with an id of the server's, or with one of ours."""
    net = Managed()
    assert net.code(coap.POST, "/33000", pack("/33000/7/", ("1", 9), ("3/4", "x")), format=SENML) == "2.01"
    assert net.things.there[7] == {1: 9, 3: {4: "x"}}
    created = net.ask(coap.POST, "/33000", b"\xc1\x01\x09", format=TLV)
    assert created.code == coap.CREATED and created.location == ("33000", "1") and net.things.there[1] == {1: 9}
    assert net.code(coap.POST, "/33000", b"\x03\x02\xc1\x01\x09", format=TLV) == "2.01"
    assert net.things.there[2] == {1: 9}
    assert net.north.relisted


def test_create_refused():
    net = Managed()
    before = sorted(net.things.there)
    for payload, format, code in (
        (pack("/33000/5/", ("1", 9)), SENML, "4.00"),  # is there
        (pack("/33000/7/", ("4", 1.0)), SENML, "4.00"),  # mandatory missing
        (pack("/33000/7/", ("0", "x"), ("1", 9)), SENML, "4.05"),  # only to be read
        (pack("/33000/7/", ("1", 13)), SENML, "4.00"),
        (pack("/33000/", ("7/1", 9), ("8/1", 9)), SENML, "4.00"),  # two
        (pack("/3/7/", ("1", 9)), SENML, "4.00"),
        (b"", None, "4.00"), (b"\x00", TLV, "4.00"), (b"\x20", TLV, "4.00"), (b"x", 0, "4.15"),
    ):  # fmt: skip
        assert net.code(coap.POST, "/33000", payload, format=format) == code, payload
    assert sorted(net.things.there) == before and not net.north.relisted
    assert net.code(coap.POST, "/3", b"") == "4.05" and net.code(coap.POST, "/77", b"") == "4.04"
    assert net.code(coap.POST, "/0", b"") == "4.01"


def test_delete():
    """LightweightM2M-1.1 6.3.7, and 1.2 for an instance of a resource."""
    net = Managed()
    assert net.code(coap.DELETE, "/33000/0/3/2") == "2.02" and net.things.there[0][3] == {0: "a"}
    assert not net.north.relisted
    assert net.code(coap.DELETE, "/33000/0") == "2.02" and sorted(net.things.there) == [5] and net.north.relisted
    for path, code in (("/33000/0", "4.04"), ("/33000/5", "4.05"), ("/33000/5/3", "4.05"), ("/33000", "4.05"),
                       ("/33000/5/3/9", "4.04"), ("/33000/5/9/0", "4.05"), ("/33000/5/1/0", "4.05"), ("/3/0", "4.05"),
                       ("/", "4.04"), ("/0/0", "4.01")):  # fmt: skip
        assert net.code(coap.DELETE, path) == code, path
    assert sorted(net.things.there) == [5]


def test_what_is_read():
    net = Managed()
    assert read(net.objects, (33000, 5, 9)) == [((33000, 5, 9, 0), 7), ((33000, 5, 9, 1), 8)]
    assert (((33000, 5, 3), 2)) in discover(net.objects, (33000,))
    assert discover(net.objects, (33000,), 1) == [((33000,), None), ((33000, 0), None), ((33000, 5), None)]
    assert discover(net.objects, (33000,), 0) == [((33000,), None)]
    assert discover(net.objects, (33000, 5, 3), 1)[1:] == [((33000, 5, 3, 0), None), ((33000, 5, 3, 2), None)]
    assert discover(net.objects, (33000, 5, 3, 2)) == [((33000, 5, 3, 2), None)]
