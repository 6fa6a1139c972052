"""Who is to approve is looked at before anything is queued: the file of the approvers, and the author of the plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from content_helpers import ACCOUNTS, Folder

from campaign_cli.models import Problem

POST = "accounts: [langit]\nposts:\n  - {id: satu, at: 2026-12-03 08:00, text: Upah layak.}\n"
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
LINE = f'siti@serikat.example namespaces="campaign" ssh-ed25519 {KEY}\n'
FIX = 'A line for each person: NAME namespaces="campaign" ssh-ed25519 AAAA…'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "folder")
    made.write("accounts.yaml", ACCOUNTS + "rules: {approval: 1, approvers: approvers}\n")
    return made


def told(folder: Folder, body: str = POST) -> list[Problem]:
    return [one for one in folder.plan(body).problems if one.code in ("A023", "P092")]


def test_a_missing_file_of_approvers_is_told_where_it_is_named(folder: Folder) -> None:
    """A warning: plans can still be written, but nothing that needs an approval would go out."""
    (problem,) = told(folder)
    assert (problem.code, problem.severity) == ("A023", "warning")
    assert (problem.file, problem.path) == ("accounts.yaml", "rules.approvers")
    assert (problem.line, problem.column) == (ACCOUNTS.count("\n") + 1, 33)
    assert problem.message == "The file of the approvers, approvers, can't be read: there is no such file or folder"
    assert problem.fix == FIX


@pytest.mark.parametrize("content", ["", "# siti@serikat.example menyusul\n", "siti@serikat.example\n", f"# {LINE}"])
def test_a_file_that_names_nobody_is_told(folder: Folder, content: str) -> None:
    """Empty, or without a key."""
    folder.write("approvers", content)
    (problem,) = told(folder)
    assert problem.message == "The file of the approvers, approvers, names nobody."
    assert problem.fix == FIX


def test_a_file_that_leads_out_of_the_folder_is_told(folder: Folder) -> None:
    """As it would be when a signature is verified."""
    (folder.root.parent / "lain").write_text(LINE)
    (folder.root / "approvers").symlink_to(folder.root.parent / "lain")
    (problem,) = told(folder)
    assert problem.message == "The file of the approvers lies outside the workspace: approvers"
    assert problem.fix


def test_a_file_that_names_somebody_is_not_told(folder: Folder) -> None:
    """Nor is a workspace without the rule."""
    folder.write("approvers", LINE)
    assert told(folder) == []
    folder.write("accounts.yaml", ACCOUNTS + "rules: {approval: 1}\n")
    (folder.root / "approvers").unlink()
    assert told(folder) == []


def test_a_plan_without_its_author_is_told_before_queue_refuses_it(folder: Folder) -> None:
    """Where the author's own approval is not enough, and one is asked for."""
    folder.write("accounts.yaml", ACCOUNTS + "rules: {approval: 1, other_approver: true}\n")
    assert [(one.code, one.severity, one.path) for one in told(folder)] == [("P092", "error", "author")]
    assert told(folder, f"author: Budi\n{POST}") == []
    folder.write("accounts.yaml", ACCOUNTS + "rules: {other_approver: true}\n")
    assert told(folder) == []
    assert [one.code for one in told(folder, f"approval: 1\n{POST}")] == ["P092"]
