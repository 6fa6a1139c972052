"""What a hostile input must not do, whatever comes of it: take for ever, or write a file."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail, in the middle of it, where something takes more of the processor's time."""

    def enough(_number: int, _frame: Any) -> None:
        raise AssertionError(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGPROF, enough)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass
class _Watch:
    """What is opened for writing while it looks. A hook of the interpreter's is for ever, so there is one."""

    looking: bool = False
    hooked: bool = False
    written: list[str] = field(default_factory=list)

    def audit(self, event: str, details: tuple[Any, ...]) -> None:
        """See each opening of a file that has a name."""
        if self.looking and event == "open" and isinstance(details[0], str | bytes):
            mode, flags = str(details[1] or ""), int(details[2] or 0)
            if set(mode) & set("wax+") or flags & 3:
                self.written.append(str(details[0]))


_watch = _Watch()


@contextmanager
def writing_nothing() -> Iterator[None]:
    """Fail where a file is written meanwhile: the stage has no folder, all that it keeps is in memory."""
    if not _watch.hooked:
        sys.addaudithook(_watch.audit)
    _watch.hooked = _watch.looking = True
    _watch.written.clear()
    try:
        yield
    finally:
        _watch.looking = False
    assert not _watch.written, f"it wrote {_watch.written}"
