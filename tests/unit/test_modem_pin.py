"""The SIM's PIN: entered when that is safe, written down before, never the last try, over power cuts too."""

from modem_script import Script

from agent.agent import Agent
from agent.engine.modem_pin import objection
from agent.errors import LocalError
from agent.settings import Settings

ICCID = "AT+QCCID"


class Card(Script):
    """A SIM that asks for a PIN. `tells`: whether the modem says how many tries are left."""

    def __init__(self, pin="1234", tells=True, memory=None, tries=3):
        Script.__init__(self, pin=pin, memory=memory)
        del self.answers["AT+CPIN?"]
        self.right, self.left, self.tells, self.open = "1234", tries, tells, {}
        self.locked = True
        self.entered = []  # (PIN, what was kept by then)
        self.refusal = ""

    def do_cpin(self, args):
        if args == [""]:
            word = "READY" if not self.locked else "SIM PIN" if self.left else "SIM PUK"
            return self.say("\r\n+CPIN: %s\r\n\r\nOK\r\n" % word)
        self.entered.append((args[0], self.memory))
        if self.refusal:
            return self.say("\r\n%s\r\n" % self.refusal) if self.refusal != "mute" else None
        if args[0] == self.right:
            self.locked, self.left = False, 3
            return self.say("\r\nOK\r\n")
        self.left -= 1
        return self.say("\r\n+CME ERROR: %d\r\n" % (16 if self.left else 12))

    def do_qpinc(self, args):
        self.say('\r\n+QPINC: "SC",%d,10\r\n\r\nOK\r\n' % self.left if self.tells else "\r\nERROR\r\n")

    def up(self, ms=3600000):
        self.modem.target("registered", self.now)
        self.run(ms)
        return self.modem.state, self.modem.reason


def again(card, **changes):
    """The same SIM after a power cut of everything: what was kept is all that is known."""
    other = Card(changes.pop("pin", "1234"), card.tells, card.memory, card.left)
    for name in changes:
        setattr(other, name, changes[name])
    return other


def test_the_pin_is_entered_once_and_after_each_start():
    card = Card()
    assert card.up() == ("registered", "")
    for _ in range(5):
        card = again(card)
        assert card.up(100000) == ("registered", "") and len(card.entered) == 1


def test_it_is_written_down_before_it_is_tried_and_is_not_in_what_is_written():
    card = Card()
    card.up()
    assert card.entered[0][1]["pin"][0][2:] == [1, False] and card.memory["pin"][0][2:] == [0, True]
    assert b"1234" not in repr(card.memory).encode()


def test_a_wrong_pin_costs_one_try_for_ever():
    """Done when no PIN is burnt: whatever happens to the power afterwards."""
    for tells in (True, False):
        card = Card("9999", tells)
        assert card.up() == ("locked", "SIM PIN: wrong") or card.modem.reason == "SIM PIN: this one was wrong before"
        for _ in range(10):
            card = again(card, pin="9999")
            assert card.up() == ("locked", "SIM PIN: this one was wrong before") and not card.entered
        assert card.left == 2


def test_power_that_fails_in_the_attempt_costs_no_second_try():
    for tells in (True, False):
        card = Card("9999", tells)
        card.refusal = "mute"
        card.up(5000)
        assert len(card.entered) == 1
        card.left -= 1
        for _ in range(10):
            card = again(card, pin="9999")
            assert card.up() == ("locked", "SIM PIN: how the last attempt ended is not known") and not card.entered


def test_power_that_fails_in_the_attempt_does_not_lock_out_a_right_pin_that_can_be_judged():
    card = Card()
    card.refusal = "mute"
    card.up(5000)
    card = again(card)
    assert card.up() == ("registered", "")  # all tries are there: the attempt burnt none
    card = Card(tells=False)
    card.refusal = "mute"
    card.up(5000)
    card = again(card, locked=False)  # it was right, and only we had lost our power
    assert card.up() == ("registered", "") and card.memory["pin"][0][2:] == [0, True]
    card = again(card, refusal="mute")
    card.up(5000)
    card = again(card)
    assert card.up() == ("registered", "")  # it has been right before


