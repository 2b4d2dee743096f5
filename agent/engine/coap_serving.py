"""Requests and responses whose body travels in blocks, a part of the exchange's server (RFC 7959). Loaded when a
request has a Block option, or an answer does not fit one message."""

import binascii

from ..codec import coap
from ..errors import RemoteError
from . import coap_blocks as blocks
from .coap_transmission import ROOM

try:
    from micropython import const
except ImportError:
    const = int

_BODIES = const(4)
_PATIENCE = const(93000)  # ms between two blocks: MAX_TRANSMIT_WAIT (RFC 7959 2.4 asks for no less than that)


def whole(server, request, message, now):
    """Whether the request is whole now and to be delivered. Otherwise it has been answered."""
    try:
        request.block1 = blocks.read(message, coap.BLOCK1)
        request.block2 = blocks.read(message, coap.BLOCK2)
    except RemoteError as error:
        server.answer(request, coap.BAD_REQUEST, (), str(error).encode(), now)
        return False
    if request.block1 and request.path in server.piecemeal:
        request.size1 = message.uint(coap.SIZE1) or 0
        return True
    if request.block1 and not _assemble(server, request, message, now):
        return False
    if request.block2 and request.block2[0]:
        request.observe = None  # RFC 7959 2.6: later blocks do not register
        return not _continued(server, request, now)
    return True


def received(server, request, code):
    """The Block1 option of an answer."""
    number, _, size = request.block1
    return blocks.option(coap.BLOCK1, number, code == coap.CONTINUE, min(size, server.size))


def _assemble(server, request, message, now):
    """Adds a block to its body. True: the request is whole. Otherwise it has been answered."""
    number, more, size = request.block1
    key = ("in", request.key)
    if not number:
        _hold(server, blocks.Body(request.peer, key, request.format), now)
    body = _held(server, key)
    options = ()
    code = coap.CONTINUE
    if not body or body.about != request.format or number * size != body.length:
        code = coap.INCOMPLETE
    elif more and len(request.payload) != size:
        code = coap.BAD_REQUEST
    elif (message.uint(coap.SIZE1) or 0) > blocks.BODY_MAX or not _grow(server, request, body, now):
        code = coap.TOO_LARGE
        options = ((coap.SIZE1, coap.uint(blocks.BODY_MAX)),)
    if more and code == coap.CONTINUE:
        server.answer(request, code, options, b"", now)
        return False
    if body:
        server.bodies.remove(body)
    if code != coap.CONTINUE:
        server.answer(request, code, options, b"", now)
    return code == coap.CONTINUE


def _grow(server, request, body, now):
    """Adds the payload to the body; after the last block the payload is the body. False: too large."""
    try:
        body.append(request.payload)
        _hold(server, body, now)
        if not request.block1[1]:
            request.payload = body.whole()
    except RemoteError:
        return False
    return True


def _continued(server, request, now):
    """Answers a request for a later block from the body held. False: the request has to be asked again."""
    body = _held(server, request.key)
    if body:
        server.answer(request, body.about[0], body.about[1], body.whole(), now)
    elif request.code == coap.GET or request.code == coap.FETCH:
        return False
    else:  # nothing that changes the world is done twice for a block of its answer
        server.answer(request, coap.INCOMPLETE, (), b"", now)
    return True


def cut(server, to, code, options, payload, now):
    """(code, the block of the response body that `to` asked for); adds its options, holds the rest."""
    number, _, asked = to.block2 or (0, 0, server.size)
    size = min(asked, server.size)
    at = number * asked
    if at >= len(payload):
        del options[:]
        return coap.BAD_REQUEST, b""
    if not any([item[0] == coap.ETAG for item in options]):
        options.append((coap.ETAG, binascii.crc32(payload).to_bytes(4, "big")))
    body = _held(server, to.key)
    if at and body:
        _hold(server, body, now) if at + size < len(payload) else server.bodies.remove(body)
    elif at + size < len(payload):
        about = [item for item in options if item[0] not in (coap.OBSERVE, coap.BLOCK1)]
        # The exchange's room is written into again; what has outgrown it is not (exchange.room).
        kept = bytes(payload) if len(payload) <= ROOM else payload
        _hold(server, blocks.Body(to.peer, to.key, (code, about), kept), now)
    if not at:
        options.append((coap.SIZE2, coap.uint(len(payload))))
    payload, block = blocks.cut(payload, at, size, coap.BLOCK2)
    options.append(block)
    return code, payload


def _held(server, key):
    for body in server.bodies:
        if body.key == key:
            return body


def _hold(server, body, now):
    """Keeps a body, in place of an earlier one of the same key. What does not fit beside it goes."""
    before = _held(server, body.key)
    if before:
        server.bodies.remove(before)
    body.due = now + _PATIENCE
    server.bodies.append(body)
    while len(server.bodies) > _BODIES or sum([one.length for one in server.bodies]) > blocks.BODY_MAX:
        server.bodies.pop(0)
