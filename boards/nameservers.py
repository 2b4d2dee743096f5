"""What this machine knows of host names and of DNS servers. Needed when a name is looked up, and not in between."""

import sys

_HOSTS = "/etc/hosts"
_PPP = "/etc/ppp/resolv.conf"  # pppd's, with usepeerdns
# What asks for the programs of this machine often stands behind 127.0.0.53 or so; whom it asks is in the others.
_FILES = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf")
_ROUTES = "/proc/net/route"
_SERVERS = 4


def address(host):
    """The address that needs no asking, or None."""
    host = host.rstrip(".").lower()
    for words in _lines(_HOSTS):
        if host in [word.lower() for word in words[1:]] and _is_number(words[0]):
            return words[0]
    return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else None  # RFC 6761 6.3


def servers(device=""):
    """-> addresses of the DNS servers to ask over this interface ("": any), those first that are on its own network."""
    for path in ((_PPP,) if device[:3] == "ppp" else ()) + _FILES:
        found = [words[1] for words in _lines(path) if words[0] == "nameserver" and len(words) > 1]
        found = [(server, _behind(server) if device else "") for server in found if _is_number(server)]
        own = [server for server, behind in found if behind == device]
        found = own + [server for server, behind in found if device and not behind and server[:4] != "127."]
        if found:
            return found[:_SERVERS]
    return []


def _behind(server):
    """The interface whose network the server is in, or "": several WANs share one file, and a server of the one is no
    use over the other."""
    number, best, behind = _number(server), 0, ""
    for words in _lines(_ROUTES)[1:]:
        mask = int(words[7], 16)
        if mask and number & mask == int(words[1], 16) and _ones(mask) >= best:
            best, behind = _ones(mask), words[0]
    return behind


def _number(text):
    """An address as the kernel writes it in that file."""
    return int.from_bytes(bytes([int(part) for part in text.split(".")]), sys.byteorder)


def _ones(mask):
    return bin(mask).count("1")


def _is_number(text):
    parts = text.split(".")
    return len(parts) == 4 and all([part.isdigit() and int(part) < 256 for part in parts])


def _lines(path):
    """-> the words of each line that has some, without comments; [] when there is no such file."""
    try:
        with open(path) as file:
            lines = file.read(65536).split("\n")
    except (OSError, ValueError):
        return []
    return [line.partition("#")[0].split() for line in lines if line.partition("#")[0].split()]
