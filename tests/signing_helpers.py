"""SSH keys and approvers for tests: real ones, made by the ssh-keygen of this machine."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TOOL = shutil.which("ssh-keygen")
"""Tests of signatures need it, and fail without it: OpenSSH's client is part of what development needs."""


@dataclass
class Ring:
    """Keys of people in a folder, and the file that names them."""

    folder: Path
    workspace: Path
    lines: list[str] = field(default_factory=list)

    def key(self, name: str) -> str:
        """The path of a person's private key, made at the first time."""
        assert TOOL is not None, "install OpenSSH's client: these tests need ssh-keygen"
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            order = [TOOL, "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
            subprocess.run(order, check=True, capture_output=True)
        return str(path)

    def public(self, name: str) -> str:
        """Type and key as an approvers file has them."""
        self.key(name)
        return " ".join((self.folder / f"{name}.pub").read_text().split()[:2])

    def name(self, principals: str, key: str, *, options: str = "") -> None:
        """Write one more line into the file of the approvers."""
        self.lines.append(" ".join(filter(None, (principals, options, self.public(key)))))
        self.write()

    def write(self) -> None:
        """Write the file anew from ``lines``."""
        (self.workspace / "approvers").write_text("\n".join(self.lines) + "\n", encoding="utf-8")
