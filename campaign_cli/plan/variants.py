"""Variants: whether their names mean something, whether anybody gets them, and whether every account gets a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from campaign_cli import platforms
from campaign_cli.i18n import _
from campaign_cli.models import Account, Problem, Severity
from campaign_cli.plan.model import NATIVE_FIELDS, Post, Variant
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from campaign_cli.plan.load import LoadedPlan

_NETWORKS: Final = frozenset(platforms.PLATFORMS)
_LANGUAGE: Final = re.compile(r"[a-z]{2}(-[A-Za-z0-9]{2,8})*")


def variant_problems(loaded: LoadedPlan, index: int, *, accounts: Sequence[Account]) -> Iterator[Problem]:
    """Findings about one post's variants, and about accounts that would get no text."""
    post = loaded.plan.posts[index]
    for name, variant in post.variants.items():
        yield from _name(loaded, index, name=name, accounts=accounts)
        yield from _native(loaded, (index, name), variant, accounts=accounts)
    written = loaded.source.value["posts"][index]
    if _says(post) or not accounts or any(_of_wrong_kind(written, key) for key in ("text", "template", "thread")):
        return
    silent = [account.name for account in accounts if not any(map(_says, variants_of(loaded, post, account)))]
    if silent:
        message = _('The post "{id}" has no text for: {accounts}.').format(id=post.id, accounts=", ".join(silent))
        fix = _('Write "text" or "template" in the post, or a variant for them.')
        yield loaded.source.problem(("posts", index), code="P027", severity=Severity.ERROR, message=message, fix=fix)


def variants_of(loaded: LoadedPlan, post: Post, account: Account) -> list[Variant]:
    """The variants that apply to an account, the strongest first: account, platform, language."""
    names = (account.name, account.platform, language_of(loaded, post, account))
    return [post.variants[name] for name in names if name in post.variants]


def language_of(loaded: LoadedPlan, post: Post, account: Account) -> str:
    """The language an account is served in: its own, else the post's, else the plan's, else Indonesian."""
    return account.language or post.language or loaded.plan.language or "id"


def _says(content: Post | Variant) -> bool:
    thread = content.thread if isinstance(content.thread, tuple) else ()
    return bool((content.text or "").strip() or content.template or any(part.strip() for part in thread))


def _of_wrong_kind(written: dict[str, Any], key: str) -> bool:
    """Whether a key is there with a value that was refused already."""
    return key in written and not isinstance(written[key], str | list)


def _name(loaded: LoadedPlan, index: int, *, name: str, accounts: Sequence[Account]) -> Iterator[Problem]:
    """A variant is named after a platform, an account or a language."""
    path = ("posts", index, "variants", name)
    workspace, post = loaded.workspace, loaded.plan.posts[index]
    if name in _NETWORKS:
        return
    written = workspace.source.value if workspace.source is not None else None
    entries = written.get("accounts") if isinstance(written, dict) else None
    names = set(entries) if isinstance(entries, dict) else set()
    languages = {language_of(loaded, post, account) for account in accounts}
    if name in languages or name in {account.name for account in accounts}:
        return
    message = ""
    if name in names:
        message = _('The post does not go to the account "{name}", so this variant is never used.').format(name=name)
    elif _LANGUAGE.fullmatch(name) and name not in workspace.groups:
        message = _('No account of this post has the language "{name}", so this variant is never used.')
        message = message.format(name=name)
    if message:
        fix = _("Add the account, or delete the variant.")
        yield loaded.source.problem(path, code="P032", severity=Severity.WARNING, message=message, fix=fix, key=True)
    elif workspace.source is not None:
        message = _('"{name}" is neither a platform nor an account nor a language.').format(name=name)
        if name in workspace.groups:
            message = _('"{name}" is a group; variants are for platforms, accounts and languages.').format(name=name)
        known = [*_NETWORKS, *names, *languages]
        fix = _("Platforms: {names}.").format(names=", ".join(sorted(_NETWORKS)))
        yield loaded.source.problem(
            path,
            code="P028",
            severity=Severity.ERROR,
            message=message + suggest(name, known),
            fix=fix,
            key=True,
        )


def _native(
    loaded: LoadedPlan, where: tuple[int, str], variant: Variant, *, accounts: Sequence[Account]
) -> Iterator[Problem]:
    """A network's own field on a network that lacks it does nothing: a warning."""
    index, name = where
    given = [key for key in NATIVE_FIELDS if key in variant.model_fields_set]
    if not given:
        return
    post = loaded.plan.posts[index]
    reached = {
        account.platform
        for account in accounts
        if name in (account.name, account.platform, language_of(loaded, post, account))
    }
    if name in platforms.PLATFORMS:
        reached.add(name)
    if not reached:
        return
    usable = frozenset[str]().union(*(platforms.get(platform).fields for platform in reached))
    for key in given:
        if key not in usable:
            message = _('"{key}" means nothing on {platforms} and is left out there.')
            yield loaded.source.problem(
                ("posts", index, "variants", name, key),
                code="P031",
                severity=Severity.WARNING,
                message=message.format(key=key, platforms=", ".join(sorted(reached))),
                fix=_("Delete it, or move it to the variant of a network that has it."),
                key=True,
            )
