"""Whether data flows: the makers' own status lines of a data call, and the addresses some give with them.

Standard contexts are in at_context. A state is True (up), False (down) or None (on its way, or not told).
"""

from . import at, at_address

# name, where the context's number is ("-": none), where its state is, which states mean up and down; all other
# states are on their way. A negative place counts from the end, as lines of some firmwares begin with more fields.
_STATES = """
+QIACT 0 1 1 0
+QNETDEVCTL 1 3 1 0
+UPSND 0 2 1 0
#SGACT 0 1 1 0
#ECM 0 1 1 0
^SWWAN 0 1 1 0
!SCACT 0 1 1 0
+CGACT 0 1 1 0
+GTRNDIS 1 0 1 0
+GTWWAN 0 1 1 0
%IPDPACT 0 1 1 0,3
_OWANCALL 0 1 1 0,3
+KCNX_IND 0 1 1 0,2
+ZGACT 1 0 1 0
*ENAP - 0 1 0
*E2NAP - 0 1 0
%STATCM - 0 1 0
+NETOPEN - 0 1 0
+CNACT 0 1 1 0
$QCRMCALL - 0 1 0
+MIPCALL - 0 1 0
"""


def states(lines):
    """What the lines of one read say: {context: state}. Without a number the key is None, or "IPV4", "IPV6".

    +QIACT?, +QNETDEVCTL?, +QNETDEVSTATUS, +UPSND=n,8, #SGACT?, #ECM?, ^SWWAN?, !SCACT?, ^NDISSTATQRY?, +GTRNDIS?,
    %IPDPACT?, _OWANCALL?, *ENAP?, +NETOPEN?, +CNACT?, $QCRMCALL?, +MIPCALL?. RemoteError when a line of these
    names has no state; other lines are skipped.
    """
    found = {}
    for line in lines:
        name = line.partition(":")[0].strip().upper()
        if name in ("^NDISSTAT", "^NDISSTATQRY"):
            _ndis(line, found)
        elif name == "+QNETDEVSTATUS":
            _netdev(line, found)
        elif "\n" + name + " " in _STATES and ":" in line:
            _listed(name, line, found)
    return found


def _listed(name, line, found):
    start = _STATES.find("\n" + name + " ")
    _, cid, place, up, down = _STATES[start + 1 : _STATES.find("\n", start + 1)].split(" ")
    parts = at.fields(line)
    if name == "+UPSND" and len(parts) > 2 and parts[1] != "8":
        return  # another parameter of the profile
    if name == "+CNACT" and (len(parts) == 1 or "." in parts[1]):
        cid, place = "-", "0"  # SIM7000 has one context and does not number it
    value = parts[int(place)] if int(place) < len(parts) else ""
    if at.number(value) is None:
        at.bad("state", line)
    value = str(int(value))
    key = None
    if cid != "-" and int(cid) < len(parts):
        key = at.number(parts[int(cid)])
    if name == "$QCRMCALL" and len(parts) > 1:
        key = "IP" + parts[1].upper()
    found[key] = True if value in up.split(",") else False if value in down.split(",") else None


def _ndis(line, found):
    """^NDISSTAT, ^NDISSTATQRY of Huawei: state, error, WX state, type - once or twice, or the state alone."""
    parts = at.fields(line)
    if len(parts) == 1:
        parts += ["", "", "IPV4"]
    for start in range(0, len(parts), 4):
        state = at.number(parts[start])
        if state is None:
            at.bad("state", line)
        kind = (parts[start + 3 :] + [""])[0].upper() or "IPV4"
        found[kind] = state == 1 if state < 2 else None


def _netdev(line, found):
    """+QNETDEVSTATUS of Quectel: a state alone; context and state; or, when up, the addresses."""
    parts = at.fields(line)
    state = at.number(parts[-1] if len(parts) == 1 else parts[1])
    if "." in parts[0] or ":" in parts[0]:
        found[None] = at_address.address(parts[0])[0] is not None
    elif state is None:
        at.bad("state", line)
    elif len(parts) == 1:
        found[None] = state == 1
    else:
        found[at.number(parts[0])] = state == 1


