"""A ledger on a PostgreSQL server, shared by any number of machines.

Every writing transaction takes one advisory lock at its start and keeps it until it is over. So there is one writer at
a time, as with SQLite, and everything that is true of one holds for the other: a count that was read stands until the
commit, claims are in order, the log is one chain. A writer that is cut off or suspended loses the lock when the server
gives it up (``SESSION``). https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from campaign_cli.errors import LedgerError, MissingExtra
from campaign_cli.i18n import _

_LOCK: Final = 0x63616D706169676E  # "campaign"; one number for everybody who writes to this database
# The clock is read after the lock was given, never while waiting for it.
_WRITE: Final = text(
    "WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(:lock)) SELECT clock_timestamp() FROM locked"
).bindparams(lock=_LOCK)
_TIME: Final = text("SELECT clock_timestamp()")
_NEWEST: Final = text("SELECT coalesce(max(id), 0) FROM events")
SESSION: Final = {
    "application_name": "campaign",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    # A machine that was cut off must not keep the lock.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
_SETTINGS: Final = {
    "synchronous_commit": "on",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "TimeZone": "UTC",
}


class PostgresqlDatabase:
    """``base.Database`` at an address ``postgresql://user:password@host/name``.

    ``clock`` replaces the server's (for tests). Raises LedgerError for an address that is none, MissingExtra.
    """

    def __init__(self, address: str, *, clock: Callable[[], datetime] | None = None) -> None:
        self._url = parse(address)
        self.where = shown(self._url)
        self.path: Path | None = None
        self.busy_timeout = 10.0  # as lock_timeout has it
        self._given = clock
        self._server = ServerClock()

    def engine(self) -> Engine:
        """One connection at a time; a lost one is replaced at the next transaction."""
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        given = self._url.query.get("options", "")
        session = {**SESSION, "options": f"{options} {given if isinstance(given, str) else ' '.join(given)}".strip()}
        return create_engine(self._url.difference_update_query(["options"]), poolclass=NullPool, connect_args=session)

    def clock(self) -> datetime:
        """The server's time, carried on since the last transaction."""
        return self._server() if self._given is None else self._given()

    def explain(self, error: BaseException) -> LedgerError:
        """What a PostgreSQL error means, and the way out.

        https://www.postgresql.org/docs/current/errcodes-appendix.html
        """
        code = getattr(error, "sqlstate", None) or ""
        if code in ("55P03", "40P01", "40001"):
            return LedgerError(
                _("The ledger {path} is locked by another program.").format(path=self.where),
                fix=_("Wait until the other `campaign` is done, then run the command again."),
            )
        if code.startswith("53"):
            return LedgerError(
                _("The database server has no room or no free connection: {place}").format(place=self.where),
                fix=_("Make room on the server, then run the command again. Nothing was done."),
            )
        if not code or code.startswith(("08", "57P")) or code == "25P03":
            return LedgerError(
                _("The database server {place} can't be used: {reason}").format(
                    place=self.where, reason=self._reason(error)
                ),
                fix=_("Check that it runs, that this machine may connect, and CAMPAIGN_DATABASE_URL."),
            )
        return LedgerError(
            _("The ledger {path} can't be used: {reason}").format(path=self.where, reason=self._reason(error)),
            fix=_("Check the database, then run the command again."),
        )

    def before(self, connection: Connection, *, writing: bool) -> None:
        """A reading transaction sees one state; a writing one sees the newest, since nobody else writes."""
        from psycopg import IsolationLevel

        driver: Any = connection.connection.driver_connection
        driver.isolation_level = IsolationLevel.READ_COMMITTED if writing else IsolationLevel.REPEATABLE_READ
        driver.read_only = not writing

    def begun(self, connection: Connection, *, writing: bool) -> datetime | None:
        """Wait for the lock, and read the server's clock."""
        if not writing and self._given is not None:
            return None
        at: datetime = connection.execute(_WRITE if writing else _TIME).scalar_one()
        return self._server.saw(at) if self._given is None else None

    def change_counter(self, connection: Connection) -> int:
        """The newest event: whatever sends, queues or decides writes one."""
        return int(connection.execute(_NEWEST).scalar_one())

    def _reason(self, error: BaseException) -> str:
        """The server's own words, in one line and without the password."""
        said = " ".join(str(error).split()) or type(error).__name__
        password = self._url.password
        return said.replace(str(password), "•••") if password else said


class ServerClock:
    """A server's time, carried on by this machine's own steady clock between two readings.

    ``uptime`` gives seconds that go on while the machine sleeps.
    """

    def __init__(self, uptime: Callable[[], float] | None = None) -> None:
        self._uptime = uptime or _uptime
        self._reading = (datetime.now(UTC), self._uptime())  # one value: two threads read it and one writes

    def saw(self, at: datetime) -> datetime:
        """Take a reading; the instant in UTC."""
        said = at.astimezone(UTC)
        self._reading = (said, self._uptime())
        return said

    def __call__(self) -> datetime:
        """The server's time now (UTC)."""
        said, read_at = self._reading
        return said + timedelta(seconds=self._uptime() - read_at)


def _uptime() -> float:
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def parse(address: str) -> URL:
    """An address as SQLAlchemy has it, for psycopg. Raises LedgerError, MissingExtra; no message holds the password."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise LedgerError(
            _("CAMPAIGN_DATABASE_URL is no address of a PostgreSQL database."),
            fix=_("Write postgresql://USER:PASSWORD@HOST/DATABASE, or remove it to use .campaign/ledger.sqlite3."),
        )
    if "@" in f"{url.host}{url.database}":  # the end of a password that is taken for something else, and shown
        raise LedgerError(
            _("The password or the user in CAMPAIGN_DATABASE_URL holds a sign that parts the address there."),
            fix=_("Write “@” as %40, “/” as %2F, “:” as %3A and “?” as %3F in them."),
        )
    try:
        import psycopg  # noqa: F401 - said here, in our words, before SQLAlchemy says it in its own
    except ImportError:
        raise MissingExtra(
            _("A ledger on PostgreSQL needs an optional part that is not installed."),
            fix="pip install 'campaign-cli[postgres]'",
        ) from None
    return url.set(drivername="postgresql+psycopg")


def shown(url: URL) -> str:
    """The address for people: no user, no password, no options."""
    place = url.host or url.query.get("host") or "localhost"
    named = place if isinstance(place, str) else ",".join(place)
    host = f"[{named}]" if ":" in named else named
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database or ''}"
