"""An account that keeps failing rests, the others go on, and one delivery tries it before the rest of them follow."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Campaign
from dispatch_helpers import START, Table
from ledger_helpers import paused
from staged import SECRETS, Staged, soon

from campaign_cli.cli.diagnostics import ExitCode
from campaign_cli.cli.dispatching import exit_code, summary
from campaign_cli.dispatch.options import LEASE
from campaign_cli.dispatch.outcome import Outcome
from campaign_cli.dispatch.publish import publish_pass, would_go
from campaign_cli.errors import Unavailable
from campaign_cli.ledger import Settlement
from campaign_cli.ledger.values import RESTING_AFTER, Rest
from campaign_cli.models import State

MANY = 200


def publish(table: Table, *, hours: float = 0, **options: object) -> Outcome:
    until = table.clock.now() + timedelta(hours=hours) if hours else None
    return asyncio.run(publish_pass(table.dispatcher(**options), until=until))


def fail(table: Table, how: str, *, times: int = RESTING_AFTER) -> None:
    table.remote.script.extend([how] * times)


def asked(table: Table, account: str = "web") -> int:
    """Creating requests that an account has caused."""
    return sum(1 for _at, name, _text in table.remote.log if name == account)


def rest_of(table: Table, account: str = "web") -> Rest:
    return table.ledger.rests()[f"fake:{account}"]


def wake(table: Table) -> None:
    """Let the rest of the account end."""
    asyncio.run(table.clock.sleep((rest_of(table).until - table.clock.now()).total_seconds() + 1))


def many(table: Table, account: str = "web", *, number: int = MANY) -> list[str]:
    return [table.queue(f"p{n:03}", account=account, position=n) for n in range(number)]


def test_a_revoked_token_causes_a_handful_of_requests(tmp_path: Path) -> None:
    """Of many due posts, five meet the refusal; the others wait, and pass after pass asks nothing while it lasts."""
    table = Table(tmp_path)
    keys = many(table)
    fail(table, "401", times=MANY)
    outcome = publish(table)
    assert asked(table) == RESTING_AFTER
    states = [table.state(key) for key in keys]
    assert (states.count("failed"), states.count("waiting")) == (RESTING_AFTER, MANY - RESTING_AFTER)
    for _pass in range(3):
        publish(table)
    assert asked(table) == RESTING_AFTER
    assert (outcome.failed, outcome.waiting, outcome.unauthorized) == (5, MANY - 5, MANY)


def test_a_night_over_a_revoked_token_asks_once_for_each_rest(tmp_path: Path) -> None:
    """Each rest ends with one delivery that tries; what comes too late meanwhile is missed, and none stays behind."""
    table = Table(tmp_path)
    keys = many(table)
    fail(table, "401", times=MANY)
    publish(table, hours=8)
    states = [table.state(key) for key in keys]
    assert set(states) == {"failed", "missed"}
    assert RESTING_AFTER < asked(table) < 30
    requests = [at for at, _account, _text in table.remote.log]
    assert all(a < b for a, b in zip(requests[RESTING_AFTER - 1 :], requests[RESTING_AFTER:], strict=False))


def test_one_dead_network_does_not_hold_the_others_up(tmp_path: Path) -> None:
    """While one account's network is away, the other account's posts all go out in the same pass."""
    table = Table(tmp_path, "dead", "alive")
    keys = many(table, "alive")
    many(table, "dead")
    table.remote.dead = {"dead"}
    outcome = publish(table)
    assert {table.state(key) for key in keys} == {"published"}
    assert asked(table, "dead") == RESTING_AFTER
    assert outcome.published == MANY


@pytest.mark.parametrize("how", ["down", "401", "lost", "forbidden"])
def test_whatever_keeps_failing_makes_it_rest(tmp_path: Path, how: str) -> None:
    """No connection, a refused secret, lost answers and a 403 count alike."""
    table = Table(tmp_path)
    table.remote.searchable = False
    many(table, number=8)
    fail(table, how, times=8)
    publish(table)
    assert asked(table) == RESTING_AFTER
    assert rest_of(table).failures == RESTING_AFTER
    assert START < rest_of(table).until <= START + timedelta(minutes=1)


def test_an_absent_secret_fails_a_few_and_lets_the_others_wait(tmp_path: Path) -> None:
    """A secret that is not there is no reason to fail everything that is due; the exit code is that of credentials."""
    table = Table(tmp_path)
    table.environment.clear()
    keys = many(table)
    outcome = publish(table)
    states = [table.state(key) for key in keys]
    assert (states.count("failed"), states.count("waiting")) == (RESTING_AFTER, MANY - RESTING_AFTER)
    assert exit_code(outcome) is ExitCode.CREDENTIALS


def test_refused_posts_are_no_reason_to_rest(tmp_path: Path) -> None:
    """A network that refuses ten posts for their words has answered: the account doesn't rest."""
    table = Table(tmp_path)
    keys = many(table, number=12)
    fail(table, "refuse", times=10)
    publish(table)
    assert [table.state(key) for key in keys].count("failed") == 10
    assert asked(table) == 12
    assert table.ledger.rests() == {}


