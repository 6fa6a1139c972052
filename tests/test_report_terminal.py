"""The preview in the terminal, and the requests as text and data."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import timedelta

from report_helpers import DUE, JAYAPURA, PICTURE, account, draft, entry, picture_content, preview, problem, published
from rich.console import Console, RenderableType

from campaign_cli.i18n import use_language
from campaign_cli.models import Account, Draft, Severity
from campaign_cli.report.requests import ShownRequest, requests_of
from campaign_cli.report.terminal import preview_panels, request_lines
from campaign_cli.report.view import Preview


def shown(*renderables: RenderableType, width: int = 80) -> str:
    """What a terminal without colour gets."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, no_color=True, highlight=False, force_terminal=False)
    for renderable in renderables:
        console.print(renderable)
    return stream.getvalue()


def panels(what: Preview) -> str:
    """The whole preview as text."""
    return shown(*preview_panels(what))


def requests(where: Account, made: Draft) -> tuple[ShownRequest, ...]:
    """The requests of a draft that is due at ``DUE``."""
    key = f"upah-layak/pembuka/{where.name}"
    return asyncio.run(requests_of(made, account=where, key=key, due=DUE, content=picture_content))


def test_panel_names_everything_within_80_columns() -> None:
    """Account, network, instants, text, counter, picture, alt text, native fields and link, in 80 columns."""
    text = panels(
        preview(
            entry(account("mastodon", "nasional"), "Upah layak adalah hak.", media=(PICTURE,), cw="Angka"),
            entry(
                account("wordpress", "web"),
                "Isi",
                title="Siaran pers",
                tags=["upah", "aksi"],
                link="https://fspc.example.org/u",
            ),
        )
    )
    for words in (
        "pembuka → nasional (Mastodon)",
        "Thu, 3 Dec 2026 08:00 WIB",
        "D-7",
        "Upah layak adalah hak.",
        "22 of 500 characters",
        "poster.png (1200×675, 70 B)",
        'Alt text: Poster "Upah Layak" <merah>',
        "Content warning: Angka",
        "Visibility: public",
        "Title: Siaran pers",
        "Tags: upah, aksi",
        "Link: https://fspc.example.org/u",
        "1 post · 2 accounts · 2 deliveries",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 80


def test_another_day_for_the_account_is_said() -> None:
    """22:00 in Jakarta is midnight of the next day in Jayapura."""
    where = account("telegram", timezone=JAYAPURA)
    text = panels(preview(entry(where, "Malam", due=DUE + timedelta(hours=14))))
    assert "Thu, 3 Dec 2026 22:00 WIB" in text
    assert "Fri, 4 Dec 2026 00:00 WIT (the next day there)" in text


def test_plans_can_not_steer_the_terminal() -> None:
    """Rich's markup, escape sequences and bidi signs in a plan come out as text."""
    hostile = "[red]merah[/red] [link=https://x]y[/link] \x1b]0;judul\x07 \u202eterbalik \r"
    finding = problem(hostile)
    text = panels(
        preview(
            entry(account("telegram"), hostile, post="[b]id[/b]", problems=(finding,), error=hostile),
            entry(account("mastodon"), hostile, cw=hostile),
            problems=(finding, problem(hostile, path="title")),
            title=hostile,
        )
    )
    assert "[red]merah[/red]" in text
    assert "[b]id[/b]" in text
    assert "‹U+001B›" in text
    assert "‹U+202E›" in text
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\r"}


def test_emoji_stay_whole() -> None:
    """Joiners and variation selectors belong to emoji and are not taken for hidden signs."""
    assert "👩🏽‍🏭" in panels(preview(entry(account("mastodon"), "Kawan 👩🏽‍🏭")))


def test_thread_shows_each_part_with_its_count() -> None:
    """Part n of m above each part, the count below."""
    text = panels(preview(entry(account("bluesky"), "Satu", "Dua dua")))
    assert "Part 1 of 2" in text
    assert "4 of 300 visible characters · 4 of 3000 bytes" in text
    assert "7 of 300 visible characters" in text


def test_too_long_text_is_marked_without_colour() -> None:
    """The words say what the colour says."""
    assert "501 of 500 characters (too long)" in panels(preview(entry(account("mastodon"), "a" * 501)))


def test_problems_stand_beside_their_post_and_the_rest_apart() -> None:
    """With severity, code, place and fix."""
    beside, apart = problem(), problem("The title is missing.", severity=Severity.WARNING, path="title")
    text = panels(preview(entry(account("mastodon"), "Teks", problems=(beside,)), problems=(beside, apart)))
    assert text.count("error L101: The text is too long.") == 1
    assert "campaigns/upah.yaml:12:5" in text
    assert "→ Shorten it." in text
    assert "The plan as a whole" in text
    assert "warning L101: The title is missing." in text
    assert "1 error · 1 warning" in text


def test_a_post_that_could_not_be_made_says_so() -> None:
    """The panel is there without a draft."""
    assert "There is nothing to show" in panels(preview(entry(account("mastodon"))))


def test_what_the_ledger_holds_carries_state_and_permalink() -> None:
    """A queued preview says where it comes from."""
    text = panels(preview(entry(account("mastodon"), "Teks", **published()), queued=True))
    assert "as the ledger holds it" in text
    assert "[published]" in text
    assert "https://mastodon.example.org/@fspc/1" in text
    use_language("id")
    assert "[terbit]" in panels(preview(entry(account("mastodon"), "Teks", **published()), queued=True))


def test_telegram_text_is_shown_as_it_is_sent() -> None:
    """Marks are entities, not signs of the text."""
    text = panels(preview(entry(account("telegram"), "**Upah** layak")))
    assert "Upah layak" in text
    assert "*" not in text


def test_numbers_follow_the_language() -> None:
    """Indonesian writes 41,2 kB and 08.00."""
    use_language("id")
    big = PICTURE.__class__(sha256="0" * 64, name="a.jpg", mime="image/jpeg", size=41_230, width=10, height=10, alt="A")
    text = panels(preview(entry(account("mastodon"), "Teks", media=(big,))))
    assert "41,2 kB" in text
    assert "Kam, 3 Des 2026 08.00 WIB" in text


def test_requests_carry_placeholders_instead_of_secrets_and_bytes() -> None:
    """Mastodon: the upload by name, type and size, then the status with the media's placeholder."""
    where = account("mastodon")
    upload, status = requests(where, draft(where, "Teks", media=(PICTURE,)))
    assert upload.url == "https://mastodon.example.org/api/v2/media"
    assert upload.body["file"] == "‹poster.png, image/png, 70 B›"
    assert upload.body["description"] == PICTURE.alt
    assert not upload.creating
    assert status.creating
    assert status.headers["Authorization"] == "Bearer ‹env:MASTODON_TOKEN›"
    assert status.headers["Idempotency-Key"]
    assert "Teks" in status.body_text
    json.dumps([upload.data(), status.data()])


def test_telegram_token_in_the_address_is_a_placeholder() -> None:
    """The token is part of Telegram's addresses."""
    where = account("telegram")
    (request,) = requests(where, draft(where, "**Teks**"))
    assert request.url == "https://api.telegram.org/bot‹env:TELEGRAM_TOKEN›/sendMessage"
    assert request.body["entities"] == [{"type": "bold", "offset": 0, "length": 4}]


def test_basic_authentication_is_written_out() -> None:
    """WordPress: base64 would hide that there is only a placeholder; uploads of raw bytes are named too."""
    where = account("wordpress")
    made = requests(where, draft(where, "Teks", media=(PICTURE,), title="Judul"))
    headers = [request.headers.get("Authorization") for request in made]
    assert "Basic base64(redaksi:‹env:WORDPRESS_PASSWORD›)" in headers
    assert any("‹poster.png, image/png, 70 B›" in request.body_text for request in made if request.body)
    assert made[-1].creating


def test_each_part_of_a_thread_has_its_requests() -> None:
    """Bluesky: one login, then one record for each part, the second replying to the first."""
    where = account("bluesky")
    made = [request for request in requests(where, draft(where, "Satu", "Dua")) if request.creating]
    assert [request.part for request in made] == [0, 1]
    assert "reply" in made[1].body["record"]


def test_requests_are_the_same_each_time() -> None:
    """No clock and no chance: two previews show the same requests."""
    where = account("bluesky")
    made = draft(where, "Satu", media=(PICTURE,))
    assert requests(where, made) == requests(where, made)


def test_request_lines_are_plain_text() -> None:
    """Method, address, headers and body, with nothing that the terminal would obey."""
    where = account("telegram")
    text = shown(*request_lines(requests(where, draft(where, "[red]x[/red]\u202e"))))
    assert "POST https://api.telegram.org/bot‹env:TELEGRAM_TOKEN›/sendMessage" in text
    assert "From here on the post may be public." in text
    assert "[red]x[/red]‹U+202E›" in text
