"""The Matrix adapter: events of a part, threads, reading, finding, deleting, settings; each by the specification."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from matrix_helpers import (
    INSIDE,
    KEY,
    MISSING,
    RECEIPT,
    ROOM,
    SEND,
    SETTINGS,
    TOKEN,
    V3,
    event,
    image,
    network,
    on_its_way,
    text,
)
from platform_helpers import NOW, PNG, answer, failure_of, json_of, parts, picture
from pydantic import ValidationError

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.models import Account, Part, Receipt
from campaign_cli.platforms.base import Request
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.matrix import platform
from campaign_cli.report.requests import requests_of

# --- publishing


def test_a_text_goes_out_under_its_transaction_id() -> None:
    """The event is put at an address made from the attempt's key; the receipt names the event and its address."""
    through = network()
    receipt = asyncio.run(platform.publish(on_its_way(through)))
    (request,) = through.sent("PUT", f"{SEND}/{KEY}.0")
    assert json_of(request) == text()
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert receipt.id == "$acara0"
    assert receipt.url == "https://matrix.to/#/!balai%3Acontoh.example/%24acara0?via=contoh.example"
    assert (receipt.at, receipt.extra) == (NOW, {"room": ROOM})


@pytest.mark.parametrize(
    ("written", "body", "html"),
    [
        ("Upah & <hak>\nkita", "Upah & <hak>\nkita", None),
        (
            "**Upah** & *hak*\n~~lama~~ `a<b` [di sini](https://a.example/?a=1&b=2)",
            "Upah & hak\nlama a<b di sini (https://a.example/?a=1&b=2)",
            "<strong>Upah</strong> &amp; <em>hak</em><br><del>lama</del> <code>a&lt;b</code>"
            ' <a href="https://a.example/?a=1&amp;b=2">di sini</a>',
        ),
        (r"\*bukan tebal\*", "*bukan tebal*", None),
        ("@room https://a.example/x_y_z", "@room https://a.example/x_y_z", None),
    ],
)
def test_marks_are_html_and_a_text_without_them_is_plain(written: str, body: str, html: str | None) -> None:
    """``formatted_body`` stands beside the plain text where there are marks, and nobody is mentioned by a word."""
    through = network()
    asyncio.run(platform.publish(on_its_way(through, content=parts(written))))
    content = json_of(through.sent("PUT", f"{SEND}/{KEY}.0")[0])
    assert (content["body"], content.get("formatted_body"), content["m.mentions"]) == (body, html, {})


def test_files_are_events_of_their_own_with_their_description() -> None:
    """Everything is uploaded before the first event; each file then follows with its caption, size and kind."""
    through = network()
    film = replace(picture(name="aksi.mp4", mime="video/mp4", alt="Massa bernyanyi"), seconds=12.5)
    item = on_its_way(through, content=parts("Foto", media=[picture(alt="Massa aksi"), film, picture(alt="")]))
    through.routes[f"PUT {SEND}/{KEY}.3"] = answer(200, {"event_id": "$acara3"})
    receipt = asyncio.run(platform.publish(item))
    order = [request.method for request in through.requests if request.method != "GET"]
    assert order == ["POST"] * 3 + ["PUT"] * 4
    uploads = through.sent("POST", "/_matrix/media/v3/upload")
    assert [(one.url.params["filename"], one.headers["content-type"]) for one in uploads] == [
        ("poster.png", "image/png"),
        ("aksi.mp4", "video/mp4"),
        ("poster.png", "image/png"),
    ]
    first, second, third = (json_of(through.sent("PUT", f"{SEND}/{KEY}.{number}")[0]) for number in (1, 2, 3))
    assert first == image("Massa aksi", "mxc://contoh.example/a")
    assert (second["msgtype"], second["body"], second["info"]["duration"]) == ("m.video", "Massa bernyanyi", 12_500)
    assert (third["body"], third["filename"]) == ("poster.png", "poster.png")
    assert receipt.extra["events"] == ["$acara1", "$acara2", "$acara3"]


