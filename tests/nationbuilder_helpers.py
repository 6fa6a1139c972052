"""A scripted nation, and the requests that NationBuilder's own client describes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from platform_helpers import Network, Reply, answer, sending

from campaign_cli.platforms.nationbuilder import platform

DATA = Path(__file__).parent / "data/nationbuilder"
TOKEN = "contoh-token-rahasia"
SETTINGS = {"nation": "contoh", "site": "contoh", "blog": "13", "token": "env:NATIONBUILDER_TOKEN"}
BLOG = "/api/v1/sites/contoh/pages/blogs/13"
KEY = "0123456789abcdef0123456789abcdef01234567"
FIELDS: Mapping[str, Any] = json.loads((DATA / "fields.json").read_text(encoding="utf-8"))
ANSWERS: Mapping[str, Any] = json.loads((DATA / "answers.json").read_text(encoding="utf-8"))
METHODS = [
    method
    for endpoint in json.loads((DATA / "specification.json").read_text(encoding="utf-8"))["endpoints"]
    for method in endpoint["methods"]
]


def on_its_way(network: Any, **more: Any) -> Any:
    """One part on its way to the blog."""
    settings = {**SETTINGS, **more.pop("settings", {})}
    return sending(platform, network, settings=settings, secrets={"token": TOKEN}, **more)


def recorded(name: str) -> Reply:
    """An answer of a real nation."""
    known = ANSWERS[name]
    content = json.dumps(known["body"]).encode() if "body" in known else b""
    return httpx.Response(known["status"], headers=known["headers"], content=content)


def post_json(identifier: int = 15, **more: Any) -> dict[str, Any]:
    """A post of the blog."""
    post = {"id": identifier, "slug": "upah_layak", "status": "drafted", "site_slug": "contoh", "name": "Upah layak"}
    return post | {"external_id": f"campaign-{KEY}", "content_before_flip": "<p>Upah</p>", "tags": []} | more


def shown(identifier: int = 15, *, wrapped: str = "blog_post", **more: Any) -> Reply:
    """The answer that shows one post."""
    return answer(200, {wrapped: post_json(identifier, **more)})


def page(*posts: dict[str, Any], more: str | None = None) -> Reply:
    """A page of the list."""
    return answer(200, {"next": more, "prev": None, "results": list(posts)})


NOTHING = recorded("not_found")


def check_known(network: Network) -> None:
    """Every request that left is one that the client describes, with its parameters and the fields of a post."""
    for request in network.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert (request.url.scheme, request.url.host) == ("https", "contoh.nationbuilder.com")
        method = _method(request)
        known = {each["Name"] for each in method["parameters"]}
        assert set(request.url.params) <= known, request.url
        if "body" in known:
            body = json.loads(request.content)
            assert set(body) == {"blog_post"}
            for name, value in body["blog_post"].items():
                assert _fits(FIELDS[name], value), (name, value)
        else:
            assert not request.content


def _method(request: httpx.Request) -> Mapping[str, Any]:
    """By the most exact address."""
    for method in METHODS:
        pattern = re.sub(r":\w*id\b", r"\\d+", method["URI"]).replace(":site_slug", r"[\w-]+")
        if method["HTTPMethod"] == request.method and re.fullmatch(f"/api/v1{pattern}", request.url.path):
            return dict(method)
    raise AssertionError(f"{request.method} {request.url.path}")


def _fits(rule: Any, value: Any) -> bool:
    if isinstance(rule, list):
        return value in rule
    if rule == "list":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if rule == "instant":
        return datetime.fromisoformat(value).tzinfo is not None
    return isinstance(value, str) and (rule == "text" or value.isdigit())
