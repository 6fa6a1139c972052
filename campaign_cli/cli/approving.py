"""What people see of approvals: the content that they are asked about, who approved it, what has changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from campaign_cli.cli import diagnostics, output
from campaign_cli.cli.status import zone_of
from campaign_cli.cli.visible import visible
from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.models import Problem, Severity, State
from campaign_cli.report.words import given_by

if TYPE_CHECKING:
    from campaign_cli.accounts import Rules, Workspace
    from campaign_cli.ledger import Delivery, Ledger, NewDelivery
    from campaign_cli.ledger.approved import Approval
    from campaign_cli.ledger.difference import Difference
    from campaign_cli.models import Draft
    from campaign_cli.plan import LoadedPlan, Planned

DIFFERS: str = "P093"


def differences(
    found: Difference, loaded: LoadedPlan, planned: Sequence[Planned], *, post: str | None
) -> list[Problem]:
    """Where the plan says something else than the ledger, at the posts that are to blame."""
    places = {one.key: one.index for one in planned}
    keys = {one.key: _("it is not queued as the plan has it") for one in (*found.new, *found.changed)}
    keys |= {move.delivery.key: _("it has another name in the ledger") for move in found.moved}
    keys |= {known.key: _("the plan has lost it") for known in found.removed}
    return [
        loaded.source.problem(
            ("posts", places[key]) if key in places else ("posts",),
            code=DIFFERS,
            severity=Severity.ERROR,
            message=_("{key}: {what}.").format(key=key, what=what),
            fix=_("Queue the plan first: campaign queue {plan}").format(plan=loaded.source.file),
        )
        for key, what in keys.items()
        if post is None or key.split("/")[1].split("@", 1)[0] == post.split("@", 1)[0]
    ]


def show_content(
    deliveries: Sequence[Delivery],
    workspace: Workspace,
    *,
    told: Mapping[str, Sequence[Approval]],
    waived: Mapping[str, Mapping[str, str]],
    now: datetime,
) -> None:
    """Everything that would be sent, on stdout, with what its plan waived and why (``waived``, by key and code).

    What is too late by now is said, and which approvals are void.
    """
    from campaign_cli.checks.waivers import in_words

    for delivery in deliveries:
        zone = zone_of(delivery.account, workspace)
        output.write(f"── {delivery.key}")
        output.write(_("   to {account}: {address}").format(account=delivery.account, address=delivery.address))
        output.write(_("   due {instant}").format(instant=format_instant(delivery.due, zone, seconds=True)))
        if delivery.embargo is not None:
            until = format_instant(delivery.embargo, zone, seconds=True)
            output.write(_("   under embargo until {instant}").format(instant=until))
        for line in in_words(waived.get(delivery.key, {})):
            output.write(f"   {line}")
        output.write(f"   {missing(delivery, told.get(delivery.key, ())) or asked(delivery)}")
        for line in _content(delivery.draft):
            output.write(f"   {line}")
        output.write(_("   SHA-256 of all this: {hash}").format(hash=delivery.content_hash))
        if now - delivery.due > workspace.rules.late_grace:
            diagnostics.warn(
                _(
                    "{key} is later than late_grace allows: approved, it would be missed. Give it another time first, "
                    "in the plan; queue it, then approve."
                ).format(key=delivery.key)
            )


def _content(draft: Draft) -> list[str]:
    lines = []
    for number, part in enumerate(draft.parts, start=1):
        if len(draft.parts) > 1:
            lines.append(_("part {n} of {all}:").format(n=number, all=len(draft.parts)))
        lines += [f"  │ {line}" for line in part.text.split("\n")] if part.text else []
        for one in part.media:
            size = f"{one.mime}, {one.size} B, SHA-256 {one.sha256}"
            lines += [f"  ▣ {one.name} ({size})", "    " + _("alt text: {alt}").format(alt=one.alt or "–")]
    facts = {_("link"): draft.link, _("visibility"): draft.visibility, _("language"): draft.language, **draft.native}
    return lines + [f"  {name}: {visible(str(value))}" for name, value in facts.items() if value not in (None, "", [])]


def asked(delivery: Delivery) -> str:
    """How many approvals it has of how many that it needs."""
    if not delivery.approval:
        return _("no approval is asked for")
    text = ngettext("{n} of {needed} approval", "{n} of {needed} approvals", delivery.approval)
    return text.format(n=len(delivery.approvals), needed=delivery.approval)


def tell_lost(before: Sequence[Delivery], after: Sequence[Delivery]) -> None:
    """Warn of approvals that an order has voided by giving another time, which is part of what was approved."""
    had = {delivery.key for delivery in before if delivery.approvals}
    for delivery in after:
        if delivery.key in had and not delivery.approved:
            diagnostics.warn(
                _("{key} has another time now and must be approved again: campaign approve PLAN").format(
                    key=delivery.key
                )
            )


def notes(found: Difference, ledger: Ledger, workspace: Workspace) -> dict[str, str]:
    """By key, what is asked for before each new or changed delivery may go out, and whose approval is lost by it."""
    losing = ledger.losing(found.changed)
    before = {one.key: one.embargo for one in ledger.deliveries(keys=[one.key for one in found.changed])}
    return {
        one.key: "; ".join(
            filter(
                None,
                (
                    _note(one, workspace, losing=losing.get(one.key, [])),
                    _freed(one, workspace, was=before.get(one.key)),
                ),
            )
        )
        for one in (*found.new, *found.changed)
    }


def _freed(one: NewDelivery, workspace: Workspace, *, was: datetime | None) -> str:
    """That it may go out sooner than its embargo allowed until now; empty where it may not."""
    if was is None or (one.embargo is not None and one.embargo >= was):
        return ""
    text = _("its embargo ends sooner: it was until {instant}")
    if one.embargo is None:
        text = _("under no embargo any more: it was until {instant}")
    return text.format(instant=format_instant(was, zone_of(one.account, workspace)))


def _note(one: NewDelivery, workspace: Workspace, *, losing: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    words = []
    if one.approval:
        words.append(ngettext("needs {n} approval", "needs {n} approvals", one.approval).format(n=one.approval))
    if one.embargo is not None:
        until = format_instant(one.embargo, zone_of(one.account, workspace))
        words.append(_("under embargo until {instant}").format(instant=until))
    lost = _("voids the approval of {name} ({what})")
    words += [lost.format(name=name, what=", ".join(what)) for name, what in losing]
    return "; ".join(words)


def missing(delivery: Delivery, told: Sequence[Approval] = ()) -> str:
    """Why a waiting delivery isn't approved, with what has become of approvals; empty where it is."""
    if delivery.approved:
        return ""
    lost = [
        _("the approval of {name} is void: {why}").format(name=one.name, why=why(one)) for one in told if not one.counts
    ]
    return "; ".join([_("waits for approval ({asked})").format(asked=asked(delivery)), *dict.fromkeys(lost)])


