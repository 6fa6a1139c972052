"""What the ledger says against what the server got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soak.network import kind_of
from soak.workspace import Expected

Text = tuple[str, str]  # account, words


@dataclass
class Figures:
    """What a batch showed; ``broken`` tells every promise that didn't hold, in words."""

    kills: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    published: int = 0
    uncertain: int = 0
    lost: int = 0
    double: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """For the file of progress."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Figures:
        """From the file of progress."""
        return cls(**{**data, "kills": Counter(data["kills"]), "notes": Counter(data["notes"])})

    def add(self, other: Figures) -> None:
        """Take another batch in."""
        self.kills.update(other.kills)
        self.notes.update(other.notes)
        self.broken += other.broken
        for name in ("deliveries", "published", "uncertain", "lost", "double", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def compare(
    expected: Sequence[Expected], deliveries: Sequence[Mapping[str, Any]], posts: Sequence[Mapping[str, Any]]
) -> Figures:
    """``deliveries`` as ``campaign status --json`` gives them, ``posts`` as the server tells them."""
    figures = Figures(deliveries=len(expected))
    told = {delivery["key"]: delivery for delivery in deliveries}
    found = {(post["account"], post["id"]): post for post in posts}
    for one in expected:
        _judge(figures, one, told.get(one.key), found)
    ours = [told[one.key] for one in expected if one.key in told]
    proofs = Counter((one["account"], receipt["id"]) for one in ours for receipt in one["receipts"])
    for proof, times in proofs.items():
        if times > 1:
            figures.broken.append(f"the post {proof} is the receipt of {times} deliveries")
    _count(figures, expected, told, posts, proved=set(proofs))
    return figures


def _judge(
    figures: Figures, one: Expected, delivery: Mapping[str, Any] | None, found: Mapping[Text, Mapping[str, Any]]
) -> None:
    """One delivery: published with a post behind each receipt, or uncertain where nobody can ask."""
    state = delivery["state"] if delivery is not None else "not in the ledger"
    receipts = [receipt["id"] for receipt in delivery["receipts"]] if delivery is not None else []
    chain = [None, *receipts]
    wrong = [
        number
        for number, identifier in enumerate(receipts)
        if not _is_part(found.get((one.account, identifier)), one, number, parent=chain[number])
    ]
    if wrong or (state == "published" and len(receipts) != len(one.parts)):
        figures.lost += 1
        figures.broken.append(f"{one.key} is {state}, but the server doesn't have what its receipts say: {receipts}")
    elif state == "published":
        figures.published += 1
    elif state == "uncertain" and kind_of(one.account) == "blind":
        figures.uncertain += 1
    else:
        figures.lost += 1
        error = delivery["error"] if delivery is not None else ""
        figures.broken.append(f"{one.key} ended as {state}: {error}")


def _is_part(post: Mapping[str, Any] | None, one: Expected, number: int, *, parent: str | None) -> bool:
    return (
        post is not None
        and post["text"] == one.parts[number]
        and post["parent"] == parent
        and len(post["media"]) == int(one.picture)
    )


def _count(
    figures: Figures,
    expected: Sequence[Expected],
    told: Mapping[str, Mapping[str, Any]],
    posts: Sequence[Mapping[str, Any]],
    *,
    proved: set[Text],
) -> None:
    """Words by words: how often they may stand on an account, how often they do, and who knows of it."""
    wanted = Counter((one.account, text) for one in expected for text in one.parts)
    got = Counter((post["account"], post["text"]) for post in posts)
    unproved = Counter((post["account"], post["text"]) for post in posts if (post["account"], post["id"]) not in proved)
    doubtful: Counter[Text] = Counter()
    for one in expected:
        delivery = told.get(one.key)
        if delivery is not None and delivery["state"] == "uncertain":
            doubtful[one.account, one.parts[len(delivery["receipts"])]] += 1
    for text, times in got.items():
        if times > wanted[text]:
            figures.double += times - wanted[text]
            figures.broken.append(f"{text} stands there {times} times instead of {wanted[text]}")
        if unproved[text] > doubtful[text]:
            figures.broken.append(f"{text}: the server has {unproved[text] - doubtful[text]} that nobody knows of")
