"""The acts of the story, in their order: what must happen, who does it, and how long it may take at the most.

One table for the story, the timeline, the error messages and the JSON events, so that they use the same words.
"""

from typing import NamedTuple


class Act(NamedTuple):
    """`text` is what has happened, `hope` what is waited for (it completes "waiting for ..."), `limit_s` how long;
    `whole`: it happens to the group as a whole, once, and not to each device."""

    name: str
    actor: str
    text: str
    hope: str
    limit_s: float
    whole: bool = False


ACTS = (
    Act("prepared", "portal", "a device is bought; its settings wait at the configuration server", "the settings", 30),
    Act("discovered", "configuration", "the device has found the configuration server", "the device to find it", 40),
    Act("bootstrapped", "configuration", "it has its accounts, and has left", "the bootstrap", 40),
    Act("registered", "gateway", "registered over Ethernet", "a registration at the gateway", 30),
    Act("relayed", "platform", "the gateway has registered it here too", "the gateway's upstream registration", 15),
    Act("readings", "platform", "readings flow", "readings", 30),
    Act("period", "platform", "new report period, seen in the books", "readings at the new rate", 30),
    Act("pulled", "lab", "CABLE PULLED", "the cable", 1),
    Act("dialled", "modem", "dialled over AT: the bearer is up", "the modem to be connected", 30),
    Act("direct", "platform", "registered here directly, over 4G", "a direct registration at the platform", 30),
    Act("gateway-gone", "gateway", "its record is gone: one registrar at a time", "the gateway to drop its record", 30),
    Act("readings-4g", "platform", "readings flow on", "readings over 4G", 30),
    Act("plugged", "lab", "CABLE BACK", "the cable", 1),
    Act("returned", "gateway", "registered over Ethernet again", "a registration at the gateway", 30),
    Act("platform-gone", "platform", "the direct record is gone", "the platform to drop its direct record", 30),
    Act("readings-eth", "platform", "readings flow on", "readings over Ethernet", 30),
    Act("cut", "lab", "POWER CUT in the middle of a write", "a write to tear", 30),
    Act("restarted", "gateway", "power is back, and so is the device: no new bootstrap", "a registration", 30),
    Act("same-identity", "platform", "the same name, a higher epoch; the readings go on", "new readings", 30),
    Act("drained", "platform", "every reading is in the books", "the last readings", 30),
    Act("left", "gateway", "de-registered; nothing is left behind", "the device to de-register", 30),
)
GROUP_ACTS = (
    Act("vouched", "platform", "each has learnt whose policies to believe", "the devices to take the keys", 30, True),
    Act("roaming", "platform", "one has lost its cable: it is with the platform, over 4G", "it to move", 60, True),
    Act("asleep", "gateway", "another one is switched off", "one to be switched off", 60, True),
    Act("pushed", "platform", "ONE POLICY for all of them, signed", "the policy to be taken for the group", 30, True),
    Act("answered", "platform", "who is there has obeyed, and said so", "those who are there to answer", 60, True),
    Act("deceived", "lab", "a stranger announces one of his own: nobody obeys",
        "all who hear it to turn it away", 60, True),
    Act("isolated", "platform", "a wrong one for who is on 4G: use the cable alone", "it to be tried", 60, True),
    Act("undone", "platform", "who was cut off has gone back by itself, and said so", "that word", 180, True),
    Act("awake", "platform", "the one that slept is back, and obeys", "the one that slept to answer", 60, True),
    Act("joined", "platform", "a new one is bought for the group, and obeys", "the new one to answer", 90, True),
    Act("slower", "platform", "readings come more rarely, from each of them", "readings at the new rate", 90, True),
    Act("gone", "gateway", "every reading is in the books; all have de-registered", "their end", 60, True),
)
NAMED = {act.name: act for act in ACTS + GROUP_ACTS}


class Broken(Exception):
    """An act did not happen: `act` is its name, `expected` what was waited for, `seen` what was there instead."""

    def __init__(self, act, expected, seen, waited_s=None):
        waited = "expected" if waited_s is None else "waited %g s for" % waited_s
        super().__init__("act '%s': %s %s; seen instead: %s" % (act, waited, expected, seen))
        self.act = act
        self.expected = expected
        self.seen = seen
