"""Approvals in the ledger: bound to content, to people and to keys; every way round them is shut."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from care_helpers import asks, restore
from ledger_helpers import START, Bench, make, tamper
from signing_helpers import TOOL, Ring

from campaign_cli.accounts import Rules
from campaign_cli.errors import Held, InputError
from campaign_cli.ledger import Changes, NewDelivery
from campaign_cli.ledger.approved import Consent, Seen, text_to_sign
from campaign_cli.ledger.backup import back_up
from campaign_cli.ledger.gate import Demands, demanded
from campaign_cli.ledger.invariants import approved as sound_approvals
from campaign_cli.models import Draft, State
from campaign_cli.signatures import Signers, key_of

KEY = "c/p/a"
AUTHOR = "budi"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A ledger of its own, in a workspace with something beside it."""
    (tmp_path / "workspace").mkdir()
    return Bench(tmp_path / "workspace")


@pytest.fixture
def ring(bench: Bench) -> Ring:
    """Keys beside the workspace."""
    return Ring(bench.root.parent / "keys", bench.root)


def asking(key: str = KEY, *, approval: int = 1, signed: bool = False, author: str = "", **more: object) -> NewDelivery:
    """A delivery that needs approvals."""
    return replace(make(key, **more), approval=approval, signed=signed, author=author)  # type: ignore[arg-type]


def seen(bench: Bench, *keys: str) -> tuple[Seen, ...]:
    """What an approver sees of them now."""
    found = bench.ledger.deliveries(keys=keys or (KEY,))
    return tuple(Seen(key=one.key, content_hash=one.content_hash, due=one.due) for one in found)


def say_yes(bench: Bench, name: str, *keys: str) -> list[str]:
    """An approval by a bare name."""
    return bench.ledger.approve(Consent(name=name, at=bench.clock(), seen=seen(bench, *keys)), actor="os")


def sign(bench: Bench, ring: Ring, name: str, key: str, *keys: str) -> list[str]:
    """An approval with a signature."""
    at, what = bench.clock(), seen(bench, *keys)
    text = text_to_sign(bench.ledger.ledger_id, name=name, at=at, seen=what)
    signature = signers(bench).sign(text, ring.key(key))
    return bench.ledger.approve(Consent(name=name, at=at, seen=what, text=text, signature=signature), actor="os")


def signers(bench: Bench) -> Signers:
    """Who verifies in this workspace."""
    return Signers(root=bench.root, approvers="approvers", tool=TOOL)


def goes(bench: Bench, key: str = KEY) -> bool:
    """Whether a claim takes it; it is given back."""
    claims = bench.claim(keys=[key]).claims
    for claim in claims:
        bench.settle(claim, State.WAITING, untried=True)
    return bool(claims)


def change(bench: Bench, new: NewDelivery) -> None:
    """What ``queue`` does with an edited post."""
    known = bench.ledger.known("c")
    bench.ledger.apply(Changes(changed=(new,), seen={new.key: known[new.key]}, media=str.encode), actor="os")


def test_it_is_claimed_once_it_is_approved(bench: Bench) -> None:
    """Without its approval nobody can claim it; with it, anybody."""
    bench.queue(asking())
    assert not goes(bench)
    assert say_yes(bench, "Siti") == [KEY]
    assert goes(bench)


@pytest.mark.parametrize("names", [("Siti", "siti"), ("Siti Ani", "siti   ani "), ("Ｓiti", "SITI"), ("Siti", "Siti")])
def test_one_person_counts_once(bench: Bench, names: Sequence[str]) -> None:
    """Case, spaces and ways of writing a sign make no other person."""
    bench.queue(asking(approval=2))
    for name in names:
        say_yes(bench, name)
    assert not goes(bench)
    say_yes(bench, "Ani")
    assert goes(bench)


@pytest.mark.parametrize(
    "new",
    [
        asking(text="Lain."),
        asking(due=START - timedelta(minutes=1)),
        asking(address="https://lain.example"),
    ],
    ids=["text", "due", "address"],
)
def test_any_change_voids_it_and_going_back_does_not(bench: Bench, new: NewDelivery) -> None:
    """Other content is not approved; the very same content again is what was approved, and counts again."""
    bench.queue(asking())
    say_yes(bench, "Siti")
    change(bench, new)
    assert not goes(bench)
    ((approval,),) = bench.ledger.approvals([KEY]).values()
    assert approval.changed
    assert not approval.counts
    change(bench, asking())
    assert goes(bench)


