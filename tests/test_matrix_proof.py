"""The Matrix adapter: what can be proved after a crash, what refusals mean, and what the account check says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from matrix_helpers import (
    INSIDE,
    KEY,
    ME,
    ROOM,
    SEND,
    SETTINGS,
    TOKEN,
    V3,
    event,
    image,
    looked_up,
    network,
    on_its_way,
    page,
    room,
    text,
)
from platform_helpers import NOW, Clock, answer, failure_of, parts, picture, sending

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.platforms.matrix import platform

# --- what can be proved


def test_the_own_device_finds_an_event_by_its_transaction_id() -> None:
    """Beyond doubt, whatever the words are now; another attempt's event with the same words is not ours."""
    mine = event("$punya", text("disunting"), transaction=f"{KEY}.0")
    other = event("$lain", text(), transaction="9" * 40 + ".0")
    look, item = looked_up(network(**{f"GET_{INSIDE}/messages": page(other, mine)}))
    assert [(found.receipt.id, found.created_at) for found in look.found] == [("$punya", None)]
    assert look.complete
    assert item.steps["out/event0"]["id"] == "$punya"


def test_a_part_of_which_half_is_out_goes_on_with_the_rest() -> None:
    """What is found is kept, the part counts as not out, and the next try sends what is missing."""
    content = parts("Foto", media=[picture()])
    half = page(event("$teks", text("Foto"), transaction=f"{KEY}.0"))
    look, item = looked_up(network(**{f"GET_{INSIDE}/messages": half}), content=content)
    assert (look.found, look.complete) == ((), True)
    through = network()
    receipt = asyncio.run(platform.publish(on_its_way(through, content=content, steps=item.steps)))
    assert [request.url.path for request in through.requests if request.method == "PUT"] == [f"{SEND}/{KEY}.1"]
    assert (receipt.id, receipt.extra["events"]) == ("$teks", ["$acara1"])


def test_another_device_finds_a_part_by_its_words_and_files() -> None:
    """Without transaction ids, the whole part must be there in its order; a file may have another address."""
    content = parts("Foto", media=[picture()])
    older = event("$lama", text("lain"), at=NOW - timedelta(minutes=1))
    shown = page(event("$g", image()), event("$antara", text("lain")), event("$t", text("Foto")), older)
    look, item = looked_up(network(**{f"GET_{INSIDE}/messages": shown}), content=content)
    assert [(found.receipt.id, found.receipt.extra["events"]) for found in look.found] == [("$t", ["$g"])]
    assert look.found[0].created_at == NOW.replace(microsecond=250_000)
    assert (look.complete, item.steps) == (True, {})


@pytest.mark.parametrize(("shown", "complete"), [(image(), False), (image("lain"), True), (text("Foto"), True)])
def test_the_rest_of_a_part_from_another_device_is_left_to_a_person(shown: dict[str, Any], complete: bool) -> None:
    """The text is known to be out; a picture like the missing one is there, and nobody can tell whose it is."""
    steps = {"began": {"device": "LAMA", "room": ROOM}, "out/event0": {"id": "$t", "at": NOW.isoformat()}}
    messages = page(event("$g", shown), event("$t", text("Foto")))
    content = parts("Foto", media=[picture()])
    look, _item = looked_up(network(**{f"GET_{INSIDE}/messages": messages}), content=content, steps=steps)
    assert (look.found, look.complete) == ((), complete)


@pytest.mark.parametrize("shown", [event("$g", image("lain")), event("$g", text())])
def test_a_part_that_is_half_there_by_words_is_left_to_a_person(shown: Any) -> None:
    """It may be ours or not: neither found nor absent."""
    content = parts("Foto", media=[picture()])
    messages = page(shown, event("$t", text("Foto")))
    look, _item = looked_up(network(**{f"GET_{INSIDE}/messages": messages}), content=content)
    assert (look.found, look.complete) == ((), False)


def test_a_look_up_pages_back_to_the_first_try() -> None:
    """Through empty pages, until a message is older; what is older is not ours; an unknown end is no absence."""
    old = event("$lama", text(), at=NOW - timedelta(hours=1))
    pages = [page(end="t1"), page(event("$baru", text("lain")), end="t2"), page(old, end="t3")]
    through = network(**{f"GET_{INSIDE}/messages": pages})
    look, _item = looked_up(through)
    assert (look.found, look.complete) == ((), True)
    assert [request.url.params.get("from") for request in through.sent("GET", f"{INSIDE}/messages")] == [
        None,
        "t1",
        "t2",
    ]
    endless = network(**{f"GET_{INSIDE}/messages": page(event("$baru", text("lain")), end="t1")})
    assert looked_up(endless)[0].complete is False
    assert looked_up(network(**{f"GET_{INSIDE}/messages": page()}))[0].complete is True


