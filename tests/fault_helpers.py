"""Deliveries of one network on a stage that misbehaves: each on an account of its own, sent by passes as cron would."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from campaign_cli import platforms
from campaign_cli.accounts import Workspace
from campaign_cli.cli.diagnostics import ExitCode, strongest
from campaign_cli.cli.dispatching import exit_code
from campaign_cli.credentials import Secrets
from campaign_cli.dispatch.compressed import CompressedClock
from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.options import Options
from campaign_cli.dispatch.outcome import Outcome
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.ledger import Changes, Delivery, NewDelivery, open_ledger
from campaign_cli.models import Account, Draft, Part, Picture, Receipt, State, delivery_key
from campaign_cli.platforms.base import Platform
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.stage import stage_accounts, stage_workspace
from campaign_cli.stage.faults import Misbehaviour
from campaign_cli.stage.server import StageServer
from campaign_cli.stage.state import StagePost
from tests.fault_lines import Leads, Line, Sent, distinct
from tests.platform_helpers import content_of, picture
from tests.stage_helpers import file_for, with_least

START = datetime(2030, 5, 1, 1, 0, tzinfo=UTC)
PACE = 47.0
"""Seconds between two passes, at least."""
EAGER = 8
"""Passes that come whether or not the ledger expects one."""
LATE_GRACE = timedelta(days=2)
PATIENCE = 60
"""Passes after which something that still moves counts as moving for ever."""
_CODES = {
    State.UNCERTAIN: ExitCode.UNCERTAIN,
    State.FAILED: ExitCode.FAILED,
    State.MISSED: ExitCode.FAILED,
}


@dataclass
class Theatre:
    """One stage for many scenes: its clock is the scene's that is on."""

    clock: CompressedClock = field(default_factory=lambda: CompressedClock(START))
    server: StageServer = field(init=False)
    closed_port: int = 0
    scenes: int = 0
    empty: Path | None = None  # a workspace whose ledger is new, to be copied

    def __post_init__(self) -> None:
        self.server = StageServer(clock=lambda: self.clock.now(), accounts={})  # noqa: PLW0108 - the clock changes


@contextmanager
def open_theatre(empty: Path) -> Iterator[Theatre]:
    """A stage that listens, a port on which nobody does, and a new ledger in the folder ``empty``."""
    open_ledger(empty, clock=lambda: START).close()
    theatre = Theatre(empty=empty)
    with socket.socket() as taken, theatre.server:  # bound and not listening: it refuses, and nobody else gets it
        taken.bind(("127.0.0.1", 0))
        theatre.closed_port = taken.getsockname()[1]
        yield theatre


