"""Configuration Server: an LwM2M bootstrap server (TS Core 1.1 6.1). The portal prepares what a device gets;
the device finds this server, asks (`POST /bs?ep=`), is written its accounts and settings, and leaves to
register.

It may also fetch them all at once (Bootstrap-Pack, TS Core 1.2 6.1.7.8).

Events: prepared, bootstrap_requested, pack_given, bootstrapped, bootstrap_failed (at which step, why), refused (unknown
endpoint), discovered (a multicast question was answered), advertised, unadvertised (mDNS is not to be had).
"""

import asyncio
import re
import time
from urllib.parse import urlsplit

import sqlalchemy as sa
from aiocoap.numbers.codes import Code

from . import enrolling
from . import storage as books
from .advertising import LINK, Advertiser
from .coap import Coap, Patience, Refusal, Unreachable, address, owner, reply
from .credentials import DTLS, KINDS, NONE, OSCORE, SERVER_ID, BadSecret, kid, load
from .lwm2m import LINKS, MAX_LIFETIME, SENML, endpoint, number, pack, parameters, segments
from .wire import Plain

BOOTSTRAP = Patience(2.0, 3, 30.0)
_WHOLE = Patience(0, 0, 120.0)  # for one bootstrap from request to finish
_NUMBER = re.compile(r"sms:(//)?\+?[0-9]{3,15}")  # RFC 5724
_LINK = re.compile("[a-z][a-z0-9_-]{0,15}")
_PRE_SHARED, _NO_SECURITY = 0, 3  # /0/x/2
_AES_CCM = 10  # /21/x/3: AES-CCM-16-64-128 (RFC 9053); the rest is as it goes without saying
_ACCOUNT = {"uri": str, "ssid": int, "links": str, "lifetime": int, "priority": int, "epoch": bool, "security": str,
            "secret": str}
_DEFAULTS = {"links": "eth,lte", "lifetime": 300, "priority": 0, "epoch": True, "security": NONE}
_SETTINGS = {"report_period_s": (1, int), "apn": (2, str)}  # name: resource of /26242/0


