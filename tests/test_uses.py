"""What a plan takes of what networks charge for or count, before it goes anywhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Campaign

from campaign_cli import platforms
from campaign_cli.checks import uses
from campaign_cli.models import Draft, Part, Picture
from campaign_cli.platforms.base import Platform, Use
from campaign_cli.source import read_text

DAY = "2035-06-01"
ACCOUNTS = (
    "accounts:\n"
    "  kicau: {platform: x, handle: '@fsp_contoh', token: env:X_TOKEN}\n"
    "  kanal: {platform: telegram, channel: '@contoh', token: env:T_TOKEN}\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with an account that is paid for, and one that is not."""
    (tmp_path / "accounts.yaml").write_text(ACCOUNTS, "utf-8")
    return tmp_path


def write(root: Path, name: str, times: list[str], *, accounts: str = "[kicau]", text: str = "Pos") -> None:
    """A plan with a post at each of these times, each with words of its own."""
    posts = "".join(
        f'  - {{id: p{number}, at: "{DAY} {time}", text: "{text} {name} {number}"}}\n'
        for number, time in enumerate(times)
    )
    head = f"campaign: {name}\ntimezone: WIB\nday: {DAY}\nlanguage: id\naccounts: {accounts}\nposts:\n"
    (root / f"{name}.yaml").write_text(head + posts, "utf-8")


def seconds(count: int, *, minute: int = 0) -> list[str]:
    """So many times in one minute and the next ones, one a second."""
    return [f"08:{minute + number // 60:02}:{number % 60:02}" for number in range(count)]


def draft(platform: str, *texts: str, alt: str = "") -> Draft:
    """A draft with these parts, and a picture where it has an alt text."""
    picture = Picture(sha256="0" * 64, name="a.png", mime="image/png", size=1, width=1, height=1, alt=alt)
    parts = tuple(Part(text=text, media=(picture,) if alt and not n else ()) for n, text in enumerate(texts))
    return Draft(platform=platform, account="a", address="b", language="id", parts=parts)


def test_x_charges_more_for_a_link() -> None:
    """Each post of a thread has its price, a link and a described picture cost more."""
    price, posts = platforms.get("x").uses(draft("x", "Satu", "Dua https://example.org/a", alt="Poster"))
    assert (price.what, price.amount, price.limit) == (
        "USD",
        Decimal("0.015") + Decimal("0.20") + Decimal("0.005"),
        None,
    )
    assert (posts.what, posts.amount, posts.limit, posts.period) == ("posts", 2, 100, timedelta(minutes=15))


def test_what_neither_charges_nor_counts_is_told_apart() -> None:
    """``counts`` says whether a network has uses of its own."""
    for name in platforms.PLATFORMS:
        own = type(platforms.get(name)).uses is not Platform.uses
        assert uses.counts(name) == own
        assert own or platforms.get(name).uses(draft(name, "Satu")) == ()


def test_check_says_what_a_plan_will_use(campaign: Campaign, root: Path) -> None:
    """One line for each account that is charged or counted, and the same in JSON."""
    write(root, "upah", ["08:00", "09:00"], accounts="[kicau, kanal]", text="Baca https://example.org")
    shown = campaign("check", "upah.yaml")
    assert shown.code == 0
    assert "kicau will use: 0.4 USD, 2 posts." in shown.out
    assert "kanal will use" not in shown.out
    found = json.loads(campaign("check", "upah.yaml", "--json").out)
    assert found["uses"] == [
        {"account": "kicau", "what": "USD", "amount": 0.4},
        {"account": "kicau", "what": "posts", "amount": 2.0},
    ]


def test_check_refuses_what_a_quota_has_no_room_for(campaign: Campaign, root: Path) -> None:
    """The posts beyond it are errors at their place; a quarter of an hour later there is room again."""
    write(root, "penuh", [*seconds(102), "08:16:30"])
    shown = campaign("check", "penuh.yaml", "--json")
    assert shown.code == 2
    problems = [problem for problem in json.loads(shown.out)["problems"] if problem["code"] == "L010"]
    assert [problem["path"] for problem in problems] == ["posts[100]", "posts[101]"]
    assert problems[0]["line"] > 100
    assert "100 posts in 15 minutes" in problems[0]["message"]