def test_a_picture_without_words_is_one_event() -> None:
    """No empty text goes before it."""
    through = network()
    receipt = asyncio.run(platform.publish(on_its_way(through, content=parts(" ", media=[picture()]))))
    assert json_of(through.sent("PUT", f"{SEND}/{KEY}.0")[0])["msgtype"] == "m.image"
    assert (receipt.id, receipt.extra) == ("$acara0", {"room": ROOM})


def test_each_event_is_a_step_that_is_not_done_again() -> None:
    """Stopped after the text, another process sends the picture alone, in the room in which it was begun."""
    through = network(**{f"PUT_{SEND}/{KEY}.1": httpx.ConnectError("putus")})
    steps: dict[str, Any] = {}
    content = parts("Foto", media=[picture()])
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through, content=content, steps=steps))))
    assert isinstance(failure, Unavailable)
    assert set(steps) == {"began", "media0", "out/event0"}
    assert steps["began"] == {"device": "PERANGKAT1", "room": ROOM}
    again = network()
    moved = {**SETTINGS, "room": "#lain:contoh.example"}
    receipt = asyncio.run(platform.publish(on_its_way(again, content=content, steps=steps, settings=moved)))
    assert [request.url.path for request in again.requests if request.method != "GET"] == [f"{SEND}/{KEY}.1"]
    assert (receipt.id, receipt.extra["events"]) == ("$acara0", ["$acara1"])


def test_a_part_that_is_refused_half_way_says_so() -> None:
    """The text can be read already: the officer must know before writing the post anew."""
    refused = answer(403, {"errcode": "M_FORBIDDEN", "error": "No files here"})
    through = network(**{f"PUT_{SEND}/{KEY}.1": refused})
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through, content=parts("x", media=[picture()])))))
    assert isinstance(failure, Rejected)
    assert failure.message.startswith("The beginning of the post is out, but not its pictures: Matrix refused it")
    assert failure.code == "M_FORBIDDEN"


def test_a_thread_hangs_on_its_first_event() -> None:
    """Later parts name the first as root, and for clients without threads answer the newest event."""
    earlier = (
        Receipt(part=0, id="$akar", url=None, at=NOW, extra={"room": ROOM, "events": ["$gambar"]}),
        Receipt(part=1, id="$dua", url=None, at=NOW, extra={"room": ROOM}),
    )
    through = network()
    content = (Part(text="satu"), Part(text="dua"), Part(text="tiga", media=(picture(),)))
    asyncio.run(platform.publish(on_its_way(through, content=content, part=2, earlier=earlier)))
    placed = [json_of(through.sent("PUT", f"{SEND}/{KEY}.{number}")[0])["m.relates_to"] for number in (0, 1)]
    assert placed == [
        {
            "rel_type": "m.thread",
            "event_id": "$akar",
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": before},
        }
        for before in ("$dua", "$acara0")
    ]
    through = network()
    asyncio.run(platform.publish(on_its_way(through, content=content, part=1, earlier=earlier[:1])))
    assert json_of(through.requests[-1])["m.relates_to"]["m.in_reply_to"] == {"event_id": "$gambar"}


def test_an_alias_is_asked_once() -> None:
    """The room behind an alias is looked up, and remembered by the process."""
    alias = f"GET {V3}/directory/room/#kantor:contoh.example"
    through = network(**{alias.replace(" ", "_"): answer(200, {"room_id": ROOM, "servers": []})})
    memory: dict[str, Any] = {}
    for _again in range(2):
        settings = {**SETTINGS, "room": "#kantor:contoh.example"}
        asyncio.run(platform.publish(on_its_way(through, settings=settings, memory=memory)))
    assert len(through.sent("GET", alias.removeprefix("GET "))) == 1


