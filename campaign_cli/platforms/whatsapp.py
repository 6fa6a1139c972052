"""WhatsApp's Cloud API: an approved template to everybody on a list who has agreed to get it.

https://developers.facebook.com/documentation/business-messaging/whatsapp

This is messaging with consent, and no feed: one delivery is one message for each recipient, without a permalink, a
look-up or a way back. How the list is worked through, so that nobody gets it twice, is in ``whatsapp_round.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base, graph_answers
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Request,
    Sending,
    Session,
    Upload,
)
from campaign_cli.platforms.whatsapp_account import (
    TEMPLATE,
    Settings,
    business_notes,
    call,
    facts_of,
    notes_of,
    recipients_of,
    settings_of,
)
from campaign_cli.platforms.whatsapp_answers import TITLE
from campaign_cli.platforms.whatsapp_list import Recipient
from campaign_cli.platforms.whatsapp_round import Round

_FILLINGS: Final = ("title", "text", "link", "name")
_BODY: Final = 1024  # characters of a template's whole body


class WhatsApp(Platform):
    """One business number and one list of recipients."""

    name: ClassVar[str] = "whatsapp"
    title: ClassVar[str] = TITLE
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token", "recipients")
    fields: ClassVar[frozenset[str]] = frozenset(
        {"title", "whatsapp_template", "whatsapp_language", "whatsapp_parameters"}
    )
    link_in: ClassVar[str] = "card"
    threads: ClassVar[bool] = False
    limits: ClassVar[Limits] = Limits(
        text=_BODY,
        unit="characters",
        images=1,
        image_bytes=5 * 1024 * 1024,
        videos=1,
        video_bytes=16 * 1024 * 1024,
    )
    help = {
        "phone_number_id": N_("At developers.facebook.com: your app → WhatsApp → API setup → Phone number ID."),
        "token": N_(
            "A token of a system user with whatsapp_business_messaging: business.facebook.com → System "
            "users → Generate token."
        ),
        "recipients": N_(
            "A file that only you can read (chmod 600) with phone and opted_in columns, as file:members.csv."
        ),
        "template": N_(
            "The name of an approved template: business.facebook.com → WhatsApp Manager → Message templates."
        ),
    }
    deletes = False
    proof: ClassVar[Proof] = Proof(look_up=False, repeat_for=None, verified_by="documentation alone")
    permalinks: ClassVar[bool] = False
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "requests and answers of /messages and /media: Meta's published specification leaves them out",
        "the HTTP status of each error, and which errors come with the answer and which by webhook alone",
        "what a message costs: Meta charges by country and category",
        "whether a message that was accepted is delivered: only webhooks tell",
    )
    max_wait: ClassVar[float] = 60.0

    def address(self, account: Account) -> str:
        """The API, the number and the list: one number may write to several lists."""
        settings = settings_of(account)
        return f"{compared(settings.url)}/{settings.phone_number_id}/{settings.recipients}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Code points in one line, as a parameter carries them; the template's own words count with them at Meta."""
        return (Count(used=len(_in_a_line(text)), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Everybody on the list in turn, but for those who have it. Nothing leaves before list and template are read.

        Unconfirmed, with counts, where somebody has it and others are in doubt or were not reached.
        """
        people = recipients_of(sending).people
        template = _template(sending)
        header = await _header(sending)

        def request(person: Recipient) -> Request:
            components = [header, _body(sending, person)]
            body = {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": person.phone,
                "type": "template",
                "template": template | {"components": [one for one in components if one]},
                "biz_opaque_callback_data": sending.key,
            }
            return call(sending, "POST", "/messages", json=body, creating=True, sample=_SAMPLE)

        for person in people:
            _body(sending, person)  # what can't be filled in must not come to light in the middle of the list
        return await Round(sending, salt=settings_of(sending.account).phone_number_id).go(people, request)

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """Nothing can be read: nothing is found, and that says nothing."""
        return LookUp(found=(), complete=False)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """Nothing can be read."""
        return None

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """What is on members' phones stays there."""
        raise Rejected(
            _("WhatsApp can't take back what it has sent."), fix=_("Write to the recipients again, with a correction.")
        )

    async def check(self, session: Session) -> AccountCheck:
        """The number, its quality, the token's rights, the template's state, and how many are on the list."""
        settings = settings_of(session.account)
        listed = recipients_of(session)
        query = {"fields": "id,display_phone_number,verified_name,quality_rating"}
        request = call(session, "GET", "", query=query)
        number = await ask(session.http, request, lambda body: {**body, "id": str(body["id"])})
        facts = await facts_of(session)
        return AccountCheck(
            identity=f"{number['id']}/{settings.recipients}",
            handle=str(number.get("verified_name") or number.get("display_phone_number") or number["id"]),
            software=TITLE,
            notes=(*notes_of(number, listed), *await business_notes(session)),
            scopes=facts.scopes if facts else (),
            expires=facts.expires if facts else None,
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """By the Graph API's usage headers."""
        return graph_answers.pause_until(headers, now)


platform = WhatsApp()

_SAMPLE: Final = {"messages": [{"id": "{wamid}"}]}


def _template(sending: Sending) -> dict[str, Any]:
    native = sending.draft.native
    name = str(native.get("whatsapp_template") or settings_of(sending.account).template)
    if not TEMPLATE.fullmatch(name):
        raise Rejected(
            _("“{name}” is not the name of a template.").format(name=name), fix=_("Correct whatsapp_template.")
        )
    return {"name": name, "language": {"code": str(native.get("whatsapp_language") or sending.draft.language)}}


async def _header(sending: Sending) -> dict[str, Any] | None:
    """The picture or video above the text, uploaded once."""
    media = sending.content.media
    if not media:
        return None
    if len(media) > 1:
        raise Rejected(
            _("A WhatsApp template has one picture or video at most."), fix=_("Write a variant with one of them.")
        )
    (picture,) = media
    step = f"header/{picture.sha256}"
    if step not in sending.steps:
        upload = Upload(field="file", name=picture.name, mime=picture.mime, content=await sending.load(picture))
        form = {"messaging_product": "whatsapp", "type": picture.mime}
        request = call(sending, "POST", "/media", form=form, uploads=[upload], sample={"id": "{media_id}"})
        await sending.keep(step, await ask(sending.http, request, lambda body: str(body["id"])))
    kind = "video" if picture.is_video else "image"
    return {"type": "header", "parameters": [{"type": kind, kind: {"id": sending.steps[step]}}]}


def _body(sending: Sending, person: Recipient) -> dict[str, Any] | None:
    """What fills the template's places, in their order; by default the text, with the link behind it.

    A parameter takes no line ends, no tabs and no long gaps. Raises Rejected where there is nothing to fill one with.
    """
    draft, wanted = sending.draft, sending.draft.native.get("whatsapp_parameters")
    text = sending.content.text
    if draft.link and (wanted is None or "link" not in wanted):
        text = f"{text} {draft.link}"
    values = {"title": draft.native.get("title"), "text": text, "link": draft.link, "name": person.name}
    parameters = []
    for name in ("text",) if wanted is None else wanted:
        value = _in_a_line(str(values.get(name) or ""))
        if not value:
            message = _("The template's parameter “{name}” can't be filled in.").format(name=name)
            fix = _("whatsapp_parameters takes {names}; each must be there (name: for every recipient).")
            raise Rejected(message, fix=fix.format(names=", ".join(_FILLINGS)))
        parameters.append({"type": "text", "text": value})
    return {"type": "body", "parameters": parameters} if parameters else None


def _in_a_line(text: str) -> str:
    return " ".join(text.split())
