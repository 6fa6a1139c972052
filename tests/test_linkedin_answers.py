"""LinkedIn's refusals, and what an account says of itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from linkedin_helpers import APP, AUTHOR, SETTINGS, TOKEN, check_known, on_its_way, problem
from platform_helpers import NOW, Clock, Network, answer, failure_of
from pydantic import ValidationError

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account
from campaign_cli.platforms.linkedin import platform
from campaign_cli.signin.endpoints import endpoints

DAY = "Resource level throttle APPLICATION DAY limit for calls to this resource is reached."
MIDNIGHT = datetime(2026, 12, 4, tzinfo=UTC)


def refused(reply: Any, **more: Any) -> Any:
    """What a post ends with."""
    return asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[reply]), **more))))


@pytest.mark.parametrize(
    ("status", "code", "kind", "word"),
    [
        (400, "INVALID_CONTENT", Rejected, ""),
        (401, "EXPIRED_ACCESS_TOKEN", Unauthorized, "60"),
        (403, "ACCESS_DENIED", Rejected, "w_organization_social"),
        (404, "NOT_FOUND", Rejected, ""),
        (409, "DUPLICATE_POST", Rejected, "variant"),
        (422, "DUPLICATE_POST", Rejected, "variant"),
        (422, "FIELD_LENGTH_TOO_LONG", Rejected, ""),
        (422, "MEDIA_ASSET_WAITING_UPLOAD", Unavailable, ""),
        (426, "NONEXISTENT_VERSION", Rejected, "version"),
        (429, "TOO_MANY_REQUESTS", Unavailable, ""),
        (500, "INTERNAL_SERVER_ERROR", Unconfirmed, ""),
        (504, "GATEWAY_TIMEOUT", Unconfirmed, ""),
    ],
)
def test_each_refusal_means_what_linkedin_says(status: int, code: str, kind: type, word: str) -> None:
    """By status and code; the fix names what helps."""
    failure = refused(problem(status, "Tidak bisa", code=code))
    assert type(failure) is kind
    assert word in failure.fix
    assert TOKEN not in failure.message


def test_a_duplicate_is_known_by_its_words_as_well() -> None:
    """Where the code is missing, the message names the first post; of a person's URN it says something else."""
    failure = refused(problem(422, "Content is a duplicate of urn:li:ugcPost:7"))
    assert failure.code == "DUPLICATE_POST"
    assert refused(problem(422, "Content is a duplicate of urn:li:person:7")).code == ""


def test_the_limit_of_a_day_ends_at_midnight_utc() -> None:
    """LinkedIn names no instant: its words say whether the day is used up; a header that is there comes first."""
    assert refused(problem(429, DAY)).retry_at == MIDNIGHT
    assert refused(problem(429, "Too many requests")).retry_at is None
    assert refused(problem(429, DAY, **{"retry-after": "60"})).retry_at == NOW + timedelta(seconds=60)


def test_only_a_person_has_a_known_limit() -> None:
    """150 posts a day; of a page nobody says."""
    person = on_its_way(Network(), settings={"author": "urn:li:person:AbC-1_x"})
    (use,) = platform.uses(person.draft)
    assert (use.amount, use.limit, use.period) == (Decimal(1), Decimal(150), timedelta(days=1))
    assert platform.uses(on_its_way(Network()).draft) == ()


@pytest.mark.parametrize("author", ["urn:li:company:1", "contoh", "urn:li:organization:", "https://linkedin.com/in/x"])
def test_an_author_has_linkedin_s_form(author: str) -> None:
    """A page or a person by its URN; the short form is understood, and one account has one address."""
    with pytest.raises(ValidationError):
        platform.Settings.model_validate(SETTINGS | {"author": author})
    with pytest.raises(ValidationError):
        platform.Settings.model_validate(SETTINGS | {"version": "2026"})
    short = platform.Settings.model_validate(SETTINGS | {"author": "organization:5515715", "version": 202601})
    assert (short.author, short.version) == (AUTHOR, "202601")  # type: ignore[attr-defined]
    account = Account(name="a", platform="linkedin", settings=SETTINGS)
    assert platform.address(account) == f"api.linkedin.com/{AUTHOR}"


ROLES = answer(200, {"elements": [{"organization": AUTHOR, "role": "ADMINISTRATOR", "state": "APPROVED"}]})
NAME = answer(200, {"id": 5515715, "localizedName": "FSP Contoh"})
DENIED = problem(403, "Not enough permissions", code="ACCESS_DENIED")


