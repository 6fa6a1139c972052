"""The difference between a plan and the ledger, and what ``queue`` makes of it.

The unchanged is told by the hash of its inputs and never rendered. What is out, on its way or uncertain is frozen. New
words that the ledger knows already, for the same account, are a move (same instant, the old name is gone) or a double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from campaign_cli.checks import uses, waivers
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, ngettext
from campaign_cli.ledger.difference import Difference, Double, Drawing, Frozen
from campaign_cli.ledger.gate import Gate
from campaign_cli.ledger.judging import judge_fresh
from campaign_cli.ledger.values import Changes, Known, Move, NewDelivery
from campaign_cli.ledger.words import body_hash
from campaign_cli.models import Draft, Problem, Severity, State

if TYPE_CHECKING:
    from campaign_cli.ledger.store import Ledger
    from campaign_cli.plan.expand import Planned
    from campaign_cli.plan.load import LoadedPlan

__all__ = ["Difference", "Double", "Drawing", "Frozen", "changes", "difference"]

DOUBLE_CODE: Final = "P091"
_EVER: Final = timedelta(days=366)
_CLOCKS_CHANGE: Final = timedelta(hours=1)  # a day may have so much more
_COUNTED: Final = (State.WAITING, State.SENDING, State.UNCERTAIN, State.PUBLISHED)


def difference(
    loaded: LoadedPlan,
    planned: Sequence[Planned],
    renderer: Drawing,
    ledger: Ledger,
    *,
    now: datetime,
    skip_past: bool = False,
) -> Difference:
    """Compare a plan with the ledger; ``now`` is aware. Reads only. Problems are those of what is new or changed."""
    comparing = _Comparing(loaded, renderer, ledger, now=now, skip_past=skip_past)
    return comparing.run(planned)


def changes(found: Difference, *, media: Callable[[str], bytes], with_moves: bool = True) -> Changes:
    """The transaction for a difference; ``media`` gives the prepared bytes of a SHA-256.

    Without ``with_moves``, what was offered as a move is left as it is, under its old name. Raises InputError when an
    error or a new post in the past stands in the way.
    """
    errors = [problem for problem in found.problems if problem.severity is Severity.ERROR]
    if errors:
        raise InputError(_("The plan has errors; nothing was queued."), problems=errors)
    if found.past:
        count = len(found.past)
        message = ngettext(
            "{n} new post is in the past; nothing was queued.",
            "{n} new posts are in the past; nothing was queued.",
            count,
        )
        raise InputError(message.format(n=count), fix=_("Give them another time, or queue the rest with --skip-past."))
    return Changes(
        new=tuple(one for one in found.new if one.key not in found.known),
        changed=(*found.changed, *(one for one in found.new if one.key in found.known)),
        removed=tuple(known.key for known in found.removed),
        moved=tuple(found.moved) if with_moves else (),
        positions=found.positions,
        seen=found.known,
        media=media,
    )


class _Comparing:
    """One comparison, step by step."""

    def __init__(
        self, loaded: LoadedPlan, renderer: Drawing, ledger: Ledger, *, now: datetime, skip_past: bool
    ) -> None:
        self._loaded = loaded
        self._renderer = renderer
        self._ledger = ledger
        self._now = now
        self._skip_past = skip_past
        self._found = Difference(campaign=loaded.plan.campaign, known=ledger.known(loaded.plan.campaign))
        self._gone: dict[str, Known] = {}
        self._fresh: list[tuple[Planned, NewDelivery]] = []
        self._taken: set[str] = set()  # old names that a move has taken
        self._gate = Gate.of(loaded)

    def run(self, planned: Sequence[Planned]) -> Difference:
        found = self._found
        found.problems += self._gate.problems
        wanted = {one.key for one in planned}
        self._gone = {key: known for key, known in found.known.items() if key not in wanted}
        for one in planned:
            self._sort(one)
        alike = _by_words(self._ledger.alike({new.body_hash for _planned, new in self._fresh}))
        staying = [(one, new) for one, new in self._fresh if not self._offer_move(new, alike)]
        current = [(one, new) for one, new in staying if not self._is_past(one)]
        self._refuse_doubles(current, alike)
        self._let_go()
        judge_fresh(found, planned, loaded=self._loaded, drawing=self._renderer, now=self._now)
        self._count_uses({one.key: one for one in planned})
        found.problems = sorted(set(found.problems), key=lambda problem: problem.sort_key)
        return found

    def _sort(self, one: Planned) -> None:
        """Frozen, the same, changed, or to be looked at as new."""
        found, known = self._found, self._found.known.get(one.key)
        input_hash = self._input_hash(one)
        if known is None or known.removed:
            self._add_fresh(one, input_hash)
        elif known.frozen:
            differs = waivers.unmarked(known.input_hash)[1] != input_hash
            found.frozen.append(Frozen(known=known, differs=differs, gone=False))
        elif self._is_same(one, known, input_hash):
            found.same.append(one.key)
            if known.position != one.order:
                found.positions[one.key] = one.order
        elif known.state is State.WAITING and known.due != one.due and self._is_past(one):
            pass  # it keeps its old time
        else:
            new = self._drawn(one, input_hash)
            found.changed += [new] if new else []

    def _is_same(self, one: Planned, known: Known, input_hash: str) -> bool:
        """The inputs are the same, and the waivers that it was queued with still stand."""
        used, queued = waivers.unmarked(known.input_hash)
        return queued == input_hash and (not used or waivers.stands(used, self._loaded, one.index))

    def _add_fresh(self, one: Planned, input_hash: str) -> None:
        problems = len(self._found.problems)
        new = self._drawn(one, input_hash)
        if new is not None:
            self._fresh.append((one, new))
        elif self._is_past(one):
            del self._found.problems[problems:]  # nothing will be made of it

    def _is_past(self, one: Planned) -> bool:
        """Put what lies in the past on its list; False for the rest."""
        if one.due >= self._now:
            return False
        (self._found.skipped if one.recurring or self._skip_past else self._found.past).append(one)
        return True

    def _input_hash(self, one: Planned) -> str:
        labels = self._labels(one)
        base = self._renderer.input_hash(one)
        # Labels and approvals are no content; holds go by the ones, and claims by the others.
        labelled = f"{base}:{','.join(sorted(labels))}" if labels else base
        return labelled + self._gate.mark(one.embargo)

    def _labels(self, one: Planned) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._loaded.plan.labels, *one.post.labels)))

    def _drawn(self, one: Planned, input_hash: str) -> NewDelivery | None:
        draft, problems = self._renderer.draft(one)
        self._found.problems += problems
        if draft is None:
            return None
        new = NewDelivery(
            key=one.key,
            campaign=one.campaign,
            post=one.post_id,
            series=one.post_id.split("@", 1)[0],
            account=one.account.name,
            platform=draft.platform,
            address=draft.address,
            position=one.order,
            due=one.due,
            draft_json=draft.to_json(),
            parts=len(draft.parts),
            content_hash=draft.content_hash(one.due, embargo=one.embargo),
            body_hash=body_hash(draft),
            input_hash=input_hash,
            labels=self._labels(one),
            media=tuple(dict.fromkeys(file.sha256 for file in draft.files)),
            recurring=one.recurring,
            embargo=one.embargo,
        )
        return self._gate.kept(new)

    def _offer_move(self, new: NewDelivery, alike: Mapping[tuple[str, str], list[Known]]) -> bool:
        """The same words at the same instant under a name that is gone here, or in another campaign."""
        if new.key in self._found.known:
            return False
        for old in alike.get((new.address, new.body_hash), ()):
            elsewhere = old.campaign != new.campaign or old.key in self._gone
            movable = old.state not in (State.SENDING, State.UNCERTAIN, State.CANCELLED)
            if elsewhere and movable and old.due == new.due and old.key not in self._taken:
                as_it_is = old.frozen or old.state is not State.WAITING
                self._taken.add(old.key)
                self._found.moved.append(Move(old_key=old.key, delivery=new, as_it_is=as_it_is))
                self._found.known.setdefault(old.key, old)
                return True
        return False

    def _refuse_doubles(
        self, fresh: Iterable[tuple[Planned, NewDelivery]], alike: Mapping[tuple[str, str], list[Known]]
    ) -> None:
        found = self._found
        replaced = {one.key for one in found.changed} | {move.old_key for move in found.moved}
        replaced |= {key for key, known in self._gone.items() if not known.frozen}
        said = {(one.address, one.body_hash): one for one in found.changed}
        for one, new in fresh:
            words = (new.address, new.body_hash)
            others: list[Known | NewDelivery] = [
                old for old in alike.get(words, ()) if old.alive and old.key != new.key and old.key not in replaced
            ]
            others += [said[words]] if words in said else []
            other = next((other for other in others if not _same_series(new, other)), None)
            if other is None or one.post.repeat:
                found.new.append(new)
                said.setdefault(words, new)
            else:
                found.refused.append(Double(key=new.key, other=other.key))
                found.problems.append(self._double(one, other.key))

    def _double(self, one: Planned, other: str) -> Problem:
        return self._loaded.source.problem(
            ("posts", one.index),
            code=DOUBLE_CODE,
            severity=Severity.ERROR,
            message=_("{account} says the same as {other}, which is queued or went out in the last 30 days.").format(
                account=one.account.name, other=other
            ),
            fix=_("Change the text, leave the account out, or write repeat: true."),
        )

    def _count_uses(self, planned: Mapping[str, Planned]) -> None:
        """What the new and the changed take, and whether it fits with what the ledger holds for the same accounts."""
        found = self._found
        drawn = [one for one in (*found.new, *found.changed) if uses.counts(one.platform)]
        for one in drawn:
            found.uses += uses.taken(Draft.from_json(one.draft_json), one.due, post=planned[one.key].index)
        limited = {item.address for item in found.uses if item.use.limit is not None}
        since = min((item.due - (item.use.period or _EVER) - _CLOCKS_CHANGE for item in found.uses), default=None)
        replaced = {one.key for one in drawn} | {one.key for one in found.removed}
        others = [
            item
            for address in limited
            for delivery in self._ledger.deliveries(address=address, state=_COUNTED, since=since, with_drafts=True)
            if delivery.key not in replaced
            for item in uses.taken(delivery.draft, delivery.due)
        ]
        found.problems += uses.beyond([*others, *found.uses], source=self._loaded.source)

    def _let_go(self) -> None:
        """What the plan has lost: the waiting is cancelled, the rest stays as it is."""
        moved = {move.old_key for move in self._found.moved}
        for key, known in self._gone.items():
            if key in moved:
                continue
            if known.frozen:
                self._found.frozen.append(Frozen(known=known, differs=True, gone=True))
            elif known.state is State.WAITING:
                self._found.removed.append(known)


def _same_series(new: NewDelivery, other: Known | NewDelivery) -> bool:
    return new.recurring and other.recurring and (new.campaign, new.series) == (other.campaign, other.series)


def _by_words(rows: Iterable[Known]) -> dict[tuple[str, str], list[Known]]:
    found: dict[tuple[str, str], list[Known]] = {}
    for row in rows:
        found.setdefault((row.address, row.body_hash), []).append(row)
    return found
