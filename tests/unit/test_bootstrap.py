"""C2, C3: configuration is staged, checked as a whole, and committed as a whole or not at all."""

from agent.accounts import CONFIGURED
from agent.engine.bootstrap import _STAGED_MAX, Bootstrap
from agent.errors import RemoteError
from agent.vetting import bootstrap_single, check

PEER = ("eth", "10.0.0.1", 5683)
ACCOUNT = (
    (((0, 1), (0, "coap://10.0.0.2")), ((0, 1), (1, False)), ((0, 1), (2, 3)), ((0, 1), (10, 1))),
    (((1, 1), (0, 1)), ((1, 1), (1, 60))),
)


def values(rows):
    return [(path + (resource,), value) for path, (resource, value) in rows]


def make(tree=(), insecure=True):
    bootstrap = Bootstrap(CONFIGURED, lambda tree: check(tree, insecure), lambda n: n - 1, wait_ms=60000)
    bootstrap.start(PEER, dict(tree), 0)
    bootstrap.sent(1)
    return bootstrap


def write_account(bootstrap):
    bootstrap.write((0, 1), values(ACCOUNT[0]), 1)
    bootstrap.write((1, 1), values(ACCOUNT[1]), 1)


def refused(call, *args):
    try:
        call(*args)
    except RemoteError as e:
        return e.args[0], (e.args[1] if len(e.args) > 1 else 128)
    raise AssertionError("was not refused")


def test_request_write_finish_commits_once():
    b = make()
    assert b.take() == [("request", PEER)]
    b.answered(1, "accepted", 0)
    b.delete((), 1)
    write_account(b)
    b.finish(2)
    ((what, tree),) = b.take()
    assert what == "commit" and tree[(0, 1, 0)] == "coap://10.0.0.2" and len(tree) == 6
    assert b.state == "idle" and b.deadline() is None


def test_finish_of_half_an_account_is_not_acceptable():
    """LightweightM2M-1.1-int-9: 4.06, nothing changed."""
    b = make()
    b.answered(1, "accepted", 0)
    b.write((0, 1), values(ACCOUNT[0]), 1)
    b.take()
    text, code = refused(b.finish, 2)
    assert code == 134 and "/1" in text
    assert [what for what, _ in b.take()] == ["failed"] and b.state == "waiting"


def test_nosec_is_refused_unless_allowed():
    b = make(insecure=False)
    b.answered(1, "accepted", 0)
    write_account(b)
    assert "insecure" in refused(b.finish, 2)[0]


def test_delete_spares_the_bootstrap_servers_own_account():
    b = make(bootstrap_single("coap://10.0.0.1"))
    b.write((0, 1), values(ACCOUNT[0]), 1)
    b.delete((), 2)
    assert sorted(b.staged) == sorted(bootstrap_single("coap://10.0.0.1"))


def test_a_write_replaces_the_instance():
    b = make({(0, 1, 3): b"old", (0, 2, 3): b"other"})
    b.write((0, 1), values(ACCOUNT[0]), 1)
    assert (0, 1, 3) not in b.staged and (0, 2, 3) in b.staged


def test_writes_are_bounded_and_kept_inside_their_path():
    b = make()
    assert refused(b.write, (3, 0), [((3, 0, 0), "x")], 1)[1] == 132
    assert "outside" in refused(b.write, (0, 1), [((1, 1, 0), 5)], 1)[0]
    many = [((0, 1, n), n) for n in range(_STAGED_MAX + 1)]
    assert "staged" in refused(b.write, (0, 1), many, 1)[0]


def test_only_the_server_that_was_asked_may_write():
    b = make()
    assert b.writable(PEER) and not b.writable(("eth", "10.0.0.9", 5683))
    b.stop()
    assert not b.writable(PEER)


def test_silence_ends_it_and_backs_off():
    b = make()
    b.take()
    assert b.deadline() == 60000
    b.poll(60000)
    assert b.take() == [("failed", "nothing heard for 60 s")] and b.deadline() == 62000
    b.poll(62000)
    assert b.take() == [("again",)]
    b.start(PEER, {}, 62000)
    assert b.state == "requesting"


def test_a_refused_request_is_said():
    b = make()
    b.take()
    b.answered(7, "refused", 5)
    assert b.state == "requesting"
    b.answered(1, "refused", 5)
    assert b.take() == [("failed", "bootstrap request: refused")]


def test_writes_may_overtake_the_answer_to_the_request():
    b = make()
    write_account(b)
    b.finish(2)
    assert b.take()[-1][0] == "commit" and b.state == "idle"


def account(n, uri="coap://10.0.0.2"):
    return [((0, n, 0), uri), ((0, n, 1), False), ((0, n, 2), 3), ((0, n, 10), n)]


def server(n):
    return [((1, n, 0), n), ((1, n, 1), 60)]


