"""The garbage collector, off where a million objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No looking for cycles meanwhile: looking again and again takes longer than making the objects. Also a decorator.

    For code whose objects have no cycles, or few: what is not in one is freed as ever. Nests.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
