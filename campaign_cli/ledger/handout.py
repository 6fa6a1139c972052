"""What a claim hands out, made from rows: the frozen draft, and what is known of each part so far."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection, Row

from campaign_cli.ledger import statements
from campaign_cli.ledger.base import chunks
from campaign_cli.ledger.queries import receipt_of
from campaign_cli.ledger.schema import instant, instant_or_none
from campaign_cli.ledger.values import Claim
from campaign_cli.models import LASTING, Draft, Receipt, attempt_key


def attempt_row(row: Row[Any], *, part: int, worker: str, at: int, marked: bool) -> dict[str, Any]:
    """A new row of ``attempts`` for one part of a row of ``deliveries``.

    ``left_at`` is 0 where it will be ``marked`` when a request leaves, and None where it won't: that says nothing.
    """
    return {
        "delivery": row.key,
        "part": part,
        "generation": row.generation,
        "attempt_key": attempt_key(row.key, row.content_hash, part, row.generation),
        "worker": worker,
        "started_at": at,
        "left_at": 0 if marked else None,
    }


def first_unsent(parts: int, receipts: Collection[Receipt]) -> int:
    """The first part without a receipt; ``parts`` when there is none."""
    sent = {receipt.part for receipt in receipts}
    return next((part for part in range(parts) if part not in sent), parts)


def receipts_by_key(connection: Connection, rows: Sequence[Row[Any]]) -> Mapping[str, tuple[Receipt, ...]]:
    """Receipts by delivery key, in part order."""
    found: dict[str, tuple[Receipt, ...]] = {}
    for some in chunks(row.key for row in rows):
        for row in connection.execute(statements.RECEIPTS, {"the_keys": some}):
            found[row.delivery] = (*found.get(row.delivery, ()), receipt_of(row))
    return found


def claims_of(
    connection: Connection,
    rows: Sequence[Row[Any]],
    proofs: Mapping[str, tuple[Receipt, ...]],
    *,
    drafts: Mapping[str, Draft],
    begun: Sequence[Mapping[str, Any]] = (),
) -> list[Claim]:
    """Claims from rows and receipts; ``begun`` are the attempts that were begun just now, if any."""
    starts: dict[str, list[int]] = defaultdict(list)
    kept: dict[tuple[str, int | None], dict[int, dict[str, Any]]] = defaultdict(dict)
    for attempt in begun:
        starts[attempt["attempt_key"]].append(attempt["started_at"])
    # What is begun for the first time has no other attempt, and no step.
    older = [row.key for row in rows if row.attempts > 1 or not begun]
    for some in chunks(older):
        steps = connection.execute(statements.STEPS, {"the_keys": some}).all()
        for step in sorted(steps, key=lambda step: step.generation):  # of what lasts, the newest counts
            generation = None if step.name.startswith(LASTING) else step.generation
            kept[step.delivery, generation].setdefault(step.part, {})[step.name] = json.loads(step.value)
        for key, started in connection.execute(statements.STARTS, {"the_keys": some}):
            starts[key].append(started)
    return [
        _claim(
            row,
            draft=drafts[row.key],
            receipts=proofs.get(row.key, ()),
            steps=_together(kept.get((row.key, None), {}), kept.get((row.key, row.generation), {})),
            starts=starts,
        )
        for row in rows
    ]


def _together(lasting: Mapping[int, dict[str, Any]], own: Mapping[int, dict[str, Any]]) -> Mapping[int, dict[str, Any]]:
    """The steps of every generation that last, and those of this one, by part."""
    return {part: {**lasting.get(part, {}), **own.get(part, {})} for part in {*lasting, *own}} if lasting else own


def _claim(
    row: Row[Any],
    *,
    draft: Draft,
    receipts: tuple[Receipt, ...],
    steps: Mapping[int, dict[str, Any]],
    starts: Mapping[str, list[int]],
) -> Claim:
    part = first_unsent(row.parts, receipts)
    began = starts.get(attempt_key(row.key, row.content_hash, part, row.generation), [])
    return Claim(
        key=row.key,
        campaign=row.campaign,
        post=row.post,
        account=row.account,
        platform=row.platform,
        address=row.address,
        draft=draft,
        due=instant(row.due),
        token=row.token,
        generation=row.generation,
        content_hash=row.content_hash,
        receipts=receipts,
        steps=steps,
        attempts=row.tries,
        first_attempt_at=instant_or_none(min(began, default=None)),
        attempt_started_at=instant_or_none(max(began, default=None)),
        lease_until=instant(row.lease_until),
        restored=row.restored_from is not None,
        embargo=instant_or_none(row.embargo),
        signed=bool(row.signed),
    )
