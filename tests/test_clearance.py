"""What is asked right before anything leaves, step by step."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from campaign_cli.dispatch.clearance import clear
from campaign_cli.errors import ClaimLost, Embargoed, Failure, Held
from campaign_cli.ledger.approved import Signed

NOW = datetime(2026, 12, 1, 2, tzinfo=UTC)
KEY = "c/p/a"


def signature(key: bytes) -> str:
    """The form of a signature with this key; who verifies is a stand-in here."""
    kind = b"ssh-ed25519"
    public = struct.pack(">I", len(kind)) + kind + key
    body = base64.b64encode(b"SSHSIG" + struct.pack(">I", 1) + struct.pack(">I", len(public)) + public).decode()
    return f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----"


def signed(identifier: int, name: str, *, key: bytes = b"1", whole: bool = True) -> Signed:
    return Signed(id=identifier, name=name, text=f"text {name}", signature=signature(key), whole=whole)


class Desk:
    """What the questions need of a desk: a ledger that gives these approvals, and servers with these clocks."""

    def __init__(self, *, given: Sequence[Signed] = (), bad: dict[str, str] | None = None) -> None:
        self.given, self.bad = list(given), bad or {}
        self.void: dict[int, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.kept: list[tuple[str, int]] = []
        self.clocks: dict[str, list[Any]] = {}
        self.gate: Exception | None = None
        self.ledger = SimpleNamespace(signatures=lambda _key: (self.given, "budi"), void_approvals=self._void)
        self.thread = SimpleNamespace(call=self._call)
        self.signers = SimpleNamespace(objection=self._objection)
        self.worker = "w"
        self.workspace = SimpleNamespace(accounts={})

    @property
    def verifying(self) -> asyncio.Lock:
        return asyncio.Lock()

    def clock(self) -> datetime:
        return NOW

    async def _call(self, function: Any, *arguments: Any, **more: Any) -> Any:
        return function(*arguments, **more)

    def _void(self, void: dict[int, str], *, actor: str) -> None:
        assert actor == "w"
        self.void |= void

    def _objection(self, text: str, _signature: str, *, name: str, author: str, at: datetime) -> str:
        assert (text, author, at) == (f"text {name}", "budi", NOW)
        return self.bad.get(name, "")

    async def pass_gate(self, claim: Any) -> None:
        assert claim.key == KEY
        if self.gate:
            raise self.gate

    def seat_of(self, name: str) -> Any:
        if name not in self.clocks:
            return None

        async def send(request: Any) -> Any:
            self.asked.append((request.method, request.url))
            told = self.clocks[name].pop(0)
            if isinstance(told, Exception):
                raise told
            return SimpleNamespace(headers={} if told is None else {"date": told})

        home = f"https://{name}.example" if not name.startswith("hand") else ""
        return SimpleNamespace(
            account=SimpleNamespace(name=name),
            platform=SimpleNamespace(home=lambda _account: home),
            http=SimpleNamespace(send=send),
        )

    def clear(self, *, name: str = "a", embargo: datetime | None = None, earlier: bool = False) -> None:
        """Ask for a delivery of this account."""
        self.workspace.accounts = dict.fromkeys(self.clocks)
        seat = self.seat_of(name)

        async def keep(step: str, value: int) -> None:
            self.kept.append((step, value))

        attempt = SimpleNamespace(
            sending=SimpleNamespace(earlier=earlier, keep=keep),
            claim=SimpleNamespace(key=KEY, signed=bool(self.given), embargo=embargo),
            http=seat.http if seat else None,
        )
        asyncio.run(clear(self, seat, attempt))  # type: ignore[arg-type]


def test_good_signatures_need_nothing_more() -> None:
    """Two people with a key each: nothing is void, and the gate is not asked."""
    desk = Desk(given=[signed(1, "siti"), signed(2, "ani", key=b"2")])
    desk.gate = AssertionError("nobody asks")
    desk.clear()
    assert desk.void == {}


@pytest.mark.parametrize(
    ("given", "bad", "void"),
    [
        ([signed(1, "siti", whole=False)], {}, {1: "What was signed is not this delivery."}),
        (
            [Signed(id=1, name="siti", text="", signature="x", whole=True)],
            {},
            {1: "What was signed is not this delivery."},
        ),
        (
            [signed(1, "siti"), signed(2, "ani"), signed(3, "eni", key=b"3")],
            {},
            {2: "The key has approved it already, under another name."},
        ),
        ([signed(1, "siti"), signed(2, "ani", key=b"2")], {"ani": "Dicabut."}, {2: "Dicabut."}),
    ],
)
def test_what_does_not_count_is_void(given: list[Signed], bad: dict[str, str], void: dict[int, str]) -> None:
    """A text of something else, no signature, a key that has said yes already, a verifier's no; the gate is asked."""
    desk = Desk(given=given, bad=bad)
    desk.clear()  # enough are left
    assert desk.void == void
    desk.gate = Held("It is not approved.", fix="Approve it.")
    with pytest.raises(Held) as caught:
        desk.clear()
    assert caught.value.message == f"It is not approved. {next(iter(void.values()))}"
    assert caught.value.fix == "Approve it."
    desk.gate = ClaimLost("gone")
    with pytest.raises(ClaimLost):
        desk.clear()