@dataclass
class Scene:
    """Accounts of one network, a ledger of its own, and the passes over it.

    The stage remembers earlier scenes, so each has its own accounts there; here they go by the names given.
    """

    root: Path
    theatre: Theatre
    platform: str
    names: Sequence[str]
    time_out: float = 30.0
    late_grace: timedelta = LATE_GRACE
    leads: Mapping[str, Leads] = field(default_factory=dict)
    sent: dict[str, list[Sent]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    native: Mapping[str, Any] = field(default_factory=dict)
    films: tuple[Picture, ...] = ()  # with the first part, in the place of pictures
    chance: Random = field(default_factory=lambda: Random(3))
    told: list[str] = field(default_factory=list)
    orders: list[Misbehaviour] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.adapter: Platform = platforms.get(self.platform)
        self.clock = self.theatre.clock = CompressedClock(START)
        self.server = self.theatre.server
        self.server.app.faults.orders.clear()
        self.theatre.scenes += 1
        self.played = {name: f"{name}-{self.theatre.scenes}" for name in self.names}
        self._names = {full: name for name, full in self.played.items()}
        self.workspace, environment = stage_workspace(
            Workspace(root=self.root, accounts=distinct(self.platform, self.played.values())), self.server.url
        )
        self.secrets = Secrets(environment=environment, root=self.root)
        # of a webhook's address, its last step alone opens it
        addresses = [one for one in environment.values() if "://" in one]
        self.secret_values = sorted({*environment.values(), *(one.rpartition("/")[2] for one in addresses)})
        self.server.state.add_accounts(stage_accounts(self.workspace.accounts, reveal=self.secrets.reveal))
        if self.theatre.empty is not None:  # making one takes longer than everything that is done with it here
            shutil.copytree(self.theatre.empty, self.root, dirs_exist_ok=True)
        self.ledger = open_ledger(self.root, clock=self.clock.now)

    def close(self) -> None:
        """End it; the stage goes on."""
        self.ledger.close()
        self.server.app.faults.orders.clear()

    def misbehave(self, account: str, **order: Any) -> None:
        """Give the stage an order for one account."""
        self.orders.append(Misbehaviour(account=self.played[account], **order))
        self.server.misbehave(self.orders[-1:])

    def queue(self, account: str, *texts: str, post: str = "kabar", **content: Any) -> str:
        """One delivery, due now; its key. The pictures go with its first part; what the network needs, too."""
        new = self.new_delivery(account, *texts, post=post, **content)
        self.ledger.apply(Changes(new=(new,), media=content_of), actor="uji")
        self.keys[f"{account}/{post}"] = new.key
        return new.key

    def new_delivery(
        self,
        account: str,
        *texts: str,
        post: str = "kabar",
        pictures: int = 0,
        native: Mapping[str, Any] | None = None,
    ) -> NewDelivery:
        """The same, not queued yet."""
        file, mime = file_for(self.platform, 640, 480)
        media = self.films or tuple(picture(file, alt=f"Gambar {number}", mime=mime) for number in range(pictures))
        parts = tuple(Part(text=text, media=media if number == 0 else ()) for number, text in enumerate(texts))
        parts, _least = with_least(self.platform, parts)
        full = self.played[account]
        address = self.adapter.address(self.workspace.accounts[full])
        draft = Draft(
            platform=self.platform,
            account=full,
            address=address,
            language="id",
            parts=parts,
            visibility=next(iter(self.adapter.visibilities), None),
            native=native or self.native,
        )
        key, due = delivery_key("uji", post, full), self.clock.now()
        return NewDelivery(
            key=key,
            campaign="uji",
            post=post,
            series=post,
            account=full,
            platform=self.platform,
            address=address,
            position=len(self.keys),
            due=due,
            draft_json=draft.to_json(),
            parts=len(parts),
            content_hash=draft.content_hash(due),
            body_hash=key,
            input_hash=key,
            media=tuple(_digests(draft.files)),
        )

    def publish(self, *, stay: timedelta | None = None) -> Outcome:
        """One pass by a process of its own; with ``stay`` it is there for so long, as for a night."""
        dispatcher = Dispatcher(
            ledger=self.ledger,
            workspace=self.workspace,
            secrets=self.secrets,
            clock=self.clock.now,
            sleep=self.clock.sleep,
            transport=self._transport,
            options=Options(worker="uji:1", late_grace=self.late_grace, lockstep=True),
            chance=self.chance,
        )
        return asyncio.run(publish_pass(dispatcher, until=None if stay is None else self.clock.now() + stay))

    def _transport(self, account: Account) -> Line | HttpTransport:
        http = HttpTransport(
            redact=self.secrets.redact,
            now=self.clock.now,
            pause_until=self.adapter.pause_until,
            time_out=self.time_out,
            fresh_connections=self.adapter.blind(account),
        )
        name = self._names.get(account.name)
        if name is None:  # the site that holds media for the network
            return http
        sent = self.sent.setdefault(name, [])
        return Line(http, self.clock.now, sent, self.leads.get(name, lambda _log: None))

    def settle(self, *, eager: bool = False, stay: timedelta | None = None) -> list[str]:
        """Pass after pass until nothing moves; ``eager``: at first more often than the ledger asks for.

        Says what was wrong.
        """
        wrong: list[str] = []
        for number in range(PATIENCE):
            outcome = self.publish(stay=stay)
            self.told += [result.error for result in outcome.results]
            wrong += self._disagreements(outcome)
            wake = self.ledger.next_wake()
            if wake is None:
                return wrong
            ahead = 0.0 if eager and number < EAGER else (wake - self.clock.now()).total_seconds()
            asyncio.run(self.clock.sleep(max(ahead, PACE)))
        moving = [f"{key}: {one.state.value}: {one.error}" for key, one in self.deliveries().items() if _open(one)]
        return [*wrong, f"still moving after {PATIENCE} passes: {moving}"]

    def _disagreements(self, outcome: Outcome) -> list[str]:
        """Where what the pass says, or its exit code, is not what the ledger says."""
        ledger = {one.key: one for one in self.deliveries().values()}
        wrong = [
            f"{result.key}: the pass says {result.state.value}, the ledger {ledger[result.key].state.value}"
            for result in outcome.results
            if ledger[result.key].state is not result.state
        ]
        codes = [
            ExitCode.CREDENTIALS if result.credential else _CODES.get(ledger[result.key].state, ExitCode.DONE)
            for result in outcome.results
        ]
        if exit_code(outcome) is not strongest(codes):
            wrong.append(f"exit code {exit_code(outcome)!r}, but {strongest(codes)!r} by the ledger")
        return wrong

    def deliveries(self) -> dict[str, Delivery]:
        """Every delivery by ``account/post``."""
        found = {one.key: one for one in self.ledger.deliveries(keys=list(self.keys.values()))}
        return {name: found[key] for name, key in self.keys.items()}

    def kept(self, account: str) -> list[StagePost]:
        """What the network holds of an account, drafts too, in the order of arrival."""
        full = self.played[account]
        return [post for post in self.server.state.posts if post.account == full and post.status != "deleted"]

    def posts(self, account: str) -> list[StagePost]:
        """What is public on an account."""
        return [post for post in self.kept(account) if post.status == "published"]

    def showing(self, account: str, text: str) -> list[StagePost]:
        """The public posts that say this."""
        return [post for post in self.posts(account) if text in f"{post.title}\n{post.text}"]

    def leaks(self, *more: str) -> list[str]:
        """Texts for people, or of the log, that hold a secret."""
        texts = [*more, *self.told, *(one.error for one in self.deliveries().values())]
        texts += [str(event.data) for event in self.ledger.events()]
        return [text for text in texts if any(secret in text for secret in self.secret_values)]


def decide_as_a_person(scene: Scene, texts: Mapping[str, Sequence[str]]) -> list[str]:
    """Look at the network as a person would, resolve what is uncertain, retry what failed; the names of those.

    ``texts``: the parts of each delivery by ``account/post``.
    """
    decided = []
    for name, delivery in scene.deliveries().items():
        account = name.partition("/")[0]
        if delivery.state is State.UNCERTAIN:
            text = texts[name][len(delivery.receipts)]
            own = [one for other, one in scene.deliveries().items() if other.startswith(f"{account}/")]
            known = {receipt.id for one in own for receipt in one.receipts}
            out = [post for post in scene.showing(account, text) if post.id not in known]
            if out:
                url = scene.server.url + out[0].path
                receipt = Receipt(part=0, id=out[0].id, url=url, at=scene.clock.now())
                scene.ledger.resolve(delivery.key, published_url=url, receipt=receipt, actor="siti")
            else:
                scene.ledger.resolve(delivery.key, not_published=True, actor="siti")
        elif delivery.state is State.FAILED:
            scene.ledger.retry([delivery.key], actor="siti")
        else:
            continue
        decided.append(name)
    return decided


def _digests(media: Iterable[Picture]) -> dict[str, None]:
    return dict.fromkeys(one.sha256 for one in media)


def _open(delivery: Delivery) -> bool:
    return delivery.state in (State.WAITING, State.SENDING) or (
        delivery.state is State.UNCERTAIN and delivery.next_try is not None
    )
