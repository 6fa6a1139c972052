"""The first comment under a post: written once after the post is out, and never a reason to doubt the post."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from campaign_cli import platforms
from campaign_cli.models import Draft, Part, State
from campaign_cli.plan import open_workspace
from campaign_cli.report.requests import requests_of
from campaign_cli.stage.rehearsal import rehearse
from campaign_cli.stage.state import StagePost
from tests.fault_helpers import Scene, Theatre, open_theatre
from tests.stage_helpers import file_for

COMMENT = "Baca selengkapnya: https://serikat.example/upah"


@pytest.fixture
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """A stage of its own."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


@pytest.fixture(params=["instagram", "facebook"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, theatre: Theatre) -> Iterator[Scene]:
    """A post with a first comment, due now."""
    opened = Scene(tmp_path, theatre, request.param, ["akun"])
    opened.queue("akun", "Kabar hari ini.", native={"first_comment": COMMENT})
    yield opened
    opened.close()


def posts_of(scene: Scene) -> tuple[list[StagePost], list[StagePost]]:
    """Posts, and comments under them."""
    found = scene.kept("akun")
    return [one for one in found if one.reply_to is None], [one for one in found if one.reply_to is not None]


def published(scene: Scene) -> str:
    """What the ledger says beside the state, which must be published; there is one post."""
    assert scene.settle() == []
    delivery = scene.deliveries()["akun/kabar"]
    assert delivery.state is State.PUBLISHED
    assert len(posts_of(scene)[0]) == 1
    return delivery.error


def test_it_is_written_once_under_the_post_that_is_out(scene: Scene) -> None:
    """The post first, then the comment under it; nothing is left to say."""
    assert published(scene) == ""
    (post,), (comment,) = posts_of(scene)
    assert (comment.text, comment.reply_to) == (COMMENT, post.id)
    assert scene.ledger.take_notices() == []


def test_a_refusal_leaves_the_post_published_and_tells_people(scene: Scene) -> None:
    """The permission for comments is missing: published, one post, and a person hears what to do by hand."""
    scene.misbehave("akun", kind="refuse", skip=1)
    assert "by hand" in published(scene)
    assert posts_of(scene)[1] == []
    (notice,) = scene.ledger.take_notices()
    assert (notice.kind, "by hand" in notice.message) == (State.PUBLISHED, True)


def test_a_network_that_is_busy_gets_it_a_moment_later(scene: Scene) -> None:
    """Away for a moment, right after it has taken the post."""
    scene.misbehave("akun", kind="answer", status=429, body="empty", skip=1, times=2)
    assert published(scene) == ""
    assert len(posts_of(scene)[1]) == 1


def test_a_lost_answer_is_not_answered_by_a_second_comment(scene: Scene) -> None:
    """It was stored and the connection broke: one comment, and a person is told to look."""
    scene.misbehave("akun", kind="accept-then-drop", skip=1, times=1)
    assert "not known" in published(scene)
    assert len(posts_of(scene)[1]) == 1


def test_a_post_that_was_found_again_gets_its_comment(scene: Scene) -> None:
    """The answer to the post was lost; the look-up finds it, and the comment follows."""
    scene.misbehave("akun", kind="accept-then-drop", times=1)
    assert published(scene) == ""
    assert len(posts_of(scene)[1]) == 1


@pytest.mark.parametrize("written", [False, True])
def test_a_process_that_dies_between_post_and_comment_loses_neither(
    scene: Scene, written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed right before the comment or right after: the next process writes it, or knows that it is there."""
    afterwards = type(scene.adapter).afterwards

    async def killed(adapter: Any, sending: Any, receipt: Any) -> str:
        if written:
            await afterwards(adapter, sending, receipt)
        raise SystemExit("killed")

    with monkeypatch.context() as dying:
        dying.setattr(type(scene.adapter), "afterwards", killed)
        with pytest.raises(SystemExit):
            scene.publish()
    asyncio.run(scene.clock.sleep(600))
    assert published(scene) == ""
    assert len(posts_of(scene)[1]) == 1


def test_a_hold_stops_it_and_not_the_post(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held right after the post went out: no comment, and people are told."""
    afterwards = type(scene.adapter).afterwards

    async def held(adapter: Any, sending: Any, receipt: Any) -> str:
        scene.ledger.hold(reason="Krisis", actor="uji")
        return str(await afterwards(adapter, sending, receipt))

    monkeypatch.setattr(type(scene.adapter), "afterwards", held)
    assert "is held" in published(scene)
    assert posts_of(scene)[1] == []


@pytest.mark.parametrize(("name", "limit"), [("instagram", 2200), ("facebook", 8000)])
def test_what_cannot_be_written_is_found_by_the_check(name: str, limit: int) -> None:
    """At the limit it fits, one character more is refused; on Facebook, so is one beside a thread."""

    def refusals(text: str, *parts: Part) -> list[str]:
        draft = Draft(
            platform=name, account="a", address="x", language="id", parts=parts or (Part(text="Kabar"),),
            native={"first_comment": text},
        )  # fmt: skip
        return [refusal.code for refusal in platforms.get(name).objections(draft)]

    assert refusals("a" * limit) == []
    assert refusals("a" * (limit + 1)) == ["first_comment"]
    assert refusals("a", Part(text="Satu"), Part(text="Dua")) == ["first_comment"]
    assert refusals("") == []


def test_the_preview_shows_it(scene: Scene) -> None:
    """The last request is the comment's, as it will be sent."""
    new = scene.new_delivery("akun", "Kabar hari ini.", native={"first_comment": COMMENT})
    account = scene.workspace.accounts[new.account]
    shown = asyncio.run(
        requests_of(
            Draft.from_json(new.draft_json), account=account, key=new.key, due=new.due, content=lambda _sha: b"gambar"
        )
    )
    assert shown[-1].url.endswith("/comments")
    assert (shown[-1].body, shown[-1].creating) == ({"message": COMMENT}, True)


ACCOUNTS = """
accounts:
  laman: {platform: facebook, page: 100000000007, token: env:TIADA, timezone: WIB}
  gambar: {platform: instagram, login: facebook, account: 17841400000000001, token: env:TIADA_LAGI, timezone: WIB,
           media_host: web}
  web: {platform: wordpress, url: "https://serikat.example", username: redaksi, password: env:TIADA_PULA}
"""
PLAN = """
campaign: upah
title: Upah Layak
timezone: WIB
day: 2026-12-10
language: id
accounts: [laman, gambar]
posts:
  - id: pembuka
    at: H-7 08:00
    text: Upah layak adalah hak.
    media: [{file: poster.jpg, alt: Poster merah}]
    variants:
      facebook: {first_comment: "Baca: https://serikat.example"}
      instagram: {first_comment: "Baca: https://serikat.example"}
"""


@pytest.mark.parametrize("misbehave", [(), ("gambar:refuse:skip=1",)])
def test_a_rehearsal_knows_it_and_says_when_it_is_missing(tmp_path: Path, misbehave: tuple[str, ...]) -> None:
    """Under the post with its words it is as written, and no stray; where it is missing, the rehearsal isn't faithful.
    An account with Facebook Login is played by its own number."""
    (tmp_path / "accounts.yaml").write_text(ACCOUNTS)
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "poster.jpg").write_bytes(file_for("instagram", 400, 400)[0])
    workspace, problems = open_workspace(tmp_path)
    plan, now = tmp_path / "plan.yaml", datetime(2026, 11, 1, tzinfo=UTC)
    done = rehearse(plan, workspace, now=now, workspace_problems=problems, misbehave=misbehave)
    assert [row.state for row in done.rows] == [State.PUBLISHED] * 2
    assert (done.faithful, done.strays) == (not misbehave, ())
    assert any("by hand" in difference for row in done.rows for difference in row.differences) is bool(misbehave)
