"""A scripted Graph API with one page, and Meta's specification to hold requests against: an unknown field is wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from platform_helpers import NOW, Network, Reply, answer, multipart_of, sending

from campaign_cli.models import Picture
from campaign_cli.platforms import base
from campaign_cli.platforms.facebook import platform

PAGE = "100000000001"
TOKEN = "EAAContohTokenRahasia"
SETTINGS = {"page": PAGE, "token": "env:FACEBOOK_TOKEN"}
POSTED = f"{PAGE}_122000000000007"
PHOTO = "122000000000003"
VIDEO = "123000000000005"
DATA = Path(__file__).parent / "data/facebook/specification.json"
_GENERAL = {"fields", "limit", "after"}  # of every list; /docs/graph-api/results
_UNLISTED = {"/debug_token": {"input_token"}, "/me/accounts": {"fields", "limit", "after"}}
_FILES = {"/photos": "source"}  # /docs/graph-api/reference/page/photos
_LISTS = {"/published_posts": "PagePost", "/comments": "Comment"}
_KINDS = (
    (r"me|100\d+", "Page"),
    (r"100\d+_\d+", "PagePost"),
    (r"\d+_\d+", "Comment"),
    (r"123\d+", "AdVideo"),
    (r"122\d+", "Photo"),
)


def on_its_way(network: Any, **more: Any) -> Any:
    """One part on its way to the page."""
    more.setdefault("settings", SETTINGS)
    return sending(platform, network, secrets={"token": TOKEN}, **more)


def made(identifier: str = POSTED) -> Reply:
    """The answer to what was created."""
    return answer(200, {"id": identifier})


def linked(identifier: str = POSTED, url: str = f"https://www.facebook.com/{PAGE}/posts/pfbid02Contoh") -> Reply:
    """The answer with a permalink."""
    return answer(200, {"id": identifier, "permalink_url": url})


def refusal(code: int, *, subcode: int = 0, status: int = 400, headers: Mapping[str, str] | None = None) -> Reply:
    """Meta's error object."""
    error: dict[str, Any] = {"message": "Kata-kata jejaring", "type": "OAuthException", "code": code}
    error |= {"error_subcode": subcode} if subcode else {}
    return answer(status, {"error": error | {"fbtrace_id": "AContoh"}}, headers=headers)


def row(identifier: str, text: str, *, at: str = NOW.strftime("%Y-%m-%dT%H:%M:%S+0000"), **more: Any) -> dict[str, Any]:
    """A post or a comment in a list."""
    return {"id": identifier, "message": text, "created_time": at, "from": {"id": PAGE}, **more}


def listed(*rows: Mapping[str, Any], following: str = "") -> Reply:
    """A page of a list."""
    paging = {"cursors": {"before": "a", "after": "b"}} | ({"next": following} if following else {})
    return answer(200, {"data": list(rows), "paging": paging})


def photos(*identifiers: str) -> dict[str, Any]:
    """``attachments`` of a post with these photos."""
    shown = [{"media_type": "photo", "target": {"id": each}} for each in identifiers]
    if len(shown) == 1:
        return {"data": shown}
    return {"data": [{"media_type": "album", "target": {"id": "9"}, "subattachments": {"data": shown}}]}


