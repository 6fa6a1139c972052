"""Where in the plan, or in which template, the words of a draft are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.content.templates import is_template
from campaign_cli.models import Problem, Severity
from campaign_cli.source import path_text

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.content.variants import Chosen, Path
    from campaign_cli.plan.expand import Planned
    from campaign_cli.plan.load import LoadedPlan

TEMPLATES: Final = "templates/posts"
Holds = Callable[[str], bool]
"""Whether a text as written holds what was found."""


class Places:
    """The places of one plan. Nothing is looked up before something was found."""

    def __init__(self, loaded: LoadedPlan, examined: Examined) -> None:
        self._loaded, self._examined = loaded, examined

    def chosen(self, planned: Planned) -> Chosen:
        """What the post says on this account, and where that is written."""
        return self._examined.choices.of(planned)

    def problem(self, path: Path, *, code: str, severity: Severity, message: str, fix: str) -> Problem:
        """A problem at a path of the plan; one that begins with a template's file is there, at its line and column."""
        if path and isinstance(path[0], str) and path[0].startswith(TEMPLATES):
            file, line, column, *where = path
            return Problem(
                code=code,
                severity=severity,
                file=str(file),
                line=int(line),
                column=int(column),
                path=path_text(where),
                message=message,
                fix=fix,
            )
        return self._loaded.source.problem(path, code=code, severity=severity, message=message, fix=fix)

    def body(self, planned: Planned, holds: Holds) -> Path:
        """The part, value, hashtag, link or template that says it; the text as a whole where none does alone."""
        chosen = self.chosen(planned)
        body = chosen.path("body")
        written: list[tuple[Path, str]] = [((*body, number), part) for number, part in enumerate(chosen.parts)]
        written.append((body, chosen.text or ""))
        if chosen.template is not None or any(is_template(text) for _path, text in written):
            written += self._values(planned)
        written += [((*chosen.path("hashtags"), number), f"#{tag}") for number, tag in enumerate(chosen.hashtags)]
        written.append((chosen.path("link"), chosen.link or ""))
        found = _first(written, holds)
        if found is None and chosen.template is not None:
            found = self._in_template(chosen.template, holds, path=body)
        return found or body

    def native(self, planned: Planned, name: str, holds: Holds) -> Path:
        """The network's own field, or the value that fills it."""
        chosen = self.chosen(planned)
        path, value = chosen.path(name), chosen.native.get(name)
        written = list(leaves(path, value))
        if any(is_template(text) for _path, text in written):
            written += self._values(planned)
        return _first(written, holds) or path

    def alt(self, planned: Planned, number: int) -> Path:
        """The alt text of a picture, of the post or of a variant."""
        chosen = self.chosen(planned)
        if number < len(chosen.alts):
            return (*chosen.path("alt"), number)
        return (*chosen.path("media"), number, "alt")

    def file(self, planned: Planned, number: int) -> Path:
        """The file of a picture."""
        return (*self.chosen(planned).path("media"), number, "file")

    def _values(self, planned: Planned) -> Iterator[tuple[Path, str]]:
        """Everything that a template may fill in."""
        chosen = self.chosen(planned)
        yield from leaves(chosen.paths.get("with", ("posts", planned.index, "with")), chosen.values)
        yield from leaves(("vars",), self._loaded.plan.vars)

    def _in_template(self, name: str, holds: Holds, *, path: Path) -> Path | None:
        file = f"{TEMPLATES}/{name.removesuffix('.j2')}.j2"
        try:
            lines = (self._loaded.workspace.root / file).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):  # it was read a moment ago, so somebody else is at work
            return None
        for number, line in enumerate(lines, start=1):
            if holds(line):
                return (file, number, 1, *path)
        return None


def _first(written: list[tuple[Path, str]], holds: Holds) -> Path | None:
    return next((path for path, text in written if holds(text)), None)


def leaves(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    """Every text below a path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, child in value.items():
            yield from leaves((*path, str(name)), child)
    elif isinstance(value, list | tuple):
        for number, child in enumerate(value):
            yield from leaves((*path, number), child)
    elif value is not None and not isinstance(value, bool):
        yield path, str(value)  # a number without quotes
