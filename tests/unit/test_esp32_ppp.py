"""Data calls of an ESP32's board, against doubles of its modules (esp32_modules.py); nothing of it has been on a
chip."""

from esp32_modules import MADE, Chip, Ppp
from test_esp32 import MODEM, WIRED, address, made, refusal

from agent.session import Call, Session
from agent.settings import Settings


def called(**more):
    """-> (board, its port, a session)."""
    board = made(modem=dict(MODEM, **more), lan=WIRED)
    port = board.serial()
    return board, port, board.session("user", "secret")


def test_a_call_has_the_uart_to_itself():
    with Chip():
        board, port, session = called()
        ppp, uart = MADE["ppp"], MADE["uart"]
        assert ppp.stream is uart and uart.handler and ppp.how == (1, "user", "secret")
        uart.arrived = b"~\xff}#"
        assert port.read() == b"" and not port.ready() and port.stream.ioctl(3, 1) == 0
        uart.handler()
        assert uart.arrived == b""  # PPP has read it
        assert refusal(port.write, b"AT\r").errno == 11 and uart.sent == b""
        assert session.read() == b"" and session.stream.ioctl(3, 1) == 0 and session.ended() is None
        port.baud(9600)
        assert uart.how["baudrate"] == 115200


def test_its_link_is_up_with_the_call():
    with Chip():
        board, port, session = called()
        eth, lte = board.links()
        ppp = MADE["ppp"]
        assert lte.name == "lte" and not lte.poll()
        ppp.state = 4
        assert not lte.poll()  # no address yet
        address(ppp, "127.0.0.9", "198.51.100.53")
        assert lte.poll() and lte.address == "127.0.0.9"
        lte.open().close()
        assert board.names("host.example", "lte") == (None, ["198.51.100.53"])
        session.kill()
        assert not lte.poll() and lte.address == ""


def test_links_keep_the_servers_that_came_with_them():
    with Chip():
        board = made(modem=MODEM, lan=WIRED)
        eth, lte = board.links()
        board.serial()
        MADE["lan"].state = 5
        address(MADE["lan"], "127.0.0.2", "192.0.2.53")
        assert eth.poll()
        session = board.session()
        assert MADE["ppp"].how == (0, None, None)
        MADE["ppp"].state = 4
        address(MADE["ppp"], "127.0.0.9", "198.51.100.53")  # PPP writes into the one list
        assert lte.poll() and all([eth.poll() for _ in range(20)])
        assert board.names("x", "eth")[1] == ["192.0.2.53"] and board.names("x", "lte")[1] == ["198.51.100.53"]
        session.kill()
        assert MADE["dns"] == "192.0.2.53"


def test_why_a_call_ended():
    with Chip():
        board, port, session = called(auth="chap")
        ppp = MADE["ppp"]
        assert ppp.how[0] == 2
        for state, words in ((-7, "authentication"), (-9, "does not answer"), (-6, "lost"), (-99, "error 99"),
                             (0, "hung up")):  # fmt: skip
            ppp.state = state
            assert words in session.ended()
        for state in (1, 3, 4):
            ppp.state = state
            assert session.ended() is None


def test_a_call_is_hung_up_and_the_port_is_the_agents_again():
    with Chip():
        board, port, session = called()
        ppp, uart = MADE["ppp"], MADE["uart"]
        call = Session(session, board.below, "user", "secret")
        call.start(0)
        ppp.state = 4
        call.poll(500)
        call.stop(600)
        assert call.reason is None
        ppp.agree()
        call.poll(1100)
        assert call.reason == "ppp: hung up"
        call.close()
        uart.arrived = b"\r\nNO CARRIER\r\n"
        assert uart.handler is None and port.read() == b"\r\nNO CARRIER\r\n"
        port.write(b"AT\r")
        assert uart.sent == b"AT\r"


def test_a_call_that_does_not_end_is_killed():
    with Chip():
        board, port, session = called()
        call = Session(session, board.below)
        call.start(0)
        MADE["ppp"].state = 4
        call.stop(0)
        for now in range(0, 6000, 500):
            call.poll(now)
        assert call.reason == "killed"
        call.close()
        assert MADE["ppp"].state == 0 and MADE["ppp"].stream is None and MADE["uart"].handler is None
        assert not MADE["ppp"].isconnected()
        port.write(b"AT\r")
        another = board.session()  # a new one each time
        assert MADE["ppp"].stream is MADE["uart"] and another.nic is MADE["ppp"]


def test_a_call_is_suspended_for_commands():
    with Chip():
        board, port, session = called()
        ppp, uart = MADE["ppp"], MADE["uart"]
        ppp.state = 4
        session.suspend()
        assert ppp.stream is None and uart.handler is None and session.ended() is None
        port.write(b"+++")
        uart.arrived = b"\r\nOK\r\n"
        assert port.read() == b"\r\nOK\r\n" and uart.sent == b"+++"
        session.resume()
        uart.arrived = b"~~"
        assert port.read() == b"" and ppp.stream is uart
        uart.handler()
        assert uart.arrived == b"" and ppp.isconnected()


