"""Where the tests keep their ledgers: in SQLite files, or each workspace in a database of its own on a server."""

from __future__ import annotations

from pathlib import Path

from postgres_server import PostgresServer

server: PostgresServer | None = None
"""Set by ``--ledger postgresql``."""
_databases: dict[Path, str] = {}


def place(root: Path) -> dict[str, str]:
    """What ``open_ledger`` needs beside the folder: nothing, or the address of that folder's database."""
    if server is None:
        return {}
    if root not in _databases:
        _databases[root] = server.new_database()
    return {"database_url": _databases[root]}


def forget(root: Path) -> None:
    """That folder's database is gone: it gets an empty one at its next opening."""
    _databases.pop(root, None)
