"""The recovery ladder: what is done about a modem that does not do what it should, and how often at most."""

from modem_script import Script, connected

HOUR = 3600000
TOGGLE, RESET = "AT+CFUN=4", "AT+CFUN=1,1"


def searching(state, family="auto", memory=None):
    script = Script(family, memory=memory)
    script.answers["AT+CEREG?"] = "+CEREG: 0,%d" % state
    script.modem.target("registered", 0)
    return script


class Times(Script):
    """Notes when the radio was switched and the modem restarted, in minutes."""

    def __init__(self, **known):
        Script.__init__(self, **known)
        self.at = {}

    def reply(self, command):
        if command.startswith("AT+CFUN="):
            self.at.setdefault(command, []).append(self.now // 60000)
        Script.reply(self, command)


def in_hours(times):
    """The most that lies in any hour of [ms]."""
    return max([len([other for other in times if at <= other < at + HOUR]) for at in times] or [0])


class Counted(Script):
    """Refuses to dial, and counts; what it is told to do takes effect."""

    def __init__(self, **known):
        Script.__init__(self, **known)
        self.dials, self.resets, self.offset = [], [], 0
        self.answers["AT+QIACT=1"] = "ERROR"

    def reply(self, command):
        if command == "AT+QIACT=1":
            self.dials.append(self.offset + self.now)
        if command == RESET:
            self.resets.append(self.offset + self.now)
        Script.reply(self, command)


def test_a_denied_registration_is_tried_again_after_1_5_15_and_60_minutes():
    script = Times()
    script.answers["AT+CEREG?"] = "+CEREG: 0,3"
    script.modem.target("registered", 0)
    script.run(3 * HOUR)
    assert script.at[TOGGLE] == [1, 6, 21, 81, 141] and RESET not in script.at
    script.answers["AT+CEREG?"] = "+CEREG: 0,1"
    script.urc("+CEREG: 1")
    script.run(1000)
    assert script.modem.state == "registered" and script.modem.reason == ""


def test_no_network_for_long_is_answered_by_stronger_and_stronger_means():
    script = Times()
    script.answers["AT+CEREG?"] = "+CEREG: 0,2"
    script.modem.target("registered", 0)
    script.run(3 * HOUR)
    assert script.at[TOGGLE] == [5, 30] and script.at[RESET] == [15, 120]
    assert script.powered == [("reset", 500)]  # a Quectel's, milliseconds from its family's table
    script.answers["AT+CEREG?"] = "+CEREG: 0,1"
    script.run(70000)
    assert script.modem.state == "registered"


def test_another_access_point_need_not_wait_for_what_the_last_one_has_earned():
    script = Counted()
    script.modem.target("connected", 0)
    script.run(40000)
    assert script.modem._dial_at > script.now + 5000
    script.answers.pop("AT+QIACT=1")
    script.modem.set_apn("fleet", script.now)
    script.run(1000)
    assert script.modem.state == "connected" and script.modem._dialled == "fleet"


def test_a_dial_that_is_refused_again_and_again():
    script = Counted()
    script.modem.target("connected", 0)
    script.run(HOUR - 1000)
    assert len(script.dials) == 29 and script.count[TOGGLE] >= 1 and len(script.resets) >= 1
    script.answers.pop("AT+QIACT=1")
    script.run(HOUR)
    assert script.modem.state == "connected"


def test_budgets_are_kept_over_power_cuts():
    """Thirty dials and two resets in any hour, whenever the power fails."""
    for life_ms in (7000, 60000, 700000):
        memory, dials, resets = None, [], []
        for life in range(5 * HOUR // life_ms if life_ms > 50000 else 300):
            script = Counted(memory=memory)
            script.offset = life * life_ms
            script.modem.target("connected", 0)
            script.run(life_ms)
            memory, dials, resets = script.memory, dials + script.dials, resets + script.resets
        assert in_hours(dials) <= 30 and in_hours(resets) <= 2, (life_ms, in_hours(dials), in_hours(resets))
        assert len(dials) > 10, life_ms


def test_what_is_kept_is_written_seldom_and_forgotten_after_an_hour():
    script = Counted()
    writes = []
    script.modem._keep = lambda key, value, keep=script.modem._keep: (writes.append(value), keep(key, value))
    script.modem.target("connected", 0)
    script.run(HOUR)
    assert len(writes) <= 10 and script.memory["used"]["dial"] >= 29
    script.answers.pop("AT+QIACT=1")
    script.run(3 * HOUR)
    assert script.modem.state == "connected" and script.memory["used"] == {} and len(writes) <= 16


def test_what_is_kept_ages_while_the_modem_rests_or_is_stuck():
    """Else a power cut would make it all count as of now."""
    script = Counted()
    script.modem.target("connected", 0)
    script.run(HOUR)
    script.modem.target("off", script.now)
    script.run(HOUR // 2 + 1000)
    memory = script.memory
    assert memory["used"]["dial"] > 10 and memory["aged"] >= HOUR // 4
    again = Counted(memory=memory)
    again.answers.pop("AT+QIACT=1")
    again.modem.target("off", 0)
    again.run(HOUR * 3 // 4)
    again.modem.target("connected", again.now)
    again.run(60000)
    assert again.modem.state == "connected"


def test_nothing_is_written_while_all_is_well():
    script = connected()
    script.run(2 * HOUR)
    script.modem.target("registered", script.now)
    script.run(1000)
    script.modem.target("connected", script.now)
    script.run(HOUR)
    assert script.modem.state == "connected" and script.memory is None


def test_a_context_through_which_nothing_comes_is_not_just_dialled_again_for_ever():
    script = connected()
    for number in range(9):
        script.run(100000)
        assert script.modem.state == "connected", number
        script.modem.redial(script.now)
    script.run(100000)
    assert script.count[TOGGLE] == 1 and script.count[RESET] == 1 and script.powered == [("reset", 500)]
    assert script.modem.state == "connected"
    before = script.count["AT+QIACT=1"]
    for _ in range(3):  # seldom is no pattern
        script.run(HOUR)
        script.modem.redial(script.now)
    script.run(1000)
    assert script.count["AT+QIACT=1"] == before + 3 and script.count[TOGGLE] == 1


def test_one_that_hangs_is_restarted_then_its_lines_are_pulled():
    script = connected()
    script.mute = True
    script.run(200000)
    assert script.count[RESET] == 1 and script.powered[0] == ("on", 1500)
    script.run(600000)
    assert script.powered == [("on", 1500), ("on", 1500), ("reset", 500), ("off", 1500), ("on", 1500)]
    assert script.modem.state == "failed" and script.modem.reason == "no answer to AT"
    script.mute = False
    script.run(60000)
    assert script.modem.state == "connected"


def test_one_that_is_off_is_switched_on():
    script = Script("simcom")
    script.mute = True
    script.modem.target("registered", 0)
    script.run(60000)
    assert script.powered == [("on", 500)] and RESET not in script.count
    script.mute = False
    script.urc("*ATREADY: 1")
    script.run(3000)
    assert script.modem.state == "registered"  # it has said that it is there


def test_a_command_that_hangs_while_others_do_not():
    script = connected()
    script.answers["AT+QIACT?"] = None
    script.run(10 * 60000)
    assert script.count.get(RESET, 0) == 1
    script.run(HOUR)
    assert script.count[RESET] <= 2
