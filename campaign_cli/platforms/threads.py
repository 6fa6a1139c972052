"""Threads. https://developers.facebook.com/docs/threads/posts

There is no key against doubles, but a container can be published only once, and says whether it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Draft, Picture, Receipt
from campaign_cli.platforms import base, graph_answers
from campaign_cli.platforms import threads_api as api
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Limits,
    LookUp,
    OAuth,
    Platform,
    Proof,
    RemotePost,
    Sending,
    Session,
    Use,
)
from campaign_cli.platforms.container_posts import by_address, read, same_post, search
from campaign_cli.platforms.containers import Containers
from campaign_cli.platforms.graph import TokenFacts, same_words
from campaign_cli.platforms.threads_api import Settings, settings_of
from campaign_cli.platforms.threads_text import links, threads_length

LINKS: Final = 5
POSTS_A_DAY: Final = Decimal(250)
REPLIES_A_DAY: Final = Decimal(1000)
_TOPIC: Final = re.compile(r"[^.&]{1,50}")
_POST: Final = re.compile(r"/@[\w.]+/post/(?P<code>[\w-]+)/?$", re.ASCII)
_SITES: Final = ("threads.net", "www.threads.net", "threads.com", "www.threads.com")
_PUBLISHING: Final = frozenset({"threads_basic", "threads_content_publish"})
_FURTHER: Final = ("threads_delete", "threads_manage_insights", "threads_manage_replies", "threads_read_replies")


class Threads(Platform):
    """One post for each part; a thread is a chain of replies. ``tags`` is the topic, of which there is one."""

    name = "threads"
    title = "Threads"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets = ("token",)
    fields = frozenset({"tags"})
    link_in = "embed"
    limits = Limits(
        text=500,
        unit="characters (emoji by bytes)",
        images=20,
        image_bytes=8_000_000,
        image_types=("image/jpeg", "image/png"),
        image_ratio=(0.1, 10.0),
        alt=1000,
        videos=20,
        video_bytes=1_000_000_000,
        video_seconds=300.0,
        video_types=("video/mp4", "video/quicktime"),
        mixed=True,
    )
    help = {
        "token": N_(
            "Log in, or take a token from developers.facebook.com (Access the Threads API → user token generator)."
        ),
        "handle": N_("The account's name, like @union. A token of somebody else's account is then refused."),
    }
    metrics = api.METRICS
    proof = Proof(
        look_up=True,
        found_by="its words, its kind, what it answers and when it was made; its container says whether it was "
        "published",
        verified_by="documentation",
    )
    oauth = OAuth(
        authorize="https://threads.com/oauth/authorize",
        token="https://graph.threads.net/oauth/access_token",  # noqa: S106 - an address
        scopes=(*sorted(_PUBLISHING), *_FURTHER),
        separator=",",
        pkce=False,
        renewal="exchange",
        exchange=(
            (
                "https://graph.threads.net/access_token",
                {"grant_type": "th_exchange_token", "client_secret": "{client_secret}", "access_token": "{token}"},
            ),
            (
                "https://graph.threads.net/refresh_access_token",
                {"grant_type": "th_refresh_token", "access_token": "{token}"},
            ),
        ),
        loopback="",  # Meta takes https alone
        lifetime=timedelta(days=60),
        help="https://developers.facebook.com/docs/threads/get-started/get-access-tokens-and-permissions",
    )
    fetches_media = True
    unconfirmed = (
        "nothing was ever sent to Threads itself; Meta publishes no machine-readable specification of it, so the "
        "names of parameters are those of its pages",
        "the codes of Threads' own errors: but for a container that is not found, what is not an error of the whole "
        "Graph API is a refusal",
        "the token in the Authorization header, where the pages show it as a parameter",
        "at most 20 pictures and videos in a carousel: from other programs",
        "what Threads answers when a container is published twice",
    )

    max_wait = 60.0  # Threads may fetch a picture before it answers

    def address(self, account: Account) -> str:
        """The API and whose profile it is: its name, else the token's reference."""
        settings = settings_of(account)
        return f"{compared(settings.url)}/{'@' + settings.handle.lower() if settings.handle else settings.token}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Characters, with emoji by their bytes, and different links."""
        return (
            Count(used=threads_length(text), limit=limits.text, unit=limits.unit),
            Count(used=links(text), limit=LINKS, unit="links"),
        )

    async def publish(self, sending: Sending) -> Receipt:
        """Make the containers that are missing, wait until they are finished, and publish.

        https://developers.facebook.com/docs/threads/posts
        """
        flow = await api.containers(sending)
        common = _common(sending)

        async def make() -> str:
            form = await _content(sending, flow)
            return str((await flow.made(sending, form | common, sample="container_id"))["id"])

        return await flow.post(sending, make)

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """Own posts since then, or own replies for a later part, with these words and of this kind.

        https://developers.facebook.com/docs/threads/retrieve-and-discover-posts/retrieve-posts
        """
        fields = "id,media_type,permalink,text,timestamp" + (",replied_to" if sending.part else "")
        return await search(
            await api.containers(sending),
            sending,
            "replies" if sending.part else "threads",
            fields=fields,
            since=since,
            ours=lambda row: _is_ours(sending, row),
        )

    def uses(self, draft: Draft) -> tuple[Use, ...]:
        """One of the posts of a day, and a reply for each further part."""
        day = timedelta(days=1)
        post = Use(what="posts", amount=Decimal(1), limit=POSTS_A_DAY, period=day)
        replies = len(draft.parts) - 1
        if not replies:
            return (post,)
        return post, Use(what="replies", amount=Decimal(replies), limit=REPLIES_A_DAY, period=day)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post as its owner sees it, with what Threads counts where the token may be told."""
        found = await read(api.graph_of(session), session, receipt, fields="", words="text", counted={})
        return None if found is None else replace(found, metrics=await api.metrics(session, receipt.id))

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A post of this profile by ``threads.net/@NAME/post/CODE``, among its newest thousand posts and replies."""
        same = same_post(url, _POST, sites=_SITES)
        if same is None:
            return None
        flow = await api.containers(session)
        found = await by_address(flow, session, "threads", same=same)
        return found or await by_address(flow, session, "replies", same=same)

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete the post; one that is gone already is fine. Threads takes 100 deletions a day.

        https://developers.facebook.com/docs/threads/posts/delete-posts
        """
        try:
            await session.http.send(api.graph_of(session).call(session, "DELETE", f"/{receipt.id}"))
        except Rejected as failure:
            if failure.code not in graph_answers.GONE:
                raise

    async def check(self, session: Session) -> AccountCheck:
        """Whose token it is, what it may do, and how many of the day's posts are used."""
        identifier, name = await api.me(session)
        facts = await api.facts(session)
        used, total = await (await api.containers(session)).quota(session)
        notes = [
            _("{used} of {total} posts of the last 24 hours are used.").format(used=used, total=total),
            _("Pictures and videos need media_host: Threads fetches them from a public address."),
            *_missing(facts),
        ]
        return AccountCheck(
            identity=identifier,
            handle=f"@{name}",
            url=f"https://www.threads.net/@{name}",
            software="Threads API v1.0",
            notes=tuple(notes),
            scopes=facts.scopes if facts else (),
            expires=facts.expires if facts else None,
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """What the usage headers ask for."""
        return graph_answers.pause_until(headers, now)


platform = Threads()


def _common(sending: Sending) -> dict[str, str]:
    """What a container says beside its media. Raises Rejected for a topic that Threads doesn't take."""
    content = sending.content
    form = {"text": content.text} if content.text else {}
    if sending.part:
        return form | {"reply_to_id": sending.earlier[-1].id}
    if sending.draft.link and not content.media:
        form["link_attachment"] = sending.draft.link
    topics = list(sending.draft.native.get("tags") or ())
    if topics and not _TOPIC.fullmatch(str(topics[0])):
        raise Rejected(
            _("Threads does not take “{topic}” as a topic.").format(topic=topics[0]),
            fix=_("A topic has from 1 to 50 characters, without . and &."),
        )
    return form | ({"topic_tag": str(topics[0])} if topics else {})


async def _content(sending: Sending, flow: Containers) -> dict[str, str]:
    """The kind of post and its media; the items of a carousel are made and finished before."""
    media = sending.content.media
    if not media:
        return {"media_type": "TEXT"}
    if len(media) == 1:
        return await _medium(sending, media[0])

    async def make(index: int, medium: Picture) -> str:
        form = {**await _medium(sending, medium), "is_carousel_item": "true"}
        return str((await flow.made(sending, form, sample=f"item{index}_id"))["id"])

    children = await flow.items(sending, [partial(make, index, medium) for index, medium in enumerate(media)])
    return {"media_type": "CAROUSEL", "children": ",".join(children)}


async def _medium(sending: Sending, medium: Picture) -> dict[str, str]:
    """A picture or a video with its alt text."""
    address = await sending.public_url(medium)
    form = (
        {"media_type": "VIDEO", "video_url": address}
        if medium.is_video
        else {"media_type": "IMAGE", "image_url": address}
    )
    return form | ({"alt_text": medium.alt} if medium.alt else {})


def _is_ours(sending: Sending, row: Mapping[str, Any]) -> bool:
    """Whether words, kind and place in the thread are this part's."""
    media = sending.content.media
    kind = "TEXT_POST" if not media else "CAROUSEL_ALBUM" if len(media) > 1 else "IMAGE"
    kind = "VIDEO" if len(media) == 1 and media[0].is_video else kind
    parent = (row.get("replied_to") or {}).get("id")
    if sending.part and parent is not None and str(parent) != sending.earlier[-1].id:
        return False
    return row.get("media_type") == kind and same_words(sending.content.text, row.get("text"))


def _missing(facts: TokenFacts | None) -> list[str]:
    """What the token lacks, as notes. Raises Rejected where it may not publish."""
    if facts is None:
        return [_("Threads tells only the app's testers what a token may do and until when; it lives 60 days.")]
    lacking = sorted(_PUBLISHING - set(facts.scopes))
    if lacking:
        raise Rejected(
            _("The token lacks {scopes}.").format(scopes=", ".join(lacking)),
            fix=_("Sign in again and tick every permission: campaign accounts login"),
        )
    further = [scope for scope in _FURTHER if scope not in facts.scopes]
    words = _("The token lacks {scopes}: without them threads, deletions or figures may be refused.")
    return [words.format(scopes=", ".join(further))] if further else []
