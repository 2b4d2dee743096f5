"""The modem engine inside the multiplexer, against a scripted modem in virtual time."""

from modem_script import Script

from agent.codec import ppp
from agent.codec.cmux import DISC, DM, POLL, SABM, UA, UIH, Reader, encode
from agent.engine.modem import Modem

MUX = "AT+CMUX=0,0,5,127,10,3,30,10,2"
MSC, TEST, CLD = 0xE3, 0x23, 0xC3
FRAMED = b"\x7e\xff\x7d\x23frame\x7e"


class MuxScript(Script):
    """A Script that multiplexes once told to; `call` holds what the session sent, `session` who has it."""

    def __init__(self, cmux="auto", family="auto"):
        Script.__init__(self)
        self.modem = Modem(family, "iot", session="ppp", cmux=cmux)
        self.on = self.dead = self.echo = False
        self.refused = ()
        self.dial = "CONNECT 150000000"
        self.reader, self.open, self.lines, self.data = Reader(), [], b"", b""
        self.call, self.heard, self.session, self.tests = b"", b"", None, 0

    def pump(self):
        items = self.modem.take()
        while items:
            for item in items:
                if item[0] == "serial":
                    self.bytes(item[1])
                elif item[0] == "state":
                    self.states.append(item[1])
                elif item[0] == "session":
                    self.session = item[1]
                elif item[0] == "data":
                    self.heard += item[1]
            items = self.modem.take()

    def bytes(self, data):
        """From the device."""
        if self.echo:
            self.modem.receive(data, self.now)
        elif not self.on and data[:1] != b"\xf9":
            self.lines = b""
            Script.hear(self, data)
        elif self.on:
            for frame in self.reader.feed(data):
                self.frame(*frame)

    def frame(self, channel, control, body):
        if control == UIH and channel == 0 and body[0] == CLD:
            self.on, self.open = False, []
        if self.dead or not self.on:
            return
        if control == SABM | POLL:
            good = channel not in self.refused
            self.open += [channel] if good else []
            self.put(channel, (UA if good else DM) | POLL)
        elif control == DISC | POLL:
            self.put(channel, UA | POLL)
        elif channel == 0:
            self.tests += body[0] == TEST
            if body[0] & 2:
                self.put(0, UIH, bytes([body[0] & ~2]) + body[1:])
        elif channel == 2:
            self.data += body
            if body[:3] == b"ATD":
                self.put(2, UIH, ("\r\n%s\r\n" % self.dial).encode() + (b"~first~" if "CONN" in self.dial else b""))
        else:
            self.lines += body
            whole, _, self.lines = self.lines.rpartition(b"\r")
            if whole:
                Script.hear(self, whole + b"\r")

    def put(self, channel, control, body=b""):
        self.modem.receive(encode(channel, control, body, control & ~POLL == UA), self.now)

    def say(self, text):
        text = text if isinstance(text, bytes) else text.encode()
        if not self.on:
            self.modem.receive(text, self.now)
        elif not self.dead:
            for at in range(0, len(text), 31):
                self.put(1, UIH, text[at : at + 31])

    def do_cmux(self, _):
        self.modem.receive(b"\r\nOK\r\n", self.now)
        self.on, self.open = True, []

    def status(self, signals, channel=2):
        self.put(0, UIH, bytes([MSC, 5, channel << 2 | 3, signals]))
        self.pump()


def connected(**known):
    script = MuxScript(**known)
    script.modem.target("connected", 0)
    script.run(2000)
    assert script.modem.state == "connected", script.states
    return script


def test_it_dials_on_one_channel_and_commands_go_on_another():
    script = connected()
    assert script.on and script.count[MUX] == 1 and script.open == [0, 1, 2] and script.data == b"ATD*99***1#\r"
    assert script.session is script.modem._dialler and script.heard == b"~first~"
    before = script.count.get("AT+CSQ", 0)
    script.answers["AT+CSQ"] = "+CSQ: 31,99"
    script.run(62000)
    assert script.count["AT+CSQ"] > before and script.modem.signal == -51
    script.session.write(FRAMED)
    script.run()
    assert script.data.endswith(FRAMED) and script.modem.state == "connected"


def test_it_is_entered_before_it_has_to_dial():
    script = MuxScript()
    script.modem.target("registered", 0)
    script.run(1000)
    assert script.on and script.modem.state == "registered" and script.session is None
    at = script.now
    script.modem.target("connected", at)
    script.run()
    assert script.modem.state == "connected" and script.now == at


def test_another_access_point_is_dialled_in_a_new_call():
    script = connected()
    script.modem.set_apn("fleet", script.now)
    script.run(100)
    script.modem.session("done", script.now)
    script.run(5000)
    assert script.modem.state == "connected" and script.modem._dialled == "fleet" and script.data.count(b"ATD*99") == 2
    assert [command for command in script.count if "fleet" in command] and "disconnecting" in script.states


def test_the_end_is_told_by_either_side():
    for end in ("session", "device"):
        script = connected()
        session = script.session
        if end == "device":
            script.modem.target("registered", script.now)
            script.run(100)
            assert script.session is False and session.carries  # so that it can say good-bye
        script.modem.session("closed", script.now)
        script.run(100)
        assert not session.carries and script.modem.state == "registered" and script.on
        script.modem.target("connected", script.now)
        script.run(2000)
        assert script.modem.state == "connected" and script.data.count(b"ATD") == 2


