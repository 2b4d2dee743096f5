"""What may wake the driver on CPython beside its streams: a signal."""

import signal
import socket


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
