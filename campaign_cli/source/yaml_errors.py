"""What the YAML parser complains of, in words for people, with the usual cause and what to do about it."""

from __future__ import annotations

from typing import Final

import yaml

from campaign_cli.i18n import N_, _

# A piece of the parser's message (context and problem together) → what is wrong, what to do. The first that fits wins;
# libyaml and PyYAML's own parser word some of them differently.
_TABLE: Final = (
    (
        "tab character",
        N_("There is a tab in the indentation."),
        N_("Indent with spaces (two per level); most editors can do that by themselves."),
    ),
    (
        "while scanning a quoted scalar found unexpected end",
        N_("A quotation mark is opened here and never closed."),
        N_("Close it with the same mark; write ' inside '…' as ''."),
    ),
    (
        "unknown escape",
        N_('A backslash inside "…" starts a sign that YAML does not know.'),
        N_(r"""Write \\ for a backslash, or use '…' instead of "…"."""),
    ),
    (
        "alphabetic or numeric",
        N_("Text that begins with * or & has a special meaning in YAML."),
        N_("Put the whole text in quotes, or write it below a | sign."),
    ),
    (
        "comment or line break",
        N_("The text after | or > must begin on the next line."),
        N_("Move the text to the next line, indented, or leave the sign away."),
    ),
    (
        "a comment or a line break",
        N_("The text after | or > must begin on the next line."),
        N_("Move the text to the next line, indented, or leave the sign away."),
    ),
    (
        "mapping values are not allowed",
        N_('There is a ": " where no value can begin.'),
        N_('Put text that contains ": " in quotes, and let keys of one level begin in the same column.'),
    ),
    (
        "sequence entries are not allowed",
        N_('A list item ("- ") can\'t begin here.'),
        N_("Begin the list on the next line, indented."),
    ),
    (
        "could not find expected ':'",
        N_("This line is neither a key nor a part of the text before it."),
        N_('Write "key: value"; indent text that goes on from the line before.'),
    ),
    (
        "undefined alias",
        N_("No anchor of that name stands before this alias."),
        N_("Put text that begins with * in quotes."),
    ),
    (
        "duplicate anchor",
        N_("Two anchors (&name) have the same name."),
        N_("Rename one of them; put text that begins with & in quotes."),
    ),
    ("tag handle", N_("Text that begins with ! has a special meaning in YAML."), N_("Put the text in quotes.")),
    (
        "incompatible YAML",
        N_("The file asks for another version of YAML."),
        N_("Delete the line that begins with %YAML."),
    ),
    (
        "flow sequence",
        N_("The list that is opened here by [ is not closed, or lacks a comma."),
        N_("Close it by ] and put commas between the items; items with #, : or , need quotes."),
    ),
    (
        "flow mapping",
        N_("The braces opened here are not closed, or lack a comma."),
        N_("Close them by } and put commas between the pairs; text with #, : or , needs quotes."),
    ),
    (
        "'-' indicator",
        N_('This line stands in a list but does not begin with "- ".'),
        N_('Begin the item with "- ", or change the indentation.'),
    ),
    (
        "while parsing a flow node",
        N_("The list or braces opened before this place are not closed, or hold a sign that needs quotes."),
        N_("Close them by ] or }, and put text with special signs in quotes."),
    ),
    (
        "node content",
        N_("A value can't begin with this sign."),
        N_("Put the text in quotes."),
    ),
    (
        "block mapping",
        N_("The line does not fit what stands before it."),
        N_("Let the keys of one level begin in the same column; put text in one kind of quotes, closed at its end."),
    ),
    (
        "block collection",
        N_("The line does not fit what stands before it."),
        N_("Let the items of one list begin in the same column."),
    ),
)  # fmt: skip
_AT_CONTEXT: Final = ("quoted scalar found unexpected end", "flow sequence", "flow mapping")
_SIGNS: Final = {
    "\t": (
        N_("There is a tab in the indentation."),
        N_("Indent with spaces (two per level); most editors can do that by themselves."),
    ),
}


def explain(error: yaml.YAMLError, text: str) -> tuple[int, int, str, str, str]:
    """Line and column (both from 0), code, message and fix for what the parser raised."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = f"{getattr(error, 'context', None) or ''} {getattr(error, 'problem', None) or ''}".strip() or str(error)
    if "expected a single document" in said:
        message = _("The file holds several YAML documents.")
        return *_spot(mark), "P007", message, _('Delete the line "---" and make each document a file of its own.')
    if "cannot start any token" in said:
        return _sign(mark, text)
    for piece, message, fix in _TABLE:
        if piece in said:
            if any(piece in said for piece in _AT_CONTEXT):
                mark = getattr(error, "context_mark", None) or mark
            return *_spot(mark), "P006", _(message), _(fix)
    return *_spot(mark), "P006", _("This is not valid YAML: {said}.").format(said=said), _("Correct the line.")


def _spot(mark: yaml.Mark | None) -> tuple[int, int]:
    return (mark.line, mark.column) if mark is not None else (0, 0)


def _sign(mark: yaml.Mark | None, text: str) -> tuple[int, int, str, str, str]:
    """A sign that can't begin anything: a tab, or one that YAML keeps for itself (@ ` %)."""
    line, column = _spot(mark)
    lines = text.splitlines()
    sign = lines[line][column : column + 1] if line < len(lines) else ""
    if sign in _SIGNS:
        message, fix = _SIGNS[sign]
        return line, column, "P006", _(message), _(fix)
    message = _("A value can't begin with {sign}: YAML keeps that sign for itself.").format(sign=sign)
    return line, column, "P006", message, _('Put the text in quotes, like "{sign}nama".').format(sign=sign)
