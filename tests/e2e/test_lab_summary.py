"""The lab's verdict on books written by hand: what it must see, and what it must not excuse."""

from pointsman.tools.lab.books import Books
from pointsman.tools.lab.summary import Moments, Reading, Registration, device, duplicated, lost, overlap_s, summarise
from pointsman.tools.servers import storage as books
from pointsman.tools.servers.storage import Storage

NOW = 1000.0


def _gateway(opened, closed=None, epoch=1):
    return Registration("gw-1", "m", epoch, None, opened, closed)


def _platform(opened, closed=None, via=None, epoch=2):
    return Registration("platform", "m", epoch, via, opened, closed)


def _readings(*pairs):
    return [Reading("m", sequence, value, NOW) for sequence, value in pairs]


STORY = [
    _gateway(10.0, 20.612),
    _platform(10.1, 20.61, via="gw-1"),
    _platform(20.61, 30.0),
    _gateway(30.5, None, epoch=3),
    _platform(30.6, None, via="gw-1", epoch=3),
]
MOMENTS = Moments(pulled_at=20.0, plugged_at=28.0, cuts=1)
READINGS = _readings((1, 1), (2, 2), (3, 4))  # the value 3 was being written when the power failed


def test_a_good_story():
    figures = device(STORY, READINGS, MOMENTS, 5.0, NOW)
    total = summarise({"m": figures})
    assert total["ok"] and figures["ok"]
    assert (total["readings"], total["lost"], total["duplicated"]) == (3, 0, 0)
    assert (total["failover_ms"], total["failback_ms"]) == (610.0, 2500.0)
    assert total["double_registration_ms"] == 2.0


def test_two_registrations_longer_than_an_exchange_are_not_ok():
    """W2: what is still open counts until now."""
    late = [_gateway(10.0, None), *STORY[1:]]
    figures = device(late, READINGS, MOMENTS, 5.0, NOW)
    assert figures["double_registration_ms"] == 9390.0
    assert not summarise({"m": figures})["ok"]


def test_a_retransmission_excuses_nothing():
    figures = device(STORY, READINGS, MOMENTS, 2500.0, NOW)
    assert not summarise({"m": figures})["ok"]


def test_among_ten_devices_an_exchange_waits_for_its_turn():
    """As long as two registrations last no longer than it."""
    def total(exchange_ms):
        return summarise({str(number): device(STORY, READINGS, MOMENTS, exchange_ms, NOW) for number in range(10)})

    assert total(2500.0)["ok"] and not total(3500.0)["ok"] and not total(1.0)["ok"]


def test_a_platform_that_never_told_the_gateway_is_not_ok():
    assert not summarise({"m": device(STORY, READINGS, MOMENTS, None, NOW)})["ok"]


def test_a_story_without_a_return_is_not_ok():
    figures = device(STORY[:3], READINGS, MOMENTS, 5.0, NOW)
    assert figures["failback_ms"] is None and not summarise({"m": figures})["ok"]


def test_the_gateways_own_upstream_record_is_no_second_registrar():
    assert device(STORY[:2], [], Moments(), None, NOW)["double_registration_ms"] == 0


def test_records_that_touch_do_not_overlap():
    assert overlap_s([_gateway(1.0, 2.0)], [_platform(2.0, 3.0)], NOW) == 0
    assert overlap_s([_gateway(1.0, 2.0)], [_platform(3.0, 4.0)], NOW) == 0


def test_gaps_are_lost_readings():
    assert lost(_readings((1, 1), (2, 2), (3, 3))) == 0
    assert lost(_readings((1, 1), (3, 3))) == 1
    assert lost(_readings((3, 3))) == 2  # a device counts from 1
    assert lost([]) == 0


def test_a_measurement_without_a_number_is_lost_too_except_under_a_power_cut():
    assert lost(_readings((1, 1), (2, 3))) == 1
    assert lost(_readings((1, 1), (2, 3)), cuts=1) == 0


def test_one_measurement_under_two_sequences_is_a_duplicate():
    assert duplicated(_readings((1, 1), (2, 2))) == 0
    assert duplicated(_readings((1, 1), (2, 1))) == 1
    assert duplicated(_readings((1, 1), (1, 1))) == 1


def test_the_worst_of_many_devices_counts():
    good = device(STORY, READINGS, MOMENTS, 5.0, NOW)
    slow = device(STORY, READINGS, Moments(pulled_at=18.0, plugged_at=28.0, cuts=1, broken="act 'cut'"), 6.0, NOW)
    total = summarise({"a": good, "b": slow})
    assert total["failover_ms"] == 2610.0 and total["exchange_ms"] == 6.0 and total["readings"] == 6
    assert good["ok"] and not slow["ok"] and not total["ok"]


def test_it_reads_the_servers_own_files(tmp_path):
    files = {name: "sqlite:///%s/%s.sqlite" % (tmp_path, name) for name in ("configuration", "gateway", "platform")}
    stores = {name: Storage(file) for name, file in files.items()}
    plain = {"location": "a", "lifetime": 60, "binding": "U", "version": "1.1", "address": "h:1", "links": ""}
    for number, r in enumerate(STORY):
        row = dict(plain, updated_at=1.0, key=str(number), **r._asdict())
        name = "platform" if r.server == "platform" else "gateway"
        stores[name].submit(lambda c, row=row: c.execute(books.registrations.insert().values(**row)) and None).result()
    reading = {"endpoint": "m", "sequence": 1, "path": "/3331/0/5805", "value": 7, "received_at": 2.0}
    stores["platform"].submit(lambda c: c.execute(books.readings.insert().values(**reading)) and None).result()
    for t, event, via in ((20.61, "registered", None), (20.615, "superseded_told", "gw-1")):
        stores["platform"].event(t, "platform", event, {"endpoint": "m", "via": via}).result()
    found = Books(tmp_path)
    assert found.registrations("m") == STORY
    assert found.live("gw-1", "m") == STORY[3]
    assert found.live("platform", "m", via=True) == STORY[4] and found.live("platform", "m", via=False) is None
    assert found.readings("m") == [Reading("m", 1, 7.0, 2.0)]
    assert round(found.exchange_ms("m"), 3) == 5.0
    found.close()
    for store in stores.values():
        store.close()
