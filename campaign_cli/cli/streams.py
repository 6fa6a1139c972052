"""The process's standard streams, so that no terminal, pipe or encoding can break a command half way.

A sign that the encoding lacks is written another way; a reader that goes away (``campaign log | head``) is no error; a
closed stream is a void; a full disk behind stdout is told once. The command's own exit code stays true in all of it.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any, Final, TextIO

_PLAIN: Final = {"→": "->", "…": "...", "–": "-", "“": '"', "”": '"', "·": "-", "✓": "+", "✗": "x", "•": "*"}


class _Output(io.FileIO):
    """Standard output. What nobody reads any more is dropped; what can't be written is an error, once."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)
        self._lost = False

    def write(self, data: Any, /) -> int:
        """Write, or pretend to."""
        size = len(memoryview(data).cast("B"))
        if self._lost:
            return size
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self._lost = True
            return size
        except OSError as error:
            self._lost = True
            self._complain(error)
            return size

    def _complain(self, error: OSError) -> None:
        from campaign_cli.i18n import _

        raise OSError(error.errno, error.strerror, _("standard output")) from error


class _Errors(_Output):
    """Standard error: where it fails, there is nobody left to tell."""

    def _complain(self, error: OSError) -> None:
        """Nothing can be said."""


def prepare() -> None:
    """Replace the streams of this process. To be called once, before anything is opened."""
    codecs.register_error("campaign", _replaced)
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one. Else the next file, perhaps the ledger, would become standard output.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    sys.stdout = _stream(sys.stdout, _Output(1))
    sys.stderr = _stream(sys.stderr, _Errors(2))


def finish(code: int) -> int:
    """Write what is still in the buffers; the exit code, which is 2 where all went well but stdout can't take it."""
    try:
        sys.stdout.flush()
    except OSError as error:
        from campaign_cli.cli import diagnostics

        diagnostics.show_error(error)
        code = code or int(diagnostics.ExitCode.BAD_INPUT)
    sys.stderr.flush()
    return code


def _stream(old: TextIO | None, raw: io.FileIO) -> TextIO:
    encoding = old.encoding if old is not None else "utf-8"
    # Line by line, so that stdout and stderr keep their order where both go to one log.
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="campaign", line_buffering=True)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """Signs that an encoding lacks: a plain one where there is one, else the escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in lacking)
    return plain, error.end
