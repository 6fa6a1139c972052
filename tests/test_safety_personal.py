"""Personal data in plans: each finding at the place where it is written, masked, with its ways out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from content_helpers import ACCOUNTS, NOW, Folder, codes

from campaign_cli.checks import CODES, Examined, explain, safety
from campaign_cli.checks.pipeline import judge
from campaign_cli.models import Problem

POST = "accounts: [mastodon]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n"
WAYS_OUT = (
    "Leave it out. If it is meant to be seen, name it under public_contacts in accounts.yaml; "
    "if this is a mistake, say so in the plan: waive: {{{code}: the reason}}"
)
PHONE = "0812-0000-1234"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def safety_of(examined: Examined) -> list[Problem]:
    return [problem for problem in examined.problems if problem.code.startswith("S")]


def places(examined: Examined) -> list[tuple[str, str, int, int, str]]:
    """Code, file, line, column and path of each finding."""
    return [(one.code, one.file, one.line, one.column, one.path) for one in safety_of(examined)]


@pytest.mark.parametrize(
    ("text", "code", "severity", "message"),
    [
        ("NIK 3201994101900001", "S001", "error", "This looks like a NIK: 32…01."),
        ("KK 3201990101900001", "S002", "error", "This looks like the number of a family card (KK): 32…01."),
        ("NPWP 00.000.123.4-567.000", "S003", "error", "This looks like an NPWP: 00…00."),
        ("BPJS 0000012345678", "S004", "error", "This looks like a BPJS number: 00…78."),
        ("KTA FSPC-001234", "S005", "error", "This looks like the number of a union card: FS…34."),
        ("KTA 1234", "S005", "error", "This looks like the number of a union card: 1…."),
        (f"WA {PHONE}", "S006", "error", "This looks like a telephone number: 08…34."),
        ("Tulis ke ani@surel.example", "S007", "error", "This looks like an e-mail address: an…le."),
        ("Jl. Melati No. 12", "S008", "error", "This looks like somebody's home address: Jl…12."),
        ("Mobil B 1234 XYZ", "S009", "warning", "This looks like the number plate of a vehicle: B …YZ."),
        ("rek. BCA 0001112222", "S010", "error", "This looks like a bank account or an e-wallet: 00…22."),
    ],
)
def test_each_kind(folder: Folder, text: str, code: str, severity: str, message: str) -> None:
    """Code, severity and place; the message shows two signs at each end at most, and the fix says the ways out."""
    (problem,) = safety_of(folder.plan(f"{POST}    text: '{text}'\n"))
    assert (problem.code, problem.severity, problem.message) == (code, severity, message)
    assert (problem.file, problem.line, problem.column, problem.path) == ("plan.yaml", 8, 11, "posts[0].text")
    assert problem.fix == WAYS_OUT.format(code=code)


def test_every_code_is_explained_with_its_law() -> None:
    """Each says what it has in mind, and that it is no legal advice."""
    own = [code for code in CODES if code.startswith("S")]
    assert own == [f"S{number:03}" for number in range(1, 19)]
    for code in own:
        text = explain(code)
        assert text is not None
        assert "In mind: " in text
        assert "legal advice" in text
    assert "UU 27/2022 (PDP)" in CODES["S001"][1]


def test_a_finding_blocks_but_its_draft_is_there(folder: Folder) -> None:
    """The preview can show what must not go out."""
    examined = folder.plan(f"{POST}    text: WA {PHONE}\n")
    assert list(examined.drafts) == ["upah-layak/satu/mastodon"]


def test_the_part_of_a_thread(folder: Folder) -> None:
    """Each part has its own line."""
    examined = folder.plan(f"{POST}    thread:\n      - Satu.\n      - WA {PHONE}\n      - Tiga.\n")
    assert places(examined) == [("S006", "plan.yaml", 10, 9, "posts[0].thread[1]")]


def test_the_variant_that_says_it(folder: Folder) -> None:
    """The text of the post, of a network and of an account, each where it is written and once."""
    body = f"""\
        accounts: [mastodon, internasional, langit]
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: Halo WA {PHONE}
            variants:
              mastodon: {{text: Halo}}
              internasional: {{text: 'Halo WA 0813-0000-5678'}}
          - {{id: dua, every: daily 08:00, from: 2026-12-03, until: 2026-12-05, text: 'WA {PHONE}'}}
        """
    examined = folder.plan(body)
    assert places(examined) == [
        ("S006", "plan.yaml", 8, 11, "posts[0].text"),
        ("S006", "plan.yaml", 11, 29, "posts[0].variants.internasional.text"),
        ("S006", "plan.yaml", 12, 78, "posts[1].text"),
    ]


def test_values_of_templates(folder: Folder) -> None:
    """A value of the post, of a variant or of the plan is where it is written, at any depth."""
    folder.write("templates/posts/ajak.j2", "Hubungi {{ siapa }}, {{ vars.kontak[0] }}, {{ hari }}.\n")
    body = f"""\
        vars: {{kontak: ['{PHONE}'], hari: Kamis}}
        accounts: [mastodon, langit]
        posts:
          - id: satu
            at: 2026-12-03 08:00
            template: ajak
            with: {{siapa: ani@surel.example}}
            variants:
              langit: {{with: {{siapa: budi@surel.example}}}}
        """
    assert places(folder.plan(body)) == [
        ("S006", "plan.yaml", 4, 17, "vars.kontak[0]"),
        ("S007", "plan.yaml", 10, 19, "posts[0].with.siapa"),
        ("S007", "plan.yaml", 12, 30, "posts[0].variants.langit.with.siapa"),
    ]


def test_numbers_without_quotes(folder: Folder) -> None:
    """A value that YAML reads as a number is found where it stands."""
    examined = folder.plan(f"vars: {{nik: 3201994101900001}}\n{POST}    text: 'NIK {{{{ nik }}}}'\n")
    assert places(examined) == [("S001", "plan.yaml", 4, 13, "vars.nik")]


def test_the_template_itself(folder: Folder) -> None:
    """What the file of a template says is there, on its line."""
    folder.write("templates/posts/ajak.j2", f"Halo.\n\nWA {PHONE}\n")
    examined = folder.plan(f"{POST}    template: ajak\n")
    assert places(examined) == [("S006", "templates/posts/ajak.j2", 3, 1, "posts[0].template")]


def test_what_is_put_together_is_at_the_text(folder: Folder) -> None:
    """Where no piece holds it alone, the text that joins them does."""
    examined = folder.plan(f"vars: {{a: '0812-0000'}}\n{POST}    text: 'WA {{{{ a }}}}-1234'\n")
    assert places(examined) == [("S006", "plan.yaml", 9, 11, "posts[0].text")]
    folder.write("templates/posts/ajak.j2", "WA {{ a }}-1234\n")
    examined = folder.plan(f"vars: {{a: '0812-0000'}}\n{POST}    template: ajak\n")
    assert places(examined) == [("S006", "plan.yaml", 9, 15, "posts[0].template")]


def test_other_writings_are_found_where_they_stand(folder: Folder) -> None:
    """Wide digits and long dashes in one of two pieces."""
    examined = folder.plan(f"vars: {{a: '０８１２–0000–1234'}}\n{POST}    text: 'WA {{{{ a }}}}'\n")
    assert places(examined) == [("S006", "plan.yaml", 4, 11, "vars.a")]


def test_links_and_hashtags(folder: Folder) -> None:
    """The link of the plan or the post, also with its tags for the report; a hashtag of the list."""
    body = f"""\
        utm: true
        link: https://a.example/?hp=081200001234
        hashtags: [Aksi, KTA1234]
        {POST}    text: Halo
          - {{id: dua, at: 2026-12-04 08:00, text: Dua, link: 'https://wa.me/6281200001234', accounts: [langit]}}
        """.replace("        accounts", "accounts").replace("        posts", "posts")
    examined = folder.plan("\n".join(line.removeprefix("        ") for line in body.splitlines()) + "\n")
    assert places(examined) == [
        ("S006", "plan.yaml", 5, 7, "link"),
        ("S006", "plan.yaml", 12, 54, "posts[1].link"),
    ]


def test_native_fields(folder: Folder) -> None:
    """Title, summary, slug and tags of a network, each at its own place."""
    body = f"""\
        accounts: [web]
        vars: {{surel: ani@surel.example}}
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: Halo
            variants:
              wordpress:
                title: Hubungi {PHONE}
                excerpt: 'Tulis ke {{{{ surel }}}}'
                tags: [aksi, 'B 1234 XYZ']
                slug: wa-0813-0000-5678
        """
    assert places(folder.plan(body)) == [
        ("S007", "plan.yaml", 5, 15, "vars.surel"),
        ("S006", "plan.yaml", 12, 16, "posts[0].variants.wordpress.title"),
        ("S009", "plan.yaml", 14, 22, "posts[0].variants.wordpress.tags[1]"),
    ]


def test_contacts_of_the_union_are_not_told(folder: Folder) -> None:
    """However they are spelled, in words and in links; others are."""
    folder.write(
        "accounts.yaml",
        ACCOUNTS
        + """\
