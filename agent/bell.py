"""What may wake the driver on CPython beside its streams: a signal, and a thread that looked up a name."""

import signal
import socket
import threading


class Bell:
    """waiting: Waiting, in whose turn() everything is called."""

    def __init__(self, waiting):
        self._waiting, self._calls, self._before = waiting, [], {}
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        waiting.on(self._reader, self._rung)

    def catch(self, then):
        """Call then() for every SIGTERM and SIGINT."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)  # it may strike just before the sleep
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, lambda *_: self._calls.append(then))

    def look_up(self, host, port, then):
        """Call then(address or None, why not) once the first IPv4 address of a host name is known, as (ip, port)."""
        threading.Thread(target=self._find, args=(host, port, then), daemon=True).start()

    def _find(self, host, port, then):
        try:
            address, why = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4], None
        except (OSError, UnicodeError) as e:
            address, why = None, e
        self._calls.append(lambda: then(address, why))
        try:
            self._writer.send(b"!")
        except OSError:
            pass  # it is ringing already, or nobody is left to hear it

    def _rung(self):
        self._reader.recv(256)
        while self._calls:
            self._calls.pop(0)()

    def close(self):
        """Leave the signals to who had them before."""
        self._waiting.off(self._reader)
        signal.set_wakeup_fd(-1)
        for number, before in self._before.items():
            signal.signal(number, before)
        self._reader.close()
        self._writer.close()