def test_what_was_taken_back_does_not_come_back_with_the_old_content(bench: Bench) -> None:
    """Withdrawn while other content was queued, an approval stays withdrawn when the old content returns."""
    bench.queue(asking())
    say_yes(bench, "Siti")
    change(bench, asking(text="Lain."))
    assert bench.ledger.withdraw_approval([KEY], name="SITI ", actor="os") == [KEY]
    change(bench, asking())
    assert not goes(bench)


def test_another_embargo_is_other_content(bench: Bench) -> None:
    """Who approved it under embargo did not approve it without."""
    new = asking()
    draft = Draft.from_json(new.draft_json)
    until = START - timedelta(hours=1)
    bench.queue(replace(new, embargo=until, content_hash=draft.content_hash(new.due, embargo=until)))
    say_yes(bench, "Siti")
    assert goes(bench)
    change(bench, new)
    assert not goes(bench)
    ((approval,),) = bench.ledger.approvals([KEY]).values()
    assert approval.changed == ("embargo",)


def test_a_rename_voids_it(bench: Bench) -> None:
    """A post under another name is another post, also where its words are the same."""
    from campaign_cli.ledger import Move

    bench.queue(asking())
    say_yes(bench, "Siti")
    move = Move(old_key=KEY, delivery=asking("c/q/a", text="Pos c/p/a"), as_it_is=False)
    known = bench.ledger.known("c")
    bench.ledger.apply(Changes(moved=(move,), seen={KEY: known[KEY]}, media=str.encode), actor="os")
    assert not goes(bench, "c/q/a")
    ((approval,),) = bench.ledger.approvals(["c/q/a"]).values()
    assert approval.void == "moved"


@pytest.mark.parametrize("order", ["retry", "release now", "release shift"])
def test_an_order_that_moves_the_instant_voids_it(bench: Bench, order: str) -> None:
    """The minute is part of what is approved, so retry and release need the approval anew."""
    bench.queue(asking(due=START - timedelta(minutes=5)))
    say_yes(bench, "Siti")
    if order == "retry":
        bench.ledger.cancel([KEY], actor="os")
        bench.ledger.retry([KEY], actor="os")
    else:
        hold = bench.ledger.hold(reason="uji", actor="os")
        late = "now" if order == "release now" else timedelta(minutes=2)
        bench.ledger.release([hold.id], actor="os", late={KEY: late})
    assert not goes(bench)
    say_yes(bench, "Siti")
    assert goes(bench)


def test_not_published_and_again_needs_no_new_approval_and_no_less(bench: Bench) -> None:
    """A doubtful post that a person says is not out goes again as approved; without its approval it doesn't."""
    bench.queue(asking())
    say_yes(bench, "Siti")
    bench.settle(bench.claim_one(), State.UNCERTAIN, error="?")
    bench.ledger.resolve(KEY, not_published=True, actor="os")
    assert goes(bench)
    bench.ledger.withdraw_approval([KEY], name="Siti", actor="os")
    assert not goes(bench)


def test_the_gate_asks_again(bench: Bench) -> None:
    """An approval that is taken back while it is being sent stops the request that has not left."""
    bench.queue(asking())
    say_yes(bench, "Siti")
    claim = bench.claim_one()
    bench.ledger.withdraw_approval([KEY], name="Siti", actor="os")
    with pytest.raises(Held, match="not approved"):
        bench.ledger.check_gate(KEY, claim.token)


def test_what_has_begun_is_finished(bench: Bench) -> None:
    """A thread with a part out goes on without the approval: its content can't change any more."""
    bench.queue(asking(parts=["satu", "dua"]))
    say_yes(bench, "Siti")
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("1"))
    bench.settle(claim, State.WAITING)
    assert bench.ledger.withdraw_approval([KEY], name="Siti", actor="os") == []
    tamper(bench, "UPDATE approvals SET void = 'x'")
    assert goes(bench)


def test_a_raised_rule_counts_at_the_claim_and_stays(bench: Bench) -> None:
    """What was queued for no approval asks for as many as the rules of the claiming process; lowering needs a queue."""
    bench.queue(make())
    assert not bench.claim(demands=Demands(approval=1)).claims
    assert not bench.claim().claims
    (event,) = bench.ledger.events(kind="demanded")
    assert (event.key, event.data) == (KEY, {"approval": 1, "signed": False})
    say_yes(bench, "Siti")
    assert not bench.claim(demands=Demands(approval=1, signed=True)).claims  # a bare name is no signature
    change(bench, replace(make(), input_hash="x"))
    assert goes(bench)


