"""A disk that can't be written at the moment when the engine writes: nothing is sent without a trace, nor twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from promises_model import Orders
from universe import PROOFS, Universe

from campaign_cli.errors import LedgerError
from campaign_cli.models import State

pytestmark = pytest.mark.sqlite  # a connection that may only read stands in for the disk
EVERY = tuple(PROOFS)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Universe]:
    """A workspace on four networks: honoured keys, look-ups, both, neither."""
    made = Universe(tmp_path, leaving=lambda _address, _body: None)
    yield made
    made.close()


def queue(world: Universe, *, parts: int) -> None:
    """One post for each network, due now."""
    orders = Orders(world, ("upah",))
    orders.add("upah", EVERY, parts=parts, words="Upah layak", due=world.clock(), labels=())
    orders.queue("upah")


def read_only(world: Universe, worker: str) -> None:
    """From now on this process can't write its ledger."""
    with world.processes[worker].ledger.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")


def texts(world: Universe) -> dict[str, list[str]]:
    """What each network has."""
    return {name: network.texts(name) for name, network in world.networks.items()}


def states(world: Universe) -> dict[str, State]:
    """By account."""
    return {one.account: one.state for one in world.ledger.deliveries()}


def recover(world: Universe) -> None:
    """A process whose disk is well again, until nothing is to come."""
    for _pass in range(8):
        world.elapse(100)
        world.start("b:2")
        world.finish("b:2")


def test_a_claim_that_cannot_be_written_sends_nothing(world: Universe) -> None:
    """The disk is full before the claim: no request leaves, the pass ends with its error, and all goes out later."""
    queue(world, parts=1)
    world.start("a:1")
    read_only(world, "a:1")
    with pytest.raises(LedgerError):
        world.finish("a:1")
    assert texts(world) == {name: [] for name in EVERY}
    recover(world)
    assert texts(world) == {name: ["Upah layak 0"] for name in EVERY}


def test_an_outcome_that_cannot_be_written_is_looked_up_and_never_repeated(world: Universe) -> None:
    """The disk fills up while the requests are on the wire: what is out is adopted later, or left to a person where the
    network can't be asked, and is on each network once."""
    queue(world, parts=1)
    world.start("a:1")
    world.elapse(0.05)
    assert [len(network.on_the_way) for network in world.networks.values()] == [1] * 4
    read_only(world, "a:1")
    with pytest.raises(LedgerError):
        world.elapse(120)
    recover(world)
    assert texts(world) == {name: ["Upah layak 0"] for name in EVERY}
    asked = {name: State.PUBLISHED for name in EVERY if name != "buta"}
    assert states(world) == {**asked, "buta": State.UNCERTAIN}


def test_a_part_that_cannot_be_begun_does_not_leave(world: Universe) -> None:
    """The disk fills up in the middle of a thread: the next part waits until there is room, and no part goes twice."""
    queue(world, parts=3)
    world.start("a:1")
    world.elapse(0.25)  # the first part is out and kept, the second one on the wire
    read_only(world, "a:1")
    with pytest.raises(LedgerError):
        world.elapse(120)
    two = ["Upah layak 0", "Upah layak 1"]
    assert texts(world) == dict.fromkeys(EVERY, two)
    recover(world)
    whole = {name: [*two, "Upah layak 2"] for name in EVERY if name != "buta"}
    assert texts(world) == {**whole, "buta": two}
    assert states(world)["buta"] is State.UNCERTAIN


def test_a_person_settles_what_nobody_could_write(world: Universe) -> None:
    """Where the network can't be asked, the person's word is enough, and the thread goes on."""
    queue(world, parts=1)
    world.start("a:1")
    world.elapse(0.05)
    read_only(world, "a:1")
    with pytest.raises(LedgerError):
        world.elapse(120)
    recover(world)
    (left,) = world.ledger.deliveries(state=State.UNCERTAIN)
    world.ledger.resolve(left.key, published_url="https://fake.example/buta-1", actor="siti")
    recover(world)
    assert set(states(world).values()) == {State.PUBLISHED}
    assert world.ledger.next_wake() is None
