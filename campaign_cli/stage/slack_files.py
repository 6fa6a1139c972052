"""Files on Slack's stage: an address first, then the bytes, then a message that shows them.

Follows docs.slack.dev/messaging/working-with-files: files.getUploadURLExternal, .completeUploadExternal and .info.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from campaign_cli.stage.network import Network
from campaign_cli.stage.slack_shapes import FILE, refusal
from campaign_cli.stage.state import StageAccount, StageMedia, media_facts


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One method call with its arguments, from query, form or JSON."""

    request: Request
    account: StageAccount
    values: Mapping[str, Any]


class SlackFiles(Network):
    """The bot's files: its own until a message shows them."""

    def upload_url(self, call: Call) -> dict[str, Any]:
        """A file's ID, and where its bytes go."""
        try:
            size = int(call.values["length"])
            name = str(call.values["filename"])
        except (KeyError, ValueError) as error:
            raise refusal("invalid_arguments") from error
        identifier = f"F{self.state.number():010d}"
        at, digest = self.state.now(), ""
        media = StageMedia(
            id=identifier,
            account=call.account.name,
            sha256=digest,
            mime="",
            size=size,
            width=0,
            height=0,
            name=name,
            alt=str(call.values.get("alt_txt") or ""),
            at=at,
        )
        self.state.media[call.account.name, identifier] = media
        return {"file_id": identifier, "upload_url": f"{self.base(call.request, call.account)}/upload/v1/{identifier}"}

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """The bytes."""
        file = self.state.media.get((account.name, request.path_params["ticket"]))
        content = await request.body()
        facts = media_facts(content)
        if file is None or len(content) != file.size or facts is None:
            return PlainTextResponse("invalid upload", 400)
        polls = self.state.processing_polls
        whole = StageMedia.of(
            content, facts, id=file.id, account=file.account, name=file.name, alt=file.alt, polls=polls, at=file.at
        )
        self.state.add_media(whole, content)
        return PlainTextResponse(f"OK - {len(content)}")

    def complete_upload(self, call: Call) -> dict[str, Any]:
        """The bytes are complete; the files are the bot's own until a message shows them."""
        files = [self._file(call.account, str(item.get("id"))) for item in call.values.get("files") or ()]
        if not files or any(not file.sha256 for file in files):
            raise refusal("file_not_found")
        return {"files": [{"id": file.id, "title": file.name} for file in files]}

    def file_info(self, call: Call) -> dict[str, Any]:
        """The file; its type stays empty while Slack works on it."""
        file = self._file(call.account, str(call.values.get("file")))
        working, file.polls = file.polls > 0, max(0, file.polls - 1)
        mime = "" if working else file.mime
        permalink = f"{self.base(call.request, call.account)}/files/{file.id}/{file.name}"
        shown = {"id": file.id, "name": file.name, "mimetype": mime, "alt_txt": file.alt, "permalink": permalink}
        return {"file": shown}

    def shown_files(self, account: StageAccount, body: Mapping[str, Any]) -> tuple[list[StageMedia], list[str]]:
        """The files that a message shows, and their descriptions: in image blocks, or by their address in its text."""
        images = [block for block in body.get("blocks") or () if block.get("type") == "image"]
        media = [self._shared(account, block) for block in images]
        alts = [
            "" if block["alt_text"] == file.name else block["alt_text"]
            for block, file in zip(images, media, strict=True)
        ]
        linked = [self._file(account, match[1]) for match in FILE.finditer(str(body.get("text") or ""))]
        linked = [file for file in linked if body.get("unfurl_media") and file.sha256 and not file.polls]
        return [*media, *linked], [*alts, *(file.alt for file in linked)]

    def _file(self, account: StageAccount, identifier: str) -> StageMedia:
        file = self.state.media.get((account.name, identifier))
        if file is None:
            raise refusal("file_not_found")
        return file

    def _shared(self, account: StageAccount, block: Mapping[str, Any]) -> StageMedia:
        """The file of an image block, once it is ready."""
        file = self.state.media.get((account.name, str(block.get("slack_file", {}).get("id"))))
        if file is None or file.polls or not file.sha256:
            raise refusal("invalid_blocks", errors=["invalid slack file [json-pointer:/blocks/0/slack_file]"])
        return file
