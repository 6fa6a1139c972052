"""How `publish` and `run` show their work: a display on a terminal, plain or JSON log lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from campaign_cli.cli.diagnostics import warn
from campaign_cli.cli.output import console, rfc3339
from campaign_cli.cli.visible import visible
from campaign_cli.cli.words import clock_text, state_word
from campaign_cli.i18n import _, format_instant
from campaign_cli.models import State
from campaign_cli.reasons import reason

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from campaign_cli.dispatch.outcome import Result
    from campaign_cli.dispatch.progress import Progress


class LogFormat(StrEnum):
    """``auto`` is a display on a terminal and plain lines elsewhere."""

    auto = "auto"
    plain = "plain"
    json = "json"


class Lines:
    """One plain line an event: instant, state, key, link or reason."""

    def __init__(self, stream: TextIO, *, now: Callable[[], datetime], redact: Callable[[str], str]) -> None:
        self._stream, self._now, self._redact = stream, now, redact
        self._lost = False

    def _line(self, word: str, **fields: Any) -> None:
        text = "  ".join(str(value) for value in fields.values() if value)
        self._put(visible(self._redact(f"{rfc3339(self._now())}  {word:<10} {text}").rstrip()))

    def _put(self, line: str) -> None:
        """Write a line. A log that can't be written must not stop what is being published: it is told, once."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            if not self._lost:
                warn(_("The log can't be written: {reason}").format(reason=reason(error)))
            self._lost = True

    def started(self, key: str, *, due: datetime) -> None:
        """Quiet: the result says it."""

    def uploaded(self, key: str, *, done: int, total: int) -> None:
        """Quiet: a log needs no percentages."""

    def looking(self, key: str) -> None:
        """A look-up on the network."""
        self._line(_("look-up"), key=key)

    def settled(self, result: Result) -> None:
        """The last word on a delivery."""
        self._line(state_word(result.state, held=result.held), key=result.key, url=result.url, error=result.error)

    def sleeping(self, until: datetime | None) -> None:
        """Quiet: nothing happened."""

    def warned(self, message: str) -> None:
        """Something beside the deliveries."""
        self._line(_("warning"), message=message)


class JsonLines(Lines):
    """One JSON object a line."""

    def _line(self, word: str, **fields: Any) -> None:
        record = {"at": rfc3339(self._now()), **{name: value for name, value in fields.items() if value}}
        self._put(self._redact(json.dumps(record, ensure_ascii=False)))

    def looking(self, key: str) -> None:
        """A look-up on the network."""
        self._line("", event="look-up", key=key)

    def settled(self, result: Result) -> None:
        """The last word on a delivery."""
        state = "held" if result.held else result.state.value
        self._line("", event="settled", state=state, key=result.key, url=result.url, error=result.error)

    def warned(self, message: str) -> None:
        """Something beside the deliveries."""
        self._line("", event="warning", message=message)


class Display:
    """A Rich display: what is on the wire or when the next one falls due, the counts, and each that ended."""

    def __init__(self, *, now: Callable[[], datetime], zone: tzinfo, redact: Callable[[str], str]) -> None:
        from rich.progress import Progress as Bar
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        self._now, self._zone, self._redact = now, zone, redact
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            _upload_bars(),
            TimeElapsedColumn(),
            console=console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(_("looking for what is due"), total=None)
        self._flying: set[str] = set()
        self._uploads: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._idle = ""

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def started(self, key: str, *, due: datetime) -> None:
        """On the wire."""
        self._flying.add(key)
        self._refresh()

    def uploaded(self, key: str, *, done: int, total: int) -> None:
        """A bar for each long upload, until it is over."""
        if key not in self._uploads:
            self._uploads[key] = self._bar.add_task("", total=total)
        words = _("uploading {key}: {done} of {total} MB")
        words = words.format(key=visible(key), done=done // 1_000_000, total=-(-total // 1_000_000))
        self._bar.update(self._uploads[key], completed=done, total=total, description=words)
        if done >= total:
            self._bar.remove_task(self._uploads.pop(key))

    def looking(self, key: str) -> None:
        """Being looked up."""
        self._flying.add(key)
        self._refresh()

    def settled(self, result: Result) -> None:
        """A line for the result, a link or a reason below it where it doesn't fit, and the counts."""
        from rich.text import Text

        self._flying.discard(result.key)
        if result.key in self._uploads:
            self._bar.remove_task(self._uploads.pop(result.key))
        word = state_word(result.state, held=result.held)
        self._counts[word] = self._counts.get(word, 0) + 1
        style = {State.PUBLISHED: "green", State.WAITING: "yellow"}.get(result.state, "red")
        clock = clock_text(self._now(), self._zone)
        head, more = f"{clock}  {word}  {result.key}", visible(self._redact(result.url or result.error))
        gap = "  " if len(head) + 2 + len(more) <= self._bar.console.width else "\n    "
        line = Text.assemble(f"{clock}  ", (word, style), f"  {visible(result.key)}", gap if more else "", more)
        # Not folded: an address that the terminal itself wraps is copied whole.
        self._bar.console.print(line, soft_wrap=True)
        self._refresh()

    def sleeping(self, until: datetime | None) -> None:
        """When the next one falls due."""
        self._idle = (
            _("next: {instant}").format(instant=format_instant(until, self._zone, seconds=True))
            if until
            else _("waiting for something to be queued")
        )
        self._refresh()

    def warned(self, message: str) -> None:
        """Something beside the deliveries."""
        from rich.text import Text

        self._bar.console.print(Text(visible(self._redact(message)), style="yellow"), soft_wrap=True)

    def _refresh(self) -> None:
        flying = _("on the wire: {n}").format(n=len(self._flying)) if self._flying else ""
        counts = ", ".join(f"{count} {word}" for word, count in self._counts.items())
        self._bar.update(self._task, description=" · ".join(part for part in (flying or self._idle, counts) if part))


def _upload_bars() -> ProgressColumn:
    """A bar for what has a known size."""
    from rich.progress import BarColumn, Task
    from rich.text import Text

    class Bars(BarColumn):
        def render(self, task: Task) -> Any:
            return super().render(task) if task.total is not None else Text()

    return Bars(bar_width=20)


@contextmanager
def progress(
    shown_as: LogFormat,
    *,
    file: Path | None,
    now: Callable[[], datetime],
    zone: tzinfo,
    redact: Callable[[str], str],
) -> Iterator[Progress]:
    """The right way to show progress here: a file, a terminal's display, or lines on stderr."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stream = open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8")  # noqa: PTH123, SIM115
        try:
            yield (JsonLines if shown_as is LogFormat.json else Lines)(stream, now=now, redact=redact)
        finally:
            with suppress(OSError):  # what could not be written has been told
                stream.close()
    elif shown_as is LogFormat.json:
        yield JsonLines(sys.stderr, now=now, redact=redact)
    elif shown_as is LogFormat.auto and sys.stderr.isatty():
        with Display(now=now, zone=zone, redact=redact) as display:
            yield display
    else:
        yield Lines(sys.stderr, now=now, redact=redact)
