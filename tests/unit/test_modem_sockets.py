"""The modem engine's datagrams and contexts in virtual time, and what line noise does to it."""

from modem_script import Script, connected

from agent.engine.at_sockets import Sockets
from agent.engine.modem import Modem


def test_a_datagram_waits_for_its_socket_and_the_answer_comes_from_the_name():
    script = connected()
    assert script.modem.send("platform.example", 5683, b"ping\r\n> OK", script.now)
    script.run()
    assert script.delivered == [("platform.example", 5683, b"ping\r\n> OK")]
    assert script.count.get('AT+QIOPEN=1,0,"UDP","platform.example",5683,0,0', 0) == 1
    script.incoming(0, b"\r\nOK\r\n")
    assert script.datagrams == [("platform.example", 5683, b"\r\nOK\r\n")]
    script.modem.send("platform.example", 5683, b"2", script.now)
    script.run()
    assert len(script.delivered) == 2 and len(script.open) == 1


def test_several_datagrams_after_one_notice_are_all_read():
    script = connected()
    script.modem.send("a", 1, b"x", script.now)
    script.run()
    script.inbox[0] = [b"1", b"2", b"3"]
    script.urc('+QIURC: "recv",0')
    assert [item[2] for item in script.datagrams] == [b"1", b"2", b"3"]


def test_a_lost_notice_is_made_good():
    script = connected()
    script.modem.send("a", 1, b"x", script.now)
    script.run()
    script.inbox[0] = [b"answer"]
    script.run(3000)
    assert script.datagrams == [("a", 1, b"answer")]


class Peerless:
    """A family whose modem answers as it is told."""

    SOCKETS = 1

    def open_socket(self, number, host, port):
        yield "open"
        return number

    def send(self, number, data):
        yield "send"
        return ""

    def receive(self, number):
        return (yield "receive")

    def close_socket(self, number):
        yield "close"


def drive(step, *answers):
    """What a step returns after these answers."""
    try:
        step.send(None)
        for answer in answers:
            step.send(answer)
    except StopIteration as end:
        return end.value
    raise AssertionError("it wants more answers")


def test_a_notice_inside_the_answer_that_there_is_nothing_is_not_missed():
    sockets = Sockets()
    sockets.use(Peerless())
    sockets.send("a", 1, b"x")
    drive(sockets.step(), None, None)
    sockets.heard("recv", 0)
    step = sockets.step()
    assert step.send(None) == "receive"
    sockets.heard("recv", 0)
    try:
        step.send(None)
    except StopIteration as end:
        assert end.value is None
    assert sockets.busy() and drive(sockets.step(), b"late") == ("a", 1, b"late")
    assert drive(sockets.step(), None) is None and not sockets.busy()


def test_a_socket_found_closed_is_opened_anew():
    sockets = Sockets()
    sockets.use(Peerless())
    sockets.send("a", 1, b"x")
    drive(sockets.step(), None, None)
    sockets.heard("recv", 0)
    assert drive(sockets.step(), False) is None and sockets.busy()
    assert sockets.step().send(None) == "close"
    sockets.send("a", 1, b"y")
    assert sockets.step().send(None) == "open"


def test_sockets_are_few_and_the_idlest_gives_way():
    script = connected()
    for port in (1, 2, 3, 4, 1, 5):
        script.modem.send("a", port, b"x", script.now)
        script.run()
    assert len(script.delivered) == 6
    assert sorted(script.open.values()) == [("a", 1), ("a", 3), ("a", 4), ("a", 5)]


def test_the_queue_is_bounded_and_the_oldest_gives_way():
    script = connected()
    script.answers['AT+QIOPEN=1,0,"UDP","a",1,0,0'] = "\r\nOK\r\n"  # and +QIOPEN never comes
    for number in range(12):
        script.modem.send("a", 1, b"%d" % number, script.now)
    script.pump()
    assert script.modem._sockets.dropped >= 3
    script.open[0] = ("a", 1)
    script.urc("+QIOPEN: 0,0")
    assert [item[2] for item in script.delivered] == [b"0"] + [b"%d" % number for number in range(4, 12)]


def test_impossible_datagrams_are_refused():
    script = connected()
    for host, port, data in (("", 1, b"x"), ("a", 0, b"x"), ("a", 65536, b"x"), ("a", 1, b""), ("a", 1, b"x" * 1461),
                             ('a"', 1, b"x"), ("a\r", 1, b"x"), ("a" * 151, 1, b"x"), ("\xe9", 1, b"x")):  # fmt: skip
        assert not script.modem.send(host, port, data, script.now), (host, port)
    assert not Script().modem.send("a", 1, b"x", 0)  # not connected


