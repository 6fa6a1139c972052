"""The preview page and the rehearsal's timeline page."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

from report_helpers import (
    DOT,
    DUE,
    JAKARTA,
    JAYAPURA,
    MADE_AT,
    PICTURE,
    account,
    entry,
    picture_content,
    preview,
    problem,
    published,
)

from campaign_cli.i18n import use_language
from campaign_cli.models import Severity, State
from campaign_cli.report.page import preview_page
from campaign_cli.report.timeline import timeline_page
from campaign_cli.report.view import Preview

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Outline(HTMLParser):
    """What a page holds: tags with attributes, ids, headings, and whether every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.balanced = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.balanced &= bool(self.open) and self.open.pop() == tag

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _tag, attributes in self.tags if "id" in attributes]

    def levels(self) -> list[int]:
        return [int(tag[1]) for tag, _attributes in self.tags if re.fullmatch("h[1-6]", tag)]


def outline(page: str) -> Outline:
    """The page, parsed."""
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    return parsed


def page_of(shown: Preview, **more: str) -> str:
    """The preview page with the one picture."""
    return preview_page(shown, picture=picture_content, made_at=MADE_AT, **more)


def full() -> Preview:
    """One post on four networks, one with a problem."""
    text = "Upah layak adalah hak. #UpahLayak https://fspc.example.org/upah"
    finding = problem()
    return preview(
        replace(entry(account("mastodon"), text, media=(PICTURE,), cw="Angka"), problems=(finding,)),
        entry(account("bluesky"), text),
        entry(account("telegram", timezone=JAYAPURA), "**Upah** layak", media=(PICTURE,)),
        entry(
            account("wordpress", "web"),
            "## Tuntutan\n\nSatu\n\n<script>alert(1)</script>\n\n![x](https://lacak.example.org/x.png)",
            media=(PICTURE,),
            link="https://fspc.example.org/upah?utm_source=web",
            title="Siaran pers",
            categories=["Rilis"],
        ),
        problems=(finding,),
    )


def test_page_is_well_formed_and_ids_are_unique() -> None:
    """Every tag is closed in order, and no id stands twice."""
    parsed = outline(page_of(full()))
    assert parsed.balanced
    assert parsed.open == []
    assert len(parsed.ids()) == len(set(parsed.ids()))


