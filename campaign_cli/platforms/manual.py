"""A person who posts by hand, where no program may: WhatsApp groups and channels, a personal TikTok, Stories.

At the due minute the text and the files are laid out for the officer, who gets a notice with a link that opens the
network with the text filled in, and says afterwards what became of it (``campaign resolve``). Until then nobody can
know whether it is out. https://faq.whatsapp.com/5913398998672934 (wa.me) · https://core.telegram.org/api/links#share-links
"""

from __future__ import annotations

import mimetypes
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal, NoReturn
from urllib.parse import quote

from pydantic import StringConstraints

from campaign_cli.errors import HandedOver, Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Sending,
    Session,
)
from campaign_cli.platforms.text import link_spans

TEXT: Final = "text.txt"
ALTS: Final = "alt.txt"
LINK: Final = "link.txt"


class Settings(base.Settings):
    """``to`` names the place for people; ``share`` is the network whose share link opens with the text."""

    to: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    share: Literal["whatsapp", "telegram", "none"] = "none"


class Manual(Platform):
    """One place that a person posts to."""

    name: ClassVar[str] = "manual"
    title: ClassVar[str] = N_("By hand")
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ()
    threads: ClassVar[bool] = False
    limits: ClassVar[Limits] = Limits(
        text=None,
        unit="characters",
        images=20,
        image_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
        videos=20,
        mixed=True,
    )
    help = {
        "to": N_("Where a person posts it, in words: Members' WhatsApp group."),
        "share": N_("whatsapp or telegram for a link that opens the app with the text; none without."),
    }
    deletes = False
    proof: ClassVar[Proof] = Proof(look_up=False, repeat_for=None, verified_by="a person")
    by_hand: ClassVar[bool] = True
    permalinks: ClassVar[bool] = False
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "how long a text the share links of WhatsApp and Telegram take",
        "whether t.me/share takes a text without a link",
    )

    def address(self, account: Account) -> str:
        """The place's name, whatever its spaces and capitals."""
        return " ".join(_settings(account).to.casefold().split())

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Code points, without a limit: nobody knows where it goes."""
        return (Count(used=len(text), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Lay everything out for a person. Raises HandedOver: nobody else can say when it is out."""
        settings = _settings(sending.account)
        link = _share_link(settings.share, sending.content.text)
        folder = await sending.hand_over(await _files(sending, link))
        _wait(settings, text=sending.content.text, link=link, folder=folder)

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """Nobody can be asked but the person."""
        return LookUp(found=(), complete=False)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """Nothing can be read."""
        return None

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Only a person can."""
        raise Rejected(
            _("What was posted by hand is deleted by hand."), fix=_("Delete it in the network's own application.")
        )

    async def check(self, session: Session) -> AccountCheck:
        """Nothing to ask: what will happen, in words."""
        return AccountCheck(
            identity=self.address(session.account),
            handle=_settings(session.account).to,
            notes=(
                _(
                    "A person posts here: at the due minute text and files are laid out in {folder}, notify is told, "
                    "and the delivery stays uncertain until: campaign resolve KEY --published"
                ).format(folder=base.BY_HAND),
            ),
        )


platform = Manual()


def _settings(account: Account) -> Settings:
    return Settings.model_validate(dict(account.settings))


async def _files(sending: Sending, link: str) -> dict[str, bytes]:
    """Names and bytes: the text, the files in their order, their alt texts, the share link."""
    files = {TEXT: sending.content.text.encode()}
    alts: list[str] = []
    for number, picture in enumerate(sending.content.media, start=1):
        name = f"{number:02d}{mimetypes.guess_extension(picture.mime) or ''}"
        files[name] = await sending.load(picture)
        alts.append(f"{name}: {picture.alt}\n")
    if alts:
        files[ALTS] = "".join(alts).encode()
    return files | ({LINK: f"{link}\n".encode()} if link else {})


def _share_link(share: str, text: str) -> str:
    """An address that opens the network with the text filled in; empty where there is none."""
    if share == "whatsapp":
        return f"https://wa.me/?text={quote(text, safe='')}"
    if share == "telegram":
        spans = link_spans(text)
        if not spans:
            return f"https://t.me/share/url?url={quote(text, safe='')}"
        start, end = spans[-1].start, spans[-1].end
        rest = f"{text[:start].rstrip()}{text[end:]}".strip()
        return f"https://t.me/share/url?url={quote(text[start:end], safe='')}&text={quote(rest, safe='')}"
    return ""


def _wait(settings: Settings, *, text: str, link: str, folder: str) -> NoReturn:
    """Leave it to the person: the reason for ``status``, and everything that posting takes for the notice."""
    reason = _(
        "Waiting for a person: post it by hand, then resolve. It goes to: {to}. Text and files: {folder}"
    ).format(to=settings.to, folder=folder)
    share = [_("Open with the text filled in: {link}").format(link=link)] if link else []
    raise HandedOver(reason, notice="\n".join([reason, *share, "", text, ""]))
