"""Faults that last: a fifth of the answers is lost, or a network never works again; nothing doubles or gets lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from campaign_cli import platforms
from campaign_cli.dispatch.retry import MAXIMUM_TRIES
from campaign_cli.models import State
from tests.fault_helpers import PATIENCE, Scene, Theatre, decide_as_a_person, open_theatre
from tests.fault_lines import AUTOMATIC, Sent, repeats

SINGLE, THREADS = 42, 6
pytestmark = pytest.mark.parametrize("platform", AUTOMATIC)


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """One stage for all scenes of this process."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


def queue_many(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Over fifty deliveries on one account, some with the same words where the network takes them, some threads.

    Gives the parts of each by name.
    """
    texts: dict[str, tuple[str, ...]] = {f"pos{number}": (f"Nomor {number:02}.",) for number in range(SINGLE)}
    texts |= {f"sama{number}": (f"Kata yang sama{_own(scene, number)}.",) for number in range(6)}
    if scene.adapter.threads:
        texts |= {f"utas{n}": tuple(f"Utas {n} bagian {part}." for part in range(3)) for n in range(THREADS)}
        texts |= {
            f"utassama{n}": tuple(f"Utas kembar{_own(scene, n)} bagian {part}." for part in range(2)) for n in range(2)
        }
    for post, parts in texts.items():
        scene.queue("akun", *parts, post=post)
    return {f"akun/{post}": parts for post, parts in texts.items()}


def _own(scene: Scene, number: int) -> str:
    """What makes a text one of its own, where it must be one."""
    return "" if repeats(scene.platform) else f" {number}"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fifth_of_the_answers_is_lost(tmp_path: Path, theatre: Theatre, platform: str, seed: int) -> None:
    """Nothing is out twice at any time; what can't be proved waits for a person, and after that everything is out."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        texts = queue_many(scene)
        wanted = Counter(part for parts in texts.values() for part in parts)
        scene.misbehave("akun", kind="accept-then-drop", share=0.2, seed=seed)
        wrong, decisions = scene.settle(), 0
        for _round in range(PATIENCE):
            assert doubles(scene, wanted) == {}
            if not (decided := decide_as_a_person(scene, texts)):
                break
            decisions += len(decided)
            wrong += scene.settle()
        assert wrong == []
        assert scene.server.state.faults["accept-then-drop"] > 0
        assert {text: len(scene.showing("akun", text)) for text in wanted} == wanted
        assert {one.state for one in scene.deliveries().values()} == {State.PUBLISHED}
        receipts = [receipt.id for one in scene.deliveries().values() for receipt in one.receipts]
        assert len(set(receipts)) == len(receipts) == wanted.total()
        assert (decisions > 0) is scene.adapter.proof.blind
        assert scene.leaks() == []
    finally:
        scene.close()


CHAOS: tuple[Mapping[str, Any], ...] = (
    {"kind": "429", "seconds": 20},
    {"kind": "503"},
    {"kind": "answer", "status": 502, "body": "html"},
    {"kind": "answer", "status": 429, "retry": "date", "seconds": 30},
    {"kind": "drop-before"},
    {"kind": "drop-half"},
    {"kind": "accept-then-drop"},
    {"kind": "accept-then-answer", "status": 504, "body": "empty"},
    {"kind": "accept-then-answer", "status": 200, "body": "nameless"},
    {"kind": "malformed"},
)
"""What strikes any request, also one that only reads; each with a share of its own."""


@pytest.mark.parametrize("seed", [5])
def test_a_day_on_which_nothing_works_well(tmp_path: Path, theatre: Theatre, platform: str, seed: int) -> None:
    """A third of all requests goes wrong in ten ways, look-ups and sign-ins too: nothing doubles, nothing is lost."""
    # Where a network counts by the day, each "too many requests" costs one.
    scene = Scene(tmp_path, theatre, platform, ["akun"], late_grace=timedelta(days=14))
    try:
        texts = queue_many(scene)
        wanted = Counter(part for parts in texts.values() for part in parts)
        for number, order in enumerate(CHAOS):
            scene.misbehave("akun", requests="any", share=0.04, seed=seed * 100 + number, **order)
        wrong = scene.settle(stay=timedelta(days=1))
        scene.server.app.faults.orders.clear()
        for _round in range(PATIENCE):
            assert doubles(scene, wanted) == {}
            if not decide_as_a_person(scene, texts):
                break
            wrong += scene.settle()
        assert wrong == []
        assert {text: len(scene.showing("akun", text)) for text in wanted} == wanted
        assert {one.state for one in scene.deliveries().values()} == {State.PUBLISHED}
    finally:
        scene.close()


def doubles(scene: Scene, wanted: Mapping[str, int]) -> dict[str, int]:
    """What is out more often than it was queued."""
    public = {text: len(scene.showing("akun", text)) for text in wanted}
    return {text: number for text, number in public.items() if number > wanted[text]}


@dataclass(frozen=True)
class Dead:
    """A network that never works again for creating requests, and the states in which deliveries may end there."""

    order: Mapping[str, Any]
    ends: frozenset[State]


DEAD = {
    "nobody listens": Dead({}, frozenset({State.FAILED, State.MISSED})),
    "throttled for ever": Dead({"kind": "429", "seconds": 30}, frozenset({State.FAILED, State.MISSED})),
    "throttled without a word": Dead({"kind": "answer", "status": 429}, frozenset({State.FAILED, State.MISSED})),
    "refuses everything": Dead({"kind": "refuse"}, frozenset({State.FAILED})),
    "out of order": Dead({"kind": "503"}, frozenset({State.FAILED, State.MISSED, State.UNCERTAIN})),
    "cuts everything": Dead({"kind": "drop-before"}, frozenset({State.FAILED, State.MISSED, State.UNCERTAIN})),
}


@pytest.mark.parametrize("name", DEAD)
def test_a_network_that_stays_dead_is_not_asked_for_ever(
    tmp_path: Path, theatre: Theatre, platform: str, name: str
) -> None:
    """A text, and a thread that breaks after its first part, end; each part asks to be created a bounded time."""
    dead, accounts = DEAD[name], ["teks", *(["utas"] if platforms.get(platform).threads else [])]
    scene = Scene(tmp_path, theatre, platform, accounts)
    try:
        for account in accounts:
            alive = int(account == "utas")  # creating requests that still work
            if dead.order:
                scene.misbehave(account, requests="creating", skip=alive, **dead.order)
            else:
                leads = partial(_nowhere, alive, f"http://127.0.0.1:{theatre.closed_port}/")
                scene.leads = {**scene.leads, account: leads}
        texts = {name: tuple(f"Ke {name} {part}." for part in range(3 if name == "utas" else 1)) for name in accounts}
        for account in accounts:
            scene.queue(account, *texts[account])
        assert scene.settle(stay=timedelta(days=1)) == []
        for account, delivery in ((account, scene.deliveries()[f"{account}/kabar"]) for account in accounts):
            assert delivery.state in dead.ends, delivery
            assert delivery.error
            assert sum(one.creating for one in scene.sent[account]) <= MAXIMUM_TRIES + 2
    finally:
        scene.close()


def _nowhere(alive: int, address: str, log: Sequence[Sent]) -> str | None:
    return address if log[-1].creating and sum(one.creating for one in log) > alive else None
