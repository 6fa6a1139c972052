"""Plans as nobody should write them: real ones with something wrong in them, keys with any value, and what lies beside.

Every case is a plan and some files of its workspace (``neighbours``), most often none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from campaign_cli.accounts import Workspace
from campaign_cli.checks import examine
from campaign_cli.cli.diagnostics import problem_line
from campaign_cli.cli.visible import visible
from campaign_cli.models import Problem
from campaign_cli.plan import open_workspace
from campaign_cli.plan.model import Media, Plan, Post, Variant
from campaign_cli.report.page import preview_page
from fuzz import neighbours
from fuzz.answers import seldom
from tests.platform_helpers import VIDEO

NOW: Final = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
ACCOUNTS: Final = """\
accounts:
  mastodon: {platform: mastodon, url: https://mastodon.example, token: env:M, timezone: WIB, language: id}
  papua: {platform: telegram, channel: "@contoh_papua", token: env:T, timezone: WIT}
  web: {platform: wordpress, url: https://serikat.example, username: redaksi, password: env:W}
  layar: {platform: youtube, channel: "@contoh", token: env:Y}
groups: {nasional: [mastodon, papua]}
slots: {pagi: "07:30"}
rules: {quiet_hours: "22:00-05:00", words: kata.txt}
protected: lindung.txt
public_contacts: ["+62 21 0000 0000"]
"""
BASE: Final = """\
campaign: upah
timezone: WIB
day: 2026-12-10
language: id
accounts: [nasional, web]
link: https://example.org/upah
utm: true
hashtags: [UpahLayak]
vars: {kota: Jakarta}
posts:
  - id: satu
    at: H-7 08:00
    text: |
      Upah layak adalah hak. Kita turun di {{ kota }}.
    media:
      - {file: media/a.png, alt: Poster, consent: true}
    variants:
      telegram: {text: "Turun *bersama*"}
      web: {title: Upah, categories: [Rilis]}
  - id: dua
    every: "mon,wed 19:30"
    from: H-7
    until: H-1
    zone: account
    thread: auto
    template: pengingat
    with: {jam: "08:00"}
"""
TEMPLATE: Final = "Besok jam {{ jam }} di {{ kota }}.\n"
WORDS: Final = (
    *("{{ 7*7 }}", "{{ ''.__class__.__mro__ }}", "{% for a in range(99999999) %}x{% endfor %}", "{{ kota"),
    *("{% include 'x' %}", "{{ cycler.__init__.__globals__ }}", "{{ 'a' * 999999999 }}", "{% raw %}"),
    *("{{ kota|attr('x') }}", "../../../etc/passwd", "/etc/passwd", "media/../../x.png", "media/a.png"),
    *("file:///etc/passwd", "\\\\server\\x", "\x1b[2J\x1b]0;x\x07", "a\u202eb", "\u2028", "\ufeff", "\x00", "\x85"),
    *("\ud83d\ude00" * 3, "👩🏽‍🏭" * 400, '=HYPERLINK("http://evil")', "+cmd|' /C calc'!A0", "@SUM(1)"),
    *("<script>alert(1)</script>", "javascript:alert(1)", "2026-02-30", "H-99999", "H+0 24:00", "2026-03-29 02:30"),
    *("99:99", "no", "~", "1e9", "0x10", "1_000", ".inf", "-", "&a [*a]", "*a", "!!python/object:os.system x"),
    *("<<: *b", "? x", "- - - -", "{a: {a: {a: {a: 1}}}}", "%YAML 9.9", "---", "...", "mon,wed", "FREQ=SECONDLY"),
    *("FREQ=DAILY;COUNT=99999999", "FREQ=WEEKLY;BYDAY=XX", "daily 07:30,07:30", "3171234567890123", "0812-0000-0000"),
    *("siti@contoh.example", "x" * 20_000, "https://" + "a" * 5_000, "\t", "'", '"', ": ", " #", "|", ">"),
)
VALUES: Final = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**12), 10**12),
        st.floats(),
        st.sampled_from(WORDS),
        st.text(max_size=30),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(("a", "text", "file", "slot", "day", "zz")), inner, max_size=3),
    ),
    max_leaves=6,
)


def _keys(model: type[Any]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _with(sound: st.SearchStrategy[dict[str, Any]], model: type[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Sound values, and seldom a key more, or another value, that may be anything."""
    wild = st.dictionaries(st.sampled_from(_keys(model)), VALUES, max_size=1)
    return st.tuples(sound, seldom(wild, {})).map(lambda two: {**two[0], **two[1]})


MEDIA: Final = ("media/a.png", "media/a.png", "media/b.png", "media/a.mp4", "../di-luar.png")
media = _with(
    st.fixed_dictionaries(
        {
            "file": st.sampled_from(("media/a.png", "media/a.png", "media/b.png", "media/a.mp4", "../di-luar.png")),
            "alt": st.just("Poster"),
        }
    ),
    Media,
)
variant = _with(
    st.fixed_dictionaries(
        {"text": st.sampled_from(("teks", "*tebal*", *WORDS))},
        optional={"thumbnail": st.just("media/a.png"), "captions": st.just({"id": "media/a.srt"})},
    ),
    Variant,
)
post = _with(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(("satu", "dua", "tiga")),
            "at": st.sampled_from(("H-7 08:00", "H-1 19.30", "2026-12-01 08:00", {"slot": "pagi"})),
            "text": st.sampled_from(("Upah layak.", "Kita turun di {{ kota }}.", *WORDS)),
        },
        optional={
            "media": st.lists(media, max_size=2),
            "variants": st.dictionaries(st.sampled_from(("telegram", "web", "en", "youtube")), variant, max_size=2),
            "thread": st.just("auto"),
        },
    ),
    Post,
)
made = _with(
    st.fixed_dictionaries(
        {
            "campaign": st.just("upah"),
            "timezone": st.sampled_from(("WIB", "Asia/Tokyo")),
            "day": st.just("2026-12-10"),
            "accounts": st.sampled_from((["nasional"], ["mastodon", "web"], ["layar", "web"])),
            "vars": st.just({"kota": "Jakarta"}),
            "posts": st.lists(post, min_size=1, max_size=3, unique_by=lambda one: str(one.get("id"))),
        }
    ),
    Plan,
).map(json.dumps)  # JSON is YAML
edits = st.lists(
    st.tuples(
        st.sampled_from(("insert", "replace", "delete", "double", "indent")),
        st.integers(0, 10_000),
        st.sampled_from(WORDS),
    ),
    min_size=1,
    max_size=3,
)


