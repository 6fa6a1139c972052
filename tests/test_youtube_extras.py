"""Thumbnails and subtitles on YouTube: nobody sees the video without them, and it goes out once whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import platform_helpers
import pytest
from content_helpers import Folder, codes
from films import film
from platform_helpers import NOW, failure_of, json_of, picture
from youtube_helpers import VIDEO, arrived, begun, done, on_its_way, page, problem, resource, videos, youtube
from youtube_helpers import item as uploaded

from campaign_cli.checks import examine
from campaign_cli.content.drafts import Renderer
from campaign_cli.content.media import MediaStore
from campaign_cli.errors import Rejected, Unavailable
from campaign_cli.models import Draft, State, native_file
from campaign_cli.plan import expand, load_plan, open_workspace
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.youtube import platform
from tests import platform_helpers as other_helpers  # the same file, as the stage's tests know it
from tests.fault_helpers import Scene, Theatre, open_theatre
from tests.stage_helpers import png

FIRST = 4 * 256 * 1024
SUBTITLES = b"1\n00:00:00,000 --> 00:00:02,000\nUpah layak\n"
BOTH = (platform_helpers, other_helpers)
THUMBNAIL = picture(name="sampul.png", alt="")
TRACK, _same = (helpers.picture(SUBTITLES, name="id.srt", mime="application/x-subrip", alt="") for helpers in BOTH)
NATIVE: Mapping[str, Any] = {"thumbnail": native_file(THUMBNAIL), "captions": {"id": native_file(TRACK)}}
CHANGING = 6
"""Requests that change something: begin, send (two pieces), thumbnail, subtitles, show."""


def shown(privacy: str = "public") -> Any:
    """YouTube's answer to the last step: the part that was asked for."""
    body = {"kind": "youtube#video", "id": VIDEO, "status": {"privacyStatus": privacy, "uploadStatus": "uploaded"}}
    return httpx.Response(200, json=body)


def taken() -> Any:
    """A good answer to what is added."""
    return httpx.Response(200, json={})


def test_nobody_sees_the_video_before_it_is_whole() -> None:
    """Uploaded for its owner alone, then its thumbnail and subtitles, then public with the rights that it had."""
    network = youtube(begun(), arrived(FIRST), done("private"), taken(), taken(), shown())
    receipt = asyncio.run(platform.publish(on_its_way(network, native=NATIVE | {"ai_generated": True})))
    assert receipt.id == VIDEO
    assert receipt.extra == {}
    first, *_pieces, thumbnail, captions, last = network.requests
    assert json_of(first)["status"]["privacyStatus"] == "private"
    assert thumbnail.url.params["videoId"] == VIDEO
    assert thumbnail.headers["content-type"] == "image/png"
    assert SUBTITLES in captions.content
    assert b'{"videoId": "dQw4w9WgXcQ", "language": "id", "name": "id"}' in captions.content
    status = {"privacyStatus": "public", "selfDeclaredMadeForKids": False, "containsSyntheticMedia": True}
    assert json_of(last) == {"id": VIDEO, "status": status}


def test_the_last_request_alone_makes_it_public() -> None:
    """So a hold stops it until then, and a lost answer before that leaves nothing in doubt."""
    transport = RecordingTransport()
    asyncio.run(platform.publish(on_its_way(transport, native=NATIVE)))
    assert [request.creating for request in transport.requests] == [False] * (len(transport.requests) - 1) + [True]


def test_what_was_added_is_not_added_again() -> None:
    """After a broken try the video and its thumbnail stay; subtitles that had arrived already are fine."""
    steps: dict[str, Any] = {}
    broken = youtube(begun(), arrived(FIRST), done("private"), taken(), httpx.ReadError("cut"))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(broken, native=NATIVE, steps=steps))))
    assert isinstance(failure, Unavailable)
    rest = youtube(problem(409, "captionExists"), shown())
    asyncio.run(platform.publish(on_its_way(rest, native=NATIVE, steps=steps)))
    assert [one.url.path.rpartition("/")[2] for one in rest.requests] == ["captions", "videos"]


def test_a_channel_that_may_set_no_thumbnail_is_told_before_anything_is_seen() -> None:
    """It is refused with what to do, and the video stays unseen."""
    network = youtube(begun(), arrived(FIRST), done("private"), problem(403, "forbidden"))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network, native=NATIVE))))
    assert isinstance(failure, Rejected)
    assert "by phone" in failure.fix
    assert len(network.requests) == 4


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([videos(resource())], [VIDEO]),
        ([videos(resource(privacy="private"))], []),
        ([videos()], []),
    ],
)
def test_the_video_s_own_state_says_whether_it_is_out(answers: list[Any], found: list[str]) -> None:
    """Public: it is out. Private, or gone: it is not, and the last step may be made again."""
    looked = asyncio.run(platform.look_up(on_its_way(youtube(*answers), native=NATIVE, steps={"video": VIDEO}), NOW))
    assert [one.receipt.id for one in looked.found] == found
    assert looked.complete


def test_without_its_number_only_a_video_that_is_shown_counts() -> None:
    """As after a restore from a backup: one that was uploaded and never shown is not out."""
    for privacy, found in (("private", 0), ("public", 1)):
        network = youtube(playlistItems=page(uploaded(VIDEO, privacy=privacy)))
        looked = asyncio.run(platform.look_up(on_its_way(network, native=NATIVE, steps={"session": "x"}), NOW))
        assert (len(looked.found), looked.complete) == (found, True)


