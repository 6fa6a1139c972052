"""The stage answers as each network is documented to, over real sockets and without our adapters."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaign_cli.stage.bluesky_records import tid
from tests.stage_helpers import START, Played, open_played, png

POST = "app.bsky.feed.post"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


def with_role(stage: Played, platform: str, role: str) -> None:
    """Give the account another role on its network."""
    name = stage.account(platform).name
    stage.server.state.add_accounts({name: replace(stage.server.state.accounts[name], role=role)})


# --- Mastodon


def mastodon(stage: Played, method: str, path: str, **members: Any) -> httpx.Response:
    """A request with the right token."""
    headers = {"Authorization": f"Bearer {stage.secret('mastodon')}", **members.pop("headers", {})}
    return stage.http.request(method, stage.path("mastodon") + path, headers=headers, **members)


def test_mastodon_keys_last_an_hour(stage: Played) -> None:
    """The same Idempotency-Key within an hour gives the first status, whatever the text; later it makes another."""
    headers = {"Idempotency-Key": "k"}
    first = mastodon(stage, "POST", "/api/v1/statuses", data={"status": "satu"}, headers=headers).json()
    stage.clock.move(minutes=59)
    again = mastodon(stage, "POST", "/api/v1/statuses", data={"status": "dua"}, headers=headers).json()
    stage.clock.move(minutes=2)
    later = mastodon(stage, "POST", "/api/v1/statuses", data={"status": "dua"}, headers=headers).json()
    assert (again["id"], again["content"]) == (first["id"], "<p>satu</p>")
    assert later["id"] != first["id"]


def test_mastodon_media_is_processed_first(stage: Played) -> None:
    """202, then 206, then 200; a status can't take it before it is ready, nor twice, nor another's."""
    upload = mastodon(
        stage,
        "POST",
        "/api/v2/media",
        files={"file": ("a.png", png(), "image/png")},
        data={"description": "Massa aksi"},
    )
    identifier = upload.json()["id"]
    assert (upload.status_code, upload.json()["url"]) == (202, None)
    attach = {"status": "x", "media_ids[]": [identifier]}
    assert mastodon(stage, "POST", "/api/v1/statuses", data=attach).status_code == 422
    assert mastodon(stage, "GET", f"/api/v1/media/{identifier}").status_code == 206
    ready = mastodon(stage, "GET", f"/api/v1/media/{identifier}")
    assert (ready.status_code, ready.json()["description"]) == (200, "Massa aksi")
    status = mastodon(stage, "POST", "/api/v1/statuses", data=attach)
    assert status.json()["media_attachments"][0]["description"] == "Massa aksi"
    assert mastodon(stage, "POST", "/api/v1/statuses", data=attach).status_code == 422
    assert mastodon(stage, "POST", "/api/v1/statuses", json={"status": "x", "media_ids": ["1"]}).status_code == 422


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"status": ""}, 422),
        ({"status": "x" * 501}, 422),
        ({"status": "x" * 400, "spoiler_text": "y" * 101}, 422),
        ({"status": "https://contoh.example/" + "p" * 600}, 200),
        ({"status": "@kawan@" + "s" * 500 + ".example"}, 200),
        ({"status": "x", "visibility": "teman"}, 422),
        ({"status": "x", "in_reply_to_id": "1"}, 404),
        ({"status": "x", "media_ids": list("12345")}, 422),
    ],
)
def test_mastodon_checks_a_status(stage: Played, values: dict[str, Any], status: int) -> None:
    """Text, warning, visibility, parent and number of pictures are checked as on the server; links count 23."""
    assert mastodon(stage, "POST", "/api/v1/statuses", json=values).status_code == status


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer salah"}])
def test_mastodon_answers_401(stage: Played, headers: Mapping[str, str]) -> None:
    """Without the right token nothing is posted."""
    answer = stage.http.post(stage.path("mastodon") + "/api/v1/statuses", data={"status": "x"}, headers=headers)
    assert answer.status_code == 401
    assert "error" in answer.json()


def test_mastodon_rates_stand_in_headers(stage: Played) -> None:
    """The reset is an ISO 8601 time; the 31st deletion in half an hour is too much."""
    answers = [mastodon(stage, "DELETE", "/api/v1/statuses/1") for _number in range(31)]
    assert [answer.status_code for answer in answers] == [404] * 30 + [429]
    assert answers[-1].headers["x-ratelimit-remaining"] == "0"
    assert answers[-1].headers["x-ratelimit-reset"] == "2030-05-01T01:30:00.000000Z"
    stage.clock.move(minutes=30)
    assert mastodon(stage, "DELETE", "/api/v1/statuses/1").status_code == 404


def test_mastodon_lists_own_statuses_in_pages(stage: Played) -> None:
    """Newest first, older ones by max_id; created_at is the stage's clock."""
    for number in range(5):
        mastodon(stage, "POST", "/api/v1/statuses", data={"status": f"no {number}"})
        stage.clock.move(minutes=1)
    me = mastodon(stage, "GET", "/api/v1/accounts/verify_credentials").json()
    path = f"/api/v1/accounts/{me['id']}/statuses"
    page = mastodon(stage, "GET", path, params={"limit": 2}).json()
    older = mastodon(stage, "GET", path, params={"limit": 10, "max_id": page[-1]["id"]}).json()
    newer = mastodon(stage, "GET", path, params={"min_id": page[-1]["id"]}).json()
    assert [each["content"] for each in page + older] == [f"<p>no {number}</p>" for number in (4, 3, 2, 1, 0)]
    assert [each["id"] for each in newer] == [page[0]["id"]]
    assert older[-1]["created_at"] == "2030-05-01T01:00:00.000Z"
    assert mastodon(stage, "GET", "/api/v1/accounts/1/statuses").status_code == 404


