"""The words of the pages, by the name that the templates use."""

from __future__ import annotations

from campaign_cli.i18n import _
from campaign_cli.models import State


def page_words() -> dict[str, str]:
    """Every label of the preview page and the timeline page, in the chosen language."""
    return {
        "skip": _("Skip to the content"),
        "preview": _("Campaign preview"),
        "timeline_title": _("Rehearsal timeline"),
        "made": _("Made"),
        "plan_file": _("Plan"),
        "zone": _("Time zone"),
        "day": _("Campaign day"),
        "summary": _("Summary"),
        "problems": _("Problems"),
        "timeline": _("Timeline"),
        "posts": _("Posts as each network shows them"),
        "contents": _("On this page"),
        "no_problems": _("No problems were found."),
        "fix": _("Fix"),
        "show_post": _("Show the post"),
        "filter": _("Show"),
        "all": _("All networks"),
        "due": _("Time"),
        "post": _("Post"),
        "account": _("Account"),
        "accounts": _("Accounts"),
        "network": _("Network"),
        "state": _("State"),
        "sent": _("Sent"),
        "permalink": _("Permalink"),
        "part": _("Part"),
        "of": _("of"),
        "alt": _("Alt text"),
        "no_alt": _("none (decorative)"),
        "alt_not_sent": _("Telegram passes no alt text on; the text has to speak for the picture."),
        "link_card": _("Link card; the network adds its title and picture"),
        "no_draft": _("There is nothing to show: it could not be made."),
        "excerpt": _("Excerpt"),
        "categories": _("Categories"),
        "tags": _("Tags"),
        "slug": _("Slug"),
        "for_account": _("For this account"),
        "over": _("too long"),
        "footer": _("A simple drawing of each network; text, counts and pictures are the ones that are sent."),
        "table_caption": _("Every post of this rehearsal, in the order of its instants"),
        "empty": _("There are no posts."),
    }


def state_words() -> dict[State, str]:
    """The states of a delivery for people."""
    return {
        State.WAITING: _("waiting"),
        State.SENDING: _("sending"),
        State.PUBLISHED: _("published"),
        State.FAILED: _("failed"),
        State.UNCERTAIN: _("uncertain"),
        State.CANCELLED: _("cancelled"),
        State.MISSED: _("missed"),
    }
