"""Named scenarios: one story each, without random troubles unless said so. Each is run with several seeds,
because even a calm network loses and delays a datagram now and then.

usage: python|micropython -X heapsize=4M tests/sim/scenarios.py [NAME [SEED]]     (-v: every event)
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
if __name__ == "__main__":
    sys.path[:0] = [HERE, HERE + "/../.."]

import booting  # noqa: E402
from stage import Stage  # noqa: E402
from steps import quiet_end, registered, with_gateway  # noqa: E402
from world import HOUR, MINUTE, SECOND  # noqa: E402


def first_boot(seed, tell=None):
    """C2, C3, W1: out of the box it discovers the configuration server, bootstraps, registers with the
    gateway."""
    stage = with_gateway(seed, tell)
    assert stage.configuration.done, "never bootstrapped"
    stage.until(lambda: stage.platform.live("meter-1") is not None, MINUTE)
    assert stage.platform.records["meter-1"].via == "gw-1", "the gateway did not register it upstream"
    return quiet_end(stage)


def found_by_dns_sd(seed, tell=None):
    """C2: the same by multicast DNS alone."""
    return quiet_end(with_gateway(seed, tell, discovery="dns-sd"))


def configuration_server_late(seed, tell=None):
    """C2: nobody answers for ten minutes; the device goes on searching."""
    stage = Stage(seed, 1, tell)
    stage.configuration.crash(10 * MINUTE)
    stage.power_on()
    stage.run(10 * MINUTE)
    registered(stage, "gateway")
    return quiet_end(stage)


def cable_pulled_and_back(seed, tell=None):
    """W3, W2: over to the platform by 4G, and back; never two records for longer than one exchange."""
    stage = with_gateway(seed, tell)
    for _ in range(3):
        stage.run(2 * MINUTE)
        stage.device.set_cable(False)
        registered(stage, "platform")
        stage.until(lambda: stage.gateway.live("meter-1") is None, MINUTE)
        stage.run(12 * MINUTE)
        assert stage.registrar() == "platform"
        stage.device.set_cable(True)
        registered(stage, "gateway")
        stage.until(lambda: stage.platform.direct("meter-1") is None, MINUTE)
    return quiet_end(stage)


def gateway_silent(seed, tell=None):
    """W3: the cable is fine but the gateway is dead; the device moves within two minutes of its next word to
    it."""
    stage = with_gateway(seed, tell)
    stage.gateway.crash(40 * MINUTE)
    registered(stage, "platform", 11 * MINUTE)
    stage.run(40 * MINUTE)
    return quiet_end(stage)


def gateway_silent_with_probes(seed, tell=None):
    """W3, DESIGN 6: with a probe every two seconds a dead gateway behind a good cable is noticed within seconds."""
    stage = with_gateway(seed, tell, probe_ms=2000, standby="hot")
    stage.run(30 * SECOND)
    stage.gateway.crash(10 * MINUTE)
    registered(stage, "platform", 15 * SECOND)
    stage.run(15 * MINUTE)
    registered(stage, "gateway", 10 * MINUTE)
    return quiet_end(stage)


def platform_restarts(seed, tell=None):
    """A platform that forgot its registrations gets them back from the gateway, and from the device when it
    is direct."""
    stage = with_gateway(seed, tell)
    stage.run(3 * MINUTE)
    stage.platform.crash(20 * SECOND)
    stage.run(25 * SECOND)
    stage.until(lambda: stage.platform.live("meter-1") is not None, 11 * MINUTE)
    stage.device.set_cable(False)
    registered(stage, "platform")
    stage.platform.crash(20 * SECOND)
    stage.run(25 * SECOND)
    stage.until(lambda: stage.platform.direct("meter-1") is not None, 11 * MINUTE)
    return quiet_end(stage)


def gateway_restarts(seed, tell=None):
    """A gateway that forgot its registrations says 4.04 to the next word; what it had acknowledged still
    arrives."""
    stage = with_gateway(seed, tell)
    stage.wan.set(False)
    stage.run(11 * MINUTE)
    assert stage.gateway.upstream("meter-1").queue, "nothing queued at the gateway"
    stage.gateway.crash(10 * SECOND)
    stage.run(15 * SECOND)
    stage.wan.set(True)
    stage.until(lambda: stage.gateway.live("meter-1") is not None, 11 * MINUTE)
    return quiet_end(stage)


def power_cut_during_failover(seed, tell=None):
    """Power fails on the way from the gateway to the platform, earlier and later; only the modem's power may stay."""
    stage = with_gateway(seed, tell)
    for wait in (0, 1, 30, 100, 250, 500, 1000, 2000):
        stage.device.set_cable(False)
        stage.run(wait)
        stage.device.power_cut(wait % 100 == 0)
        registered(stage, "platform", 2 * MINUTE)
        stage.device.set_cable(True)
        registered(stage, "gateway")
    return quiet_end(stage)


