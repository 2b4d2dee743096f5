"""Between the modem and its port: bytes that get lost or stick together, and a record of what crossed."""

import asyncio

MAX_HELD = 8192  # bytes


class Wire:
    """write(bytes) goes to the port, hear(bytes) to the modem; record: a Record or None. random: a random.Random."""

    def __init__(self, write, hear, random, record=None):
        self._write, self._hear, self._random, self._record = write, hear, random, record
        self.permille = 0  # of all bytes, either way, are lost
        self.drop = 0  # so many of the modem's next writes are lost
        self.merge_ms = 0  # its writes are held for so long, and come as one
        self.misfit = lambda: False  # whether the two ends talk at different speeds
        self._held, self._timer = bytearray(), None

    def said(self, data):
        """Bytes of the modem."""
        if self.drop:
            self.drop -= 1
            return
        self._held += self._damaged(data)
        if self.merge_ms == 0 or len(self._held) > MAX_HELD:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.merge_ms / 1000, self.flush)

    def heard(self, data):
        """Bytes of the device."""
        data = self._damaged(data)
        if data:
            if self._record:
                self._record.add("modem", data)
            self._hear(data)

    def flush(self):
        """What was held goes out."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        data, self._held = bytes(self._held), bytearray()
        if data:
            if self._record:
                self._record.add("device", data)
            self._write(data)

    def clear(self):
        """The port is gone, and what was on its way too."""
        self._held.clear()
        self.flush()

    def noise(self, length):
        """So many bytes of what a UART hears while a modem is switched on: NULs, then anything."""
        nulls = (length + 3) // 4
        return bytes(nulls) + self._rubbish(length - nulls)

    def _rubbish(self, length):
        return bytes(self._random.randrange(128, 256) for _ in range(length))

    def _damaged(self, data):
        if self.misfit():
            return self._rubbish(len(data))
        if not self.permille:
            return data
        return bytes(byte for byte in data if self._random.randrange(1000) >= self.permille)
