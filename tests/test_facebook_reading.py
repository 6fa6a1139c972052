"""The Facebook adapter reading its page: look-ups, posts as they stand, permalinks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from facebook_helpers import (
    PAGE,
    PHOTO,
    POSTED,
    TOKEN,
    VIDEO,
    check_known,
    listed,
    on_its_way,
    photos,
    refusal,
    row,
)
from platform_helpers import NOW, Network, answer, failure_of, parts, picture

from campaign_cli.errors import Unavailable
from campaign_cli.models import Receipt
from campaign_cli.platforms.facebook import platform

TEXT = "Upah layak adalah hak."
FIRST = Receipt(part=0, id=POSTED, url=None, at=NOW)
SINCE = NOW - timedelta(minutes=2)
THREAD: dict[str, Any] = {"content": parts("Satu", "Dua"), "part": 1, "earlier": (FIRST,)}


def looked_up(*pages: Any, **more: Any) -> Any:
    """What a look-up finds on these pages, and the network that it asked."""
    network = Network(replies=list(pages))
    found = asyncio.run(platform.look_up(on_its_way(network, **more), SINCE))
    check_known(network)
    return found, network


def test_a_lost_post_is_found_among_the_pages_own() -> None:
    """The same words and as many photos are the post; other words, older posts and a video are not."""
    rows = [
        row("100000000001_9", "Lain."),
        row("100000000001_8", f"{TEXT} ", permalink_url="https://www.facebook.com/1/posts/8"),
        row("100000000001_7", TEXT, attachments=photos("5")),
        row("100000000001_6", TEXT, attachments={"data": [{"media_type": "video", "target": {"id": "4"}}]}),
        row("100000000001_5", TEXT, at="2026-12-03T00:50:00+0000"),
    ]
    found, network = looked_up(listed(*rows))
    assert [one.receipt.id for one in found.found] == ["100000000001_8"]
    assert found.found[0].receipt.url == "https://www.facebook.com/1/posts/8"
    assert (found.found[0].created_at, found.complete) == (NOW.replace(microsecond=0), True)
    assert network.requests[0].url.path == f"/v25.0/{PAGE}/published_posts"
    for shared in ({"media_type": "link", "type": "share"}, {"media_type": "video", "type": "video_share_youtube"}):
        assert looked_up(listed(row("100000000001_3", TEXT, attachments={"data": [shared]})))[0].found
    content = parts(TEXT, media=[picture(), picture()])
    assert looked_up(listed(row("100000000001_2", TEXT, attachments=photos("5", "6"))), content=content)[0].found


def test_absence_counts_only_on_a_page_whose_list_is_whole() -> None:
    """The list is followed for a year, without its token; where a year has too many posts, a person decides."""
    address = f"https://graph.facebook.com/v25.0/{PAGE}/published_posts?access_token={TOKEN}&limit=100&after=QVFI"
    old = row("100000000001_1", "Lama", at="2026-12-01T00:00:00+0000")
    found, network = looked_up(listed(old, following=address), listed())
    assert (found.found, found.complete) == ((), True)
    assert network.requests[1].url.params["after"] == "QVFI"
    ancient = row("100000000001_1", "Lama", at="2024-12-01T00:00:00+0000")
    assert looked_up(listed(ancient, following=address))[0].complete
    many = [listed(*[old] * 100, following=address)] * 5
    found, network = looked_up(*many)
    assert (found.complete, len(network.requests)) == (False, 5)
    ours = row("100000000001_9", TEXT)
    found, network = looked_up(listed(ours, *[old] * 99, following=address))
    assert (len(found.found), found.complete) == (1, True)


def test_an_answer_without_its_list_proves_nothing() -> None:
    """No list, a post without its instant, and a next page without a way there are no absence."""
    for data in ({}, {"data": [{"id": "1"}]}, {"data": [{"created_time": "x", "id": "1"}]}, {"data": [{}]}):
        network = Network(replies=[answer(200, data)])
        assert isinstance(asyncio.run(failure_of(platform.look_up(on_its_way(network), SINCE))), Unavailable)
    lame = answer(200, {"data": [], "paging": {"next": "https://graph.facebook.com/x?access_token=a"}})
    failure = asyncio.run(failure_of(platform.look_up(on_its_way(Network(replies=[lame])), SINCE)))
    assert isinstance(failure, Unavailable)


def test_a_lost_comment_is_found_under_the_first_part() -> None:
    """It is the page's own, with these words; the newest come first, so an older one ends the search."""
    others = [row("7_4", "Dua", **{"from": {"id": "5"}}), row("7_3", "Dua", attachment={"target": {"id": "1"}})]
    old = row("7_1", "Dua", at="2026-12-03T00:50:00+0000")
    found, network = looked_up(listed(*others, row("7_2", "Dua"), old, following="https://x/?after=b"), **THREAD)
    assert ([one.receipt.id for one in found.found], found.complete) == (["7_2"], True)
    assert found.found[0].receipt.part == 1
    assert network.requests[0].url.params["order"] == "reverse_chronological"
    found, network = looked_up(listed(*others, following="https://x/?after=b"), listed(), **THREAD)
    assert (found.found, found.complete, len(network.requests)) == ((), True, 2)


