"""Templates: Jinja2 in its sandbox, without clock or chance, and with limits on work and size.

https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

import hashlib
import re
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity
from campaign_cli.source import Source, suggest

if TYPE_CHECKING:
    from jinja2 import Template

    from campaign_cli.content.sandbox import Sandbox

_MAX_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.j2)?")
_UNDEFINED: Final = re.compile(r"'(\w+)' is undefined")
_INLINE: Final = "<text>"
_KEPT: Final = 512  # compiled texts of plans kept at a time


class TemplateProblem(Exception):
    """A text could not be rendered: ``code``, ``message`` and ``fix`` for people."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code, self.message, self.fix = code, message, fix

    def located(self, source: Source, path: tuple[str | int, ...]) -> Problem:
        """The problem at the place of the plan that asked for the rendering."""
        return source.problem(path, code=self.code, severity=Severity.ERROR, message=self.message, fix=self.fix)


def is_template(text: str) -> bool:
    """Whether a text holds anything to fill in."""
    return "{" in text and ("{{" in text or "{%" in text or "{#" in text)


class Templates:
    """Renders texts of plans, and the templates of one folder (``NAME.j2``).

    ``seconds`` (of ``timer``, monotonic) is the emergency brake for one rendering; the real limits count steps and
    characters, so that they are the same on every machine.
    """

    def __init__(self, folder: Path, *, timer: Callable[[], float] = time.monotonic, seconds: float = 5.0) -> None:
        self._folder = folder
        self._timer, self._seconds = timer, seconds
        self._sandbox: Sandbox | None = None
        self._compiled: dict[str, Template] = {}
        self._hash: str | None = None

    def text(self, text: str, values: Mapping[str, Any]) -> str:
        """A text of a plan, filled in. Raises TemplateProblem."""
        if not is_template(text):
            return text
        return self._render(lambda sandbox: self._compile(sandbox, text), values, name=_INLINE)

    def file(self, name: str, values: Mapping[str, Any]) -> str:
        """The template ``name`` of the folder, filled in. Raises TemplateProblem."""
        if self._path(name) is None:
            message = _('There is no template "{name}" in templates/posts.').format(name=name)
            known = ", ".join(sorted(path.stem for path in self._folder.glob("*.j2")))
            raise TemplateProblem("P203", message, _("Templates there: {names}.").format(names=known or "–"))
        return self._render(lambda sandbox: sandbox.get_template(_file_name(name)), values, name=_file_name(name))

    def folder_hash(self) -> str:
        """SHA-256 over all templates of the folder (they may include each other), read once."""
        if self._hash is None:
            digest = hashlib.sha256()
            for path in sorted(filter(self._is_inside, self._folder.glob("*.j2"))):
                digest.update(f"{path.name}\n".encode() + hashlib.sha256(_bytes(path)).digest())
            self._hash = digest.hexdigest()
        return self._hash

    def _compile(self, sandbox: Sandbox, text: str) -> Template:
        template = self._compiled.get(text)
        if template is None:
            while len(self._compiled) >= _KEPT:
                self._compiled.pop(next(iter(self._compiled)))
            template = self._compiled[text] = sandbox.from_string(text)
        return template

    def _render(self, get: Callable[[Sandbox], Template], values: Mapping[str, Any], *, name: str) -> str:
        from campaign_cli.content.sandbox import Sandbox, TooMuch

        if self._sandbox is None:
            self._sandbox = Sandbox(self._read, timer=self._timer, seconds=self._seconds)
        self._sandbox.begin()
        try:
            return get(self._sandbox).render(values)
        except TooMuch as error:
            message = _("The template does too much: {reason}.").format(reason=error) + _where(error, name)
            raise TemplateProblem("P204", message, _("Make it simpler: a post is a page of text at most.")) from error
        except (RecursionError, MemoryError) as error:
            message = _("The template calls itself without end.") + _where(error, name)
            raise TemplateProblem("P204", message, _("Make it simpler: a post is a page of text at most.")) from error
        except Exception as error:  # a template may fail in any way that Python can
            raise _problem(error, name, values) from error

    def _path(self, name: str) -> Path | None:
        """The file of a template, or None where there is none; nothing outside the folder is ever read."""
        path = self._folder / _file_name(name)
        return path if _NAME.fullmatch(name) and self._is_inside(path) else None

    def _is_inside(self, path: Path) -> bool:
        """Whether it is a plain file of the folder, and no link out of it."""
        try:
            return path.resolve().parent == self._folder.resolve() and path.is_file()
        except (OSError, RuntimeError):  # no file can have such a name, or links lead in a circle
            return False

    def _read(self, name: str) -> tuple[str, str] | None:
        """Text and file name of a template, or None where there is none. Raises OSError, UnicodeDecodeError."""
        path = self._path(name)
        return None if path is None else (_content(path).decode("utf-8-sig"), path.name)