def test_mastodon_shows_a_thread(stage: Played) -> None:
    """Context has what is above and what is below; a private status is hidden from strangers."""
    first = mastodon(stage, "POST", "/api/v1/statuses", data={"status": "a"}).json()["id"]
    second = mastodon(
        stage, "POST", "/api/v1/statuses", data={"status": "b", "in_reply_to_id": first, "visibility": "private"}
    ).json()["id"]
    assert [
        each["id"] for each in mastodon(stage, "GET", f"/api/v1/statuses/{first}/context").json()["descendants"]
    ] == [second]
    assert mastodon(stage, "GET", f"/api/v1/statuses/{second}/context").json()["ancestors"][0]["id"] == first
    assert stage.http.get(f"{stage.path('mastodon')}/api/v1/statuses/{second}").status_code == 404
    assert stage.http.get(f"{stage.path('mastodon')}/api/v1/statuses/{first}").status_code == 200


def test_mastodon_describes_itself(stage: Played) -> None:
    """nodeinfo says mastodon; instance v1 and v2 give the limits; a bad picture is refused."""
    links = mastodon(stage, "GET", "/.well-known/nodeinfo").json()["links"]
    assert stage.http.get(links[0]["href"]).json()["software"]["name"] == "mastodon"
    for version in ("v1", "v2"):
        configuration = mastodon(stage, "GET", f"/api/{version}/instance").json()["configuration"]
        assert configuration["statuses"]["max_characters"] == 500
    bad = mastodon(stage, "POST", "/api/v2/media", files={"file": ("a.png", b"teks", "image/png")})
    assert bad.status_code == 422
    assert mastodon(stage, "POST", "/api/v2/media", data={"description": "x"}).status_code == 422
    long = mastodon(stage, "POST", "/api/v2/media", files={"file": ("a.png", png())}, data={"description": "x" * 1501})
    assert long.status_code == 422
    assert mastodon(stage, "GET", "/api/v1/media/1").status_code == 404
    renamed = mastodon(stage, "POST", "/api/v2/media", files={"file": ("a.png", png())}).json()["id"]
    assert (
        mastodon(stage, "PUT", f"/api/v1/media/{renamed}", json={"description": "Baru"}).json()["description"] == "Baru"
    )


# --- Bluesky


def xrpc(stage: Played, method: str, token: str = "", **members: Any) -> httpx.Response:
    """An XRPC call: a query with ``params``, else a procedure."""
    path = f"{stage.path('bluesky')}/xrpc/com.atproto.{method}"
    headers = ({"Authorization": f"Bearer {token}"} if token else {}) | members.pop("headers", {})
    return stage.http.request("GET" if "params" in members else "POST", path, headers=headers, **members)


