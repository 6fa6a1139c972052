"""Whatever a text holds: nothing is raised, and no message repeats what was found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from campaign_cli.checks.safety.names import Names
from campaign_cli.checks.safety.public import PublicContacts
from campaign_cli.checks.safety.scanning import over_parts, personal_data
from campaign_cli.checks.safety.words import apart, normal

PIECES = (
    *(
        "NIK ",
        "KK ",
        "NPWP ",
        "BPJS ",
        "KTA ",
        "rek. BCA ",
        "WA ",
        "Rp ",
        "Jl. Melati No. ",
        "RT ",
        "/RW ",
        "B ",
        " XYZ",
        "jam ",
    ),
    *(
        "3201994101900001",
        "0812-0000-1234",
        "+62",
        "(021) ",
        "00.000.123.4-567.000",
        "0000012345678",
        "12",
        "2026",
        "08.00",
    ),
    *(
        "ani@surel.example",
        " (at) ",
        "https://wa.me/",
        "?q=",
        "%",
        "[",
        "tel:",
        "mailto:",
        "https://a.example/hubungi/",
        ", ",
        "#",
        "<b>",
        "</h1>",
        "0812",
        "0000",
        "3201, 9941",
        "\n",
        " ",
        ".",
        "-",
        "\u200b",
        "０８",
        "é",
    ),
)
TEXTS = st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_any_text_can_be_read(text: str) -> None:
    """Findings stand in the text or in a link of it, and their masks show four signs at most."""
    links = [link.written for link in apart(normal(text))[1]]
    for finding in personal_data(text):
        assert finding.written in links if finding.written else finding.datum in normal(text)
        head, _dots, tail = finding.masked.partition("…")
        assert len(head + tail) <= 4
        assert finding.datum not in finding.masked


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_what_is_public_is_found_by_its_own_writing(text: str, name: str) -> None:
    """Each finding is public once it is written under the contacts; names are found in the text that is their own."""
    public = PublicContacts([finding.datum for finding in personal_data(text)])
    assert all(public.hold(finding) for finding in personal_data(text))
    names = Names([(name, "a")])
    assert bool(names.find(name)) is bool(names)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=4))
def test_any_parts_can_be_read_together(parts: list[str]) -> None:
    """What they hold together, none of them holds alone."""
    whole = [normal(part) for part in parts]
    for finding in over_parts(parts):
        assert not any(finding.datum in text for text in whole)
        assert PublicContacts([finding.datum]).hold(finding)
