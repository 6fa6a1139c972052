"""Every fault at every request that changes something, of every network: each part goes out once, or somebody is told.

For each network and fault, a text, a post with a picture and a thread are sent as often as they have requests that
change something; in each of them another one is struck. Each is alone on its account, so none profits from another.
Of the faults that differ only in a status or a body, each strikes every shape once, at requests that take turns:
together they have been everywhere, and every pair of fault and shape, and of sort of fault and request, is there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from campaign_cli import platforms
from campaign_cli.models import State
from tests.fault_helpers import Scene, Theatre, decide_as_a_person, open_theatre
from tests.fault_lines import AUTOMATIC, BY_STATUS, Sent, answered, describes
from tests.stage_helpers import VIDEOS

PIECEMEAL = ("matrix",)
"""Networks where a text and its pictures are messages of their own."""
UNPROVED = {("tiktok", "picture")}
"""What a network can't prove, though it can prove others: TikTok tells the number of such a post in one answer only."""
REST = 200
"""Seconds that a throttled account is asked to rest."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens once to a request; ``everywhere``: to each in turn, else to one of each shape.

    ``means``: the request was provably not carried out (``unsent``), was refused for good (``refused``), or nobody who
    only has the answer can know (``doubtful``). ``order`` is given to the stage; ``connection`` breaks it before that.
    """

    name: str
    means: Literal["unsent", "refused", "doubtful"]
    order: Mapping[str, Any] = field(default_factory=dict)
    connection: Literal["", "refused", "tls"] = ""
    rest: float = 0
    time_out: float = 30.0
    everywhere: bool = False


def _answer(status: int, means: Literal["unsent", "refused", "doubtful"], **more: Any) -> Fault:
    """The request is not carried out, and this comes back."""
    extra = "".join(f" {value}" for value in more.values())
    rest = REST if more.get("retry", "none") != "none" else 0
    order = {"kind": "answer", "status": status, "seconds": REST, **more}
    return Fault(name=f"{status}{extra}", means=means, order=order, rest=rest)


def _accepted(status: int, body: str = "error") -> Fault:
    """The request is carried out, and this comes back."""
    order = {"kind": "accept-then-answer", "status": status, "body": body}
    return Fault(name=f"accept-then-{status} {body}", means="doubtful", order=order)


def _stage(kind: str, means: Literal["unsent", "refused", "doubtful"], **more: Any) -> Fault:
    return Fault(name=kind, means=means, order={"kind": kind}, **more)


FAULTS = [
    Fault(name="connection refused", means="unsent", connection="refused", everywhere=True),
    Fault(name="tls", means="unsent", connection="tls"),
    Fault(name="429", means="unsent", order={"kind": "429", "seconds": REST}, rest=REST, everywhere=True),
    _answer(429, "unsent", retry="seconds"),
    _answer(429, "unsent", retry="date", body="html"),
    _answer(429, "unsent", body="empty"),
    *(_answer(status, "unsent") for status in (408, 421, 425)),
    _stage("refuse", "refused", everywhere=True),
    *(_answer(status, "refused") for status in (307, 400, 401, 403, 404, 410, 422)),
    _answer(401, "refused", body="html"),
    _stage("drop-before", "doubtful", everywhere=True),
    _stage("drop-half", "doubtful", everywhere=True),
    _stage("503", "doubtful", everywhere=True),
    *(_answer(status, "doubtful", body="html") for status in (500, 502, 504)),
    _answer(503, "doubtful", retry="seconds", body="html"),
    *(_answer(200, "doubtful", body=body) for body in ("error", "html", "empty", "gzip")),
    _stage("accept-then-drop", "doubtful", everywhere=True),
    Fault(
        name="too slow",
        means="doubtful",
        order={"kind": "accept-then-stall", "seconds": 60},
        time_out=0.5,
        everywhere=True,
    ),
    *(_accepted(status, body) for status, body in ((500, "html"), (502, "html"), (503, "error"), (504, "empty"))),
    *(_accepted(200, body) for body in ("error", "html", "empty", "half", "gzip", "nameless")),
]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A delivery of which the changing request with this number (from 0) is struck."""

    shape: Literal["text", "picture", "thread"]
    struck: int
    creating: int = 0  # requests that make something public, on a good day

    @property
    def account(self) -> str:
        return f"{self.shape}{self.struck}"

    @property
    def texts(self) -> tuple[str, ...]:
        parts = 3 if self.shape == "thread" else 1
        return tuple(f"Kabar {self.shape} {self.struck} bagian {number}" for number in range(parts))

    def queue(self, scene: Scene) -> str:
        return scene.queue(self.account, *self.texts, pictures=int(self.shape == "picture"))


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """One stage for all scenes of this process."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


