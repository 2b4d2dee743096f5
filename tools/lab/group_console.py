"""What a user may do to a group after its story: push policies of his own."""

import asyncio
import time

from ..policies.writing import assigned
from .console import HELP, Console
from .group_yard import GROUP

_MOST_S, _LOOK_S = 20, 0.1


class GroupConsole(Console):
    """As Console, for a GroupYard."""

    help = HELP.replace("status  ", "policy NAME=VALUE...  one policy for all: report_period_s=20\nstatus  ", 1)

    def __init__(self, yard, show):
        super().__init__(yard, show)
        self._whole["policy"] = self._policy

    async def _policy(self, *settings):
        """Signed, pushed, and told how far it has come."""
        if not settings:
            raise ValueError
        size = await self._yard.push(dict(assigned(text) for text in settings))
        self._show.say("version %d: %d bytes" % (self._yard.version, size))
        deadline, last = time.monotonic() + _MOST_S, ""
        while time.monotonic() < deadline:
            told = self._yard.platform.pushes.status(GROUP, self._yard.version)
            counts = ", ".join("%d %s" % (count, state) for state, count in told["counts"].items() if count)
            if counts != last:
                self._show.say("version %d %s: %s" % (self._yard.version, told["state"], counts))
                last = counts
            if told["state"] != "running":
                break
            await asyncio.sleep(_LOOK_S)
