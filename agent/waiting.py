"""Where the agent sleeps: until a stream is readable or the time has come, on both interpreters."""

import select

from .interpreter import MICRO

_READABLE = 1  # POLLIN; an error or a hang-up is told as well
_LONGEST_MS = 3600000  # the clock must be read before it wraps


class Waiting:
    """clock: .now() in ms. Everything is called from within turn(), one after the other."""

    def __init__(self, clock):
        self._clock, self._poll = clock, select.poll()
        self._streams = {}  # key -> what to call
        self._timers = {}  # name -> (due, what to call)

    def on(self, stream, then):
        """Call then() whenever the stream is readable, until off(stream), which must come before it is closed."""
        self._streams[_key(stream)] = then
        self._poll.register(stream, _READABLE)

    def off(self, stream):
        """No more, if it was waited for."""
        if self._streams.pop(_key(stream), None):
            self._poll.unregister(stream)

    def after(self, ms, name, then):
        """Call then() once, ms from now; it takes the place of what was due under this name."""
        self._timers[name] = (self._clock.now() + ms, then)

    def forget(self, name):
        """Not after all."""
        self._timers.pop(name, None)

    def turn(self, due):
        """Sleep until a stream is readable, a timer has run out or it is `due` (ms; None: never); call who asked."""
        for timer in self._timers.values():
            if due is None or timer[0] < due:
                due = timer[0]
        wait = _LONGEST_MS if due is None else min(max(0, due - self._clock.now()), _LONGEST_MS)
        for found in self._poll.poll(wait):
            then = self._streams.get(id(found[0]) if MICRO else found[0])
            if then:  # not since taken off by one that was called before
                then()
        now = self._clock.now()
        for name in [name for name, timer in self._timers.items() if timer[0] <= now]:
            timer = self._timers.get(name)
            if timer and timer[0] <= now:  # not since put off by one that was called before
                del self._timers[name]
                timer[1]()


def _key(stream):
    return id(stream) if MICRO else stream.fileno()
