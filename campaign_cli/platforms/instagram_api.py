"""Instagram's API: the two ways to sign in, whose account it is, and videos that are uploaded instead of fetched.

https://developers.facebook.com/docs/instagram-platform/overview · /docs/instagram-platform/content-publishing
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from campaign_cli.errors import Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.models import Account, Picture
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress, same_origin
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Request, Sending, Session
from campaign_cli.platforms.containers import Containers
from campaign_cli.platforms.graph import Graph, Identifier, Version
from campaign_cli.platforms.instagram_answers import BLOCKED, SPENT, TITLE, container_failed, table
from campaign_cli.source.shapes import finding

HOSTS: Final[Mapping[str, str]] = {
    "instagram": "https://graph.instagram.com",
    "facebook": "https://graph.facebook.com",
}
_UPLOADS: Final = "https://rupload.facebook.com"
_ME: Final = "instagram.me"  # in Session.memory: the account's number and name
_NAME: Final = re.compile(r"@?([a-z0-9._]{1,30})", re.ASCII | re.IGNORECASE)


class Settings(base.Settings):
    """A professional account. ``login`` says where the token is from.

    ``instagram``: Instagram Login, with instagram_business_basic and instagram_business_content_publish.
    ``facebook``: Facebook Login, with instagram_basic, instagram_content_publish and pages_read_engagement; it needs
    ``account``, the number of the Instagram account, and uploads videos itself. ``handle`` guards against a mix-up.
    """

    token: str
    login: Literal["instagram", "facebook"] = "instagram"
    account: Identifier | None = None
    handle: str | None = None
    version: Version = "v25.0"
    url: WebAddress | None = None

    @field_validator("account", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """YAML reads it as a number."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("handle")
    @classmethod
    def _known_form(cls, value: str | None) -> str | None:
        """The name without ``@``."""
        match = _NAME.fullmatch(value) if value is not None else None
        if value is not None and match is None:
            raise finding(
                "A004",
                _("This is not the name of an account on Instagram."),
                _("Write @name: up to 30 letters, digits, underscores or dots."),
            )
        return match[1] if match else None

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
    """Number and name of the account behind the token, asked once for each process. Raises Unauthorized.

    With Facebook Login the token is a person's, so the number is that of accounts.yaml.
    https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started
    """
    if _ME not in session.memory:
        settings = settings_of(session.account)
        facebook = settings.login == "facebook"
        path, fields = (f"/{settings.account}", "id,username") if facebook else ("/me", "user_id,username")
        sample = {"id": settings.account or "{account_id}", "user_id": "{account_id}", "username": "{username}"}
        request = graph_of(session).call(session, "GET", path, query={"fields": fields}, sample=sample)
        number = "id" if facebook else "user_id"
        session.memory[_ME] = await ask(session.http, request, lambda body: (str(body[number]), str(body["username"])))
    identifier, name = session.memory[_ME]
    return str(identifier), str(name)


async def containers(session: Session) -> Containers:
    """How this account makes containers."""
    return Containers(
        graph=graph_of(session),
        account=f"/{(await me(session))[0]}",
        create="media",
        publish="media_publish",
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


async def quota(session: Session) -> tuple[int, int]:
    """How many posts the account has published in the last 24 hours, and how many it may.

    https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit
    """
    path = f"/{(await me(session))[0]}/content_publishing_limit"
    request = graph_of(session).call(session, "GET", path, query={"fields": "quota_usage,config"})
    return await ask(
        session.http,
        request,
        lambda body: (int(body["data"][0]["quota_usage"]), int(body["data"][0]["config"]["quota_total"])),
    )


def uploads(session: Session, medium: Picture) -> bool:
    """Whether the bytes are sent to Instagram instead of being fetched by it: videos, with Facebook Login alone."""
    return medium.is_video and settings_of(session.account).login == "facebook"


async def send_video(sending: Sending, medium: Picture, container: Mapping[str, Any]) -> None:
    """Send a video's bytes to the container that was made for it; what has arrived of them is not sent again.

    The address comes from Meta, and must be Meta's, since the token goes there.
    https://developers.facebook.com/docs/instagram-platform/content-publishing/resumable-uploads
    """
    uri = str(container["uri"])
    settings = settings_of(sending.account)
    if not same_origin(uri, _UPLOADS) and not (settings.url and same_origin(uri, settings.url)):
        host = urlsplit(uri).hostname or uri
        raise Rejected(_("Instagram names {host} for the video, which is not its own.").format(host=host))
    content, arrived = await sending.load(medium), int(container.get("arrived") or 0)
    sending.uploaded(arrived, len(content))
    request = Request(
        method="POST",
        url=uri,
        headers={
            "Authorization": f"OAuth {sending.secret('token')}",
            "Content-Type": "application/octet-stream",
            "offset": str(arrived),
            "file_size": str(len(content)),
        },
        content=content[arrived:],
        sample={"success": True},
        errors=graph_of(sending).call(sending, "POST", "").errors,
    )
    if not await ask(sending.http, request, lambda body: body["success"] is True):
        raise Unavailable(_("Instagram did not take the video. It is tried again later."))
    sending.uploaded(len(content), len(content))


async def arrived(session: Session, container: str) -> int:
    """How many bytes of a video have arrived.

    https://developers.facebook.com/docs/instagram-platform/content-publishing/resumable-uploads
    """
    request = graph_of(session).call(
        session, "GET", f"/{container}", query={"fields": "video_status"}, sample={"id": container}
    )

    def read(body: Any) -> int:
        phase = (body.get("video_status") or {}).get("uploading_phase") or {}
        return int(phase.get("bytes_transferred") or 0)

    return await ask(session.http, request, read)


def upload_address(session: Session, container: str) -> str:
    """Where a container's video goes, where Instagram's answer doesn't say."""
    return f"{_UPLOADS}/ig-api-upload/{settings_of(session.account).version}/{container}"
