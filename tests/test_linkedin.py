"""The LinkedIn adapter: posts, pictures, videos, cards, look-ups, permalinks."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from linkedin_helpers import (
    AUTHOR,
    POSTED,
    TOKEN,
    check_known,
    created,
    file_state,
    image_begun,
    listed,
    on_its_way,
    post_json,
    problem,
)
from platform_helpers import NOW, Clock, Network, answer, failure_of, json_of, parts, picture

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.models import Receipt
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.linkedin import platform
from campaign_cli.platforms.linkedin_search import PAGES
from campaign_cli.platforms.linkedin_text import little, plain, same_text

SINCE = NOW - timedelta(minutes=2)
RECEIPT = Receipt(part=0, id=POSTED, url=None, at=NOW)
FILM = b"0123456789"


def film() -> Any:
    """A prepared video of ten bytes."""
    return replace(picture(FILM, name="aksi.mp4", mime="video/mp4", alt=""), seconds=12.0)


def test_a_text_goes_out_and_the_header_says_which_post_it_is() -> None:
    """The answer has no body: the receipt's id is the header's, and its address is LinkedIn's."""
    network = Network(replies=[created()])
    receipt = asyncio.run(platform.publish(on_its_way(network, content=parts("Upah layak. #UpahLayak (1)"))))
    assert (receipt.id, receipt.url) == (POSTED, f"https://www.linkedin.com/feed/update/{POSTED}")
    body = json_of(network.requests[0])
    assert body["commentary"] == r"Upah layak. {hashtag|\#|UpahLayak} \(1\)"
    assert (body["author"], body["visibility"], body["lifecycleState"]) == (AUTHOR, "PUBLIC", "PUBLISHED")
    assert "content" not in body
    check_known(network)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (r"a\b|c{d}e@f[g]h(i)j<k>l*m_n~o", r"a\\b\|c\{d\}e\@f\[g\]h\(i\)j\<k\>l\*m\_n\~o"),
        ("#Upah_Layak2027!", r"{hashtag|\#|Upah\_Layak2027}!"),
        ("Nomor #1 dan C#", r"Nomor \#1 dan C\#"),
        ("https://contoh.example/a_b#c", r"https://contoh.example/a\_b\#c"),
        ("Dua\nbaris — 👩🏽‍🏭", "Dua\nbaris — 👩🏽‍🏭"),
    ],
)
def test_every_sign_that_would_cut_the_post_off_is_escaped(text: str, written: str) -> None:
    """Signs are shown as they are written, hashtags can be clicked, and reading it back gives the text."""
    assert little(text) == written
    assert plain(written) == text


def test_what_others_wrote_is_read_as_people_see_it() -> None:
    """Mentions become names, hashtags of either form become hashtags."""
    assert (
        plain(r"@[Serikat \(Contoh\)](urn:li:organization:1) {hashtag|#|upah} #layak")
        == "Serikat (Contoh) #upah #layak"
    )


def test_a_link_becomes_a_card_with_the_first_line_as_its_title() -> None:
    """LinkedIn doesn't look at the page: source and title are sent; the variant's own title comes first."""
    link = "https://contoh.example/upah?utm_source=linkedin"
    for native, title in (({}, "Upah layak (1)"), ({"title": "Rilis"}, "Rilis")):
        network = Network(replies=[created()])
        content = parts("Upah layak (1)\nBaris kedua")
        asyncio.run(platform.publish(on_its_way(network, content=content, link=link, native=native)))
        assert json_of(network.requests[0])["content"] == {"article": {"source": link, "title": title}}
        check_known(network)


def test_one_picture_is_uploaded_waited_for_and_described() -> None:
    """Ask for an address, send the bytes there with the token, look until it is available, post."""
    network = Network(replies=[image_begun(), httpx.Response(201), file_state("PROCESSING"), file_state(), created()])
    clock = Clock()
    content = parts("Foto", media=[picture()])
    asyncio.run(platform.publish(on_its_way(network, content=content, clock=clock)))
    begin, put, *_looks, post = network.requests
    assert json_of(begin) == {"initializeUploadRequest": {"owner": AUTHOR}}
    assert (put.headers["content-type"], put.headers["authorization"]) == ("image/png", f"Bearer {TOKEN}")
    assert clock.slept == [1.0]
    assert json_of(post)["content"] == {"media": {"id": "urn:li:image:C1", "altText": "Poster aksi"}}
    check_known(network)