def _file_name(name: str) -> str:
    return name if name.endswith(".j2") else f"{name}.j2"


def _content(path: Path) -> bytes:
    """What a template's file holds. Raises OSError, also where that is far more than a template."""
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise OSError(_("it is larger than {limit} MiB").format(limit=_MAX_BYTES >> 20))
    return content


def _bytes(path: Path) -> bytes:
    try:
        return _content(path)
    except OSError:
        return b""


def _problem(error: Exception, name: str, values: Mapping[str, Any]) -> TemplateProblem:
    from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
    from jinja2.exceptions import SecurityError

    where = _where(error, name)
    if isinstance(error, UndefinedError):
        message = _undefined(_reason(error), values)
        return TemplateProblem("P201", message + where, _('Write it under "vars" in the plan or "with" in the post.'))
    if isinstance(error, TemplateNotFound):
        message = _('There is no template "{name}" in templates/posts.').format(name=error.name)
        return TemplateProblem("P203", message + where, _("Check the name; templates include only their neighbours."))
    if isinstance(error, TemplateSyntaxError):
        message = _("The template can't be read: {reason}.").format(reason=_reason(error))
        return TemplateProblem("P202", message + where, _("Each {{ needs its }} and each {% if %} its {% endif %}."))
    if isinstance(error, SecurityError):
        message = _("The template asks for something that templates may not have: {reason}.")
        return TemplateProblem("P205", message.format(reason=_reason(error)) + where, _("Write it without that."))
    if isinstance(error, UnicodeDecodeError | OSError):
        message = _("The template can't be opened: {reason}.").format(reason=_reason(error))
        return TemplateProblem("P206", message + where, _("Save it as UTF-8 and make it readable."))
    message = _("The template fails: {reason}.").format(reason=_reason(error))
    return TemplateProblem("P206", message + where, _("Check the values that it is given."))


def _undefined(reason: str, values: Mapping[str, Any]) -> str:
    absent = _UNDEFINED.fullmatch(reason)
    if absent is None:
        return _("The template needs a value that nobody gives: {reason}.").format(reason=reason)
    return _('The template needs the value "{name}", which nobody gives.').format(name=absent[1]) + suggest(
        absent[1], values
    )


def _reason(error: Exception) -> str:
    text = str(getattr(error, "message", None) or error).strip().rstrip(".")
    return text or type(error).__name__


def _where(error: BaseException, name: str) -> str:
    """Which line of which template: jinja2 rewrites the traceback so that it shows them."""
    line, file = getattr(error, "lineno", None), getattr(error, "filename", None)
    if not isinstance(line, int):
        file, line = None, None
        for frame, number in traceback.walk_tb(error.__traceback__):
            source = frame.f_code.co_filename
            if source == "<template>" or source.endswith(".j2"):
                file, line = Path(source).name, number
    if line is None:
        return ""
    file = name if file in (None, "<template>", "<unknown>") else file
    if file == _INLINE:
        return " " + _("(Line {line} of the text.)").format(line=line)
    return " " + _("(templates/posts/{file}, line {line}.)").format(file=file, line=line)
