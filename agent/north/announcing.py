"""Which LwM2M objects the agent has now, for its registration: loaded when that may have changed."""

from ..accounts import ACCESS, POINTSMAN, REGISTRAR, SERVER, instances

_ONE = (0,)
_PACKAGE = ("5", "0", "0")  # goes to the installer block by block


def announced(agent, objects):
    """-> [(object, its instances)] that the agent has now."""
    accounts = agent.configuration.accounts
    servers = [account.instance for account in accounts]
    found = [(SERVER, servers), (3, _ONE), (3331, _ONE), (POINTSMAN, _ONE)]
    found += [(oid, _ONE) for oid in getattr(agent.board, "sensors", ())]
    if [True for account in accounts if account.knows_epoch]:
        found.append((REGISTRAR, servers))
    rights = instances(agent.configuration.tree, ACCESS)
    if rights and len(accounts) > 1:
        found.append((ACCESS, rights))
    if agent.settings.get("portfolio"):
        found.append((16, sorted(agent.store.get("portfolio", {}))))
    for oid in (26243, 26244):
        there = instances(agent.configuration.tree, oid)
        if there or oid in objects.ids():
            found.append((oid, there))
            if oid == 26243:
                from .policing import join

                join(agent)
    if accounts:
        found += _links(agent) + _board(agent, objects)
    return found


def _links(agent):
    found = [4]
    if agent.metrics:
        found.append(7)
    if "lte" in agent.settings.get("links").split(","):
        found += (10, 11, 13, 504)
    stations = [port for port in agent.ports() if hasattr(port, "station")]
    return [(oid, _ONE) for oid in found] + ([(12, list(range(len(stations))))] if stations else [])


def _board(agent, objects):
    """What only some boards have."""
    found = []
    if hasattr(agent.board, "installer"):
        found.append((5, _ONE))
        if agent.store.get("firmware") and not agent.upgrade:
            from .upgrading import resume

            resume(agent)
        agent.exchange.piecemeal[_PACKAGE] = agent
    if hasattr(agent.board, "children"):
        found.append((25, sorted(agent.board.children())))
        objects.heads = [("/25", [("ver", "2.0")])]
    return found