def test_several_pictures_are_one_post_in_order() -> None:
    """Two to twenty pictures stand in a list; one without alt text has none."""
    network = Network(
        replies=[
            *(image_begun("urn:li:image:C1"), httpx.Response(201), file_state()),
            *(image_begun("urn:li:image:C2"), httpx.Response(201), file_state()),
            created(),
        ]
    )
    media = [picture(), picture(b"\x89PNG2", alt="")]
    asyncio.run(platform.publish(on_its_way(network, content=parts("Foto", media=media), link="https://x.example/")))
    images = [{"id": "urn:li:image:C1", "altText": "Poster aksi"}, {"id": "urn:li:image:C2"}]
    assert json_of(network.requests[-1])["content"] == {"multiImage": {"images": images}}
    check_known(network)


def test_the_token_goes_to_linkedin_alone() -> None:
    """An address elsewhere gets the bytes without it."""
    begun = answer(200, {"value": {"uploadUrl": "https://elsewhere.example/put", "image": "urn:li:image:C1"}})
    network = Network(replies=[begun, httpx.Response(201), file_state(), created()])
    asyncio.run(platform.publish(on_its_way(network, content=parts("Foto", media=[picture()]))))
    assert "authorization" not in network.requests[1].headers


@pytest.mark.parametrize(
    ("looks", "kind", "kept"),
    [
        ([file_state("PROCESSING_FAILED")], Rejected, None),
        ([file_state("PROCESSING")] * 5, Unavailable, "urn:li:image:C1"),
        ([file_state("WAITING_UPLOAD")] * 5, Unavailable, None),
        ([problem(404, "Not found")], Unavailable, None),
    ],
)
def test_a_picture_that_is_not_ready_is_not_posted(looks: list[Any], kind: type, kept: str | None) -> None:
    """Refused, waited for by the next try, or uploaded anew where the bytes never arrived."""
    network, steps = Network(replies=[image_begun(), httpx.Response(201), *looks]), {}
    failure = asyncio.run(
        failure_of(platform.publish(on_its_way(network, content=parts("Foto", media=[picture()]), steps=steps)))
    )
    assert isinstance(failure, kind)
    assert steps["image0"] == kept
    assert all(request.url.path != "/rest/posts" for request in network.requests)


def test_a_token_that_may_post_and_not_look_posts() -> None:
    """Where the state of a picture may not be read, the post itself is tried; LinkedIn's own “not ready” waits."""
    begun = [image_begun(), httpx.Response(201), problem(403, "Not enough permissions")]
    content = parts("Foto", media=[picture()])
    asyncio.run(platform.publish(on_its_way(Network(replies=[*begun, created()]), content=content)))
    waiting = Network(replies=[*begun, problem(400, "Media asset is not ready", code="MEDIA_ASSET_WAITING_UPLOAD")])
    failure = asyncio.run(failure_of(platform.publish(on_its_way(waiting, content=content))))
    assert isinstance(failure, Unavailable)


def video_begun(**more: Any) -> Any:
    """A video in three parts."""
    address = "https://www.linkedin.com/dms-uploads/V1/{}?ut=tiket-rahasia"
    spans = [(0, 3), (4, 7), (8, 9)]
    upload = [
        {"uploadUrl": address.format(number), "firstByte": first, "lastByte": last}
        for number, (first, last) in enumerate(spans)
    ]
    value = {"video": "urn:li:video:V1", "uploadToken": "ut", "uploadInstructions": upload, "uploadUrlsExpireAt": 0}
    return answer(200, {"value": value | more})


def part(etag: str) -> Any:
    """The answer to one part."""
    return httpx.Response(200, headers={"etag": f'"{etag}"'})


def test_a_video_goes_in_parts_and_is_put_together() -> None:
    """Each part has its bytes, its ETag is named at the end, and progress is told."""
    network = Network(
        replies=[
            *(video_begun(), part("a"), part("b"), part("c"), httpx.Response(200)),
            *(file_state("PROCESSING"), file_state(), created()),
        ]
    )
    item = on_its_way(network, content=parts("Film", media=[film()]), bytes_of={film().sha256: FILM})
    told: list[tuple[int, int]] = []
    item.uploaded = lambda done, total: told.append((done, total))
    asyncio.run(platform.publish(item))
    begin, *puts = network.requests[:4]
    wanted = {"owner": AUTHOR, "fileSizeBytes": 10, "uploadCaptions": False, "uploadThumbnail": False}
    assert json_of(begin) == {"initializeUploadRequest": wanted}
    assert [put.content for put in puts] == [b"0123", b"4567", b"89"]
    finished = {"video": "urn:li:video:V1", "uploadToken": "ut", "uploadedPartIds": ["a", "b", "c"]}
    assert json_of(network.requests[4]) == {"finalizeUploadRequest": finished}
    assert json_of(network.requests[-1])["content"] == {"media": {"id": "urn:li:video:V1"}}
    assert told == [(4, 10), (8, 10), (10, 10)]
    check_known(network)


