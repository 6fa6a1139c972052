"""The WordPress adapter: draft first, then published by its id; nothing twice, whatever breaks in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from platform_helpers import NOW, Network, failure_of, parts, picture, sending
from pydantic import ValidationError
from wordpress_site import HOME, Site, recorded

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.markup import slug_of, title_and_body, to_html
from campaign_cli.platforms.wordpress import platform
from campaign_cli.platforms.wordpress_post import own_slug

PASSWORD = "abcd EFGH 1234 ijkl MNOP 5678"
SETTINGS = {"url": HOME, "username": "redaksi", "password": "env:WP_PASSWORD"}
ARTICLE = parts("# Upah layak & adil\n\nKami **menuntut** upah layak.")
SINCE = NOW - timedelta(minutes=5)


def on_its_way(network: Any, *, password: str = PASSWORD, **more: Any) -> Any:
    more.setdefault("settings", SETTINGS)
    more.setdefault("content", ARTICLE)
    return sending(platform, network, secrets={"password": password}, **more)


def site(**more: Any) -> Site:
    return Site(password=PASSWORD, **more)


def publish(item: Any) -> Receipt:
    return asyncio.run(platform.publish(item))


def fail(item: Any) -> Failure:
    return asyncio.run(failure_of(platform.publish(item)))


def test_a_draft_is_made_and_then_published_by_its_id() -> None:
    """The content goes into a draft under a slug of its own; one more request publishes it under the real one."""
    network = site()
    item = on_its_way(
        network, native={"excerpt": "Ringkas", "slug": "upah"}, link="https://serikat.example/aksi?utm_source=web"
    )
    receipt = publish(item)
    draft, published = network.sent("POST posts")
    assert (draft["status"], draft["slug"]) == ("draft", own_slug(item))
    (post,) = network.posts.values()
    assert post["title"]["raw"] == "Upah layak & adil"
    assert post["excerpt"]["raw"] == "Ringkas"
    assert post["content"]["raw"] == (
        "<p>Kami <strong>menuntut</strong> upah layak.</p>\n\n"
        '<p><a href="https://serikat.example/aksi?utm_source=web">serikat.example/aksi</a></p>'
    )
    assert published == {"status": "publish", "slug": "upah"}
    assert (receipt.id, receipt.url) == ("31", f"{HOME}/2026/12/03/upah/")
    assert item.steps == {"post": 31}


def test_pictures_are_uploaded_with_alt_text_and_the_first_is_featured() -> None:
    """The first picture is the featured one, the others stand in the body, all with their alt text."""
    network = site()
    pictures = [picture(alt='Poster "upah" <2027>', name="Poster Upah.png"), picture(b"2", alt="Massa & spanduk")]
    item = on_its_way(network, content=parts("# Judul\n\nIsi", media=pictures))
    receipt = publish(item)
    first, second = network.media.values()
    assert first["slug"].startswith("poster-upah-")
    (post,) = network.posts.values()
    assert post["featured_media"] == 31
    assert (
        f'<img src="{second["source_url"]}" alt="Massa &amp; spanduk" class="wp-image-32" />' in post["content"]["raw"]
    )
    assert first["source_url"] not in post["content"]["raw"]
    shown = asyncio.run(platform.read_back(item, receipt))
    assert shown is not None
    assert shown.alts == ('Poster "upah" <2027>', "Massa & spanduk")
    assert (shown.title, shown.html) == ("Judul", True)


def test_terms_are_found_by_name_or_added() -> None:
    """Categories and tags are named in the plan; known ones are used in any spelling, new ones added once."""
    network = site()
    network.terms = {"categories": {4: "Rilis Pers", 5: "Rilis"}, "tags": {9: "A &amp; B"}}
    memory: dict[str, Any] = {}
    native = {"categories": "rilis", "tags": ["#upah", "a & b", "upah"]}
    publish(on_its_way(network, native=native, memory=memory))
    publish(on_its_way(network, native=native, memory=memory, key="f" * 40))
    first, second = (body for body in network.sent("POST posts") if "title" not in body and "categories" in body)
    assert first["categories"] == second["categories"] == [5]
    assert first["tags"] == second["tags"] == [31, 9]
    assert network.sent("POST tags") == [{"name": "upah"}]


def test_a_term_that_somebody_added_meanwhile_is_used() -> None:
    """term_exists names the id of the term that is there."""
    network = site()
    network.answers["POST tags"] = [lambda: recorded("tag exists")]
    publish(on_its_way(network, native={"tags": ["rec"]}))
    (post,) = network.posts.values()
    assert post["tags"] == [3]


def test_a_user_who_may_not_add_categories_is_told() -> None:
    """A 403 for a new category is refused for good, and names the role that may."""
    network = site()
    refusal = {"code": "rest_cannot_create", "message": "Sorry", "data": {"status": 403}}
    network.answers["POST categories"] = [lambda: httpx.Response(403, json=refusal)]
    failure = fail(on_its_way(network, native={"categories": ["Baru"]}))
    assert isinstance(failure, Rejected)
    assert "Editor" in failure.fix
    assert network.posts == {}


def test_a_draft_whose_id_was_not_kept_is_found_again() -> None:
    """After a crash between the draft and its kept id, the same attempt takes that draft up and makes no second."""
    network = site()
    network.answers["POST posts/ID"] = [lambda: httpx.Response(503, text="busy")]
    assert isinstance(fail(on_its_way(network)), Unconfirmed)
    receipt = publish(on_its_way(network))
    assert list(network.posts) == [int(receipt.id)]


def test_a_lost_answer_to_the_draft_is_safe_to_repeat() -> None:
    """A draft makes nothing public: a time-out there is simply not done yet, and the repeat finds it."""
    network = site()

    def swallowed() -> httpx.Response:
        network._post_posts(0, {}, {"status": "draft", "slug": own_slug(on_its_way(network)), "title": "x"})
        raise httpx.ReadTimeout("slow")

    network.answers["POST posts"] = [swallowed]
    assert isinstance(fail(on_its_way(network)), Unavailable)
    publish(on_its_way(network))
    assert len(network.posts) == 1


def test_a_lost_answer_to_the_publication_is_settled_by_looking() -> None:
    """A time-out of the publishing request is in doubt; the look-up finds the post by its id and proves it."""
    network = site()
    steps: dict[str, Any] = {}
    item = on_its_way(network, steps=steps)

    def swallowed() -> httpx.Response:
        network._post_posts(31, {}, {"status": "publish", "slug": "upah-layak-adil"})
        raise httpx.ReadTimeout("slow")

    network.answers["POST posts/ID"] = [swallowed]
    assert isinstance(fail(item), Unconfirmed)
    looked = asyncio.run(platform.look_up(item, SINCE))
    assert looked.complete
    (found,) = looked.found
    assert (found.receipt.id, found.receipt.url) == ("31", f"{HOME}/2026/12/03/upah-layak-adil/")
    assert publish(on_its_way(network, steps=steps)).id == "31"
    assert len(network.sent("POST posts/")) == 1


def test_looking_finds_nothing_public_while_the_post_is_a_draft() -> None:
    """A draft is no publication: absence is proved, and the same request may be sent again, for ever."""
    network = site()
    network.answers["POST posts/ID"] = [lambda: httpx.Response(500, text="<html>error</html>")]
    item = on_its_way(network)
    assert isinstance(fail(item), Unconfirmed)
    looked = asyncio.run(platform.look_up(item, SINCE))
    assert (looked.found, looked.complete) == ((), True)
    assert platform.may_repeat(item, software="", age=timedelta(days=30))
    assert publish(item).id == "31"


def test_looking_without_a_kept_id_wants_slug_title_and_instant() -> None:
    """Where even the id was lost, a post is ours by its slug and title, and only if it came after the attempt began."""
    network = site()
    publish(on_its_way(network))
    item = on_its_way(network)
    assert [found.receipt.id for found in asyncio.run(platform.look_up(item, SINCE)).found] == ["31"]
    assert asyncio.run(platform.look_up(item, NOW + timedelta(hours=1))).found == ()
    other = on_its_way(network, native={"title": "Lain", "slug": "upah-layak-adil"})
    assert asyncio.run(platform.look_up(other, SINCE)).found == ()


def test_uploads_of_an_earlier_try_are_used_again() -> None:
    """A picture that was uploaded before a crash is found by its name; one with a kept step is not even asked for."""
    network = site()
    content = parts("# Judul\n\nIsi", media=[picture()])
    network.answers["POST media/ID"] = [lambda: httpx.Response(503, text="busy")]
    assert isinstance(fail(on_its_way(network, content=content)), Unavailable)
    steps: dict[str, Any] = {}
    publish(on_its_way(network, content=content, steps=steps))
    assert len(network.media) == 1
    steps["post"] = None
    network.posts.clear()
    asked = len(network.sent("GET media"))
    publish(on_its_way(network, content=content, steps=steps))
    assert len(network.sent("GET media")) == asked


def test_a_draft_that_somebody_removed_waits_for_a_person() -> None:
    """A draft in the trash, or deleted, is refused; a retry after that makes a new one."""
    network = site()
    for lost in ("trash", "gone"):
        steps: dict[str, Any] = {}
        network.answers["POST posts/ID"] = [lambda: httpx.Response(503, text="busy")]
        assert isinstance(fail(on_its_way(network, steps=steps)), Unconfirmed)
        if lost == "trash":
            network.posts[steps["post"]]["status"] = "trash"
        else:
            network.posts.clear()
        failure = fail(on_its_way(network, steps=steps))
        assert isinstance(failure, Rejected)
        assert "retry" in failure.fix
        assert network.posts[int(publish(on_its_way(network, steps=steps)).id)]["status"] == "publish"


def test_a_post_that_the_site_holds_back_is_no_success() -> None:
    """Where a plugin turns the publication into a review, the delivery fails with that word."""
    network = site()
    held = {"id": 31, "status": "pending", "link": f"{HOME}/?p=31"}
    network.answers["POST posts/ID"] = [lambda: httpx.Response(200, json=held)]
    failure = fail(on_its_way(network))
    assert isinstance(failure, Rejected)
    assert "pending" in failure.message


def test_the_permalink_is_read_again_where_the_answer_has_a_drafts() -> None:
    """A /?p= link is read again after publication; if that fails, the success stays."""
    network = site()

    def early() -> httpx.Response:
        network._post_posts(31, {}, {"status": "publish", "slug": "upah"})
        return httpx.Response(200, json={"id": 31, "status": "publish", "link": f"{HOME}/?p=31"})

    network.answers["POST posts/ID"] = [early]
    assert publish(on_its_way(network)).url == f"{HOME}/2026/12/03/upah/"
    network = site()
    network.answers["POST posts/ID"] = [early]
    network.answers["GET posts/ID"] = [lambda: httpx.Response(503)]
    network._post_posts(0, {}, {"status": "draft", "slug": own_slug(on_its_way(network))})
    item = on_its_way(network)
    assert publish(item).url == f"{HOME}/?p=31"


def test_a_wrong_password_is_told_before_anything_is_made() -> None:
    """users/me is asked first, once per process: a wrong password stops there."""
    network = site()
    failure = fail(on_its_way(network, password="salah"))
    assert isinstance(failure, Unauthorized)
    assert "application password" in failure.fix
    assert [route for _method, route, _query, _body in network.requests] == ["users/me"]
    memory: dict[str, Any] = {}
    publish(on_its_way(network, memory=memory))
    publish(on_its_way(network, memory=memory, key="e" * 40))
    assert [route for _method, route, _query, _body in network.requests].count("users/me") == 2


def test_plain_permalinks_are_reached_by_rest_route() -> None:
    """A site without pretty addresses is reached by /?rest_route=, found out once."""
    network = site(plain_permalinks=True)
    memory: dict[str, Any] = {}
    assert publish(on_its_way(network, memory=memory)).id == "31"
    assert asyncio.run(platform.check(on_its_way(network, memory=memory))).identity == f"{HOME}#7"
    assert len(network.sent("GET posts")) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (httpx.Response(404, text="<html>?</html>"), Rejected, "/wp-json"),
        (httpx.Response(200, text="<html>Beranda</html>"), Rejected, "/wp-json"),
        (httpx.Response(403, text="<html>Wordfence</html>"), Rejected, "firewall"),
        (httpx.Response(503, text="<html>Maintenance</html>"), Unavailable, ""),
        (recorded("wrong password users/me"), Unauthorized, "Authorization"),
    ],
)
def test_what_stands_before_the_site_is_understood(reply: httpx.Response, kind: type[Failure], words: str) -> None:
    """Pages of firewalls and of other software are told apart from WordPress's own refusals."""
    failure = fail(on_its_way(Network(replies=[reply] * 2)))
    assert type(failure) is kind
    assert words in failure.fix
    assert "<html>" not in failure.message