def test_a_look_up_that_is_refused_says_so() -> None:
    """Refusal is no absence."""
    refused = answer(403, {"errcode": "M_FORBIDDEN", "error": "You aren't a member of the room."})
    item = on_its_way(network(**{f"GET_{INSIDE}/messages": refused}))
    assert isinstance(asyncio.run(failure_of(platform.look_up(item, NOW))), Rejected)


@pytest.mark.parametrize(
    ("begun", "now", "minutes", "may"),
    [
        ("PERANGKAT1", "PERANGKAT1", 5, True),
        ("PERANGKAT1", "PERANGKAT2", 5, False),
        ("PERANGKAT1", None, 5, False),
        (None, None, 5, False),
        ("PERANGKAT1", "PERANGKAT1", 40, False),
    ],
)
def test_only_the_same_device_may_send_again(begun: str | None, now: str | None, minutes: int, may: bool) -> None:
    """A transaction id belongs to the device: a new session would make a second message."""
    through = network(**{f"GET_{V3}/account/whoami": answer(200, {"user_id": ME["user_id"], "device_id": now})})
    item = on_its_way(through, steps={"began": {"device": begun, "room": ROOM}})
    age = timedelta(minutes=minutes)
    assert platform.may_repeat(item, software="Matrix", age=age) is False  # nobody has asked who we are
    through.routes[f"GET {INSIDE}/messages"] = page()
    asyncio.run(platform.look_up(item, NOW))
    assert platform.may_repeat(item, software="Matrix", age=age) is may


def test_a_new_token_is_asked_who_it_is() -> None:
    """What the process remembers of one token counts for no other."""
    through, memory = network(), {}
    asyncio.run(platform.publish(on_its_way(through, memory=memory)))
    item = sending(platform, through, settings=SETTINGS, secrets={"token": "syt_baru"}, memory=memory)
    asyncio.run(platform.publish(item))
    assert len(through.sent("GET", f"{V3}/account/whoami")) == 2


# --- refusals


@pytest.mark.parametrize(
    ("status", "code", "kind", "fix"),
    [
        (401, "M_UNKNOWN_TOKEN", Unauthorized, "access token"),
        (401, "M_MISSING_TOKEN", Unauthorized, "access token"),
        (403, "M_USER_DEACTIVATED", Unauthorized, "administrators"),
        (401, "M_USER_LOCKED", Unauthorized, "administrators"),
        (403, "M_USER_SUSPENDED", Unauthorized, "administrators"),
        (403, "M_FORBIDDEN", Rejected, "Invite"),
        (403, "M_GUEST_ACCESS_FORBIDDEN", Rejected, "registered"),
        (403, "M_CONSENT_NOT_GIVEN", Rejected, "terms"),
        (403, "M_RESOURCE_LIMIT_EXCEEDED", Rejected, "administrators"),
        (413, "M_TOO_LARGE", Rejected, "Shorten"),
        (404, "M_UNRECOGNIZED", Rejected, "well-known"),
        (404, "M_NOT_FOUND", Rejected, ""),
        (400, "M_BAD_JSON", Rejected, ""),
        (400, "M_NOT_JSON", Rejected, ""),
        (400, "M_INVALID_PARAM", Rejected, ""),
        (400, "M_UNKNOWN", Rejected, ""),
        (429, "M_LIMIT_EXCEEDED", Unavailable, ""),
        (500, "M_UNKNOWN", Unconfirmed, ""),
        (502, "", Unconfirmed, ""),
    ],
)
def test_every_documented_error_is_mapped(status: int, code: str, kind: type[Failure], fix: str) -> None:
    """What an error code means, with what helps; 5xx to an event proves nothing; the token stays hidden."""
    said = {"errcode": code, "error": f"Token {TOKEN} is bad"} if code else {}
    through = network(**{f"PUT_{SEND}/{KEY}.0": answer(status, said)})
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert type(failure) is kind
    assert failure.status == status
    assert fix in failure.fix
    assert TOKEN not in failure.message
    if status < 500:
        assert (failure.code, code in failure.message) == (code, True)


def test_an_ended_session_is_told_from_a_wrong_token() -> None:
    """soft_logout: the account is fine, its session ran out."""
    said = {"errcode": "M_UNKNOWN_TOKEN", "error": "Access token has expired", "soft_logout": True}
    through = network(**{f"GET_{V3}/account/whoami": answer(401, said)})
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert isinstance(failure, Unauthorized)
    assert "session has ended" in failure.message