def edited(orders: list[tuple[str, int, str]], text: str = BASE) -> bytes:
    """A file, such as the base plan, after some slips of the pen."""
    for kind, place, word in orders:
        lines = text.split("\n")
        number = place % len(lines)
        column = place % (len(lines[number]) + 1)
        if kind == "insert":
            lines[number] = lines[number][:column] + word + lines[number][column:]
        elif kind == "replace":
            head, colon, _tail = lines[number].partition(":")
            lines[number] = f"{head}{colon} {word}" if colon else word
        elif kind == "delete":
            del lines[number]
        elif kind == "double":
            lines.insert(number, lines[place % 7 % len(lines)])
        else:
            lines[number] = " " * (place % 5) + lines[number]
        text = "\n".join(lines) or "x"
    return text.encode("utf-8", "surrogatepass")


account_edits = st.lists(
    st.tuples(
        st.sampled_from(("insert", "replace", "delete", "double", "indent")),
        st.integers(0, 10_000),
        st.sampled_from((*neighbours.ACCOUNT_WORDS, *WORDS)),
    ),
    min_size=1,
    max_size=3,
)
plans = st.one_of(
    edits.map(edited),
    made.map(str.encode),
    st.binary(max_size=60).map(lambda junk: BASE.encode()[: len(junk) * 9] + junk),
)
beside = neighbours.files(account_edits.map(lambda orders: edited(orders, ACCOUNTS)))
alone = st.tuples(plans, st.just({}))
together = st.tuples(st.one_of(plans, st.just(BASE.encode())), beside)
cases = st.integers(0, 4).flatmap(lambda one: together if one == 4 else alone)
Case = tuple[bytes, Mapping[str, bytes | str]]


def _lay_out(root: Path) -> None:
    """A workspace in which everything is sound."""
    from PIL import Image

    (root / "media").mkdir(parents=True)
    (root / ".campaign").mkdir()
    Image.new("RGB", (8, 8), "red").save(root / "media" / "a.png")
    (root / "media" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (root / "media" / "a.mp4").write_bytes(VIDEO[:9_000])
    (root / "templates" / "posts").mkdir(parents=True)
    texts = {
        "accounts.yaml": ACCOUNTS,
        "templates/posts/pengingat.j2": TEMPLATE,
        "media/a.srt": "1\n00:00:01,000 --> 00:00:02,000\nHalo\n",
        "kata.txt": "bakar\n",
        "lindung.txt": "Siti Rahmawati\n",
        "anggota.csv": "phone,opted_in\n",
        ".env": "M=rahasia-terang-4711\nT=rahasia-lain-4711\n",
    }
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
        (root / name).chmod(0o600)
    neighbours.lay_outside(root)


def workspace(folder: Path) -> Callable[[Case], str]:
    """A workspace in an empty folder; the function examines one plan in it, and says how that ended."""
    root = folder / "ruang"
    _lay_out(root)
    opened, problems = open_workspace(root)
    assert not problems, problems
    before = sorted(folder.rglob("*"))

    def examined(case: Case) -> str:
        content, files = case
        (root / "plan.yaml").write_bytes(content)
        with neighbours.laid(root, files):
            end = _examined(root, None if files else opened, content)
        (root / "plan.yaml").unlink()
        assert sorted(folder.rglob("*")) == before, "it wrote something"
        return end

    return examined


def _examined(root: Path, opened: Workspace | None, content: bytes) -> str:
    if opened is None:
        neighbours.read_secrets(root, NOW.date(), _check_words)
        opened, wrong = open_workspace(root)
        _check_problems(wrong, content)
        if any(problem.severity == "error" for problem in wrong):
            return "accounts"
    found = examine(root / "plan.yaml", opened, now=NOW)
    _check_problems(found.problems, content)
    assert not neighbours.from_outside(found.drafts), "a picture from outside the workspace"
    if found.loaded and sum(content) % 8 == 0:  # the page takes longer than all the rest
        page = preview_page(found, picture=lambda _sha256: b"", made_at=NOW).lower()
        assert "<script" not in page
        assert 'href="javascript:' not in page
        assert neighbours.OUTSIDE not in page
    return "error" if any(problem.severity == "error" for problem in found.problems) else "good"


def _check_problems(problems: Iterable[Problem], content: bytes) -> None:
    lines = content.count(b"\n") + content.count(b"\r") + 2
    for problem in problems:
        assert problem.message, problem
        assert problem.file, problem
        assert 0 < problem.line <= max(lines, 60), problem
        _check_words(visible(problem_line(problem)))


def _check_words(words: str) -> None:
    """What people see steers no terminal, and tells nothing of what lies outside or is secret."""
    assert not [sign for sign in visible(words) if sign < " " and sign != "\n"], words
    assert neighbours.OUTSIDE not in words, words
    assert "root:x:0" not in words, words
