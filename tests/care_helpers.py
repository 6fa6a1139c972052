"""A workspace on a stage whose ledger can be backed up, lost and restored; time passes only when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import backends
from backends import place
from staged import Staged, staged

from campaign_cli import platforms
from campaign_cli.credentials import Secrets, load_environment
from campaign_cli.dispatch.access import transport_for
from campaign_cli.dispatch.compressed import CompressedClock
from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.options import Options
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.ledger import Changes, NewDelivery, open_ledger
from campaign_cli.ledger.files import ledger_file
from campaign_cli.ledger.replacing import Restored
from campaign_cli.ledger.restore import Place, prepared
from campaign_cli.ledger.store import Ledger
from campaign_cli.models import Draft, Part, State, delivery_key
from campaign_cli.plan import open_workspace

START = datetime(2030, 5, 1, 1, 0, tzinfo=UTC)
GRACE = timedelta(minutes=30)
NETWORKS = ("mastodon", "bluesky", "web", "papua")


def asks(platform: str) -> bool:
    """Which networks can be asked: what the adapters say of themselves."""
    return platforms.get(platform).proof.look_up


def place_of(root: Path, clock: Any) -> Place:
    """Where the ledger of a test's workspace lives."""
    return Place(root=root, clock=clock, **place(root))


def restore(root: Path, clock: Any, file: Path, *, adopt: bool = False, **options: Any) -> Restored:
    """Restore a backup as the command does, without a question."""
    with prepared(place_of(root, clock), file, adopt=adopt) as backup:
        return backup.restore(actor="siti", asks=options.pop("asks", asks), **options)


@dataclass
class Stage:
    """The stage, a clock that jumps, and passes over the workspace's ledger."""

    stage: Staged
    clock: CompressedClock
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.stage.root

    def __post_init__(self) -> None:
        self.workspace, _problems = open_workspace(self.root)
        environment, _ = load_environment(self.root, {})
        self.secrets = Secrets(environment=environment, root=self.root)

    def open(self) -> Ledger:
        return open_ledger(self.root, clock=self.clock.now, **place(self.root))

    def queue(self, account: str, post: str, *texts: str, due: timedelta = timedelta(0)) -> str:
        """One delivery; its key."""
        platform = self.workspace.accounts[account].platform
        address = platforms.get(platform).address(self.workspace.accounts[account])
        parts = tuple(Part(text=text) for text in texts or (f"Upah layak: {post} di {account}.",))
        native = {"title": f"Kabar {post}", "slug": post} if platform == "wordpress" else {}
        draft = Draft(platform=platform, account=account, address=address, language="id", parts=parts, native=native)
        key, at = delivery_key("upah", post, account), START + due
        new = NewDelivery(
            key=key,
            campaign="upah",
            post=post,
            series=post,
            account=account,
            platform=platform,
            address=address,
            position=len(self.keys),
            due=at,
            draft_json=draft.to_json(),
            parts=len(parts),
            content_hash=draft.content_hash(at),
            body_hash=key,
            input_hash=key,
        )
        with self.open() as ledger:
            ledger.apply(Changes(new=(new,)), actor="siti")
        self.keys[f"{post}/{account}"] = key
        return key

    def publish(self, **stay: float) -> None:
        """One pass by a process of its own, which stays for so long."""
        until = self.clock.now() + timedelta(**stay) if stay else None
        with self.open() as ledger:
            dispatcher = Dispatcher(
                ledger=ledger,
                workspace=self.workspace,
                secrets=self.secrets,
                clock=self.clock.now,
                sleep=self.clock.sleep,
                transport=partial(transport_for, secrets=self.secrets, clock=self.clock.now),
                options=Options(worker="uji:1", late_grace=GRACE, lockstep=True),
                chance=Random(3),
            )
            asyncio.run(publish_pass(dispatcher, until=until))
        if until is not None:  # a pass with nothing more to do ends early
            asyncio.run(self.clock.sleep((until - self.clock.now()).total_seconds()))

    def later(self, **span: float) -> None:
        asyncio.run(self.clock.sleep(timedelta(**span).total_seconds()))

    def states(self) -> dict[str, State]:
        """By ``post/account``."""
        with self.open() as ledger:
            found = {one.key: one.state for one in ledger.deliveries()}
        return {name: found[key] for name, key in self.keys.items() if key in found}

    def texts(self, account: str) -> list[str]:
        """What is public on the stage, sorted."""
        return sorted(post.text for post in self.stage.posts(account))

    def lose(self) -> None:
        """The ledger is gone: its file, or its database on the server."""
        if backends.server is not None:
            backends.forget(self.root)
            return
        path = ledger_file(self.root)
        for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            name.unlink(missing_ok=True)

    def restore(self, file: Path, **options: Any) -> Restored:
        return restore(self.root, self.clock.now, file, **options)


@contextmanager
def on_stage(root: Path) -> Iterator[Stage]:
    """A workspace at ``root`` with an account on each network."""
    clock = CompressedClock(START)
    with staged(root, clock=clock.now) as stage:
        yield Stage(stage, clock)
