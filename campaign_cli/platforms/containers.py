"""Publishing in containers, as Instagram and Threads do it: make one, wait until it is finished, publish it.

A container is unseen until it is published; it is published at most once, and ends 24 hours after it was made. Its
number is kept before anything follows, and its own status says what became of it: so a restart goes on with the same
container, and a lost answer to the publishing request is settled without guessing.

https://developers.facebook.com/docs/instagram-platform/content-publishing · /docs/threads/troubleshooting
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from re import Pattern
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Failure, Rejected, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.models import Picture, Receipt
from campaign_cli.platforms.answers import ask, unreadable
from campaign_cli.platforms.base import Found, LookUp, Request, Sending, Session
from campaign_cli.platforms.graph import Graph, instant
from campaign_cli.platforms.graph_answers import GONE, Table

WHOLE: Final = "container"  # the step that holds the container of the whole part; ``item0`` … those of a carousel
PUBLISHED: Final = "PUBLISHED"
_WAITS: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0)
"""Seconds between two looks at a container. Together less than a lease: what takes longer goes on at the next try."""
_FILM_WAITS: Final = (*_WAITS, 30.0, 60.0, 60.0, 60.0)
"""The same for a part with a video, whose lease is kept meanwhile: Meta advises to look for five minutes at most."""
_PAGE: Final = "50"  # posts of one page of a look-up


@dataclass(frozen=True, kw_only=True, slots=True)
class Containers:
    """How one network makes containers.

    ``account`` is the account's path (``/me``, ``/NUMBER``); ``create`` and ``publish`` are its edges, ``status`` and
    ``reason`` the fields that say how a container is and why it failed, which ``failed`` reads. ``publishing`` is the
    error table of the publishing request; after a failure with a code in ``spent`` the container is of no use.
    """

    graph: Graph
    account: str
    create: str
    publish: str
    status: str
    reason: str
    failed: Callable[[str], Failure]
    publishing: Table | None = None
    spent: frozenset[str] = frozenset()

    async def ready(
        self, sending: Sending, step: str, make: Callable[[], Awaitable[str]], *, others: tuple[str, ...] = ()
    ) -> str:
        """The number of the finished container of a step: the kept one, else the one that ``make`` makes.

        Raises Unconfirmed where it has been published already, Unavailable while it is not finished, and what
        ``failed`` says where the network can't use its content; then it and the steps ``others`` are forgotten.
        """
        kept = str(sending.steps.get(step) or "")
        status, reason = await self.status_of(sending, kept) if kept else ("EXPIRED", "")
        if status == "EXPIRED":
            kept = await make()
            await sending.keep(step, kept)
            status, reason = await self.status_of(sending, kept)
        for seconds in _FILM_WAITS if any(one.is_video for one in sending.content.media) else _WAITS:
            if status != "IN_PROGRESS":
                break
            await sending.sleep(seconds)
            status, reason = await self.status_of(sending, kept)
        if status == "FINISHED":
            return kept
        if status == PUBLISHED:
            raise Unconfirmed(_("{title} says that this has been published already.").format(title=self.graph.title))
        if status == "IN_PROGRESS":
            message = _("{title} is still working on it. It is tried again later.").format(title=self.graph.title)
            raise Unavailable(message)
        await self.forget(sending, step, *others)
        raise self.failed(reason)

    async def items(self, sending: Sending, makers: Sequence[Callable[[], Awaitable[str]]]) -> list[str]:
        """The finished items of a carousel: all are made first, so that Meta works on them at once."""
        steps = [f"item{index}" for index in range(len(makers))]
        for step, make in zip(steps, makers, strict=True):
            if not sending.steps.get(step):
                await sending.keep(step, await make())
        return [
            await self.ready(sending, step, make, others=(upload_of(step),))
            for step, make in zip(steps, makers, strict=True)
        ]

    async def forget(self, sending: Sending, *steps: str) -> None:
        """Let the next try make these containers anew."""
        for step in steps:
            if sending.steps.get(step) is not None:
                await sending.keep(step, None)

    async def status_of(self, session: Session, container: str) -> tuple[str, str]:
        """IN_PROGRESS, FINISHED, PUBLISHED, ERROR or EXPIRED (also where there is no such container), and why."""
        request = self.graph.call(
            session,
            "GET",
            f"/{container}",
            query={"fields": f"{self.status},{self.reason}"},
            sample={"id": container, self.status: "FINISHED"},
        )
        try:
            return await ask(
                session.http, request, lambda body: (str(body[self.status]), str(body.get(self.reason) or ""))
            )
        except Rejected as failure:
            if failure.code in GONE:
                return "EXPIRED", ""
            raise

    async def made(self, sending: Sending, form: Mapping[str, str], *, sample: str) -> dict[str, Any]:
        """The answer to a new container; its ``id`` is a text. Nothing is public by it."""
        request = self.graph.call(
            sending, "POST", f"{self.account}/{self.create}", form=form, sample={"id": f"{{{sample}}}"}
        )
        return await ask(sending.http, request, lambda body: {**body, "id": str(body["id"])})

    async def published(self, sending: Sending, container: str, *, others: tuple[str, ...] = ()) -> str:
        """The number of the post that the container has become."""
        graph = self.graph if self.publishing is None else replace(self.graph, own=self.publishing)
        request = graph.call(
            sending,
            "POST",
            f"{self.account}/{self.publish}",
            form={"creation_id": container},
            creating=True,
            sample={"id": f"{{post_id_{sending.part + 1}}}"},
        )
        try:
            return await ask(sending.http, request, lambda body: str(body["id"]))
        except (Rejected, Unavailable) as failure:
            if failure.code.rpartition("/")[2] in self.spent:
                await self.forget(sending, WHOLE, *others)
            raise

    async def permalink(self, session: Session, identifier: str) -> str | None:
        """The address of a post; None where it can't be had: it is out all the same."""
        sample = {"id": identifier, "permalink": f"{{permalink_of_{identifier.strip('{}')}}}"}
        try:
            node = await self.graph.node(session, f"/{identifier}", fields="permalink", sample=sample)
        except Failure:
            return None
        return str(node["permalink"]) if node.get("permalink") else None

    async def search(
        self,
        sending: Sending,
        edge: str,
        *,
        fields: str,
        since: datetime,
        ours: Callable[[Mapping[str, Any]], bool],
    ) -> LookUp:
        """Own posts of a list since then, those that are ``ours``.

        While the container says that it has been published and no post is found, the search is not complete.
        """
        found: list[Found] = []
        complete = False
        query = {"fields": fields, "limit": _PAGE}
        async for rows, last in self.graph.listed(sending, f"{self.account}/{edge}", query=query):
            times = [self._made_at(row) for row in rows]
            for row, at in zip(rows, times, strict=True):
                if at >= since and ours(row):
                    receipt = Receipt(part=sending.part, id=row["id"], url=row.get("permalink"), at=at)
                    found.append(Found(receipt=receipt, created_at=at))
            # one row that is older proves nothing: lists may begin with what is pinned
            complete = last or (bool(times) and max(times) < since)
            if complete:
                break
        container = str(sending.steps.get(WHOLE) or "")
        if not found and complete and container:
            complete = (await self.status_of(sending, container))[0] != PUBLISHED
        return LookUp(found=tuple(found), complete=complete)

    async def by_address(self, session: Session, edge: str, *, same: Callable[[str], bool]) -> Receipt | None:
        """The own post of a list whose permalink is the ``same``, as a receipt of part 0."""
        query = {"fields": "id,permalink,timestamp", "limit": _PAGE}
        async for rows, _last in self.graph.listed(session, f"{self.account}/{edge}", query=query):
            for row in rows:
                if same(str(row.get("permalink") or "")):
                    return Receipt(part=0, id=row["id"], url=row["permalink"], at=self._made_at(row))
        return None

    def _made_at(self, row: Mapping[str, Any]) -> datetime:
        """When a post was published. Raises Unavailable for a list that can't be read."""
        try:
            return instant(row["timestamp"])
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable(Request(method="GET", url=self.graph.base)) from error


