"""How an account signs in: a network's facts, and what a sign-in ends with. The signing in itself is ``signin``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuth:
    """How an account of the network signs in (OAuth 2, authorization code); read by ``campaign accounts login``.

    ``{url}`` in an address stands for the account's own server. ``client_name`` is what the network calls the
    application's id. ``authentication`` says how the application proves itself at the token's address: ``post`` (in
    the body), ``basic`` (in a header) or ``none``. ``renewal``: ``refresh`` (a refresh token, which may be rotated),
    ``exchange`` (a still valid token is traded for one that lives longer, with ``exchange`` as the query's fields), or
    ``none``. ``lifetime`` is how long a token lives where the network's answer doesn't say. ``registers``: the address
    where an application registers itself (Mastodon). ``help`` is the page on which a person makes an application.
    ``loopback`` is the host of a redirect address on this machine as the network takes it; empty where it takes https
    alone, so that people paste what their browser was led to. ``pasted`` is the redirect address at which the network
    shows a code for pasting. ``challenge``: how PKCE's hash is written, ``base64url`` or ``hex``.

    Where an account's ``url`` is not the network's own, every address keeps its path and is asked at that ``url``: a
    server that stands in for the network plays its sign-in, too.
    """

    authorize: str
    token: str
    scopes: tuple[str, ...]
    separator: str = " "
    pkce: bool = True
    client_name: str = "client_id"
    authentication: str = "post"
    renewal: str = "refresh"
    exchange: tuple[tuple[str, Mapping[str, str]], ...] = ()
    """For ``exchange``: (address, fields) of the first trade (short for long) and of each renewal after it; the
    placeholders {client_id}, {client_secret} and {token} are filled in."""
    lifetime: timedelta | None = None
    extra: Mapping[str, str] = field(default_factory=dict)  # further fields of the authorize address
    registers: str = ""
    help: str = ""
    loopback: str = "127.0.0.1"
    pasted: str = ""
    challenge: str = "base64url"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One of several things that a sign-in leads to (a page, a channel): the network's id, and a name for people."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What a sign-in ends with, where that is not the token as it came.

    ``token`` takes its place (a page's own token), with ``expires`` (aware; None = it does not end) and no renewal;
    None keeps the token. ``settings`` are keys of accounts.yaml that are known by now (the page's id).
    """

    token: str | None = field(default=None, repr=False)
    expires: datetime | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


Choose = Callable[[str, Sequence[Choice]], Awaitable[str]]
"""Lets a person choose: a question and the choices → the chosen value. Raises InputError where nobody can be asked."""
