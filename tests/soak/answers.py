"""What each network answers, as its documentation says.

https://docs.joinmastodon.org/methods/statuses/ · methods/media/ · methods/accounts/ · entities/Instance/
https://nodeinfo.diaspora.software/protocol.html · https://core.telegram.org/bots/api
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from soak.messages import Answer, Request
from soak.network import Network, Post, kind_of

TOKEN = "rahasia-soak-4711"
NOT_FOUND = Answer(404, {"error": "Record not found"})
WORKING_SHARE = 5  # every so many pictures are still being worked on when their upload is answered


def answer(network: Network, request: Request) -> Answer:
    """The answer to a request whose body is read; a creating one is stored by it."""
    if kind_of(request.account) == "blind":
        return _telegram(network, request)
    if "nodeinfo" in request.path:
        return _nodeinfo(request)
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return Answer(401, {"error": "The access token is invalid"})
    return _mastodon(network, request)


def refusal(request: Request, status: int) -> Answer:
    """429 and 503, in the network's own form."""
    if kind_of(request.account) == "blind":
        more = {"parameters": {"retry_after": 1}} if status == 429 else {}
        return Answer(status, {"ok": False, "error_code": status, "description": "Too Many Requests", **more})
    reset = datetime.fromtimestamp(time.time() + 1, UTC).isoformat()
    headers = (("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset)) if status == 429 else ()
    return Answer(status, {"error": "Throttled"}, headers)


def is_reply(request: Request) -> bool:
    """Whether a creating request is a later part of a thread."""
    fields = request.fields()
    return bool(fields.get("in_reply_to_id") or fields.get("reply_parameters"))


def _nodeinfo(request: Request) -> Answer:
    if request.path.endswith("/.well-known/nodeinfo"):
        href = f"http://{request.headers['host']}/{request.account}/nodeinfo/2.0"
        return Answer(200, {"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": href}]})
    keys = kind_of(request.account) == "keys"
    software = {"name": "mastodon", "version": "4.6.4"} if keys else {"name": "pleroma", "version": "2.7.1"}
    return Answer(200, {"version": "2.0", "software": software})


def _mastodon(network: Network, request: Request) -> Answer:
    path, account = request.path, request.account
    if path == "/api/v1/statuses":
        return _create(network, request)
    if path == "/api/v2/media":
        identifier = network.upload(account)
        working = int(identifier) % WORKING_SHARE == 0
        return Answer(202 if working else 200, {"id": identifier, "type": "image", "url": None if working else "x"})
    if path == "/api/v2/instance":
        keys = kind_of(account) == "keys"
        return Answer(200, {"version": "4.6.4" if keys else "2.7.2 (compatible; Pleroma 2.7.1)", "configuration": {}})
    if path == "/api/v1/accounts/verify_credentials":
        return Answer(200, {"id": "1", "username": account, "acct": account, "url": f"https://x.example/@{account}"})
    return _kept(network, request)


def _kept(network: Network, request: Request) -> Answer:
    """What was stored before, read back."""
    account = request.account
    if request.looking:
        return Answer(200, [_status(post) for post in _page(network.own(account), request.query)])
    if match := re.fullmatch(r"/api/v1/media/(\w+)", request.path):
        known = (account, match[1]) in network.media
        return Answer(200, {"id": match[1], "type": "image", "url": "x"}) if known else NOT_FOUND
    if match := re.fullmatch(r"/api/v1/statuses/(\w+)/source", request.path):
        post = network.find(account, match[1])
        return Answer(200, {"id": post.id, "text": post.text, "spoiler_text": ""}) if post else NOT_FOUND
    return NOT_FOUND


def _create(network: Network, request: Request) -> Answer:
    """https://docs.joinmastodon.org/methods/statuses/#create"""
    fields, account = request.fields(), request.account
    key = request.headers.get("idempotency-key", "")
    media, parent = [str(one) for one in fields.get("media_ids") or ()], fields.get("in_reply_to_id")
    known = kind_of(account) == "keys" and (account, key) in network.keys
    if not known and any(network.media.get((account, one)) != "" for one in media):
        return Answer(422, {"error": "Cannot attach files that are unknown or attached already"})
    if parent and network.find(account, parent) is None:
        return NOT_FOUND
    return Answer(200, _status(network.accept(account, text=fields["status"], parent=parent, media=media, key=key)))


def _page(posts: Sequence[Post], query: dict[str, str]) -> list[Post]:
    newest = list(reversed(posts))
    older = query.get("max_id")
    start = next((place + 1 for place, post in enumerate(newest) if post.id == older), 0)
    return newest[start : start + int(query.get("limit", "20"))]


def _status(post: Post) -> dict[str, Any]:
    return {
        "id": post.id,
        "created_at": datetime.fromtimestamp(post.at, UTC).isoformat(timespec="milliseconds"),
        "in_reply_to_id": post.parent,
        "url": f"https://x.example/@{post.account}/{post.id}",
        "content": f"<p>{html.escape(post.text)}</p>",
        "media_attachments": [{"id": one, "type": "image"} for one in post.media],
    }


def _telegram(network: Network, request: Request) -> Answer:
    """https://core.telegram.org/bots/api#sendmessage"""
    token, _slash, method = request.path.removeprefix("/bot").partition("/")
    if token != TOKEN:
        return Answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    fields = request.fields()
    reply = fields.get("reply_parameters")
    parent = str(reply["message_id"]) if isinstance(reply, dict) else None
    media = [network.upload(request.account)] if method == "sendPhoto" else []
    text = fields.get("caption") if media else fields.get("text")
    if not text or method not in {"sendMessage", "sendPhoto"}:
        return Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request"})
    post = network.accept(request.account, text=text, parent=parent, media=media)
    chat = {"id": -1001, "type": "channel", "username": request.account, "title": request.account}
    return Answer(200, {"ok": True, "result": {"message_id": int(post.id), "date": int(post.at), "chat": chat}})