def test_a_success_closes_it_and_the_others_follow(tmp_path: Path) -> None:
    """After the rest one delivery tries alone; it goes out, and all others follow in the same pass."""
    table = Table(tmp_path)
    keys = many(table, number=30)
    fail(table, "down")
    publish(table)
    wake(table)
    table.remote.most_in_flight = 0
    before = asked(table)
    table.remote.script.append(lambda: alone(table, before))
    publish(table, hours=1)
    assert {table.state(key) for key in keys} == {"published"}
    assert table.ledger.rests() == {}
    assert table.remote.most_in_flight > 1


async def alone(table: Table, before: int) -> None:
    for _turn in range(50):
        await asyncio.sleep(0)
    assert asked(table) == before + 1
    assert (
        table.ledger.claim(
            worker="other:1", limit=9, per_account=5, lease=timedelta(seconds=90), late_grace=timedelta(hours=1)
        ).claims
        == ()
    )


def test_failures_in_between_successes_don_t_add_up(tmp_path: Path) -> None:
    """Only failures in a row count: a network that fails now and then is never left alone."""
    table = Table(tmp_path)
    for number in range(20):
        table.queue(f"p{number:02}", due=timedelta(minutes=number))
    for _round in range(6):
        table.remote.script.extend(["down", "down", "ok"])
    publish(table, hours=3)
    assert len(table.remote.texts()) == 20
    assert table.seen.warnings == []


def test_the_rests_grow(tmp_path: Path) -> None:
    """Every failed trial makes the next rest longer on average, up to ten minutes."""
    table = Table(tmp_path)
    table.queue("a", due=timedelta(0))
    many(table, number=8)
    table.remote.dead = {"web"}
    lengths = []
    for _trial in range(12):
        publish(table, late_grace=timedelta(days=9))
        lengths.append(rest_of(table).until - table.clock.now())
        wake(table)
    assert max(lengths) <= timedelta(minutes=10)
    assert max(lengths) > timedelta(minutes=4)
    assert max(lengths[:2]) <= timedelta(minutes=1)


def test_every_process_sees_the_rest(tmp_path: Path) -> None:
    """Another process on the same ledger asks nothing either."""
    table = Table(tmp_path)
    many(table, number=30)
    fail(table, "401", times=30)
    publish(table)
    with table.open() as other:
        outcome = asyncio.run(publish_pass(table.dispatcher(other, worker="other:1")))
    assert asked(table) == RESTING_AFTER
    assert outcome.waiting == 25
    assert exit_code(outcome) is ExitCode.CREDENTIALS


def test_the_rest_is_said_once_with_what_to_do(tmp_path: Path) -> None:
    """One line names the account, since when and until when, the last failure without its secret, and the command."""
    table = Table(tmp_path)
    many(table, number=30)
    fail(table, "401", times=30)
    outcome = publish(table)
    (line,) = table.seen.warnings
    assert "web" in line
    assert "campaign accounts check web" in line
    assert "s3cret" not in line
    assert "401" in line or "refused" in line
    assert "25" in summary(outcome)


