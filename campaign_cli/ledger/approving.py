"""Approvals in the ledger: giving them, taking them back, and what a sender must verify again.

An approval counts for the content hash that it was given for, and for no other. So nothing needs to be done when the
content changes: ``queries.approved`` counts anew at every claim and at every gate. Content that is, to the byte, the
account and the minute, what was approved counts as approved again. One person counts once: by name, and by key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, insert, select, true, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.approved import (
    MOVED,
    REPLACED,
    WITHDRAWN,
    Approval,
    Consent,
    Seen,
    Signed,
    changed_since,
    signed_text_of,
    speaks_of,
    statement,
)
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.queries import give_notice
from campaign_cli.ledger.schema import approvals, deliveries, drafts, instant, instant_or_none, micros
from campaign_cli.ledger.values import NewDelivery
from campaign_cli.models import State
from campaign_cli.signatures import fingerprint, key_of, person_of

_given = approvals.c
_OVER = (State.PUBLISHED.value,)


class Approving(Store):
    """What people say yes to."""

    def approve(self, consent: Consent, *, actor: str) -> list[str]:
        """Record a person's approval of everything that was seen, in one transaction; the keys that are new to it.

        What this person has approved before, as it is, stays as it is. The signature must have been verified. Raises
        InputError where something is not what was seen any more, no longer waits, or may not be approved by this
        person: then nothing is recorded.
        """
        self.must_exist()
        person, key = person_of(consent.name), key_of(consent.signature) if consent.signature else None
        digest = hashlib.sha256(consent.text.encode()).hexdigest() if consent.signature else None
        with self.writing() as connection:
            rows = _rows(connection, [one.key for one in consent.seen])
            for one in consent.seen:
                _may_be_approved(rows.get(one.key), one, person=person)
            if digest is not None:
                _keep_text(connection, digest, consent.text)
            done = []
            for one in consent.seen:
                row = rows[one.key]
                if not self._first_time(connection, row, consent, person=person, key=key):
                    continue
                kept = statement(row.draft, due=one.due, embargo=instant_or_none(row.embargo), signed=digest)
                values = {"delivery": row.key, "content_hash": row.content_hash, "name": consent.name, "person": person}
                values |= {"at": micros(consent.at), "statement": kept, "signature": consent.signature or None}
                connection.execute(insert(approvals).values(values))
                done.append(one)
            how: dict[str, object] = {"signed": False} if key is None else {"key": fingerprint(key)}
            facts = [(one.key, _details(consent.name, hash=one.content_hash, **how)) for one in done]
            self.record(connection, "approved", facts, actor=actor, at=self.now())
            return [one.key for one in done]

    def _first_time(
        self, connection: Connection, row: Row[Any], consent: Consent, *, person: str, key: bytes | None
    ) -> bool:
        """Whether this adds a person. A signature takes the place of the same person's bare name."""
        mine = []
        for old in _counting(connection, row.key, row.content_hash):
            if old.person == person:
                mine.append(old)
            elif key is not None and old.signature is not None and key_of(old.signature) == key:
                raise InputError(
                    _("{key}: this key has approved it already, as {name}.").format(key=row.key, name=old.name),
                    fix=_("One key counts as one person, under whatever name."),
                )
        if not mine:
            return True
        if key is None or any(old.signature is not None for old in mine):
            return False
        _void(connection, [old.id for old in mine], why=REPLACED)
        return True

    def withdraw_approval(self, keys: Collection[str], *, name: str, actor: str) -> list[str]:
        """Take a person's approvals of these deliveries back; the keys where there was one. What is out stays out."""
        with self.writing() as connection:
            found = [
                row
                for row in _standing(connection, keys, _given.person == person_of(name))
                if row.state not in _OVER and not row.sent
            ]
            _void(connection, [row.id for row in found], why=WITHDRAWN)
            self._log_void(connection, found, why=WITHDRAWN, actor=actor)
            return list(dict.fromkeys(row.delivery for row in found))

    def void_approvals(self, reasons: Mapping[int, str], *, actor: str) -> None:
        """These no longer count, each for its reason, a sentence: their signatures could not be verified."""
        with self.writing() as connection:
            for identifier, why in reasons.items():
                found = list(_standing(connection, None, _given.id == identifier))
                _void(connection, [row.id for row in found], why=why)
                self._log_void(connection, found, why=why, actor=actor)
                told = [(row.delivery, f"{row.name}: {why}") for row in found]
                give_notice(connection, told, kind=State.WAITING, at=self.now())

    def _void_moved(self, connection: Connection, key: str, *, actor: str) -> None:
        """A delivery is getting another name: what was approved was the old one."""
        found = [row for row in _standing(connection, [key], true()) if row.state not in _OVER and not row.sent]
        _void(connection, [row.id for row in found], why=MOVED)
        self._log_void(connection, found, why=MOVED, actor=actor)

    def _log_void(self, connection: Connection, rows: Sequence[Row[Any]], *, why: str, actor: str) -> None:
        facts = [(row.delivery, _details(row.name, reason=why)) for row in rows]
        self.record(connection, "unapproved", facts, actor=actor, at=self.now())

    def signatures(self, key: str) -> tuple[list[Signed], str]:
        """The signatures that a delivery goes out on, and the person who may not be the only one; both for now."""
        with self.reading() as connection:
            row = connection.execute(select(deliveries).where(columns.key == key)).one_or_none()
            if row is None:
                return [], ""
            one = Seen(key=key, content_hash=row.content_hash, due=instant(row.due))
            found = []
            for given in _counting(connection, key, row.content_hash):
                if given.signature is None:
                    continue
                text = _text_of(connection, given.statement)
                whole = speaks_of(text, ledger_id=self.ledger_id, name=given.name, at=instant(given.at), one=one)
                found.append(Signed(id=given.id, name=given.name, text=text, signature=given.signature, whole=whole))
            return found, row.author

    def losing(self, changed: Collection[NewDelivery]) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
        """By key, whose approval these changes would void, and what they change."""
        new = {one.key: one for one in changed}
        told: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        standing = and_(_given.void.is_(None), _given.content_hash == columns.content_hash)
        wanted = select(_given.delivery, _given.name, _given.content_hash, _given.statement).join(
            deliveries, columns.key == _given.delivery
        )
        with self.reading() as connection:
            for some in chunks(new):
                for row in connection.execute(wanted.where(standing, _given.delivery.in_(some)).order_by(_given.id)):
                    one = new[row.delivery]
                    if one.content_hash != row.content_hash:
                        what = changed_since(row.statement, one.draft_json, due=one.due, embargo=one.embargo)
                        told.setdefault(row.delivery, []).append((row.name, what))
        return told

    def approvals(self, keys: Collection[str]) -> dict[str, list[Approval]]:
        """Every approval that was given of these deliveries, oldest first, and what has changed since; by key."""
        told: dict[str, list[Approval]] = {}
        joined = (
            select(approvals, columns.content_hash.label("now"), columns.due, columns.embargo, drafts.c.draft)
            .join(deliveries, columns.key == _given.delivery)
            .outerjoin(drafts, drafts.c.delivery == columns.key)
            .order_by(_given.id)
        )
        with self.reading() as connection:
            for some in chunks(dict.fromkeys(keys)):
                for row in connection.execute(joined.where(_given.delivery.in_(some))):
                    told.setdefault(row.delivery, []).append(_approval(row))
        return told


