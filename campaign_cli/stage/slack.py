"""Slack's Web API on the stage: one bot in one channel.

Follows docs.slack.dev/reference/methods: auth.test, conversations.info, .history and .replies, chat.postMessage,
.getPermalink and .delete, files.getUploadURLExternal, .completeUploadExternal and .info. Nothing removes doubles.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.network import Refusal, fields, path_of
from campaign_cli.stage.slack_files import Call, SlackFiles
from campaign_cli.stage.slack_shapes import bot_of, channel_of, checked_text, message_json, refusal
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost

SCOPES: Final = "chat:write,files:write,files:read,channels:read,channels:history"
PAGE: Final = 100


class SlackStage(SlackFiles):
    """The Web API for one bot."""

    name = "slack"
    title = "Slack"
    credential = "token"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The channel's ID."""
        return str(settings.get("channel") or "C0000000000")

    @staticmethod
    def new_secret(url: str) -> str:
        """A bot token."""
        return f"xoxb-{secrets.randbelow(10**12)}-{secrets.token_hex(12)}"

    def routes(self) -> list[BaseRoute]:
        """The methods, and where bytes go."""
        return [
            self.route("/api/{method}", self.method, methods=("GET", "POST")),
            self.route("/upload/v1/{ticket}", self.upload, methods=("POST",)),
        ]

    def creates(self, method: str, path: str) -> bool:
        """chat.postMessage."""
        return path == "/api/chat.postMessage"

    def refused(self) -> Refusal:
        """Status 200 all the same."""
        return refusal("restricted_action")

    def throttled(self, seconds: int) -> Refusal:
        """429 with Retry-After."""
        return Refusal(429, {"ok": False, "error": "ratelimited"}, headers={"Retry-After": str(seconds)})

    def broken(self) -> Refusal:
        """503."""
        return Refusal(503, {"ok": False, "error": "service_unavailable"})

    def label(self, method: str, path: str) -> str:
        """The method's name; the upload's ticket is in its path."""
        return f"{method} upload" if path.startswith("/upload/") else f"{method} {path.rpartition('/')[2]}"

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """About one message a second in a channel, with short bursts."""
        if self.creates(request.method, "/api/" + request.path_params.get("method", "")):
            window = self.state.spend(account.name, "messages", limit=20, seconds=20)
            if window.refused:
                raise self.throttled(max(1, round((window.reset - self.state.now()).total_seconds())))
        return {"X-OAuth-Scopes": SCOPES}

    async def method(self, request: Request, account: StageAccount) -> Response:
        """One method call."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            raise refusal("not_authed")
        if token != account.secret:
            raise refusal("invalid_auth")
        methods: dict[str, Callable[[Call], dict[str, Any]]] = {
            "auth.test": self.auth_test,
            "conversations.info": self.info,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
            "chat.postMessage": self.post_message,
            "chat.getPermalink": self.get_permalink,
            "chat.delete": self.delete,
            "files.getUploadURLExternal": self.upload_url,
            "files.completeUploadExternal": self.complete_upload,
            "files.info": self.file_info,
        }
        handler = methods.get(request.path_params["method"])
        if handler is None:
            raise refusal("unknown_method")
        try:
            values, _files = await fields(request) if request.method == "POST" else ({}, {})
        except ValueError as error:
            raise refusal("invalid_json") from error
        call = Call(request=request, account=account, values={**request.query_params, **values})
        return JSONResponse({"ok": True, **handler(call)})

    def auth_test(self, call: Call) -> dict[str, Any]:
        """Who the token is."""
        user, bot = bot_of(call.account)
        base = self.base(call.request, call.account)
        return {"url": f"{base}/", "team": "Stage", "user": "campaign", "team_id": "T0STAGE000"} | {
            "user_id": user,
            "bot_id": bot,
            "is_enterprise_install": False,
        }

    def info(self, call: Call) -> dict[str, Any]:
        """The channel."""
        member = call.account.role != "outside"
        return {"channel": {"id": self._channel(call), "name": call.account.name, "is_member": member}}

    def history(self, call: Call) -> dict[str, Any]:
        """Messages of the channel, newest first; answers in threads aside."""
        posts = [post for post in self.state.posts_of(call.account.name) if not post.data.get("thread")]
        return self._page(call, posts)

    def replies(self, call: Call) -> dict[str, Any]:
        """A thread's first message, then its answers, oldest first."""
        root = self.state.post(call.account.name, str(call.values.get("ts")))
        if root is None:
            raise refusal("thread_not_found")
        posts = [post for post in self.state.posts_of(call.account.name) if post.data.get("thread") == root.id]
        found = self._page(call, posts[::-1])
        first = message_json(call.account, root, metadata=_flag(call, "include_all_metadata"))
        return found | {"messages": [first, *found["messages"]]}

    def post_message(self, call: Call) -> dict[str, Any]:
        """A message."""
        account, body = call.account, call.values
        self._channel(call)
        if account.role == "outside":
            raise refusal("not_in_channel")
        text = checked_text(body)
        thread = body.get("thread_ts")
        if thread and self.state.post(account.name, thread) is None:
            raise refusal("thread_not_found")
        media, alts = self.shown_files(account, body)
        post = self._keep(call, text=text, media=media, alts=alts)
        return {
            "channel": channel_of(account),
            "ts": post.id,
            "message": message_json(account, post, metadata=True),
        }

    def get_permalink(self, call: Call) -> dict[str, Any]:
        """The message's address."""
        post = self._post(call, "message_ts")
        root = f"{call.request.url.scheme}://{call.request.url.netloc}"
        thread = post.data.get("thread")
        query = f"?thread_ts={thread}&cid={channel_of(call.account)}" if thread else ""
        return {"channel": channel_of(call.account), "permalink": f"{root}{post.path}{query}"}

    def delete(self, call: Call) -> dict[str, Any]:
        """Take a message down."""
        post = self._post(call, "ts")
        post.status = "deleted"
        return {"channel": channel_of(call.account), "ts": post.id}

    def _channel(self, call: Call) -> str:
        asked = call.values.get("channel")
        if asked != channel_of(call.account):
            raise refusal("channel_not_found")
        return str(asked)

    def _post(self, call: Call, name: str) -> StagePost:
        self._channel(call)
        post = self.state.post(call.account.name, str(call.values.get(name)))
        if post is None:
            raise refusal("message_not_found")
        return post

    def _page(self, call: Call, posts: list[StagePost]) -> dict[str, Any]:
        """Those between ``oldest`` and ``latest``, from the cursor on."""
        self._channel(call)
        oldest, latest = float(call.values.get("oldest") or 0), float(call.values.get("latest") or "inf")
        within = [post for post in posts if oldest <= float(post.id) <= latest]
        start, size = int(call.values.get("cursor") or 0), min(PAGE, int(call.values.get("limit") or PAGE))
        more = len(within) > start + size
        metadata = _flag(call, "include_all_metadata")
        return {
            "messages": [message_json(call.account, post, metadata=metadata) for post in within[start : start + size]],
            "has_more": more,
            "response_metadata": {"next_cursor": str(start + size) if more else ""},
        }

    def _keep(self, call: Call, *, text: str, media: list[StageMedia], alts: list[str]) -> StagePost:
        account, body = call.account, call.values
        ts = f"{int(self.state.now().timestamp())}.{self.state.count_up(account.name) % 10**6:06d}"
        thread = body.get("thread_ts")
        post = StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=ts,
            path=f"{path_of(account)}/archives/{channel_of(account)}/p{re.sub('[.]', '', ts)}",
            text=text,
            at=self.state.now(),
            media=media,
            alts=alts,
            reply_to=thread,
            data={name: body.get(name) for name in ("text", "blocks", "metadata")} | {"thread": thread},
        )
        self.state.add_post(post)
        self.published(call.request, post)
        return post


network = SlackStage


def _flag(call: Call, name: str) -> bool:
    return str(call.values.get(name)).lower() in ("true", "1")