def test_the_authors_rule_counts_for_what_was_queued_before_it(bench: Bench) -> None:
    """Where no author is known, two people must have approved: one of them is another, whoever wrote it.

    What names its author, asks for no approval, or has begun, goes as it was to go.
    """
    rule = Demands(another=True)
    bench.queue(asking(), make("c/q/a"), asking("c/r/a", author=AUTHOR))
    say_yes(bench, "Budi")
    say_yes(bench, "Siti", "c/r/a")
    (before, *_others) = bench.ledger.deliveries(keys=[KEY])
    assert before.approved
    shown = demanded(before, Rules(other_approver=True))
    assert (shown.approved, shown.approval) == (False, 2)
    assert sorted(claim.key for claim in bench.claim(demands=rule).claims) == ["c/q/a", "c/r/a"]
    (event,) = bench.ledger.events(kind="demanded")
    assert (event.key, event.data) == (KEY, {"approval": 2, "signed": False})
    assert not bench.claim().claims
    say_yes(bench, "Siti")
    assert goes(bench)


def test_both_rules_at_once_ask_for_two_of_what_names_nobody(bench: Bench) -> None:
    """Raised from none to one, and the author unknown; a queue that names the author asks for one again."""
    bench.queue(make())
    assert not bench.claim(demands=Demands(approval=1, another=True)).claims
    say_yes(bench, "Budi")
    assert not bench.claim(demands=Demands(approval=1, another=True)).claims
    change(bench, replace(asking(author=AUTHOR), input_hash="x"))
    assert not bench.claim(demands=Demands(approval=1, another=True)).claims  # Budi wrote it
    say_yes(bench, "Siti")
    assert bench.claim(demands=Demands(approval=1, another=True)).claims


def test_what_changed_since_it_was_shown_is_not_approved(bench: Bench) -> None:
    """An approver never approves what came between the look and the word."""
    bench.queue(asking())
    old = seen(bench)
    change(bench, asking(text="Lain."))
    with pytest.raises(InputError, match="has changed"):
        bench.ledger.approve(Consent(name="Siti", at=bench.clock(), seen=old), actor="os")
    assert bench.ledger.approvals([KEY]) == {}


def test_one_bad_delivery_stops_them_all(bench: Bench) -> None:
    """All of it is approved or nothing."""
    bench.queue(asking(), asking("c/q/a"))
    what = seen(bench, KEY, "c/q/a")
    bench.ledger.cancel(["c/q/a"], actor="os")
    with pytest.raises(InputError, match="does not wait"):
        bench.ledger.approve(Consent(name="Siti", at=bench.clock(), seen=what), actor="os")
    assert not goes(bench)


def test_the_author_is_not_the_only_approver(bench: Bench) -> None:
    """Of one approval it can't be the author's; of two, one may be."""
    bench.queue(asking(author=AUTHOR), asking("c/q/a", approval=2, author=AUTHOR))
    with pytest.raises(InputError, match="only approver"):
        say_yes(bench, " BUDI ")
    say_yes(bench, "Budi", "c/q/a")
    assert not goes(bench, "c/q/a")
    say_yes(bench, "Siti", "c/q/a")
    assert goes(bench, "c/q/a")


def test_the_author_alone_does_not_count_when_the_number_is_lowered(bench: Bench) -> None:
    """Two were asked for when the author approved; that one approval is not enough when one is."""
    bench.queue(asking(approval=2, author=AUTHOR))
    say_yes(bench, "Budi")
    change(bench, replace(asking(author=AUTHOR), input_hash="x"))
    assert not goes(bench)


def test_one_key_counts_once_under_whatever_name(bench: Bench, ring: Ring) -> None:
    """A key that the file names twice, or for two people, approves once."""
    ring.name("siti", "siti")
    ring.name("ani,wati", "siti")
    ring.name("siti", "siti")
    bench.queue(asking(approval=2, signed=True))
    assert sign(bench, ring, "siti", "siti") == [KEY]
    assert sign(bench, ring, "siti", "siti") == []
    with pytest.raises(InputError, match="this key has approved it already"):
        sign(bench, ring, "wati", "siti")
    assert not goes(bench)


def test_a_signature_takes_the_place_of_the_same_bare_name(bench: Bench, ring: Ring) -> None:
    """Where signatures count, a bare name of before adds nothing, and its signature is one person's."""
    ring.name("siti", "siti")
    bench.queue(asking(signed=True))
    say_yes(bench, "siti")
    assert not goes(bench)
    sign(bench, ring, "siti", "siti")
    assert goes(bench)
    assert [one.void for one in bench.ledger.approvals([KEY])[KEY]] == ["replaced", ""]


