"""CoRE link format (RFC 6690)."""

from agent.codec import linkformat
from agent.errors import LocalError, RemoteError


def refused(text):
    try:
        linkformat.decode(text)
    except RemoteError as error:
        assert str(error).startswith("linkformat: ")
        return
    raise AssertionError("accepted " + text)


def test_registration_links():
    """LightweightM2M-1.1-int-101: the payload of a Register."""
    links = [
        ("/", [("rt", "oma.lwm2m"), ("ct", "112")]),
        ("/1/1", []),
        ("/1", [("ver", "1.1")]),
        ("/3/0", []),
    ]
    text = '</>;rt="oma.lwm2m";ct=112,</1/1>,</1>;ver=1.1,</3/0>'
    assert linkformat.encode(links) == text
    assert linkformat.decode(text) == links


def test_examples_of_the_rfc():
    """RFC 6690 section 5."""
    assert linkformat.decode(
        '</sensors>;ct=40;title="Sensor Index",</t>;anchor="/sensors/temp";rel="alternate"'
    ) == [
        ("/sensors", [("ct", "40"), ("title", "Sensor Index")]),
        ("/t", [("anchor", "/sensors/temp"), ("rel", "alternate")]),
    ]
    assert linkformat.decode('</firmware/v2.1>;rt="firmware";sz=262144') == [
        ("/firmware/v2.1", [("rt", "firmware"), ("sz", "262144")])
    ]
    assert linkformat.decode('<http://www.example.com/sensors/t123>;anchor="/sensors/temp"')[0][0] == (
        "http://www.example.com/sensors/t123"
    )


def test_flags_and_odd_attributes():
    assert linkformat.decode("</a>;obs;if=sensor;title*=UTF-8'en'x") == [
        ("/a", [("obs", None), ("if", "sensor"), ("title*", "UTF-8'en'x")])
    ]
    assert linkformat.encode([("/a", [("obs", None), ("hb", None)])]) == "</a>;obs;hb"


def test_quoting():
    links = [("/a", [("title", 'say "a,b;c" \\ <d>'), ("x", ""), ("ct", "40 112")])]
    text = '</a>;title="say \\"a,b;c\\" \\\\ <d>";x="";ct="40 112"'
    assert linkformat.encode(links) == text
    assert linkformat.decode(text) == links


def test_numbers_may_be_given_as_such():
    assert linkformat.encode([("/a", [("ct", 112), ("sz", 5)])]) == "</a>;ct=112;sz=5"


def test_names_of_servers_and_letters_beyond_ascii():
    text = '<coap://h\u00f4te:5683/bs>;rt="oma.bs";title="Stra\u00dfe \u20ac"'
    assert linkformat.decode(text)[0] == (
        "coap://h\u00f4te:5683/bs",
        [("rt", "oma.bs"), ("title", "Stra\u00dfe \u20ac")],
    )
    assert linkformat.encode(linkformat.decode(text)) == text


def test_empty_lists():
    assert linkformat.decode("") == [] and linkformat.decode("  ") == [] and linkformat.encode([]) == ""


def test_white_space_is_tolerated():
    """RFC 8288 allows it."""
    assert linkformat.decode(" </a> ; ct=40 ,\r\n\t</b> ") == [("/a", [("ct", "40")]), ("/b", [])]


def test_what_is_no_link_list():
    for text in (
        "a",
        "/a",
        "<",
        "</a",
        "</a>,",
        ",",
        ",</a>",
        "</a>,,</b>",
        "</a></b>",
        "</a>;",
        "</a>;;ct=40",
        "</a>;=1",
        "</a>x",
        '</a>;t="',
        '</a>;t="x',
        '</a>;t="x\\',
        '</a>;t="x\\"',
        '</a>;t="x"y',
        "</a> b",
        "</a>;a b",
        '</a>;t=x"y"',
        "</a>;<b>",
        "</a>;\u00e9=1",
        "</a>;t=1 2",
    ):
        refused(text)


def test_lists_are_bounded():
    assert len(linkformat.decode(",".join(["</a>"] * 256))) == 256
    refused(",".join(["</a>"] * 257))
    assert len(linkformat.decode("</a>" + ";a" * 16)[0][1]) == 16
    refused("</a>" + ";a" * 17)


def test_what_cannot_be_written():
    for links in (
        [("/a>", [])],
        [("/a", [("", "x")])],
        [("/a", [("b c", "x")])],
        [("/a", [("b=", None)])],
        [("/a", [("b;c", None)])],
    ):
        try:
            linkformat.encode(links)
        except LocalError:
            continue
        raise AssertionError("written")
