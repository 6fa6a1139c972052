"""Videos on their way to a page of the stage: pieces of a size that the stage asks for, each at its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from campaign_cli.stage import facebook_shapes as shapes
from campaign_cli.stage.state import PictureFacts, StageAccount, StageMedia, StageState

PIECE: Final = 1024 * 1024
_FIRST_NUMBER: Final = 123_000_000_000_000
_WRONG_PLACE: Final = 1363037


@dataclass(kw_only=True, slots=True)
class _Upload:
    session: str
    video: str
    size: int
    content: bytearray = field(default_factory=bytearray)

    def bounds(self) -> dict[str, str]:
        """Where the next piece begins and ends, as Facebook writes numbers there."""
        start = len(self.content)
        return {"start_offset": str(start), "end_offset": str(min(self.size, start + PIECE))}


class Uploads:
    """What is on its way, by account and session."""

    def __init__(self, state: StageState) -> None:
        self._state = state
        self._sessions: dict[tuple[str, str], _Upload] = {}
        self._videos: set[tuple[str, str]] = set()
        self.finished: set[str] = set()

    def knows(self, account: StageAccount, video: str) -> bool:
        """Whether there was such a video."""
        return (account.name, video) in self._videos

    def start(self, account: StageAccount, size: int) -> dict[str, str]:
        """The answer to ``upload_phase=start``."""
        if size <= 0:
            raise shapes.invalid("file_size is missing")
        video, session = (str(_FIRST_NUMBER + self._state.number()) for _each in range(2))
        upload = self._sessions[account.name, session] = _Upload(session=session, video=video, size=size)
        self._videos.add((account.name, video))
        return {"upload_session_id": session, "video_id": video} | upload.bounds()

    def transfer(self, account: StageAccount, values: Mapping[str, Any], piece: bytes) -> dict[str, str]:
        """The answer to ``upload_phase=transfer``: the next piece's place."""
        upload = self._of(account, values)
        wanted = upload.bounds()
        fits = 0 < len(piece) <= int(wanted["end_offset"]) - int(wanted["start_offset"])
        if values.get("start_offset") != wanted["start_offset"] or not fits:
            raise shapes.invalid("The piece is not the one that is asked for", subcode=_WRONG_PLACE)
        upload.content += piece
        return upload.bounds()

    def finish(self, account: StageAccount, values: Mapping[str, Any]) -> tuple[str, StageMedia]:
        """The video's number and its file, once all of it has arrived."""
        upload = self._of(account, values)
        if len(upload.content) != upload.size or upload.video in self.finished:
            raise shapes.invalid("The upload is not complete, or was finished before")
        content, facts = bytes(upload.content), PictureFacts(mime="video/mp4", width=0, height=0)
        identity = {"id": f"v{upload.video}", "account": account.name, "name": "video", "at": self._state.now()}
        media = self._state.add_media(StageMedia.of(content, facts, **identity), content)
        self.finished.add(upload.video)
        return upload.video, media

    def _of(self, account: StageAccount, values: Mapping[str, Any]) -> _Upload:
        upload = self._sessions.get((account.name, str(values.get("upload_session_id"))))
        if upload is None:
            raise shapes.invalid("Invalid upload session")
        return upload