def power_cut_while_a_setting_is_stored(seed, tell=None):
    """G2 in its first form: the platform writes the report period and the power fails in the middle of storing it."""
    stage = with_gateway(seed, tell)
    stage.run(10 * SECOND)
    for turn in range(8):
        stage.device.flash.cut_in(1, turn % 4, "store")
        stage.manage(stage.device, 2, 240 + turn)
        stage.until(lambda: not stage.device.flash.cutting, MINUTE)
        registered(stage, "gateway", MINUTE)
        stage.until(lambda: stage.platform.live("meter-1") is not None, MINUTE)
    return quiet_end(stage)


def power_cut_during_writes(seed, tell=None):
    """Power fails at each of the next writes in turn, in each way a write can be torn, the cable in or out."""
    stage = with_gateway(seed, tell)
    for n in range(1, 5):
        for how in range(4):
            stage.device.flash.cut_in(n, how)
            stage.device.set_cable(n % 2 == 0)
            stage.until(lambda: not stage.device.flash.cutting, 20 * MINUTE)
            stage.run(10 * SECOND)
            registered(stage, "platform" if n % 2 else "gateway", 2 * MINUTE)
    assert stage.device.cuts == 16
    return quiet_end(stage)


def power_cut_during_bootstrap(seed, tell=None):
    """Power fails at the first writes of a life: it comes back as new or configured, never in between."""
    for n in range(1, 4):
        for how in range(4):
            stage = Stage(seed + 100 * n + how, 1, tell)
            stage.device.flash.cut_in(n, how)
            stage.power_on()
            stage.run(30 * SECOND)
            registered(stage, "gateway", 2 * MINUTE)
            quiet_end(stage)
    return stage


def fifty_flaps(seed, tell=None):
    """A loose plug: 50 breaks in a minute cause at most six switches (DESIGN 6)."""
    stage = with_gateway(seed, tell)
    stage.run(30 * SECOND)
    was, switches = stage.registrar(), 0
    for n in range(100):
        stage.device.set_cable(n % 2 == 1)
        for _ in range(6):
            stage.run(100)
            now = stage.registrar()
            if now and now != was:
                was, switches = now, switches + 1
    assert switches <= 6, "%d switches" % switches
    return quiet_end(stage)


def both_links_dead(seed, tell=None):
    """No way at all for an hour: the readings wait, and arrive once."""
    stage = with_gateway(seed, tell)
    stage.device.set_cable(False)
    stage.device.modem.set_coverage(False)
    stage.run(HOUR)
    assert stage.registrar() is None and stage.device.agent.journal.count >= 11
    return quiet_end(stage)


def outbox_overflows(seed, tell=None):
    """No way out for longer than the outbox lasts: the oldest are dropped, and counted."""
    stage = with_gateway(seed, tell, outbox_max=10)
    stage.device.set_cable(False)
    stage.device.modem.set_coverage(False)
    stage.run(2 * HOUR)
    assert stage.device.agent.journal.dropped > 0
    return quiet_end(stage)


def medium_full(seed, tell=None):
    """Nothing can be stored for half an hour while the cable is pulled: readings of that time may be missing, but
    the device lives on, and is where it belongs when there is space again."""
    stage = with_gateway(seed, tell)
    stage.device.flash.full = True
    stage.run(10 * MINUTE)
    stage.device.set_cable(False)
    stage.run(20 * MINUTE)
    stage.device.flash.full = False
    registered(stage, "platform", 2 * MINUTE)
    stage.device.set_cable(True)
    registered(stage, "gateway")
    return quiet_end(stage)


def line_cut_while_moving(seed, tell=None):
    """W2: gateway and platform cannot talk while the device moves; when they can again, the old record
    goes."""
    stage = with_gateway(seed, tell)
    stage.wan.set(False)
    stage.run(MINUTE)
    stage.device.set_cable(False)
    registered(stage, "platform")
    stage.run(3 * MINUTE)
    stage.wan.set(True)
    stage.until(lambda: stage.gateway.live("meter-1") is None, 2 * MINUTE)
    return quiet_end(stage)