def session(stage: Played) -> dict[str, str]:
    """A fresh session."""
    body = {"identifier": "contoh.bsky.social", "password": stage.secret("bluesky")}
    data: dict[str, str] = xrpc(stage, "server.createSession", json=body).json()
    return data


def put(
    stage: Played, login: Mapping[str, str], record: dict[str, Any], *, rkey: str = "", **more: Any
) -> httpx.Response:
    """putRecord of a post."""
    full = {"$type": POST, "createdAt": "2030-05-01T01:00:00.000Z", "text": "x", **record}
    body = {"repo": login["did"], "collection": POST, "rkey": rkey or tid(START, 1), "record": full, **more}
    return xrpc(stage, "repo.putRecord", login["accessJwt"], json=body)


def test_bluesky_tokens_expire(stage: Played) -> None:
    """Access lasts two hours by the stage's clock; the refresh token gives a new pair."""
    login = session(stage)
    assert login["handle"] == "contoh.bsky.social"
    assert xrpc(stage, "server.getSession", login["accessJwt"], params={}).json()["did"] == login["did"]
    stage.clock.move(hours=2)
    expired = xrpc(stage, "server.getSession", login["accessJwt"], params={})
    assert (expired.status_code, expired.json()["error"]) == (400, "ExpiredToken")
    fresh = xrpc(stage, "server.refreshSession", login["refreshJwt"]).json()
    assert xrpc(stage, "server.getSession", fresh["accessJwt"], params={}).status_code == 200
    stage.clock.move(days=90)
    assert xrpc(stage, "server.refreshSession", fresh["refreshJwt"]).json()["error"] == "ExpiredToken"


def test_bluesky_refuses_strangers(stage: Played) -> None:
    """401 without a token and for a wrong password, 400 InvalidToken for a token that isn't one."""
    assert xrpc(stage, "repo.putRecord", json={}).json()["error"] == "AuthMissing"
    assert xrpc(stage, "server.getSession", "a.b.c", params={}).json()["error"] == "InvalidToken"
    wrong = xrpc(stage, "server.createSession", json={"identifier": "contoh.bsky.social", "password": "salah"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "AuthenticationRequired")
    login = session(stage)
    assert xrpc(stage, "server.getSession", login["refreshJwt"], params={}).json()["error"] == "InvalidToken"


def test_bluesky_puts_a_record_once(stage: Played) -> None:
    """New: with commit. Identical: a no-op without. Other content under swapRecord null: InvalidSwap naming the cid."""
    login = session(stage)
    new = put(stage, login, {"text": "satu"}, swapRecord=None).json()
    same = put(stage, login, {"text": "satu"}, swapRecord=None).json()
    other = put(stage, login, {"text": "dua"}, swapRecord=None)
    assert ("commit" in new, "commit" in same, new["cid"] == same["cid"]) == (True, False, True)
    assert (other.status_code, other.json()["error"]) == (400, "InvalidSwap")
    assert new["cid"] in other.json()["message"]
    overwritten = put(stage, login, {"text": "dua"}).json()
    assert overwritten["cid"] != new["cid"]
    assert [post["text"] for post in stage.posts()] == ["dua"]


def test_bluesky_create_record_with_a_used_key_breaks(stage: Played) -> None:
    """A used key gives 500, as the real server does; without a key it makes one."""
    login = session(stage)
    record = {"$type": POST, "createdAt": "2030-05-01T01:00:00.000Z", "text": "x"}
    body = {"repo": login["handle"], "collection": POST, "record": record}
    first = xrpc(stage, "repo.createRecord", login["accessJwt"], json=body).json()
    again = xrpc(stage, "repo.createRecord", login["accessJwt"], json=body | {"rkey": first["uri"].rpartition("/")[2]})
    assert (again.status_code, again.json()["error"]) == (500, "InternalServerError")


BAD_RECORDS: list[tuple[dict[str, Any], str]] = [
    ({"text": "x" * 301}, "grapheme too big (maximum 300, got 301)"),
    ({"text": "👨‍👩‍👧‍👦" * 130}, "string too big (maximum 3000, got 3250)"),
    ({"langs": ["id", "en", "jv", "su"]}, "array too big (maximum 3, got 4)"),
    ({"tags": ["t"] * 9}, "array too big (maximum 8, got 9)"),
    ({"createdAt": "kemarin"}, "Invalid datetime"),
    ({"createdAt": "2030-13-01T01:00:00Z"}, "Invalid datetime"),
    ({"$type": "app.bsky.feed.like"}, "$type"),
    ({"text": None}, 'Missing required key "text"'),
    ({"facets": [{"features": []}]}, 'Missing required key "index"'),
    ({"facets": [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [{}]}]}, "features"),
    ({"reply": {"root": {"uri": "at://did:plc:x/app.bsky.feed.post/3lbj5yqk2s22a", "cid": "x"}}}, "reply.root"),
    ({"embed": {"$type": "app.bsky.embed.images", "images": [{"image": {}}]}}, 'Missing required key "alt"'),
    ({"embed": {"$type": "app.bsky.embed.images", "images": [{"image": {}, "alt": ""}] * 5}}, "array too big"),
    ({"embed": {"$type": "app.bsky.embed.images", "images": [{"image": {}, "alt": ""}]}}, "Could not find blob"),
    ({"embed": {"$type": "app.bsky.embed.external", "external": {"uri": "x"}}}, 'Missing required key "title"'),
]


