"""What is to be known of a running agent, for `pointsman diag`: loaded only when somebody asks."""


def told(agent, now):
    """-> a dict of plain values; no secrets, no readings."""
    target, modem = agent.registration.target, agent.modem
    links = agent.settings.get("links").split(",")
    return {
        "endpoint": agent.settings.get("endpoint"),
        "now_ms": now,
        "registration": {
            "state": agent.registration.state,
            "registrar": target[0].uri if target else None,
            "link": target[1] if target else None,
            "epoch": agent.configuration.epoch,
        },
        "links": [
            {"name": name, "state": agent.links.state(name), "active": name == agent.links.active} for name in links
        ],
        "modem": dict(modem.identity, state=modem.state, signal=modem.signal) if modem else None,
        "transcript": transcript(modem) if modem else [],
        "outbox": {"waiting": agent.journal.count, "dropped": agent.journal.dropped, "next": agent.journal.next_seq},
        "store": {"writes": agent.store.writes, "behind": agent.store.behind},
        "exchange": agent.exchange.counters,
        "probes": agent.probes.asked if agent.probes else 0,
        "metrics": counted(agent.metrics, now) if agent.metrics else None,
        "log": agent.log.tail(),
        "sms": dict(agent.sms.counters, left=agent.sms.left(now)) if getattr(agent, "sms", None) else None,
    }


def day(metrics):
    """-> the fields of a day's entry in the log."""
    carried = ["%s %d %d" % (link, sent, received) for link, (sent, received) in sorted(metrics.before.items())]
    return {"moves": metrics.moves, "modem_starts": metrics.resets, "bytes": ", ".join(carried)}


def transcript(modem):
    """-> what was said to the modem and by it lately, without secrets."""
    from .engine.at_transcript import told
    from .overlay import drop

    drop("engine.at_transcript")
    return told(modem)


def counted(metrics, now):
    """-> what the Metrics hold."""
    metrics.entered(metrics.state, now)
    names = ("detect_ms", "dial_ms", "register_ms")
    return {
        "moves": metrics.moves,
        "last": dict(zip(names, metrics.last)),
        "mean": {name: ms // max(1, metrics.moves) for name, ms in zip(names, metrics.total)},
        "worst_ms": metrics.worst,
        "bytes_today": metrics.bytes,
        "bytes_yesterday": metrics.before,
        "spent_month": metrics.spent,
        "modem_starts": metrics.resets,
        "state_s": {state: metrics.seconds[state] // 1000 for state in metrics.seconds},
    }
