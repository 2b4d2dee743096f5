"""G1, G2: an agent whose groups have topics listens to its broker by the link that it uses, offers what comes to its
engine of policies, and acknowledges it when that is done with it."""

from policed import NORTH, Policed, document, grouped, keys, signed
from policy_world import signer
from subscribing_driver import ACCEPTED, Driver, granted
from test_mqtt import message

from agent.codec import mqtt
from agent.subscribing import Subscribed

SOUTH = b"meters-south"


def topical(uri="mqtt://10.0.0.9:1884", groups=(NORTH,), **more):
    """The configuration of a device whose groups each have a topic, and a broker."""
    tree = grouped(groups)
    for number in range(len(groups)):
        tree[(26243, number, 4)] = "t/%d" % number
    tree[(26244, 0, 1)] = uri
    tree.update({(26244, 0, {"user": 2, "password": 3}[name]): more[name] for name in more})
    return tree


def begun(known=True, tree=None, links=("wifi", "eth")):
    """A registered device that has looked for its broker."""
    net = Policed(tree=tree or topical()).begin(links, known)
    driver = Driver(net)
    driver.subscribed = Subscribed(driver)
    driver.subscribed.look()
    driver.turn()
    return net, driver


def up(**more):
    """It listens to its topics; -> the agent's world, the driver, the connection."""
    net, driver = begun(**more)
    (stream,) = driver.dialled
    stream.say(ACCEPTED + granted(1, len(net.agent.policing.engine.members)))
    del stream.heard[:]
    return net, driver, stream


def test_what_comes_by_the_broker_is_obeyed_acknowledged_and_answered():
    net, driver, stream = up()
    assert (stream.link, stream.address) == ("eth", ("10.0.0.9", 1884)) and ("broker", "up") in net.log
    stream.say(message(b"t/0", signed(document(7, {1: 77})), 5))
    assert net.agent.reports.period_ms == 77000 and stream.said() == mqtt.puback(5)
    net.run(60000)
    assert net.acks() == [[b"meter-1", NORTH, 7, 0, 1]]


def test_who_it_is():
    _, driver = begun(tree=topical(user="dev1", password=b"geheim"))
    assert driver.dialled[0].said() == mqtt.connect("meter-1", 240, "dev1", b"geheim")
    assert "clear" in driver.warned[0]["text"] and "geheim" not in str(driver.warned)


def test_refused_for_good_is_acknowledged_too():
    net, driver, stream = up()
    for number, data in enumerate((b"", b"x", signed(document(1), key=b"F" * 64), b"\x80" * 1200)):
        stream.say(message(b"t/0", data, number + 1))
        driver.turn(500)
        assert stream.said() == mqtt.puback(number + 1)
    assert net.state() == "none"


def test_what_may_be_taken_later_is_offered_again():
    """The signer's keys come a little later, by unicast; the broker keeps the message until then."""
    net, driver, stream = up(known=False)
    stream.say(message(b"t/0", signed(document(7)), 5))
    driver.turn(5000)
    assert stream.said() == b"" and net.state() == "none"
    assert net.agent.policing.offer_keys(keys(), "unicast", net.now) == (0, None)
    driver.turn(10000)
    assert stream.said() == mqtt.puback(5) and net.state() == "applied"


def test_a_later_message_takes_the_place_of_one_that_waits():
    net, driver, stream = up(known=False)
    stream.say(message(b"t/0", signed(document(7)), 5) + message(b"t/0", signed(document(8)), 6))
    assert stream.said() == mqtt.puback(5)
    net.agent.policing.offer_keys(keys(), "unicast", net.now)
    driver.turn(10000)
    assert stream.said() == mqtt.puback(6) and net.agent.policing.engine.summary()[0][1] == 8


def test_a_flood_does_not_keep_the_device_busy():
    """At most what one read brings is looked at in 50 ms; the rest fills the broker's buffers."""
    net, driver, stream = up()
    stream.say(message(b"t/0", b"junk" * 25) * 100)
    assert net.agent.policing.engine.counts == {"malformed": 4}
    driver.turn(500)
    assert net.agent.policing.engine.counts["malformed"] < 60
    driver.turn(1000)
    assert net.agent.policing.engine.counts == {"malformed": 100}


