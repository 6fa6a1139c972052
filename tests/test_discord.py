"""The Discord adapter: its Markdown, pictures, refusals, rates, and the webhook's address that must not leak."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_specification import Checked, discord_check, extract
from platform_helpers import NOW, Network, answer, failure_of, json_of, multipart_of, parts, picture, sending, wire_to
from pydantic import ValidationError

from campaign_cli.credentials import Secrets
from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.discord import platform
from campaign_cli.platforms.discord_text import markdown, unescaped
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.report.requests import requests_of

TOKEN = "aW5p_contoh-rahasia"
SECRET = f"https://discord.com/api/webhooks/1234567890/{TOKEN}"
SETTINGS = {"webhook": "env:DISCORD_WEBHOOK"}
HOOK = f"/api/v10/webhooks/1234567890/{TOKEN}"
SENT = {"id": "1300000000000000017", "channel_id": "55", "timestamp": "2026-12-03T01:00:06.120000+00:00"}
WEBHOOK = {"id": "1234567890", "guild_id": "77", "channel_id": "55", "name": "Serikat", "token": TOKEN, "type": 1}


def network(*replies: Any, **routes: Any) -> Network:
    """Answers posts in turn; every request is held against the specification."""
    return Checked(
        check=discord_check(extract("discord")),
        replies=list(replies),
        routes={f"GET {HOOK}": answer(200, WEBHOOK), **routes},
    )


def on_its_way(through: Any, *, secret: str = SECRET, **more: Any) -> Any:
    more.setdefault("settings", SETTINGS)
    return sending(platform, through, secrets={"webhook": secret}, **more)


def test_a_text_goes_out_and_comes_back_with_its_permalink() -> None:
    """The message is waited for, pings nobody, and the receipt has the address of the message on its server."""
    through = network(answer(200, SENT))
    receipt = asyncio.run(platform.publish(on_its_way(through, content=parts("**Upah** layak, @everyone"))))
    (request,) = through.sent("POST", HOOK)
    assert json_of(request) == {"content": "**Upah** layak, @everyone", "allowed_mentions": {"parse": []}}
    assert (request.url.host, dict(request.url.params)) == ("discord.com", {"wait": "true"})
    assert (receipt.id, receipt.url) == (SENT["id"], f"https://discord.com/channels/77/55/{SENT['id']}")
    assert receipt.at == datetime(2026, 12, 3, 1, 0, 6, 120000, tzinfo=UTC)


def test_pictures_go_with_the_message_each_with_its_description() -> None:
    """Files and message are one request; a picture without alt text has no description."""
    through = network(answer(200, SENT))
    content = parts("Foto", media=[picture(alt="Massa aksi"), picture(b"\x89PNG2", name="dua.png", alt="")])
    asyncio.run(platform.publish(on_its_way(through, content=content)))
    (request,) = through.sent("POST", HOOK)
    fields = multipart_of(request)
    assert [fields[name][0] for name in ("files[0]", "files[1]")] == ["poster.png", "dua.png"]
    assert json.loads(fields["payload_json"][2])["attachments"] == [
        {"id": "0", "filename": "poster.png", "description": "Massa aksi"},
        {"id": "1", "filename": "dua.png"},
    ]


def test_later_parts_are_messages_of_their_own_and_a_thread_is_named_in_the_query() -> None:
    """A webhook can answer nothing: a later part carries no reference; ``thread`` decides where all of them stand."""
    through = network(answer(200, SENT))
    first = Receipt(part=0, id="1", url=None, at=NOW)
    item = on_its_way(
        through, settings={**SETTINGS, "thread": 99}, content=parts("satu", "dua"), part=1, earlier=(first,)
    )
    asyncio.run(platform.publish(item))
    (request,) = through.sent("POST", HOOK)
    assert json_of(request) == {"content": "dua", "allowed_mentions": {"parse": []}}
    assert dict(request.url.params) == {"wait": "true", "thread_id": "99"}


@pytest.mark.parametrize(
    ("native", "flags"),
    [
        ({"silent": True}, 4096),
        ({"link_preview": False}, 4),
        ({"silent": True, "link_preview": False}, 4100),
        ({}, None),
    ],
)
def test_native_fields_become_flags(native: dict[str, Any], flags: int | None) -> None:
    """silent and link_preview of a variant are bits of ``flags``."""
    through = network(answer(200, SENT))
    asyncio.run(platform.publish(on_its_way(through, native=native)))
    assert json_of(through.requests[0]).get("flags") == flags


def test_a_permalink_that_cannot_be_had_changes_no_success() -> None:
    """Where the server's number can't be read, the message is out all the same."""
    through = network(answer(200, SENT), **{f"GET {HOOK}": answer(500, {})})
    receipt = asyncio.run(platform.publish(on_its_way(through)))
    assert (receipt.id, receipt.url) == (SENT["id"], None)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("**tebal** *miring* ~~lama~~ `kode_ini`", "**tebal** *miring* ~~lama~~ `kode_ini`"),
        ("nama_panjang_sekali 5 \\* 3", r"nama\_panjang\_sekali 5 \* 3"),
        ("||rahasia|| <@123> [x](y)", r"\|\|rahasia\|\| \<@123> \[x\](y)"),
        ("> kutipan\n# Judul\n#UpahLayak\n-# kecil", "\\> kutipan\n\\# Judul\n#UpahLayak\n\\-# kecil"),
        ("https://a.example/a_b_c?x=*", "https://a.example/a_b_c?x=\\*"),
        ("[di sini](https://a.example/x_(y))", "[di sini](https://a.example/x_(y%29)"),
    ],
)
def test_only_the_officers_marks_are_marks(text: str, content: str) -> None:
    """What is no mark is escaped, but not inside an address; counting is by what is sent."""
    assert markdown(text) == content
    (count,) = platform.measure(text, platform.limits, media=0)
    assert (count.used, count.limit, count.unit) == (len(content), 2000, "characters")


def test_escapes_are_taken_out_of_what_is_read_back() -> None:
    """A message reads back as written, with its descriptions; one that is gone is None."""
    message = {**SENT, "content": r"nama\_panjang", "attachments": [{"description": "Massa"}, {"description": None}]}
    gone = answer(404, {"code": 10008, "message": "Unknown Message"})
    through = network(answer(200, message), gone)
    receipt = Receipt(part=0, id=SENT["id"], url="https://x.example", at=NOW)
    shown = asyncio.run(platform.read_back(on_its_way(through), receipt))
    assert shown is not None
    assert (shown.text, shown.alts, shown.url) == ("nama_panjang", ("Massa", ""), "https://x.example")
    assert asyncio.run(platform.read_back(on_its_way(through), receipt)) is None
    assert unescaped(r"\*\_a\1") == r"*_a\1"


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (401, 50027, Unauthorized, "Integrations"),
        (404, 10015, Unauthorized, "Integrations"),
        (401, 0, Unauthorized, "Integrations"),
        (404, 0, Unauthorized, "Integrations"),
        (404, 10003, Rejected, "new webhook"),
        (403, 50013, Rejected, "new webhook"),
        (403, 50001, Rejected, "new webhook"),
        (400, 50024, Rejected, "new webhook"),
        (400, 220001, Rejected, "thread:"),
        (400, 220003, Rejected, "thread:"),
        (400, 220004, Rejected, "new webhook"),
        (400, 50083, Rejected, "thread:"),
        (403, 160005, Rejected, "thread:"),
        (400, 50006, Rejected, ""),
        (400, 50035, Rejected, ""),
        (400, 50109, Rejected, ""),
        (400, 200000, Rejected, ""),
        (400, 240000, Rejected, ""),
        (413, 40005, Rejected, ""),
        (403, 40333, Rejected, ""),
        (400, 20028, Unavailable, ""),
        (400, 20016, Unavailable, ""),
        (403, 40004, Unavailable, ""),
        (403, 40062, Unavailable, ""),
        (500, 0, Unconfirmed, ""),
        (503, 130000, Unconfirmed, ""),
    ],
)
def test_each_code_has_its_meaning(status: int, code: int, kind: type[Failure], words: str) -> None:
    """The documented codes say whether the address, the channel or the text is at fault; a 5xx proves nothing."""
    through = network(answer(status, {"code": code, "message": f"no {SECRET} {TOKEN}"}))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert type(failure) is kind
    assert words in failure.fix
    assert failure.status == status


def test_an_invalid_body_names_its_field() -> None:
    """The field that Discord complains about stands in the message."""
    errors = {"embeds": {"0": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be shorter."}]}}}
    through = network(answer(400, {"code": 50035, "message": "Invalid Form Body", "errors": errors}))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert "embeds.0: Must be shorter." in failure.message


@pytest.mark.parametrize(
    ("headers", "seconds"), [({}, 64.57), ({"Retry-After": "65"}, 65), ({"X-RateLimit-Remaining": "0"}, 64.57)]
)
def test_too_many_requests_names_the_instant(headers: dict[str, str], seconds: float) -> None:
    """A 429 is provably not sent; its seconds stand in the header, or with a fraction in the body."""
    told = {"message": "You are being rate limited.", "retry_after": 64.57, "global": False}
    through = network(answer(429, told, headers=headers))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert isinstance(failure, Unavailable)
    assert failure.retry_at == NOW + timedelta(seconds=seconds)


def test_an_empty_bucket_pauses_the_account() -> None:
    """X-RateLimit-Reset-After counts, when nothing remains; what can't be read is no pause."""
    empty = {"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.5"}
    assert platform.pause_until(empty, NOW) == NOW + timedelta(seconds=1.5)
    assert platform.pause_until({**empty, "x-ratelimit-remaining": "1"}, NOW) is None
    assert platform.pause_until({"x-ratelimit-remaining": "0"}, NOW) is None


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.ConnectError("no route to host"), Unavailable),
        (httpx.ReadTimeout("slow"), Unconfirmed),
        (answer(502, text="<html>Bad Gateway</html>"), Unconfirmed),
        (answer(200, text="<html>"), Unconfirmed),
        (answer(200, {"channel_id": "55"}), Unconfirmed),
    ],
)
def test_only_what_never_left_may_be_sent_again(reply: Any, kind: type[Failure]) -> None:
    """A broken connection after the request left is in doubt, because a webhook can't look."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network(reply)))))
    assert type(failure) is kind
    assert TOKEN not in f"{failure!r} {failure.message} {failure.__cause__}"


def test_nothing_can_be_looked_up_or_repeated() -> None:
    """No look-up and no key: nothing is asked, and nothing may be sent again."""
    through = network()
    item = on_its_way(through)
    looked = asyncio.run(platform.look_up(item, NOW))
    assert (looked.found, looked.complete, through.requests) == ((), False, [])
    assert platform.proof.blind
    assert not platform.may_repeat(item, software="", age=timedelta(0))


def test_delete_can_be_repeated() -> None:
    """204, and a message that is gone, are fine; another refusal is not; the thread is named here too."""
    replies = [
        httpx.Response(204),
        answer(404, {"code": 10008, "message": "Unknown Message"}),
        answer(403, {"code": 50013, "message": "Missing Permissions"}),
    ]
    through = network(*replies)
    receipt = Receipt(part=0, id=SENT["id"], url=None, at=NOW)
    item = on_its_way(through, settings={**SETTINGS, "thread": "99"})
    for _again in range(2):
        asyncio.run(platform.delete(item, receipt))
    assert isinstance(asyncio.run(failure_of(platform.delete(item, receipt))), Rejected)
    assert {(request.method, request.url.query) for request in through.requests} == {("DELETE", b"thread_id=99")}


@pytest.mark.parametrize("host", ["discord.com", "canary.discord.com", "discordapp.com"])
def test_a_copied_address_names_its_message(host: str) -> None:
    """The address that Discord's clients copy leads to the message; one of another channel or site does not."""
    through = network(answer(200, SENT), answer(200, SENT))
    url = f"https://{host}/channels/77/55/{SENT['id']}"
    found = asyncio.run(platform.find(on_its_way(through), url))
    assert found is not None
    assert (found.id, found.url) == (SENT["id"], f"https://discord.com/channels/77/55/{SENT['id']}")
    assert asyncio.run(platform.find(on_its_way(through), url.replace("/55/", "/56/"))) is None
    assert (
        asyncio.run(platform.find(on_its_way(network()), f"https://salah.example/channels/77/55/{SENT['id']}")) is None
    )


