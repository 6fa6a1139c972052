"""Discord on the stage: one webhook in one channel.

Follows docs.discord.com/developers/resources/webhook: execute (``wait=true``), get, read, delete. A webhook can neither
search its channel nor answer a message, here as there. Rates are those of a webhook's bucket.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.network import Network, Refusal, fields, path_of
from campaign_cli.stage.reading import json_of
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, media_facts

TEXT, FILES, FILE_BYTES, DESCRIPTION = 2_000, 10, 10 * 1024 * 1024, 1_024
EPOCH_MS: Final = 1_420_070_400_000
BUCKET: Final = {"limit": 5, "seconds": 2}
_HIDDEN: Final = re.compile(
    r"(?P<link>https?://[^\s<>()]+)|\\(?P<sign>[^0-9A-Za-z\s])|`` (?P<ticks>.+?) ``|`(?P<code>[^`]+)`"
    r"|\[(?P<label>(?:\\.|[^\]\\])*)\]\([^)\s]*\)|(?P<mark>\*{1,3}|~~)",
    re.DOTALL,
)


def seen(content: str) -> str:
    """What people read of a message: its Markdown without the marks."""

    def shown(match: re.Match[str]) -> str:
        if match["label"] is not None:
            return seen(match["label"])
        return next((match[name] for name in ("link", "sign", "ticks", "code") if match[name] is not None), "")

    return _HIDDEN.sub(shown, content)


class DiscordStage(Network):
    """The webhook of one channel."""

    name = "discord"
    title = "Discord"
    credential = "webhook"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The webhook's name."""
        return name

    @staticmethod
    def new_secret(url: str) -> str:
        """The webhook's whole address."""
        return f"{url}/api/webhooks/{secrets.randbelow(10**18)}/{secrets.token_urlsafe(51)}"

    def routes(self) -> list[BaseRoute]:
        """The webhook, and its messages."""
        hook = "/api/v10/webhooks/{webhook}/{token}"
        return [
            self.route(hook, self.webhook),
            self.route(hook, self.execute, methods=("POST",)),
            self.route(hook + "/messages/{message}", self.read),
            self.route(hook + "/messages/{message}", self.delete, methods=("DELETE",)),
        ]

    def creates(self, method: str, path: str) -> bool:
        """Executing the webhook."""
        return method == "POST" and re.fullmatch(r"/api/v10/webhooks/[^/]+/[^/]+", path) is not None

    def refused(self) -> Refusal:
        """400 of the automatic moderation."""
        return _refusal(400, 200000, "Message was blocked by automatic moderation")

    def throttled(self, seconds: int) -> Refusal:
        """429 with the seconds in header and body."""
        body = {"message": "You are being rate limited.", "retry_after": float(seconds), "global": False}
        headers = {
            "Retry-After": str(seconds),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": f"{seconds:.3f}",
            "X-RateLimit-Scope": "user",
        }
        return Refusal(429, body, headers=headers)

    def broken(self) -> Refusal:
        """503."""
        return _refusal(503, 0, "503: Service Unavailable")

    def label(self, method: str, path: str) -> str:
        """Without the webhook's token and numbers."""
        tail = "/messages/{id}" if "/messages/" in path else ""
        return f"{method} webhook{tail}"

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """Who has the address may go on; five messages in two seconds."""
        secret = account.secret.partition("/webhooks/")[2]
        webhook, token = request.path_params["webhook"], request.path_params["token"]
        if webhook != secret.partition("/")[0]:
            raise _refusal(404, 10015, "Unknown Webhook")
        if f"{webhook}/{token}" != secret:
            raise _refusal(401, 50027, "Invalid Webhook Token")
        if request.method != "POST":
            return {}
        window = self.state.spend(account.name, "webhook", **BUCKET)
        after = max(0.0, (window.reset - self.state.now()).total_seconds())
        if window.refused:
            raise self.throttled(max(1, round(after)))
        return {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(window.remaining),
            "X-RateLimit-Reset": f"{window.reset.timestamp():.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": "webhook",
        }

    async def webhook(self, request: Request, account: StageAccount) -> Response:
        """GET: what the webhook says of itself."""
        return JSONResponse(
            {
                "application_id": None,
                "avatar": None,
                "channel_id": _number(account, "channel"),
                "guild_id": _number(account, "server"),
                "id": request.path_params["webhook"],
                "name": account.user,
                "type": 1,
                "token": request.path_params["token"],
            }
        )

    async def execute(self, request: Request, account: StageAccount) -> Response:
        """POST: a message, as JSON, or as multipart with ``payload_json`` and ``files[n]``."""
        try:
            values, files = await fields(request)
            body = json_of(values["payload_json"]) if "payload_json" in values else values
        except ValueError as error:
            raise _refusal(400, 50109, "The request body contains invalid JSON.") from error
        content = str(body.get("content") or "").strip()
        if len(content) > TEXT:
            raise _invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {TEXT} or fewer in length.")
        if not content and not files:
            raise _refusal(400, 50006, "Cannot send an empty message")
        if len(files) > FILES:
            raise _invalid("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length.")
        described = {str(item["id"]): str(item.get("description") or "") for item in body.get("attachments") or ()}
        if any(len(text) > DESCRIPTION for text in described.values()):
            raise _invalid("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {DESCRIPTION} or fewer in length.")
        media = [self._file(account, file) for _name, file in sorted(files.items(), key=lambda item: _order(item[0]))]
        alts = [described.get(str(_order(name)), "") for name in sorted(files, key=_order)]
        post = self._keep(request, account, content=content, media=media, alts=alts)
        if request.query_params.get("wait") != "true":
            return Response(status_code=204)
        return JSONResponse(self._message(request, account, post))

    async def read(self, request: Request, account: StageAccount) -> Response:
        """GET: a message of this webhook."""
        return JSONResponse(self._message(request, account, self._post(request, account)))

    async def delete(self, request: Request, account: StageAccount) -> Response:
        """DELETE: 204."""
        self._post(request, account).status = "deleted"
        return Response(status_code=204)

    def _post(self, request: Request, account: StageAccount) -> StagePost:
        post = self.state.post(account.name, request.path_params["message"])
        if post is None:
            raise _refusal(404, 10008, "Unknown Message")
        return post

    def _file(self, account: StageAccount, file: tuple[str, str, bytes]) -> StageMedia:
        name, _kind, content = file
        if len(content) > FILE_BYTES:
            raise _refusal(413, 40005, "Request entity too large")
        facts = media_facts(content)
        if facts is None:  # Discord takes any file; ours are media
            raise _invalid("attachments", "INVALID_FILE", "This stage takes pictures and videos only.")
        media = StageMedia.of(
            content, facts, id=str(self.state.number()), account=account.name, name=name, at=self.state.now()
        )
        return self.state.add_media(media, content)

    def _keep(
        self, request: Request, account: StageAccount, *, content: str, media: list[StageMedia], alts: list[str]
    ) -> StagePost:
        milliseconds = int(self.state.now().timestamp() * 1000) - EPOCH_MS
        number = str((milliseconds << 22) | (self.state.count_up(account.name) & 0x3FFFFF))
        post = StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=number,
            path=f"{path_of(account)}/channels/{_number(account, 'server')}/{_number(account, 'channel')}/{number}",
            text=seen(content),
            at=self.state.now(),
            media=media,
            alts=alts,
            data={"content": content},
        )
        self.state.add_post(post)
        self.published(request, post)
        return post

    def _message(self, request: Request, account: StageAccount, post: StagePost) -> dict[str, Any]:
        webhook = request.path_params["webhook"]
        return {
            "id": post.id,
            "type": 0,
            "channel_id": _number(account, "channel"),
            "webhook_id": webhook,
            "author": {"id": webhook, "username": account.user, "bot": True, "discriminator": "0000", "avatar": None},
            "content": post.data["content"],
            "timestamp": post.at.isoformat(),
            "edited_timestamp": None,
            "flags": 0,
            "pinned": False,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "embeds": [],
            "components": [],
            "attachments": [
                {
                    "id": media.id,
                    "filename": media.name,
                    "description": alt,
                    "size": media.size,
                    "content_type": media.mime,
                    "url": self.media_url(request, media),
                    "proxy_url": self.media_url(request, media),
                    "width": media.width,
                    "height": media.height,
                }
                for media, alt in zip(post.media, post.alts, strict=True)
            ],
        }


network = DiscordStage


def _number(account: StageAccount, kind: str) -> str:
    """The channel's or server's number."""
    return str(10**17 + zlib.crc32(f"{kind} {account.name}".encode()))


def _order(field: str) -> int:
    """``files[2]`` → 2."""
    digits = re.sub(r"\D", "", field)
    return int(digits) if digits else 0


def _refusal(status: int, code: int, message: str) -> Refusal:
    return Refusal(status, {"message": message, "code": code})


def _invalid(field: str, code: str, message: str) -> Refusal:
    errors = {field: {"_errors": [{"code": code, "message": message}]}}
    return Refusal(400, {"message": "Invalid Form Body", "code": 50035, "errors": errors})