def test_carrier_lost_and_channel_closed():
    """27.010 5.4.6.3.7: DV falls; 5.3.4: DISC."""
    script = connected()
    script.status(0x8D)
    assert script.session
    script.status(0x0D)
    assert script.session is False and not script.modem._dialler.carries
    script = connected()
    script.put(2, DISC | POLL)
    script.pump()
    assert script.session is False
    script.modem.session("hung up", script.now)
    script.run(3000)
    assert script.modem.state == "connected" and script.session and script.on


def test_held_back():
    script = connected()
    before = script.data
    script.status(0x0F)
    for _ in range(100):
        script.session.write(b"x" * 100)
    script.run()
    assert script.data == before
    script.status(0x0D)
    assert script.data == before + b"x" * 4096  # so much waits, and no more


def test_without():
    """Never asked for; unknown modems and those that do not get out again, unless told to."""
    for known, sent in (({"cmux": "off"}, 0), ({"family": "simcoma76"}, 0), ({"family": "generic"}, 0),
                        ({"family": "simcoma76", "cmux": "on"}, 1), ({"family": "generic", "cmux": "on"}, 1)):
        script = MuxScript(**known)
        script.answers["ATD*99***1#"] = "\r\nCONNECT\r\n"
        script.modem.target("connected", 0)
        script.run(2000)
        assert script.modem.state == "connected" and script.count.get("AT+CMUX=0,0,5,127", 0) == sent, known
        assert (script.session is True) == (sent == 0)


def test_refused_for_good():
    script = MuxScript()
    script.answers[MUX], script.answers["ATD*99***1#"] = "ERROR", "\r\nCONNECT\r\n"
    script.modem.target("connected", 0)
    script.run(1000)
    assert script.modem.state == "connected" and script.session is True
    script.modem.session("closed", script.now)
    script.run(10000)
    assert script.session is True and script.count[MUX] == 1 and "unknown" not in script.states


def test_a_channel_refused():
    script = MuxScript()
    script.answers["ATD*99***1#"], script.refused = "\r\nCONNECT\r\n", (2,)
    script.modem.target("connected", 0)
    script.run(30000)
    assert script.modem.state == "connected" and script.session is True and script.count[MUX] == 1 and not script.on


def test_a_call_refused():
    script = MuxScript()
    script.dial = "NO CARRIER"
    script.modem.target("connected", 0)
    script.run(5000)
    assert script.modem.state == "registered" and script.modem.reason == "NO CARRIER" and script.on
    script.dial = "CONNECT"
    script.run(60000)
    assert script.modem.state == "connected"


def test_one_that_dies_is_left_and_not_used_again():
    script = connected()
    script.answers["ATD*99***1#"] = "\r\nCONNECT\r\n"
    session, script.dead = script.session, True
    session.write(FRAMED)
    script.run(9500)
    assert not session.carries and "unknown" in script.states
    script.run(30000)
    assert script.modem.state == "connected" and script.session is True and script.count[MUX] == 1


def test_a_restart_is_not_blamed():
    """It says so in plain text; or it hears nothing; or it sends back what it hears."""
    for kind in ("banner", "silent", "echo"):
        script = connected()
        script.on, script.session_before = False, script.session
        if kind == "banner":
            script.modem.receive(b"\x00\xf9\r\nRDY\r\n", script.now)
        script.echo = kind == "echo"
        script.modem._dialler.write(FRAMED)
        script.run(200)
        script.echo = False
        script.run(60000)
        assert script.modem.state == "connected" and script.on and script.count[MUX] == 2, (kind, script.states)


def test_the_port_vanishes():
    script = connected()
    script.on = False
    script.modem.lost(script.now)
    assert script.modem._mux is None
    script.run(10000)
    assert script.modem.state == "connected" and script.on


def test_a_modem_found_multiplexing():
    """We were restarted: the close-down of 27.010 5.4.6.3.3 leads back to commands."""
    script = MuxScript()
    script.on = True
    script.modem.target("connected", 0)
    script.run(20000)
    assert script.modem.state == "connected" and script.on and script.count[MUX] == 1


def test_a_clean_end_leads_out_of_it():
    """The next life finds a modem that listens to commands: no probing."""
    script = connected()
    script.bytes(script.modem.leave())
    assert not script.on
    after = MuxScript()
    after.modem.target("connected", 0)
    after.run(400)
    assert after.modem.state == "connected" and after.on
    plain = MuxScript("off")
    assert plain.modem.leave() == b""
    plain.answers["ATD*99***1#"] = "\r\nCONNECT\r\n"
    plain.modem.target("connected", 0)
    plain.run(2000)
    assert ppp.Reader().feed(plain.modem.leave()) == [(0xC021, b"\x05\x01\x00\x04")]  # Terminate-Request


def test_silence_is_asked_about():
    script = connected()
    script.run(55000)
    assert script.tests == 1 and script.modem.state == "connected"


def test_a_radio_that_must_have_been_on_for_a_while():
    """Telit's row MUX_MS: from AT+CFUN=1 on, however often something else is wanted meanwhile."""
    script = MuxScript(family="telit")
    script.modem.target("registered", 0)
    script.run(4900)
    script.modem.target("connected", script.now)
    script.run(50)
    assert script.modem.state == "registered" and not script.on
    script.run(1500)
    assert script.modem.state == "connected" and script.on and script.count[MUX] == 1
