"""The modem engine against a scripted modem in virtual time: bring-up, registration, SIM, failures, limits."""

from modem_script import Script, connected

from agent.engine.modem import Modem
from agent.errors import LocalError


def test_bring_up_goes_through_modem_managers_ladder_without_a_pause():
    script = connected()
    assert script.now == 0
    assert script.states == ["initializing", "disabled", "enabling", "enabled", "searching", "registered", "connecting",
                             "connected"]  # fmt: skip
    assert script.sent[:3] == ["AT", "ATE0", "AT+CMEE=1"]
    assert 'AT+QICSGP=1,1,"iot","","",0' in script.count


def test_identity_is_reported():
    """S1: ICCID, IMSI and equipment identity are known once the SIM is ready."""
    modem = connected().modem
    assert modem.identity == {
        "manufacturer": "Quectel", "model": "EC25", "revision": "EC25EFAR06A01M4G", "imei": "867698041234560",
        "imsi": "262021234567890", "iccid": "8949022021101234567",
    }  # fmt: skip


def test_nothing_is_sent_before_a_rung_is_wanted():
    script = Script()
    script.run(100000)
    script.modem.target("off", script.now)
    script.run(100000)
    assert script.sent == [] and script.states == []


def test_registered_is_a_rung_and_connecting_from_it_is_immediate():
    script = Script()
    script.modem.target("registered", 0)
    script.run(50000)
    assert script.modem.state == "registered" and "AT+QIACT=1" not in script.count
    assert script.modem.signal == -77
    script.modem.target("connected", script.now)
    script.run()
    assert script.modem.state == "connected"
    script.modem.target("registered", script.now)
    script.run()
    assert script.modem.state == "registered" and not script.active
    script.modem.target("off", script.now)
    script.run()
    assert script.modem.state == "disabled" and "AT+CFUN=4" in script.count
    script.answers["AT+CFUN?"] = "+CFUN: 4"
    script.modem.target("connected", script.now)
    script.run()
    assert script.modem.state == "connected" and "AT+CFUN=1" in script.count


def test_unknown_rung_family_and_apn_are_refused():
    for make in (lambda: Modem("auto").target("up", 0), lambda: Modem("nosuch"), lambda: Modem(apn='a"b'),
                 lambda: Modem(apn="a\rAT"), lambda: Modem(apn="x" * 101)):  # fmt: skip
        try:
            make()
        except LocalError:
            continue
        raise AssertionError("accepted")


def test_coverage_lost_and_back():
    script = connected()
    script.answers["AT+CEREG?"] = "+CEREG: 1,2"
    script.active, script.open = False, {}
    script.urc("+CEREG: 2")
    assert script.modem.state == "connected"  # a short loss alone ends nothing
    script.urc('+QIURC: "pdpdeact",1')
    assert script.modem.state == "searching"
    script.run(300000)
    assert script.modem.state == "searching"
    script.answers["AT+CEREG?"] = "+CEREG: 1,5"
    script.urc("+CEREG: 5")
    script.run(2000)
    assert script.modem.state == "connected"


def test_not_registered_for_long_while_the_context_stays_is_a_loss_too():
    script = connected()
    script.answers["AT+CEREG?"] = "+CEREG: 1,2"
    script.urc("+CEREG: 2")
    script.run(14000)
    assert script.modem.state == "connected"
    script.run(2000)
    assert script.modem.state == "searching"
    script.answers["AT+CEREG?"] = "+CEREG: 1,1"
    script.answers["AT+QICSGP=1"] = '+QICSGP: 1,"iot","","",0'
    script.urc("+CEREG: 1")
    assert script.modem.state == "connected"
    assert script.count.get("AT+QIACT=1", 0) == 1  # the context was still there


def test_registration_is_polled_and_any_domain_that_carries_data_counts():
    script = Script()
    script.answers["AT+CEREG?"] = "+CME ERROR: 100"
    script.answers["AT+CGREG?"] = "+CGREG: 0,2"
    script.answers["AT+CREG?"] = "+CREG: 0,1"
    script.modem.target("registered", 0)
    script.run(5000)
    assert script.modem.state == "searching"
    script.answers["AT+CGREG?"] = "ERROR"
    script.run(2000)
    assert script.modem.state == "registered"


def test_denied_is_said_and_the_radio_toggled():
    script = Script()
    script.answers["AT+CEREG?"] = "+CEREG: 0,3"
    script.modem.target("registered", 0)
    script.run(50000)
    assert script.modem.reason == "denied" and "AT+CFUN=4" not in script.count
    script.run(3600000)
    assert 3 <= script.count.get("AT+CFUN=4", 0) <= 4


