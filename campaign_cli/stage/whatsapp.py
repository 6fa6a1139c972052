"""WhatsApp's Cloud API on the stage: one business number, a template to each recipient.

https://developers.facebook.com/documentation/business-messaging/whatsapp

A delivery of many messages is one post here, told by ``biz_opaque_callback_data``; a recipient who gets the same one
twice makes a second post. Telephone numbers are kept as their last two digits.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.network import Network, Refusal, fields, path_of
from campaign_cli.stage.reading import json_of
from campaign_cli.stage.state import PictureFacts, StageAccount, StageMedia, StagePost, picture_facts

BODY: Final = 1024
RECIPIENTS: Final = "phone,opted_in,name\n+6281200000017,2026-01-05,Siti Contoh\n"
"""The list of a rehearsal: one person who doesn't exist."""


def graph_error(status: int, code: int, message: str, *, details: str = "", headers: Any = None) -> Refusal:
    """An error in Meta's shape."""
    error: dict[str, Any] = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return Refusal(status, {"error": error | {"fbtrace_id": "AStage"}}, headers=headers)


class WhatsAppStage(Network):
    """One number of a business."""

    name = "whatsapp"
    title = "WhatsApp"
    credential = "token"
    describes = False
    in_a_line = True

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The number's ID."""
        return str(settings.get("phone_number_id") or name)

    @staticmethod
    def new_secret(url: str) -> str:
        """A token of a system user."""
        return f"EAA{secrets.token_hex(24)}"

    @classmethod
    def new_secrets(cls, url: str) -> Mapping[str, str]:
        """The token, and a list that holds nobody real."""
        return {"token": cls.new_secret(url), "recipients": RECIPIENTS}

    def routes(self) -> list[BaseRoute]:
        """Below the version: the number, its messages and media, the token's facts."""
        return [
            self.route("/{version}/debug_token", self.token),
            self.route("/{version}/{node}/messages", self.send, methods=("POST",)),
            self.route("/{version}/{node}/media", self.upload, methods=("POST",)),
            self.route("/{version}/{node}/message_templates", self.templates),
            self.route("/{version:str}/{node:int}", self.number),
        ]

    def creates(self, method: str, path: str) -> bool:
        """POST …/messages."""
        return method == "POST" and path.endswith("/messages")

    def refused(self) -> Refusal:
        """A template that is not there."""
        return graph_error(404, 132001, "Template name does not exist in the translation")

    def throttled(self, seconds: int) -> Refusal:
        """Too many messages a second."""
        return graph_error(429, 130429, "Rate limit hit", headers={"Retry-After": str(seconds)})

    def broken(self) -> Refusal:
        """Temporarily unavailable."""
        return graph_error(503, 131016, "Service unavailable")

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """The token; 80 messages a second."""
        if request.headers.get("authorization") != f"Bearer {account.secret}":
            raise graph_error(401, 190, "Error validating access token")
        if self.creates(request.method, request.url.path):
            window = self.state.spend(account.name, "messages", limit=80, seconds=1)
            if window.refused:
                raise self.throttled(1)
        return {}

    async def number(self, request: Request, account: StageAccount) -> Response:
        """The number's facts."""
        self._own(request, account)
        return JSONResponse(
            {
                "id": account.user,
                "display_phone_number": "+62 21 555 0100",
                "verified_name": account.name,
                "quality_rating": "GREEN",
            }
        )

    async def token(self, request: Request, account: StageAccount) -> Response:
        """What the token may do; that of a system user doesn't end."""
        return JSONResponse(
            {
                "data": {
                    "is_valid": True,
                    "type": "SYSTEM_USER",
                    "scopes": ["whatsapp_business_messaging", "whatsapp_business_management"],
                    "expires_at": 0,
                    "data_access_expires_at": 0,
                }
            }
        )

    async def templates(self, request: Request, account: StageAccount) -> Response:
        """Whatever is asked for is approved."""
        name = request.query_params.get("name", "")
        return JSONResponse({"data": [{"name": name, "language": "id", "status": "APPROVED", "id": "1"}]})

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """A picture or a video, by its bytes."""
        self._own(request, account)
        values, files = await fields(request)
        if values.get("messaging_product") != "whatsapp" or "file" not in files:
            raise graph_error(400, 100, "Invalid parameter")
        name, mime, content = files["file"]
        facts = picture_facts(content) or PictureFacts(mime=mime, width=0, height=0)
        if facts.mime not in ("image/jpeg", "image/png", "video/mp4") or values.get("type") != facts.mime:
            raise graph_error(400, 131053, "Media upload error", details="Unsupported type")
        identifier = str(9_000_000_000_000 + self.state.number())
        media = StageMedia.of(content, facts, id=identifier, account=account.name, name=name, at=self.state.now())
        self.state.add_media(media, content)
        return JSONResponse({"id": identifier})

    async def send(self, request: Request, account: StageAccount) -> Response:
        """One template to one recipient."""
        self._own(request, account)
        try:
            body = json_of(await request.body())
            template, to = body["template"], str(body["to"])
            components = {one["type"]: one["parameters"] for one in template.get("components", ())}
            texts = [str(one["text"]) for one in components.get("body", ())]
        except (ValueError, KeyError, TypeError) as error:
            raise graph_error(400, 100, "Invalid parameter") from error
        if body.get("messaging_product") != "whatsapp" or body.get("type") != "template" or not to.startswith("+"):
            raise graph_error(400, 131009, "Parameter value is not valid")
        if any(sign in text for text in texts for sign in ("\n", "\t", "     ")):
            raise graph_error(400, 132018, "Parameter text has new lines, tabs or more than four spaces")
        if sum(map(len, texts)) > BODY:
            raise graph_error(400, 132005, "Translated text too long")
        media = self._header(account, components.get("header", ()))
        post = self._keep(account, body, text=" ".join(texts), media=media, to=to)
        self.published(request, post)
        wamid = f"wamid.{hashlib.sha256(f'{post.id}{to}'.encode()).hexdigest()[:32]}"
        answer = {"input": to, "wa_id": to.removeprefix("+")}
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "contacts": [answer],
                "messages": [{"id": wamid, "message_status": "accepted"}],
            }
        )

    def _own(self, request: Request, account: StageAccount) -> None:
        if str(request.path_params["node"]) != account.user:
            raise graph_error(400, 33, "Parameter value is not valid")

    def _header(self, account: StageAccount, parameters: Any) -> list[StageMedia]:
        found = []
        for one in parameters:
            media = self.state.media.get((account.name, str(one.get(one.get("type"), {}).get("id"))))
            if media is None:
                raise graph_error(400, 131009, "Parameter value is not valid", details="media id")
            found.append(media)
        return found

    def _keep(
        self, account: StageAccount, body: Mapping[str, Any], *, text: str, media: list[StageMedia], to: str
    ) -> StagePost:
        """With the others of its delivery; apart where this recipient has it already."""
        key = str(body.get("biz_opaque_callback_data") or self.state.number())
        person = f"{hashlib.sha256(to.encode()).hexdigest()[:12]}…{to[-2:]}"
        post = self.state.post(account.name, key)
        if post is not None and person not in post.data["to"]:
            post.data["to"].append(person)
            return post
        number = self.state.number()
        identifier = key if post is None else f"{key}-{number}"
        return self.state.add_post(
            StagePost(
                number=number,
                account=account.name,
                platform=self.name,
                id=identifier,
                path=f"{path_of(account)}/chat/messages/{identifier}",
                text=text,
                at=self.state.now(),
                media=media,
                alts=["" for _one in media],
                key=key,
                language=body["template"].get("language", {}).get("code"),
                data={"template": body["template"].get("name"), "to": [person]},
            )
        )


network = WhatsAppStage
