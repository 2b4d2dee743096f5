"""The modem engine looks at its modem in the midst of a data call that has the port, and goes back into it."""

from modem_script import Script

from agent.engine.modem import Modem


class Line(Script):
    """A modem that dials, and leaves data mode by +++ with a second of silence on both sides."""

    def __init__(self, cmux="off", **known):
        Script.__init__(self, **known)
        self.modem = Modem("auto", "iot", session="ppp", cmux=cmux)
        self.sessions, self.told, self.leaves = [], 0, True
        self.answers["ATD*99***1#"] = "\r\nCONNECT 150000000\r\n"
        self.answers["ATO"] = "\r\nCONNECT\r\n"
        self.plus_at = None

    def pump(self):
        items = self.modem.take()
        while items:
            for item in items:
                if item[0] == "serial":
                    self.hear(item[1])
                elif item[0] == "state":
                    self.states.append(item[1])
                elif item[0] == "session":
                    self.sessions.append(item[1])
            items = self.modem.take()

    def hear(self, data):
        if data == b"+++" and self.mode == "data":
            assert self.now - self.heard_at >= 1000
            if self.leaves:
                self.plus_at = self.now
            return
        self.heard_at = self.now
        if self.mode == "data":
            raise AssertionError("%r goes into the call" % data)
        Script.hear(self, data)

    def elsewhere(self, data):
        return False

    def reply(self, command):
        Script.reply(self, command)
        if command in ("ATO", "ATD*99***1#") and "CONN" in (self.answers[command] or ""):
            self.mode = "data"

    def run(self, ms=0):
        """As Script.run(), with the modem's own second of silence after +++."""
        for _ in range(ms // 100):
            Script.run(self, 100)
            if self.plus_at is not None and self.now - self.plus_at >= 1000:
                self.mode, self.plus_at = "", None
                self.urc("OK")


def called(**known):
    script = Line(**known)
    script.modem.target("connected", 0)
    Script.run(script)
    assert script.modem.state == "connected" and script.sessions == [True] and script.mode == "data", script.states
    script.sent, script.now, script.sessions = [], script.now + 60000, []
    return script


def looked(script, ms=12000):
    """Lend it the port; pass this time in small steps."""
    assert script.modem.aside(script.now)
    script.run(ms)
    return script.sessions


def test_it_looks_and_goes_back():
    script = called()
    script.answers["AT+CSQ"] = "+CSQ: 10,99"
    assert script.modem.signal is None
    assert looked(script) == ["resume"] and script.mode == "data"
    assert script.modem.signal == -93 and script.sent[0] == "AT+CPIN?" and script.sent[-1] == "ATO"
    assert "AT+CEREG?" in script.sent and script.modem.state == "connected"
    script.sent = []
    assert looked(script) == ["resume", "resume"] and script.sent[-1] == "ATO"
    assert script.states[-1] == "connected"


def test_what_the_call_carries_meanwhile_is_no_line():
    script = called()
    assert script.modem.aside(script.now)
    script.run(500)
    script.modem.receive(b"~\xff\r\nOK\r\n+CPIN: NOT READY\r\n~", script.now)
    script.run(700)
    assert script.plus_at is not None
    script.modem.receive(b"~\r\n+CPIN: NOT READY\r\nERROR\r\n~\r\nO", script.now)
    script.modem.receive(b"K", script.now)
    assert script.modem.state == "connected" and not script.sent
    script.run(5000)
    assert script.sessions == ["resume"] and script.modem.state == "connected"


def test_a_modem_that_stays_in_data_mode_is_left_alone_for_the_call():
    script = called()
    script.leaves = False
    assert looked(script) == ["resume"] and not script.sent and script.modem.state == "connected"
    assert not script.modem.aside(script.now)
    script.modem.session("hung up", script.now)
    script.mode = ""
    script.run(10000)
    assert script.modem.state == "connected" and script.sessions[-1] is True
    script.leaves, script.now = True, script.now + 60000
    assert looked(script)[-1] == "resume" and script.sent[-1] == "ATO"


def test_without_a_way_back_the_call_is_made_anew():
    for answer in ("\r\nNO CARRIER\r\n", "\r\nERROR\r\n", None):
        script = called()
        script.answers["ATO"] = answer
        looked(script, 8000)
        assert script.sessions[0] is False and "resume" not in script.sessions, answer
        assert "registered" in script.states
        script.modem.session("hung up", script.now)
        script.run(20000)
        assert script.modem.state == "connected" and script.sessions[-1] is True, answer
        assert "ATH" in script.sent


def test_a_modem_that_falls_silent_is_not_waited_for():
    script = called()
    script.answers["AT+CSQ"] = None
    began = script.now
    looked(script, 15000)
    assert script.sessions[0] is False and "ATO" not in script.sent and "registered" in script.states
    assert script.now - began <= 15000


def test_a_slow_modem_is_given_up_after_a_while():
    script = called()
    script.answers["AT+CPIN?"] = None  # may take 10 s elsewhere
    assert script.modem.aside(script.now)
    for _ in range(121):
        script.run(100)
        if script.sessions:
            break
    assert script.sessions == [False] and script.modem.state == "registered"


def test_the_call_may_end_meanwhile():
    for ms in (200, 1500, 2300):
        script = called()
        script.answers["AT+CSQ"] = None
        assert script.modem.aside(script.now)
        script.run(ms)
        script.modem.session("ppp: hung up", script.now)
        script.answers["AT+CSQ"] = "+CSQ: 10,99"
        script.mode = ""
        script.run(20000)
        assert "resume" not in script.sessions and script.modem.state == "connected", ms
        assert script.sessions[-1] is True


def test_a_restart_meanwhile_starts_over():
    script = called()
    script.answers["AT+CSQ"], script.states = None, []
    assert script.modem.aside(script.now)
    script.run(2200)
    script.urc("RDY")
    assert "unknown" in script.states and script.sessions == [False] and script.modem._mux is None
    script.answers["AT+CSQ"] = "+CSQ: 10,99"
    script.modem.session("hung up", script.now)
    script.run(30000)
    assert script.modem.state == "connected"


def test_a_network_that_is_gone_for_long_ends_the_call():
    script = called()
    script.answers["AT+CEREG?"] = "+CEREG: 1,2"
    script.answers["AT+CGREG?"] = script.answers["AT+CREG?"] = "+CREG: 1,2"
    assert looked(script) == ["resume"] and script.modem.state == "connected"
    script.run(60000)
    script.states = []
    assert looked(script)[1] is False and script.states[0] == "registered"


def test_a_sim_that_was_locked_ends_the_call():
    script = called()
    script.answers["AT+CPIN?"] = "+CPIN: SIM PUK"
    assert looked(script)[0] is False
    script.modem.session("hung up", script.now)
    script.run(10000)
    assert script.modem.state == "locked" and script.modem.reason == "SIM: SIM PUK"


def test_it_is_refused_where_there_is_nothing_to_pause():
    script = Line()
    assert not script.modem.aside(0)
    script = called()
    script.modem._channel.family = type("Family", (), {"BACK": "", "__name__": "x"})
    assert not script.modem.aside(script.now)
