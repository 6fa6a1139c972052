"""Planned → Draft: the final content of one post for one account, exactly as it will be sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from campaign_cli import platforms
from campaign_cli.content.attachments import attachments, enough
from campaign_cli.content.composing import Work, compose
from campaign_cli.content.hosts import host_problems
from campaign_cli.content.limits import limits_of
from campaign_cli.content.links import tag_link, utm_tags
from campaign_cli.content.media import MediaStore
from campaign_cli.content.native_files import native_files
from campaign_cli.content.pictures import MediaError
from campaign_cli.content.templates import Templates, is_template
from campaign_cli.content.variants import Choices, Chosen
from campaign_cli.i18n import _
from campaign_cli.models import Draft, Part, Problem

if TYPE_CHECKING:
    from campaign_cli.models import Account
    from campaign_cli.plan import LoadedPlan, Planned, Post
    from campaign_cli.platforms.base import Limits

RENDER_VERSION: Final = "1"
"""Raise it when the same input gives another draft, so that what is queued is rendered anew."""

# What decides when and where, not what: the instant and the account go into the hash by themselves.
_NOT_CONTENT: Final = {
    *("at", "zone", "every", "rrule", "from_", "until", "embargo_until"),
    *("accounts", "sources", "audience", "waive"),
}
_NOT_SHARED: Final = {
    *("posts", "day", "timezone", "accounts", "sources", "audience"),
    *("approval", "author", "embargo_until", "internal", "waive"),
}


class Renderer:
    """Renders the posts of one plan. ``templates`` is the folder of post templates; ``limits`` by account name.

    Without ``limits``, those that ``accounts check`` stored count, and the documented ones elsewhere.
    """

    def __init__(
        self,
        loaded: LoadedPlan,
        *,
        media: MediaStore,
        templates: Path,
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        self._loaded = loaded
        self.media = media
        self.choices = Choices(loaded)
        self._templates = Templates(templates)
        self._given = limits or {}
        self._stored = limits_of(loaded.workspace)
        self._plan_hash = ""
        self._account_hashes: dict[str, str] = {}
        self._post_hash: tuple[int, str] = (-1, "")
        self._addresses: dict[str, str] = {}

    def limits_for(self, account: Account) -> Limits:
        """What one message of this account may hold."""
        return self._given.get(account.name) or self._stored(account)

    def input_hash(self, planned: Planned) -> str:
        """SHA-256 over all that the draft and its instant depend on. Nothing is rendered for it."""
        if not self._plan_hash:
            self._plan_hash = _hash(self._loaded.plan.model_dump_json(exclude=_NOT_SHARED))
        account = self._account_hashes.get(planned.account.name)
        if account is None:
            account = self._account_hashes[planned.account.name] = self._account_hash(planned.account)
        if self._post_hash[0] != planned.index:  # the deliveries of a post follow each other
            self._post_hash = (planned.index, self._hash_of(planned.post))
        due = f"{planned.due.timestamp():.6f}"
        return _hash("\n".join((RENDER_VERSION, self._plan_hash, account, self._post_hash[1], planned.post_id, due)))

    def draft(self, planned: Planned) -> tuple[Draft | None, list[Problem]]:
        """The draft and the problems found on the way; None where a problem blocks."""
        account = planned.account
        platform = platforms.get(account.platform)
        chosen = self.choices.of(planned)
        if chosen.native:  # these are filled in below, differently for each occurrence
            chosen = replace(chosen)
        link = (chosen.link or "").strip()
        tagged = self._tagged(link, planned)
        work = Work(
            chosen=chosen,
            account=account,
            platform=platform,
            limits=self.limits_for(account),
            source=self._loaded.source,
            templates=self._templates,
            values=lambda: self._values(planned, chosen, tagged),
            marks=planned.post.thread_marks,
            pictures=len(chosen.media),
        )
        native = {name: _filled(work, name, value) for name, value in chosen.native.items()}
        native = chosen.native = native_files(work, native, self.media)
        texts, card = compose(work, link=link, tagged=tagged)
        pictures = attachments(work, self.media) if chosen.media else ()
        enough(work)
        if chosen.media and platform.fetches_media:
            work.problems += host_problems(account, self._loaded.workspace)
        if not work.problems and not pictures and not any(texts):
            message = _("The post for {account} is empty.").format(account=account.name)
            work.error(chosen.path("body"), "P207", message=message, fix=_("Write a text or add a picture."))
        visibility = _visibility(work)
        if any(problem.severity == "error" for problem in work.problems):
            return None, work.problems
        parts = tuple(Part(text=text, media=() if number else pictures) for number, text in enumerate(texts))
        draft = Draft(
            platform=account.platform,
            account=account.name,
            address=self._address(account),
            language=chosen.language,
            parts=parts,
            visibility=visibility,
            link=card,
            native=native,
        )
        objections = platform.objections(draft)
        for refusal in objections:
            work.error(chosen.path(refusal.code or "body"), "L008", message=refusal.message, fix=refusal.fix)
        return None if objections else draft, work.problems

    def _address(self, account: Account) -> str:
        if account.name not in self._addresses:
            self._addresses[account.name] = platforms.get(account.platform).address(account)
        return self._addresses[account.name]

    def _account_hash(self, account: Account) -> str:
        limits = json.dumps(asdict(self.limits_for(account)), sort_keys=True)
        return _hash(
            "\n".join((account.name, account.platform, account.language or "", self._address(account), limits))
        )

    def _hash_of(self, post: Post) -> str:
        """The post's content, its pictures' bytes, and all templates where it uses any."""
        content = post.model_dump_json(exclude=_NOT_CONTENT)
        pieces = [content]
        if is_template(content) or '"template":"' in content:
            pieces.append(self._templates.folder_hash())
        for media in (post.media, *(variant.media or () for variant in post.variants.values())):
            for item in media:
                try:
                    pieces.append(self.media.file_hash(item.file))
                except MediaError as error:
                    pieces.append(error.code)
        for variant in post.variants.values():
            cover = variant.thumbnail if isinstance(variant.thumbnail, str | None) else variant.thumbnail.file
            for file in filter(None, (cover, *(variant.captions or {}).values())):
                try:
                    pieces.append(self.media.file_hash(file))
                except MediaError as error:
                    pieces.append(error.code)
        return _hash("\n".join(pieces))

    def _tagged(self, link: str, planned: Planned) -> str:
        plan, post = self._loaded.plan, planned.post
        written = plan.utm if post.utm is None else post.utm
        if not link or written is False:
            return link
        tags = utm_tags(
            platform=planned.account.platform,
            account=planned.account.name,
            campaign=plan.campaign,
            post=post.id,
            written={} if written is True else written,
        )
        return tag_link(link, tags)

    def _values(self, planned: Planned, chosen: Chosen, link: str) -> dict[str, Any]:
        """What a template may use: no clock, no chance, nothing of other posts."""
        plan, post, account = self._loaded.plan, planned.post, planned.account
        return {
            **plan.vars,
            **chosen.values,
            "vars": plan.vars,
            "with": chosen.values,
            "post": {"id": post.id, "theme": post.theme, "frame": post.frame, "labels": list(post.labels)},
            "campaign": {"id": plan.campaign, "title": plan.title or plan.campaign, "link": plan.link},
            "account": {"name": account.name, "platform": account.platform, "language": chosen.language},
            "link": link,
        }


def _filled(work: Work, name: str, value: Any) -> Any:
    """A network's own field with its templates filled in."""
    path = work.chosen.path(name)
    if isinstance(value, str):
        return work.filled(value, path)
    if isinstance(value, list):
        return [work.filled(item, (*path, number)) for number, item in enumerate(value)]
    return value


def _visibility(work: Work) -> str | None:
    """The network's own word: what is written, else its default; None where the network has no such thing."""
    allowed, wanted = work.platform.visibilities, work.chosen.visibility
    if not allowed:
        return None
    if wanted is None or wanted in allowed:
        return wanted or allowed[0]
    message = _('"{word}" is not a visibility of {platform}.').format(word=wanted, platform=work.platform.title)
    fix = _("Possible there: {words}.").format(words=", ".join(allowed))
    work.error(work.chosen.path("visibility"), "L007", message=message, fix=fix)
    return None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
