"""What a post says on each account: variants, links, hashtags, threads, and limits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from content_helpers import Folder, codes

from campaign_cli.content import MediaStore, Renderer
from campaign_cli.content.links import tag_link
from campaign_cli.plan import expand, load_plan, open_workspace
from campaign_cli.platforms.base import Limits


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def post(body: str, accounts: str = "[mastodon]", head: str = "") -> str:
    """A plan of one post; ``body`` is what follows its id and time, one key a line."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return f"accounts: {accounts}\n{head}posts:\n  - id: pembuka\n    at: 2026-12-03 08:00\n{lines}"


VARIANTS = """
text: Dari pos.
variants:
  mastodon: {text: Dari platform.}
  internasional: {text: From the account.}
  en: {text: From the language., hashtags: [LivingWage]}
"""


def test_the_account_wins_over_platform_over_language_over_post(folder: Folder) -> None:
    """Each field comes from the most specific level that writes it."""
    examined = folder.plan(post(VARIANTS, "[mastodon, internasional, langit]"))
    said = {draft.account: draft.parts[0].text for draft in examined.drafts.values()}
    assert said == {
        "mastodon": "Dari platform.",
        "internasional": "From the account.\n\n#LivingWage",
        "langit": "Dari pos.",
    }


def test_the_language_is_that_of_the_chosen_words(folder: Folder) -> None:
    """A variant's words are in the account's language, the post's own words in the plan's."""
    plain = folder.draft(post("text: Halo.", "[internasional]"), "internasional")
    foreign = folder.draft(post("text: Halo.\nvariants: {en: {text: Hello.}}", "[internasional]"), "internasional")
    told = folder.draft(post("text: Halo.\nvariants: {mastodon: {text: Halo lagi., language: su}}"))
    assert (plain.language, foreign.language, told.language) == ("id", "en", "su")


def test_a_text_of_a_variant_replaces_a_written_thread(folder: Folder) -> None:
    """Text, template and written parts exclude each other: the most specific one counts."""
    assert folder.text(post("thread: [Satu., Dua.]\nvariants: {mastodon: {text: Sekaligus.}}")) == "Sekaligus."


def test_native_fields_visibility_and_alt_text_of_a_variant(folder: Folder) -> None:
    """A network's own fields, filled in, its visibility and another alt text come from the variant."""
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(folder.root / "a.png")
    draft = folder.draft(
        post(
            """
text: Halo.
media: [{file: a.png, alt: Merah}]
variants:
  mastodon: {cw: "Isi {{ kota }}", visibility: unlisted, alt: Kotak merah}
""",
            head="vars: {kota: Jakarta}\n",
        )
    )
    assert draft.native == {"cw": "Isi Jakarta"}
    assert draft.visibility == "unlisted"
    assert [picture.alt for picture in draft.pictures] == ["Kotak merah"]


def test_an_unknown_visibility_is_an_error_at_its_place(folder: Folder) -> None:
    """The message lists what the network knows."""
    examined = folder.plan(post("text: Halo.\nvisibility: rahasia"))
    (problem,) = [problem for problem in examined.problems if problem.code == "L007"]
    assert (problem.line, problem.path) == (9, "posts[0].visibility")
    assert "unlisted" in problem.fix


HEAD = "link: https://example.org/upah\nutm: true\nhashtags: [UpahLayak, '#HidupBuruh']\n"
TAGGED = "https://example.org/upah?utm_source=mastodon&utm_medium=social&utm_campaign=upah-layak&utm_content=pembuka.mastodon"


def test_link_and_hashtags_go_below_the_text(folder: Folder) -> None:
    """The tagged link and the hashtags that the text lacks are added, each once."""
    assert folder.text(post("text: 'Halo #upahlayak'", head=HEAD)) == f"Halo #upahlayak\n\n{TAGGED}\n\n#HidupBuruh"


def test_a_link_in_the_text_is_tagged_where_it_stands(folder: Folder) -> None:
    """It is not added a second time; other links are left alone."""
    text = folder.text(post("text: 'Baca (https://example.org/upah/) dan https://bps.go.id #UpahLayak'", head=HEAD))
    assert text == f"Baca ({TAGGED}) dan https://bps.go.id #UpahLayak #HidupBuruh".replace(
        " #HidupBuruh", "\n\n#HidupBuruh"
    )


def test_hashtags_join_a_line_of_hashtags(folder: Folder) -> None:
    """Where the text ends in hashtags, the others follow on that line."""
    text = folder.text(post("text: |\n  Halo\n\n  #Aksi", head="hashtags: [UpahLayak]\n"))
    assert text == "Halo\n\n#Aksi #UpahLayak"


