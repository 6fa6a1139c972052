"""A receiver of signed JSON on the stage, as Standard Webhooks ask: it proves the signature, and drops repeats.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.network import Network, Refusal, path_of
from campaign_cli.stage.reading import json_of
from campaign_cli.stage.state import PictureFacts, StageAccount, StageMedia, StagePost, picture_facts

TOLERANCE = 300
"""Seconds that a timestamp may be off."""


class WebhookStage(Network):
    """One receiver at the account's own address."""

    name = "webhook"
    title = "Webhook"
    credential = "secret"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The account's own name: a receiver has none."""
        return name

    @staticmethod
    def new_secret(url: str) -> str:
        """``whsec_`` and 24 bytes in base64."""
        return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()

    def routes(self) -> list[BaseRoute]:
        """Nothing below the address but the pages of what arrived."""
        return []

    def at_root(self) -> list[BaseRoute]:
        """The address itself."""
        return [
            self.route("/webhook/{account}", self.receive, methods=("POST",)),
            self.route("/webhook/{account}", self.look, methods=("GET",)),
        ]

    def creates(self, method: str, path: str) -> bool:
        """Every POST."""
        return method == "POST"

    def refused(self) -> Refusal:
        """422 of a receiver that can't use it."""
        return Refusal(422, {"message": "The message can't be used."})

    def throttled(self, seconds: int) -> Refusal:
        """429 with Retry-After."""
        return Refusal(429, {"message": "Too many messages."}, headers={"Retry-After": str(seconds)})

    def broken(self) -> Refusal:
        """503."""
        return Refusal(503, {"message": "Out of order."})

    async def look(self, request: Request, account: StageAccount) -> Response:
        """There is nothing to read here: 405, as most receivers answer."""
        raise Refusal(405, {"message": "Only POST."}, headers={"Allow": "POST"})

    async def receive(self, request: Request, account: StageAccount) -> Response:
        """A message: proved, and kept once for each ``webhook-id``."""
        body = await request.body()
        identifier = self._proved(request, account, body)
        post = self.state.post(account.name, identifier)
        if post is None:
            try:
                data = json_of(body)["data"]
                post = self._keep(account, identifier, data)
            except (ValueError, KeyError, TypeError) as error:
                raise Refusal(400, {"message": "The body can't be read."}) from error
            self.published(request, post)
        return JSONResponse({"id": post.id, "url": f"{request.url.scheme}://{request.url.netloc}{post.path}"})

    def _proved(self, request: Request, account: StageAccount, body: bytes) -> str:
        """The ``webhook-id`` of a request whose signature and instant are right."""
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        identifier, stamp, signature = (request.headers.get(name, "") for name in names)
        key = base64.b64decode(account.secret.removeprefix("whsec_"))
        wanted = hmac.new(key, f"{identifier}.{stamp}.".encode() + body, hashlib.sha256).digest()
        right = any(
            hmac.compare_digest(one.removeprefix("v1,"), base64.b64encode(wanted).decode()) for one in signature.split()
        )
        if not identifier or not right or not stamp.isdigit():
            raise Refusal(401, {"message": "The signature is not right."})
        if abs(int(stamp) - self.state.now().timestamp()) > TOLERANCE:
            raise Refusal(401, {"message": "The timestamp is too far off."})
        return identifier

    def _keep(self, account: StageAccount, identifier: str, data: Mapping[str, Any]) -> StagePost:
        media = [self._file(account, file) for file in data["media"]]
        number = self.state.number()
        return self.state.add_post(
            StagePost(
                number=number,
                account=account.name,
                platform=self.name,
                id=identifier,
                path=f"{path_of(account)}/messages/{identifier}",
                text=str(data["text"]),
                title=str((data.get("native") or {}).get("title") or ""),
                at=self.state.now(),
                media=media,
                alts=[file.alt for file in media],
                reply_to=str((data.get("reply_to") or {}).get("id") or "") or None,
                key=identifier,
                language=data.get("language"),
                data=dict(data) | {"media": [dict(file) | {"content": ""} for file in data["media"]]},
            )
        )

    def _file(self, account: StageAccount, file: Mapping[str, Any]) -> StageMedia:
        content = base64.b64decode(file.get("content") or "", validate=True)
        if content and hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise Refusal(400, {"message": "A file is not what its checksum says."})
        facts = picture_facts(content) or PictureFacts(mime=str(file["mime"]), width=0, height=0)
        media = StageMedia.of(
            content,
            facts,
            id=f"{file['sha256']}-{self.state.number()}",
            account=account.name,
            name=str(file["name"]),
            alt=str(file["alt"]),
            at=self.state.now(),
        )
        return self.state.add_media(media, content)


network = WebhookStage
