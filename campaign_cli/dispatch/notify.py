"""Telling people of what failed, was missed or stays uncertain, through Apprise (optional extra ``notify``).

The addresses are secrets: they are revealed at the moment of use and never logged. Nothing here harms the sending.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from campaign_cli.errors import CampaignError, MissingExtra
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.credentials import Secrets
    from campaign_cli.ledger import Notice

logger = logging.getLogger(__name__)

_SHOWN: Final = 20  # lines of one message; the ledger holds the others
_PATIENCE_SECONDS: Final = 20.0


class Notifier:
    """Sends notices to the addresses behind ``references`` (secret references of accounts.yaml's ``notify``)."""

    def __init__(self, *, references: Sequence[str], secrets: Secrets) -> None:
        self._references = tuple(references)
        self._secrets = secrets

    @property
    def enabled(self) -> bool:
        """True when there is somebody to tell."""
        return bool(self._references)

    def prepare(self) -> tuple[str, ...]:
        """The addresses. Raises MissingExtra with the install line, or CredentialError for an absent secret."""
        if find_spec("apprise") is None:
            raise MissingExtra(
                _("Notices need the optional part “notify”."), fix=_("Install it: pip install 'campaign-cli[notify]'")
            )
        return tuple(self._secrets.reveal(reference) for reference in self._references)

    async def tell(self, notices: Sequence[Notice]) -> str | None:
        """Tell everybody once. Returns a sentence on what went wrong, or None; never raises."""
        return await self.say(*compose(notices)) if notices else None

    async def say(self, title: str, body: str) -> str | None:
        """Tell everybody this. Returns a sentence on what went wrong, or None; never raises."""
        if not self.enabled:
            return None
        try:
            return await asyncio.wait_for(self._send(title, body), _PATIENCE_SECONDS)
        except CampaignError as error:
            return " → ".join(filter(None, (error.message, error.fix)))
        except TimeoutError:
            return _("The notice could not be sent in time.")
        except Exception as error:  # a notifier's own trouble, whatever it is, is not the sender's
            return self._secrets.redact(_("The notice could not be sent: {kind}").format(kind=type(error).__name__))

    async def _send(self, title: str, body: str) -> str | None:
        addresses = self.prepare()
        # Apprise logs whole addresses (with their tokens) when it can't read one.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():  # it loads every plugin, and some still use what Python is about to drop
            warnings.simplefilter("ignore")
            import apprise

            services = apprise.Apprise()
            unreadable = sum(not services.add(address) for address in addresses)
        told = await services.async_notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        if unreadable:
            return _("An address under notify is not one that Apprise knows (accounts.yaml, {count} of {all}).").format(
                count=unreadable, all=len(addresses)
            )
        return None if told else _("The notice could not be delivered.")


def compose(notices: Sequence[Notice]) -> tuple[str, str]:
    """Title and plain text of one message about all of them."""
    count = len(notices)
    title = ngettext("campaign: {n} delivery needs a person", "campaign: {n} deliveries need a person", count).format(
        n=count
    )
    lines = [line(notice) for notice in notices[:_SHOWN]]
    if count > _SHOWN:
        lines.append(_("… and {n} more: campaign status").format(n=count - _SHOWN))
    return title, "\n".join(lines)


def line(notice: Notice) -> str:
    """One delivery in one line: what happened, which, why."""
    words = {
        State.FAILED: _("Failed"),
        State.MISSED: _("Missed"),
        State.UNCERTAIN: _("Uncertain"),
        State.PUBLISHED: _("Published"),
        State.WAITING: _("Not approved"),
    }
    word = words.get(notice.kind, notice.kind.value)
    reason = f": {notice.message}" if notice.message else ""
    return f"{word}: {notice.key}{reason}"
