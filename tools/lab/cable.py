"""What the lab does to a simulated device by hand: its cable and its power, as files that boards/sim.py reads."""

import os
from pathlib import Path


class Cable:
    """The carrier of the device's Ethernet port: DIR/eth.carrier, of the same shape as /sys/class/net/X/carrier."""

    def __init__(self, directory):
        self._file = Path(directory) / "eth.carrier"
        self.plug()

    def plug(self):
        self._set("1")

    def pull(self):
        self._set("0")

    @property
    def plugged(self):
        return self._file.read_text().strip() == "1"

    def _set(self, text):
        # By rename, so that a device that polls never sees an empty file.
        draft = self._file.with_suffix(".new")
        draft.write_text(text + "\n")
        os.replace(draft, self._file)


class Fuse:
    """A power cut in the middle of a write: set it, wait until `blown`, then kill the process, then `replace` it."""

    def __init__(self, directory):
        self._wish = Path(directory) / "cut"
        self._done = Path(directory) / "cut.done"

    def set(self):
        self._wish.touch()

    @property
    def blown(self):
        return self._done.exists()

    def replace(self):
        for file in (self._wish, self._done):
            file.unlink(missing_ok=True)
