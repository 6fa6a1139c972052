"""The Slack adapter with a bot token: mrkdwn, pictures, threads, look-up by the message's own key, and refusals."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from chat_specification import NEWER, Checked, extract, slack_check
from platform_helpers import NOW, PNG, answer, failure_of, form_of, json_of, parts, picture, sending
from pydantic import ValidationError

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.slack import platform
from campaign_cli.platforms.slack_text import mrkdwn, plain
from campaign_cli.report.requests import requests_of

TOKEN = "xoxb-contoh-rahasia-123"
CHANNEL = "C0123456789"
SETTINGS = {"channel": CHANNEL, "token": "env:SLACK_TOKEN"}
TS = "1796259605.000200"
LINK = f"https://fspc.slack.com/archives/{CHANNEL}/p1796259605000200"
SENT = {"ok": True, "channel": CHANNEL, "ts": TS, "message": {}}
PERMALINK = {"ok": True, "channel": CHANNEL, "permalink": LINK}
ME = {
    "ok": True,
    "url": "https://fspc.slack.com/",
    "user": "kampanye",
    "user_id": "U1",
    "bot_id": "B1",
    "team_id": "T1",
}
SPECIFICATION = extract("slack")
ERRORS = sorted(
    {
        code
        for operations in SPECIFICATION["paths"].values()
        for operation in operations.values()
        for code in operation["responses"]["default"]["schema"]["properties"]["error"]["enum"]
    }
    | set(NEWER["errors"])
)
NO_TOKEN = {
    "not_authed",
    "invalid_auth",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
}
NO_TOKEN |= {"org_login_required", "team_access_not_granted", "access_denied"}
NOT_TAKEN = {"ratelimited", "rate_limited", "message_limit_exceeded", "request_timeout", "team_added_to_org"}
IN_DOUBT = {"fatal_error", "internal_error", "service_unavailable"}


def network(*replies: Any, **routes: Any) -> Checked:
    """Answers in turn; every request is held against the specification."""
    known = {
        "GET /api/chat.getPermalink": answer(200, PERMALINK),
        "POST /api/auth.test": answer(200, ME, headers={"X-OAuth-Scopes": "chat:write,channels:history"}),
        **{route.replace("_", " /api/", 1): reply for route, reply in routes.items()},
    }
    return Checked(check=slack_check(SPECIFICATION), replies=list(replies), routes=known)


def on_its_way(through: Any, **more: Any) -> Any:
    more.setdefault("settings", SETTINGS)
    return sending(platform, through, secrets={"token": TOKEN}, **more)


def history(*messages: dict[str, Any], cursor: str = "") -> Any:
    return answer(
        200,
        {
            "ok": True,
            "messages": list(messages),
            "has_more": bool(cursor),
            "response_metadata": {"next_cursor": cursor},
        },
    )


def message(key: str | None = None, **more: Any) -> dict[str, Any]:
    """A message of the bot, with the key of an attempt as metadata."""
    metadata = {"metadata": {"event_type": "campaign_post", "event_payload": {"key": key}}} if key else {}
    return {
        "type": "message",
        "user": "U1",
        "bot_id": "B1",
        "ts": TS,
        "text": "Upah layak adalah hak.",
        **metadata,
        **more,
    }


def test_a_text_goes_out_under_its_key_and_comes_back_with_its_permalink() -> None:
    """The message carries the attempt's key, and the receipt its ts and what chat.getPermalink says."""
    through = network(answer(200, SENT))
    item = on_its_way(through, content=parts("Upah & hak: https://a.example/?utm_source=a&b=2"))
    receipt = asyncio.run(platform.publish(item))
    (request,) = through.sent("POST", "/api/chat.postMessage")
    assert json_of(request) == {
        "channel": CHANNEL,
        "text": "Upah &amp; hak: https://a.example/?utm_source=a&amp;b=2",
        "unfurl_links": True,
        "unfurl_media": True,
        "metadata": {"event_type": "campaign_post", "event_payload": {"key": item.key}},
    }
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert (receipt.id, receipt.url, receipt.extra) == (TS, LINK, {"channel": CHANNEL})
    assert receipt.at == datetime(2026, 12, 3, 1, 0, 5, tzinfo=UTC)


