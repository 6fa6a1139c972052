"""A small WordPress that keeps state, takes the arguments that the real one takes, and answers as the recordings do."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import httpx

DATA = Path(__file__).parent / "data/wordpress"
ARGUMENTS: dict[str, Any] = json.loads((DATA / "arguments.json").read_text(encoding="utf-8"))
RECORDED: dict[str, dict[str, Any]] = {
    item["label"]: item for item in map(json.loads, (DATA / "recorded.jsonl").read_text(encoding="utf-8").splitlines())
}
HOME = "https://serikat.example"


def recorded(label: str) -> httpx.Response:
    """The answer that a real WordPress 6.1.9 gave."""
    item = RECORDED[label]
    return httpx.Response(item["status"], text=item["body"], headers={"content-type": "application/json"})


class Site:
    """Call it with a request; ``answers`` overrides single routes (``METHOD route``), once each."""

    def __init__(self, *, password: str, plain_permalinks: bool = False) -> None:
        self.password = password
        self.plain_permalinks = plain_permalinks
        self.posts: dict[int, dict[str, Any]] = {}
        self.media: dict[int, dict[str, Any]] = {}
        self.terms: dict[str, dict[int, str]] = {"categories": {1: "Uncategorized"}, "tags": {}}
        self.capabilities = {"publish_posts": True, "upload_files": True, "manage_categories": True}
        self.application_passwords = True
        self.date = "2026-12-03T01:00:06"
        self.answers: dict[str, list[Callable[[], httpx.Response]]] = {}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self._last_id = 30

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        route = request.url.path.removeprefix("/wp-json")
        if self.plain_permalinks:
            if "rest_route" not in query:
                return httpx.Response(404, text="<html>Not found</html>")
            route = query.pop("rest_route")
        route = route.removeprefix("/").removeprefix("wp/v2/")
        is_json = request.headers.get("content-type", "").startswith("application/json")
        body = json.loads(request.content) if is_json else request.content
        named = request.headers.get("content-disposition", "")
        self.upload_name = named.partition('filename="')[2].rstrip('"')
        self.requests.append((request.method, route, query, body))
        waiting = self.answers.get(f"{request.method} {route.split('/')[0]}" + ("/ID" if "/" in route else ""))
        if waiting:
            return waiting.pop(0)()
        return self._answer(request, route, query, body)

    def sent(self, start: str) -> list[Any]:
        """The bodies of the requests whose ``METHOD route`` begins so."""
        return [body for method, route, _query, body in self.requests if f"{method} {route}".startswith(start)]

    def _answer(self, request: httpx.Request, route: str, query: dict[str, str], body: Any) -> httpx.Response:
        signed_in = (
            request.headers.get("authorization")
            == "Basic " + base64.b64encode(f"redaksi:{self.password}".encode()).decode()
        )
        kind, _slash, number = route.partition("/")
        if route == "":
            ways = {"application-passwords": {}} if self.application_passwords else {}
            return httpx.Response(200, json={"name": "Serikat", "home": HOME, "authentication": ways})
        if route == "users/me":
            me = {"id": 7, "name": "Redaksi", "slug": "redaksi", "capabilities": self.capabilities}
            return httpx.Response(200, json=me) if signed_in else recorded("wrong password users/me")
        if not signed_in:
            return recorded("wrong password create")
        if isinstance(body, dict):
            assert set(body) <= set(ARGUMENTS[f"POST {kind}"]), body
        if request.method == "GET" and not number:
            assert set(query) - {"_fields"} <= set(ARGUMENTS[f"GET {kind}"]), query
        handler: Callable[..., httpx.Response] = getattr(self, f"_{request.method.lower()}_{kind}")
        return handler(int(number) if number else 0, query, body)

    def _next(self) -> int:
        self._last_id += 1
        return self._last_id

    def _get_posts(self, number: int, query: dict[str, str], _body: Any) -> httpx.Response:
        if number:
            post = self.posts.get(number)
            return httpx.Response(200, json=post) if post else recorded("gone")
        slugs, statuses = query["slug"].split(","), query["status"].split(",")
        assert query["context"] == "edit"
        found = [post for post in self.posts.values() if post["slug"] in slugs and post["status"] in statuses]
        return httpx.Response(200, json=found)

    def _post_posts(self, number: int, _query: dict[str, str], body: Any) -> httpx.Response:
        if not number:
            number = self._next()
            self.posts[number] = {"id": number, "slug": "", "status": "draft", "link": f"{HOME}/?p={number}"}
        post = self.posts[number]
        for name in ("title", "content", "excerpt"):
            if name in body:
                post[name] = {"raw": body.pop(name), "rendered": "…"}
        taken = {item["slug"] for item in self.posts.values() if item is not post and item["status"] == "publish"}
        post |= body
        if post["status"] == "publish":
            post["slug"] = post["slug"] + "-2" if post["slug"] in taken else post["slug"] or f"{number}"
            post |= {"link": f"{HOME}/2026/12/03/{post['slug']}/", "date_gmt": self.date}
        return httpx.Response(201, json=post)

    def _delete_posts(self, number: int, _query: dict[str, str], _body: Any) -> httpx.Response:
        if number not in self.posts:
            return recorded("gone")
        if self.posts[number]["status"] == "trash":
            return recorded("trash again")
        self.posts[number]["status"] = "trash"
        return recorded("trash")

    def _get_media(self, number: int, query: dict[str, str], _body: Any) -> httpx.Response:
        if number:
            return httpx.Response(200, json={"alt_text": self.media[number]["alt_text"]})
        found = [{"id": key, **item} for key, item in self.media.items() if item["slug"] == query["slug"]]
        return httpx.Response(200, json=found)

    def _post_media(self, number: int, _query: dict[str, str], body: Any) -> httpx.Response:
        if number:
            self.media[number] |= body
        else:
            number = self._next()
            name = self.upload_name
            item = {"slug": name.rpartition(".")[0], "source_url": f"{HOME}/{name}", "alt_text": "", "bytes": len(body)}
            self.media[number] = item
        return httpx.Response(201, json={"id": number, **self.media[number]})

    def _get_terms(self, kind: str, query: dict[str, str]) -> httpx.Response:
        words = query["search"].casefold()
        found = [
            {"id": key, "name": name} for key, name in self.terms[kind].items() if words in unescape(name).casefold()
        ]
        return httpx.Response(200, json=found)

    def _post_terms(self, kind: str, body: Any) -> httpx.Response:
        number = self._next()
        self.terms[kind][number] = body["name"]
        return httpx.Response(201, json={"id": number, "name": body["name"]})

    def _get_tags(self, _number: int, query: dict[str, str], _body: Any) -> httpx.Response:
        return self._get_terms("tags", query)

    def _post_tags(self, _number: int, _query: dict[str, str], body: Any) -> httpx.Response:
        return self._post_terms("tags", body)

    def _get_categories(self, _number: int, query: dict[str, str], _body: Any) -> httpx.Response:
        return self._get_terms("categories", query)

    def _post_categories(self, _number: int, _query: dict[str, str], body: Any) -> httpx.Response:
        return self._post_terms("categories", body)
