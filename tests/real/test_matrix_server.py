"""The Matrix adapter against a real Synapse: devices, expired tokens, throttling, encrypted rooms, half a part."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from clients import Matrix
from conftest import Servers, Workspace, wait_until
from platform_helpers import PNG, failure_of, parts, picture
from test_adapters import Interrupted, on_its_way, with_transport

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Part
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.platforms.matrix import platform

PLAN = """\
campaign: uji-matrix
timezone: WIB
language: id
accounts: [matrix]
posts:
  - {id: teks, at: @AT@, text: "Kabar @RUN@"}
"""


def moment_ago() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5)


def sent_by(account: Matrix, servers: Servers, http: Any, **more: Any) -> Sending:
    """A sending of any account and room of the homeserver."""
    return on_its_way("matrix", replace(servers, matrix=account), http, **more)


def test_a_new_session_finds_the_post_and_repeats_nothing(servers: Servers) -> None:
    """After a lost answer and a new sign-in: another device, so no repeat; the look-up finds it by words and files."""
    before = len(servers.matrix.events())
    content = (Part(text=f"Kabar {time.time_ns()} **tebal**", media=(picture(PNG),)),)

    async def work(http: HttpTransport) -> None:
        item, since = sent_by(servers.matrix, servers, http, content=content), moment_ago()
        await platform.publish(item)
        kept = {name: value for name, value in item.steps.items() if not name.startswith("out/event")}
        again = sent_by(
            servers.matrix.signed_in_again(), servers, http, content=content, key=item.key, steps=dict(kept)
        )
        looked = await platform.look_up(again, since)
        assert [found.receipt.id for found in looked.found] == [item.steps["out/event0"]["id"]]
        assert [found.receipt.extra["events"] for found in looked.found] == [[item.steps["out/event1"]["id"]]]
        assert looked.found[0].created_at is not None
        assert platform.may_repeat(again, software="Matrix", age=timedelta(minutes=1)) is False
        same = sent_by(servers.matrix, servers, http, content=content, key=item.key, steps=dict(kept))
        looked = await platform.look_up(same, since)
        assert [found.created_at for found in looked.found] == [None]
        assert platform.may_repeat(same, software="Matrix", age=timedelta(minutes=1)) is True

    with_transport(work)
    assert len(servers.matrix.events()) == before + 2


def test_a_new_device_would_double_and_the_old_one_does_not(servers: Servers) -> None:
    """Why the device is kept: the server knows a transaction id by its device alone."""
    before = len(servers.matrix.events())
    content = parts(f"Kabar {time.time_ns()}")

    async def work(http: HttpTransport) -> None:
        first = sent_by(servers.matrix, servers, http, content=content)
        receipts = [await platform.publish(first)]
        for account in (servers.matrix, servers.matrix.signed_in_again()):
            receipts.append(await platform.publish(sent_by(account, servers, http, content=content, key=first.key)))
        assert receipts[0].id == receipts[1].id != receipts[2].id

    with_transport(work)
    assert len(servers.matrix.events()) == before + 2


def test_half_a_part_is_found_and_finished(servers: Servers) -> None:
    """Lost between the text and the picture, with nothing kept: the look-up keeps the text, the rest is sent."""
    before = len(servers.matrix.events())
    content = (Part(text=f"Kabar {time.time_ns()}", media=(picture(PNG),)),)

    async def work(http: HttpTransport) -> None:
        item, since = sent_by(servers.matrix, servers, Interrupted(http), content=content), moment_ago()
        with pytest.raises(Unconfirmed):
            await platform.publish(item)
        item.http = http
        looked = await platform.look_up(item, since)
        assert (looked.found, looked.complete) == ((), True)
        receipt = await platform.publish(item)
        shown = await platform.read_back(item, receipt)
        assert shown is not None
        assert (shown.text, shown.alts) == (item.content.text, ("Poster aksi",))

    with_transport(work)
    assert len(servers.matrix.events()) == before + 2


def test_an_expired_token_is_unauthorized(workspace: Workspace, servers: Servers) -> None:
    """The server's own soft log-out: the command says that the session ended, exit code 3; a new token sends it."""
    short = servers.matrix.signed_in_again(short=True)
    run = str(time.time_ns())
    wait_until(workspace.queue(PLAN.replace("@RUN@", run)))
    ran = workspace.campaign("publish", secrets={**workspace.secrets, "MATRIX_TOKEN": short.token})
    assert ran.returncode == 3, f"{ran.stdout}\n{ran.stderr}"
    assert "session has ended" in workspace.deliveries()["teks/matrix"]["error"]
    assert short.token not in ran.stdout + ran.stderr
    ran = workspace.campaign("retry", "uji-matrix/teks/matrix", "--yes")
    assert ran.returncode == 0, ran.stderr
    ran = workspace.campaign("publish")
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert servers.matrix.texts().count(f"Kabar {run}") == 1


