"""Known weaknesses of what is installed, in words: ``python tools/audit.py PIP-AUDIT [ARGUMENT…]``.

pip-audit says "no known vulnerabilities" also where the package index has told it nothing, and ends with 1 for a
weakness and for a fault alike. Here each is said as what it is. It is no gate: the exit code is always 0.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

_FORMAT: Final = ("--format", "json", "--progress-spinner", "off")


def main(command: Sequence[str]) -> int:
    """Run it and say what it found."""
    try:
        ran = subprocess.run([*command, *_FORMAT], capture_output=True, text=True, check=False)
    except OSError as error:
        _say(f"nothing is known: pip-audit can't be run ({error.strerror})")
        return 0
    try:
        told = lines(json.loads(ran.stdout)["dependencies"])
    except (ValueError, KeyError, TypeError):
        said = [line for line in ran.stderr.splitlines() if line.strip()]
        told = [f"nothing is known: pip-audit gave no answer ({said[-1] if said else f'exit code {ran.returncode}'})"]
    for line in told:
        _say(line)
    return 0


def lines(packages: Sequence[dict[str, Any]]) -> list[str]:
    """A line for each weakness, then what was asked of how many; ``packages`` are pip-audit's ``dependencies``."""
    asked = [one for one in packages if "skip_reason" not in one]
    found = [(one, weakness) for one in asked for weakness in one.get("vulns", ())]
    told = [_line(one, weakness) for one, weakness in found]
    if not asked:
        return [f"nothing is known: the package index has no advisories for any of {len(packages)} packages"]
    weak = len({one["name"] for one, _weakness in found})
    told.append(f"{len(found)} known weaknesses in {weak} of {len(asked)} packages")
    if found:
        told.append("raise them: make constraints, then make test")
    if len(asked) < len(packages):
        told.append(f"of {len(packages) - len(asked)} more packages nothing is known")
    return told


def _line(package: dict[str, Any], weakness: dict[str, Any]) -> str:
    names = ", ".join([weakness["id"], *(alias for alias in weakness.get("aliases", ()) if alias != weakness["id"])])
    fixed = ", ".join(weakness.get("fix_versions", ())) or "no version yet"
    description = " ".join(str(weakness.get("description") or "").split())[:160]
    return f"{package['name']} {package['version']}: {names}; mended in {fixed}. {description}".rstrip(". ")


def _say(text: str) -> None:
    """One line; what an advisory says can't steer the terminal."""
    sys.stdout.write("audit: " + "".join(sign if sign.isprintable() else "?" for sign in text) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