def _approval(row: Row[Any]) -> Approval:
    same = row.now == row.content_hash
    until = instant_or_none(row.embargo)
    changed = () if same else changed_since(row.statement, row.draft or "", due=instant(row.due), embargo=until)
    return Approval(
        key=row.delivery,
        name=row.name,
        at=instant(row.at),
        content_hash=row.content_hash,
        signed=row.signature is not None,
        counts=same and row.void is None,
        void=row.void or "",
        changed=changed,
    )


def _may_be_approved(row: Row[Any] | None, one: Seen, *, person: str) -> None:
    """Raises InputError where it isn't what was seen, or not for this person."""
    if row is None or row.content_hash != one.content_hash or row.draft is None:
        raise InputError(
            _("{key} has changed since it was shown; nothing was approved.").format(key=one.key),
            fix=_("Run the command again and look at it once more."),
        )
    if row.state != State.WAITING.value:
        raise InputError(_("{key} does not wait any more; nothing was approved.").format(key=one.key))
    if row.author and row.author == person and row.approval <= 1:
        raise InputError(
            _("{key}: the author of the plan can't be its only approver.").format(key=one.key),
            fix=_("Somebody else approves it."),
        )


def _rows(connection: Connection, keys: Sequence[str]) -> dict[str, Row[Any]]:
    joined = select(deliveries, drafts.c.draft).outerjoin(drafts, drafts.c.delivery == columns.key)
    return {row.key: row for some in chunks(keys) for row in connection.execute(joined.where(columns.key.in_(some)))}


def _counting(connection: Connection, key: str, content_hash: str) -> Sequence[Row[Any]]:
    there = and_(_given.delivery == key, _given.content_hash == content_hash, _given.void.is_(None))
    return connection.execute(select(approvals).where(there).order_by(_given.id)).all()


def _standing(
    connection: Connection, keys: Collection[str] | None, condition: ColumnElement[bool]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The approvals that are not void, of these deliveries (None: of all), with what became of the delivery."""
    wanted = (
        select(_given.id, _given.delivery, _given.name, columns.state, columns.sent)
        .join(deliveries, columns.key == _given.delivery)
        .where(_given.void.is_(None), condition)
        .order_by(_given.id)
    )
    if keys is None:
        return list(connection.execute(wanted))
    return [row for some in chunks(keys) for row in connection.execute(wanted.where(_given.delivery.in_(some)))]


def _void(connection: Connection, identifiers: Sequence[int], *, why: str) -> None:
    for identifier in identifiers:
        connection.execute(update(approvals).where(_given.id == identifier).values(void=why))


def _keep_text(connection: Connection, digest: str, text: str) -> None:
    table = schema.signed_texts
    known = connection.execute(select(exists().where(table.c.sha256 == digest))).scalar()
    if not known:
        connection.execute(insert(table).values(sha256=digest, text=text))


def _text_of(connection: Connection, kept: str) -> str:
    """What was signed; empty where that is gone or was changed."""
    digest, table = signed_text_of(kept), schema.signed_texts
    found = connection.execute(select(table.c.text).where(table.c.sha256 == digest)).scalar_one_or_none()
    return str(found or "") if hashlib.sha256(str(found or "").encode()).hexdigest() == digest else ""


def _details(name: str, **more: object) -> str:
    return json.dumps({"name": name, **more}, ensure_ascii=False)
