"""What an endpoint of a server is protected by, as Coap's `keys`, for each kind of security."""

from .credentials import DTLS, OSCORE
from .dtls import Client, Sessions
from .oscore import Contexts, client_of
from .wire import Plain


def serving(security, secret, storage, name, gateways=()):
    """Towards devices, which have keys derived from the server's Secret; `name`: the server's in the books, `gateways`:
    the names of those that speak for others."""
    if security == OSCORE:
        return Contexts(storage, name, secret.oscore_key)
    return Sessions(secret, gateways) if security == DTLS else Plain()


def asking(security, key, storage, name):
    """Towards a server of which the endpoint `name` has this key."""
    if security == OSCORE:
        return client_of(storage, name, key)
    return Client(name, key) if security == DTLS else Plain()
