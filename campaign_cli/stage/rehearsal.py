"""A whole plan on the stage: queued into a ledger that is thrown away, published on a clock that jumps, and compared.

Everything between the plan and the sockets is what ``queue`` and ``publish`` use. Only the addresses, the secrets,
the clock and the ledger's place differ. Nothing stays behind: the ledger lies in a temporary folder, the stage ends
with the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from campaign_cli.accounts import cached_limits
from campaign_cli.credentials import Secrets
from campaign_cli.dispatch.by_hand import folder_name
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Receipt, Severity, State
from campaign_cli.platforms import PLATFORMS
from campaign_cli.platforms.first_comment import wanted
from campaign_cli.stage import stage_accounts, stage_workspace
from campaign_cli.stage.comparing import difference_of, first_comments, post_of
from campaign_cli.stage.faults import parse_misbehaviour
from campaign_cli.stage.rehearsed import Rehearsal, Row, Stray

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.content.media import MediaStore
    from campaign_cli.dispatch.compressed import CompressedClock
    from campaign_cli.dispatch.outcome import Outcome, Result
    from campaign_cli.ledger import Delivery, Ledger
    from campaign_cli.plan import LoadedPlan, Planned
    from campaign_cli.stage.server import StageServer

BEFORE: Final = timedelta(minutes=1)
"""How long before the first post the rehearsal's clock begins."""
AFTER: Final = timedelta(hours=24)
"""How long after the last post it goes on: for retries, pauses that a network asked for, and look-ups."""


def rehearse(  # noqa: PLR0913 - the ports of a rehearsal, all by name
    path: Path,
    workspace: Workspace,
    *,
    now: datetime,
    workspace_problems: Sequence[Problem] = (),
    misbehave: Sequence[str] = (),
    say: Callable[[str], None] = lambda _text: None,
    media: MediaStore | None = None,
) -> Rehearsal:
    """Publish the plan at ``path`` on a stage of its own and compare what arrived.

    The clock begins just before the plan's first post, whatever ``now`` (aware) is; a plan without posts begins now.
    ``misbehave`` is as ``faults.parse_misbehaviour`` reads it; ``say`` is told in short sentences how far it is;
    ``media`` are the workspace's, as ``queue`` prepares them. Raises InputError with every problem when the plan or the
    accounts have errors, and LedgerError.
    """
    from campaign_cli.content.media import MediaStore
    from campaign_cli.dispatch.compressed import CompressedClock
    from campaign_cli.stage.server import StageServer

    _stop_at_errors(workspace_problems)
    orders = [parse_misbehaviour(text, platforms=PLATFORMS) for text in misbehave]
    loaded, planned, problems = _read(path, workspace)
    clock = CompressedClock(min((one.due for one in planned), default=now) - BEFORE)
    say(_("The stage opens."))
    with TemporaryDirectory(prefix="campaign-rehearsal-") as folder, StageServer(clock=clock.now) as server:
        staged, environment = stage_workspace(workspace, server.url)
        secrets = Secrets(environment=environment, root=Path(folder))
        known = cached_limits(workspace)
        limits = {name: found for name, data in known.items() if isinstance(found := data.get("limits"), Mapping)}
        software = {name: str(data.get("software") or "") for name, data in known.items()}
        server.state.add_accounts(
            stage_accounts(staged.accounts, reveal=secrets.reveal, limits=limits, software=software)
        )
        server.misbehave(orders)
        run = _Run(
            server=server,
            workspace=staged,
            secrets=secrets,
            clock=clock,
            say=say,
            media=media or MediaStore(workspace.root),
        )
        return run.perform(Path(folder), run.moved(loaded), planned, problems)