def test_a_post_is_read_back_with_its_counts() -> None:
    """Text, alt texts in order, and what Facebook counts; what is gone is None."""
    whole = row(
        POSTED,
        TEXT,
        permalink_url="https://www.facebook.com/1/posts/8",
        attachments=photos(PHOTO, "122000000000004"),
        shares={"count": 3},
        reactions={"data": [], "summary": {"total_count": 12}},
        comments={"data": [], "summary": {"total_count": 2}},
    )
    alts = [answer(200, {"id": PHOTO, "alt_text_custom": "Satu"}), answer(200, {"id": "122000000000004"})]
    network = Network(replies=[answer(200, whole), *alts])
    post = asyncio.run(platform.read_back(on_its_way(network), FIRST))
    check_known(network)
    assert post is not None
    assert (post.text, post.alts, post.url) == (TEXT, ("Satu", ""), "https://www.facebook.com/1/posts/8")
    assert dict(post.metrics) == {"reactions": 12, "comments": 2, "shares": 3}
    assert post.created_at == NOW.replace(microsecond=0)
    gone = Network(replies=[refusal(100, subcode=33)])
    assert asyncio.run(platform.read_back(on_its_way(gone), FIRST)) is None


def test_comments_and_videos_are_read_back() -> None:
    """Each by its own fields."""
    comment = row("7_2", "Dua", like_count=1, comment_count=4, attachment={"target": {"id": PHOTO}})
    network = Network(replies=[answer(200, comment), answer(200, {"id": PHOTO, "alt_text_custom": "Poster"})])
    found = asyncio.run(platform.read_back(on_its_way(network), Receipt(part=1, id="7_2", url=None, at=NOW)))
    assert found is not None
    assert (found.text, found.alts, dict(found.metrics)) == ("Dua", ("Poster",), {"likes": 1, "comments": 4})
    check_known(network)
    shown = {"id": VIDEO, "description": "Film", "permalink_url": "/1/videos/2/", "views": 40}
    network = Network(replies=[answer(200, shown | {"likes": {"summary": {"total_count": 5}}})])
    found = asyncio.run(platform.read_back(on_its_way(network), Receipt(part=0, id=VIDEO, url=None, at=NOW)))
    assert found is not None
    assert (found.text, found.url) == ("Film", "https://www.facebook.com/1/videos/2/")
    assert dict(found.metrics) == {"likes": 5, "views": 40}
    check_known(network)


ADDRESSES = [
    (f"https://www.facebook.com/{PAGE}/posts/122000000000007", POSTED),
    ("https://m.facebook.com/serikat.contoh/posts/upah-layak/122000000000007/", POSTED),
    (f"https://www.facebook.com/permalink.php?story_fbid=122000000000007&id={PAGE}", POSTED),
    (f"https://www.facebook.com/{POSTED}", POSTED),
    (f"https://www.facebook.com/{PAGE}/videos/{VIDEO}/", VIDEO),
    (f"https://web.facebook.com/watch/?v={VIDEO}", VIDEO),
    (f"https://facebook.com/reel/{VIDEO}", VIDEO),
    (f"https://www.facebook.com/{PAGE}/posts/122000000000007?comment_id=55", "122000000000007_55"),
]


@pytest.mark.parametrize(("url", "identifier"), ADDRESSES)
def test_a_permalink_leads_to_its_post(url: str, identifier: str) -> None:
    """By the number in it; what another page wrote is not this account's."""
    network = Network(replies=[answer(200, row(identifier, TEXT))])
    receipt = asyncio.run(platform.find(on_its_way(network), url))
    check_known(network)
    assert receipt is not None
    assert (receipt.part, receipt.id, receipt.at) == (0, identifier, NOW.replace(microsecond=0))
    foreign = Network(replies=[answer(200, row(identifier, TEXT, **{"from": {"id": "5"}}))])
    assert asyncio.run(platform.find(on_its_way(foreign), url)) is None


def test_a_short_name_is_looked_for_in_the_pages_list() -> None:
    """Facebook's own short names hold no number: the post that has this permalink is the one."""
    url = "https://www.facebook.com/serikat.contoh/posts/pfbid02Contoh"
    page = listed({"id": "1_2", "permalink_url": f"{url}Lain"}, {"id": POSTED, "permalink_url": url})
    network = Network(replies=[page, answer(200, row(POSTED, TEXT, permalink_url=url))])
    receipt = asyncio.run(platform.find(on_its_way(network), f"{url}?__tn__=x"))
    assert receipt is not None
    assert (receipt.id, receipt.url) == (POSTED, url)
    check_known(network)
    assert asyncio.run(platform.find(on_its_way(Network(replies=[listed()])), url)) is None