def film(content: bytes) -> Picture:
    """A prepared video."""
    digest = hashlib.sha256(content).hexdigest()
    return Picture(
        sha256=digest, name="aksi.mp4", mime="video/mp4", size=len(content), width=1280, height=720, alt="", seconds=12
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request by what counts: path below the version, parameters, names of files."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    files: tuple[str, ...] = ()

    @classmethod
    def sent(cls, request: httpx.Request) -> Asked:
        """As it left."""
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        form, files = dict(parse_qsl(request.content.decode("utf-8", "replace"))), ()
        if request.headers.get("content-type", "").startswith("multipart/"):
            fields = multipart_of(request)
            files = tuple(name for name, (file, _mime, _content) in fields.items() if file is not None)
            form = {name: value[2].decode() for name, value in fields.items() if value[0] is None}
        return cls(method=request.method, path=request.url.path, query=dict(request.url.params), form=form, files=files)

    @classmethod
    def wanted(cls, request: base.Request) -> Asked:
        """As the adapter wants it."""
        assert request.headers["Authorization"].startswith("Bearer ")
        path = re.sub(r"^.*(?=/v\d)", "", urlsplit(request.url).path)
        files = tuple(upload.field for upload in request.uploads)
        return cls(
            method=request.method, path=path, query=dict(request.query), form=dict(request.form or {}), files=files
        )


class Specification:
    """Meta's specification of some objects: what is wrong with a request by it."""

    def __init__(self, objects: Mapping[str, Any], enums: list[Mapping[str, Any]]) -> None:
        self.apis = {
            (name, api["method"], f"/{api['endpoint'].strip('/')}" if api.get("endpoint") else ""): {
                each["name"]: each["type"] for each in api["params"]
            }
            for name, item in objects.items()
            for api in item["apis"]
        }
        self.fields = {name: {each["name"] for each in item["fields"]} for name, item in objects.items()}
        self.enums = {each["name"]: each["values"] for each in enums}

    @classmethod
    def extract(cls) -> Specification:
        """What lies beside the tests."""
        data = json.loads(DATA.read_text(encoding="utf-8"))
        return cls(data["objects"], data["enums"])

    def wrong(self, asked: Asked) -> Iterator[str]:
        """Sentences; none for a request that Meta knows."""
        match = re.fullmatch(r"/v\d+\.\d(?P<path>/.*)", asked.path)
        assert match is not None, asked.path
        if {"access_token"} & {*asked.query, *asked.form}:
            yield "the token is not in its header alone"
        if match["path"] in _UNLISTED:
            yield from (f"{name} is not known" for name in {*asked.query, *asked.form} - _UNLISTED[match["path"]])
            return
        node, _slash, edge = match["path"][1:].partition("/")
        edge = f"/{edge}" if edge else ""
        kind = next(kind for pattern, kind in _KINDS if re.fullmatch(pattern, node))
        parameters = self.apis.get((kind, asked.method, edge))
        if parameters is None:
            yield f"{asked.method} {edge} of {kind} is not known"
            return
        yield from self._wrong_fields(asked.query.get("fields", ""), _LISTS.get(edge, kind))
        for name, value in {**asked.query, **asked.form}.items():
            bare = re.sub(r"\[\d+\]$", "", name)
            if bare in parameters:
                yield from self._wrong_value(name, value, parameters[bare])
            elif asked.method != "GET" or name not in _GENERAL:
                yield f"{name} is not known"
        yield from (f"{name} is not known" for name in asked.files if name not in (*parameters, _FILES.get(edge)))

    def _wrong_fields(self, fields: str, kind: str) -> Iterator[str]:
        edges = {edge[1:] for name, method, edge in self.apis if (name, method) == (kind, "GET")}
        while fields != (flat := re.sub(r"\{[^{}]*\}|\([^()]*\)", "", fields)):
            fields = flat
        for name in filter(None, fields.split(",")):
            if name.partition(".")[0] not in self.fields[kind] | edges:
                yield f"{kind} has no field {name}"

    def _wrong_value(self, name: str, value: str, kind: str) -> Iterator[str]:
        if kind in self.enums:
            good = value in self.enums[kind]
        elif kind == "list<Object>":
            good = isinstance(json.loads(value), dict)
        else:
            good = {"bool": value in ("true", "false"), "unsigned int": value.isdigit()}.get(kind, True)
        if not good:
            yield f"{name}: {value!r} is no {kind}"


def _asked(method: str, path: str, **members: Any) -> Asked:
    return Asked(method=method, path=f"/v25.0/{PAGE}{path}", **{"query": {}, "form": {}, **members})


SPECIFICATION = Specification.extract()
UNKNOWN = (
    _asked("POST", "/statuses"),
    _asked("POST", "/feed", form={"text": "a"}),
    _asked("POST", "/feed", form={"published": "yes"}),
    _asked("POST", "/feed", form={"fields": "id"}),
    _asked("POST", "/videos", form={"upload_phase": "begin"}),
    _asked("POST", "/photos", files=("picture",)),
    _asked("GET", "_1", query={"fields": "id,warna"}),
    _asked("GET", "/published_posts", query={"since": "1"}),
    _asked("GET", "/published_posts", query={"access_token": "a"}),
)
"""Requests that Meta doesn't know, each in another way."""


def check_known(network: Network) -> None:
    """Every request that left goes to Meta, with the token in its header, and has only what the specification knows."""
    assert network.requests
    for request in network.requests:
        assert request.url.host in {"graph.facebook.com", "graph-video.facebook.com"}
        assert list(SPECIFICATION.wrong(Asked.sent(request))) == [], f"{request.method} {request.url}"
