"""What a lab run is asked for, and the settings it gives its devices: the defaults of the product, faster."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

# A story should be over before one loses interest; the figures that these shorten are printed with the summary.
HOLD_MS = 1500  # fail-back hold; the product's default is 10 s
FIRST_PERIOD_S = 2  # report period the device is bought with
NEXT_PERIOD_S = 1  # what the platform changes it to
LIFETIME_S = 60
POLICY_PERIOD_S = 10  # what a policy changes it to: the shortest that there is
CPYTHON, MICROPYTHON, BOTH = "cpython", "micropython", "both"

FAST = {
    "fail_back_hold_ms": HOLD_MS,
    "ack_timeout_ms": 1000,
    "retry_max_ms": 2000,
    "penalty_ms": 3000,
    "flap_max_ms": 0,  # a story pulls the cable more often than the product should have to put up with
    "linger_ms": 0,  # one wants to see the modem hang up, and dial again the next time
    "hot_after_loss_s": 0,
    "bootstrap_wait_ms": 5000,
    "log_level": "info",
}
# Of a group: two dozen processes may keep a machine busy, and nobody's silence is part of the story.
PATIENT = {"ack_timeout_ms": 3000, "probe_timeout_ms": 5000, "bootstrap_wait_ms": 20000}


@dataclass
class Options:
    """One lab run. `fault` is for tests of the lab itself: "no-platform" leaves the platform out."""

    interpreter: str = CPYTHON  # or BOTH: every other device
    agents: int = 1
    seed: int = 1
    heap: str | None = None
    root: str | None = None
    directory: Path | None = None
    fault: str = ""
    settings: dict = field(default_factory=dict)  # of the devices, beside FAST
    security: str = "none"  # what protects every leg: oscore, dtls, none
    group: bool = False  # they are members of a group
    discovery: str = ""  # how to look for the configuration server; "": both ways, every other device by DNS-SD alone

    @property
    def title(self):
        devices = "one device" if self.agents == 1 else "%d devices" % self.agents
        devices = "a group of %d" % self.agents if self.group else devices
        security = {"none": "no security"}.get(self.security, self.security.upper())
        return "pointsman lab: %s on %s, %s, seed %d" % (devices, self.runtime, security, self.seed)

    @property
    def runtime(self):
        cpython = "CPython %d.%d.%d" % sys.version_info[:3]
        micropython = "MicroPython" + (", heap %s" % self.heap if self.heap else "")
        return {CPYTHON: cpython, MICROPYTHON: micropython}.get(self.interpreter, cpython + " and " + micropython)

    def runs_on(self, number):
        """The interpreter of the device with this number (from 1)."""
        return (MICROPYTHON, CPYTHON)[number % 2] if self.interpreter == BOTH else self.interpreter
