"""Who a LinkedIn account is, and what its token may do, as far as LinkedIn tells.

Each of these questions needs a permission of its own; where the token lacks one, a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.platforms.base import Session
from campaign_cli.platforms.linkedin_api import LIFE, allowed, call, released, settings_of


async def person(session: Session) -> tuple[str, list[str]]:
    """The member's name; whether it is the author's token, where it may say who it is (openid, profile).

    https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
    """
    request = call(session, "GET", "/v2/userinfo", sample={"sub": "{member}", "name": "{name}"})
    me = await allowed(session, request, lambda body: (str(body["sub"]), str(body.get("name") or "")))
    notes = [_("A person's posts can't be read: what is in doubt, a person decides.")]
    if me is None:
        return "", [_("Whose token it is can't be read without the scopes openid and profile."), *notes]
    author = settings_of(session.account).author
    if f"urn:li:person:{me[0]}" != author:
        raise Rejected(
            _("The token belongs to {found}, accounts.yaml says {wanted}.").format(
                found=f"urn:li:person:{me[0]}", wanted=author
            ),
            fix=_("Correct the author, or take the token of the right account."),
        )
    return me[1], notes


async def page(session: Session) -> tuple[str, list[str]]:
    """The page's name, and whether the token's member may post for it.

    https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-access-control-by-role
    """
    author, may = settings_of(session.account).author, {"ADMINISTRATOR", "CONTENT_ADMIN", "CONTENT_ADMINISTRATOR"}
    query = {"q": "roleAssignee", "state": "APPROVED", "count": "100"}
    request = call(session, "GET", "/rest/organizationAcls", query=query, restli="FINDER")
    roles = await allowed(
        session,
        request,
        lambda body: {str(each["role"]) for each in body["elements"] if each.get("organization") == author},
    )
    if roles is not None and not roles & (may | {"DIRECT_SPONSORED_CONTENT_POSTER"}):
        raise Rejected(
            _("The member who signed in may not post for {author}.").format(author=author),
            fix=_("On the page, give this member the role of an administrator or content administrator."),
        )
    identifier = author.rpartition(":")[2]
    request = call(session, "GET", f"/rest/organizations/{identifier}", sample={"localizedName": "{page}"})
    name = await allowed(session, request, lambda body: str(body.get("localizedName") or ""))
    if roles is None:
        return name or "", [_("Whether the token may post for the page can't be read without r_organization_admin.")]
    return name or "", []


def notes_on(session: Session, token: Mapping[str, Any] | None) -> list[str]:
    """What the token can't do, and what ends."""
    settings, notes = settings_of(session.account), []
    if token is None:
        notes.append(
            _(
                "A token of LinkedIn ends after 60 days. With client_id and client_secret of the app in accounts.yaml, "
                "the day is shown here."
            )
        )
    elif token["scopes"] and ":organization:" in settings.author and "r_organization_social" not in token["scopes"]:
        notes.append(
            _("Without the scope {scope}, nothing can be looked up: what is in doubt, a person decides.").format(
                scope="r_organization_social"
            )
        )
    ends = released(settings.version) + LIFE
    if session.now() > ends - timedelta(days=60):
        notes.append(
            _("LinkedIn may end version {version} of its API from {day} on: write a newer one as version.").format(
                version=settings.version, day=ends.date().isoformat()
            )
        )
    return notes
