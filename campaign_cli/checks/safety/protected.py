"""The names that the workspace protects, and the words that a plan keeps inside."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign_cli import reasons
from campaign_cli.accounts import FILE
from campaign_cli.checks.safety.names import Names
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.plan.model import Plan

MAX_BYTES: Final = 1024 * 1024


def protected_names(workspace: Workspace) -> tuple[Names, list[Problem]]:
    """The names of ``protected``: a list, or the file that lists them, one a line, where # begins a remark.

    A file that can't be read is an error: without it, nothing would be protected.
    """
    written = workspace.protected
    if not isinstance(written, str):
        places = (f"{FILE}, protected[{number}]" for number in range(len(written)))
        return Names(list(zip(written, places, strict=True))), []
    try:
        lines = _lines(workspace.root / written)
    except UnicodeDecodeError:
        return Names(()), [_unreadable(workspace, _("it is not UTF-8"))]
    except OSError as error:
        too_large = _("it is larger than {limit} MiB").format(limit=MAX_BYTES >> 20)
        reason = too_large if error.errno == errno.EFBIG else reasons.reason(error)
        return Names(()), [_unreadable(workspace, reason)]
    names = [(line.partition("#")[0], number) for number, line in enumerate(lines, start=1)]
    place = _("line {line} of {file}")
    return Names([(name, place.format(line=number, file=written)) for name, number in names]), []


def _lines(path: Path) -> list[str]:
    """The lines of a plain file. Raises OSError, UnicodeDecodeError."""
    if not path.is_file():  # a pipe would be waited for without end
        raise OSError(errno.EISDIR if path.exists() else errno.ENOENT, "")
    with path.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, "")
    return content.decode("utf-8-sig").splitlines()


def internal_words(plan: Plan) -> Names:
    """The words of ``internal``, such as meeting points and links to a live location."""
    return Names([(word, f"internal[{number}]") for number, word in enumerate(plan.internal)])


def _unreadable(workspace: Workspace, reason: str) -> Problem:
    assert workspace.source is not None  # noqa: S101 - without accounts.yaml there is no list
    message = _("The list of protected names can't be read: {reason}.").format(reason=reason)
    return workspace.source.problem(
        ("protected",),
        code="S012",
        severity=Severity.ERROR,
        message=message,
        fix=_("Write the file's name from the workspace's folder, or the names themselves as a list."),
    )
