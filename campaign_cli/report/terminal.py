"""The preview in the terminal: one panel per post and network, readable at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from campaign_cli.i18n import _
from campaign_cli.models import Draft, Part, Picture, Problem, Severity
from campaign_cli.report import view, words
from campaign_cli.report.text import marked_segments, marks_inline, visible

if TYPE_CHECKING:
    from campaign_cli.checks import Examined
    from campaign_cli.checks.pipeline import Waived
    from campaign_cli.platforms.base import Count
    from campaign_cli.report.requests import ShownRequest

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.HINT: "cyan"}

_MARKS: Final = {"bold": "bold", "italic": "italic", "struck": "strike", "code": "reverse", "link": "underline"}


def preview_panels(
    examined: Examined | view.Preview, *, limits: view.LimitsOf | None = None
) -> Iterator[RenderableType]:
    """A heading, one panel per post and account in order of time, and the problems that belong to no post."""
    preview = examined if isinstance(examined, view.Preview) else view.preview_of(examined, limits=limits)
    yield _heading(preview)
    shown: set[Problem] = set()
    for entry in preview.entries:
        shown.update(entry.problems)
        yield Panel(
            Group(*_entry(entry, preview)),
            title=_title(entry),
            title_align="left",
            box=box.ROUNDED,
            border_style="red" if any(p.severity is Severity.ERROR for p in entry.problems) else "dim",
            padding=(0, 1),
        )
    rest = [problem for problem in preview.problems if problem not in shown]
    if rest:
        yield Panel(Group(*map(problem_text, rest)), title=_plain(_("The plan as a whole")), title_align="left")
    if preview.waived:
        yield Panel(Group(*map(waived_text, preview.waived)), title=_plain(_("Waived by the plan")), title_align="left")
    yield _summary(preview)


def request_lines(requests: Sequence[ShownRequest]) -> Iterator[RenderableType]:
    """The requests of one post as they will be sent, each as HTTP with a readable body."""
    for number, request in enumerate(requests, 1):
        line = Text(f"{number}. ", style="dim")
        line.append(f"{request.method} ", style="bold")
        line.append(visible(request.url))
        yield line
        if request.creating:
            yield _indented(_("From here on the post may be public."), style="green")
        for name, value in request.headers.items():
            yield _indented(f"{name}: {value}", style="dim")
        if request.body is not None:
            yield _indented(request.body_text)
        yield Text()


def _indented(text: str, *, style: str = "") -> Text:
    """Lines below their number, not padded to the right: they are copied, and read in a pipe."""
    return _plain("\n".join(f"   {line}" for line in text.split("\n")), style=style)


def problem_text(problem: Problem) -> Text:
    """``✗ L101 text … (file:line:column)`` with the fix below."""
    text = Text(style=_STYLES[problem.severity])
    text.append(f"{words.severity_words()[problem.severity]} {problem.code}: ")
    text.append(visible(problem.message))
    place = words.place_text(problem)
    if place:
        text.append(f" ({visible(place)})")
    if problem.fix:
        text.append(f"\n  → {visible(problem.fix)}", style="default")
    return text


def waived_text(waived: Waived) -> Text:
    """``E003 text … (file:line:column)`` with the plan's reason below."""
    problem = waived.problem
    text = Text(style="dim")
    text.append(f"{problem.code}: {visible(problem.message)} ({visible(words.place_text(problem))})")
    text.append("\n  " + _("Reason: {reason}").format(reason=visible(waived.reason)), style="default")
    return text


def _heading(preview: view.Preview) -> Text:
    text = Text()
    text.append(visible(preview.title), style="bold")
    if preview.file:
        text.append(f"  {visible(preview.file)}", style="dim")
    if preview.queued:
        text.append("  " + _("as the ledger holds it"), style="bold")
    return text


def _title(entry: view.Entry) -> Text:
    text = Text()
    text.append(visible(entry.post), style="bold")
    text.append(f" → {visible(entry.account.name)}")
    if entry.platform.lower() != entry.account.name.lower():
        text.append(f" ({entry.platform})")
    return text


