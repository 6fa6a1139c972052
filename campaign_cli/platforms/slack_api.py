"""Slack's Web API: how it is asked, what its refusals mean, how it takes pictures and shows a channel.

https://docs.slack.dev/apis/web-api · methods below https://docs.slack.dev/reference/methods
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from json import loads
from typing import Any, Final, TypeVar

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import ask, read_json
from campaign_cli.platforms.base import Answer, Request, Sending, Session

T = TypeVar("T")

POLLS: Final = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0)  # seconds between looks at a picture that Slack still works on
PAGE: Final = 200
PAGES: Final = 25  # bound of a look-up; a search that ends here is not complete
_REST: Final = timedelta(seconds=60)
_OWN: Final = "slack.own"  # in Session.memory: what auth.test says
_NO_TOKEN: Final = frozenset(
    {"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
    | {"org_login_required", "team_access_not_granted", "access_denied"}
)
_NOT_TAKEN: Final = frozenset(
    {"ratelimited", "rate_limited", "message_limit_exceeded", "request_timeout", "team_added_to_org"}
)
# "It's possible some aspect of the operation succeeded before the error was raised."
_IN_DOUBT: Final = frozenset({"fatal_error", "internal_error", "service_unavailable"})
_NOT_HERE: Final = frozenset({"not_in_channel", "channel_not_found", "no_permission"})


def call(session: Session, method: str, *, base: str, **members: Any) -> Request:
    """A request of the bot: ``method`` as Slack names it, ``base`` the server; ``members`` as in Request."""
    headers = {"Authorization": f"Bearer {session.secret('token')}"}
    if "json" in members:
        headers["Content-Type"] = "application/json; charset=utf-8"
    elif "form" not in members:
        members.setdefault("method", "GET")
    return Request(
        url=f"{base}/api/{method}",
        headers=headers,
        errors=errors(session, creating=bool(members.get("creating"))),
        accept=(200,),
        **{"method": "POST", **members},
    )


async def asked(session: Session, request: Request, read: Callable[[Any], T]) -> T:
    """What ``read`` takes from an answer that says ``ok``."""
    return await ask(session.http, request, _sound(read))


def _sound(read: Callable[[Any], T]) -> Callable[[Any], T]:
    def checked(data: Any) -> T:
        if data["ok"] is not True:
            raise ValueError("ok")
        return read(data)

    return checked


def errors(session: Session, *, creating: bool) -> Callable[[Answer], Exception | None]:
    """Slack's own table for ``Request.errors``: its refusals come with status 200, ``ok: false`` and a code."""

    def read(answer: Answer) -> Exception | None:
        data = _parsed(answer.text)
        code = data.get("error")
        if data.get("ok") is not False or not isinstance(code, str) or answer.status >= 500:
            return None
        return _failure(code, data, answer=answer, session=session, creating=creating)

    return read


def _failure(code: str, data: Mapping[str, Any], *, answer: Answer, session: Session, creating: bool) -> Exception:
    details = [str(text) for text in data.get("errors") or () if isinstance(text, str)]
    message = _("Slack refused it: {text}").format(text=": ".join([code, *details[:3]]))
    status = answer.status
    if code in _NOT_TAKEN:
        retry_at = None if "retry-after" in answer.headers else session.now() + _REST
        return Unavailable(message, status=status if status == 429 else None, code=code, retry_at=retry_at)
    if code in _IN_DOUBT:
        return (Unconfirmed if creating else Unavailable)(message, status=status, code=code)
    if code in _NO_TOKEN:
        fix = _(
            "Copy the bot token (xoxb-…) from the app's page OAuth & Permissions again; reinstall the app if need be."
        )
        return Unauthorized(message, status=status, code=code, fix=fix)
    if code == "invalid_blocks" and any("slack file" in text for text in details):
        return Unavailable(message, code=code)  # uploaded, and not ready yet: nothing was posted
    return Rejected(message, status=status, code=code, fix=_fix(code, data))


def _fix(code: str, data: Mapping[str, Any]) -> str:
    if code == "missing_scope":
        return _("On the app's page OAuth & Permissions, add the scope {scope} and reinstall the app.").format(
            scope=data.get("needed") or "?"
        )
    if code in _NOT_HERE:
        return _("In Slack, write /invite @APP in the channel, and check the channel's ID in accounts.yaml.")
    if code == "is_archived":
        return _("The channel is archived: open it again in Slack, or choose another channel.")
    if code.startswith("restricted_action"):
        return _("The workspace restricts who may post in this channel: ask its administrators.")
    return ""


async def own(session: Session, *, base: str) -> Mapping[str, Any]:
    """Who the token is: ``user_id``, ``bot_id``, ``user``, ``url``, and its ``scopes`` where Slack tells them.

    Asked once for each process. https://docs.slack.dev/reference/methods/auth.test
    """
    if _OWN not in session.memory:
        request = call(session, "auth.test", base=base, json={})
        answer = await session.http.send(request)
        me = read_json(request, answer, _sound(lambda data: {**data, "user_id": str(data["user_id"])}))
        session.memory[_OWN] = me | {"scopes": answer.headers.get("x-oauth-scopes", "")}
    known: Mapping[str, Any] = session.memory[_OWN]
    return known


