"""The questions of OAuth 2, asked over our one transport: Authlib writes them, the answers are read here.

Authlib's own HTTP client is not used: it has no bound for an answer's size or length of time, and our transport already
knows proxies, redaction and what a broken connection means. RFC 6749 (codes, refresh), RFC 7636 (PKCE).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from campaign_cli.errors import CampaignError, Failure, InputError, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import explain, json_object, one_line, shown_url
from campaign_cli.platforms.base import Answer, Http, Request
from campaign_cli.signin.endpoints import Endpoints

_ANY_STATUS: Final = range(200, 600)
_LONGEST: Final = timedelta(days=3650)  # a lifetime above this is a mistake of the network's
_LATER: Final = frozenset(
    {"temporarily_unavailable", "server_error", "slow_down", "rate_limit_exceeded", "internal_failure"}
    | {"1", "2", "4", "17", "32", "341", "613"}  # Meta: a fault of theirs, or too many calls
)
_REFUSALS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant"}
    | {"unauthorized_client", "unsupported_grant_type", "invalid_scope"}
)
_IN_BETWEEN: Final = frozenset({403, 404, 405, 407, 408, 421, 425})
"""Statuses by which something in between speaks (a proxy, a firewall), unless the error is one of RFC 6749's own."""
_TOKEN: Final = re.compile(r"[\x20-\x7e]{1,16384}")  # what can stand in a header
_METHODS: Final = {"post": "client_secret_post", "basic": "client_secret_basic", "none": "none"}
_LIVES: Final = ("refresh_expires_in", "refresh_token_expires_in")  # TikTok; LinkedIn and Google


class Refused(CampaignError):
    """The network's token address said no, in words of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """What the token's address gave; ``refresh`` is empty where it gave none, ``scopes`` where it doesn't say."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires: datetime | None = None
    refresh_expires: datetime | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """How the network knows this program: the application that an office has registered there."""

    client_id: str
    client_secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Raises InputError for what can't be sent (RFC 6749, appendix A), such as the … of a shortened display."""
        if not re.fullmatch(r"[\x20-\x7e]*", self.client_id + self.client_secret):
            raise InputError(
                _("The application's id or secret holds signs that none of them has."),
                fix=_("Copy both again, whole, from the page of the application."),
            )


class TokenClient:
    """Asks one network's addresses on behalf of one application. Raises Refused, and Unavailable for anything else."""

    def __init__(self, at: Endpoints, application: Application, *, http: Http) -> None:
        self._at = at
        self._application = application
        self._http = http
        self._client = _authlib_client(at, application)

    def authorize_url(self, *, redirect: str, state: str, verifier: str) -> str:
        """The address for the browser. https://datatracker.ietf.org/doc/html/rfc6749#section-4.1.1"""
        oauth = self._at.oauth
        challenge = {}
        if oauth.pkce:
            challenge = {"code_challenge": _challenge(verifier, oauth.challenge), "code_challenge_method": "S256"}
        written, _state = self._client.create_authorization_url(
            self._at.authorize,
            state=state,
            redirect_uri=redirect,
            scope=oauth.separator.join(oauth.scopes),
            **challenge,
            **oauth.extra,
        )
        if oauth.client_name == "client_id":
            return str(written)
        parts = urlsplit(str(written))
        query = [(oauth.client_name if name == "client_id" else name, value) for name, value in parse_qsl(parts.query)]
        return parts._replace(query=urlencode(query)).geturl()

    async def trade_code(self, code: str, *, redirect: str, verifier: str, now: datetime) -> Tokens:
        """A code for tokens. https://datatracker.ietf.org/doc/html/rfc6749#section-4.1.3"""
        proof = {"code_verifier": verifier} if self._at.oauth.pkce else {}
        request = self._client.fetch_token(
            self._at.token, grant_type="authorization_code", code=code, redirect_uri=redirect, **proof
        )
        return await self._tokens(request, now)

    async def refresh(self, token: str, *, now: datetime) -> Tokens:
        """A refresh token for new tokens. https://datatracker.ietf.org/doc/html/rfc6749#section-6"""
        return await self._tokens(self._client.refresh_token(self._at.token, refresh_token=token), now)

    async def exchange(self, number: int, token: str, *, now: datetime) -> Tokens:
        """A valid token for one that lives longer: the first trade (0) or each after it (1), as the facts say.

        https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
        """
        address, fields = self._at.trades[number]
        known = {
            "client_id": self._application.client_id,
            "client_secret": self._application.client_secret,
            "token": token,
        }
        query = {name: value.format_map(known) for name, value in fields.items()}
        return await self._tokens(Request(method="GET", url=address, query=query, accept=_ANY_STATUS), now)

    async def _tokens(self, request: Request, now: datetime) -> Tokens:
        return read_tokens(request, await self._http.send(request), now=now, lifetime=self._at.oauth.lifetime)


