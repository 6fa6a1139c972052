"""The adapters against the real servers where the command line can't reach: crashes in between, lapsed sessions."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Servers
from platform_helpers import PNG, parts, picture, sending

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.models import Part
from campaign_cli.platforms import get
from campaign_cli.platforms.base import Answer, Http, Request, Sending
from campaign_cli.platforms.http import HttpTransport


def transport(**options: Any) -> HttpTransport:
    return HttpTransport(redact=lambda text: text, now=lambda: datetime.now(UTC), **options)


class Interrupted:
    """A transport that loses the answer to every creating request, after the server carried it out."""

    def __init__(self, http: Http) -> None:
        self.http = http

    async def send(self, request: Request) -> Answer:
        answer = await self.http.send(request)
        if request.creating:
            raise Unconfirmed("the answer was lost")
        return answer


def on_its_way(name: str, servers: Servers, http: Any, **more: Any) -> Sending:
    settings, secrets = {
        "wordpress": (
            {"url": servers.wordpress.url, "username": "redaksi", "password": "env:P"},
            {"password": servers.wordpress.password},
        ),
        "bluesky": (
            {"url": servers.bluesky.url, "handle": servers.bluesky.handle, "password": "env:P"},
            {"password": servers.bluesky.password},
        ),
        "mastodon": ({"url": servers.mastodon.url, "token": "env:T"}, {"token": servers.mastodon.token}),
        "matrix": (
            {"url": servers.matrix.url, "room": servers.matrix.room, "token": "env:T"},
            {"token": servers.matrix.token},
        ),
    }[name]
    more.setdefault("key", hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:40])
    more.setdefault("due", datetime.now(UTC).replace(microsecond=0))
    item = sending(get(name), http, settings=settings, secrets=secrets, **more)
    item.now = lambda: datetime.now(UTC)
    item.sleep = asyncio.sleep
    return item


def with_transport(work: Callable[[HttpTransport], Awaitable[None]], *, name: str = "") -> None:
    """Do the work over a transport; ``name`` is the network whose rate headers it reads."""

    async def run() -> None:
        http = transport(pause_until=get(name).pause_until if name else None)
        try:
            await work(http)
        finally:
            await http.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("name", ["wordpress", "bluesky", "mastodon", "matrix"])
def test_a_lost_answer_is_found_again_and_a_repeat_makes_no_second(name: str, servers: Servers) -> None:
    """After a lost answer the look-up finds the post, and the same key again is the same post."""
    platform = get(name)
    before = servers.counts()[name]
    # On Matrix a picture is an event of its own: tests/real/test_matrix_server.py.
    media = () if name == "matrix" else (picture(PNG),)
    content = (Part(text=f"Kabar {time.time_ns()} & “tanda”", media=media),)

    async def work(http: HttpTransport) -> None:
        since = datetime.now(UTC) - timedelta(seconds=5)
        item = on_its_way(name, servers, Interrupted(http), content=content)
        with pytest.raises(Unconfirmed):
            await platform.publish(item)
        item.http = http
        looked = await platform.look_up(item, since)
        assert len(looked.found) == 1
        again = await platform.publish(item)
        assert again.id == looked.found[0].receipt.id
        assert again.url == looked.found[0].receipt.url
        shown = await platform.read_back(item, again)
        assert shown is not None
        assert shown.alts == tuple(item.alt for item in media)

    with_transport(work)
    assert servers.counts()[name] == before + 1


@pytest.mark.parametrize("name", ["wordpress", "bluesky", "mastodon", "matrix"])
def test_what_was_published_can_be_taken_down_twice(name: str, servers: Servers) -> None:
    """Delete removes the post, and may be repeated."""
    platform = get(name)

    async def work(http: HttpTransport) -> None:
        item = on_its_way(name, servers, http, content=parts(f"Sementara {time.time_ns()}"))
        receipt = await platform.publish(item)
        for _again in range(2):
            await platform.delete(item, receipt)
        assert await platform.read_back(item, receipt) is None

    with_transport(work)


@pytest.mark.parametrize("token", ["expired", "useless"])
def test_a_session_that_ran_out_is_renewed(token: str, servers: Servers) -> None:
    """An access token that has expired is refreshed, one that is useless replaced by signing in; the post goes out."""
    platform = get("bluesky")

    async def work(http: HttpTransport) -> None:
        item = on_its_way("bluesky", servers, http, content=parts(f"Sesi {time.time_ns()}"))
        await platform.check(item)
        login = item.memory["bluesky.login"]
        bad = servers.bluesky.expired_token() if token == "expired" else "useless"
        item.memory["bluesky.login"] = replace(login, access=bad)
        receipt = await platform.publish(item)
        assert servers.bluesky.record(receipt.id)["value"]["text"] == item.content.text
        assert item.memory["bluesky.login"].access not in {bad, ""}

    with_transport(work)


def test_a_draft_without_a_kept_id_is_taken_up_on_a_real_site(servers: Servers) -> None:
    """Two processes that both made the draft publish one post: the draft is found by this attempt's own slug."""
    platform = get("wordpress")
    before = servers.wordpress.count()

    class Dies(Interrupted):
        async def send(self, request: Request) -> Answer:
            if request.creating:
                raise Unavailable("the process died before it published")
            return await self.http.send(request)

    async def work(http: HttpTransport) -> None:
        content = parts(f"# Judul {time.time_ns()}\n\nIsi", media=[picture(PNG)])
        item = on_its_way("wordpress", servers, Dies(http), content=content)
        with pytest.raises(Unavailable):
            await platform.publish(item)
        forgetful = on_its_way("wordpress", servers, http, content=content, key=item.key)
        assert (await platform.look_up(forgetful, datetime.now(UTC) - timedelta(minutes=1))).found == ()
        receipt = await platform.publish(forgetful)
        assert servers.wordpress.post(receipt.id)["status"] == "publish"

    with_transport(work)
    assert servers.wordpress.count() == before + 1


def test_a_real_site_is_reached_by_rest_route_too(servers: Servers) -> None:
    """The addresses that plain permalinks need work for a whole post with a picture and a tag."""
    platform = get("wordpress")

    async def work(http: HttpTransport) -> None:
        content = parts(f"# Judul {time.time_ns()}\n\nIsi", media=[picture(PNG)])
        memory = {"wordpress.root": "plain"}
        item = on_its_way("wordpress", servers, http, content=content, memory=memory, native={"tags": ["rute"]})
        receipt = await platform.publish(item)
        post = servers.wordpress.post(receipt.id)
        assert servers.wordpress.names("tags", post["tags"]) == ["rute"]
        assert post["status"] == "publish"

    with_transport(work)


def test_a_real_site_refuses_a_file_for_good(servers: Servers) -> None:
    """A file type that the site does not take is refused, although the answer is a 500."""
    platform = get("wordpress")
    code = b"print(1)"
    script = picture(code, name="x.png", mime="text/x-python")

    async def work(http: HttpTransport) -> None:
        content = (Part(text="x", media=(script,)),)
        item = on_its_way("wordpress", servers, http, content=content, bytes_of={script.sha256: code})
        with pytest.raises(Rejected, match="file type"):
            await platform.publish(item)

    with_transport(work)
