"""The Mastodon adapter over answers that a real Mastodon gave: cassettes of Mastodon.py's own tests.

They are read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``; a small extract is part of the ordinary tests.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from platform_helpers import Network, failure_of, json_of, parts, picture, sending

from campaign_cli.errors import Rejected
from campaign_cli.models import Receipt
from campaign_cli.platforms.mastodon import platform

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
CASSETTES = CONTRACTS / "mastodon-cassettes"
SETTINGS = {"url": "http://localhost:3000", "token": "env:MASTODON_TOKEN"}

pytestmark = pytest.mark.skipif(
    not CASSETTES.is_dir(), reason="recorded Mastodon answers are not here; CAMPAIGN_CONTRACTS names their folder"
)


def interactions(name: str) -> list[dict[str, Any]]:
    text = (CASSETTES / f"{name}.yaml").read_text(encoding="utf-8")
    return list(yaml.load(text, yaml.CSafeLoader)["interactions"])


def replayed(name: str) -> Network:
    """A network that gives the recorded answers, each to its own method and path."""
    routes: dict[str, Any] = {}
    for item in interactions(name):
        asked, answered = item["request"], item["response"]
        route = f"{asked['method']} {httpx.URL(asked['uri']).path.rstrip('/')}"
        body = answered["body"]["string"]
        content = body.encode() if isinstance(body, str) else body
        headers = {key: value[0] for key, value in answered["headers"].items() if key.startswith("x-ratelimit")}
        reply = httpx.Response(answered["status"]["code"], content=content, headers=headers)
        routes.setdefault(route, []).append(reply)
    return Network(routes=routes)


def recorded(name: str, index: int = 0) -> Any:
    return yaml.safe_load(interactions(name)[index]["response"]["body"]["string"])


def on_its_way(network: Network, **more: Any) -> Any:
    return sending(platform, network, settings=SETTINGS, secrets={"token": "contoh"}, **more)


@pytest.mark.parametrize(
    "name",
    sorted(path.stem for path in CASSETTES.glob("test_status_post_*-*_.yaml") if not path.stem.endswith("-None_")),
)
def test_recorded_posts_become_receipts(name: str) -> None:
    """Every recorded post gives its id, permalink and instant, and the request asked for what was recorded."""
    warning, _hyphen, visibility = name.removeprefix("test_status_post_").removesuffix("_").partition("-")
    network = replayed(name)
    native = {"cw": "Content warning"} if warning != "None" else {}
    item = on_its_way(network, content=parts("Toot!"), visibility=visibility, native=native)
    receipt = asyncio.run(platform.publish(item))
    status = recorded(name)
    assert (receipt.id, receipt.url) == (status["id"], status["url"])
    assert receipt.at.isoformat().startswith(str(status["created_at"])[:10])
    (request,) = network.sent("POST", "/api/v1/statuses")
    asked = json_of(request)
    assert (asked["visibility"], status["visibility"]) == (visibility, visibility)
    assert asked.get("spoiler_text", "") == status["spoiler_text"]
    asyncio.run(platform.delete(item, receipt))


def test_a_recorded_upload_is_attached() -> None:
    """A recorded upload's id goes into the post."""
    network = replayed("test_media_post_file")
    network.routes |= replayed("test_status_post_None-public_").routes
    asyncio.run(platform.publish(on_its_way(network, content=parts("Toot!", media=[picture()]))))
    (request,) = network.sent("POST", "/api/v1/statuses")
    assert json_of(request)["media_ids"] == [str(recorded("test_media_post_file")["id"])]


def test_a_recorded_refusal_is_for_good_in_any_language() -> None:
    """The 422 of a real server (its words are Japanese) is a refusal, not a doubt."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(replayed("test_status_empty"), content=parts("")))))
    assert isinstance(failure, Rejected)
    assert failure.status == 422


def test_a_recorded_absence_is_none() -> None:
    """A status that is gone reads back as None."""
    receipt = Receipt(part=0, id="0", url=None, at=on_its_way(Network()).due)
    assert asyncio.run(platform.read_back(on_its_way(replayed("test_status_missing")), receipt)) is None


def test_a_recorded_status_reads_back() -> None:
    """A recorded status gives its text and permalink."""
    number = str(recorded("test_status")["id"])
    network = replayed("test_status")
    network.routes[f"GET /api/v1/statuses/{number}/source"] = httpx.Response(404, json={"error": "Not Found"})
    receipt = Receipt(part=0, id=number, url=None, at=on_its_way(network).due)
    shown = asyncio.run(platform.read_back(on_its_way(network), receipt))
    assert shown is not None
    assert (shown.id, shown.url) == (number, recorded("test_status", 1)["url"])


def test_a_recorded_account_and_instance_are_understood() -> None:
    """The account check reads who we are, that it is Mastodon, and the instance's limits."""
    network = replayed("test_verify_credentials")
    network.routes |= replayed("test_verify_version").routes | replayed("test_nodeinfo").routes
    found = asyncio.run(platform.check(on_its_way(network)))
    assert found.identity == str(recorded("test_verify_credentials")["id"])
    assert found.software.lower().startswith("mastodon ")
    assert found.limits is not None
    configuration = recorded("test_verify_version", 1)["configuration"]["statuses"]
    assert (found.limits.text, found.limits.source) == (configuration["max_characters"], "instance")
    assert found.limits.url_length == configuration["characters_reserved_per_url"]