@pytest.mark.parametrize(("record", "message"), BAD_RECORDS)
def test_bluesky_checks_a_record(stage: Played, record: dict[str, Any], message: str) -> None:
    """What the lexicon forbids is refused with 400, naming the place."""
    answer = put(stage, session(stage), record)
    assert answer.status_code == 400
    assert message in answer.json()["message"]
    assert stage.posts() == []


def test_bluesky_blobs(stage: Played) -> None:
    """The type is found in the bytes; the record must name the blob as it is; too big a picture fails at the record."""
    login = session(stage)
    headers = {"Content-Type": "image/jpeg"}
    blob = xrpc(stage, "repo.uploadBlob", login["accessJwt"], content=png(), headers=headers).json()["blob"]
    assert (blob["mimeType"], blob["size"]) == ("image/png", len(png()))

    def image(**changed: Any) -> dict[str, Any]:
        return {
            "embed": {"$type": "app.bsky.embed.images", "images": [{"image": blob | changed, "alt": "Kotak merah"}]}
        }

    assert put(stage, login, image(size=1)).json()["error"] == "InvalidSize"
    assert put(stage, login, image(mimeType="image/jpeg")).json()["error"] == "InvalidMimeType"
    assert put(stage, login, image()).status_code == 200
    large = png() + b"\0" * 2_000_000
    blob = xrpc(stage, "repo.uploadBlob", login["accessJwt"], content=large, headers=headers).json()["blob"]
    assert put(stage, login, image(), rkey=tid(START, 2)).json()["error"] == "BlobTooLarge"
    assert xrpc(stage, "repo.uploadBlob", login["accessJwt"], content=b"").status_code == 400
    (post,) = stage.posts()
    assert post["alts"] == ["Kotak merah"]


def test_bluesky_reads_lists_and_deletes(stage: Played) -> None:
    """A missing record is 400 RecordNotFound; deleting twice is fine; lists come in pages by cursor."""
    login = session(stage)
    for number in range(3):
        put(stage, login, {"text": f"no {number}"}, rkey=tid(START, number + 1))
    query = {"repo": login["did"], "collection": POST}
    page = xrpc(stage, "repo.listRecords", params=query | {"limit": "2"}).json()
    rest = xrpc(stage, "repo.listRecords", params=query | {"cursor": page["cursor"]}).json()
    assert [each["value"]["text"] for each in page["records"] + rest["records"]] == ["no 2", "no 1", "no 0"]
    delete = {**query, "rkey": tid(START, 1)}
    assert "commit" in xrpc(stage, "repo.deleteRecord", login["accessJwt"], json=delete).json()
    assert xrpc(stage, "repo.deleteRecord", login["accessJwt"], json=delete).json() == {}
    missing = xrpc(stage, "repo.getRecord", params=delete)
    assert (missing.status_code, missing.json()["error"]) == (400, "RecordNotFound")
    bad = put(stage, login, {}, rkey="bukan-tid")
    assert 'Invalid TID string (got "bukan-tid")' in bad.json()["message"]
    assert put(stage, {**login, "did": "did:plc:lain"}, {}).json()["error"] == "InvalidRequest"


