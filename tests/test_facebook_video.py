"""Videos on a Facebook Page: pieces, going on after a stop, and what became of one whose answer was lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from facebook_helpers import PAGE, VIDEO, check_known, film, on_its_way, refusal
from platform_helpers import NOW, Clock, Network, Reply, answer, failure_of, form_of, multipart_of, parts

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.platforms.facebook import platform
from campaign_cli.platforms.http import RecordingTransport

CONTENT = bytes(range(256)) * 4
SINCE = NOW - timedelta(minutes=2)
STEP = {"session": "77", "video": VIDEO, "start": 1024, "end": 1024, "at": NOW.isoformat()}


def begun(end: int = 1024) -> Reply:
    """Facebook's answer to a new upload, with the first piece that it wants."""
    return answer(200, {"upload_session_id": "77", "video_id": VIDEO, "start_offset": "0", "end_offset": str(end)})


def wants(start: int, end: int) -> Reply:
    """Its answer to a piece: the next one."""
    return answer(200, {"start_offset": str(start), "end_offset": str(end)})


def linked() -> Reply:
    """A video's permalink has no site."""
    return answer(200, {"id": VIDEO, "permalink_url": f"/{PAGE}/videos/{VIDEO}/"})


def on_way(network: Any, **more: Any) -> Any:
    """A post with a video."""
    content = parts("Film aksi", media=[film(CONTENT)])
    bytes_of = {content[0].media[0].sha256: CONTENT}
    return on_its_way(network, content=content, bytes_of=bytes_of, **more)


def test_a_video_goes_in_the_pieces_that_facebook_asks_for() -> None:
    """Each piece has its place and its bytes; then the video is published with its text, under its own id."""
    network = Network(replies=[begun(400), wants(400, 1000), wants(1000, 1024), wants(1024, 1024)])
    network.replies += [answer(200, {"success": True}), linked()]
    sending, told = on_way(network), []
    sending.uploaded = lambda done, total: told.append((done, total))
    receipt = asyncio.run(platform.publish(sending))
    check_known(network)
    start, *pieces, finish, _permalink = network.requests
    assert {request.url.host for request in (start, *pieces, finish)} == {"graph-video.facebook.com"}
    assert form_of(start) == [("upload_phase", "start"), ("file_size", "1024")]
    sent = [multipart_of(request) for request in pieces]
    assert [one["start_offset"][2] for one in sent] == [b"0", b"400", b"1000"]
    assert b"".join(one["video_file_chunk"][2] for one in sent) == CONTENT
    assert form_of(finish) == [
        ("upload_phase", "finish"),
        ("upload_session_id", "77"),
        ("description", "Film aksi"),
    ]
    assert (receipt.id, receipt.url) == (VIDEO, f"https://www.facebook.com/{PAGE}/videos/{VIDEO}/")
    assert told == [(0, 1024), (400, 1024), (1000, 1024), (1024, 1024)]


def test_another_process_goes_on_where_the_upload_stopped() -> None:
    """The kept place decides: no piece is sent twice, and an upload that is complete is only published."""
    steps: dict[str, Any] = {}
    network = Network(replies=[begun(400), wants(400, 1024), refusal(2, status=503)])
    assert isinstance(asyncio.run(failure_of(platform.publish(on_way(network, steps=steps)))), Unavailable)
    second = Network(replies=[wants(1024, 1024), refusal(4)])
    assert isinstance(asyncio.run(failure_of(platform.publish(on_way(second, steps=steps)))), Unavailable)
    assert multipart_of(second.requests[0])["start_offset"][2] == b"400"
    third = Network(replies=[answer(200, {"success": True}), linked()])
    asyncio.run(platform.publish(on_way(third, steps=steps)))
    assert form_of(third.requests[0])[0] == ("upload_phase", "finish")


def test_an_old_upload_is_begun_anew() -> None:
    """Facebook doesn't keep one for ever."""
    steps: dict[str, Any] = {"video": {**STEP, "start": 400}}
    network = Network(replies=[begun(1024), wants(1024, 1024), answer(200, {"success": True}), linked()])
    asyncio.run(platform.publish(on_way(network, steps=steps, clock=Clock(NOW + timedelta(hours=21)))))
    assert form_of(network.requests[0])[0] == ("upload_phase", "start")


def test_a_piece_that_is_refused_after_a_stop_begins_the_upload_anew() -> None:
    """The lost piece may have arrived: Facebook refuses it then; a new upload that is refused as well is refused."""
    steps: dict[str, Any] = {"video": {**STEP, "start": 400, "end": 1024}}
    network = Network(replies=[refusal(100, subcode=1363037), begun(), wants(1024, 1024)])
    network.replies += [answer(200, {"success": True}), linked()]
    asyncio.run(platform.publish(on_way(network, steps=steps)))
    assert multipart_of(network.requests[2])["video_file_chunk"][2] == CONTENT
    steps = {"video": {**STEP, "start": 400, "end": 1024}}
    network = Network(replies=[refusal(100), begun(), refusal(352)])
    assert isinstance(asyncio.run(failure_of(platform.publish(on_way(network, steps=steps)))), Rejected)


