"""What follows the first response to a request of ours, a part of the exchange's client: the other blocks, either way
(RFC 7959), notifications (RFC 7641 section 3), the same request with an Echo (RFC 9175 2)."""

from ..codec import coap
from ..errors import RemoteError
from . import coap_blocks as blocks

_FRESH_MS = 128000  # after which a notification is newer whatever its number


def response(client, ask, message, now):
    """Goes on with the next block, or delivers; a response that is out of step ends the request."""
    if message.code == coap.UNAUTHORIZED and _echo(client, ask, message, now):
        return
    try:
        if _upload(client, ask, message, now) or (ask.watching and not _news(client, ask, message, now)):
            return
        if not _download(client, ask, message, now):
            client.deliver(ask, message, ask.body.whole() if ask.body else message.payload)
    except RemoteError:
        client.fail(ask, "block")


def _echo(client, ask, message, now):
    """Asks once more, with the Echo by which the server sees that we ask now. False: it wants none, or had one."""
    echo = message.get(coap.ECHO)
    if echo is None or ask.state == "observing" or [True for number, _ in ask.options if number == coap.ECHO]:
        return False
    ask.options = ask.options + [(coap.ECHO, echo)]
    client.send(ask, "block", now)
    return True


def block(ask, options, payload):
    """(options, payload) of the next message: one that asks for a block, or carries one."""
    if ask.body:
        options = [item for item in options if item[0] != coap.OBSERVE]  # RFC 7959 2.6
        options.append(blocks.option(coap.BLOCK2, ask.body.length // ask.size, 0, ask.size))
        return options, b""
    if not ask.at:
        options.append((coap.SIZE1, coap.uint(len(payload))))
    payload, number = blocks.cut(payload, ask.at, ask.size, coap.BLOCK1)
    options.append(number)
    return options, payload


def _upload(client, ask, message, now):
    """Sends the next block of our body. False: there is none, this is the response. RemoteError: out of step."""
    if ask.body or ask.state == "observing":
        return False
    block = blocks.read(message, coap.BLOCK1)
    code = message.code
    length = len(ask.payload)
    after = ask.at + ask.size
    if code == coap.TOO_LARGE and block and block[2] < min(ask.size, length):
        after = 0  # the server wants smaller blocks (RFC 7959 2.9.3)
    elif code == coap.INCOMPLETE and length > ask.size and ask.restarts:
        after = 0
        block = None
        ask.restarts -= 1
    elif code != coap.CONTINUE and (not block or code >= coap.BAD_REQUEST or after >= length):
        return False
    elif not block or after >= length or block[0] != ask.at // ask.size:
        raise RemoteError("coap: Block1 out of step")
    ask.at = after
    if block:
        ask.size = min(ask.size, block[2])
    client.send(ask, "block", now)
    return True


def _news(client, ask, message, now):
    """False: an older notification, overtaken on the way. Without Observe the observation ends (RFC 7641 3.2)."""
    number = message.uint(coap.OBSERVE)
    if number is None or message.code >= coap.BAD_REQUEST:
        ask.watching = False
        ask.observe = None
        return True
    if ask.observe is not None and now <= ask.observed_at + _FRESH_MS:
        if not 0 < (number - ask.observe & 0xFFFFFF) < 0x800000:  # RFC 7641 3.4
            return False
    for older in client.asks[:]:
        if older.handle == ask.handle and older is not ask:
            client.remove(older)  # the rest of what is outdated now
    ask.observe = number
    ask.observed_at = now
    return True


def _download(client, ask, message, now):
    """Asks for the next block of the response. False: this message completes it. RemoteError: out of step."""
    block = blocks.read(message, coap.BLOCK2)
    if not block or message.code >= coap.BAD_REQUEST:
        ask.body = None
        return False
    if not (block[0] or block[1] or ask.body) or coap.BLOCK2 in [number for number, _ in ask.options]:
        return False  # the whole, or all that was asked for
    if ask.watching:
        ask = _rest(client, ask)
    _append(client, ask, message, block)
    if ask.state == "queued":
        client.asks.append(ask)
        client.begin(ask, now)
    elif block[1]:
        client.send(ask, "block", now)
    return bool(block[1])


def _rest(client, ask):
    """The request for the rest of a notification. Its token is another one: the observation's stays free for
    the next (RFC 7959 2.6)."""
    client.notified(ask)
    rest = type(ask)(ask.handle, ask.peer, client.token(ask.peer), ask.code, ask.options, b"", ask.size, ask.left)
    rest.observe = ask.observe
    return rest


def _append(client, ask, message, block):
    number, more, size = block
    etag = message.get(coap.ETAG)
    ask.body = body = ask.body or blocks.Body(ask.peer, None, etag)
    whole = len(message.payload) == size or not more
    if number * size != body.length or etag != body.about or not whole:
        raise RemoteError("coap: Block2 out of step")
    body.append(message.payload)
    ask.size = min(size, client.size)
