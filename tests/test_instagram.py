"""The Instagram adapter: containers, carousels, reels, uploads, what a restart goes on with, look-up, refusals."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from container_helpers import (
    CONTAINER,
    FILE,
    LOGINS,
    POSTED,
    TOKEN,
    USER,
    form_of,
    instagram_check,
    listed,
    on_its_way,
    photo,
    refusal,
    row,
    scripted,
    video,
)
from platform_helpers import NOW, answer, failure_of
from pydantic import ValidationError

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Draft, Part, Receipt
from campaign_cli.platforms.instagram import platform
from campaign_cli.report.requests import requests_of

TEXT = "Upah layak adalah hak. #UpahLayak"
LINK = "https://www.instagram.com/p/Contoh_1-a/"
RECEIPT = Receipt(part=0, id=POSTED, url=LINK, at=NOW)
UPLOAD = f"/ig-api-upload/v25.0/{CONTAINER}"
ITEMS = tuple(f"1800000000000001{number}" for number in range(2))
PART = Part(text=TEXT, media=(photo(),))


def status(code: str, reason: str = "") -> Any:
    return answer(200, {"id": CONTAINER, "status_code": code} | ({"status": reason} if reason else {}))


def network(login: str = "instagram", **routes: Any) -> Any:
    """Answers by route, ``_`` for the space; every request is held against the specification."""
    known: dict[str, Any] = {
        "GET /me": answer(200, {"user_id": USER, "username": "fsp.contoh", "id": "9"}),
        f"GET /{USER}": answer(200, {"id": USER, "username": "fsp.contoh"}),
        f"POST /{USER}/media": answer(200, {"id": CONTAINER}),
        f"GET /{CONTAINER}": status("FINISHED"),
        f"POST /{USER}/media_publish": answer(200, {"id": POSTED}),
        f"GET /{POSTED}": answer(200, {"id": POSTED, "permalink": LINK}),
        **{route.replace("_", " ", 1): reply for route, reply in routes.items()},
    }
    return scripted(instagram_check(login=login), known)


def item_of(through: Any, *media: Any, **more: Any) -> Any:
    return on_its_way("instagram", through, content=(Part(text=TEXT, media=media or (photo(),)),), **more)


def sent(through: Any, path: str) -> list[dict[str, str]]:
    return [form_of(request) for request in through.sent("POST", f"/v25.0{path}")]


def refused(through: Any, *media: Any, **more: Any) -> Failure:
    return asyncio.run(failure_of(platform.publish(item_of(through, *media, **more))))


def test_a_picture_is_fetched_and_published_once_it_is_finished() -> None:
    """Container with address, alt text and caption; its number is kept; the receipt is the post with its permalink."""
    through = network(**{f"GET_/{CONTAINER}": [status("IN_PROGRESS"), status("FINISHED")]})
    item = item_of(through, photo(alt="Massa aksi"))
    receipt = asyncio.run(platform.publish(item))
    assert sent(through, f"/{USER}/media") == [{"image_url": FILE, "alt_text": "Massa aksi", "caption": TEXT}]
    assert sent(through, f"/{USER}/media_publish") == [{"creation_id": CONTAINER}]
    assert (receipt.id, receipt.url) == (POSTED, LINK)
    assert item.steps == {"container": CONTAINER}


def test_a_carousel_is_made_of_its_items_in_order() -> None:
    """Each item is finished before the carousel names it; the caption stands on the carousel alone."""
    answers = [answer(200, {"id": identifier}) for identifier in (*ITEMS, CONTAINER)]
    ready = {f"GET_/{identifier}": status("FINISHED") for identifier in ITEMS}
    through = network(**{f"POST_/{USER}/media": answers}, **ready)
    item = item_of(through, photo(alt="Massa"), video())
    asyncio.run(platform.publish(item))
    address = FILE.replace("poster.jpg", "aksi.mp4")
    assert sent(through, f"/{USER}/media") == [
        {"image_url": FILE, "alt_text": "Massa", "is_carousel_item": "true"},
        {"media_type": "VIDEO", "video_url": address, "is_carousel_item": "true"},
        {"media_type": "CAROUSEL", "children": ",".join(ITEMS), "caption": TEXT},
    ]
    assert item.steps == {"item0": ITEMS[0], "item1": ITEMS[1], "container": CONTAINER}


def test_one_video_is_a_reel_that_also_stands_in_the_feed() -> None:
    """Instagram Login: it is fetched; there is no alt text for reels."""
    through = network()
    asyncio.run(platform.publish(item_of(through, video())))
    (form,) = sent(through, f"/{USER}/media")
    address = FILE.replace("poster.jpg", "aksi.mp4")
    assert form == {"media_type": "REELS", "video_url": address, "share_to_feed": "true", "caption": TEXT}


def test_with_facebook_login_a_video_is_uploaded_and_goes_on_where_it_stopped() -> None:
    """The bytes go to Meta's own address; after a break only those that had not arrived."""
    content = b"\0\0\0\x18ftypmp42isi kandungan"
    clip = video()
    made = answer(200, {"id": CONTAINER, "uri": f"https://rupload.facebook.com{UPLOAD}"})
    routes = {f"POST_/{USER}/media": made, f"POST_{UPLOAD}": ConnectionResetError()}
    through = network("facebook", **routes)
    facebook = {"settings": LOGINS["facebook"], "bytes_of": {clip.sha256: content}}
    item = item_of(through, clip, **facebook)
    told: list[tuple[int, int]] = []
    item.uploaded = lambda done, total: told.append((done, total))
    with pytest.raises(ConnectionResetError):
        asyncio.run(platform.publish(item))
    kept = {"id": CONTAINER, "uri": f"https://rupload.facebook.com{UPLOAD}"}
    assert item.steps == {"container.upload": kept}
    assert sent(through, f"/{USER}/media")[0]["upload_type"] == "resumable"
    arrived = {"video_status": {"uploading_phase": {"bytes_transferred": 10}}, "id": CONTAINER}
    states = [status("IN_PROGRESS"), answer(200, arrived), status("FINISHED")]
    through = network("facebook", **{f"POST_{UPLOAD}": answer(200, {"success": True}), f"GET_/{CONTAINER}": states})
    item = item_of(through, clip, steps=dict(item.steps), **facebook)
    item.uploaded = lambda done, total: told.append((done, total))
    asyncio.run(platform.publish(item))
    (request,) = through.sent("POST", UPLOAD)
    assert (request.headers["offset"], request.headers["file_size"]) == ("10", str(len(content)))
    assert request.content == content[10:]
    assert told == [(0, len(content)), (10, len(content)), (len(content), len(content))]
    assert sent(through, f"/{USER}/media") == []


