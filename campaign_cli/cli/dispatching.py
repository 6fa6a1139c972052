"""What `publish`, `run` and `post` share: a dispatcher over the real clock and network, and its exit code."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Collection
from datetime import UTC, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

from campaign_cli.cli.context import Context, now
from campaign_cli.cli.diagnostics import ExitCode, strongest
from campaign_cli.cli.output import rfc3339

if TYPE_CHECKING:
    from campaign_cli.dispatch.engine import Dispatcher
    from campaign_cli.dispatch.outcome import Outcome
    from campaign_cli.dispatch.progress import Progress
    from campaign_cli.ledger import Ledger


def dispatcher(
    context: Context,
    ledger: Ledger,
    *,
    progress: Progress,
    grace: timedelta | None = None,
    only: Collection[str] | None = None,
) -> Dispatcher:
    """A dispatcher for this process; used once, inside a running event loop."""
    from campaign_cli.dispatch.access import transport_for
    from campaign_cli.dispatch.engine import Dispatcher
    from campaign_cli.dispatch.notify import Notifier
    from campaign_cli.dispatch.options import Options

    return Dispatcher(
        ledger=ledger,
        workspace=context.workspace,
        secrets=context.secrets,
        clock=now,
        sleep=asyncio.sleep,
        transport=partial(transport_for, secrets=context.secrets, clock=now, trust_environment=True),
        options=Options(
            worker=f"{socket.gethostname()}:{os.getpid()}",
            late_grace=grace if grace is not None else context.workspace.rules.late_grace,
            only=only,
        ),
        notifier=Notifier(references=context.workspace.notify, secrets=context.secrets),
        progress=progress,
    )


def exit_code(outcome: Outcome) -> ExitCode:
    """The exit code of a pass or a run: it speaks of its own deliveries alone."""
    refused = outcome.failed - outcome.unauthorized
    return strongest(
        code
        for code, found in (
            (ExitCode.UNCERTAIN, outcome.uncertain),
            (ExitCode.CREDENTIALS, outcome.unauthorized),
            (ExitCode.FAILED, refused + outcome.missed),
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


def shared_zone(context: Context) -> tzinfo:
    """The zone that all accounts share, for showing; UTC when they differ."""
    zones = {account.timezone for account in context.workspace.accounts.values() if account.timezone}
    return zones.pop() if len(zones) == 1 else UTC
