"""The ESP32's board against doubles of its modules (esp32_modules.py); nothing of it has been on a chip."""

import os
import select
import socket
import sys

from esp32_modules import MADE, Chip

from agent.interpreter import peer_of
from boards import esp32, esp32_links
from boards.streams import open_stream

WIRED = {"phy": "LAN8720", "addr": 1, "mdc": 23, "mdio": 18}
MODEM = {"uart": 1, "tx": 27, "rx": 26, "power_key": 4, "reset": 5}


def made(**options):
    options["dir"] = "/tmp/pointsman-esp32-" + "".join(["%02x" % byte for byte in os.urandom(8)])
    return esp32.Board(options)


def refusal(function, *arguments):
    try:
        function(*arguments)
    except (OSError, ValueError) as e:
        return e
    raise AssertionError("not refused")


class Hours:
    """Time that the test sets, in ms, for the links."""

    def __enter__(self):
        self.now, self._kept = 0, esp32_links.ticks_ms
        esp32_links.ticks_ms = lambda: self.now
        return self

    def __exit__(self, *_):
        esp32_links.ticks_ms = self._kept


class Listener:
    """Takes TCP connections on 127.0.0.1."""

    def __enter__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for self.port in range(20000 + os.urandom(1)[0] * 40, 32000):
            try:
                self.sock.bind(socket.getaddrinfo("127.0.0.1", self.port)[0][-1])
                break
            except OSError:
                pass  # somebody has it
        self.sock.listen(1)
        self.sock.settimeout(20)
        return self

    def heard_of(self):
        """Where the next one comes from."""
        connection, where = self.sock.accept()
        connection.close()
        return peer_of(where)[0]

    def __exit__(self, *_):
        self.sock.close()


def address(nic, text, server="192.0.2.53"):
    nic.address, MADE["dns"] = text, server


def test_ethernet_is_up_with_a_link_and_an_address():
    with Chip():
        board = made(lan=dict(WIRED, power=16, ref_clk=17, ref_clk_out=1))
        (link,) = board.links()
        lan = MADE["lan"]
        assert lan.on and lan.how["phy_type"] == 1 and lan.how["mdc"].number == 23 and lan.how["ref_clk_mode"] == 3
        for state in (0, 1, 2, 3, 4):
            lan.state = state
            assert not link.poll()
        lan.state = 5
        assert not link.poll()  # no address
        address(lan, "127.0.0.2")
        assert link.poll() and link.address == "127.0.0.2" and link.name == "eth"
        lan.state = 4
        assert not link.poll() and link.address == ""  # at once


def test_another_address_and_a_lost_lease_are_seen_though_the_status_stays():
    with Chip():
        (link,) = made(lan=WIRED).links()
        lan = MADE["lan"]
        lan.state = 5
        address(lan, "127.0.0.2")
        assert link.poll()
        for text, up in (("127.0.0.3", True), ("0.0.0.0", False)):
            address(lan, text)
            assert [link.poll() for _ in range(10)][-1] is up
            assert link.address == (text if up else "")
        address(lan, "127.0.0.4")
        assert link.poll() and link.address == "127.0.0.4"


def test_a_chip_that_does_not_answer_is_told_once_and_leaves_the_others_alone():
    with Chip():
        MADE["broken"] = True
        eth, wifi = made(lan=WIRED, wlan={"ssid": "net"}).links()
        assert [eth.poll() for _ in range(3)] == [True, False, False]
        assert "compare option lan" in refusal(eth.open).args[1]
        assert "esp_eth_driver_install failed" in eth.fault
        MADE["wlan"].joined = True
        address(MADE["wlan"], "127.0.0.5")
        assert wifi.poll()


def test_wifi_says_what_it_has_joined():
    with Chip():
        (link,) = made(wlan={"ssid": "net", "password": "secret"}).links()
        assert link.station() == ("wlan0", "001122AABBCC", "net", 6, True)


