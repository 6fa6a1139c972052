"""The pictures and videos of a draft, made ready and held against what the network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from campaign_cli.content.media import MediaStore, Prepared
from campaign_cli.content.pictures import MediaError
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import Picture

if TYPE_CHECKING:
    from campaign_cli.content.composing import Work
    from campaign_cli.content.variants import Path

_PLAYED: Final = frozenset({"", "h264", "avc1", "avc3", "vp8", "vp9", "av1", "av01"})
"""Codecs that every browser plays; the empty one is not known."""
_KINDS: Final = {"video/mp4": "MP4", "video/quicktime": "MOV", "video/webm": "WebM"}


def attachments(work: Work, store: MediaStore) -> tuple[Picture, ...]:
    """Each picture and video made ready, its alt text as chosen; what doesn't fit is noted in ``work``."""
    chosen, found = work.chosen, []
    for number, item in enumerate(chosen.media):
        path = (*chosen.path("media"), number)
        alt = chosen.alts[number] if number < len(chosen.alts) else item.alt
        alt = work.filled(alt, path).strip()
        _alt(work, alt, path)
        try:
            picture = store.picture(item.file, alt=alt, limits=work.limits)
            prepared = store.prepared(item.file, work.limits)
        except MediaError as error:
            work.error((*path, "file"), error.code, message=error.message, fix=error.fix)
            continue
        found.append(picture)
        if not picture.is_video:
            _ratio(work, picture, (*path, "file"))
        elif work.limits.videos:
            _video(work, picture, (*path, "file"))
            _remarks(work, picture, prepared, (*path, "file"))
    if len(found) == len(chosen.media):
        _together(work, found)
    return tuple(found)


def enough(work: Work) -> None:
    """Note where the network takes no post without media."""
    least, have = work.limits.media_least, len(work.chosen.media)
    if have >= least:
        return
    message = ngettext(
        "{platform} takes no post without a picture or a video.",
        "{platform} takes no post with fewer than {least} pictures or videos.",
        least,
    )
    message = message.format(platform=work.platform.title, least=least)
    fix = _('Add one under "media", or take {account} out of the accounts of this post.')
    work.error(work.chosen.path("media"), "M115", message=message, fix=fix.format(account=work.account.name))


def _alt(work: Work, alt: str, path: Path) -> None:
    limit = work.limits.alt
    if limit is None or len(alt) <= limit:
        return
    message = _("The alt text has {used} characters; {limit} fit for {account}.")
    message = message.format(used=len(alt), limit=limit, account=work.account.name)
    work.error((*path, "alt"), "L005", message=message, fix=_("Shorten it to what matters."))


def _ratio(work: Work, picture: Picture, path: Path) -> None:
    """Nothing is cut off a picture, and no bars are added: where it matters, a person decides what is seen."""
    allowed, ratio = work.limits.image_ratio, picture.width / max(picture.height, 1)
    if allowed is None or allowed[0] - 0.005 <= ratio <= allowed[1] + 0.005:
        return
    message = _("The picture {file} is {width} × {height}: too {shape} for {account}.").format(
        file=picture.name,
        width=picture.width,
        height=picture.height,
        shape=_("narrow") if ratio < allowed[0] else _("wide"),
        account=work.account.name,
    )
    fix = _("Cut it so that its width is {least:g} to {most:g} times its height.")
    work.error(path, "M110", message=message, fix=fix.format(least=allowed[0], most=allowed[1]))


def _video(work: Work, video: Picture, path: Path) -> None:
    """Type, length and size of one video."""
    limits, account = work.limits, work.account.name
    if video.mime not in limits.video_types:
        kinds = ", ".join(_KINDS.get(mime, mime) for mime in limits.video_types)
        message = _("The video {file} is {kind}; {account} takes {kinds}.")
        message = message.format(file=video.name, kind=_KINDS[video.mime], account=account, kinds=kinds)
        fix = _("Export it as {kinds}; MOV becomes MP4 by itself where ffmpeg is installed.").format(kinds=kinds)
        work.error(path, "M114", message=message, fix=fix)
    if limits.video_seconds is not None and video.seconds is not None and video.seconds > limits.video_seconds:
        message = _("The video {file} lasts {used}; {account} takes {limit} at most.").format(
            file=video.name, used=clock(video.seconds), account=account, limit=clock(limits.video_seconds)
        )
        work.error(path, "M112", message=message, fix=_("Shorten it, or leave it out in a variant."))
    if limits.video_bytes is not None and video.size > limits.video_bytes:
        message = _("The video {file} has {used} MB; {account} takes {limit} MB at most.").format(
            file=video.name,
            used=_megabytes(video.size),
            account=account,
            limit=_megabytes(limits.video_bytes),
        )
        work.error(path, "M113", message=message, fix=_("Export it with fewer pixels or a lower bit rate."))


def _remarks(work: Work, video: Picture, prepared: Prepared, path: Path) -> None:
    """What could not be done or checked, and what some people won't see."""
    if not prepared.clean:
        message = _("The video {file} may say where and when it was made: that could not be taken out.")
        fix = _("Install ffmpeg, which takes it out, or export the video without it.")
        work.warn(path, "M118", message=message.format(file=video.name), fix=fix)
    if video.seconds is None and work.limits.video_seconds is not None:
        message = _("How long the video {file} lasts is not known, so it was not checked: {account} takes {limit}.")
        message = message.format(file=video.name, account=work.account.name, limit=clock(work.limits.video_seconds))
        work.warn(path, "M119", message=message, fix=_("Install ffprobe (a part of ffmpeg), or look yourself."))
    if prepared.codec not in _PLAYED:
        message = _("The pictures of the video {file} are coded as {codec}, which many phones and networks can't play.")
        message = message.format(file=video.name, codec=prepared.codec)
        work.warn(path, "M120", message=message, fix=_("Export it as MP4 with H.264 and AAC."))


def _together(work: Work, found: list[Picture]) -> None:
    """How many of each kind, and both in one message."""
    limits, account = work.limits, work.account.name
    videos = sum(picture.is_video for picture in found)
    images = len(found) - videos
    path, fix = work.chosen.path("media"), _('Write a variant with other media for "{name}".')
    fix = fix.format(name=work.account.platform)
    if videos and not limits.videos:
        message = _("{platform} takes no videos.").format(platform=work.platform.title)
        work.error(path, "M111", message=message, fix=fix)
    elif videos > limits.videos:
        _too_many(
            work,
            ngettext(
                "{count} video is too many for {account}: {limit} fit.",
                "{count} videos are too many for {account}: {limit} fit.",
                videos,
            ).format(count=videos, limit=limits.videos, account=account),
        )
    elif videos and images and not limits.mixed:
        message = _("{account} takes pictures or videos in one post, not both.").format(account=account)
        work.error(path, "M116", message=message, fix=fix)
    elif images > limits.images or len(found) > max(limits.images, limits.videos):
        limit = limits.images if images > limits.images else max(limits.images, limits.videos)
        count = images if images > limits.images else len(found)
        _too_many(
            work,
            ngettext(
                "{count} picture is too many for {account}: {limit} fit.",
                "{count} pictures are too many for {account}: {limit} fit.",
                count,
            ).format(count=count, limit=limit, account=account),
        )


def _too_many(work: Work, message: str) -> None:
    fix = _('Write a variant with fewer pictures for "{name}".').format(name=work.account.platform)
    work.error(work.chosen.path("media"), "L004", message=message, fix=fix)


def clock(seconds: float) -> str:
    """``1:05`` for 65 seconds, ``1:00:00`` for an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}".removesuffix(".0")
