"""The stage as a server: it starts and stops cleanly, misbehaves on demand, shows its posts, and holds no real
secret."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaign_cli.accounts import Rules, Workspace
from campaign_cli.errors import CampaignError, CredentialError, InputError
from campaign_cli.models import Account
from campaign_cli.platforms import PLATFORMS, get
from campaign_cli.stage import MEDIA_HOST, on_loopback, open_stage, stage_accounts, stage_workspace
from campaign_cli.stage.app import network_class
from campaign_cli.stage.faults import KINDS, parse_misbehaviour
from campaign_cli.stage.server import StageServer
from tests.stage_helpers import ACCOUNTS, Clock, Played, open_played, png


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network; rates are not enforced."""
    played = open_played(tmp_path, enforce_rates=False)
    with played.server, played.http:
        yield played


def toot(stage: Played, text: str = "Halo", **members: Any) -> httpx.Response:
    """Post on Mastodon."""
    headers = {"Authorization": f"Bearer {stage.secret('mastodon')}"}
    address = stage.path("mastodon") + "/api/v1/statuses"
    return stage.http.post(address, json={"status": text}, headers=headers, **members)


# --- the server


def test_nothing_is_left_behind() -> None:
    """After the end there is no thread, and the port is free for the next stage."""
    before = threading.enumerate()
    with StageServer(clock=Clock().now) as server:
        assert httpx.get(server.url, trust_env=False).status_code == 200
    assert threading.enumerate() == before
    with StageServer(clock=Clock().now, port=server.port) as again:
        assert again.url == server.url


def test_a_stage_that_never_ran_closes() -> None:
    """Its socket is closed all the same."""
    StageServer(clock=Clock().now).close()


def test_a_taken_port_is_said(stage: Played) -> None:
    """The message names the port and what to do."""
    with pytest.raises(CampaignError) as caught:
        StageServer(clock=Clock().now, port=stage.server.port)
    assert str(stage.server.port) in caught.value.message
    assert "--port" in caught.value.fix


def test_the_end_does_not_wait_for_slow_answers(tmp_path: Path) -> None:
    """A request that is held back for minutes is cut off when the stage ends."""
    stage = open_played(tmp_path)
    with stage.server, stage.http, ThreadPoolExecutor(1) as pool:
        stage.misbehave("slow", seconds=600)
        waiting = pool.submit(toot, stage)
        while not stage.server.state.faults["slow"]:
            time.sleep(0.01)
        stage.server.close()
        with contextlib.suppress(httpx.TransportError):
            assert waiting.result(timeout=30).status_code == 500
    assert stage.server.state.posts == []


def test_answers_are_dated_by_the_clock_of_the_stage(stage: Played) -> None:
    """A rehearsal says what time it is, in every answer."""
    assert toot(stage).headers.get_list("date") == ["Wed, 01 May 2030 01:00:00 GMT"]


