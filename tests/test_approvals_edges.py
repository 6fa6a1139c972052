"""The edges of approvals: what is told to have changed, whose key it is, and what ssh-keygen complains of."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ledger_helpers import START, Bench, tamper
from signing_helpers import TOOL, Ring
from test_approvals import asking, say_yes, sign

from campaign_cli.errors import InputError
from campaign_cli.ledger import Changes, Move
from campaign_cli.ledger.approved import Seen as Shown
from campaign_cli.ledger.approved import changed_since, hash_of, speaks_of, statement, text_to_sign
from campaign_cli.models import Draft, Part, Picture
from campaign_cli.signatures import Signers, checked_name, fingerprint, key_of

DUE = datetime(2026, 12, 1, 2, tzinfo=UTC)
PICTURE = Picture(sha256="0" * 64, name="a.png", mime="image/png", size=1, width=1, height=1, alt="Poster")
DRAFT = Draft(
    platform="mastodon",
    account="a",
    address="https://m.example/@a",
    language="id",
    parts=(Part(text="Halo", media=(PICTURE,)),),
    visibility="public",
    link="https://contoh.example/",
    native={"cw": "isi"},
)


def part(**changes: Any) -> tuple[Part, ...]:
    return (replace(DRAFT.parts[0], **changes),)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (DRAFT, ()),
        (replace(DRAFT, parts=part(text="Hai")), ("text",)),
        (replace(DRAFT, parts=part(media=(replace(PICTURE, sha256="1" * 64),))), ("picture",)),
        (replace(DRAFT, parts=part(media=(replace(PICTURE, alt="Lain"),))), ("alt text",)),
        (replace(DRAFT, address="https://m.example/@b"), ("account",)),
        (replace(DRAFT, link="https://contoh.example/b"), ("link",)),
        (replace(DRAFT, visibility="unlisted"), ("visibility",)),
        (replace(DRAFT, language="en"), ("language",)),
        (replace(DRAFT, native={"cw": "lain"}), ("the network's own fields",)),
    ],
)
def test_each_change_is_called_by_its_name(now: Draft, words: tuple[str, ...]) -> None:
    """What an approver saw, against what would be sent."""
    kept = statement(DRAFT.to_json(), due=DUE, embargo=None, signed=None)
    assert changed_since(kept, now.to_json(), due=DUE, embargo=None) == words


def test_other_instants_are_changes() -> None:
    """The due time and the embargo."""
    kept = statement(DRAFT.to_json(), due=DUE, embargo=DUE, signed=None)
    later = DUE + timedelta(seconds=1)
    assert changed_since(kept, DRAFT.to_json(), due=DUE, embargo=DUE) == ()
    assert changed_since(kept, DRAFT.to_json(), due=later, embargo=DUE) == ("due time",)
    assert changed_since(kept, DRAFT.to_json(), due=DUE, embargo=None) == ("embargo",)
    assert changed_since("{}", DRAFT.to_json(), due=DUE, embargo=DUE) == ("it can't be read",)


@pytest.mark.parametrize("embargo", [None, DUE])
def test_the_hash_of_what_was_shown(embargo: datetime | None) -> None:
    """It is the one of the content with its embargo."""
    kept = statement(DRAFT.to_json(), due=DUE, embargo=embargo, signed=None)
    assert hash_of(kept) == DRAFT.content_hash(DUE, embargo=embargo)
    assert hash_of(kept) != DRAFT.content_hash(DUE, embargo=DUE + timedelta(days=1))


def test_a_signed_text_speaks_of_what_stands_below_its_head() -> None:
    """A line of it in the name is none, nor is one of another ledger."""
    one = Shown(key="c/p/a", content_hash="f" * 64, due=DUE)
    text = text_to_sign("ledger", name="siti", at=DUE, seen=[one])
    assert speaks_of(text, ledger_id="ledger", name="siti", at=DUE, one=one)
    assert not speaks_of(text, ledger_id="other", name="siti", at=DUE, one=one)
    assert not speaks_of(text, ledger_id="ledger", name="budi", at=DUE, one=one)
    assert not speaks_of(text, ledger_id="ledger", name="siti", at=DUE, one=replace(one, key="c/p/b"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "workspace").mkdir()
    return Bench(tmp_path / "workspace")


@pytest.fixture
def ring(bench: Bench) -> Ring:
    return Ring(bench.root.parent / "keys", bench.root)


def signers(bench: Bench, tool: str | None = TOOL) -> Signers:
    return Signers(root=bench.root, approvers="approvers", tool=tool)


def test_the_authors_key_below_other_lines(bench: Bench, ring: Ring) -> None:
    """Remarks, broken lines and the keys of others stand above it; its padding may be left out."""
    ring.name("siti", "budi")
    signature = signers(bench).sign("x\n", ring.key("budi"))
    other = ring.public("lain")
    kind, key = ring.public("budi").split()
    ring.lines = [
        "# penyetuju",
        "rusak",
        "ssh-ed25519",
        f"ani {other}",
        f'"Budi, B. Santoso" {kind} {key}',
        *ring.lines,
    ]
    ring.write()
    for author in ("budi", "b. santoso"):
        why = signers(bench).objection("x\n", signature, name="siti", author=author, at=START)
        assert why == "The key is the one of the plan's author."
    assert signers(bench).objection("x\n", signature, name="siti", author="ani", at=START) == ""


def tool(folder: Path, script: str) -> str:
    """A program in the place of ssh-keygen."""
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (r"printf 'first\nLast one.\n\n' >&2", "Last one"),
        (r"printf 'a\033[31mb\n' >&2", "a [31mb"),
        (r"printf '\377\n' >&2", "�"),
        (r"printf '%0400d' 0 >&2", "0" * 300),
        (":", "–"),
    ],
)
def test_the_last_complaint_is_told(bench: Bench, said: str, reason: str) -> None:
    """One line, without signs that steer terminals, and not for ever."""
    with pytest.raises(InputError) as caught:
        signers(bench, tool(bench.root, f"{said}; exit 1")).sign("x", "key")
    assert caught.value.message == f"It could not be signed: {reason}"
    assert "--sign FILE" in caught.value.fix


def test_without_the_tool(bench: Bench, ring: Ring) -> None:
    """Nothing is signed, and nothing counts."""
    ring.name("siti", "siti")
    signature = signers(bench).sign("x\n", ring.key("siti"))
    for absent in (None, str(bench.root / "none")):
        with pytest.raises(InputError):
            signers(bench, absent).sign("x", "key")
        why = signers(bench, absent).objection("x\n", signature, name="siti", author="", at=START)
        assert "ssh-keygen" in why


def test_a_signature_names_its_key(bench: Bench, ring: Ring) -> None:
    """The same that ssh-keygen names, and None for what is broken anywhere."""
    import subprocess

    ring.name("siti", "siti")
    signature = signers(bench).sign("x\n", ring.key("siti"))
    key = key_of(signature)
    assert key == base64.b64decode(ring.public("siti").split()[1])
    told = subprocess.run([str(TOOL), "-l", "-f", ring.key("siti")], capture_output=True, text=True, check=True)
    assert fingerprint(key) == told.stdout.split()[1]
    body = base64.b64decode("".join(signature.split("-----")[2].split()))
    for broken in (b"", body[:5], body[:12], b"X" + body[1:], body[:20], body.replace(b"ssh-ed25519", b"s-cert-1234")):
        text = base64.b64encode(broken).decode()
        assert key_of(f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----") is None


@pytest.mark.parametrize("name", ["", "  ", "a" * 201, "a\x1bb", "siti\u3164", "sіti", "Σiti"])
def test_names_that_pass_for_others(name: str) -> None:
    """Empty, endless, unseen signs, or letters of two scripts that look alike."""
    with pytest.raises(InputError):
        checked_name(name)
    assert checked_name("  Siti   Rahayu ") == "Siti Rahayu"
    assert checked_name("a" * 200) == "a" * 200


def test_a_file_of_approvers_has_a_size(bench: Bench, ring: Ring) -> None:
    """One MiB is read, and a larger one verifies nothing."""
    ring.name("siti", "siti")
    signature = signers(bench).sign("x\n", ring.key("siti"))
    size = len((bench.root / "approvers").read_bytes())
    for more, good in ((1024 * 1024 - size - 1, True), (1024 * 1024 - size, False)):
        ring.lines = [*ring.lines[:1], "#" + "x" * (more - 1)]
        ring.write()
        why = signers(bench).objection("x\n", signature, name="siti", author="", at=START)
        assert why == ("" if good else "The file of the approvers is too large.")


def test_a_statement_is_small_and_sorted() -> None:
    """So that the same content is the same text."""
    kept = statement(DRAFT.to_json(), due=DUE, embargo=None, signed="s")
    assert list(json.loads(kept)) == ["draft", "due", "embargo", "signed"]


def test_each_question_has_its_own_answer(bench: Bench, ring: Ring) -> None:
    """One verifier remembers what it found, of that text, signature, name, author and list of people alone."""
    ring.name("siti", "siti")
    one = signers(bench)
    signature = one.sign("x\n", ring.key("siti"))
    for _again in range(2):
        assert one.objection("x\n", signature, name="siti", author="", at=START) == ""
        assert one.objection("y\n", signature, name="siti", author="", at=START)
        assert one.objection("x\n", signature, name="ani", author="", at=START)
        assert one.objection("x\n", "none", name="siti", author="", at=START)
    ring.name("budi", "siti")
    assert one.objection("x\n", signature, name="siti", author="budi", at=START)
    ring.lines = [f"ani {ring.public('ani')}"]
    ring.write()
    assert one.objection("x\n", signature, name="siti", author="", at=START)


def test_a_rename_voids_what_was_renamed_alone(bench: Bench) -> None:
    """Other approvals stay, what is over keeps its story, and the log says why."""
    bench.queue(asking("c/p/a"), asking("c/r/a"))
    say_yes(bench, "Siti", "c/p/a", "c/r/a")
    say_yes(bench, "Ani", "c/p/a")
    bench.ledger.withdraw_approval(["c/p/a"], name="Ani", actor="os")
    move = Move(old_key="c/p/a", delivery=asking("c/q/a", text="Pos c/p/a"), as_it_is=False)
    known = bench.ledger.known("c")
    bench.ledger.apply(
        Changes(moved=(move,), seen={"c/p/a": known["c/p/a"]}, media=str.encode, positions={"c/r/a": 0}), actor="os"
    )
    told = bench.ledger.approvals(["c/q/a", "c/r/a"])
    assert [(one.name, one.void) for one in told["c/q/a"]] == [("Siti", "moved"), ("Ani", "withdrawn")]
    assert [(one.name, one.void) for one in told["c/r/a"]] == [("Siti", "")]
    assert [event.data["reason"] for event in bench.ledger.events(kind="unapproved")][-1] == "moved"


@pytest.mark.sqlite
@pytest.mark.parametrize("change", ["UPDATE signed_texts SET text = text || ' '", "DELETE FROM signed_texts"])
def test_a_signed_text_that_was_changed_is_none(bench: Bench, ring: Ring, change: str) -> None:
    """What the approval names by its hash must be what is there."""
    ring.name("siti", "siti")
    bench.queue(asking("c/p/a", signed=True))
    sign(bench, ring, "siti", "siti")
    tamper(bench, change)
    (one,), _author = bench.ledger.signatures("c/p/a")
    assert (one.whole, one.text) == (False, "")