def test_check_tells_the_channel() -> None:
    """The webhook's name, its channel as identity, and that nothing can be looked up."""
    found = asyncio.run(platform.check(on_its_way(network())))
    assert (found.identity, found.handle, found.url) == ("55", "Serikat", "https://discord.com/channels/77/55")
    assert len(found.notes) == 1
    in_thread = asyncio.run(platform.check(on_its_way(network(), settings={**SETTINGS, "thread": "99"})))
    assert in_thread.identity == "99"


def test_the_memory_of_the_process_holds_no_token() -> None:
    """What the webhook says of itself includes its token, which is not kept."""
    memory: dict[str, Any] = {}
    asyncio.run(platform.check(on_its_way(network(), memory=memory)))
    assert TOKEN not in str(memory)


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        f"{SECRET}?thread_id=5",
        f"https://canary.discord.com/api/v10/webhooks/1234567890/{TOKEN}/",
        f"1234567890/{TOKEN}",
    ],
)
def test_spellings_of_one_webhook_go_to_one_address(secret: str) -> None:
    """However the address was copied, the request goes to the configured server alone."""
    through = network(answer(200, SENT))
    asyncio.run(platform.publish(on_its_way(through, secret=secret)))
    assert (through.requests[0].url.host, through.requests[0].url.path) == ("discord.com", HOOK)


