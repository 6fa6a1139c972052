"""One Slack channel: what it is called, and whether a bot may post there. https://docs.slack.dev/reference/methods"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.platforms import slack_api as api
from campaign_cli.platforms.base import Session


async def checked_channel(
    session: Session, channel: str, *, base: str, me: Mapping[str, Any]
) -> tuple[str, tuple[str, ...]]:
    """The channel's name, where the token may ask for it, and notes for people.

    Raises Rejected where the bot may not post there.
    """
    scopes = {scope.strip() for scope in me["scopes"].split(",")} - {""}
    if scopes and "chat:write" not in scopes:
        raise Rejected(
            _("The token may not post: it lacks the scope {scope}.").format(scope="chat:write"),
            fix=_("On the app's page OAuth & Permissions, add the scope {scope} and reinstall the app.").format(
                scope="chat:write"
            ),
        )
    notes = _lacking(scopes)
    sample = {"ok": True, "channel": {"name": "{channel}", "is_member": True}}
    request = api.call(session, "conversations.info", base=base, query={"channel": channel}, sample=sample)
    try:
        found = await api.asked(session, request, lambda data: dict(data["channel"]))
    except Rejected as error:
        if error.code != "missing_scope":
            raise
        return "", (*notes, _("Whether the bot is in the channel can't be read: {fix}").format(fix=error.fix))
    outside = found.get("is_member") is False and "chat:write.public" not in scopes
    if found.get("is_archived") or outside:
        raise Rejected(
            _("The bot @{bot} may not post in {channel}.").format(
                bot=me.get("user", ""), channel=f"#{found.get('name')}"
            ),
            fix=_("In Slack, write /invite @APP in the channel, and check the channel's ID in accounts.yaml."),
        )
    return str(found.get("name") or ""), tuple(notes)


def _lacking(scopes: set[str]) -> list[str]:
    """What the token can't do, where Slack told its scopes."""
    notes = []
    if scopes and not {"files:write", "files:read"} <= scopes:
        notes.append(_("Pictures and videos need the scopes {scopes}.").format(scopes="files:write, files:read"))
    if scopes and not scopes & {"channels:history", "groups:history"}:
        notes.append(
            _("Without the scope {scope}, nothing can be looked up: what is in doubt, a person decides.").format(
                scope="channels:history"
            )
        )
    return notes
