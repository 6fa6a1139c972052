"""What the values of a plan mean together: names and files that must exist, keys that exclude each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from campaign_cli.accounts_file import LANGUAGE
from campaign_cli.i18n import _
from campaign_cli.models import Account, Problem, Severity
from campaign_cli.plan.model import Post
from campaign_cli.plan.naming import slug_of
from campaign_cli.source import suggest
from campaign_cli.wallclock import UnknownZone, zone_names, zone_of

if TYPE_CHECKING:
    from campaign_cli.plan.load import LoadedPlan

SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
Path_ = Sequence[str | int]


def problems_in(loaded: LoadedPlan) -> list[Problem]:
    """Every finding about what the plan says; kinds of values and times are checked elsewhere."""
    checks: tuple[Callable[[LoadedPlan], Iterable[Problem]], ...] = (_head, _names, _posts)
    return [problem for check in checks for problem in check(loaded)]


def error(loaded: LoadedPlan, path: Path_, code: str, *, message: str, fix: str = "", key: bool = False) -> Problem:
    """A problem of severity error at a place of the plan."""
    return loaded.source.problem(path, code=code, severity=Severity.ERROR, message=message, fix=fix, key=key)


def _head(loaded: LoadedPlan) -> Iterator[Problem]:
    """campaign, timezone, accounts, posts, language."""
    plan, written = loaded.plan, loaded.source.value
    if "campaign" not in written:
        fix = _('Write "campaign: {slug}" at the top.').format(slug=slug_of(plan.title or loaded.path.stem))
        yield error(loaded, ("campaign",), "P021", message=_('The key "campaign" is missing.'), fix=fix)
    elif plan.campaign or written["campaign"] == "":
        yield from _slug(loaded, ("campaign",), plan.campaign)
    if "timezone" not in written:
        message = _('The key "timezone" is missing: no time is ever guessed.')
        yield error(loaded, ("timezone",), "T001", message=message, fix=_('Write "timezone: WIB" at the top.'))
    elif isinstance(written["timezone"], str):
        yield from _zone(loaded, ("timezone",), plan.timezone)
    if not written.get("posts") and isinstance(written.get("posts", []), list):
        message = _("The plan has no posts.")
        yield error(loaded, ("posts",), "P021", message=message, fix=_('Write a list of posts under "posts:".'))
    yield from _language(loaded, ("language",), plan.language)
    yield from _accounts(loaded, ("accounts",), plan.accounts)


def _names(loaded: LoadedPlan) -> Iterator[Problem]:
    """Ids: their form, and that none stands twice."""
    first: dict[str, int] = {}
    for index, post in enumerate(loaded.plan.posts):
        if not post.id and not _has(loaded, index, "id"):
            continue  # its id was of a wrong kind, or it is not a post at all: told already
        yield from _slug(loaded, ("posts", index, "id"), post.id)
        if post.id in first:
            line = loaded.source.place(("posts", first[post.id], "id")).line
            message = _('The id "{id}" stands on line {line} already.').format(id=post.id, line=line)
            fix = _("Give each post its own id.")
            yield error(loaded, ("posts", index, "id"), "P025", message=message, fix=fix)
        first.setdefault(post.id, index)


def _posts(loaded: LoadedPlan) -> Iterator[Problem]:
    from campaign_cli.plan.variants import variant_problems

    media = _media_check(loaded)
    for index, post in enumerate(loaded.plan.posts):
        path = ("posts", index)
        if not isinstance(loaded.source.value["posts"][index], dict):
            continue
        yield from _when(loaded, index, post)
        yield from _zone(loaded, (*path, "zone"), post.zone) if post.zone != "account" else ()
        yield from _language(loaded, (*path, "language"), post.language)
        yield from _audience(loaded, index, post)
        yield from _accounts(loaded, (*path, "accounts"), post.accounts or ())
        accounts = accounts_of(loaded, post)
        if not post.accounts and not loaded.plan.accounts and not loaded.source.value.get("accounts"):
            message = _('The post "{id}" goes to no account.').format(id=post.id)
            fix = _('Write "accounts: [...]" at the top of the plan, or in the post.')
            yield error(loaded, path, "A014", message=message, fix=fix)
        for number, item in enumerate(post.media):
            yield from media((*path, "media", number), item.file, item.alt)
        for name, variant in post.variants.items():
            for number, item in enumerate(variant.media or ()):
                yield from media((*path, "variants", name, "media", number), item.file, item.alt)
        yield from variant_problems(loaded, index, accounts=accounts)


def accounts_of(loaded: LoadedPlan, post: Post) -> tuple[Account, ...]:
    """The accounts of a post that exist, groups expanded, in the order they are written, without doubles."""
    return _resolved(loaded, post.accounts or loaded.plan.accounts)


def _resolved(loaded: LoadedPlan, names: tuple[str, ...]) -> tuple[Account, ...]:
    workspace = loaded.workspace
    found: dict[str, Account] = {}
    for name in names:
        if name in workspace.accounts:
            found[name] = workspace.accounts[name]
        elif name in workspace.groups:
            found |= {account.name: account for account in _resolved(loaded, workspace.groups[name])}
    return tuple(found.values())


def _has(loaded: LoadedPlan, index: int, key: str) -> bool:
    post = loaded.source.value["posts"][index]
    return isinstance(post, dict) and isinstance(post.get(key), str)


def _slug(loaded: LoadedPlan, path: Path_, value: str) -> Iterator[Problem]:
    if len(value) <= 80 and SLUG.fullmatch(value):
        return
    better = slug_of(value)
    message = _('"{value}" can\'t be a name here: only a-z, 0-9 and single hyphens are possible.').format(value=value)
    fix = _("Write {slug}.").format(slug=better) if better else _("Write something like upah-layak.")
    yield error(loaded, path, "P024", message=message, fix=fix)


def _zone(loaded: LoadedPlan, path: Path_, value: str | None) -> Iterator[Problem]:
    if value is None:
        return
    try:
        zone_of(value)
    except UnknownZone:
        message = _('"{zone}" is not a time zone.').format(zone=value)
        message += suggest(value, ("account", *zone_names()) if len(path) > 1 else zone_names())
        yield error(loaded, path, "T001", message=message, fix=_("Write WIB, WITA, WIT or a name like Asia/Tokyo."))


def _language(loaded: LoadedPlan, path: Path_, value: str | None) -> Iterator[Problem]:
    if value is not None and not LANGUAGE.fullmatch(value):
        message = _('"{language}" is not a language code.').format(language=value)
        yield error(loaded, path, "P023", message=message, fix=_("Write id, en or another ISO 639 code."))


def _accounts(loaded: LoadedPlan, path: Path_, names: tuple[str, ...]) -> Iterator[Problem]:
    workspace = loaded.workspace
    if not names or workspace.source is None or not isinstance(workspace.source.value, dict):
        return  # there is no accounts.yaml to compare with, which is told once
    written = workspace.source.value.get("accounts")
    known = [*(written if isinstance(written, dict) else ()), *workspace.groups]
    for index, name in enumerate(names):
        if name not in known:
            message = _('There is no account or group "{name}" in accounts.yaml.').format(name=name)
            fix = _("Known: {names}.").format(names=", ".join(known)) if known else _("Add it to accounts.yaml.")
            yield error(loaded, (*path, index), "A007", message=message + suggest(name, known), fix=fix)


def _when(loaded: LoadedPlan, index: int, post: Post) -> Iterator[Problem]:
    """Exactly one of at, every, rrule; from and until only with the last two."""
    path = ("posts", index)
    written = loaded.source.value["posts"][index]
    given = [key for key in ("at", "every", "rrule") if key in written]
    if not given:
        message = _('The post "{id}" has no time.').format(id=post.id)
        fix = _('Write "at: H-7 08:00", or "every" or "rrule" for a recurring post.')
        yield error(loaded, path, "P026", message=message, fix=fix)
    elif len(given) > 1:
        message = _("Only one of at, every and rrule is possible.")
        fix = _("Keep one of: {keys}.").format(keys=", ".join(given))
        yield error(loaded, (*path, given[1]), "P026", message=message, fix=fix, key=True)
    elif given == ["at"]:
        for key in ("from", "until"):
            if key in written:
                message = _('"{key}" belongs to recurring posts only.').format(key=key)
                fix = _('Delete it, or use "every" or "rrule" instead of "at".')
                yield error(loaded, (*path, key), "P026", message=message, fix=fix, key=True)


def _audience(loaded: LoadedPlan, index: int, post: Post) -> Iterator[Problem]:
    allowed = loaded.plan.audience
    for number, name in enumerate(post.audience or ()):
        if allowed and name not in allowed:
            message = _('The audience "{name}" is not in the plan\'s audience.').format(name=name)
            fix = _("A post can only narrow it: {names}.").format(names=", ".join(allowed))
            path = ("posts", index, "audience", number)
            yield error(loaded, path, "P029", message=message + suggest(name, allowed), fix=fix)


def _media_check(loaded: LoadedPlan) -> Callable[[Path_, str, str], Iterator[Problem]]:
    """A check of one picture's file name and alt text; each file is looked for once, however many posts show it."""
    from campaign_cli.plan.files import file_problem

    look = lru_cache(maxsize=None)(lambda file: file_problem(file, root=loaded.workspace.root, plan=loaded.path))

    def check(path: Path_, file: str, alt: str) -> Iterator[Problem]:
        found = look(file)
        if found is not None:
            code, message, fix = found
            yield error(loaded, (*path, "file"), code, message=message, fix=fix)
        if not alt.strip():
            message = _("The picture or video has no alt text.")
            fix = _('Write "alt: …": what is to be seen, and any text in it, for those who can\'t see it.')
            yield error(loaded, (*path, "alt"), "M001", message=message, fix=fix)

    return check
