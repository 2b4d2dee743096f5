"""Which DNS servers a Linux machine has for which interface, and what its hosts file knows."""

import sys

from boards import nameservers

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"


class Machine:
    """Files instead of those of this machine."""

    def __init__(self, **files):
        self.files = {"/etc/hosts": "", "/etc/resolv.conf": "", "/proc/net/route": HEAD}
        for name in files:
            self.files["/" + name.replace("__", "/").replace("_dot_", ".")] = files[name]

    def __enter__(self):
        nameservers.open = self.open
        return self

    def __exit__(self, *_):
        del nameservers.open

    def open(self, path):
        if path not in self.files:
            raise OSError(2, path)
        return _File(self.files[path])


class _File:
    def __init__(self, text):
        self.text = text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, size):
        return self.text[:size]


def hexed(address):
    number = int.from_bytes(bytes([int(part) for part in address.split(".")]), sys.byteorder)
    return "%08X" % number


def routes(*rows):
    text = HEAD
    for device, to, mask in rows:
        text += "\t".join((device, hexed(to), "00000000", "0001", "0", "0", "0", hexed(mask), "0", "0", "0")) + "\n"
    return text


def resolv(*servers):
    return "# made by somebody\nsearch example\n" + "".join(["nameserver %s\n" % server for server in servers])


def test_hosts_and_localhost():
    hosts = "127.0.0.1 localhost\n::1 gw ip6-localhost\n192.0.2.1\tGateway.test gw # the old one\nnonsense\n"
    with Machine(etc__hosts=hosts):
        assert nameservers.address("gateway.TEST") == nameservers.address("gw.") == "192.0.2.1"
        assert nameservers.address("other.test") is None and nameservers.address("old") is None
    with Machine():
        assert nameservers.address("localhost") == nameservers.address("x.localhost") == "127.0.0.1"


def test_without_any_file():
    with Machine() as machine:
        machine.files.clear()
        assert nameservers.address("gw") is None and nameservers.servers() == nameservers.servers("eth0") == []


def test_any_way_out():
    with Machine(etc__resolv_dot_conf=resolv("127.0.0.53", "fe80::1", "192.0.2.1", "300.1.1.1", "")):
        assert nameservers.servers() == ["127.0.0.53", "192.0.2.1"]


def test_behind_a_stub():
    """systemd-resolved and NetworkManager stand behind a loopback address: that cannot be asked over an interface."""
    real = resolv("192.0.2.1")
    with Machine(etc__resolv_dot_conf=resolv("127.0.0.53"), run__systemd__resolve__resolv_dot_conf=real):
        assert nameservers.servers("eth0") == ["192.0.2.1"] and nameservers.servers() == ["127.0.0.53"]
    with Machine(etc__resolv_dot_conf=resolv("127.0.1.1")) as machine:
        machine.files["/run/NetworkManager/no-stub-resolv.conf"] = real
        assert nameservers.servers("eth0") == ["192.0.2.1"]


def test_two_ways_and_one_file():
    """A server in the other link's network is not asked over this one; one in its own is asked first."""
    table = routes(
        ("eth0", "0.0.0.0", "0.0.0.0"),
        ("wwan0", "0.0.0.0", "0.0.0.0"),
        ("eth0", "192.0.2.0", "255.255.255.0"),
        ("wwan0", "10.64.0.0", "255.192.0.0"),
    )
    with Machine(etc__resolv_dot_conf=resolv("9.9.9.9", "192.0.2.1", "10.64.0.1"), proc__net__route=table):
        assert nameservers.servers("eth0") == ["192.0.2.1", "9.9.9.9"]
        assert nameservers.servers("wwan0") == ["10.64.0.1", "9.9.9.9"]
        assert nameservers.servers("usb0") == ["9.9.9.9"]


def test_the_narrowest_network_counts():
    table = routes(("eth0", "10.0.0.0", "255.0.0.0"), ("wwan0", "10.64.0.1", "255.255.255.255"))
    with Machine(etc__resolv_dot_conf=resolv("10.64.0.1", "10.1.1.1"), proc__net__route=table):
        assert nameservers.servers("wwan0") == ["10.64.0.1"] and nameservers.servers("eth0") == ["10.1.1.1"]


def test_what_pppd_was_told():
    with Machine(etc__ppp__resolv_dot_conf=resolv("10.0.0.1", "10.0.0.2"), etc__resolv_dot_conf=resolv("9.9.9.9")):
        assert nameservers.servers("ppp0") == ["10.0.0.1", "10.0.0.2"] and nameservers.servers("eth0") == ["9.9.9.9"]


def test_no_more_than_four():
    with Machine(etc__resolv_dot_conf=resolv(*["192.0.2.%d" % number for number in range(20)])):
        assert len(nameservers.servers("eth0")) == 4
