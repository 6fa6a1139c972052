"""An account of WhatsApp: its settings, requests to its number, its list, and what Meta says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import field_validator

from campaign_cli.errors import CredentialError, Rejected
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Request, Session
from campaign_cli.platforms.graph import Graph, Identifier, TokenFacts, Version, token_facts
from campaign_cli.platforms.whatsapp_answers import TITLE, errors
from campaign_cli.platforms.whatsapp_list import Recipients, read_recipients
from campaign_cli.source.shapes import finding

TEMPLATE: Final = re.compile(r"[a-z0-9_]{1,512}")
_LIMIT: Final = "whatsapp_business_manager_messaging_limit"


class Settings(base.Settings):
    """The sending number's ID, the list, and the template that is used where a post names none.

    ``business_account`` (the WhatsApp Business Account's ID) lets ``accounts check`` see the template's state.
    """

    phone_number_id: Identifier
    token: str
    recipients: str
    template: str
    business_account: Identifier | None = None
    version: Version = "v25.0"
    url: WebAddress = "https://graph.facebook.com"

    @field_validator("template")
    @classmethod
    def _known_form(cls, value: str) -> str:
        if not TEMPLATE.fullmatch(value):
            raise finding("A004", _("This is not the name of a template."), _("Small letters, digits and _ alone."))
        return value


def settings_of(account: Account) -> Settings:
    """The account's own keys."""
    return Settings.model_validate(dict(account.settings))


def call(session: Session, method: str, path: str, **members: Any) -> Request:
    """A request to the number's own edge ``path``."""
    settings = settings_of(session.account)
    graph = Graph(base=f"{settings.url}/{settings.version}", title=TITLE)
    members["errors"] = errors(session, creating=bool(members.get("creating")))
    return graph.call(session, method, f"/{members.pop('node', settings.phone_number_id)}{path}", **members)


def recipients_of(session: Session) -> Recipients:
    """The list. Raises Rejected where it is absent, readable by others, wrong or empty."""
    try:
        text = session.secret("recipients")
    except CredentialError as error:
        fix = _(
            "Put the list there (CSV with phone, opted_in, name), on every machine that sends, and run chmod 600 on it."
        )
        raise Rejected(error.message, fix=fix) from error
    found = read_recipients(text, today=session.now().date())
    if not found.people:
        raise Rejected(_("Nobody on the list of recipients has opted in."), fix=_("Write the date into opted_in."))
    return found


async def facts_of(session: Session) -> TokenFacts | None:
    """What the token may do and how long, where Meta tells."""
    settings = settings_of(session.account)
    try:
        return await token_facts(session, Graph(base=f"{settings.url}/{settings.version}", title=TITLE))
    except Rejected:
        return None


def notes_of(number: Mapping[str, Any], listed: Recipients) -> list[str]:
    count = len(listed.people)
    notes = [
        ngettext(
            "A post is a message for {n} recipient; Meta charges for each, and what it asks is not known.",
            "A post is a message for each of {n} recipients; Meta charges for each, and what it asks is not known.",
            count,
        ).format(n=count)
    ]
    if listed.without_consent:
        notes.append(
            ngettext(
                "{n} on the list has not opted in and gets nothing.",
                "{n} on the list have not opted in and get nothing.",
                listed.without_consent,
            ).format(n=listed.without_consent)
        )
    if number.get("quality_rating"):
        notes.append(_("Quality of the number: {rating}.").format(rating=number["quality_rating"]))
    notes.append(_("WhatsApp says that it accepted a message, and not whether it was delivered."))
    return notes


async def business_notes(session: Session) -> list[str]:
    """The template's state and the day's limit, by the business account's own specification."""
    settings = settings_of(session.account)
    if settings.business_account is None:
        return [_("Whether the template is approved is only seen with business_account in accounts.yaml.")]
    node, name = {"node": settings.business_account}, settings.template
    request = call(session, "GET", "/message_templates", query={"name": name}, **node)
    rows = await ask(session.http, request, lambda body: [row for row in body["data"] if row["name"] == name])
    states = sorted(f"{row.get('language', '?')}: {row.get('status', '?')}" for row in rows)
    request = call(session, "GET", "", query={"fields": f"id,{_LIMIT}"}, **node)
    allowed = await ask(session.http, request, lambda body: body.get(_LIMIT))
    notes = [
        _("Template {name}: {states}.").format(name=name, states=", ".join(states))
        if states
        else _("There is no template {name}.").format(name=name)
    ]
    return [*notes, _("New recipients in 24 hours: {limit}.").format(limit=allowed)] if allowed else notes
