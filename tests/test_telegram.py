"""The Telegram adapter: entities, albums, threads, refusals, and the token that must not leak."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from platform_helpers import (
    NOW,
    Network,
    answer,
    failure_of,
    json_of,
    multipart_of,
    parts,
    picture,
    sending,
)
from pydantic import ValidationError

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.markup import entities
from campaign_cli.platforms.telegram import platform

TOKEN = "123456:AAH-contoh_token_rahasia"
SETTINGS = {"channel": "@contoh_papua", "token": "env:PAPUA_TELEGRAM_TOKEN"}
FACTS = json.loads((Path(__file__).parent / "data/telegram/methods.json").read_text(encoding="utf-8"))
CHAT = {"id": -1001234567890, "type": "channel", "title": "Contoh Papua", "username": "contoh_papua"}
SENT = {"ok": True, "result": {"message_id": 17, "chat": CHAT, "date": 1796259605}}


def on_its_way(network: Any, **more: Any) -> Any:
    more.setdefault("settings", SETTINGS)
    return sending(platform, network, secrets={"token": TOKEN}, **more)


def check_types(table: dict[str, Any], values: dict[str, Any]) -> None:
    """Every field is one of the Bot API's, of its type, and none that is required is absent."""
    kinds = {"String": str, "Integer": int, "Boolean": bool}
    for name, value in values.items():
        allowed = table[name]["types"]
        if any(kind.startswith("Array of") for kind in allowed):
            assert isinstance(value, list), name
            for item in value:
                kind = allowed[0].removeprefix("Array of ")
                kind = f"InputMedia{item['type'].capitalize()}" if name == "media" else kind
                check_types(FACTS["types"].get(kind), item)
        elif allowed[0] in FACTS["types"]:
            check_types(FACTS["types"][allowed[0]], value)
        else:
            assert any(type(value) is kinds[kind] for kind in allowed if kind in kinds), (name, value)
    missing = [name for name, field in table.items() if field["required"] and name not in values]
    assert not missing


def fields_of(request: httpx.Request) -> dict[str, Any]:
    """The fields of a request as the Bot API reads them, from JSON or from multipart (uploads become text)."""
    if request.headers["content-type"].startswith("application/json"):
        return json_of(request)
    fields: dict[str, Any] = {}
    for name, (file_name, _mime, content) in multipart_of(request).items():
        if file_name is None:
            text = content.decode()
            fields[name] = json.loads(text) if text[:1] in "[{" or text in {"true", "false"} else text
        elif name == "photo":
            fields[name] = "(upload)"
    return fields


def test_a_text_goes_out_with_entities_and_comes_back_with_its_permalink() -> None:
    """A text is sent without marks, the marks as entities in UTF-16 units, and the receipt has the t.me address."""
    network = Network(replies=[answer(200, SENT)])
    receipt = asyncio.run(
        platform.publish(on_its_way(network, content=parts("😀 **Upah** layak [di sini](https://a.example)")))
    )
    body = json_of(network.requests[0])
    assert body == {
        "chat_id": "@contoh_papua",
        "text": "😀 Upah layak di sini",
        "entities": [
            {"type": "bold", "offset": 3, "length": 4},
            {"type": "text_link", "offset": 14, "length": 7, "url": "https://a.example"},
        ],
    }
    check_types(FACTS["methods"]["sendMessage"], body)
    assert (receipt.id, receipt.url) == ("17", "https://t.me/contoh_papua/17")
    assert receipt.at.timestamp() == 1796259605
    assert str(network.requests[0].url) == f"https://api.telegram.org/bot{TOKEN}/sendMessage"


def test_one_picture_is_a_photo_with_a_caption() -> None:
    """One picture goes by sendPhoto, as an upload, with the text as caption and its entities."""
    network = Network(replies=[answer(200, SENT)])
    asyncio.run(platform.publish(on_its_way(network, content=parts("*Aksi* hari ini", media=[picture()]))))
    (request,) = network.requests
    assert request.url.path.endswith("/sendPhoto")
    fields = fields_of(request)
    assert fields["caption"] == "Aksi hari ini"
    assert fields["caption_entities"] == [{"type": "italic", "offset": 0, "length": 4}]
    assert multipart_of(request)["photo"][:2] == ("poster.png", "image/png")
    check_types(FACTS["methods"]["sendPhoto"], fields)


