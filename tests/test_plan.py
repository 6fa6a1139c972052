"""Plans: read whole, every problem at once at its line, and expanded into deliveries in their order."""

# ruff: noqa: E501 - one fault on each line, with all that is said of it

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from plan_helpers import HEAD, expanded, load, post, workspace

from campaign_cli import i18n, platforms
from campaign_cli.models import Severity
from campaign_cli.plan import Plan, Post, Variant, expand, load_plan, open_workspace, plan_schema
from campaign_cli.plan.codes import CODES
from campaign_cli.plan.model import NATIVE_FIELDS
from campaign_cli.plan.naming import slug_of

ROOT = Path(__file__).parent.parent
WHOLE = """\
# yaml-language-server: $schema=../schema/plan.schema.json
campaign: upah-layak-2027
title: Upah Layak 2027
timezone: WIB
day: 2026-12-10
language: id
audience: [anggota, publik]
accounts: [nasional, dunia]
link: https://example.org/upah-layak
utm: true
hashtags: [UpahLayak, "#HidupBuruh"]
vars: {kota: Jakarta, jam: 19:30, ya: no}
approval: 1
labels: [upah]
posts:
  - id: pembuka
    at: H-7 08:00
    zone: account
    text: |
      Upah layak adalah hak. Kita turun bersama di {{ kota }}.
    media:
      - file: media/poster.jpg
        alt: Poster bertuliskan "Upah Layak 2027"
        consent: true
    variants:
      x: {text: "Upah layak adalah hak. #UpahLayak"}
      papua: {text: "…", alt: Poster}
      en: {text: "A living wage is a right.", hashtags: []}
      wordpress: {title: "Upah layak 2027", categories: [Rilis], tags: [upah], slug: upah-layak, excerpt: "…"}
    thread: auto
    thread_marks: true
    sources: [https://www.bps.go.id/upah]
    audience: [anggota]
    theme: upah
    labels: [tuntutan]
  - id: pengingat
    every: "mon,wed 19:30"
    from: H-7
    until: H-1
    template: pengingat
    with: {jam: "08:00"}
    utm: {utm_medium: sosial}
  - id: rangkaian
    at: {slot: pagi}
    thread: [Satu., Dua.]
    accounts: [pusat]
    repeat: true
"""


def test_a_whole_plan(tmp_path: Path) -> None:
    """Everything that a plan may hold is read as it is meant."""
    loaded, problems = load(tmp_path, WHOLE)
    assert problems == []
    assert loaded is not None
    assert loaded.zone == ZoneInfo("Asia/Jakarta")
    plan = loaded.plan
    assert (plan.campaign, plan.day, plan.approval, plan.utm) == ("upah-layak-2027", "2026-12-10", 1, True)
    assert plan.hashtags == ("UpahLayak", "HidupBuruh")
    assert plan.vars == {"kota": "Jakarta", "jam": "19:30", "ya": "no"}
    first, second, third = plan.posts
    assert first.text == "Upah layak adalah hak. Kita turun bersama di {{ kota }}.\n"
    assert (first.media[0].file, first.media[0].consent) == ("media/poster.jpg", True)
    assert first.variants["papua"].alt == ("Poster",)
    assert first.variants["en"].hashtags == ()
    assert first.variants["wordpress"].categories == ("Rilis",)
    assert (first.thread, first.thread_marks, first.audience) == ("auto", True, ("anggota",))
    assert (second.from_, second.with_, second.utm) == ("H-7", {"jam": "08:00"}, {"utm_medium": "sosial"})
    assert (third.thread, third.repeat) == (("Satu.", "Dua."), True)


def test_expansion_in_plan_order(tmp_path: Path) -> None:
    """Post by post, occurrence by occurrence, account by account; the key names all three."""
    planned, problems = expanded(tmp_path, WHOLE)
    assert problems == []
    assert [item.key for item in planned] == [
        "upah-layak-2027/pembuka/pusat",
        "upah-layak-2027/pembuka/papua",
        "upah-layak-2027/pembuka/dunia",
        "upah-layak-2027/pengingat@2026-12-07/pusat",
        "upah-layak-2027/pengingat@2026-12-07/papua",
        "upah-layak-2027/pengingat@2026-12-07/dunia",
        "upah-layak-2027/pengingat@2026-12-09/pusat",
        "upah-layak-2027/pengingat@2026-12-09/papua",
        "upah-layak-2027/pengingat@2026-12-09/dunia",
        "upah-layak-2027/rangkaian/pusat",
    ]
    assert [item.order for item in planned] == list(range(1, 11))
    assert [item.index for item in planned] == [0] * 3 + [1] * 6 + [2]
    assert [item.recurring for item in planned] == [False] * 3 + [True] * 6 + [False]
    assert planned[3].post.id == "pengingat"