def test_pictures_are_uploaded_and_shown_as_image_blocks() -> None:
    """Bytes go to Slack's own address without the token; the message waits until the file is ready, and shows it."""
    upload = {"ok": True, "file_id": "F1", "upload_url": "https://files.slack.com/upload/v1/tiket"}
    through = network(
        answer(200, SENT),
        **{
            "POST_files.getUploadURLExternal": answer(200, upload),
            "POST_files.completeUploadExternal": answer(200, {"ok": True, "files": [{"id": "F1"}]}),
            "GET_files.info": [
                answer(200, {"ok": True, "file": {"id": "F1", "mimetype": ""}}),
                answer(200, {"ok": True, "file": {"id": "F1", "mimetype": "image/png"}}),
            ],
        },
    )
    through.routes["POST /upload/v1/tiket"] = answer(200, text="OK - 67")
    item = on_its_way(through, content=parts("Foto *aksi*", media=[picture(alt="Massa aksi")]))
    asyncio.run(platform.publish(item))
    asked = {request.url.path.rpartition("/")[2]: request for request in through.requests}
    assert dict(form_of(asked["files.getUploadURLExternal"])) == {
        "filename": "poster.png",
        "length": str(len(PNG)),
        "alt_txt": "Massa aksi",
    }
    assert asked["tiket"].headers["content-type"] == "image/png"
    assert len(asked["tiket"].content) == len(PNG)
    assert json_of(asked["files.completeUploadExternal"]) == {"files": [{"id": "F1", "title": "poster.png"}]}
    assert json_of(asked["chat.postMessage"])["blocks"] == [
        rich({"type": "text", "text": "Foto "}, {"type": "text", "text": "aksi", "style": {"italic": True}}),
        {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "Massa aksi"},
    ]
    assert item.steps == {"file0": "F1"}


def test_a_kept_file_is_used_again_unless_slack_lost_it() -> None:
    """After a restart no picture is uploaded twice; one that is gone, or never arrived, is uploaded anew."""
    ready = answer(200, {"ok": True, "file": {"mimetype": "image/png"}})
    through = network(answer(200, SENT), **{"GET_files.info": ready})
    content = parts("Foto", media=[picture()])
    asyncio.run(platform.publish(on_its_way(through, content=content, steps={"file0": "F1"})))
    assert through.sent("POST", "/api/files.getUploadURLExternal") == []
    upload = {"ok": True, "file_id": "F2", "upload_url": "https://files.slack.com/upload/v1/tiket"}
    missing = answer(200, {"ok": False, "error": "file_not_found"})
    through = network(
        **{
            "GET_files.info": missing,
            "POST_files.getUploadURLExternal": answer(200, upload),
            "POST_files.completeUploadExternal": missing,
        }
    )
    through.routes["POST /upload/v1/tiket"] = answer(200, text="OK - 67")
    item = on_its_way(through, content=content, steps={"file0": "F1"})
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert isinstance(failure, Unavailable)
    assert item.steps == {"file0": "F1"}