Cases = Callable[[str], list[Case]]


@pytest.fixture(scope="module")
def cases(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Each network's cases: what it sends on a good day, counted."""
    known: dict[str, list[Case]] = {}

    def of(platform: str) -> list[Case]:
        if platform not in known:
            known[platform] = _counted(platform, theatre, tmp_path_factory.mktemp("baik"))
        return known[platform]

    return of


def _counted(platform: str, theatre: Theatre, root: Path) -> list[Case]:
    adapter = platforms.get(platform)
    shapes: list[Any] = ["text"] if platform in VIDEOS or not adapter.limits.media_least else []
    shapes += ["picture"] if adapter.limits.images else []
    shapes += ["thread"] if adapter.threads else []
    good = [Case(shape=shape, struck=0) for shape in shapes]
    scene = Scene(root, theatre, platform, [case.account for case in good])
    for case in good:
        case.queue(scene)
    try:
        assert scene.settle() == []
        assert {one.state for one in scene.deliveries().values()} == {State.PUBLISHED}
    finally:
        scene.close()
    return [
        Case(shape=case.shape, struck=number, creating=sum(one.creating for one in scene.sent[case.account]))
        for case in good
        for number in range(sum(one.changing for one in scene.sent[case.account]))
    ]


def struck_by(fault: Fault, cases: list[Case]) -> list[Case]:
    """The cases of a fault: all, or one of each shape."""
    if fault.everywhere:
        return cases
    turn = FAULTS.index(fault)
    shapes = {case.shape: [other for other in cases if other.shape == case.shape] for case in cases}
    return [some[turn % len(some)] for some in shapes.values()]


def stage_fault(scene: Scene, fault: Fault, case: Case) -> None:
    """Let the fault strike this case's request, once."""
    address = {
        "refused": f"http://127.0.0.1:{scene.theatre.closed_port}/",
        "tls": f"https://127.0.0.1:{scene.server.port}/",
    }.get(fault.connection)
    if address is not None:
        scene.leads = {**scene.leads, case.account: partial(_leads, case.struck, address)}
    else:
        scene.misbehave(case.account, requests="changing", skip=case.struck, times=1, **fault.order)


def _leads(struck: int, address: str, log: Sequence[Sent]) -> str | None:
    return address if log[-1].changing and sum(one.changing for one in log) == struck + 1 else None


@pytest.mark.parametrize("platform", AUTOMATIC)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_part_goes_out_once(
    tmp_path: Path,
    theatre: Theatre,
    cases: Cases,
    fault: Fault,
    platform: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After the fault every part is out once, or the delivery says why not; a person's decision then ends it well."""
    if fault.order.get("kind") == "answer" and fault.order["status"] == 200 and platform in BY_STATUS:
        return  # there it is no fault: a receiver that says 2xx has the message (tests/test_webhook.py)
    caplog.set_level(logging.INFO)
    wanted = struck_by(fault, cases(platform))
    scene = Scene(tmp_path, theatre, platform, [case.account for case in wanted], time_out=fault.time_out)
    try:
        for case in wanted:
            case.queue(scene)
            stage_fault(scene, fault, case)
        wrong = scene.settle(eager=fault.rest > 0)
        wrong += [f"{order.account}: not struck" for order in scene.orders if order.times]
        for case in wanted:
            wrong += _ended(scene, fault, case) + _sent(scene, fault, case) + _doubles(scene, case)
        decide_as_a_person(scene, {f"{case.account}/kabar": case.texts for case in wanted})
        wrong += scene.settle()
        for case in wanted:
            wrong += _complete(scene, case)
        assert not wrong, "\n".join(wrong)
        assert scene.leaks(caplog.text) == []
    finally:
        scene.close()


def _struck(scene: Scene, case: Case) -> int:
    """Where in the account's log the struck request stands."""
    changing = [index for index, one in enumerate(scene.sent[case.account]) if one.changing]
    return changing[case.struck]


def _expected(scene: Scene, fault: Fault, case: Case) -> State:
    """How the delivery must end without a person."""
    log, index = scene.sent[case.account], _struck(scene, case)
    if fault.means == "refused":
        # A refusal after the post takes nothing back, unless the post is several messages and lacks some now.
        whole = len(case.texts) == 1 and scene.platform not in PIECEMEAL
        out = whole and any(one.creating for one in log[:index])
        return State.PUBLISHED if out else State.FAILED
    blind = scene.adapter.proof.blind or (scene.platform, case.shape) in UNPROVED
    return State.UNCERTAIN if fault.means == "doubtful" and log[index].creating and blind else State.PUBLISHED


def _ended(scene: Scene, fault: Fault, case: Case) -> list[str]:
    """The state that can be proved, with a reason where it is no success."""
    delivery, state = scene.deliveries()[f"{case.account}/kabar"], _expected(scene, fault, case)
    wrong = []
    if delivery.state is not state:
        wrong.append(f"{case.account}: {delivery.state.value} instead of {state.value}: {delivery.error}")
    if delivery.state is not State.PUBLISHED and not delivery.error:
        wrong.append(f"{case.account}: {delivery.state.value} without a reason")
    return wrong


def _sent(scene: Scene, fault: Fault, case: Case) -> list[str]:
    """No more creating requests than on a good day and one repeat; none before the network's own instant."""
    log, index = scene.sent[case.account], _struck(scene, case)
    wrong = []
    creating = sum(one.creating for one in log)
    if creating > case.creating + 1:
        wrong.append(f"{case.account}: {creating} creating requests instead of {case.creating}")
    until = log[index].at + timedelta(seconds=fault.rest)
    early = [one for one in log[index + 1 :] if one.at < until]
    if fault.rest and early:
        wrong.append(f"{case.account}: {len(early)} requests before the end of the rest")
    return wrong


def _doubles(scene: Scene, case: Case) -> list[str]:
    counts = {text: len(scene.showing(case.account, text)) for text in case.texts}
    return [f"{case.account}: “{text}” is there {number} times" for text, number in counts.items() if number > 1]


def _complete(scene: Scene, case: Case) -> list[str]:
    """Everything is out once, in order, with its pictures, and each part has the receipt of its own post."""
    delivery = scene.deliveries()[f"{case.account}/kabar"]
    wrong = _doubles(scene, case)
    if delivery.state is not State.PUBLISHED:
        wrong.append(f"{case.account}: {delivery.state.value} in the end: {delivery.error}")
    posts = [post for text in case.texts for post in scene.showing(case.account, text)]
    ids = [receipt.id.rpartition("/")[2] for receipt in delivery.receipts]
    if [post.id for post in posts] != ids:
        wrong.append(f"{case.account}: receipts {ids} of posts {[post.id for post in posts]}")
    replies = [post.reply_to for post in posts]
    if posts and replies != answered(scene.platform, [post.id for post in posts]):
        wrong.append(f"{case.account}: the thread answers {replies}")
    alts = [alt for post in posts for alt in post.alts]
    if case.shape == "picture" and alts != ["Gambar 0" if describes(scene.platform) else ""]:
        wrong.append(f"{case.account}: alt texts {alts}")
    kept = len(scene.kept(case.account))
    if kept > len(case.texts):
        wrong.append(f"{case.account}: {kept} posts and drafts for {len(case.texts)} parts")
    return wrong
