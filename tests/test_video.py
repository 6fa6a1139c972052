"""Videos: known by their content, bare of what tells of people, held against what each network takes."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from content_helpers import Folder, codes
from films import PLACE, box, film, track
from PIL import Image

from campaign_cli.content import MediaError, MediaStore
from campaign_cli.content.boxes import read_film
from campaign_cli.content.video import MAX_VIDEO, Tools
from campaign_cli.platforms.base import Limits

TAKES = Limits(text=500, unit="characters", videos=1, video_bytes=1_000_000, video_seconds=140)
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + bytes(100)
SAID = {
    "streams": [
        {"codec_type": "audio", "codec_name": "aac"},
        {
            "codec_type": "video",
            "codec_name": "hevc",
            "width": 1920,
            "height": 1080,
            "side_data_list": [{"rotation": -90}],
        },
    ],
    "format": {"duration": "12.345000"},
}


def tool(folder: Path, name: str, script: str) -> str:
    """A program that stands for one of ffmpeg's."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def failing(store: MediaStore, file: str) -> MediaError:
    with pytest.raises(MediaError) as caught:
        store.picture(file, alt="A", limits=TAKES)
    return caught.value


@pytest.mark.parametrize("turned", [False, True])
def test_a_film_tells_its_length_and_size(tmp_path: Path, turned: bool) -> None:
    """As people see it: what a phone filmed upright is higher than wide."""
    (tmp_path / "a.mov").write_bytes(film(seconds=61.25, turned=turned))
    picture = MediaStore(tmp_path).picture("a.mov", alt=" Aksi ", limits=TAKES)
    sides = (360, 640) if turned else (640, 360)
    assert (picture.width, picture.height) == sides
    assert (picture.seconds, picture.mime, picture.name, picture.alt) == (61.2, "video/mp4", "a.mp4", "Aksi")
    assert picture.is_video


def test_nothing_in_a_film_tells_where_and_when(tmp_path: Path) -> None:
    """Place, times and XMP are gone; what is played, and the original, are as they were."""
    content = film(more=box(b"uuid", b"XMP: Nama Anggota"))
    content += box(b"meta", b"Nama Anggota")
    (tmp_path / "a.mp4").write_bytes(content)
    before = (tmp_path / "a.mp4").stat()
    store = MediaStore(tmp_path)
    picture = store.picture("a.mp4", alt="A", limits=TAKES)
    prepared = store.content(picture.sha256)
    made = (3_900_000_000).to_bytes(4, "big")
    for told in (PLACE, b"Nama Anggota", made):
        assert told in content
        assert told not in prepared
    assert hashlib.sha256(prepared).hexdigest() == picture.sha256
    assert len(prepared) == len(content)
    again = read_film(prepared)
    assert again is not None
    assert (again.seconds, again.width, again.codec) == (2.0, 640, "avc1")
    assert (tmp_path / "a.mp4").read_bytes() == content
    assert (tmp_path / "a.mp4").stat().st_mtime_ns == before.st_mtime_ns
    assert store.prepared("a.mp4", TAKES).clean


def test_a_track_of_data_may_still_tell(tmp_path: Path) -> None:
    """Cameras write the place of every second into a track of its own, which only ffmpeg takes out."""
    (tmp_path / "a.mp4").write_bytes(film(more=track(b"meta", codec=b"gpmd")))
    assert not MediaStore(tmp_path).prepared("a.mp4", TAKES).clean


@pytest.mark.parametrize(
    "content",
    [
        film()[:60],
        box(b"ftyp", b"isom"),
        box(b"ftyp", b"isom") + (2**31).to_bytes(4, "big") + b"moov",
        box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd")),
        box(b"ftyp", b"isom") + box(b"moov", box(b"trak", box(b"tkhd"), box(b"mdia", box(b"hdlr", b"x")))),
    ],
    ids=["half", "head only", "box too long", "empty header", "short boxes"],
)
def test_a_broken_film_is_refused(tmp_path: Path, content: bytes) -> None:
    """With its name, and what to do."""
    (tmp_path / "a.mp4").write_bytes(content)
    error = failing(MediaStore(tmp_path), "a.mp4")
    assert error.code == "M121"
    assert "a.mp4" in error.message
    assert error.fix


def test_boxes_in_boxes_end_somewhere(tmp_path: Path) -> None:
    """Thousands of them cost no stack."""
    content = b""
    for _level in range(5000):
        content = box(b"moov", content)
    assert read_film(box(b"ftyp", b"isom") + content) is not None