def checked(*replies: Any, clock: Clock | None = None, **settings: str) -> Any:
    """What an account says of itself."""
    network = Network(replies=list(replies))
    found = asyncio.run(platform.check(on_its_way(network, settings=settings, clock=clock)))
    check_known(network)
    return found


def token_says(scope: str = "w_organization_social,r_organization_social", *, active: bool = True) -> Any:
    """LinkedIn's own word on a token."""
    ends = int((NOW + timedelta(days=30)).timestamp())
    return answer(200, {"active": active, "scope": scope, "expires_at": ends, "status": "active"})


def test_a_page_says_its_name_and_role() -> None:
    """Without the app's secret, the notes say that the token's end is not known."""
    found = checked(ROLES, NAME)
    assert (found.identity, found.handle) == (AUTHOR, "FSP Contoh")
    assert found.url == "https://www.linkedin.com/company/5515715"
    assert (found.expires, found.scopes) == (None, ())
    assert any("client_id" in note for note in found.notes)


def test_with_the_app_s_secret_the_token_says_what_it_may_and_when_it_ends() -> None:
    """Scopes and end come from introspection, at LinkedIn's own site; what can't be looked up is told."""
    found = checked(token_says(), ROLES, NAME, **APP)
    assert found.scopes == ("w_organization_social", "r_organization_social")
    assert found.expires == (NOW + timedelta(days=30)).replace(microsecond=0)
    assert found.notes == ()
    blind = checked(token_says("w_organization_social"), ROLES, NAME, **APP)
    assert any("r_organization_social" in note for note in blind.notes)


def test_a_token_that_may_not_post_is_told_before_it_posts() -> None:
    """An ended token, one without the scope, a member without the role."""
    for kind, replies, settings in (
        (Unauthorized, [token_says(active=False)], APP),
        (Rejected, [token_says("openid,profile"), ROLES, NAME], APP),
        (Rejected, [answer(200, {"elements": []})], {}),
        (Unauthorized, [problem(401, "Invalid access token", code="INVALID_ACCESS_TOKEN")], {}),
    ):
        network = Network(replies=replies)
        failure = asyncio.run(failure_of(platform.check(on_its_way(network, settings=settings))))
        assert isinstance(failure, kind)


def test_what_may_not_be_asked_is_a_note() -> None:
    """A token with nothing but the right to post passes; the notes say what isn't known."""
    found = checked(DENIED, DENIED)
    assert found.handle == AUTHOR
    assert any("r_organization_admin" in note for note in found.notes)


def test_a_person_is_who_the_token_says() -> None:
    """Another member's token is refused; without openid nobody knows."""
    person = {"author": "urn:li:person:AbC1"}
    found = checked(answer(200, {"sub": "AbC1", "name": "Sari Contoh"}), **person)
    assert (found.handle, found.url) == ("Sari Contoh", None)
    assert checked(DENIED, **person).handle == "urn:li:person:AbC1"
    other = Network(replies=[answer(200, {"sub": "Lain"})])
    failure = asyncio.run(failure_of(platform.check(on_its_way(other, settings=person))))
    assert isinstance(failure, Rejected)


def test_a_version_that_ends_soon_is_told() -> None:
    """A version lives for a year at least; two months before, the account check says so."""
    assert not any("202605" in note for note in checked(ROLES, NAME).notes)
    late = checked(ROLES, NAME, clock=Clock(datetime(2027, 4, 1, tzinfo=UTC)))
    assert any("202605" in note and "2027-05-01" in note for note in late.notes)


@pytest.mark.parametrize(
    ("author", "scopes"),
    [
        (AUTHOR, "w_organization_social r_organization_social r_organization_admin"),
        ("urn:li:person:AbC1", "w_member_social openid profile"),
        ("person:AbC1", "w_member_social openid profile"),
    ],
)
def test_a_person_and_a_page_ask_for_what_they_need(author: str, scopes: str) -> None:
    """LinkedIn refuses a sign-in for a permission that the app lacks, and a page's permissions post for no person."""
    oauth = platform.sign_in({"author": author})
    assert oauth is not None
    assert " ".join(oauth.scopes) == scopes
    at = endpoints(platform, {"author": author})
    assert (at.oauth, at.token) == (oauth, "https://www.linkedin.com/oauth/v2/accessToken")
