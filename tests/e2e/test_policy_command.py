"""G1: an operator writes, signs and shows a policy by names; nothing leaves that a device would refuse."""

import hmac
import json
import time

import pytest

from agent.codec import cose
from pointsman.tools import cli, faults
from pointsman.tools.policies import keys, signing, writing
from pointsman.tools.policies.keys import Signer, Signers

SETTINGS = {"report_period_s": 900, "schedule": [["06:00", "22:00", 300]], "wan_order": ["eth", "lte"],
            "thresholds": [[0, -5, 40, 2]], "apn": "internet", "maintenance_windows": [["01:30", 7261]]}


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Runs `pointsman policy` with these words: (exit code, what it says as JSON, what it complains of)."""
    monkeypatch.chdir(tmp_path)

    def told(*words):
        code = cli.main(["policy", *words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out or "null"), err.removeprefix("pointsman: ").strip()
    return told


def made(say, *more):
    return say("create", "--group", "meters", "--number", "7", "--expiry", "+30d", "--out", "doc.json", *more)


def test_from_keys_to_a_document_that_the_root_vouches_for(say):
    root, operator = say("keys", "--new", "root.pem")[1], say("keys", "--new", "operator.pem")[1]
    assert say("keys", "--public", "operator.pem")[1] == operator
    signer = operator["public"] + "=meters,hex:ff00"
    code, told, _ = say("keys", "--root", "root.pem", "--signers", "who.json", "--signer", signer, "--out", "keys.cose")
    assert code == 0 and told["version"] == 1
    assert made(say, "--set", "report_period_s=900", "--set", "wan_order=lte,eth", "--trial", "60")[0] == 0
    code, told, _ = say("sign", "doc.json", "--key", "operator.pem", "--out", "doc.cose")
    assert code == 0 and told["signed_by"] == operator["kid"]
    code, told, _ = say("show", "doc.cose", "--keys", "keys.cose", "--root-public", root["public"])
    assert code == 0 and told["settings"] == {"report_period_s": 900, "wan_order": ["lte", "eth"]}
    assert (told["group"], told["version"], told["trial_s"], told["expired"]) == ("meters", 7, 60, False)
    assert say("show", "doc.cose", "--by", operator["public"])[1] == told
    code, told, _ = say("show", "keys.cose", "--root-public", root["public"])
    assert told["signers"][0]["groups"] == ["meters", "hex:ff00"]
    again = say("keys", "--root", "root.pem", "--signers", "who.json", "--signer", signer, "--out", "keys2.cose")[1]
    assert again["version"] == 2


def test_enclosed_for_a_group_that_keeps_strangers_out(say, tmp_path):
    operator = say("keys", "--new", "operator.pem")[1]
    (tmp_path / "guard").write_text("5a" * 16)
    (tmp_path / "guard").chmod(0o600)
    made(say, "--set", "report_period_s=900")
    sign = ("sign", "doc.json", "--key", "operator.pem")
    bare = say(*sign, "--out", "bare.cose")[1]
    code, told, _ = say(*sign, "--guard", "guard", "--out", "doc.cose")
    assert code == 0 and told["enclosed"] and not bare["enclosed"]
    assert bare["bytes"] < told["bytes"] <= bare["bytes"] + 30
    (mac, _, _, proven, inside, proof) = cose.split((tmp_path / "doc.cose").read_bytes())
    assert mac == cose.MAC0 and proof == hmac.digest(b"\x5a" * 16, proven, "sha256")[:8]
    assert signing.opened(inside, bytes.fromhex(operator["public"]))[2] == 7
    assert say("show", "doc.cose", "--by", operator["public"])[1]["signed_by"] == operator["kid"]
    (tmp_path / "guard").write_text("5a")
    code, _, complaint = say(*sign, "--guard", "guard", "--out", "more.cose")
    assert code == faults.USAGE and "does not hold 32 to 128 hexadecimal digits" in complaint


def test_a_document_by_names_and_back():
    given = {"group": "meters", "version": 1, "not_before": 0, "expiry": "2033-05-18T03:33:20Z", "settings": SETTINGS}
    found = writing.document(given)
    assert found == {1: b"meters", 2: 1, 3: 0, 4: 2000000000, 5: {
        1: 900, 4: [[21600, 79200, 300]], 5: [1, 2], 8: [[0, -5, 40, 2]], 7: "internet", 9: [[5400, 7261]]}}
    assert writing.named(found) == given


@pytest.mark.parametrize("words, said", [
    (["--set", "report_period=9"], "no setting is called report_period; did you mean report_period_s?"),
    (["--set", "report_period_s=9"], "policy: report_period_s is 9; 10 to 2678400 are possible; correct the document"),
    (["--set", "report_period_s"], "'report_period_s' is no NAME=VALUE"),
    (["--set", "report_period_s=often"], "report_period_s: 'often' is neither a number nor a list"),
    (["--set", "wan_order=eth,tokenring"], "policy: wan_order is to hold each of 1 (eth), 2 (lte), 3 (wifi) once"),
    (["--set", "schedule=[[\"22:00\", \"06:00\", 60]]"], "policy: schedule is to ascend without overlaps"),
    (["--set", "report_period_s=1.5"], "report_period_s: 1.5 is no whole number"),
    (["--set", "report_jitter_s=9"], "policy: report_jitter_s is more than half of a period"),
    (["--activate-at", "soon"], "the time 'soon' is no date; as 2027-01-31T00:00:00Z"),
    (["--activate-at", "2030-01-01T00:00:00"], "the time '2030-01-01T00:00:00' has no time zone"),
    (["--expiry", "5"], "policy: this document has expired; give a later --expiry"),
    (["--settings", "none.json"], "cannot read none.json: No such file"),
])
def test_what_a_device_would_refuse_is_not_written(say, tmp_path, words, said):
    code, _, complaint = made(say, *words)
    assert code == faults.USAGE and complaint.startswith(said)
    assert not list(tmp_path.glob("doc*"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"group": 7}', '{"grup": "a"}', '{"settings": []}', "\0",
                                     "[" * 9000,
                                     '{"group": "a", "version": 1, "not_before": 0, "expiry": [], "settings": {}}',
                                     '{"group": "a", "version": null, "not_before": 0, "expiry": 9, "settings": {}}',
                                     '{"group": "a", "version": 1e99, "not_before": 0, "expiry": 9, "settings": {}}'])
def test_files_that_are_no_documents_are_not_signed(say, tmp_path, content):
    keys.create(tmp_path / "key.pem")
    (tmp_path / "bad.json").write_text(content)
    code, _, complaint = say("sign", "bad.json", "--key", "key.pem", "--out", "signed")
    assert code == faults.USAGE and ";" in complaint and not (tmp_path / "signed").exists()


def test_a_signed_document_is_not_written_over(say, tmp_path):
    keys.create(tmp_path / "key.pem")
    made(say)
    say("sign", "doc.json", "--key", "key.pem", "--out", "signed")
    before = (tmp_path / "signed").read_bytes()
    code, _, complaint = say("sign", "doc.json", "--key", "key.pem", "--out", "signed")
    assert code == faults.USAGE and complaint == "policy: cannot write signed: File exists; name a new file"
    assert (tmp_path / "signed").read_bytes() == before


def test_nothing_is_shown_that_nobody_vouches_for(say, tmp_path):
    root, operator, other = (keys.create(tmp_path / name) for name in ("root", "operator", "other"))
    now = int(time.time())
    signed = signing.sign({1: b"meters", 2: 1, 3: 0, 4: now + 900, 5: {1: 60}}, operator)
    (tmp_path / "signed").write_bytes(signed)
    (tmp_path / "broken").write_bytes(signed[:-1] + bytes([signed[-1] ^ 1]))
    (tmp_path / "long").write_bytes(bytes(1025))

    def vouched(*signer):
        one = Signers()
        one.replace([Signer(*signer)])
        (tmp_path / "who").write_bytes(signing.sign_signers(one, root))
        return say("show", "signed", "--keys", "who", "--root-public", root.public.hex())

    assert vouched(operator.public, [b"meters"])[0] == 0
    for told, said in ((vouched(other.public, [b"meters"]), "the root knows no key"),
                       (vouched(operator.public, [b"valves"]), "this key may not sign for meters"),
                       (vouched(operator.public, [b"meters"], 0, now - 5), "this key may not sign at this time"),
                       (say("show", "signed"), "policy show: whose signature shall it have"),
                       (say("show", "signed", "--by", "abc"), "'abc' is no public key"),
                       (say("show", "signed", "--by", other.public.hex()), "the signature is not by this key"),
                       (say("show", "broken", "--by", operator.public.hex()), "the signature is not by this key"),
                       (say("show", "who", "--by", operator.public.hex()), "the signature is not by this key"),
                       (say("show", "signed", "--root-public", root.public.hex()), "the signature is not by this key"),
                       (say("show", "long", "--by", operator.public.hex()), "long has 1025 bytes, a document 1 to")):
        assert told[0] != 0 and told[1] is None and told[2].startswith(said)
