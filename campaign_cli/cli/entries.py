"""New entries in the two files that people write themselves: accounts.yaml and .env. Nothing else in them changes."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from campaign_cli.accounts import FILE, Workspace
from campaign_cli.cli.files import write_file
from campaign_cli.credentials import is_reference
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.models import Account, Problem
from campaign_cli.private import write_private

_MARK: Final = "\ufeff"
_FAR: Final = 100_000  # columns: no value is broken over lines


@dataclass(frozen=True, kw_only=True)
class Written:
    """accounts.yaml as it was read and as it will be, with what that is."""

    path: Path
    before: str
    text: str
    workspace: Workspace
    problems: tuple[Problem, ...]

    def account(self, name: str) -> Account:
        """The new account. Raises InputError with every problem of its entry."""
        account = self.workspace.accounts.get(name)
        if account is None or self.problems:
            raise InputError(_("The account can't be added; nothing was written."), problems=self.problems)
        return account

    def save(self) -> None:
        """Put it into the folder. Raises InputError where somebody else has written the file meanwhile; OSError."""
        if _text_of(self.path) != self.before:
            raise InputError(
                _("accounts.yaml was changed meanwhile, and was left alone."), fix=_("Run the command again.")
            )
        write_file(self.path, self.text)


def with_account(root: Path, name: str, entry: Mapping[str, Any]) -> Written:
    """accounts.yaml with one more account: read again as a whole, and nothing else of it is another.

    Raises InputError where the file is written in a way that this can't add to.
    """
    from campaign_cli.plan import open_workspace

    path = root / FILE
    before = _text_of(path)
    text = _inserted(before, name, entry)
    with TemporaryDirectory() as folder:
        for file, content in (("before", before), ("after", text or before)):
            (Path(folder) / file).mkdir()
            (Path(folder) / file / FILE).write_text(content, encoding="utf-8", newline="")
        old, _problems = open_workspace(Path(folder) / "before")
        new, problems = open_workspace(Path(folder) / "after")
    was, now = (each.source.value if each.source is not None else None for each in (old, new))
    wanted = {**(was or {}), "accounts": {**((was or {}).get("accounts") or {}), name: dict(entry)}}
    if text is None or now != wanted:
        raise InputError(
            _("accounts.yaml is written in a way that can't be added to without changing it."),
            fix=_("Add this under accounts yourself:") + "\n" + _block(name, entry, indent=2),
        )
    return Written(path=path, before=before, text=text, workspace=new, problems=tuple(problems))


def add_variable(root: Path, name: str, value: str) -> None:
    """One more line in ``.env``, which only its owner may read. Raises OSError."""
    path = (root / ".env").resolve()
    text = _text_of(path) if path.exists() else ""
    end = "" if not text or text.endswith("\n") else "\n"
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    line = f"{name}='{quoted}'\n"
    if _read_back(text + end + line, name) != value:  # before a byte of the file is touched
        raise InputError(
            _("The secret holds signs that .env can't hold."),
            fix=_("Put it alone into a file (chmod 600) and give --secret NAME=file:PATH."),
        )
    write_private(path, text + end + line)


def referenced_variables(root: Path) -> dict[str, set[tuple[int, int]]]:
    """The variables that values of accounts.yaml refer to as ``env:NAME``, and where each stands in its text."""
    import yaml

    found: dict[str, set[tuple[int, int]]] = {}
    for node in _scalars(yaml.compose(_text_of(root / FILE), Loader=yaml.SafeLoader)):
        if node.value.startswith("env:") and is_reference(node.value):
            found.setdefault(node.value[4:], set()).add((node.start_mark.index, node.end_mark.index))
    return found


def with_references(root: Path, wanted: Mapping[str, str]) -> Written:
    """accounts.yaml with each ``env:NAME`` of a name in ``wanted`` replaced by that reference, and nothing else."""
    from campaign_cli.plan import open_workspace

    path = root / FILE
    before = text = _text_of(path)
    places = {place: name for name, places in referenced_variables(root).items() if name in wanted for place in places}
    for (start, end), name in sorted(places.items(), reverse=True):
        text = text[:start] + json.dumps(wanted[name], ensure_ascii=False) + text[end:]
    with TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_text(text, encoding="utf-8", newline="")
        new, problems = open_workspace(Path(folder))
    return Written(path=path, before=before, text=text, workspace=new, problems=tuple(problems))


def remove_variables(root: Path, names: Collection[str]) -> None:
    """Take lines out of ``.env``; the others stay as they are. Raises OSError."""
    from dotenv.parser import parse_stream

    path = (root / ".env").resolve()
    kept = [line for line in parse_stream(io.StringIO(_text_of(path))) if line.key not in names]
    write_private(path, "".join(line.original.string for line in kept))


def _scalars(node: Any) -> Iterator[Any]:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, yaml.MappingNode):
        for _key, value in node.value:
            yield from _scalars(value)


def free_variable(environment: Mapping[str, str], wanted: str) -> str:
    """A name of a variable that is not in use: ``wanted`` as capital letters, with a number where it is taken."""
    base = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in wanted).upper()
    base = f"_{base}" if base[:1].isdigit() else base
    numbers = iter(range(2, 1_000))
    name = base
    while name in environment:
        name = f"{base}_{next(numbers)}"
    return name


def _read_back(text: str, name: str) -> str | None:
    from dotenv import dotenv_values

    return dotenv_values(stream=io.StringIO(text), interpolate=False).get(name)


def _text_of(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _block(name: str, entry: Mapping[str, Any], *, indent: int) -> str:
    import yaml

    text = yaml.safe_dump({name: dict(entry)}, sort_keys=False, allow_unicode=True, width=_FAR)
    return "".join(f"{' ' * indent}{line}\n" for line in text.splitlines())


def _inserted(text: str, name: str, entry: Mapping[str, Any]) -> str | None:
    """The text with the entry after the last account; None where the accounts are written in an unforeseen way."""
    import yaml

    mark, body = (_MARK, text[1:]) if text.startswith(_MARK) else ("", text)
    line_end = "\r\n" if "\r\n" in body else "\n"
    root = yaml.compose(body, Loader=yaml.SafeLoader)
    if root is None:
        return mark + body + f"accounts:{line_end}" + _block(name, entry, indent=2).replace("\n", line_end)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    found = next((value for key, value in root.value if key.value == "accounts"), None)
    if found is None:
        end = "" if body.endswith("\n") else line_end
        return mark + body + end + f"accounts:{line_end}" + _block(name, entry, indent=2).replace("\n", line_end)
    indent = 2
    if isinstance(found, yaml.MappingNode) and found.value and not found.flow_style:
        indent = found.value[-1][0].start_mark.column
        index = _end_of(found)
    elif isinstance(found, yaml.MappingNode) and found.value:
        index = found.end_mark.index - 1
        line = yaml.safe_dump({name: dict(entry)}, default_flow_style=True, sort_keys=False, width=_FAR).strip()[1:-1]
        return mark + body[:index].rstrip() + f", {line}" + body[index:]
    else:  # nothing, or {}: the key alone stays
        body = body[: found.start_mark.index].rstrip(" ") + body[found.end_mark.index :]
        index = found.start_mark.index
        index = len(body[:index].rstrip(" "))
    after = body.find("\n", index)
    head, tail = (body, "") if after < 0 else (body[: after + 1], body[after + 1 :])
    head += "" if head.endswith("\n") else line_end
    return mark + head + _block(name, entry, indent=indent).replace("\n", line_end) + tail


def _end_of(node: Any) -> int:
    """Where the last value of a node really ends: what a block's own mark holds beyond it is comments and space."""
    import yaml

    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        key, value = node.value[-1]
        return max(int(key.end_mark.index), _end_of(value))
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end_of(node.value[-1])
    return int(node.end_mark.index)
