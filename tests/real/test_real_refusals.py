"""Credentials that were taken away and accounts that ask too often, on the real servers: told, and nothing doubled."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from clients import Bluesky
from conftest import Servers, Workspace, wait_until
from platform_helpers import failure_of, parts
from test_adapters import on_its_way, with_transport

from campaign_cli.errors import Unavailable
from campaign_cli.platforms import get
from campaign_cli.platforms.http import HttpTransport

PLAN = """\
campaign: uji-sandi
timezone: WIB
language: id
accounts: [@ACCOUNT@]
posts:
  - {id: teks, at: @AT@, text: "Kabar @RUN@"}
"""


def revoked_then_renewed(
    workspace: Workspace, account: str, *, bad: dict[str, str], texts: Callable[[], list[str]]
) -> None:
    """With the revoked secret nothing goes out and the officer is told; with the good one it goes out once."""
    run = f"{account} {time.time_ns()}"
    check = workspace.campaign("accounts", "check", account, secrets={**workspace.secrets, **bad})
    assert check.returncode == 3, f"{check.stdout}\n{check.stderr}"
    wait_until(workspace.queue(PLAN.replace("@ACCOUNT@", account).replace("@RUN@", run)))
    ran = workspace.campaign("publish", secrets={**workspace.secrets, **bad})
    assert ran.returncode == 3, f"{ran.stdout}\n{ran.stderr}"
    delivery = workspace.deliveries()[f"teks/{account}"]
    assert delivery["state"] == "failed"
    assert delivery["error"]
    assert not any(secret in ran.stdout + ran.stderr + delivery["error"] for secret in bad.values())
    assert not any(run in text for text in texts())
    for words in (("retry", f"uji-sandi/teks/{account}", "--yes"), ("publish",)):
        ran = workspace.campaign(*words)
        assert ran.returncode == 0, f"{words}: {ran.stdout}\n{ran.stderr}"
    assert sum(run in text for text in texts()) == 1


def test_a_revoked_application_password_is_told(workspace: Workspace, servers: Servers) -> None:
    """WordPress: it worked, then somebody revoked it on the user's page."""
    password, address = servers.wordpress.new_password()
    good = workspace.campaign("accounts", "check", "web", secrets={**workspace.secrets, "WP_PASSWORD": password})
    assert good.returncode == 0, f"{good.stdout}\n{good.stderr}"
    servers.wordpress.change(address, None, method="DELETE")
    revoked_then_renewed(workspace, "web", bad={"WP_PASSWORD": password}, texts=servers.wordpress.texts)


def test_a_revoked_app_password_is_told(workspace: Workspace, servers: Servers) -> None:
    """Bluesky: an app password of the same account that was taken away."""
    other = Bluesky.with_new_account(servers.bluesky.url, servers.bluesky.secret, name="dicabut")
    accounts = workspace.folder / "accounts.yaml"
    written = accounts.read_text(encoding="utf-8")
    accounts.write_text(written.replace(servers.bluesky.handle, other.handle), encoding="utf-8")
    renewed = Workspace(folder=workspace.folder, secrets={**workspace.secrets, "BLUESKY_PASSWORD": "sandi-akun-contoh"})
    good = renewed.campaign(
        "accounts", "check", "bluesky", secrets={**renewed.secrets, "BLUESKY_PASSWORD": other.password}
    )
    assert good.returncode == 0, f"{good.stdout}\n{good.stderr}"
    other.revoke()
    revoked_then_renewed(renewed, "bluesky", bad={"BLUESKY_PASSWORD": other.password}, texts=other.texts)


def test_bluesky_says_when_an_account_may_sign_in_again(servers: Servers) -> None:
    """A server that counts: after 30 sessions in five minutes the next is refused, with the instant to come back at."""
    account = Bluesky.with_new_account(
        os.environ["CAMPAIGN_REAL_BLUESKY_LIMITED"], servers.bluesky.secret, name="sering"
    )
    platform = get("bluesky")

    async def work(http: HttpTransport) -> None:
        limited = Servers(
            wordpress=servers.wordpress, bluesky=account, mastodon=servers.mastodon, matrix=servers.matrix
        )
        for _session in range(31):
            item = on_its_way("bluesky", limited, http, content=parts(f"Kabar {time.time_ns()}"))
            try:
                await platform.check(item)
            except Unavailable:
                break
        else:
            pytest.fail("the server counted nothing")
        failure = await failure_of(platform.publish(item))
        assert isinstance(failure, Unavailable)
        assert failure.status == 429
        assert failure.retry_at is not None
        assert datetime.now(UTC) < failure.retry_at < datetime.now(UTC) + timedelta(minutes=6)

    with_transport(work, name="bluesky")
    assert account.records() == []


@pytest.mark.parametrize("name", ["wordpress", "bluesky", "matrix"])
def test_a_post_is_gone_for_readers_when_it_was_deleted(name: str, servers: Servers) -> None:
    """Deleted by the adapter, and gone by another client's eyes."""
    platform, text = get(name), f"Sementara {time.time_ns()}"
    texts = {
        "wordpress": servers.wordpress.texts,
        "bluesky": servers.bluesky.texts,
        "matrix": servers.matrix.texts,
    }[name]

    async def work(http: HttpTransport) -> None:
        item = on_its_way(name, servers, http, content=parts(text))
        receipt = await platform.publish(item)
        assert sum(text in one for one in texts()) == 1
        await platform.delete(item, receipt)

    with_transport(work)
    assert not any(text in one for one in texts())