def test_an_encrypted_room_is_refused_before_anything_leaves() -> None:
    """No file is uploaded, no event sent."""
    through = network(**{f"GET_{INSIDE}/state/m.room.encryption/": answer(200, {"algorithm": "m.megolm.v1.aes-sha2"})})
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through, content=parts("x", media=[picture()])))))
    assert isinstance(failure, Rejected)
    assert "encrypted" in failure.message
    assert {request.method for request in through.requests} == {"GET"}


@pytest.mark.parametrize("said", [{}, {"event_id": "lima"}, []])
def test_an_answer_that_names_no_event_proves_nothing(said: Any) -> None:
    """200 without an event's id is Unconfirmed."""
    through = network(**{f"PUT_{SEND}/{KEY}.0": answer(200, said)})
    assert isinstance(asyncio.run(failure_of(platform.publish(on_its_way(through)))), Unconfirmed)


# --- reading, finding, deleting, checking


def test_a_part_reads_back_with_descriptions_and_counts() -> None:
    """Words of the first event, alt texts of the files, answers and reactions."""
    shown = event("$t", text("Foto"))
    shown["unsigned"] = {"m.relations": {"m.thread": {"count": 2}}}
    reactions = f"GET_/_matrix/client/v1/rooms/{ROOM}/relations/$t/m.annotation"
    through = network(
        **{
            f"GET_{INSIDE}/event/$t": answer(200, shown),
            f"GET_{INSIDE}/event/$g": answer(200, event("$g", image("Massa aksi"))),
            reactions: answer(200, {"chunk": [{}, {}, {}]}),
        }
    )
    remote = asyncio.run(platform.read_back(on_its_way(through), RECEIPT))
    assert remote is not None
    assert (remote.text, remote.alts, remote.metrics) == ("Foto", ("Massa aksi",), {"replies": 2, "reactions": 3})
    through.routes[reactions.replace("_", " ", 1)] = answer(404, {"errcode": "M_UNRECOGNIZED"})
    remote = asyncio.run(platform.read_back(on_its_way(through), RECEIPT))
    assert remote is not None
    assert remote.metrics == {"replies": 2}


@pytest.mark.parametrize("shown", [answer(404, MISSING), answer(200, event("$t", {}))])
def test_what_was_redacted_is_gone(shown: Any) -> None:
    """No event, or one without content."""
    through = network(**{f"GET_{INSIDE}/event/$t": shown, f"GET_{INSIDE}/event/$g": answer(404, MISSING)})
    assert asyncio.run(platform.read_back(on_its_way(through), RECEIPT)) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://matrix.to/#/!balai%3Acontoh.example/%24t?via=contoh.example",
        "https://matrix.to/#/!balai:contoh.example/$t",
        "https://klien.example/#/room/!balai:contoh.example/$t",
    ],
)
def test_a_link_leads_to_its_event(url: str) -> None:
    """Links of matrix.to and of web clients, to a message of the account's own."""
    through = network(**{f"GET_{INSIDE}/event/$t": answer(200, event("$t", text()))})
    found = asyncio.run(platform.find(on_its_way(through), url))
    assert found is not None
    assert (found.id, found.extra) == ("$t", {"room": ROOM})


@pytest.mark.parametrize("strange", ["sender", "room", "missing"])
def test_other_links_lead_nowhere(strange: str) -> None:
    """Of other people's messages, other rooms, and messages that are gone."""
    shown = event("$t", text()) | ({"sender": "@lain:contoh.example"} if strange == "sender" else {})
    through = network(
        **{f"GET_{INSIDE}/event/$t": answer(404, MISSING) if strange == "missing" else answer(200, shown)}
    )
    room = "!lain:contoh.example" if strange == "room" else ROOM
    assert asyncio.run(platform.find(on_its_way(through), f"https://matrix.to/#/{room}/$t")) is None