def test_many_at_once(stage: Played) -> None:
    """Forty posts over eight connections: each is there once, with ids and numbers of its own."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: toot(stage, f"no {number}"), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    posts = stage.posts()
    assert sorted(post["text"] for post in posts) == sorted(f"no {number}" for number in range(40))
    assert len({post["id"] for post in posts}) == len({post["number"] for post in posts}) == 40


# --- misbehaviour


def test_accept_then_drop_really_drops(stage: Played) -> None:
    """The post is stored and not one byte comes back; it happens as often as was said."""
    stage.misbehave("accept-then-drop", times=2)
    for _number in range(2):
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            toot(stage)
    assert toot(stage).status_code == 200
    assert len(stage.posts()) == 3
    assert stage.http.get("/_stage/requests").json()["faults"] == {"accept-then-drop": 2}


def test_only_what_published_is_dropped(stage: Played) -> None:
    """A request that failed keeps its answer, and the order waits for one that succeeds."""
    stage.misbehave("accept-then-drop", times=1)
    assert toot(stage, "").status_code == 422
    with pytest.raises(httpx.RemoteProtocolError):
        toot(stage)


def test_drop_before_stores_nothing(stage: Played) -> None:
    """The connection is cut before the request is carried out."""
    stage.misbehave("drop-before", account="nasional", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        toot(stage)
    assert stage.posts() == []


def test_malformed_is_half_a_body(stage: Played) -> None:
    """200, stored, and no JSON."""
    stage.misbehave("malformed", times=1)
    answer = toot(stage)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r".+"):
        answer.json()
    assert len(stage.posts()) == 1


def test_slow_waits_and_goes_on(stage: Played) -> None:
    """A client without patience gives up, and the post is made all the same."""
    stage.misbehave("slow", times=1, seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        toot(stage, timeout=0.05)
    assert toot(stage, "kedua").status_code == 200


def test_an_answer_is_as_ordered(stage: Played) -> None:
    """Status, body and Retry-After are those of the order, and nothing is stored."""
    stage.misbehave("answer", times=1, status=429, body="html", retry="date", seconds=90)
    throttled = toot(stage)
    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "Wed, 01 May 2030 01:01:30 GMT")
    assert stage.secret("mastodon") in throttled.text  # as proxies do that show what they were asked
    stage.misbehave("answer", times=1, status=307)
    elsewhere = toot(stage)
    assert (elsewhere.status_code, elsewhere.headers["location"]) == (
        307,
        "https://elsewhere.example/mastodon/nasional/api/v1/statuses",
    )
    assert stage.posts() == []


def test_what_was_accepted_may_be_answered_without_an_id(stage: Played) -> None:
    """The post is stored, and the answer is the network's own without what names the post."""
    stage.misbehave("accept-then-answer", times=1, status=200, body="nameless")
    answer = toot(stage, "Tanpa nama").json()
    assert "id" not in answer
    assert "uri" not in answer
    assert "Tanpa nama" in answer["content"]
    assert len(stage.posts()) == 1


def test_what_is_no_gzip_can_not_be_read(stage: Played) -> None:
    """The answer says that it is compressed, and is not."""
    stage.misbehave("accept-then-answer", times=1, status=200, body="gzip")
    with pytest.raises(httpx.DecodingError):
        toot(stage)


def test_a_stalled_answer_ends_with_the_other_side(stage: Played) -> None:
    """The post is stored and no answer comes; a client that gives up is not waited for."""
    stage.misbehave("accept-then-stall", times=1, seconds=600)
    with pytest.raises(httpx.ReadTimeout):
        toot(stage, timeout=0.2)
    assert len(stage.posts()) == 1


def test_the_second_change_is_struck(stage: Played) -> None:
    """``skip`` lets requests pass, and ``changing`` counts all but those that only read."""
    stage.misbehave("drop-half", account="nasional", requests="changing", skip=1, times=1)
    assert toot(stage).status_code == 200
    assert stage.http.get(stage.path("mastodon") + "/api/v2/instance").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        toot(stage)
    assert toot(stage).status_code == 200
    assert len(stage.posts()) == 2


def test_a_share_is_drawn_with_a_seed(stage: Played) -> None:
    """The same seed spoils the same requests, about the share that was asked for."""
    drawn = []
    for _round in range(2):
        stage.misbehave("503", share=0.4, seed=7)
        drawn.append([toot(stage).status_code for _number in range(30)])
        stage.http.delete("/_stage/misbehave")
    assert drawn[0] == drawn[1]
    assert 4 <= drawn[0].count(503) <= 20


def test_orders_can_cover_any_request(stage: Played) -> None:
    """Without more words only what asks for a post is spoilt; with requests=any everything is."""
    address = stage.path("mastodon") + "/api/v2/instance"
    stage.misbehave("503", platform="mastodon")
    assert stage.http.get(address).status_code == 200
    stage.misbehave("503", platform="mastodon", requests="any")
    assert stage.http.get(address).status_code == 503
    assert len(stage.http.get("/_stage/misbehave").json()["orders"]) == 2


