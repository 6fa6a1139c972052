"""The webhook: signed JSON, as Standard Webhooks say; a repeat only on the officer's word."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from platform_helpers import (
    DUE,
    NOW,
    PNG,
    Network,
    answer,
    failure_of,
    json_of,
    parts,
    picture,
    sending,
)
from pydantic import ValidationError

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Picture, Receipt, State
from campaign_cli.platforms.webhook import INLINE, platform
from campaign_cli.report.requests import requests_of
from tests.fault_helpers import Scene, open_theatre

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = {"url": "https://penerima.example/masuk/", "secret": "env:WEBHOOK_SECRET"}


def signature(secret: str, *, identifier: str, stamp: str, body: bytes) -> str:
    """As a receiver works it out (the specification's "Signature scheme")."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((identifier.encode(), stamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def on_its_way(through: Any, *, secret: str = SECRET, **more: Any) -> Any:
    more.setdefault("settings", SETTINGS)
    return sending(platform, through, secrets={"secret": secret}, **more)


def test_our_receiver_agrees_with_the_published_example() -> None:
    """The check that these tests use gives the signature that the libraries' own tests know."""
    made = signature(
        SECRET, identifier="msg_p5jXN8AQM9LWM0D4loKWxJek", stamp="1614265330", body=b'{"test": 2432232314}'
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_goes_out_signed() -> None:
    """The body holds the draft's facts; the id is the attempt's key, and the signature is over the very bytes."""
    through = Network(replies=[answer(200, {"id": 4711, "url": "https://penerima.example/kabar/4711"})])
    item = on_its_way(
        through,
        content=parts("Upah layak adalah hak.", media=[picture()]),
        link="https://contoh.example/upah",
        native={"title": "Upah"},
    )
    receipt = asyncio.run(platform.publish(item))
    (request,) = through.requests
    assert (request.method, str(request.url)) == ("POST", SETTINGS["url"])
    stamp = str(int(NOW.timestamp()))
    assert request.headers["content-type"] == "application/json"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == (item.key, stamp)
    assert request.headers["webhook-signature"] == signature(
        SECRET, identifier=item.key, stamp=stamp, body=request.content
    )
    assert json_of(request) == {
        "type": "post.due",
        "timestamp": DUE.isoformat(),
        "data": {
            "key": item.key,
            "account": "nasional",
            "language": "id",
            "due": DUE.isoformat(),
            "part": 1,
            "parts": 1,
            "reply_to": None,
            "text": "Upah layak adalah hak.",
            "link": "https://contoh.example/upah",
            "media": [
                {
                    "name": "poster.png",
                    "mime": "image/png",
                    "size": len(PNG),
                    "sha256": hashlib.sha256(PNG).hexdigest(),
                    "alt": "Poster aksi",
                    "content": base64.b64encode(PNG).decode(),
                }
            ],
            "native": {"title": "Upah"},
        },
    }
    assert (receipt.id, receipt.url, receipt.at) == (item.key, "https://penerima.example/kabar/4711", NOW)
    assert receipt.extra == {"id": "4711"}


@pytest.mark.parametrize(("extra", "wanted"), [({}, "kunci"), ({"id": "a1"}, "a1")])
def test_a_later_part_names_the_one_before(extra: dict[str, Any], wanted: str) -> None:
    """A thread is one request for each part; the one before goes by the receiver's own id, where it gave one."""
    through = Network(replies=[answer(202, text="Accepted")])
    before = Receipt(part=0, id="kunci", url=None, at=NOW, extra=extra)
    item = on_its_way(through, content=parts("Satu", "Dua"), part=1, earlier=(before,))
    asyncio.run(platform.publish(item))
    data = json_of(through.requests[0])["data"]
    assert (data["part"], data["parts"], data["text"], data["reply_to"]) == (2, 2, "Dua", {"id": wanted, "url": None})


def test_a_video_goes_along_and_a_giant_is_described() -> None:
    """What is larger than the limit has no content; nobody loads it either."""
    video = replace(picture(), name="aksi.mp4", mime="video/mp4", seconds=3.0)
    giant: Picture = replace(video, size=INLINE + 1)
    through = Network(replies=[answer(204)])
    asyncio.run(platform.publish(on_its_way(through, content=parts("Aksi", media=[video, giant]))))
    first, second = json_of(through.requests[0])["data"]["media"]
    assert first["content"] == base64.b64encode(PNG).decode()
    assert ("content" in second, second["size"]) == (False, INLINE + 1)


@pytest.mark.parametrize(
    ("reply", "identifier", "url"),
    [
        (answer(204), None, None),
        (answer(200, text="ok"), None, None),
        (answer(200, text="<p>ok</p>"), None, None),
        (answer(202, [1]), None, None),
        (answer(201, {"id": "x" * 501, "url": "javascript:1"}), None, None),
        (answer(201, {"id": True, "url": None}), None, None),
        (answer(299, {"id": "kabar-1"}), "kabar-1", None),
    ],
)
def test_any_2xx_is_done(reply: Any, identifier: str | None, url: str | None) -> None:
    """The status is the receiver's word; the receipt is the attempt's key, which no other message has."""
    item = on_its_way(Network(replies=[reply]))
    receipt = asyncio.run(platform.publish(item))
    assert (receipt.id, receipt.url, receipt.extra.get("id")) == (item.key, url, identifier)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(401, {"message": "signature"}), Unauthorized),
        (answer(403, {"message": "no"}), Rejected),
        (answer(404, text="gone"), Rejected),
        (answer(410, text="gone"), Rejected),
        (answer(413, text="large"), Rejected),
        (answer(429, text="slow"), Unavailable),
        (answer(500, text="oops"), Unconfirmed),
        (answer(503, text="oops"), Unconfirmed),
        (httpx.ConnectError("no route"), Unavailable),
        (httpx.ReadTimeout("slow"), Unconfirmed),
    ],
)
def test_each_answer_has_its_meaning(reply: Any, kind: type[Exception]) -> None:
    """What Standard Webhooks say of statuses, and the transport's own reading of the others."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[reply])))))
    assert type(failure) is kind
    assert bool(failure.fix) is (failure.status in (None, 401, 410, 413) and kind is not Unconfirmed)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """The message stays here; the new address is named."""
    through = Network(replies=[answer(status, headers={"Location": "https://lain.example/masuk"})])
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert isinstance(failure, Rejected)
    assert "lain.example" in failure.message
    assert len(through.requests) == 1


@pytest.mark.parametrize("secret", ["rahasia", "whsec_", "whsec_c2luZ2thdA==", "whsec_***"])
def test_a_secret_that_cannot_sign_goes_nowhere(secret: str) -> None:
    """It is refused before anything leaves, and not repeated in the message."""
    through = Network()
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through, secret=secret))))
    assert isinstance(failure, Unauthorized)
    assert secret == "whsec_" or secret not in failure.message + failure.fix
    assert through.requests == []


def test_nothing_can_be_looked_up_read_or_deleted() -> None:
    """And that is said."""
    through = Network()
    item, receipt = on_its_way(through), Receipt(part=0, id="k", url=None, at=NOW)
    looked = asyncio.run(platform.look_up(item, NOW))
    assert (looked.found, looked.complete) == ((), False)
    assert asyncio.run(platform.read_back(item, receipt)) is None
    failure = asyncio.run(failure_of(platform.delete(item, receipt)))
    assert isinstance(failure, Rejected)
    assert failure.fix
    assert through.requests == []


@pytest.mark.parametrize("word", [True, False])
def test_only_the_officers_word_allows_a_repeat(word: bool) -> None:
    """Without it, the account proves nothing, as a chat's webhook does."""
    item = on_its_way(Network(), settings={**SETTINGS, "removes_repeats": word})
    assert platform.may_repeat(item, software="", age=timedelta(days=9)) is word
    assert platform.blind(item.account) is not word


