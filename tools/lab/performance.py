"""One run of the lab: start everything, tell every device's story, compute the verdict, end everything."""

import asyncio
import time

from . import summary
from .acts import Broken
from .options import HOLD_MS
from .story import Story
from .yard import Yard

_TICK_S = 0.1


async def perform(options, show, console=None, stage=Yard):
    """Returns the exit code: 0, or 1 when anything in the story did not happen.

    show: a timeline; console: a coroutine function (yard, show) that lets a user play after the story, or None; stage:
    what makes the yard.
    Raises Fault when something the lab needs cannot be had.
    """
    yard = stage(options, show.event)
    ticking = asyncio.create_task(_tick(show))
    try:
        await yard.start()
        stories = [Story(yard, device, show, options.seed) for device in yard.devices]
        await asyncio.gather(*(_tell(story, story.tell) for story in stories))
        if console:
            await console(yard, show)
        await asyncio.gather(*(_tell(story, story.end) for story in stories if not story.device.moments.broken))
        total, figures = _conclude(yard)
    finally:
        ticking.cancel()
        show.close()
        await yard.stop()
    show.summary(total, figures)  # the very last line, whatever the servers had to say when they were stopped
    return 0 if total["ok"] else 1


async def _tell(story, part):
    """One device's part of the story; where it breaks, the others go on."""
    try:
        await part()
    except Broken as error:
        story.device.moments.broken = str(error)
        story.show.broken(story.name, error, list(story.device.agent.tail))


def _conclude(yard):
    now, figures = time.time(), {}
    for device in yard.devices:
        name = device.endpoint
        figures[name] = summary.device(
            yard.books.registrations(name), yard.books.readings(name), device.moments, yard.books.exchange_ms(name), now
        )
    total = summary.summarise(figures)
    total["hold_ms"] = HOLD_MS
    return total, figures


async def _tick(show):
    while True:
        show.tick()
        await asyncio.sleep(_TICK_S)
