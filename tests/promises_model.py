"""The model behind the state machine: what people ordered, and what the networks really have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from universe import GRACE, PROOFS, Universe

from campaign_cli.accounts import Workspace
from campaign_cli.content.variants import Choices
from campaign_cli.ledger import Delivery, Event, schema
from campaign_cli.ledger.approved import Consent, Seen
from campaign_cli.ledger.queueing import changes, difference
from campaign_cli.ledger.values import ADOPTED
from campaign_cli.models import Draft, Part, Problem, Receipt, State, delivery_key
from campaign_cli.plan import LoadedPlan, Planned
from campaign_cli.plan.load import plan_of
from campaign_cli.source import read_text

PLAN = "campaign: {name}\ntimezone: WIB\nlanguage: id\naccounts: [cari]\nposts: [{{id: a, at: H-1 08:00, text: a}}]\n"
APPROVED = {"k3": 2}
"""How many people must approve what a campaign says."""
OVER = (State.PUBLISHED, State.FAILED, State.MISSED, State.CANCELLED)


@dataclass(eq=False)
class Item:
    """A post of a plan."""

    campaign: str
    post: str
    accounts: Sequence[str]
    texts: tuple[str, ...]
    due: datetime
    labels: tuple[str, ...]
    embargo: datetime | None = None


@dataclass
class Orders:
    """The plans as they are written, and queueing them; ``keys`` is every delivery that was ever queued.

    ``given`` has, by delivery, who approved which content, and has not taken it back. Plans of ``APPROVED`` ask for it.
    """

    world: Universe
    campaigns: Sequence[str]
    items: list[Item] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    given: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    _numbers: int = 0

    def __post_init__(self) -> None:
        self._plans = {name: self._plan(name) for name in self.campaigns}

    def _plan(self, name: str) -> LoadedPlan:
        asked = f"approval: {APPROVED.get(name, 0)}\n"
        asked += "author: ani\n" if self.world.rules.other_approver else ""
        text = (asked + PLAN.format(name=name).replace("H-1", "2027-01-01")).encode()
        workspace = Workspace(root=self.world.root, accounts=self.world.accounts, rules=self.world.rules)
        loaded, _problems = plan_of(read_text(text, shown="plan.yaml"), Path("plan.yaml"), workspace)
        assert loaded is not None
        return loaded

    def add(
        self,
        campaign: str,
        accounts: Sequence[str],
        *,
        parts: int,
        words: str,
        due: datetime,
        labels: tuple[str, ...],
        embargo: datetime | None = None,
    ) -> None:
        """Another post; without ``words``, with words that no other has."""
        post = self._name()
        texts = tuple(f"{words or post} {part}" for part in range(parts))
        self.items.append(Item(campaign, post, accounts, texts, due, labels, embargo))

    def change(self, item: Item, *, words: bool, shift: timedelta | None) -> None:
        """Other words, another time."""
        if words:
            item.texts = tuple(f"{self._name()} {part}" for part, _text in enumerate(item.texts))
        if shift is not None:
            item.due += shift

    def approve(self, key: str, name: str) -> None:
        """Somebody looks at what the ledger has, and says yes to it."""
        delivery = self.world.ledger.delivery(key)
        assert delivery is not None
        seen = Seen(key=key, content_hash=delivery.content_hash, due=delivery.due)
        self.world.ledger.approve(Consent(name=name, at=self.world.clock(), seen=(seen,)), actor=name)
        self.given.setdefault(key, set()).add((name, delivery.content_hash))

    def withdraw(self, key: str, name: str) -> None:
        """Somebody takes back what they approved of it, whatever it said then."""
        delivery = self.world.ledger.delivery(key)
        assert delivery is not None
        self.world.ledger.withdraw_approval([key], name=name, actor=name)
        self.world.step(60)  # what had passed the gate before leaves now
        if not delivery.receipts:
            self.given[key] = {one for one in self.given.get(key, set()) if one[0] != name}

    def remove(self, item: Item) -> None:
        """The plan loses it."""
        self.items.remove(item)

    def rename(self, item: Item) -> None:
        """The same post under a name that is new."""
        item.post = self._name()

    def _name(self) -> str:
        self._numbers += 1
        return f"p{self._numbers}"

    def queue(self, campaign: str) -> None:
        """What ``campaign queue --yes --skip-past`` does."""
        loaded, ledger = self._plans[campaign], self.world.ledger
        planned = self._planned(campaign, loaded)
        before = {one.key: one for one in ledger.deliveries(campaign=campaign, with_drafts=True)}
        found = difference(loaded, planned, _Drawing(self, loaded), ledger, now=self.world.clock(), skip_past=True)
        applied = ledger.apply(changes(found, media=lambda _sha256: b""), actor="siti")
        assert applied.skipped == ()  # nobody else came between
        self.keys -= {move.old_key for move in found.moved}
        for move in found.moved:
            self.given.pop(move.old_key, None)
        self.keys |= {new.key for new in found.new} | {move.delivery.key for move in found.moved}
        after = {one.key: one for one in ledger.deliveries(campaign=campaign, with_drafts=True)}
        names = {move.delivery.key: move.old_key for move in found.moved}
        for key, delivery in after.items():
            old = before.get(names.get(key, key))
            if old is not None and (old.receipts or old.state in (State.SENDING, State.UNCERTAIN, State.PUBLISHED)):
                same = (old.state, old.content_hash, old.draft_json, old.receipts, old.due)
                now = (delivery.state, delivery.content_hash, delivery.draft_json, delivery.receipts, delivery.due)
                assert same == now, key
        for new in (*found.new, *found.changed):
            assert (after[new.key].draft_json, after[new.key].due) == (new.draft_json, new.due)

    def _planned(self, campaign: str, loaded: LoadedPlan) -> list[Planned]:
        planned: list[Planned] = []
        for item in self.items:
            post = loaded.plan.posts[0].model_copy(update={"id": item.post, "labels": item.labels, "repeat": True})
            for account in item.accounts if item.campaign == campaign else ():
                one = Planned(
                    key=delivery_key(campaign, item.post, account),
                    campaign=campaign,
                    post_id=item.post,
                    index=0,
                    order=len(planned),
                    account=self.world.accounts[account],
                    due=item.due,
                    zone=loaded.zone,
                    recurring=False,
                    post=post,
                    embargo=item.embargo,
                )
                planned.append(one)
        return planned

    def item(self, post: str) -> Item:
        """The post of this name."""
        return next(item for item in self.items if item.post == post)


class _Drawing:
    """What the comparison needs of the renderer."""

    media = None

    def __init__(self, orders: Orders, loaded: LoadedPlan) -> None:
        self._orders = orders
        self.choices = Choices(loaded)

    def draft(self, planned: Planned) -> tuple[Draft | None, list[Problem]]:
        account = planned.account.name
        draft = Draft(
            platform=account,
            account=account,
            address=self._orders.world.address(account),
            language="id",
            parts=tuple(Part(text=text) for text in self._orders.item(planned.post_id).texts),
        )
        return draft, []

    def input_hash(self, planned: Planned) -> str:
        draft, _problems = self.draft(planned)
        assert draft is not None
        return draft.content_hash(planned.due)


class Truth:
    """What the networks have, held against what the ledger says."""

    def __init__(self, world: Universe) -> None:
        self.world = world
        self.moved = False  # an account's address was another one once
        self.set_clock = False  # the clock of our machines was set once
        self.keys: set[str] = set()
        self._seen = 0  # the last event that was looked at
        self._may_be: dict[str, set[str]] = {}  # by the events, the states that a delivery can be in
        self._told: Counter[tuple[str, str]] = Counter()
        self._proved: dict[str, Delivery] = {}  # as it was when it had this receipt first

    def attempts(self) -> dict[str, tuple[str, int]]:
        """Attempt key → delivery and part."""
        table = schema.attempts.c
        with self.world.ledger.reading() as connection:
            rows = connection.execute(select(table.attempt_key, table.delivery, table.part))
            return {row.attempt_key: (row.delivery, row.part) for row in rows}

    def leaving(self, address: str, body: Mapping[str, Any]) -> str:
        """The delivery of a request that leaves now: it is on disk, ours to send, and for this address."""
        key, part = self.attempts()[body["key"]]
        delivery = self.world.ledger.delivery(key)
        assert delivery is not None
        assert delivery.state in (State.SENDING, State.UNCERTAIN), delivery
        assert delivery.address == address
        assert body["text"] == delivery.draft.parts[part].text
        assert body["after"] == [receipt.id for receipt in delivery.receipts]
        return key

    def on_the_way(self, key: str) -> bool:
        """Something of the delivery has left and not arrived."""
        known = self.attempts()
        going = [one.body["key"] for network in self.world.networks.values() for one in network.on_the_way]
        return any(known[one][0] == key for one in going)

    def unproved(self, key: str) -> dict[str, Any] | None:
        """The post of the first part without a receipt, where the network has it."""
        delivery = self.world.ledger.delivery(key)
        assert delivery is not None
        part = min(set(range(delivery.parts)) - {receipt.part for receipt in delivery.receipts})
        known, taken = self.attempts(), self.world.ledger.remote_ids(delivery.address)
        return next(
            (
                post
                for post in self.world.networks[delivery.account].posts[delivery.account]
                if known[post["key"]] == (key, part) and post["id"] not in taken
            ),
            None,
        )

    def check(self) -> None:
        """Everything that must hold at every moment."""
        deliveries = self.world.ledger.deliveries(with_drafts=True)
        self.keys = {one.key for one in deliveries}
        self._follow(self.world.ledger.events(), {one.key: one for one in deliveries})
        self._no_double(deliveries)
        for delivery in deliveries:
            assert delivery.state.value in self._may_be[delivery.key], (delivery, self._may_be[delivery.key])
            self._frozen(delivery)
            self._receipts(delivery)
        states = [notice for notice in self.world.told.notices if notice.kind is not State.WAITING]  # not approved
        told = Counter((notice.key, notice.kind.value) for notice in states)
        assert all(self._told[one] >= number for one, number in told.items())

    def _follow(self, events: list[Event], deliveries: Mapping[str, Delivery]) -> None:
        """Each change of state has its event; what a claim took was due, and not too late."""
        for event in events:
            if event.id <= self._seen or event.key is None:
                continue
            self._seen = event.id
            self._told[event.key, event.kind] += 1
            if event.kind == "moved" and "from" in event.data:
                old = event.data["from"]
                self._may_be[event.key] = self._may_be.pop(old) | {State.WAITING.value}
                if old in self._proved:
                    self._proved[event.key] = self._proved.pop(old)
                for kind in State:
                    self._told[event.key, kind.value] += self._told[old, kind.value]
            elif event.kind in ("queued", "retried"):
                self._may_be[event.key] = {State.WAITING.value}
            elif event.kind == "changed":
                self._may_be[event.key] = {State.WAITING.value, event.data["was"]}
            elif event.kind == "resolved":
                first = State.PUBLISHED if event.data["published"] else State.MISSED
                self._may_be[event.key] = {first.value, State.WAITING.value, State.FAILED.value}
            elif event.kind in {state.value for state in State}:
                self._may_be[event.key] = {event.kind}
            if event.kind == State.SENDING.value and event.key in deliveries:
                delivery = deliveries[event.key]
                begun = delivery.parts > 1 and bool(delivery.receipts)
                if delivery.state is State.SENDING:
                    assert event.at >= delivery.due
                    assert begun or delivery.embargo or event.at - delivery.due <= GRACE

    def _no_double(self, deliveries: list[Delivery]) -> None:
        """No network has a part twice; of the same words, none has more than there are deliveries that say them."""
        known = self.attempts()
        said = Counter((one.account, part.text) for one in deliveries for part in one.draft.parts)
        for account, network in self.world.networks.items():
            posts = network.posts[account]
            for text, number in Counter(post["text"] for post in posts).items():
                assert number <= said[account, text], (account, text, posts)
            for (key, part), number in Counter(known[post["key"]] for post in posts).items():
                if said[account, next(post["text"] for post in posts if known[post["key"]] == (key, part))] == 1:
                    assert number == 1, (key, part)

    def _frozen(self, delivery: Delivery) -> None:
        """What is out stays as it was, but for a post that a look-up had taken from another by its words."""
        old = self._proved.get(delivery.key)
        if old is not None:
            given_back = delivery.state is State.UNCERTAIN and any(ADOPTED in one.extra for one in old.receipts)
            if given_back and not delivery.receipts:
                del self._proved[delivery.key]
                return
            assert delivery.receipts[: len(old.receipts)] == old.receipts, delivery.key
            assert delivery.draft_json == old.draft_json
            if old.state is State.PUBLISHED and delivery.state is State.PUBLISHED:
                assert (delivery.content_hash, delivery.due) == (old.content_hash, old.due)
            assert old.state is not State.PUBLISHED or delivery.state is State.PUBLISHED
        if delivery.receipts:
            self._proved[delivery.key] = delivery

    def _receipts(self, delivery: Delivery) -> None:
        """Each receipt is a post that the network has, with the words of its part; the published have all of them."""
        network = self.world.networks[delivery.account]
        for receipt in delivery.receipts:
            assert self._words(network.posts[delivery.account], receipt) == delivery.draft.parts[receipt.part].text
        if delivery.state is State.PUBLISHED:
            assert [receipt.part for receipt in delivery.receipts] == list(range(delivery.parts))

    def _words(self, posts: list[dict[str, Any]], receipt: Receipt) -> str | None:
        return next((post["text"] for post in posts if post["id"] == receipt.id.rsplit("/", 1)[-1]), None)

    def check_end(self) -> None:
        """When everything is quiet: each delivery has an end that agrees with its network, and nothing is forgotten."""
        deliveries = self.world.ledger.deliveries(with_drafts=True)
        said = Counter((one.account, part.text) for one in deliveries for part in one.draft.parts)
        there: dict[tuple[str, str], int] = Counter(
            (account, post["text"])
            for account, network in self.world.networks.items()
            for post in network.posts[account]
        )
        proofs: dict[tuple[str, str], int] = defaultdict(int)
        doubtful: set[tuple[str, str]] = set()
        for one in deliveries:
            for receipt in one.receipts:
                proofs[one.account, one.draft.parts[receipt.part].text] += 1
            if one.state is State.UNCERTAIN:
                assert one.error
                assert one.next_try is None
                doubtful |= {(one.account, part.text) for part in one.draft.parts}
                alike = max(said[one.account, part.text] for part in one.draft.parts)
                hidden = self.set_clock and "the clock may have been wrong" in one.error
                assert not PROOFS[one.account].look_up or self.moved or hidden or alike > 1, one
            else:
                assert one.state in OVER, one
        for words in there.keys() | proofs.keys():
            assert there[words] == proofs[words] or words in doubtful, words