def test_several_pictures_are_one_album() -> None:
    """Two to ten pictures go as one sendMediaGroup; the caption stands on the first; every message id is kept."""
    second = {**SENT["result"], "message_id": 18}
    network = Network(replies=[answer(200, {"ok": True, "result": [SENT["result"], second]})])
    content = parts("Foto **aksi**", media=[picture(), picture(b"\x89PNG2", name="dua.png")])
    receipt = asyncio.run(platform.publish(on_its_way(network, content=content)))
    (request,) = network.requests
    assert request.url.path.endswith("/sendMediaGroup")
    fields = fields_of(request)
    assert fields["media"] == [
        {
            "type": "photo",
            "media": "attach://photo0",
            "caption": "Foto aksi",
            "caption_entities": [{"type": "bold", "offset": 5, "length": 4}],
        },
        {"type": "photo", "media": "attach://photo1"},
    ]
    check_types(FACTS["methods"]["sendMediaGroup"], {name: fields[name] for name in ("chat_id", "media")})
    assert {"photo0", "photo1"} <= set(multipart_of(request))
    assert receipt.extra["messages"] == [17, 18]


def test_a_later_part_replies_to_the_part_before() -> None:
    """The second part of a thread replies to the first message, even where somebody has removed that meanwhile."""
    network = Network(replies=[answer(200, SENT)])
    first = Receipt(part=0, id="17", url=None, at=NOW)
    asyncio.run(platform.publish(on_its_way(network, content=parts("satu", "dua"), part=1, earlier=(first,))))
    body = json_of(network.requests[0])
    assert body["reply_parameters"] == {"message_id": 17, "allow_sending_without_reply": True}
    check_types(FACTS["methods"]["sendMessage"], body)


@pytest.mark.parametrize(
    ("native", "link", "wanted"),
    [
        ({"link_preview": False}, None, {"link_preview_options": {"is_disabled": True}}),
        ({"silent": True}, None, {"disable_notification": True}),
        ({}, "https://a.example", {"link_preview_options": {"url": "https://a.example"}}),
    ],
)
def test_native_fields_become_the_bot_apis(native: dict[str, Any], link: str | None, wanted: dict[str, Any]) -> None:
    """silent and link_preview of a variant reach the request."""
    network = Network(replies=[answer(200, SENT)])
    asyncio.run(platform.publish(on_its_way(network, native=native, link=link)))
    body = json_of(network.requests[0])
    assert wanted.items() <= body.items()
    check_types(FACTS["methods"]["sendMessage"], body)


def test_a_private_channel_has_a_c_permalink() -> None:
    """Without a public name the permalink is t.me/c/ and the number without its -100."""
    sent = {"ok": True, "result": {"message_id": 5, "chat": {"id": -1001234567890, "type": "channel"}, "date": 1}}
    network = Network(replies=[answer(200, sent)])
    receipt = asyncio.run(platform.publish(on_its_way(network, settings=SETTINGS | {"channel": -1001234567890})))
    assert json_of(network.requests[0])["chat_id"] == -1001234567890
    assert receipt.url == "https://t.me/c/1234567890/5"


def test_a_message_without_a_number_has_no_permalink() -> None:
    """Number 0 means that Telegram put it off: the success stays one, without a permalink."""
    sent = {"ok": True, "result": {"message_id": 0, "chat": CHAT}}
    receipt = asyncio.run(platform.publish(on_its_way(Network(replies=[answer(200, sent)]))))
    assert receipt.url is None
    assert receipt.at == NOW


@pytest.mark.parametrize("date", [10**30, "kemarin", None, []])
def test_a_sent_message_with_a_date_that_is_none_is_sent(date: object) -> None:
    """What Telegram says of time never turns a success into a doubt."""
    sent = {"ok": True, "result": {"message_id": 17, "chat": CHAT, "date": date}}
    receipt = asyncio.run(platform.publish(on_its_way(Network(replies=[answer(200, sent)]))))
    assert (receipt.id, receipt.at) == ("17", NOW)


