"""A LAN with other people's configuration servers on it: they answer the search, and want nothing of our device.

usage: python|micropython -X heapsize=4M tests/sim/strangers.py [-v]
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
if __name__ == "__main__":
    sys.path[:0] = [HERE, HERE + "/../.."]

from servers import DISCOVERY_GROUP, MDNS_GROUP, Configuration  # noqa: E402
from stage import Stage  # noqa: E402
from world import MINUTE, SECOND  # noqa: E402

from agent.codec import coap  # noqa: E402

SEEDS = 5


class Stranger(Configuration):
    """Answers by both ways at once, and refuses whom it does not know."""

    def serve(self, request, now):
        if request.path == ("bs",):
            self.done.append(request.peer)
            self.exchange.respond(request, coap.FORBIDDEN, now)
        else:
            Configuration.serve(self, request, now)


def play(seed, count=2, leisure=0, tell=None):
    """-> the Stage once the device is bootstrapped. `count` strangers; our own server answers a search only after
    `leisure` ms (RFC 7252 8.2)."""
    stage = Stage(seed, 1, tell)
    world, hosts, own = stage.world, stage.hosts, stage.configuration
    others = [Stranger(world, hosts, "stranger-%d" % n, "10.0.0.%d" % (50 + n), 50 + n, (), ()) for n in range(count)]
    for stranger in others:
        hosts.own(stranger.host, stage.lan, stranger.receive)

    def asked(reactions, mine):
        def everybody(*datagram):
            for react in reactions:
                react(*datagram)
            world.after(leisure, mine, *datagram)

        return everybody

    hosts.own(DISCOVERY_GROUP, stage.lan, asked([other.receive for other in others], own.receive))
    hosts.own(MDNS_GROUP, stage.lan, asked([other.find for other in others], own.find))
    stage.power_on()
    took = stage.until(lambda: own.done, MINUTE)
    assert took <= leisure + 2 * SECOND, "it took %d ms" % took
    for stranger in others:
        assert len(stranger.done) <= 1 + leisure // SECOND, "one stranger was asked %d times" % len(stranger.done)
    return stage


def story(seed, tell=None):
    """-> the digests of a quick own server, of one slower than the strangers, and of one among many."""
    digests = [play(seed, count, leisure, tell).world.digest for count, leisure in ((2, 0), (2, 4000), (4, 1000))]
    return "%08x %08x %08x" % tuple(digests)


if __name__ == "__main__":
    for number in range(SEEDS):
        print(number, story(number, print if "-v" in sys.argv else None))
