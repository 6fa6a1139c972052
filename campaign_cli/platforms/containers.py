"""Publishing in containers, as Instagram and Threads do it: make one, wait until it is finished, publish it.

A container is unseen until it is published; it is published at most once, and ends 24 hours after it was made. Its
number is kept before anything follows, and its own status says what became of it: so a restart goes on with the same
container, and a lost answer to the publishing request is settled without guessing.

https://developers.facebook.com/docs/instagram-platform/content-publishing · /docs/threads/troubleshooting
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.models import LASTING, Picture, Receipt
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.answers import instant as iso_instant
from campaign_cli.platforms.base import Sending, Session
from campaign_cli.platforms.graph import Graph
from campaign_cli.platforms.graph_answers import GONE, Table

WHOLE: Final = "container"  # the step that holds the container of the whole part; ``item0`` … those of a carousel
REFUSED: Final = LASTING + WHOLE
"""The step that names the container whose publication was refused last, and when. Meta has refused ("the action is
blocked", "too many calls") and published all the same, so this one must be seen unpublished before another is made; it
outlives ``retry``, by which an officer answers a refusal."""
PUBLISHED: Final = "PUBLISHED"
ABSENT: Final = "ABSENT"  # our own word: Meta shows no such container, which it has also said of some that were there
_NOT_FOUND: Final = frozenset({"2207006", "4279009"})
"""Subcodes for a container that Meta doesn't find; also of one that it has just called finished."""
LIFE: Final = timedelta(hours=25)  # of a container, and an hour: after that, Meta may well know nothing of it
_WAITS: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0)
"""Seconds between two looks at a container. Together less than a lease: what takes longer goes on at the next try."""
_FILM_WAITS: Final = (*_WAITS, 30.0, 60.0, 60.0, 60.0)
"""The same for a part with a video, whose lease is kept meanwhile: Meta advises to look for five minutes at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Containers:
    """How one network makes containers.

    ``account`` is the account's path (``/me``, ``/NUMBER``); ``create``, ``publish`` and ``limit`` are its edges,
    ``status`` and ``reason`` the fields that say how a container is and why it failed, which ``failed`` reads.
    ``publishing`` is the error table of the publishing request; after a failure with a code in ``spent`` the container
    is of no use, after one in ``blocked`` the post may be out all the same.
    """

    graph: Graph
    account: str
    create: str
    publish: str
    limit: str
    status: str
    reason: str
    failed: Callable[[str], Failure]
    publishing: Table | None = None
    spent: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()

    async def post(self, sending: Sending, make: Callable[[], Awaitable[str]]) -> Receipt:
        """Make the containers that are missing, wait until they are finished, and publish the whole."""
        others, before = steps_of(sending.content.media), sending.steps.get(WHOLE)
        container = await self.ready(sending, WHOLE, make, others=others)
        identifier = await self.published(sending, container, others=others, new=container != before)
        url = await self.permalink(sending, identifier)
        return Receipt(part=sending.part, id=identifier, url=url, at=sending.now())

    async def ready(
        self, sending: Sending, step: str, make: Callable[[], Awaitable[str]], *, others: tuple[str, ...] = ()
    ) -> str:
        """The number of the finished container of a step: the kept one, else the one that ``make`` makes.

        Raises Unconfirmed where it has been published already, Unavailable while it is not finished, and what
        ``failed`` says where the network can't use its content; then it and the steps ``others`` are forgotten. A new
        one that Meta doesn't show is taken for finished after a while: publishing it tells.
        """
        if step == WHOLE:
            await self._seen_unpublished(sending)
        kept = str(sending.steps.get(step) or "")
        status, reason = await self.status_of(sending, kept) if kept else ("EXPIRED", "")
        new = status in ("EXPIRED", ABSENT)
        if new:
            kept = await make()
            await sending.keep(step, kept)
            status, reason = await self.status_of(sending, kept)
        for seconds in _FILM_WAITS if any(one.is_video for one in sending.content.media) else _WAITS:
            if status not in ("IN_PROGRESS", ABSENT):
                break
            await sending.sleep(seconds)
            status, reason = await self.status_of(sending, kept)
        if status in ("FINISHED", ABSENT):
            return kept
        if status == PUBLISHED:
            raise self._out_already()
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
        """IN_PROGRESS, FINISHED, PUBLISHED, ERROR, EXPIRED or, where there is no such container, ABSENT; and why."""
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
            if failure.code in GONE or _subcode(failure) in _NOT_FOUND:
                return ABSENT, ""
            raise

    async def made(self, sending: Sending, form: Mapping[str, str], *, sample: str) -> dict[str, Any]:
        """The answer to a new container; its ``id`` is a text. Nothing is public by it."""
        request = self.graph.call(
            sending, "POST", f"{self.account}/{self.create}", form=form, sample={"id": f"{{{sample}}}"}
        )
        return await ask(sending.http, request, lambda body: {**body, "id": str(body["id"])})

    async def published(
        self, sending: Sending, container: str, *, others: tuple[str, ...] = (), new: bool = False
    ) -> str:
        """The number of the post that the container has become; ``new``: it was made in this very try."""
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
            if new and _subcode(failure) in _NOT_FOUND:  # never tried before, so it can't be out: made anew
                await self.forget(sending, WHOLE, *others)
                raise
            raise await self._refused(sending, container, failure, others=others) from failure

    async def _refused(self, sending: Sending, container: str, failure: Failure, *, others: tuple[str, ...]) -> Failure:
        """What a refused publication means: Unconfirmed where the post is out, or may be, all the same."""
        code, earlier = _subcode(failure), sending.steps.get(REFUSED) or {}
        await sending.keep(REFUSED, {"id": container, "at": sending.now().isoformat()})
        if code in self.blocked and earlier.get("id") != container:  # the second time, a look-up lies in between
            return Unconfirmed(failure.message, status=failure.status, code=failure.code, fix=failure.fix)
        if isinstance(failure, Rejected) and await self._is_out(sending, container):
            return self._out_already()
        if code in self.spent:
            await self.forget(sending, WHOLE, *others)
        return failure

    async def _is_out(self, sending: Sending, container: str) -> bool:
        try:
            return (await self.status_of(sending, container))[0] == PUBLISHED
        except Failure:
            return False

    async def _seen_unpublished(self, sending: Sending) -> None:
        """Raise Unconfirmed where the container that was refused last is out, or may be; a look-up then tells."""
        refused = sending.steps.get(REFUSED)
        if not refused:
            return
        status, _why = await self.status_of(sending, refused["id"])
        young = sending.now() - iso_instant(refused["at"]) < LIFE
        if status == PUBLISHED or (status == ABSENT and young):
            await sending.keep(WHOLE, refused["id"])
            await sending.keep(REFUSED, None)  # a person may say that it is not out, and then it is made anew
            raise self._out_already()

    def _out_already(self) -> Unconfirmed:
        return Unconfirmed(_("{title} says that this has been published already.").format(title=self.graph.title))

    async def quota(self, session: Session) -> tuple[int, int]:
        """How many posts the account has published in the last 24 hours, and how many it may."""
        query = {"fields": "quota_usage,config"}
        request = self.graph.call(session, "GET", f"{self.account}/{self.limit}", query=query)
        return await ask(
            session.http,
            request,
            lambda body: (int(body["data"][0]["quota_usage"]), int(body["data"][0]["config"]["quota_total"])),
        )

    async def permalink(self, session: Session, identifier: str) -> str | None:
        """The address of a post; None where it can't be had: it is out all the same."""
        sample = {"id": identifier, "permalink": f"{{permalink_of_{identifier.strip('{}')}}}"}
        try:
            node = await self.graph.node(session, f"/{identifier}", fields="permalink", sample=sample)
        except Failure:
            return None
        return str(node["permalink"]) if node.get("permalink") else None

    async def last_status(self, sending: Sending) -> str:
        """Of the container that may have been published last; empty where there was none."""
        refused = sending.steps.get(REFUSED) or {}
        container = str(sending.steps.get(WHOLE) or refused.get("id") or "")
        return (await self.status_of(sending, container))[0] if container else ""


def _subcode(failure: Failure) -> str:
    return failure.code.rpartition("/")[2]


def steps_of(media: Sequence[Picture]) -> tuple[str, ...]:
    """Every step beside the whole that a part with this media may have kept."""
    steps = tuple(f"item{index}" for index in range(len(media)))
    return (*steps, *(upload_of(step) for step in (WHOLE, *steps)))


def upload_of(step: str) -> str:
    """The step that holds where the bytes of a container go, where they are sent."""
    return f"{step}.upload"
