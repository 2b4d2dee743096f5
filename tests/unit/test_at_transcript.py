"""The transcript of AT traffic: bounded, in order, and without a secret whatever is said."""

from modem_script import Script, connected
from test_modem_pin import Card

from agent.engine import at_transcript
from agent.engine.at_channel import Channel


class Known:
    def __init__(self, channel):
        self._channel = channel


def told(channel):
    return at_transcript.told(Known(channel))


def test_what_is_said_and_heard_in_order():
    channel = Channel()
    assert told(channel) == []
    channel.start("AT+CSQ")
    for token in channel.reader.feed(b"\r\nRDY\r\n+CSQ: 18,99\r\n\r\nOK\r\n"):
        channel.accept(token)
    assert told(channel) == [">AT+CSQ", "<RDY", "<+CSQ: 18,99", "<OK"]
    channel.start("AT+QISEND=0,5", b"hello")
    for token in channel.reader.feed(b"\r\n> "):
        channel.accept(token)
    assert told(channel)[4:] == [">AT+QISEND=0,5", "<>", ">[5 B]"]


def test_it_is_bounded_and_keeps_whole_lines_only():
    channel = Channel()
    channel.ring = bytearray(300)
    size = len(channel.ring)
    for number in range(size):
        channel.accept("+CREG: %d" % number)
    lines = told(channel)
    assert len(channel.ring) == size and lines[-1] == "<+CREG: %d" % (size - 1)
    numbers = [int(line[8:]) for line in lines]
    assert numbers == list(range(numbers[0], size)) and size // 12 - 2 < len(lines) < size // 10
    channel.accept("+" + "x" * 5000)
    assert len(told(channel)[-1]) < 100


def test_every_cut_of_the_ring_hides_what_is_secret():
    """The oldest line has lost its beginning, and with it what tells that it is secret."""
    channel = Channel()
    channel.ring = bytearray(200)
    channel.start('AT+CPIN="4711"')
    channel.accept("OK")
    for number in range(len(channel.ring)):
        assert "4711" not in "".join(told(channel)), number
        channel.accept("x")


def test_secrets_are_masked_and_the_rest_is_not():
    for line, shown in (
        ('>AT+CPIN="4711"', ">AT+CPIN=***"), (">at+cpin=4711", ">at+cpin=***"), (">AT+CPIN?", ">AT+CPIN?"),
        ("<+CPIN: SIM PIN", "<+CPIN: SIM PIN"), ('>AT+CPWD="SC","4711","4712"', '>AT+CPWD="SC",***'),
        ('>AT+CLCK="SC",2', '>AT+CLCK="SC",2'), ('>AT+CLCK="SC",1,"4711"', '>AT+CLCK="SC",1,***'),
        ('>AT+CGAUTH=1,2,"me","s"', ">AT+CGAUTH=1,2,***"), (">AT+CGAUTH=?", ">AT+CGAUTH=?"),
        ('>AT+QICSGP=1,1,"iot","me","s",1', '>AT+QICSGP=1,1,"iot",***'),
        ('<+QICSGP: 1,"iot","me","s",1', '<+QICSGP: 1,"iot","me",***'),
        ('>AT^NDISDUP=1,1,"iot","me","s",2', '>AT^NDISDUP=1,1,"iot",***'), (">AT+CGATT=1,1", ">AT+CGATT=1,1"),
        ('>AT+CGDCONT=1,"IP","iot"', '>AT+CGDCONT=1,"IP","iot"'), ("<" + "0791" * 20, "<[80 digits]"),
        ("<8949022021101234567", "<8949022021101234567"),
    ):  # fmt: skip
        assert at_transcript.masked(line) == shown, at_transcript.masked(line)


def test_no_pin_is_in_it_whatever_the_modem_echoes():
    card = Card("98765432")
    real = card.hear
    card.hear = lambda data: (card.modem.receive(data[:-1] + b"\r\r\n", card.now), card.modem.receive(
        b"AT+C@" + data[6:-1] + b"\r\n", card.now) if b"98765432" in data else None, real(data))  # fmt: skip
    card.up(100000)
    lines = at_transcript.told(card.modem)
    assert "98765432" not in "".join(lines) and card.entered


def test_a_bring_up_leaves_its_end_in_it():
    script = connected()
    assert at_transcript.told(script.modem)[-1] == "<OK" and ">AT+QIACT=1" in at_transcript.told(script.modem)


def test_an_empty_script_has_none():
    assert at_transcript.told(Script().modem) == []
