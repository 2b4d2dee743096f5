"""A DNS server for tests: answers from a table, keeps what it was asked, and can be hostile."""

import socket
import struct
import threading


class NameServer:
    """known: {name: address, another name (an alias), or None (it does not exist)}; others are refused.

    `asked` is [(name, (ip, port) of who asked)], `forge` sends wrong answers before the right one.
    """

    def __init__(self, known, address=("127.0.0.1", 0), forge=False, sock=None):
        self.known, self.forge, self.asked, self.silent = known, forge, [], False
        self._sock = sock or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(address)
        self._sock.settimeout(0.05)
        self.address = "%s:%d" % self._sock.getsockname()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        self._sock.close()

    def _serve(self):
        while not self._ended.is_set():
            try:
                data, peer = self._sock.recvfrom(512)
            except TimeoutError:
                continue
            name = _name(data)
            self.asked.append((name, peer))
            if self.silent:
                continue
            answer = self._answer(data, name)
            for forged in self._forged(answer) if self.forge else ():
                self._sock.sendto(forged, peer)
            self._sock.sendto(answer, peer)

    def _answer(self, asked, name):
        code = 3 if name in self.known and self.known[name] is None else 0 if name in self.known else 5
        records = []
        while self.known.get(name):
            value = self.known[name]
            number = value.replace(".", "").isdigit()
            data = socket.inet_aton(value) if number else _wire(value)
            records.append(_wire(name) + struct.pack(">HHIH", 1 if number else 5, 1, 300, len(data)) + data)
            name = value
        return asked[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0) + asked[12:] + b"".join(records)

    def _forged(self, answer):
        """Another id, another question, cut short, and from another port; each claims 127.0.0.66."""
        lie = answer[:-4] + bytes([127, 0, 0, 66])
        yield bytes([lie[0] ^ 1]) + lie[1:]
        yield lie[:12] + b"\x02xx" + lie[15:]
        yield answer[:-2]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(lie, self.asked[-1][1])


def _name(asked):
    labels, at = [], 12
    while asked[at]:
        labels.append(asked[at + 1 : at + 1 + asked[at]].decode())
        at += 1 + asked[at]
    return ".".join(labels)


def _wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
