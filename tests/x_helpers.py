"""A scripted X, and what of its specification our requests use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from platform_helpers import NOW, Network, Reply, answer, multipart_of, sending

from campaign_cli.platforms.x import platform

TOKEN = "contoh-token-rahasia"
SETTINGS = {"token": "env:X_TOKEN", "handle": "fsp_contoh"}
KNOWN: Mapping[str, Mapping[str, Any]] = json.loads(
    (Path(__file__).parent / "data/x/requests.json").read_text(encoding="utf-8")
)
ME = {"data": {"id": "2244994945", "name": "FSP Contoh", "username": "FSP_Contoh"}}
IMAGE = "1790000000000000001"
POSTED = "1800000000000000001"
_IDENTIFIER = re.compile(r"[0-9]{1,19}")


def on_its_way(network: Any, **more: Any) -> Any:
    """One part on its way to X."""
    more.setdefault("settings", SETTINGS)
    return sending(platform, network, secrets={"token": TOKEN}, **more)


def created(identifier: str = POSTED) -> Reply:
    """X's answer to a new post, in the words of the specification."""
    return answer(201, {"data": {"id": identifier, "text": "…", "edit_history_post_ids": [identifier]}})


def uploaded(identifier: str = IMAGE, **more: Any) -> Reply:
    """X's answer to an upload."""
    return answer(200, {"data": {"id": identifier, "media_key": f"3_{identifier}", **more}})


def described(identifier: str = IMAGE) -> Reply:
    """X's answer to an alt text."""
    return answer(200, {"data": {"id": identifier}})


def problem(status: int, detail: str, *, kind: str = "", **headers: str) -> Reply:
    """A problem document; ``headers`` with ``_`` for ``-``."""
    body = {"title": "Problem", "detail": detail, "status": status, "type": kind or "about:blank"}
    return answer(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def post_json(identifier: str, text: str, **more: Any) -> dict[str, Any]:
    """A post in a timeline."""
    at = NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": identifier, "text": text, "created_at": at, "conversation_id": identifier, **more}


def timeline(*posts: dict[str, Any], token: str = "", count: int | None = None) -> Reply:
    """A page of a timeline."""
    meta: dict[str, Any] = {"result_count": len(posts) if count is None else count}
    meta |= {"next_token": token} if token else {}
    return answer(200, ({"data": list(posts)} if posts else {}) | {"meta": meta})


def route_of(request: httpx.Request) -> str:
    """``GET /2/tweets/{id}``."""
    return f"{request.method} {re.sub(r'(?<=.)/[0-9]+', '/{id}', request.url.path)}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value below a JSON object by its dotted name; lists are values."""
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from leaves(inner, f"{path}.{name}" if path else name)


def fields_of(request: httpx.Request) -> dict[str, Any]:
    """Parameters and keys of a request by name; a file is its bytes."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        parts = multipart_of(request)
        return {name: content.decode() if file is None else content for name, (file, _mime, content) in parts.items()}
    body = dict(leaves(json.loads(request.content))) if request.content else {}
    return dict(request.url.params) | body


def check_known(network: Network) -> None:
    """Every request that left carries the token, and only what X's specification knows, in the form that it wants."""
    for request in network.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.url.host == "api.x.com"
        known = KNOWN[route_of(request)]
        for name, value in fields_of(request).items():
            assert _fits(known[name], value), (route_of(request), name, value)


_KINDS = {"file": bytes, "flag": bool}


def _fits(rule: Any, value: Any) -> bool:
    if isinstance(rule, list):
        return isinstance(value, str) and set(value.split(",")) <= set(rule)
    if isinstance(rule, dict) and "list" in rule:
        return rule["from"] <= len(value) <= rule["to"] and all(_fits(rule["list"], each) for each in value)
    if isinstance(rule, dict):
        return rule["from"] <= int(value) <= rule["to"]
    if rule in _KINDS:
        return isinstance(value, _KINDS[rule])
    if rule == "instant":
        return datetime.fromisoformat(value).tzinfo is not None and value.endswith("Z")
    return isinstance(value, str) and (rule == "text" or _IDENTIFIER.fullmatch(value) is not None)