@pytest.mark.parametrize("word", [True, False])
def test_a_lost_answer_is_repeated_only_on_that_word(tmp_path: Path, word: bool) -> None:
    """Through the dispatcher: one message in either case; without the word, a person decides."""
    empty = tmp_path / "kosong"
    empty.mkdir()
    with open_theatre(empty) as theatre:
        scene = Scene(tmp_path / "scene", theatre, "webhook", ["situs"])
        try:
            (name,) = scene.workspace.accounts
            account = scene.workspace.accounts[name]
            told = replace(account, settings={**account.settings, "removes_repeats": word})
            scene.workspace = replace(scene.workspace, accounts={name: told})
            scene.queue("situs", "Kabar")
            scene.misbehave("situs", kind="accept-then-drop", times=1)
            assert scene.settle() == []
            delivery = scene.deliveries()["situs/kabar"]
            assert delivery.state is (State.PUBLISHED if word else State.UNCERTAIN)
            assert sum(one.creating for one in scene.sent["situs"]) == (2 if word else 1)
            assert len(scene.posts("situs")) == 1
        finally:
            scene.close()


def test_check_sends_no_message() -> None:
    """A HEAD: somebody answers; a redirect is named before the first post is due."""
    through = Network(replies=[answer(405), answer(308, headers={"Location": "https://lain.example/"}), answer(502)])
    item = on_its_way(through)
    found = asyncio.run(platform.check(item))
    assert found.identity == found.handle == "penerima.example/masuk"
    assert len(found.notes) == 2
    assert isinstance(asyncio.run(failure_of(platform.check(item))), Rejected)
    assert isinstance(asyncio.run(failure_of(platform.check(item))), Unavailable)
    assert {request.method for request in through.requests} == {"HEAD"}
    assert isinstance(asyncio.run(failure_of(platform.check(on_its_way(through, secret="salah")))), Unauthorized)


@pytest.mark.parametrize(
    "url", ["http://penerima.example/masuk", "https://a:b@penerima.example", "penerima.example", "https://x.example/?a"]
)
def test_an_address_that_would_leak_is_refused(url: str) -> None:
    """https, without a password or a query."""
    with pytest.raises(ValidationError):
        platform.Settings.model_validate({**SETTINGS, "url": url})


def test_preview_shows_the_message_without_its_bytes() -> None:
    """The body is readable, the file is named, the secret's reference stands where the signature will."""
    item = on_its_way(Network(), content=parts("Upah layak", media=[picture()]))
    (shown,) = asyncio.run(
        requests_of(item.draft, account=item.account, key="a/b/c", due=item.due, content=lambda _digest: PNG)
    )
    assert shown.body["data"]["text"] == "Upah layak"
    assert shown.body["data"]["media"][0]["content"].startswith("‹poster.png, base64, ")
    assert shown.body["data"]["media"][0]["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert shown.headers["webhook-signature"] == "v1,‹env:WEBHOOK_SECRET›"
    assert (shown.creating, shown.url) == (True, SETTINGS["url"])