def test_an_empty_list_or_link_means_none(folder: Folder) -> None:
    """A post may do without the plan's hashtags and link."""
    assert folder.text(post("text: Halo.\nhashtags: []\nlink: ''", head=HEAD)) == "Halo."


def test_a_network_that_shows_the_link_apart_gets_it_apart(folder: Folder) -> None:
    """WordPress gets the link as such and its own tags, no hashtags in the text."""
    draft = folder.draft(post("text: Halo.", "[web]", head=HEAD), "web")
    assert draft.parts[0].text == "Halo."
    assert draft.link is not None
    assert "utm_content=pembuka.web" in draft.link


def test_existing_tags_of_a_link_stay_and_fragments_stay_last() -> None:
    """No utm_ key is doubled, nothing else of the link changes."""
    tags = {"utm_source": "x", "utm_medium": "social"}
    assert (
        tag_link("https://a.example?b=%20c&utm_source=surat#isi", tags)
        == "https://a.example/?b=%20c&utm_source=surat&utm_medium=social#isi"
    )
    assert tag_link("mailto:a@b.example", tags) == "mailto:a@b.example"


def test_a_post_may_tag_otherwise_or_not_at_all(folder: Folder) -> None:
    """utm of the post wins over the plan's."""
    assert folder.text(post("text: Halo.\nutm: false\nhashtags: []", head=HEAD)).endswith("https://example.org/upah")
    assert "utm_campaign=lain" in folder.text(post("text: Halo.\nutm: {campaign: lain}", head=HEAD))


LONG = "Upah layak adalah hak semua orang di negeri ini. " * 15


def test_too_long_is_an_error_with_the_numbers(folder: Folder) -> None:
    """The message says how much fits and by how much it is over, at the text; there is no draft and no cut."""
    examined = folder.plan(post(f"text: {LONG}"))
    (problem,) = [problem for problem in examined.problems if problem.code == "L001"]
    used = len(LONG.strip())
    assert f"{used} characters" in problem.message
    assert f"{used - 500} more than the 500" in problem.message
    assert "thread: auto" in problem.fix
    assert (problem.line, problem.column) == (8, 11)
    assert examined.drafts == {}


def test_thread_auto_splits_and_marks(folder: Folder) -> None:
    """The parts fit, carry their marks, and the picture goes with the first."""
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(folder.root / "a.png")
    body = f"text: {LONG}\nthread: auto\nthread_marks: true\nmedia: [{{file: a.png, alt: Merah}}]"
    draft = folder.draft(post(body, head=HEAD))
    assert [part.text.rsplit("\n\n", 1)[1] for part in draft.parts] == ["1/2", "2/2"]
    assert [len(part.media) for part in draft.parts] == [1, 0]
    assert TAGGED in draft.parts[-1].text
    assert all(len(part.text) <= 600 for part in draft.parts)


def test_thread_auto_of_a_variant_keeps_the_text_of_the_post(folder: Folder) -> None:
    """Only the network that needs it splits."""
    body = f"text: {LONG}\nvariants: {{mastodon: {{thread: auto}}}}"
    examined = folder.plan(post(body, "[mastodon, papua-telegram]"))
    assert {draft.account: len(draft.parts) for draft in examined.drafts.values()} == {
        "mastodon": 2,
        "papua-telegram": 1,
    }


def test_a_written_thread(folder: Folder) -> None:
    """A list writes the parts; link and hashtags go with the last; a network without threads gets paragraphs."""
    body = "thread: [Satu., Dua., Tiga.]\nthread_marks: true"
    draft = folder.draft(post(body, head="hashtags: [Aksi]\n"))
    assert [part.text for part in draft.parts] == ["Satu.\n\n1/3", "Dua.\n\n2/3", "Tiga.\n\n#Aksi\n\n3/3"]
    assert folder.text(post("thread: [Satu., Dua.]", "[web]"), "web") == "Satu.\n\nDua."


def test_a_part_of_a_written_thread_that_is_too_long_is_named(folder: Folder) -> None:
    """The problem stands at that part."""
    examined = folder.plan(post(f"thread:\n  - Satu.\n  - {LONG}"))
    assert [(problem.code, problem.line) for problem in examined.problems if problem.severity == "error"] == [
        ("L001", 10)
    ]


def test_a_word_that_no_part_can_hold(folder: Folder) -> None:
    """It is named, shortened in the message."""
    examined = folder.plan(post(f"text: Halo {'a' * 600}\nthread: auto"))
    (problem,) = [problem for problem in examined.problems if problem.code == "L002"]
    assert "a" * 60 + "…" in problem.message