public_contacts:
  - '+62 812 0000 1234'
  - Redaksi@Serikat.example
  - BCA 000-111-2222 a.n. FSPC
  - Sekretariat, Jalan Melati No. 12, Jakarta
  - NPWP 00.000.123.4-567.000
""",
    )
    text = """\
    text: |
      WA 0812-0000-1234 atau +6281200001234 atau (0812) 0000.1234, https://wa.me/6281200001234
      redaksi@serikat.example, REDAKSI (at) serikat (dot) example, mailto:redaksi@serikat.example
      rek. BCA 0001112222, Jl. Melati 12, jln melati no 12 rt 1, Jl. Melati No. 012, RT 1/RW 2
      NPWP 000001234567000
"""
    assert safety_of(folder.plan(POST + text)) == []
    other = """\
    text: |
      WA 0812-0000-1235 dan BCA 0001112223
      xredaksi@serikat.example
      Jl. Melati No. 12, Jl. Melati No. 1
      Jl. Melati Timur No. 12
"""
    assert codes(folder.plan(POST + other), "S") == ["S006", "S007", "S008", "S008", "S010"]
    assert [problem.message[-6:-1] for problem in safety_of(folder.plan(POST + other))] == [
        "08…35",
        "xr…le",
        "Jl… 1",
        "Jl…12",
        "00…23",
    ]


def test_contacts_do_not_cover_what_only_begins_or_ends_alike(folder: Folder) -> None:
    """The number of a house is nobody's card, and an account is not the same without its zeros."""
    contacts = "['Jl. Melati No. 12', 'BCA 00-1112-2223', 'KTA 12345', 'B 1234 XYZ', 'BNI 123456', '7', 'Gang 9']"
    folder.write("accounts.yaml", ACCOUNTS + f"public_contacts: {contacts}\n")
    found = {
        "KTA 0012": ["S005"],
        "KTA 12345": ["S005"],
        "KTA 123456": [],
        "BCA 0011122223": [],
        "BCA 11122223": ["S010"],
        "WA 0811122223": ["S006"],
        "Jl. Mawar No. 7": ["S008"],
        "Gg. 9 No. 3": [],
        "B 1234 XYZ": [],
        "B 1234 XYA": ["S009"],
    }
    for text, expected in found.items():
        assert codes(folder.plan(f"{POST}    text: {text}\n"), "S") == expected, text


def test_drafts_that_queue_draws_are_judged_alike(folder: Folder) -> None:
    """The rules look at what they are given: no draft, no finding; the clock does not matter."""
    examined = folder.plan(f"{POST}    text: WA {PHONE}\n")
    fresh = Examined(loaded=examined.loaded, planned=examined.planned, drafts=examined.drafts)
    judge(fresh, now=datetime(2050, 1, 1, tzinfo=UTC), rules=safety.RULES)
    assert [problem.code for problem in fresh.problems] == ["S006"]
    none = Examined(loaded=examined.loaded, planned=examined.planned)
    judge(none, now=NOW, rules=safety.RULES)
    assert none.problems == []
    nothing = Examined()
    judge(nothing, now=NOW, rules=safety.RULES)
    assert nothing.problems == []