def test_a_chip_on_spi():
    with Chip():
        made(lan={"phy": "W5500", "spi": 1, "sck": 12, "mosi": 13, "miso": 14, "cs": 10, "int": 11})
        how = MADE["lan"].how
        assert how["spi"] == (1, ["miso", "mosi", "sck"]) and how["cs"].number == 10 and how["phy_type"] == 7


def test_a_socket_is_bound_to_its_link():
    with Chip():
        (link,) = made(lan=WIRED).links()
        MADE["lan"].state = 5
        address(MADE["lan"], "127.0.0.2")
        assert link.poll()
        sock = link.open()
        assert refusal(sock.recvfrom, 10).errno == 11  # it never waits
        sock.close()
        assert link.note == "" or "bound to 127.0.0.2 only" in link.note  # a kernel may keep it for root
        MADE["lan"].device = None
        link.open().close()
        assert "no name" in link.note
        MADE["lan"].device = "none0"
        error = None
        try:
            link.open().close()
        except OSError as e:
            error = e.errno
        assert error == 19 or link.note


def test_a_stream_is_bound_to_its_link():
    with Chip(), Listener() as there:
        (link,) = made(lan=WIRED).links()
        MADE["lan"].state = 5
        address(MADE["lan"], "127.0.0.2")
        assert link.poll()
        MADE["lan"].device = None
        open_stream(link, ("127.0.0.1", there.port)).close()
        assert "no name" in link.note and there.heard_of() == "127.0.0.2"


def test_wifi_joins_with_pauses_that_grow_and_never_waits():
    with Chip(), Hours() as hours:
        (link,) = made(wlan={"ssid": "net", "password": "secret"}).links()
        wlan = MADE["wlan"]
        assert wlan.on and wlan.reconnects == 0 and wlan.calls == []
        joins, wlan.busy = [], True
        while hours.now < 200000:
            before = len(wlan.calls)
            assert not link.poll()
            if ("connect", "net", "secret") in wlan.calls[before:]:
                joins.append(hours.now)
            hours.now += 100
        assert joins == [0, 10000, 30000, 70000, 130000, 190000]
        wlan.joined = True
        address(wlan, "127.0.0.5")
        assert link.poll() and link.name == "wifi"
        wlan.joined, wlan.calls = False, []
        assert not link.poll() and wlan.calls == [("connect", "net", "secret")]  # lost: at once


def test_options_are_checked_and_no_password_is_repeated():
    with Chip():
        for options, words in (({"lan": {"mdc": 1}}, "phy is needed"), ({"lan": dict(WIRED, phy="X")}, "PHY_X"),
                               ({"lan": dict(WIRED, mdc="23")}, "mdc"), ({"lan": dict(WIRED, addr=99)}, "phy address"),
                               ({"wlan": {"password": "secret"}}, "ssid is needed"),
                               ({"wlan": {"ssid": "net", "password": 1234}}, "password"),
                               ({"modem": {"uart": 1, "tx": 2}}, "rx is needed"), ({"modem": []}, "modem"),
                               ({"modem": dict(MODEM, colour=1)}, "colour")):  # fmt: skip
            e = refusal(lambda given: made(**given), options)
            assert isinstance(e, ValueError) and words in str(e) and "secret" not in str(e) and "1234" not in str(e)


def test_the_rest_of_the_board():
    with Chip():
        board = made()
        assert board.links() == [] and board.serial() is None and board.poll_ms == 1000
        board.power("on", 500)  # no pins: nothing
        assert board.wall() > 1700000000 and 0 <= board.measure() <= board.measure()
        assert {board.below(3) for _ in range(200)} == {0, 1, 2}
        medium = board.medium()
        medium.write("x", b"1")
        assert medium.read("x") == b"1"
        os.system("rm -rf " + board.options["dir"])
        assert "no modem" in refusal(board.session).args[1]
        assert board.names("localhost", "eth") == ("127.0.0.1", [])
        board.reset()
        assert MADE["resets"] == [1]
        assert made(lan=WIRED, period=250).poll_ms == 250