def test_a_film_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """Its size is enough; a picture may have less."""
    with (tmp_path / "a.mp4").open("wb") as file:
        file.write(film())
        file.truncate(MAX_VIDEO + 1)
    error = failing(MediaStore(tmp_path), "a.mp4")
    assert error.code == "M106"
    assert "256 MiB" in error.message


def test_webm_without_tools_is_taken_as_it_is(tmp_path: Path) -> None:
    """Its length is not known, and nothing was taken out of it."""
    (tmp_path / "a.webm").write_bytes(WEBM)
    store = MediaStore(tmp_path)
    picture = store.picture("a.webm", alt="A", limits=TAKES)
    assert (picture.mime, picture.seconds, picture.width) == ("video/webm", None, 0)
    assert store.content(picture.sha256) == WEBM
    assert not store.prepared("a.webm", TAKES).clean


def test_ffprobe_says_what_a_film_is(tmp_path: Path) -> None:
    """It is asked for one local file of a known kind, without a shell and without our environment."""
    log = tmp_path / "log"
    ffprobe = tool(tmp_path, "ffprobe", f"echo \"$@\" > {log}; env >> {log}; echo '{json.dumps(SAID)}'")
    (tmp_path / "a$(id).mp4").write_bytes(film())
    store = MediaStore(tmp_path, tools=Tools(ffprobe=ffprobe))
    picture = store.picture("a$(id).mp4", alt="A", limits=TAKES)
    assert (picture.width, picture.height, picture.seconds) == (1080, 1920, 12.3)
    assert store.prepared("a$(id).mp4", TAKES).codec == "hevc"
    asked, *environment = log.read_text().splitlines()
    assert "-protocol_whitelist file -f mov" in asked
    assert asked.endswith(f"file:{tmp_path}/a$(id).mp4")
    assert {line.partition("=")[0] for line in environment} <= {"PWD", "OLDPWD", "SHLVL", "_"}


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("echo 'moov atom not found' >&2; exit 1", "moov atom not found"),
        ("echo '{}'", "no moving pictures"),
        ("echo bukan", "no moving pictures"),
        ("yes", "no moving pictures"),
    ],
)
def test_what_ffprobe_refuses_is_broken(tmp_path: Path, script: str, word: str) -> None:
    """In its own words where it has some; what it says without end is cut."""
    ffprobe = tool(tmp_path, "ffprobe", script.replace("yes", "head -c 300000 /dev/zero"))
    (tmp_path / "a.mp4").write_bytes(film())
    error = failing(MediaStore(tmp_path, tools=Tools(ffprobe=ffprobe)), "a.mp4")
    assert error.code == "M121"
    assert word in error.message


def test_ffmpeg_copies_without_metadata_and_makes_mp4_of_mov(tmp_path: Path) -> None:
    """Pictures and sound bit for bit; QuickTime only where the network takes no QuickTime."""
    log = tmp_path / "log"
    bare = film(place=b"")
    (tmp_path / "bare").write_bytes(bare)
    copy = f'echo "$@" >> {log}; for last; do :; done; /bin/cp {tmp_path}/bare "${{last#file:}}"'
    tools = Tools(ffmpeg=tool(tmp_path, "ffmpeg", copy))
    (tmp_path / "a.mov").write_bytes(film(brand=b"qt  "))
    store = MediaStore(tmp_path, tools=tools)
    picture = store.picture("a.mov", alt="A", limits=TAKES)
    assert (picture.mime, picture.name) == ("video/mp4", "a.mp4")
    assert store.content(picture.sha256) == bare
    kept = store.picture("a.mov", alt="A", limits=replace(TAKES, video_types=("video/mp4", "video/quicktime")))
    assert (kept.mime, kept.name) == ("video/quicktime", "a.mov")
    for line in log.read_text().splitlines():
        for words in ("-protocol_whitelist file", "-c copy", "-map_metadata -1", "-map 0:V:0 -map 0:a:0?", "+bitexact"):
            assert words in line
    assert store.prepared("a.mov", TAKES).clean


