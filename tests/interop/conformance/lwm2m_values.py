"""What an LwM2M server reads in payloads and writes into them: cbor2 and json, and TLV straight from the table of the
specification (LwM2M 1.1 Core 7.4). Nothing of agent/."""

import json
import struct

import cbor2

TEXT, LINKS, OPAQUE, CBOR, JSON, SENML, TLV, LWM2M_JSON, LWM2M_CBOR = 0, 40, 42, 60, 110, 112, *range(11542, 11545)
BN, BT, N, V, VS, VB, T, VD = -2, -3, 0, 2, 3, 4, 6, 8  # RFC 8428 12.2
_WORDS = {"bn": BN, "bt": BT, "n": N, "v": V, "vs": VS, "vb": VB, "t": T, "vd": VD}  # RFC 8428 12.1
# Kinds of resources, for the format that does not say them: the registry's objects 1, 2, 3 and 3331.
KINDS = {**dict.fromkeys(((1, 0), (1, 1), (1, 2), (1, 3), (1, 5), (3, 11), (3, 13)), int),
         **dict.fromkeys(((1, 7), (3, 0), (3, 1), (3, 2), (3, 3), (3, 16), (3331, 5701)), str),
         **dict.fromkeys(((2, 0), (2, 1), (2, 2), (2, 3)), int),
         (1, 6): bool, (1, 23): bool, (3331, 5700): float}  # fmt: skip


def values(format, payload, path):
    """{path: value} that was read at `path`; in the formats of one value it is the only one."""
    if format in (SENML, JSON):
        return {name: value for name, value, _ in records(format, payload)}
    if format == TLV:
        return _tlv(payload, path)
    if format == LWM2M_CBOR:
        return _flat(cbor2.loads(payload), "")
    if format == LWM2M_JSON:
        whole = json.loads(payload)
        return {whole["bn"] + row.pop("n", ""): next(iter(row.values())) for row in whole["e"]}
    return {path: cbor2.loads(payload) if format == CBOR else payload if format == OPAQUE else payload.decode()}


def records(format, payload):
    """[(full name, value, time)] of SenML, base fields resolved (RFC 8428 4.6)."""
    if format == SENML:
        rows = cbor2.loads(payload)
    else:
        rows = [{_WORDS.get(key, key): value for key, value in row.items()} for row in json.loads(payload)]
    name, when, found = "", 0, []
    for row in rows:
        name, when = row.get(BN, name), row.get(BT, when)
        value = next((row[key] for key in (V, VS, VB, VD, "vlo") if key in row), None)
        found.append((name + row.get(N, ""), value, when + row.get(T, 0) or None))
    return found


def packed(format, found):
    """The payload that writes {path: value}; path by path for what is to be read: {path: None}."""
    if format == LWM2M_CBOR:
        return cbor2.dumps({numbers(path): value for path, value in found.items()})
    if format == LWM2M_JSON:
        label = {str: "sv", bool: "bv"}
        return json.dumps({"bn": "", "e": [{"n": path, label.get(type(value), "v"): value}
                                           for path, value in found.items()]}).encode()
    if format == TLV:
        return b"".join([_tlv_resource(numbers(path)[2], value) for path, value in sorted(found.items())])
    rows = [{N: path} if value is None else {N: path, _label(value): _said(value)} for path, value in found.items()]
    if format == SENML:
        return cbor2.dumps(rows)
    back = {label: word for word, label in _WORDS.items()}
    return json.dumps([{back.get(label, label): value for label, value in row.items()} for row in rows]).encode()


def links(payload):
    """{path: {attribute: text or True}} of a link format without commas and semicolons in its values (RFC 6690)."""
    found = {}
    for link in payload.decode().split(","):
        target, *attributes = link.split(";")
        assert target[0] == "<" and target[-1] == ">", payload
        pairs = [attribute.partition("=") for attribute in attributes]
        found[target[1:-1]] = {name: value.strip('"') if equals else True for name, equals, value in pairs}
    return found


def numbers(path):
    """(3, 0, 1) of "/3/0/1"."""
    return tuple(int(part) for part in path.split("/") if part)


def _label(value):
    if isinstance(value, bool):
        return VB
    return {str: VS, bytes: VD, tuple: "vlo"}.get(type(value), V)


def _said(value):
    return "%d:%d" % value if isinstance(value, tuple) else value  # an object link


def _flat(tree, base):
    """{path: value} of nested maps whose keys are ids or lists of them (LwM2M 1.2 Core 7.4.7)."""
    if not isinstance(tree, dict):
        return {base: tree}
    found = {}
    for key, below in tree.items():
        parts = key if isinstance(key, tuple) else (key,)
        found.update(_flat(below, base + "".join(f"/{part}" for part in parts)))
    return found


def _entries(data):
    """[(type, id, body)] of TLV (table 7.4.4-1)."""
    found = []
    while data:
        kind, wide, size = data[0] >> 6, 1 + (data[0] >> 5 & 1), data[0] >> 3 & 3
        length = int.from_bytes(data[1 + wide : 1 + wide + size], "big") if size else data[0] & 7
        number, body = int.from_bytes(data[1 : 1 + wide], "big"), data[1 + wide + size :][:length]
        assert len(body) == length
        found.append((kind, number, body))
        data = data[1 + wide + size + length :]
    return found


def _tlv(data, base):
    found = {}
    for kind, number, body in _entries(data):  # object instance, resource instance, multiple resource, resource
        path = f"{base}/{number}"
        if kind == 3 and len(numbers(base)) > 2:
            path = base  # one resource was asked for, and it is named again
        if kind in (0, 2):
            found.update(_tlv(body, base if kind == 2 and len(numbers(base)) > 2 else path))
        else:
            found[path] = _meaning(KINDS.get((numbers(path)[0], numbers(path)[2])), body)
    return found


def _meaning(kind, body):
    if kind is int:
        assert len(body) in (1, 2, 4, 8)
        return int.from_bytes(body, "big", signed=True)
    if kind is float:
        return struct.unpack({4: "!f", 8: "!d"}[len(body)], body)[0]
    if kind is bool:
        return {b"\0": False, b"\1": True}[body]
    return body.decode() if kind is str else body


def _tlv_resource(number, value):
    body = value.encode() if isinstance(value, str) else value
    if isinstance(value, bool):
        body = bytes([value])
    elif isinstance(value, int):
        size = next(n for n in (1, 2, 4, 8) if -(1 << 8 * n - 1) <= value < 1 << 8 * n - 1)
        body = value.to_bytes(size, "big", signed=True)
    assert len(body) < 256 and number < 256
    return bytes([0xC8, number, len(body)]) + body if len(body) > 7 else bytes([0xC0 | len(body), number]) + body
