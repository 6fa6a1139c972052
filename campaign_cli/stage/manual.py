"""A person on the stage who posts by hand: what is laid out in a rehearsal is shown as the post that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.routing import BaseRoute

from campaign_cli.platforms.manual import ALTS, TEXT
from campaign_cli.stage.network import Network, Refusal, path_of
from campaign_cli.stage.state import PictureFacts, StageAccount, StageMedia, StagePost, StageState, picture_facts


class ManualStage(Network):
    """One place that a person posts to. It has no requests."""

    name = "manual"
    title = "By hand"
    credential = ""

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The place's name."""
        return str(settings.get("to") or name)

    def routes(self) -> list[BaseRoute]:
        """Only the pages of what was posted."""
        return []

    def creates(self, method: str, path: str) -> bool:
        """No request does."""
        return False

    def refused(self) -> Refusal:
        """Nobody is asked."""
        return Refusal(404, {})

    def throttled(self, seconds: int) -> Refusal:
        """Nobody is asked."""
        return Refusal(404, {})

    def broken(self) -> Refusal:
        """Nobody is asked."""
        return Refusal(404, {})


def posted_by_hand(state: StageState, account: StageAccount, files: Mapping[str, bytes], *, at: datetime) -> StagePost:
    """The post that a person makes of files that were laid out, ``at`` that instant."""
    number = state.number()
    alts = dict(line.partition(": ")[::2] for line in files.get(ALTS, b"").decode().split("\n") if line)
    media = []
    for name, content in files.items():
        if name.endswith(".txt"):
            continue
        facts = picture_facts(content) or PictureFacts(mime="application/octet-stream", width=0, height=0)
        one = StageMedia.of(
            content,
            facts,
            id=f"{number}-{name}",
            account=account.name,
            name=name,
            alt=alts.get(name, ""),
            at=at,
        )
        media.append(state.add_media(one, content))
    return state.add_post(
        StagePost(
            number=number,
            account=account.name,
            platform=ManualStage.name,
            id=str(number),
            path=f"{path_of(account)}/posts/{number}",
            text=files[TEXT].decode(),
            at=at,
            media=media,
            alts=[one.alt for one in media],
        )
    )


network = ManualStage
