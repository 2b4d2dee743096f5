"""A UDP relay between one client and one server that notes every datagram; and that can change the client's address."""

import select
import socket
import threading

OUT, IN = "out", "in"


class Relay:
    """As a context. `port`: where the client sends to; `seen`: [(OUT | IN, bytes)]."""

    def __init__(self, server):
        self._server = server
        self._near, self._far = _socket(), _socket()
        self._near.bind(("127.0.0.1", 0))
        self._client, self._ended = None, False
        self.port = self._near.getsockname()[1]
        self.seen = []

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended = True
        self._thread.join()
        self._near.close()
        self._far.close()

    def move(self):
        """From now on the server sees another port: what a change of WAN does, or a NAT that forgets."""
        old, self._far = self._far, _socket()
        old.close()

    def mark(self):
        return len(self.seen)

    def since(self, mark):
        return self.seen[mark:]

    def _run(self):
        while not self._ended:
            far = self._far
            try:
                ready, _, _ = select.select([self._near, far], [], [], 0.05)
                for sock in ready:
                    self._pass(sock, far)
            except (OSError, ValueError):
                pass  # moved meanwhile, or nobody listens there yet

    def _pass(self, sock, far):
        data, sender = sock.recvfrom(2048)
        if sock is far:
            self.seen.append((IN, data))
            self._near.sendto(data, self._client)
        else:
            self._client = sender
            self.seen.append((OUT, data))
            far.sendto(data, ("127.0.0.1", self._server))


def _socket():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