def test_what_was_prepared_is_kept_and_made_anew_where_it_is_damaged(tmp_path: Path) -> None:
    """In files that only their owner can read; a flipped byte, half a file and rubbish count as absent."""
    cache = tmp_path / ".campaign" / "cache"
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")
    first = MediaStore(tmp_path, cache=cache).picture("a.png", alt="A", limits=TAKES)
    (entry,) = cache.iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(cache.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    good = entry.read_bytes()
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    mark, facts, content = good.split(b"\n", 2)
    lying = json.dumps({**json.loads(facts), "unknown": 1}).encode() + b"\n" + content
    newer = hashlib.sha256(lying).hexdigest().encode() + b"\n" + lying
    other = mark + b"\n" + facts.replace(b'"width": 60', b'"width": 90') + b"\n" + content
    assert other != good
    for damaged in (flipped, good[:50], good[:-5], b"", b"\xff" * 9000, b"[" * 9000, lying, newer, other):
        entry.write_bytes(damaged)
        store = MediaStore(tmp_path, cache=cache)
        assert store.picture("a.png", alt="A", limits=TAKES) == first
        assert hashlib.sha256(store.content(first.sha256)).hexdigest() == first.sha256
        assert entry.read_bytes() == good


def test_what_was_prepared_is_not_prepared_again(tmp_path: Path) -> None:
    """Another run takes the bytes from the disk: the tool is asked once."""
    log, cache = tmp_path / "log", tmp_path / "cache"
    ffprobe = tool(tmp_path, "ffprobe", f"echo x >> {log}; echo '{json.dumps(SAID)}'")
    (tmp_path / "a.mp4").write_bytes(film())
    for _run in range(3):
        store = MediaStore(tmp_path, cache=cache, tools=Tools(ffprobe=ffprobe))
        picture = store.picture("a.mp4", alt="A", limits=TAKES)
        assert len(store.content(picture.sha256)) == picture.size
    assert log.read_text() == "x\n"


def test_another_original_is_another_entry(tmp_path: Path) -> None:
    """A file that changes while it is in use leaves nothing wrong behind."""
    cache = tmp_path / "cache"
    store = MediaStore(tmp_path, cache=cache, kept=1)
    for colour in ("red", "blue", "red"):
        Image.new("RGB", (60, 40), colour).save(tmp_path / "a.png")
        picture = store.picture("a.png", alt="A", limits=TAKES)
        fresh = MediaStore(tmp_path).picture("a.png", alt="A", limits=TAKES)
        assert picture == fresh
    assert len(list(cache.iterdir())) == 2


def test_the_folder_of_prepared_media_has_a_bound(tmp_path: Path) -> None:
    """What was not used for longest goes first."""
    import os

    from campaign_cli.content.cache import MediaCache

    cache = MediaCache(tmp_path / "cache", bound=2500)
    for number, name in enumerate("abc"):
        content = name.encode() * 1000
        cache.put(name, {"name": name}, content)
        os.utime(tmp_path / "cache" / name, (number, number))
        if name == "b":
            assert cache.get("a") is not None  # used again: the youngest now
    assert (cache.get("a") is None, cache.get("b") is None, cache.get("c") is None) == (False, True, False)


def test_a_folder_that_can_not_be_written_changes_nothing(tmp_path: Path) -> None:
    """The media are prepared all the same."""
    (tmp_path / "cache").write_text("a file")
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")
    store = MediaStore(tmp_path, cache=tmp_path / "cache")
    assert store.content(store.picture("a.png", alt="A", limits=TAKES).sha256)


@pytest.mark.parametrize(("kind", "sides"), [("HEIF", (80, 40)), ("AVIF", (40, 80))])
def test_pictures_of_phones_become_jpeg(tmp_path: Path, kind: str, sides: tuple[int, int]) -> None:
    """Without metadata, whatever the file's name says; how it is turned, a HEIC file doesn't say in EXIF."""
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Kamera", 6
    Image.effect_noise((80, 40), 60).convert("RGB").save(tmp_path / "a.jpg", kind, exif=exif)
    assert b"Kamera" in (tmp_path / "a.jpg").read_bytes()
    store = MediaStore(tmp_path)
    picture = store.picture("a.jpg", alt="A", limits=TAKES)
    assert (picture.mime, picture.width, picture.height) == ("image/jpeg", *sides)
    assert b"Kamera" not in store.content(picture.sha256)


def test_a_heic_picture_without_the_extra_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line to type, and another way."""
    import sys

    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as where it was never installed
    error = failing(MediaStore(tmp_path), "a.heic")
    assert error.code == "M122"
    assert 'pip install "campaign-cli[heic]"' in error.fix


def test_half_a_heic_picture_is_broken(tmp_path: Path) -> None:
    """Its code and a fix, no traceback."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    Image.effect_noise((80, 40), 60).convert("RGB").save(tmp_path / "a.heic", "HEIF")
    (tmp_path / "a.heic").write_bytes((tmp_path / "a.heic").read_bytes()[:-200])
    assert failing(MediaStore(tmp_path), "a.heic").code in ("M102", "M103")


def limited(folder: Folder, **limits: object) -> None:
    """What ``accounts check`` found of the Mastodon account."""
    folder.write(".campaign/accounts.json", json.dumps({"mastodon": {"limits": limits}}))


def examined(folder: Folder, *files: str) -> list[str]:
    media = "".join(f"      - {{file: {file}, alt: Aksi, consent: true}}\n" for file in files)
    body = "accounts: [mastodon]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n    text: Halo.\n"
    return codes(folder.plan(body + (f"    media:\n{media}" if media else "")))


@pytest.mark.parametrize(
    ("limits", "files", "found"),
    [
        ({"videos": 0}, ["v.mp4"], ["M111"]),
        ({"videos": 1}, ["v.mp4"], []),
        ({"videos": 1}, ["v.mp4", "v.mp4"], ["L004"]),
        ({"videos": 1}, ["v.mp4", "p.png"], ["M116"]),
        ({"videos": 1, "mixed": True}, ["v.mp4", "p.png"], []),
        ({"videos": 1, "mixed": True, "images": 2}, ["v.mp4", "p.png", "p.png"], ["L004"]),
        ({"videos": 1, "video_seconds": 1.5}, ["v.mp4"], ["M112"]),
        ({"videos": 1, "video_bytes": 100}, ["v.mp4"], ["M113"]),
        ({"videos": 1, "video_types": ["video/webm"]}, ["v.mp4"], ["M114"]),
        ({"videos": 1, "video_types": ["video/mp4"]}, ["v.mov"], ["M114"]),
        ({"videos": 1, "video_types": ["video/webm"]}, ["v.webm"], ["M118"]),
        ({"videos": 1, "video_types": ["video/webm"], "video_seconds": 60}, ["v.webm"], ["M118", "M119"]),
        ({"videos": 1}, ["hevc.mp4"], ["M120"]),
        ({"media_least": 1}, [], ["M115"]),
        ({"media_least": 1}, ["p.png"], []),
        ({"media_least": 2}, ["p.png"], ["M115"]),
        ({"image_ratio": [0.8, 1.91]}, ["p.png"], []),
        ({"image_ratio": [0.8, 1.91]}, ["wide.png"], ["M110"]),
        ({"image_ratio": [0.8, 1.91]}, ["narrow.png"], ["M110"]),
    ],
)
def test_each_limit_is_held(tmp_path: Path, limits: dict[str, object], files: list[str], found: list[str]) -> None:
    """Each with its own code; what a live server said counts."""
    folder = Folder(tmp_path)
    limited(folder, **limits)
    folder.write("v.mp4", film())
    folder.write("v.mov", film(brand=b"qt  "))
    folder.write("hevc.mp4", film(codec=b"hvc1"))
    folder.write("v.webm", WEBM)
    for name, size in (("p", (64, 48)), ("wide", (200, 100)), ("narrow", (78, 100))):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
    assert examined(folder, *files) == found


def test_problems_of_videos_stand_in_the_plan_and_say_the_numbers(tmp_path: Path) -> None:
    """At the file, with what is and what may be."""
    folder = Folder(tmp_path)
    limited(folder, videos=1, video_seconds=140, video_bytes=2_500_000)
    folder.write("v.mp4", film(seconds=3725, size=3_000_000))
    item = "{file: v.mp4, alt: A, consent: true}"
    body = f"accounts: [mastodon]\nposts:\n  - {{id: satu, at: 2026-12-03 08:00, text: Halo, media: [{item}]}}"
    found = [(problem.code, problem.line, problem.message) for problem in folder.plan(body).problems]
    assert found == [
        ("M112", 6, "The video v.mp4 lasts 1:02:05; mastodon takes 2:20 at most."),
        ("M113", 6, "The video v.mp4 has 3 MB; mastodon takes 2.5 MB at most."),
    ]


def test_limits_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    """A file that somebody edited can't switch a limit off."""
    folder = Folder(tmp_path)
    Image.new("RGB", (64, 48)).save(tmp_path / "p.png")
    limited(folder, image_ratio="wide", video_types=[5], mixed="yes", videos=-1, media_least=True)
    assert examined(folder, "p.png") == []
    limited(folder, image_ratio=[10**400, 1], image_pixels=2**70, text=10**400)
    assert examined(folder, "p.png") == []
