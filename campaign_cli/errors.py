"""Everything that can go wrong, as one tree.

::

    CampaignError                what to show: a message, and the likely fix
    ├── InputError               plan, accounts or arguments; carries the located problems
    ├── MissingExtra             an optional part is not installed; says the install line
    ├── CredentialError          a secret is absent, unreadable, or was refused
    ├── LedgerError              the ledger can't be used: locked, read-only, full, corrupt
    │   ├── DamagedLedger        no ledger, or one that can't be read any more
    │   ├── NewerLedger          written by a later version of this program
    │   ├── ForeignLedger        the ledger of another workspace (ledger.id differs)
    │   └── ClaimLost            lease over or token fenced: somebody else owns the delivery now
    ├── Held                     an open hold or a missing approval keeps this back; nothing may be created
    │   └── Embargoed            its embargo is not over
    └── Failure                  what a network's answer, or its absence, means
        ├── Rejected             refused for good; a person must change something
        ├── Unavailable          provably not done; trying again is safe
        ├── Unauthorized         the credential was refused
        └── Unconfirmed          bytes left and no telling answer came: never repeated blindly
            └── HandedOver       laid out for a person, who alone can say when it is out
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from campaign_cli.models import Problem


_STEERING: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST: Final = 2_000  # characters: what a network says at length is no explanation


def _harmless(text: str) -> str:
    """Words that a network may have put in: nothing that steers a terminal, and no book."""
    plain = _STEERING.sub(" ", text)
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


class CampaignError(Exception):
    """An error for people: ``message`` says what is wrong, ``fix`` what to do (both in the user's language)."""

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class InputError(CampaignError):
    """Bad input; ``problems`` are located findings, sorted by file and line."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.problems = tuple(problems)


class MissingExtra(CampaignError):
    """An optional dependency is needed and not installed; ``fix`` is the install line."""


class CredentialError(CampaignError):
    """A secret is absent, unreadable, too widely readable, or was refused."""


class LedgerError(CampaignError):
    """The ledger can't be opened or written; nothing was sent."""


class DamagedLedger(LedgerError):
    """The database is damaged, or is no ledger."""


class NewerLedger(LedgerError):
    """The ledger's schema is newer than this program."""


class ForeignLedger(LedgerError):
    """``ledger.id`` of the workspace names another ledger."""


class ClaimLost(LedgerError):
    """The lease ran out or the fencing token changed: the delivery is not ours any more."""


class Held(CampaignError):
    """An open hold covers the delivery, or an approval is missing: no creating request may leave."""


class Embargoed(Held):
    """Its embargo is not over by some clock that counts. ``until`` (aware): when it is worth asking again."""

    def __init__(self, message: str, *, until: datetime, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.until = until


class Failure(CampaignError):
    """What a network's answer means. ``status`` is the HTTP status where there was one.

    ``retry_at`` (aware): until then the network asked to be left alone, if it did.
    """

    retry_at: datetime | None = None

    def __init__(self, message: str, *, status: int | None = None, code: str = "", fix: str = "") -> None:
        super().__init__(_harmless(message), fix=_harmless(fix))
        self.status = status
        self.code = code


class Rejected(Failure):
    """The network refused it for good."""


class Unavailable(Failure):
    """Provably not done; ``retry_at`` is when the network said that it would take it, if it said so."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        fix: str = "",
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, fix=fix)
        self.retry_at = retry_at


class Unauthorized(Failure):
    """The network refused the credential."""


class Unconfirmed(Failure):
    """The request may have been carried out: reset, time-out, a 5xx that says nothing, an answer that can't be read."""


class HandedOver(Unconfirmed):
    """Laid out for a person to post by hand; ``notice`` is what that person is told, everything needed included."""

    def __init__(self, message: str, *, notice: str) -> None:
        super().__init__(message)
        self.notice = notice
