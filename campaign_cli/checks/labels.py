"""What readers must be told of a post: that it is paid for, that a machine made its picture, whose picture it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from campaign_cli.checks.phrases import Phrases, folded
from campaign_cli.checks.texts import SENTENCES
from campaign_cli.content.pictures import MediaError
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.checks.texts import Composed
    from campaign_cli.content.media import MediaStore
    from campaign_cli.content.variants import Path
    from campaign_cli.models import Draft
    from campaign_cli.plan.model import Cover, Media

_PAID: Final = Phrases(
    (
        *("iklan", "pariwara", "advertorial", "disponsori", "bersponsor", "konten sponsor", "promosi berbayar"),
        *("kerja sama berbayar", "kerjasama berbayar", "kemitraan berbayar", "konten berbayar", "dibayar oleh"),
        *("#ad", "#ads", "advertisement", "sponsored", "paid partnership", "paid promotion", "paid content"),
        *("paid for by", "paid ad"),
    )
)
_MACHINE: Final = Phrases(
    (
        *("ai", "genai", "kecerdasan buatan", "kecerdasan artifisial", "akal imitasi", "artificial intelligence"),
        *("AI-generated", "AI art", "AI image", "machine-generated", "computer-generated", "dibuat oleh mesin"),
    )
)
_MADE_BY_MACHINE: Final = "trainedalgorithmicmedia"
"""In IPTC's words, also where a machine only made a part: https://cv.iptc.org/newscodes/digitalsourcetype/"""


class _Shown(NamedTuple):
    """A picture or video of a draft, or a video's thumbnail, as the plan names it; ``file``: where that is written."""

    media: Media | Cover
    alt: str  # as it is sent
    path: Path
    file: Path
    words: str  # all that the post says beside it


def unlabelled_payment(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A post with ``paid: true`` whose text has no word that says so; once for each text."""
    silent: dict[Path, list[str]] = {}
    for one in examined.chosen:
        if one.planned.post.paid and not _PAID.found_in(_words(one.draft)):
            silent.setdefault(one.chosen.path("body"), []).append(one.planned.account.name)
    for path, accounts in silent.items():
        message = _("Somebody paid for the post, and its text for {accounts} doesn't say so.")
        fix = _("Write #iklan, Disponsori or Kerja sama berbayar into it, and set the network's own label as well.")
        yield _problem(examined, path, "E006", message=message.format(accounts=_listed(accounts)), fix=fix)


def unlabelled_machines(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A picture that a machine made, by the plan or by its own metadata, of which neither text nor alt text says so."""
    silent: dict[Path, tuple[_Shown, list[str]]] = {}
    for one in examined.chosen:
        for shown in _media(one):
            if not _is_of_machine(shown.media, examined.media):
                continue
            if not _MACHINE.found_in(f"{shown.words}\n{shown.alt}"):
                silent.setdefault(shown.path, (shown, []))[1].append(one.planned.account.name)
    for path, (shown, accounts) in silent.items():
        written = shown.media.origin == "ai"
        message = (
            _("A machine made {file}, and neither text nor alt text for {accounts} says so.")
            if written
            else _("{file} says in its metadata that a machine made it; neither text nor alt text for {accounts} does.")
        )
        yield _problem(
            examined,
            (*path, "origin") if written else shown.file,
            "E007",
            message=message.format(file=shown.media.file, accounts=_listed(accounts)),
            fix=_("Say it, for example “Gambar dibuat dengan AI”, and set the network's own label as well."),
        )


def uncredited_pictures(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Somebody else's picture: who made it is written in the plan, and told to the readers."""
    unknown: dict[Path, _Shown] = {}
    untold: dict[Path, tuple[_Shown, list[str]]] = {}
    for one in examined.chosen:
        for shown in _media(one):
            credit = _plain(shown.media.credit or "")
            if shown.media.origin == "other" and not credit:
                unknown[shown.path] = shown
            elif shown.media.origin == "other" and credit not in _plain(f"{shown.words} {shown.alt}"):
                untold.setdefault(shown.path, (shown, []))[1].append(one.planned.account.name)
    for path, shown in unknown.items():
        message = _("Somebody else made {file}, and no credit is written.").format(file=shown.media.file)
        fix = _("Write who made it, and by which permission, under “credit”.")
        yield _problem(examined, (*path, "origin"), "E008", message=message, fix=fix)
    for path, (shown, accounts) in untold.items():
        message = _("The credit of {file} stands neither in text nor in alt text for {accounts}.")
        yield _problem(
            examined,
            (*path, "credit"),
            "E009",
            message=message.format(file=shown.media.file, accounts=_listed(accounts)),
            fix=_("Write it as it stands under “credit”: {credit}").format(credit=shown.media.credit),
            severity=Severity.HINT,
        )


def _media(one: Composed) -> Iterator[_Shown]:
    pictures = one.draft.pictures
    words = _words(one.draft) if pictures else ""
    for number, (media, picture) in enumerate(zip(one.chosen.media, pictures, strict=True)):
        path = (*one.chosen.path("media"), number)
        yield _Shown(media, picture.alt, path, (*path, "file"), words)
    if one.chosen.cover is not None:
        words = words or _words(one.draft)
        yield _Shown(one.chosen.cover, "", one.chosen.path("cover"), one.chosen.path("thumbnail"), words)


def _words(draft: Draft) -> str:
    """All that the post says in sentences: its parts and some of the network's own fields."""
    fields = (str(value) for name, value in draft.native.items() if name in SENTENCES)
    return "\n".join((*(part.text for part in draft.parts), *fields))


def _is_of_machine(media: Media | Cover, store: MediaStore | None) -> bool:
    if media.origin == "ai" or store is None:
        return media.origin == "ai"
    try:
        texts = store.described(media.file)
    except MediaError:  # it has its own problem
        return False
    return any(_MADE_BY_MACHINE in text.casefold() for text in texts.values())


def _plain(text: str) -> str:
    return " ".join(folded(text).split())


def _listed(accounts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(accounts))


def _problem(
    examined: Examined, path: Path, code: str, *, message: str, fix: str, severity: Severity = Severity.WARNING
) -> Problem:
    assert examined.loaded is not None  # noqa: S101 - without a plan there is no draft
    return examined.loaded.source.problem(path, code=code, severity=severity, message=message, fix=fix)
