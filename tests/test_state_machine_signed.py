"""The same model with signatures: nothing is sent without the approvals of exactly this content, signed with keys that
the file of the approvers gives to those people now, and by more than its author."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from paper_signatures import FILE, Paper, public_key, signature_by, write_approvers
from promises_model import APPROVED, Orders
from sqlalchemy import insert
from test_state_machine import CAMPAIGNS, PEOPLE, WORKERS, Machine, _few, _soak
from universe import PROOFS, Universe

from campaign_cli.accounts import Rules
from campaign_cli.errors import InputError
from campaign_cli.ledger import Delivery, schema
from campaign_cli.ledger.approved import Consent, Seen, statement, text_to_sign
from campaign_cli.models import State
from campaign_cli.signatures import key_of

AUTHOR = "ani"
RULES = Rules(approvers=FILE, other_approver=True)
KEYS = (*PEOPLE, "budi-baru", "orang")
"""Names of keys: one of each person, a new one, and one that nobody knows."""

Given = tuple[str, str, bytes]  # who approved which content, and with which key


class SignedOrders(Orders):
    """People approve with signatures; ``signed`` has, by delivery, those that were not taken back."""

    def __init__(self, world: Universe) -> None:
        super().__init__(world, CAMPAIGNS)
        self.signed: dict[str, set[Given]] = {}
        self.keys_of = {name: name for name in PEOPLE}  # the key that a person uses today

    def approve(self, key: str, name: str) -> None:
        """Somebody looks at what the ledger has, and signs it."""
        self.approve_with(key, name, self.keys_of[name])

    def approve_with(self, key: str, name: str, signing: str) -> None:
        """The same, with any key; a person's second signature, or a key's, changes nothing."""
        delivery = self.world.ledger.delivery(key)
        assert delivery is not None
        seen, at = Seen(key=key, content_hash=delivery.content_hash, due=delivery.due), self.world.clock()
        text = text_to_sign(self.world.ledger.ledger_id, name=name, at=at, seen=[seen])
        signature = signature_by(signing, text)
        try:
            done = self.world.ledger.approve(
                Consent(name=name, at=at, seen=(seen,), text=text, signature=signature), actor=name
            )
        except InputError:
            return  # the key has approved it already, under another name
        if done:
            self.signed.setdefault(key, set()).add((name, delivery.content_hash, public_key(signing)))

    def withdraw(self, key: str, name: str) -> None:
        """Somebody takes back what they approved of it."""
        before = self.world.ledger.delivery(key)
        super().withdraw(key, name)
        if before is not None and not before.receipts:
            self.signed[key] = {one for one in self.signed.get(key, set()) if one[0] != name}


class SignedMachine(Machine):
    """One life of a workspace where signatures count."""

    orders: SignedOrders

    def _world(self) -> Universe:
        self.listed: dict[str, set[str]] = {name: {name} for name in PEOPLE}
        self.before: dict[str, set[str]] = {}  # what the file said when something passed the gate
        write_approvers(self.root, self.listed)
        signers = Paper(root=self.root, approvers=FILE, tool=None)
        return Universe(self.root, leaving=self._leaving, rules=RULES, signers=signers)

    def _orders(self) -> SignedOrders:
        return SignedOrders(self.world)

    @initialize(steps=st.integers(0, 30))
    def approved_and_due(self, steps: int) -> None:
        """Something that needs two signatures has them, and is on its way."""
        self.orders.add(CAMPAIGNS[1], list(PROOFS), parts=1, words="", due=self.world.clock(), labels=())
        self._queue(CAMPAIGNS[1])
        for person in PEOPLE:
            self.approve(0, person, True)
        self.start(WORKERS[0], None)
        self.world.step(steps)

    @rule(which=_few, name=st.sampled_from(PEOPLE))
    def approve_by_name_alone(self, which: int, name: str) -> None:
        """The command refuses it; whoever writes it into the ledger all the same has won nothing."""

        def say(key: str) -> None:
            delivery = self.world.ledger.delivery(key)
            assert delivery is not None
            seen = Seen(key=key, content_hash=delivery.content_hash, due=delivery.due)
            with suppress(InputError):  # the author can't be the only one
                self.world.ledger.approve(Consent(name=name, at=self.world.clock(), seen=(seen,)), actor=name)

        self._on_one(which, State.WAITING, say)

    @rule(steps=st.integers(0, 20))
    def names_alone_in_the_middle(self, steps: int) -> None:
        """Everybody's name stands under it and nobody's signature, and others go on sending."""
        self.orders.add(CAMPAIGNS[1], list(PROOFS), parts=1, words="", due=self.world.clock(), labels=())
        self._queue(CAMPAIGNS[1])
        for which in range(len(self.world.ledger.deliveries(state=State.WAITING))):
            for person in PEOPLE:
                self.approve_by_name_alone(which, person)
        self.start(WORKERS[2], None)
        self.world.step(steps)

    @rule(which=_few, name=st.sampled_from(PEOPLE), key=st.sampled_from(KEYS))
    def sign_with_any_key(self, which: int, name: str, key: str) -> None:
        self._on_one(which, State.WAITING, lambda one: self.orders.approve_with(one, name, key))

    @rule(
        which=_few, other=_few, name=st.sampled_from(PEOPLE), how=st.sampled_from(["other text", "no text", "rubbish"])
    )
    def forge(self, which: int, other: int, name: str, how: str) -> None:
        """A row is written past the program, with a real signature over something else, or with none that is one."""
        waiting = self.world.ledger.deliveries(state=State.WAITING, with_drafts=True)
        if not waiting:
            return
        one, source = waiting[which % len(waiting)], waiting[other % len(waiting)]
        at = self.world.clock()
        seen = Seen(key=source.key, content_hash="0" * 64 if source is one else source.content_hash, due=source.due)
        text = text_to_sign(self.world.ledger.ledger_id, name=name, at=at, seen=[seen])
        signature = "rubbish" if how == "rubbish" else signature_by(self.orders.keys_of[name], text)
        self._write(one, name, text if how == "other text" else "", signature=signature, digest=_digest(text))

    @rule(steps=st.integers(0, 20))
    def one_key_under_two_names(self, steps: int) -> None:
        """The file gives one key to both; a row past the program lets it count twice."""
        self.orders.add(CAMPAIGNS[1], list(PROOFS), parts=1, words="", due=self.world.clock(), labels=())
        self._queue(CAMPAIGNS[1])
        self.approvers_change("one key")
        for one in self.world.ledger.deliveries(campaign=CAMPAIGNS[1], state=State.WAITING, with_drafts=True):
            self.orders.approve_with(one.key, AUTHOR, AUTHOR)
            at = self.world.clock()
            seen = Seen(key=one.key, content_hash=one.content_hash, due=one.due)
            text = text_to_sign(self.world.ledger.ledger_id, name="budi", at=at, seen=[seen])
            self._write(one, "budi", text, signature=signature_by(AUTHOR, text), digest=_digest(text))
        self.start(WORKERS[2], None)
        self.world.step(steps)

    def _write(self, one: Delivery, name: str, text: str, *, signature: str, digest: str) -> None:
        """An approval past the program; ``text`` is kept where there is one."""
        row = {
            "delivery": one.key,
            "content_hash": one.content_hash,
            "name": name,
            "person": name,
            "at": schema.micros(self.world.clock()),
            "statement": statement(one.draft_json, due=one.due, embargo=one.embargo, signed=digest),
            "signature": signature,
        }
        texts = schema.signed_texts
        with self.world.ledger.writing() as connection:
            connection.execute(insert(schema.approvals).values(row))
            if text and connection.execute(texts.select().where(texts.c.sha256 == digest)).first() is None:
                connection.execute(insert(texts).values(sha256=digest, text=text))

    @rule(change=st.sampled_from(["without ani", "without budi", "new key", "one key", "gone", "whole"]))
    def approvers_change(self, change: str) -> None:
        """Somebody edits the file while others send; what had been verified before leaves now."""
        self.before = {name: set(keys) for name, keys in self.listed.items()}
        if change.startswith("without"):
            self.listed[change.split()[1]] = set()
        elif change == "new key":
            self.orders.keys_of["budi"] = "budi-baru"
            self.listed["budi"] = {"budi-baru"}
        elif change == "one key":
            self.listed["budi"] = set(self.listed["ani"])
        elif change == "whole":
            self._whole()
        write_approvers(self.root, self.listed)
        if change == "gone":
            (self.root / FILE).unlink()
            self.listed = {name: set() for name in PEOPLE}
        self.world.step(60)
        self.before = {}

    def _whole(self) -> None:
        self.listed = {name: {self.orders.keys_of[name]} for name in PEOPLE}
        write_approvers(self.root, self.listed)

    def _come_to_rest(self) -> None:
        self._whole()
        super()._come_to_rest()

    def _quiet(self) -> bool:
        waiting = self.world.ledger.deliveries(state=State.WAITING)
        return super()._quiet() and all(one.approved for one in waiting)

    def _cleared(self, delivery: Delivery) -> None:
        """Enough people, with keys of their own, signed this very content, and not its author alone."""
        assert delivery.embargo is None or self.world.clock.true() >= delivery.embargo, delivery
        needed = APPROVED.get(delivery.campaign, 0)
        if delivery.receipts or not needed:
            return
        assert delivery.signed
        assert any(self._enough(delivery, listed, needed) for listed in (self.listed, self.before) if listed), delivery

    def _enough(self, delivery: Delivery, listed: dict[str, set[str]], needed: int) -> bool:
        keys = {name: {public_key(key) for key in names} for name, names in listed.items()}
        good = {
            (name, key)
            for name, content, key in self.orders.signed.get(delivery.key, ())
            if content == delivery.content_hash and key in keys[name]
        }
        others = {name for name, key in good if name != AUTHOR and key not in keys[AUTHOR]}
        return (
            len({name for name, _key in good}) >= needed
            and len({key for _name, key in good}) >= needed
            and bool(others)
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_paper_signature_has_the_form_of_a_real_one() -> None:
    """The program reads the key of it as of any."""
    assert key_of(signature_by("ani", "teks")) == public_key("ani")


class TestSignedMachine(SignedMachine.TestCase):  # type: ignore[misc, valid-type]
    """The machine as a test."""


TestSignedMachine.settings = settings(
    max_examples=3000 if _soak else 20, stateful_step_count=80 if _soak else 40, deadline=None, derandomize=not _soak
)
