"""Everything that goes to stdout: text, tables, panels, JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def write(text: str = "") -> None:
    """One line of plain text."""
    sys.stdout.write(text + "\n")


def write_json(data: Any) -> None:
    """One JSON document, and nothing else may go to stdout with it."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A Rich console; wide where it isn't a terminal, so that nothing is cut in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 160
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=False)


def show(*renderables: RenderableType) -> None:
    """Rich renderables on stdout."""
    target = console()
    for renderable in renderables:
        target.print(renderable)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> RenderableType:
    """A plain table; cells are text as it is, never markup, and control characters are made visible."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    result = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        result.add_column(column, overflow="fold")
    for row in rows:
        result.add_row(*(cell if isinstance(cell, Text) else Text(visible(str(cell))) for cell in row))
    return result


def visible(text: str) -> str:
    """The text with control characters shown as their escape, so that no text can steer the terminal."""
    return "".join(
        character if character == "\n" or character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def rfc3339(at: datetime, zone: tzinfo | None = None) -> str:
    """An aware instant as RFC 3339 with offset."""
    return at.astimezone(zone or UTC).isoformat(timespec="seconds")
