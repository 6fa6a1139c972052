"""Personal data in what is sent: texts, alt texts, a network's own fields, names of files, links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from campaign_cli.checks.safety.findings import Finding
from campaign_cli.checks.safety.names import Name, Names
from campaign_cli.checks.safety.places import Holds, Places, leaves
from campaign_cli.checks.safety.protected import internal_words, protected_names
from campaign_cli.checks.safety.public import PublicContacts
from campaign_cli.checks.safety.scanning import over_parts, personal_data
from campaign_cli.checks.safety.words import normal, of_file
from campaign_cli.i18n import N_, _
from campaign_cli.models import Problem, Severity, files_in

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.content.media import MediaStore
    from campaign_cli.content.variants import Path
    from campaign_cli.models import Draft, Part
    from campaign_cli.plan.expand import Planned

SAID: Final = {
    "S001": N_("This looks like a NIK: {masked}."),
    "S002": N_("This looks like the number of a family card (KK): {masked}."),
    "S003": N_("This looks like an NPWP: {masked}."),
    "S004": N_("This looks like a BPJS number: {masked}."),
    "S005": N_("This looks like the number of a union card: {masked}."),
    "S006": N_("This looks like a telephone number: {masked}."),
    "S007": N_("This looks like an e-mail address: {masked}."),
    "S008": N_("This looks like somebody's home address: {masked}."),
    "S009": N_("This looks like the number plate of a vehicle: {masked}."),
    "S010": N_("This looks like a bank account or an e-wallet: {masked}."),
}
"""Code → what is said of a finding, in English."""
_WARNINGS: Final = frozenset({"S009"})


@dataclass(frozen=True, slots=True)
class Seen:
    """All that one text holds."""

    findings: tuple[Finding, ...]
    protected: tuple[Name, ...]
    internal: tuple[Name, ...]


Where = tuple[str, int]
"""body, alt, file, link or the name of a network's own field; of pictures, which one."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A field of one delivery."""

    places: Places
    planned: Planned
    where: Where

    def path(self, holds: Holds) -> Path:
        """Where in the plan that is written which ``holds`` tells."""
        name, number = self.where
        if name == "body":
            return self.places.body(self.planned, holds)
        if name == "alt":
            return self.places.alt(self.planned, number)
        if name == "file":
            return self.places.file(self.planned, number)
        if name == "link":
            return self.places.chosen(self.planned).path("link")
        return self.places.native(self.planned, name, holds)


class Looking:
    """Looks at each distinct text once, whatever number of accounts it goes to."""

    def __init__(self, *, protected: Names, internal: Names, public: PublicContacts) -> None:
        self._protected, self._internal, self._public = protected, internal, public
        self._seen: dict[str, Seen | None] = {}

    def at(self, text: str) -> Seen | None:
        """What is found in a text; None where that is nothing."""
        if text not in self._seen:
            found = tuple(finding for finding in personal_data(text) if not self._public.hold(finding))
            names = self._protected.find(text) if self._protected else ()
            words = self._internal.find(text) if self._internal else ()
            self._seen[text] = Seen(found, names, words) if found or names or words else None
        return self._seen[text]

    def over(self, parts: Sequence[Part]) -> Seen | None:
        """What the parts of a thread hold together and none of them alone; None where that is nothing."""
        found = tuple(one for one in over_parts([part.text for part in parts]) if not self._public.hold(one))
        return Seen(found, (), ()) if found else None

    def problems(self, seen: Seen, spot: Spot) -> Iterator[Problem]:
        """What is said of a text at a place."""
        for finding in seen.findings:
            yield spot.places.problem(
                spot.path(lambda raw, finding=finding: finding.stands_in(normal(raw))),  # type: ignore[misc]
                code=finding.code,
                severity=Severity.WARNING if finding.code in _WARNINGS else Severity.ERROR,
                message=_(SAID[finding.code]).format(masked=finding.masked),
                fix=_ways_out(finding.code),
            )
        for name in seen.protected:
            yield spot.places.problem(
                spot.path(lambda raw, name=name: name in self._protected.find(raw)),  # type: ignore[misc]
                code="S011",
                severity=Severity.ERROR,
                message=_("A protected name stands here ({place}).").format(place=name.place),
                fix=_("Leave it out, or say why it may be read here: {waive}").format(waive=_waive("S011")),
            )
        for name in seen.internal:
            yield spot.places.problem(
                spot.path(lambda raw, name=name: name in self._internal.find(raw)),  # type: ignore[misc]
                code="S013",
                severity=Severity.HINT,
                message=_("Something stands here that the plan keeps inside ({place}).").format(place=name.place),
                fix=_("Leave it out if these readers should not know it."),
            )


def _ways_out(code: str) -> str:
    fix = _(
        "Leave it out. If it is meant to be seen, name it under public_contacts in accounts.yaml; "
        "if this is a mistake, say so in the plan: {waive}"
    )
    return fix.format(waive=_waive(code))


def _waive(code: str) -> str:
    return _("waive: {{{code}: the reason}}").format(code=code)


def personal(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Personal data, protected names and internal words in the drafts, each where it is written."""
    loaded = examined.loaded
    if loaded is None:
        return
    protected, problems = protected_names(loaded.workspace)
    yield from problems
    internal = internal_words(loaded.plan)
    looking = Looking(protected=protected, internal=internal, public=PublicContacts(loaded.workspace.public_contacts))
    places = Places(loaded, examined)
    told: set[Problem] = set()
    for planned in examined.planned:
        draft = examined.drafts.get(planned.key)
        if draft is None:
            continue
        looked = [(seen, where) for text, where in _texts(draft, examined.media) if (seen := looking.at(text))]
        if len(draft.parts) > 1 and (divided := looking.over(draft.parts)):
            looked.append((divided, ("body", 0)))
        for seen, where in looked:
            spot = Spot(places, planned, where)
            fresh = [problem for problem in looking.problems(seen, spot) if problem not in told]
            told.update(fresh)
            yield from fresh


def _texts(draft: Draft, media: MediaStore | None) -> Iterator[tuple[str, Where]]:
    """Every text that leaves, and in which field it does; subtitles are read where their files are at hand."""
    for part in draft.parts:
        yield part.text, ("body", 0)
        for number, picture in enumerate(part.media):
            yield picture.alt, ("alt", number)
            yield of_file(picture.name), ("file", number)
    for name, value in draft.native.items():
        files = files_in(value)
        yield from ((of_file(file.name), (name, 0)) for file in files)
        if name == "captions" and media is not None:
            yield from ((media.content(file.sha256).decode(), (name, 0)) for file in files)
        if not files:
            yield from ((text, (name, 0)) for _path, text in leaves((), value))
    if draft.link:
        yield draft.link, ("link", 0)
