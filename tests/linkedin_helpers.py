"""A scripted LinkedIn, and the requests that its documentation knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from platform_helpers import NOW, Network, Reply, answer, form_of, sending

from campaign_cli.platforms.linkedin import platform

TOKEN = "contoh-token-rahasia"
AUTHOR = "urn:li:organization:5515715"
SETTINGS = {"author": AUTHOR, "token": "env:LINKEDIN_TOKEN"}
APP = {"client_id": "86contoh", "client_secret": "env:LINKEDIN_SECRET"}
KNOWN: Mapping[str, Mapping[str, Any]] = json.loads(
    (Path(__file__).parent / "data/linkedin/requests.json").read_text(encoding="utf-8")
)
POSTED = "urn:li:share:7200000000000000001"
_URN = re.compile(r"urn:li:\w+:[\w-]+", re.ASCII)
_LITTLE = re.compile(r"(?:\\.|\{hashtag\|\\#\|(?:\\.|[^}\\])+\}|[^\\|{}@\[\]()<>#*_~])*", re.DOTALL)


def on_its_way(network: Any, **more: Any) -> Any:
    """One part on its way to LinkedIn."""
    settings = {**SETTINGS, **more.pop("settings", {})}
    secrets = {"token": TOKEN, "client_secret": "rahasia-aplikasi"}
    return sending(platform, network, settings=settings, secrets=secrets, **more)


def created(urn: str = POSTED) -> Reply:
    """LinkedIn's answer to a new post: no body."""
    return httpx.Response(201, headers={"x-restli-id": urn})


def image_begun(urn: str = "urn:li:image:C1") -> Reply:
    """Where the bytes of a picture go."""
    address = f"https://www.linkedin.com/dms-uploads/{urn[-2:]}/0?ca=vector&ut=tiket-rahasia"
    return answer(200, {"value": {"uploadUrlExpiresAt": 1_900_000_000_000, "uploadUrl": address, "image": urn}})


def file_state(word: str = "AVAILABLE") -> Reply:
    """What LinkedIn does with a file."""
    return answer(200, {"owner": AUTHOR, "status": word})


def problem(status: int, message: str, *, code: str = "", **headers: str) -> Reply:
    """LinkedIn's own refusal."""
    return answer(status, {"status": status, "code": code, "message": message}, headers=headers)


def post_json(urn: str, commentary: str, **more: Any) -> dict[str, Any]:
    """A post of the author's list."""
    at = int(NOW.timestamp() * 1000)
    post = {"id": urn, "author": AUTHOR, "commentary": commentary, "createdAt": at, "lastModifiedAt": at}
    return post | {"lifecycleState": "PUBLISHED", "visibility": "PUBLIC"} | more


def listed(*posts: dict[str, Any]) -> Reply:
    """A page of the author's posts."""
    return answer(200, {"paging": {"start": 0, "count": 100, "links": []}, "elements": list(posts)})


def route_of(request: httpx.Request) -> str:
    """``GET /rest/posts/{urn}``; the address of an upload is LinkedIn's own affair."""
    path = request.url.raw_path.decode().partition("?")[0]
    path = re.sub(r"/urn%3Ali%3A\w+%3A[\w-]+$", "/{urn}", path)
    return f"{request.method} {re.sub(r'/organizations/[0-9]+$', '/organizations/{id}', path)}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value below a JSON object by its dotted name; objects in a list by ``name[]``."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for each in value:
            yield from leaves(each, f"{path}[]")
    else:
        yield path, value


def check_known(network: Network) -> None:
    """Every request that left is one of LinkedIn's: its headers, its fields, and the form of each."""
    for request in network.requests:
        if request.method == "PUT":
            assert request.url.host == "www.linkedin.com"
            continue
        route = route_of(request)
        known, fields = KNOWN[route], dict(request.url.params)
        if "introspect" in route:
            assert (request.url.host, "authorization" in request.headers) == ("www.linkedin.com", False)
            fields |= dict(form_of(request))
        else:
            assert request.url.host == "api.linkedin.com"
            assert request.headers["authorization"] == f"Bearer {TOKEN}"
            assert request.headers["linkedin-version"] == "202605"
            assert request.headers["x-restli-protocol-version"] == "2.0.0"
            fields |= dict(leaves(json.loads(request.content))) if request.content else {}
        for name, value in fields.items():
            assert _fits(known[name], value), (route, name, value)


def _fits(rule: Any, value: Any) -> bool:
    if isinstance(rule, list):
        return value in rule
    forms = {"urn": _URN, "little": _LITTLE, "url": re.compile(r"https?://\S+")}
    if rule in forms:
        return isinstance(value, str) and forms[rule].fullmatch(value) is not None
    kinds: dict[str, type] = {"list": list, "switch": bool, "text": str}
    return str(value).isdigit() if rule == "number" else isinstance(value, kinds[rule])
