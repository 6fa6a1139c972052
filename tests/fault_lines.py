"""Accounts for scenes of misbehaviour, and their watched lines to the stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from campaign_cli import platforms
from campaign_cli.models import Account
from campaign_cli.platforms.base import Answer, Request
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.stage.app import network_class
from tests.stage_helpers import ACCOUNTS

AUTOMATIC = tuple(name for name in platforms.PLATFORMS if not platforms.get(name).by_hand)
"""Networks that we send to ourselves; what a person posts by hand has tests of its own (tests/test_manual.py)."""
BY_STATUS = ("webhook",)
"""Networks on which the status alone says that a message was taken, whatever the body is."""
_WORDS = ("share", "template")  # settings that are no part of an account's address
_READING = ("GET", "HEAD")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request that the engine asked for: when, whether it changes anything, whether it makes something public."""

    at: datetime
    changing: bool
    creating: bool


Leads = Callable[[Sequence[Sent]], str | None]


@dataclass
class Line:
    """The real transport of one account, watched. ``leads`` may give the last request of a log another address."""

    http: HttpTransport
    now: Callable[[], datetime]
    sent: list[Sent]
    leads: Leads

    async def send(self, request: Request) -> Answer:
        """Note it, and send it where it leads."""
        changing = request.method not in _READING
        self.sent.append(Sent(at=self.now(), changing=changing, creating=request.creating))
        elsewhere = self.leads(self.sent)
        return await self.http.send(request if elsewhere is None else replace(request, url=elsewhere))

    async def aclose(self) -> None:
        """Close the real one."""
        await self.http.aclose()


def distinct(platform: str, names: Iterable[str]) -> dict[str, Account]:
    """Accounts like the network's one in ``ACCOUNTS``, each with an address of its own wherever it will be played."""
    prototype = next(account for account in ACCOUNTS.values() if account.platform == platform)
    shared = (*platforms.get(platform).secrets, *_WORDS, "url")
    accounts = {}
    for number, name in enumerate(names, start=10):
        settings = {
            setting: value if setting in shared or not isinstance(value, str) else f"{value}{number}"
            for setting, value in prototype.settings.items()
        }
        accounts[name] = replace(prototype, name=name, settings=settings)
    return accounts


def answered(platform: str, ids: Sequence[str]) -> list[str | None]:
    """Which post each part of a thread must answer, given the parts' ids."""
    before: dict[str, list[str | None]] = {
        "chain": [None, *ids[:-1]],
        "root": [None, *[ids[0]] * (len(ids) - 1)],
        "order": [None] * len(ids),
    }
    return before[platforms.get(platform).thread_form]


def describes(platform: str) -> bool:
    """Whether pictures carry alt text on that network."""
    return network_class(platform).describes


def repeats(platform: str) -> bool:
    """Whether an account may say the same twice on that network."""
    return network_class(platform).repeats