def test_a_closed_socket_is_opened_again():
    script = connected()
    script.modem.send("a", 1, b"x", script.now)
    script.run()
    script.urc('+QIURC: "closed",0')
    script.modem.send("a", 1, b"y", script.now)
    script.run()
    assert "AT+QICLOSE=0" in script.count and len(script.delivered) == 2


def test_a_peer_that_cannot_be_reached_costs_only_its_own_datagrams():
    script = connected()
    script.answers['AT+QIOPEN=1,0,"UDP","no.such",1,0,0'] = "\r\nOK\r\n\r\n+QIOPEN: 0,565\r\n"
    script.modem.send("no.such", 1, b"x", script.now)
    script.modem.send("a", 1, b"y", script.now)
    script.run()
    assert script.delivered == [("a", 1, b"y")] and script.modem.state == "connected"


def test_a_deactivated_context_is_reported_at_once_and_dialled_again():
    script = connected()
    script.run(70000)
    script.active, script.open = False, {}
    script.urc('+QIURC: "pdpdeact",1')
    assert script.states[-1] == "registered" and not script.modem.send("a", 1, b"x", script.now)
    script.run(900)
    assert script.modem.state == "registered"
    script.run(400)
    assert script.modem.state == "connected"


def test_an_unannounced_loss_of_the_context_is_found():
    script = connected()
    script.active, script.open = False, {}
    script.modem.send("a", 1, b"x", script.now)
    script.run()
    assert script.modem.state == "registered"
    script.run(1300)
    assert script.modem.state == "connected"


def test_refused_dials_back_off_and_are_at_most_thirty_an_hour():
    script = Script()
    script.answers["AT+QIACT=1"] = "+CME ERROR: 561"
    script.modem.target("connected", 0)
    script.run(10000)
    assert script.modem.state == "registered" and script.modem.reason == "+CME ERROR: 561"
    assert script.count.get("AT+QIACT=1", 0) == 4  # at 0, 1, 3 and 8 s
    script.run(3580000)
    assert script.count.get("AT+QIACT=1", 0) in (29, 30)  # one may count for an earlier life
    script.run(3600000)
    assert 50 <= script.count.get("AT+QIACT=1", 0) <= 60


def test_unsolicited_lines_inside_every_answer_change_nothing():
    script = Script()
    say = script.say
    noise = b'\r\n+QIND: "csq",20,99\r\n\r\n+CREG: 1\r\n\r\nSMS DONE\r\n\r\n^HCSQ: "LTE",60\r\n'
    script.say = lambda text: say(noise + (text if isinstance(text, bytes) else text.encode()))
    script.modem.target("connected", 0)
    script.run()
    script.modem.send("a", 1, b"x", script.now)
    script.run()
    script.incoming(0, b"y")
    assert script.modem.state == "connected" and script.datagrams == [("a", 1, b"y")]
    assert script.modem.identity["iccid"] == "8949022021101234567"


def test_one_byte_at_a_time():
    script = Script()
    say = script.say

    def slowly(text):
        data = text if isinstance(text, bytes) else text.encode()
        for at in range(len(data)):
            say(data[at:at + 1])

    script.say = slowly
    script.modem.target("connected", 0)
    script.run()
    script.modem.send("a", 1, b"x" * 1460, script.now)
    script.run()
    script.incoming(0, b"\r\n" * 700)
    assert script.datagrams == [("a", 1, b"\r\n" * 700)]


def test_nonsense_from_the_modem_raises_nothing():
    state = 7
    words = (b"+QIRD: 9", b"+CREG: ", b"+CEREG: 1,1", b"OK", b"ERROR", b"> ", b'+QIURC: "recv",', b"0", b"99",
             b"\r\n", b"+QIOPEN: 0,0", b"+CPIN: ", b"READY", b"+CME ERROR: ", b"\xff\0", b"RDY", b"+QIURC:",
             b'+QIURC: "closed",0', b"+QSIMSTAT: 1,1", b"+CFUN: 1", b"+CSQ: 1,", b"Quectel", b",")  # fmt: skip
    modem = Modem("auto", "iot")
    modem.target("connected", 0)
    now = 0
    for _ in range(6000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        modem.receive(words[(state >> 16) % len(words)], now)
        if state & 0x800000:
            modem.receive(b"\r\n", now)
        now += (state >> 8) % 400
        modem.poll(now)
        modem.send("a", 1 + state % 7, b"x", now)
        if not state % 501:
            modem.lost(now)
        modem.take()
    assert len(modem._channel.out) < 3 and len(modem._out) < 3 and len(modem._sockets._queue) <= 8
