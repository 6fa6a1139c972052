"""One Mastodon server: how it is asked, what it says of itself, and how it takes pictures.

https://docs.joinmastodon.org/entities/Instance/ · methods/media/ · https://nodeinfo.diaspora.software/protocol.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urljoin

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import mastodon_kinds as kinds
from campaign_cli.platforms.addresses import WebAddress, same_origin
from campaign_cli.platforms.answers import ask, explain, instant, read_json
from campaign_cli.platforms.base import Answer, Limits, Request, Sending, Session, Upload

POLLS: Final = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0)  # seconds between looks at a picture that the server still works on
VIDEO_POLLS: Final = (15.0,) * 20
"""Further ones for a video, which the server encodes anew."""
PAGE: Final = 40  # statuses of one page, the most that the server gives
NO_SOURCE: Final = (200, 400, 403, 404, 405, 410, 501)  # servers without it say so in many ways
_ACCOUNT: Final = "mastodon.account"  # in Session.memory: the account's id
_SOFTWARE: Final = "mastodon.software"  # in Session.memory: what nodeinfo says


class Settings(base.Settings):
    """A server and an access token with the scopes ``read write``; ``handle`` (``@name``) guards against a mix-up."""

    url: WebAddress
    token: str
    handle: str | None = None


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def bare(handle: str) -> str:
    """A handle without ``@`` at its start, in lower case."""
    return handle.strip().lstrip("@").lower()


def call(session: Session, method: str, path: str, **members: Any) -> Request:
    """A request of this account: ``path`` below the server's address, with the token; ``members`` as in Request."""
    headers = {"Authorization": f"Bearer {session.secret('token')}", **members.pop("headers", {})}
    members.setdefault("errors", kinds.refusal)
    return Request(method=method, url=settings_of(session.account).url + path, headers=headers, **members)


async def own_account(session: Session) -> dict[str, Any]:
    """The account behind the token, with ``id`` and ``acct`` in any case. Raises Unauthorized."""
    request = call(session, "GET", "/api/v1/accounts/verify_credentials")
    me = await ask(session.http, request, lambda data: {**data, "id": str(data["id"]), "acct": str(data["acct"])})
    session.memory[_ACCOUNT] = me["id"]
    return me


async def account_id(session: Session) -> str:
    """The account's id, asked once for each process."""
    if _ACCOUNT not in session.memory:
        await own_account(session)
    return str(session.memory[_ACCOUNT])


async def page_of(session: Session, identifier: str, older_than: str) -> list[dict[str, Any]]:
    """Own statuses, newest first, those older than the status ``older_than`` (empty: from the newest)."""
    query = {"limit": str(PAGE), "exclude_reblogs": "true"} | ({"max_id": older_than} if older_than else {})
    request = call(session, "GET", f"/api/v1/accounts/{identifier}/statuses", query=query)

    def read(page: Any) -> list[dict[str, Any]]:
        for status in page:
            instant(status["created_at"])
            str(status["id"])
        return list(page)

    return await ask(session.http, request, read)


async def source(session: Session, identifier: str) -> str | None:
    """The plain text of an own status, where the server gives it."""
    request = call(session, "GET", f"/api/v1/statuses/{identifier}/source", accept=NO_SOURCE)
    answer = await session.http.send(request)
    return read_json(request, answer, lambda data: str(data["text"])) if answer.status == 200 else None


async def instance(session: Session) -> dict[str, Any]:
    """What the server says of itself: version 2 of the answer, or version 1 where there is no other."""
    request = call(session, "GET", "/api/v2/instance", accept=(200, 404, 405, 501))
    answer = await session.http.send(request)
    if answer.status != 200:
        request = call(session, "GET", "/api/v1/instance")
        answer = await session.http.send(request)
    return read_json(request, answer, dict)


def limits_of(instance: Mapping[str, Any], documented: Limits, *, software: str) -> Limits:
    """The server's own limits; what it doesn't name is as documented. Pleroma has them beside ``configuration``."""
    configuration = instance.get("configuration") or {}
    statuses, media = configuration.get("statuses") or {}, configuration.get("media_attachments") or {}
    supported = [str(kind) for kind in media.get("supported_mime_types") or ()]
    types = tuple(kind for kind in supported if kind.startswith("image/"))
    films = tuple(kind for kind in supported if kind.startswith("video/"))
    known = replace(
        documented,
        text=statuses.get("max_characters") or instance.get("max_toot_chars") or documented.text,
        url_length=statuses.get("characters_reserved_per_url") or documented.url_length,
        images=statuses.get("max_media_attachments") or instance.get("max_media_attachments") or documented.images,
        image_bytes=media.get("image_size_limit") or instance.get("upload_limit") or documented.image_bytes,
        image_pixels=media.get("image_matrix_limit") or documented.image_pixels,
        image_types=types or documented.image_types,
        video_bytes=media.get("video_size_limit") or documented.video_bytes,
        video_types=films or documented.video_types,
        videos=documented.videos if films or not supported else 0,
        alt=media.get("description_limit") or instance.get("description_limit") or documented.alt,
        source="instance",
    )
    return replace(known, **kinds.changed_limits(software))