def test_later_parts_answer_the_first() -> None:
    """Not the part before: a reply's own ts must not be used as thread_ts."""
    through = network(answer(200, {**SENT, "ts": "1796259606.000300"}))
    earlier = tuple(Receipt(part=n, id=f"1796259600.00010{n}", url=None, at=NOW) for n in range(2))
    item = on_its_way(through, content=parts("satu", "dua", "tiga"), part=2, earlier=earlier)
    receipt = asyncio.run(platform.publish(item))
    assert json_of(through.requests[0])["thread_ts"] == "1796259600.000100"
    assert receipt.extra == {"channel": CHANNEL, "thread": "1796259600.000100"}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    """A rich text block."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def said(text: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def linked(text: str, url: str, **style: bool) -> dict[str, Any]:
    return said(text, **style) | {"type": "link", "url": url}


@pytest.mark.parametrize(
    ("text", "written", "elements"),
    [
        ("biasa & saja", "biasa &amp; saja", None),
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;", None),
        ("https://a.example/?utm_source=a_b", "https://a.example/?utm_source=a_b", None),
        ("isi _formulir_ ini", "isi _formulir_ ini", [said("isi _formulir_ ini")]),
        ("2\\*3", "2*3", [said("2*3")]),
        ("> kutipan", "&gt; kutipan", [said("> kutipan")]),
        ("pukul 08:00:30", "pukul 08:00:30", [said("pukul 08:00:30")]),
        ("**tebal** _formulir_", "*tebal* _formulir_", [said("tebal", bold=True), said(" _formulir_")]),
        (
            "✊🏽 *miring* ~~lama~~ `a<b`",
            "✊🏽 _miring_ ~lama~ `a&lt;b`",
            [
                said("✊🏽 "),
                said("miring", italic=True),
                said(" "),
                said("lama", strike=True),
                said(" "),
                said("a<b", code=True),
            ],
        ),
        (
            "**[di *sini*](https://a.example/?a=1&b=2)**, serikat.org",
            "*<https://a.example/?a=1&amp;b=2|di _sini_>*, serikat.org",
            [
                linked("di ", "https://a.example/?a=1&b=2", bold=True),
                linked("sini", "https://a.example/?a=1&b=2", bold=True, italic=True),
                said(", "),
                linked("serikat.org", "https://serikat.org"),
            ],
        ),
    ],
)
def test_only_the_officers_marks_are_marks(text: str, written: str, elements: list[Any] | None) -> None:
    """Where Slack would read signs as marks, or marks are meant, the text is shown as rich text, which has no signs."""
    through = network(answer(200, SENT))
    asyncio.run(platform.publish(on_its_way(through, content=parts(text))))
    body = json_of(through.requests[0])
    assert (body["text"], body.get("blocks")) == (written, None if elements is None else [rich(*elements)])
    (count,) = platform.measure(text, platform.limits, media=0)
    assert (count.used, count.limit) == (len(written), 4000)
    assert platform.measure(text, platform.limits, media=1)[0].limit == 3000


VIDEO = picture(b"....ftypmp42", name="aksi.mp4", alt="Massa aksi " * 30, mime="video/mp4")


@pytest.mark.parametrize("text", ["Video & aksi", "Video *aksi*", ""])
def test_a_video_is_shown_by_its_address(text: str) -> None:
    """Uploaded like a picture; its address stands below the words, and is always unfurled."""
    address = "https://contoh.slack.com/files/U1/F1/aksi.mp4"
    ready = answer(200, {"ok": True, "file": {"id": "F1", "mimetype": "video/mp4", "permalink": address}})
    through = network(answer(200, SENT), **{"GET_files.info": ready})
    content = parts(text, media=[VIDEO])
    item = on_its_way(through, content=content, steps={"file0": "F1"}, native={"link_preview": False})
    asyncio.run(platform.publish(item))
    (request,) = through.sent("POST", "/api/chat.postMessage")
    body = json_of(request)
    last = body["text"].splitlines()[-1]
    assert last.startswith(f"<{address}|Massa aksi")
    assert len(last) < 300
    assert (body["unfurl_links"], body["unfurl_media"]) == (True, True)
    blocks = [block["elements"][0]["elements"][-1] for block in body.get("blocks", ())]
    assert [(one["type"], one["url"]) for one in blocks] == ([("link", address)] if "*" in text else [])
    shown = message(text=body["text"])
    looking = on_its_way(network(**{"GET_conversations.history": history(shown)}), content=content)
    looked = asyncio.run(platform.look_up(looking, NOW - timedelta(minutes=5)))
    assert [found.receipt.id for found in looked.found] == [TS]


def test_links_are_not_unfolded_where_the_variant_says_so() -> None:
    """link_preview: false switches both kinds of unfurling off."""
    through = network(answer(200, SENT))
    asyncio.run(platform.publish(on_its_way(through, native={"link_preview": False})))
    body = json_of(through.requests[0])
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)


def test_a_permalink_that_cannot_be_had_changes_no_success() -> None:
    """The message is out whatever chat.getPermalink answers."""
    through = network(
        answer(200, SENT), **{"GET_chat.getPermalink": answer(200, {"ok": False, "error": "fatal_error"})}
    )
    receipt = asyncio.run(platform.publish(on_its_way(through)))
    assert (receipt.id, receipt.url) == (TS, None)


@pytest.mark.parametrize("code", ERRORS)
def test_each_documented_code_has_its_meaning(code: str) -> None:
    """The token, the moment, a doubt, or the message and its channel: every documented code is one of them."""
    through = network(answer(200, {"ok": False, "error": code, "needed": "chat:write"}))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    kind: type[Failure] = Rejected
    kind = Unauthorized if code in NO_TOKEN else kind
    kind = Unavailable if code in NOT_TAKEN else kind
    kind = Unconfirmed if code in IN_DOUBT else kind
    assert type(failure) is kind
    assert (failure.code, code in failure.message) == (code, True)
    if code in NOT_TAKEN:
        assert failure.retry_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("missing_scope", "chat:write"),
        ("not_in_channel", "/invite"),
        ("channel_not_found", "/invite"),
        ("is_archived", "archived"),
        ("restricted_action_read_only_channel", "administrators"),
        ("invalid_auth", "xoxb"),
    ],
)
def test_what_a_person_can_mend_is_said(code: str, words: str) -> None:
    """The fix names the scope, the channel or the token."""
    through = network(answer(200, {"ok": False, "error": code, "needed": "chat:write"}))
    assert words in asyncio.run(failure_of(platform.publish(on_its_way(through)))).fix


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(429, {"ok": False, "error": "ratelimited"}, headers={"Retry-After": "30"}), Unavailable),
        (answer(200, {"ok": False, "error": "invalid_blocks", "errors": ["invalid slack file [x]"]}), Unavailable),
        (httpx.ConnectError("no route to host"), Unavailable),
        (httpx.ReadTimeout("slow"), Unconfirmed),
        (answer(502, text="<html>"), Unconfirmed),
        (answer(200, {"ok": True}), Unconfirmed),
        (answer(200, {"ok": True, "ts": "besok", "channel": CHANNEL}), Unconfirmed),
        (answer(200, {"error": "Something went wrong"}), Unconfirmed),
        (answer(503, {"ok": False, "error": "service_unavailable"}), Unconfirmed),
    ],
)
def test_only_what_was_provably_not_taken_may_be_sent_again(reply: Any, kind: type[Failure]) -> None:
    """A refusal needs Slack's own word; an answer without a ts proves nothing."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network(reply)))))
    assert type(failure) is kind
    assert TOKEN not in f"{failure!r} {failure.message}"


