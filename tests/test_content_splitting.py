"""Splitting a long text into a thread."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_cli.content.splitting import Fits, Unsplittable, split_thread
from campaign_cli.platforms.text import grapheme_ends, graphemes, hashtag_spans, link_spans, mention_spans

WORDS = st.sampled_from(
    [
        "upah",
        "layak.",
        "Kita",
        "turun,",
        "bersama!",
        "No. 13",
        "“hak”",
        "#UpahLayak",
        "@serikat@contoh.example",
        "https://serikat.example/a?b=c",
        "✊🏽",
        "👨‍👩‍👧‍👦",
        "e\u0301a",
        "tuntutan;",
        "漢字。仮名、",
    ]
)
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", " ", "\n", "\n\n", "  "])), min_size=1, max_size=60).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)


def room(limit: int) -> Fits:
    return lambda text, number: graphemes(text) <= limit


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_a_text_that_fits_stays_whole() -> None:
    """Nothing is split, and nothing marked, where it fits."""
    assert split_thread("Upah layak.\n\nHak kita.\n", room(30), marks=True) == ["Upah layak.\n\nHak kita."]


def test_paragraphs_come_before_sentences() -> None:
    """A part ends with a paragraph, where that leaves it reasonably full."""
    text = "Upah layak adalah hak semua orang.\n\nKita turun bersama. Ayo ikut serta dari mana saja."
    assert split_thread(text, room(60)) == [
        "Upah layak adalah hak semua orang.",
        "Kita turun bersama. Ayo ikut serta dari mana saja.",
    ]


def test_sentences_come_before_words_and_abbreviations_end_none() -> None:
    """A part ends with a sentence; a number after “No.” does not begin one."""
    text = "Kami menolak upah murah. Putusan No. 13 harus dijalankan oleh pemerintah"
    assert split_thread(text, room(50)) == [
        "Kami menolak upah murah.",
        "Putusan No. 13 harus dijalankan oleh pemerintah",
    ]


def test_a_long_sentence_is_cut_at_a_clause_and_then_at_words() -> None:
    """Without the end of a sentence in reach a comma is taken, and without one the last word that fits."""
    text = "Upah naik, harga naik lebih cepat lagi setiap bulan tanpa henti"
    assert split_thread(text, room(14)) == [
        "Upah naik,",
        "harga naik",
        "lebih cepat",
        "lagi setiap",
        "bulan tanpa",
        "henti",
    ]


def test_a_word_that_is_too_long_is_named() -> None:
    """A link longer than a part is an error that names it, never a cut."""
    with pytest.raises(Unsplittable) as caught:
        split_thread("Baca https://serikat.example/sangat-panjang sekarang", room(20))
    assert caught.value.word == "https://serikat.example/sangat-panjang"


def test_marks_are_counted_in_and_stay_true_past_nine_parts() -> None:
    """Every part carries its number, fits with it, and a tenth part does not upset the others."""
    for words in range(20, 60):
        text = " ".join(f"kata{number:02}" for number in range(words))
        parts = split_thread(text, room(25), marks=True)
        assert [part.rsplit("\n\n", 1)[1] for part in parts] == [
            f"{number}/{len(parts)}" for number in range(1, len(parts) + 1)
        ]
        assert all(graphemes(part) <= 25 for part in parts)


def test_the_first_part_may_have_less_room() -> None:
    """Where pictures leave less room for the first part, the others still use theirs."""
    text = "satu dua tiga empat lima enam"
    assert split_thread(text, lambda part, number: len(part) <= (9 if number == 0 else 30)) == [
        "satu dua",
        "tiga empat lima enam",
    ]


@given(TEXTS, st.integers(min_value=40, max_value=200), st.booleans())
def test_a_thread_says_the_same_as_the_text(text: str, limit: int, marks: bool) -> None:
    """The parts hold every word in order, each fits, and no link, name, hashtag or grapheme is cut."""
    parts = split_thread(text, room(limit), marks=marks)
    assert all(graphemes(part) <= limit and part == part.strip() for part in parts)
    if marks and len(parts) > 1:
        parts = [part.rsplit("\n\n", 1)[0] for part in parts]
    assert squeezed("".join(parts)) == squeezed(text)
    for find in (link_spans, mention_spans, hashtag_spans):
        assert [span.value for part in parts for span in find(part)] == [span.value for span in find(text)]
    assert sum(len(grapheme_ends(squeezed(part))) for part in parts) == len(grapheme_ends(squeezed(text)))