@pytest.mark.parametrize(
    ("status", "more", "kind", "words"),
    [
        (401, {"description": "Unauthorized"}, Unauthorized, "BotFather"),
        (404, {"description": "Not Found"}, Unauthorized, "BotFather"),
        (403, {"description": "Forbidden: bot was kicked from the channel chat"}, Rejected, "administrator"),
        (400, {"description": "Bad Request: chat not found"}, Rejected, "administrator"),
        (400, {"description": "Bad Request: message text is empty"}, Rejected, ""),
        (400, {"description": "x", "parameters": {"migrate_to_chat_id": -100987}}, Rejected, '"-100987"'),
        (500, {"description": "Internal Server Error"}, Unconfirmed, ""),
    ],
)
def test_each_refusal_has_its_meaning(status: int, more: dict[str, Any], kind: type[Failure], words: str) -> None:
    """Refusals say whether the credential, the channel or the text is at fault; a 5xx proves nothing."""
    network = Network(replies=[answer(status, {"ok": False, "error_code": status, **more})])
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network))))
    assert type(failure) is kind
    assert words in failure.fix
    assert TOKEN not in f"{failure} {failure.fix} {failure.message}"


def test_too_many_requests_names_the_instant() -> None:
    """A 429 is provably not sent, and says when to come back."""
    told = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 37}}
    failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[answer(429, told)])))))
    assert isinstance(failure, Unavailable)
    assert failure.retry_at == NOW + timedelta(seconds=37)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.ConnectError("no route to host"), Unavailable),
        (httpx.ReadTimeout("slow"), Unconfirmed),
        (httpx.RemoteProtocolError("closed"), Unconfirmed),
        (answer(502, text="<html>Bad Gateway</html>"), Unconfirmed),
        (answer(200, text="<html>"), Unconfirmed),
        (answer(200, {"ok": True, "result": {}}), Unconfirmed),
        (answer(200, {"ok": False, "error_code": 400, "description": "Bad Request"}), Rejected),
    ],
)
def test_only_what_never_left_may_be_sent_again(reply: Any, kind: type[Failure]) -> None:
    """A broken connection after the request left is in doubt, because a bot can't look; the token stays hidden."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[reply])))))
    assert type(failure) is kind
    cause = failure.__cause__
    assert TOKEN not in f"{failure!r} {failure.message}"
    assert cause is None or TOKEN not in str(cause)


def test_nothing_can_be_looked_up_or_repeated() -> None:
    """Telegram proves nothing: no look-up, no read-back, no repeat."""
    network = Network()
    item = on_its_way(network)
    looked = asyncio.run(platform.look_up(item, NOW))
    assert (looked.found, looked.complete) == ((), False)
    assert not platform.may_repeat(item, software="", age=timedelta(0))
    assert asyncio.run(platform.read_back(item, Receipt(part=0, id="1", url=None, at=NOW))) is None
    assert network.requests == []


def test_delete_takes_every_message_and_can_be_repeated() -> None:
    """All messages of an album are deleted; one that is gone already is no failure, another refusal is."""
    gone = {"ok": False, "error_code": 400, "description": "Bad Request: message to delete not found"}
    stays = {"ok": False, "error_code": 400, "description": "Bad Request: message can't be deleted"}
    network = Network(replies=[answer(200, {"ok": True, "result": True}), answer(400, gone), answer(400, stays)])
    receipt = Receipt(part=0, id="17", url=None, at=NOW, extra={"chat": CHAT["id"], "messages": [17, 18]})
    asyncio.run(platform.delete(on_its_way(network), receipt))
    bodies = [json_of(request) for request in network.requests]
    assert bodies == [{"chat_id": CHAT["id"], "message_id": 17}, {"chat_id": CHAT["id"], "message_id": 18}]
    check_types(FACTS["methods"]["deleteMessage"], bodies[0])
    bare = Receipt(part=0, id="17", url=None, at=NOW)
    assert isinstance(asyncio.run(failure_of(platform.delete(on_its_way(network), bare))), Rejected)


def check_with(member: dict[str, Any], *, chat: dict[str, Any] = CHAT) -> Any:
    bot = {"id": 123456, "is_bot": True, "username": "contoh_bot"}
    network = Network(replies=[answer(200, {"ok": True, "result": result}) for result in (bot, chat, member)])
    return asyncio.run(platform.check(on_its_way(network)))


def test_check_wants_the_right_to_post() -> None:
    """The account check asks for the bot, the channel, and the bot's right to post there."""
    found = check_with({"status": "administrator", "can_post_messages": True})
    assert (found.identity, found.handle, found.url) == ("-1001234567890", "@contoh_papua", "https://t.me/contoh_papua")
    with pytest.raises(Rejected, match="contoh_bot"):
        check_with({"status": "administrator", "can_post_messages": False})
    group = {"id": -5, "type": "supergroup", "title": "Grup"}
    found = check_with({"status": "member"}, chat=group)
    assert (found.handle, found.url, len(found.notes)) == ("Grup", None, 2)


