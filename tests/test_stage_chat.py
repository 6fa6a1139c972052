"""Discord and Slack on the stage: they answer as documented, over real sockets and without our adapters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stage_helpers import Played, open_played, png


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


# --- Discord


def hook(stage: Played, tail: str = "", *, token: str | None = None) -> str:
    """The webhook's address on the stage."""
    number, _slash, own = stage.secret("discord").partition("/webhooks/")[2].partition("/")
    return f"{stage.path('discord')}/api/v10/webhooks/{number}/{token or own}{tail}"


def test_discord_without_wait_says_nothing(stage: Played) -> None:
    """204 without a number, unless the message is waited for."""
    silent = stage.http.post(hook(stage), json={"content": "satu"})
    waited = stage.http.post(hook(stage), params={"wait": "true"}, json={"content": "dua"})
    assert (silent.status_code, silent.content) == (204, b"")
    assert waited.json()["content"] == "dua"
    assert waited.headers["x-ratelimit-remaining"] == "3"
    assert [post["text"] for post in stage.posts()] == ["satu", "dua"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, 50006),
        ({"content": " "}, 400, 50006),
        ({"content": "x" * 2001}, 400, 50035),
        ({"content": "x", "attachments": [{"id": "0", "description": "x" * 1025}]}, 400, 50035),
    ],
)
def test_discord_refuses_by_code(stage: Played, body: dict[str, Any], status: int, code: int) -> None:
    """Empty and too long messages have their codes, and nothing is stored."""
    answer = stage.http.post(hook(stage), json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert stage.posts() == []


def test_discord_knows_its_webhook(stage: Played) -> None:
    """A wrong token is 401 with 50027, an unknown webhook 404 with 10015, an unknown message 404 with 10008."""
    wrong = stage.http.get(hook(stage, token="salah"))
    unknown = stage.http.get(f"{stage.path('discord')}/api/v10/webhooks/1/x")
    missing = stage.http.get(hook(stage, "/messages/1"))
    found = [(answer.status_code, answer.json()["code"]) for answer in (wrong, unknown, missing)]
    assert found == [(401, 50027), (404, 10015), (404, 10008)]


def test_discord_throttles_by_bucket(stage: Played) -> None:
    """Five messages in two seconds; the sixth is told how long to wait, with a fraction in the body."""
    answers = [stage.http.post(hook(stage), json={"content": str(number)}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [204] * 5 + [429]
    assert answers[5].json()["retry_after"] == 2.0
    assert answers[5].headers["retry-after"] == "2"
    stage.clock.move(seconds=3)
    assert stage.http.post(hook(stage), json={"content": "lagi"}).status_code == 204


def test_discord_shows_what_people_read(stage: Played) -> None:
    """Marks and backslashes are gone from what is shown; files are described in the order of their numbers."""
    content = r"**Upah** nama\_panjang `a_b` [di sini](https://a.example/x) https://a.example/a_b"
    body = {"content": content, "attachments": [{"id": "0", "description": "Satu"}, {"id": "1"}]}
    files = {"files[1]": ("b.png", png(10, 10), "image/png"), "files[0]": ("a.png", png(), "image/png")}
    answer = stage.http.post(hook(stage), data={"payload_json": json.dumps(body)}, files=files)
    assert answer.status_code == 204
    (post,) = stage.posts()
    assert post["text"] == "Upah nama_panjang a_b di sini https://a.example/a_b"
    assert post["alts"] == ["Satu", ""]


# --- Slack


def slack(stage: Played, method: str, *, token: str | None = None, **values: Any) -> httpx.Response:
    """A method call with JSON."""
    headers = {"Authorization": f"Bearer {token or stage.secret('slack')}"}
    return stage.http.post(f"{stage.path('slack')}/api/{method}", json=values, headers=headers)


CHANNEL = {"channel": "C0CONTOH01"}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({**CHANNEL}, "no_text"),
        ({"channel": "C9", "text": "x"}, "channel_not_found"),
        ({**CHANNEL, "text": "x" * 4001}, "msg_too_long"),
        ({**CHANNEL, "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
        ({**CHANNEL, "text": "x", "blocks": [{"type": "image", "slack_file": {"id": "F1"}}]}, "invalid_blocks"),
        (
            {**CHANNEL, "text": "x", "blocks": [{"type": "image", "alt_text": "x", "slack_file": {"id": "F1"}}]},
            "invalid_blocks",
        ),
        (
            {**CHANNEL, "text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]},
            "invalid_blocks",
        ),
    ],
)
def test_slack_refuses_with_status_200(stage: Played, values: dict[str, Any], error: str) -> None:
    """ok: false and a code; nothing is stored."""
    answer = slack(stage, "chat.postMessage", **values)
    assert (answer.status_code, answer.json()["ok"], answer.json()["error"]) == (200, False, error)
    assert stage.posts() == []


def test_slack_wants_its_token_and_the_bot_in_the_channel(stage: Played) -> None:
    """Another token is invalid_auth; a bot that was not invited is not_in_channel."""
    assert slack(stage, "auth.test", token="xoxb-salah").json()["error"] == "invalid_auth"
    assert "chat:write" in slack(stage, "auth.test").headers["x-oauth-scopes"]
    assert slack(stage, "chat.tidakAda").json()["error"] == "unknown_method"
    name = stage.account("slack").name
    stage.server.state.add_accounts({name: replace(stage.server.state.accounts[name], role="outside")})
    assert slack(stage, "chat.postMessage", **CHANNEL, text="x").json()["error"] == "not_in_channel"


def test_slack_shows_a_file_only_when_it_is_ready(stage: Played) -> None:
    """Its type is empty at first, and a message that shows it then is refused."""
    content = png()
    ticket = slack(stage, "files.getUploadURLExternal", filename="a.png", length=len(content)).json()
    done = [{"id": ticket["file_id"], "title": "a.png"}]
    assert slack(stage, "files.completeUploadExternal", files=done).json()["error"] == "file_not_found"
    assert httpx.post(ticket["upload_url"], content=content[:-1], trust_env=False).status_code == 400
    assert httpx.post(ticket["upload_url"], content=content, trust_env=False).text == f"OK - {len(content)}"
    assert slack(stage, "files.completeUploadExternal", files=done).json()["ok"]
    block = {"type": "image", "alt_text": "Satu", "slack_file": {"id": ticket["file_id"]}}
    early = slack(stage, "chat.postMessage", **CHANNEL, text="x", blocks=[block]).json()
    assert "invalid slack file" in early["errors"][0]
    types = [slack(stage, "files.info", file=ticket["file_id"]).json()["file"]["mimetype"] for _look in range(2)]
    assert types == ["", "image/png"]
    assert slack(stage, "chat.postMessage", **CHANNEL, text="x", blocks=[block]).json()["ok"]
    (post,) = stage.posts()
    assert (post["alts"], post["media"][0] != "") == (["Satu"], True)


def test_slack_pages_its_history_and_keeps_metadata_to_who_asks(stage: Played) -> None:
    """Newest first, a hundred a page; answers stand in their thread alone."""
    stage.server.state.enforce_rates = False
    metadata = {"event_type": "campaign_post", "event_payload": {"key": "k"}}
    first = slack(stage, "chat.postMessage", **CHANNEL, text="akar", metadata=metadata).json()["ts"]
    slack(stage, "chat.postMessage", **CHANNEL, text="jawaban", thread_ts=first)
    for number in range(100):
        slack(stage, "chat.postMessage", **CHANNEL, text=str(number))
    page = slack(stage, "conversations.history", **CHANNEL, limit=200).json()
    assert (len(page["messages"]), page["has_more"]) == (100, True)
    cursor = page["response_metadata"]["next_cursor"]
    last = slack(stage, "conversations.history", **CHANNEL, cursor=cursor, include_all_metadata=True).json()
    assert [(message["text"], message["metadata"]) for message in last["messages"]] == [("akar", metadata)]
    thread = slack(stage, "conversations.replies", **CHANNEL, ts=first).json()["messages"]
    assert [(message["text"], "metadata" in message) for message in thread] == [("akar", False), ("jawaban", False)]


def test_slack_shows_what_people_read(stage: Played) -> None:
    """Marks, references and escapes are undone; marks only where they are not switched off."""
    text = "*Upah* &amp; <https://a.example|di sini> _formulir_ nama_panjang_ini https://a.example/a_b_c"
    slack(stage, "chat.postMessage", **CHANNEL, text=text)
    slack(stage, "chat.postMessage", **CHANNEL, text="isi _formulir_", mrkdwn=False)
    pieces = [
        {"type": "text", "text": "isi _formulir_ & "},
        {"type": "link", "text": "ini", "url": "https://a.example"},
    ]
    section = {"type": "rich_text_section", "elements": pieces}
    slack(stage, "chat.postMessage", **CHANNEL, text="x", blocks=[{"type": "rich_text", "elements": [section]}])
    section["elements"] = [{"type": "mention", "text": "x"}]
    refused = slack(
        stage, "chat.postMessage", **CHANNEL, text="x", blocks=[{"type": "rich_text", "elements": [section]}]
    )
    assert refused.json()["error"] == "invalid_blocks"
    shown = [post["text"] for post in stage.posts()]
    assert shown == [
        "Upah & di sini formulir nama_panjang_ini https://a.example/a_b_c",
        "isi _formulir_",
        "isi _formulir_ & ini",
    ]


def test_a_slack_webhook_says_ok_or_a_word(stage: Played) -> None:
    """Plain text, as the real one: ok, no_text, no_service, invalid_token."""
    path = stage.secret("slack-webhook").partition("/services/")[2]
    base = f"{stage.path('slack-webhook')}/services"
    good = stage.http.post(f"{base}/{path}", json={"text": "Halo"})
    assert (good.status_code, good.text) == (200, "ok")
    empty = stage.http.post(f"{base}/{path}", json={"text": ""})
    unknown = stage.http.post(f"{base}/T0/B0/x", json={"text": "Halo"})
    wrong = stage.http.post(f"{base}/{path}x", json={"text": "Halo"})
    broken = stage.http.post(f"{base}/{path}", content=b"{", headers={"Content-Type": "application/json"})
    assert [(answer.status_code, answer.text) for answer in (empty, unknown, wrong, broken)] == [
        (400, "no_text"),
        (404, "no_service"),
        (403, "invalid_token"),
        (400, "invalid_payload"),
    ]
    assert [post["text"] for post in stage.posts()] == ["Halo"]


def test_counts_name_no_secret(stage: Played) -> None:
    """What was asked how often is shown without any webhook's address."""
    stage.http.post(hook(stage), json={"content": "x"})
    stage.http.post(
        f"{stage.path('slack-webhook')}/services/{stage.secret('slack-webhook').partition('/services/')[2]}"
    )
    shown = stage.http.get("/_stage/requests").text
    assert "POST webhook" in shown
    for platform in ("discord", "slack-webhook"):
        assert stage.secret(platform).rpartition("/")[2] not in shown
