"""The host boards' ports: files that survive, links by spec, the simulated cable and meter, errors that help."""

import os

from boards import linux, sim
from boards.files import Files
from boards.tty import Tty


class Folder:
    """A folder of its own for one test, removed afterwards: `with Folder() as path`."""

    def __enter__(self):
        self.path = "/tmp/pointsman-" + "".join(["%02x" % byte for byte in os.urandom(8)])
        os.mkdir(self.path)
        return self.path

    def __exit__(self, *_):
        os.system("rm -rf " + self.path)


def refusal(function, *arguments):
    try:
        function(*arguments)
    except (OSError, ValueError) as e:
        return e
    raise AssertionError("not refused")


def put(path, text):
    with open(path, "w") as file:
        file.write(text)


def test_files_are_read_written_appended_and_removed():
    with Folder() as folder:
        files = Files(folder + "/a/b")
        assert files.read("x") is None
        files.write("x", b"one")
        files.write("x", b"two")
        files.append("x", b"+three")
        files.append("y", b"new")
        again = Files(folder + "/a/b")
        assert again.read("x") == b"two+three" and again.read("y") == b"new"
        again.remove("x")
        again.remove("x")
        assert again.read("x") is None and sorted(os.listdir(folder + "/a/b")) == ["y"]


def test_files_are_their_owners_business():
    if not hasattr(os, "chmod"):
        return  # MicroPython cannot say it
    with Folder() as folder:
        files = Files(folder + "/store")
        files.write("x", b"secret")
        files.append("y", b"secret")
        assert os.stat(folder + "/store")[0] & 0o777 == 0o700
        assert os.stat(folder + "/store/x")[0] & 0o777 == os.stat(folder + "/store/y")[0] & 0o777 == 0o600


def test_a_folder_that_cannot_be_is_named():
    with Folder() as folder:
        put(folder + "/file", "")
        e = refusal(Files, folder + "/file/store")
        assert e.errno == 20 and "store: %s/file/store cannot be made" % folder in e.args[1]
        e = refusal(Files(folder).write, "no/such", b"")
        assert e.errno == 2 and "no/such" in e.args[1]


def test_link_specs():
    good = ("any", "any"), ("eth=any", "eth"), ("lo", "lo"), ("eth=lo", "eth"), ("eth=lo@127.0.0.9", "eth")
    for spec, name in good:
        assert linux.link_of(spec).name == name
    for spec in ("", "eth", "eth=", "=lo", "eth=../lo", "eth=lo@1.2.3", "eth=lo@1.2.3.256", "eth=lo@host"):
        e = refusal(linux.link_of, spec)
        assert isinstance(e, ValueError) and "NAME=INTERFACE" in str(e), spec
    e = refusal(linux.link_of, "eth=none0")
    assert e.errno == 19 and "none0" in e.args[1] and "lo" in e.args[1]


def test_an_interface_is_up_when_it_has_carrier_and_an_address():
    link = linux.link_of("eth=lo")
    assert link.poll() is True
    sock = link.open()
    sock.close()
    assert linux.Interface("x", "none0").poll() is False


def test_a_plain_link_is_always_up():
    for spec in ("lo", "any"):
        link = linux.link_of(spec)
        assert link.poll() is True
        link.open().close()


def test_an_address_that_is_not_ours_is_told():
    assert refusal(linux.Plain("x", "192.0.2.1").open).errno == 99


def test_a_machine_key_is_made_once_and_forgotten_for_ever():
    with Folder() as folder:
        os.system("chmod 700 " + folder)
        files = linux.Board({"dir": folder + "/store"}).medium()
        assert "not there" in refusal(files.secret, "read").args[1]
        key = files.secret("make")
        again = linux.Board({"dir": folder + "/store/"}).medium()
        assert len(key) == 32 and again.secret("make") == key == again.secret("read")
        assert sorted(os.listdir(folder)) == ["store", "store.key"]
        again.secret("forget")
        again.secret("forget")
        assert os.listdir(folder) == ["store"] and files.secret("make") != key


def test_a_machine_key_that_is_damaged_or_open_to_others_is_refused():
    with Folder() as folder:
        os.system("chmod 755 " + folder)
        files = linux.Board({"dir": folder + "/store"}).medium()
        put(folder + "/store.key", "short")
        assert "5 bytes" in refusal(files.secret, "make").args[1]
        put(folder + "/store.key", "k" * 32)
        os.system("chmod 644 %s/store.key" % folder)
        assert "chmod 600" in refusal(files.secret, "read").args[1]
        assert sim.Board({"dir": folder}).medium().secret("read") == b"k" * 32  # a simulated machine has no secrets
        os.system("chmod 600 %s/store.key" % folder)
        assert files.secret("read") == b"k" * 32
        os.system("chmod 644 %s/store.key; chmod 700 %s" % (folder, folder))
        assert files.secret("read") == b"k" * 32  # nobody else gets there


