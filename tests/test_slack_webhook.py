"""Slack's incoming webhook: a message, an ``ok``, and an address that must not leak."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_specification import NEWER, Checked, webhook_check
from platform_helpers import NOW, answer, failure_of, json_of, parts, picture, sending, wire_to
from pydantic import ValidationError

from campaign_cli.credentials import Secrets
from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Receipt
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.platforms.slack_webhook import platform
from campaign_cli.report.requests import requests_of

KEY = "c0nt0hR4h4s14panjang"
SECRET = f"https://hooks.slack.com/services/T0AAA1111/B0BBB2222/{KEY}"
SETTINGS = {"webhook": "env:SLACK_WEBHOOK"}
ACCOUNT = {"no_service", "no_service_id", "no_active_hooks", "no_team", "team_disabled", "invalid_token"}


def network(*replies: Any) -> Checked:
    return Checked(check=webhook_check, replies=list(replies))


def on_its_way(through: Any, *, secret: str = SECRET, **more: Any) -> Any:
    more.setdefault("settings", SETTINGS)
    return sending(platform, through, secrets={"webhook": secret}, **more)


def test_a_message_goes_out_under_its_key() -> None:
    """The text is mrkdwn; Slack says ``ok`` alone, so the attempt's key, which goes along, is the receipt's id."""
    through = network(answer(200, text="ok"))
    item = on_its_way(through, content=parts("Upah & hak <b>"))
    receipt = asyncio.run(platform.publish(item))
    (request,) = through.requests
    assert str(request.url) == SECRET
    assert json_of(request) == {
        "text": "Upah &amp; hak &lt;b&gt;",
        "unfurl_links": True,
        "unfurl_media": True,
        "metadata": {"event_type": "campaign_post", "event_payload": {"key": item.key}},
    }
    assert (receipt.id, receipt.url, receipt.at) == (item.key, None, NOW)


def test_signs_in_a_text_are_no_marks() -> None:
    """As through a bot: a text with signs goes as rich text."""
    through = network(answer(200, text="ok"))
    asyncio.run(platform.publish(on_its_way(through, content=parts("**Isi** _formulir_"))))
    (section,) = json_of(through.requests[0])["blocks"][0]["elements"]
    assert section["elements"] == [
        {"type": "text", "text": "Isi", "style": {"bold": True}},
        {"type": "text", "text": " _formulir_"},
    ]


def test_pictures_are_refused_before_anything_is_sent() -> None:
    """A webhook can't upload."""
    through = network()
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through, content=parts("Foto", media=[picture()])))))
    assert isinstance(failure, Rejected)
    assert through.requests == []


@pytest.mark.parametrize(("code", "status"), NEWER["webhook_errors"].items())
def test_each_documented_word_has_its_meaning(code: str, status: int) -> None:
    """A webhook that works no more is a matter of the secret; all the others are refusals."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network(answer(status, text=code))))))
    assert type(failure) is (Unauthorized if code in ACCOUNT else Rejected)
    assert code in failure.message
    assert bool(failure.fix) is (code not in {"invalid_payload", "no_text", "too_many_attachments"})


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(429, text="rate_limited", headers={"Retry-After": "30"}), Unavailable),
        (httpx.ConnectError("no route to host"), Unavailable),
        (answer(500, text="rollup_error"), Unconfirmed),
        (answer(200, text="<html>"), Unconfirmed),
        (answer(200, {}), Unconfirmed),
        (httpx.ReadTimeout("slow"), Unconfirmed),
    ],
)
def test_only_what_never_left_may_be_sent_again(reply: Any, kind: type[Failure]) -> None:
    """Anything but ``ok`` and a refusal proves nothing."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network(reply)))))
    assert type(failure) is kind


def test_nothing_can_be_proved_read_or_deleted() -> None:
    """No look-up, no read-back, no address of a post; deleting says so."""
    through = network()
    item, receipt = on_its_way(through), Receipt(part=0, id="k", url=None, at=NOW)
    looked = asyncio.run(platform.look_up(item, NOW))
    assert (looked.found, looked.complete) == ((), False)
    assert asyncio.run(platform.read_back(item, receipt)) is None
    assert asyncio.run(platform.find(item, "https://contoh.slack.com/archives/C1/p1700000000000100")) is None
    assert isinstance(asyncio.run(failure_of(platform.delete(item, receipt))), Rejected)
    assert platform.proof.blind
    assert through.requests == []


def test_check_posts_nothing() -> None:
    """An empty message is refused where the webhook works; another word says that it doesn't."""
    through = network(answer(400, text="no_text"), answer(404, text="no_service"), answer(200, text="ok"))
    item = on_its_way(through, settings={**SETTINGS, "channel": "#pengumuman"})
    found = asyncio.run(platform.check(item))
    assert (found.identity, found.handle) == ("T0AAA1111/B0BBB2222", "#pengumuman")
    assert json_of(through.requests[0]) == {"text": ""}
    assert isinstance(asyncio.run(failure_of(platform.check(item))), Unauthorized)
    assert isinstance(asyncio.run(failure_of(platform.check(item))), Failure)


@pytest.mark.parametrize(
    "secret", ["https://discord.com/api/webhooks/123/abc", "xoxb-1-2", "https://hooks.slack.com/abc"]
)
def test_another_secret_goes_nowhere(secret: str) -> None:
    """A secret that is no webhook's address is refused before anything is sent."""
    through = network()
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through, secret=secret))))
    assert isinstance(failure, Unauthorized)
    assert secret not in failure.message + failure.fix
    assert through.requests == []


def test_the_address_does_not_belong_into_the_file() -> None:
    """Written as ``url``, the webhook's address is named as a secret."""
    with pytest.raises(ValidationError, match="address of a webhook is a secret"):
        platform.Settings.model_validate({**SETTINGS, "url": SECRET})


@pytest.mark.parametrize(
    "reply",
    [
        answer(400, text=f"bad {SECRET} {KEY}"),
        answer(500, text=f"<p>POST /services/T0AAA1111/B0BBB2222/{KEY}</p>"),
        answer(302, text="", headers={"Location": f"https://lain.example/services/T0AAA1111/B0BBB2222/{KEY}"}),
        httpx.ReadTimeout("slow"),
    ],
)
def test_the_address_never_shows(tmp_path: Path, reply: Any) -> None:
    """Neither the whole address nor its key is in a message, though the network repeats both."""
    secrets = Secrets(environment={"SLACK_WEBHOOK": SECRET}, root=tmp_path)
    secrets.reveal("env:SLACK_WEBHOOK")
    through = HttpTransport(redact=secrets.redact, now=lambda: NOW, wire=wire_to(network(reply)))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert KEY not in f"{failure.message} {failure.fix} {failure!r}"


def test_preview_shows_the_request_without_the_secret() -> None:
    """The secret's reference stands in the address."""
    item = on_its_way(network())
    (shown,) = asyncio.run(
        requests_of(item.draft, account=item.account, key="a/b/c", due=item.due, content=lambda _digest: b"")
    )
    assert (shown.url, shown.creating) == ("https://hooks.slack.com/services/‹env:SLACK_WEBHOOK›", True)
