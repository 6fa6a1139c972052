"""Meta's Graph API as its three networks share it: refusals by code, usage headers, lists, tokens."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from facebook_helpers import TOKEN, on_its_way, refusal
from platform_helpers import NOW, Network, answer, failure_of
from pydantic import ValidationError

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.platforms import facebook_api, instagram_api, whatsapp_account
from campaign_cli.platforms.base import Answer
from campaign_cli.platforms.graph import PAGES, Graph, instant, token_facts
from campaign_cli.platforms.graph_answers import GraphError, error_of, errors, pause_until

GRAPH = Graph(base="https://graph.facebook.com/v25.0", title="Jejaring")


def _failure(reply: Any, *, creating: bool = False) -> Any:
    session = on_its_way(Network(replies=[reply]))
    request = GRAPH.call(session, "POST", "/1/feed", form={"message": "a"}, creating=creating)
    return asyncio.run(failure_of(session.http.send(request)))


CODES = [
    *((code, 400, Unauthorized) for code in (102, 190)),
    *((code, 403, Unavailable) for code in (4, 17, 32, 341, 613, 80000, 80001, 80002, 80014)),
    *((code, 400, Rejected) for code in (3, 10, 100, 200, 299, 368, 506, 9999)),
    *((code, 500, Unavailable) for code in (4, 80001)),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES)
@pytest.mark.parametrize("creating", [True, False])
def test_the_code_says_what_a_refusal_means(code: int, status: int, kind: type[Exception], creating: bool) -> None:
    """Whatever the status, and whether or not something was to be created; Meta's words and the code are shown."""
    failure = _failure(refusal(code, status=status), creating=creating)
    assert type(failure) is kind
    assert failure.code == str(code)
    assert "Kata-kata jejaring" in failure.message
    assert "Jejaring" in failure.message


@pytest.mark.parametrize("reply", [refusal(1), refusal(2, status=500), refusal(2, status=503)])
def test_a_temporary_error_proves_nothing_of_what_was_created(reply: Any) -> None:
    """It is in doubt for a creating request, and harmless for any other; so is what Meta calls transient."""
    assert type(_failure(reply, creating=True)) is Unconfirmed
    assert type(_failure(reply)) is Unavailable
    transient = answer(400, {"error": {"message": "a", "code": 99, "is_transient": True}})
    assert type(_failure(transient, creating=True)) is Unconfirmed
    assert type(_failure(transient)) is Unavailable


def test_an_error_of_the_server_with_another_code_is_in_doubt() -> None:
    """A 5xx is read as always."""
    assert type(_failure(refusal(100, status=500), creating=True)) is Unconfirmed
    assert type(_failure(refusal(100, status=502))) is Unavailable


@pytest.mark.parametrize("subcode", [458, 459, 460, 463, 464, 467, 492])
def test_a_dead_token_says_what_to_do(subcode: int) -> None:
    """Each of the documented reasons has a way out; a checkpoint is passed on Meta's own page first."""
    failure = _failure(refusal(190, subcode=subcode))
    assert type(failure) is Unauthorized
    assert failure.code == f"190/{subcode}"
    assert failure.fix
    assert ("own page" in failure.fix) is (subcode in (459, 464))


def test_the_words_for_people_come_first() -> None:
    """Meta's title and message for people take the place of the one for developers."""
    error = {"message": "dev", "code": 100, "error_user_title": "Judul", "error_user_msg": "Pesan"}
    assert "Judul: Pesan" in _failure(answer(400, {"error": error})).message


@pytest.mark.parametrize("body", [{}, {"error": "kata"}, {"error": {"code": "190"}}, {"error": {"code": True}}, []])
def test_what_is_no_error_object_is_read_as_always(body: Any) -> None:
    """The status alone decides then."""
    assert type(_failure(answer(400, body))) is Rejected
    assert type(_failure(answer(401, body))) is Unauthorized


def test_a_network_may_put_its_own_rows_first() -> None:
    """What they leave, the shared table reads."""

    def own(error: GraphError, _answer: Answer) -> Any:
        return Rejected("Sendiri", code=error.name) if error.subcode == 7 else None

    for reply, kind in ((refusal(4, subcode=7), Rejected), (refusal(4), Unavailable)):
        session = on_its_way(Network(replies=[reply]))
        graph = Graph(base=GRAPH.base, title="Jejaring", own=own)
        assert type(asyncio.run(failure_of(session.http.send(graph.call(session, "GET", "/1"))))) is kind


