"""The redirect of a sign-in, heard on this machine: one address on the loopback interface, for as long as it takes.

https://datatracker.ietf.org/doc/html/rfc8252#section-7.3
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from campaign_cli import reasons
from campaign_cli.errors import CampaignError, CredentialError, InputError
from campaign_cli.i18n import _, language
from campaign_cli.platforms.answers import is_loopback, one_line

HOST: Final = "127.0.0.1"
PATH: Final = "/"
WAIT_SECONDS: Final = 300.0
_HEAD_BYTES: Final = 16 * 1024
_HEAD_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """``port`` is where it listens; ``code`` comes once, or is the network's refusal."""

    port: int
    code: asyncio.Future[str]

    async def wait(self, seconds: float = WAIT_SECONDS) -> str:
        """The code. Raises CredentialError where the network or the person refused, or where nobody came in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self.code
        except TimeoutError:
            raise CredentialError(
                _("Nobody came back from the browser within {minutes:g} minutes.").format(minutes=seconds / 60),
                fix=_("Run it again; where the browser is on another machine, with --paste."),
            ) from None


@asynccontextmanager
async def listening(state: str, *, port: int = 0) -> AsyncIterator[Listener]:
    """Listen on the loopback address (``port`` 0: a free one) for the redirect with this ``state``.

    Raises InputError where the port is taken. Anything else that comes is answered, and changes nothing.
    """
    code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    talks: set[asyncio.Task[None]] = set()

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_answer(reader, writer, state=state, code=code))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await asyncio.start_server(came, sock=_socket(port), limit=_HEAD_BYTES)
    try:
        yield Listener(port=server.sockets[0].getsockname()[1], code=code)
    finally:
        server.close()
        if code.done() and not code.cancelled():
            code.exception()  # heard, or nobody is there any more to hear it
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def code_of(query: str, *, state: str, shown: bool = False) -> str:
    """The code in a redirect's query. ``shown``: of a page that shows it, which may leave our state out.

    Raises CredentialError for a refusal, InputError for what is none of ours.
    """
    values = {name: found[0] for name, found in parse_qs(query).items()}
    given = values.get("state", state if shown else "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), state.encode()):
        raise InputError(
            _("This answer belongs to another sign-in."),
            fix=_("Begin again with the newest address that the terminal shows."),
        )
    if values.get("error"):
        words = one_line(" ".join(filter(None, (values["error"], values.get("error_description")))))
        raise CredentialError(
            _("The network did not let us in: {words}").format(words=words),
            fix=_("Log in again, and allow what the page asks for."),
        )
    if not values.get("code"):
        raise InputError(_("There is no code in this answer."), fix=_("Paste the whole address, or the code alone."))
    return values["code"]


def code_in(pasted: str, *, state: str, shown: bool = False) -> str:
    """The code in what a person pasted: the code alone, or the whole address (then its state counts; ``code_of``)."""
    text = pasted.strip().strip("'\"")
    if "://" in text:  # an address has no spaces: these are the terminal's
        query = "".join(text.split()).partition("?")[2].partition("#")[0]
        return code_of(query, state=state, shown=shown)
    if not text or any(character.isspace() for character in text):
        raise InputError(_("This is no code."), fix=_("Paste the whole address, or the code alone."))
    if "code=" in text or "error=" in text:
        return code_of(text.partition("#")[0].lstrip("?"), state=state, shown=shown)
    if "&state=" in text:  # what follows "code=" in the address
        return code_of(f"code={text}", state=state)
    return unquote(text.partition("#")[0])  # as it stands in an address


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, state: str, code: asyncio.Future[str]
) -> None:
    """One request of a browser, or of whoever else knocks."""
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        status, text = _heard(head.decode("latin-1"), state=state, code=code)
        writer.write(_page(status, text))
        await writer.drain()
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        pass  # no request of a browser
    finally:
        writer.close()


def _heard(head: str, *, state: str, code: asyncio.Future[str]) -> tuple[int, str]:
    """Status and sentence for a request; the first one with our state settles ``code``."""
    line, *fields = head.split("\r\n")
    method, _space, rest = line.partition(" ")
    hosts = [
        value.strip() for name, _colon, value in (each.partition(":") for each in fields) if name.lower() == "host"
    ]
    try:
        target, host = urlsplit(rest.partition(" ")[0]), urlsplit(f"//{''.join(hosts)}").hostname or ""
    except ValueError:
        return 404, _("There is nothing here.")
    # Another name than this machine's own: a page from elsewhere whose name was made to lead here.
    if method != "GET" or target.path != PATH or not target.query or not is_loopback(host):
        return 404, _("There is nothing here.")
    if code.done():
        return 410, _("This sign-in is over. You can close this window.")
    try:
        found = code_of(target.query, state=state)
    except InputError as error:
        return 400, f"{error.message} {error.fix}"
    except CampaignError as error:
        code.set_exception(error)
        return 200, f"{error.message} " + _("You can close this window.")
    code.set_result(found)
    return 200, _("Done. You can close this window and go back to the terminal.")


def _page(status: int, text: str) -> bytes:
    """A plain page: no script, nothing from elsewhere, kept by nobody."""
    body = (
        f'<!doctype html><html lang="{language()}"><meta charset="utf-8"><title>campaign</title>'
        f'<body style="font:1.1rem/1.5 system-ui,sans-serif;margin:3rem"><p>{escape(text)}</p></body></html>'
    ).encode()
    words = {200: "OK", 400: "Bad Request", 404: "Not Found", 410: "Gone"}[status]
    head = (
        f"HTTP/1.1 {status} {words}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n"
    )
    return head.encode("ascii") + body


def _socket(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
    except OSError as error:
        found.close()
        why = reasons.reason(OSError(errno.EADDRINUSE, "") if error.errno == errno.EADDRINUSE else error)
        raise InputError(
            _("Port {port} of this machine can't be used: {reason}").format(port=port, reason=why),
            fix=_("Choose another one with --port, or sign in with --paste."),
        ) from error
    return found
