"""Files that a network's own field names: a video's thumbnail, and its subtitles by language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.content.media import MediaStore
from campaign_cli.content.pictures import MediaError
from campaign_cli.i18n import _
from campaign_cli.models import Picture, native_file

if TYPE_CHECKING:
    from campaign_cli.content.composing import Work
    from campaign_cli.content.variants import Path

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def native_files(work: Work, native: Mapping[str, Any], store: MediaStore) -> dict[str, Any]:
    """The native fields with each file made ready and named by its content; what can't be used is noted in ``work``."""
    ready = dict(native)
    limits, largest = work.platform.thumbnail, work.platform.captions
    if limits is not None and native.get("thumbnail"):
        name = str(native["thumbnail"])
        found = _made(work, work.chosen.path("thumbnail"), partial(store.picture, name, alt="", limits=limits))
        if found is not None and found.is_video:
            message = _("The thumbnail {file} is a video.").format(file=name)
            work.error(work.chosen.path("thumbnail"), "M130", message=message, fix=_("Name a picture."))
        elif found is not None:
            ready["thumbnail"] = native_file(found)
    if largest is not None and native.get("captions"):
        ready["captions"] = {}
        for language, name in native["captions"].items():
            path = (*work.chosen.path("captions"), language)
            found = _made(work, path, partial(store.captions, name, largest=largest))
            if not _LANGUAGE.fullmatch(language):
                message = _('"{word}" is no language code.').format(word=language)
                work.error(path, "M130", message=message, fix=_("Write id, en or another language code."))
            elif found is not None:
                ready["captions"][language] = native_file(found)
    return ready


def _made(work: Work, path: Path, make: Callable[[], Picture]) -> Picture | None:
    try:
        return make()
    except MediaError as error:
        work.error(path, error.code, message=error.message, fix=error.fix)
        return None
