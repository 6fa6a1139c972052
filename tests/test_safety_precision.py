"""How many of the personal data in invented sentences are found, and how much is called personal that is not.

The figures are printed: ``pytest tests/test_safety_precision.py -s``.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from campaign_cli.checks.safety.names import Names
from campaign_cli.checks.safety.scanning import personal_data

FOLDER: Final = Path(__file__).parent / "data" / "safety"
FAMILIES: Final = {
    "S001": "nik",
    "S002": "kk",
    "S003": "npwp",
    "S004": "bpjs",
    "S005": "card",
    "S006": "phone",
    "S007": "email",
    "S008": "home",
    "S009": "plate",
    "S010": "bank",
    "S011": "protected",
}
PROTECTED: Final = Names([(name, "protected.txt") for name in ("Budi Santoso", "Nur'aini Kusuma", "José da Costa")])


def sentences(name: str = "*") -> list[dict[str, Any]]:
    return [
        sentence
        for path in sorted(FOLDER.glob(f"{name}.yaml"))
        for sentence in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def found_in(text: str) -> set[str]:
    """The families of what is found in a sentence."""
    found = {FAMILIES[finding.code] for finding in personal_data(text)}
    return found | {"protected"} if PROTECTED.find(text) else found


def counted(written: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """How often each family was found rightly, missed, and found where it is not."""
    counts: Counter[tuple[str, str]] = Counter()
    for sentence in written:
        found, held = found_in(sentence["say"]), set(sentence.get("holds", ()))
        counts.update(("right", family) for family in found & held)
        counts.update(("missed", family) for family in held - found)
        counts.update(("false", family) for family in found - held)
    return counts


@pytest.mark.parametrize("name", ["tuned", "held_out", "last"])
def test_recall_and_precision(name: str) -> None:
    """Each family finds 98 of 100 data at least, and 95 of 100 of its findings are right, in each set by itself."""
    counts = counted(sentences(name))
    poor = []
    lines = [f"\n{name}: {len(sentences(name))} sentences"]
    for family in FAMILIES.values():
        right, missed, false = (counts[kind, family] for kind in ("right", "missed", "false"))
        recall, precision = right / (right + missed), right / (right + false)
        figures = f"recall {recall:.3f}  precision {precision:.3f}  ({right} found, {missed} missed, {false} false)"
        lines.append(f"  {family:<10} {figures}")
        if recall < 0.98 or precision < 0.95:
            poor.append(family)
    sys.stdout.write("\n".join(lines) + "\n")
    assert poor == []


def test_there_are_enough_sentences() -> None:
    """More than 300 that differ, of each family at least 15 with its data, and at least 150 with none."""
    written = sentences()
    held = Counter(family for sentence in written for family in sentence.get("holds", ["nothing"]))
    assert len({sentence["say"] for sentence in written}) == len(written) >= 300
    assert set(held) == {*FAMILIES.values(), "nothing"}
    assert min(held.values()) >= 15
    assert held["nothing"] >= 150


def test_sentences_stay_clean_in_one_long_text() -> None:
    """What holds nothing personal alone holds nothing personal together, one a line."""
    text = "\n\n".join(sentence["say"] for sentence in sentences() if not sentence.get("holds"))
    assert personal_data(text) == ()
    assert PROTECTED.find(text) == ()
