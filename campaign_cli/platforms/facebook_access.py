"""Whether an account's token is the page's own, what it may do, and when it ends."""

from __future__ import annotations

from typing import Final

from campaign_cli.errors import Rejected, Unauthorized
from campaign_cli.i18n import _
from campaign_cli.platforms.base import AccountCheck, Session
from campaign_cli.platforms.facebook_api import SITE, graph_of, settings_of
from campaign_cli.platforms.graph import TokenFacts, token_facts

POSTING: Final = "pages_manage_posts"
READING: Final = "pages_read_engagement"
COMMENTING: Final = "pages_manage_engagement"


async def require_own_token(session: Session) -> None:
    """Raises Rejected where the token is not this page's."""
    settings, graph = settings_of(session.account), graph_of(session.account)
    me = await graph.node(session, "/me", fields="id,name")
    if me["id"] != settings.page:
        raise Rejected(
            _("The token belongs to {found}, accounts.yaml says page {page}.").format(
                found=f"{me.get('name', '')} ({me['id']})", page=settings.page
            ),
            fix=_("Take the page's own token, not the person's: campaign accounts login"),
        )


async def checked(session: Session) -> AccountCheck:
    """What the page and its token say. Raises Unauthorized, Rejected, Unavailable.

    https://developers.facebook.com/docs/graph-api/reference/page
    """
    settings, graph = settings_of(session.account), graph_of(session.account)
    await require_own_token(session)
    page = await graph.node(session, f"/{settings.page}", fields="id,name,username,link,is_published")
    notes = [_("Later parts of a thread are comments of the page under the first.")]
    if page.get("is_published") is False:
        notes.append(_("The page is not published: nobody but its own people sees its posts."))
    facts = await _facts(session)
    if facts is None:
        notes.append(_("Facebook doesn't tell what the token may do, and when it ends."))
    else:
        notes += _notes(facts)
    name = str(page.get("username") or "")
    return AccountCheck(
        identity=settings.page,
        handle=f"@{name}" if name else str(page.get("name") or settings.page),
        url=str(page.get("link") or f"{SITE}/{settings.page}"),
        software=f"Graph API {settings.version}",
        notes=tuple(notes),
        scopes=facts.scopes if facts else (),
        expires=facts.expires if facts else None,
    )


async def _facts(session: Session) -> TokenFacts | None:
    """What Facebook says of the token; None where it doesn't let it ask. Raises where the token may not post."""
    try:
        facts = await token_facts(session, graph_of(session.account))
    except (Rejected, Unauthorized):  # the token works, as /me has shown: it is the asking that is refused
        return None
    if not facts.valid:
        raise Unauthorized(
            _("Facebook says that the token is not valid any more."),
            fix=_("Sign in again and renew the token: campaign accounts login"),
        )
    if facts.scopes and POSTING not in facts.scopes:
        raise Rejected(
            _("The token may not post: it lacks the permission {scope}.").format(scope=POSTING),
            fix=_("Sign in again and tick every permission: campaign accounts login"),
        )
    return facts


def _notes(facts: TokenFacts) -> list[str]:
    """What the token can't do, and how it can end."""
    notes = []
    if facts.scopes and COMMENTING not in facts.scopes:
        notes.append(
            _("Without the permission {scope}, there are no threads and no first comments.").format(scope=COMMENTING)
        )
    if facts.scopes and READING not in facts.scopes:
        notes.append(
            _("Without the permission {scope}, nothing can be looked up: what is in doubt, a person decides.").format(
                scope=READING
            )
        )
    if facts.expires is None:
        notes.append(_("The token has no end by time; a new password, or the loss of the role on the page, ends it."))
    if facts.data_until is not None:
        notes.append(
            _("The person must use the app again before {day}, or it can't read any more.").format(
                day=facts.data_until.date().isoformat()
            )
        )
    return notes