@pytest.mark.parametrize(
    ("label", "kind", "code"),
    [
        ("media refused type", Rejected, "rest_upload_sideload_error"),
        ("media delete without force", Rejected, "rest_trash_not_supported"),
        ("bad status", Rejected, "rest_invalid_param"),
        ("empty", Rejected, "empty_content"),
        ("no route", Rejected, "rest_no_route"),
        ("wrong password create", Unauthorized, "rest_cannot_create"),
    ],
)
def test_recorded_refusals_keep_their_meaning(label: str, kind: type[Failure], code: str) -> None:
    """What a real WordPress answered is read as what it meant, whatever the status suggests."""
    network = site()
    network.answers["POST media"] = [lambda: recorded(label)]
    failure = fail(on_its_way(network, content=parts("x", media=[picture()])))
    assert (type(failure), failure.code) == (kind, code)


@pytest.mark.parametrize(
    "words",
    [
        "Unable to create directory wp-content/uploads/2026/11. Is its parent directory writable by the server?",
        "The uploaded file could not be moved to wp-content/uploads/2026/11.",
        "Tidak dapat membuat direktori wp-content/uploads/2026/11.",
    ],
)
def test_a_site_that_could_not_put_a_file_away_is_tried_again(words: str) -> None:
    """As when two uploads make the month's folder at once: the site takes it a moment later."""
    network = site()
    wrong = {"code": "rest_upload_sideload_error", "message": words, "data": {"status": 500}}
    network.answers["POST media"] = [lambda: httpx.Response(500, json=wrong)]
    item = on_its_way(network, content=parts("x", media=[picture()]))
    failure = fail(item)
    assert type(failure) is Unavailable
    assert "wp-content/uploads" in failure.fix
    publish(item)
    assert len(network.media) == 1


