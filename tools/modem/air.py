"""What happens to datagrams between the modem and the internet: they are late, out of order, or never come."""

import asyncio


class Air:
    """loss in percent; ms one way, and up to `jitter` ms more. random: a random.Random, so that a seed repeats it."""

    def __init__(self, random):
        self._random = random
        self.ms = self.jitter = self.loss = 0
        self.lost = 0  # datagrams

    def carry(self, deliver, *what):
        """deliver(*what) now, later or never."""
        if self.loss and self._random.randrange(100) < self.loss:
            self.lost += 1
            return
        wait = self.ms + (self._random.randrange(self.jitter + 1) if self.jitter else 0)
        if wait:
            asyncio.get_running_loop().call_later(wait / 1000, deliver, *what)
        else:
            deliver(*what)
