"""Every setting of the agent. reference.py reads the text below for the reference page; on a device it costs nothing.

    endpoint            the endpoint name: who the device is towards every server
    security            with what the device key protects the configuration server, or server_uri
    device_key          that key, in hexadecimal; what a configuration server hands out is in the store
    insecure            allow accounts and bootstrap servers without security (NoSec); for the laboratory
    unsealed            keep credentials in the clear where they cannot be sealed (no machine key, no AES)
    bootstrap_uri       the configuration server, when it is known beforehand; empty: discover it
    bootstrap_pack      ask a configuration server for everything in one answer first (LwM2M 1.2 Bootstrap-Pack)
    server_uri          register with this server and never bootstrap; empty: bootstrap
    lifetime_s          lifetime of the registration with server_uri; bootstrapped accounts bring their own
    report_period_s     time between two readings
    links               links by preference, the best first
    fail_back_hold_ms   how long a better link must be up before the registration moves back to it
    carrier_delay_ms    how long carrier must be lost before the link counts as down
    penalty_ms          how long a link that leads nowhere is left alone at first; it doubles each time
    flap_max_ms         longest fail-back hold: each loss doubles a link's hold, every 5 minutes halve it again
    probe_ms            silence of the registrar after which it is asked whether it is there (CoAP ping); 0: never
    probe_losses        unanswered questions in a row after which the path counts as dead
    probe_timeout_ms    wait for the answer to each
    probe_metered_s     the same as probe_ms on a metered link: 30 minutes are less than 0.1 MB a month
    anchor              HOST[:PORT], asked too when the registrar is silent, to tell a dead server from a dead path
    dns                 [LINK=]ADDRESS[:PORT], DNS servers to be asked after those that the link itself brings
    metered             links that cost by the byte
    data_cap_kb         what a metered link may carry in 30 days before every other link is preferred; 0: any amount
    apn                 access point name of the bearer; empty: what the network offers
    pin                 the SIM's PIN; empty: a locked SIM stays locked. It is never entered when it may be the last try
    modem               modem family, or auto: ask the modem who it is
    session             how datagrams go through the modem: its own sockets, PPP, or the USB network that it has
    cmux                PPP in the modem's multiplexer, so that it hears commands meanwhile: never, where it can, always
    ppp_look_s          time between two looks at the modem, in a PPP call without cmux: 3 s of pause; 0: never
    ppp_user            who dials, where the operator asks for it (PAP, CHAP)
    ppp_secret          the secret that goes with it
    standby             the modem while a better link is in use: cold off, warm registered, hot connected
    hot_after_loss_s    how long a warm modem is kept hot after a better link was lost; 0: not at all
    linger_ms           how long the modem stays connected after the registration has moved to a better link
    sms_per_day         short messages that the link sms may send a day
    sms_ack_timeout_ms  the same as ack_timeout_ms over short messages
    discovery           how to find the configuration server: core (CoAP multicast), dns-sd (multicast DNS)
    coap_port           UDP port of multicast discovery
    mdns_port           UDP port of multicast DNS
    ack_timeout_ms      CoAP: first wait for an acknowledgement (ACK_TIMEOUT)
    max_retransmit      CoAP: how often a message is sent again (MAX_RETRANSMIT)
    block_size          CoAP: longest payload in one datagram; longer ones go block-wise
    outbox_max          readings kept until acknowledged; beyond it the oldest is dropped and counted
    deregister_wait_ms  wait for the old registrar's good-bye before registering with the new one
    retry_max_ms        longest back-off between two attempts to register while a link is up
    bootstrap_wait_ms   how long a bootstrap server may be silent before the bootstrap counts as failed
    log_level           what is logged: this level and worse
    manufacturer        Device object, resource 0
    model               Device object, resource 1
    serial              Device object, resource 2
    firmware            Device object, resource 3
    portfolio           let servers write down what the device is part of (object 16)
"""

from . import table
from .errors import LocalError
from .overlay import drop

# name kind default unit low high; - is empty. Of a str, low and high bound the length; its unit is the form: words
# between | are the only choices, "uri", "host", "dns", "list" and "apn" are checked as such.
TABLE = """
endpoint str - - 0 64
security str none none|oscore|dtls 4 6
device_key str - hex 0 128
insecure bool False - 0 1
unsealed bool False - 0 1
bootstrap_uri str - uri 0 128
bootstrap_pack bool False - 0 1
server_uri str - uri 0 128
lifetime_s int 300 s 10 31536000
report_period_s int 60 s 1 86400
links str eth,lte list 1 32
fail_back_hold_ms int 10000 ms 0 3600000
carrier_delay_ms int 0 ms 0 60000
penalty_ms int 30000 ms 0 3600000
flap_max_ms int 600000 ms 0 86400000
probe_ms int 2000 ms 0 3600000
probe_losses int 3 - 1 10
probe_timeout_ms int 1000 ms 50 60000
probe_metered_s int 1800 s 10 604800
anchor str - host 0 128
dns str - dns 0 128
metered str lte list 0 32
data_cap_kb int 0 kB 0 1000000000
apn str - apn 0 63
pin str - digits 0 8
modem str auto - 1 16
session str sockets sockets|ppp|usb 3 7
cmux str auto off|auto|on 2 4
ppp_look_s int 600 s 0 86400
ppp_user str - - 0 64
ppp_secret str - - 0 64
standby str warm cold|warm|hot 3 4
hot_after_loss_s int 3600 s 0 86400
linger_ms int 5000 ms 0 3600000
sms_per_day int 50 - 1 10000
sms_ack_timeout_ms int 30000 ms 50 600000
discovery str core,dns-sd list 0 32
coap_port int 5683 - 1 65535
mdns_port int 5353 - 1 65535
ack_timeout_ms int 2000 ms 50 60000
max_retransmit int 4 - 0 8
block_size int 512 bytes 64 1024
outbox_max int 500 readings 1 10000
deregister_wait_ms int 3000 ms 0 60000
retry_max_ms int 20000 ms 1000 3600000
bootstrap_wait_ms int 60000 ms 1000 600000
log_level str info debug|info|warning|error 4 7
manufacturer str - - 0 64
model str - - 0 64
serial str - - 0 64
firmware str - - 0 32
portfolio bool False - 0 1
"""


class Settings:
    """The settings in force: what was given, defaults for the rest. Raises LocalError for a name, a kind or a
    value that is impossible; the message says what is allowed."""

    def __init__(self, values=None):
        self._values = {}
        for name in sorted(values or {}):
            _check(name, values[name])
            self._values[name] = values[name]
        drop("forms", "texts")

    def get(self, name):
        """The value of a setting; LocalError for one that does not exist."""
        return self._values[name] if name in self._values else row(name)[2]

    def check(self, name, value):
        """LocalError when the setting cannot have this value; changes nothing."""
        _check(name, value)
        drop("forms", "texts")

    def set(self, name, value):
        """Change one setting; LocalError leaves it as it was."""
        self.check(name, value)
        self._values[name] = value


def _check(name, value):
    from .forms import check

    check(row(name), value)


def row(name):
    """(name, kind, default, unit, low, high) of a setting; LocalError for one that does not exist."""
    found = table.find(TABLE, name) if isinstance(name, str) and " " not in name else None
    if found is None:
        from .advice import no_such

        raise LocalError(no_such(name, [words[0] for words in table.rows(TABLE)]))
    kind, default, unit, low, high = found
    default = {"bool": default == "True", "str": "" if default == "-" else default}.get(kind, default)
    return name, kind, int(default) if kind == "int" else default, "" if unit == "-" else unit, int(low), int(high)
