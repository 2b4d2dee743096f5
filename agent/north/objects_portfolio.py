"""Object 16, the portfolio: what a server writes down on the device of what it is part of, such as the name, maker and
model of its host. Servers create and delete its instances; the store keeps them, whoever the servers are.

Source: OMA registry, object 16 version 1.0, of which Identity is all that is here.
"""

from ..errors import RemoteError

PORTFOLIO = 16
_MOST = 8  # instances, and identities of one

# id operations kind
TABLE = """
0 RW!* str
"""


def enter(agent, objects):
    """Put it into the tree of objects."""

    def write(instance, _rid, value, really):
        if len(value) > _MOST or (len(_kept(agent)) >= _MOST and instance not in _kept(agent)):
            raise RemoteError("/16: %d instances of %d identities each are kept, and no more" % (_MOST, _MOST))
        if really:
            _keep(agent, instance, value)

    def create(instance, values, really):
        write(instance, 0, values[0], really)

    def delete(instance, really):
        if really:
            _keep(agent, instance, None)

    objects.add(PORTFOLIO, TABLE, lambda instance, _rid: _kept(agent).get(instance), write,
                instances=lambda: sorted(_kept(agent)), create=create, delete=delete)  # fmt: skip


def _kept(agent):
    return agent.store.get("portfolio", {})


def _keep(agent, instance, value):
    kept = dict(_kept(agent))
    kept[instance] = value
    if value is None:
        del kept[instance]
    agent.store.keep({"portfolio": kept})
    agent.resources.extend()
