"""The real ffmpeg and ffprobe: what they make of a video, beside what our own reading of its boxes says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from campaign_cli.content import MediaError, MediaStore
from campaign_cli.content.video import Tools
from campaign_cli.platforms.base import Limits

TOOLS = Tools(ffmpeg=shutil.which("ffmpeg"), ffprobe=shutil.which("ffprobe"))
LIMITS = Limits(text=None, unit="characters", videos=1)
PLACE = b"+106.8"
pytestmark = pytest.mark.skipif(not (TOOLS.ffmpeg and TOOLS.ffprobe), reason="ffmpeg and ffprobe are not installed")


def filmed(path: Path, *options: str) -> Path:
    """Two seconds of a test card with sound, that say where they were made."""
    order = [str(TOOLS.ffmpeg), "-v", "error", "-f", "lavfi", "-i", "testsrc=d=2:s=320x240:r=10"]
    order += ["-f", "lavfi", "-i", "sine=d=2", "-metadata", "location=-6.2+106.8/", "-metadata", "title=Rahasia"]
    subprocess.run([*order, *options, str(path)], check=True, timeout=60)
    return path


MP4 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
@pytest.mark.parametrize("tools", [Tools(), TOOLS], ids=["boxes", "ffmpeg"])
def test_a_film_is_freed_of_its_metadata_and_still_plays(tmp_path: Path, name: str, tools: Tools) -> None:
    """Nothing tells where it was made, both ways say the same of it, and every frame can be decoded."""
    path = filmed(tmp_path / name, *MP4)
    before = path.read_bytes()
    assert b"Rahasia" in before
    store = MediaStore(tmp_path, tools=tools)
    picture = store.picture(name, alt="Aksi", limits=LIMITS)
    content = store.content(picture.sha256)
    assert b"Rahasia" not in content
    assert PLACE not in content
    assert (picture.width, picture.height, picture.seconds) == (320, 240, 2.0)
    assert store.prepared(name, LIMITS).clean
    assert picture.mime == ("video/quicktime" if name == "a.mov" and not tools.ffmpeg else "video/mp4")
    (tmp_path / "made").write_bytes(content)
    order = [str(TOOLS.ffmpeg), "-v", "error", "-xerror", "-i", str(tmp_path / "made"), "-f", "null", "-"]
    played = subprocess.run(order, capture_output=True, check=True, timeout=60)
    assert played.stderr == b""
    assert path.read_bytes() == before


def test_webm_is_read_and_freed_of_its_metadata(tmp_path: Path) -> None:
    """Length and size come from ffprobe."""
    filmed(tmp_path / "a.webm", "-c:v", "libvpx", "-c:a", "libvorbis")
    store = MediaStore(tmp_path, tools=TOOLS)
    picture = store.picture("a.webm", alt="Aksi", limits=LIMITS)
    assert (picture.mime, picture.width, picture.height) == ("video/webm", 320, 240)
    assert picture.seconds == pytest.approx(2.0, abs=0.2)
    assert b"Rahasia" not in store.content(picture.sha256)


def test_half_a_film_is_refused(tmp_path: Path) -> None:
    """In words for people."""
    content = filmed(tmp_path / "a.mp4", *MP4).read_bytes()
    (tmp_path / "a.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaError) as caught:
        MediaStore(tmp_path, tools=TOOLS).picture("a.mp4", alt="Aksi", limits=LIMITS)
    assert caught.value.code == "M121"
    assert str(tmp_path) not in caught.value.message