def test_the_machine_key_is_in_nvs():
    with Chip():
        board = made()
        medium = board.medium()
        assert "none" in refusal(medium.secret, "read").args[1]
        key = medium.secret("make")
        assert len(key) == 32 and medium.secret("make") == key == made().secret("read")
        medium.secret("forget")
        assert "none" in refusal(medium.secret, "read").args[1] and MADE["commits"] == 3
        assert medium.secret("make") != key
        medium.forget("x")
        os.system("rm -rf " + board.options["dir"])


def test_a_year_that_begins_in_2000():
    class Chips:
        """A clock as an ESP32's: seconds since 2000."""

        def __init__(self, now):
            self.now = now

        def time(self):
            return self.now

        def gmtime(self, _):
            return (2000, 1, 1, 0, 0, 0, 5, 1)

    kept = esp32.time
    with Chip():
        board = made()
        try:
            esp32.time = Chips(30)
            assert board.wall() == 0  # nobody has set it
            esp32.time = Chips(800000000)
            assert board.wall() == 1746684800
        finally:
            esp32.time = kept


def test_the_port_reads_writes_and_changes_its_speed():
    with Chip():
        board = made(modem=dict(MODEM, rts=21, cts=22, baud=921600))
        port, uart = board.serial(), MADE["uart"]
        assert uart.how["baudrate"] == 921600 and uart.how["rxbuf"] >= 2048 and uart.how["flow"] == 3
        assert port.read() == b"" and port.waiting == 0
        uart.arrived = b"x" * 300
        assert port.read() == b"x" * 256 and port.read() == b"x" * 44
        uart.room = 3
        port.write(b"AT+CSQ\r")
        assert port.waiting == 4
        port.write(b"")
        uart.room = 0
        port.write(b"")
        assert port.waiting == 1 and uart.sent == b"AT+CSQ"
        assert "takes no data" in refusal(port.write, bytes(20000)).args[1]
        for wanted, now in ((57600, 57600), (0, 921600), (9000000, 921600)):
            port.baud(wanted)
            assert uart.how["baudrate"] == now
        port.close()
        assert uart.gone
        assert "UART 9" in refusal(made(modem=dict(MODEM, uart=9)).serial).args[1]


def test_what_to_wait_on():
    with Chip():
        port, uart = made(modem=MODEM).serial(), MADE["uart"]
        assert port.stream.ioctl(3, 1) == 0 and port.stream.ioctl(10, 0) < 0
        uart.arrived = b"OK"
        assert port.stream.ioctl(3, 1) == 1 and port.stream.ioctl(3, 4) == 0
        if sys.implementation.name == "micropython":  # as agent/waiting.py does it
            poll = select.poll()
            poll.register(port.stream, 1)
            assert [found[0] is port.stream for found in poll.poll(0)] == [True]
            port.read()
            assert list(poll.poll(0)) == []


def test_power_pulses_end_by_themselves():
    with Chip():
        board = made(modem=dict(MODEM, active=0))
        key, reset, timer = MADE["pin", 4], MADE["pin", 5], MADE["timer"]
        assert key.levels == [1] and reset.levels == [1]  # at rest
        board.power("on", 500)
        assert key.levels == [1, 0] and timer.period == 500
        timer.fire()
        assert key.levels == [1, 0, 1]
        board.power("off", 3000)
        board.power("reset", 100)  # the key is let go first
        assert key.levels == [1, 0, 1, 0, 1] and reset.levels == [1, 0] and timer.period == 100
        timer.fire()
        assert reset.levels == [1, 0, 1]
        board.power("on", 10000000)
        assert timer.period == 60000


def test_a_supply_is_switched_where_there_is_no_key():
    with Chip():
        board = made(modem={"uart": 1, "tx": 2, "rx": 3, "supply": 12})
        supply = MADE["pin", 12]
        for what in ("off", "reset", "on"):
            board.power(what, 500)
        assert supply.levels == [1, 0, 1]


def test_a_configuration_names_the_board():
    from firmware.main import parts

    with Chip():
        _, board = parts({"board": "esp32", "options": {"lan": WIRED, "modem": MODEM}})
        assert board.name == "esp32" and [link.name for link in board.links()] == ["eth", "lte"]
        assert board.options["dir"] == "/pointsman"
