"""Meta's Graph API, as Facebook, Instagram and Threads share it: requests, pages of a list, what a token may do.

The token travels in the Authorization header, never in an address: the one of a list's next page comes with it from
Meta, so only the rest of its query is taken.

https://developers.facebook.com/docs/graph-api/overview · /docs/graph-api/results
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator

from campaign_cli.i18n import _
from campaign_cli.platforms.answers import ask, epoch
from campaign_cli.platforms.answers import instant as read_instant
from campaign_cli.platforms.base import Request, Session
from campaign_cli.platforms.graph_answers import Table, errors
from campaign_cli.source.shapes import finding

PAGES: Final = 20  # bound of a search; one that ends here is not complete
_SECRET: Final = frozenset({"access_token", "appsecret_proof"})
_VERSION: Final = re.compile(r"v\d{1,2}\.\d")
_NAME: Final = re.compile(r"@?([a-z0-9._]{1,30})", re.ASCII | re.IGNORECASE)
_IDENTIFIER: Final = re.compile(r"\d{1,20}", re.ASCII)


def _checked_version(value: str) -> str:
    if not _VERSION.fullmatch(value):
        raise finding("A004", _("This is not a version of the Graph API."), _("Write it like v25.0."))
    return value


def _as_text(value: object) -> object:
    """YAML reads a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _checked_identifier(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise finding(
            "A004",
            _("This is not the ID of a page or an account."),
            _("It is a long number; campaign accounts add says where it stands."),
        )
    return value


def _checked_name(value: str) -> str:
    match = _NAME.fullmatch(value)
    if match is None:
        raise finding(
            "A004",
            _("This is not the name of an account."),
            _("Write @name: up to 30 letters, digits, underscores or dots."),
        )
    return match[1]


Version = Annotated[str, AfterValidator(_checked_version)]
"""A setting that holds a version (``v25.0``)."""

Identifier = Annotated[str, BeforeValidator(_as_text), AfterValidator(_checked_identifier)]
"""A setting that holds the number of a page or an account; a text, which YAML may read as a number."""


Handle = Annotated[str, AfterValidator(_checked_name)]
"""A setting that holds the name of an account on Instagram or Threads, with or without ``@``; read without it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """One network on the Graph API: ``base`` is its address with the version, ``title`` its name for people."""

    base: str
    title: str
    own: Table | None = None

    def call(self, session: Session, method: str, path: str, **members: Any) -> Request:
        """A request with the token: ``path`` below the versioned address; ``members`` as in Request."""
        headers = {"Authorization": f"Bearer {session.secret('token')}"} | dict(members.pop("headers", {}))
        members.setdefault(
            "errors", errors(session, title=self.title, creating=bool(members.get("creating")), own=self.own)
        )
        members.setdefault("accept", (200,))
        return Request(method=method, url=self.base + path, headers=headers, **members)

    async def node(self, session: Session, path: str, *, fields: str, sample: Any = None) -> dict[str, Any]:
        """The fields of one object. Raises Rejected with a code of ``graph_answers.GONE`` where there is none."""
        request = self.call(session, "GET", path, query={"fields": fields}, sample=sample)
        return await ask(session.http, request, lambda body: {**body, "id": str(body["id"])})

    async def listed(
        self, session: Session, path: str, *, query: Mapping[str, str], needs: Callable[[dict[str, Any]], object] = dict
    ) -> AsyncIterator[tuple[list[dict[str, Any]], bool]]:
        """Pages of a list in Meta's order, at most ``PAGES``: its objects, and whether it is the last page.

        Each object has an ``id``; ``needs`` raises KeyError or ValueError for one without what else it must have. An
        answer without that, or without ``data``, is none: nothing may be absent because of it.
        """
        wanted = dict(query)
        for _page in range(PAGES):
            request = self.call(session, "GET", path, query=wanted)
            rows, following = await ask(session.http, request, lambda body: _page_of(body, needs))
            yield rows, not following
            if not following:
                return
            wanted |= following


def _page_of(body: Any, needs: Callable[[dict[str, Any]], object]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The objects, and the query of the next page; empty where Meta names none."""
    rows = [{**row, "id": str(row["id"])} for row in body["data"]]
    for row in rows:
        needs(row)
    following = (body.get("paging") or {}).get("next")
    if not following:
        return rows, {}
    query = {name: value for name, value in parse_qsl(urlsplit(following).query) if name not in _SECRET}
    if not query:
        raise ValueError("next")
    return rows, query


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenFacts:
    """What Meta says of a token. ``expires`` is None for one that doesn't end by time; ``data_until`` is when the app's
    right to read data ends, unless the person uses it again. ``kind`` is USER, PAGE …, ``profile`` what it stands for.
    """

    valid: bool
    kind: str
    profile: str
    scopes: tuple[str, ...]
    expires: datetime | None
    data_until: datetime | None


async def token_facts(session: Session, graph: Graph) -> TokenFacts:
    """The token inspected with itself. Raises Rejected where Meta doesn't let it.

    The one request that must carry the token in its query. https://developers.facebook.com/docs/graph-api/reference/debug_token
    """
    request = graph.call(session, "GET", "/debug_token", query={"input_token": session.secret("token")})

    def read(body: Any) -> TokenFacts:
        data = body["data"]
        return TokenFacts(
            valid=data.get("is_valid") is True,
            kind=str(data.get("type") or ""),
            profile=str(data.get("profile_id") or data.get("user_id") or ""),
            scopes=tuple(str(scope) for scope in data.get("scopes") or ()),
            expires=_end(data.get("expires_at")),
            data_until=_end(data.get("data_access_expires_at")),
        )

    return await ask(session.http, request, read)


def instant(value: Any) -> datetime:
    """A Graph instant (``2026-12-10T01:00:00+0000``, or seconds since 1970) as an aware one. Raises ValueError."""
    at = epoch(value) if isinstance(value, int | float) else read_instant(str(value))
    if at is None:
        raise ValueError(value)
    return at


def same_words(ours: str, theirs: Any) -> bool:
    """Whether a text that came back is ours; white space, and how accents are put together, make no difference."""
    return _words(ours) == _words(str(theirs or ""))


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).split()


def _end(value: Any) -> datetime | None:
    """The instant; 0 means that it never comes."""
    return epoch(value) if value else None
