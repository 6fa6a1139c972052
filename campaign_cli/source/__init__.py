"""One YAML file as plain values that know where they are written.

Nothing here raises for bad content: what is wrong becomes located problems, all of them at once.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from campaign_cli import reasons
from campaign_cli.i18n import _
from campaign_cli.models import Place, Problem, Severity

MAX_BYTES: Final = 16 * 1024 * 1024
_CONTROL: Final = bytes([*range(9), 11, 12, *range(14, 32), 127])
_HIDDEN: Final = re.compile("[\u0080-\u009f\u2028\u2029\ufffe\uffff]")  # YAML 1.1 parsers refuse or misread them
_WIDE: Final = {  # the longer marks first: UTF-32's begins like UTF-16's
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_COLUMN_BITS: Final = 24

Path_ = Sequence[str | int]


class Source:
    """A YAML file: ``file`` as shown (relative to the workspace, posix), ``value``, ``problems``, and places.

    ``value`` holds only dict, list, str, int, float, bool and None, by YAML 1.2's core schema, and must not be changed.
    """

    def __init__(
        self,
        file: str,
        *,
        value: Any = None,
        positions: array[int] | None = None,
        problems: Sequence[Problem] = (),
        text: str = "",
    ) -> None:
        self.file = file
        self.value = value
        self.problems = list(problems)
        self._text = text
        self._lines: list[str] | None = None
        self._positions = positions if positions is not None else array("q")
        self._children: dict[int, dict[str | int, tuple[int, int]]] = {}

    def place(self, path: Path_, *, key: bool = False) -> Place:
        """Line and column of the value (or ``key``) at a path; of the nearest parent where it is absent."""
        index, value, found = 0, self.value, 0
        for step in path:
            children = self._offsets(index, value)
            if step not in children:
                break
            key_index, index = children[step]
            value = value[step]
            found = key_index if key else index
        if found >= len(self._positions):
            return Place(file=self.file, line=1, column=1)
        packed = self._positions[found]
        return Place(file=self.file, line=(packed >> _COLUMN_BITS) + 1, column=(packed & (1 << _COLUMN_BITS) - 1) + 1)

    def problem(
        self, path: Path_, *, code: str, severity: Severity, message: str, fix: str = "", key: bool = False
    ) -> Problem:
        """A problem at the value (or key) of a path."""
        place = self.place(path, key=key)
        return Problem(
            code=code,
            severity=severity,
            file=self.file,
            line=place.line,
            column=place.column,
            path=path_text(path),
            message=message,
            fix=fix,
        )

    def line(self, number: int) -> str:
        """The text of a line (from 1), or ""."""
        if self._lines is None:
            self._lines = self._text.splitlines()
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def _offsets(self, index: int, value: Any) -> dict[str | int, tuple[int, int]]:
        """For each child of the collection at ``index``: where its key and its value stand in the list of positions."""
        known = self._children.get(index)
        if known is not None:
            return known
        offsets: dict[str | int, tuple[int, int]] = {}
        following = index + 1
        if isinstance(value, dict):
            for name, child in value.items():
                offsets[name] = (following, following + 1)
                following += 1 + _size(child)
        elif isinstance(value, list):
            for number, child in enumerate(value):
                offsets[number] = (following, following)
                following += _size(child)
        self._children[index] = offsets
        return offsets


def _size(value: Any) -> int:
    """How many positions a value has: one for itself, one for each key below it, and those of what it holds."""
    if value.__class__ is dict:
        return 1 + len(value) + sum(map(_size, value.values()))
    if value.__class__ is list:
        return 1 + sum(map(_size, value))
    return 1


def read_source(path: Path, *, shown: str) -> Source:
    """Read a YAML file. ``shown`` is its name in messages. Never raises for what is in the file, nor for OSError."""
    try:
        with path.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except OSError as error:
        message, fix = _unreadable(path, error)
        return _failed(shown, code="P001", message=message, fix=fix)
    if len(raw) > MAX_BYTES:
        message = _("The file is larger than 16 MiB.")
        return _failed(
            shown, code="P003", message=message, fix=_("Make several plans of it; each is checked by itself.")
        )
    return read_text(raw, shown=shown)


def read_text(raw: bytes, *, shown: str) -> Source:
    """The same for bytes that are already read."""
    text, problem = _decode(raw, shown)
    if problem is not None:
        return Source(shown, problems=[problem])
    return _parse(text, shown)


def _parse(text: str, shown: str) -> Source:
    import yaml

    from campaign_cli.source.nodes import MAX_DEPTH, TooDeep, read_values
    from campaign_cli.source.yaml_errors import explain

    problems: list[Problem] = []

    def report(position: int, code: str, message: str, fix: str) -> None:
        line, column = position >> _COLUMN_BITS, position & (1 << _COLUMN_BITS) - 1
        problems.append(_error(shown, line=line + 1, column=column + 1, code=code, message=message, fix=fix))

    try:
        value, positions = read_values(text, report=report)
    except yaml.YAMLError as error:
        line, column, code, message, fix = explain(error, text)
        return _failed(shown, line=line + 1, column=column + 1, code=code, message=message, fix=fix)
    except TooDeep as error:
        message = _("Lists and mappings are nested more than {count} levels deep.").format(count=MAX_DEPTH)
        line, column = error.line + 1, error.column + 1
        return _failed(shown, line=line, column=column, code="P011", message=message, fix=_("Write it flatter."))
    if value is None and not problems:
        return _failed(
            shown,
            code="P002",
            message=_("The file is empty."),
            fix=_("Write something in it; `campaign init` makes a folder with examples."),
        )
    return Source(shown, value=value, positions=positions, problems=problems, text=text)


def _decode(raw: bytes, shown: str) -> tuple[str, Problem | None]:
    """UTF-8 text without its byte order mark, or the problem."""
    for mark, name in _WIDE.items():
        if raw.startswith(mark):
            return "", _not_utf8(shown, _("The file is {encoding}, not UTF-8.").format(encoding=name))
    body = raw.removeprefix(b"\xef\xbb\xbf")
    if len(body.translate(None, _CONTROL)) != len(body):
        return "", _control(body, shown)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _spot(body, error.start)
        message = _("The byte 0x{byte:02X} here is not UTF-8 (Latin-1 or Windows-1252?).").format(
            byte=body[error.start]
        )
        return "", _not_utf8(shown, message, line=line, column=column)
    hidden = None if text.isascii() else _HIDDEN.search(text)
    if hidden:
        line, column = text.count("\n", 0, hidden.start()) + 1, hidden.start() - text.rfind("\n", 0, hidden.start())
        message = _("There is an invisible sign (U+{code:04X}) here.").format(code=ord(hidden.group()))
        return "", _error(
            shown, line=line, column=column, code="P005", message=message, fix=_("Delete it and press Enter.")
        )
    return text, None


def _control(body: bytes, shown: str) -> Problem:
    """The first control character; many NUL bytes are UTF-16 without its mark."""
    start = next(index for index, byte in enumerate(body) if byte in _CONTROL)
    if body.count(0) > len(body) // 4:
        return _not_utf8(shown, _("The file is {encoding}, not UTF-8.").format(encoding="UTF-16"))
    line, column = _spot(body, start)
    message = _("There is a control character (0x{byte:02X}) here.").format(byte=body[start])
    return _error(shown, line=line, column=column, code="P005", message=message, fix=_("Delete it and save the file."))


def _spot(body: bytes, offset: int) -> tuple[int, int]:
    """Line and column (in characters) of a byte, both from 1."""
    begin = body.rfind(b"\n", 0, offset) + 1
    return body.count(b"\n", 0, offset) + 1, len(body[begin:offset].decode("utf-8", "replace")) + 1


def _not_utf8(shown: str, message: str, *, line: int = 1, column: int = 1) -> Problem:
    return _error(shown, line=line, column=column, code="P004", message=message, fix=_("Save the file as UTF-8."))


def _unreadable(path: Path, error: OSError) -> tuple[str, str]:
    """What is wrong and what to do."""
    if isinstance(error, FileNotFoundError):
        return _("There is no such file."), _("Check the name; it counts from the folder that you are in.")
    if path.is_dir():
        return _("This is a folder, not a file."), _("Name a file, for example campaigns/*.yaml.")
    return _("The file can't be read: {reason}.").format(reason=reasons.reason(error)), reasons.remedy(error)


def _error(shown: str, *, line: int, column: int, code: str, message: str, fix: str) -> Problem:
    return Problem(
        code=code,
        severity=Severity.ERROR,
        file=shown,
        line=line,
        column=column,
        path="",
        message=message,
        fix=fix,
    )


def _failed(shown: str, *, code: str, message: str, fix: str, line: int = 1, column: int = 1) -> Source:
    return Source(shown, problems=[_error(shown, line=line, column=column, code=code, message=message, fix=fix)])


def suggest(word: str, allowed: Iterable[str]) -> str:
    """``Did you mean "x"?`` in the user's language with a space before it, or ""."""
    from difflib import get_close_matches

    names = {name.casefold(): name for name in allowed}
    close = get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    return " " + _('Did you mean "{word}"?').format(word=names[close[0]]) if close else ""


def path_text(path: Path_) -> str:
    """``posts[3].variants.x.text``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