def test_a_choice_of_accounts_keeps_order_and_instant(tmp_path: Path) -> None:
    """Leaving accounts out changes nothing for the others."""
    loaded, _problems = load(tmp_path, WHOLE)
    assert loaded is not None
    everything, _problems = expand(loaded)
    some, _problems = expand(loaded, only_accounts={"dunia"})
    assert some == [item for item in everything if item.account.name == "dunia"]


def test_ids_default_to_a_slug(tmp_path: Path) -> None:
    """Of the title, else of the first words; made unique; a number where there are no words."""
    text = (
        HEAD
        + """\
  - {at: H 08:00, text: "Hidup buruh! Upah layak adalah hak semua orang."}
  - {at: H 09:00, text: "Hidup buruh! Upah layak adalah hak semua orang."}
  - {at: H 10:00, text: x, variants: {wordpress: {title: "Rilis Pers: Ünïon"}}}
  - {at: H 11:00, text: "✊✊"}
  - {at: H 12:00, template: pengingat-rapat}
  - {at: H 13:00, text: y, id: rilis-pers-union}
"""
    )
    loaded, problems = load(tmp_path, text)
    assert problems == []
    assert loaded is not None
    assert [item.id for item in loaded.plan.posts] == [
        "hidup-buruh-upah-layak-adalah-hak",
        "hidup-buruh-upah-layak-adalah-hak-2",
        "rilis-pers-union-2",
        "pos-4",
        "pengingat-rapat",
        "rilis-pers-union",
    ]