def test_a_throttled_account_is_told_when_it_may_go_on(servers: Servers) -> None:
    """The homeserver's own 429: nothing was sent, and the instant is the server's."""
    account = Matrix.with_new_account(servers.matrix.url, servers.matrix.secret, name="lambat")
    administrator = servers.matrix.register(f"admin-{time.time_ns() % 10**8}", administrator=True)
    limit = {"messages_per_second": 1, "burst_count": 1}
    administrator.ask(f"/_synapse/admin/v1/users/{quote(account.user)}/override_ratelimit", data=limit)

    async def work(http: HttpTransport) -> None:
        for number in range(20):
            item = sent_by(account, servers, http, content=parts(f"Kabar {number}"))
            try:
                await platform.publish(item)
            except Unavailable as failure:
                assert (failure.status, failure.code) == (429, "M_LIMIT_EXCEEDED")
                assert failure.retry_at is not None
                assert datetime.now(UTC) - timedelta(seconds=1) < failure.retry_at
                assert len(account.events()) == number
                return
        pytest.fail("the homeserver throttled nobody")

    with_transport(work)


@pytest.mark.parametrize("kind", ["encrypted", "outside", "mute"])
def test_a_room_where_nothing_can_be_posted_is_refused(kind: str, servers: Servers) -> None:
    """By the check and by publishing: encrypted, not joined, no right to write; nothing is sent."""
    owner = Matrix.with_new_account(servers.matrix.url, servers.matrix.secret, name="pengurus")
    states = {
        "encrypted": [{"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}],
        "mute": [],
        "outside": [],
    }[kind]
    levels = {"power_level_content_override": {"events_default": 50}} if kind == "mute" else {}
    room = owner.new_room(initial_state=states, **levels)
    account = replace(servers.matrix, room=room)
    if kind != "outside":
        account.ask(f"/join/{quote(room)}", data={})

    async def work(http: HttpTransport) -> None:
        item = sent_by(account, servers, http, content=parts(f"Kabar {time.time_ns()}"))
        words = {"encrypted": "encrypted", "outside": "not in|M_FORBIDDEN", "mute": "power level|M_FORBIDDEN"}[kind]
        for asked in (platform.check, platform.publish):
            with pytest.raises(Rejected, match=words) as caught:
                await asked(item)
            assert caught.value.fix

    with_transport(work)
    assert replace(owner, room=room).texts() == []


def test_an_alias_a_link_and_a_creators_room_work(servers: Servers) -> None:
    """A room by its alias, in the newest room version; its link leads back, and the check knows its name."""
    name = f"balai-{time.time_ns() % 10**8}"
    room = servers.matrix.new_room(
        room_alias_name=name, room_version="12", power_level_content_override={"events_default": 50}
    )
    account = replace(servers.matrix, room=f"#{name}:contoh.test")

    async def work(http: HttpTransport) -> None:
        item = sent_by(account, servers, http, content=parts("Satu"))
        found = await platform.check(item)
        assert found.handle == account.room
        assert found.limits is not None
        assert found.limits.image_bytes == 50 * 1024 * 1024
        receipt = await platform.publish(item)
        assert receipt.extra["room"] == room
        linked = await platform.find(item, str(receipt.url))
        assert linked is not None
        assert linked.id == receipt.id
        shown = await platform.read_back(item, receipt)
        assert shown is not None
        reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": receipt.id, "key": "✊"}}
        account.ask(f"/rooms/{quote(room)}/send/m.reaction/{time.time_ns()}", data=reaction, method="PUT")
        again = await platform.read_back(item, receipt)
        assert again is not None
        assert (shown.metrics["reactions"], again.metrics["reactions"]) == (0, 1)

    with_transport(work)


def test_a_useless_token_is_unauthorized(servers: Servers) -> None:
    """Unknown to the server."""

    async def work(http: HttpTransport) -> None:
        item = sent_by(replace(servers.matrix, token="tidak-berguna"), servers, http)
        assert isinstance(await failure_of(platform.publish(item)), Unauthorized)

    with_transport(work)
