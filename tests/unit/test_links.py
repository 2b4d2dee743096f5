"""W3: which link is active, and when it changes."""

from agent.engine.links import Links


def both_up(hold_ms=10000):
    links = Links(("eth", "lte"), hold_ms=hold_ms)
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
    links = both_up()
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
    links.trust("eth")
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


def test_an_unknown_link_is_ignored():
    links = both_up()
    links.change("wifi", True, 1)
    links.distrust("wifi", 1)
    links.trust("wifi")
    assert links.active == "eth" and not links.is_up("wifi") and links.up() == ["eth", "lte"]