def test_a_video_goes_on_where_it_stopped() -> None:
    """After a part was lost, the parts that arrived are not sent again; once the addresses have ended, all are."""
    more: dict[str, Any] = {"content": parts("Film", media=[film()]), "bytes_of": {film().sha256: FILM}}
    until = int((NOW + timedelta(hours=1)).timestamp() * 1000)
    memory: dict[str, Any] = {}
    first = Network(replies=[video_begun(uploadUrlsExpireAt=until), part("a"), httpx.ReadError("cut")])
    failure = asyncio.run(failure_of(platform.publish(on_its_way(first, memory=memory, **more))))
    assert isinstance(failure, Unavailable)
    late, done = copy.deepcopy(memory), [file_state(), created()]
    second = Network(replies=[part("b"), part("c"), httpx.Response(200), *done])
    asyncio.run(platform.publish(on_its_way(second, memory=memory, **more)))
    assert [request.content for request in second.requests[:2]] == [b"4567", b"89"]
    assert json_of(second.requests[2])["finalizeUploadRequest"]["uploadedPartIds"] == ["a", "b", "c"]
    anew = Network(replies=[video_begun(), part("a"), part("b"), part("c"), httpx.Response(200), *done])
    clock = Clock(NOW + timedelta(hours=2))
    asyncio.run(platform.publish(on_its_way(anew, memory=late, clock=clock, **more)))
    assert len(anew.requests) == 7


def test_what_opens_an_upload_is_never_written_down() -> None:
    """No step and no message holds the signed address or its ticket; another process begins the upload anew."""
    more: dict[str, Any] = {"content": parts("Film", media=[film()]), "bytes_of": {film().sha256: FILM}}
    steps: dict[str, Any] = {}
    echoed = problem(400, "cannot take https://www.linkedin.com/dms-uploads/V1/1?ut=tiket-rahasia now")
    first = Network(replies=[video_begun(), part("a"), httpx.ReadError("cut")])
    asyncio.run(failure_of(platform.publish(on_its_way(first, steps=steps, **more))))
    assert "dms-uploads" not in json.dumps(steps)
    memory: dict[str, Any] = {}
    anew = Network(replies=[video_begun(), part("a"), echoed])
    failure = asyncio.run(failure_of(platform.publish(on_its_way(anew, steps=steps, memory=memory, **more))))
    assert isinstance(failure, Rejected)
    assert "tiket-rahasia" not in f"{failure.message}{failure}{steps}"
    assert memory == {}
    done = [video_begun(), part("a"), part("b"), part("c"), httpx.Response(200), file_state(), created()]
    asyncio.run(platform.publish(on_its_way(Network(replies=done), steps=steps, **more)))
    assert steps["video0"] == "urn:li:video:V1"


def test_a_refused_picture_does_not_tell_its_address() -> None:
    """The same for a picture's own address."""
    echoed = problem(403, "denied: ca=vector&ut=tiket-rahasia")
    item = on_its_way(Network(replies=[image_begun(), echoed]), content=parts("Foto", media=[picture()]))
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert isinstance(failure, Rejected)
    assert "tiket-rahasia" not in failure.message


def test_a_video_and_pictures_are_not_one_post() -> None:
    """LinkedIn takes one video alone: refused before anything leaves."""
    network = Network()
    item = on_its_way(network, content=parts("Film", media=[film(), picture()]))
    assert isinstance(asyncio.run(failure_of(platform.publish(item))), Rejected)
    assert network.requests == []


def test_an_answer_without_the_header_proves_nothing() -> None:
    """201 alone doesn't say which post it is."""
    for reply in (httpx.Response(201), answer(200, {"id": POSTED}), httpx.Response(201, headers={"x-restli-id": "1"})):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[reply])))))
        assert isinstance(failure, Unconfirmed)


REPEATED = problem(422, f"Content is a duplicate of {POSTED}", code="DUPLICATE_POST")


