"""W1: server accounts, read from the tree and checked as a whole."""

from agent.accounts import accounts, bootstrap_account, pack, split_uri, unpack
from agent.errors import LocalError
from agent.vetting import bootstrap_single, check, single


def two():
    tree = single("coap://platform.example", 300)
    tree.update({(0, 7, 0): "coap://10.0.0.1:5783", (0, 7, 1): False, (0, 7, 2): 3, (0, 7, 10): 9})
    tree.update({(1, 7, 0): 9, (1, 7, 1): 60, (1, 7, 13): 1, (26241, 7, 1): "eth", (26241, 7, 2): True})
    tree.update({(1, 0, 13): 2, (26241, 0, 1): "eth,lte"})
    return tree


def refused(call, *args):
    try:
        call(*args)
    except LocalError as e:
        return e.args[0]
    raise AssertionError("was not refused")


def test_the_most_preferred_comes_first():
    gateway, platform = accounts(two())
    assert (gateway.host, gateway.port, gateway.ssid, gateway.lifetime_s) == ("10.0.0.1", 5783, 9, 60)
    assert gateway.allows("eth") and not gateway.allows("lte") and gateway.knows_epoch
    assert platform.allows("lte") and not platform.knows_epoch
    assert platform.peer("lte") == ("lte", "platform.example", 5683)


def test_no_list_of_links_is_every_link():
    (account,) = accounts(single("coap://h", 60))
    assert account.allows("eth") and account.allows("anything")


def test_addresses():
    assert split_uri("coap://h") == ("coap", "h", 5683)
    assert split_uri("coaps://1.2.3.4/x") == ("coaps", "1.2.3.4", 5684)
    assert split_uri("coap://h:1") == ("coap", "h", 1)
    for bad in ("", "h", "http://h", "coap://", "coap://:5", "coap://h:0", "coap://h:65536", "coap://h:x", "coap://[::1]",
                "coap://h:", "coap://a b", 5, None, "coap://h:123456"):  # fmt: skip
        assert "coap" in refused(split_uri, bad) or "IPv6" in refused(split_uri, bad)


def test_what_does_not_fit_together_is_named():
    for change, word in (
        ({(0, 7, 10): 5}, "/1 instance"),
        ({(1, 7, 1): 5}, "lifetime"),
        ({(0, 7, 0): "ftp://x"}, "ftp"),
        ({(0, 7, 2): 2}, "coap://"),
        ({(0, 0, 10): 0, (1, 0, 0): 0}, "short server id"),
    ):
        tree = two()
        tree.update(change)
        assert word in refused(check, tree, True)
    assert "insecure" in refused(check, two(), False)
    assert "no server account" in refused(check, bootstrap_single("coap://b"), True)
    check(two(), True)


def test_the_bootstrap_servers_account_is_none_of_them():
    tree = two()
    assert bootstrap_account(tree) is None
    tree.update(bootstrap_single("coap://b:5"))
    assert bootstrap_account(tree).peer("eth") == ("eth", "b", 5) and len(accounts(tree)) == 2


def test_packing_is_ordered_and_reversible():
    tree = two()
    assert unpack(pack(tree)) == tree and pack(tree) == sorted(pack(tree))
