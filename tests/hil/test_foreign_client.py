"""`pointsman modem` for others' drivers: Linux' own pppd and chat dial through it, over a USB port, in the guest."""

import socket
import threading

import pytest
from needs import missing
from virtual_pi import BY_MODEM, VirtualPi

REASON = "; ".join(missing())
pytestmark = [pytest.mark.hil, pytest.mark.skipif(bool(REASON), reason=REASON)]
CHAT = """
ABORT BUSY ABORT 'NO CARRIER' ABORT ERROR TIMEOUT 10
'' ATZ OK ATE0 OK 'AT+CGDCONT=1,"IP","internet"' OK 'ATD*99***1#' CONNECT ''
"""
OPTIONS = """
/dev/ttyUSB0 115200
connect '/usr/sbin/chat -V -f /etc/chat'
local noauth noipdefault ipcp-accept-local ipcp-accept-remote usepeerdns defaultroute noccp updetach
user me
password 'x y'
"""
ASK = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(9)
sock.sendto(b"points", (sys.argv[1], int(sys.argv[2])))
sys.exit(sock.recv(99) != b"POINTS")
"""


@pytest.fixture
def pi():
    with VirtualPi(auth="chap:me:x y") as made:
        made.power_on(agent=False)
        made.guest.write("/etc/chat", CHAT)
        made.guest.write("/etc/ppp/peers/m2m", OPTIONS)
        made.guest.write("/tmp/ask.py", ASK)
        made.until(lambda: made.guest.ask("test -c /dev/ttyUSB0")[0] == 0, "port of the modem")
        made.until(lambda: made.modem(do="status")["registration"] == "home", "network")
        yield made


@pytest.fixture
def echo():
    """The number of a UDP port of this machine that sends back what it gets, in capitals."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def answer():
            for data, peer in iter(lambda: sock.recvfrom(2048), (b"", sock.getsockname())):
                sock.sendto(data.upper(), peer)

        thread = threading.Thread(target=answer)
        thread.start()
        yield sock.getsockname()[1]
        sock.sendto(b"", sock.getsockname())
        thread.join()


def test_pppd_and_chat(pi, echo):
    """RFC 1661, 1332, 1994 against the reference implementation: dial, CHAP, addresses, traffic, hang up; twice, the
    second time in a network namespace of its own."""
    for outside, inside in (("", ""), ("unshare -n ", "nsenter -n -t $(pidof pppd) ")):
        code, told = pi.guest.ask(outside + "pppd call m2m")
        assert code == 0, told
        (call,) = pi.modem(do="status")["calls"]
        assert call["state"] == "up"
        assert pi.guest.ask(inside + "ping -c 3 -W 5 " + BY_MODEM)[0] == 0
        code, told = pi.guest.ask(inside + "python3 /tmp/ask.py %s %d" % (BY_MODEM, echo))
        assert code == 0, told
        assert (pi.guest.ask("test -d /sys/class/net/ppp0")[0] == 0) == (not inside)
        assert pi.guest.ask("kill $(pidof pppd) && while pidof pppd; do sleep 0.1; done")[0] == 0
        pi.until(lambda: not pi.modem(do="status")["calls"], "end of the call")


def test_a_wrong_secret_is_refused(pi):
    code, told = pi.guest.ask("sed -i s/x.y/other/ /etc/ppp/peers/m2m; pppd call m2m")
    assert code == 19, told  # pppd(8): we failed to authenticate ourselves to the peer


def test_no_network_no_carrier(pi):
    pi.modem(do="registration", verdict="denied")
    code, told = pi.guest.ask("pppd call m2m")
    assert code == 8, told  # pppd(8): the connect script failed