def test_a_video_goes_to_no_address_but_metas() -> None:
    """The token would go there, too."""
    made = answer(200, {"id": CONTAINER, "uri": "https://jahat.example/unggah"})
    through = network("facebook", **{f"POST_/{USER}/media": made})
    failure = refused(through, video(), settings=LOGINS["facebook"])
    assert isinstance(failure, Rejected)
    assert "jahat.example" in failure.message


def test_nothing_is_published_without_a_picture_or_a_video() -> None:
    """Said before anything leaves."""
    through = network()
    failure = asyncio.run(failure_of(platform.publish(on_its_way("instagram", through))))
    assert isinstance(failure, Rejected)
    assert through.requests == []


def test_a_kept_container_is_published_without_making_another() -> None:
    """A restart asks how it is, and goes on."""
    through = network()
    asyncio.run(platform.publish(item_of(through, steps={"container": CONTAINER})))
    assert sent(through, f"/{USER}/media") == []
    assert sent(through, f"/{USER}/media_publish") == [{"creation_id": CONTAINER}]


@pytest.mark.parametrize("gone", [status("EXPIRED"), refusal(100, subcode=33)])
def test_a_container_that_ended_is_made_anew(gone: Any) -> None:
    """After 24 hours, or where Instagram knows none of that number."""
    old = "18000000000000009"
    through = network(**{f"GET_/{old}": gone})
    item = item_of(through, steps={"container": old})
    asyncio.run(platform.publish(item))
    assert sent(through, f"/{USER}/media_publish") == [{"creation_id": CONTAINER}]
    assert item.steps["container"] == CONTAINER


