"""What the counting server keeps: accounts, posts in the order of their acceptance, pictures and idempotency keys."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

KEY_SECONDS = 3600  # how long real Mastodon knows a key
KINDS = ("keys", "readable", "blind")


def kind_of(account: str) -> str:
    """An account's name tells what its server can do: ``keys1``, ``readable2``, ``blind1``."""
    return account.rstrip("0123456789")


@dataclass
class Post:
    """One accepted post; ``at`` is in seconds since the epoch, on the server's clock."""

    account: str
    id: str
    text: str
    parent: str | None
    media: tuple[str, ...]
    key: str
    at: float

    def facts(self) -> dict[str, Any]:
        """For the harness."""
        return {
            "account": self.account,
            "id": self.id,
            "text": self.text,
            "parent": self.parent,
            "media": list(self.media),
        }


@dataclass
class Network:
    """Everything that was accepted."""

    posts: list[Post] = field(default_factory=list)
    media: dict[tuple[str, str], str] = field(default_factory=dict)  # account, id → id of the post that carries it
    keys: dict[tuple[str, str], tuple[Post, float]] = field(default_factory=dict)

    def accept(
        self, account: str, *, text: str, parent: str | None = None, media: Sequence[str] = (), key: str = ""
    ) -> Post:
        """Store a post. A key that was used within the hour gives the first post, on a server that honours keys."""
        now = time.time()
        known = self.keys.get((account, key))
        if kind_of(account) == "keys" and key and known is not None and now - known[1] < KEY_SECONDS:
            return known[0]
        post = Post(account, self._next_id(account), text, parent, tuple(media), key, now)
        self.posts.append(post)
        self.keys[account, key] = (post, now)
        for identifier in media:
            self.media[account, identifier] = post.id
        return post

    def own(self, account: str) -> list[Post]:
        """An account's posts, oldest first."""
        return [post for post in self.posts if post.account == account]

    def find(self, account: str, identifier: str) -> Post | None:
        """One post of an account."""
        return next((post for post in self.posts if (post.account, post.id) == (account, identifier)), None)

    def upload(self, account: str) -> str:
        """Store a picture; its id."""
        identifier = str(9000 + len(self.media))
        self.media[account, identifier] = ""
        return identifier

    def _next_id(self, account: str) -> str:
        number = len(self.posts) + 1
        return f"A{number:06d}Zq" if kind_of(account) == "readable" else str(110_000 + number)