def test_a_network_s_absence_alone_is_no_credential(tmp_path: Path) -> None:
    """A pass over an account that rests for its network ends with 0: nothing has failed yet."""
    table = Table(tmp_path)
    many(table, number=30)
    table.remote.dead = {"web"}
    assert exit_code(publish(table)) is ExitCode.DONE


def test_a_check_that_succeeds_ends_the_rest(tmp_path: Path) -> None:
    """With the secret put right, nothing waits for the end of the rest."""
    table = Table(tmp_path)
    many(table, number=30)
    fail(table, "401")
    publish(table)
    assert table.ledger.account_works("fake:web")
    publish(table)
    assert len(table.remote.texts()) == 25
    assert not table.ledger.account_works("fake:web")


def test_a_check_does_not_cut_what_the_network_asked_for(tmp_path: Path) -> None:
    """A Retry-After stands, whoever says that the account works."""
    table = Table(tmp_path)
    until = START + timedelta(hours=2)
    table.ledger.pause_account("fake:web", until)
    table.ledger.count_failure("fake:web", decide=lambda _n: (9, START + timedelta(hours=3)), error="", credential=True)
    assert paused(table.ledger, START) == {"fake:web": START + timedelta(hours=3)}
    assert table.ledger.account_works("fake:web")
    assert paused(table.ledger, START) == {"fake:web": until}
    assert table.ledger.rests() == {}


def test_retry_lets_one_delivery_try_at_once(tmp_path: Path) -> None:
    """A person's retry doesn't wait for the end of the rest; a secret that is still wrong meets one more refusal."""
    table = Table(tmp_path)
    keys = many(table, number=30)
    fail(table, "401", times=6)
    publish(table)
    table.ledger.retry(keys[:5], actor="siti")
    publish(table)
    assert asked(table) == RESTING_AFTER + 1
    table.ledger.retry([key for key in keys if table.state(key) == "failed"], actor="siti")
    publish(table)
    assert {table.state(key) for key in keys} == {"published"}


def test_after_a_429_one_delivery_tries_before_the_burst(tmp_path: Path) -> None:
    """The end of a pause that the network asked for is no burst: one goes first, and the others follow its success."""
    table = Table(tmp_path)
    keys = many(table, number=20)
    table.remote.script.append("429")
    table.remote.script.extend(["429"] * 4)
    publish(table)
    assert asked(table) == 5
    asyncio.run(table.clock.sleep(41))
    before = asked(table)
    table.remote.script.append(lambda: alone(table, before))
    publish(table, hours=1)
    assert {table.state(key) for key in keys} == {"published"}


def test_a_rest_does_not_hide_what_others_have_to_come(tmp_path: Path) -> None:
    """What waits for a resting account takes no place among what falls due next, and is not shown as going."""
    table = Table(tmp_path, "dead", "alive")
    many(table, "dead")
    key = table.queue("soon", account="alive", due=timedelta(seconds=30))
    table.remote.dead = {"dead"}
    publish(table)
    now = table.clock.now()
    until = rest_of(table, "dead").until
    assert table.ledger.upcoming(until=now, limit=10) == []
    assert would_go(table.ledger, now=now) == []
    coming = dict(table.ledger.upcoming(until=now + timedelta(minutes=2), limit=1_000))
    assert coming.pop(key) == START + timedelta(seconds=30)
    assert set(coming.values()) and min(coming.values()) == until


def test_doubtful_ones_of_a_failing_account_are_looked_up_one_at_a_time(tmp_path: Path) -> None:
    """Look-ups against a network that is away count and rest like everything else."""
    table = Table(tmp_path)
    keys = many(table, number=12)
    fail(table, "drop", times=12)
    table.remote.gone = True
    publish(table)
    assert asked(table) + table.remote.looks < 12
    table.remote.gone = False
    publish(table, hours=2)
    assert [table.state(key) for key in keys] == ["published"] * 12
    assert sorted(table.remote.texts()) == sorted(f"Text of p{n:03}" for n in range(12))


