"""One run of the lab: start everything, tell every device's story, compute the verdict, end everything."""

import asyncio
import time

from . import summary
from .acts import Broken
from .options import HOLD_MS
from .story import Story
from .yard import Yard

_TICK_S = 0.1


class Play:
    """Each device has a story of its own. What a play of another kind does instead: GroupPlay."""

    stage = Yard  # makes the yard, from options and what is told

    def stories(self, yard, show, seed):
        return [Story(yard, device, show, seed) for device in yard.devices]

    def conclude(self, yard):
        """-> (total, {endpoint: figures}) with `ok` in each."""
        now, figures = time.time(), {}
        for device in yard.devices:
            figures[device.endpoint] = figures_of(yard, device, now)
        total = summary.summarise(figures)
        total["hold_ms"] = HOLD_MS
        return total, figures


async def perform(options, show, console=None, stage=None, play=None):
    """Returns the exit code: 0, or 1 when anything in the story did not happen.

    show: a timeline; console: a coroutine function (yard, show) that lets a user play after the story, or None; stage:
    what makes the yard instead of what the play says.
    Raises Fault when something the lab needs cannot be had.
    """
    play = play or Play()
    yard = (stage or play.stage)(options, show.event)
    ticking = asyncio.create_task(_tick(show))
    try:
        await yard.start()
        stories = play.stories(yard, show, options.seed)
        told = await asyncio.gather(*(_tell(story, story.tell) for story in stories))
        if console:
            await console(yard, show)
        whole = [story for story, holds in zip(stories, told, strict=True) if holds]
        await asyncio.gather(*(_tell(story, story.end) for story in whole))
        total, figures = play.conclude(yard)
    finally:
        ticking.cancel()
        show.close()
        await yard.stop()
    show.summary(total, figures)  # the very last line, whatever the servers had to say when they were stopped
    return 0 if total["ok"] else 1


async def _tell(story, part):
    """One device's part of the story; where it breaks, the others go on. -> whether it holds."""
    try:
        await part()
        return True
    except Broken as error:
        story.broken(error)
        return False


def figures_of(yard, device, now):
    """summary.device() of one device by the yard's books."""
    name, books = device.endpoint, yard.books
    return summary.device(books.registrations(name), books.readings(name), device.moments, books.exchange_ms(name), now)


async def _tick(show):
    while True:
        show.tick()
        await asyncio.sleep(_TICK_S)