def objection(bench: Bench, text: str, signature: str, *, name: str = "siti", author: str = "") -> str:
    """What the verifier says at the bench's time."""
    return signers(bench).objection(text, signature, name=name, author=author, at=bench.clock())


def test_a_good_signature_has_no_objection(bench: Bench, ring: Ring) -> None:
    """Name, key, namespace and words fit."""
    ring.name('"siti rahayu,siti"', "siti", options='namespaces="campaign"')
    signature = signers(bench).sign("x\n", ring.key("siti"))
    assert objection(bench, "x\n", signature) == ""
    assert objection(bench, "x\n", signature, name="siti rahayu") == ""
    assert objection(bench, "y\n", signature)
    assert objection(bench, "x\n", signature, name="Siti")
    assert objection(bench, "x\n", "no signature")
    assert objection(bench, "x\n", signature.replace("U1NIU0lH", "U1NIU0lI"))


def test_a_signature_for_another_purpose_is_none(bench: Bench, ring: Ring) -> None:
    """What was signed for git or a file is no approval."""
    import subprocess

    ring.name("siti", "siti")
    order = [str(TOOL), "-Y", "sign", "-n", "git", "-f", ring.key("siti")]
    signature = subprocess.run(order, input=b"x\n", capture_output=True, check=True).stdout.decode()
    assert objection(bench, "x\n", signature)


def test_the_authors_key_is_the_authors_under_any_name(bench: Bench, ring: Ring) -> None:
    """Who writes a plan can't approve it under a second name of the file, expired or not."""
    ring.name("siti", "budi")
    signature = signers(bench).sign("x\n", ring.key("budi"))
    assert objection(bench, "x\n", signature, author="budi") == ""
    ring.name("Budi,lain", "budi", options='valid-before="20200101"')
    assert "author" in objection(bench, "x\n", signature, author="budi")


def test_the_clock_of_the_ledger_decides_whether_a_key_still_counts(bench: Bench, ring: Ring) -> None:
    """A key that ends before the instant of the ledger's clock is none, whatever the machine's own clock says."""
    ring.name("siti", "siti", options=f'valid-before="{START + timedelta(days=3):%Y%m%d}"')
    signature = signers(bench).sign("x\n", ring.key("siti"))
    assert objection(bench, "x\n", signature) == ""
    bench.clock.forward(days=5)
    assert objection(bench, "x\n", signature)


@pytest.mark.parametrize("path", ["../approvers", "/etc/passwd", "approvers-link", "folder", "pipe", "missing", "a\0b"])
def test_the_file_of_the_approvers_stays_in_the_workspace(bench: Bench, ring: Ring, path: str) -> None:
    """A path out of the workspace, a link out of it, a folder or nothing verify no signature."""
    ring.name("siti", "siti")
    signature = signers(bench).sign("x\n", ring.key("siti"))
    (bench.root.parent / "approvers").write_bytes((bench.root / "approvers").read_bytes())
    (bench.root / "approvers-link").symlink_to(bench.root.parent / "approvers")
    (bench.root / "folder").mkdir()
    os.mkfifo(bench.root / "pipe")
    elsewhere = Signers(root=bench.root, approvers=path, tool=TOOL)
    assert elsewhere.objection("x\n", signature, name="siti", author="", at=bench.clock())


@pytest.mark.parametrize("copied", ["delivery", "ledger", "name"])
def test_a_signature_is_for_its_delivery_its_ledger_and_its_name(bench: Bench, ring: Ring, copied: str) -> None:
    """Copied to another row, to another ledger or under another name, what was signed is not what is sent."""
    ring.name("siti", "siti")
    bench.queue(asking(signed=True), asking("c/q/a", signed=True))
    sign(bench, ring, "siti", "siti")
    (good,), _author = bench.ledger.signatures(KEY)
    assert good.whole
    if copied == "delivery":
        tamper(
            bench,
            "UPDATE approvals SET delivery = 'c/q/a', content_hash = "
            "(SELECT content_hash FROM deliveries WHERE key = 'c/q/a')",
        )
    elif copied == "ledger":
        bench.ledger.ledger_id = "0" * 32
    else:
        tamper(bench, "UPDATE approvals SET name = 'ani', person = 'ani'")
    (bad,), _author = bench.ledger.signatures("c/q/a" if copied == "delivery" else KEY)
    assert not bad.whole