def event(line):
    """What an unsolicited line says of a data call: (context, state), or None when it says nothing of it.

    +QIURC: "pdpdeact", +UUPSDD, +UUPSDA, +APP PDP, +PDP: DEACT, +CIPEVENT, +NETOPEN (its result: 0 is success),
    +QNETDEVSTATUS, ^NDISSTAT, ^NDISEND, %IPDPACT, _OWANCALL, *E2NAP, +KCNX_IND, $QCRMCALL.
    """
    name = line.partition(":")[0].strip().upper()
    parts = at.fields(line)
    if name == "+QIURC":
        return (at.number((parts + [""])[1]), False) if parts[0] == "pdpdeact" else None
    if name in ("+UUPSDD", "^NDISEND", "+PDP", "+CIPEVENT", "+IPCLOSED", "+NETCLOSE"):
        return _ended(name, parts)
    if name == "+APP PDP":
        word = parts[-1].upper()
        return (at.number(parts[0]), word == "ACTIVE") if word in ("ACTIVE", "DEACTIVE", "DEACTIVATED") else None
    if name in ("+UUPSDA", "+NETOPEN"):
        result = at.number(parts[-1] if name == "+NETOPEN" else parts[0])
        return None if result is None else (None, result == 0)
    if name in ("^NDISSTAT", "+QNETDEVSTATUS", "%IPDPACT", "_OWANCALL", "*E2NAP", "+KCNX_IND", "$QCRMCALL"):
        for item in states([line]).items():
            return item
    return None


def _ended(name, parts):
    if name == "+CIPEVENT" and "CLOSED" not in parts[0].upper() and "DEACT" not in parts[0].upper():
        return None
    if name == "+PDP" and "DEACT" not in parts[0].upper():
        return None
    return at.number(parts[0]) if name == "+UUPSDD" else None, False


def dhcp(line):
    """^DHCP of Huawei -> dict of address, mask, gateway, dns: all as little-endian hexadecimal numbers."""
    parts = at.fields(line) + [""] * 6
    found = [at_address.little(part) for part in parts[:6]]
    if not line.upper().startswith("^DHCP") or None in found[:3]:
        at.bad("addresses", line)
    dns = [server for server in found[4:6] if server and server != "0.0.0.0"]
    return {"address": found[0], "mask": found[1], "gateway": found[2], "dns": dns}


def ericsson(line):
    """*E2IPCFG of Ericsson -> dict: (1,"address")(2,"gateway")(3,"dns")..."""
    found = {"address": None, "gateway": None, "dns": []}
    for part in line.split("(")[1:]:
        kind, _, value = part.partition(",")
        value = at_address.address(value.partition(")")[0])[0]
        if kind == "3" and value:
            found["dns"].append(value)
        elif kind in ("1", "2"):
            found["address" if kind == "1" else "gateway"] = value
    return found if found["address"] else at.bad("addresses", line)


def icera(line):
    """%IPDPADDR of Icera -> dict of cid, address, mask, gateway, dns, and of IPv6 address6, dns6.

    Firmwares differ: the mask is one or two fields behind the unused NetBIOS servers, and a gateway of all zero
    is given again after it. 255.0.0.0 says only that nobody knows: the link is point-to-point then.
    """
    parts = at.fields(line)
    cid = at.number(parts[0])
    four = [part for part in parts[1:] if ":" not in part and part]
    six = [part for part in parts[1:] if ":" in part]
    if cid is None or len(four) < 4 or not line.startswith("%IPDPADDR"):
        at.bad("addresses", line)
    tail = four[6:]
    masks = [part for part in tail if at_address.is_mask(part) and part != "255.0.0.0"]
    others = [part for part in tail if not at_address.is_mask(part)]
    gateway = at_address.address(four[1])[0] or (at_address.address(others[0])[0] if others else None)
    return {
        "cid": cid,
        "address": at_address.address(four[0])[0],
        "mask": masks[-1] if masks else None,
        "gateway": gateway,
        "dns": [value for value in (at_address.address(part)[0] for part in four[2:4]) if value],
        "address6": at_address.address(six[0])[0] if six else None,
        "dns6": [value for value in (at_address.address(part)[0] for part in six[2:4]) if value],
    }


def ublox(line):
    """+UIPADDR of u-blox -> dict of cid, interface, address, mask, address6, local6."""
    parts = at.fields(line) + [""] * 6
    cid = at.number(parts[0])
    if cid is None:
        at.bad("addresses", line)
    return {
        "cid": cid,
        "interface": parts[1] or None,
        "address": at_address.address(parts[2])[0],
        "mask": at_address.address(parts[3])[0],
        "address6": at_address.address(parts[4])[0],
        "local6": at_address.address(parts[5])[0],
    }
