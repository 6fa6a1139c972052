"""What a plan and its workspace ask for before anything of the plan may go out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from campaign_cli.models import Problem, State
from campaign_cli.signatures import person_of

if TYPE_CHECKING:
    from campaign_cli.accounts import Rules
    from campaign_cli.ledger.values import Delivery, NewDelivery
    from campaign_cli.plan.load import LoadedPlan

_OF_TWO: Final = 2
"""People who must have approved what names no author, where that person may not be the only one: one is another."""


class Demands(NamedTuple):
    """What the rules of a workspace ask for today: how many approvals, signed ones, by another than the author."""

    approval: int = 0
    signed: bool = False
    another: bool = False

    def least(self, asked: int, *, author: str) -> int:
        """How many approvals something needs that was queued with ``asked`` and an author (empty: nobody is named)."""
        least = max(self.approval, asked)
        return max(least, _OF_TWO) if least and self.another and not author else least


NOTHING: Final = Demands()


def demands(rules: Rules) -> Demands:
    """What the rules ask for of everything that is due."""
    return Demands(approval=rules.approval, signed=bool(rules.approvers), another=rules.other_approver)


def demanded(delivery: Delivery, rules: Rules) -> Delivery:
    """A delivery as the next claim will see it, where the rules ask for more today than when it was queued."""
    asked = demands(rules)
    approval = asked.least(delivery.approval, author=delivery.author)
    if delivery.state is not State.WAITING or delivery.receipts or approval == 0:
        return delivery
    if approval == delivery.approval and (delivery.signed or not asked.signed):
        return delivery
    signed = asked.signed or delivery.signed
    people = {person_of(one.name) for one in delivery.approvals if one.verified or not signed}
    enough = len(people) >= approval and (not delivery.author or bool(people - {delivery.author}))
    return replace(delivery, approval=approval, signed=signed, approved=enough)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """How many approvals each delivery needs, whether signed ones, and the person who may not be the only one."""

    approval: int = 0
    signed: bool = False
    author: str = ""
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, loaded: LoadedPlan) -> Self:
        """A plan may ask for more than its workspace, never for less."""
        from campaign_cli.checks.accounts import author_of

        rules, plan = loaded.workspace.rules, loaded.plan
        least, signed, _another = demands(rules)
        approval = max(plan.approval, least)  # without any, who counts still matters: a crisis asks for one
        author = person_of(plan.author or "") if rules.other_approver else ""
        return cls(approval=approval, signed=signed, author=author, problems=tuple(author_of(loaded)))

    @classmethod
    def of_message(cls, rules: Rules, *, author: str) -> Self:
        """The same for a message without a plan; ``author`` is whoever writes it."""
        approval, signed, _another = demands(rules)
        return cls(approval=approval, signed=signed, author=person_of(author) if rules.other_approver else "")

    def kept(self, new: NewDelivery) -> NewDelivery:
        """A delivery that asks for it."""
        return replace(new, approval=self.approval, signed=self.signed, author=self.author)

    def mark(self, embargo: datetime | None) -> str:
        """What makes a queued delivery another one when it changes; empty where nothing is asked for."""
        asked = f"|{self.approval}{'s' if self.signed else ''}{self.author}" if self != type(self)() else ""
        return asked if embargo is None else f"{asked}|{embargo.timestamp():.6f}"