def with_4g_only(seed, tell=None):
    """L1: no cable ever; it is told where the configuration server is, asks by 4G and stays with the platform."""
    stage = Stage(seed, 1, tell, bootstrap_uri="coap://configuration.example")
    stage.device.eth.set(False)
    stage.power_on()
    registered(stage, "platform", 2 * MINUTE)
    stage.run(HOUR)
    assert stage.registrar() == "platform"
    return quiet_end(stage)


def refused(seed, tell=None):
    """C3, L2: a registrar that says 4.03 leads back to the configuration server; silence never does."""
    stage = with_gateway(seed, tell)
    asked = len(stage.configuration.done)
    stage.run(MINUTE)
    stage.gateway.banned = ("meter-1",)
    stage.gateway.crash(SECOND)
    stage.until(lambda: len(stage.configuration.done) > asked, 15 * MINUTE)
    stage.gateway.banned = ()
    registered(stage, "gateway", 12 * MINUTE)
    return quiet_end(stage)


def power_cut_while_moving_back(seed, tell=None):
    """The power goes while the device leaves the platform for the gateway: whoever holds the older record loses it."""
    stage = with_gateway(seed, tell)
    for wait in (0, 50, 200, 1000, 10050, 10100, 10300):
        stage.device.set_cable(False)
        registered(stage, "platform")
        stage.device.set_cable(True)
        stage.run(wait)
        stage.device.power_cut(wait % 100 == 0)
        registered(stage, "gateway", 2 * MINUTE)
        stage.until(lambda: stage.platform.direct("meter-1") is None, MINUTE)
    return quiet_end(stage)


def good_bye(seed, tell=None):
    """The program is stopped: it de-registers and says so."""
    stage = with_gateway(seed, tell)
    stage.run(MINUTE)
    stage.device.stop()
    stage.until(lambda: not stage.device.powered, 20 * SECOND)
    assert stage.gateway.live("meter-1") is None or seed in (), "still registered"
    stage.device.power_on()
    registered(stage, "gateway")
    return quiet_end(stage)


def ten_devices(seed, tell=None):
    """Ten meters on one gateway, all cables pulled at once, and back."""
    stage = Stage(seed, 10, tell)
    stage.power_on()
    stage.run(2 * MINUTE)
    assert [stage.registrar(device) for device in stage.devices] == ["gateway"] * 10
    for device in stage.devices:
        device.set_cable(False)
    stage.run(MINUTE)
    assert [stage.registrar(device) for device in stage.devices] == ["platform"] * 10
    return quiet_end(stage)


ALL = (
    first_boot,
    found_by_dns_sd,
    configuration_server_late,
    cable_pulled_and_back,
    gateway_silent,
    gateway_silent_with_probes,
    platform_restarts,
    gateway_restarts,
    power_cut_during_failover,
    power_cut_during_writes,
    power_cut_while_a_setting_is_stored,
    power_cut_during_bootstrap,
    fifty_flaps,
    both_links_dead,
    outbox_overflows,
    medium_full,
    line_cut_while_moving,
    with_4g_only,
    power_cut_while_moving_back,
    good_bye,
    ten_devices,
    refused,
    booting.without_cable,
    booting.with_no_way_out,
    booting.with_both,
    booting.behind_a_dead_path,
    booting.with_another_address,
)
NAMES = [scenario.__name__ for scenario in ALL]
SEEDS = 3


def play(name, seed, tell=None):
    """-> the digest of one scenario."""
    try:
        (scenario,) = [scenario for scenario in ALL if scenario.__name__ == name]
        return scenario(seed, tell).world.digest
    except Exception as e:
        print("\n%s, seed %d: %r\nreplay: python tests/sim/scenarios.py -v %s %d" % (name, seed, e, name, seed))
        raise


def main(arguments):
    verbose = "-v" in arguments
    words = [word for word in arguments if word != "-v"]
    for name in words[:1] or NAMES:
        for seed in [int(words[1])] if len(words) > 1 else range(SEEDS):
            print("%s %d %08x" % (name, seed, play(name, seed, print if verbose else None)))


if __name__ == "__main__":
    main(sys.argv[1:])