def test_several_reasons_are_each_said_once() -> None:
    """In their order."""
    desk = Desk(given=[signed(n, name, key=name.encode()) for n, name in enumerate("abc")])
    desk.bad = {"a": "Satu.", "b": "Dua.", "c": "Satu."}
    desk.gate = Held("Tidak.")
    with pytest.raises(Held, match=r"^Tidak\. Satu\. Dua\.$"):
        desk.clear()


def test_what_has_begun_is_asked_nothing() -> None:
    """Neither signatures nor clocks."""
    desk = Desk(given=[signed(1, "siti", whole=False)])
    desk.clocks = {"a": []}
    desk.clear(embargo=NOW + timedelta(days=1), earlier=True)
    assert (desk.void, desk.asked) == ({}, [])


def date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


def micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_the_destination_says_that_it_is_over() -> None:
    """At that second, and it alone is asked."""
    desk = Desk()
    desk.clocks = {"a": [date(NOW)], "b": []}
    desk.clear(embargo=NOW)
    assert desk.asked == [("HEAD", "https://a.example")]


@pytest.mark.parametrize(
    ("behind", "wait"),
    [
        (timedelta(seconds=1), timedelta(seconds=1)),
        (timedelta(minutes=10), timedelta(minutes=10)),
        (timedelta(days=400), timedelta(hours=1)),
    ],
)
def test_it_is_asked_again_when_it_will_be_over_there(behind: timedelta, wait: timedelta) -> None:
    """And within an hour, however far behind it says to be; when that is is kept."""
    desk = Desk()
    desk.clocks = {"a": [date(NOW - behind)]}
    with pytest.raises(Embargoed) as caught:
        desk.clear(embargo=NOW)
    assert caught.value.message == "Its embargo is not over by the clock of its destination."
    assert caught.value.until == NOW + wait
    assert [value for _step, value in desk.kept] == [micros(NOW + wait)]


@pytest.mark.parametrize("told", [None, "", "gestern", "Tue, 01 Dec 2026 02:00:00 -0000", Failure("no route")])
def test_a_destination_that_does_not_say(told: Any) -> None:
    """It is asked again in a minute, and nothing is kept."""
    desk = Desk()
    desk.clocks = {"a": [told], "b": [date(NOW)]}
    with pytest.raises(Embargoed) as caught:
        desk.clear(embargo=NOW)
    assert caught.value.message.startswith("Its destination does not say what time it is")
    assert (caught.value.until, desk.kept) == (NOW + timedelta(minutes=1), [])
    assert desk.asked == [("HEAD", "https://a.example")]


def test_who_has_no_server_goes_by_the_others() -> None:
    """The first that says what time it is decides; those without a server, or unknown ones, are passed over."""
    desk = Desk()
    desk.clocks = {"hand": [], "hand2": [], "b": [None], "c": [date(NOW)], "d": []}
    desk.clear(name="hand", embargo=NOW)
    assert desk.asked == [("HEAD", "https://b.example"), ("HEAD", "https://c.example")]
    desk.clocks = {"hand": [], "b": [date(NOW - timedelta(minutes=5))], "c": [date(NOW)]}
    with pytest.raises(Embargoed, match="by the clock"):
        desk.clear(name="hand", embargo=NOW)


def test_where_nobody_has_a_server() -> None:
    """It can't be over."""
    desk = Desk()
    desk.clocks = {"hand": [], "hand2": []}
    with pytest.raises(Embargoed, match="No account here has a server") as caught:
        desk.clear(name="hand", embargo=NOW)
    assert caught.value.until == NOW + timedelta(minutes=1)