class Configuration:
    """`multicast_port` answers CoAP multicast discovery there; `advertise` offers the server by DNS-SD
    too. `slow`, `keys`: as of Coap."""

    def __init__(self, storage, host="127.0.0.1", port=5683, log=None, multicast_port=None, advertise=False, slow=None,
                 keys=None):
        self._storage, self._keys = storage, keys or Plain()
        self._note = storage.notes("configuration", log)
        self._coap = Coap(host, port, self._answer, self._note, slow=slow, keys=self._keys)
        self._advertiser = Advertiser(self._coap, self._note, multicast_port, advertise)
        self._devices = {}
        self._running = {}  # endpoint -> task

    @property
    def uri(self):
        return self._coap.uri

    async def start(self):
        """Listen. Raises OSError when a port is taken."""
        self._devices = {row["endpoint"]: row for row in self._storage.read(sa.select(books.accounts))}
        await self._coap.start()
        await self._advertiser.start()
        self._note("started", uri=self.uri, devices=len(self._devices))

    async def stop(self):
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._advertiser.stop()
        if await self._coap.stop():
            self._keys.close()
            self._note("stopped", **self._coap.reject.counts)

    def prepare(self, endpoint, accounts, settings=None, **policies):
        """Say what a device gets at its next bootstrap; `policies`: as of enrolling.checked(). It holds at once; await
        the result for it to be durable. Raises ValueError naming what is wrong."""
        known = {**checked_settings(settings or {}), **enrolling.checked(**policies)}
        row = {"accounts": checked_accounts(accounts), "settings": known,
               "prepared_at": time.time(), "bootstrapped_at": None}
        self._devices[endpoint] = {"endpoint": endpoint, **row}
        self._note("prepared", endpoint=endpoint, accounts=[account["uri"] for account in row["accounts"]])
        statement, values = self._storage.upsert(books.accounts, ["endpoint"]), self._devices[endpoint]
        return _awaitable(self._storage.submit(lambda connection: connection.execute(statement, values).rowcount))

    async def _answer(self, request):
        path, code = request.opt.uri_path, request.code
        if path == ("bs",) and code == Code.POST:
            return self._begin(request)
        if path == ("bspack",) and code == Code.GET:
            return self._pack(request)
        if path == (".well-known", "core") and code == Code.GET:
            return reply(Code.CONTENT, LINK, LINKS)
        raise Refusal(Code.NOT_FOUND)

    def _pack(self, request):
        """Everything in one answer; whether the device lives with it shows at its registrars."""
        device = self._device(request, endpoint(request, parameters(request)))
        name = device["endpoint"]
        try:
            found = contents(name, device["accounts"], device["settings"])
            payload = pack("/", {f"{path[1:]}/{rid}": value for path, values in found for rid, value in values.items()})
        except BadSecret as problem:
            self._note("bootstrap_failed", endpoint=name, why=str(problem))
            raise Refusal(Code.INTERNAL_SERVER_ERROR) from problem
        self._note("pack_given", endpoint=name, address=address(request.remote))
        return reply(Code.CONTENT, payload, SENML)

    def _device(self, request, name):
        """What was prepared for the one who asks. 4.03: nothing, or he is another."""
        device = self._devices.get(name) if owner(request.remote).fits(name) else None
        if device is None:
            self._note("refused", endpoint=name, address=address(request.remote))
            raise Refusal(Code.FORBIDDEN, "this endpoint is not known here")
        return device

    def _begin(self, request):
        words = parameters(request)
        name = endpoint(request, words)
        if number(words, "pct", 0, 65535, SENML) != SENML:
            raise Refusal(Code.UNSUPPORTED_CONTENT_FORMAT, "pct: settings are given in SenML-CBOR (112) here")
        device = self._device(request, name)
        self._abandon(name)
        self._note("bootstrap_requested", endpoint=name, address=address(request.remote))
        self._running[name] = asyncio.create_task(self._bootstrap(device, request.remote))
        return reply(Code.CHANGED)  # goes out before the task has its first turn

    def _abandon(self, name):
        """A device that asks anew has forgotten the bootstrap that was running; so do we."""
        task = self._running.pop(name, None)
        if task and not task.done():
            task.cancel()

    async def _bootstrap(self, device, remote):
        name = device["endpoint"]
        self._coap.forget(remote)
        try:
            async with asyncio.timeout(self._coap.paced(remote, _WHOLE).limit):
                for code, path, payload in steps(name, device["accounts"], device["settings"]):
                    await self._step(code, path, payload, remote)
        except (Refusal, Unreachable, TimeoutError, BadSecret) as problem:
            self._note("bootstrap_failed", endpoint=name, why=str(problem) or "took too long")
        else:
            device["bootstrapped_at"] = time.time()
            self._note("bootstrapped", endpoint=name, accounts=len(device["accounts"]))
            self._storage.execute(books.accounts.update().where(books.accounts.c.endpoint == name).values(
                bootstrapped_at=device["bootstrapped_at"]))
        finally:
            if self._running.get(name) is asyncio.current_task():
                del self._running[name]

    async def _step(self, code, path, payload, remote):
        format = SENML if payload else None
        answer = await self._coap.ask(remote, code, path, payload=payload, format=format, patience=BOOTSTRAP)
        if not answer.code.is_successful():
            text = answer.payload[:256].decode("utf-8", "replace")
            raise Refusal(answer.code, f"{code} /{'/'.join(path)}: {answer.code} {text}".strip())


def steps(name, accounts, settings):
    """The requests of a bootstrap in order: (code, path, payload). Raises BadSecret where keys cannot be derived."""
    yield Code.DELETE, (), b""
    for path, values in contents(name, accounts, settings):
        yield Code.PUT, segments(path), pack(path, values)
    yield Code.POST, ("bs",), b""


def contents(name, accounts, settings):
    """(path of an instance, {resource: value}) of all that the device `name` gets."""
    for instance, account in enumerate(accounts, 1):
        for object, values in _instances(account, instance, name):
            yield f"/{object}/{instance}", values
    values = {_SETTINGS[name][0]: value for name, value in settings.items() if name in _SETTINGS}
    if values:
        yield "/26242/0", values
    yield from enrolling.instances(settings)


