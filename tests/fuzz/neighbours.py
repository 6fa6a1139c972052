"""What lies beside a plan and is no more to be trusted: accounts, secrets, templates, pictures, lists, links."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from PIL import Image

from campaign_cli.credentials import Secrets, load_environment
from campaign_cli.errors import CampaignError
from campaign_cli.platforms.whatsapp_list import read_recipients
from fuzz.answers import NASTY, put
from tests.platform_helpers import VIDEO

OUTSIDE: Final = "di-luar-ruang-kerja-4711"
"""Stands in files outside the workspace, and must never come to light."""
_SIDE: Final = 77
"""Of the picture that lies there."""
ACCOUNT_WORDS: Final = (
    *("platform: telegram", "url: file:///etc/passwd", 'url: "http://[::1"', "url: http://x:y@z/", "url: 1", "zone: x"),
    *("token: env:../../x", "token: file:/etc/passwd", "token: rahasia-terang-4711", "token: keyring:/"),
    *("token: login:", "rate: 1e999", "rate: -1/m", "rate: 0/s", "timezone: ../../etc/localtime", "timezone: Mars/X"),
    *("timezone: []", "words: /dev/zero", "words: ../../etc/passwd", "words: kata.txt", "protected: lindung.txt"),
    *("protected: /dev/zero", "approvers: ../x", "quiet_hours: 99-0", "late_grace: 9999999999d", "stagger: -5m"),
    *("slots: {a: 25:00}", "groups: {a: [a]}", "groups: {a: [b], b: [a]}", "media_host: media_host"),
    *("public_contacts: [1e999]", "recipients: file:anggota.csv"),
)
TEMPLATES: Final = (
    *("{% include 'pengingat' %}", "{% extends 'pengingat.j2' %}", "{% import '/etc/passwd' as x %}{{ x }}"),
    *("{% macro a() %}", "{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    *("{{ lipsum.__globals__['os'].popen('id').read() }}", "{{ self }}", "{{ kota.__init__.__globals__ }}"),
    *("{{ kota|map(attribute='__class__')|list }}", "{{ '%s'|format(kota.__class__) }}"),
    *("{{ '{0.__class__}'.format(kota) }}", "{{ kota.format_map({}) }}", "{{ joiner.__init__ }}"),
    *("{{ namespace(a=1).a }}", "{% for a in range(10**9) %}{% endfor %}", "{{ range(10**9)|list }}"),
    *("{{ 'x' * 10**9 }}", "{{ 'x'|center(10**9) }}", "{{ 9**9**9 }}", "{{ ('a'*99999)|replace('a','b'*99999) }}"),
    *("{% set x = 'a' * 9999 %}{{ x * 9999 }}", "{{ 1/0 }}", "{{ kota|random }}", "{{ now() }}"),
    *("{{ '\\x1b[2J' }}\x1b]0;x\x07", "{{ '<script>alert(1)</script>' }}", "{{ '\\u202e' }}", "{{ [].append(1) }}"),
    *("{% do x %}", "{% call x() %}", "{{ caller() }}", "{{ loop }}", "{{ super() }}", "{# open", "{{"),
    *("{{ 'a'.encode('idna') }}", "{{ kota|tojson }}", "{{ dict(a=1)|xmlattr }}", "{{ 'http://evil'|urlize }}"),
    *("{{ none.x }}", "{{ '=1+1' }}", "{% raw %}{{", "{{ '{{ 7*7 }}' }}", "{{ '%n%x'|string % 1 }}"),
    *("{{ kota[::-1] }}", "{{ {}[[]] }}"),
)
LISTS: Final = (
    *(b"", b"phone,opted_in,name\n", b"\x00", b"\xff\xfe", b'"', b"phone;opted_in\n+628120000011;9999-99-99\n"),
    *(b"," * 200_000, b"phone,opted_in,name\n=cmd|' /C calc'!A0,2026-01-01,@SUM(1)\n"),
    *(b'phone,opted_in\n"' + b"x" * 200_000, b"\r\r\r", b"phone,opted_in,phone\n+628120000011,0001-01-01,\x1b[2J\n"),
    *(b"#" * 9_000, b"a#b\n" * 9_000, b"*\n?\n[\n(\n\\\n"),
    *(b"phone,opted_in\n" + b"+" + b"9" * 9_000 + b",2026-01-01\n", "\u202eSiti\n\ufeff\u2028x\n".encode()),
    b".*\n(a+)+$\n",
)
SECRETS: Final = (
    *(
        b"M=\x00\n",
        b"M='unclosed\nT=x",
        b"=x\n",
        b"M=${M}\nT=${T:-$M}\n",
        b"export export M=1\n",
        b"\xff",
        b"M=" + b"x" * 99_999,
    ),
    *(b"M=$(id)\nT=`id`\n", b"PATH=/x\nM=1\n", b"\xef\xbb\xbfM=1\r\nM=2\r", b"M=a\nM\n#\n" * 3_000, b"M=\x1b[2J\n"),
)


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of a size that it only claims, with chunks before its data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    inside = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))
    pieces = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in inside
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def _image(kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, kind, **more)
    return file.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "Siti 3171234567890123 \x1b[2J"
    exif.get_ifd(0x8825)[2] = (6.0, 12.0, 30.0)
    return exif.tobytes()


_BOMB: Final = zlib.compress(b"0" * 30_000_000, 9)
_XML: Final = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
PICTURES: Final = (
    *(_image("PNG"), _image("JPEG", exif=_exif()), _image("WEBP", exif=_exif()), _image("GIF"), _image("TIFF")),
    *(VIDEO[:9_000], _png(60_000, 60_000), _png(1, 2**31 - 1)),
    _png(8, 8, (b"zTXt", b"a\0\0" + _BOMB), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + _BOMB)),
    *(_png(8, 8, (b"iCCP", b"x\0\0" + _BOMB), (b"eXIf", b"MM\0*\0\0\0\x08" + b"\xff" * 99)), b"", b"PK\x03\x04../../x"),
    *(b"%PDF-1.7", b"<svg onload=alert(1)>" + _XML, _XML + b"<svg>&b;&b;</svg>", b"#EXTM3U\nfile:///etc/passwd\n"),
    *(b"\0\0\0\x18ftypmp42\0\0\0\0moov", b"\x1aE\xdf\xa3" + b"\xff" * 99, b"RIFF\xff\xff\xff\xffWEBPVP8X"),
    *(b"GIF89a\xff\xff\xff\xff\xf7\0\0", b"BM" + b"\xff" * 60),
)
_LIMITS: Final = {
    "text": 500,
    "url_length": 23,
    "image_pixels": 9**9,
    "image_ratio": [1, 2],
    "image_types": ["image/png"],
}
FOUND: Final = {
    name: {"identity": "1", "handle": "@a", "url": "https://x.example", "software": "mastodon 4.6", "limits": _LIMITS}
    | {
        "expires": "2027-01-01T00:00:00+07:00",
        "notes": ["a"],
        "scopes": ["write"],
        "checked_at": "2026-01-01T00:00:00Z",
    }
    for name in ("mastodon", "layar")
}
LINKS: Final = (
    "/etc/passwd",
    "/dev/zero",
    "/dev/stdin",
    "..",
    "../../di-luar.png",
    "../di-luar.txt",
    ".",
    "a.png",
    "hilang",
)
PLACES: Final = (
    "media/a.png",
    "media/a.mp4",
    "media/a.srt",
    "kata.txt",
    "lindung.txt",
    ".env",
    "templates/posts/pengingat.j2",
)


def slips(content: bytes, orders: list[tuple[int, int]]) -> bytes:
    """Some bytes are other ones, or the end is missing."""
    changed = bytearray(content)
    for place, value in orders:
        if value > 255:
            del changed[place % (len(changed) + 1) :]
        elif changed:
            changed[place % len(changed)] = value
    return bytes(changed)


_orders = st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 260)), max_size=5)


def _checked(place: int, nasty: Any) -> bytes:
    """What ``accounts check`` found of an account, with something else at one place."""
    return json.dumps(put(deepcopy(FOUND), place, deepcopy(nasty))).encode("utf-8", "surrogatepass")


def _file(names: tuple[str, ...], contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[str, bytes]]:
    return st.tuples(st.sampled_from(names), contents)


def files(accounts: st.SearchStrategy[bytes]) -> st.SearchStrategy[Mapping[str, bytes | str]]:
    """By name: the content of a file (bytes), or where a link leads (text)."""
    texts = st.lists(st.sampled_from(TEMPLATES), min_size=1, max_size=3).map(lambda words: " ".join(words).encode())
    spoilt = st.builds(slips, st.sampled_from(PICTURES), _orders)
    one: st.SearchStrategy[tuple[str, Any]] = st.one_of(
        _file(("accounts.yaml",), accounts),
        _file(("templates/posts/pengingat.j2",), st.one_of(texts, st.binary(max_size=30))),
        _file(("media/a.png", "media/a.mp4", "media/a.srt"), spoilt),
        _file(
            ("kata.txt", "lindung.txt", "anggota.csv", "media/a.srt"), st.builds(slips, st.sampled_from(LISTS), _orders)
        ),
        _file((".env",), st.builds(slips, st.sampled_from(SECRETS), _orders)),
        _file(
            (".campaign/accounts.json",), st.builds(_checked, st.integers(0, 99), st.sampled_from((*NASTY, 10**400)))
        ),
        st.tuples(st.sampled_from(PLACES), st.sampled_from(LINKS)),
    )
    return st.lists(one, min_size=1, max_size=3).map(dict)


def lay_outside(root: Path) -> None:
    """Beside the workspace: what links and paths may lead to."""
    (root.parent / "di-luar.txt").write_text(f"{OUTSIDE}\nphone,opted_in\n", encoding="utf-8")
    Image.new("RGB", (_SIDE, _SIDE), "blue").save(root.parent / "di-luar.png")


def from_outside(drafts: Mapping[str, Any]) -> bool:
    """Whether a draft shows the picture from outside."""
    return any(
        (picture.width, picture.height) == (_SIDE, _SIDE)
        for draft in drafts.values()
        for part in draft.parts
        for picture in part.media
    )


@contextmanager
def laid(root: Path, wanted: Mapping[str, bytes | str]) -> Iterator[None]:
    """The workspace with these files in the place of its own, for a while."""
    kept: dict[Path, bytes | None] = {}
    for name, content in wanted.items():
        path = root / name
        kept[path] = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    try:
        yield
    finally:
        for path, content in kept.items():
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)


def read_secrets(root: Path, today: date, show: Callable[[str], None]) -> None:
    """Read .env and the list of members as commands do; ``show`` gets every word that people would see."""
    environment, problems = load_environment(root, {})
    for problem in problems:
        show(f"{problem.message} {problem.fix}")
    secrets = Secrets(environment=environment, root=root)
    for reference in ("env:M", "env:T", "file:anggota.csv"):
        try:
            read_recipients(secrets.reveal(reference), today=today)
        except CampaignError as error:
            show(f"{error.message} {error.fix}")