def test_a_repetition_is_refused_unless_our_own_try_may_be_the_first() -> None:
    """The first try's duplicate is an older post's words; after a lost try it may be ours, and is looked up."""
    assert isinstance(asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[REPEATED]))))), Rejected)
    steps: dict[str, Any] = {}
    lost = Network(replies=[httpx.ReadError("cut"), REPEATED])
    for _try in range(2):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(lost, steps=steps))))
        assert isinstance(failure, Unconfirmed)
    network = Network(replies=[answer(200, post_json(POSTED, "Upah layak adalah hak."))])
    found = asyncio.run(platform.look_up(on_its_way(network, steps=steps), SINCE))
    assert [one.receipt.id for one in found.found] == [POSTED]
    assert found.complete
    check_known(network)


def test_what_linkedin_names_is_ours_only_by_words_and_instant() -> None:
    """A post from before the try is not adopted: the author's list decides."""
    old = int((NOW - timedelta(days=3)).timestamp() * 1000)
    steps = {"tried": True, "duplicate": POSTED}
    first = post_json(POSTED, "Upah layak adalah hak.", createdAt=old, lastModifiedAt=old)
    network = Network(replies=[answer(200, first), listed(first)])
    found = asyncio.run(platform.look_up(on_its_way(network, steps=steps), SINCE))
    assert (found.found, found.complete) == ((), True)


def test_a_post_whose_video_is_still_worked_up_is_no_absent_one() -> None:
    """LinkedIn has taken it, and will show it: sending it again would make a second one."""
    post = post_json(POSTED, "Upah layak adalah hak.", lifecycleState="PUBLISH_REQUESTED")
    found = asyncio.run(platform.look_up(on_its_way(Network(replies=[listed(post), listed()])), SINCE))
    assert [one.receipt.id for one in found.found] == [POSTED]


def test_without_the_right_to_read_a_person_is_shown_what_linkedin_names() -> None:
    """A person's posts can't be read; the duplicate's address is in the advice."""
    network = Network(replies=[problem(403, "Not enough permissions")])
    item = on_its_way(network, steps={"tried": True, "duplicate": POSTED})
    failure = asyncio.run(failure_of(platform.look_up(item, SINCE)))
    assert isinstance(failure, Rejected)
    assert f"--published https://www.linkedin.com/feed/update/{POSTED}" in failure.fix


def looked_up(*pages: Any, **more: Any) -> Any:
    """What a look-up finds on these pages, and the network that it asked."""
    network = Network(replies=list(pages))
    return asyncio.run(platform.look_up(on_its_way(network, **more), SINCE)), network


def test_a_lost_post_is_found_on_the_page() -> None:
    """The author's posts are asked for; the same words are the post, other words and other authors' are not."""
    posts = [
        post_json("urn:li:share:8", "Lain."),
        post_json("urn:li:share:9", "Upah layak adalah hak.", author="urn:li:person:x"),
        post_json("urn:li:share:10", "Upah layak adalah hak.", content={"media": {"id": "urn:li:image:1"}}),
        post_json("urn:li:share:11", "Upah layak adalah hak.", lifecycleState="DRAFT"),
        post_json("urn:li:share:7", "Upah layak  adalah hak."),
    ]
    found, network = looked_up(listed(*posts), listed())
    assert [one.receipt.id for one in found.found] == ["urn:li:share:7"]
    assert (found.found[0].created_at - NOW).total_seconds() == pytest.approx(0, abs=0.001)
    assert found.complete
    assert dict(network.requests[0].url.params) == {
        "author": AUTHOR,
        "q": "author",
        "count": "100",
        "start": "0",
        "sortBy": "LAST_MODIFIED",
    }
    assert network.requests[0].headers["x-restli-method"] == "FINDER"
    check_known(network)


def test_the_list_is_read_until_it_is_older_than_the_try() -> None:
    """A page without a post from before the try is followed by the next; a search that must stop proves nothing."""
    old = int((NOW - timedelta(hours=1)).timestamp() * 1000)
    older = post_json("urn:li:share:1", "Lama.", createdAt=old, lastModifiedAt=old)
    found, network = looked_up(listed(post_json("urn:li:share:8", "Lain.")), listed(older))
    assert (found.complete, [request.url.params["start"] for request in network.requests]) == (True, ["0", "100"])
    endless = looked_up(*[listed(post_json("urn:li:share:8", "Lain."))] * PAGES)[0]
    assert not endless.complete


