"""Data calls of an ESP32's board, against doubles of its modules (esp32_modules.py); nothing of it has been on a
chip."""

from esp32_modules import MADE, Chip, Ppp
from test_esp32 import MODEM, WIRED, address, made, refusal

from agent.session import Call, Session


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


def test_a_channel_of_the_multiplexer_is_refused_with_a_remedy():
    class Driver:
        """Of agent/run.py what a call that cannot begin needs."""

        def __init__(self, board):
            self.board, self.waiting, self.said = board, self, []

        def warn(self, event, error):
            self.said.append(error)

        def after(self, ms, name, then):
            pass

    with Chip():
        board = made(modem=MODEM)
        port, driver = board.serial(), Driver(board)
        Call(driver, object()).start()
        assert len(driver.said) == 1 and "set cmux to off" in driver.said[0]
        assert "ppp" not in MADE and port.read() == b""
        port.write(b"AT\r")