@dataclass(kw_only=True)
class _Run:
    """One rehearsal under way; also the engine's ``Progress``."""

    server: StageServer
    workspace: Workspace
    secrets: Secrets
    clock: CompressedClock
    say: Callable[[str], None]
    media: MediaStore
    by_hand: dict[str, tuple[datetime, Mapping[str, bytes]]] = field(default_factory=dict)
    total: int = 0
    done: int = 0

    def moved(self, loaded: LoadedPlan) -> LoadedPlan:
        """The plan on the stage's accounts; nobody signs a rehearsal."""
        return replace(loaded, workspace=self.workspace, plan=loaded.plan.model_copy(update={"approval": 0}))

    def perform(
        self, folder: Path, loaded: LoadedPlan, planned: Sequence[Planned], problems: Sequence[Problem]
    ) -> Rehearsal:
        """Queue, publish, compare."""
        from campaign_cli.ledger import open_ledger

        moved = [replace(one, account=self.workspace.accounts[one.account.name]) for one in planned]
        with open_ledger(folder, clock=self.clock.now) as ledger:
            more = self._queue(ledger, loaded, moved)
            until = max((one.due for one in planned), default=self.clock.now()) + AFTER
            outcome = asyncio.run(self._publish(ledger, until))
            self.say(_("Comparing what arrived with what was written …"))
            deliveries = ledger.deliveries(with_drafts=True)
            digests = {one.sha256 for each in deliveries for one in each.draft.pictures if not one.is_video}
            pictures = {digest: ledger.media(digest) for digest in digests}
        return Rehearsal(
            title=loaded.plan.title or loaded.plan.campaign,
            campaign=loaded.plan.campaign,
            file=loaded.source.file,
            zone=loaded.zone,
            day=loaded.day,
            rows=tuple(row for delivery in deliveries for row in self._rows(delivery)),
            strays=self._strays(deliveries),
            deliveries=tuple(self._on_stage(delivery) for delivery in deliveries),
            outcome=outcome,
            workspace=self.workspace,
            pictures=pictures,
            problems=(*problems, *more),
            faults=dict(self.server.state.faults),
        )

    def _queue(self, ledger: Ledger, loaded: LoadedPlan, planned: Sequence[Planned]) -> list[Problem]:
        """Everything into the ledger; the warnings of rendering. Raises InputError with all problems of it."""
        from campaign_cli.content.drafts import Renderer
        from campaign_cli.ledger.queueing import changes, difference

        self.say(_("Queueing {n} deliveries …").format(n=len(planned)))
        renderer = Renderer(loaded, media=self.media, templates=self.workspace.root / "templates" / "posts")
        found = difference(loaded, planned, renderer, ledger, now=self.clock.now())
        _stop_at_errors(found.problems)
        ledger.apply(changes(found, media=self.media.content), actor="rehearsal")
        self.total = len(planned)
        return found.problems

    async def _publish(self, ledger: Ledger, until: datetime) -> Outcome:
        """The very pass that ``publish`` makes, on the clock that jumps."""
        from campaign_cli.dispatch.access import transport_for
        from campaign_cli.dispatch.engine import Dispatcher
        from campaign_cli.dispatch.options import Options
        from campaign_cli.dispatch.publish import publish_pass

        grace = self.workspace.rules.late_grace
        dispatcher = Dispatcher(
            ledger=ledger,
            workspace=self.workspace,
            secrets=self.secrets,
            clock=self.clock.now,
            sleep=self.clock.sleep,
            transport=partial(transport_for, secrets=self.secrets, clock=self.clock.now),
            options=Options(worker="rehearsal", late_grace=grace, lockstep=True),
            progress=self,
            hand_over=self._keep_for_a_person,
            chance=Random(0),  # noqa: S311 - spreads retries; the same in every rehearsal
        )
        outcome = await publish_pass(dispatcher, until=until)
        self._post_by_hand(ledger, outcome)
        return outcome

    async def _keep_for_a_person(self, key: str, files: Mapping[str, bytes]) -> str:
        """What is laid out stays here: a rehearsal writes into no folder."""
        self.by_hand[key] = self.clock.now(), files
        return folder_name(key)

    def _post_by_hand(self, ledger: Ledger, outcome: Outcome) -> None:
        """Play the person who posts what was laid out, and says so."""
        from campaign_cli.dispatch.outcome import Result
        from campaign_cli.stage.manual import posted_by_hand

        for delivery in ledger.deliveries(keys=list(self.by_hand), state=State.UNCERTAIN):
            at, files = self.by_hand[delivery.key]
            post = posted_by_hand(self.server.state, self.server.state.accounts[delivery.account], files, at=at)
            receipt = Receipt(part=0, id=post.id, url=None, at=at)
            ledger.resolve(delivery.key, published_url="", receipt=receipt, actor="rehearsal")
            outcome.record(Result(key=delivery.key, state=State.PUBLISHED))

    def _rows(self, delivery: Delivery) -> list[Row]:
        receipts = {receipt.part: receipt for receipt in delivery.receipts}
        rows = []
        for number, part in enumerate(delivery.draft.parts):
            receipt = receipts.get(number)
            post = post_of(self.server.state, delivery.account, receipt) if receipt else None
            differences: tuple[str, ...] = ()
            if receipt is not None:
                differences = (*difference_of(delivery.draft, number, post), *filter(None, (delivery.error,)))
            rows.append(
                Row(
                    key=delivery.key,
                    post=delivery.post,
                    account=delivery.account,
                    platform=delivery.platform,
                    part=number,
                    parts=len(delivery.draft.parts),
                    planned=delivery.due,
                    at=receipt.at if receipt else None,
                    state=State.PUBLISHED if receipt else delivery.state,
                    url=self.server.url + post.path if post else "",
                    text=part.text,
                    error="" if receipt else delivery.error,
                    differences=differences,
                )
            )
        return rows

    def _strays(self, deliveries: Sequence[Delivery]) -> tuple[Stray, ...]:
        found = [
            (post, wanted(delivery.draft))
            for delivery in deliveries
            for receipt in delivery.receipts
            if (post := post_of(self.server.state, delivery.account, receipt)) is not None
        ]
        known = {post.number for post, _comment in found}
        known |= {one.number for one in first_comments(self.server.state, found)}
        return tuple(
            Stray(account=post.account, platform=post.platform, text=post.text, url=self.server.url + post.path)
            for post in self.server.state.posts
            if post.status == "published" and post.number not in known
        )

    def _on_stage(self, delivery: Delivery) -> Delivery:
        """Receipts with the stage's pages: networks whose permalinks are built from an id would name the real
        address."""
        receipts = []
        for receipt in delivery.receipts:
            post = post_of(self.server.state, delivery.account, receipt)
            receipts.append(replace(receipt, url=self.server.url + post.path) if post else receipt)
        return replace(delivery, receipts=tuple(receipts))

    def started(self, key: str, *, due: datetime) -> None:
        """Progress: quiet."""

    def uploaded(self, key: str, *, done: int, total: int) -> None:
        """Progress: quiet."""

    def looking(self, key: str) -> None:
        """Progress: a look-up."""
        self.say(_("Looking up {key} …").format(key=key))

    def settled(self, result: Result) -> None:
        """Progress: one more is out, or can't be."""
        if result.state in (State.PUBLISHED, State.FAILED, State.MISSED) or result.key in self.by_hand:
            self.done += 1
        self.say(_("{done} of {total}: {key}").format(done=self.done, total=self.total, key=result.key))

    def sleeping(self, until: datetime | None) -> None:
        """Progress: the clock jumps."""

    def warned(self, message: str) -> None:
        """Progress: something beside the deliveries."""
        self.say(message)


def _read(path: Path, workspace: Workspace) -> tuple[LoadedPlan, list[Planned], list[Problem]]:
    """The plan, its deliveries and its warnings. Raises InputError with every problem."""
    from campaign_cli.plan import expand, load_plan

    loaded, problems = load_plan(path, workspace)
    planned: list[Planned] = []
    if loaded is not None:
        planned, more = expand(loaded)
        problems = [*problems, *more]
    _stop_at_errors(problems)
    if loaded is None:
        raise InputError(_("The plan can't be read."), problems=problems)
    return loaded, planned, problems


def _stop_at_errors(problems: Sequence[Problem]) -> None:
    if any(problem.severity is Severity.ERROR for problem in problems):
        ordered = sorted(problems, key=lambda problem: problem.sort_key)
        raise InputError(_("There are errors; nothing was rehearsed."), problems=ordered)