async def file(sending: Sending, index: int, *, base: str) -> Mapping[str, Any]:
    """One picture or video, uploaded and ready, seen by nobody until a message shows it: its ``id`` and ``permalink``.

    Each upload is kept as a step. https://docs.slack.dev/messaging/working-with-files#uploading_files
    """
    step = f"file{index}"
    known = sending.steps.get(step)
    found = None if known is None else await _file(sending, known, base=base)
    if found is None:
        known = await _uploaded(sending, index, base=base)
        await sending.keep(step, known)
        found = await _file(sending, known, base=base)
    for pause in POLLS:
        if found is None or found["mimetype"]:
            break
        await sending.sleep(pause)
        found = await _file(sending, str(known), base=base)
    if found is not None and found["mimetype"]:
        return found
    raise Unavailable(_("The server is still working on the file. It is tried again later."))


async def _uploaded(sending: Sending, index: int, *, base: str) -> str:
    """Ask for an address, send the bytes there (without the token), and say that they are complete."""
    item = sending.content.media[index]
    content = await sending.load(item)
    form = {"filename": item.name, "length": str(len(content))} | ({"alt_txt": item.alt} if item.alt else {})
    upload_url = f"https://files.slack.com/upload/v1/{{upload_{index + 1}}}"
    sample = {"ok": True, "file_id": f"{{file_id_{index + 1}}}", "upload_url": upload_url}
    identifier, address = await asked(
        sending,
        call(sending, "files.getUploadURLExternal", base=base, form=form, sample=sample),
        lambda data: (str(data["file_id"]), str(data["upload_url"])),
    )
    upload = Request(
        method="POST",
        url=address,
        content=content,
        headers={"Content-Type": item.mime},
        accept=(200,),
        errors=errors(sending, creating=False),
    )
    await sending.http.send(upload)
    done = {"files": [{"id": identifier, "title": item.name}]}
    request = call(sending, "files.completeUploadExternal", base=base, json=done, sample={"ok": True, "files": [{}]})
    try:
        await asked(sending, request, lambda data: list(data["files"]))
    except Rejected as error:
        if error.code != "file_not_found":
            raise
        raise Unavailable(_("The file did not arrive. It is uploaded again later."), code=error.code) from error
    return identifier


async def _file(sending: Sending, identifier: str, *, base: str) -> Mapping[str, Any] | None:
    """A file, with a ``mimetype`` once Slack has looked at it; None where it was deleted or never arrived.

    https://docs.slack.dev/reference/methods/files.info
    """
    sample_file = {"mimetype": "video/mp4", "permalink": f"{base}/files/{identifier}"}
    request = call(
        sending, "files.info", base=base, query={"file": identifier}, sample={"ok": True, "file": sample_file}
    )
    try:
        return await asked(sending, request, lambda data: _file_of(data["file"], identifier))
    except Rejected as error:
        if error.code not in {"file_not_found", "file_deleted"}:
            raise
        return None


def _file_of(data: Any, identifier: str) -> Mapping[str, Any]:
    mime = str(data.get("mimetype") or "")
    permalink = str(data["permalink"]) if mime.startswith("video/") else ""  # a picture is shown by its id
    return {"id": identifier, "mimetype": mime, "permalink": permalink}


async def permalink(session: Session, channel: str, ts: str, *, base: str) -> str | None:
    """https://docs.slack.dev/reference/methods/chat.getPermalink; a post that is out stays out where it fails."""
    query = {"channel": channel, "message_ts": ts}
    sample = {"ok": True, "permalink": f"{base}/archives/{channel}/{{permalink}}"}
    try:
        request = call(session, "chat.getPermalink", base=base, query=query, sample=sample)
        return await asked(session, request, lambda data: str(data["permalink"]))
    except Failure:
        return None


async def messages(
    session: Session, channel: str, *, base: str, thread: str | None = None, **bounds: str
) -> AsyncIterator[tuple[list[Mapping[str, Any]], bool]]:
    """Pages of a channel, or of one thread there: its messages, and whether it is the last page.

    ``bounds`` are ``oldest`` and ``latest`` (inclusive). Each message has a ``ts``.
    """
    method = "conversations.replies" if thread else "conversations.history"
    query = {"channel": channel, "limit": str(PAGE), "inclusive": "true", "include_all_metadata": "true", **bounds}
    query |= {"ts": thread} if thread else {}
    for _page in range(PAGES):
        data = await asked(session, call(session, method, base=base, query=query), _page_of)
        cursor = str((data.get("response_metadata") or {}).get("next_cursor") or "")
        last = not cursor and not data.get("has_more")
        yield list(data["messages"]), last
        if not cursor:
            return
        query["cursor"] = cursor


def _page_of(data: Any) -> Mapping[str, Any]:
    for message in data["messages"]:
        instant(str(message["ts"]))
    return dict(data)


async def message(
    session: Session, channel: str, ts: str, *, base: str, thread: str | None
) -> Mapping[str, Any] | None:
    """One message by its ``ts``, or None where it is gone."""
    try:
        async for page, _last in messages(session, channel, base=base, thread=thread, oldest=ts, latest=ts):
            for one in page:
                if one["ts"] == ts and one.get("subtype") != "tombstone":
                    return one
    except Rejected as error:
        if error.code not in {"thread_not_found", "message_not_found"}:
            raise
    return None


def instant(ts: str) -> datetime:
    """The instant of a ``ts``: seconds since the epoch; what follows the dot only numbers them. Raises ValueError."""
    seconds, _dot, number = ts.partition(".")
    int(number)
    return datetime.fromtimestamp(int(seconds), UTC)


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