def test_every_event_is_redacted_and_again_is_harmless() -> None:
    """Each under a transaction id of its own that is the same every time; what is gone is fine, a refusal is not."""
    through = network()
    through.replies = [answer(200, {"event_id": "$r"}), answer(404, MISSING)]
    asyncio.run(platform.delete(on_its_way(through), RECEIPT))
    paths = [request.url.path for request in through.requests]
    assert [path.startswith(f"{INSIDE}/redact/{one}/") for path, one in zip(paths, ("$t", "$g"), strict=True)] == [
        True,
        True,
    ]
    again = network()
    again.replies = [answer(200, {"event_id": "$r"}), answer(403, {"errcode": "M_FORBIDDEN", "error": "No"})]
    assert isinstance(asyncio.run(failure_of(platform.delete(on_its_way(again), RECEIPT))), Rejected)
    assert [request.url.path for request in again.requests] == paths


# --- settings, measure, preview


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" #kantor:contoh.example ", "#kantor:contoh.example"),
        ("!abc", "!abc"),
        ("https://matrix.to/#/%23kantor:contoh.example?via=a.example", "#kantor:contoh.example"),
        ("https://matrix.to/#/!abc:contoh.example", "!abc:contoh.example"),
    ],
)
def test_a_room_is_its_id_its_alias_or_its_link(written: str, meant: str) -> None:
    """All that people copy is understood, and becomes the account's address."""
    account = Account(name="a", platform="matrix", settings={**SETTINGS, "room": written})
    assert platform.address(account) == f"matrix.example/{meant}"


@pytest.mark.parametrize("written", ["kantor", "#kantor", "@orang:contoh.example", "https://contoh.example", ""])
def test_what_is_no_room_is_refused(written: str) -> None:
    """With a hint at what a room looks like."""
    with pytest.raises(ValidationError, match="no Matrix room"):
        platform.Settings.model_validate({**SETTINGS, "room": written})


def test_the_measure_is_bytes_of_both_forms() -> None:
    """UTF-8 as it is sent; a text with marks is sent twice; a file is an event of its own."""
    (plain,) = platform.measure("é\n", platform.limits, media=0)
    (marked,) = platform.measure("**é**", platform.limits, media=3)
    assert (plain.used, plain.unit, plain.limit) == (2, "bytes", 60_000)
    assert marked.used == 2 + len("<strong></strong>") + 2
    (long,) = platform.measure("é" * 30_001, platform.limits, media=0)
    assert long.over


def test_the_preview_shows_every_request_with_placeholders() -> None:
    """What only the server can give has a name in braces, and no token is shown."""
    item = on_its_way(network(), content=parts("Satu", "Dua", media=[picture()]))
    shown = asyncio.run(
        requests_of(item.draft, account=item.account, key="uji/kabar/a", due=item.due, content=lambda _digest: PNG)
    )
    sent = [request for request in shown if request.method == "PUT"]
    assert [request.body["body"] for request in sent] == ["Satu", "Poster aksi", "Dua"]
    assert sent[1].body["url"] == "mxc://{server}/{media_1}"
    assert sent[2].body["m.relates_to"]["event_id"] == "${event_1_1}"
    assert not any(TOKEN in str(request) for request in shown)


def test_no_other_post_stands_between_a_text_and_its_pictures() -> None:
    """Posts of one process that are due at the same minute take turns: the events of each part stand together."""
    order: list[str] = []

    class Slow:
        """Lets the others go on before every answer."""

        async def send(self, request: Request) -> Any:
            for _turn in range(5):
                await asyncio.sleep(0)
            if request.creating:
                order.append(request.url.rpartition("/")[2])
            return await RecordingTransport().send(request)

    async def all_at_once() -> None:
        memory: dict[str, Any] = {}
        content = parts("Foto", media=[picture()])
        items = [on_its_way(Slow(), content=content, key=f"{number}", memory=memory) for number in range(3)]
        await asyncio.gather(*(platform.publish(item) for item in items))

    asyncio.run(all_at_once())
    assert [name.partition(".")[0] for name in order[::2]] == [name.partition(".")[0] for name in order[1::2]]
    assert [name.partition(".")[2] for name in order] == ["0", "1"] * 3
