"""A modem is found whatever it was left in: a restart of ours, or of whoever had the port before, never loses it."""

from modem_script import Script, connected


def found(script, ms=60000):
    script.modem.target("registered", script.now)
    script.run(ms)
    return script.modem.state


def test_in_the_middle_of_a_call():
    script = Script()
    script.mode = "data"
    assert found(script) == "registered" and script.count["ATH"] == 1


def test_in_a_multiplexer():
    script = Script()
    script.mode = "mux"
    assert found(script) == "registered" and script.mode == ""


def test_at_a_prompt():
    script = connected()
    script.open = {0: ("left", 1)}
    script.prompted = 0  # what comes next is data
    script.modem.lost(script.now)
    assert found(script) == "registered"


def test_at_another_speed_which_is_remembered():
    script = Script()
    script.baud = 460800
    assert found(script, 120000) == "registered"
    assert script.memory["baud"] == script.speed == 460800
    memory = dict(script.memory)
    script = Script(memory=memory)
    script.baud = 460800
    assert found(script, 0) == "registered"  # at once
    script = Script(memory=memory)  # somebody has changed it back
    assert found(script, 120000) == "registered" and script.memory["baud"] == 0


def test_one_that_boots_is_not_confused_by_speeds():
    """A modem that finds the speed out by itself takes the first one it hears."""
    script = Script()
    script.mute, speeds = True, []
    script.modem.target("registered", 0)
    while script.now < 20000:
        script.run(100)
        speeds.append(script.speed)
    assert set(speeds) == {0}
    script.mute = False
    script.run(5000)
    assert script.modem.state == "registered"


def test_it_comes_back_to_the_boards_speed_when_nobody_answers_at_any():
    script = Script()
    script.mute = True
    assert found(script, 35000) in ("failed", "unknown")
    assert script.speed == 0


def test_it_answers_again_at_another_speed_after_a_while():
    script = connected()
    script.baud = 9600
    script.run(200000)
    assert script.modem.state == "connected" and script.speed == 9600 and "AT+CFUN=1,1" not in script.count