def test_a_container_that_is_published_already_is_never_published_again() -> None:
    """It is doubtful, so that the post is looked up."""
    through = network(**{f"GET_/{CONTAINER}": status("PUBLISHED")})
    assert isinstance(refused(through, steps={"container": CONTAINER}), Unconfirmed)
    assert sent(through, f"/{USER}/media_publish") == []


def test_what_takes_long_goes_on_at_the_next_try() -> None:
    """Looked at for less than a lease, a video for five minutes; then left, and the number is kept."""
    for medium, longest in ((photo(), 60), (video(), 300)):
        through = network(**{f"GET_/{CONTAINER}": status("IN_PROGRESS")})
        item = item_of(through, medium)
        failure = asyncio.run(failure_of(platform.publish(item)))
        assert isinstance(failure, Unavailable)
        assert item.steps == {"container": CONTAINER}
        assert longest / 2 < (item.now() - NOW).total_seconds() < longest


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Error: Media upload has failed with error code 2207026", Rejected),
        ("Error: Media upload has failed with error code 2207053", Unavailable),
        ("Error: 2207082", Unavailable),
        ("", Unavailable),
    ],
)
def test_a_container_that_failed_says_why_and_is_forgotten(reason: str, kind: type[Failure]) -> None:
    """A format is for a person; anything else is tried again with a new container, its items too."""
    through = network(**{f"GET_/{CONTAINER}": status("ERROR", reason)})
    item = item_of(through, video(), steps={"item0": "18000000000000005"})
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert type(failure) is kind
    assert item.steps == {"container": None, "item0": None}


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (-2, 2207003, Unavailable),
        (-2, 2207020, Unavailable),
        (-1, 2207001, Unconfirmed),
        (24, 2207008, Unconfirmed),
        (-1, 2207032, Unavailable),
        (-1, 2207053, Unavailable),
        (1, 2207057, Rejected),
        (4, 2207051, Unconfirmed),
        (9, 2207042, Unavailable),
        (24, 2207006, Unavailable),
        (25, 2207050, Rejected),
        (100, 2207023, Rejected),
        (100, 2207028, Rejected),
        (100, 2207035, Rejected),
        (100, 2207040, Rejected),
        (352, 2207026, Rejected),
        (9004, 2207052, Unavailable),
        (9007, 2207027, Unavailable),
        (36000, 2207004, Rejected),
        (36001, 2207005, Rejected),
        (36003, 2207009, Rejected),
        (36004, 2207010, Rejected),
        (190, 463, Unauthorized),
        (10, 0, Rejected),
        (4, 0, Unavailable),
        (2, 0, Unconfirmed),
    ],
)
def test_each_documented_error_has_its_meaning(code: int, subcode: int, kind: type[Failure]) -> None:
    """On the request that publishes; a container that is of no use any more is made anew, and remembered as refused."""
    through = network(**{f"POST_/{USER}/media_publish": refusal(code, subcode=subcode)})
    item = item_of(through)
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert type(failure) is kind
    assert failure.fix or kind is not Rejected
    spent = subcode in (2207006, 2207020, 2207032, 2207053)
    assert item.steps["container"] == (None if spent else CONTAINER)
    remembered = isinstance(failure, Rejected | Unavailable) or subcode == 2207051
    assert ("out/container" in item.steps) is (remembered and subcode != 2207006)  # of a new one, that is no doubt
    if subcode == 2207042:
        assert failure.retry_at == item.now() + timedelta(hours=1)
    if kind is Unconfirmed and subcode != 2207051:  # before anything can be public, the same answer is tried again
        assert type(refused(network(**{f"POST_/{USER}/media": refusal(code, subcode=subcode)}))) is Unavailable