def test_several_instances_in_one_write():
    """1.1 Core 6.1.7.5: those that are named are replaced, others stay."""
    b = make(dict(account(1) + account(3) + [((0, 1, 9), "+4917")]))
    b.write((0,), account(1, "coap://10.0.0.7") + account(2), 1)
    assert b.staged[(0, 1, 0)] == "coap://10.0.0.7" and (0, 1, 9) not in b.staged
    assert b.staged[(0, 2, 10)] == 2 and b.staged[(0, 3, 10)] == 3


def test_neither_the_own_account_nor_the_device_can_be_deleted():
    """1.1 Core 6.1.7.6: 4.00"""
    b = make(bootstrap_single("coap://10.0.0.1"))
    assert refused(b.delete, (0, 65534), 1)[1] == 128
    assert refused(b.delete, (3,), 1)[1] == 128 and refused(b.delete, (3, 0), 1)[1] == 128
    assert refused(b.delete, (1, 0, 1), 1)[1] == 128
    b.delete((7,), 1)
    b.delete((0,), 1)
    assert sorted(b.staged) == sorted(bootstrap_single("coap://10.0.0.1"))


def test_the_keys_of_the_own_account_stay_too():
    own = bootstrap_single("coap://10.0.0.1")
    own[(0, 65534, 17)] = (21, 5)
    own[(21, 5, 0)] = b"secret"
    b = make(own)
    b.staged[(21, 6, 0)] = b"other"
    b.delete((), 1)
    assert (21, 5, 0) in b.staged and (21, 6, 0) not in b.staged
    assert refused(b.delete, (21, 5), 1)[1] == 128


def test_a_bootstrap_account_that_is_written_replaces_the_old_one():
    b = make(bootstrap_single("coap://10.0.0.1"))
    write_account(b)
    b.write((0, 0), [((0, 0, 0), "coap://10.0.0.9"), ((0, 0, 1), True), ((0, 0, 2), 3)], 1)
    b.finish(2)
    tree = b.take()[-1][1]
    assert tree[(0, 0, 0)] == "coap://10.0.0.9" and not [key for key in tree if key[1] == 65534]


def test_two_bootstrap_accounts_are_one_too_many():
    b = make()
    write_account(b)
    for n in (5, 6):
        b.write((0, n), [((0, n, 0), "coap://10.0.0.9"), ((0, n, 1), True), ((0, n, 2), 3)], 1)
    text, code = refused(b.finish, 2)
    assert code == 134 and "bootstrap server" in text


def test_the_own_account_can_be_written():
    b = make(bootstrap_single("coap://10.0.0.1"))
    write_account(b)
    b.write((0, 65534), [((0, 65534, 0), "coap://10.0.0.8"), ((0, 65534, 1), True), ((0, 65534, 2), 3)], 1)
    b.finish(2)
    tree = b.take()[-1][1]
    assert tree[(0, 65534, 0)] == "coap://10.0.0.8" and (0, 65534, 10) not in tree


def held(hold_ms):
    b = Bootstrap(CONFIGURED, lambda tree: check(tree, True), lambda n: n - 1, wait_ms=60000)
    b.start(PEER, {}, 0, hold_ms)
    return b


def test_the_server_is_left_alone_for_its_hold_off_and_a_bit():
    """/0/x/11, with jitter; only before the first try."""
    b = held(10000)
    assert b.state == "holding" and b.deadline() == 12500 and not b.take() and not b.writable(PEER)
    b.start(("eth", "10.0.0.9", 1), {}, 1, 0)
    b.poll(12500)
    assert b.take() == [("request", PEER)] and b.writable(PEER)
    b.poll(b.deadline())
    b.poll(b.deadline())
    b.start(PEER, {}, 80000, 10000)
    assert b.take()[-1] == ("request", PEER)


def test_a_hold_off_is_bounded():
    assert held(10**12).deadline() <= 86400000 * 5 // 4
    b = held(-5)
    assert b.state == "requesting"


def fetching(tree=()):
    b = Bootstrap(CONFIGURED, lambda tree: check(tree, True), lambda n: n - 1, wait_ms=60000)
    b.start(PEER, dict(tree), 0, 0, True)
    b.sent(1)
    assert b.take() == [("fetch", PEER)] and b.handle == 1 and not b.writable(PEER)
    return b


def test_a_pack_is_a_whole_configuration():
    """1.2 Core 6.1.7.8"""
    b = fetching(dict(account(9) + server(9) + list(bootstrap_single("coap://10.0.0.1").items())))
    b.packed(account(1) + server(1), 5)
    ((what, tree),) = b.take()
    assert what == "commit" and (0, 9, 0) not in tree and (0, 65534, 0) in tree and tree[(0, 1, 10)] == 1
    assert b.state == "idle" and b.deadline() is None


def test_without_a_pack_one_asks_for_a_bootstrap():
    for values in (None, [], account(1), [((3, 0, 0), "x")]):
        b = fetching(dict(account(9)))
        b.packed(values, 5)
        assert b.take() == [("request", PEER)] and b.state == "requesting" and b.staged == dict(account(9))


def test_silence_is_no_answer_to_the_question_for_a_pack():
    b = fetching()
    b.answered(1, "failed", 5)
    assert b.take() == [("failed", "bootstrap request: failed")] and b.state == "waiting"
