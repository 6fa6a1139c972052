"""Making one WordPress post: its pictures, categories and tags, the draft, and the step that publishes it.

https://developer.wordpress.org/rest-api/reference/posts/ and ../media/, ../categories/, ../tags/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape, unescape
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Rejected
from campaign_cli.models import Picture
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Answer, Sending, Session
from campaign_cli.platforms.markup import figure, film, slug_of, title_and_body, to_html
from campaign_cli.platforms.wordpress_site import parsed, refusal, request

GONE: Final = frozenset({"rest_post_invalid_id", "rest_already_trashed"})
_STATUSES: Final = "publish,future,draft,pending,private"
_FIELDS: Final = "id,slug,status,link,date_gmt,title,content,featured_media"
_EXTENSIONS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """A draft as a WordPress post: plain title, Markdown body, slug ('' lets the site make one)."""

    title: str
    body: str
    slug: str


def article_of(sending: Sending) -> Article:
    """Title and slug as the plan gives them, else from the text."""
    native = sending.draft.native
    title, body = str(native.get("title") or ""), sending.content.text.strip()
    if not title:
        title, body = title_and_body(body)
    return Article(title=title, body=body, slug=str(native.get("slug") or "") or slug_of(title))


def own_slug(sending: Sending) -> str:
    """The slug that the draft has until it is published: no other attempt, and nobody's post, has it."""
    return f"campaign-{sending.key}"


async def find_post(session: Session, post_id: object) -> Mapping[str, Any] | None:
    """The post with this id whatever its status, or None where it is gone."""
    query = {"context": "edit", "_fields": _FIELDS}
    sample = {"id": post_id, "status": "publish", "link": "{link}", "featured_media": 0}
    wanted = request(session, "GET", f"wp/v2/posts/{post_id}", query=query, sample=sample)
    try:
        return await ask(session.http, wanted, _read_post)
    except Rejected as error:
        if error.code in GONE:
            return None
        raise


async def by_slugs(session: Session, *slugs: str) -> list[Mapping[str, Any]]:
    """The posts with one of these slugs, drafts too; oldest first, because a draft made twice is taken up once."""
    query = {"slug": ",".join(slugs), "status": _STATUSES, "context": "edit", "_fields": _FIELDS}
    query |= {"orderby": "id", "order": "asc"}
    wanted = request(session, "GET", "wp/v2/posts", query=query, sample=[])
    return await ask(session.http, wanted, lambda data: [_read_post(item) for item in data])


async def create_draft(sending: Sending) -> object:
    """The id of a new draft with the whole content. Nothing of it is public yet."""
    article = article_of(sending)
    uploaded = [await _uploaded(sending, index) for index in range(len(sending.content.media))]
    body = {
        "status": "draft",
        "slug": own_slug(sending),
        "title": _shown(article.title),
        "content": _content(article, sending, uploaded),
        "excerpt": _shown(str(sending.draft.native.get("excerpt") or "")),
        "featured_media": (_featured(sending, uploaded) or {"id": 0})["id"],
        "categories": await _terms(sending, "categories"),
        "tags": await _terms(sending, "tags"),
    }
    body = {name: value for name, value in body.items() if value}
    wanted = request(sending, "POST", "wp/v2/posts", json=body, sample={"id": "{post_id}"})
    post_id: object = await ask(sending.http, wanted, lambda data: data["id"])
    return post_id


async def publish_draft(sending: Sending, post_id: object) -> Mapping[str, Any]:
    """Make the draft public under its real slug; the same request again changes nothing."""
    body = {"status": "publish", "slug": article_of(sending).slug}
    wanted = request(
        sending,
        "POST",
        f"wp/v2/posts/{post_id}",
        json=body,
        query={"_fields": "id,slug,status,link,date_gmt"},
        creating=True,
        sample={"id": post_id, "status": "publish", "link": "{link}"},
    )
    return await ask(sending.http, wanted, _read_post)


def _read_post(data: Any) -> Mapping[str, Any]:
    """Raises KeyError where the answer is no post."""
    return {"id": data["id"], "status": data["status"], **data}


def _shown(words: str) -> str:
    """Plain words for a field that WordPress reads as HTML."""
    return escape(words.strip(), quote=False).replace("&amp;", "&")


def _content(article: Article, sending: Sending, uploaded: list[dict[str, Any]]) -> str:
    """The body, the videos and the pictures beside the featured one, and the link on a line of its own."""
    blocks = [to_html(article.body)]
    featured = _featured(sending, uploaded)
    for item, picture in zip(uploaded, sending.content.media, strict=True):
        if picture.is_video:
            blocks.append(film(item["url"], picture.alt))
        elif item is not featured:
            blocks.append(figure(item["url"], picture.alt, media_id=item["id"]))
    if sending.draft.link:
        parts = urlsplit(sending.draft.link)
        label = f"{parts.netloc}{parts.path}".rstrip("/")  # a reader needs no utm_source
        blocks.append(f'<p><a href="{escape(sending.draft.link)}">{escape(label)}</a></p>')
    return "\n\n".join(block for block in blocks if block)


