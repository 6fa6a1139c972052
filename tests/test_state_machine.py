"""Ledger and dispatchers against a model: whatever happens in whatever order, nothing is sent twice, changed or lost.

The model is what each network really has, and what a person has ordered. `make test` runs a short form;
``pytest tests/test_state_machine.py --hypothesis-profile=soak`` a long one.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from backends import place
from dispatch_helpers import START
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from promises_model import APPROVED, Item, Orders, Truth
from universe import PROOFS, Universe

from campaign_cli.errors import InputError
from campaign_cli.ledger import Delivery, Hold, open_ledger
from campaign_cli.models import Receipt, State

WORKERS = ("a:1", "b:2", "c:3")
CAMPAIGNS = ("upah", "k3")
PEOPLE = ("ani", "budi")
LABELS = ("tuntutan", "aksi")
FAULTS = ("drop", "502-after", "hang-after", "lost", "503", "hang", "429", "down", "refuse")
SAME = "Kata yang sama."
_few = st.integers(0, 40)
_faults = st.lists(
    st.tuples(st.sampled_from(FAULTS), st.sampled_from([0, 0.1, 1, 8]), st.sampled_from([0, 0.1, 8, 28])),
    min_size=1,
    max_size=4,
)


@cache
def template() -> Path:
    """A new ledger, made once: to copy it is quicker than to make it."""
    root = Path(tempfile.mkdtemp(prefix="campaign-template-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    open_ledger(root, clock=lambda: START).close()
    return root


class Machine(RuleBasedStateMachine):
    """One life of a workspace."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="campaign-machine-"))
        if not place(self.root):
            shutil.copytree(template() / ".campaign", self.root / ".campaign")
        self.world = self._world()
        self.orders = self._orders()
        self.truth = Truth(self.world)
        self.holds: list[Hold] = []  # open, and past every gate

    def _world(self) -> Universe:
        return Universe(self.root, leaving=self._leaving)

    def _orders(self) -> Orders:
        return Orders(self.world, CAMPAIGNS)

    @initialize(parts=st.sampled_from([1, 3]), same=st.sampled_from(tuple(PROOFS)))
    def begin(self, parts: int, same: str) -> None:
        """Something is due on every network, a thread and the same words twice among it."""
        now = self.world.clock()
        every = list(PROOFS)
        for text, accounts in (("", every), ("", every), (SAME, [same]), (SAME, [same])):
            self.orders.add(CAMPAIGNS[0], accounts, parts=parts, words=text, due=now, labels=())
        self._queue(CAMPAIGNS[0])

    # What goes on by itself.

    @rule(worker=st.sampled_from(WORKERS), night=st.sampled_from([None, None, 20, 150]))
    def start(self, worker: str, night: int | None) -> None:
        if worker not in self.world.processes:
            self.world.start(worker, until=None if night is None else timedelta(seconds=night))

    @rule(
        workers=st.lists(st.sampled_from(WORKERS), min_size=1, max_size=2, unique=True),
        network=st.sampled_from(tuple(PROOFS)),
        faults=_faults,
        steps=st.integers(1, 60),
        seconds=st.sampled_from([0, 0, 0.15, 0.3, 2, 9]),
        kill=st.booleans(),
    )
    def pass_in_trouble(
        self, workers: list[str], network: str, faults: list[Any], steps: int, seconds: float, kill: bool
    ) -> None:
        self.network_misbehaves(network, faults)
        for worker in workers:
            self.start(worker, None)
        self.world.step(steps)
        self.world.elapse(seconds)
        if kill:
            self.world.kill(workers[0])

    @rule(steps=st.integers(1, 60))
    def go_on(self, steps: int) -> None:
        self.world.step(steps)

    @rule(worker=st.sampled_from(WORKERS))
    def pass_to_its_end(self, worker: str) -> None:
        self.start(worker, None)
        self.world.finish(worker)

    @rule(worker=st.sampled_from(WORKERS), steps=st.integers(0, 60))
    def killed(self, worker: str, steps: int) -> None:
        self.world.step(steps)
        self.world.kill(worker)

    @rule(seconds=st.sampled_from([0.05, 0.15, 1, 3, 10, 40, 95, 100, 300]))
    def time_passes(self, seconds: float) -> None:
        self.world.elapse(seconds)

    @rule(seconds=st.sampled_from([60, 100, 100, 1000, 3 * 86400]))
    def machine_sleeps(self, seconds: int) -> None:
        self.world.jump(sleep=timedelta(seconds=seconds))

    @rule(hours=st.sampled_from([-1, 1]))
    def clock_is_set(self, hours: int) -> None:
        if abs(self.world.clock.error + timedelta(hours=hours)) <= timedelta(hours=1):
            self.world.jump(error=timedelta(hours=hours))
            self.truth.set_clock = True

    @rule(
        network=st.sampled_from(tuple(PROOFS)),
        faults=_faults,
    )
    def network_misbehaves(self, network: str, faults: list[tuple[str, float, float]]) -> None:
        self.world.networks[network].script.extend(faults)

    @rule(network=st.sampled_from(tuple(PROOFS)), searchable=st.booleans(), complete=st.booleans())
    def search_changes(self, network: str, searchable: bool, complete: bool) -> None:
        self.world.networks[network].searchable = searchable
        self.world.networks[network].complete = complete

    # What people do.

    @rule(
        campaign=st.sampled_from(CAMPAIGNS),
        accounts=st.lists(st.sampled_from(tuple(PROOFS)), min_size=1, max_size=3, unique=True),
        number=st.integers(1, 8),
        parts=st.sampled_from([1, 1, 3]),
        words=st.sampled_from(["", "", SAME]),
        minutes=st.sampled_from([0, 0, 0, 0, 4, 40]),
        labels=st.lists(st.sampled_from(LABELS), max_size=1),
        embargo=st.sampled_from([None, None, None, 0, 3, 70]),
    )
    def queue_new(  # noqa: PLR0917 - drawn by name
        self,
        campaign: str,
        accounts: list[str],
        number: int,
        parts: int,
        words: str,
        minutes: int,
        labels: list[str],
        embargo: int | None,
    ) -> None:
        due = self.world.clock() + timedelta(minutes=minutes)
        until = None if embargo is None else due + timedelta(minutes=embargo)
        for _one in range(number):
            self.orders.add(campaign, accounts, parts=parts, words=words, due=due, labels=tuple(labels), embargo=until)
        self._queue(campaign)

    @precondition(lambda self: self.orders.items)
    @rule(which=_few, minutes=st.sampled_from([None, -20, 5, 45]), words=st.booleans())
    def queue_changed(self, which: int, minutes: int | None, words: bool) -> None:
        item = self._pick(which)
        self.orders.change(item, words=words, shift=timedelta(minutes=minutes) if minutes else None)
        self._queue(item.campaign)

    @precondition(lambda self: self.orders.items)
    @rule(which=_few)
    def queue_removed(self, which: int) -> None:
        item = self._pick(which)
        self.orders.remove(item)
        self._queue(item.campaign)

    @precondition(lambda self: self.orders.items)
    @rule(which=_few)
    def queue_renamed(self, which: int) -> None:
        item = self._pick(which)
        self.orders.rename(item)
        self._queue(item.campaign)

    @rule(
        campaign=st.sampled_from([None, *CAMPAIGNS]),
        account=st.sampled_from([None, None, *PROOFS]),
        label=st.sampled_from([None, None, None, *LABELS]),
        wait=st.booleans(),
    )
    def hold(self, campaign: str | None, account: str | None, label: str | None, wait: bool) -> None:
        opened = self.world.ledger.hold(campaign=campaign, account=account, label=label, reason="uji", actor="siti")
        self.world.step(60)  # what had passed the gate before leaves now
        self.holds.append(opened)
        for _second in range(92 if wait else 0):
            if not self.world.ledger.covered_in_flight(opened):
                break
            self.world.elapse(1)

    @rule(scope=st.sampled_from(["campaign", "account", "label", "all"]), which=_few, parts=st.sampled_from([1, 3]))
    def hold_in_the_middle(self, scope: str, which: int, parts: int) -> None:
        """Something new is on its way, a hold comes, and others go on sending."""
        campaign, label, account = CAMPAIGNS[which % 2], LABELS[which % 2], tuple(PROOFS)[which % 4]
        due = self.world.clock()
        for _one in range(3):
            self.orders.add(campaign, list(PROOFS), parts=parts, words="", due=due, labels=(label,))
        self.orders.queue(campaign)
        self.start(WORKERS[0], None)
        self.world.step(which)
        scopes: dict[str, Any] = {"campaign": campaign, "label": label, "account": account}
        only = {name: value if scope == name else None for name, value in scopes.items()}
        self.hold(**only, wait=True)
        self.lawful()
        self.world.kill(WORKERS[0])
        self.pass_to_its_end(WORKERS[1])

    @precondition(lambda self: self.holds)
    @rule(which=_few, answer=st.sampled_from(["now", "skip", timedelta(minutes=40), None]))
    def release(self, which: int, answer: Any) -> None:
        hold = self.holds.pop(which % len(self.holds))
        ledger = self.world.ledger
        late = ledger.late_after_release([hold.id])
        answers = {} if answer is None else {one.key: answer for one in late}
        ledger.release([hold.id], actor="siti", late=answers)

    @rule(which=_few)
    def cancel(self, which: int) -> None:
        self._on_one(which, State.WAITING, lambda key: self.world.ledger.cancel([key], actor="siti"))

    @rule(which=_few, minutes=st.sampled_from([None, 10]))
    def retry(self, which: int, minutes: int | None) -> None:
        at = None if minutes is None else self.world.clock() + timedelta(minutes=minutes)
        again = (State.FAILED, State.MISSED, State.CANCELLED)
        self._on_one(which, again, lambda key: self.world.ledger.retry([key], actor="siti", at=at))

    @rule(which=_few, name=st.sampled_from(PEOPLE), everything=st.booleans())
    def approve(self, which: int, name: str, everything: bool) -> None:
        """A person approves one delivery, or all that wait, as they are now."""
        waiting = [one for one in self.world.ledger.deliveries(state=State.WAITING) if not one.receipts]
        first = which % len(waiting) if waiting else 0
        for one in waiting if everything else waiting[first : first + 1]:
            self.orders.approve(one.key, name)

    @rule(which=_few, name=st.sampled_from(PEOPLE))
    def withdraw(self, which: int, name: str) -> None:
        states = (State.WAITING, State.SENDING, State.UNCERTAIN, State.FAILED)
        self._on_one(which, states, lambda key: self.orders.withdraw(key, name))

    @rule(which=_few, name=st.sampled_from(PEOPLE), steps=st.integers(0, 20))
    def withdraw_in_the_middle(self, which: int, name: str, steps: int) -> None:
        """What needs approvals is on its way, and one of them is taken back."""
        self.orders.add(CAMPAIGNS[1], list(PROOFS), parts=1, words="", due=self.world.clock(), labels=())
        self._queue(CAMPAIGNS[1])
        for person in PEOPLE:
            self.approve(0, person, True)
        self.start(WORKERS[0], None)
        self.world.step(steps)
        self.withdraw(which, name)
        self.world.step(steps)

    @rule(words=st.booleans(), back=st.booleans(), steps=st.integers(0, 20))
    def changed_after_approval(self, words: bool, back: bool, steps: int) -> None:
        """What everybody has approved is edited, or moved, and queued; and maybe edited back."""
        now = self.world.clock()
        self.orders.add(CAMPAIGNS[1], list(PROOFS), parts=1, words="", due=now, labels=())
        item = self.orders.items[-1]
        texts, due = item.texts, item.due
        self._queue(CAMPAIGNS[1])
        for person in PEOPLE:
            self.approve(0, person, True)
        self.orders.change(item, words=words, shift=None if words else -timedelta(minutes=1))
        self._queue(CAMPAIGNS[1])
        if back:
            item.texts, item.due = texts, due
            self._queue(CAMPAIGNS[1])
        self.start(WORKERS[1], None)
        self.world.step(steps)
        self.lawful()

    @rule(which=_few, with_id=st.booleans())
    def resolve(self, which: int, with_id: bool) -> None:
        """A person who looks at the account first, when nothing is on its way there any more."""

        def tell(key: str) -> None:
            if self.truth.on_the_way(key):
                return
            post = self.truth.unproved(key)
            url = None if post is None else f"https://fake.example/{post['id']}"
            known = None if post is None else Receipt(part=0, id=post["id"], url=url, at=post["at"])
            try:
                self.world.ledger.resolve(
                    key,
                    published_url=url,
                    receipt=known if with_id else None,
                    not_published=url is None,
                    actor="siti",
                )
            except InputError:
                held = self.world.ledger.delivery(key)
                assert held is not None
                assert held.lease_until is not None
                assert held.lease_until > self.world.clock()

        self._on_one(which, State.UNCERTAIN, tell)

    @rule(network=st.sampled_from(tuple(PROOFS)), address=st.sampled_from(["", "pindah"]))
    def address_changes(self, network: str, address: str) -> None:
        self.world.accounts[network] = self.world.account(network, address=address)
        self.truth.moved |= bool(address)

    # What must be so, whatever happened.

    @invariant()
    def lawful(self) -> None:
        self.truth.check()
        assert self.truth.keys == self.orders.keys

    def teardown(self) -> None:
        try:
            self._come_to_rest()
        finally:
            self.world.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def _come_to_rest(self) -> None:
        """Release everything, heal everything, and let passes run until nothing is to come."""
        world = self.world
        for network in world.networks.values():
            network.script.clear()
            network.searchable = network.complete = True
        for name in PROOFS:
            world.accounts[name] = world.account(name)
        while self.holds:
            self.release(0, "now")
        patience = 1.0
        for _pass in range(200):
            before = world.clock()
            for person in PEOPLE:
                self.approve(0, person, True)
            self.pass_to_its_end(WORKERS[0])
            self.lawful()
            wake = world.ledger.next_wake()
            if wake is None and self._quiet():
                break
            ahead = (wake - world.clock()).total_seconds() if wake else 0.0
            patience = (
                1.0 if ahead > 0 else min(patience * 2, 3600.0)
            )  # what is due may wait for the leases of the dead
            world.elapse(max(ahead, patience))
            assert world.clock() > before
        else:
            raise AssertionError([(one.key, one.state, one.next_try) for one in world.ledger.deliveries()])
        self.truth.check_end()

    def _quiet(self) -> bool:
        """Nobody is at work, and nothing waits for people who could have been asked."""
        return not self.world.processes

    def _leaving(self, address: str, body: Mapping[str, Any]) -> None:
        """A creating request leaves: no open hold covers it, and it is on disk."""
        key = self.truth.leaving(address, body)
        delivery = self.world.ledger.delivery(key)
        assert delivery is not None
        self._cleared(delivery)
        for hold in self.holds:
            scope = (hold.campaign in (None, delivery.campaign), hold.account in (None, delivery.account))
            assert not (all(scope) and (hold.label is None or hold.label in delivery.labels)), (key, hold)

    def _cleared(self, delivery: Delivery) -> None:
        """As many people as its campaign asks for approved this very content, and the true time is past its embargo."""
        if not delivery.receipts:
            content, given = delivery.content_hash, self.orders.given.get(delivery.key, ())
            assert len({name for name, what in given if what == content}) >= APPROVED.get(delivery.campaign, 0), (
                delivery
            )
        assert delivery.embargo is None or self.world.clock.true() >= delivery.embargo, delivery

    def _queue(self, campaign: str) -> None:
        self.orders.queue(campaign)

    def _pick(self, which: int) -> Item:
        return self.orders.items[which % len(self.orders.items)]

    def _on_one(self, which: int, state: State | tuple[State, ...], work: Callable[[str], Any]) -> None:
        states = [state] if isinstance(state, State) else list(state)
        found = self.world.ledger.deliveries(state=states)
        if found:
            work(found[which % len(found)].key)


class TestMachine(Machine.TestCase):  # type: ignore[misc, valid-type]
    """The machine as a test."""


_soak = settings.get_current_profile_name() == "soak"
TestMachine.settings = settings(
    max_examples=3000 if _soak else 20, stateful_step_count=80 if _soak else 40, deadline=None, derandomize=not _soak
)
