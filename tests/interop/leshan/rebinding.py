"""What lies between a device and a server and can change: a router that gives the device another address, as NAT does
after a pause, or that swallows what comes from one of the device's own addresses."""

import select
import socket
import threading
import time


class Router:
    """Carries datagrams between devices and `server`, a (host, port). Devices ask at `address`; each gets a socket
    towards the server. `seen`: (whether from a device, bytes) since the last change."""

    def __init__(self, server):
        self._server, self._ways, self._dead = server, {}, set()
        self._inner = self._bound("127.0.0.1")
        self.address, self.seen = self._inner.getsockname(), []
        self._lock, self._ended = threading.Lock(), False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _bound(host):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((host, 0))
        return sock

    def rebind(self, host="127.0.0.9"):
        """From now on the server sees every device at another address."""
        with self._lock:
            for device, old in list(self._ways.items()):
                self._ways[device] = self._bound(host)
                old.close()
            self.seen = []

    def lead(self, server):
        """From now on it leads to another server, as if the one behind it had been replaced; the addresses are new."""
        self._server = server
        self.rebind("127.0.0.1")

    def swallow(self, host):
        """From now on nothing passes from or to a device at this address."""
        with self._lock:
            self._dead.add(host)
            self.seen = []

    def first(self, count, limit=60):
        """That many of the datagrams since the last change, once they are there."""
        end = time.monotonic() + limit
        while len(self.seen) < count:
            assert time.monotonic() < end, self.seen
            time.sleep(0.01)
        return self.seen[:count]

    def stop(self):
        self._ended = True
        self._thread.join()
        for sock in (self._inner, *self._ways.values()):
            sock.close()

    def _run(self):
        while not self._ended:
            with self._lock:
                ways = {sock: device for device, sock in self._ways.items()}
            try:
                ready, _, _ = select.select([self._inner, *ways], [], [], 0.02)
            except (OSError, ValueError):
                continue  # one of them was closed by rebind()
            with self._lock:
                for sock in ready:
                    self._carry(sock, ways.get(sock))

    def _carry(self, sock, device):
        if device and self._ways.get(device) is not sock:
            return
        data, source = sock.recvfrom(4096)
        host = (device or source)[0]
        if host in self._dead:
            return
        self.seen.append((device is None, data))
        if device:
            self._inner.sendto(data, device)
        else:
            if source not in self._ways:
                self._ways[source] = self._bound("127.0.0.1")
            self._ways[source].sendto(data, self._server)
