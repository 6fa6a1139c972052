"""pgqueuer, which carries due keys to the workers of any machine through the ledger's database: its only importer.

A job is a key, and no copy of anything else: the ledger decides what is sent. So the queue's tables aren't logged by
PostgreSQL: what a crash of the server takes out of them, the clocks hand over again. Its tables begin with
``campaign_pgqueuer``, and none of its environment variables is read: all machines must agree.
https://pgqueuer.readthedocs.io
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.dispatch.waiting import first
from campaign_cli.errors import LedgerError, MissingExtra
from campaign_cli.i18n import _
from campaign_cli.ledger import Ready
from campaign_cli.ledger.postgresql import SESSION, parse

try:
    import psycopg
    from pgqueuer.adapters.persistence.qb import (
        QueryBuilderEnvironment,
        QueryQueueBuilder,
        QuerySchedulerBuilder,
    )
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.domain.settings import DBSettings, Durability
    from pgqueuer.errors import PgqException, RetryRequested
    from pgqueuer.models import Job
    from pgqueuer.qm import QueueManager
    from pgqueuer.queries import Queries
except ImportError as missing:
    raise MissingExtra(
        _("Workers need an optional part that is not installed."), fix="pip install 'campaign-cli[postgres]'"
    ) from missing

if TYPE_CHECKING:
    from campaign_cli.dispatch.worker import Taken

SEND: Final = "campaign_send"
HEARTBEAT: Final = timedelta(seconds=15)
"""After that long without a sign of its worker, a job is given to another one."""
_POLL: Final = timedelta(seconds=5)  # how soon an idle worker sees a job that was given back or whose worker died
_BATCH: Final = 25  # jobs that a worker takes at once
_WATCH_SECONDS: Final = 0.25

logging.getLogger("pgqueuer").setLevel(logging.CRITICAL + 1)  # what matters is said in our own words, once


class Settings(DBSettings):
    """pgqueuer's settings, without those that it would find in the environment of one machine."""

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, *_others: Any, **_more: Any) -> Any:
        """Only what is passed in."""
        return (init_settings,)


class Driver(PsycopgDriver):
    """pgqueuer's driver over two connections: one listens, the other works.

    On a single one, each query would wait until the listening ends: up to a second.
    """

    def __init__(self, *, listening: psycopg.AsyncConnection, working: psycopg.AsyncConnection) -> None:
        super().__init__(listening)
        self._working = PsycopgDriver(working)

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Rows, from the working connection."""
        return await self._working.fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        """A command, on the working connection."""
        return await self._working.execute(query, *args)


class JobQueue:
    """Where a clock puts the keys. One connection, made when it is needed and made anew when it is lost."""

    def __init__(self, address: str, *, explain: Callable[[BaseException], LedgerError]) -> None:
        self._address = address
        self._explain = explain
        self._connection: psycopg.AsyncConnection | None = None
        self._queries: Queries | None = None

    async def put(self, due: Sequence[Ready]) -> None:
        """One job for each key and revision that has none, in this order. Raises LedgerError."""
        try:
            queries = await self._open()
            count = len(due)
            await queries.enqueue(
                [SEND] * count,
                [one.key.encode() for one in due],
                [0] * count,
                dedupe_key=[f"{one.key} {one.revision}" for one in due],
                on_conflict="skip",
            )
        except (psycopg.Error, PgqException, OSError) as error:
            await self.close()
            raise self._explain(error) from error

    async def tidy(self) -> None:
        """Forget what pgqueuer notes of past jobs: the ledger's log tells more. Raises LedgerError."""
        try:
            await (await self._open()).clear_queue_log(SEND)
        except (psycopg.Error, PgqException, OSError) as error:
            await self.close()
            raise self._explain(error) from error

    async def close(self) -> None:
        """Close the connection. Doing it again is harmless."""
        connection, self._connection, self._queries = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> Queries:
        if self._queries is None:
            self._connection = await _connect(self._address)
            self._queries = _queries(PsycopgDriver(self._connection))
            await _install(self._queries)
        return self._queries


async def serve(
    address: str,
    *,
    take: Callable[[str], AbstractContextManager[Taken]],
    stop: asyncio.Event,
    connected: Callable[[], None],
    explain: Callable[[BaseException], LedgerError],
) -> None:
    """Take jobs over one pair of connections until ``stop``, and stay until each has ended.

    ``take`` gets the key of a job; its context is left when the job is over, or when the connection is. Raises
    LedgerError when the server can't be reached or a connection is lost.
    """
    try:
        async with _manager(address) as (manager, lost):

            async def work(job: Job) -> None:
                with take((job.payload or b"").decode()) as taken:
                    await first(taken.over.wait(), lost.wait())
                if taken.back:
                    raise RetryRequested(reason="given back")

            manager.entrypoint(SEND)(work)
            connected()
            stopping = asyncio.create_task(_stop(manager, stop, lost))
            try:
                await manager.run(
                    dequeue_timeout=_POLL,
                    batch_size=_BATCH,
                    heartbeat_timeout=HEARTBEAT,
                    log_aggregation_interval=timedelta(0),
                )
            finally:
                stopping.cancel()
            if lost.is_set():
                raise psycopg.OperationalError("the connection is lost")
    except (psycopg.Error, PgqException, OSError) as error:
        raise explain(error) from error


@asynccontextmanager
async def _manager(address: str) -> AsyncIterator[tuple[QueueManager, asyncio.Event]]:
    """A queue manager over two connections, and an event that is set as soon as one of them is lost."""
    lost = asyncio.Event()
    async with await _connect(address) as listening, await _connect(address) as working:
        queries = _queries(Driver(listening=listening, working=working))
        await _install(queries)
        watching = asyncio.create_task(_watch(lost, listening, working))
        try:
            yield QueueManager(queries, channel=queries.qbq.settings.channel), lost
        finally:
            watching.cancel()


async def _watch(lost: asyncio.Event, *connections: psycopg.AsyncConnection) -> None:
    while not any(connection.closed for connection in connections):
        await asyncio.sleep(_WATCH_SECONDS)
    lost.set()


async def _stop(manager: QueueManager, *events: asyncio.Event) -> None:
    await first(*(event.wait() for event in events))
    manager.shutdown.set()


async def _connect(address: str) -> psycopg.AsyncConnection:
    session: dict[str, Any] = {**SESSION, "application_name": "campaign queue"}
    url = parse(address).set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(url, autocommit=True, **session)


def _queries(driver: PsycopgDriver) -> Queries:
    settings = Settings(prefix="campaign_", durability=Durability.volatile)
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(settings),
        qbq=QueryQueueBuilder(settings),
        qbs=QuerySchedulerBuilder(settings),
    )


async def _install(queries: Queries) -> None:
    """Make pgqueuer's tables, or bring older ones up to date; several processes may come at once."""
    async with queries.schema_lock():
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()