def test_what_was_signed_can_be_read_by_itself(bench: Bench, ring: Ring) -> None:
    """One text for everything: ledger, name, instant, and a line for each delivery."""
    ring.name("siti", "siti")
    bench.queue(asking(signed=True), asking("c/q/a", signed=True))
    sign(bench, ring, "siti", "siti", KEY, "c/q/a")
    (one,), _author = bench.ledger.signatures(KEY)
    (other,), _author = bench.ledger.signatures("c/q/a")
    assert one.text == other.text
    lines = one.text.splitlines()
    assert lines[1:4] == [f"ledger {bench.ledger.ledger_id}", "name siti", "at 2026-12-07T01:00:00.000000Z"]
    assert {line.split()[2] for line in lines[4:]} == {KEY, "c/q/a"}
    assert key_of(one.signature)


def test_a_void_approval_is_told_to_a_person(bench: Bench) -> None:
    """A signature that fails when it is used leaves an event and a notice."""
    bench.queue(asking())
    say_yes(bench, "Siti")
    identifier = 1
    bench.ledger.void_approvals({identifier: "Kunci dicabut."}, actor="w1")
    (event,) = bench.ledger.events(kind="unapproved")
    assert event.data == {"name": "Siti", "reason": "Kunci dicabut."}
    (notice,) = bench.ledger.take_notices()
    assert (notice.key, notice.message) == (KEY, "Siti: Kunci dicabut.")
    assert not goes(bench)


def test_what_falls_due_unapproved_is_told_once(bench: Bench) -> None:
    """A person hears of it when it is due, and again when it got another time; not of what nobody need approve."""
    bench.queue(asking(), make("c/q/a"), asking("c/r/a", due=START + timedelta(hours=1)))
    (notice,) = bench.ledger.take_notices()
    assert (notice.key, notice.message) == (KEY, "It is due, and not approved.")
    assert bench.ledger.take_notices() == []
    bench.clock.forward(minutes=10)
    change(bench, asking(due=START + timedelta(minutes=5)))
    assert [one.key for one in bench.ledger.take_notices()] == [KEY]
    say_yes(bench, "Siti")
    assert bench.ledger.take_notices() == []


@pytest.mark.sqlite
def test_a_restore_brings_no_approval_back_that_was_taken_back(bench: Bench) -> None:
    """A backup keeps approvals; what was withdrawn since stays withdrawn."""
    later = START + timedelta(hours=5)
    bench.queue(asking(due=later), asking("c/q/a", due=later))
    say_yes(bench, "Siti", KEY, "c/q/a")
    file = back_up(bench.ledger).path
    bench.clock.forward(minutes=1)
    bench.ledger.withdraw_approval([KEY], name="Siti", actor="os")
    restore(bench.root, bench.clock, file, asks=asks)
    bench.ledger.close()
    bench.ledger = bench.open()
    bench.clock.at = later
    assert not goes(bench)
    assert goes(bench, "c/q/a")


def test_an_approval_that_was_changed_past_the_program_is_found(bench: Bench) -> None:
    """`ledger check` sees a statement that is not of the content that it stands for."""
    bench.queue(asking())
    say_yes(bench, "Siti")
    with bench.ledger.reading() as connection:
        assert list(sound_approvals(connection)) == []
    tamper(bench, "UPDATE approvals SET content_hash = 'x'")
    with bench.ledger.reading() as connection:
        (finding,) = sound_approvals(connection)
    assert finding.key == KEY


def test_the_export_has_approvals_and_what_was_signed(bench: Bench, ring: Ring) -> None:
    """An auditor sees who approved which content, on which text."""
    from campaign_cli.ledger.export import lines

    ring.name("siti", "siti")
    bench.queue(asking(signed=True))
    sign(bench, ring, "siti", "siti")
    found = [json.loads(line) for line in lines(bench.ledger)]
    (delivery,) = [one for one in found if one["kind"] == "delivery"]
    (approval,) = delivery["approvals"]
    assert (approval["name"], approval["at"]) == ("siti", "2026-12-07T01:00:00.000000+00:00")
    (text,) = [one for one in found if one["kind"] == "signed_text"]
    assert text["sha256"] == approval["statement"]["signed"]


def test_a_draft_of_many_parts_tells_what_changed(bench: Bench) -> None:
    """Of a thread, the word is still text; nothing else is named."""
    bench.queue(asking(parts=["satu", "dua"]))
    say_yes(bench, "Siti")
    change(bench, asking(parts=["satu", "tiga"]))
    ((approval,),) = bench.ledger.approvals([KEY]).values()
    assert approval.changed == ("text",)