def test_bluesky_describes_itself(stage: Played) -> None:
    """Server, repository and handle."""
    did = session(stage)["did"]
    assert xrpc(stage, "server.describeServer", params={}).json()["did"] == "did:web:localhost"
    assert xrpc(stage, "identity.resolveHandle", params={"handle": "contoh.bsky.social"}).json() == {"did": did}
    assert xrpc(stage, "identity.resolveHandle", params={"handle": "lain.example"}).status_code == 400
    assert xrpc(stage, "repo.describeRepo", params={"repo": did}).json()["handle"] == "contoh.bsky.social"


def test_bluesky_rates(stage: Played) -> None:
    """The 31st log-in within five minutes is 429, with the reset in seconds and no Retry-After."""
    for _number in range(30):
        xrpc(stage, "server.createSession", json={})
    answer = xrpc(stage, "server.createSession", json={})
    assert (answer.status_code, answer.json()["error"]) == (429, "RateLimitExceeded")
    assert answer.headers["ratelimit-reset"] == str(int(START.timestamp()) + 300)
    assert answer.headers["ratelimit-policy"] == "30;w=300"
    assert "retry-after" not in answer.headers


# --- WordPress


def wordpress(stage: Played, method: str, path: str, *, password: str | None = None, **members: Any) -> httpx.Response:
    """A request to the REST API with user name and application password."""
    words = f"redaksi:{stage.secret('wordpress') if password is None else password}"
    headers = {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}", **members.pop("headers", {})}
    address = f"{stage.path('wordpress')}/wp-json/wp/v2{path}"
    return stage.http.request(method, address, headers=headers, **members)


def test_wordpress_makes_a_second_post_of_the_same_slug(stage: Played) -> None:
    """No key against doubles: the second gets slug-2; both are found, each by its own slug."""
    body = {"title": "Upah", "content": "<p>x</p>", "status": "publish", "slug": "upah"}
    answers = [wordpress(stage, "POST", "/posts", json=body) for _number in range(2)]
    assert [(answer.status_code, answer.json()["slug"]) for answer in answers] == [(201, "upah"), (201, "upah-2")]
    assert answers[0].headers["location"].endswith(f"/wp-json/wp/v2/posts/{answers[0].json()['id']}")
    found = wordpress(stage, "GET", "/posts", params={"slug": "upah-2", "context": "edit", "_fields": "id,link"})
    assert found.json() == [
        {"id": answers[1].json()["id"], "link": f"{stage.server.url}/wordpress/web/2030/05/01/upah-2/"}
    ]
    assert found.headers["x-wp-total"] == "1"


def test_wordpress_drafts_get_their_address_when_published(stage: Played) -> None:
    """A draft's link is ?p=ID and hidden from strangers; publishing by id gives the permalink and can be repeated."""
    draft = wordpress(stage, "POST", "/posts", json={"title": "Rilis"}).json()
    assert (draft["status"], draft["slug"], draft["link"].endswith(f"/?p={draft['id']}")) == ("draft", "", True)
    assert stage.posts() == []
    path = f"/posts/{draft['id']}"
    assert stage.http.get(f"{stage.path('wordpress')}/wp-json/wp/v2{path}").status_code == 401
    assert wordpress(stage, "GET", path).status_code == 200
    for _again in range(2):
        public = wordpress(stage, "POST", path, json={"status": "publish", "slug": "rilis"}).json()
        assert (public["slug"], public["link"].endswith("/2030/05/01/rilis/")) == ("rilis", True)
    short = stage.http.get(f"{stage.path('wordpress')}/", params={"p": str(draft["id"])})
    assert (short.status_code, short.headers["location"]) == (301, "/wordpress/web/2030/05/01/rilis/")


def test_wordpress_schedules(stage: Played) -> None:
    """publish with a date to come is "future", and public when its time has come."""
    body = {"title": "Nanti", "status": "publish", "date_gmt": "2030-05-01T02:00:00"}
    post = wordpress(stage, "POST", "/posts", json=body).json()
    assert (post["status"], "?p=" in post["link"]) == ("future", True)
    assert wordpress(stage, "GET", "/posts").json() == []
    stage.clock.move(hours=1)
    assert [each["status"] for each in wordpress(stage, "GET", "/posts").json()] == ["publish"]