def test_a_slug_is_short_and_plain() -> None:
    """Links and template marks are no words, long words are cut."""
    assert slug_of("{{ kota }} https://example.org/x Halo, Dunia!") == "halo-dunia"
    assert len(slug_of("a" * 100)) == 48
    assert slug_of("b" * 30 + " " + "c" * 30) == "b" * 30


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "says", "fix"),
    [
        (HEAD.replace("campaign: upah-layak\n", "") + "  - {id: a, at: H 08:00, text: x}", 1, 1, "P021", '"campaign"', "campaign: plan"),
        (HEAD.replace("upah-layak", "Upah Layak!") + "  - {id: a, at: H 08:00, text: x}", 1, 11, "P024", "a-z", "upah-layak"),
        (HEAD.replace("upah-layak", "2027") + "  - {id: a, at: H 08:00, text: x}", 1, 11, "P022", "the number 2027", '"2027"'),
        (HEAD.replace("timezone: WIB\n", "") + "  - {id: a, at: H 08:00, text: x}", 1, 1, "T001", '"timezone"', "timezone: WIB"),
        (HEAD.replace("WIB", "Asia/Jakrta") + "  - {id: a, at: H 08:00, text: x}", 2, 11, "T001", 'Did you mean "Asia/Jakarta"', "WITA"),
        (HEAD.replace("WIB", "7") + "  - {id: a, at: H 08:00, text: x}", 2, 11, "P022", "text", '"7"'),
        (HEAD.replace("accounts", "acounts") + "  - {id: a, at: H 08:00, text: x, accounts: [pusat]}", 4, 1, "P020", 'Did you mean "accounts"?', "campaign"),
        (HEAD.replace("nasional", "nasionl") + "  - {id: a, at: H 08:00, text: x}", 4, 12, "A007", 'Did you mean "nasional"?', "papua"),
        (HEAD.replace("accounts: [nasional]\n", "") + "  - {id: a, at: H 08:00, text: x}", 5, 5, "A014", "no account", "accounts: [...]"),
        (HEAD.replace("day:", "language: Indonesia\nday:") + "  - {id: a, at: H 08:00, text: x}", 3, 11, "P023", "language", "en"),
        (HEAD.replace("day:", "utm: ya\nday:") + "  - {id: a, at: H 08:00, text: x}", 3, 6, "P022", "true or false", "quotes"),
        (HEAD.replace("day:", "approval: -1\nday:") + "  - {id: a, at: H 08:00, text: x}", 3, 11, "P023", "0 or more", ""),
        (HEAD.replace("day:", "approval: '1'\nday:") + "  - {id: a, at: H 08:00, text: x}", 3, 11, "P022", "whole number", "without quotes"),
        (HEAD.replace("day:", "vars: [a]\nday:") + "  - {id: a, at: H 08:00, text: x}", 3, 7, "P022", "group of keys", "key: value"),
        (HEAD.replace("day:", "title: #1\nday:") + "  - {id: a, at: H 08:00, text: x}", 3, 1, "P034", "no value", "quotes"),
        (HEAD.replace("posts:\n", "posts: []\n"), 5, 8, "P021", "no posts", "posts:"),
        (HEAD.replace("posts:\n", "posts: halo\n"), 5, 8, "P022", "must be a list", "dash"),
        (HEAD + "  - halo\n", 6, 5, "P022", "group of keys", "key: value"),
        (HEAD.replace("posts:\n", ""), 1, 1, "P021", "no posts", "posts:"),
        ("- a\n", 1, 1, "P033", "campaign, timezone and posts", "campaign init"),
        (post("id: Satu Dua\nat: H 08:00\ntext: x"), 6, 9, "P024", "Satu Dua", "satu-dua"),
        (post("id: ''\nat: H 08:00\ntext: x"), 6, 9, "P024", "", "upah-layak"),
        (post("id: 5\nat: H 08:00\ntext: x"), 6, 9, "P022", "the number 5", '"5"'),
        (HEAD + "  - {id: a, at: H 08:00, text: x}\n  - {id: a, at: H 08:00, text: x}\n", 7, 10, "P025", "line 6", "own id"),
        (post("id: a\ntext: x"), 6, 5, "P026", "no time", "at: H-7 08:00"),
        (post("id: a\nat: H 08:00\nevery: daily 08:00\nfrom: H\nuntil: H\ntext: x"), 8, 5, "P026", "Only one", "at, every"),
        (post("id: a\nat: H 08:00\nuntil: H\ntext: x"), 8, 5, "P026", '"until"', "every"),
        (post("id: a\nat: 2026\ntext: x"), 7, 9, "P022", "the number 2026", '"2026"'),
        (post("id: a\nat: {slot: pagi, hari: H}\ntext: x"), 7, 22, "P020", '"hari"', "day, slot"),
        (post("id: a\nat: H 08:00"), 6, 5, "P027", "no text for: pusat, papua", "variant"),
        (post("id: a\nat: H 08:00\ntext: '  '"), 6, 5, "P027", "no text", "variant"),
        (post("id: a\nat: H 08:00\nvariants: {telegram: {text: x}}"), 6, 5, "P027", "no text for: pusat", "variant"),
        (post("id: a\nat: H 08:00\ntext: 2027"), 8, 11, "P022", "must be text, not the number 2027", '"2027"'),
        (post("id: a\nat: H 08:00\ntext: #UpahLayak"), 8, 5, "P034", "no value", "begins with #"),
        (post("id: a\nat: H 08:00\ntext:"), 8, 5, "P034", "no value", "delete the key"),
        (post("id: a\nat: H 08:00\ntext: yes\nthread: ya"), 9, 13, "P023", "neither auto nor a list", "auto"),
        (post("id: a\nat: H 08:00\ntext: x\nthread: [a, 5]"), 9, 17, "P022", '"thread[1]" must be text', '"5"'),
        (post("id: a\nat: H 08:00\ntext: x\nhashtags: UpahLayak"), 9, 15, "P022", "must be a list", "[one, two]"),
        (post("id: a\nat: H 08:00\ntext: x\nrepeat: ya"), 9, 13, "P022", "true or false", "quotes"),
        (post("id: a\nat: H 08:00\ntext: x\ntxt: y"), 9, 5, "P020", 'Did you mean "text"?', "variants"),
        (post("id: a\nat: H 08:00\ntext: x\ncard: {template: kutipan}"), 9, 5, "P030", "not available", "media"),
        (post("id: a\nat: H 08:00\ntext: x\naudience: [semua]").replace("day:", "audience: [anggota]\nday:"), 10, 16, "P029", "semua", "anggota"),
        (post("id: a\nat: H 08:00\ntext: x\naccounts: [pusta]"), 9, 16, "A007", 'Did you mean "pusat"?', "papua"),
        (post("id: a\nat: H 08:00\ntext: x\nlanguage: Indonesia"), 9, 15, "P023", "language code", "en"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: media/poster.jpg"), 9, 12, "P022", "must be a list", "dash"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: 5"), 9, 12, "P022", "must be a list", ""),
        (post("id: a\nat: H 08:00\ntext: x\nvariants: {x: {promotes: salah}}"), 9, 30, "P023", '"promotes" must be one of: own, paid, none.', "one of these words"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: media/poster.jpg}]"), 9, 13, "M001", "no alt text", "alt: …"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: media/poster.jpg, alt: ''}]"), 9, 43, "M001", "no alt text", "alt: …"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{alt: x}]"), 9, 13, "P021", "names no file", "media/poster.jpg"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: media/postr.jpg, alt: x}]"), 9, 20, "M002", 'Did you mean "poster.jpg"?', "workspace's folder"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: media, alt: x}]"), 9, 20, "M002", "folder", "picture"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: ../lain.jpg, alt: x}]"), 9, 20, "M003", "outside", "media/"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: /etc/passwd, alt: x}]"), 9, 20, "M003", "outside", "media/"),
        (post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: 'https://example.org/a.jpg', alt: x}]"), 9, 20, "M003", "address", "Save"),
        (post("id: a\nat: H 08:00\ntext: x\nvariants: {mastodn: {text: y}}"), 9, 16, "P028", 'Did you mean "mastodon"?', "telegram"),
        (post("id: a\nat: H 08:00\ntext: x\nvariants: {nasional: {text: y}}"), 9, 16, "P028", "is a group", "Platforms"),
        (post("id: a\nat: H 08:00\ntext: x\nvariants: {telegram: {txt: y}}"), 9, 27, "P020", 'Did you mean "text"?', "silent"),
        (post("id: a\nat: H 08:00\ntext: x\nvariants: {telegram: x}"), 9, 26, "P022", "group of keys", "key: value"),
        (post("id: a\nat: H 08:00\ntext: x\nvariants: {telegram: {media: [{file: tak-ada.jpg, alt: x}]}}"), 9, 42, "M002", "tak-ada.jpg", "put the file"),
        (post("id: a\nat: H 08:00\ntext: x\nvariants: {telegram: {card: {a: b}}}"), 9, 27, "P030", "not available", "media"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(  # noqa: PLR0917 - one column for each thing said
    tmp_path: Path, text: str, line: int, column: int, code: str, says: str, fix: str
) -> None:
    """One problem for each fault: file, line, column, what is wrong, what to do."""
    _loaded, [problem] = load(tmp_path, text)
    assert (problem.file, problem.line, problem.column) == ("campaigns/plan.yaml", line, column)
    assert (problem.code, problem.severity) == (code, Severity.ERROR)
    assert says in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("variants", "column", "code", "says"),
    [
        ("{telegram: {cw: awas}}", 27, "P031", '"cw" means nothing on telegram'),
        ("{mastodon: {title: Judul, cw: awas}}", 27, "P031", '"title" means nothing on mastodon'),
        ("{papua: {title: Judul}}", 24, "P031", '"title" means nothing on telegram'),
        ("{en: {text: y}}", 16, "P032", 'language "en"'),
        ("{dunia: {text: y}}", 16, "P032", 'account "dunia"'),
    ],
)
def test_variants_that_do_nothing_are_warnings(
    tmp_path: Path, variants: str, column: int, code: str, says: str
) -> None:
    """A field that the network lacks, or a variant that nobody gets, does not block."""
    _loaded, [problem] = load(tmp_path, post(f"id: a\nat: H 08:00\ntext: x\nvariants: {variants}"))
    assert (problem.line, problem.column) == (9, column)
    assert (problem.code, problem.severity) == (code, Severity.WARNING)
    assert says in problem.message