def test_a_list_that_may_not_be_read_is_no_absence() -> None:
    """403 says that nothing is known, and what a person can do."""
    network = Network(replies=[problem(403, "Not enough permissions", code="ACCESS_DENIED")])
    failure = asyncio.run(failure_of(platform.look_up(on_its_way(network), SINCE)))
    assert isinstance(failure, Rejected)
    assert "r_organization_social" in failure.fix


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        ("Baca https://lnkd.in/abc lalu cafe\u0301", True),
        ("Baca  https://www.contoh.example/lain lalu café", True),
        ("Baca https://lain.example/upah lalu café", False),
        ("Baca lalu café", False),
    ],
)
def test_a_link_that_linkedin_shortened_is_the_same(theirs: str, same: bool) -> None:
    """Spaces, compositions and what becomes of an address make no difference; another host does."""
    assert same_text("Baca https://contoh.example/upah lalu café", theirs) is same


def test_a_post_is_read_back_with_what_people_did() -> None:
    """Plain text, alt texts, and the numbers where they may be read."""
    content = {"multiImage": {"images": [{"id": "urn:li:image:1", "altText": "Satu"}, {"id": "urn:li:image:2"}]}}
    social = {"reactionSummaries": {"LIKE": {"count": 3}, "PRAISE": {"count": 2}}, "commentSummary": {"count": 4}}
    post = answer(200, post_json(POSTED, r"Upah {hashtag|\#|layak} \(1\)", content=content))
    network = Network(replies=[post, answer(200, social), post, problem(403, "Not enough permissions")])
    remote = asyncio.run(platform.read_back(on_its_way(network), RECEIPT))
    assert remote is not None
    assert (remote.text, remote.alts) == ("Upah #layak (1)", ("Satu", ""))
    assert remote.metrics == {"reactions": 5, "comments": 4}
    again = asyncio.run(platform.read_back(on_its_way(network), RECEIPT))
    assert again is not None
    assert again.metrics == {}
    check_known(network)
    for status in (403, 404):
        gone = Network(replies=[problem(status, "No")])
        assert asyncio.run(platform.read_back(on_its_way(gone), RECEIPT)) is None


def test_a_permalink_leads_to_the_post_of_this_author() -> None:
    """Another author's is not ours; where it may not be read, the address is believed."""
    url = f"https://www.linkedin.com/feed/update/{POSTED}/?utm_source=share"

    def found(reply: Any) -> Receipt | None:
        return asyncio.run(platform.find(on_its_way(Network(replies=[reply])), url))

    ours = found(answer(200, post_json(POSTED, "Ya")))
    assert ours is not None
    assert (ours.part, ours.id) == (0, POSTED)
    quoted = Network(replies=[answer(200, post_json(POSTED, "Ya"))])
    assert asyncio.run(platform.find(on_its_way(quoted), url.replace("urn:li:", "urn%3Ali%3A"))) == ours
    assert found(answer(200, post_json(POSTED, "Ya", author="urn:li:person:x"))) is None
    assert found(problem(404, "No")) is None
    shared = f"https://www.linkedin.com/posts/serikat-contoh_upah-layak-share-{POSTED.rpartition(':')[2]}-aBc_?rcm=x"
    again = Network(replies=[answer(200, post_json(POSTED, "Ya"))])
    assert asyncio.run(platform.find(on_its_way(again), shared)) == ours
    believed = found(problem(403, "Not enough permissions"))
    assert believed is not None
    assert believed.id == POSTED
    for other in ("https://www.linkedin.com/company/5515715", "https://lain.example/feed/update/" + POSTED):
        assert asyncio.run(platform.find(on_its_way(Network()), other)) is None


def test_deleting_is_repeatable() -> None:
    """204 and 404 are both fine."""
    network = Network(replies=[httpx.Response(204), problem(404, "No")])
    for _again in range(2):
        asyncio.run(platform.delete(on_its_way(network), RECEIPT))
    assert network.requests[0].headers["x-restli-method"] == "DELETE"
    check_known(network)


def test_a_preview_shows_every_request_with_placeholders() -> None:
    """Pictures and video run through the recording transport to the end."""
    for media in ([picture()], [film()]):
        transport = RecordingTransport()
        receipt = asyncio.run(platform.publish(on_its_way(transport, content=parts("Foto", media=media))))
        assert receipt.id == "urn:li:share:{post_id}"
        assert transport.requests[-1].creating
        assert sum(request.creating for request in transport.requests) == 1


def test_what_counts_is_what_people_see() -> None:
    """Escapes aside; an emoji counts two."""
    (count,) = platform.measure("(a) 👍", platform.limits, media=0)
    assert (count.used, count.limit) == (6, 3000)