def test_no_sim_is_failed_and_inserting_one_is_noticed():
    script = Script()
    script.answers["AT+CPIN?"] = "+CME ERROR: 10"
    script.modem.target("connected", 0)
    script.run(5000)
    assert script.modem.state == "failed" and script.modem.reason == "no SIM"
    script.run(3600000)
    assert script.count.get("AT+CPIN?", 0) < 20
    script.answers["AT+CPIN?"] = "+CPIN: READY"
    script.urc("+QSIMSTAT: 1,1")
    script.run()
    assert script.modem.state == "connected"


def test_a_locked_sim_is_told_and_no_pin_is_ever_sent():
    for answer in ("+CPIN: SIM PIN", "+CPIN: SIM PUK", "+CME ERROR: 11"):
        script = Script()
        script.answers["AT+CPIN?"] = answer
        script.modem.target("connected", 0)
        script.run(600000)
        assert script.modem.state == "locked", answer
        assert not [command for command in script.count if command.startswith("AT+CPIN=")]


def test_a_busy_sim_is_waited_for():
    script = Script()
    script.answers["AT+CPIN?"] = "+CME ERROR: 14"
    script.modem.target("registered", 0)
    script.run(3000)
    assert script.modem.state == "initializing"
    script.answers["AT+CPIN?"] = "+CPIN: READY"
    script.run(1000)
    assert script.modem.state == "registered"


def test_a_sim_removed_while_connected():
    """S1: the identity of the SIM goes with it."""
    script = connected()
    script.answers["AT+CPIN?"] = "+CME ERROR: 10"
    script.urc("+CPIN: NOT READY")
    assert script.modem.state == "failed" and "iccid" not in script.modem.identity
    script.answers["AT+CPIN?"] = "+CPIN: READY"
    script.answers["AT+QCCID"] = "+QCCID: 8949022021109999999"
    script.urc("+CPIN: READY")
    script.run(2000)
    assert script.modem.state == "connected" and script.modem.identity["iccid"] == "8949022021109999999"


def test_a_modem_that_restarts_by_itself_is_brought_up_again():
    script = connected()
    script.active, script.open = False, {}
    script.urc("RDY")
    script.run(2000)
    assert "unknown" in script.states and script.modem.state == "connected"


def test_one_unanswered_command_costs_a_resync_only():
    script = connected()
    script.run(3000)
    script.mute = True
    script.run(60000)
    script.mute = False
    script.run(10000)
    assert script.modem.state == "connected" and "unknown" not in script.states


def test_a_modem_gone_mute_is_reset_then_failed_then_retried_for_ever():
    script = connected()
    script.mute = True
    script.run(500000)
    assert script.count.get("AT+CFUN=1,1", 0) == 1 and script.modem.state == "failed"
    script.run(2500000)
    assert script.count.get("AT+CFUN=1,1", 0) == 1 and script.modem.state == "failed"
    script.mute = False
    script.run(60000)
    assert script.modem.state == "connected"


def test_a_command_that_is_never_answered_leads_to_resets_but_few():
    script = Script()
    script.answers["AT+CMEE=1"] = None
    script.modem.target("connected", 0)
    script.run(1800000)
    assert 1 <= script.count.get("AT+CFUN=1,1", 0) <= 2
    script.answers["AT+CMEE=1"] = "\r\nOK\r\n"
    script.run(60000)
    assert script.modem.state == "connected"


def test_late_answers_are_not_taken_for_the_next_commands():
    script = Script()
    script.mute = True
    script.modem.target("connected", 0)
    script.run(650)  # three ATs are out
    assert script.sent == ["AT"] * 3
    script.mute = False
    for _ in range(3):
        script.urc("OK")
    script.run()
    assert script.modem.state == "connected" and script.now == 650


def test_the_port_vanishes_and_comes_back():
    script = connected()
    script.mute = True
    script.modem.lost(script.now)
    assert script.modem.state == "unknown"
    script.run(40000)
    assert "AT+CFUN=1,1" not in script.count  # nobody there to be reset
    script.mute, script.active, script.open = False, False, {}
    script.modem.lost(script.now)
    script.run(2000)
    assert script.modem.state == "connected"


def test_a_modem_that_kept_its_context_over_our_restart_is_not_dialled_again():
    script = Script()
    script.active = True
    script.open = {0: ("left", 1)}
    script.answers["AT+QICSGP=1"] = '+QICSGP: 1,"iot","","",0'
    script.modem.target("connected", 0)
    script.run()
    assert script.modem.state == "connected" and "AT+QIACT=1" not in script.count and script.open == {}


def test_another_apn_replaces_the_context():
    script = connected()
    script.modem.set_apn("fleet", script.now)
    script.run()
    assert script.modem.state == "connected" and 'AT+QICSGP=1,1,"fleet","","",0' in script.count


def test_a_family_without_sockets_stops_at_registered():
    script = Script()
    script.answers["AT+CGMI"] = "NoSuchMaker"
    script.answers["AT+CCID"] = "8949022021101234567"
    script.modem.target("connected", 0)
    script.run(100000)
    assert script.modem.state == "registered" and script.modem.reason == "no sockets"