def _instances(account, instance, name):
    security = account.get("security", NONE)  # none: it was prepared before there was any
    key = load(account["secret"]).device_key(security, name) if security != NONE else b""
    if security == OSCORE:
        yield "21", {0: key, 1: kid(name), 2: SERVER_ID, 3: _AES_CCM}
    means = {DTLS: {2: _PRE_SHARED, 3: name.encode(), 5: key}, OSCORE: {2: _NO_SECURITY, 17: (21, instance)}}
    yield "0", {0: account["uri"], 1: False, 10: account["ssid"], **means.get(security, {2: _NO_SECURITY})}
    yield "1", {0: account["ssid"], 1: account["lifetime"], 6: True, 7: "U", 13: account["priority"]}
    yield "26241", {0: account["ssid"], 1: account["links"], 2: account["epoch"]}


def checked_accounts(accounts):
    """Accounts with their defaults filled in. Raises ValueError naming what is wrong."""
    if not isinstance(accounts, list) or not 1 <= len(accounts) <= 8:
        raise ValueError("accounts: a list of 1 to 8 server accounts is expected")
    found = [_checked(account) for account in accounts]
    if len({account["ssid"] for account in found}) != len(found):
        raise ValueError("ssid: each account of a device needs a short server id of its own")
    return found


def _checked(account):
    if not isinstance(account, dict):
        raise ValueError("account: an object with uri, ssid and more is expected")
    _types(account, _ACCOUNT)
    found = {**_DEFAULTS, **account}
    for name in ("uri", "ssid"):
        if name not in found:
            raise ValueError(f"{name}: is missing in an account")
    _check_uri(found["uri"], found["security"])
    _check_secret(found)
    _range("ssid", found["ssid"], 1, 65534)
    _range("lifetime", found["lifetime"], 1, MAX_LIFETIME)
    _range("priority", found["priority"], 0, 255)
    links = found["links"].split(",")
    if not all(map(_LINK.fullmatch, links)) or len(set(links)) != len(links):
        raise ValueError(f"links: {found['links']!r} are no names of links, as eth or eth,lte")
    return found


def checked_settings(settings):
    """Settings of a device. Raises ValueError naming what is wrong."""
    if not isinstance(settings, dict):
        raise ValueError("settings: an object with " + ", ".join(_SETTINGS) + " is expected")
    _types(settings, {name: kind for name, (_, kind) in _SETTINGS.items()})
    _range("report_period_s", settings.get("report_period_s", 1), 1, 86400 * 31)
    if len(settings.get("apn", "")) > 100:
        raise ValueError("apn: up to 100 characters")
    return dict(settings)


def _types(values, kinds):
    for name, value in values.items():
        if name not in kinds:
            raise ValueError(f"{name}: unknown; known are {', '.join(kinds)}")
        if type(value) is not kinds[name]:
            raise ValueError(f"{name}: {value!r} is not of type {kinds[name].__name__}")


def _range(name, value, low, high):
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} is not within {low}..{high}")


def _check_secret(account):
    """The registrar's file is looked at now, and read anew for each bootstrap: keys are not in our books."""
    if account["security"] not in KINDS:
        raise ValueError(f"security: {account['security']!r} is not one of {', '.join(KINDS)}")
    if (account["security"] == NONE) == ("secret" in account):
        raise ValueError("secret: the file of the registrar's secret goes with security, and only with it")
    if "secret" in account:
        try:
            load(account["secret"])
        except BadSecret as problem:
            raise ValueError(f"secret: {problem}; {problem.remedy}") from problem


def _check_uri(uri, security):
    if _NUMBER.fullmatch(uri) and security == NONE:
        return
    scheme = "coaps" if security == DTLS else "coap"
    try:
        parts = urlsplit(uri)
        good = parts.scheme == scheme and parts.hostname and parts.port != 0 and len(uri) <= 255
    except ValueError:
        good = False
    if not good:
        number = " or sms:+number" if security == NONE else ""
        raise ValueError(f"uri: {uri!r} is not of the form {scheme}://host:port{number}")


def _awaitable(future):
    """Outside an event loop the caller has nothing to await: it waits here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return future.result()
    return asyncio.wrap_future(future)