def test_queue_counts_what_is_queued_already(campaign: Campaign, root: Path) -> None:
    """Another plan's posts on the same account take their room, in the ledger too; nothing is queued beyond it."""
    write(root, "satu", seconds(60))
    write(root, "dua", seconds(41, minute=2))
    write(root, "tiga", seconds(41, minute=30))
    first = campaign("queue", "satu.yaml", "--yes")
    assert first.code == 0
    assert "kicau will use: 0.9 USD, 60 posts." in first.out
    assert campaign("check", "dua.yaml").code == 0
    refused = campaign("queue", "dua.yaml", "--yes")
    assert refused.code == 2
    assert refused.err.count("L010") == 1
    assert campaign("queue", "tiga.yaml", "--yes").code == 0
    again = campaign("queue", "satu.yaml", "--yes", "--json")
    assert json.loads(again.out)["plans"][0]["uses"] == []


def test_queued_posts_that_fall_due_later_keep_their_room(campaign: Campaign, root: Path) -> None:
    """A plan with earlier posts doesn't push those that are queued beyond the quota: its own posts are refused."""
    write(root, "nanti", seconds(100, minute=5))
    write(root, "dulu", seconds(3))
    assert campaign("queue", "nanti.yaml", "--yes").code == 0
    refused = campaign("queue", "dulu.yaml", "--yes")
    assert refused.code == 2
    assert refused.err.count("L010") == 3


def test_a_renamed_account_has_no_second_quota(campaign: Campaign, root: Path) -> None:
    """What the ledger holds counts by the network's own address, whatever accounts.yaml calls it by now."""
    write(root, "satu", seconds(100))
    assert campaign("queue", "satu.yaml", "--yes").code == 0
    (root / "accounts.yaml").write_text(ACCOUNTS.replace("kicau:", "burung:"), "utf-8")
    write(root, "dua", seconds(1, minute=3), accounts="[burung]")
    refused = campaign("queue", "dua.yaml", "--yes")
    assert refused.code == 2
    assert "L010" in refused.err


def test_plans_that_are_checked_together_share_the_room(campaign: Campaign, root: Path) -> None:
    """Each fits alone; together they don't, and the later plan is told so, at its own posts."""
    write(root, "satu", seconds(60))
    write(root, "dua", seconds(41, minute=2))
    assert campaign("check", "satu.yaml").code == campaign("check", "dua.yaml").code == 0
    shown = campaign("check", "satu.yaml", "dua.yaml", "--json")
    assert shown.code == 2
    found = [problem for problem in json.loads(shown.out)["problems"] if problem["code"] == "L010"]
    assert [(problem["file"], problem["path"]) for problem in found] == [("dua.yaml", "posts[40]")]


def taken(*instants: datetime, zone: str = "", limit: int = 2) -> list[uses.Taken]:
    """One use at each of these instants, of so many a day."""
    use = Use(what="uploads", amount=Decimal(1), limit=Decimal(limit), period=timedelta(days=1), zone=zone)
    return [uses.Taken(account="a", address="b", due=due, use=use, post=n) for n, due in enumerate(instants)]


def test_a_day_begins_anew_at_midnight_of_the_networks_own_zone() -> None:
    """California's midnight is 15.00 in Jakarta; without a zone, any 24 hours count. A day of 25 hours is one day."""
    source = read_text(b"posts: [1, 2, 3]", shown="plan.yaml")
    before = [datetime(2035, 1, 10, hour, tzinfo=UTC) for hour in (6, 7)]
    pacific = taken(*before, datetime(2035, 1, 10, 8, tzinfo=UTC), zone="America/Los_Angeles")
    assert list(uses.beyond(pacific, source=source)) == []
    problem, *more = uses.beyond(taken(*before, datetime(2035, 1, 10, 8, tzinfo=UTC)), source=source)
    assert (problem.path, more) == ("posts[2]", [])
    same_day = taken(*before, datetime(2035, 1, 10, 7, 59, tzinfo=UTC), zone="America/Los_Angeles")
    (problem,) = uses.beyond(same_day, source=source)
    assert "2 uploads a day (from midnight, America/Los_Angeles)" in problem.message
    long = [datetime(2035, 11, 4, 7, tzinfo=UTC), datetime(2035, 11, 4, 20, tzinfo=UTC)]
    (problem,) = uses.beyond(
        taken(*long, datetime(2035, 11, 5, 7, 30, tzinfo=UTC), zone="America/Los_Angeles"), source=source
    )
    assert problem.path == "posts[2]"


def test_a_quota_for_ever_has_no_window() -> None:
    """Without a period everything counts, however far apart."""
    use = Use(what="units", amount=Decimal(2), limit=Decimal(5))
    start = datetime(2035, 6, 1, tzinfo=UTC)
    items = [
        uses.Taken(account="a", address="b", due=start + timedelta(days=400 * n), use=use, post=n) for n in range(3)
    ]
    source = read_text(b"posts: [1, 2, 3]", shown="plan.yaml")
    assert [problem.path for problem in uses.beyond(items, source=source)] == ["posts[2]"]