def test_page_asks_nobody_for_anything() -> None:
    """No script, no style or picture from elsewhere; the policy allows the page's own style by its hash alone."""
    page = page_of(full())
    parsed = outline(page)
    assert not [tag for tag, _attributes in parsed.tags if tag in {"script", "iframe", "img", "link", "object", "form"}]
    assert not [attributes for _tag, attributes in parsed.tags if "style" in attributes or "onclick" in attributes]
    sources = [attributes.get("href") or "" for tag, attributes in parsed.tags if tag == "image"]
    assert sources == [f"data:image/png;base64,{base64.b64encode(DOT).decode()}"]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    policy = next(a["content"] or "" for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_text_of_plans_is_never_markup() -> None:
    """Tags in titles, texts, alt texts, problems and Markdown are shown as they are written."""
    hostile = '<script>alert(1)</script><img src=x onerror=alert(2)>"><svg onload=alert(3)>'
    where = account("telegram", channel="@fspc_contoh")
    shown = preview(
        entry(account("mastodon"), hostile, media=(replace(PICTURE, alt=hostile, name=hostile),), cw=hostile),
        entry(where, hostile, post=hostile, error=hostile),
        entry(account("wordpress"), hostile, title=hostile, excerpt=hostile, link=f"https://x.example.org/{hostile}"),
        problems=(problem(hostile),),
        title=hostile,
        file=hostile,
    )
    parsed = outline(page_of(shown, banner=hostile))
    assert parsed.balanced
    assert not [tag for tag, _attributes in parsed.tags if tag in {"script", "img"}]
    assert not [attributes for _tag, attributes in parsed.tags if "onload" in attributes or "onerror" in attributes]


def test_links_that_run_code_are_not_followed() -> None:
    """Neither a draft's link nor a link in Markdown can be javascript:."""
    bad = "javascript:alert(1)"
    page = page_of(preview(entry(account("wordpress"), f"[klik]({bad})", title="Judul", link=bad)))
    hrefs = [attributes.get("href") or "" for tag, attributes in outline(page).tags if tag == "a"]
    assert not [href for href in hrefs if href.startswith("javascript")]


def test_bidi_and_control_signs_are_shown() -> None:
    """A sign that would turn text around, or an escape sequence, is written out."""
    page = page_of(preview(entry(account("mastodon"), "aman \u202egnp.exe \x1b[31m \u200bnol")))
    for sign in ("\u202e", "\x1b", "\u200b"):
        assert sign not in page
    assert '<mark class="sign">‹U+202E›</mark>' in page
    assert "‹U+001B›" in page


def test_page_can_be_read_without_eyes_or_mouse() -> None:
    """Language, title, skip link, landmarks, headings without gaps, names on pictures, and the text's own language."""
    page = page_of(full())
    parsed = outline(page)
    tags = [tag for tag, _attributes in parsed.tags]
    assert ("html", {"lang": "en"}) in parsed.tags
    assert {"header", "nav", "main", "footer", "title"} <= set(tags)
    assert next(attributes for tag, attributes in parsed.tags if tag == "a")["href"] == "#content"
    levels = parsed.levels()
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    drawn = [attributes for tag, attributes in parsed.tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(drawn) == 3
    assert all(attributes["aria-label"] == PICTURE.alt for attributes in drawn)
    assert '<div class="mock status" lang="id">' in page
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page


def test_every_link_within_the_page_leads_somewhere() -> None:
    """Fragments of links, pictures and labels exist."""
    parsed = outline(page_of(full()))
    ids = set(parsed.ids())
    wanted = [a.get("href") or "" for _tag, a in parsed.tags if (a.get("href") or "").startswith("#")]
    wanted += ["#" + (a["aria-labelledby"] or "") for _tag, a in parsed.tags if "aria-labelledby" in a]
    assert wanted
    assert {target[1:] for target in wanted} <= ids


def test_each_network_shows_its_own() -> None:
    """Telegram's marks become bold, WordPress's Markdown becomes HTML, Mastodon folds below its warning."""
    page = page_of(full())
    assert '<span class="bold">Upah</span>' in page
    assert "**Upah**" not in page
    assert "<h5>Tuntutan</h5>" in page
    assert '<p class="title">Siaran pers</p>' in page
    assert "<summary>Angka</summary>" in page
    assert (
        '<a href="https://fspc.example.org/upah?utm_source=web" rel="noopener noreferrer">fspc.example.org/upah</a>'
        in page
    )
    assert '<a class="linkcard" href="https://fspc.example.org/upah"' in page
    assert "Telegram passes no alt text on" in page


def test_counts_alt_texts_and_sizes_are_visible() -> None:
    """What is used of what is allowed, and the alt text beside each picture."""
    page = page_of(full())
    assert "of 500 characters" in page
    assert "of 300 visible characters" in page
    assert "of 1024 UTF-16 units" in page
    assert page.count("Poster &#34;Upah Layak&#34; &lt;merah&gt;</p>") == 3


def test_too_long_text_is_marked() -> None:
    """A count over its limit says so in words."""
    assert "501 of 500 characters (too long)" in page_of(preview(entry(account("mastodon"), "a" * 501)))


def test_problems_name_line_and_fix_and_lead_to_the_post() -> None:
    """Beside the post and in the list, with file:line:column."""
    page = page_of(full())
    assert "campaigns/upah.yaml:12:5" in page
    assert "Shorten it." in page
    assert '<a href="#p-upah-layak-pembuka-mastodon">Show the post</a>' in page
    assert page.count("The text is too long.") == 2


def test_days_are_the_plans_and_other_zones_stand_beside() -> None:
    """Days of the plan's zone with weekday and D-n; the account's own time, and another day there, are said."""
    late = DUE + timedelta(hours=14)  # 22:00 in Jakarta, midnight in Jayapura
    where = account("telegram", timezone=JAYAPURA)
    page = page_of(preview(entry(where, "Malam"), entry(where, "Larut", post="larut", due=late)))
    assert page.count('class="day"') == 1
    assert "Thursday, 3 December 2026" in page
    assert '<span class="anchor-day">D-7</span>' in page
    assert "For this account: Thu, 3 Dec 2026 10:00 WIT" in page
    assert "For this account: Fri, 4 Dec 2026 00:00 WIT (the next day there)" in page


def test_a_plan_without_posts_still_makes_a_page() -> None:
    """A plan that can't be used shows its problems."""
    page = page_of(preview(problems=(problem("Tab in indentation."),), title="", campaign="", day=None))
    assert "Tab in indentation." in page
    assert "There are no posts." in page


def test_a_post_that_could_not_be_made_says_so() -> None:
    """An entry without draft stays in the page."""
    page = page_of(preview(entry(account("mastodon"))))
    assert "There is nothing to show: it could not be made." in page


def test_a_picture_is_stored_once_and_a_lost_one_is_named() -> None:
    """However often a picture is shown, its bytes stand once; without bytes its name stands there."""
    several = [entry(account("mastodon"), "Satu", media=(PICTURE,), post=f"p{number}") for number in range(5)]
    page = page_of(preview(*several))
    assert page.count("data:image/png;base64") == 1
    assert page.count("<use href=") == 5

    def lost(sha256: str) -> bytes:
        raise KeyError(sha256)

    gone = preview_page(preview(several[0]), picture=lost, made_at=MADE_AT)
    assert '<p class="missing">poster.png</p>' in gone


def test_banner_stands_on_top() -> None:
    """Where plan and ledger differ, the page says so before anything else."""
    page = page_of(full(), banner="The plan and the ledger differ.")
    assert page.index("The plan and the ledger differ.") < page.index('id="content"')


def test_page_speaks_the_chosen_language() -> None:
    """lang and dates follow the language in use."""
    use_language("id")
    page = page_of(full())
    assert '<html lang="id">' in page
    assert "Kamis, 3 Desember 2026" in page
    assert "08.00 WIB" in page


def test_timeline_page_lists_every_post_with_state_and_permalink() -> None:
    """In the order in which they went out, the permalink as text, the content below."""
    sent = published()
    later = {**sent, "sent_at": DUE + timedelta(minutes=5)}
    entries = [
        entry(account("mastodon"), "Kedua", post="kedua", **later),
        entry(account("bluesky"), "Pertama", post="pertama", **sent),
        entry(account("telegram"), "Ketiga", post="ketiga", due=DUE + timedelta(hours=1), state=State.UNCERTAIN),
        entry(
            account("wordpress"),
            "Keempat",
            post="keempat",
            due=DUE + timedelta(hours=2),
            state=State.FAILED,
            error="403: no",
        ),
    ]
    page = timeline_page(
        entries, title="Gladi", zone=JAKARTA, picture=picture_content, made_at=MADE_AT, note="On a compressed clock."
    )
    parsed = outline(page)
    rows = re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)
    assert parsed.balanced
    assert rows == ["pertama", "kedua", "ketiga", "keempat"]
    assert "Thu, 3 Dec 2026 08:05:00 WIB" in page
    assert "<span>https://mastodon.example.org/@fspc/1</span>" in page
    assert '<span class="state uncertain">uncertain</span>' in page
    assert "403: no" in page
    assert "On a compressed clock." in page
    assert "<b>2</b> published" in page
    assert "Kedua" in page


def test_warnings_are_counted_apart_from_errors() -> None:
    """The summary names both numbers."""
    page = page_of(preview(problems=(problem(), problem("Past.", severity=Severity.WARNING))))
    assert "<b>1</b> error" in page
    assert "<b>1</b> warning" in page