def test_variants_may_be_named_after_any_network(tmp_path: Path) -> None:
    """Also after one that this version does not serve, and after a language with a region that an account has."""
    names = ", ".join(f"{name}: {{text: y}}" for name in platforms.PLATFORMS)
    _loaded, problems = load(tmp_path, post(f"id: a\nat: H 08:00\ntext: x\nvariants: {{{names}, id: {{text: z}}}}"))
    assert problems == []


def test_text_may_come_from_the_variants_alone(tmp_path: Path) -> None:
    """By account, platform or language, as long as every account gets one."""
    text = post(
        "id: a\nat: H 08:00\naccounts: [nasional, dunia]\nvariants: {mastodon: {text: x}, papua: {template: y}, en: {thread: [z]}}"
    )
    _loaded, problems = load(tmp_path, text)
    assert problems == []


def test_everything_is_told_at_once_in_order(tmp_path: Path) -> None:
    """Faults of every kind in one file: all of them, sorted by line, and the rest of the plan stays usable."""
    text = """\
campaign: Upah Layak
timezone: WIB
acounts: [nasional]
accounts: [nasional]
hashtags: UpahLayak
posts:
  - id: a
    at: H 08:00
    text: 2027
    media: [{file: tak-ada.jpg}, {file: media/poster.jpg, alt: x, fokus: 1}]
    txt: x
  - id: b
    at: 2026-12-03 08:00
    text: Halo
    text: Halo lagi
  - id: b
    at: 2026-12-03 25:00
    text: Halo
"""
    planned, problems = expanded(tmp_path, text)
    problems.sort(key=lambda problem: problem.sort_key)
    assert [(problem.line, problem.code) for problem in problems] == [
        (1, "P024"),
        (3, "P020"),
        (5, "P022"),
        (8, "T006"),
        (9, "P022"),
        (10, "M001"),
        (10, "M002"),
        (10, "P020"),
        (11, "P020"),
        (15, "P008"),
        (16, "P025"),
        (17, "T003"),
    ]
    assert [item.post_id for item in planned] == ["b", "b"]
    assert planned[0].post.text == "Halo"


