"""The guarded way to the network, the outcome of a pass, and the parts around them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dispatch_helpers import START, FakeHttp, Remote, Reply, Table
from socket_helpers import GOOD, answering, create, serve

from campaign_cli.credentials import Secrets
from campaign_cli.dispatch import wire
from campaign_cli.dispatch.access import check_account, transport_for
from campaign_cli.dispatch.compressed import CompressedClock
from campaign_cli.dispatch.outcome import Outcome, Result
from campaign_cli.dispatch.progress import Silent
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.dispatch.settling import Settler
from campaign_cli.dispatch.wire import GuardedHttp
from campaign_cli.errors import ClaimLost, CredentialError, Held, LedgerError, Rejected, Unavailable, Unconfirmed
from campaign_cli.ledger import Settlement
from campaign_cli.ledger.values import Claimed
from campaign_cli.models import Account, State
from campaign_cli.platforms.base import Request
from campaign_cli.platforms.http import RecordingTransport

CREATE = Request(method="POST", url="/posts", json={"text": "a", "key": "k"}, creating=True)


def guarded(http: Any, gate_raises: Exception | None = None, heard_raises: Exception | None = None) -> GuardedHttp:
    async def gate() -> None:
        if gate_raises:
            raise gate_raises

    async def heard(_headers: Mapping[str, str]) -> None:
        if heard_raises:
            raise heard_raises

    return GuardedHttp(http, gate=gate, heard=heard, now=lambda: START, max_wait=0, redact=str)


class Hanging:
    """A transport that never answers."""

    async def send(self, _request: Request) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError


def test_a_transport_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer in time is doubtful for a creating request and harmless for any other."""
    monkeypatch.setattr(wire, "MARGIN_SECONDS", 0.01)
    http = guarded(Hanging())
    with pytest.raises(Unavailable):
        asyncio.run(http.send(Request(method="GET", url="/posts")))
    assert not http.left
    with pytest.raises(Unconfirmed):
        asyncio.run(http.send(CREATE))
    assert http.left
    assert http.left_at == START


def test_a_closed_gate_lets_nothing_leave() -> None:
    """Where the gate refuses, no request reaches the transport."""
    remote = Remote(CompressedClock(START))
    http = guarded(FakeHttp(remote, "web"), gate_raises=ClaimLost("over"))
    with pytest.raises(ClaimLost):
        asyncio.run(http.send(CREATE))
    assert (remote.log, http.left) == ([], False)


def test_the_gate_is_for_creating_requests_alone() -> None:
    """What makes nothing public passes a closed gate: a look-up must be possible while posts are held."""
    recording = RecordingTransport()
    http = guarded(recording, gate_raises=Held("Ditahan"))
    assert asyncio.run(http.send(Request(method="GET", url="/posts"))).status == 200
    with pytest.raises(Held):
        asyncio.run(http.send(CREATE))
    assert [request.method for request in recording.requests] == ["GET"]


def test_a_refusal_is_not_something_that_left() -> None:
    """A request that was provably refused leaves nothing in doubt; an earlier one that was taken still does."""
    remote = Remote(CompressedClock(START))
    http = guarded(FakeHttp(remote, "web"))
    remote.script.extend(["refuse", "ok", "refuse"])
    with pytest.raises(Rejected):
        asyncio.run(http.send(CREATE))
    assert not http.left
    asyncio.run(http.send(CREATE))
    with pytest.raises(Rejected):
        asyncio.run(http.send(CREATE))
    assert http.left


def test_an_answer_is_not_lost_over_its_rate_headers() -> None:
    """Trouble while reading rate headers never costs the answer."""
    http = guarded(FakeHttp(Remote(CompressedClock(START)), "web"), heard_raises=LedgerError("Locked."))
    assert asyncio.run(http.send(CREATE)).status == 200


def test_the_last_word_on_a_delivery_counts() -> None:
    """A delivery that was uncertain and is published counts once; held ones are no waiting ones."""
    outcome = Outcome()
    assert outcome.quiet
    for key, state in (("a", State.UNCERTAIN), ("a", State.PUBLISHED), ("b", State.FAILED), ("c", State.MISSED)):
        outcome.record(Result(key=key, state=state, credential=key == "b"))
    outcome.record(Result(key="d", state=State.WAITING))
    outcome.record(Result(key="e", state=State.WAITING, held=True))
    assert [result.key for result in outcome.results] == ["a", "b", "c", "d", "e"]
    assert (outcome.published, outcome.failed, outcome.missed, outcome.uncertain) == (1, 1, 1, 0)
    assert (outcome.waiting, outcome.held, outcome.unauthorized) == (1, 1, 1)
    assert not outcome.quiet


def test_sleepers_of_a_compressed_clock_share_the_time() -> None:
    """Three that sleep a minute side by side are a minute older, not three."""
    clock = CompressedClock(START)

    async def three() -> None:
        await asyncio.gather(*(clock.sleep(60) for _each in range(3)))

    asyncio.run(three())
    assert clock.now() == START + timedelta(seconds=60)


