"""The stage over real HTTP: uvicorn in a thread of its own, on the loopback address only."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Final

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from campaign_cli import reasons
from campaign_cli.errors import CampaignError
from campaign_cli.i18n import _
from campaign_cli.stage.app import build_app
from campaign_cli.stage.faults import CUT, Misbehaviour
from campaign_cli.stage.state import StageAccount, StageState

HOST: Final = "127.0.0.1"
BACKLOG: Final = 512
GRACE_SECONDS: Final = 1
"""How long an answer that is still being held back (``slow``) may delay the end."""


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose requests can cut their own connection, as networks on a bad day do."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Give each request of this connection the means to cut it."""
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[CUT] = transport.abort
            await inner(scope, receive, send)

        self.app = app


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class StageServer:
    """A stage that listens while the ``with`` block lasts; ``url`` is known from the start.

    ``port`` 0 takes a free one. ``clock`` gives aware instants and is called in the server's thread. Raises
    CampaignError when the port is taken. Leaves no thread and no socket behind.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        accounts: Mapping[str, StageAccount] | None = None,
        port: int = 0,
        **options: Any,
    ) -> None:
        self.app = build_app(clock=clock, accounts=accounts or {}, **options)
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        config = uvicorn.Config(
            self.app,
            http=CuttableProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,  # the stage says what time it is
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._server = _Server(config)
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> StageState:
        """What the stage holds; to be read, not changed, while it runs (``add_accounts`` aside)."""
        return self.app.state

    def misbehave(self, orders: Sequence[Misbehaviour]) -> None:
        """Obey these orders from now on."""
        self.app.misbehave_by(orders)

    def __enter__(self) -> StageServer:
        """Start listening; returns when requests are answered."""
        self._thread = threading.Thread(target=self._run, name="stage", daemon=True)
        self._thread.start()
        while not self._server.ready.wait(0.05):
            if self._failure is not None:
                self.close()
                raise CampaignError(_("The stage could not start: {reason}").format(reason=self._failure))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; what is being answered gets a moment to end."""
        self.close()

    def close(self) -> None:
        """Stop, and wait for the thread to end; also fine when it never started."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._socket.close()

    def _run(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                self._server.run(sockets=[self._socket])
        except BaseException as error:  # told by __enter__ in the caller's thread
            self._failure = error


def _listening(port: int) -> socket.socket:
    """A socket on the loopback address. Raises CampaignError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CampaignError(
            _("Port {port} of this machine can't be used: {reason}").format(port=port, reason=reasons.reason(error)),
            fix=_("End the program that uses it, or choose another port with --port."),
        ) from error
    return listener