def test_a_look_up_finds_the_message_by_its_key() -> None:
    """Whatever the words: the key decides, on any page, and needs no instant for proof; another key's is another's."""
    item = on_its_way(network())
    through = network(
        **{
            "GET_conversations.history": [
                history(message("0" * 40), message(item.key, user="U2", bot_id="B2"), cursor="dua"),
                history(message(item.key, text="disunting")),
            ]
        }
    )
    looked = asyncio.run(platform.look_up(on_its_way(through), NOW - timedelta(minutes=5)))
    assert looked.complete
    assert [(found.receipt.id, found.receipt.url, found.created_at) for found in looked.found] == [(TS, LINK, None)]
    first, second = through.sent("GET", "/api/conversations.history")
    assert first.url.params["oldest"] == f"{(NOW - timedelta(minutes=5)).timestamp():.6f}"
    assert first.url.params["include_all_metadata"] == "true"
    assert second.url.params["cursor"] == "dua"


def test_a_message_without_a_key_is_found_by_its_words() -> None:
    """Where Slack kept no metadata, words and pictures count, with the instant; another's message never does."""
    own = message()
    others = [
        message(user="U2", bot_id="B2"),
        message(text="lain"),
        message(blocks=[{"type": "image", "alt_text": "x"}]),
    ]
    through = network(**{"GET_conversations.history": history(own, *others)})
    looked = asyncio.run(platform.look_up(on_its_way(through), NOW - timedelta(minutes=5)))
    assert [found.created_at for found in looked.found] == [datetime(2026, 12, 3, 1, 0, 5, tzinfo=UTC)]