def without_author(deliveries: Sequence[Delivery], rules: Rules) -> str:
    """What is to be done about deliveries that wait because nobody knows whose approval is not enough; else empty."""
    count = sum(
        one.state is State.WAITING and not one.approved and not one.author and bool(one.approval) for one in deliveries
    )
    if not rules.other_approver or not count:
        return ""
    return ngettext(
        "{n} delivery was queued before the rule other_approver and names no author, so two people must approve it. "
        "Name the author in the plan and queue it again: then one other person is enough.",
        "{n} deliveries were queued before the rule other_approver and name no author, so two people must approve "
        "them. Name the author in the plan and queue it again: then one other person is enough.",
        count,
    ).format(n=count)


def why(approval: Approval) -> str:
    """Why it no longer counts."""
    if approval.void:
        words = {
            "withdrawn": _("taken back"),
            "moved": _("the delivery has another name now"),
            "replaced": _("replaced by a signed one"),
        }
        return words.get(approval.void, approval.void)
    return _("changed since: {what}").format(what=", ".join(approval.changed) or "–")


def show_approvals(
    deliveries: Sequence[Delivery], told: Mapping[str, Sequence[Approval]], workspace: Workspace
) -> None:
    """A line for each delivery, and one for each approval that it ever had."""
    for delivery in deliveries:
        state = _("approved") if delivery.approved else _("not approved")
        output.write(f"{delivery.key}: {state} ({asked(delivery)})")
        zone = zone_of(delivery.account, workspace)
        for one in told.get(delivery.key, ()):
            text = f"{given_by(one.name, verified=one.signed)}, {format_instant(one.at, zone, seconds=True)}"
            output.write(f"  {'✓' if one.counts else '✗'} {text}" + ("" if one.counts else f": {why(one)}"))


def as_json(
    delivery: Delivery, told: Mapping[str, Sequence[Approval]], workspace: Workspace, *, waived: Mapping[str, str]
) -> dict[str, Any]:
    """One delivery as ``status`` has it, what its plan ``waived`` (code → reason), every approval that it ever had."""
    from campaign_cli.cli.status import as_json as plain

    zone = zone_of(delivery.account, workspace)
    history = [
        {
            "name": one.name,
            "at": output.rfc3339(one.at, zone),
            "hash": one.content_hash,
            "verified": one.signed,
            "counts": one.counts,
            "why": None if one.counts else why(one),
        }
        for one in told.get(delivery.key, ())
    ]
    return {**plain(delivery, workspace), "waived": dict(waived), "history": history}
