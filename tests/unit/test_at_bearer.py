"""Whether data flows, in every maker's own words."""

from agent.codec import at_bearer
from agent.errors import RemoteError


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_states_that_are_read():
    for lines, want in (
        # Quectel
        (['+QIACT: 1,1,1,"10.0.0.9"', "+QIACT: 2,0,3"], {1: True, 2: False}),
        (["+QNETDEVCTL: 1,1,1,1"], {1: True}),
        (["+QNETDEVCTL: 0,0,0,0"], {0: False}),
        (["+QNETDEVSTATUS: 0"], {None: False}),
        (['+QNETDEVSTATUS: 1,1,"IPV4V6",0'], {1: True}),
        (["+QNETDEVSTATUS: 10.0.0.9,255.255.255.0,10.0.0.1,,9.9.9.9,1.1.1.1"], {None: True}),
        # u-blox
        (["+UPSND: 0,8,1"], {0: True}),
        (["+UPSND: 0,8,0", '+UPSND: 0,0,"10.0.0.9"'], {0: False}),
        # Telit
        (["#ECM: 0,1"], {0: True}),
        (["#ECM:0, 0"], {0: False}),
        (["#SGACT: 1,1", "#SGACT: 2,0"], {1: True, 2: False}),
        # Cinterion, Sierra, Fibocom
        (["^SWWAN: 3,1,1", "^SWWAN: 4,0"], {3: True, 4: False}),
        (["!SCACT: 1,1"], {1: True}),
        (['+GTRNDIS: 1,1,"10.0.0.9","9.9.9.9"'], {1: True}),
        (["+GTRNDIS: 0"], {None: False}),
        (["+MIPCALL: 1,10.0.0.9"], {None: True}),
        # Huawei
        (['^NDISSTAT: 1,,,"IPV4"'], {"IPV4": True}),
        (["^NDISSTATQRY: 1,,,IPV4", "^NDISSTATQRY: 0,,,IPV6"], {"IPV4": True, "IPV6": False}),
        (['^NDISSTATQRY: 0,,,"IPV4",1,,,"IPV6"'], {"IPV4": False, "IPV6": True}),
        (["^NDISSTATQry:1"], {"IPV4": True}),
        (["^NDISSTAT: 2,,,IPV4"], {"IPV4": None}),
        # SIMCom
        (['+CNACT: 0,1,"10.0.0.9"', '+CNACT: 1,0,"0.0.0.0"', "+CNACT: 2,2"], {0: True, 1: False, 2: None}),
        (['+CNACT: 1,"10.0.0.9"'], {None: True}),
        (['+CNACT: 0,"0.0.0.0"'], {None: False}),
        (["+NETOPEN: 1"], {None: True}),
        (["$QCRMCALL: 1, V4", "$QCRMCALL: 0, V6"], {"IPV4": True, "IPV6": False}),
        # Ericsson, Icera, Option, Altair
        (["*ENAP: 1"], {None: True}),
        (["*ENAP: 2"], {None: None}),
        (["%IPDPACT: 1,3,0"], {1: False}),
        (["%IPDPACT: 1,2,0"], {1: None}),
        (["_OWANCALL: 1, 1"], {1: True}),
        (["%STATCM: 0"], {None: False}),
        (["OK", "+CREG: 1"], {}),
        ([], {}),
    ):
        assert at_bearer.states(lines) == want, (lines, at_bearer.states(lines))
    for bad in ("+QIACT: 1", "^NDISSTAT: ,,,", "+NETOPEN: ,", "+QNETDEVSTATUS: x", "#ECM: 0"):
        assert refused(at_bearer.states, [bad]), bad


def test_states_that_come_by_themselves():
    for line, want in (
        ('+QIURC: "pdpdeact",1', (1, False)),
        ("+UUPSDD: 0", (0, False)),
        ('+UUPSDA: 0,"10.0.0.9"', (None, True)),
        ("+APP PDP: ACTIVE", (None, True)),
        ("+APP PDP: 0,DEACTIVE", (0, False)),
        ("+APP PDP: 1, ACTIVE", (1, True)),
        ("+PDP: DEACT", (None, False)),
        ("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", (None, False)),
        ("+CIPEVENT: PDP DEACT", (None, False)),
        ("+NETOPEN: 0", (None, True)),
        ("+NETOPEN: 1", (None, False)),
        ('^NDISSTAT: 0,36,,"IPV4"', ("IPV4", False)),
        ("^NDISEND: 1", (None, False)),
        ("+QNETDEVSTATUS: 1", (None, True)),
        ("%IPDPACT: 1,1,0", (1, True)),
        ("*E2NAP: 0", (None, False)),
    ):
        assert at_bearer.event(line) == want, (line, at_bearer.event(line))
    for noise in ("+CREG: 1", '+QIURC: "recv",0', "RING", "", "+CIPEVENT: SOMETHING", "+APP PDP: 0,WHAT",
                  "+PDP: CONTEXT", "+NETOPEN: X"):  # fmt: skip
        assert at_bearer.event(noise) is None, noise


def test_addresses_of_huawei():
    """Little-endian hexadecimal, with or without 0x, leading zeros missing."""
    want = {"address": "10.10.1.2", "mask": "255.255.255.252", "gateway": "10.10.1.1", "dns": ["8.8.4.4", "9.9.9.9"]}
    for line in (
        "^DHCP: 2010A0A,FCFFFFFF,1010A0A,1010A0A,04040808,09090909,43200000,43200000",
        "^DHCP:0x02010a0a,0xfcffffff,0x01010a0a,0x01010a0a,0x04040808,0x09090909,43200000,43200000",
        "^DHCP: 0X02010A0A,0XFCFFFFFF,0X01010A0A,0X01010A0A,0X04040808,0X09090909,1,1",
    ):
        assert at_bearer.dhcp(line) == want, (line, at_bearer.dhcp(line))
    assert at_bearer.dhcp("^DHCP: 2010A0A,FCFFFFFF,1010A0A,1010A0A,0,0,1,1")["dns"] == []
    for bad in ("^DHCP:", "^DHCP: x,y,z", "+CREG: 1"):
        assert refused(at_bearer.dhcp, bad), bad


def test_addresses_of_others():
    found = at_bearer.ericsson('*E2IPCFG: (1,"10.0.0.9")(2,"10.0.0.1")(3,"9.9.9.9")(3,"1.1.1.1")')
    assert found == {"address": "10.0.0.9", "gateway": "10.0.0.1", "dns": ["9.9.9.9", "1.1.1.1"]}
    assert refused(at_bearer.ericsson, "*E2IPCFG: (2,")
    line = "%IPDPADDR: 2, 10.0.0.9, 0.0.0.0, 9.9.9.9, 0.0.0.0, 0.0.0.0, 0.0.0.0, 255.0.0.0, 255.255.0.0, 10.0.0.1,"
    found = at_bearer.icera(line)
    assert (found["cid"], found["address"], found["mask"]) == (2, "10.0.0.9", "255.255.0.0")
    assert found["gateway"] == "10.0.0.1"
    assert found["dns"] == ["9.9.9.9"] and found["address6"] is None and found["dns6"] == []
    assert refused(at_bearer.icera, "%IPDPADDR: 1, 2") and refused(at_bearer.icera, line[1:])
    found = at_bearer.ublox('+UIPADDR: 1,"ccinet0","10.0.0.9","255.255.255.0","FE80:0::9/64",""')
    assert (found["interface"], found["address"], found["address6"]) == ("ccinet0", "10.0.0.9", "fe80::9")
    assert found["local6"] is None
    assert refused(at_bearer.ublox, "+UIPADDR:")