def test_a_file_over_the_sites_limit_is_named() -> None:
    """413 says what to do."""
    network = site()
    network.answers["POST media"] = [lambda: httpx.Response(413, text="<html>Request Entity Too Large</html>")]
    failure = fail(on_its_way(network, content=parts("x", media=[picture()])))
    assert isinstance(failure, Rejected)
    assert "smaller" in failure.fix


def test_delete_moves_to_the_trash_and_can_be_repeated() -> None:
    """A deleted post is gone for the reader; deleting it again is harmless; another refusal is told."""
    network = site()
    item = on_its_way(network)
    receipt = publish(item)
    for _again in range(2):
        asyncio.run(platform.delete(item, receipt))
    assert asyncio.run(platform.read_back(item, receipt)) is None
    network.posts.clear()
    asyncio.run(platform.delete(item, receipt))
    assert asyncio.run(platform.read_back(item, receipt)) is None
    network.answers["DELETE posts/ID"] = [lambda: recorded("bad status")]
    assert isinstance(asyncio.run(failure_of(platform.delete(item, receipt))), Rejected)


def test_check_names_what_the_role_lacks() -> None:
    """The account check wants a user who may publish, and notes what else the role can't do."""
    network = site()
    found = asyncio.run(platform.check(on_its_way(network)))
    assert (found.identity, found.handle, found.url, found.notes) == (f"{HOME}#7", "Redaksi", HOME, ())
    network.capabilities = {"publish_posts": True}
    assert len(asyncio.run(platform.check(on_its_way(network))).notes) == 2
    network.capabilities = {}
    failure = asyncio.run(failure_of(platform.check(on_its_way(network))))
    assert isinstance(failure, Rejected)
    assert "Author" in failure.fix


