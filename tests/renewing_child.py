"""A process that needs a token: ``renewing_child.py ROOT NAME INSTANT [DIES]`` prints it, or what stands in its way.

DIES names the instant at which it is killed, as by kill -9: before or after one of the writes to the disk.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from campaign_cli.credentials import Secrets
from campaign_cli.errors import CampaignError
from campaign_cli.logins import Login, LoginStore
from campaign_cli.plan import open_workspace
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.signin.renewal import Keeper

DEATHS = ("before mark", "after mark", "before tokens", "after tokens")


class DyingStore(LoginStore):
    """A store whose process is killed at one of its writes: the mark of a renewal, then the new tokens."""

    dies = ""

    def put(self, name: str, login: Login | None) -> None:
        """Write, or die."""
        what = "mark" if login is not None and login.renewing else "tokens"
        for moment in ("before", "after"):
            if moment == "after":
                super().put(name, login)
            if self.dies == f"{moment} {what}":
                os.kill(os.getpid(), signal.SIGKILL)


def main(root: Path, name: str, now: datetime, dies: str) -> int:
    secrets = Secrets(environment={}, root=root)
    store = DyingStore(root / ".campaign")
    store.dies = dies
    secrets.logins = store
    keeper = Keeper(
        secrets=secrets, clock=lambda: now, transport=lambda: HttpTransport(redact=secrets.redact, now=lambda: now)
    )
    account = open_workspace(root)[0].accounts[name]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()  # all of them begin together
    try:
        asyncio.run(keeper.ready(account))
        sys.stdout.write(f"token {secrets.reveal(f'login:{name}')}\n")
    except CampaignError as error:
        sys.stdout.write(f"{type(error).__name__}: {error.message} → {error.fix}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3]), " ".join(sys.argv[4:])))
