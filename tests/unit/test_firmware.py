"""Firmware update (object 5): pushed, fetched, resumed, cancelled, bounded, installed; one block in RAM, and nothing
written down for a block."""

from test_agent import GATEWAY, TREE, Medium, Net
from test_connectivity import observe, read, told

from agent.codec import coap
from agent.engine import firmware as engine
from agent.errors import RemoteError

FILES = ("192.0.2.50", 5683)
URI = b"coap://192.0.2.50/images/b?v=2"
IMAGE = bytes(range(256)) * 20 + b"end"  # 11 blocks of 512 bytes

OTHER = bytes([255 - number for number in IMAGE])


class Installer:
    """A board's port, which keeps what it is given."""

    limit = 20000

    def __init__(self):
        self.image, self.longest, self.aborted, self.installs = None, 0, 0, 0
        self.says, self.installed, self.well, self.full = None, None, True, None
        self.lost = 0  # bytes that a power cut costs

    def resume(self, block):
        self.image = self.image[: (len(self.image) - self.lost) // block * block]
        return len(self.image)

    def begin(self, _size):
        self.image = b""

    def write(self, data):
        if self.full is not None and len(self.image) >= self.full:
            raise OSError(28, "flash: it is full")
        self.longest = max(self.longest, len(data))
        self.image += data

    def finish(self):
        if self.says:
            raise self.says
        return "meter", "2.0"

    def abort(self):
        self.aborted += 1

    def install(self):
        self.installs += 1
        if self.installed is OSError:
            raise OSError(5, "flash: it cannot be read")
        return self.installed

    def outcome(self):
        return self.well


class Board:
    def __init__(self):
        self.installer = Installer()


class Files:
    """A CoAP file server on the device's network. It answers block by block what it is asked, from `image`."""

    def __init__(self):
        self.address, self.exchange = FILES, self  # as Net has it of a server
        self.image, self.tag, self.code, self.asked, self._out = IMAGE, b"1", coap.CONTENT, [], []
        self.sized, self.most, self.forgets = True, 1024, False

    def receive(self, link, data, _now):
        message = coap.decode(data)
        block = message.uint(coap.BLOCK2)
        self.asked.append((link, message.path(), message.query(), block >> 4))
        size = min(16 << (block & 7), self.most)
        at, exponent = (block >> 4) * (16 << (block & 7)), len(bin(size)) - 7
        value = coap.uint(at // size << 4 | (8 if at + size < len(self.image) else 0) | exponent)
        options = [(coap.ETAG, self.tag), (coap.BLOCK2, value), (coap.SIZE2, coap.uint(len(self.image)))]
        options = [one for one in options if one[1] is not None and (self.sized or one[0] != coap.SIZE2)]
        code = self.code if at < len(self.image) else coap.BAD_REQUEST
        code = coap.INCOMPLETE if at and self.forgets else code
        options = options if code == coap.CONTENT else []
        answer = coap.Message(coap.ACK, code, message.mid, message.token, options, self.image[at : at + size])
        self._out.append(((link, "device", 1), coap.encode(answer)))

    def take(self):
        out, self._out = self._out, []
        return out

    def deadline(self):
        return None

    def poll(self, _now):
        """It has nothing to do by itself."""


def start(medium=None, board=None):
    net = Net({"links": "eth,wifi", "block_size": 512}, TREE if medium is None else None, medium)
    net.agent.board = net.board = board or Board()
    net.servers[FILES] = net.files = Files()
    net.agent.start(0)
    net.link("eth", True)
    net.link("wifi", True)
    net.run(2000)
    return net, net.servers[GATEWAY]


def ask(net, gateway, code, *path, **more):
    gateway.ask(code, path, net.now, **more)
    net.carry()
    return gateway.answers[-1].code


def state(net, gateway):
    """-> [state, result]"""
    found = read(net, gateway, "5", "0")
    return [found["/5/0/3"], found["/5/0/5"]]


def put(net, gateway, payload, rid="0", **more):
    return ask(net, gateway, coap.PUT, "5", "0", rid, payload=payload, **more)


def test_it_is_announced_where_the_board_has_an_installer():
    _, gateway = start()
    assert b"</5/0>" in gateway.seen[0].payload
    net = Net()
    net.agent.board = object()
    net.agent.start(0)
    net.link("eth", True)
    assert b"</5/0>" not in net.servers[GATEWAY].seen[0].payload


def test_what_it_says_of_itself():
    net, gateway = start()
    found = read(net, gateway, "5", "0")
    assert found == {"/5/0/1": "", "/5/0/3": 0, "/5/0/5": 0, "/5/0/8/0": 0, "/5/0/9": 2}
    assert ask(net, gateway, coap.POST, "5", "0", "2") == coap.NOT_ALLOWED
    assert ask(net, gateway, coap.GET, "5", "0", "0") == coap.NOT_ALLOWED


def test_a_pushed_package_goes_to_the_installer_block_by_block():
    net, gateway = start()
    assert put(net, gateway, IMAGE, format=42) == coap.CHANGED
    installer = net.board.installer
    assert installer.image == IMAGE and installer.longest == 512 and state(net, gateway) == [2, 0]
    assert read(net, gateway, "5", "0", "7") == {"/5/0/7": "2.0"}
    assert net.agent.exchange._server.bodies == []
    assert put(net, gateway, IMAGE, format=42) == coap.NOT_ALLOWED  # there is one already
    assert put(net, gateway, b"small", format=42) == coap.NOT_ALLOWED
    assert put(net, gateway, b"\0", format=42) == coap.CHANGED and state(net, gateway) == [0, 0]
    assert installer.aborted == 1
    assert put(net, gateway, b"small", format=42) == coap.CHANGED and installer.image == b"small"


def test_an_update_survives_its_restart():
    net, gateway = start()
    put(net, gateway, IMAGE, format=42)
    observe(net, gateway, "5", "0", "3")
    gateway.ask(coap.POST, ("5", "0", "2"), net.now)
    net.carry()
    assert coap.CHANGED in [answer.code for answer in gateway.answers]
    gateway.answers[:] = [answer for answer in gateway.answers if answer.payload]
    assert told(gateway)[0] == {"/5/0/3": 3} and put(net, gateway, b"", "1", format=0) == coap.NOT_ALLOWED
    net.run(1000)
    assert net.others[-1] == ("reset",) and net.board.installer.installs == 1
    for well, result in ((True, [0, 1]), (False, [2, 8])):
        copy = Medium()
        copy.files = dict(net.medium.files)
        net.board.installer.well = well
        again, gateway = start(copy, net.board)
        assert state(again, gateway) == result


def test_an_installer_may_need_no_restart():
    for says, result in ((True, [0, 1]), (False, [2, 8]), (OSError, [2, 8])):
        net, gateway = start()
        net.board.installer.installed = says
        put(net, gateway, IMAGE, format=42)
        ask(net, gateway, coap.POST, "5", "0", "2")
        assert state(net, gateway) == result and ("reset",) not in net.others


def test_a_package_is_fetched():
    net, gateway = start()
    assert put(net, gateway, URI, "1", format=0) == coap.CHANGED
    assert state(net, gateway) == [1, 0]
    assert net.medium.files and net.agent.store.get("firmware")[2] == URI.decode()
    net.run(10)
    assert net.board.installer.image == IMAGE and state(net, gateway) == [2, 0]
    assert [block for _, _, _, block in net.files.asked] == list(range(11))
    assert net.files.asked[0][:3] == ("eth", ("images", "b"), ("v=2",))
    assert read(net, gateway, "5", "0", "1") == {"/5/0/1": URI.decode()}
    assert put(net, gateway, b"", "1", format=0) == coap.CHANGED and state(net, gateway) == [0, 0]


def partly(net, blocks):
    """Let that many blocks come."""
    server = net.files
    receive = server.receive

    def some(link, data, now):
        if len(server.asked) < blocks:
            receive(link, data, now)

    server.receive = some
    return receive


def test_a_fetch_goes_on_over_another_link_where_it_stood():
    """W3: the download, too, survives the change of link."""
    net, gateway = start()
    receive = partly(net, 4)
    put(net, gateway, URI, "1", format=0)
    net.run(10)
    net.link("eth", False)
    net.files.receive = receive
    net.run(10000)
    assert net.board.installer.image == IMAGE
    assert [(link, block) for link, _, _, block in net.files.asked][3:6] == [("eth", 3), ("wifi", 4), ("wifi", 5)]


def test_another_package_meanwhile_is_fetched_from_its_start():
    net, gateway = start()
    receive = partly(net, 4)
    put(net, gateway, URI, "1", format=0)
    net.run(10)
    net.link("eth", False)
    net.files.receive, net.files.image, net.files.tag = receive, OTHER, b"2"
    net.run(10000)
    assert net.board.installer.image == OTHER


def test_what_can_go_wrong_with_a_fetch():
    bad = ((b"http://h/x", 9), (b"coaps://h/x", 9), (b"nonsense", 7), (b"coap://", 7), (b"coap://h:99999/x", 7))
    for uri, result in bad:
        net, gateway = start()
        assert put(net, gateway, uri, "1", format=0) == coap.CHANGED and state(net, gateway) == [0, result], uri
    for code, result in ((coap.NOT_FOUND, 7), (coap.CONTENT, 0)):
        net, gateway = start()
        net.files.code = code
        put(net, gateway, URI, "1", format=0)
        net.run(1000)
        assert state(net, gateway)[1] == result
    net, gateway = start()
    net.board.installer.limit = len(IMAGE) - 1
    put(net, gateway, URI, "1", format=0)
    net.run(1000)
    assert state(net, gateway) == [0, 2] and net.board.installer.image == b""


def test_a_dead_file_server_is_given_up():
    """It is asked again after 2, 4, 8 .. 60 s, for an hour."""
    machine, _ = make()
    machine.fetch("coap://h/x")
    now, waits = 1000, []
    while machine.state == "downloading":
        machine.poll(now)
        machine.failed(False, now)
        waits.append((machine.deadline() or now) - now)
        now = machine.deadline() or now
    assert machine.result == 4 and 3600000 <= now - 1000 < 3700000
    assert waits[:6] == [2000, 4000, 8000, 16000, 32000, 60000] and waits[-2] == 60000


def test_a_fetch_can_be_cancelled():
    net, gateway = start()
    partly(net, 4)
    put(net, gateway, URI, "1", format=0)
    net.run(10)
    assert put(net, gateway, URI, "1", format=0) == coap.NOT_ALLOWED
    assert put(net, gateway, b"", "1", format=0) == coap.CHANGED and state(net, gateway) == [0, 0]
    net.run(200000)
    assert state(net, gateway) == [0, 0] and len(net.files.asked) == 4


def test_a_damaged_unknown_or_too_large_package():
    for says, result in ((ValueError("signature"), 5), (LookupError("type"), 6), (OSError(5, "flash"), 8)):
        net, gateway = start()
        net.board.installer.says = says
        assert put(net, gateway, IMAGE, format=42) == coap.INCOMPLETE and state(net, gateway) == [0, result]
    net, gateway = start()
    net.board.installer.limit = 3000
    assert put(net, gateway, IMAGE, format=42) == coap.TOO_LARGE and state(net, gateway) == [0, 2]
    net, gateway = start()
    net.board.installer.full = 1024
    assert put(net, gateway, IMAGE, format=42) == coap.TOO_LARGE and state(net, gateway) == [0, 2]


def test_a_push_that_stops_is_given_up_and_one_anew_begins_anew():
    machine, installer = make()
    machine.push(0, True, 0, b"x" * 16, 0)
    machine.push(0, True, 0, b"y" * 16, 5)
    machine.push(16, True, 0, b"z" * 16, 9)
    assert installer.image == b"y" * 16 + b"z" * 16
    assert refused(machine.push, 48, True, 0, b"z" * 16, 9) == 136
    machine.poll(machine.deadline())
    assert machine.state == "idle" and machine.result == 4 and machine.deadline() is None


def power_cut(got=6, **before):
    """A fetch of which that many blocks have come when the power fails, from a server that is as `before` says.
    -> as start(), with the device running again and the server silent."""
    net, gateway = start()
    for name in before:
        setattr(net.files, name, before[name])
    net.files.answering = partly(net, got)
    put(net, gateway, URI, "1", format=0)
    net.run(10)
    net.boot()
    net.agent.board = net.board
    net.files.asked = []
    return net, gateway


def go_on(net, **now):
    """-> the numbers of the blocks that are asked for, of a server that is as `now` says."""
    net.files.receive = net.files.answering
    for name in now:
        setattr(net.files, name, now[name])
    net.agent.start(net.now)
    net.link("eth", True)
    net.run(10000)
    return [block for _, _, _, block in net.files.asked]


def test_a_fetch_goes_on_after_a_power_cut_where_the_installer_stands():
    net, gateway = power_cut()
    assert go_on(net) == [6, 7, 8, 9, 10] and net.board.installer.image == IMAGE
    assert state(net, gateway) == [2, 0] and ("firmware", "resumed") in net.log
    net, gateway = power_cut()
    net.board.installer.lost = 700  # not on the medium yet
    assert go_on(net) == [4, 5, 6, 7, 8, 9, 10] and net.board.installer.image == IMAGE


def test_it_goes_on_once_more_after_another_power_cut():
    net, _ = power_cut()
    partly(net, 2)
    net.agent.start(net.now)
    net.link("eth", True)
    net.run(1000)
    net.boot()
    net.agent.board, net.files.asked = net.board, []
    assert go_on(net) == [8, 9, 10] and net.board.installer.image == IMAGE


def test_after_a_power_cut_another_package_is_fetched_from_its_start():
    for tag, image in ((b"2", OTHER), (None, OTHER), (b"2", OTHER[:1000])):
        net, gateway = power_cut()
        asked = go_on(net, tag=tag, image=image)
        assert asked[:2] == [6, 0] and net.board.installer.image == image and state(net, gateway) == [2, 0]


def test_a_server_may_be_unable_to_go_on_in_the_middle():
    """4.08 from one that remembers whom it gave the block before; with blocks that never follow it is given up."""
    net, gateway = power_cut()
    assert go_on(net, forgets=True) == [6, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1] and state(net, gateway) == [0, 4]


def test_without_an_etag_the_size_has_to_be_the_same():
    net, _ = power_cut(tag=None)
    assert go_on(net)[0] == 6 and net.board.installer.image == IMAGE
    net, _ = power_cut(tag=None)
    assert go_on(net, image=OTHER + b"!")[:2] == [6, 0] and net.board.installer.image == OTHER + b"!"
    net, _ = power_cut(tag=None)
    assert go_on(net, sized=False)[:2] == [6, 0] and net.board.installer.image == IMAGE
    net, _ = power_cut(tag=None, sized=False)
    assert go_on(net) == list(range(11)) and net.board.installer.image == IMAGE


def test_another_uri_after_a_power_cut_is_fetched_from_its_start():
    net, gateway = power_cut()
    net.agent.start(net.now)
    net.link("eth", True)
    assert put(net, gateway, b"", "1", format=0) == coap.CHANGED
    net.files.receive, net.files.asked = net.files.answering, []
    assert put(net, gateway, b"coap://192.0.2.50/images/c", "1", format=0) == coap.CHANGED
    net.run(1000)
    assert [block for _, _, _, block in net.files.asked] == list(range(11)) and net.board.installer.image == IMAGE


def test_an_installer_that_cannot_go_on_is_given_all_anew():
    def unable(_block):
        raise OSError(5, "flash: it cannot be read")

    net, _ = power_cut()
    net.board.installer.resume = unable
    assert go_on(net) == list(range(11)) and net.board.installer.image == IMAGE


def test_no_block_of_a_fetch_is_written_down():
    net, gateway = start()
    before = net.agent.store.writes
    put(net, gateway, URI, "1", format=0)
    net.run(10)
    assert net.board.installer.image == IMAGE and net.agent.store.writes - before == 3  # begun, recognised, complete


def test_a_server_may_choose_smaller_blocks():
    net, _ = start()
    net.files.most = 256
    put(net, net.servers[GATEWAY], URI, "1", format=0)
    net.run(10)
    assert net.board.installer.image == IMAGE and len(net.files.asked) == 21


def test_a_server_that_never_has_the_same_is_given_up():
    net, gateway = start()
    receive = net.files.receive

    def other(link, data, now):
        net.files.tag = b"%d" % len(net.files.asked)
        receive(link, data, now)

    net.files.receive = other
    put(net, gateway, URI, "1", format=0)
    net.run(100000)
    assert state(net, gateway) == [0, 4] and len(net.files.asked) == 12


def test_a_power_cut_ends_a_push():
    """Its server begins anew with the first block, and so would this one."""
    machine, installer = make(["downloading", 0, "", ["", ""], [None, 0]])
    machine.start()
    assert (machine.state, machine.result, installer.aborted) == ("idle", 4, 1)


def test_what_an_older_agent_wrote_down_of_a_fetch_begins_anew():
    machine, _ = make(["downloading", 0, "coap://h/x", ["", ""]])
    machine.start()
    machine.poll(5)
    assert machine.state == "downloading" and machine.take()[-1] == ("ask", ("h", 5683, ("x",), ()), 0, 512)


def make(kept=None):
    installer = Installer()
    return engine.Firmware(installer, kept, 512), installer


def refused(call, *args):
    try:
        call(*args)
    except RemoteError as e:
        return e.args[1]
    raise AssertionError("was not refused")
