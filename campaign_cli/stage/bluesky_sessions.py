"""Who is signed in to the stage's PDS: sessions whose tokens expire by the stage's clock, handle and repository.

Follows the lexicons com.atproto.server and com.atproto.identity.
"""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.stage.bluesky_records import POSTS, claims_of, did_of, refusal, signed
from campaign_cli.stage.network import Network, fields
from campaign_cli.stage.state import StageAccount, StageState

ACCESS_SECONDS, REFRESH_SECONDS = 7_200, 7_776_000


class Sessions(Network):
    """The part of a personal data server that needs no posts."""

    def __init__(self, state: StageState) -> None:
        super().__init__(state)
        self._key = secrets.token_bytes(32)

    async def describe_server(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.server.describeServer"""
        body = {"did": "did:web:localhost", "availableUserDomains": [".example"], "inviteCodeRequired": False}
        return JSONResponse(body | {"links": {}, "contact": {}})

    async def create_session(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.server.createSession"""
        values = await json_of(request)
        names = (account.user, did_of(account.user))
        if str(values.get("identifier", "")).lower() not in names or values.get("password") != account.secret:
            raise refusal("AuthenticationRequired", "Invalid identifier or password", 401)
        return JSONResponse(self._session(account))

    async def refresh_session(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.server.refreshSession; the refresh token is the bearer."""
        self.signed_in(request, account, scope="com.atproto.refresh")
        return JSONResponse(self._session(account))

    async def get_session(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.server.getSession"""
        self.signed_in(request, account)
        return JSONResponse({"did": did_of(account.user), "handle": account.user, "active": True})

    async def resolve_handle(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.identity.resolveHandle"""
        if request.query_params.get("handle", "").lower() != account.user:
            raise refusal("InvalidRequest", "Unable to resolve handle")
        return JSONResponse({"did": did_of(account.user)})

    async def describe_repo(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.repo.describeRepo"""
        did = self.repo(account, request.query_params.get("repo"))
        body = {"handle": account.user, "did": did, "didDoc": {}, "collections": [POSTS], "handleIsCorrect": True}
        return JSONResponse(body)

    def _session(self, account: StageAccount) -> dict[str, Any]:
        did, now = did_of(account.user), int(self.state.now().timestamp())
        claims = {"aud": "did:web:localhost", "sub": did, "iat": now}
        access = claims | {"scope": "com.atproto.appPass", "exp": now + ACCESS_SECONDS}
        refresh = claims | {"scope": "com.atproto.refresh", "exp": now + REFRESH_SECONDS, "jti": secrets.token_hex(16)}
        return {
            "accessJwt": signed("at+jwt", access, self._key),
            "refreshJwt": signed("refresh+jwt", refresh, self._key),
            "did": did,
            "handle": account.user,
            "active": True,
        }

    def signed_in(self, request: Request, account: StageAccount, scope: str = "com.atproto.appPass") -> None:
        """Raise Refusal unless a token of this account and scope came along that hasn't expired."""
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refusal("AuthMissing", "Authentication Required", 401)
        claims = claims_of(token, self._key)
        if claims is None or claims["sub"] != did_of(account.user) or claims["scope"] != scope:
            raise refusal("InvalidToken", "Token could not be verified")
        if claims["exp"] <= self.state.now().timestamp():
            raise refusal("ExpiredToken", "Token has expired")

    def repo(self, account: StageAccount, repo: str | None) -> str:
        """The account's DID, if that is the repository asked for."""
        did = did_of(account.user)
        if str(repo).lower() not in (did, account.user):
            raise refusal("InvalidRequest", f"Could not find repo: {repo}")
        return did


async def json_of(request: Request) -> dict[str, Any]:
    """The body of a procedure."""
    try:
        return (await fields(request))[0]
    except ValueError as error:
        raise refusal("InvalidRequest", "Input must be JSON") from error
