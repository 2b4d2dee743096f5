"""W3: which link is active, and when it changes."""

from agent.engine.links import Links


def both_up(**more):
    links = Links(("eth", "lte"), **more)
    links.change("eth", True, 0)
    links.change("lte", True, 0)
    return links


def test_the_first_link_up_is_active_at_once():
    links = Links(("eth", "lte"))
    links.change("lte", True, 5)
    assert links.active == "lte" and links.take() == [("active", "lte")] and links.take() == []


def test_carrier_loss_acts_at_once():
    links = both_up()
    links.change("eth", False, 7)
    assert links.active == "lte" and links.take() == [("active", "eth"), ("active", "lte")]


def test_fail_back_waits_for_a_good_spell_without_a_break():
    links = both_up(flap_max_ms=0)
    links.change("eth", False, 1000)
    links.change("eth", True, 2000)
    assert links.active == "lte" and links.deadline() == 12000
    links.change("eth", False, 11000)
    links.change("eth", True, 11500)
    links.poll(12000)
    assert links.active == "lte" and links.deadline() == 21500
    links.poll(21499)
    assert links.active == "lte"
    links.poll(21500)
    assert links.active == "eth" and links.deadline() is None


def test_no_link_is_no_link():
    links = both_up()
    links.change("eth", False, 1)
    links.change("lte", False, 2)
    assert links.active is None and links.take()[-1] == ("active", None)


def test_a_bounce_shorter_than_the_delay_is_ridden_out():
    links = Links(("eth", "lte"), delay_ms=200)
    links.change("eth", True, 0)
    links.change("lte", True, 0)
    links.take()
    links.change("eth", False, 1000)
    assert links.deadline() == 1200
    links.change("eth", True, 1100)
    links.poll(1200)
    assert links.active == "eth" and links.take() == []
    links.change("eth", False, 2000)
    links.poll(2200)
    assert links.active == "lte"


def test_a_distrusted_link_yields_and_waits_twice_as_long_each_time():
    links = both_up()
    links.distrust("eth", 1000)
    assert links.active == "lte" and links.deadline() == 31000
    links.poll(31000)
    assert links.active == "lte" and links.deadline() == 41000
    links.poll(41000)
    assert links.active == "eth"
    links.distrust("eth", 50000)
    assert links.deadline() == 110000


def test_trust_ends_the_doubling():
    links = both_up()
    links.distrust("eth", 0)
    links.poll(30000)
    links.poll(40000)
    links.trust("eth", 40000)
    links.distrust("eth", 50000)
    assert links.deadline() == 80000


def test_a_distrusted_link_is_kept_when_it_is_the_only_one():
    links = Links(("eth", "lte"))
    links.change("eth", True, 0)
    links.distrust("eth", 10)
    assert links.active == "eth" and not links.better_than("lte")


def test_a_better_link_counts_from_its_first_moment():
    """The modem stays down, or hangs up later, because of a better link that is still in its hold time."""
    links = Links(("eth", "lte"))
    assert not links.better_than("lte")
    links.change("eth", True, 0)
    assert links.better_than("lte") and not links.better_than("eth")
    assert not Links(("sms",)).better_than("lte")  # a modem for short messages alone is not put off either


def test_an_unknown_link_is_ignored():
    links = both_up()
    links.change("wifi", True, 1)
    links.distrust("wifi", 1)
    links.trust("wifi", 1)
    assert links.active == "eth" and not links.is_up("wifi") and links.up() == ["eth", "lte"]


def flap(links, now, down_ms=1000):
    links.change("eth", False, now)
    links.change("eth", True, now + down_ms)
    return now + down_ms


def test_each_loss_doubles_the_hold_up_to_a_limit():
    links = both_up()
    links.poll(60000)
    now, holds = 60000, []
    for _ in range(9):
        now = flap(links, now)
        holds.append(links.deadline() - now)
        now = links.deadline()
        links.poll(now)
        assert links.active == "eth"
    assert holds[0] == 10000 and 19000 < holds[1] < 20000
    assert all([one < next for one, next in zip(holds, holds[1:])]) and holds[-1] <= 600000


def test_a_storm_of_flaps_costs_two_moves():
    """W3: 50 flaps in a minute, at most 6 switches."""
    links = both_up()
    links.poll(20000)
    links.take()
    now, moves = 20000, 0
    for _ in range(50):
        links.change("eth", False, now)
        links.change("eth", True, now + 600)
        links.poll(now + 1200)
        moves += len(links.take())
        now += 1200
    assert links.active == "lte" and moves == 1
    links.poll(now + 600000)
    assert links.active == "eth" and len(links.take()) == 1


def test_the_penalty_halves_every_five_minutes():
    links = both_up()
    now = 20000
    for _ in range(5):
        now = flap(links, now)
    assert links.deadline() - now > 140000
    links.poll(now + 3600000)
    flap(links, now + 3600000)
    assert links.deadline() - (now + 3601000) == 10000


def test_a_silent_link_is_bad_until_somebody_answers_over_it():
    links = both_up()
    links.poll(20000)
    links.distrust("eth", 21000, True)
    assert links.active == "lte" and links.state("eth") == "bad" and not links.is_usable("eth") and links.is_up("eth")
    assert links.candidates() == ["eth"]
    links.answered("eth", 25000)
    assert links.state("eth") == "probing" and links.active == "lte" and links.deadline() == 35000
    links.poll(35000)
    assert links.active == "eth" and links.state("eth") == "good" and links.candidates() == []


def test_nobody_answers_and_it_is_tried_all_the_same():
    """A server that does not answer pings must not keep its link out for ever."""
    links = both_up()
    links.distrust("eth", 1000, True)
    links.poll(31000)
    assert links.state("eth") == "probing"


def test_a_link_that_has_spent_its_budget_comes_last():
    links = Links(("lte", "wifi"))
    links.change("lte", True, 0)
    links.change("wifi", True, 0)
    assert links.active == "lte"
    links.spend("lte", True)
    links.poll(20000)
    assert links.active == "wifi"
    links.change("wifi", False, 21000)
    assert links.active == "lte"


def test_whether_a_better_link_was_lost_lately():
    links = Links(("eth", "lte", "wifi"))
    for name in ("eth", "lte", "wifi"):
        links.change(name, True, 0)
    assert not links.lost_since("lte", 0)
    links.change("wifi", False, 1000)
    links.change("lte", False, 1000)
    assert not links.lost_since("lte", 0) and links.lost_since("wifi", 0)
    links.change("eth", False, 2000)
    assert links.lost_since("lte", 1999) and not links.lost_since("lte", 2000) and not links.lost_since("eth", 0)