@pytest.mark.parametrize("order", [{"kind": "sulk"}, {"kind": "503", "times": 0}, {"kind": "503", "whom": "me"}])
def test_a_senseless_order_is_refused(stage: Played, order: dict[str, Any]) -> None:
    """422 with the reason, and 415 for what isn't JSON."""
    assert stage.http.post("/_stage/misbehave", json=order).status_code == 422
    assert stage.http.post("/_stage/misbehave", data=order).status_code == 415


def test_misbehaviour_is_read_from_words() -> None:
    """WHERE:KIND with a number or named options; where is a platform, an account or everything."""
    three = parse_misbehaviour("mastodon:503:3", platforms=PLATFORMS)
    assert (three.platform, three.account, three.kind, three.times) == ("mastodon", None, "503", 3)
    share = parse_misbehaviour("kanal:slow:share=0.2,seed=9,seconds=2,requests=any", platforms=PLATFORMS)
    assert (share.account, share.share, share.seed, share.seconds, share.requests) == ("kanal", 0.2, 9, 2, "any")
    everywhere = parse_misbehaviour("*:refuse", platforms=PLATFORMS)
    assert (everywhere.platform, everywhere.account, everywhere.times) == (None, None, None)


@pytest.mark.parametrize("text", ["mastodon", "mastodon:sulk", "mastodon:503:often", "mastodon:slow:seconds=x"])
def test_bad_words_name_the_good_ones(text: str) -> None:
    """The message repeats what was written, the fix lists every kind."""
    with pytest.raises(InputError) as caught:
        parse_misbehaviour(text, platforms=PLATFORMS)
    assert text in caught.value.message
    assert all(kind in caught.value.fix for kind in KINDS)


# --- what it shows


def test_requests_are_counted_without_secrets(stage: Played) -> None:
    """By account and kind of request; Telegram's token, which is in the path, isn't shown."""
    toot(stage)
    stage.http.get(stage.path("mastodon") + "/api/v1/statuses/1")
    stage.http.post(f"{stage.path('telegram')}/bot{stage.secret('telegram')}/getMe")
    counts = stage.http.get("/_stage/requests").json()
    assert counts["total"] == 3
    assert counts["accounts"]["nasional"] == {"POST /api/v1/statuses": 1, "GET /api/v1/statuses/{id}": 1}
    assert counts["accounts"]["kanal"] == {"POST getMe": 1}


