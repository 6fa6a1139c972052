"""A scripted Instagram and a scripted Threads; a request with a name that Meta doesn't know is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from platform_helpers import NOW, Network, Reply, answer, picture, sending

from campaign_cli.models import Picture
from campaign_cli.platforms import base, instagram, threads

DATA = Path(__file__).parent / "data"
EXTRACT: Mapping[str, Any] = json.loads((DATA / "instagram/specification.json").read_text(encoding="utf-8"))
PARAMETERS: Mapping[str, Any] = json.loads((DATA / "threads/parameters.json").read_text(encoding="utf-8"))
TOKEN = "IGContohTokenRahasia"
USER = "17841400000000001"
CONTAINER = "18000000000000001"
POSTED = "17900000000000007"
FILE = "https://serikat.example/media/poster.jpg"
LOGINS = {
    "instagram": {"token": "env:INSTAGRAM_TOKEN"},
    "facebook": {"token": "env:INSTAGRAM_TOKEN", "login": "facebook", "account": USER},
}
_GENERAL = {"fields", "limit", "after"}  # of every list; developers.facebook.com/docs/graph-api/results
_DEEPER = re.compile(r"\{[^{}]*\}")


@dataclass(kw_only=True)
class Checked(Network):
    """A scripted network that takes no request which ``check`` finds wrong."""

    check: Callable[[httpx.Request], None]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.check(request)
        return super().__call__(request)


def scripted(check: Callable[[httpx.Request], None], routes: Mapping[str, Any]) -> Checked:
    """Answers by ``METHOD /path`` without the version."""
    version = "/v1.0" if check is threads_check else "/v25.0"
    return Checked(check=check, routes={_versioned(route, version): reply for route, reply in routes.items()})


def _versioned(route: str, version: str) -> str:
    method, path = route.split(" ")
    return f"{method} {path if path.startswith('/ig-api-upload') else version + path}"


def on_its_way(name: str, network: Any, **more: Any) -> Any:
    """One part on its way; whatever network, its media lies at ``FILE``."""
    adapter: base.Platform = {"instagram": instagram.platform, "threads": threads.platform}[name]
    more.setdefault("settings", LOGINS["instagram"])
    item = sending(adapter, network, secrets={"token": TOKEN}, **more)

    async def public_url(wanted: Picture) -> str:
        return FILE.replace("poster.jpg", wanted.name)

    item.public_url = public_url
    return item


def photo(**more: Any) -> Picture:
    """A JPEG."""
    return picture(name="poster.jpg", mime="image/jpeg", **more)


def video(**more: Any) -> Picture:
    """A video."""
    return picture(b"\0\0\0\x18ftypmp42isi kandungan", name="aksi.mp4", mime="video/mp4", **more)


def refusal(code: int, *, subcode: int = 0, status: int = 400, headers: Mapping[str, str] | None = None) -> Reply:
    """Meta's error object."""
    error: dict[str, Any] = {"message": "Kata-kata jejaring", "type": "OAuthException", "code": code}
    error |= {"error_subcode": subcode} if subcode else {}
    return answer(status, {"error": error}, headers=headers)


def row(identifier: str, **more: Any) -> dict[str, Any]:
    """A post in a list."""
    return {"id": identifier, "timestamp": NOW.strftime("%Y-%m-%dT%H:%M:%S+0000"), **more}


def listed(*rows: Mapping[str, Any], following: str = "") -> Reply:
    """A page of a list."""
    return answer(200, {"data": list(rows)} | ({"paging": {"next": following}} if following else {}))


def form_of(request: httpx.Request) -> dict[str, str]:
    """The fields of a form."""
    return dict(parse_qsl(request.content.decode(), keep_blank_values=True))


def instagram_check(specification: Mapping[str, Any] = EXTRACT, *, login: str = "instagram") -> Any:
    """Whether a request is one that Meta's specification knows: its edge, its parameters, the fields it asks for."""
    only = "ForIGOnlyAPI" if login == "instagram" else ""

    def check(request: httpx.Request) -> None:
        if request.url.host == "rupload.facebook.com":
            assert (login, request.headers["authorization"]) == ("facebook", f"OAuth {TOKEN}")
            return
        assert request.url.host == f"graph.{login}.com"
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        _version, _slash, path = request.url.path.lstrip("/").partition("/")
        node, _slash, edge = path.partition("/")
        if node == "debug_token":
            assert set(request.url.params) == {"input_token"}
            return
        kind = _kind(node) + (only if _kind(node) in ("IGUser", "IGMedia") else "")
        _known(specification, kind, request, edge)

    return check


def _kind(node: str) -> str:
    return {"1784": "IGUser", "1800": "ShadowIGMediaBuilder", "1790": "IGMedia"}.get(node[:4], "IGUser")


def _known(specification: Mapping[str, Any], kind: str, request: httpx.Request, edge: str) -> None:
    """Whether the object has this edge with these parameters, and what it gives these fields."""
    wanted = {"mediapublish" if kind.endswith("OnlyAPI") and edge == "media_publish" else edge or f"#{_verb(request)}"}
    found = [
        api
        for api in specification[kind]["apis"]
        if api["method"] == request.method and api["endpoint"].lstrip("/") in wanted
    ]
    assert found, (request.method, kind, edge)
    values = form_of(request) if request.method == "POST" else dict(request.url.params)
    assert set(values) <= set(found[0]["params"]) | (_GENERAL if request.method == "GET" else set()), values
    given = {"media": kind.replace("User", "Media"), "content_publishing_limit": "ContentPublishingLimitResponse"}
    node = specification[given.get(edge, kind)]
    fields = _DEEPER.sub("", values.get("fields", "")).split(",") if "fields" in values else []
    edges = {api["endpoint"].lstrip("/") for api in node["apis"]}
    assert set(fields) <= {*node["fields"], *edges}, fields


def _verb(request: httpx.Request) -> str:
    return request.method.lower()


def threads_check(request: httpx.Request) -> None:
    """Whether a request is one that Meta's pages on Threads know."""
    assert request.url.host == "graph.threads.net"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    path = request.url.path.removeprefix("/v1.0")
    path = re.sub(r"^/1800\d+", "/container", re.sub(r"^/1790\d+", "/post", path))
    known = PARAMETERS[f"{request.method} {path}"]
    values = form_of(request) if request.method == "POST" else dict(request.url.params)
    for name, value in values.items():
        rule = known[name]
        listed_there = rule == "text" or set(_DEEPER.sub("", value).split(",")) <= set(rule)
        assert listed_there, (path, name, value)
