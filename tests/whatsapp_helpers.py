"""WhatsApp as its adapter sees it: a scripted Cloud API that takes no field which its documentation doesn't know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema
from platform_helpers import Network, answer, json_of, sending

from campaign_cli.platforms.whatsapp import platform

DATA = Path(__file__).parent / "data" / "whatsapp"
MESSAGE = json.loads((DATA / "message.schema.json").read_text(encoding="utf-8"))
BUSINESS = json.loads((DATA / "specification.json").read_text(encoding="utf-8"))["WhatsAppBusinessAccount"]
NUMBER = "106540352242922"
ACCOUNT = "102290129340398"
BASE = f"/v25.0/{NUMBER}"
TOKEN = "EAA-rahasia-whatsapp"
SETTINGS = {
    "phone_number_id": NUMBER,
    "token": "env:WHATSAPP_TOKEN",
    "recipients": "file:anggota.csv",
    "template": "kabar_anggota",
}
PHONES = ("+6281200000011", "+6281200000022", "+6281200000033", "+6281200000044", "+6281200000055")
NAMES = ("Ani", "Budi", "Cici", "Dodi", "Eka")


def listed(*phones: str) -> str:
    """A list of members who opted in."""
    rows = [f"{phone},2026-01-05,{name}" for phone, name in zip(phones, NAMES, strict=False)]
    return "\n".join(["phone,opted_in,name", *rows])


@dataclass(kw_only=True)
class CloudApi(Network):
    """Checks each request; everything must carry the token in its header."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        path, query = request.url.path, dict(request.url.params)
        if (request.method, path) == ("POST", f"{BASE}/messages"):
            jsonschema.validate(json_of(request), MESSAGE)
            assert not query
        elif path == f"/v25.0/{ACCOUNT}/message_templates":
            assert query.keys() <= BUSINESS["GET message_templates"].keys()
        elif path == f"/v25.0/{ACCOUNT}":
            assert set(query.pop("fields").split(",")) <= BUSINESS["fields"].keys()
            assert not query
        return super().__call__(request)

    def written_to(self) -> list[str]:
        """Whom a message was sent to, in order."""
        return [json_of(request)["to"] for request in self.sent("POST", f"{BASE}/messages")]


def accepted(number: int = 1) -> Any:
    """Meta takes a message; its id holds the recipient's number."""
    return answer(
        200,
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": PHONES[0], "wa_id": PHONES[0][1:]}],
            "messages": [{"id": f"wamid.{number}", "message_status": "accepted"}],
        },
    )


def refused(code: int, *, status: int = 400, message: str = "No", details: str = "", **more: Any) -> Any:
    """An error in Meta's shape."""
    error: dict[str, Any] = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return answer(status, {"error": error | more})


def on_its_way(through: Any, *, people: Sequence[str] = PHONES[:1], recipients: str | None = None, **more: Any) -> Any:
    """A post to these people."""
    more.setdefault("settings", SETTINGS)
    text = listed(*people) if recipients is None else recipients
    return sending(platform, through, secrets={"token": TOKEN, "recipients": text}, **more)
