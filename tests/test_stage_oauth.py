"""The stage's sign-ins: what it gives, what it refuses, and that its tokens end by its own clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Campaign
from login_helpers import OURS, Office, office

from campaign_cli import platforms
from campaign_cli.accounts import Workspace
from campaign_cli.models import Account
from campaign_cli.platforms import PLATFORMS
from campaign_cli.stage import open_stage, stage_accounts


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """A workspace whose accounts log in on a stage."""
    with office(tmp_path) as made:
        yield made


def authorize(desk: Office, **query: str) -> httpx.Response:
    wanted = {
        "response_type": "code",
        "client_id": "kami",
        "redirect_uri": "http://127.0.0.1:9/",
        "state": "s",
        "code_challenge": "c" * 43,
        **query,
    }
    url = f"{desk.accounts['kicau'].settings['url']}/i/oauth2/authorize"
    return httpx.get(url, params={name: value for name, value in wanted.items() if value}, trust_env=False)


def ask(desk: Office, **form: str) -> httpx.Response:
    url = f"{desk.accounts['kicau'].settings['url']}/2/oauth2/token"
    return httpx.post(url, data=form, trust_env=False)


@pytest.mark.parametrize("absent", ["response_type", "client_id", "redirect_uri", "code_challenge"])
def test_an_incomplete_question_gets_no_code(desk: Office, absent: str) -> None:
    """And nobody is led anywhere."""
    answer = authorize(desk, **{absent: ""})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def code(desk: Office) -> str:
    return authorize(desk).headers["location"].partition("code=")[2].partition("&")[0]


@pytest.mark.parametrize(
    "wrong", [{"code": "x"}, {"redirect_uri": "http://127.0.0.1:8/"}, {"client_id": "lain"}, {"code_verifier": "v"}]
)
def test_a_code_is_good_for_its_own_question_alone(desk: Office, wrong: dict[str, str]) -> None:
    """Another application, address or proof gets nothing."""
    form = {
        "grant_type": "authorization_code",
        "code": code(desk),
        "redirect_uri": "http://127.0.0.1:9/",
        "client_id": "kami",
        "code_verifier": "w" * 43,
    }
    answer = ask(desk, **form | wrong)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_ends(desk: Office) -> None:
    """After ten minutes of the stage's clock."""
    old = code(desk)
    desk.clock.move(minutes=11)
    answer = ask(desk, grant_type="authorization_code", code=old, client_id="kami", redirect_uri="http://127.0.0.1:9/")
    assert answer.json()["error"] == "invalid_grant"


def test_a_refresh_token_is_good_once(desk: Office) -> None:
    """Or again for a while, where the rules say so."""
    desk.sign_in("kicau")
    refresh = desk.login("kicau").refresh
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    url = f"{desk.accounts['kicau'].settings['url']}/2/oauth2/token"

    def renew() -> int:
        auth = (OURS.client_id, OURS.client_secret)
        return httpx.post(url, data=form, auth=auth, trust_env=False).status_code

    assert [renew(), renew()] == [200, 400]
    desk.rules(reuse_seconds=60)
    assert renew() == 200
    desk.clock.move(seconds=60)
    assert renew() == 400


def test_tokens_end_by_the_stages_clock(desk: Office) -> None:
    """Then the network refuses them in its own way."""
    desk.rules(lifetime=600)
    token = desk.sign_in("kicau").login.access
    assert desk.works("kicau", token)
    desk.clock.move(minutes=10)
    assert not desk.works("kicau", token)


def test_a_token_opens_its_own_account_alone(desk: Office) -> None:
    """That of X is nothing to Mastodon."""
    assert not desk.works("toot", desk.sign_in("kicau").login.access)


@pytest.mark.parametrize("rules", [{"lifetime": 0}, {"unknown": 1}, {"lifetime": "x"}])
def test_rules_that_are_none(desk: Office, rules: dict[str, Any]) -> None:
    """Are refused, as misbehaviours are; so is what a page in a browser could send."""
    address = f"{desk.server.url}/_stage/oauth"
    assert httpx.post(address, json=rules, trust_env=False).status_code == 422
    assert httpx.post(address, content="{}", trust_env=False).status_code == 415
    assert httpx.get(address, trust_env=False).json()["rules"]["lifetime"] == 7200


@pytest.mark.parametrize("name", [name for name in PLATFORMS if platforms.get(name).oauth is not None])
def test_every_network_with_a_sign_in_is_played(tmp_path: Path, name: str) -> None:
    """By the paths of its facts: whoever adds a network need not think of it."""
    account = Account(name="a", platform=name, settings={"url": f"http://127.0.0.1:1/{name}/a", "token": "login:a"})
    oauth = platforms.get(name).oauth
    assert oauth is not None
    with open_stage(Workspace(root=tmp_path, accounts={"a": account}), {}, clock=httpx_now) as server:
        for address in filter(None, (oauth.authorize, oauth.token, oauth.registers)):
            path = httpx.URL(address.replace("{url}", "http://a.example")).path
            answer = httpx.post(f"{server.url}/{name}/a{path}", data={}, trust_env=False)
            assert answer.status_code in (400, 401, 405, 422), (path, answer.text)


def httpx_now() -> Any:
    from login_helpers import START

    return START


def test_an_account_that_nobody_logged_in_to_is_shut(tmp_path: Path) -> None:
    """The stage begins all the same, and no token opens it."""
    account = Account(name="a", platform="x", settings={"url": "http://127.0.0.1:1/x/a", "token": "login:a"})
    from campaign_cli.credentials import Secrets

    reveal = Secrets(environment={}, root=tmp_path).reveal
    played = stage_accounts({"a": account}, reveal=reveal)["a"]
    assert len(played.secret) == 32
    assert stage_accounts({"a": account}, reveal=reveal)["a"].secret != played.secret


def test_a_rehearsal_needs_no_login(desk: Office, campaign: Campaign) -> None:
    """Its secrets are the stage's own, and no token is read or renewed."""
    (desk.root / "plan.yaml").write_text(
        "campaign: upah\ntimezone: WIB\nlanguage: id\naccounts: [kicau, toot]\nday: 2031-05-01\n"
        "posts:\n  - {id: satu, at: H-1 08:00, text: Upah layak.}\n"
    )
    ran = campaign("rehearse", "plan.yaml", "--json")
    assert ran.code == 0, ran.err
    assert "published" in json.dumps(json.loads(ran.out))
    assert not (desk.root / ".campaign/tokens.json").exists()
