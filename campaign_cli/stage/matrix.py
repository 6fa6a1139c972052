"""A Matrix homeserver on the stage: one account in one room.

Follows the client-server API (spec.matrix.org): account/whoami, directory/room, state of a room, upload, send,
messages, event, relations, redact, media/config. A transaction id that comes again from the same device gives the same
event. What the events of one part say stands in one post of the timeline.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.matrix_shapes import (
    EVENT_BYTES,
    UPLOAD_BYTES,
    device_of,
    event_json,
    events_of,
    refusal,
    room_of,
    seen,
    state_of,
    user_of,
)
from campaign_cli.stage.network import Network, Refusal, path_of
from campaign_cli.stage.reading import json_of
from campaign_cli.stage.state import PictureFacts, StageAccount, StageMedia, StagePost, picture_facts

V3: Final = "/_matrix/client/v3"
PAGE: Final = 50


class MatrixStage(Network):
    """The homeserver of one account."""

    name = "matrix"
    title = "Matrix"
    credential = "token"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The room, as the settings name it."""
        return str(settings.get("room") or "!panggung:stage.example")

    @staticmethod
    def new_secret(url: str) -> str:
        """An access token."""
        return f"syt_{secrets.token_urlsafe(9)}_{secrets.token_hex(10)}_{secrets.token_hex(3)}"

    def routes(self) -> list[BaseRoute]:
        """The client-server API as far as it is needed."""
        room = V3 + "/rooms/{room}"
        return [
            self.route(f"{V3}/account/whoami", self.whoami),
            self.route(V3 + "/directory/room/{alias}", self.directory),
            self.route(room + "/state/{kind}/{key:path}", self.room_state),
            self.route("/_matrix/media/v3/upload", self.upload, methods=("POST",)),
            self.route("/_matrix/client/v1/media/config", self.config),
            self.route(room + "/send/m.room.message/{transaction}", self.send, methods=("PUT",)),
            self.route(room + "/messages", self.messages),
            self.route(room + "/event/{event}", self.event),
            self.route("/_matrix/client/v1/rooms/{room}/relations/{event}/{kind}", self.relations),
            self.route(room + "/redact/{event}/{transaction}", self.redact, methods=("PUT",)),
        ]

    def creates(self, method: str, path: str) -> bool:
        """Sending an event."""
        return method == "PUT" and "/send/m.room.message/" in path

    def refused(self) -> Refusal:
        """403, as for an account that lost its right to write."""
        return refusal(403, "M_FORBIDDEN", "You don't have permission to post that to the room")

    def throttled(self, seconds: int) -> Refusal:
        """429 with the header, and with the older field."""
        headers = {"Retry-After": str(seconds)}
        return refusal(429, "M_LIMIT_EXCEEDED", "Too Many Requests", headers=headers, retry_after_ms=seconds * 1000)

    def broken(self) -> Refusal:
        """503."""
        return refusal(503, "M_UNKNOWN", "Service Unavailable")

    def label(self, method: str, path: str) -> str:
        """Without rooms, events and transactions."""
        path = re.sub(r"/_matrix/(?:client|media)/v\d", "", path)
        path = re.sub(r"(/(?:rooms|room|event|redact|relations|m.room.message))/[^/]+", r"\1/{id}", path)
        return f"{method} {re.sub(r'(/redact/{id})/.*', chr(92) + '1', path)}"

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """The token; ten events at once, then one in five seconds, as Synapse allows by default."""
        token = request.headers.get("authorization", "").removeprefix("Bearer").strip()
        if not token:
            raise refusal(401, "M_MISSING_TOKEN", "Missing access token")
        if token != account.secret:
            raise refusal(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.", soft_logout=False)
        room = request.path_params.get("room")
        if room is not None and (room != room_of(account) or account.role == "outside"):
            raise refusal(403, "M_FORBIDDEN", f"User {user_of(account)} not in room {room}")
        if request.method == "PUT":
            window = self.state.spend(account.name, "messages", limit=20, seconds=20)
            if window.refused:
                raise self.throttled(max(1, round((window.reset - self.state.now()).total_seconds())))
        return {}

    async def whoami(self, request: Request, account: StageAccount) -> Response:
        """GET: user and device of the token."""
        return JSONResponse({"user_id": user_of(account), "device_id": device_of(account.secret), "is_guest": False})

    async def directory(self, request: Request, account: StageAccount) -> Response:
        """GET: the room behind its alias."""
        if request.path_params["alias"] != account.user:
            raise refusal(404, "M_NOT_FOUND", "Room alias not found.")
        return JSONResponse({"room_id": room_of(account), "servers": ["stage.example"]})

    async def room_state(self, request: Request, account: StageAccount) -> Response:
        """GET: one state of the room."""
        found = state_of(account, request.path_params["kind"], request.path_params["key"])
        if found is None:
            raise refusal(404, "M_NOT_FOUND", "Event not found.")
        return JSONResponse(found)

    async def config(self, request: Request, account: StageAccount) -> Response:
        """GET: how large a file may be."""
        return JSONResponse({"m.upload.size": UPLOAD_BYTES})

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """POST: a file, seen by nobody until an event names it."""
        content, mime = await request.body(), request.headers.get("content-type", "")
        if len(content) > UPLOAD_BYTES:
            raise refusal(413, "M_TOO_LARGE", "Upload request body is too large")
        facts = PictureFacts(mime=mime, width=0, height=0) if mime.startswith("video/") else picture_facts(content)
        if facts is None:  # a homeserver takes any file; ours are pictures and videos
            raise refusal(403, "M_FORBIDDEN", "This stage takes pictures and videos only.")
        identifier, name = f"mxc://stage.example/{self.state.number():08d}", request.query_params.get("filename", "")
        media = StageMedia.of(content, facts, id=identifier, account=account.name, name=name, at=self.state.now())
        self.state.add_media(media, content)
        return JSONResponse({"content_uri": identifier})

    async def send(self, request: Request, account: StageAccount) -> Response:
        """PUT: an event, once for each transaction id of a device."""
        transaction = request.path_params["transaction"]
        key = (account.name, f"{device_of(account.secret)} {transaction}")
        if key not in self.state.keys:
            body = await request.body()
            content = _content(body)
            media = self._file(account, content)
            event = f"$stage{self.state.number():09d}"
            self.state.keys[key] = (event, self.state.now())
            self._put(request, account, {"id": event, "transaction": transaction, "content": content}, media=media)
        return JSONResponse({"event_id": self.state.keys[key][0]})

    async def messages(self, request: Request, account: StageAccount) -> Response:
        """GET: messages, newest first, as the filter wants them."""
        wanted = json_of(request.query_params.get("filter") or "{}")
        if request.query_params.get("dir") != "b":
            raise refusal(400, "M_INVALID_PARAM", "This stage goes backwards only.")
        found = events_of(self.state, account)[::-1]
        if wanted.get("senders", [user_of(account)]) != [user_of(account)]:
            found = []
        start, size = int(request.query_params.get("from", "t0")[1:]), int(request.query_params.get("limit") or 10)
        size = min(size, PAGE)
        end = {"end": f"t{start + size}"} if len(found) > start + size else {}
        chunk = [event_json(account, post, event) for post, event in found[start : start + size]]
        return JSONResponse({"start": f"t{start}", "chunk": chunk} | end)

    async def event(self, request: Request, account: StageAccount) -> Response:
        """GET: one event; a redacted one has no content."""
        post, event = self._known(request, account)
        return JSONResponse(event_json(account, post, event))

    async def relations(self, request: Request, account: StageAccount) -> Response:
        """GET: reactions; nobody gives any here."""
        self._known(request, account)
        return JSONResponse({"chunk": []})

    async def redact(self, request: Request, account: StageAccount) -> Response:
        """PUT: take an event's content away; with its last one, the post is gone."""
        post, event = self._known(request, account)
        event["content"] = {}
        if not any(one["content"] for one in post.data["events"]):
            post.status = "deleted"
        return JSONResponse({"event_id": f"$redaction{self.state.number():09d}"})

    def _known(self, request: Request, account: StageAccount) -> tuple[StagePost, dict[str, Any]]:
        for post, event in events_of(self.state, account):
            if event["id"] == request.path_params["event"]:
                return post, event
        raise refusal(404, "M_NOT_FOUND", "Could not find event")

    def _file(self, account: StageAccount, content: Mapping[str, Any]) -> StageMedia | None:
        """The file that a picture or a video names."""
        if content["msgtype"] == "m.text":
            return None
        media = self.state.media.get((account.name, str(content.get("url"))))
        if media is None:  # a homeserver doesn't look; readers would see nothing
            raise refusal(400, "M_BAD_JSON", "The event names a file that was never uploaded.")
        return media

    def _put(self, request: Request, account: StageAccount, event: dict[str, Any], *, media: StageMedia | None) -> None:
        """A post of its own, or what the post of the same attempt goes on with."""
        content, stem = event["content"], event["transaction"].rpartition(".")[0]
        event["at"] = self.state.now().isoformat()
        own = [post for post in self.state.posts if post.account == account.name]
        before = next((post for post in own if stem and post.data["stem"] == stem), None)
        post = before if before is not None else self._new(account, event, stem=stem)
        if before is not None:
            post.data["events"].append(event)
        if media is not None:
            post.media.append(media)
            post.alts.append("" if content["body"] == content.get("filename") else content["body"])
            media.post = post.id
        self.published(request, post)

    def _new(self, account: StageAccount, event: dict[str, Any], *, stem: str) -> StagePost:
        content = event["content"]
        post = StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=event["id"],
            path=f"{path_of(account)}/room/{event['id']}",
            text=seen(content) if content["msgtype"] == "m.text" else "",
            at=self.state.now(),
            reply_to=(content.get("m.relates_to") or {}).get("event_id"),
            data={"events": [event], "stem": stem},
        )
        return self.state.add_post(post)


network = MatrixStage


def _content(body: bytes) -> dict[str, Any]:
    """An event's content that a server and its readers can use. Raises Refusal."""
    try:
        content = json_of(body)
    except ValueError as error:
        raise refusal(400, "M_NOT_JSON", "Content not JSON.") from error
    if len(body) > EVENT_BYTES:
        raise refusal(413, "M_TOO_LARGE", "event too large")
    if not isinstance(content, dict) or not isinstance(content.get("body"), str):
        raise refusal(400, "M_BAD_JSON", "'body' not in content")
    if content.get("msgtype") not in ("m.text", "m.image", "m.video"):
        raise refusal(400, "M_BAD_JSON", "This stage takes texts, pictures and videos only.")
    if ("format" in content) != ("formatted_body" in content):
        raise refusal(400, "M_BAD_JSON", "format and formatted_body go together")
    return content
