"""What X's refusals mean: each documented problem, the kinds of 429, the rate headers, and the same text twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from platform_helpers import NOW, Network, answer, failure_of, parts, picture
from x_helpers import TOKEN, created, on_its_way, problem, timeline

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Receipt
from campaign_cli.platforms.x import platform

PROBLEMS = "https://api.x.com/2/problems/"
LATER, LATEST = NOW.replace(microsecond=0) + timedelta(minutes=9), NOW.replace(microsecond=0) + timedelta(hours=7)
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."


def refused(reply: Any, **more: Any) -> Failure:
    """The failure that an answer to a new post means; it never holds the token."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[reply]), **more))))
    assert TOKEN not in f"{failure!r} {failure.message} {failure.fix} {failure.__cause__}"
    return failure


@pytest.mark.parametrize(
    ("status", "type_", "kind", "words"),
    [
        (400, "invalid-request", Rejected, ""),
        (401, "", Unauthorized, "two hours"),
        (402, "credits", Rejected, "credits"),
        (403, "", Rejected, "Read and write"),
        (403, "unsupported-authentication", Unauthorized, "user's token"),
        (403, "client-forbidden", Rejected, "project"),
        (403, "not-authorized-for-resource", Rejected, "media.write"),
        (403, "disallowed-resource", Rejected, ""),
        (403, "usage-capped", Rejected, "console.x.com"),
        (404, "resource-not-found", Rejected, ""),
        (404, "resource-unavailable", Rejected, ""),
        (409, "", Rejected, ""),
        (429, "usage-capped", Rejected, "cap for this month"),
        (429, "rate-limit-exceeded", Unavailable, ""),
        (429, "", Unavailable, ""),
        (500, "internal-error", Unconfirmed, ""),
        (502, "", Unconfirmed, ""),
        (503, "", Unconfirmed, ""),
        (504, "", Unconfirmed, ""),
    ],
)
def test_documented_problems_are_told_apart(status: int, type_: str, kind: type[Failure], words: str) -> None:
    """A wrong token, no credits, no right, the text: a person must act; a 429 comes back; a 5xx proves nothing."""
    failure = refused(problem(status, f"Kata X. {TOKEN}", kind=PROBLEMS + type_ if type_ else ""))
    assert type(failure) is kind
    assert words in failure.fix
    assert "Kata X" in failure.message


@pytest.mark.parametrize("status", [401, 402, 403, 429])
def test_a_refusal_without_a_problem_document_is_one_all_the_same(status: int) -> None:
    """A page of a proxy says it with the status alone."""
    failure = refused(httpx.Response(status, text="<html>no</html>"))
    kinds = {401: Unauthorized, 402: Rejected, 403: Rejected, 429: Unavailable}
    assert type(failure) is kinds[status]


def test_a_refused_reply_says_what_becomes_of_the_thread() -> None:
    """X may refuse the parts of a thread as replies: the fix says so."""
    first = Receipt(part=0, id="7", url=None, at=NOW)
    failure = refused(problem(403, "Not allowed."), content=parts("Satu", "Dua"), part=1, earlier=(first,))
    assert isinstance(failure, Rejected)
    assert "thread" in failure.fix


def epoch(at: Any) -> str:
    return str(int(at.timestamp()))


@pytest.mark.parametrize(
    ("headers", "until", "words"),
    [
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": epoch(LATER)}, LATER, "quarter of an hour"),
        (
            {
                **{"x_rate_limit_remaining": "0", "x_rate_limit_reset": epoch(LATER)},
                **{"x_app_limit_24hour_remaining": "0", "x_app_limit_24hour_reset": epoch(LATEST)},
            },
            LATEST,
            "This app",
        ),
        (
            {
                **{"x_rate_limit_remaining": "12", "x_rate_limit_reset": epoch(LATER)},
                **{"x_user_limit_24hour_remaining": "0", "x_user_limit_24hour_reset": epoch(LATEST)},
            },
            LATEST,
            "This account",
        ),
        ({"x_rate_limit_remaining": "12", "x_rate_limit_reset": epoch(LATER)}, None, "quarter of an hour"),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "besok"}, None, "quarter of an hour"),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "9" * 30}, None, "quarter of an hour"),
        ({"x_rate_limit_remaining": "0", "x_rate_limit_reset": "1"}, None, "quarter of an hour"),
    ],
)
def test_a_429_names_what_is_used_up_and_the_latest_reset(headers: dict[str, str], until: Any, words: str) -> None:
    """Of the windows that are used up, the last to start anew counts; a header that can't be read says nothing."""
    failure = refused(problem(429, "Too Many Requests", **headers))
    assert isinstance(failure, Unavailable)
    assert failure.retry_at == until
    assert words in failure.message