@pytest.mark.parametrize(
    "secret", ["https://hooks.slack.com/services/T1/B2/abc", "abc", "https://discord.com/abc", "a/b"]
)
def test_another_secret_goes_nowhere(secret: str) -> None:
    """A secret that is no webhook's address is refused before anything is sent."""
    through = network()
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through, secret=secret))))
    assert isinstance(failure, Unauthorized)
    assert secret not in failure.message + failure.fix
    assert through.requests == []


def test_addresses_differ_by_secret_and_thread() -> None:
    """Two entries with one webhook are one account; a thread of its own makes another."""

    def address(**more: Any) -> str:
        return platform.address(Account(name="a", platform="discord", settings={**SETTINGS, **more}))

    assert address() == address(url="https://Discord.com/")
    assert len({address(), address(thread="9"), address(webhook="env:LAIN")}) == 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"thread": "pengumuman"}, "number of a thread"), ({"url": SECRET}, "address of a webhook is a secret")],
)
def test_wrong_settings_are_named_without_their_secret(settings: dict[str, str], words: str) -> None:
    """A thread is a number; an address with a webhook in it does not belong into the file."""
    with pytest.raises(ValidationError, match=words):
        platform.Settings.model_validate({**SETTINGS, **settings})


@pytest.mark.parametrize(
    "reply",
    [
        answer(400, {"code": 50035, "message": f"POST /api/v10/webhooks/1234567890/{TOKEN} {SECRET}"}),
        answer(500, text=f"<p>POST /api/v10/webhooks/1234567890/{TOKEN}</p><p>Host: {SECRET}</p>"),
        answer(307, text="", headers={"Location": f"https://lain.example/api/webhooks/1234567890/{TOKEN}?x=1"}),
        httpx.ReadTimeout(f"POST {SECRET}"),
        answer(200, text="<html>"),
    ],
)
def test_the_address_never_shows(tmp_path: Path, reply: Any) -> None:
    """Neither the whole address nor its token is in a message, though the network repeats both."""
    secrets = Secrets(environment={"DISCORD_WEBHOOK": SECRET}, root=tmp_path)
    secrets.reveal("env:DISCORD_WEBHOOK")
    through = HttpTransport(redact=secrets.redact, now=lambda: NOW, wire=wire_to(network(reply)))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert TOKEN not in f"{failure.message} {failure.fix} {failure!r}"


def test_preview_shows_requests_without_the_secret() -> None:
    """Both requests are shown as they will be sent, with the secret's reference in the address."""
    item = on_its_way(network(), content=parts("Upah layak", media=[picture()]))
    shown = asyncio.run(
        requests_of(item.draft, account=item.account, key="a/b/c", due=item.due, content=lambda _digest: b"x")
    )
    assert shown[0].url == "https://discord.com/api/v10/webhooks/‹env:DISCORD_WEBHOOK›?wait=true"
    assert shown[0].creating
    assert "Poster aksi" in shown[0].body["payload_json"]
    assert [one.method for one in shown] == ["POST", "GET"]