def test_bold_text_is_not_torn_by_a_thread(folder: Folder) -> None:
    """On networks with marks, what stands between them stays in one part."""
    words = ("kata " * 815).strip() + " **tebal sekali dan sangat panjang** selesai"
    draft = folder.draft(post(f"text: {words}\nthread: auto", "[papua-telegram]"), "papua-telegram")
    assert len(draft.parts) == 2
    assert draft.parts[1].text == "**tebal sekali dan sangat panjang** selesai"


def test_a_content_warning_counts_with_the_text(folder: Folder) -> None:
    """Mastodon measures both together."""
    examined = folder.plan(post(f"text: {'a' * 490}\nvariants: {{mastodon: {{cw: Peringatan isi}}}}"))
    assert codes(examined, "L") == ["L001"]


def test_a_content_free_post_is_an_error(folder: Folder) -> None:
    """A template may turn out empty."""
    assert codes(folder.plan(post("text: '{% if false %}x{% endif %}'"))) == ["P207"]


def test_limits_that_a_server_told_count(folder: Folder) -> None:
    """What `accounts check` stored replaces the documented limit, and the hint about it goes away."""
    found = {"text": 1000, "image_types": ["image/png"], "unit": 5, "images": "x", "source": "instance"}
    folder.write(".campaign/accounts.json", json.dumps({"mastodon": {"limits": found}}))
    examined = folder.plan(post(f"text: {LONG}"))
    assert examined.problems == []
    assert len(examined.drafts) == 1


def renderer(folder: Folder, **limits: Limits) -> tuple[Renderer, list]:  # type: ignore[type-arg]
    workspace, _ = open_workspace(folder.root)
    loaded, _ = load_plan(folder.root / "plan.yaml", workspace)
    assert loaded is not None
    planned, _ = expand(loaded)
    templates = folder.root / "templates" / "posts"
    return Renderer(loaded, media=MediaStore(folder.root), templates=templates, limits=limits), planned


def hashes(folder: Folder, body: str, **limits: Limits) -> list[str]:
    folder.plan(body)
    drawing, planned = renderer(folder, **limits)
    return [drawing.input_hash(item) for item in planned]


def test_the_input_hash_is_the_same_for_the_same_input(folder: Folder) -> None:
    """Reading a plan again, or editing what does not matter to a post, changes no hash."""
    body = post("text: Halo.", "[mastodon, langit]")
    first = hashes(folder, body)
    assert len(set(first)) == 2
    assert hashes(folder, body + "  - {id: lain, at: 2026-12-04 08:00, text: Lain.}\n")[:2] == first
    assert hashes(folder, post("text: Halo.\nsources: [https://bps.go.id]", "[mastodon, langit]")) == first


def test_the_input_hash_sees_everything_that_matters(folder: Folder) -> None:
    """Text, plan, account, limits, picture, template and instant each change it."""
    from PIL import Image

    def picture(colour: str) -> None:
        Image.new("RGB", (8, 8), colour).save(folder.root / "a.png")

    picture("red")
    folder.write("templates/posts/ajakan.j2", "Ayo!")
    body = post("template: ajakan\nmedia: [{file: a.png, alt: Merah}]")
    seen = hashes(folder, body)
    seen += hashes(folder, body.replace("Merah", "Kotak"))
    seen += hashes(folder, "hashtags: [Aksi]\n" + body)
    seen += hashes(folder, body.replace("08:00", "08:01"))
    folder.write("templates/posts/ajakan.j2", "Ayo ikut!")
    seen += hashes(folder, body)
    picture("blue")
    seen += hashes(folder, body)
    seen += hashes(folder, body, mastodon=Limits(text=10, unit="characters"))
    (folder.root / "a.png").unlink()
    seen += hashes(folder, body)
    accounts = folder.root / "accounts.yaml"
    accounts.write_text(accounts.read_text().replace("mastodon.example", "lain.example"))
    seen += hashes(folder, body)
    assert len(set(seen)) == len(seen) == 9


def test_occurrences_and_instants_have_their_own_hash(folder: Folder) -> None:
    """Two days of a recurring post differ, and so does the same post at another instant."""
    folder.plan(
        "accounts: [mastodon]\nposts:\n"
        "  - {id: rutin, every: daily 08:00, from: 2026-12-01, until: 2026-12-02, text: A.}\n"
    )
    drawing, planned = renderer(folder)
    later = replace(planned[0], due=planned[0].due + timedelta(seconds=1))
    assert len({drawing.input_hash(item) for item in [*planned, later]}) == 3