def test_check_says_when_application_passwords_are_off() -> None:
    """A refused password on a site without application passwords is explained by that."""
    network = site()
    network.application_passwords = False
    failure = asyncio.run(failure_of(platform.check(on_its_way(network, password="salah"))))
    assert isinstance(failure, Unauthorized)
    assert "switched off" in failure.fix


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://Serikat.example/", "serikat.example"),
        ("https://serikat.example:443/wp-admin/profile.php", "serikat.example"),
        ("http://127.0.0.1:8080/blog/wp-json/", "127.0.0.1:8080/blog"),
    ],
)
def test_spellings_of_one_site_are_one_address(url: str, address: str) -> None:
    """Two spellings of a site give the same address."""
    assert platform.address(Account(name="a", platform="wordpress", settings=SETTINGS | {"url": url})) == address


def test_an_address_without_https_is_named() -> None:
    """An address without a scheme is refused with the form that is wanted."""
    with pytest.raises(ValidationError, match="not the address of a server"):
        platform.Settings.model_validate(SETTINGS | {"url": "serikat.example"})


def test_raw_html_and_strange_links_are_only_text() -> None:
    """Markdown becomes HTML; tags in it are shown, not obeyed; links are http(s), mailto or tel."""
    html = to_html(
        "<script>x</script> [a](javascript:x) [b](mailto:a@b.example) https://c.example/x_y_z?a=1&b=2,\nbaris"
    )
    assert "<script>" not in html
    assert "javascript:x)" in html
    assert '<a href="mailto:a@b.example">b</a>' in html
    assert '<a href="https://c.example/x_y_z?a=1&amp;b=2">https://c.example/x_y_z?a=1&amp;b=2</a>,<br />' in html
    assert to_html("| a |\n|---|\n| ~~b~~ |").count("<td>") == 1


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("## Upah **layak** ##\n\nIsi", "Upah layak", "Isi"),
        ("Upah *layak*\nIsi", "Upah layak", "Upah *layak*\nIsi"),
        ("#UpahLayak sekarang", "#UpahLayak sekarang", "#UpahLayak sekarang"),
        ("kata " * 40, "kata " * 23 + "kata…", ("kata " * 40).strip()),
    ],
)
def test_a_title_comes_from_the_text_where_the_plan_has_none(text: str, title: str, body: str) -> None:
    """A heading becomes the title and leaves the body; another first line is the title and stays."""
    assert title_and_body(text) == (title, body)


@pytest.mark.parametrize(
    ("title", "slug"), [("Upah Layak: Hak Kita!", "upah-layak-hak-kita"), ("Café Qur'an", "cafe-quran"), ("上海", "")]
)
def test_slugs_are_words_and_hyphens(title: str, slug: str) -> None:
    """A slug has ASCII words only; where nothing is left, the site makes one. Long ones end at a word."""
    assert slug_of(title) == slug
    assert len(slug_of("panjang " * 30)) <= 80
    assert not slug_of("panjang " * 30).endswith("-")


def test_a_preview_shows_the_requests_without_a_network() -> None:
    """Over a recording transport the same code gives the requests, with placeholders for what only the site knows."""
    recorder = RecordingTransport()
    content = parts("# Judul\n\nIsi", media=[picture(), picture(b"2")])
    native = {"tags": ["upah"], "categories": ["Rilis"]}
    receipt = publish(on_its_way(recorder, content=content, native=native))
    assert [request.creating for request in recorder.requests].count(True) == 1
    assert recorder.requests[-1].url.endswith("/posts/{post_id}")
    draft = recorder.requests[-2].json
    assert (draft["tags"], draft["categories"]) == (["{tags:upah}"], ["{categories:Rilis}"])
    assert receipt.url == "{link}"