def steps_of(media: Sequence[Picture]) -> tuple[str, ...]:
    """Every step beside the whole that a part with this media may have kept."""
    steps = tuple(f"item{index}" for index in range(len(media)))
    return (*steps, *(upload_of(step) for step in (WHOLE, *steps)))


def upload_of(step: str) -> str:
    """The step that holds where the bytes of a container go, where they are sent."""
    return f"{step}.upload"


def same_words(ours: str, theirs: str | None) -> bool:
    """Whether a text that came back is ours; white space makes no difference."""
    return ours.split() == (theirs or "").split()


def same_post(url: str, pattern: Pattern[str], *, sites: Collection[str]) -> Callable[[str], bool] | None:
    """Whether a permalink is the post's that a person's address names; None where it names none.

    ``pattern`` finds the post's ``code`` in a path; addresses on the network's ``sites`` may differ in their host.
    """
    site, code = _named(url.strip(), pattern)
    if not code:
        return None

    def same(permalink: str) -> bool:
        there, other = _named(permalink, pattern)
        return other == code and (there == site or (there in sites and site in sites))

    return same


def _named(url: str, pattern: Pattern[str]) -> tuple[str, str]:
    """Host and code of a post's address; no code where it is none."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        return "", ""
    match = pattern.search(parts.path)
    return parts.netloc.lower(), match["code"] if match else ""
