"""A throw-away PostgreSQL for as long as a ``with`` block lasts: ``with postgres_server() as server: … server.url …``.

It keeps its data in a folder of its own, listens on a socket there and on a free port of 127.0.0.1, and writes with
fsync as a real one does, so that it can be restarted in the middle (``restart(immediate=True)`` is a power cut for the
server's processes). PostgreSQL refuses to run as root: there it runs as ``postgres``, or as ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "campaign"
SETTINGS = {"fsync": "on", "synchronous_commit": "on", "max_connections": "200", "log_min_messages": "warning"}
START_SECONDS = 300  # after a power cut it first syncs every file of every database


class NoPostgres(RuntimeError):
    """PostgreSQL's programs aren't on this machine, or the server doesn't start; the message says what to do."""


@dataclass
class PostgresServer:
    """One server; ``url`` is its first database, empty at the start, ``environment`` what its processes run in."""

    folder: Path
    port: int
    password: str
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """The first database, as CAMPAIGN_DATABASE_URL wants it."""
        return self.url_of(NAME)

    def url_of(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://{NAME}:{self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str = "") -> str:
        """Make another empty database, which takes about 50 ms; its address."""
        name = name or f"d{secrets.token_hex(6)}"
        known = {"PGPASSWORD": self.password}
        arguments = ["--host=127.0.0.1", f"--port={self.port}", f"--username={NAME}", name]
        self._run("createdb", *arguments, more=known)
        return self.url_of(name)

    def start(self) -> None:
        """Start it and wait until it takes connections; NoPostgres with the end of its log where it doesn't."""
        self._control("start")

    def stop(self, *, immediate: bool = False) -> None:
        """Stop it; ``immediate`` kills its processes, and the next start recovers from its log."""
        self._control("stop", "-m", "immediate" if immediate else "fast")

    def restart(self, *, immediate: bool = False) -> None:
        """Stop it and start it again on the same port."""
        self.stop(immediate=immediate)
        self.start()

    def running(self) -> bool:
        """Whether its first process lives."""
        command = [program("pg_ctl"), "status", "-D", str(self.folder / "data")]
        return subprocess.run(command, capture_output=True, check=False, **_unprivileged()).returncode == 0

    def prepare(self) -> None:
        """Make the data folder with a password that only this run knows."""
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password, encoding="utf-8")
        _hand_over(self.folder, secret)
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(self.folder / "data"), f"--username={NAME}", *options)
        settings = SETTINGS | {
            "listen_addresses": "'127.0.0.1'",
            "port": str(self.port),
            "unix_socket_directories": f"'{self.folder}'",
        }
        written = "".join(f"{name} = {value}\n" for name, value in settings.items())
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(written)

    def _control(self, action: str, *more: str) -> None:
        options = ["-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-t", str(START_SECONDS)]
        self._run("pg_ctl", action, *options, *more)

    def _run(self, name: str, *arguments: str, more: Mapping[str, str] | None = None) -> None:
        """Run one of PostgreSQL's programs. Its output goes to a file, for a started server keeps its streams open."""
        environment = {**os.environ, **self.environment, **(more or {})}
        with tempfile.TemporaryFile() as output:
            status = subprocess.run(
                [program(name), *arguments],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **_unprivileged(),
            ).returncode
            output.seek(0)
            said = output.read().decode(errors="replace")
        if status != 0:
            log = self.folder / "log"
            written = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
            raise NoPostgres(f"{name} {' '.join(arguments)} ended with {status}:\n{said}\n{written}")


@contextmanager
def postgres_server(*, environment: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """Start a server with an empty database and stop it at the end; ``environment`` is added to its processes' own."""
    program("initdb")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short, for a socket's path may have 107 bytes
    server = PostgresServer(folder, _free_port(), secrets.token_hex(12), environment or {})
    try:
        server.prepare()
        server.start()
        server.new_database(NAME)
        yield server
    finally:
        if server.running():
            server.stop(immediate=True)
        shutil.rmtree(folder, ignore_errors=True)


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs: Debian keeps them outside PATH, the newest version counts."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]), reverse=True
    )
    found = str(debian[0]) if debian else shutil.which(name)
    if not found:
        raise NoPostgres(
            f"PostgreSQL's program {name} is neither in /usr/lib/postgresql/*/bin nor in PATH. "
            "On Debian and Ubuntu: apt-get install postgresql"
        )
    return found


def _unprivileged() -> dict[str, Any]:
    """What subprocess needs to leave root behind; nothing for everybody else."""
    if os.geteuid() != 0:
        return {}
    account = _account()
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("PostgreSQL doesn't run as root, and there is neither a user 'postgres' nor 'nobody'.")


def _hand_over(*paths: Path) -> None:
    if os.geteuid() == 0:
        account = _account()
        for path in paths:
            os.chown(path, account.pw_uid, account.pw_gid)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
