"""What terminal, page and timeline show: one value per post and network, from the very drafts that are sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from campaign_cli import platforms
from campaign_cli.i18n import INDONESIAN_ZONES, _, format_instant, ngettext
from campaign_cli.models import Account, Draft, Problem, Receipt, Severity, State
from campaign_cli.report.words import given_by

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.checks import Examined
    from campaign_cli.checks.pipeline import Waived
    from campaign_cli.ledger import Delivery
    from campaign_cli.plan import Planned
    from campaign_cli.platforms.base import Count, Limits

LimitsOf = Callable[[Account], "Limits"]
DEFAULT_ZONE: Final = ZoneInfo(INDONESIAN_ZONES["WIB"])
_POST: Final = re.compile(r"posts\[(\d+)\](?:\.variants\.([^.\[]+))?")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One post on one account: ``due`` (and ``sent_at``) are aware, ``zone`` is the zone that the plan speaks in.

    ``counts`` has one tuple for each part of ``draft``. ``approval`` is how many approvals it needs, ``given`` how many
    it has, ``givers`` whose they are. ``state`` and ``given`` are None where nothing is queued (a preview). ``waived``
    (code → reason) is what the plan waived when this was queued; of a plan, ``Preview`` has it.
    """

    key: str
    post: str
    account: Account
    due: datetime
    zone: tzinfo
    draft: Draft | None
    counts: tuple[tuple[Count, ...], ...] = ()
    problems: tuple[Problem, ...] = ()
    state: State | None = None
    held: bool = False
    receipts: tuple[Receipt, ...] = ()
    sent_at: datetime | None = None
    error: str = ""
    approval: int = 0
    given: int | None = None
    givers: tuple[str, ...] = ()
    embargo: datetime | None = None
    waived: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """What is asked for before it may go out: approvals, and the end of an embargo; empty where nothing is."""
        words = []
        if self.approval and self.given is None:
            words.append(ngettext("needs {n} approval", "needs {n} approvals", self.approval).format(n=self.approval))
        elif self.approval:
            text = ngettext("{n} of {needed} approval", "{n} of {needed} approvals", self.approval)
            names = ", ".join(self.givers)
            words.append(text.format(n=self.given, needed=self.approval) + (f": {names}" if names else ""))
        if self.embargo is not None:
            until = format_instant(self.embargo, self.zone)
            words.append(_("under embargo until {instant}").format(instant=until))
        return "; ".join(words)

    @property
    def waivers(self) -> list[str]:
        """What doesn't count here, with its reason, one line each."""
        from campaign_cli.checks.waivers import in_words
        from campaign_cli.report.text import visible

        return [visible(line) for line in in_words(self.waived)]

    @property
    def platform(self) -> str:
        """The network's name for people."""
        return platform_title(self.account.platform)

    @property
    def when(self) -> str:
        """The due instant in the plan's zone."""
        return format_instant(self.due, self.zone)

    @property
    def when_there(self) -> str:
        """The due instant in the account's zone, with a note on another day there; empty where it is the same."""
        zone = self.account.timezone
        if zone is None:
            return ""
        here, there = self.due.astimezone(self.zone), self.due.astimezone(zone)
        if here.utcoffset() == there.utcoffset():
            return ""
        shift = (there.date() - here.date()).days
        note = {1: _("the next day there"), -1: _("the day before there")}.get(shift, "")
        return format_instant(self.due, zone) + (f" ({note})" if note else "")

    @property
    def url(self) -> str:
        """The permalink of the first part, where there is one."""
        return next((receipt.url for receipt in self.receipts if receipt.url), "")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Everything that a preview shows: ``entries`` in order of time, ``problems`` sorted by place.

    ``waived`` are the problems that the plan says do not count; they are not among the others.
    """

    title: str
    campaign: str
    file: str
    zone: tzinfo
    day: date | None = None
    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    waived: tuple[Waived, ...] = ()
    queued: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def count(self, severity: Severity) -> int:
        """How many problems have this severity."""
        return sum(problem.severity is severity for problem in self.problems)


def preview_of(examined: Examined, *, limits: LimitsOf | None = None) -> Preview:
    """The preview of a plan as ``checks.examine`` saw it; ``limits`` defaults to the documented ones."""
    loaded = examined.loaded
    if loaded is None:
        return Preview(title="", campaign="", file="", zone=DEFAULT_ZONE, problems=tuple(examined.problems))
    belonging = _by_post(examined.problems)
    approval = max(loaded.plan.approval, loaded.workspace.rules.approval)
    entries = [
        _entry(
            planned,
            examined.drafts.get(planned.key),
            zone=loaded.zone,
            limits=limits,
            problems=belonging,
            approval=approval,
        )
        for planned in examined.planned
    ]
    return Preview(
        title=loaded.plan.title or loaded.plan.campaign,
        campaign=loaded.plan.campaign,
        file=loaded.source.file,
        zone=loaded.zone,
        day=_day(loaded.plan.day),
        entries=tuple(sorted(entries, key=lambda entry: entry.due)),
        problems=tuple(examined.problems),
        waived=tuple(examined.waived),
    )


def queued_preview(  # noqa: PLR0913 - what the page says of the plan, all by name
    deliveries: Iterable[Delivery],
    *,
    workspace: Workspace,
    zone: tzinfo,
    title: str = "",
    campaign: str = "",
    file: str = "",
    day: date | None = None,
    waived: Mapping[str, Mapping[str, str]] | None = None,
) -> Preview:
    """What the ledger holds, in the same shape; the ``draft`` of each delivery is the frozen one.

    ``waived`` is what each was queued with, by key: code → reason.
    """
    used = waived or {}
    entries = [
        replace(delivery_entry(delivery, workspace=workspace, zone=zone), waived=used.get(delivery.key, {}))
        for delivery in deliveries
    ]
    return Preview(
        title=title or campaign,
        campaign=campaign,
        file=file,
        zone=zone,
        day=day,
        entries=tuple(sorted(entries, key=lambda entry: entry.due)),
        queued=True,
    )


def delivery_entry(delivery: Delivery, *, workspace: Workspace, zone: tzinfo) -> Entry:
    """One delivery of the ledger; an account that has left accounts.yaml is shown by its name alone."""
    account = workspace.accounts.get(delivery.account) or Account(
        name=delivery.account, platform=delivery.platform, settings={}
    )
    receipts = tuple(delivery.receipts)
    try:
        draft = delivery.draft
    except LookupError:  # the ledger was asked for rows without their content
        draft = None
    return Entry(
        key=delivery.key,
        post=delivery.post,
        account=account,
        due=delivery.due,
        zone=zone,
        draft=draft,
        counts=measured(account, draft),
        state=delivery.state,
        held=delivery.held,
        receipts=receipts,
        sent_at=receipts[0].at if receipts else None,
        error=delivery.error or "",
        approval=delivery.approval,
        given=len(delivery.approvals),
        givers=tuple(given_by(one.name, verified=one.verified) for one in delivery.approvals),
        embargo=delivery.embargo,
    )


def measured(account: Account, draft: Draft | None, *, limits: LimitsOf | None = None) -> tuple[tuple[Count, ...], ...]:
    """The counts of every part, as the network counts."""
    if draft is None or draft.platform not in platforms.PLATFORMS:
        return ()
    adapter = platforms.get(draft.platform)
    bounds = limits(account) if limits is not None else adapter.limits
    return tuple(adapter.measure(part.text, bounds, media=len(part.media)) for part in draft.parts)


def platform_title(name: str) -> str:
    """The network's name for people; a network without adapter keeps its short name."""
    return _(platforms.get(name).title) if name in platforms.PLATFORMS else name


