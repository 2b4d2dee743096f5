"""What is true of an emulated modem right now; commands and the network side read and change it, nothing else."""

from dataclasses import dataclass, field

# TS 27.007 7.2
REGISTRATION = {0: "off", 1: "home", 2: "searching", 3: "denied", 5: "roaming", 6: "messages"}
PIN_TRIES, PUK_TRIES = 3, 10  # TS 31.101 9.5


@dataclass
class Sim:
    """A SIM card and its holder."""

    iccid: str
    imsi: str
    present: bool = True
    ready: bool = False  # read after boot or insertion
    busy_until: float = 0  # of the loop's clock: answers "SIM busy" until then
    asks: bool = False  # for its PIN, at every start
    lock: str = ""  # "", "SIM PIN", "SIM PUK" or "BLOCKED": the last PUK try was wrong, it is waste
    pin: str = "1234"
    puk: str = "12345678"
    tries: int = PIN_TRIES  # left
    puk_tries: int = PUK_TRIES

    def start(self):
        """Powered again: it has forgotten that the PIN was right, not how often it was wrong."""
        self.ready, self.busy_until = False, 0
        if self.asks and not self.lock:
            self.lock = "SIM PIN"


@dataclass
class Context:
    """A PDP context."""

    apn: str = ""
    active: bool = False
    address: str = ""
    zombie: bool = False  # looks active and carries nothing, until it is activated again


@dataclass
class Faults:
    """What is wrong with the modem, or with the line to it."""

    delay_ms: int = 0  # every answer comes that much later
    mute: bool = False  # hears and says nothing
    stuck: bool = False  # the same, until it is restarted from outside
    echo: bool = False  # whatever ATE0 said
    garbage: int = 0  # bytes of noise before the first word of every boot
    crash: str = ""  # the modem restarts instead of answering a command that begins so, once
    errors: int = 0  # so many commands that begin with `errors_at` are refused, with `errors_code`
    errors_at: str = ""
    errors_code: int | None = None
    inside: list = field(default_factory=list)  # lines that come by themselves inside the next answers
    ppp: str = "none"  # what is wrong with data calls (ppp_server.FAULTS)


@dataclass
class State:
    """One modem. What AT&F and a restart reset is in `session`."""

    sim: Sim
    signal: int
    settings: dict = field(default_factory=dict)  # the maker's own of `session`, as they are after a restart
    power: bool = True
    baud: int = 0  # +IPR, which outlasts a restart; 0 = whatever speed the device has
    running: bool = False  # booted
    functionality: int = 1  # +CFUN
    radio_since: float = 0  # of the loop's clock: +CFUN=1 was said
    registration: int = 0
    contexts: dict = field(default_factory=dict)  # cid: Context
    session: dict = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    last_error: int = 0  # of the socket commands, +QIGETERROR

    def restart(self):
        """What a power cycle or AT+CFUN=1,1 does to volatile state."""
        self.running = False
        self.functionality = self.settings.get("+CFUN", 1)
        self.radio_since = self.registration = 0
        self.last_error = 0
        self.sim.start()
        for context in self.contexts.values():
            context.active, context.address, context.zombie = False, "", False
        self.session = {"echo": 1, "errors": 1, "+CREG": 0, "+CGREG": 0, "+CEREG": 0, "+CGEREP": 0,
                        **self.settings}

    @property
    def registered(self):
        """Whether the network lets us through."""
        return self.registration in (1, 5)

    def context(self, cid):
        return self.contexts.setdefault(cid, Context())