def test_wordpress_authentication(stage: Played) -> None:
    """A wrong password still reads what is public; writing is "not allowed", users/me is "not logged in"."""
    assert wordpress(stage, "GET", "/posts", password="salah").status_code == 200
    answer = wordpress(stage, "POST", "/posts", password="salah", json={"title": "x"})
    assert (answer.status_code, answer.json()["code"]) == (401, "rest_cannot_create")
    me = wordpress(stage, "GET", "/users/me", password="salah")
    assert (me.status_code, me.json()["code"]) == (401, "rest_not_logged_in")
    assert wordpress(stage, "GET", "/posts", password="salah", params={"context": "edit"}).status_code == 401
    assert wordpress(stage, "GET", "/posts", password="salah", params={"status": "draft"}).status_code == 400
    spaced = " ".join(stage.secret("wordpress"))
    assert wordpress(stage, "GET", "/users/me", password=spaced).json()["roles"] == ["editor"]
    assert stage.http.get(f"{stage.path('wordpress')}/wp-json/wp/v2/users/me").status_code == 401


@pytest.mark.parametrize(
    ("role", "draft", "publish", "upload", "category", "tag"),
    [
        ("administrator", 201, 201, 201, 201, 201),
        ("author", 201, 201, 201, 403, 201),
        ("contributor", 201, 403, 403, 403, 201),
        ("subscriber", 403, 403, 403, 403, 403),
    ],
)
def test_wordpress_roles(  # noqa: PLR0917 - a table
    stage: Played, role: str, draft: int, publish: int, upload: int, category: int, tag: int
) -> None:
    """What a user may do depends on the role."""
    with_role(stage, "wordpress", role)
    headers = {"Content-Disposition": 'attachment; filename="a.png"', "Content-Type": "image/png"}
    assert wordpress(stage, "POST", "/posts", json={"title": "x"}).status_code == draft
    assert wordpress(stage, "POST", "/posts", json={"title": "x", "status": "publish"}).status_code == publish
    assert wordpress(stage, "POST", "/media", content=png(), headers=headers).status_code == upload
    assert wordpress(stage, "POST", "/categories", json={"name": "Rilis"}).status_code == category
    assert wordpress(stage, "POST", "/tags", json={"name": "upah"}).status_code == tag


def test_wordpress_media(stage: Played) -> None:
    """Raw with Content-Disposition, or multipart; alt text afterwards; a refused type is a 500; deleting needs
    force."""
    headers = {"Content-Disposition": 'attachment; filename="poster.png"', "Content-Type": "image/png"}
    media = wordpress(stage, "POST", "/media", content=png(), headers=headers)
    identifier = media.json()["id"]
    assert (media.status_code, media.json()["slug"], media.json()["alt_text"]) == (201, "poster", "")
    described = wordpress(stage, "POST", f"/media/{identifier}", json={"alt_text": "Massa aksi"}).json()
    assert described["alt_text"] == "Massa aksi"
    assert stage.http.get(described["source_url"]).content == png()
    assert wordpress(stage, "GET", "/media", params={"slug": "poster", "_fields": "id"}).json() == [{"id": identifier}]
    form = wordpress(stage, "POST", "/media", files={"file": ("b.png", png())}, data={"alt_text": "Dua"})
    assert form.json()["alt_text"] == "Dua"
    assert wordpress(stage, "POST", "/media", content=png()).json()["code"] == "rest_upload_no_content_disposition"
    assert wordpress(stage, "POST", "/media", headers=headers).json()["code"] == "rest_upload_no_data"
    refused = wordpress(stage, "POST", "/media", content=b"teks", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (500, "rest_upload_sideload_error")
    assert wordpress(stage, "DELETE", f"/media/{identifier}").status_code == 501
    deleted = wordpress(
        stage, "DELETE", f"/media/{identifier}", params={"force": "true", "_fields": "deleted,previous.id"}
    )
    assert deleted.json() == {"deleted": True, "previous": {"id": identifier}}
    assert wordpress(stage, "GET", f"/media/{identifier}").status_code == 404


def test_wordpress_terms(stage: Played) -> None:
    """A tag that exists answers 400 term_exists with its id; search finds it; the post shows it."""
    tag = wordpress(stage, "POST", "/tags", json={"name": "Upah Layak"}).json()
    again = wordpress(stage, "POST", "/tags", json={"name": "upah layak"}).json()
    assert (again["code"], again["data"]["term_id"]) == ("term_exists", tag["id"])
    assert [each["slug"] for each in wordpress(stage, "GET", "/tags", params={"search": "layak"}).json()] == [
        "upah-layak"
    ]
    post = wordpress(stage, "POST", "/posts", json={"title": "x", "tags": [tag["id"], 999]}).json()
    assert post["tags"] == [tag["id"]]
    assert wordpress(stage, "POST", "/tags", json={}).json()["code"] == "rest_missing_callback_param"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "empty_content"),
        ({"title": "x", "status": "zzz"}, "rest_invalid_param"),
        ({"title": "x", "date_gmt": "kemarin"}, "rest_invalid_param"),
        ({"title": "x", "featured_media": 99}, "rest_invalid_featured_media"),
    ],
)
def test_wordpress_checks_a_post(stage: Played, body: dict[str, Any], code: str) -> None:
    """Bad fields are refused with 400 and the documented code, and nothing is kept."""
    answer = wordpress(stage, "POST", "/posts", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]["status"]) == (400, code, 400)
    assert stage.posts(all="true") == []


