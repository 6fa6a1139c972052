"""What the Instagram adapter sends, held against Meta's whole specifications of the Graph API.

They are read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``; an extract is part of the ordinary tests. There is
no machine-readable specification of Threads.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from container_helpers import (
    CONTAINER,
    EXTRACT,
    LOGINS,
    POSTED,
    USER,
    instagram_check,
    listed,
    on_its_way,
    photo,
    scripted,
    video,
)
from platform_helpers import NOW, answer

from campaign_cli.models import Part
from campaign_cli.platforms.instagram import platform

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
FOLDER = CONTRACTS / "facebook-graph" / "specs"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="Meta's specifications are not here; CAMPAIGN_CONTRACTS names their folder"
)


def whole(name: str) -> dict[str, Any]:
    """One object of the specification, in the form of the extract."""
    found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    apis = [
        {
            "method": api["method"],
            "endpoint": api.get("endpoint") or api["name"],
            "params": [parameter["name"] for parameter in api["params"]],
        }
        for api in found["apis"]
    ]
    return {"fields": [field["name"] for field in found["fields"]], "apis": apis}


async def everything(through: Any, login: str) -> None:
    """All that the adapter can ask: a carousel and a video, look-up, a first comment, reading, finding, the check."""
    for media in ((photo(), video()), (video(),), (photo(),)):
        item = on_its_way("instagram", through, settings=LOGINS[login], content=(Part(text="Upah", media=media),))
        receipt = await platform.publish(item)
        await platform.look_up(item, NOW)
    item.draft = replace(item.draft, native={"first_comment": "Baca"})
    assert await platform.afterwards(item, receipt) == ""
    await platform.read_back(item, receipt)
    await platform.find(item, "https://www.instagram.com/p/Contoh/")
    await platform.check(item)


@pytest.mark.parametrize("login", ["instagram", "facebook"])
def test_instagram_is_asked_nothing_that_it_does_not_know(login: str) -> None:
    """Every edge, parameter and field is in the specification of its way to sign in."""
    specification = {name: whole(name) for name in EXTRACT}
    quota = {"data": [{"quota_usage": 1, "config": {"quota_total": 50}}]}
    upload = f"/ig-api-upload/v25.0/{CONTAINER}"
    routes = {
        "GET /me": answer(200, {"user_id": USER, "username": "fsp.contoh"}),
        f"GET /{USER}": answer(200, {"id": USER, "username": "fsp.contoh"}),
        f"POST /{USER}/media": answer(200, {"id": CONTAINER, "uri": f"https://rupload.facebook.com{upload}"}),
        f"POST {upload}": answer(200, {"success": True}),
        f"GET /{USER}/media": listed(),
        f"GET /{CONTAINER}": answer(200, {"id": CONTAINER, "status_code": "FINISHED"}),
        f"POST /{USER}/media_publish": answer(200, {"id": POSTED}),
        f"GET /{POSTED}": answer(200, {"id": POSTED}),
        f"POST /{POSTED}/comments": answer(200, {"id": "17900000000000008"}),
        f"GET /{USER}/content_publishing_limit": answer(200, quota),
        "GET /debug_token": answer(
            200, {"data": {"is_valid": True, "scopes": ["instagram_basic", "instagram_content_publish"]}}
        ),
    }
    through = scripted(instagram_check(specification, login=login), routes)
    asyncio.run(everything(through, login))
    assert len(through.sent("POST", f"/v25.0/{USER}/media")) == 5
    assert bool(through.sent("POST", upload)) is (login == "facebook")


def test_the_extract_is_what_the_specification_says() -> None:
    """Names alone, none of its own."""
    for name, known in EXTRACT.items():
        found = whole(name)
        assert set(known["fields"]) <= set(found["fields"]), name
        for api in known["apis"]:
            assert api in found["apis"], (name, api)