async def software(session: Session, instance: Mapping[str, Any]) -> str:
    """``mastodon 4.6.4`` where nodeinfo and the version agree on Mastodon; else what nodeinfo or the version says."""
    version = str(instance.get("version") or "")
    named = await _nodeinfo(session)
    name, number = str(named.get("name") or "").lower(), str(named.get("version") or version)
    if not name or (name == "mastodon" and "compatible" in version.lower()):
        return version
    return f"{name} {number}".strip()


async def lists_replies(session: Session) -> bool:
    """Whether the server's list of own statuses holds replies too."""
    if _SOFTWARE not in session.memory:
        session.memory[_SOFTWARE] = await software(session, {})
    return kinds.lists_replies(session.memory[_SOFTWARE])


async def posted(sending: Sending, request: Request, read: Callable[[Any], Receipt]) -> Receipt:
    """Post a status.

    Where Pixelfed has seen the key already, it has refused what came with it, or made a post of it. Whoever sends a
    first part again has proved that it is not out, so it goes without the key; of a reply nothing can be proved.
    """
    try:
        return await ask(sending.http, request, read)
    except Rejected as error:
        if error.code != kinds.DUPLICATE:
            raise
        if sending.part:
            message = _("The server has had this reply before, and does not say what became of it.")
            raise Unconfirmed(message, status=error.status) from error
    headers = {name: value for name, value in request.headers.items() if name != "Idempotency-Key"}
    return await ask(sending.http, replace(request, headers=headers), read)


async def _nodeinfo(session: Session) -> dict[str, Any]:
    """``software`` of the server's nodeinfo; empty where there is none. The token is not sent along."""
    here = settings_of(session.account).url
    try:
        request = Request(method="GET", url=f"{here}/.well-known/nodeinfo")
        links = await ask(session.http, request, lambda data: [str(link["href"]) for link in data["links"]])
        for link in links:
            address = urljoin(f"{here}/", link)
            if same_origin(address, here):
                request = Request(method="GET", url=address)
                return await ask(session.http, request, lambda data: dict(data["software"]))
    except (Rejected, Unavailable):
        pass
    return {}


async def media_id(sending: Sending, index: int) -> str:
    """The id of a picture or video that is uploaded and ready; kept, so that a restart goes on from here.

    https://docs.joinmastodon.org/methods/media/#v2
    """
    step = f"media{index}"
    known = sending.steps.get(step)
    state = "gone" if known is None else await _media_state(sending, known)
    if state == "gone":  # never uploaded, or dropped by the server because it stayed unused for long
        known, state = await _upload(sending, index)
        await sending.keep(step, known)
    for pause in (*POLLS, *VIDEO_POLLS) if sending.content.media[index].is_video else POLLS:
        if state == "ready":
            return str(known)
        await sending.sleep(pause)
        state = await _media_state(sending, str(known))
    if state == "ready":
        return str(known)
    raise Unavailable(_("The server is still working on the file. It is tried again later."))


async def _upload(sending: Sending, index: int) -> tuple[str, str]:
    """The new id, and ``ready`` (200) or ``working`` (202)."""
    picture = sending.content.media[index]
    sending.uploaded(0, picture.size)
    request = call(
        sending,
        "POST",
        "/api/v2/media",
        form={"description": picture.alt},
        uploads=(Upload(field="file", name=picture.name, mime=picture.mime, content=await sending.load(picture)),),
        accept=(200, 202),
        sample={"id": f"{{media_id_{index + 1}}}"},
    )
    answer = await sending.http.send(request)
    sending.uploaded(picture.size, picture.size)
    identifier = read_json(request, answer, lambda media: str(media["id"]))
    return identifier, "ready" if answer.status == 200 else "working"


async def _media_state(sending: Sending, identifier: str) -> str:
    """``ready`` (200), ``working`` (206) or ``gone`` (404). Raises Rejected where the server could not use it (422)."""
    request = call(
        sending, "GET", f"/api/v1/media/{identifier}", accept=(200, 206, 404), errors=_unusable_picture, sample={}
    )
    answer = await sending.http.send(request)
    return {200: "ready", 206: "working"}.get(answer.status, "gone")


def _unusable_picture(answer: Answer) -> Exception | None:
    if answer.status != 422:
        return kinds.refusal(answer)
    return Rejected(_("The server could not use the file: {text}").format(text=explain(answer)))