@pytest.mark.parametrize(
    ("headers", "more", "seconds"),
    [({"Retry-After": "7"}, {"retry_after_ms": 2000}, 7), ({}, {"retry_after_ms": 2500}, 2.5), ({}, {}, None)],
)
def test_a_429_names_its_instant(headers: dict[str, str], more: dict[str, Any], seconds: float | None) -> None:
    """By the header, else by the older field; nothing was sent."""
    said = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", **more}
    through = network(**{f"PUT_{SEND}/{KEY}.0": answer(429, said, headers=headers)})
    failure = asyncio.run(failure_of(platform.publish(on_its_way(through))))
    assert isinstance(failure, Unavailable)
    assert failure.retry_at == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_instants_are_the_servers() -> None:
    """origin_server_ts is milliseconds since 1970, in UTC."""
    at = datetime(2026, 12, 3, 1, 0, 4, 500_000, tzinfo=UTC)
    shown = page(event("$punya", text(), at=at, transaction=f"{KEY}.0"))
    look, _item = looked_up(network(**{f"GET_{INSIDE}/messages": shown}), clock=Clock(NOW + timedelta(minutes=9)))
    assert look.found[0].receipt.at == at


def test_the_check_says_who_posts_where() -> None:
    """The account, the room by its name, the server's own limit of files."""
    found = asyncio.run(platform.check(on_its_way(room())))
    assert (found.identity, found.handle) == (f"{ME['user_id']} {ROOM}", "Balai")
    assert found.url == "https://matrix.to/#/!balai%3Acontoh.example"
    assert found.limits is not None
    assert (found.limits.image_bytes, found.limits.video_bytes, found.limits.source) == (1_000_000,) * 2 + ("instance",)
    assert ME["user_id"] in found.notes[0]
    alias = room(**{"m.room.canonical_alias/": {"alias": "#balai:contoh.example"}})
    assert asyncio.run(platform.check(on_its_way(alias))).handle == "#balai:contoh.example"


def test_older_servers_tell_their_limit_elsewhere() -> None:
    """The address of before version 1.11; no word of it leaves the usual limit."""
    through = room()
    through.routes["GET /_matrix/client/v1/media/config"] = answer(404, {"errcode": "M_UNRECOGNIZED"})
    through.routes["GET /_matrix/media/v3/config"] = [answer(200, {"m.upload.size": 5}), answer(200, {})]
    sizes = [asyncio.run(platform.check(on_its_way(through))).limits for _look in range(2)]
    assert [size and size.image_bytes for size in sizes] == [5, platform.limits.image_bytes]


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({f"m.room.member/{ME['user_id']}": {"membership": "invite"}}, "is not in the room"),
        ({f"m.room.member/{ME['user_id']}": None}, "is not in the room"),
        ({"m.room.encryption/": {"algorithm": "m.megolm.v1.aes-sha2"}}, "encrypted"),
        ({"m.room.power_levels/": {"events_default": 50}}, "power level 0, and 50"),
        ({"m.room.power_levels/": {"events": {"m.room.message": "25"}, "users_default": 10}}, "level 10, and 25"),
    ],
)
def test_the_check_refuses_a_room_where_nothing_can_be_posted(states: Any, words: str) -> None:
    """Not in it, no right to write, encrypted: said with what helps."""
    failure = asyncio.run(failure_of(platform.check(on_its_way(room(**states)))))
    assert isinstance(failure, Rejected)
    assert words in failure.message
    assert failure.fix


@pytest.mark.parametrize(
    "states",
    [
        {"m.room.power_levels/": {"events_default": 50, "users": {ME["user_id"]: 50}}},
        {"m.room.power_levels/": None},
        {
            "m.room.power_levels/": {"events_default": 50},
            "m.room.create/": {"sender": ME["user_id"], "content": {"room_version": "12"}},
        },
    ],
)
def test_who_may_write_passes_the_check(states: Any) -> None:
    """By the own level, in a room without levels, and as a creator of a newer room."""
    assert asyncio.run(platform.check(on_its_way(room(**states)))).identity


def test_a_token_without_a_device_is_noted() -> None:
    """Such a token proves less."""
    through = room()
    through.routes[f"GET {V3}/account/whoami"] = answer(200, {"user_id": ME["user_id"]})
    assert "no device" in asyncio.run(platform.check(on_its_way(through))).notes[1]
