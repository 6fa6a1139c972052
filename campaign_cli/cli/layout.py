"""How text fits a terminal: sentences break between words, tables put what is long on lines of its own.

Nothing is ever cut, and an address or a key is never broken by us: what is copied from the screen is whole. Elsewhere
(a pipe, a file) every row is one line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

GAP: Final = "  "
_NARROWEST: Final = 20


def terminal_width(stream: Any) -> int | None:
    """The columns of the terminal behind a stream; None where it is no terminal."""
    try:
        if not stream.isatty():
            return None
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isdigit() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return None
    return width if width >= _NARROWEST else None


def fold(text: str, width: int | None) -> str:
    """The text with its lines broken between words; the continuation of an indented line is indented as well."""
    if width is None or all(len(line) <= width for line in text.split("\n")):
        return text
    import textwrap

    folded: list[str] = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        hanging = indent + ("  " if line.lstrip().startswith("→ ") else "")
        folded += textwrap.wrap(
            line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\n".join(folded)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None) -> list[str]:
    """A heading, a rule, and the rows; what doesn't fit beside the columns before it goes below, on its own line."""
    from rich.cells import cell_len

    cells = [tuple(columns), *(tuple(row) for row in rows)]
    widths = [max(cell_len(row[index]) for row in cells) for index in range(len(columns))]
    made = [_row(row, widths, width) for row in cells]
    rule = "─" * min(max(cell_len(line) for lines in made for line in lines), width or 200)
    return [*made[0], rule, *(line for lines in made[1:] for line in lines)]


def _row(row: Sequence[str], widths: Sequence[int], width: int | None) -> list[str]:
    from rich.cells import cell_len

    line, below, used = "", list[str](), 0
    for index, cell in enumerate(row):
        gap = GAP if index else ""
        beside = width is None or used + len(gap) + cell_len(cell) <= width
        if below or (index and not beside):
            below += [f"{GAP}{cell}"] if cell else []
            continue
        line += gap + cell + " " * (widths[index] - cell_len(cell))
        used += len(gap) + widths[index]
    return [line.rstrip(), *below]
