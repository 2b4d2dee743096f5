"""The platform's groups and policies over HTTP/1.1, JSON both ways, for operators' programs and `pointsman policy`.

    POST   /groups                              {"name", "priority", "multicast": "HOST:PORT", "topic", "rule"}
    GET    /groups                              {"groups": [...]}
    GET    /groups/G                            the group, its members and how each is reached now
    DELETE /groups/G
    POST   /groups/G/members                    {"endpoints": [...]} -> {"indexes": [...]}
    DELETE /groups/G/members/E
    PUT    /devices/E                           {"capabilities": [...], "tags": {...}}, for the rules of groups
    GET    /groups/G/policies                   {"versions": [...]}, the newest first
    POST   /groups/G/policies                   {"document": base64, "terms": {...}, "dry_run": true}
    GET    /groups/G/policies/V                 state and counts; with ?members=1 what each has said
    POST   /groups/G/policies/V/pause, /resume, /abort
    POST   /keys                                {"document": base64}: who may sign, as the root has signed it
    GET    /keys                                who may, and who knows; with ?members=1 what each has said

Each request carries `Authorization: Bearer TOKEN`; one a connection. It listens on this machine only: a proxy in front
of it brings TLS. What is wrong is answered as {"error": cause and remedy}.
"""

import asyncio
import base64
import hmac
import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

from ...agent.errors import LocalError
from ..groups.members import Group
from ..groups.planning import Terms, totals

MAX_BODY = 8 << 20  # bytes: 100,000 names
_MAX_HEAD = 16_384
_MOST = 32  # connections at one time
_TIMEOUT = 15  # s, for a request to come
_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
            405: "Method Not Allowed", 413: "Content Too Large", 500: "Internal Server Error",
            503: "Service Unavailable"}
_PART = "([^/]+)"


class Wrong(Exception):
    """The request is answered with this status and text."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Rest:
    """`pushes`: the platform's; `token` (bytes): who has it may do all of this; `note`: for its log."""

    def __init__(self, pushes, token, note, host="127.0.0.1", port=0):
        self._pushes, self._token, self._note = pushes, token, note
        self.host, self.port = host, port
        self._server, self._open = None, 0

    async def start(self):
        """Listen. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=_MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]
        self._note("rest", host=self.host, port=self.port)

    async def stop(self):
        if self._server:
            self._server.close()

    async def _serve(self, reader, writer):
        self._open += 1
        try:
            async with asyncio.timeout(_TIMEOUT):
                status, told = await self._answer(reader)
            body = json.dumps(told, ensure_ascii=False).encode()
            head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            async with asyncio.timeout(_TIMEOUT):
                await writer.drain()
        except (OSError, EOFError, TimeoutError):
            pass  # it has gone, or never said what it wanted
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader):
        try:
            if self._open > _MOST:
                raise Wrong(503, f"{_MOST} requests are under way; try again")
            return await self._do(*await self._read(reader))
        except Wrong as problem:
            return problem.status, {"error": str(problem)}
        except LocalError as problem:
            return 400, {"error": str(problem)}
        except (OSError, EOFError, TimeoutError):
            raise
        except Exception as problem:
            self._note("bug", what=repr(problem))
            return 500, {"error": "a bug; see the log"}

    async def _read(self, reader):
        """(method, path, query, body as JSON): whose token is wrong is not read to the end."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError as problem:
            raise Wrong(413, f"more than {_MAX_HEAD} bytes of headers") from problem
        first, *lines = head[:-4].split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        found = re.fullmatch("([A-Z]{1,10}) (/[!-~]*) HTTP/1[.][01]", first)
        if not found or "transfer-encoding" in headers:
            raise Wrong(400, "no HTTP/1.1 request with a Content-Length")
        given = headers.get("authorization", "").removeprefix("Bearer ").encode("latin-1")
        if not hmac.compare_digest(given, self._token):
            raise Wrong(401, "Authorization: Bearer TOKEN, with the token of --rest-token, is missing")
        return found[1], urlsplit(found[2]), await _body(reader, headers.get("content-length", "0"))

    async def _do(self, method, url, body):
        known = False
        for wanted, path, action in _ROUTES:
            found = re.fullmatch(path, url.path)
            known = known or bool(found)
            if found and method == wanted:
                return await action(self._pushes, body, parse_qs(url.query), *map(unquote, found.groups()))
        raise Wrong(405 if known else 404, f"{method} is not for this path" if known else "there is no such path")


async def _body(reader, length):
    if not re.fullmatch("[0-9]{1,9}", length):
        raise Wrong(400, "Content-Length is no number")
    if int(length) > MAX_BODY:
        raise Wrong(413, f"more than {MAX_BODY} bytes")
    data = await reader.readexactly(int(length))
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError) as problem:
        raise Wrong(400, f"the body is no JSON: {problem}") from problem
    if not isinstance(found, dict):
        raise Wrong(400, "the body is no JSON object")
    return found


