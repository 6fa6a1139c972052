"""accounts.yaml: the named destinations of a workspace, their groups, the slots and the rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from campaign_cli.accounts_file import CODES, AccountsFile, Networks, literal_secret, read_account
from campaign_cli.credentials import is_reference
from campaign_cli.i18n import _
from campaign_cli.models import Account, Problem, Severity
from campaign_cli.private import write_private
from campaign_cli.source import Source, read_source, suggest
from campaign_cli.source.shapes import problems_of

FILE: Final = "accounts.yaml"
CHECKED: Final = "accounts.json"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a workspace demands of every plan.

    ``quiet_hours`` is ``HH:MM-HH:MM`` in each account's zone, and so are ``silent_days``. ``approvers`` and ``words``
    are files from the workspace's root: git's allowed-signers form, and one word or phrase of threat or hatred a line.
    ``other_approver``: the author of a plan can't be its only approver.
    """

    approval: int = 0
    approvers: str | None = None
    quiet_hours: str | None = None
    late_grace: timedelta = timedelta(minutes=30)
    stagger: timedelta | None = None
    other_approver: bool = False
    silent_days: tuple[date, ...] = ()
    words: str | None = None


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A folder with accounts.yaml. ``notify`` holds references; ``source`` is None where there is no accounts.yaml.

    ``protected`` are names that no post may say, or the file (from the root) that lists them, one a line.
    ``public_contacts`` are the union's own numbers and addresses, which are meant to be seen.
    """

    root: Path
    accounts: Mapping[str, Account] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)
    rules: Rules = Rules()
    notify: tuple[str, ...] = ()
    protected: tuple[str, ...] | str = ()
    public_contacts: tuple[str, ...] = ()
    source: Source | None = None

    @property
    def state_dir(self) -> Path:
        """Where the program keeps what it writes: the ledger, what ``accounts check`` found."""
        return self.root / ".campaign"

    def resolve(self, names: Iterable[str]) -> tuple[Account, ...]:
        """Accounts of names of accounts and groups: groups expanded, order kept, no doubles. KeyError(unknown name)."""
        found: dict[str, Account] = {}
        for name in names:
            if name in self.accounts:
                found[name] = self.accounts[name]
            else:
                found |= {account.name: account for account in self.resolve(self.groups[name])}
        return tuple(found.values())


def load_workspace(
    root: Path,
    *,
    settings_of: Callable[[str], type[BaseModel]],
    secrets_of: Callable[[str], tuple[str, ...]],
    address_of: Callable[[Account], str],
    known: Sequence[str],
) -> tuple[Workspace, list[Problem]]:
    """Read accounts.yaml of a folder: everything that is right in it, and a problem for everything that is not."""
    if not (root / FILE).exists():
        message = _("There is no accounts.yaml in {folder}.").format(folder=root)
        fix = _("Go to the folder of your workspace, name it with --workspace, or make one with: campaign init")
        return Workspace(root=root), [
            Problem(
                code="A001", severity=Severity.ERROR, file=FILE, line=1, column=1, path="", message=message, fix=fix
            )
        ]
    source = read_source(root / FILE, shown=FILE)
    problems = list(source.problems)
    if not isinstance(source.value, dict):
        if not problems:
            message = _("accounts.yaml must hold keys such as accounts, groups and slots.")
            fix = _("Begin it with “accounts:” and a line for each account.")
            problems.append(source.problem((), code="A004", severity=Severity.ERROR, message=message, fix=fix))
        return Workspace(root=root, source=source), problems
    networks = Networks(settings_of=settings_of, secrets_of=secrets_of, address_of=address_of, known=known)
    workspace, found = _workspace(root, source, networks=networks)
    problems += found + _doubles(workspace, networks)
    return workspace, sorted(problems, key=lambda problem: problem.sort_key)


def _workspace(root: Path, source: Source, *, networks: Networks) -> tuple[Workspace, list[Problem]]:
    """The workspace of a file that is a group of keys."""
    top, problems = _lenient(source)
    accounts: dict[str, Account] = {}
    entries = source.value.get("accounts")
    for name in entries if isinstance(entries, dict) else ():
        account, wrong = read_account(source, name, networks=networks)
        accounts |= {name: account} if account else {}
        problems += wrong
    groups, wrong = _groups(source, top.groups)
    problems += wrong
    problems += [
        literal_secret(source, ("notify", index)) for index, item in enumerate(top.notify) if not is_reference(item)
    ]
    workspace = Workspace(
        root=root,
        accounts=accounts,
        groups=groups,
        slots=top.slots,
        rules=Rules(**dict(top.rules)),
        notify=tuple(filter(is_reference, top.notify)),
        protected=top.protected,
        public_contacts=top.public_contacts,
        source=source,
    )
    return workspace, problems


def _lenient(source: Source) -> tuple[AccountsFile, list[Problem]]:
    """The file's top level; a key with a problem counts as not written, so that the others are still checked."""
    value = {key: item for key, item in source.value.items() if not (key in {"groups", "slots"} and item is None)}
    problems: list[Problem] = []
    try:
        return AccountsFile.model_validate(value), []
    except ValidationError as error:
        problems = problems_of(error, source, model=AccountsFile, codes=CODES)
        bad = {details["loc"][0] for details in error.errors()}
    return AccountsFile.model_validate({key: item for key, item in value.items() if key not in bad}), problems