def test_the_last_try_is_left_to_people():
    card = Card(tries=1)
    assert card.up() == ("locked", "SIM PIN: 1 tries left, and none is risked") and not card.entered
    card = Card(tries=2)
    assert card.up() == ("registered", "")


def test_where_the_modem_cannot_tell_two_different_pins_are_the_most():
    card = Card("1111", tells=False)
    card.up()
    card = again(card, pin="2222")
    card.up()
    for pin in ("3333", "1234", "1111"):
        card = again(card, pin=pin)
        assert card.up()[0] == "locked" and not card.entered
    assert card.left == 1


def test_another_sim_or_another_pin_is_another_matter():
    card = Card("9999")
    card.up()
    card = again(card, pin="1234")
    assert card.up() == ("registered", "")
    card = Card("9999")
    card.up()
    card.answers[ICCID] = "+QCCID: 8949022021109999999F"
    card.right, card.left = "9999", 3
    card.urc("+QSIMSTAT: 1,1")
    card.run(1000)
    assert card.modem.state == "registered"


def test_nothing_is_tried_that_cannot_be_written_down():
    card = Card()
    card.durable = False
    assert card.up() == ("locked", "SIM PIN: it cannot be written down that it is tried") and not card.entered
    card.durable = True
    card.run(600000)
    assert card.modem.state == "registered"


def test_a_busy_sim_is_waited_for_and_nothing_counts():
    card = Card(tells=False)
    card.refusal = "+CME ERROR: 14"
    assert card.up(5000) == ("locked", "SIM busy")
    card.refusal = ""
    card.run(100000)
    assert card.modem.state == "registered"


def test_a_puk_is_never_touched_and_the_second_pin_does_not_matter():
    card = Card()
    card.left = 0
    assert card.up() == ("locked", "SIM: SIM PUK") and not card.entered
    card = Card()
    card.answers["AT+CPIN?"] = "+CPIN: SIM PIN2"
    assert card.up() == ("registered", "") and not card.entered


def test_without_a_pin_nothing_is_tried():
    card = Card("")
    assert card.up() == ("locked", "SIM PIN: none is set") and not card.entered


def test_the_limits_hold_whatever_was_before():
    for doubts in range(10):
        for others in range(4):
            for proven in (False, True):
                assert objection(1, doubts, proven, others) and objection(0, doubts, proven, others)
                if others > 1 or doubts > 1 or doubts and not proven:
                    assert objection(None, doubts, proven, others)
                if doubts:
                    assert objection(2, doubts, proven, others)
    assert objection(3, 0, False, 9) == objection(2, 0, False, 9) == objection(None, 0, False, 1) == ""


def test_the_setting_is_a_secret():
    settings = Settings({"pin": "12345678"})
    assert settings.get("pin") == "12345678" and Settings({"pin": ""}).get("pin") == ""
    for wrong in ("123", "123456789", "12a4", "-123", 1234):
        try:
            settings.set("pin", wrong)
            raise AssertionError(wrong)
        except LocalError as e:
            assert str(e) == "setting pin: this is not possible; 4 to 8 digits"


def test_a_command_that_is_not_answered_is_named_without_its_pin():
    card = Card()
    card.refusal = "mute"
    told = []
    card.modem._event = lambda event, reason="", call=card.modem._event: (told.append(reason), call(event, reason))
    card.up(200000)
    assert "no answer to AT+CPIN" in told and "1234" not in "".join(told)


class Medium:
    def __init__(self):
        self.files = {}

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        self.files[name] = data

    append = remove = write


def test_the_agent_keeps_it_in_its_store():
    medium = Medium()
    values = {"endpoint": "m", "links": "lte", "server_uri": "coap://10.0.0.1", "insecure": True, "modem": "quectel",
              "pin": "9999"}  # fmt: skip
    for life in range(2):
        agent = Agent(Settings(values), medium, lambda n: 0, lambda: 1, lambda: 0)
        agent.start(0)
        card = Card("9999")
        card.say = lambda text, agent=agent: agent.serial(text.encode(), 0)
        for now in range(40):
            agent.poll(now)
            for item in agent.take():
                if item[0] == "serial":
                    card.hear(item[1])
        assert len(card.entered) == 1 - life, card.entered
        assert agent.modem.state == "locked"
