"""What `publish`, `run` and `post` share: a dispatcher over the real clock and network, and its exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import Callable, Collection, Coroutine
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from campaign_cli.cli import diagnostics
from campaign_cli.cli.context import Context, now, open_context
from campaign_cli.cli.diagnostics import ExitCode, strongest
from campaign_cli.cli.output import rfc3339
from campaign_cli.cli.progress import LogFormat, progress
from campaign_cli.cli.words import shared_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, ngettext

if TYPE_CHECKING:
    from campaign_cli.dispatch.engine import Dispatcher
    from campaign_cli.dispatch.outcome import Outcome
    from campaign_cli.dispatch.progress import Progress
    from campaign_cli.ledger import Ledger


_QUIET_SECONDS: Final = 0.5
T = TypeVar("T")


def dispatcher(
    context: Context,
    ledger: Ledger,
    *,
    progress: Progress,
    grace: timedelta | None = None,
    only: Collection[str] | None = None,
    outcome: Outcome | None = None,
    handed: bool = False,
) -> Dispatcher:
    """A dispatcher for this process; used once, inside a running event loop. ``outcome`` is an earlier one's.

    One that is ``handed`` its keys shares the work with others in small pieces, and leaves notices to the clock.
    """
    from campaign_cli.dispatch.access import keeper_for, transport_for
    from campaign_cli.dispatch.engine import Dispatcher
    from campaign_cli.dispatch.notify import Notifier
    from campaign_cli.dispatch.options import BATCH, HANDED_BATCH, Options

    return Dispatcher(
        ledger=ledger,
        workspace=context.workspace,
        secrets=context.secrets,
        clock=ledger.clock,
        sleep=asyncio.sleep,
        transport=partial(transport_for, secrets=context.secrets, clock=ledger.clock, trust_environment=True),
        options=Options(
            worker=f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}",  # no other dispatcher's, ever
            late_grace=grace if grace is not None else context.workspace.rules.late_grace,
            only=only,
            batch=HANDED_BATCH if handed else BATCH,
        ),
        notifier=None if handed else Notifier(references=context.workspace.notify, secrets=context.secrets),
        progress=progress,
        outcome=outcome,
        signers=context.signers(),
        keeper=keeper_for(context.secrets, clock=ledger.clock, trust_environment=True),
    )


def shared_database(context: Context) -> str:
    """The address of the database server that clocks and workers share. Raises InputError where there is none."""
    if context.database is None:
        raise InputError(
            _("Workers need a ledger on a PostgreSQL server, and CAMPAIGN_DATABASE_URL is not set."),
            fix=_(
                "Set CAMPAIGN_DATABASE_URL=postgresql://USER:PASSWORD@HOST/DATABASE (or write it into .env) on every "
                "machine. On a single machine, `campaign run` alone sends everything."
            ),
        )
    return context.database


class Edition:
    """accounts.yaml and .env as a long-running process last read them: what was queued for a new account must not fail
    because the process is older than the account."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._read = self._stamp()

    def outdated(self) -> bool:
        """Whether a file has changed since."""
        return self._stamp() != self._read

    async def renew(self) -> None:
        """Read them again, once nobody writes any more. With errors in them, the accounts stay as they were."""
        while self._read != (stamp := self._stamp()):
            self._read = stamp
            await asyncio.sleep(_QUIET_SECONDS)
        fresh = open_context(self.context.root)
        try:
            fresh.require_accounts()
        except InputError as error:
            diagnostics.warn(_("accounts.yaml has errors; the accounts stay as they were until it is corrected."))
            diagnostics.show_problems(error.problems)
        else:
            self.context = fresh

    def redact(self, text: str) -> str:
        """Without the secrets of today."""
        return self.context.secrets.redact(text)

    def _stamp(self) -> tuple[object, ...]:
        return tuple(_stamp(self.context.root / name) for name in ("accounts.yaml", ".env"))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def stop_on(*signals: signal.Signals) -> asyncio.Event:
    """An event that these signals set: what is on the wire ends first. The second one ends it at once."""
    stop, loop, task = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()

    def stopped() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in signals:
        loop.add_signal_handler(number, stopped)
    return stop


def keep_running(
    context: Context,
    work: Callable[[Edition, Ledger, Progress], Coroutine[Any, Any, Outcome]],
    *,
    log_format: LogFormat,
) -> int:
    """``work`` until a signal ends it, over the workspace's ledger and with its progress shown; the exit code."""
    edition = Edition(context)
    with (
        context.ledger(create=True) as ledger,
        progress(log_format, file=None, now=now, zone=shared_zone(context), redact=edition.redact) as shown,
    ):
        outcome = interruptible(work(edition, ledger, shown))
    diagnostics.say(_("Stopped cleanly: {counts}.").format(counts=summary(outcome)))
    return int(exit_code(outcome))


def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end. Raises KeyboardInterrupt when a second signal cut it off."""
    try:
        return asyncio.run(work)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def exit_code(outcome: Outcome) -> ExitCode:
    """The exit code of a pass or a run: it speaks of its own deliveries alone."""
    return strongest(
        code
        for code, found in (
            (ExitCode.UNCERTAIN, outcome.uncertain),
            (ExitCode.CREDENTIALS, outcome.unauthorized),
            (ExitCode.FAILED, outcome.refused + outcome.missed),
            (ExitCode.HELD, outcome.held),
        )
        if found > 0
    )


def as_json(outcome: Outcome) -> dict[str, Any]:
    """What a pass did, as one JSON document."""
    return {
        "at": rfc3339(now()),
        "counts": {**outcome.counts, "held": outcome.held},
        "deliveries": [
            {"key": r.key, "state": "held" if r.held else r.state.value, "url": r.url, "error": r.error or None}
            for r in outcome.results
        ],
    }


def summary(outcome: Outcome) -> str:
    """``12 published, 1 failed`` in the user's language."""
    words = [ngettext("{n} published", "{n} published", outcome.published).format(n=outcome.published)]
    for count, text in (
        (outcome.failed, _("{n} failed")),
        (outcome.missed, _("{n} missed")),
        (outcome.uncertain, _("{n} uncertain")),
        (outcome.held, _("{n} held")),
        (outcome.waiting, _("{n} waiting for another try")),
    ):
        if count:
            words.append(text.format(n=count))
    return ", ".join(words)