def test_a_machine_key_of_somebody_elses_is_neither_made_nor_removed():
    with Folder() as folder:
        os.system("chmod 700 " + folder)
        files = linux.Board({"dir": folder + "/store", "key": folder + "/given"}).medium()
        assert "given is not there" in refusal(files.secret, "make").args[1]
        put(folder + "/given", "k" * 40)
        assert files.secret("make") == b"k" * 40
        files.secret("forget")
        assert sorted(os.listdir(folder)) == ["given", "store"]


def test_wiped_files_are_overwritten_and_gone():
    with Folder() as folder:
        files = Files(folder + "/store")
        files.write("x", b"secret")
        os.system("cd %s/store; ln x ../x; echo draft > x.new; ln x.new ../y" % folder)
        files.forget("x")
        files.forget("never")
        assert os.listdir(folder + "/store") == []
        for name, size in (("x", 6), ("y", 6)):
            with open(folder + "/" + name, "rb") as file:
                assert file.read() == bytes(size)


def test_options_are_checked():
    with Folder() as folder:
        assert "dir" in str(refusal(linux.Board, {}))
        assert "colour" in str(refusal(linux.Board, {"dir": folder, "colour": 1}))
        assert "baud" in str(refusal(linux.Board, {"dir": folder, "baud": "fast"}))
        assert "links" in str(refusal(linux.Board, {"dir": folder, "links": "any"}))
        assert "eth" in str(refusal(sim.Board, {"dir": folder, "eth": {"address": "localhost"}}))


def test_a_host_board():
    with Folder() as folder:
        board = linux.Board({"dir": folder, "modem": None})
        assert [link.name for link in board.links()] == ["any"] and board.serial() is None
        assert board.wall() > 1700000000 and board.measure() <= board.measure()
        board.medium().write("x", b"1")
        assert board.medium().read("x") == b"1"
        assert {board.below(3) for _ in range(200)} == {0, 1, 2}
        board.reset()
        put(folder + "/meter", "1234.5\n")
        board = linux.Board({"dir": folder, "meter": folder + "/meter"})
        assert board.measure() == 1234.5
        put(folder + "/meter", "broken")
        assert "'broken'" in str(refusal(board.measure))
        os.remove(folder + "/meter")
        assert "meter" in refusal(board.measure).args[1]


def test_a_port_that_is_not_there_is_named():
    with Folder() as folder:
        e = refusal(Tty, folder + "/ttyUSB0")
        assert e.errno == 2 and "ttyUSB0" in e.args[1]
        put(folder + "/file", "")
        assert refusal(Tty, folder + "/file").errno == 25  # not a terminal
        assert "115200" in str(refusal(Tty, folder + "/file", 12345))
        board = linux.Board({"dir": folder, "modem": folder + "/ttyUSB0"})
        assert refusal(board.serial).errno == 2


def test_a_port_is_raw_and_never_waits():
    if not hasattr(os, "openpty"):
        return  # MicroPython cannot make one; tests/e2e gives it one
    modem, port = os.openpty()
    tty = Tty(os.ttyname(port))
    assert tty.read() == b""
    assert refusal(Tty, os.ttyname(port)).errno == 16  # one user at a time
    os.write(modem, b"\r\nOK\r\n\x03\x1a\xff")
    received = b""
    while len(received) < 9:
        received += tty.read()
    assert received == b"\r\nOK\r\n\x03\x1a\xff"
    tty.write(b"AT\r")
    assert os.read(modem, 10) == b"AT\r" and tty.waiting == 0
    for _ in range(100):  # nobody reads: it takes some, keeps some, and then says so
        try:
            tty.write(bytes(1000))
        except OSError as e:
            assert e.errno == 11
            break
    assert 0 < tty.waiting <= 16384
    os.close(port)
    os.close(modem)
    assert tty.read() == b""
    tty.close()


def test_the_simulated_cable():
    with Folder() as folder:
        board = sim.Board({"dir": folder, "eth": {"address": "127.0.0.3"}})
        (link,) = board.links()
        assert link.name == "eth" and link.poll() is False
        for text, up in (("1\n", True), ("0\n", False), ("1", True), ("", False)):
            put(folder + "/eth.carrier", text)
            assert link.poll() is up
        link.open().close()
        assert sim.Board({"dir": folder, "eth": {}}).links() == []


def test_the_simulated_meter_never_repeats_itself():
    with Folder() as folder:
        readings = [sim.Board({"dir": folder}).measure() for _ in range(5)]
        assert readings == [1, 2, 3, 4, 5]


def test_the_simulated_store():
    with Folder() as folder:
        medium = sim.Board({"dir": folder}).medium()
        medium.write("x", b"one")
        medium.append("x", b"two")
        assert medium.read("x") == b"onetwo" and os.listdir(folder) == ["store"]