def test_a_failing_account_has_one_place_for_look_ups_over_all_processes(tmp_path: Path) -> None:
    """One of many doubtful ones is taken, and none by another process, until that one has been settled."""
    table = Table(tmp_path)
    many(table, number=3)
    ledger = table.ledger
    sent = ledger.claim(worker="a", limit=3, per_account=3, lease=LEASE, late_grace=LEASE).claims
    doubts = [Settlement(key=one.key, token=one.token, state=State.UNCERTAIN, next_try=START) for one in sent]
    ledger.settle(doubts)
    ledger.count_failure("fake:web", decide=lambda _failures: (RESTING_AFTER, START), error="503", credential=False)
    taken = ledger.claim_doubtful(worker="b", limit=3, lease=LEASE)
    assert len(taken) == 1
    assert ledger.claim_doubtful(worker="c", limit=3, lease=LEASE) == ()
    ledger.settle([Settlement(key=taken[0].key, token=taken[0].token, state=State.UNCERTAIN)])
    assert len(ledger.claim_doubtful(worker="c", limit=3, lease=LEASE)) == 1


def test_a_look_up_that_is_asked_to_wait_lets_the_account_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that refuses a look-up until some instant is asked for nothing before it, by no process."""
    table = Table(tmp_path)
    table.queue("a")
    table.remote.script.append("drop")
    wish = START + timedelta(minutes=10)

    async def refused(_sending: object, _since: object) -> None:
        raise Unavailable("Slow down.", status=429, retry_at=wish)

    monkeypatch.setattr(table.platform, "look_up", refused)
    publish(table)
    assert paused(table.ledger, START + timedelta(minutes=9)) == {"fake:web": wish}


def test_a_token_that_may_post_and_not_read_is_no_failing_account(tmp_path: Path) -> None:
    """A look-up that is refused says nothing of posting: the next posts go out."""
    table = Table(tmp_path)
    table.remote.searchable = False
    keys = [table.queue(f"p{n}", due=timedelta(minutes=n)) for n in range(12)]
    table.remote.script.extend(["drop"])
    publish(table, hours=20)
    assert [table.state(key) for key in keys[1:]] == ["published"] * 11
    assert table.ledger.rests() == {}


def test_the_state_says_waiting_while_it_rests(tmp_path: Path) -> None:
    """Nothing of a resting account is failed for it."""
    table = Table(tmp_path)
    keys = many(table, number=6)
    table.remote.dead = {"web"}
    publish(table)
    assert {table.state(key) for key in keys} == {State.WAITING.value}


def test_the_healthy_path_asks_the_ledger_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing fails, no count is read or written beside the claims and settlements."""
    table = Table(tmp_path)
    many(table, number=20)
    for name in ("count_failure", "account_works", "pause_account"):
        monkeypatch.setattr(type(table.ledger), name, None)
    assert publish(table).published == 20


def test_a_refused_secret_from_the_command_line(campaign: Campaign, stage: Staged) -> None:
    """Exit code 3 as long as posts wait for the account; status says why; a check with the right secret ends it."""
    secrets = stage.root / ".env"
    right = secrets.read_text(encoding="utf-8")
    secrets.write_text(right.replace(SECRETS["MASTODON_TOKEN"], "salah-salah"), encoding="utf-8")
    posts = "".join(f'  - id: p{n}\n    at: "{soon(seconds=3)}"\n    text: "Pesan {n}."\n' for n in range(8))
    assert campaign("queue", stage.plan(posts), "--yes").code == 0
    time.sleep(3)
    for _pass in range(2):
        ran = campaign("publish")
        assert ran.code == 3
        assert "campaign accounts check mastodon" in ran.err.replace("\n", " ")
    errors = [one["error"] for one in json.loads(campaign("status", "--json", "--state", "waiting").out)["deliveries"]]
    assert 1 <= len(errors) <= 3  # a short rest may be over before the second pass
    assert all("rests until" in error and "campaign accounts check mastodon" in error for error in errors)
    assert "rests until" in campaign("status").out.replace("\n", " ")
    secrets.write_text(right, encoding="utf-8")
    ran = campaign("accounts", "check", "mastodon")
    assert (ran.code, "no longer rests" in ran.err) == (0, True)
    assert campaign("publish").code == 0
    assert len(stage.posts()) == len(errors)
