"""The words of a draft: templates filled in, link and hashtags added, threads split, everything measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from campaign_cli.content.hashtags import add_hashtags
from campaign_cli.content.links import add_link, has_link, replace_link
from campaign_cli.content.splitting import Unsplittable, mark_parts, split_thread
from campaign_cli.content.templates import TemplateProblem, Templates, is_template
from campaign_cli.i18n import N_, _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.content.variants import Chosen, Path
    from campaign_cli.models import Account
    from campaign_cli.platforms.base import Limits, Platform
    from campaign_cli.source import Source

_UNITS = {
    "characters": N_("characters"),
    "graphemes": N_("characters"),
    "utf16": N_("characters (emoji count 2)"),
    "weighted": N_("characters (emoji and wide letters count 2)"),
    "characters (emoji by bytes)": N_("characters (emoji by bytes)"),
    "bytes": N_("bytes"),
    "hashtags": N_("hashtags"),
    "links": N_("different links"),
    "mentions": N_("mentions"),
}


@dataclass(kw_only=True)
class Work:
    """One draft in the making. ``values`` are what templates may use; they are made only for a template."""

    chosen: Chosen
    account: Account
    platform: Platform
    limits: Limits
    source: Source
    templates: Templates
    values: Callable[[], Mapping[str, Any]]
    marks: bool
    pictures: int
    problems: list[Problem] = field(default_factory=list)

    def error(self, path: Path, code: str, *, message: str, fix: str) -> None:
        """Note a problem that blocks."""
        self.problems.append(self.source.problem(path, code=code, severity=Severity.ERROR, message=message, fix=fix))

    def warn(self, path: Path, code: str, *, message: str, fix: str) -> None:
        """Note a problem that does not block."""
        self.problems.append(self.source.problem(path, code=code, severity=Severity.WARNING, message=message, fix=fix))

    def filled(self, text: str, path: Path) -> str:
        """A text with its template filled in; empty after a problem."""
        if not is_template(text):
            return text
        try:
            return self.templates.text(text, self.values())
        except TemplateProblem as problem:
            self.problems.append(problem.located(self.source, path))
            return ""


def compose(work: Work, *, link: str, tagged: str) -> tuple[list[str], str | None]:
    """The text of each part, and the link where the network shows it apart from the text.

    ``link`` is as written, ``tagged`` what it becomes. Problems are noted in ``work``.
    """
    texts = _bodies(work)
    if work.problems:
        return texts, None
    if not work.platform.threads and len(texts) > 1:
        texts = ["\n\n".join(texts)]  # where there are no threads, the parts are paragraphs
    place = work.platform.link_in
    in_text = place == "text" or (place == "embed" and work.pictures > 0)
    texts, card = _with_link(texts, link=link, tagged=tagged, in_text=in_text)
    if work.platform.hashtags_in == "text" and work.chosen.hashtags:
        texts[-1] = add_hashtags(texts[-1], work.chosen.hashtags, said="\n".join(texts))
    if len(texts) == 1 and work.chosen.split and work.platform.threads:
        texts = _split(work, texts[0])
    else:
        texts = mark_parts(texts) if work.marks and len(texts) > 1 else texts
        _measure(work, texts)
    return texts, card


def _bodies(work: Work) -> list[str]:
    """The parts as written, filled in, without white space at their ends."""
    chosen = work.chosen
    path = chosen.path("body")
    if chosen.parts:
        return [work.filled(part, (*path, number)).strip() for number, part in enumerate(chosen.parts)]
    if chosen.template is None:
        return [work.filled(chosen.text or "", path).strip()]
    try:
        return [work.templates.file(chosen.template, work.values()).strip()]
    except TemplateProblem as problem:
        work.problems.append(problem.located(work.source, path))
        return [""]


def _with_link(texts: Sequence[str], *, link: str, tagged: str, in_text: bool) -> tuple[list[str], str | None]:
    """Below the last part, or apart from the text; tagged in place where the officer wrote it into the text."""
    if not link:
        return list(texts), None
    if any(has_link(text, link) or has_link(text, tagged) for text in texts):
        return [replace_link(text, link, tagged) for text in texts], None
    if in_text:
        return [*texts[:-1], add_link(texts[-1], tagged)], None
    return list(texts), tagged


def _over(work: Work, text: str, number: int) -> tuple[int, int, str] | None:
    """Used, limit and unit of the first measure that a part does not keep, else None. Pictures go with the first part.

    A content warning counts with the text, as Mastodon's validator of status lengths does.
    """
    warned = str(work.chosen.native.get("cw", "")) + text
    for count in work.platform.measure(warned, work.limits, media=work.pictures if number == 0 else 0):
        if count.limit is not None and count.used > count.limit:
            return count.used, count.limit, count.unit
    return None


def _measure(work: Work, texts: Sequence[str]) -> None:
    path = work.chosen.path("body")
    for number, text in enumerate(texts):
        over = _over(work, text, number)
        if over is None:
            continue
        used, limit, unit = over
        message = _("The text for {account} has {used} {unit}: {over} more than the {limit} that fit.")
        fix = _('Shorten it or write a variant for "{name}".').format(name=work.account.platform)
        if work.platform.threads and not work.chosen.parts:
            fix += " " + _('"thread: auto" would split it.')
        work.error(
            (*path, number) if work.chosen.parts else path,
            "L001",
            message=message.format(
                account=work.account.name, used=used, unit=unit_name(unit), over=used - limit, limit=limit
            ),
            fix=fix,
        )


def _split(work: Work, text: str) -> list[str]:
    try:
        return split_thread(
            text,
            lambda part, number: _over(work, part, number) is None,
            marks=work.marks,
            markup=work.platform.markup != "plain",
        )
    except Unsplittable as error:
        word = error.word if len(error.word) <= 60 else error.word[:60] + "…"
        message = _('"{word}" alone is too long for one part of the thread for {account}, and can\'t be cut.')
        fix = _("Shorten it; a long link can become a short page of your own site.")
        path = work.chosen.path("body")
        work.error(path, "L002", message=message.format(word=word, account=work.account.name), fix=fix)
        return [text]


def unit_name(unit: str) -> str:
    """What is counted, in words for people."""
    return _(_UNITS.get(unit, unit))