def _usage(**minutes: int) -> dict[str, str]:
    rows = {
        name: [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": value}]
        for name, value in minutes.items()
    }
    return {"x-business-use-case-usage": json.dumps(rows)}


HEADERS = [
    (_usage(a=0), None),
    (_usage(a=19), timedelta(minutes=19)),
    (_usage(a=3, b=40), timedelta(minutes=40)),
    ({"x-app-usage": '{"call_count":99,"total_time":5,"total_cputime":1}'}, None),
    ({"x-app-usage": '{"call_count":5,"total_time":100,"total_cputime":1}'}, timedelta(minutes=10)),
    ({"x-page-usage": '{"call_count":101}'}, timedelta(minutes=10)),
    ({"x-app-usage": "not json", "x-business-use-case-usage": '{"a": 5, "b": [7, {"type": "x"}]}'}, None),
    ({"x-app-usage": "[1]"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "rest"), HEADERS)
def test_usage_headers_say_when_to_go_on(headers: dict[str, str], rest: timedelta | None) -> None:
    """Minutes where Meta names them, ten of them where something is used up without; else no pause."""
    assert pause_until(headers, NOW) == (None if rest is None else NOW + rest)


def test_a_throttled_request_names_an_instant() -> None:
    """Meta's own, a Retry-After, or ten minutes."""
    assert _failure(refusal(80001, headers=_usage(a=5))).retry_at == NOW + timedelta(minutes=5)
    assert _failure(refusal(4)).retry_at == NOW + timedelta(minutes=10)
    assert _failure(refusal(4, headers={"Retry-After": "30"})).retry_at == NOW + timedelta(seconds=30)


def _rows(reply: Any, *more: Any) -> list[Any]:
    network = Network(replies=[reply, *more])

    async def main() -> list[Any]:
        session = on_its_way(network)
        return [page async for page in GRAPH.listed(session, "/1/posts", query={"fields": "id"})]

    pages = asyncio.run(main())
    assert not [request for request in network.requests if TOKEN in str(request.url)]
    return pages


def test_a_list_is_followed_without_the_token_in_an_address() -> None:
    """The next page's own parameters are taken over, whatever they are called; the last page says so."""
    following = {"next": f"https://graph.facebook.com/v25.0/1/posts?access_token={TOKEN}&after=QVFI&limit=25"}
    first = answer(200, {"data": [{"id": 1}], "paging": following})
    assert _rows(first, answer(200, {"data": [{"id": "2"}]})) == [([{"id": "1"}], False), ([{"id": "2"}], True)]
    assert len(_rows(*[first] * PAGES)) == PAGES


def test_a_token_is_inspected_with_itself() -> None:
    """What it is, what it may do, and when it and the right to read data end; 0 is never."""
    end = datetime(2027, 2, 1, tzinfo=UTC)
    data = {"is_valid": True, "type": "PAGE", "profile_id": "7", "scopes": ["a", "b"], "expires_at": 0}
    network = Network(replies=[answer(200, {"data": data | {"data_access_expires_at": int(end.timestamp())}})])
    facts = asyncio.run(token_facts(on_its_way(network), GRAPH))
    assert (facts.valid, facts.kind, facts.profile, facts.scopes) == (True, "PAGE", "7", ("a", "b"))
    assert (facts.expires, facts.data_until) == (None, end)
    assert dict(network.requests[0].url.params) == {"input_token": TOKEN}


def test_instants_are_read_in_both_forms() -> None:
    """With an offset, and as seconds; anything else is none."""
    assert instant("2026-12-03T08:00:00+0700") == instant(1_796_259_600) == datetime(2026, 12, 3, 1, tzinfo=UTC)
    for wrong in ("kemarin", float("inf")):
        with pytest.raises(ValueError, match=r"kemarin|inf"):
            instant(wrong)


def test_nothing_is_read_into_a_good_answer() -> None:
    """An answer without an error object is no failure."""
    reply = httpx.Response(200, json={"id": "1"})
    read = errors(on_its_way(Network()), title="Jejaring", creating=True)
    assert read(_Good(reply)) is None
    assert error_of(_Good(reply)) is None


class _Good:
    def __init__(self, response: httpx.Response) -> None:
        self.status, self.headers, self.text = response.status_code, response.headers, response.text

    def json(self) -> Any:
        return json.loads(self.text)


@pytest.mark.parametrize("written", [100000000001, "100000000001", " 100000000001 "])
def test_a_number_in_accounts_yaml_may_stand_without_quotes(written: object) -> None:
    """A page, a number on WhatsApp and an account on Instagram; what is no number is still refused."""
    whatsapp = {"token": "env:A", "recipients": "file:b", "template": "kabar"}
    settings = (
        facebook_api.Settings(page=written, token="env:A").page,
        whatsapp_account.Settings(phone_number_id=written, business_account=written, **whatsapp).business_account,
        instagram_api.Settings(account=written, token="env:A", login="facebook").account,
    )
    assert settings == ("100000000001",) * 3
    for wrong in (True, -1, 1.5, "halaman", ""):
        with pytest.raises(ValidationError):
            facebook_api.Settings(page=wrong, token="env:A")
