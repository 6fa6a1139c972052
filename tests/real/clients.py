"""Independent clients of the real servers, in plain urllib: what they read is what the servers hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import time
import urllib.request
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode


def call(
    url: str, *, data: Any = None, headers: dict[str, str] | None = None, method: str | None = None, **query: str
) -> Any:
    """The JSON answer of a GET, or of a POST with ``data`` (or another ``method``); an HTTP error is raised."""
    target = f"{url}?{urlencode(query)}" if query else url
    body = None if data is None else json.dumps(data).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(target, data=body, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def picture_at(url: str) -> tuple[str, bytes]:
    """Content type and bytes behind an address."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.headers.get_content_type(), answer.read()


def plain(markup: str) -> str:
    """The text of HTML as a reader sees it: breaks and paragraphs are line ends, tags are nothing."""
    text = re.sub(r"<br\s*/?>\s*", "\n", markup)
    text = re.sub(r"</p>\s*<p[^>]*>", "\n\n", text)
    return html.unescape(re.sub(r"<[^>]+>", "", text)).strip()


class Images(HTMLParser):
    """Addresses and alt texts of the pictures in HTML, in order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            values = dict(attrs)
            self.found.append((values.get("src") or "", values.get("alt") or ""))


@dataclass(frozen=True, kw_only=True)
class WordPress:
    """The REST API as the site's own user sees it."""

    url: str
    password: str

    def get(self, route: str, **query: str) -> Any:
        token = base64.b64encode(f"redaksi:{self.password}".encode()).decode()
        return call(f"{self.url}/wp-json/wp/v2/{route}", headers={"Authorization": f"Basic {token}"}, **query)

    def post(self, number: str) -> dict[str, Any]:
        return dict(self.get(f"posts/{number}", context="edit"))

    def change(self, route: str, data: Any, *, method: str) -> Any:
        """Ask for a change; the answer's JSON."""
        token = base64.b64encode(f"redaksi:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}"}
        return call(f"{self.url}/wp-json/wp/v2/{route}", data=data, headers=headers, method=method)

    def new_password(self) -> tuple[str, str]:
        """Another application password of the same user: the password, and the address below which it is revoked."""
        route = "users/me/application-passwords"
        made = self.change(route, {"name": f"uji {time.time_ns()}"}, method="POST")
        return made["password"], f"{route}/{made['uuid']}"

    def names(self, taxonomy: str, numbers: list[int]) -> list[str]:
        return [html.unescape(self.get(f"{taxonomy}/{number}")["name"]) for number in numbers]

    def count(self) -> int:
        return len(self.everything())

    def everything(self) -> list[dict[str, Any]]:
        """Every post and draft, page by page."""
        query = {"per_page": "100", "status": "publish,future,draft,pending,private", "context": "edit"}
        found: list[dict[str, Any]] = []
        while page := self.get("posts", offset=str(len(found)), orderby="id", order="asc", **query):
            found += page
        return found

    def texts(self) -> list[str]:
        """Title and body of everything that the site has."""
        return [f"{post['title']['raw']}\n{post['content']['raw']}" for post in self.everything()]