def _groups(source: Source, groups: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """The groups whose members exist and that don't contain themselves."""
    problems: list[Problem] = []
    written = source.value.get("accounts")
    names = set(written) if isinstance(written, dict) else set()
    for group, members in groups.items():
        if group in names:
            message = _('"{name}" is both an account and a group.').format(name=group)
            fix = _("Rename one of them.")
            problems.append(
                source.problem(
                    ("groups", group), code="A013", severity=Severity.ERROR, message=message, fix=fix, key=True
                )
            )
        for index, member in enumerate(members):
            path = ("groups", group, index)
            if member not in names and member not in groups:
                message = _('There is no account or group "{name}".').format(name=member)
                message += suggest(member, [*names, *groups])
                fix = _("Add it under accounts, or correct the name.")
                problems.append(source.problem(path, code="A007", severity=Severity.ERROR, message=message, fix=fix))
            elif member in groups and _reaches(groups, member, group):
                message = _('The group "{name}" contains itself.').format(name=group)
                fix = _("Take one of the groups out.")
                problems.append(source.problem(path, code="A013", severity=Severity.ERROR, message=message, fix=fix))
    broken = {problem.path for problem in problems}
    kept = {
        group: tuple(member for index, member in enumerate(members) if f"groups.{group}[{index}]" not in broken)
        for group, members in groups.items()
    }
    return kept, problems


def _reaches(groups: Mapping[str, tuple[str, ...]], start: str, wanted: str) -> bool:
    """Whether the group ``wanted`` is found by following ``start``'s members."""
    waiting, seen = [start], set()
    while waiting:
        name = waiting.pop()
        if name == wanted:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(groups.get(name, ()))
    return False


def _doubles(workspace: Workspace, networks: Networks) -> list[Problem]:
    """Entries that are the same account of a network: by address, or by what ``accounts check`` found."""
    if workspace.source is None:
        return []
    problems = []
    checked = cached_limits(workspace)
    first: dict[tuple[str, ...], str] = {}
    for name, account in workspace.accounts.items():
        marks = [(account.platform, "address", networks.address_of(account))]
        if account.settings.get("handle"):  # a handle in one entry must not hide that the secret is the same
            with suppress(ValueError):
                bare = replace(account, settings={**account.settings, "handle": None})
                marks.append((account.platform, "address", networks.address_of(bare)))
        found = checked.get(name, {})
        if found.get("identity"):
            marks.append((account.platform, str(found.get("url") or found.get("handle")), str(found["identity"])))
        other = next((first[mark] for mark in marks if mark in first), None)
        if other is not None:
            message = _('"{name}" is the same account as "{other}".').format(name=name, other=other)
            fix = _("Keep one of the two; every post would go out twice.")
            path = ("accounts", name)
            problems.append(
                workspace.source.problem(path, code="A006", severity=Severity.ERROR, message=message, fix=fix, key=True)
            )
        for mark in marks:
            first.setdefault(mark, name)
    return problems


def cached_limits(workspace: Workspace) -> Mapping[str, dict[str, Any]]:
    """What ``accounts check`` found of each account, or nothing where it never ran or its file can't be read.

    ``{account: {"identity", "handle", "url", "software", "limits": {…}, "checked_at"}}``
    """
    try:
        data = json.loads((workspace.state_dir / CHECKED).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: item for name, item in data.items() if isinstance(item, dict)} if isinstance(data, dict) else {}


def store_check(workspace: Workspace, name: str, data: Mapping[str, Any]) -> None:
    """Keep what ``accounts check`` found of one account (JSON values only). Raises OSError."""
    merged = {**cached_limits(workspace), name: dict(data)}
    text = json.dumps(merged, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    write_private(workspace.state_dir / CHECKED, text)
