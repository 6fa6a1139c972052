"""Members' safety through the command line: what is refused, what is shown, and what is never repeated."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from conftest import Campaign
from refusals import HEAD, refused, workspace

ROOT = Path(__file__).parent.parent
PHONE = "0812-0000-1234"
PLAN = f"{HEAD}  - id: satu\n    at: 2035-06-01 08:00\n    text: Hubungi Kak Ani di {PHONE}.\n"
FIX = (
    "Leave it out. If it is meant to be seen, name it under public_contacts in accounts.yaml; "
    "if this is a mistake, say so in the plan: waive: {S006: the reason}"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = workspace(tmp_path)
    (made / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return made


@pytest.mark.parametrize("command", ["check", "queue", "rehearse"])
def test_a_telephone_number_is_refused(campaign: Campaign, root: Path, command: str) -> None:
    """Every command on the way out says it at its place, exits 2 and changes nothing."""
    more = ("--yes",) if command == "queue" else ()
    words = refused(campaign, command, "plan.yaml", *more, says="S006", fix="Leave it out.", root=root, never=PHONE)
    assert "plan.yaml:9:11" in words
    assert "This looks like a telephone number: 08…34." in words


def test_json(campaign: Campaign, root: Path) -> None:
    """One document with all that a program needs, and without the number."""
    ran = campaign("check", "plan.yaml", "--format", "json")
    assert ran.code == 2
    (problem,) = [one for one in json.loads(ran.out)["problems"] if one["code"] == "S006"]
    assert problem == {
        "code": "S006",
        "severity": "error",
        "file": "plan.yaml",
        "line": 9,
        "column": 11,
        "path": "posts[0].text",
        "message": "This looks like a telephone number: 08…34.",
        "fix": FIX,
    }
    assert PHONE not in ran.out + ran.err


def test_annotations(campaign: Campaign, root: Path) -> None:
    """On GitHub it stands at its line; warnings and hints keep their level."""
    ran = campaign("check", "plan.yaml", "--format", "github")
    assert (
        f"::error file=plan.yaml,line=9,col=11,title=S006::This looks like a telephone number: 08…34. {FIX}" in ran.out
    )
    (root / "plan.yaml").write_text(PLAN.replace(PHONE, "B 1234 XYZ"), encoding="utf-8")
    ran = campaign("check", "plan.yaml", "--format", "github")
    assert "::warning file=plan.yaml,line=9,col=11,title=S009::" in ran.out
    assert ran.code == 0


def test_public_contacts_and_their_end(campaign: Campaign, root: Path) -> None:
    """What the workspace calls public may be queued; the protected list is asked by queue, too."""
    accounts = root / "accounts.yaml"
    accounts.write_text(accounts.read_text(encoding="utf-8") + f"public_contacts: ['{PHONE}']\n", encoding="utf-8")
    assert campaign("check", "plan.yaml").code == 0
    ran = campaign("queue", "plan.yaml", "--yes")
    assert ran.code == 0, ran.err
    accounts.write_text(accounts.read_text(encoding="utf-8") + "protected: [Kak Ani]\n", encoding="utf-8")
    (root / "plan.yaml").write_text(PLAN.replace("Hubungi", "Tanya"), encoding="utf-8")
    ran = campaign("queue", "plan.yaml", "--yes")
    assert ran.code == 2
    assert "A protected name stands here (accounts.yaml, protected[0])." in ran.err
    assert "Ani" not in ran.out + ran.err


def test_a_single_message_is_judged_too(campaign: Campaign, root: Path) -> None:
    """What is posted without a plan is held against the same rules."""
    ran = campaign("post", f"Hubungi {PHONE}", "--to", "mastodon", "--at", "2035-06-01 08:00")
    assert ran.code == 2
    assert "error S006: This looks like a telephone number: 08…34." in ran.err
    assert PHONE not in ran.out + ran.err
    assert campaign("status", "--json").out.count('"key"') == 0
    assert campaign("post", "Hubungi pengurus", "--to", "mastodon", "--at", "2035-06-01 08:00").code == 0


def test_explain(campaign: Campaign) -> None:
    """Each code is explained, with the law that it has in mind."""
    ran = campaign("check", "--explain", "s011")
    assert ran.code == 0
    assert ran.out.startswith("S011: A protected name is in what is sent\n")
    assert "UU 31/2014" in ran.out


@pytest.mark.parametrize("path", sorted((ROOT / "campaigns").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_campaigns_raise_no_alarm(campaign: Campaign, path: Path) -> None:
    """Not even a hint of safety is said of the examples."""
    ran = campaign("check", path, "--workspace", ROOT, "--json")
    assert ran.code == 0
    assert [problem for problem in json.loads(ran.out)["problems"] if problem["code"].startswith("S")] == []


def test_the_shipped_campaigns_are_looked_at(campaign: Campaign, tmp_path: Path) -> None:
    """Without the federation's own contacts, the same campaigns would be refused."""
    for folder in ("media", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    accounts = (ROOT / "accounts.yaml").read_text(encoding="utf-8")
    (tmp_path / "accounts.yaml").write_text(accounts.partition("public_contacts:")[0], encoding="utf-8")
    for path in (ROOT / "campaigns").glob("*.yaml"):
        written = path.read_text(encoding="utf-8").replace("consent: true", "consent: false")
        (tmp_path / path.name).write_text(written, encoding="utf-8")
    ran = campaign("check", *sorted(tmp_path.glob("*.yaml"))[1:], "--json")
    assert ran.code == 2
    found = Counter(problem["code"] for problem in json.loads(ran.out)["problems"] if problem["severity"] == "error")
    assert found == {"S007": 5, "S015": 11}
