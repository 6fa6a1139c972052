"""Threads' API: whose token it is, what it may do, how much of the day is used, and what is counted.

https://developers.facebook.com/docs/threads/overview · /docs/threads/reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Answer, Session
from campaign_cli.platforms.containers import Containers
from campaign_cli.platforms.graph import Graph, Handle, TokenFacts, token_facts
from campaign_cli.platforms.graph_answers import GraphError, mixed_up, refused

TITLE: Final = "Threads"
METRICS: Final = ("views", "likes", "replies", "reposts", "quotes", "shares")
_VERSION: Final = "v1.0"
_NOT_FOUND: Final = 4279009  # subcode, in no table of Meta's; others have met it often
_ME: Final = "threads.me"  # in Session.memory: the profile's number and name


class Settings(base.Settings):
    """A profile's token with threads_basic and threads_content_publish; further ones as ``accounts check`` says.

    ``handle`` (``@name``) guards against a mix-up.
    """

    token: str
    handle: Handle | None = None
    url: WebAddress = "https://graph.threads.net"


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def graph_of(session: Session) -> Graph:
    """The way to Threads for this account."""
    return Graph(base=f"{settings_of(session.account).url}/{_VERSION}", title=TITLE)


async def containers(session: Session) -> Containers:
    """How a profile makes containers; it is the profile that accounts.yaml names, where it names one."""
    if settings_of(session.account).handle:
        await me(session)
    return Containers(
        graph=graph_of(session),
        account="/me",
        create="threads",
        publish="threads_publish",
        limit="threads_publishing_limit",
        status="status",
        reason="error_message",
        failed=container_failed,
        publishing=_publishing,
        spent=frozenset({str(_NOT_FOUND)}),
    )


def _publishing(error: GraphError, answer: Answer) -> Failure | None:
    """Threads calls a container finished and doesn't find it right after: then it is made anew."""
    if error.subcode != _NOT_FOUND:
        return None
    return Unavailable(refused(error, title=TITLE), status=answer.status, code=error.name)


def container_failed(reason: str) -> Failure:
    """What it means that a container could not be finished.

    https://developers.facebook.com/docs/threads/troubleshooting
    """
    message = _("Threads could not use the media: {reason}").format(reason=reason or "UNKNOWN")
    if reason.startswith("INVALID_"):
        fix = _("Save the video as MP4 with H.264 and AAC, 23 to 60 pictures a second, at most 5 minutes long.")
        return Rejected(message, code=reason, fix=fix)
    return Unavailable(message, code=reason)


async def me(session: Session) -> tuple[str, str]:
    """Number and name of the profile behind the token, asked once for each process.

    Raises Unauthorized, and Rejected where accounts.yaml names another one.

    https://developers.facebook.com/docs/threads/threads-profiles
    """
    if _ME not in session.memory:
        sample = {"id": "{profile_id}", "username": settings_of(session.account).handle or "{username}"}
        node = await graph_of(session).node(session, "/me", fields="id,username", sample=sample)
        session.memory[_ME] = (node["id"], str(node.get("username") or node["id"]))
    identifier, name = session.memory[_ME]
    wanted = settings_of(session.account).handle
    if wanted and wanted.lower() != name.lower():
        raise mixed_up(f"@{name}", f"@{wanted}")
    return str(identifier), str(name)


async def facts(session: Session) -> TokenFacts | None:
    """What Threads says of the token; None where it tells this only to the app's testers.

    https://developers.facebook.com/docs/threads/troubleshooting/debug-access-token
    """
    try:
        return await token_facts(session, graph_of(session))
    except Rejected:
        return None


async def metrics(session: Session, identifier: str) -> Mapping[str, int]:
    """What Threads counts of a post; empty where the token may not be told (threads_manage_insights).

    https://developers.facebook.com/docs/threads/insights
    """
    query = {"metric": ",".join(METRICS)}
    request = graph_of(session).call(session, "GET", f"/{identifier}/insights", query=query)

    def read(body: Any) -> dict[str, int]:
        return {str(row["name"]): int(row["values"][0]["value"]) for row in body["data"]}

    try:
        return await ask(session.http, request, read)
    except Failure:
        return {}
