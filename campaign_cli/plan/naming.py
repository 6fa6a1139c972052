"""Names: the slug of a text, and an id for each post that is written without one."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

_SLUG_WORDS: Final = 6
_SLUG_LENGTH: Final = 48


def with_ids(value: dict[str, Any]) -> dict[str, Any]:
    """The plan with an ``id`` for each post that has none: a slug of its title or its first words, made unique."""
    posts = value.get("posts")
    if not isinstance(posts, list) or all(isinstance(post, dict) and "id" in post for post in posts):
        return value
    taken = {post["id"] for post in posts if isinstance(post, dict) and isinstance(post.get("id"), str)}
    named = []
    for number, post in enumerate(posts, start=1):
        if isinstance(post, dict) and "id" not in post:
            wanted = slug_of(_words_of(post)) or f"pos-{number}"
            name, count = wanted, 1
            while name in taken:
                count += 1
                name = f"{wanted}-{count}"
            taken.add(name)
            post = {"id": name, **post}  # noqa: PLW2901 - the source's own value must stay as it is
        named.append(post)
    return {**value, "posts": named}


def _words_of(post: dict[str, Any]) -> str:
    variants = post.get("variants")
    texts = [post.get("text"), post.get("template")]
    for variant in variants.values() if isinstance(variants, dict) else ():
        if isinstance(variant, dict):
            texts = [variant.get("title"), *texts, variant.get("text")]
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def slug_of(text: str) -> str:
    """The first words as small letters, digits and hyphens (at most 48 signs)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", re.sub(r"\{\{.*?\}\}|https?://\S+", " ", plain))[:_SLUG_WORDS]
    slug = "-".join(words)
    return slug if len(slug) <= _SLUG_LENGTH else slug[:_SLUG_LENGTH].rpartition("-")[0] or slug[:_SLUG_LENGTH]
