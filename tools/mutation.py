"""The score of a run of mutmut: of all changed lines that a test reaches, how many a test noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

GOAL: Final = 0.85
STATS: Final = Path("mutants") / "mutmut-cicd-stats.json"


def main() -> int:
    """Print the score; 1 where it is below the goal, 2 where there is none."""
    subprocess.run([sys.executable, "-m", "mutmut", "export-cicd-stats"], check=False, capture_output=True)
    if not STATS.exists():
        sys.stderr.write("mutation: there are no results; did mutmut run to its end?\n")
        return 2
    counts = json.loads(STATS.read_text(encoding="utf-8"))
    noticed = counts["killed"] + counts.get("timeout", 0)
    tried = noticed + counts["survived"] + counts.get("suspicious", 0)
    score = noticed / tried if tried else 0.0
    sys.stdout.write(f"mutation: {noticed} of {tried} noticed, score {score:.1%} (goal {GOAL:.0%})\n")
    return 0 if score >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
