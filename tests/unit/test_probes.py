"""Silent loss: who is asked when, what counts as an answer, and what is concluded from silence."""

from agent.codec import coap
from agent.engine.probes import Probes

REGISTRAR = ("eth", "10.0.0.1", 5683)


def probes(**more):
    found = Probes(lambda n: 0x1234, **more)
    found.watch([(REGISTRAR, 2000)], 0)
    return found


def reset(ping):
    mid = coap.decode(ping).mid
    return coap.encode(coap.Message(coap.RST, 0, mid))


def until(engine, now, answer=None):
    """Polls up to `now`; -> [(when, what)]. answer: who answers pings."""
    seen = []
    while engine.deadline() is not None and engine.deadline() <= now:
        at = engine.deadline()
        engine.poll(at)
        for what in engine.take():
            seen.append((at, what))
            if answer and what[0] == "ping" and what[1:4] in answer:
                engine.receive(what[1:4], reset(what[4]), at + 10)
        seen += [(at + 10, what) for what in engine.take()]
    return seen


def test_a_ping_is_an_empty_confirmable_message():
    """RFC 7252 4.3. A stranger is asked at once: the path may die before the first silence."""
    ((at, what),) = until(probes(), 900)
    assert at == 0 and what[:4] == ("ping",) + REGISTRAR and what[4] == b"\x40\x00\x12\x34"


def test_a_path_that_goes_silent_is_noticed_within_seven_seconds():
    engine = probes()
    until(engine, 8100, [REGISTRAR])
    seen = until(engine, 20000)
    silent = [item for item in seen if item[1][0] == "silent"]
    assert silent[0][1][1] == "eth" and silent[0][1][3:] == (True, False)
    assert silent[0][1][2] <= 7000
    assert len([item for item in seen if item[1][0] == "ping" and item[0] < silent[0][0]]) == 3


def test_real_traffic_replaces_probes():
    engine = probes()
    until(engine, 1900, [REGISTRAR])
    for now in range(2000, 60000, 1500):
        engine.poll(now)
        assert not engine.receive(REGISTRAR, b"\x60\x44\x00\x01", now)
    assert engine.take() == [] and engine.asked == 1  # the one at the start


def test_everybody_is_asked_once_to_know_whether_pings_are_answered():
    engine = probes()
    for now in range(0, 10000, 500):
        engine.receive(REGISTRAR, b"\x60\x44\x00\x01", now)
        until(engine, now, [REGISTRAR])
    assert engine.asked == 1
    engine.watch([], 10000)
    engine.watch([(REGISTRAR, 2000)], 10000)
    silent = [what for _, what in until(engine, 20000) if what[0] == "silent"]
    assert silent[0][3:] == (True, False)


def test_what_others_say_does_not_count():
    engine = probes()
    engine.poll(0)
    engine.receive(("eth", "10.0.0.9", 5683), b"\x70\x00\x12\x34", 900)
    engine.receive(("lte", "10.0.0.1", 5683), b"\x70\x00\x12\x34", 900)
    assert [what[0] for what in engine.take()] == ["ping"] and engine.deadline() == 1000


def test_one_lost_question_is_nothing():
    engine = probes()
    until(engine, 4000, [REGISTRAR])
    until(engine, 5050)
    seen = until(engine, 20000, [REGISTRAR])
    assert "silent" not in [what[0] for _, what in seen] and ("answered", "eth") in [what for _, what in seen]


def test_the_anchor_tells_a_dead_server_from_a_dead_path():
    engine = probes(anchor=("10.0.0.2", 5683))
    until(engine, 2100, [REGISTRAR])
    seen = until(engine, 10000, [("eth", "10.0.0.2", 5683)])
    silent = [what for _, what in seen if what[0] == "silent"]
    assert silent[0][3:] == (True, True)


def test_a_peer_that_never_answers_pings_is_told_apart():
    silent = [what for _, what in until(probes(), 10000) if what[0] == "silent"]
    assert silent[0][3:] == (False, False)


def test_the_lost_are_asked_less_and_less_often():
    rounds = [at for at, what in until(probes(), 3600000) if what[0] == "silent"]
    assert rounds[0] == 3000 and 50 < len(rounds) < 70


def test_an_answer_is_nobody_elses_business():
    engine = probes()
    engine.poll(2000)
    ((_, _, _, _, ping),) = engine.take()
    assert engine.receive(REGISTRAR, reset(ping), 2001)
    assert not engine.receive(REGISTRAR, reset(ping), 2002)
    assert engine.take() == [("answered", "eth")]


def test_nobody_is_watched_any_more():
    engine = probes()
    engine.watch([], 100)
    assert engine.deadline() is None


def test_watching_goes_on_undisturbed():
    engine = probes()
    until(engine, 900, [REGISTRAR])
    engine.watch([(REGISTRAR, 2000), (("lte", "h", 1), 9000)], 1500)
    assert engine.deadline() == 1500  # the other one is new
    engine.poll(1500)
    engine.watch([(REGISTRAR, 2000)], 1600)
    assert engine.deadline() == 2010
