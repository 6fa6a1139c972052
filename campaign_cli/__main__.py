"""``python -m campaign_cli`` and the console script ``campaign``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code (DESIGN: 0, 1, 2, 3, 4, 5, 130)."""
    from campaign_cli.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