def test_wordpress_deletes_in_two_steps(stage: Played) -> None:
    """First to the trash, again is 410, with force it is gone, then 404."""
    identifier = wordpress(stage, "POST", "/posts", json={"title": "x", "status": "publish"}).json()["id"]
    assert wordpress(stage, "DELETE", f"/posts/{identifier}").json()["status"] == "trash"
    assert wordpress(stage, "DELETE", f"/posts/{identifier}").status_code == 410
    assert wordpress(stage, "DELETE", f"/posts/{identifier}", params={"force": "true"}).json()["deleted"] is True
    assert wordpress(stage, "GET", f"/posts/{identifier}").json()["code"] == "rest_post_invalid_id"


def test_wordpress_is_found(stage: Played) -> None:
    """The front page names the API; the index says that application passwords are on; what it lacks is 404."""
    home = stage.http.get(f"{stage.path('wordpress')}/")
    assert home.headers["link"] == f'<{stage.server.url}/wordpress/web/wp-json/>; rel="https://api.w.org/"'
    index = stage.http.get(f"{stage.path('wordpress')}/wp-json/").json()
    assert "authorization" in index["authentication"]["application-passwords"]["endpoints"]
    assert wordpress(stage, "GET", "/nope").json()["code"] == "rest_no_route"
    broken = wordpress(stage, "POST", "/posts", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.json()["code"] == "rest_invalid_json"
    assert wordpress(stage, "GET", "/posts", params={"page": "2"}).json()["code"] == "rest_post_invalid_page_number"


# --- Telegram


def telegram(stage: Played, method: str, *, token: str | None = None, **members: Any) -> httpx.Response:
    """A Bot API call."""
    token = stage.secret("telegram") if token is None else token
    return stage.http.post(f"{stage.path('telegram')}/bot{token}/{method}", **members)


def send(stage: Played, **values: Any) -> httpx.Response:
    """sendMessage to the channel."""
    return telegram(stage, "sendMessage", json={"chat_id": "@contoh_papua", "text": "Halo", **values})


def test_telegram_counts_messages(stage: Played) -> None:
    """Ids count up in the channel; a reply shows what it answers; the same text again is a second message."""
    first = send(stage).json()["result"]
    second = send(stage, reply_parameters={"message_id": first["message_id"]}).json()["result"]
    assert (first["message_id"], second["message_id"]) == (1, 2)
    assert (first["chat"]["username"], first["date"]) == ("contoh_papua", int(START.timestamp()))
    assert second["reply_to_message"]["message_id"] == 1
    assert [post["permalink"].removeprefix(stage.server.url) for post in stage.posts()] == [
        "/telegram/kanal/contoh_papua/1",
        "/telegram/kanal/contoh_papua/2",
    ]


@pytest.mark.parametrize(
    ("values", "description"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"chat_id": "@lain"}, "chat not found"),
        ({"chat_id": ""}, "chat_id is empty"),
        ({"reply_parameters": {"message_id": 99}}, "message to be replied not found"),
        (
            {"entities": [{"type": "bold", "offset": 3, "length": 2}]},
            "can't parse MessageEntity: it reaches beyond the text",
        ),
        ({"parse_mode": "HTML"}, "this stage reads entities, no parse mode"),
        ({"entities": "["}, "can't parse entities JSON object"),
    ],
)
def test_telegram_checks_a_message(stage: Played, values: dict[str, Any], description: str) -> None:
    """Texts count in UTF-16 units; everything bad is a 400 with its description."""
    answer = send(stage, **values)
    assert answer.status_code == 400
    assert answer.json() == {"ok": False, "error_code": 400, "description": f"Bad Request: {description}"}
    assert stage.posts() == []


