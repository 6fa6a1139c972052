"""Pictures: whether the people on them agreed, and what their files tell beside what is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from campaign_cli.checks.safety.places import Places
from campaign_cli.checks.safety.protected import protected_names
from campaign_cli.checks.safety.public import PublicContacts
from campaign_cli.checks.safety.scanning import personal_data
from campaign_cli.content.media import MediaStore
from campaign_cli.content.pictures import MediaError
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.checks.safety.names import Names
    from campaign_cli.content.variants import Path
    from campaign_cli.plan.load import LoadedPlan
    from campaign_cli.plan.model import Cover, Media

_POSITION: Final = re.compile(r"GPS|XMP (?:Iptc4xmpExt:Location|photoshop:City)|IPTC (?:City|Sub-location)")
_PERSON: Final = re.compile(
    r"Artist|Author|Creator|By-line(?!Title)|Writer|Owner|PersonInImage|Contact|Copyright|rights|Credit", re.IGNORECASE
)


def consent(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Nobody guesses who can be seen: it is asked once for each file, until the plan says it."""
    loaded = examined.loaded
    if loaded is None:
        return
    written = list(_media(examined, loaded))
    answered = {item.file for _path, item in written if item.consent is not None}
    for path, item in written:
        if item.consent is False:
            yield loaded.source.problem(
                (*path[:-1], "consent"),
                code="S015",
                severity=Severity.ERROR,
                message=_("The people on this picture have not agreed to be seen."),
                fix=_("Use another picture, or make their faces unrecognisable and write: consent: true"),
            )
        elif item.file not in answered:
            answered.add(item.file)
            yield loaded.source.problem(
                path,
                code="S014",
                severity=Severity.HINT,
                message=_("Can members be recognised on this picture, and have they agreed?"),
                fix=_("Write consent: true if they have, or if nobody can be recognised; else use another picture.")
                if path[-1] == "file"
                else _(
                    "Write thumbnail: {{file: {file}, consent: true}} if they have, or if nobody can be recognised; "
                    "else use another picture."
                ).format(file=item.file),
            )


def metadata(examined: Examined, now: datetime) -> Iterator[Problem]:
    """What the originals tell: it is removed from what is sent, but stays in the workspace's folder."""
    loaded = examined.loaded
    if loaded is None:
        return
    told: set[str] = set()
    store: MediaStore | None = None
    names: Names | None = None
    public = PublicContacts(loaded.workspace.public_contacts)
    for path, item in _media(examined, loaded):
        if item.file in told:
            continue
        told.add(item.file)
        store = store or MediaStore(loaded.workspace.root)
        try:
            said = store.described(item.file)
        except MediaError:  # told where it was to be made ready
            continue
        if names is None:
            names = protected_names(loaded.workspace)[0]
        yield from _told(said, loaded, path, names=names, public=public)


def _told(
    said: Mapping[str, str], loaded: LoadedPlan, path: Path, *, names: Names, public: PublicContacts
) -> Iterator[Problem]:
    """One problem of each kind, with where in the file it stands and not what."""
    removed = _("It is removed from what is sent; the file in your folder still has it.")
    data = [
        field
        for field, text in said.items()
        if names.find(text) or any(not public.hold(finding) for finding in personal_data(text))
    ]
    kinds = (
        (
            "S016",
            Severity.WARNING,
            [field for field in said if _POSITION.match(field)],
            _("The file of this picture tells where it was taken ({fields})."),
        ),
        ("S017", Severity.WARNING, data, _("The file of this picture holds personal data ({fields}).")),
        (
            "S018",
            Severity.HINT,
            [field for field in said if _PERSON.search(field) and field not in data],
            _("The file of this picture names somebody ({fields})."),
        ),
    )
    for code, severity, fields, message in kinds:
        if fields:
            shown = ", ".join(dict.fromkeys(map(_shown, fields)))
            yield loaded.source.problem(
                path, code=code, severity=severity, message=message.format(fields=shown), fix=removed
            )


def _shown(field: str) -> str:
    """What may be said of a field: names in XMP and PNG are whatever somebody wrote."""
    return field if field.startswith(("EXIF ", "IPTC ")) else field.partition(" ")[0]


def _media(examined: Examined, loaded: LoadedPlan) -> Iterator[tuple[Path, Media | Cover]]:
    """Each picture and video that a delivery shows, thumbnails too, once for each place where its file is written."""
    places = Places(loaded, examined)
    seen: set[Path] = set()
    for planned in examined.planned:
        post = planned.post
        if not post.media and not any(variant.media or variant.thumbnail for variant in post.variants.values()):
            continue
        chosen = places.chosen(planned)
        path = chosen.path("media")
        if path not in seen:
            seen.add(path)
            yield from (((*path, number, "file"), item) for number, item in enumerate(chosen.media))
        if chosen.cover is not None and chosen.path("thumbnail") not in seen:
            seen.add(chosen.path("thumbnail"))
            yield chosen.path("thumbnail"), chosen.cover