def test_silence_is_a_progress() -> None:
    """Nobody needs to watch."""
    silent = Silent()
    silent.started("a", due=START)
    silent.looking("a")
    silent.settled(Result(key="a", state=State.PUBLISHED))
    silent.sleeping(None)
    silent.warned("x")


def test_a_ledger_that_is_locked_for_a_moment_loses_no_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went out is written down as soon as the ledger can be written again."""
    monkeypatch.setattr("campaign_cli.dispatch.settling._PATIENCE", (0.0, 0.0))
    table = Table(tmp_path)
    key = table.queue("a")
    settle, failures = table.ledger.settle, [LedgerError("Locked.")]

    def locked(settlements: Any) -> list[bool]:
        if failures:
            raise failures.pop()
        return settle(settlements)

    monkeypatch.setattr(table.ledger, "settle", locked)
    asyncio.run(publish_pass(table.dispatcher()))
    assert table.state(key) == "published"


def test_a_ledger_that_stays_locked_leaves_it_to_the_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written down is raised; the next pass after the lease finds the post on the account."""
    monkeypatch.setattr("campaign_cli.dispatch.settling._PATIENCE", ())
    table = Table(tmp_path)
    key = table.queue("a")
    with monkeypatch.context() as broken:

        def full(_settlements: Any) -> list[bool]:
            raise LedgerError("The disk is full.")

        broken.setattr(table.ledger, "settle", full)
        with pytest.raises(LedgerError, match="full"):
            asyncio.run(publish_pass(table.dispatcher()))
    asyncio.run(table.clock.sleep(100))
    asyncio.run(publish_pass(table.dispatcher()))
    assert (table.state(key), len(table.remote.texts())) == ("published", 1)


def test_outcomes_that_end_together_share_a_transaction() -> None:
    """While one batch is written, the others gather in the next."""
    batches: list[int] = []

    class Ledger:
        def settle(self, settlements: list[Settlement]) -> list[bool]:
            batches.append(len(settlements))
            return [True] * len(settlements)

    class Thread:
        ledger = Ledger()

        async def call(self, function: Any, *arguments: Any) -> Any:
            await asyncio.sleep(0)
            return function(*arguments)

    async def many() -> list[bool]:
        settler = Settler(Thread())  # type: ignore[arg-type]
        await settler.flush()
        settlements = [Settlement(key=str(number), token=1, state=State.FAILED) for number in range(50)]
        return await asyncio.gather(*(settler.settle(one) for one in settlements))

    assert [written for written, _refilled in asyncio.run(many())] == [True] * 50
    assert len(batches) <= 2


def test_outcomes_are_told_before_the_claim_that_was_made_with_them() -> None:
    """A delivery that was settled as waiting, and missed by the claim in the same transaction, ends as missed."""
    told: list[str] = []

    class Ledger:
        def settle_and_claim(self, settlements: list[Settlement], _order: object) -> tuple[list[bool], Claimed]:
            return [True] * len(settlements), Claimed()

    class Thread:
        ledger = Ledger()

        async def call(self, function: Any, *arguments: Any) -> Any:
            await asyncio.sleep(0)
            return function(*arguments)

    async def both() -> None:
        settler = Settler(Thread())  # type: ignore[arg-type]

        async def settle() -> None:
            await settler.settle(Settlement(key="a", token=1, state=State.WAITING))
            told.append("settled")

        async def claim() -> None:
            await settler.claim(lambda _again: {})
            told.append("claimed")

        await asyncio.gather(settle(), claim())

    asyncio.run(both())
    assert told == ["settled", "claimed"]


def test_the_check_of_an_account_uses_its_secret_and_closes(tmp_path: Path) -> None:
    """A check needs the account's secret; without it, it says which one is absent."""
    account = Account(name="kanal", platform="telegram", settings={"channel": "@contoh", "token": "env:ABSENT"})
    secrets = Secrets(environment={}, root=tmp_path)
    with pytest.raises(CredentialError, match="ABSENT"):
        asyncio.run(check_account(account, secrets=secrets, clock=lambda: datetime.now(UTC)))


def test_a_network_without_proof_gets_fresh_connections(tmp_path: Path) -> None:
    """Telegram's requests never share a connection, Mastodon's do."""
    secrets = Secrets(environment={}, root=tmp_path)

    async def twice(platform: str, url: str) -> None:
        account = Account(name="a", platform=platform, settings={})
        transport = transport_for(account, secrets=secrets, clock=lambda: datetime.now(UTC))
        for _number in range(2):
            await transport.send(create(url))
        await transport.aclose()

    for platform, connections in (("telegram", 2), ("mastodon", 1)):
        with serve(answering(GOOD)) as server:
            asyncio.run(twice(platform, server.url))
            assert len(server.peers) == connections