def test_telegram_albums(stage: Played) -> None:
    """An array of messages with one id each; deleting all of them takes the post down."""
    media = json.dumps([{"type": "photo", "media": f"attach://p{number}", "caption": "Aksi"} for number in range(2)])
    files = {f"p{number}": (f"{number}.png", png(60 + number), "image/png") for number in range(2)}
    sent = telegram(stage, "sendMediaGroup", data={"chat_id": "@contoh_papua", "media": media}, files=files).json()[
        "result"
    ]
    assert [message["message_id"] for message in sent] == [1, 2]
    assert sent[0]["photo"][0]["width"] == 60
    for number in (1, 2):
        assert telegram(stage, "deleteMessage", json={"chat_id": "@contoh_papua", "message_id": number}).json()[
            "result"
        ]
    assert stage.posts() == []
    gone = telegram(stage, "deleteMessage", json={"chat_id": "@contoh_papua", "message_id": 1})
    assert gone.json()["description"] == "Bad Request: message to delete not found"
    one = telegram(stage, "sendMediaGroup", data={"chat_id": "@contoh_papua", "media": "[]"}, files=files)
    assert one.status_code == 400


@pytest.mark.parametrize(
    ("content", "caption", "status", "words"),
    [
        (png(), "Aksi", 200, None),
        (png(), "x" * 1025, 400, "message caption is too long"),
        (png(2100, 10), "", 400, "PHOTO_INVALID_DIMENSIONS"),
        (b"teks", "", 400, "IMAGE_PROCESS_FAILED"),
        (b"\0" * 10_000_001, "", 413, "Request Entity Too Large"),
    ],
)
def test_telegram_checks_a_photo(stage: Played, content: bytes, caption: str, status: int, words: str | None) -> None:
    """Captions to 1,024 units; photos by size, sides and what they really are."""
    data = {"chat_id": "@contoh_papua", "caption": caption}
    answer = telegram(stage, "sendPhoto", data=data, files={"photo": ("a.png", content, "image/png")})
    assert answer.status_code == status
    assert words is None or words in answer.json()["description"]


def test_telegram_rights(stage: Played) -> None:
    """A wrong token is 401, a wrong method 404; who isn't administrator can't post; who was kicked gets 403."""
    assert telegram(stage, "getMe", token="1:salah").status_code == 401
    assert telegram(stage, "getUpdatesX").status_code == 404
    bot = telegram(stage, "getMe").json()["result"]
    chat = telegram(stage, "getChat", json={"chat_id": "@contoh_papua"}).json()["result"]
    who = {"chat_id": chat["id"], "user_id": bot["id"]}
    assert telegram(stage, "getChatMember", json=who).json()["result"]["can_post_messages"] is True
    assert telegram(stage, "getChatMember", json=who | {"user_id": 1}).status_code == 400
    with_role(stage, "telegram", "member")
    assert send(stage).json()["description"] == "Bad Request: need administrator rights in the channel chat"
    with_role(stage, "telegram", "kicked")
    assert send(stage).status_code == 403
    broken = telegram(stage, "sendMessage", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400


def test_telegram_rates(stage: Played) -> None:
    """More than about 30 a second is 429 with retry_after."""
    answers = [send(stage) for _number in range(31)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["parameters"] == {"retry_after": 1}
    stage.clock.move(seconds=1)
    assert send(stage).status_code == 200