async def register(address: str, *, redirects: Sequence[str], scopes: str, http: Http) -> Application:
    """Register this program at a server. https://docs.joinmastodon.org/methods/apps/#create

    Raises Refused, Unavailable.
    """
    form = {"client_name": "campaign", "redirect_uris": "\n".join(redirects), "scopes": scopes}
    request = Request(method="POST", url=address, form=form, accept=_ANY_STATUS)
    body = _body(request, await http.send(request))
    if not body.get("client_id"):
        raise Unavailable(_("{target} sent an answer that can't be read.").format(target=shown_url(address)))
    return Application(client_id=str(body["client_id"]), client_secret=str(body.get("client_secret") or ""))


def read_tokens(request: Request, answer: Answer, *, now: datetime, lifetime: timedelta | None) -> Tokens:
    """The tokens in an answer that came at ``now`` (aware). Raises Refused, Unavailable."""
    body = _body(request, answer)
    if isinstance(body.get("data"), list) and body["data"] and isinstance(body["data"][0], dict):
        body = body["data"][0]  # Instagram's first answer
    access = body.get("access_token")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        raise _unreadable(request, answer)
    given = body.get("scope") or body.get("permissions") or ()
    scopes = re.split(r"[\s,]+", given) if isinstance(given, str) else [str(each) for each in given]
    return Tokens(
        access=access,
        refresh=str(body.get("refresh_token") or ""),
        expires=_instant(body.get("expires_in"), now) or (now + lifetime if lifetime else None),
        refresh_expires=next((at for name in _LIVES if (at := _instant(body.get(name), now))), None),
        scopes=tuple(filter(None, scopes)),
    )


def _instant(seconds: Any, now: datetime) -> datetime | None:
    """Now and so many seconds; None for what is no sensible number of them."""
    try:
        distance = timedelta(seconds=float(seconds))
    except (TypeError, ValueError, OverflowError):
        return None
    return now + distance if timedelta(0) < distance < _LONGEST else None


def _body(request: Request, answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer that is no error. Raises Refused for an error in it, else Unavailable."""
    try:
        body = json.loads(answer.text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or answer.status >= 500 or answer.status == 429:
        raise _unreadable(request, answer)
    error = body.get("error") or body.get("error_type")
    if not error and answer.status < 300:
        return body
    code, words = _refusal(body, error)
    if code == "ok" and answer.status < 300:  # TikTok's way of saying that there is none
        return body
    if not error or code in _LATER or (isinstance(error, dict) and error.get("is_transient") is True):
        raise _unreadable(request, answer)
    if isinstance(error, str) and answer.status in _IN_BETWEEN and code not in _REFUSALS:
        raise _unreadable(request, answer)
    raise Refused(one_line(" ".join(filter(None, (code, words)))))


def _refusal(body: Mapping[str, Any], error: Any) -> tuple[str, str]:
    """Code and words of an error: RFC 6749's, or those of Meta's networks."""
    if isinstance(error, dict):
        return str(error.get("code") or ""), str(error.get("message") or "")
    words = body.get("error_description") or body.get("error_message") or body.get("message") or ""
    return str(error or ""), str(words)


def _unreadable(request: Request, answer: Answer) -> Failure:
    message = _("{target} answered {status}, and not with a token.").format(
        target=shown_url(request.url), status=answer.status
    )
    if answer.status >= 400 and json_object(answer.text):  # no page of a proxy's, and nothing that holds a token
        message += f" {one_line(explain(answer))}"
    return Unavailable(message, status=answer.status)


def _challenge(verifier: str, form: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return digest.hex() if form == "hex" else base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _authlib_client(at: Endpoints, application: Application) -> Any:
    """Authlib's client, whose questions come back as our ``Request`` instead of being sent."""
    from authlib.common.urls import add_params_to_qs
    from authlib.oauth2.client import OAuth2Client

    def named(client: Any, method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
        secret = [("client_secret", client.client_secret)] if client.client_secret else []
        return uri, headers, add_params_to_qs(body, [(at.oauth.client_name, client.client_id), *secret])

    class Writer(OAuth2Client):  # type: ignore[misc] # Authlib has no types
        def _fetch_token(
            self, url: str, body: str = "", headers: Any = None, auth: Any = None, **_more: Any
        ) -> Request:
            url, headers, body = auth.prepare("POST", url, dict(headers or {}), body)
            content = body.encode("utf-8")
            return Request(method="POST", url=url, content=content, headers=headers, accept=_ANY_STATUS)

        def _refresh_token(self, url: str, **members: Any) -> Request:
            members.pop("refresh_token", None)  # it stands in the body
            return self._fetch_token(url, **members)

    # An application without a secret can only name itself, also where others prove themselves in a header (X).
    method = at.oauth.authentication if application.client_secret else "none"
    client = Writer(
        session=None,
        client_id=application.client_id,
        client_secret=application.client_secret or None,
        token_endpoint_auth_method=_METHODS[method],
    )
    if method != "basic":
        # Other names than client_id, and no empty secret: an application without one says nothing of it.
        client.register_client_auth_method((client.token_endpoint_auth_method, named))
    return client
