"""What a Mastodon instance says of itself and of who is signed in: discovery, limits, credentials.

Follows docs.joinmastodon.org: methods/instance, methods/accounts#verify_credentials; nodeinfo 2.0.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.stage.mastodon_kinds import CHARACTERS, URL_LENGTH, Kind, kind_of, unknown_token
from campaign_cli.stage.mastodon_shapes import profile_json
from campaign_cli.stage.network import Network, Refusal
from campaign_cli.stage.state import StageAccount

ATTACHMENTS, DESCRIPTION = 4, 1_500
IMAGE_BYTES, IMAGE_PIXELS = 16_777_216, 33_177_600
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm")
VIDEO_BYTES = 99 * 1024 * 1024


class Instance(Network):
    """The part of a Mastodon instance that needs no posts."""

    async def nodeinfo_links(self, request: Request, account: StageAccount) -> Response:
        """GET /.well-known/nodeinfo."""
        relation = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        return JSONResponse({"links": [{"rel": relation, "href": f"{self.base(request, account)}/nodeinfo/2.0"}]})

    async def nodeinfo(self, request: Request, account: StageAccount) -> Response:
        """GET /nodeinfo/2.0: the software."""
        posts = self.state.count_of(account.name)
        return JSONResponse(
            {
                "version": "2.0",
                "software": {"name": kind_of(account).name, "version": kind_of(account).version},
                "protocols": ["activitypub"],
                "services": {"outbound": [], "inbound": []},
                "usage": {"users": {"total": 1, "activeMonth": 1, "activeHalfyear": 1}, "localPosts": posts},
                "openRegistrations": False,
                "metadata": {"nodeName": "Panggung", "nodeDescription": ""},
            }
        )

    async def instance(self, request: Request, account: StageAccount) -> Response:
        """GET /api/v2/instance (and the older /api/v1/instance): version and limits."""
        kind, limit, older = (
            kind_of(account),
            account.text_limit or CHARACTERS,
            request.url.path.endswith("/v1/instance"),
        )
        if not kind.nested:  # as Pleroma was before it had version 2 of this answer
            return self._flat(request, kind, limit=limit, older=older)
        statuses = {
            "max_characters": limit,
            "max_media_attachments": ATTACHMENTS,
            "characters_reserved_per_url": account.url_length or URL_LENGTH,
        }
        media = {
            "description_limit": DESCRIPTION,
            "image_matrix_limit": IMAGE_PIXELS,
            "image_size_limit": IMAGE_BYTES,
            "supported_mime_types": [*IMAGE_TYPES, *VIDEO_TYPES],
            "video_size_limit": VIDEO_BYTES,
        }
        body: dict[str, Any] = {
            "title": "Panggung",
            "version": kind.version,
            "source_url": f"https://{kind.name}.example/source",
            "description": "",
            "languages": ["id"],
            "configuration": {"statuses": statuses, "media_attachments": media},
            "rules": [],
        }
        if older:
            return JSONResponse(body | {"uri": request.url.netloc, "max_toot_chars": limit})
        return JSONResponse(body | {"domain": request.url.netloc, "api_versions": {"mastodon": 11}})

    def _flat(self, request: Request, kind: Kind, *, limit: int, older: bool) -> Response:
        """Limits beside everything else, in version 1 alone."""
        if not older:
            raise Refusal(404, {"error": "Not implemented"})
        limits = {"max_toot_chars": limit, "upload_limit": IMAGE_BYTES, "description_limit": DESCRIPTION}
        version = f"2.7.2 (compatible; Pleroma {kind.version})"
        return JSONResponse({"title": "Panggung", "uri": request.url.netloc, "version": version} | limits)

    async def verify_credentials(self, request: Request, account: StageAccount) -> Response:
        """GET /api/v1/accounts/verify_credentials."""
        signed_in(request, account)
        source = {"privacy": "public", "sensitive": False, "language": None, "note": "", "fields": []}
        role = {"id": "-99", "name": "", "permissions": "65536", "color": "", "highlighted": False}
        return JSONResponse(self.profile(request, account) | {"source": source, "role": role})

    def profile(self, request: Request, account: StageAccount) -> dict[str, Any]:
        """The account as others see it."""
        posts = self.state.count_of(account.name)
        return profile_json(account, self.base(request, account), posts=posts)


def token_of(request: Request) -> str:
    """The bearer token, or an empty text."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def signed_in(request: Request, account: StageAccount) -> None:
    """Raise Refusal (401) unless the account's own token came along."""
    token = token_of(request)
    if not token:
        raise Refusal(401, {"error": "This method requires an authenticated user"})
    if token != account.secret:
        raise unknown_token(kind_of(account))
