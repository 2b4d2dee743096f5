"""probe.bytes_per_month: what the probes of an idle metered link carry in 30 days, IP and UDP headers included.

Counted by the probe engine itself over 30 days of virtual time, with the product's own settings and a registrar that
answers each ping. Real traffic would replace some of it.
"""

from agent.codec import coap
from agent.engine.probes import Probes
from agent.settings import Settings

_HEADERS = 28  # IPv4 and UDP
_MONTH_MS = 30 * 86400 * 1000


def measure(quick=False):
    """One row: bytes both ways."""
    settings = Settings()
    probes = Probes(lambda n: n // 2, settings.get("probe_losses"), settings.get("probe_timeout_ms"))
    peer = ("lte", "platform.example", 5683)
    probes.watch([(peer, settings.get("probe_metered_s") * 1000)], 0)
    carried = 0
    while probes.deadline() < _MONTH_MS:
        now = probes.deadline()
        probes.poll(now)
        for what in probes.take():
            if what[0] == "ping":
                answer = coap.encode(coap.Message(coap.RST, 0, coap.decode(what[4]).mid))
                carried += len(what[4]) + len(answer) + 2 * _HEADERS
                probes.receive(peer, answer, now + 100)
    return [{"value": carried, "interpreter": "cpython", "n": probes.asked}]
