"""The soak's own judgement: what it must call lost, double or unknown, and what it must let pass."""

from __future__ import annotations

from typing import Any

import pytest
from soak.compare import Figures, compare
from soak.network import KEY_SECONDS, Network
from soak.workspace import TWIN, Expected

SINGLE = Expected("soak/p0/readable1", "readable1", ("Kabar.",))
TWINS = [Expected(f"soak/sama{name}/readable1", "readable1", (TWIN,)) for name in "ab"]
THREAD = Expected("soak/u0/blind1", "blind1", ("Satu.", "Dua."))


def told(expected: Expected, state: str, *ids: str) -> dict[str, Any]:
    """A delivery as `campaign status --json` tells it."""
    receipts = [{"id": identifier} for identifier in ids]
    return {"key": expected.key, "account": expected.account, "state": state, "receipts": receipts, "error": None}


def got(account: str, identifier: str, text: str, *, parent: str | None = None) -> dict[str, Any]:
    """A post as the server tells it."""
    return {"account": account, "id": identifier, "text": text, "parent": parent, "media": []}


def verdict(figures: Figures) -> tuple[int, int, int]:
    """Lost, double, findings."""
    return figures.lost, figures.double, len(figures.broken)


def test_everything_once_is_no_finding() -> None:
    """Published with a post behind each receipt, and the same words as often as they were queued."""
    deliveries = [told(SINGLE, "published", "1"), *(told(one, "published", str(n)) for n, one in enumerate(TWINS, 2))]
    posts = [got("readable1", "1", "Kabar."), got("readable1", "2", TWIN), got("readable1", "3", TWIN)]
    figures = compare([SINGLE, *TWINS], deliveries, posts)
    assert (verdict(figures), figures.published) == ((0, 0, 0), 3)


def test_words_that_stand_there_too_often_are_double() -> None:
    """A third post of two twins is a double that no delivery knows of."""
    deliveries = [told(one, "published", str(n)) for n, one in enumerate(TWINS)]
    posts = [got("readable1", str(n), TWIN) for n in range(3)]
    assert verdict(compare(TWINS, deliveries, posts)) == (0, 1, 2)


@pytest.mark.parametrize("posts", [[], [got("readable1", "1", "Lain.")], [got("readable2", "1", "Kabar.")]])
def test_a_receipt_without_its_post_is_lost(posts: list[dict[str, Any]]) -> None:
    """The ledger says published, and the server never got it, or got something else."""
    figures = compare([SINGLE], [told(SINGLE, "published", "1")], posts)
    assert (figures.lost, figures.published) == (1, 0)


@pytest.mark.parametrize("state", ["waiting", "sending", "failed", "missed", "cancelled", "uncertain"])
def test_what_did_not_end_is_lost(state: str) -> None:
    """In the end, whatever can be asked is published; anything else was dropped."""
    assert verdict(compare([SINGLE], [told(SINGLE, state)], [])) == (1, 0, 1)


def test_a_delivery_that_is_gone_is_lost() -> None:
    """What was queued stays in the ledger."""
    assert verdict(compare([SINGLE], [], [])) == (1, 0, 1)


@pytest.mark.parametrize("arrived", [[], [got("blind1", "2", "Dua.", parent="1")]])
def test_doubt_is_no_finding_where_nobody_can_ask(arrived: list[dict[str, Any]]) -> None:
    """A thread whose second part is in doubt is uncertain, whether that part arrived or not."""
    posts = [got("blind1", "1", "Satu."), *arrived]
    figures = compare([THREAD], [told(THREAD, "uncertain", "1")], posts)
    assert (verdict(figures), figures.uncertain) == ((0, 0, 0), 1)


def test_a_post_that_nobody_knows_of_is_a_finding() -> None:
    """The server has a part, and its delivery neither proves nor doubts it."""
    deliveries = [told(THREAD, "failed", "1")]
    posts = [got("blind1", "1", "Satu."), got("blind1", "2", "Dua.", parent="1")]
    assert verdict(compare([THREAD], deliveries, posts)) == (1, 0, 2)


def test_a_thread_out_of_order_is_lost() -> None:
    """A later part answers to the part before it."""
    posts = [got("blind1", "1", "Satu."), got("blind1", "2", "Dua.")]
    assert compare([THREAD], [told(THREAD, "published", "1", "2")], posts).lost == 1


def test_only_mastodon_itself_honours_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key gives the first post for an hour, and on a compatible server a second one."""
    now = 1_800_000_000.0
    monkeypatch.setattr("soak.network.time.time", lambda: now)
    network = Network()
    for account in ("keys1", "readable1"):
        for _time in range(2):
            network.accept(account, text="Kabar.", key="k")
    now += KEY_SECONDS
    network.accept("keys1", text="Kabar.", key="k")
    assert [len(network.own(account)) for account in ("keys1", "readable1")] == [2, 2]


def test_figures_survive_the_file_of_progress() -> None:
    """What a batch showed is read back as it was written."""
    figures = Figures(deliveries=3, published=2, broken=["words"])
    figures.kills["mid-thread"] += 2
    whole = Figures()
    whole.add(Figures.from_json(figures.as_json()))
    assert whole == figures
