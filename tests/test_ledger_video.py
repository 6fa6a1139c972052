"""A video in the ledger: whole, over both databases, through a backup, and never in a second copy."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import pytest
from ledger_helpers import Bench, make

from campaign_cli.ledger import Changes
from campaign_cli.ledger.backup import back_up
from campaign_cli.ledger.copying import opened_file
from campaign_cli.ledger.invariants import pictures

SIZE = 20_000_000
CONTENT = random.Random(5).randbytes(SIZE)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_video_is_kept_whole_and_once(bench: Bench) -> None:
    """Two posts share the bytes, and what is read is what was queued."""
    loads = []

    def load(digest: str) -> bytes:
        loads.append(digest)
        return CONTENT

    new = tuple(replace(make(key), media=(DIGEST,)) for key in ("c/p/a", "c/q/a"))
    bench.ledger.apply(Changes(new=new, media=load), actor="siti")
    assert loads == [DIGEST]
    assert bench.ledger.media(DIGEST) == CONTENT
    with bench.ledger.reading() as connection:
        assert list(pictures(connection)) == []
    made = back_up(bench.ledger)
    assert made.size > SIZE
    with opened_file(made.path, at=made.at, where="backup") as copy:
        assert copy.media(DIGEST) == CONTENT
