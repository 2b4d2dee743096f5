"""L1: the modem engine with short messages, against a scripted modem: read, deleted, sent, whatever else it does."""

from modem_script import Script

from agent.codec import sms
from agent.engine.modem_texts import TextModem

PDU = "00040B919471700000F100046211312143650003" + "010203"
OTHER = "00040B919471700000F10004621131214365000104"
SENT, LENGTH = sms.encode("+491700000001", b"hello")[0]


class Texts(Script):
    """`box`: what lies in the modem; `submitted`: what it was given to send."""

    def __init__(self, data=False, **answers):
        Script.__init__(self)
        self.modem = TextModem("auto", "iot")
        self.modem.data = data
        self.box, self.submitted, self.messages, self.unsent, self.typing = {}, [], [], [], None
        self.answers["AT+CMGF=0"] = self.answers["AT+CNMI=2,1,0,0,0"] = "\r\nOK\r\n"
        self.answers.update(answers)
        self.take, self.modem.take = self.modem.take, self.sorted

    def sorted(self):
        """What the modem wants, but for the messages: those are kept here."""
        items = self.take()
        self.messages += [item[1] for item in items if item[0] == "message"]
        self.unsent += [item[1] for item in items if item[0] == "unsent"]
        return items

    def hear(self, data):
        if self.typing is not None:
            if data[-1:] == b"\x1a":
                self.typing = None
                self.submitted.append(data[:-1].decode())
                return self.say("\r\n+CMGS: 7\r\n\r\nOK\r\n")
            if b"\x1b" not in data:  # it is taken for a part of the message
                return None
            self.typing = None
        return Script.hear(self, data)

    def do_cmgs(self, args):
        self.typing = int(args[0])
        self.say("\r\n> ")

    def do_cmgl(self, args):
        lines = ["\r\n+CMGL: %d,0,,20\r\n%s" % (index, self.box[index]) for index in sorted(self.box)]
        self.say("".join(lines) + "\r\n\r\nOK\r\n")

    def do_cmgr(self, args):
        self.say("\r\n+CMGR: 0,,20\r\n%s\r\n\r\nOK\r\n" % self.box[int(args[0])])

    def do_cmgd(self, args):
        self.box.pop(int(args[0]))
        self.say("\r\nOK\r\n")


def ready(**known):
    script = Texts(**known)
    script.modem.target("off", 0)
    script.run()
    assert script.modem.state == "registered", script.states
    script.run(1000)
    return script


def test_off_means_registered_and_there_is_no_data():
    script = ready()
    assert script.count["AT+CMGF=0"] == 1 and "AT+CMGF=0" in script.sent
    script.modem.target("connected", script.now)
    script.run(60000)
    assert script.modem.state == "registered" and "AT+QIACT=1" not in script.count and script.modem.texts


def test_what_lies_there_is_read_and_deleted():
    script = Texts()
    script.box = {3: PDU, 7: OTHER}
    script.modem.target("off", 0)
    script.run(1000)
    assert script.messages == [PDU, OTHER] and script.box == {}


def test_what_comes_is_read_and_deleted():
    script = ready()
    script.box[4] = PDU
    script.urc('+CMTI: "SM",4')
    assert script.messages == [PDU] and script.box == {}
    script.urc("+CMTI: nonsense")
    assert script.modem.malformed == 1


def test_what_comes_at_once_keeps_its_second_line():
    script = ready()
    script.urc("+CMT: ,20\r\n" + PDU)
    script.urc("+CMT: ,20 " + OTHER)
    assert script.messages == [PDU, OTHER]


def test_also_in_the_middle_of_an_answer():
    script = ready(**{"AT+CSQ": "\r\n+CMT: ,20\r\n%s\r\n\r\n+CSQ: 9,99\r\n\r\nOK\r\n" % PDU})
    script.run(61000)
    assert script.messages[0] == PDU and script.modem.signal == -95


def test_a_header_without_its_line_spoils_nothing():
    script = ready()
    script.urc("+CMT: ,20\r\n+CEREG: 2")
    assert script.messages == [] and script.modem.state in ("searching", "registered")


def test_one_is_sent():
    script = ready()
    assert script.modem.text(SENT, LENGTH, script.now)
    script.run(1000)
    assert script.submitted == [SENT] and script.count["AT+CMGS=%d" % LENGTH] == 1


