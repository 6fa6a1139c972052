"""Matrix on the stage: it answers as the specification says, over real sockets and without our adapter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from matrix_specification import answer_schema, extract

from tests.stage_helpers import Played, open_played, png

V3 = "/_matrix/client/v3"
ROOM = "%21balai%3Amatrix.example"
SPECIFICATION = extract()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


def ask(stage: Played, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
    """A request as any client would make it; a good answer has the shape of the specification."""
    headers = {"Authorization": f"Bearer {stage.secret('matrix') if token is None else token}".strip()}
    headers |= more.pop("headers", {})
    said = stage.http.request(method, stage.path("matrix") + path, headers=headers, **more)
    if said.status_code == 200:
        schema = dict(answer_schema(SPECIFICATION, said.request))
        jsonschema.Draft202012Validator(schema).validate(said.json())
    else:
        assert set(said.json()) >= {"errcode", "error"}
    return said


def put(stage: Played, transaction: str, **content: Any) -> httpx.Response:
    """Send a message."""
    content = {"msgtype": "m.text", "body": "Halo", **content}
    return ask(stage, "PUT", f"{V3}/rooms/{ROOM}/send/m.room.message/{transaction}", json=content)


def play_as(stage: Played, **members: Any) -> None:
    """Let the account be another on the stage."""
    name = stage.account("matrix").name
    stage.server.state.accounts[name] = replace(stage.server.state.accounts[name], **members)


def test_a_transaction_id_is_good_for_one_event_of_a_device(stage: Played) -> None:
    """The body is not compared; another token is another device."""
    first, again = put(stage, "k.0").json(), put(stage, "k.0", body="lain").json()
    assert first == again
    play_as(stage, secret="token-baru")
    said = ask(stage, "PUT", f"{V3}/rooms/{ROOM}/send/m.room.message/k.0", token="token-baru", json={
        "msgtype": "m.text", "body": "Halo",
    })  # fmt: skip
    assert said.json() != first
    assert sum(len(post["data"]["events"]) for post in stage.posts()) == 2


@pytest.mark.parametrize(("token", "code"), [("salah", "M_UNKNOWN_TOKEN"), ("", "M_MISSING_TOKEN")])
def test_a_token_is_needed(stage: Played, token: str, code: str) -> None:
    """401 with its code."""
    said = ask(stage, "GET", f"{V3}/account/whoami", token=token)
    assert (said.status_code, said.json()["errcode"]) == (401, code)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ({"body": 5}, 400, "M_BAD_JSON"),
        ({"msgtype": "m.poll"}, 400, "M_BAD_JSON"),
        ({"formatted_body": "<b>x</b>"}, 400, "M_BAD_JSON"),
        ({"msgtype": "m.image", "url": "mxc://stage.example/tidak-ada"}, 400, "M_BAD_JSON"),
        ({"body": "x" * 66_000}, 413, "M_TOO_LARGE"),
    ],
)
def test_what_readers_could_not_use_is_refused(stage: Played, content: dict[str, Any], status: int, code: str) -> None:
    """Stricter than a homeserver: a rehearsal wants to know."""
    said = put(stage, "k.0", **content)
    assert (said.status_code, said.json()["errcode"]) == (status, code)
    assert stage.posts() == []


def test_other_rooms_and_lost_rights_are_forbidden(stage: Played) -> None:
    """403 for a room that the account is not in, and after it was thrown out."""
    elsewhere = ask(stage, "GET", f"{V3}/rooms/%21lain%3Ax/messages", params={"dir": "b"})
    play_as(stage, role="outside")
    assert [one.json()["errcode"] for one in (elsewhere, put(stage, "k.0"))] == ["M_FORBIDDEN"] * 2


def test_an_encrypted_room_says_so(stage: Played) -> None:
    """State is there, or 404."""
    path = f"{V3}/rooms/{ROOM}/state/m.room.encryption/"
    assert ask(stage, "GET", path).status_code == 404
    play_as(stage, role="encrypted")
    assert ask(stage, "GET", path).json() == {"algorithm": "m.megolm.v1.aes-sha2"}


def test_a_part_is_one_post_of_the_timeline(stage: Played) -> None:
    """Text and picture, with the words that people read; gone when each event has been redacted."""
    media = ask(stage, "POST", "/_matrix/media/v3/upload", params={"filename": "a.png"}, content=png())
    image = {"msgtype": "m.image", "url": media.json()["content_uri"], "filename": "a.png", "body": "Massa aksi"}
    html = {"format": "org.matrix.custom.html", "formatted_body": "<strong>Upah</strong> &amp; hak<br>kita"}
    events = [put(stage, "k.0", **html).json()["event_id"], put(stage, "k.1", **image).json()["event_id"]]
    (post,) = stage.posts()
    assert (post["text"], post["alts"], post["id"]) == ("Upah & hak\nkita", ["Massa aksi"], events[0])
    for number, event in enumerate(events):
        assert stage.posts()
        path = f"{V3}/rooms/{ROOM}/redact/{event.replace('$', '%24')}/r{number}"
        assert ask(stage, "PUT", path, json={}).status_code == 200
        assert ask(stage, "GET", f"{V3}/rooms/{ROOM}/event/{event.replace('$', '%24')}").json()["content"] == {}
    assert stage.posts() == []


def test_messages_go_backwards_page_by_page(stage: Played) -> None:
    """Newest first, with a token for more as long as there is more."""
    stage.server.state.enforce_rates = False
    events = [put(stage, f"k{number}.0").json()["event_id"] for number in range(12)]
    first = ask(stage, "GET", f"{V3}/rooms/{ROOM}/messages", params={"dir": "b"}).json()
    rest = ask(stage, "GET", f"{V3}/rooms/{ROOM}/messages", params={"dir": "b", "from": first["end"]}).json()
    assert [event["event_id"] for event in first["chunk"] + rest["chunk"]] == events[::-1]
    assert "end" not in rest
    assert {event["unsigned"]["transaction_id"] for event in rest["chunk"]} == {"k0.0", "k1.0"}


def test_too_many_events_are_throttled(stage: Played) -> None:
    """429 with header and field; time helps."""
    answers = [put(stage, f"k{number}.0") for number in range(21)]
    assert [one.status_code for one in answers] == [200] * 20 + [429]
    assert answers[-1].json()["retry_after_ms"] == int(answers[-1].headers["retry-after"]) * 1000
    stage.clock.move(seconds=21)
    assert put(stage, "k20.0").status_code == 200