def test_what_is_added_takes_of_the_day_s_units() -> None:
    """50 for a thumbnail, 400 for each language, 50 for showing it; a plain video takes none."""
    plain = on_its_way(youtube()).draft
    assert [use.what for use in platform.uses(plain)] == ["uploads"]
    uploads, units = platform.uses(replace(plain, native=NATIVE))
    assert (units.what, units.amount, units.limit, units.zone) == ("units", Decimal(500), 10_000, uploads.zone)


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """One stage for all scenes of this process."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


@pytest.mark.parametrize("struck", range(CHANGING))
@pytest.mark.parametrize("kind", ["accept-then-drop", "drop-before", "503", "429", "drop-half"])
def test_it_goes_out_once_and_whole_whatever_breaks(tmp_path: Path, theatre: Theatre, kind: str, struck: int) -> None:
    """At every request that changes something: one public video in the end, with its thumbnail and its subtitles."""
    scene = Scene(tmp_path, theatre, "youtube", ["akun"], native=NATIVE)
    try:
        scene.queue("akun", "Upah layak")
        scene.misbehave("akun", kind=kind, requests="changing", skip=struck, times=1)
        assert scene.settle(eager=True) == []
        assert [order.times for order in scene.orders] == [0]
        delivery = scene.deliveries()["akun/kabar"]
        assert delivery.state is State.PUBLISHED, delivery.error
        public = [post for post in scene.posts("akun") if post.visibility == "public"]
        assert [(post.data["thumbnail"], post.data["captions"]) for post in public] == [
            (THUMBNAIL.sha256, {"id": SUBTITLES.decode()})
        ]
        assert len(scene.posts("akun")) == 1
    finally:
        scene.close()


def draft_of(folder: Folder, native: str, **files: bytes) -> Any:
    """What becomes of a film with these native fields: its draft or None, and the problems."""
    folder.write("accounts.yaml", "accounts: {kanal: {platform: youtube, channel: '@contoh', token: 'env:YT'}}\n")
    for name, content in {"aksi.mp4": film(), "sampul.png": png(1280, 720), **files}.items():
        folder.write(f"media/{name.replace('_', '.')}", content)
    post = "posts: [{id: a, at: H 08:00, text: Upah, media: [{file: media/aksi.mp4, alt: Massa}], variants: {youtube: "
    head = "campaign: film\ntimezone: WIB\nday: 2035-06-01\nlanguage: id\naccounts: [kanal]\n"
    path = folder.write("film.yaml", f"{head}{post}{{{native}}}}}}}]\n")
    workspace, found = open_workspace(folder.root)
    store = MediaStore(folder.root)
    examined = examine(path, workspace, now=NOW, workspace_problems=found, media=store)
    return next(iter(examined.drafts.values()), None), codes(examined, "M"), store


def test_files_of_native_fields_are_frozen_with_the_draft(tmp_path: Path) -> None:
    """By their content: the draft names them, its bytes are theirs, and another subtitle makes another hash."""
    native = "thumbnail: media/sampul.png, captions: {id: media/id.srt}"
    draft, _codes, store = draft_of(Folder(tmp_path), native, id_srt=SUBTITLES)
    film_, track, thumbnail = draft.files
    assert (film_.name, thumbnail.name, track.name) == ("aksi.mp4", "sampul.png", "id.srt")
    assert store.content(track.sha256) == SUBTITLES
    assert Draft.from_json(draft.to_json()).files == draft.files
    other, _codes, _store = draft_of(Folder(tmp_path), native, id_srt=SUBTITLES + b"\n")
    assert other.content_hash(NOW) != draft.content_hash(NOW)


@pytest.mark.parametrize("name", ["id.srt", "sampul.png"])
def test_another_file_under_the_same_name_is_another_input(tmp_path: Path, name: str) -> None:
    """So that what is queued is rendered anew, as for pictures."""
    folder = Folder(tmp_path)
    draft_of(folder, "thumbnail: media/sampul.png, captions: {id: media/id.srt}", id_srt=SUBTITLES)
    hashes = []
    for content in (b"a", b"bb"):
        folder.write(f"media/{name}", content)
        loaded, _found = load_plan(folder.root / "film.yaml", open_workspace(folder.root)[0])
        assert loaded is not None
        (planned,), _more = expand(loaded)
        renderer = Renderer(loaded, media=MediaStore(folder.root), templates=folder.root / "templates")
        hashes.append(renderer.input_hash(planned))
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize(
    ("native", "content"),
    [
        ("thumbnail: media/aksi.mp4", SUBTITLES),
        ("captions: {id: media/id.srt}", b"tanpa waktu"),
        ("captions: {id: media/id.srt}", b"\xff\xfe" + SUBTITLES),
        ("captions: {id: media/sampul.png}", SUBTITLES),
        ("captions: {Indonesia: media/id.srt}", SUBTITLES),
    ],
)
def test_what_is_no_thumbnail_or_subtitle_is_told(tmp_path: Path, native: str, content: bytes) -> None:
    """Before anything is queued, at its place."""
    draft, found, _store = draft_of(Folder(tmp_path), native, id_srt=content)
    assert (draft, found) == (None, ["M130"])


def test_a_file_outside_the_workspace_is_not_read(tmp_path: Path) -> None:
    """Subtitles are like pictures in that."""
    (tmp_path / "luar.srt").write_bytes(SUBTITLES)
    draft, found, _store = draft_of(Folder(tmp_path / "kerja"), "captions: {id: ../luar.srt}")
    assert (draft, found) == (None, ["M105"])
