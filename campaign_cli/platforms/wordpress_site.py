"""One WordPress site: how its REST API is reached, who we are there, and what its refusals mean.

https://developer.wordpress.org/rest-api/
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from json import loads
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress, compared
from campaign_cli.platforms.answers import NOT_TAKEN, ask, explain
from campaign_cli.platforms.base import Answer, Request, Session

NO_API: Final = "no_rest_api"
_ROOT: Final = "wordpress.root"  # in Session.memory: how the API of this site is reached
_REFUSED_FOR_GOOD: Final = frozenset({"rest_upload_sideload_error", "rest_trash_not_supported"})  # though they are 5xx


def _site_root(url: str) -> str:
    """People copy the address of the page that they see: the dashboard's, or the API's."""
    return re.sub(r"/(?:wp-json|wp-admin|wp-login\.php)(?:/.*)?$", "", url)


SiteAddress = Annotated[WebAddress, AfterValidator(_site_root)]


class Settings(base.Settings):
    """A site and a user of it, with an application password (Users → Profile → Application Passwords)."""

    url: SiteAddress
    username: str
    password: str


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def address_of(account: Account) -> str:
    """The same for every spelling of one site, whoever writes there: its posts have one numbering."""
    return compared(settings_of(account).url)


def request(  # noqa: PLR0913 - the parts of a request, all by name
    session: Session,
    method: str,
    route: str,
    *,
    query: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    creating: bool = False,
    sample: Any = None,
    errors: Callable[[Answer], Exception | None] | None = None,
    accept: Sequence[int] = (200, 201),
) -> Request:
    """A request to ``/wp-json/ROUTE``, or to ``/?rest_route=/ROUTE`` where the site has plain permalinks."""
    settings = settings_of(session.account)
    plain = session.memory.get(_ROOT) == "plain"
    named = {"rest_route": f"/{route}"} if plain else {}
    words = f"{settings.username}:{session.secret('password')}".encode()
    return Request(
        method=method,
        url=f"{settings.url}/" if plain else f"{settings.url}/wp-json/{route}",
        query=named | dict(query or {}),
        json=json,
        content=content,
        headers={"Authorization": "Basic " + base64.b64encode(words).decode(), **(headers or {})},
        creating=creating,
        sample=sample,
        errors=errors or refusal,
        accept=accept,
    )


async def sign_in(session: Session) -> Mapping[str, Any]:
    """Who we are on the site, asked once per process: a wrong password is only told by ``users/me``.

    Raises Unauthorized, Rejected (no REST API there), Unavailable.
    https://developer.wordpress.org/rest-api/reference/users/#retrieve-a-user-2
    """
    known: Mapping[str, Any] | None = session.memory.get("wordpress.me")
    if known is None:
        try:
            known = await _me(session)
        except Rejected as error:
            if error.code != NO_API or _ROOT in session.memory:
                raise
            session.memory[_ROOT] = "plain"
            try:
                known = await _me(session)
            except Rejected:
                del session.memory[_ROOT]
                raise error from None
        session.memory["wordpress.me"] = known
        session.memory.setdefault(_ROOT, "pretty")
    return known


async def _me(session: Session) -> Mapping[str, Any]:
    query = {"context": "edit", "_fields": "id,name,slug,link,roles,capabilities"}
    sample = {"id": "{user_id}", "name": "{user}", "capabilities": {"publish_posts": True, "upload_files": True}}
    wanted = request(session, "GET", "wp/v2/users/me", query=query, sample=sample, errors=_page_or_refusal)
    return await ask(session.http, wanted, lambda data: {"id": data["id"], **data})


def _page_or_refusal(answer: Answer) -> Exception | None:
    """Like ``refusal``; and a page where JSON was due means that the REST API is not at this address."""
    if answer.status in {200, 404} and parsed(answer) is None:
        return Rejected(
            _("There is no WordPress REST API at this address."),
            status=answer.status,
            code=NO_API,
            fix=_("Check the url in accounts.yaml, and that no security plugin or firewall closes /wp-json."),
        )
    return refusal(answer)


def refusal(answer: Answer) -> Exception | None:
    """WordPress's own table for ``Request.errors``: ``{code, message}``, or the page of a firewall before it."""
    status = answer.status
    data = parsed(answer)
    code = str(data.get("code", "")) if isinstance(data, dict) else ""
    if status < 400 or status in NOT_TAKEN or (status >= 500 and code not in _REFUSED_FOR_GOOD):
        return None
    message = _("WordPress refused it: {text}").format(text=explain(answer) or status)
    if status == 401:
        return Unauthorized(message, status=status, code=code, fix=_password_fix())
    if code == "rest_upload_sideload_error" and "/uploads" in explain(answer):
        # Two uploads that make the month's folder at once, a full disk: not the file's fault, in whatever language.
        fix = _("If it goes on: let the site write to wp-content/uploads, and make room on its disk.")
        return Unavailable(message, status=status, code=code, fix=fix)
    return Rejected(message, status=status, code=code, fix=_fix(status, code))


def parsed(answer: Answer) -> Any:
    """The JSON body, or None."""
    try:
        return loads(answer.text)
    except (ValueError, RecursionError):
        return None


def _password_fix() -> str:
    return _(
        "Make an application password for this user (Users → Profile → Application Passwords) and put it where the "
        "account's password reference points. If it is right, the server may be dropping the Authorization header."
    )


def _fix(status: int, code: str) -> str:
    """What a person can do about a refusal, where we know."""
    if status == 413 or code == "rest_upload_file_too_big":
        return _("The file is larger than the site takes: make it smaller, or raise the site's upload limit.")
    if code == "rest_upload_sideload_error":
        return _("The site does not take this kind of file: use another image format, or allow it on the site.")
    if code in {"rest_post_invalid_id", "rest_already_trashed"}:
        return _("The post was deleted on the site.")
    if status == 403 and code:
        return _("Give this user a role that may do it: Author to publish, Editor to add categories.")
    if status == 403:
        return _("A firewall or security plugin before the site refused it: let it allow /wp-json for this user.")
    return ""
