"""Runs under either interpreter: PORT COUNT -> how many confirmable GETs a second our exchange gets answered."""

import socket
import sys
import time

from agent.codec import coap
from agent.engine.exchange import Exchange

PEER = ("lo", "127.0.0.1", 0)


def ask(port, count):
    """Round trips a second: a request, its datagram out, the answer in, the event; then the next."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    sock.settimeout(5)
    exchange = Exchange(lambda n: port % n)
    start = time.time()
    for now in range(count):
        handle = exchange.request(PEER, coap.GET, ("3", "0", "13"), now)
        for _, data in exchange.take():
            sock.send(data)
        exchange.receive(PEER, sock.recv(1500), now)
        ((kind, who, response),) = exchange.events()
        assert (kind, who, response.payload) == ("response", handle, b"1367491215")
    return count / (time.time() - start)


if __name__ == "__main__":
    print(ask(int(sys.argv[1]), int(sys.argv[2])))