def _take(body, **kinds):
    """The members of a body by these names, of these kinds, None where there is none. Raises Wrong."""
    for name, value in body.items():
        if name not in kinds:
            raise Wrong(400, f"{name} is unknown here; {', '.join(kinds)} are known")
        if value is not None and (not isinstance(value, kinds[name]) or type(value) is bool is not kinds[name]):
            raise Wrong(400, f"{name} is no {kinds[name].__name__}")
    return [body.get(name) for name in kinds]


async def _create(pushes, body, _query):
    name, priority, multicast, topic, rule = _take(body, name=str, priority=int, multicast=str, topic=str, rule=dict)
    host, _, port = (multicast or "").rpartition(":")
    if multicast and not re.fullmatch("[0-9]{1,5}", port):
        raise Wrong(400, "multicast is HOST:PORT, as 239.77.0.1:5685")
    place = (host.strip("[]"), int(port)) if multicast else None
    group = Group(name, priority or 0, place, topic, rule)
    await pushes.groups.create(group)
    return 201, _described(group)


async def _groups(pushes, _body, _query):
    return 200, {"groups": [_described(group) for group in pushes.groups]}


async def _group(pushes, _body, _query, name):
    group = pushes.groups.of(name)
    return 200, {**_described(group), "members": [
        {"index": index, "endpoint": endpoint, "way": pushes.way(group, endpoint)[0]}
        for index, endpoint in group.members]}


async def _delete(pushes, _body, _query, name):
    await pushes.delete(name)
    return 200, {}


def _described(group):
    place = group.multicast and "%s:%d" % group.multicast
    return {"name": group.name, "priority": group.priority, "multicast": place, "topic": group.topic,
            "rule": group.rule, "size": len(group.members)}


async def _include(pushes, body, _query, name):
    (endpoints,) = _take(body, endpoints=list)
    if not all(isinstance(endpoint, str) for endpoint in endpoints or ()):
        raise Wrong(400, "endpoints are names")
    return 200, {"indexes": await pushes.groups.include(name, endpoints or ())}


async def _exclude(pushes, _body, _query, name, endpoint):
    await pushes.groups.exclude(name, endpoint)
    return 200, {}


async def _device(pushes, body, _query, endpoint):
    capabilities, tags = _take(body, capabilities=list, tags=dict)
    await pushes.groups.device(endpoint, capabilities or (), tags)
    return 200, {}


async def _versions(pushes, _body, _query, name):
    return 200, {"versions": pushes.versions(name)}


def _document(text):
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError as problem:
        raise Wrong(400, f"document is no base64: {problem}") from problem


async def _vouch(pushes, body, _query):
    (text,) = _take(body, document=str)
    return 201, await pushes.vouch(_document(text))


async def _vouched(pushes, _body, query):
    told = pushes.vouched()
    if query.get("members") == ["1"]:
        told["outcomes"] = pushes.keys.outcomes()
    return 200, told


async def _push(pushes, body, _query, name):
    text, terms, dry = _take(body, document=str, terms=dict, dry_run=bool)
    document = _document(text)
    try:
        terms = dict(terms or {})
        if "stages" in terms:
            terms["stages"] = tuple(terms["stages"])
        wanted = Terms(**terms)
    except (ValueError, TypeError) as problem:
        raise Wrong(400, f"terms are wrong: {problem}") from problem
    if dry:
        return 200, {way: dict(zip(("members", "datagrams", "bytes"), found, strict=True))
                     for way, found in totals(pushes.plan(name, document, wanted)).items()}
    return 201, await pushes.push(name, document, wanted)


async def _status(pushes, _body, query, name, version):
    told = pushes.status(name, int(version))
    if query.get("members") == ["1"]:
        told["outcomes"] = pushes.outcomes(name, int(version))
    return 200, told


async def _change(pushes, _body, _query, name, version, verb):
    return 200, await pushes.change(name, int(version), verb)


_GROUP = "/groups/" + _PART
_VERSION = _GROUP + "/policies/([0-9]{1,10})"
_ROUTES = (
    ("POST", "/groups", _create),
    ("GET", "/groups", _groups),
    ("GET", _GROUP, _group),
    ("DELETE", _GROUP, _delete),
    ("POST", _GROUP + "/members", _include),
    ("DELETE", _GROUP + "/members/" + _PART, _exclude),
    ("PUT", "/devices/" + _PART, _device),
    ("GET", _GROUP + "/policies", _versions),
    ("POST", _GROUP + "/policies", _push),
    ("GET", _VERSION, _status),
    ("POST", _VERSION + "/(pause|resume|abort)", _change),
    ("POST", "/keys", _vouch),
    ("GET", "/keys", _vouched),
)
