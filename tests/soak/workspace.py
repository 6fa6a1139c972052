"""The workspace of a batch, and what its plan must lead to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from soak.answers import TOKEN
from soak.network import kind_of

TWIN = "Kata yang sama, kiriman yang lain."
PARTS = 3
PICTURE_SIDE = 220  # of noise, which no format makes small: about 145 kB


@dataclass(frozen=True)
class Expected:
    """A delivery of the plan: the texts that its account must get, in this order."""

    key: str
    account: str
    parts: tuple[str, ...]
    picture: bool = False


@dataclass(frozen=True)
class Size:
    """How much a batch sends: ``waves`` of posts, ``distance`` seconds apart, to these accounts."""

    accounts: tuple[str, ...]
    waves: int
    distance: int


def write_workspace(root: Path, *, port: int, size: Size, first: datetime) -> list[Expected]:
    """accounts.yaml, .env, a picture and plan.yaml, whose first wave is due at ``first``; what is expected of it."""
    root.mkdir(parents=True)
    accounts = "".join(_account(name, port) for name in size.accounts)
    rules = "rules: {late_grace: 60d}\n"  # the clock runs ahead by a lease after each kill
    (root / "accounts.yaml").write_text(f"accounts:\n{accounts}{rules}", encoding="utf-8")
    secrets = root / ".env"
    secrets.touch(mode=0o600)
    secrets.write_text(f'TOKEN="{TOKEN}"\n', encoding="utf-8")
    _picture(root / "media" / "poster.png")
    posts: list[str] = []
    expected: list[Expected] = []
    for wave in range(size.waves):
        at = (first + timedelta(seconds=wave * size.distance)).isoformat(timespec="seconds")
        for post, line, made in _wave(wave, size.accounts):
            posts.append(f'  - {{id: {post}, at: "{at}", {line}}}\n')
            expected += made
    head = "campaign: soak\ntimezone: WIB\nlanguage: id\naccounts: [" + ", ".join(size.accounts) + "]\nposts:\n"
    (root / "plan.yaml").write_text(head + "".join(posts), encoding="utf-8")
    return expected


def _wave(wave: int, accounts: Sequence[str]) -> list[tuple[str, str, list[Expected]]]:
    """Posts that are due together: one for every account, two with the same words as everywhere, a thread, a picture;
    each as its id, the rest of its YAML and what it must lead to."""
    one, other = accounts[wave % len(accounts)], accounts[(wave + 1) % len(accounts)]
    single, picture = f"Kabar gelombang {wave}.", f"Poster gelombang {wave}."
    parts = tuple(f"Utas gelombang {wave}, bagian {part + 1}." for part in range(PARTS))
    media = '[{file: media/poster.png, alt: "Poster berbintik", consent: true}]'
    made = [(f"p{wave}", f"text: {json.dumps(single)}", [_expected(f"p{wave}", name, single) for name in accounts])]
    for twin in (f"sama{wave}a", f"sama{wave}b"):
        line = f"accounts: [{one}], text: {json.dumps(TWIN)}, repeat: true"
        made.append((twin, line, [_expected(twin, one, TWIN)]))
    line = f"accounts: [{other}], text: Utas, thread: {json.dumps(parts)}"
    made.append((f"u{wave}", line, [_expected(f"u{wave}", other, *parts)]))
    line = f"accounts: [{one}], text: {json.dumps(picture)}, media: {media}"
    made.append((f"g{wave}", line, [_expected(f"g{wave}", one, picture, picture=True)]))
    return made


def _expected(post: str, account: str, *parts: str, picture: bool = False) -> Expected:
    return Expected(f"soak/{post}/{account}", account, parts, picture)


def _account(name: str, port: int) -> str:
    address = f'url: "http://127.0.0.1:{port}/{name}", token: env:TOKEN'
    if kind_of(name) == "blind":
        return f'  {name}: {{platform: telegram, channel: "@{name}_soak", {address}}}\n'
    return f"  {name}: {{platform: mastodon, handle: {name}, {address}}}\n"


def _picture(path: Path) -> None:
    from PIL import Image

    path.parent.mkdir()
    side = PICTURE_SIDE
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(path)
