"""WordPress's media library and its terms: tags and categories. Also who is signed in, and what a role may do.

Follows developer.wordpress.org/rest-api/reference/media, /tags and /categories.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.stage.network import Network, Refusal, fields
from campaign_cli.stage.state import StageAccount, StageMedia, StageState, media_facts
from campaign_cli.stage.wordpress_posts import Term, error, media_json, only_fields, slug_of, term_json

API = "/wp-json/wp/v2"
WRITERS = ("administrator", "editor", "author", "contributor")
PUBLISHERS = ("administrator", "editor", "author")
EDITORS = ("administrator", "editor")
MEDIA_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/quicktime", "video/webm")


class Library(Network):
    """Media and terms of a site."""

    def __init__(self, state: StageState) -> None:
        super().__init__(state)
        self._terms: dict[tuple[str, str], list[Term]] = {}

    def known_terms(self, account: StageAccount, taxonomy: str) -> set[int]:
        """The ids of a site's tags or categories."""
        return {term.id for term in self._terms.get((account.name, taxonomy), [])}

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """POST /media: raw with Content-Disposition, or multipart with ``file`` and ``alt_text``."""
        if not signed_in(request, account) or role_of(account) not in PUBLISHERS:
            status = 403 if signed_in(request, account) else 401
            raise error(status, "rest_cannot_create", "Sorry, you are not allowed to upload media on this site.")
        values: dict[str, Any] = {}
        if request.headers.get("content-type", "").startswith("multipart/"):
            values, files = await fields(request)
            name, _kind, content = files.get("file", ("", "", b""))
        else:
            match = re.search(r'filename="?([^";]+)"?', request.headers.get("content-disposition", ""))
            if match is None:
                raise error(400, "rest_upload_no_content_disposition", "No Content-Disposition supplied.")
            name, content = match[1], await request.body()
        if not content:
            raise error(400, "rest_upload_no_data", "No data supplied.")
        facts = media_facts(content)
        if facts is None or facts.mime not in MEDIA_TYPES:
            raise error(500, "rest_upload_sideload_error", "Sorry, you are not allowed to upload this file type.")
        identity = {"id": str(self.state.count_up(account.name)), "account": account.name, "at": self.state.now()}
        media = StageMedia.of(content, facts, name=name, alt=str(values.get("alt_text") or ""), **identity)
        self.state.add_media(media, content)
        base = self.base(request, account)
        body = media_json(media, base, self.media_url(request, media))
        return self.answer(request, body, status=201, location=f"{base}{API}/media/{media.id}")

    async def library(self, request: Request, account: StageAccount) -> Response:
        """GET /media: the library, newest first; by slug."""
        slugs = request.query_params.get("slug", "")
        own = [media for (owner, _id), media in self.state.media.items() if owner == account.name]
        shown = [media_json(each, self.base(request, account), self.media_url(request, each)) for each in reversed(own)]
        return self.page(request, [each for each in shown if not slugs or each["slug"] in slugs.split(",")])

    async def media(self, request: Request, account: StageAccount) -> Response:
        """One file: read, describe, delete (only with force)."""
        media = self.state.media.get((account.name, str(request.path_params["id"])))
        if media is None:
            raise error(404, "rest_post_invalid_id", "Invalid post ID.")
        body = media_json(media, self.base(request, account), self.media_url(request, media))
        if request.method != "GET":
            must(request, account, WRITERS, code="rest_cannot_edit")
        if request.method == "DELETE":
            if request.query_params.get("force") not in ("true", "1"):
                text = "The post does not support trashing. Set 'force=true' to delete."
                raise error(501, "rest_trash_not_supported", text)
            del self.state.media[account.name, media.id]
            return self.answer(request, {"deleted": True, "previous": body})
        if request.method != "GET":
            values = await values_of(request)
            media.alt = str(values.get("alt_text", media.alt))
            body = media_json(media, self.base(request, account), self.media_url(request, media))
        return self.answer(request, body)

    async def terms(self, request: Request, account: StageAccount) -> Response:
        """/tags and /categories: find by text or slug, add."""
        taxonomy = request.url.path.rpartition("/")[2]
        terms = self._terms.setdefault((account.name, taxonomy), [])
        base = self.base(request, account)
        if request.method == "GET":
            query = request.query_params
            found = [
                term
                for term in terms
                if query.get("search", "").lower() in term.name.lower() and query.get("slug", term.slug) == term.slug
            ]
            return self.page(request, [term_json(term, base) for term in found])
        must(request, account, EDITORS if taxonomy == "categories" else WRITERS, code="rest_cannot_create")
        name = str((await values_of(request)).get("name") or "").strip()
        if not name:
            missing = {"status": 400, "params": ["name"]}
            body = {"code": "rest_missing_callback_param", "message": "Missing parameter(s): name", "data": missing}
            raise Refusal(400, body)
        for term in terms:
            if term.name.lower() == name.lower() or term.slug == slug_of(name):
                text = "A term with the name provided already exists in this taxonomy."
                data = {"status": 400, "term_id": term.id}
                raise Refusal(400, {"code": "term_exists", "message": text, "data": data, "additional_data": [term.id]})
        term = Term(
            id=self.state.count_up(f"terms {account.name}") + 1, name=name, slug=slug_of(name), taxonomy=taxonomy
        )
        terms.append(term)
        return self.answer(request, term_json(term, base), status=201, location=f"{base}{API}/{taxonomy}/{term.id}")

    def page(self, request: Request, items: list[dict[str, Any]]) -> Response:
        """A page of a list, with the totals in headers."""
        size, number = int(request.query_params.get("per_page", "10")), int(request.query_params.get("page", "1"))
        pages = max(1, -(-len(items) // size))
        if number > pages:
            text = "The page number requested is larger than the number of pages available."
            raise error(400, "rest_post_invalid_page_number", text)
        wanted = request.query_params.get("_fields")
        response = JSONResponse([only_fields(each, wanted) for each in items[(number - 1) * size : number * size]])
        response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"] = str(len(items)), str(pages)
        return response

    def answer(self, request: Request, body: dict[str, Any], *, status: int = 200, location: str = "") -> Response:
        """A JSON answer, cut to ``_fields``."""
        headers = {"Location": location} if location else None
        return JSONResponse(only_fields(body, request.query_params.get("_fields")), status, headers)


def role_of(account: StageAccount) -> str:
    """The user's role."""
    return account.role or "editor"


def signed_in(request: Request, account: StageAccount) -> bool:
    """HTTP Basic with user name and application password; spaces in it don't count."""
    scheme, _space, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, _colon, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    right = password.replace(" ", "") == account.secret.replace(" ", "")
    return scheme.lower() == "basic" and user == account.user and right


def must(request: Request, account: StageAccount, roles: tuple[str, ...], *, code: str) -> None:
    """Raise Refusal unless who asks is signed in and has one of these roles."""
    if not signed_in(request, account):
        raise error(401, code, "Sorry, you are not allowed to do that.")
    if role_of(account) not in roles:
        raise error(403, code, "Sorry, you are not allowed to do that as this user.")


async def values_of(request: Request) -> dict[str, Any]:
    """The body's fields. Raises Refusal for what is no JSON."""
    try:
        return (await fields(request))[0]
    except ValueError as problem:
        data = {"status": 400, "json_error_code": 4, "json_error_message": "Syntax error"}
        raise Refusal(
            400, {"code": "rest_invalid_json", "message": "Invalid JSON body passed.", "data": data}
        ) from problem


def invalid(name: str, text: str) -> Refusal:
    """400 rest_invalid_param."""
    data = {"status": 400, "params": {name: text}}
    return Refusal(400, {"code": "rest_invalid_param", "message": f"Invalid parameter(s): {name}", "data": data})