def test_a_file_beside_the_plan(tmp_path: Path) -> None:
    """A path that counts from the plan's folder is answered with the right one."""
    workspace(tmp_path)
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "foto.jpg").write_bytes(b"x")
    _loaded, [problem] = load(tmp_path, post("id: a\nat: H 08:00\ntext: x\nmedia: [{file: foto.jpg, alt: x}]"))
    assert problem.code == "M002"
    assert "campaigns/foto.jpg" in problem.fix


def test_a_link_that_leads_out_of_the_workspace(tmp_path: Path) -> None:
    """A symbolic link inside does not open what lies outside; one that stays inside is fine."""
    root = tmp_path / "ws"
    root.mkdir()
    workspace(root)
    (tmp_path / "rahasia.jpg").write_bytes(b"x")
    (root / "media" / "keluar.jpg").symlink_to(tmp_path / "rahasia.jpg")
    (root / "media" / "dalam.jpg").symlink_to(root / "media" / "poster.jpg")
    (root / "media" / "putar.jpg").symlink_to(root / "media" / "putar.jpg")
    files = ", ".join(f"{{file: media/{name}.jpg, alt: x}}" for name in ("keluar", "dalam", "putar"))
    _loaded, problems = load(root, post(f"id: a\nat: H 08:00\ntext: x\nmedia: [{files}]"))
    assert [(problem.code, problem.path) for problem in problems] == [
        ("M003", "posts[0].media[0].file"),
        ("M002", "posts[0].media[2].file"),
    ]


@pytest.mark.parametrize("content", [None, "a: [\n", ""])
def test_nothing_usable(tmp_path: Path, content: str | None) -> None:
    """A missing, broken or empty file gives no plan, and a problem."""
    opened = workspace(tmp_path)
    file = tmp_path / "plan.yaml"
    if content is not None:
        file.write_text(content)
    loaded, [problem] = load_plan(file, opened)
    assert loaded is None
    assert problem.file == "plan.yaml"


def test_a_plan_elsewhere_is_shown_by_its_own_path(tmp_path: Path) -> None:
    """Outside the workspace the path is shown as it was given."""
    root = tmp_path / "ws"
    root.mkdir()
    opened = workspace(root)
    _loaded, [problem] = load_plan(tmp_path / "lain.yaml", opened)
    assert problem.file == (tmp_path / "lain.yaml").as_posix()


def test_without_accounts_yaml_a_plan_is_still_checked(tmp_path: Path) -> None:
    """The missing file is told by the workspace; the plan's accounts are not blamed for it."""
    opened, [told] = open_workspace(tmp_path)
    assert told.code == "A001"
    file = tmp_path / "plan.yaml"
    file.write_text(HEAD + "  - {id: a, at: H 08:00, text: x, variants: {pusat: {text: y}}, txt: z}\n")
    loaded, [problem] = load_plan(file, opened)
    assert problem.code == "P020"
    assert loaded is not None
    assert expand(loaded) == ([], [])


