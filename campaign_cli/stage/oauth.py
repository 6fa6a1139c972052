"""Signing in on the stage: one page and one token address for every network whose adapter has ``oauth`` facts.

Each account has them at the network's own paths below ``/PLATFORM/ACCOUNT``. The page allows at once and leads back;
there is nobody to ask. Refresh tokens are rotated: each is good once, or again within ``reuse_seconds``. Tokens end by
the stage's clock. RFC 6749, RFC 7636; docs.joinmastodon.org/methods/apps; Meta's token exchanges.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.platforms.base import OAuth
from campaign_cli.stage.network import Network, Refusal, fields
from campaign_cli.stage.state import StageAccount, StageState

CODE_LIFE: Final = timedelta(minutes=10)
_YEARS: Final = 10 * 366 * 86_400
_MOST: Final = 1_000
"""Codes, applications and refresh tokens that are remembered at a time: whoever asks needs no token for them."""
_TOKEN_FIELDS: Final = ("access_token", "fb_exchange_token")


class OAuthRules(BaseModel):
    """How the stage's sign-ins behave; POST /_stage/oauth sets them. Lifetimes in seconds.

    ``reuse_seconds``: how long a refresh token that was used works once more. ``deny``: the person says no.
    ``refuse``: every renewal is refused for good.
    """

    model_config = ConfigDict(extra="forbid")

    lifetime: float = Field(default=7200, gt=0, le=_YEARS)
    refresh_lifetime: float | None = Field(default=None, gt=0, le=_YEARS)
    reuse_seconds: float = Field(default=0, ge=0, le=_YEARS)
    deny: bool = False
    refuse: bool = False


@dataclass(kw_only=True, slots=True)
class _Code:
    account: str
    client: str
    redirect: str
    challenge: str
    scope: str
    until: datetime


@dataclass(kw_only=True, slots=True)
class _Refresh:
    account: str
    client: str
    scope: str
    used: datetime | None = None
    until: datetime | None = None


class OAuthStage:
    """Every sign-in on one stage. Its access tokens are ``state.issued``, which the networks ask."""

    def __init__(self, state: StageState) -> None:
        self.state = state
        self.rules = OAuthRules()
        self.counts: Counter[str] = Counter()
        self._applications: dict[str, str] = {}  # those that registered themselves: id → secret
        self._codes: dict[str, _Code] = {}
        self._refreshes: dict[str, _Refresh] = {}

    def routes(self, network: Network, oauth: OAuth) -> list[BaseRoute]:
        """The addresses of one network, at the paths of its facts."""

        async def authorize(request: Request, account: StageAccount) -> Response:
            return self._authorize(request, account, oauth)

        async def token(request: Request, account: StageAccount) -> Response:
            return await self._token(request, account, oauth)

        async def trade(request: Request, account: StageAccount) -> Response:
            return self._trade(request, account)

        def path(address: str) -> str:
            return urlsplit(address.replace("{url}", "")).path

        trades = {path(address) for address, _fields in oauth.exchange} - {path(oauth.token)}
        routes: list[BaseRoute] = [
            network.route(path(oauth.authorize), authorize, guarded=False),
            network.route(path(oauth.token), token, methods=("GET", "POST"), guarded=False),
            *(network.route(each, trade, guarded=False) for each in sorted(trades)),
        ]
        if oauth.registers:
            routes.append(network.route(path(oauth.registers), self._register, methods=("POST",), guarded=False))
        return routes

    async def control(self, request: Request) -> Response:
        """/_stage/oauth: GET the rules and the counts; POST some rules as JSON."""
        if request.method == "POST":
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return JSONResponse({"error": "application/json is needed"}, 415)
            try:
                changed = OAuthRules.model_validate_json(await request.body()).model_dump(exclude_unset=True)
            except ValidationError as error:
                return JSONResponse({"error": str(error)}, 422)
            self.rules = self.rules.model_copy(update=changed)
        return JSONResponse({"rules": self.rules.model_dump(), "counts": dict(self.counts)})

    def _authorize(self, request: Request, account: StageAccount, oauth: OAuth) -> Response:
        """GET the page for the browser; it allows at once."""
        query = request.query_params
        client, redirect = query.get(oauth.client_name, ""), query.get("redirect_uri", "")
        if query.get("response_type") != "code" or not client or not redirect:
            raise _error("invalid_request", "response_type, redirect_uri or the application's id is missing")
        if oauth.registers and client not in self._applications:
            raise _error("invalid_client", "nobody registered this application", status=401)
        if oauth.pkce and not query.get("code_challenge"):
            raise _error("invalid_request", "code_challenge is missing")
        state = query.get("state", "")
        if self.rules.deny:
            return RedirectResponse(_with(redirect, {"error": "access_denied", "state": state}), 302)
        code = secrets.token_urlsafe(16)
        _bounded(self._codes)
        self._codes[code] = _Code(
            account=account.name,
            client=client,
            redirect=redirect,
            challenge=query.get("code_challenge", ""),
            scope=query.get("scope", ""),
            until=self.state.now() + CODE_LIFE,
        )
        self.counts["authorized"] += 1
        if urlsplit(redirect).scheme in ("http", "https"):
            return RedirectResponse(_with(redirect, {"code": code, "state": state}), 302)
        return HTMLResponse(f'<!doctype html><meta charset="utf-8"><p>Code: <code>{escape(code)}</code></p>')

    async def _token(self, request: Request, account: StageAccount, oauth: OAuth) -> Response:
        """POST a code or a refresh token; GET an exchange, where the network has it at this address."""
        if request.method == "GET":
            return self._trade(request, account)
        values, _files = await fields(request)
        client, secret = _client(request, values, oauth)
        known = self._applications.get(client)
        if not client or (known is not None and secret != known):
            raise _error("invalid_client", "the application is not known, or its secret is wrong", status=401)
        if oauth.authentication == "basic" and secret and "authorization" not in request.headers:
            raise _error("invalid_client", "the secret belongs into the header", status=401)
        grant = values.get("grant_type")
        if grant == "authorization_code":
            return self._for_code(account, values, client=client, oauth=oauth)
        if grant == "refresh_token" and oauth.renewal == "refresh":
            return self._for_refresh(account, str(values.get("refresh_token", "")), client=client, oauth=oauth)
        raise _error("unsupported_grant_type", "")

    def _for_code(self, account: StageAccount, values: Mapping[str, Any], *, client: str, oauth: OAuth) -> Response:
        code = self._codes.pop(str(values.get("code", "")), None)
        if code is None or code.account != account.name or code.client != client or code.until < self.state.now():
            raise _error("invalid_grant", "the code is unknown, used or too old")
        if values.get("redirect_uri") != code.redirect:
            raise _error("invalid_grant", "redirect_uri is another one than before")
        if code.challenge and not _proved(code.challenge, str(values.get("code_verifier", "")), oauth.challenge):
            raise _error("invalid_grant", "code_verifier does not match")
        self.counts["codes"] += 1
        return self._issue(account, client=client, scope=code.scope, oauth=oauth)

    def _for_refresh(self, account: StageAccount, token: str, *, client: str, oauth: OAuth) -> Response:
        now, known = self.state.now(), self._refreshes.get(token)
        self.counts["refresh requests"] += 1
        over = known is not None and known.until is not None and known.until < now
        if known is None or known.account != account.name or known.client != client or over or self.rules.refuse:
            raise _error("invalid_grant", "the refresh token is not valid")
        if known.used is not None and now - known.used >= timedelta(seconds=self.rules.reuse_seconds):
            raise _error("invalid_grant", "the refresh token was used already")
        known.used = known.used or now
        self.counts["refreshes"] += 1
        return self._issue(account, client=client, scope=known.scope, oauth=oauth)

    def _trade(self, request: Request, account: StageAccount) -> Response:
        """GET a token that lives longer for a valid one (Meta's networks)."""
        query = request.query_params
        token = next((query[name] for name in _TOKEN_FIELDS if query.get(name)), "")
        if not self.state.is_valid(account.name, token) or self.rules.refuse:
            error = {"message": "Error validating access token", "type": "OAuthException", "code": 190}
            raise Refusal(400, {"error": error})
        self.counts["exchanges"] += 1
        return JSONResponse(
            {"access_token": self._access(account), "token_type": "bearer", "expires_in": int(self.rules.lifetime)}
        )

    def _issue(self, account: StageAccount, *, client: str, scope: str, oauth: OAuth) -> Response:
        """A new pair of tokens."""
        body: dict[str, Any] = {"access_token": self._access(account), "token_type": "bearer", "scope": scope}
        if oauth.renewal != "none":
            body["expires_in"] = int(self.rules.lifetime)
        if oauth.renewal == "refresh":
            life, refresh = self.rules.refresh_lifetime, f"STAGE-refresh-{secrets.token_urlsafe(24)}"
            until = self.state.now() + timedelta(seconds=life) if life is not None else None
            _bounded(self._refreshes)
            self._refreshes[refresh] = _Refresh(account=account.name, client=client, scope=scope, until=until)
            body["refresh_token"] = refresh
            if life is not None:
                body["refresh_token_expires_in"] = int(life)
        if oauth.renewal == "none":
            self.state.issued[body["access_token"]] = (account.name, None)
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    def _access(self, account: StageAccount) -> str:
        token = f"STAGE-access-{secrets.token_urlsafe(24)}"
        _bounded(self.state.issued)
        self.state.issued[token] = (account.name, self.state.now() + timedelta(seconds=self.rules.lifetime))
        return token

    async def _register(self, request: Request, account: StageAccount) -> Response:
        """POST an application that registers itself (Mastodon)."""
        values, _files = await fields(request)
        if not values.get("client_name") or not values.get("redirect_uris"):
            raise Refusal(422, {"error": "Validation failed: Application name can't be blank"})
        client, secret = secrets.token_urlsafe(16), f"STAGE-secret-{secrets.token_urlsafe(16)}"
        _bounded(self._applications)
        self._applications[client] = secret
        self.counts["registered"] += 1
        return JSONResponse(
            {
                "id": str(self.state.number()),
                "name": values["client_name"],
                "redirect_uris": str(values["redirect_uris"]).splitlines(),
                "client_id": client,
                "client_secret": secret,
            }
        )


def _bounded(remembered: dict[str, Any]) -> None:
    """Forget the oldest, so that there is room for one more."""
    while len(remembered) >= _MOST:
        del remembered[next(iter(remembered))]


def _client(request: Request, values: Mapping[str, Any], oauth: OAuth) -> tuple[str, str]:
    """The application's id and secret, from the header or the body."""
    scheme, _space, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _colon, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _error("invalid_client", "the header can't be read", status=401) from error
        return unquote(name), unquote(secret)
    return str(values.get(oauth.client_name, "")), str(values.get("client_secret", ""))


def _proved(challenge: str, verifier: str, form: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return challenge == (digest.hex() if form == "hex" else base64.urlsafe_b64encode(digest).decode().rstrip("="))


def _with(address: str, values: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(values)}"


def _error(code: str, words: str, *, status: int = 400) -> Refusal:
    return Refusal(status, {"error": code, "error_description": words})
