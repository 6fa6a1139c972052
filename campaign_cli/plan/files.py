"""Whether a picture's file name leads to a file inside the workspace."""

from __future__ import annotations

from pathlib import Path

from campaign_cli.i18n import _
from campaign_cli.source import suggest


def file_problem(file: str, *, root: Path, plan: Path) -> tuple[str, str, str] | None:
    """Code, message and fix for a file name that can't be used, else None. What the file holds is not judged."""
    if not file.strip():
        return "P021", _("The picture or video names no file."), _('Write "file: media/poster.jpg".')
    if "://" in file or "\0" in file:
        fix = _("Save it in the workspace and write its path.")
        return "M003", _("A picture or video must be a file in the workspace, not an address."), fix
    base = root.resolve()
    try:
        path = (base / Path(file).expanduser()).resolve()
        inside = path.is_relative_to(base)
        exists = inside and path.is_file()
    except (OSError, RuntimeError, ValueError):
        return "M002", _("The file {file} can't be looked for.").format(file=file), _("Correct the name.")
    if not inside:
        message = _("The file {file} lies outside the workspace.").format(file=file)
        return "M003", message, _("Copy it into the workspace, for example to media/, and write that path.")
    if not exists:
        return _missing(file, path, base=base, plan=plan)
    return None


def _missing(file: str, path: Path, *, base: Path, plan: Path) -> tuple[str, str, str]:
    message = _("There is no file {file}.").format(file=file)
    beside = plan.absolute().parent / file
    if beside.is_file() and beside.resolve().is_relative_to(base):
        right = beside.resolve().relative_to(base).as_posix()
        return "M002", message, _("Paths count from the workspace's folder: write {path}.").format(path=right)
    if path.is_dir():
        return "M002", _("{file} is a folder, not a file.").format(file=file), _("Name a picture in it.")
    if path.exists():  # a pipe would be waited for, a device read without end
        return "M002", _("The file {file} is no ordinary file.").format(file=file), _("Name a picture or a video.")
    names = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    fix = _("Correct the path (from the workspace's folder), or put the file there.")
    return "M002", message + suggest(path.name, names), fix
