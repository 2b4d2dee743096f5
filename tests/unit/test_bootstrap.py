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
