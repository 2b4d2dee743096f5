"""Policies as they come over CoAP from the registrar, and acknowledgements as they go there: POST /policy, POST
/policy/keys. Loaded for each, and dropped.

A document's answer is CBOR [device, group, version, status, ?detail]; one that nobody vouches for gets 4.00 and no word
more. The answer to a keys document is [status, ?detail].
"""

from ..codec import cbor, coap
from ..codec.cose import MAC0, POLICY
from ..codec.strict import load_all
from ..overlay import drop

PATH = "policy"


def handle(north, request, now):
    """Answers a request of the registrar's to /policy."""
    policing = north.policing
    code, payload = coap.BAD_REQUEST, b""
    if request.code != coap.POST:
        code = coap.NOT_ALLOWED
    elif request.path == (PATH, "keys"):
        told = policing.offer_keys(request.payload, "unicast", now)
        if told:
            code, payload = coap.CHANGED, cbor.encode(_told([], *told))
    elif request.path == (PATH,):
        told = policing.offer(request.payload, "unicast", now)
        if told:
            group, version = about(policing.engine.split, request.payload)
            code, payload = coap.CHANGED, acknowledgement(policing.device, group, version, *told)
    else:
        code = coap.NOT_FOUND
    drop("north.pushing", "codec.cose", "codec.strict")
    north.exchange.respond(request, code, now, payload)


def acknowledge(agent, ack, now):
    """Tell the registrar, over the device's own session. ack: (group, version, status, detail or None). -> its handle
    """
    account, link = agent.registration.target
    payload = acknowledgement(agent.policing.device, *ack)
    return agent.exchange.request(account.peer(link), coap.POST, (PATH,), now, payload=payload)


def acknowledgement(device, group, version, status, detail=None):
    """The payload (bytes); `device` and `group` are bytes."""
    return cbor.encode(_told([device, group, version], status, detail))


def _told(head, status, detail):
    return head + ([status] if detail is None else [status, detail])


def about(split, data):
    """(group, version) of a document that something can be said about: it is well-formed."""
    inner = split(data, POLICY)
    if inner[0] == MAC0:
        inner = split(inner[4], POLICY)
    document = load_all(inner[4])
    return document[1], document[2]
