"""Ports for programs that have to be told theirs, or need the same one twice."""

import secrets
import socket

LOWEST, HIGHEST = 10240, 32767  # below those that Linux gives to whoever asks for any: nobody takes one meanwhile


def free_port(count=1):
    """The first of so many ports, one after the other, that nobody uses on this machine, neither UDP nor TCP."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST - count)
        if all(_free(port + more, kind) for more in range(count) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            return port


def _free(port, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
