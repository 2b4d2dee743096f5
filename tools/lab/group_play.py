"""The lab as it plays the story of a group, in place of one story a device."""

import time

from . import group_summary
from .group_story import VERSION, GroupStory
from .group_yard import GROUP, GroupYard
from .performance import Play, figures_of


class GroupPlay(Play):
    """One story for all."""

    stage = GroupYard

    def stories(self, yard, show, seed):
        return [GroupStory(yard, show, seed)]

    def conclude(self, yard):
        now, books = time.time(), yard.books
        outcomes, figures = books.outcomes(GROUP, VERSION), {}
        for device in yard.devices:
            name = device.endpoint
            times = [r.time for r in books.readings(name)]
            figures[name] = group_summary.device(figures_of(yard, device, now), times, outcomes.get(name),
                                                 yard.pushed_at or now)
        return group_summary.summarise(figures, yard.sent or {}, yard.there), figures
