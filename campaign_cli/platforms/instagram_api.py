"""Instagram's API: the two ways to sign in, whose account it is, and how it makes containers.

https://developers.facebook.com/docs/instagram-platform/overview · /docs/instagram-platform/content-publishing
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import model_validator

from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Request, Sending, Session
from campaign_cli.platforms.containers import Containers
from campaign_cli.platforms.graph import Graph, Handle, Identifier, Version
from campaign_cli.platforms.graph_answers import mixed_up
from campaign_cli.platforms.instagram_answers import BLOCKED, SPENT, TITLE, container_failed, table
from campaign_cli.source.shapes import finding

HOSTS: Final[Mapping[str, str]] = {
    "instagram": "https://graph.instagram.com",
    "facebook": "https://graph.facebook.com",
}
_ME: Final = "instagram.me"  # in Session.memory: the account's number and name


class Settings(base.Settings):
    """A professional account. ``login`` says where the token is from.

    ``instagram``: Instagram Login, with instagram_business_basic and instagram_business_content_publish.
    ``facebook``: Facebook Login, with instagram_basic, instagram_content_publish and pages_read_engagement; it needs
    ``account``, the number of the Instagram account, and uploads videos itself. ``handle`` guards against a mix-up.
    """

    token: str
    login: Literal["instagram", "facebook"] = "instagram"
    account: Identifier | None = None
    handle: Handle | None = None
    version: Version = "v25.0"
    url: WebAddress | None = None

    @model_validator(mode="after")
    def _whose(self) -> Settings:
        if self.login == "facebook" and self.account is None:
            raise finding(
                "A004",
                _("With Facebook Login, “account” must name the Instagram account by its number."),
                _("campaign accounts login shows it; or sign in with Instagram Login, which needs no number."),
            )
        return self

    @property
    def base(self) -> str:
        """The API's address, without its version."""
        return self.url or HOSTS[self.login]


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def graph_of(session: Session) -> Graph:
    """The way to Instagram for this account."""
    settings = settings_of(session.account)
    return Graph(base=f"{settings.base}/{settings.version}", title=TITLE, own=table(session.now))


async def me(session: Session) -> tuple[str, str]:
    """Number and name of the account behind the token, asked once for each process.

    Raises Unauthorized, and Rejected where accounts.yaml names another one.

    With Facebook Login the token is a person's, so the number is that of accounts.yaml.
    https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started
    """
    if _ME not in session.memory:
        settings = settings_of(session.account)
        facebook = settings.login == "facebook"
        path, fields = (f"/{settings.account}", "id,username") if facebook else ("/me", "user_id,username")
        name = settings.handle or "{username}"
        sample = {"id": settings.account or "{account_id}", "user_id": "{account_id}", "username": name}
        request = graph_of(session).call(session, "GET", path, query={"fields": fields}, sample=sample)
        number = "id" if facebook else "user_id"
        session.memory[_ME] = await ask(session.http, request, lambda body: (str(body[number]), str(body["username"])))
    identifier, name = session.memory[_ME]
    wanted = settings_of(session.account)
    if wanted.account and wanted.account != identifier:
        raise mixed_up(identifier, wanted.account)
    if wanted.handle and wanted.handle.lower() != name.lower():
        raise mixed_up(f"@{name}", f"@{wanted.handle}")
    return str(identifier), str(name)


async def containers(session: Session) -> Containers:
    """How this account makes containers."""
    return Containers(
        graph=graph_of(session),
        account=f"/{(await me(session))[0]}",
        create="media",
        publish="media_publish",
        limit="content_publishing_limit",
        status="status_code",
        reason="status",
        failed=container_failed,
        publishing=table(session.now, publishing=True),
        spent=SPENT,
        blocked=BLOCKED,
    )


def comment(sending: Sending, post: str, *, text: str) -> Request:
    """The account's own comment under a post.

    https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments
    """
    return graph_of(sending).call(
        sending, "POST", f"/{post}/comments", form={"message": text}, creating=True, sample={"id": "{comment_id}"}
    )
