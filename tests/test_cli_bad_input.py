"""Bad plans, each through the real command line: the place, what is wrong, the fix, and nothing half done."""

# ruff: noqa: E501 - one fault on each line, with all that is said of it

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import Campaign
from refusals import HEAD, POST, contents, refused, workspace

from campaign_cli.source import MAX_BYTES

ROOT = Path(__file__).parent.parent
PICTURE = "    media: [{{file: {file}, alt: Poster}}]\n"
BOMB = "vars:\n  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"  {name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
NEW_YORK = HEAD.replace("WIB", "America/New_York")


def post(keys: str, *, at: str = "at: 2035-06-01 08:00", text: str = "text: Halo", head: str = HEAD) -> str:
    """A plan of one post: its time stands on line 8, its text on line 9, ``keys`` begin on line 10."""
    return f"{head}  - id: satu\n    {at}\n    {text}\n{keys}"


def nested(loops: int) -> str:
    """Jinja loops inside each other."""
    opened = "".join(f"{{% for a{n} in range(9999) %}}" for n in range(loops))
    return opened + "x" + "{% endfor %}" * loops


CASES: dict[str, tuple[str | bytes, str, str, str, str]] = {
    # name: what the file holds, line:column, code, what is said, the fix
    "broken YAML": (HEAD + POST + "  bad: [1\n", "10:3", "P006", "stands in a list", 'Begin the item with "- "'),
    "quotes not closed": (post("", text='text: "Halo'), "9:11", "P006", "never closed", "Close it"),
    "tabs": ("campaign: plan\n\ttimezone: WIB\n", "2:1", "P006", "There is a tab in the indentation", "Indent with spaces"),
    "Latin-1": (post("", text="text: café").encode("latin-1"), "9:14", "P004", "The byte 0xE9 here is not UTF-8", "Save the file as UTF-8"),
    "UTF-16": (post("").encode("utf-16"), "1:1", "P004", "The file is UTF-16", "Save the file as UTF-8"),
    "empty file": ("", "1:1", "P002", "The file is empty", "Write something in it"),
    "only remarks": ("# nanti\n", "1:1", "P002", "The file is empty", "Write something in it"),
    "a list": ("- satu\n", "1:1", "P033", "A plan begins with keys", "`campaign init`"),
    "unknown key": (post("    tekst: x\n"), "10:5", "P020", 'The key "tekst" is not known here. Did you mean "text"?', "Known keys: "),
    "unknown key at the top": (HEAD.replace("language", "langauge") + POST, "3:1", "P020", 'Did you mean "language"?', "Known keys: "),
    "missing key": (HEAD.replace("campaign: plan", "title: Upah"), "1:1", "P021", 'The key "campaign" is missing', 'Write "campaign: upah" at the top'),
    "key written twice": (post("    text: Dua\n"), "10:5", "P008", '"text" is written twice', "Keep one of the two"),
    "key without value": (post("    link:\n"), "10:5", "P034", 'The key "link" has no value', "Write a value"),
    "list for text": (post("", text="text: [a, b]"), "9:11", "P022", '"text" must be text, not a list', "Write one text"),
    "keys for a list": (HEAD.replace("[mastodon]", "{a: 1}") + POST, "4:11", "P022", '"accounts" must be a list', "Write a list"),
    "word for a number": (HEAD.replace("posts:", "approval: dua\nposts:") + POST, "6:11", "P022", '"approval" must be a whole number', "Write the number"),
    "card": (post("    card: {template: kutipan}\n"), "10:5", "P030", "Cards are not available", "Delete the card"),
    "missing alt text": (post("    media: [{file: media/poster.jpg}]\n"), "10:13", "M001", "The picture or video has no alt text", 'Write "alt: …"'),
    "missing picture": (post(PICTURE.format(file="media/postr.jpg")), "10:20", "M002", 'no file media/postr.jpg. Did you mean "poster.jpg"?', "Correct the path"),
    "folder for a picture": (post(PICTURE.format(file="media")), "10:20", "M002", "media is a folder", "Name a picture in it"),
    "no picture": (post(PICTURE.format(file="media/catatan.png")), "10:20", "M102", "media/catatan.png is neither a picture nor a video", "Use a JPEG"),
    "broken picture": (post(PICTURE.format(file="media/rusak.jpg")), "10:20", "M103", "media/rusak.jpg is broken", "Export it again"),
    "absolute path": (post(PICTURE.format(file="/etc/hostname")), "10:20", "M003", "/etc/hostname lies outside the workspace", "Copy it into the workspace"),
    "path upwards": (post(PICTURE.format(file="../luar.jpg")), "10:20", "M003", "../luar.jpg lies outside the workspace", "Copy it into the workspace"),
    "link to the outside": (post(PICTURE.format(file="media/luar.jpg")), "10:20", "M003", "media/luar.jpg lies outside the workspace", "Copy it into the workspace"),
    "absent account": (HEAD.replace("[mastodon]", "[mastodn]") + POST, "4:12", "A007", '"mastodn" in accounts.yaml. Did you mean "mastodon"?', "Known: mastodon, "),
    "no such day": (post("", at="at: 2035-02-30 08:00"), "8:9", "T003", "There is no day 2035-02-30", "Correct the date"),
    "no such hour": (post("", at="at: 2035-06-01 25:00"), "8:9", "T003", "There is no time 25:00", "Hours go from 00 to 23"),
    "no time at all": (post("", at="at: besok pagi"), "8:9", "T002", '"besok pagi" is not understood', "Write it like"),
    "unknown zone": (HEAD.replace("WIB", "WIBB") + POST, "2:11", "T001", '"WIBB" is not a time zone. Did you mean "WIB"?', "Write WIB"),
    "clock put forward": (post("", at="at: 2035-03-11 02:30", head=NEW_YORK), "8:9", "T004", "2035-03-11 02:30 does not exist in America/New_York", "Write 2035-03-11T01:30-05:00 or"),
    "clock put back": (post("", at="at: 2035-11-04 01:30", head=NEW_YORK), "8:9", "T005", "2035-11-04 01:30 happens twice", "Write 2035-11-04T01:30-04:00 or"),
    "recurring without end": (post("    from: H-7\n", at='every: "mon 08:00"'), "8:12", "T008", "A recurring post needs its last day", 'Add "until: H-1"'),
    "rule without end": (post("    from: H-7 08:00\n", at="rrule: FREQ=DAILY"), "8:12", "T008", "The rule never ends", "Add COUNT=6"),
    "template syntax": (post("", text='text: "Halo {{ kota"'), "9:11", "P202", "The template can't be read", "Each {{ needs its }}"),
    "template value": (post("", text='text: "Halo {{ kota }}"'), "9:11", "P201", 'The template needs the value "kota"', 'Write it under "vars"'),
    "template loops": (post("", text=f'text: "{nested(4)}"'), "9:11", "P204", "The template does too much", "Make it simpler"),
    "template output": (post("", text="""text: "{{ 'x' * 999999999 }}\""""), "9:11", "P204", "The template does too much", "Make it simpler"),
    "template reaches out": (post("", text="""text: "{{ ''.__class__.__mro__ }}\""""), "9:11", "P205", "templates may not have", "Write it without that"),
    "template missing": (post("", text="template: nihil"), "9:15", "P203", 'There is no template "nihil"', "Templates there: rusak"),
    "template file": (post("", text="template: rusak"), "9:15", "P202", "templates/posts/rusak.j2, line", "Each {{ needs its }}"),
    "too long": (post("", text=f"text: {'a' * 600}"), "9:11", "L001", "The text for mastodon has 600 characters: 100 more than the 500", "Shorten it"),
    "alias bomb": (BOMB + HEAD + POST, "2:6", "P010", "stand for more than 10000 values", "Write the values out"),
    "deep nesting": (HEAD + POST + "vars: " + "[" * 5000, "10:37", "P011", "nested more than 32 levels deep", "Write it flatter"),
    "foreign tag": (post("", text="text: !!python/object/apply:os.system [ls]"), "9:11", "P012", "!!python", "Write the plain value"),
    "signs for the terminal": (HEAD.replace("campaign: plan", r'campaign: "\e]0;x\a\e[2J"') + POST, "1:11", "P024", r'"\x1b]0;x\x07\x1b[2J" can', "Write "),
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a good picture, and bad ones."""
    folder = workspace(tmp_path / "kerja")
    media, templates = folder / "media", folder / "templates" / "posts"
    media.mkdir()
    templates.mkdir(parents=True)
    picture = shutil.copy(ROOT / "media" / "upah-layak-poster.jpg", media / "poster.jpg")
    (media / "catatan.png").write_text("bukan gambar", encoding="utf-8")
    (media / "rusak.jpg").write_bytes(picture.read_bytes()[:3000])
    (media / "luar.jpg").symlink_to(shutil.copy(picture, tmp_path / "luar.jpg"))
    (templates / "rusak.j2").write_text("Halo\n{% if kota %}\nx\n", encoding="utf-8")
    return folder


def write(root: Path, content: str | bytes) -> Path:
    """The plan."""
    plan = root / "plan.yaml"
    plan.write_bytes(content if isinstance(content, bytes) else content.encode())
    return plan


@pytest.mark.parametrize("name", CASES)
def test_a_bad_plan_is_told_where_and_why(campaign: Campaign, root: Path, name: str) -> None:
    """check and queue (and rehearse, which reads the same way) name file, line, column, fault and fix, end with 2, and
    leave everything as it was."""
    content, place, code, says, fix = CASES[name]
    plan = write(root, content)
    commands = [("check", plan), ("queue", plan, "--yes")]
    commands += [("rehearse", plan)] if name in {"tabs", "missing alt text", "too long"} else []
    for command in commands:
        words = refused(
            campaign, *command, "--workspace", root, says=f"plan.yaml:{place}: error {code}: ", fix=fix, root=root
        )
        lines = words.splitlines()
        (told,) = [
            number
            for number, line in enumerate(lines)
            if line.startswith(f"plan.yaml:{place}: error {code}: ") and says in line
        ]
        assert lines[told + 1].startswith(f"    → {fix}")
        assert words.count(lines[told]) == 1


@pytest.mark.parametrize("name", CASES)
def test_a_bad_plan_is_told_in_indonesian(campaign: Campaign, root: Path, name: str) -> None:
    """Every problem has the same code and place in both languages, other words, and a fix."""
    plan = write(root, CASES[name][0])
    told = {}
    for language in ("en", "id"):
        ran = campaign("check", plan, "--workspace", root, "--format", "json", "--lang", language)
        assert ran.code == 2
        assert ran.err == ""
        told[language] = [p for p in json.loads(ran.out)["problems"] if p["severity"] == "error"]
    key = ("line", "column", "code")
    for english, indonesian in zip(
        *(sorted(told[one], key=lambda p: [p[k] for k in key]) for one in told), strict=True
    ):
        assert [english[k] for k in key] == [indonesian[k] for k in key]
        assert english["message"] != indonesian["message"]
        assert english["fix"]
        assert indonesian["fix"]


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf" + (HEAD + POST).encode(), (HEAD + POST).replace("\n", "\r\n").encode()]
)
def test_a_byte_order_mark_and_windows_lines_are_fine(campaign: Campaign, root: Path, content: bytes) -> None:
    """What Windows editors add changes nothing."""
    plan = write(root, content)
    assert campaign("check", plan, "--workspace", root).code == 0
    ran = campaign("queue", plan, "--workspace", root, "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert "+ 1 new" in ran.out


@pytest.mark.parametrize(("name", "says", "fix"), [
    ("tidak-ada.yaml", "There is no such file", "Check the name"),
    ("media", "This is a folder, not a file", "Name a file"),
    ("besar.yaml", "The file is larger than 16 MiB", "Make several plans of it"),
])  # fmt: skip
def test_a_file_that_can_not_be_a_plan(campaign: Campaign, root: Path, name: str, says: str, fix: str) -> None:
    """No such file, a folder, and more than 16 MiB are told by every command that reads plans."""
    with (root / "besar.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    code = "P003" if name == "besar.yaml" else "P001"
    for command in ("check", "preview", "rehearse", "queue"):
        words = refused(campaign, command, root / name, "--workspace", root, says=says, fix=fix, root=root)
        assert f"{name}:1:1: error {code}: " in words


def test_all_problems_are_told_at_once_in_their_order(campaign: Campaign, root: Path) -> None:
    """Faults of reading, meaning, time, picture and length of one plan come together, sorted by line."""
    plan = write(
        root,
        post("    tekst: x\n")
        + f"  - id: dua\n    at: 2035-02-30 08:00\n    text: x\n  - id: tiga\n    at: H-1 08:00\n    text: {'b' * 501}\n    media: [{{file: x.png}}]\n",
    )
    ran = campaign("check", plan, "--workspace", root, "--format", "json")
    errors = [p for p in json.loads(ran.out)["problems"] if p["severity"] == "error"]
    assert [(p["line"], p["code"]) for p in errors] == [
        (10, "P020"),
        (12, "T003"),
        (16, "L001"),
        (17, "M001"),
        (17, "M002"),
    ]


def test_a_bad_plan_changes_nothing_of_what_is_queued(campaign: Campaign, root: Path) -> None:
    """An edit with an error neither queues, changes nor cancels anything."""
    plan = write(root, HEAD + POST)
    assert campaign("queue", plan, "--workspace", root, "--yes").code == 0
    before = campaign("status", "--workspace", root, "--json").out
    write(root, post("", text="text: Diubah") + f"  - id: dua\n    at: H-1 08:00\n    text: {'b' * 501}\n")
    assert campaign("queue", plan, "--workspace", root, "--yes").code == 2
    assert campaign("status", "--workspace", root, "--json").out == before


@pytest.mark.parametrize(("arguments", "says", "fix"), [
    (("post", "x", "--to", "mastodn"), 'no account or group "mastodn"', "Known: mastodon"),
    (("post", " ", "--to", "mastodon"), "The message is empty", "Write it in quotes"),
    (("post", "a\udcffb", "--to", "mastodon"), "The message is not UTF-8", "Set the terminal to UTF-8"),
    (("post", "x", "--to", "mastodon", "--at", "25:99"), "'25:99' is no time", "Write 2026-12-01 08:00"),
    (("post", "x", "--to", "mastodon", "--at", "2020-01-01 08:00"), "is over", "Name a time to come"),
    (("post", "x", "--to", "mastodon", "--media", "/etc/hostname", "--alt", "x"), "lies outside the workspace", "Copy it"),
    (("post", "x", "--to", "mastodon", "--media", "media/poster.jpg"), "needs its alt text", "For example"),
    (("post", "a" * 501, "--to", "mastodon"), "1 more than the 500", "Shorten it"),
    (("publish", "--until", "besok"), "'besok' is no time", "Write 2026-12-01 08:00"),
    (("publish", "--grace", "lama"), "'lama' is no span of time", "Write 30m"),
    (("status", "--state", "wating"), 'Did you mean "waiting"?', "One of: waiting"),
    (("cancel", "plan/x/y"), "There is no delivery plan/x/y", "See: campaign status"),
    (("cancel",), "Nothing was chosen", "Say which"),
    (("check", "--explain", "X999"), "There is no problem code X999", "Codes stand before"),
    (("check",), "No plan was named", "For example"),
    (("status", "--stat", "x"), "There is no option --stat", "See: campaign status --help"),
    (("status", "satu", "dua"), "Too many words: satu dua.", "See: campaign status --help"),
    (("status", "--json=ya"), "--json takes no value.", "See: campaign status --help"),
    (("retry", "--at"), "--at needs a value.", "See: campaign retry --help"),
    (("crisis", "start"), "error: --reason / -r is missing.", "See: campaign crisis start --help"),
])  # fmt: skip
def test_bad_arguments(
    campaign: Campaign, root: Path, arguments: tuple[str, ...], says: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is typed wrongly ends with 2 and a fix, and does nothing."""
    monkeypatch.setenv("CAMPAIGN_WORKSPACE", str(root))
    refused(campaign, *arguments, says=says, fix=fix, root=root)
    assert ".campaign" not in contents(root)


def test_a_workspace_that_is_none(campaign: Campaign, root: Path) -> None:
    """A folder that isn't there, and one without accounts.yaml, are told with the way to a workspace."""
    plan = write(root, HEAD + POST)
    refused(campaign, "check", plan, "-w", root / "nihil", says="There is no folder", fix="Make a workspace", root=root)
    (root / "accounts.yaml").unlink()
    for command in ("check", "queue"):
        refused(
            campaign,
            command,
            plan,
            "-w",
            root,
            says="accounts.yaml:1:1: error A001: There is no accounts.yaml",
            fix="Go to the folder",
            root=root,
        )