def test_a_lost_answer_to_the_publishing_request_proves_nothing() -> None:
    """An answer without a number, and codes that say nothing."""
    through = network(**{f"POST_/{USER}/media_publish": answer(200, {"ok": True})})
    assert isinstance(refused(through), Unconfirmed)


@pytest.mark.parametrize("login", list(LOGINS))
def test_the_first_comment_goes_under_the_post(login: str) -> None:
    """As both specifications have it, and not again where it is known to be there."""
    through = network(login, **{f"POST_/{POSTED}/comments": answer(200, {"id": "17900000000000008"})})
    item = item_of(through, settings=LOGINS[login], native={"first_comment": "Baca"})
    assert [asyncio.run(platform.afterwards(item, RECEIPT)) for _time in range(2)] == ["", ""]
    assert sent(through, f"/{POSTED}/comments") == [{"message": "Baca"}]


def test_a_permalink_that_cannot_be_had_changes_no_success() -> None:
    """The post is out."""
    receipt = asyncio.run(platform.publish(item_of(network(**{f"GET_/{POSTED}": refusal(2)}))))
    assert (receipt.id, receipt.url) == (POSTED, None)


LOOK = f"GET_/{USER}/media"


def test_a_post_is_found_by_its_caption_and_kind() -> None:
    """White space makes no difference; other words, another kind and an older post do."""
    old = (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    mine = {"media_type": "IMAGE", "caption": TEXT.replace(" ", "\n"), "permalink": LINK}
    rows = (
        row("17900000000000001", **mine),
        row("17900000000000002", **{**mine, "media_type": "VIDEO"}),
        row("17900000000000003", **{**mine, "caption": "Lain"}),
        {"id": "17900000000000004", **mine, "timestamp": old},
    )
    through = network(**{LOOK: listed(*rows)})
    looked = asyncio.run(platform.look_up(item_of(through), NOW - timedelta(minutes=2)))
    assert [found.receipt.id for found in looked.found] == ["17900000000000001"]
    assert looked.complete


@pytest.mark.parametrize(("state", "complete"), [("PUBLISHED", False), ("FINISHED", True), ("EXPIRED", True)])
def test_absence_counts_only_while_the_container_is_unpublished(state: str, complete: bool) -> None:
    """A published container whose post is not listed yet is no absence."""
    through = network(**{LOOK: listed(), f"GET_/{CONTAINER}": status(state)})
    looked = asyncio.run(platform.look_up(item_of(through, steps={"container": CONTAINER}), NOW))
    assert (looked.found, looked.complete) == ((), complete)


def test_a_search_goes_on_until_a_page_is_older() -> None:
    """One old post among newer ones ends nothing; the next page's address comes without its token."""
    old = {"id": "17900000000000001", "timestamp": "2020-01-01T00:00:00+0000"}
    following = f"https://graph.instagram.com/v25.0/{USER}/media?access_token={TOKEN}&limit=50&after=a"
    pages = [listed(row("17900000000000002"), old, following=following), listed(old, following=following)]
    through = network(**{LOOK: pages})
    looked = asyncio.run(platform.look_up(item_of(through), NOW - timedelta(minutes=2)))
    assert looked.complete
    first, second = through.sent("GET", f"/v25.0/{USER}/media")
    assert ("after" in first.url.params, second.url.params["after"]) == (False, "a")


@pytest.mark.parametrize("broken", [{"id": "1"}, {"id": "1", "timestamp": "kemarin"}, {"id": "1", "timestamp": None}])
def test_a_list_that_cannot_be_read_is_no_absence(broken: dict[str, Any]) -> None:
    """Posts without an instant are no answer."""
    through = network(**{LOOK: listed(broken)})
    assert isinstance(asyncio.run(failure_of(platform.look_up(item_of(through), NOW))), Unavailable)


def test_a_post_is_read_back_with_its_figures() -> None:
    """Caption, alt texts of the items, likes and comments; None where it is gone."""
    node = {
        "id": POSTED,
        "caption": TEXT,
        "permalink": LINK,
        "timestamp": "2026-12-03T01:00:05+0000",
        "children": {"data": [{"id": "1", "alt_text": "Massa"}, {"id": "2"}]},
        "like_count": 12,
        "comments_count": 3,
    }
    through = network(**{f"GET_/{POSTED}": answer(200, node)})
    remote = asyncio.run(platform.read_back(on_its_way("instagram", through), RECEIPT))
    assert remote is not None
    assert (remote.text, remote.alts, remote.url) == (TEXT, ("Massa", ""), LINK)
    assert remote.metrics == {"likes": 12, "comments": 3}
    gone = network(**{f"GET_/{POSTED}": refusal(100, subcode=33)})
    assert asyncio.run(platform.read_back(on_its_way("instagram", gone), RECEIPT)) is None


def test_views_are_asked_for_with_facebook_login() -> None:
    """Its specification alone has them."""
    node = answer(200, {"id": POSTED, "view_count": 90})
    through = network("facebook", **{f"GET_/{POSTED}": node})
    item = on_its_way("instagram", through, settings=LOGINS["facebook"])
    remote = asyncio.run(platform.read_back(item, RECEIPT))
    assert remote is not None
    assert remote.metrics == {"views": 90}


@pytest.mark.parametrize(
    "url",
    [LINK, "instagram.com/reel/Contoh_1-a?igsh=x", "https://www.instagram.com/fsp.contoh/p/Contoh_1-a"],
)
def test_an_address_leads_to_the_accounts_own_post(url: str) -> None:
    """Also without https, as a reel, and with the account's name before it."""
    rows = (row("17900000000000001", permalink="https://www.instagram.com/p/Lain/"), row(POSTED, permalink=LINK))
    through = network(**{LOOK: listed(*rows)})
    found = asyncio.run(platform.find(on_its_way("instagram", through), url))
    assert found is not None
    assert (found.id, found.url, found.part) == (POSTED, LINK, 0)


@pytest.mark.parametrize("url", ["https://contoh.example/p/Contoh_1-a/", "https://www.instagram.com/p/Tiada/"])
def test_no_other_address_does(url: str) -> None:
    """Another site's, or a post that is not the account's."""
    through = network(**{LOOK: listed(row(POSTED, permalink=LINK))})
    assert asyncio.run(platform.find(on_its_way("instagram", through), url)) is None


def test_deleting_is_for_the_app_and_that_is_said() -> None:
    """No request leaves."""
    through = network()
    failure = asyncio.run(failure_of(platform.delete(on_its_way("instagram", through), RECEIPT)))
    assert isinstance(failure, Rejected)
    assert (bool(failure.fix), through.requests) == (True, [])


QUOTA = answer(200, {"data": [{"quota_usage": 7, "config": {"quota_total": 50, "quota_duration": 86400}}]})


def test_the_check_says_who_it_is_and_what_of_the_day_is_used() -> None:
    """The account's own cap, whatever the pages say."""
    through = network(**{f"GET_/{USER}/content_publishing_limit": QUOTA})
    check = asyncio.run(platform.check(on_its_way("instagram", through)))
    assert (check.identity, check.handle, check.expires) == (USER, "@fsp.contoh", None)
    assert any("7" in note and "50" in note for note in check.notes)
    other = on_its_way("instagram", through, settings={**LOGINS["instagram"], "handle": "@lain"})
    assert "@fsp.contoh" in asyncio.run(failure_of(platform.check(other))).message
    other = on_its_way("instagram", through, settings={**LOGINS["instagram"], "account": 5})
    assert USER in asyncio.run(failure_of(platform.check(other))).message


@pytest.mark.parametrize("scopes", [("instagram_basic", "instagram_content_publish"), ("instagram_basic",)])
def test_the_check_knows_scopes_and_end_with_facebook_login(scopes: tuple[str, ...]) -> None:
    """By debug_token; a token that may not publish is refused."""
    facts = answer(200, {"data": {"is_valid": True, "scopes": list(scopes), "expires_at": 1796259605}})
    routes = {f"GET_/{USER}/content_publishing_limit": QUOTA, "GET_/debug_token": facts}
    item = on_its_way("instagram", network("facebook", **routes), settings=LOGINS["facebook"])
    if len(scopes) == 1:
        assert "instagram_content_publish" in asyncio.run(failure_of(platform.check(item))).message
        return
    check = asyncio.run(platform.check(item))
    assert check.scopes == scopes
    assert check.expires is not None
    assert check.expires.timestamp() == 1796259605


def test_texts_are_measured_in_characters_hashtags_and_mentions() -> None:
    """Each with its own limit."""
    counts = platform.measure("@satu #dua #tiga é", platform.limits, media=1)
    assert [(count.used, count.limit, count.unit) for count in counts] == [
        (18, 2200, "characters"),
        (2, 30, "hashtags"),
        (1, 20, "mentions"),
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"token": "env:I", "login": "facebook"},
        {"token": "env:I", "handle": "nama dengan spasi"},
        {"token": "env:I", "account": "abc"},
        {"token": "env:I", "version": "25"},
        {"token": "env:I", "url": "http://graph.example"},
        {"token": "env:I", "lain": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(ValidationError):
        platform.Settings.model_validate(settings)


def test_two_spellings_of_one_account_have_one_address() -> None:
    """The number counts before the name, the name before the token's reference."""

    def address(**settings: Any) -> str:
        return platform.address(Account(name="a", platform="instagram", settings={"token": "env:I", **settings}))

    assert address(handle="@FSP.Contoh") == address(handle="fsp.contoh", url="https://graph.instagram.com/")
    assert address(account=int(USER)) == f"graph.instagram.com/{USER}"
    assert len({address(), address(handle="a"), address(login="facebook", account=USER)}) == 3


def test_a_post_takes_one_of_the_day() -> None:
    """Also a carousel."""
    draft = Draft(platform="instagram", account="a", address="a", language="id", parts=(PART,))
    (use,) = platform.uses(draft)
    assert (use.what, use.amount, use.limit, use.period) == ("posts", 1, 100, timedelta(days=1))


def test_a_preview_shows_the_requests_without_secrets() -> None:
    """Containers and addresses are named placeholders."""
    account = Account(name="galeri", platform="instagram", settings=LOGINS["instagram"])
    draft = Draft(platform="instagram", account="galeri", address="a", language="id", parts=(PART,))
    shown = asyncio.run(requests_of(draft, account=account, key="a/b/c", due=NOW, content=lambda _digest: b""))
    paths = [f"{request.method} {request.url.partition('v25.0')[2]}" for request in shown]
    assert paths == [
        "GET /me?fields=user_id%2Cusername",
        "POST /{account_id}/media",
        "GET /{container_id}?fields=status_code%2Cstatus",
        "POST /{account_id}/media_publish",
        "GET /{post_id_1}?fields=permalink",
    ]
    assert [request.creating for request in shown] == [False, False, False, True, False]
    assert shown[1].body["image_url"] == "{public_url:poster.jpg}"
    assert all("‹env:INSTAGRAM_TOKEN›" in request.headers["Authorization"] for request in shown)


def test_a_preview_shows_an_upload_as_its_file() -> None:
    """With Facebook Login: the video's name and size in the place of its bytes."""
    content = b"\0\0\0\x18ftypmp42isi kandungan"
    account = Account(name="galeri", platform="instagram", settings=LOGINS["facebook"])
    parts = (Part(text=TEXT, media=(video(),)),)
    draft = Draft(platform="instagram", account="galeri", address="a", language="id", parts=parts)
    shown = asyncio.run(requests_of(draft, account=account, key="a/b/c", due=NOW, content=lambda _digest: content))
    upload = next(request for request in shown if "rupload" in request.url)
    assert upload.url == "https://rupload.facebook.com/ig-api-upload/v25.0/{container_id}"
    assert upload.body.startswith("‹aksi.mp4, application/octet-stream")
    assert upload.headers["Authorization"] == "OAuth ‹env:INSTAGRAM_TOKEN›"