def test_links_and_emoji_hide_no_message() -> None:
    """Slack shows them otherwise than they were sent; what says the same may be ours, and is no absence."""
    text = "✊ **Upah** layak: https://a.example/?a=1&b=2 dan serikat.org 😀"
    shown = ":fist: *Upah* layak: <https://a.example/?a=1&amp;b=2> dan <http://serikat.org|serikat.org> :grinning:"
    for said, found in ((shown, 1), (shown.replace("layak", "murah"), 0)):
        through = network(**{"GET_conversations.history": history(message(text=said))})
        item = on_its_way(through, content=parts(text))
        assert len(asyncio.run(platform.look_up(item, NOW - timedelta(minutes=5))).found) == found


def test_a_thread_is_looked_up_below_its_first_part() -> None:
    """conversations.replies is asked for a later part; the first part itself is not found."""
    first = Receipt(part=0, id=TS, url=None, at=NOW)
    root = message(on_its_way(network()).key)
    through = network(**{"GET_conversations.replies": history(root, message(ts="1796259606.000300", text="dua"))})
    item = on_its_way(through, content=parts("satu", "dua"), part=1, earlier=(first,))
    looked = asyncio.run(platform.look_up(item, NOW - timedelta(minutes=5)))
    assert [found.receipt.id for found in looked.found] == ["1796259606.000300"]
    assert looked.found[0].receipt.extra == {"channel": CHANNEL, "thread": TS}


def test_a_search_that_cannot_end_proves_nothing() -> None:
    """More messages without a way to them, or more pages than are read: not complete. A refusal is a failure."""
    stuck = answer(200, {"ok": True, "messages": [], "has_more": True})
    looked = asyncio.run(platform.look_up(on_its_way(network(**{"GET_conversations.history": stuck})), NOW))
    assert not looked.complete
    endless = history(cursor="lagi")
    looked = asyncio.run(platform.look_up(on_its_way(network(**{"GET_conversations.history": endless})), NOW))
    assert not looked.complete
    refused = answer(200, {"ok": False, "error": "missing_scope", "needed": "channels:history"})
    item = on_its_way(network(**{"GET_conversations.history": refused}))
    assert isinstance(asyncio.run(failure_of(platform.look_up(item, NOW))), Rejected)


def test_a_message_reads_back_as_written() -> None:
    """Escapes and references are undone, alt texts come from the image blocks; what is gone is None."""
    shown = message(text="*Upah* &amp; <https://a.example|di sini>", blocks=[{"type": "image", "alt_text": "Massa"}])
    receipt = Receipt(part=0, id=TS, url=LINK, at=NOW, extra={"channel": CHANNEL})
    through = network(**{"GET_conversations.history": [history(shown), history()]})
    remote = asyncio.run(platform.read_back(on_its_way(through), receipt))
    assert remote is not None
    assert (remote.text, remote.alts, remote.url) == ("*Upah* & di sini", ("Massa",), LINK)
    assert asyncio.run(platform.read_back(on_its_way(through), receipt)) is None
    reply = Receipt(part=1, id=TS, url=None, at=NOW, extra={"thread": "1796259600.000100"})
    gone = network(**{"GET_conversations.replies": answer(200, {"ok": False, "error": "thread_not_found"})})
    assert asyncio.run(platform.read_back(on_its_way(gone), reply)) is None
    assert plain(mrkdwn("a < b & c > d")) == "a < b & c > d"


def test_a_copied_address_names_its_message() -> None:
    """Also that of an answer in a thread; another's message, channel or site is none of ours."""
    through = network(**{"GET_conversations.history": [history(message()), history(message(user="U2", bot_id="B2"))]})
    found = asyncio.run(platform.find(on_its_way(through), f" {LINK} "))
    assert found is not None
    assert (found.id, found.extra) == (TS, {"channel": CHANNEL})
    assert asyncio.run(platform.find(on_its_way(through), LINK)) is None
    replies = network(**{"GET_conversations.replies": history(message())})
    answered = asyncio.run(platform.find(on_its_way(replies), f"{LINK}?thread_ts=1796259600.000100&cid={CHANNEL}"))
    assert answered is not None
    assert answered.extra["thread"] == "1796259600.000100"
    for other in (LINK.replace(CHANNEL, "C9"), "https://contoh.example/pos/1", "bukan alamat"):
        assert asyncio.run(platform.find(on_its_way(network()), other)) is None