@pytest.mark.parametrize("place", [(0, 400), (400, 5000), (600, 500), (500, 500)])
def test_a_place_that_can_not_be_ends_this_try(place: tuple[int, int]) -> None:
    """Facebook that asks for the same again, or for more than there is, is not followed in a circle."""
    network = Network(replies=[begun(400), wants(*place)])
    assert isinstance(asyncio.run(failure_of(platform.publish(on_way(network)))), Unavailable)
    assert len(network.requests) == 2


@pytest.mark.parametrize("reply", [answer(200, {}), answer(200, {"success": False}), refusal(1)])
def test_a_finish_without_a_clear_answer_is_in_doubt(reply: Reply) -> None:
    """Only ``success`` says that the video is published."""
    failure = asyncio.run(failure_of(platform.publish(on_way(Network(replies=[reply]), steps={"video": STEP}))))
    assert isinstance(failure, Unconfirmed)


def test_a_refused_video_is_refused() -> None:
    """A file that Facebook can't use needs a person."""
    failure = asyncio.run(failure_of(platform.publish(on_way(Network(replies=[begun(400), refusal(352)])))))
    assert isinstance(failure, Rejected)


STATES = [
    ({"video_status": "ready", "publishing_phase": {"status": "complete"}}, True, True),
    ({"video_status": "processing", "publishing_phase": {"publish_status": "published"}}, True, True),
    ({"video_status": "uploading", "publishing_phase": {"status": "not_started"}}, False, True),
    ({"video_status": "upload_failed"}, False, True),
    ({"video_status": "upload_complete"}, False, False),
    ({"video_status": "processing"}, False, False),
    ({}, False, False),
]


@pytest.mark.parametrize(("status", "found", "complete"), STATES)
def test_a_lost_finish_is_settled_by_the_videos_own_state(status: Any, found: bool, complete: bool) -> None:
    """Its id is ours beyond doubt; words that say neither published nor unsent leave it to a person."""
    shown = answer(200, {"id": VIDEO, "permalink_url": f"/{PAGE}/videos/{VIDEO}/", "status": status})
    network = Network(replies=[shown])
    looked = asyncio.run(platform.look_up(on_way(network, steps={"video": STEP}), SINCE))
    check_known(network)
    assert (bool(looked.found), looked.complete) == (found, complete)
    if found:
        assert (looked.found[0].receipt.id, looked.found[0].created_at) == (VIDEO, None)


def test_without_an_upload_nothing_can_be_out() -> None:
    """No step, no video: it is absent, and no request is needed; one that is gone proves nothing."""
    looked = asyncio.run(platform.look_up(on_way(Network()), SINCE))
    assert (looked.found, looked.complete) == ((), True)
    network = Network(replies=[refusal(100, subcode=33)])
    gone = asyncio.run(platform.look_up(on_way(network, steps={"video": STEP}), SINCE))
    assert (gone.found, gone.complete) == ((), False)


def test_a_preview_shows_a_video_in_one_piece() -> None:
    """Begin, one piece, and the request that makes it public, with placeholders for Facebook's own numbers."""
    recording = RecordingTransport()
    asyncio.run(platform.publish(on_way(recording)))
    assert [(request.form or {}).get("upload_phase") for request in recording.requests] == [
        "start",
        "transfer",
        "finish",
        None,
    ]
    assert [request.creating for request in recording.requests] == [False, False, True, False]
    assert (recording.requests[2].form or {})["upload_session_id"] == "{upload_session_id}"


def worked_on(status: str, **phases: Any) -> Reply:
    """What Facebook says of a video that it works on."""
    told = {"video_status": status, **{f"{name}_phase": phase for name, phase in phases.items()}}
    return answer(200, {"id": VIDEO, "permalink_url": f"/{PAGE}/videos/{VIDEO}/", "status": told})


def test_a_video_that_facebook_cannot_use_is_no_published_post() -> None:
    """Facebook takes it, works on it for a while, and finds that it can't: refused, with what can be done."""
    broken = worked_on("processing", processing={"status": "error"})
    for last in (broken, worked_on("error"), worked_on("upload_failed")):
        network = Network(replies=[answer(200, {"success": True}), worked_on("processing"), last])
        failure = asyncio.run(failure_of(platform.publish(on_way(network, steps={"video": STEP}))))
        assert isinstance(failure, Rejected)
        assert "MP4" in failure.fix
        check_known(network)


@pytest.mark.parametrize("last", [{"status": "complete", "publish_status": "published"}, {"status": "in_progress"}])
def test_a_video_that_takes_long_is_out_when_facebook_says_so_or_nothing(last: dict[str, str]) -> None:
    """It is waited for a minute; that Facebook is still at work then is no refusal."""
    replies = [answer(200, {"success": True}), *[worked_on("processing", publishing=last)] * 6]
    network = Network(replies=replies)
    receipt = asyncio.run(platform.publish(on_way(network, steps={"video": STEP})))
    assert receipt.url == f"https://www.facebook.com/{PAGE}/videos/{VIDEO}/"
    assert len(network.requests) == (2 if "publish_status" in last else 7)