@dataclass(frozen=True, kw_only=True)
class Bluesky:
    """The XRPC of a personal data server; records are public."""

    url: str
    secret: str  # of the server's tokens
    did: str = ""
    handle: str = ""
    password: str = ""  # an app password

    @classmethod
    def with_new_account(cls, url: str, secret: str, *, name: str) -> Bluesky:
        """An account of its own for a test."""
        handle = f"{name}-{time.time_ns() % 10**8}.test"
        made = call(
            f"{url}/xrpc/com.atproto.server.createAccount",
            data={"email": f"{handle}@serikat.example", "handle": handle, "password": "sandi-akun-contoh"},
        )
        app = call(
            f"{url}/xrpc/com.atproto.server.createAppPassword",
            data={"name": "campaign"},
            headers={"Authorization": f"Bearer {made['accessJwt']}"},
        )
        return cls(url=url, secret=secret, did=made["did"], handle=handle, password=app["password"])

    def session(self) -> str:
        """An access token of the account itself, made with its own password."""
        name = "com.atproto.server.createSession"
        made = call(f"{self.url}/xrpc/{name}", data={"identifier": self.handle, "password": "sandi-akun-contoh"})
        return str(made["accessJwt"])

    def revoke(self) -> None:
        """Take the app password away."""
        headers = {"Authorization": f"Bearer {self.session()}"}
        request = urllib.request.Request(
            f"{self.url}/xrpc/com.atproto.server.revokeAppPassword",
            data=json.dumps({"name": "campaign"}).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        urllib.request.urlopen(request, timeout=30).close()  # the answer is empty

    def record(self, uri: str) -> dict[str, Any]:
        _at, _empty, repo, collection, key = uri.split("/")
        name = "com.atproto.repo.getRecord"
        return dict(call(f"{self.url}/xrpc/{name}", repo=repo, collection=collection, rkey=key))

    def records(self) -> list[dict[str, Any]]:
        name = "com.atproto.repo.listRecords"
        found = call(f"{self.url}/xrpc/{name}", repo=self.did, collection="app.bsky.feed.post", limit="100")
        return list(found["records"])

    def texts(self) -> list[str]:
        """What every post of the account says, page by page."""
        name, found, cursor = "com.atproto.repo.listRecords", [], ""
        query = {"repo": self.did, "collection": "app.bsky.feed.post", "limit": "100"}
        while True:
            page = call(f"{self.url}/xrpc/{name}", **query, **({"cursor": cursor} if cursor else {}))
            found += [record["value"]["text"] for record in page["records"]]
            cursor = page.get("cursor", "")
            if not cursor or not page["records"]:
                return found

    def blob(self, cid: str) -> tuple[str, bytes]:
        return picture_at(f"{self.url}/xrpc/com.atproto.sync.getBlob?{urlencode({'did': self.did, 'cid': cid})}")

    def expired_token(self) -> str:
        """An access token of this account that ran out an hour ago, signed with the server's own secret."""
        now = int(time.time())
        head = {"typ": "at+jwt", "alg": "HS256"}
        body = {"scope": "com.atproto.appPass", "sub": self.did, "aud": "did:web:localhost"}
        body |= {"iat": now - 10_800, "exp": now - 3_600}  # type: ignore[dict-item]
        words = ".".join(_base64(json.dumps(part).encode()) for part in (head, body))
        return f"{words}.{_base64(hmac.digest(self.secret.encode(), words.encode(), hashlib.sha256))}"


def faceted(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What each facet covers, in the record's own bytes, and what it means (an address or a hashtag)."""
    content = record["text"].encode()
    found = []
    for facet in record.get("facets", []):
        index, feature = facet["index"], facet["features"][0]
        covered = content[index["byteStart"] : index["byteEnd"]].decode()
        found.append((covered, feature.get("uri") or feature.get("tag") or feature.get("did")))
    return found


@dataclass(frozen=True, kw_only=True)
class Mastodon:
    """The client API as the account's owner sees it."""

    url: str
    token: str

    def get(self, path: str, **query: str) -> Any:
        return call(f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {self.token}"}, **query)

    def status(self, number: str) -> dict[str, Any]:
        return dict(self.get(f"statuses/{number}"))

    def count(self) -> int:
        return len(self.texts())

    def texts(self) -> list[str]:
        """What every status of the account says, page by page."""
        me, found, query = self.get("accounts/verify_credentials")["id"], [], {"limit": "40"}
        while page := self.get(f"accounts/{me}/statuses", **query):
            found += [plain(status["content"]) for status in page]
            query["max_id"] = page[-1]["id"]
        return found


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The client-server API of a homeserver, as an account in one room sees it."""

    url: str
    secret: str  # with which accounts of any kind can be made
    user: str = ""
    token: str = ""
    device: str = ""
    room: str = ""

    @classmethod
    def with_new_account(cls, url: str, secret: str, *, name: str) -> Matrix:
        """An account of its own for a test, in a room of its own."""
        bare = cls(url=url, secret=secret)
        made = bare.register(f"{name}-{time.time_ns() % 10**8}")
        return replace(made, room=made.new_room())

    def register(self, name: str, *, administrator: bool = False) -> Matrix:
        """A new account of the homeserver, by the secret that its configuration holds."""
        where = f"{self.url}/_synapse/admin/v1/register"
        nonce, password = call(where)["nonce"], "sandi-akun-contoh"
        words = [nonce, name, password, "admin" if administrator else "notadmin"]
        mac = hmac.new(self.secret.encode(), "\0".join(words).encode(), hashlib.sha1).hexdigest()
        data = {"nonce": nonce, "username": name, "password": password, "admin": administrator, "mac": mac}
        made = call(where, data=data)
        return replace(self, user=made["user_id"], token=made["access_token"], device=made["device_id"])

    def ask(self, path: str, *, data: Any = None, method: str | None = None, **query: str) -> Any:
        """A request of the account; ``path`` below the client API, or whole from ``/_``."""
        address = path if path.startswith("/_") else f"/_matrix/client/v3{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        return call(self.url + address, data=data, headers=headers, method=method, **query)

    def new_room(self, **options: Any) -> str:
        """The id of a new room."""
        return str(self.ask("/createRoom", data={"preset": "public_chat", "name": "Balai", **options})["room_id"])

    def signed_in_again(self, *, short: bool = False) -> Matrix:
        """A new session of the account, with a device of its own; a ``short`` one is over after a second."""
        data = {"type": "m.login.password", "password": "sandi-akun-contoh", "refresh_token": short}
        made = call(
            f"{self.url}/_matrix/client/v3/login",
            data=data | {"identifier": {"type": "m.id.user", "user": self.user}},
        )
        return replace(self, token=made["access_token"], device=made["device_id"])

    def event(self, identifier: str) -> dict[str, Any]:
        return dict(self.ask(f"/rooms/{quote(self.room)}/event/{quote(identifier)}"))

    def events(self) -> list[dict[str, Any]]:
        """Every message of the room that says something, oldest first, page by page."""
        found: list[dict[str, Any]] = []
        query = {"dir": "b", "limit": "100"}
        while True:
            page = self.ask(f"/rooms/{quote(self.room)}/messages", **query)
            found += [one for one in page["chunk"] if one["type"] == "m.room.message" and one["content"]]
            if not page.get("end"):
                return found[::-1]
            query["from"] = page["end"]

    def texts(self) -> list[str]:
        """What every message says: a text, or the caption of a picture."""
        return [event["content"]["body"] for event in self.events()]

    def media(self, address: str) -> tuple[str, bytes]:
        """Type and bytes behind an ``mxc://`` address, which only who is signed in may see."""
        where = f"{self.url}/_matrix/client/v1/media/download/{address.removeprefix('mxc://')}"
        request = urllib.request.Request(where, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers.get_content_type(), answer.read()


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
