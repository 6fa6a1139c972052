"""``python -m campaign_cli`` and the console script ``campaign``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code (DESIGN: 0, 1, 2, 3, 4, 5, 130)."""
    from campaign_cli.cli import streams

    streams.prepare()
    try:
        from campaign_cli.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while the program was still being loaded
        code = 130
    sys.exit(streams.finish(code))


if __name__ == "__main__":
    main()
