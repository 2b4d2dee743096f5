"""A registrar in ten lines for the tests of whole processes: it says yes to everything and remembers it.

It uses the agent's own CoAP codec, so it proves nothing about CoAP; tests/interop does that.
"""

import socket
import threading
import time

from agent.codec import coap


class Registrar:
    """A UDP server in a thread. `seen`: [(peer, code as text, path, query)], each request once."""

    def __init__(self):
        self.seen, self._sock = [], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.settimeout(0.05)
        self.port = self._sock.getsockname()[1]
        self.mute, self._known = False, {}  # (peer, message id): the answer
        self._ended = False
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended = True
        self._thread.join()
        self._sock.close()

    def ask(self, peer, code, *path):
        """Send a confirmable request to a device."""
        options = [(coap.URI_PATH, part.encode()) for part in path]
        self._sock.sendto(coap.encode(coap.Message(coap.CON, code, 1, b"\x01", options)), peer)

    def wait(self, condition, seconds=60):
        """Poll until condition(self.seen) is true; returns what it gave."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition(self.seen)
            if found:
                return found
            time.sleep(0.01)
        raise AssertionError("not within %d s; seen: %r" % (seconds, self.seen))

    def count(self, code, path, number=1):
        """Wait for that many requests of a kind; returns their rows."""
        rows = lambda seen: [row for row in seen if row[1:3] == (code, path)]  # noqa: E731
        return self.wait(lambda seen: len(rows(seen)) >= number and rows(seen))

    def _serve(self):
        while not self._ended:
            try:
                data, peer = self._sock.recvfrom(2048)
            except TimeoutError:
                continue
            message = coap.decode(data)
            if message.type != coap.CON or self.mute:
                continue
            if (peer, message.mid) in self._known:  # a busy machine repeats
                self._sock.sendto(self._known[peer, message.mid], peer)
                continue
            self.seen.append((peer, coap.dotted(message.code), message.path(), message.query()))
            answer = {coap.POST: coap.CHANGED, coap.DELETE: coap.DELETED}.get(message.code, coap.CONTENT)
            options = []
            if message.path() == ("rd",):
                answer, options = coap.CREATED, [(coap.LOCATION_PATH, b"rd"), (coap.LOCATION_PATH, b"x1")]
            reply = coap.encode(coap.Message(coap.ACK, answer, message.mid, message.token, options))
            self._known[peer, message.mid] = reply
            self._sock.sendto(reply, peer)
