"""A Slack webhook on the stage. It answers ``ok`` and nothing more; errors are plain words, here as there.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.network import Network, Refusal, fields, path_of
from campaign_cli.stage.slack_shapes import checked_text
from campaign_cli.stage.state import StageAccount, StagePost


class Words(Refusal):
    """An error as a webhook gives it: plain text."""

    def response(self) -> Response:
        """As text/plain."""
        return PlainTextResponse(str(self.body), self.status, self.headers)


class SlackWebhookStage(Network):
    """One incoming webhook."""

    name = "slack-webhook"
    title = "Slack (webhook)"
    credential = "webhook"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """What people call the channel."""
        return str(settings.get("channel") or name)

    @staticmethod
    def new_secret(url: str) -> str:
        """The webhook's whole address."""
        return f"{url}/services/T{secrets.randbelow(10**9):09d}/B{secrets.randbelow(10**9):09d}/{secrets.token_hex(12)}"

    def routes(self) -> list[BaseRoute]:
        """The webhook's address."""
        return [self.route("/services/{team}/{webhook}/{key}", self.send, methods=("POST",))]

    def creates(self, method: str, path: str) -> bool:
        """Every POST."""
        return method == "POST"

    def refused(self) -> Refusal:
        """403 of a workspace that restricts it."""
        return Words(403, "action_prohibited")

    def throttled(self, seconds: int) -> Refusal:
        """429 with Retry-After."""
        return Words(429, "rate_limited", headers={"Retry-After": str(seconds)})

    def broken(self) -> Refusal:
        """503."""
        return Words(503, "service_unavailable")

    def label(self, method: str, path: str) -> str:
        """Without the address, which is the secret."""
        return f"{method} webhook"

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """About one message a second, with short bursts."""
        window = self.state.spend(account.name, "messages", limit=20, seconds=20)
        if window.refused:
            raise self.throttled(max(1, round((window.reset - self.state.now()).total_seconds())))
        return {}

    async def send(self, request: Request, account: StageAccount) -> Response:
        """A message."""
        path = "/".join(request.path_params[name] for name in ("team", "webhook", "key"))
        if path != account.secret.partition("/services/")[2]:
            known = account.secret.partition("/services/")[2].rpartition("/")[0] == path.rpartition("/")[0]
            raise Words(403, "invalid_token") if known else Words(404, "no_service")
        try:
            body, _files = await fields(request)
        except ValueError as error:
            raise Words(400, "invalid_payload") from error
        try:
            text = checked_text(body)
        except Refusal as refused:
            raise Words(400, refused.body["error"]) from refused
        self._keep(request, account, body=body, text=text)
        return PlainTextResponse("ok")

    def _keep(self, request: Request, account: StageAccount, *, body: Mapping[str, Any], text: str) -> None:
        """Under the key in the metadata, which is all that tells one message from another here."""
        number = self.state.number()
        identifier = str((body.get("metadata") or {}).get("event_payload", {}).get("key") or number)
        post = StagePost(
            number=number,
            account=account.name,
            platform=self.name,
            id=identifier,
            path=f"{path_of(account)}/messages/{identifier}",
            text=text,
            at=self.state.now(),
            data={"text": body.get("text")},
        )
        self.state.add_post(post)
        self.published(request, post)


network = SlackWebhookStage
