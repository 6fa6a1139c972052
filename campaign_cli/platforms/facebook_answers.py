"""What Facebook's own subcodes mean, beside the codes that all of Meta's networks share (``graph_answers.py``).

The subcodes are those that others have met in practice; Meta lists none of them.
"""

from __future__ import annotations

from typing import Final

from campaign_cli.errors import Failure, Rejected, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.base import Answer, Session
from campaign_cli.platforms.graph_answers import DUPLICATE, GraphError, Table, refused, throttled

TITLE: Final = "Facebook"
_TOO_FAST: Final = 1390008
_AWAY: Final = frozenset({1363047, 1609010})
_PHOTOS_AGAIN: Final = 1366051
_BAD_PICTURE: Final = 1366046
_STANDARDS: Final = 1404102
_OWN_LINK: Final = 1609008


def table(session: Session, *, creating: bool, again: bool) -> Table:
    """Facebook's own rows; ``again``: an earlier request for this post may have been carried out, so that a refused
    repetition says that it probably was."""

    def read(error: GraphError, answer: Answer) -> Failure | None:
        if error.subcode == _TOO_FAST:
            return throttled(error, answer, session=session, title=TITLE)
        if error.subcode in _AWAY:
            lost = Unconfirmed if creating else Unavailable
            return lost(refused(error, title=TITLE), status=answer.status, code=error.name)
        if again and (error.code == DUPLICATE or error.subcode == _PHOTOS_AGAIN):
            message = _("Facebook says that it has this post already, perhaps from the try before.")
            return Unconfirmed(message, code=error.name)
        fix = _fix(error.subcode)
        return Rejected(refused(error, title=TITLE), status=answer.status, code=error.name, fix=fix) if fix else None

    return read


def _fix(subcode: int) -> str:
    if subcode == _BAD_PICTURE:
        return _("Save the picture as JPEG or PNG with at most 4 MB.")
    if subcode == _PHOTOS_AGAIN:
        return _("Facebook takes the same pictures only once in a row: choose others in a variant.")
    if subcode == _STANDARDS:
        return _("Facebook holds the text against its community standards: write it differently in a variant.")
    if subcode == _OWN_LINK:
        return _("Facebook takes no links to itself here: put another address into a variant.")
    return ""