def test_a_call_that_cannot_begin_leaves_the_port():
    with Chip() as network:
        board = made(modem=MODEM)
        port = board.serial()
        Ppp.refuse = True
        e = refusal(board.session, "user", "secret")
        assert "cannot be started" in e.args[1] and "secret" not in e.args[1]
        port.write(b"AT\r")
        assert not board.links()[0].poll()
        del network.PPP
        assert "no network.PPP" in refusal(board.session).args[1]


def test_the_multiplexer_is_refused_with_a_remedy_and_auto_is_without():
    with Chip():
        board = made(modem=MODEM)
        for cmux in ("auto", "off"):
            settings = Settings({"session": "ppp", "cmux": cmux})
            board.choose(settings)
            assert settings.get("cmux") == "off"
        text = refusal(board.choose, Settings({"session": "ppp", "cmux": "on"})).args[0]
        assert "cmux" in text and "thread" in text and "set it to off" in text


class Asked:
    """Somebody who is probed over the link."""

    peer = ("lte", "host", 5683)

    def __init__(self, due):
        self.due = due


class Idle:
    """An engine that is due at a certain time."""

    def __init__(self, at=None):
        self.at = at

    def deadline(self):
        return self.at

    @property
    def watches(self):
        return [Asked(self.at)] if self.at else []


class Driver:
    """Of agent/run.py and agent/agent.py what a call needs that pauses. asked: when the modem engine was offered the
    port."""

    def __init__(self, board, link="lte"):
        self.board, self.now_ms, self.asked, self.takes, self.port = board, 0, [], True, board.serial()
        self.waiting = self.clock = self.agent = self.modem = self.log = self
        self.settings, self.links, self.registration = Settings({"ppp_look_s": 60}), self, Idle(10**9)
        self.exchange, self.reports, self.probes = Idle(), Idle(), Idle()
        self.registration.registrar, self.active = ("account", link), link
        self.bootstrap = self.discovery = None
        self.ended = []

    def now(self):
        return self.now_ms

    def on(self, stream, then):
        pass

    off = forget = info = warn = flush = lambda self, *_, **__: None

    def after(self, ms, name, then):
        self.then = then

    def below(self, n):
        return 0

    def aside(self, now):
        self.asked.append(now)
        return self.takes

    def session_ended(self, reason, now):
        self.ended.append(reason)

    def run(self, until):
        while self.now_ms < until:
            self.now_ms += 500
            self.then()


def on_a_call(**known):
    driver = Driver(made(modem=MODEM, lan=WIRED), **known)
    call = driver.call = Call(driver, True)
    call.start()
    MADE["ppp"].state = 4
    return driver, call


def test_the_agent_has_the_port_back_for_a_while():
    with Chip():
        driver, call = on_a_call()
        ppp, uart = MADE["ppp"], MADE["uart"]
        driver.run(59500)
        assert call.port and not driver.asked
        driver.run(60000)
        assert driver.asked == [60000] and not call.port and ppp.stream is None and uart.handler is None
        driver.port.write(b"+++")
        uart.arrived = b"\r\nOK\r\n"
        assert driver.port.read() == b"\r\nOK\r\n" and uart.sent == b"+++"
        driver.run(63000)
        assert len(driver.asked) == 1 and not driver.ended
        call.resume()
        assert call.port and ppp.stream is uart and uart.handler and refusal(driver.port.write, b"AT").errno == 11
        driver.run(120000)
        assert len(driver.asked) == 2


def test_it_waits_for_a_moment_when_nothing_would_be_lost():
    with Chip():
        driver, call = on_a_call()
        driver.reports.at = 62000
        driver.run(62000)
        assert not driver.asked
        driver.reports.at, driver.exchange.at = 120000, 64000  # the reading is on its way
        driver.run(63000)
        assert not driver.asked
        driver.exchange.at, driver.probes.at = None, 67000
        driver.run(64000)
        assert not driver.asked
        driver.probes.at, driver.bootstrap = None, Idle()
        driver.run(65000)
        assert not driver.asked
        driver.bootstrap = None
        driver.run(65500)
        assert driver.asked == [65500]


def test_a_call_that_nobody_is_registered_over_is_looked_at_all_the_same():
    with Chip():
        driver, call = on_a_call(link="eth")
        driver.exchange.at = driver.reports.at = 60100
        driver.run(60000)
        assert driver.asked == [60000]
        call.resume()
        driver.active = "lte"  # on its way there
        driver.run(130000)
        assert len(driver.asked) == 1


def test_a_modem_that_does_not_want_it_and_a_setting_that_forbids_it():
    with Chip():
        driver, call = on_a_call()
        driver.takes = False
        driver.run(120000)
        assert driver.asked == [60000, 120000] and call.port and MADE["ppp"].stream is MADE["uart"]
        driver, call = on_a_call()
        driver.settings.set("ppp_look_s", 0)
        driver.run(600000)
        assert not driver.asked


def test_a_call_that_ends_while_it_pauses():
    with Chip():
        for stop in (True, False):
            driver, call = on_a_call()
            driver.run(60000)
            if stop:
                call.stop()
            else:
                MADE["ppp"].state = -6
                driver.run(60500)
            driver.then()
            assert len(driver.ended) == 1 and driver.call is None and not MADE["ppp"].isconnected()
            call.resume()
            driver.port.write(b"ATH\r")
            assert MADE["uart"].sent.endswith(b"ATH\r") and MADE["uart"].handler is None