def test_delete_can_be_repeated() -> None:
    """A message that is gone is fine; another refusal is not."""
    codes = ({"ok": True}, {"ok": False, "error": "message_not_found"}, {"ok": False, "error": "cant_delete_message"})
    through = network(*(answer(200, one) for one in codes))
    receipt = Receipt(part=0, id=TS, url=None, at=NOW, extra={"channel": CHANNEL})
    for _again in range(2):
        asyncio.run(platform.delete(on_its_way(through), receipt))
    assert isinstance(asyncio.run(failure_of(platform.delete(on_its_way(through), receipt))), Rejected)
    assert json_of(through.requests[0]) == {"channel": CHANNEL, "ts": TS}


def check_with(channel: dict[str, Any], *, scopes: str = "chat:write,files:write,files:read,channels:history") -> Any:
    through = network(
        **{"GET_conversations.info": answer(200, channel)},
        **{"POST_auth.test": answer(200, ME, headers={"X-OAuth-Scopes": scopes})},
    )
    return asyncio.run(platform.check(on_its_way(through)))


def test_check_tells_the_bot_the_channel_and_what_it_lacks() -> None:
    """Handle and address of the channel; a missing scope for pictures or for looking up is a note."""
    there = {"ok": True, "channel": {"name": "pengumuman", "is_member": True}}
    found = check_with(there)
    assert (found.identity, found.handle) == (f"T1/{CHANNEL}", "#pengumuman")
    assert found.url == f"https://fspc.slack.com/archives/{CHANNEL}"
    assert len(found.notes) == 1
    assert len(check_with(there, scopes="chat:write").notes) == 3
    unreadable = check_with({"ok": False, "error": "missing_scope", "needed": "channels:read"})
    assert (unreadable.handle, len(unreadable.notes)) == (CHANNEL, 2)


def test_check_refuses_a_bot_that_cannot_post() -> None:
    """Without the scope, outside the channel, or where it is archived; chat:write.public needs no invitation."""
    outside = {"ok": True, "channel": {"name": "pengumuman", "is_member": False}}
    with pytest.raises(Rejected, match="scope chat:write"):
        check_with(outside, scopes="channels:history")
    with pytest.raises(Rejected, match="may not post in #pengumuman"):
        check_with(outside)
    assert check_with(outside, scopes="chat:write,chat:write.public").handle == "#pengumuman"
    with pytest.raises(Rejected, match="may not post"):
        check_with({"ok": True, "channel": {"name": "lama", "is_member": True, "is_archived": True}})


@pytest.mark.parametrize("written", [CHANNEL, f" {CHANNEL} ", f"https://fspc.slack.com/archives/{CHANNEL}"])
def test_spellings_of_one_channel_are_one_address(written: str) -> None:
    """The ID and the channel's link mean the same."""
    account = Account(name="a", platform="slack", settings={**SETTINGS, "channel": written})
    assert platform.address(account) == f"slack.com/{CHANNEL}"


def test_a_channel_by_its_name_is_refused() -> None:
    """Names change, and history takes none: the fix says where the ID stands."""
    with pytest.raises(ValidationError, match="not the ID"):
        platform.Settings.model_validate({**SETTINGS, "channel": "#pengumuman"})


def test_preview_shows_every_request() -> None:
    """Uploads, the message and its permalink, with placeholders for what only Slack can give."""
    item = on_its_way(network(), content=parts("Foto", media=[picture()]))
    shown = asyncio.run(
        requests_of(item.draft, account=item.account, key="a/b/c", due=item.due, content=lambda _digest: b"x")
    )
    assert [one.url.rpartition("/")[2].partition("?")[0] for one in shown] == [
        "files.getUploadURLExternal",
        "{upload_1}",
        "files.completeUploadExternal",
        "files.info",
        "chat.postMessage",
        "chat.getPermalink",
    ]
    assert [one.creating for one in shown] == [False] * 4 + [True, False]
    assert "‹env:SLACK_TOKEN›" in shown[0].headers["Authorization"]
    assert shown[4].body["blocks"][1]["slack_file"] == {"id": "{file_id_1}"}
