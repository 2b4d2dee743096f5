"""What lines that come by themselves mean when the family does not know them: the words of other makers, which modems
of unknown families and odd firmwares use. Loaded for a line that looks like one of these, and dropped again.
"""

from ..errors import RemoteError
from ..overlay import drop

_OURS = (None, 0, 1)  # contexts that we dial with


def event(line):
    """As generic.event; ("doubt",): look whether the context is still there."""
    try:
        return _network(line) if line.startswith("+CGEV:") else _sim(line) or _call(line)
    except RemoteError:
        return None
    finally:
        drop("codec.at_context", "codec.at_sim", "codec.at_bearer")


def _network(line):
    """+CGEV (TS 27.007 10.1.19). A network often takes a modem back that it has detached, so that is no end."""
    from ..codec import at_context

    found = at_context.event(line)
    if found["what"] == "deactivated":
        return ("context", None) if found.get("primary", found["cid"]) in _OURS else ("doubt",)
    return ("doubt",) if found["what"] == "detached" else None


def _sim(line):
    from ..codec import at_sim

    there = at_sim.presence(line)
    return None if there is None else ("sim", there)


def _call(line):
    from ..codec import at_bearer

    found = at_bearer.event(line)
    return ("context", None) if found and found[1] is False and found[0] in _OURS + ("IPV4",) else None