def test_the_timeline_is_escaped(stage: Played) -> None:
    """What was posted is shown as text; a policy forbids scripts; posts can be narrowed to an account."""
    toot(stage, "<script>alert(1)</script>")
    page = stage.http.get("/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "&lt;script" not in stage.http.get("/", params={"account": "web"}).text


def test_a_thread_is_shown_on_the_page_of_its_last_post(stage: Played) -> None:
    """The page of a reply shows what it answers."""
    headers = {"Authorization": f"Bearer {stage.secret('mastodon')}"}
    first = toot(stage, "Bagian satu").json()
    body = {"status": "Bagian dua", "in_reply_to_id": first["id"]}
    second = stage.http.post(stage.path("mastodon") + "/api/v1/statuses", json=body, headers=headers).json()
    page = stage.http.get(second["url"]).text
    assert page.index("Bagian satu") < page.index("Bagian dua")
    assert "Bagian dua" not in stage.http.get(first["url"]).text


@pytest.mark.parametrize(
    "path", ["/nope", "/mastodon/nasional/@x/1", "/mastodon/lain/api/v2/instance", "/_stage/media/00", "/x/y/z"]
)
def test_what_is_not_there_is_404(stage: Played, path: str) -> None:
    """Unknown pages, posts, accounts, files and networks."""
    assert stage.http.get(path).status_code == 404


def test_a_file_that_is_no_picture_is_not_served(stage: Played) -> None:
    """Only pictures come back: an uploaded page must not run on the stage's own address."""
    login = stage.http.post(
        stage.path("bluesky") + "/xrpc/com.atproto.server.createSession",
        json={"identifier": "contoh.bsky.social", "password": stage.secret("bluesky")},
    ).json()
    headers = {"Authorization": f"Bearer {login['accessJwt']}"}
    address = stage.path("bluesky") + "/xrpc/com.atproto.repo.uploadBlob"
    stage.http.post(address, content=b"<script>", headers=headers | {"Content-Type": "text/html"})
    stage.http.post(address, content=png(), headers=headers)
    codes = [stage.http.get(f"/_stage/media/{digest}").status_code for digest in stage.server.state.files]
    assert codes == [404, 200]


# --- the workspace on the stage


def test_accounts_move_to_the_stage(tmp_path: Path) -> None:
    """Addresses and secrets are swapped, everything else stays; nobody is notified, no approval is needed."""
    real = Workspace(root=tmp_path, accounts=ACCOUNTS, rules=Rules(approval=2), notify=("env:NOTIFY",))
    staged, environment = stage_workspace(real, "http://127.0.0.1:1")
    assert list(staged.accounts) == [*ACCOUNTS, MEDIA_HOST]
    for name, account in list(staged.accounts.items())[: len(ACCOUNTS)]:
        if get(account.platform).by_hand:
            assert account.settings == ACCOUNTS[name].settings
            continue
        assert account.settings["url"] == f"http://127.0.0.1:1/{account.platform}/{name}"
        assert account.settings.keys() - {"url"} == ACCOUNTS[name].settings.keys() - {"url"}
        assert not set(map(str, account.settings.values())) & {"env:M", "env:B", "env:W", "env:T"}
    sent = [account for account in ACCOUNTS.values() if not get(account.platform).by_hand]
    secrets = sum(len(network_class(one.platform).new_secrets("")) for one in sent)
    assert len(set(environment.values())) == secrets + 1
    assert (staged.notify, staged.rules.approval) == ((), 0)
    assert real.accounts["web"].settings["password"] == "env:W"


def test_limits_of_the_instance_are_played(tmp_path: Path) -> None:
    """What ``accounts check`` found, the stage announces."""
    limits: dict[str, dict[str, Any]] = {"nasional": {"text": 5000, "url_length": 30}}
    played = stage_accounts({"nasional": ACCOUNTS["nasional"]}, reveal=lambda _reference: "x", limits=limits)
    assert len(played) == 1
    (account,) = played.values()
    assert (account.text_limit, account.url_length) == (5000, 30)
    limits = {"nasional": {"text": "banyak", "url_length": [30]}}
    (account,) = stage_accounts(
        {"nasional": ACCOUNTS["nasional"]}, reveal=lambda _reference: "x", limits=limits
    ).values()
    assert (account.text_limit, account.url_length) == (None, None)


def test_only_accounts_on_this_machine_are_played(tmp_path: Path) -> None:
    """``campaign stage`` plays what points at this machine, with the secrets of the environment, under the
    address's name."""
    here = Account(
        name="coba", platform="mastodon", settings={"url": "http://127.0.0.1:9/mastodon/panggung", "token": "env:COBA"}
    )
    workspace = Workspace(root=tmp_path, accounts={**ACCOUNTS, "coba": here})
    assert [account.name for account in workspace.accounts.values() if on_loopback(account)] == ["coba"]
    server = open_stage(workspace, {"COBA": "rahasia"}, clock=Clock().now, misbehave=["mastodon:503:1"])
    with server:
        assert list(server.state.accounts) == ["panggung"]
        address = f"{server.url}/mastodon/panggung/api/v1/accounts/verify_credentials"
        headers = {"Authorization": "Bearer rahasia"}
        assert httpx.get(address, headers=headers, trust_env=False).json()["username"] == "panggung"
    with pytest.raises(CredentialError):
        open_stage(workspace, {}, clock=Clock().now)