def test_data_goes_on_beside_messages():
    script = ready(data=True)
    script.modem.target("connected", script.now)
    script.run(1000)
    assert script.modem.state == "connected" and script.modem.texts
    script.modem.text(SENT, LENGTH, script.now)
    script.modem.send("10.0.0.1", 5683, b"hi", script.now)
    script.run(1000)
    assert script.submitted == [SENT] and script.delivered == [("10.0.0.1", 5683, b"hi")]


def test_one_that_is_refused_is_told():
    script = ready(**{"AT+CMGS=%d" % LENGTH: "\r\n+CMS ERROR: 38\r\n"})
    script.modem.text(SENT, LENGTH, script.now)
    script.run(1000)
    assert script.unsent == ["+CMS ERROR: 38"] and script.modem.state == "registered"


def test_a_prompt_that_never_comes():
    script = ready(**{"AT+CMGS=%d" % LENGTH: None})
    script.modem.text(SENT, LENGTH, script.now)
    script.modem.text(OTHER, LENGTH, script.now)
    script.run(119000)
    assert "AT+CMGS=%d" % LENGTH in script.count and script.submitted == []
    del script.answers["AT+CMGS=%d" % LENGTH]
    script.run(5000)
    script.modem.text(SENT, LENGTH, script.now)
    script.run(5000)
    assert script.submitted == [SENT] and script.modem.state == "registered"  # what was stale is not sent


def test_a_modem_that_is_not_ready_is_asked_again():
    script = ready(**{"AT+CMGF=0": "\r\n+CMS ERROR: 314\r\n"})
    script.modem.text(SENT, LENGTH, script.now)
    script.run(1000)
    assert script.submitted == []
    script.answers["AT+CMGF=0"] = "\r\nOK\r\n"
    script.modem.text(SENT, LENGTH, script.now)
    script.run(61000)
    assert script.submitted == [SENT, SENT]


def test_other_ways_to_be_told():
    refused = "\r\nERROR\r\n"
    script = ready(**{"AT+CNMI=2,1,0,0,0": refused, "AT+CNMI=1,1,0,0,0": refused, 'AT+CPMS="SM","SM","SM"': refused})
    assert script.count["AT+CNMI=2,2,0,0,0"] == script.count['AT+CPMS="ME","ME","ME"'] == 1


def test_messages_only():
    script = Texts(**{"AT+CEREG?": "\r\n+CEREG: 1,0\r\n\r\nOK\r\n", "AT+CGREG?": "\r\n+CGREG: 1,0\r\n\r\nOK\r\n",
                      "AT+CREG?": "\r\n+CREG: 1,6\r\n\r\nOK\r\n"})  # fmt: skip
    script.modem.target("off", 0)
    script.run(1000)
    assert script.modem.state == "registered"


def test_a_restart_sets_it_up_anew():
    script = ready()
    script.modem.text(SENT, LENGTH, script.now)
    script.modem.take()  # the port is lost while the modem waits for the message
    script.typing = LENGTH
    script.modem.lost(script.now)
    script.run(30000)
    assert script.modem.state == "registered" and script.count["AT+CMGF=0"] == 2 and script.submitted == []


def test_the_queue_has_a_limit():
    script = ready()
    taken = [script.modem.text(SENT, LENGTH, script.now) for _ in range(30)]
    assert taken.count(True) <= 21 and taken[-1] is False
    script.run(1000)
    assert len(script.submitted) == taken.count(True)


def test_a_modem_that_asks_for_its_sockets_data_by_a_line():
    """Cinterion, Nordic: for a message it is the prompt all the same (TS 27.005 3.5.1)."""
    for family in ("cinterion", "nordic"):
        modem = TextModem(family, "iot")
        channel = modem._channel
        channel.start("AT+CMGS=%d" % LENGTH, b"PDU\x1a")
        for token in channel.reader.feed(b"\r\n> "):
            channel.accept(token)
        assert channel.out[-1] == b"PDU\x1a", family
        assert channel.accept("+CMGS: 7") is None and channel.accept("OK")[:2] == ("answer", True)
        assert channel.of("asks"), family