def test_a_used_up_window_rests_the_account_before_x_says_no() -> None:
    """The headers of a good answer are enough."""
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": epoch(LATER)}
    assert platform.pause_until(headers, NOW) == LATER
    assert platform.pause_until(headers | {"x-rate-limit-remaining": "1"}, NOW) is None
    assert platform.pause_until({}, NOW) is None


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx.ConnectError("no route to host"), Unavailable),
        (httpx.ReadTimeout("slow"), Unconfirmed),
        (httpx.RemoteProtocolError("closed"), Unconfirmed),
        (answer(201, text="<html>"), Unconfirmed),
        (answer(201, {"data": {}}), Unconfirmed),
        (answer(200, {"errors": [{"title": "Something", "detail": "went wrong"}]}), Unconfirmed),
    ],
)
def test_only_what_never_left_may_be_sent_again(reply: Any, kind: type[Failure]) -> None:
    """What may have been carried out is in doubt, and so is a good status that names no post."""
    assert type(refused(reply)) is kind


def test_errors_beside_a_new_post_do_not_hide_it() -> None:
    """X may add ``errors`` to an answer that names the post."""
    network = Network(replies=[answer(201, {"data": {"id": "7", "text": "…"}, "errors": [{"title": "x"}]})])
    assert asyncio.run(platform.publish(on_its_way(network))).id == "7"


def test_the_same_text_as_an_older_post_is_refused() -> None:
    """Nothing has left before: the words are those of another post, and a person must change them."""
    failure = refused(problem(403, DUPLICATE))
    assert isinstance(failure, Rejected)
    assert (failure.code, "variant" in failure.fix) == ("duplicate", True)


def test_the_same_text_after_a_lost_answer_is_probably_ours() -> None:
    """The try before may have been carried out: it is in doubt, and is looked up."""
    steps: dict[str, Any] = {}
    assert isinstance(refused(httpx.ReadTimeout("slow"), steps=steps), Unconfirmed)
    failure = refused(problem(403, DUPLICATE), steps=steps)
    assert isinstance(failure, Unconfirmed)
    assert failure.code == "duplicate"


@pytest.mark.parametrize(
    "before",
    [httpx.ConnectError("no route to host"), problem(429, "Too Many Requests"), problem(401, "Unauthorized")],
)
def test_a_try_that_was_provably_refused_is_not_the_other_post(before: Any) -> None:
    """After a try that can't have been carried out, the same text is still an older post's."""
    steps: dict[str, Any] = {}
    refused(before, steps=steps)
    assert isinstance(refused(problem(403, DUPLICATE), steps=steps), Rejected)


def test_a_refused_repetition_does_not_forget_the_first_try() -> None:
    """Lost, then throttled, then a duplicate: the first try is still the likely one."""
    steps: dict[str, Any] = {}
    for reply in (httpx.ReadTimeout("slow"), problem(429, "Too Many Requests")):
        refused(reply, steps=steps)
    assert isinstance(refused(problem(403, DUPLICATE), steps=steps), Unconfirmed)


def test_a_failed_upload_is_no_try_at_the_post() -> None:
    """Before the post there is nothing that could be doubled: no try is kept."""
    steps: dict[str, Any] = {}
    content = parts("Foto", media=[picture()])
    assert isinstance(refused(problem(503, "Service Unavailable"), content=content, steps=steps), Unavailable)
    assert steps == {}


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Rejected), (429, Unavailable), (503, Unavailable)]
)
def test_a_refused_look_up_is_no_absence(status: int, kind: type[Failure]) -> None:
    """It fails as what it is, so that nothing counts as absent."""
    network = Network(replies=[problem(status, "No")])
    assert type(asyncio.run(failure_of(platform.look_up(on_its_way(network), NOW)))) is kind
    assert [request.url.path for request in network.requests] == ["/2/users/me"]


def test_the_account_is_asked_for_once() -> None:
    """Its number is kept as long as the process."""
    memory: dict[str, Any] = {}
    network = Network(replies=[answer(200, {"data": {"id": "5", "username": "a"}}), timeline(), timeline(), created()])
    for _again in range(2):
        asyncio.run(platform.look_up(on_its_way(network, memory=memory), NOW))
    assert [request.url.path for request in network.requests] == ["/2/users/me", *["/2/users/5/tweets"] * 2]
