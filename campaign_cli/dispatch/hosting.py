"""A public address for media: some networks fetch pictures and videos themselves, from the account's ``media_host``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from campaign_cli import reasons
from campaign_cli.errors import CredentialError, Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.models import Account, Picture
from campaign_cli.platforms.base import Session, no_media_host
from campaign_cli.private import write_whole

if TYPE_CHECKING:
    from campaign_cli.dispatch.desk import Desk, Seat

_LOCK: Final = "media_host"  # in Seat.memory: one upload at a time, so that two networks don't upload the same twice


async def publish_media(
    desk: Desk, account: Account, picture: Picture, *, load: Callable[[Picture], Awaitable[bytes]]
) -> str:
    """The address at which everybody can fetch a picture or video of this account; again is harmless.

    Raises Rejected where there is no such place, CredentialError where that place refuses its secret, and the Failure
    of the account that holds the file.
    """
    host = account.media_host
    if host is None:
        return await no_media_host(picture)
    if not isinstance(host, str):
        name = picture.sha256 + PurePath(picture.name).suffix
        folder = desk.workspace.root / host["folder"]
        await asyncio.to_thread(_put, folder, name, await load(picture))
        return f"{host['url']}/{name}"
    seat = desk.seat_of(host)
    if seat is None:
        raise Rejected(
            _("The media_host “{name}” is no longer in accounts.yaml.").format(name=host),
            fix=_("Put it back, or name another one."),
        )
    return await _uploaded(desk, seat, picture, await load(picture))


async def _uploaded(desk: Desk, seat: Seat, picture: Picture, content: bytes) -> str:
    """The address on an account that holds files; its refusals say whose they are."""
    session = Session(
        account=seat.account,
        http=seat.http,
        secret=partial(desk.secret, seat.account),
        now=desk.clock,
        sleep=desk.sleep,
        memory=seat.memory,
    )
    try:
        async with seat.memory.setdefault(_LOCK, asyncio.Lock()):
            return await seat.platform.host(session, picture, content)
    except Failure as failure:
        text = _("media_host “{name}”: {text}").format(name=seat.account.name, text=failure.message)
        if isinstance(failure, Unauthorized):
            seat.memory.clear()  # a session that was refused must not be used again
            fix = _("Renew the secret of {name}, then run: campaign accounts check {name}")
            raise CredentialError(text, fix=fix.format(name=seat.account.name)) from failure
        if isinstance(
            failure, Unconfirmed
        ):  # of the post nothing has left, and to put the file there again is harmless
            raise Unavailable(text, status=failure.status, fix=failure.fix) from failure
        failure.message = text
        raise


def _put(folder: Path, name: str, content: bytes) -> None:
    """Write a file that the web server may read, at once and whole. Raises Rejected where it can't be written."""
    target = folder / name
    try:
        if target.is_file() and target.stat().st_size == len(content) and target.read_bytes() == content:
            return
        write_whole(target, content, mode=0o644)
    except OSError as error:
        message = _("The folder {folder} of media_host can't be written to: {reason}.")
        raise Rejected(
            message.format(folder=folder, reason=reasons.reason(error)),
            fix=_("Make the folder, with the right to write there, then run: campaign retry"),
        ) from error