def test_a_broken_account_is_not_told_twice(tmp_path: Path) -> None:
    """An account that is written but wrong is told in accounts.yaml, not again in every plan."""
    (tmp_path / "accounts.yaml").write_text("accounts:\n  pusat: {platform: mastodon}\n")
    opened, problems = open_workspace(tmp_path)
    assert problems
    file = tmp_path / "plan.yaml"
    file.write_text(
        HEAD.replace("nasional", "pusat") + "  - {id: a, at: H 08:00, text: x, variants: {pusat: {text: y}}}\n"
    )
    _loaded, problems = load_plan(file, opened)
    assert [problem.code for problem in problems] == ["P032"]


def test_messages_are_in_the_chosen_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message and fix goes through the catalogue."""
    monkeypatch.setattr(i18n, "_catalogue", _Shouting())
    _loaded, problems = load(tmp_path, post("id: a\nat: H 08:00\ntext: x\ntxt: y\nthread: ya\nmedia: [{file: x}]"))
    assert len(problems) == 4
    assert all(problem.message.startswith("»") and problem.fix.startswith("»") for problem in problems)


class _Shouting:
    def gettext(self, message: str) -> str:
        return "»" + message


def test_the_schema_in_the_repository_is_in_step() -> None:
    """schema/plan.schema.json is what `campaign schema` prints."""
    assert json.loads((ROOT / "schema" / "plan.schema.json").read_text(encoding="utf-8")) == plan_schema()


def test_the_schema_helps_editors() -> None:
    """Every key of the models has a description, and nothing that a plan needs is optional."""
    schema = plan_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["required"]) == {"campaign", "timezone", "posts"}
    assert schema["$defs"]["Media"]["required"] == ["file", "alt"]
    for model in (schema, *schema["$defs"].values()):
        assert model["additionalProperties"] is False
        assert all(keys.get("description") for keys in model["properties"].values())
    assert "from" in schema["$defs"]["Post"]["properties"]
    assert "null" not in json.dumps(schema)
    assert "mastodon" in schema["$defs"]["Post"]["properties"]["variants"]["properties"]


@pytest.mark.parametrize(
    ("at", "fits"),
    [
        ("H-7 08:00", True),
        ("Hari H 08:00", True),
        ("D+1 pagi", True),
        ("2026-12-03 08:00:30", True),
        ("2026-12-03T08:00:30+07:00", True),
        ("2026-12-03 08:00 +07:00", True),
        ("besok", False),
        ("H-7", False),
        ("08:00", False),
    ],
)
def test_the_schema_s_form_of_times(at: str, fits: bool) -> None:
    """Editors accept the forms that the program accepts."""
    pattern = plan_schema()["$defs"]["Post"]["properties"]["at"]["oneOf"][0]["pattern"]
    assert bool(re.search(pattern, at)) is fits


def test_native_fields_are_keys_of_variants() -> None:
    """Whatever an adapter calls its own field can be written in a variant."""
    assert set(NATIVE_FIELDS) <= set(Variant.model_fields)
    for name in platforms.PLATFORMS:
        assert platforms.get(name).fields <= set(NATIVE_FIELDS), name


def test_models_are_frozen() -> None:
    """What was checked can't be changed afterwards."""
    with pytest.raises(ValueError, match="frozen"):
        Plan().title = "x"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        Post().text = "x"  # type: ignore[misc]


def test_every_code_is_explained() -> None:
    """Each code that the sources of this part use has a title and an explanation, and no code is explained in vain."""
    package = ROOT / "campaign_cli"
    files = [*package.glob("*.py"), *(package / "plan").glob("*.py"), *(package / "source").glob("*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files if file.name != "codes.py")
    assert set(re.findall(r'"([PTAM]\d{3})"', text)) == set(CODES)
    assert all(title and explanation for title, explanation in CODES.values())


def test_reading_a_plan_is_light(tmp_path: Path) -> None:
    """A plain plan loads none of the heavy libraries."""
    load(tmp_path, WHOLE.replace('every: "mon,wed 19:30"', 'every: "mon 19:30"'))
    code = (
        "import sys; from pathlib import Path; from campaign_cli.plan import open_workspace, load_plan, expand;"
        f"opened, _p = open_workspace(Path({str(tmp_path)!r}));"
        f"expand(load_plan(Path({str(tmp_path / 'campaigns' / 'plan.yaml')!r}), opened)[0]);"
        "heavy = {'httpx', 'sqlalchemy', 'apscheduler', 'PIL', 'jinja2', 'babel', 'markdown_it', 'dateutil', 'dotenv'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
