"""What a post says on one account: the variants for the account, its platform and its language over the post itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from campaign_cli import platforms
from campaign_cli.plan.model import Cover

if TYPE_CHECKING:
    from campaign_cli.models import Account
    from campaign_cli.plan.expand import Planned
    from campaign_cli.plan.load import LoadedPlan
    from campaign_cli.plan.model import Media, Plan, Post, Variant
    from campaign_cli.platforms.base import Platform

Path = tuple[str | int, ...]


@dataclass(kw_only=True, slots=True)
class Chosen:
    """The chosen value of each field, and where it is written (``paths``, by field name).

    ``text``, ``template`` and ``parts`` (a thread written out) exclude each other: the most specific level that writes
    one of them decides. ``split`` is ``thread: auto``. ``alts`` replace the alt texts of ``media``, in their order.
    ``cover`` is the native field ``thumbnail`` with all that the plan says of it.
    """

    language: str
    text: str | None = None
    template: str | None = None
    parts: tuple[str, ...] = ()
    split: bool = False
    media: Sequence[Media] = ()
    cover: Cover | None = None
    alts: tuple[str, ...] = ()
    link: str | None = None
    hashtags: tuple[str, ...] = ()
    visibility: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    native: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Where a field is written: the post where it is written nowhere."""
        return self.paths.get(name, self.paths["post"])


class Choices:
    """What the posts of one plan say on each account: chosen once, however often it is asked."""

    def __init__(self, loaded: LoadedPlan) -> None:
        self._plan = loaded.plan
        self._chosen: dict[tuple[int, str], Chosen] = {}

    def of(self, planned: Planned) -> Chosen:
        """The fields for a delivery, to be read only: the occurrences of a recurring post share them.

        Raises KeyError for an account of a network that nobody knows.
        """
        key = (planned.index, planned.account.name)
        if key not in self._chosen:
            account = planned.account
            platform = platforms.get(account.platform)
            self._chosen[key] = choose(planned.post, planned.index, plan=self._plan, account=account, platform=platform)
        return self._chosen[key]


def choose(post: Post, index: int, *, plan: Plan, account: Account, platform: Platform) -> Chosen:
    """Choose field by field: account over platform over language over post over plan.

    ``index`` is the post's place in the plan. An empty list, or an empty link, that is written counts as written.
    """
    here: Path = ("posts", index)
    wanted = account.language or post.language or plan.language or ""
    levels = _levels(post, here, names=(account.name, account.platform, wanted))
    chosen = Chosen(language="", paths={"post": here})
    _choose_body(chosen, levels)
    if len(levels) == 1:  # as most posts are
        chosen.media, chosen.values = post.media, post.with_
        chosen.paths["media"] = (*here, "media")
    else:
        _choose_pictures(chosen, levels)
        _choose_native(chosen, levels, platform)
    for name in ("link", "hashtags", "visibility"):
        for level, path in levels:
            value = getattr(level, name)
            if value is not None:
                setattr(chosen, name, value)
                chosen.paths[name] = (*path, name)
                break
        else:
            setattr(chosen, name, getattr(plan, name))
            chosen.paths[name] = (name,)
    chosen.language = _language(levels, chosen, wanted) or post.language or plan.language or wanted
    return chosen


def _levels(post: Post, here: Path, *, names: Sequence[str]) -> list[tuple[Post | Variant, Path]]:
    """The post itself last; before it the variants that speak of this account, most specific first."""
    levels: list[tuple[Post | Variant, Path]] = []
    if post.variants:
        for name in dict.fromkeys(names):
            if name in post.variants:
                levels.append((post.variants[name], (*here, "variants", name)))
    levels.append((post, here))
    return levels


def _choose_body(chosen: Chosen, levels: Sequence[tuple[Post | Variant, Path]]) -> None:
    """The text, the template or the written thread of the first level that has one; ``thread: auto`` from any level."""
    for level, path in levels:
        thread = level.thread
        if thread is not None and "thread" not in chosen.paths:
            chosen.split = thread == "auto"
            chosen.paths["thread"] = (*path, "thread")
        if "body" in chosen.paths:
            continue
        if thread is not None and thread != "auto":
            chosen.parts, chosen.paths["body"] = tuple(thread), (*path, "thread")
        elif level.text is not None:
            chosen.text, chosen.paths["body"] = level.text, (*path, "text")
        elif level.template is not None:
            chosen.template, chosen.paths["body"] = level.template, (*path, "template")


def _choose_pictures(chosen: Chosen, levels: Sequence[tuple[Post | Variant, Path]]) -> None:
    """Pictures and template values; a variant's ``alt`` replaces the alt text of the pictures, in their order."""
    for level, path in levels:
        alts = None if path == chosen.paths["post"] else level.alt  # type: ignore[union-attr]
        if alts is not None and "alt" not in chosen.paths and "media" not in chosen.paths:
            chosen.alts, chosen.paths["alt"] = tuple(alts), (*path, "alt")
        if level.media is not None and "media" not in chosen.paths:
            chosen.media, chosen.paths["media"] = level.media, (*path, "media")
        if level.with_ is not None and "with" not in chosen.paths:
            chosen.values, chosen.paths["with"] = level.with_, (*path, "with")


def _choose_native(chosen: Chosen, levels: Sequence[tuple[Post | Variant, Path]], platform: Platform) -> None:
    """The network's own fields, from the variants alone."""
    for level, path in reversed(levels[:-1]):
        for name in sorted(platform.fields):
            value = getattr(level, name, None)
            if value is None:
                continue
            chosen.paths[name] = (*path, name)
            if name == "thumbnail":
                chosen.cover = value if isinstance(value, Cover) else Cover(file=value)
                chosen.paths["cover"] = (*path, name)
                if value is chosen.cover:
                    value, chosen.paths[name] = value.file, (*path, name, "file")
            chosen.native[name] = list(value) if isinstance(value, tuple) else value


def _language(levels: Sequence[tuple[Post | Variant, Path]], chosen: Chosen, wanted: str) -> str:
    """The language of the words that were chosen: as written beside them; a variant's words are in the account's.

    The words of the post itself are in the post's or the plan's language, whatever the account's is.
    """
    body = chosen.paths.get("body", ())
    for level, path in levels:
        if body[: len(path)] == path:
            return level.language or (wanted if level is not levels[-1][0] else "")
    return ""