@pytest.mark.parametrize(
    ("member", "chat"),
    [
        ({"status": []}, {"id": -5, "type": "supergroup"}),
        ({}, {"id": -5, "type": "supergroup"}),
        ({"status": "administrator"}, {"type": "channel"}),
    ],
)
def test_a_check_that_is_answered_with_something_else_fails(member: dict[str, Any], chat: dict[str, Any]) -> None:
    """An answer without what it is asked for is a failure like any other."""
    with pytest.raises(Failure):
        check_with(member, chat=chat)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("@Contoh_Papua", "@contoh_papua"),
        ("contoh_papua", "@contoh_papua"),
        ("https://t.me/Contoh_Papua", "@contoh_papua"),
        (-1001234567890, "-1001234567890"),
        (" -1001234567890 ", "-1001234567890"),
    ],
)
def test_spellings_of_one_channel_are_one_address(written: object, address: str) -> None:
    """Two spellings of a channel give the same address."""
    account = Account(name="a", platform="telegram", settings=SETTINGS | {"channel": written})
    assert platform.address(account) == address


def test_a_wrong_channel_is_named() -> None:
    """A channel that can't be one is refused with the form that is wanted."""
    with pytest.raises(ValidationError, match="not the name of a channel"):
        platform.Settings.model_validate(SETTINGS | {"channel": "saluran kami"})


def test_counting_is_after_entities_and_captions_are_shorter() -> None:
    """Marks and addresses behind labels don't count; beside a picture the limit is 1,024; nothing is ever cut."""
    text = "**😀**[di sini](https://a.example/panjang)"
    (count,) = platform.measure(text, platform.limits, media=0)
    assert (count.used, count.limit, count.unit) == (9, 4096, "utf16")
    (count,) = platform.measure("x" * 1025, platform.limits, media=1)
    assert count.over
    assert not platform.measure("x" * 1025, platform.limits, media=0)[0].over


@pytest.mark.parametrize(
    ("text", "plain", "kinds"),
    [
        ("~~lama~~ `kode`", "lama kode", ["strikethrough", "code"]),
        ("**a *b* c**", "a b c", ["bold", "italic"]),
        (r"5 \* 3 \*bukan\*", "5 * 3 *bukan*", []),
        ("nama_panjang_sekali __init__ #upah_layak", "nama_panjang_sekali __init__ #upah_layak", []),
        ("* satu\n* dua", "* satu\n* dua", []),
        ("https://a.example/x*y*z **b**", "https://a.example/x*y*z b", ["bold"]),
        ("[x](javascript:alert)", "[x](javascript:alert)", []),
        ("**tak tutup", "**tak tutup", []),
        ("satu\n\n\n  dua **tiga**", "satu\n\n\n  dua tiga", ["bold"]),
    ],
)
def test_only_the_few_marks_mean_something(text: str, plain: str, kinds: list[str]) -> None:
    """Five marks are read; everything else, and every line break, stays as it was written."""
    words, found = entities(text)
    assert words == plain
    assert [entity["type"] for entity in found] == kinds


def test_a_preview_shows_the_requests_without_a_network() -> None:
    """Over a recording transport the same code gives the requests, with placeholders for what only Telegram knows."""
    recorder = RecordingTransport()
    receipt = asyncio.run(platform.publish(on_its_way(recorder, content=parts("a", media=[picture(), picture(b"2")]))))
    assert [request.creating for request in recorder.requests] == [True]
    assert receipt.url == "https://t.me/contoh_papua/{message_id}"
    later = on_its_way(recorder, content=parts("a", "b"), part=1, earlier=(receipt,))
    asyncio.run(platform.publish(later))
    assert recorder.requests[1].json["reply_parameters"]["message_id"] == "{message_id}"
