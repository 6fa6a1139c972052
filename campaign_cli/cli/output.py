"""Everything that goes to stdout: text, tables, panels, JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from campaign_cli.cli import layout
from campaign_cli.cli.visible import visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def write(text: str = "") -> None:
    """One line of plain text; no sign in it can steer the terminal."""
    sys.stdout.write(visible(text) + "\n")


def write_json(data: Any) -> None:
    """One JSON document, and nothing else may go to stdout with it."""
    # Signs that stdout's encoding lacks, or that could steer a terminal, are JSON's own escapes: the value is the same.
    narrow = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    text = json.dumps(data, ensure_ascii=narrow, indent=2)
    sys.stdout.write((text if visible(text) == text else json.dumps(data, indent=2)) + "\n")


def write_json_line(text: str) -> None:
    """One JSON document of many, on a line of its own."""
    narrow = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    plain = visible(text) == text and not (narrow and not text.isascii())
    sys.stdout.write((text if plain else json.dumps(json.loads(text))) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A Rich console; wide where it isn't a terminal, so that nothing is cut in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 160
    return Console(stderr=stderr, highlight=False, width=width, soft_wrap=False)


def show(*renderables: RenderableType, fold: bool = True) -> None:
    """Rich renderables on stdout; without ``fold`` a long line is left for the terminal to wrap."""
    target = console()
    for renderable in renderables:
        target.print(renderable, soft_wrap=not fold)


def write_sentences(text: str) -> None:
    """Sentences for people: on a terminal, lines break between words."""
    sys.stdout.write(layout.fold(visible(text), layout.terminal_width(sys.stdout)) + "\n")


def write_dimmed(text: str) -> None:
    """The same for what matters less: paler where the terminal has colours."""
    from rich.text import Text

    folded = layout.fold(visible(text), layout.terminal_width(sys.stdout))
    console().print(Text(folded, style="dim"), soft_wrap=True)


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """A plain table: side by side as far as the terminal is wide, never cut, one line a row in a pipe."""
    if title:
        write(title)
    cells = [[visible(cell).replace("\n", " ") for cell in row] for row in rows]
    for line in layout.table_lines(columns, cells, width=layout.terminal_width(sys.stdout)):
        sys.stdout.write(line + "\n")


def rfc3339(at: datetime, zone: tzinfo | None = None) -> str:
    """An aware instant as RFC 3339 with offset."""
    return at.astimezone(zone or UTC).isoformat(timespec="seconds")