def _featured(sending: Sending, uploaded: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first of the media, where it is a picture: a video can't stand above a post."""
    return uploaded[0] if uploaded and not sending.content.media[0].is_video else None


async def _uploaded(sending: Sending, index: int) -> dict[str, Any]:
    """The picture in the media library (``id``, ``url``) with its alt text; this attempt's upload is used again.

    https://developer.wordpress.org/rest-api/reference/media/#create-a-media-item
    """
    step = f"media.{index}"
    if step in sending.steps:
        kept: dict[str, Any] = sending.steps[step]
        return kept
    picture = sending.content.media[index]
    name = _file_name(sending, picture, index)
    media = await _media_by_slug(sending, name.rpartition(".")[0])
    if media is None:
        sending.uploaded(0, picture.size)
        media = await _upload(sending, picture, await sending.load(picture), name=name)
        sending.uploaded(picture.size, picture.size)
    alt = request(
        sending,
        "POST",
        f"wp/v2/media/{media['id']}",
        json={"alt_text": _shown(picture.alt)},
        sample={"id": media["id"]},
    )
    await ask(sending.http, alt, lambda data: data["id"])  # a page instead of the file's data has set no alt text
    await sending.keep(step, media)
    return media


def _file_name(sending: Sending, picture: Picture, index: int) -> str:
    """A name that only this attempt gives this picture, so that its upload can be found again."""
    mark = sha256(f"{sending.key}\n{index}\n{picture.sha256}".encode()).hexdigest()[:10]
    stem = slug_of(picture.name.rpartition(".")[0]) or "gambar"
    return f"{stem}-{mark}.{_EXTENSIONS.get(picture.mime, 'jpg')}"


async def _media_by_slug(session: Session, slug: str) -> dict[str, Any] | None:
    query = {"slug": slug, "_fields": "id,source_url"}
    wanted = request(session, "GET", "wp/v2/media", query=query, sample=[])
    found = await ask(
        session.http, wanted, lambda data: [{"id": item["id"], "url": item["source_url"]} for item in data]
    )
    return found[0] if found else None


async def _upload(session: Session, picture: Picture, content: bytes, *, name: str) -> dict[str, Any]:
    wanted = request(
        session,
        "POST",
        "wp/v2/media",
        query={"_fields": "id,source_url"},
        content=content,
        headers={"Content-Type": picture.mime, "Content-Disposition": f'attachment; filename="{name}"'},
        sample={"id": f"{{media_id:{name}}}", "source_url": f"{{media_url:{name}}}"},
    )
    return await ask(session.http, wanted, lambda data: {"id": data["id"], "url": data["source_url"]})


async def hosted(session: Session, picture: Picture, content: bytes) -> str:
    """The address of a file that the media library holds for other networks.

    Its name comes from its content, so that one upload does for all, and what an earlier process uploaded is found.
    """
    stem = f"media-{picture.sha256[:40]}"
    media = await _media_by_slug(session, stem)
    if media is None:
        name = f"{stem}.{_EXTENSIONS.get(picture.mime, 'jpg')}"
        media = await _upload(session, picture, content, name=name)
    return str(media["url"])


async def _terms(sending: Sending, taxonomy: str) -> list[object]:
    """The ids of the categories or tags that the plan names; one that the site lacks is added."""
    native = sending.draft.native.get(taxonomy) or ()
    names = [native] if isinstance(native, str) else native
    wanted = dict.fromkeys(str(name).strip().lstrip("#") for name in names)
    return [await _term(sending, taxonomy, name) for name in wanted if name]


async def _term(session: Session, taxonomy: str, name: str) -> object:
    """https://developer.wordpress.org/rest-api/reference/tags/#create-a-tag"""
    known: dict[tuple[str, str], object] = session.memory.setdefault("wordpress.terms", {})
    key = (taxonomy, name.casefold())
    if key not in known:
        found = await _known_term(session, taxonomy, name)
        known[key] = await _new_term(session, taxonomy, name) if found is None else found
    return known[key]


async def _known_term(session: Session, taxonomy: str, name: str) -> object | None:
    query = {"search": name, "per_page": "100", "_fields": "id,name"}
    sample = [{"id": f"{{{taxonomy}:{name}}}", "name": name}]
    wanted = request(session, "GET", f"wp/v2/{taxonomy}", query=query, sample=sample)
    terms = await ask(session.http, wanted, lambda data: [(item["id"], unescape(item["name"])) for item in data])
    return next((term for term, called in terms if called.casefold() == name.casefold()), None)


async def _new_term(session: Session, taxonomy: str, name: str) -> object:
    """Another sender may have added it meanwhile: WordPress then names its id."""
    wanted = request(
        session,
        "POST",
        f"wp/v2/{taxonomy}",
        json={"name": name},
        sample={"id": f"{{{taxonomy}:{name}}}"},
        errors=lambda answer: None if _existing(answer) else refusal(answer),
        accept=(200, 201, 400),
    )
    answer = await session.http.send(wanted)
    term: object = _existing(answer) or answer.json()["id"]
    return term


def _existing(answer: Answer) -> object | None:
    """The id in a ``term_exists``."""
    data = parsed(answer)
    found = isinstance(data, dict) and data.get("code") == "term_exists"
    return data.get("data", {}).get("term_id") if found else None
