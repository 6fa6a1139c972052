"""Being signed in to Bluesky: one session for each process and account, refreshed when it runs out.

https://docs.bsky.app/docs/api/com-atproto-server-create-session · com-atproto-server-refresh-session
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Rejected, Unauthorized
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress, compared
from campaign_cli.platforms.answers import ask, explain, is_loopback, json_object, read_json
from campaign_cli.platforms.base import Answer, Request, Session

if TYPE_CHECKING:
    import asyncio

_LOGIN: Final = "bluesky.login"  # in Session.memory
_LOCK: Final = "bluesky.lock"


class Settings(base.Settings):
    """A handle and an app password (Settings → Privacy and security → App passwords); ``url`` is where one signs in."""

    handle: str
    password: str
    url: WebAddress = "https://bsky.social"


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A session: who we are, the two tokens, and the address of the personal data server."""

    did: str
    handle: str
    access: str
    refresh: str
    server: str


class _Expired(Unauthorized):
    """400 ExpiredToken: the access token has run out."""


class _Invalid(Unauthorized):
    """400 InvalidToken: the token is of no use any more."""


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def address_of(account: Account) -> str:
    """Where one signs in, and as whom."""
    settings = settings_of(account)
    return f"{compared(settings.url)}/@{settings.handle.lstrip('@').lower()}"


async def call(session: Session, method: str, name: str, **members: Any) -> tuple[Request, Answer]:
    """Call the method ``name`` (an NSID) as this account; ``members`` as in Request.

    An expired session is refreshed, a useless one replaced by signing in again; both mean that nothing was done.
    """
    table = members.pop("errors", refusal)
    for attempt in range(3):
        login = await signed_in(session)
        request = Request(
            method=method,
            url=f"{login.server}/xrpc/{name}",
            headers={"Authorization": f"Bearer {login.access}", **members.get("headers", {})},
            errors=lambda answer: _session_trouble(answer) or table(answer),
            **{member: value for member, value in members.items() if member != "headers"},
        )
        try:
            return request, await session.http.send(request)
        except _Expired:
            await _renew(session, login, again=attempt > 0)
        except _Invalid:
            await _renew(session, login, again=True)
    raise Unauthorized(_("The server does not accept its own session. Signing in again did not help."))


async def signed_in(session: Session) -> Login:
    """The session of this process; signs in at the first call. Raises Unauthorized, Rejected, Unavailable."""
    async with _lock(session):
        if _LOGIN not in session.memory:
            session.memory[_LOGIN] = await _sign_in(session)
        login: Login = session.memory[_LOGIN]
        return login


async def _renew(session: Session, old: Login, *, again: bool) -> None:
    """Refresh, or sign in ``again``; nothing to do where another sender did it meanwhile."""
    async with _lock(session):
        if session.memory.get(_LOGIN) is not old:
            return
        renewed = None if again else await _refreshed(session, old)
        session.memory[_LOGIN] = renewed or await _sign_in(session)


async def _sign_in(session: Session) -> Login:
    """com.atproto.server.createSession: 30 in 5 minutes, 300 a day for each account."""
    settings = settings_of(session.account)
    handle = settings.handle.lstrip("@")
    sample = {"did": "did:plc:{did}", "handle": handle, "accessJwt": "{access_token}", "refreshJwt": "{refresh_token}"}
    request = Request(
        method="POST",
        url=f"{settings.url}/xrpc/com.atproto.server.createSession",
        json={"identifier": handle, "password": session.secret("password")},
        errors=_sign_in_refused,
        sample=sample,
    )
    return await ask(session.http, request, lambda data: _login(data, settings.url))


async def _refreshed(session: Session, old: Login) -> Login | None:
    """com.atproto.server.refreshSession; None where the refresh token has run out as well."""
    request = Request(
        method="POST",
        url=f"{old.server}/xrpc/com.atproto.server.refreshSession",
        headers={"Authorization": f"Bearer {old.refresh}"},
        accept=(200, 400, 401),
    )
    answer = await session.http.send(request)
    if answer.status != 200:
        return None
    renewed = read_json(request, answer, lambda data: _login(data, old.server))
    return replace(renewed, server=old.server)


def _login(data: Mapping[str, Any], url: str) -> Login:
    return Login(
        did=str(data["did"]),
        handle=str(data["handle"]),
        access=str(data["accessJwt"]),
        refresh=str(data["refreshJwt"]),
        server=_server(data, url),
    )


def _server(data: Mapping[str, Any], url: str) -> str:
    """The personal data server: as the DID document says where we signed in at an entryway, else where we signed in."""
    if is_loopback(urlsplit(url).hostname or ""):
        return url
    for service in (data.get("didDoc") or {}).get("service") or ():
        endpoint = str(service.get("serviceEndpoint") or "")
        if str(service.get("id") or "").endswith("#atproto_pds") and endpoint.startswith("https://"):
            return endpoint.rstrip("/")
    return url


def _lock(session: Session) -> asyncio.Lock:
    import asyncio

    lock: asyncio.Lock = session.memory.setdefault(_LOCK, asyncio.Lock())
    return lock


def name_of(answer: Answer) -> str:
    """The name of an error (``InvalidSwap``), empty where there is none."""
    return str(json_object(answer.text).get("error") or "")


def refusal(answer: Answer) -> Exception | None:
    """A named 400 as Rejected with that name as its code; everything else is read as usual."""
    if answer.status != 400 or not name_of(answer):
        return None
    text = _("Bluesky refused it: {text}").format(text=explain(answer))
    return Rejected(text, status=answer.status, code=name_of(answer))


def _session_trouble(answer: Answer) -> Exception | None:
    if answer.status not in {400, 401}:
        return None
    trouble = {"ExpiredToken": _Expired, "InvalidToken": _Invalid}.get(name_of(answer))
    return trouble(explain(answer), status=answer.status) if trouble else None


def _sign_in_refused(answer: Answer) -> Exception | None:
    if answer.status not in {400, 401, 403}:
        return None
    name = name_of(answer)
    if name == "AuthFactorTokenRequired":
        message, fix = (
            _("Bluesky asks for a code sent by e-mail."),
            _("Use an app password instead of the account's own."),
        )
    elif name == "AccountTakedown":
        return Rejected(_("Bluesky has taken this account down."), status=answer.status, code=name)
    else:
        message = _("Bluesky did not let us sign in: {text}").format(text=explain(answer))
        fix = _("Check handle and app password of this account.")
    return Unauthorized(message, status=answer.status, code=name, fix=fix)