def test_one_that_never_can_be_taken_is_let_go():
    _, driver, stream = up(known=False)
    stream.say(message(b"t/0", signed(document(7)), 5))
    driver.turn(170000)
    stream.say(b"\xd0\x00")  # it is there
    assert stream.said() == b""
    driver.turn(140000)
    assert stream.said() == mqtt.puback(5)


def test_more_than_can_be_verified_at_once():
    """Many groups' documents come with the first subscription; verifications are rationed."""
    groups = [NORTH, SOUTH] + [b"g%d" % number for number in range(4)]
    net, driver, stream = up(known=False, tree=topical(groups=groups))
    known = keys(1, signer(groups=groups))
    assert net.agent.policing.offer_keys(known, "unicast", net.now) == (0, None)
    for number, group in enumerate(groups):
        stream.say(message(b"t/%d" % number, signed(document(3, group=group)), number + 1))
        driver.turn(100)
    assert [one[1] for one in net.agent.policing.engine.summary()].count(3) == 3
    driver.turn(60000)
    assert [one[1] for one in net.agent.policing.engine.summary()] == [3] * 6
    assert stream.said() == b"".join([mqtt.puback(number + 1) for number in range(6)])


def test_the_connection_moves_with_the_link():
    net, driver, stream = up()
    net.link("eth", False)
    driver.down("eth")
    driver.turn(1000)
    assert stream.closed and driver.dialled[-1].link == "wifi" and len(driver.dialled) == 2
    driver.dialled[-1].say(b"\x20\x02\x01\x00" + granted(1))
    assert driver.subscribed._line.engine.state == "listening"
    driver.links_["wifi"].address = "192.0.2.77"
    driver.turn(1000)
    assert driver.dialled[1].closed and len(driver.dialled) == 3
    net.link("wifi", False)
    driver.down("wifi")
    driver.turn(600000)
    assert driver.dialled[2].closed and len(driver.dialled) == 3


def test_other_topics_and_another_broker():
    net, driver, stream = up()
    net.agent.configuration.tree = topical(groups=(NORTH, SOUTH))
    driver.turn(1000)
    assert stream.said() == mqtt.subscribe(2, ["t/0", "t/1"]) and not stream.closed
    net.agent.configuration.tree = topical("mqtt://10.0.0.10")
    driver.turn(1000)
    assert stream.said() == mqtt.DISCONNECT and stream.closed and driver.dialled[1].address == ("10.0.0.10", 1883)
    net.agent.configuration.tree = grouped()
    driver.turn(1000)
    assert driver.dialled[1].closed and len(driver.dialled) == 2


def test_it_may_be_ended_by_what_it_brings():
    """A document that is obeyed changes the links; the connection ends when it has been dealt with."""
    net, driver, stream = up()
    apply = net.agent.reports.set_period

    def period(ms, now):
        apply(ms, now)
        driver.subscribed.look()
        driver.down("eth")

    net.agent.reports.set_period = period
    stream.say(message(b"t/0", signed(document(7, {1: 77})), 5) + message(b"t/0", signed(document(8)), 6))
    driver.turn()
    assert stream.closed and stream.said() == mqtt.puback(5) + mqtt.puback(6) + mqtt.DISCONNECT


def test_a_password_without_a_user():
    _, driver = begun(tree=topical(password=b"without a user"))
    assert driver.dialled == [] and "a password needs a user" in driver.warned[-1]["error"]


def test_a_name_is_looked_up():
    net, driver = begun(tree=topical("mqtt://broker.test"))
    assert driver.dialled == []
    driver.known["broker.test"] = "192.0.2.9"
    driver.turn(10000)
    assert [one.address for one in driver.dialled] == [("192.0.2.9", 1883)]


def test_what_it_costs_is_counted():
    net, driver, stream = up()
    counted = []

    class Metrics:
        def count(self, link, way, size):
            counted.append((link, way, size + 28))

    net.agent.metrics = Metrics()
    stream.say(message(b"t/9", b"not ours"))
    assert counted[0] == ("eth", 1, 40 + 15) and counted[1] == ("eth", 0, 40)


def test_good_bye():
    _, driver, stream = up()
    driver.subscribed.close()
    assert stream.said() == mqtt.DISCONNECT and stream.closed and driver.timers == {}