def _entry(entry: view.Entry, preview: view.Preview) -> Iterator[RenderableType]:
    when = Text(entry.when, style="bold")
    label = words.day_label(entry.due, zone=entry.zone, day=preview.day)
    if label:
        when.append(f"  {label}", style="default")
    if entry.state is not None:
        when.append(f"  [{words.state_words()[entry.state]}]", style="default")
    yield when
    if entry.when_there:
        yield _plain(_("for this account: {instant}").format(instant=entry.when_there), style="dim")
    if entry.asked:
        yield _plain(entry.asked, style="yellow")
    for waiver in entry.waivers:
        yield _plain(waiver, style="yellow")
    if entry.draft is None:
        yield Text()
        yield _plain(_("There is nothing to show: it could not be made."), style="red")
    else:
        yield from _draft(entry, entry.draft)
    if entry.url:
        yield _plain(entry.url)
    if entry.error:
        yield _plain(entry.error, style="red")
    for problem in entry.problems:
        yield problem_text(problem)


def _draft(entry: view.Entry, draft: Draft) -> Iterator[RenderableType]:
    yield from _fields(draft)
    for index, part in enumerate(draft.parts):
        yield Text()
        if len(draft.parts) > 1:
            yield _plain(_("Part {number} of {count}").format(number=index + 1, count=len(draft.parts)), style="dim")
        yield Padding(_words(draft, part), (0, 0, 0, 2))
        yield from _below(part, entry.counts[index] if index < len(entry.counts) else ())
    if draft.link:
        yield _field(_("Link"), draft.link)


def _fields(draft: Draft) -> Iterator[RenderableType]:
    if draft.visibility:
        yield _field(words.native_label("visibility"), draft.visibility)
    for name, value in draft.native.items():
        yield _field(words.native_label(name), words.native_text(value))


def _words(draft: Draft, part: Part) -> Text:
    """The text as people will see it: where a network shows inline marks, without their signs."""
    if not part.text.strip():
        return _plain(_("(no text)"), style="dim")
    if not marks_inline(draft.platform):
        return _plain(part.text.strip("\n"))
    text = Text()
    for segment in marked_segments(part.text):
        text.append(
            segment.text.expandtabs(4), style=" ".join(_MARKS[kind] for kind in segment.kinds if kind in _MARKS)
        )
    return text


def _below(part: Part, counts: Sequence[Count]) -> Iterator[RenderableType]:
    """The counters and the pictures of one part."""
    if counts:
        line = Text("  ")
        for number, count in enumerate(counts):
            line.append(" · " if number else "")
            line.append(words.unit_text(count), style="bold red" if count.over else "dim")
            line.append(" (" + _("too long") + ")" if count.over else "", style="bold red")
        yield line
    for picture in part.media:
        yield from _picture(picture)


def _picture(picture: Picture) -> Iterator[RenderableType]:
    if picture.is_video:
        yield _field(_("Video"), f"{picture.name} ({words.film_text(picture)})")
    else:
        size = f"{picture.width}×{picture.height}, {words.size_text(picture.size)}"
        yield _field(_("Picture"), f"{picture.name} ({size})")
    yield _field(_("Alt text"), picture.alt or _("(none: decorative)"), indent=4)
    if picture.removed:
        yield _field(_("Removed"), words.removed_text(picture), indent=4)


def _field(label: str, value: str, *, indent: int = 2) -> Padding:
    text = Text()
    text.append(f"{label}: ", style="dim")
    text.append(visible(value))
    return Padding(text, (0, 0, 0, indent))


def _summary(preview: view.Preview) -> Text:
    return Text(" · ".join(f"{count} {word}" for count, word in view.totals(preview)), style="bold")


def _plain(text: str, *, style: str = "") -> Text:
    """Text as it is: never Rich's markup, no sign that could steer the terminal."""
    return Text(visible(text).expandtabs(4), style=style)