def totals(preview: Preview) -> list[tuple[int, str]]:
    """The numbers of the summary, each with its word."""
    posts = len({entry.post for entry in preview.entries})
    accounts = len({entry.account.name for entry in preview.entries})
    deliveries = len(preview.entries)
    errors, warnings = preview.count(Severity.ERROR), preview.count(Severity.WARNING)
    return [
        (posts, ngettext("post", "posts", posts)),
        (accounts, ngettext("account", "accounts", accounts)),
        (deliveries, ngettext("delivery", "deliveries", deliveries)),
        (errors, ngettext("error", "errors", errors)),
        (warnings, ngettext("warning", "warnings", warnings)),
    ]


def _entry(
    planned: Planned,
    draft: Draft | None,
    *,
    zone: tzinfo,
    limits: LimitsOf | None,
    problems: Mapping[int, list[tuple[str, Problem]]],
    approval: int,
) -> Entry:
    account = planned.account
    # Shown in the plan's own zone, also where the time was meant in the account's (``zone: account``).
    names = {"", account.name, account.platform, account.language or "", draft.language if draft else ""}
    return Entry(
        key=planned.key,
        post=planned.post_id,
        account=account,
        due=planned.due,
        zone=zone,
        draft=draft,
        counts=measured(account, draft, limits=limits),
        problems=tuple(problem for variant, problem in problems.get(planned.index, ()) if variant in names),
        approval=approval,
        embargo=planned.embargo,
    )


def _by_post(problems: Iterable[Problem]) -> dict[int, list[tuple[str, Problem]]]:
    """Problems by the post's number in the plan, each with the variant that it stands in (or an empty name)."""
    found: dict[int, list[tuple[str, Problem]]] = {}
    for problem in problems:
        match = _POST.match(problem.path)
        if match is not None:
            found.setdefault(int(match[1]), []).append((match[2] or "", problem))
    return found


def _day(text: str | None) -> date | None:
    """The campaign's day; a text that is none has its own problem."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
