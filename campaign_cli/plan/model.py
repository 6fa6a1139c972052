"""The plan as the officer writes it: the one description that reading, the JSON Schema and editors share.

Only kinds of values are judged here (text, number, list, known keys); what they mean together is judged in
``meaning.py``, so that one wrong value hides no other.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    WithJsonSchema,
)

from campaign_cli.i18n import _
from campaign_cli.source.shapes import branch, finding

NATIVE_FIELDS: Final = (
    "title",
    "slug",
    "categories",
    "tags",
    "excerpt",
    "cw",
    "sensitive",
    "description",
    "first_comment",
    "silent",
    "link_preview",
    "self_labels",
    "whatsapp_template",
    "whatsapp_language",
    "whatsapp_parameters",
    "ai_generated",
    "promotes",
    "thumbnail",
    "captions",
)
"""Keys of a variant that belong to some networks only; each adapter lists its own in ``fields``."""

_DATE = r"\d{4}-\d{2}-\d{2}"
_ANCHOR = r"([Hh]ari )?[HhDd]([+-]\d{1,4})?"
_MOMENT = rf"^(({_DATE}|{_ANCHOR})[ T][^ ]+|{_DATE}[T ]\d{{2}}[:.]\d{{2}}([:.]\d{{2}})? ?(Z|[+-]\d{{2}}:?\d{{2}}))$"
_DAY = rf"^({_DATE}|{_ANCHOR})"


class Strict(BaseModel):
    """No unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


def _text_or_keys(value: object) -> str:
    return branch("keys" if isinstance(value, dict) else "text")


def _auto_or_list(value: object) -> str:
    return branch("list" if isinstance(value, list | tuple) else "auto")


def _thread(value: object) -> object:
    if value is None or value == "auto" or isinstance(value, list | tuple):
        return value
    fix = _("Write auto to split a text that is too long, or the list of the parts.")
    raise finding("P023", _('"thread" is neither auto nor a list.'), fix)


def _switch_or_keys(value: object) -> str:
    return branch("keys" if isinstance(value, dict) else "switch")


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _without_signs(value: object) -> object:
    """``#UpahLayak`` and ``UpahLayak`` are the same."""
    if isinstance(value, list):
        return [item.removeprefix("#") if isinstance(item, str) else item for item in value]
    return value


Words = tuple[str, ...]
Waivers = dict[str, str]
"""Problem code → why it does not count."""
Hashtags = Annotated[Words, BeforeValidator(_without_signs)]


class Slot(Strict):
    """A named time of accounts.yaml, on a day of the campaign."""

    slot: Annotated[str, Field(description="A slot of accounts.yaml, such as pagi.")] = ""
    day: Annotated[
        str | None,
        Field(
            description="H-7, H, H+1 or a date; without it, the campaign's day.", json_schema_extra={"pattern": _DAY}
        ),
    ] = None


Moment = Annotated[
    Annotated[str, Tag(branch("text")), Field(json_schema_extra={"pattern": _MOMENT})]
    | Annotated[Slot, Tag(branch("keys"))],
    Discriminator(_text_or_keys),
]
Thread = Annotated[
    Annotated[Literal["auto"], Tag(branch("auto"))] | Annotated[Words, Tag(branch("list"))],
    Discriminator(_auto_or_list),
    BeforeValidator(_thread),
]
Utm = Annotated[
    Annotated[StrictBool, Tag(branch("switch"))] | Annotated[dict[str, str], Tag(branch("keys"))],
    Discriminator(_switch_or_keys),
]

Consent = Annotated[StrictBool | None, Field(description="Whether the people who can be recognised have agreed.")]
Origin = Annotated[
    Literal["own", "other", "ai"] | None,
    Field(description="own: made by us; other: somebody else's, who is named in credit; ai: made by a machine."),
]
Credit = Annotated[str | None, Field(description="Who made it, where that is somebody else.")]


class Media(Strict):
    """One picture or video of a post."""

    file: Annotated[str, Field(description="Path of the picture or video, from the workspace's folder.")] = ""
    alt: Annotated[
        str,
        Field(
            description="What the picture or video shows, for those who can't see it.",
            json_schema_extra={"minLength": 1},
        ),
    ] = ""
    consent: Consent = None
    origin: Origin = None
    credit: Credit = None


class Cover(Strict):
    """The picture that is shown before a video plays, with what is to be said of it."""

    file: Annotated[str, Field(description="Path of the picture, from the workspace's folder.")] = ""
    consent: Consent = None
    origin: Origin = None
    credit: Credit = None


Thumbnail = Annotated[
    Annotated[str, Tag(branch("text"))] | Annotated[Cover, Tag(branch("keys"))], Discriminator(_text_or_keys)
]


class Variant(Strict):
    """What a post says on one platform, account or language, where that differs."""

    text: Annotated[str | None, Field(description="The text here.")] = None
    template: Annotated[str | None, Field(description="A template of templates/posts.")] = None
    with_: Annotated[dict[str, Any] | None, Field(alias="with", description="Values for the template.")] = None
    media: Annotated[tuple[Media, ...] | None, Field(description="The pictures and videos here; [] for none.")] = None
    alt: Annotated[
        Words | None,
        BeforeValidator(_one_or_list),
        Field(description="Other alt text for the post's pictures and videos, in their order."),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = None
    link: Annotated[str | None, Field(description="The link here.")] = None
    thread: Annotated[Thread | None, Field(description="auto, or the parts of the thread.")] = None
    hashtags: Annotated[Hashtags | None, Field(description="The hashtags here; [] for none.")] = None
    visibility: Annotated[str | None, Field(description="Who may see it; the network's own word.")] = None
    language: Annotated[str | None, Field(description="The language of this text.")] = None
    title: Annotated[str | None, Field(description="Title (WordPress, NationBuilder, YouTube, LinkedIn).")] = None
    slug: Annotated[
        str | None, Field(description="The last part of the page's address (WordPress, NationBuilder).")
    ] = None
    categories: Annotated[Words | None, Field(description="Categories by name (WordPress).")] = None
    tags: Annotated[Words | None, Field(description="The network's own tags (WordPress, NationBuilder, YouTube).")] = (
        None
    )
    excerpt: Annotated[str | None, Field(description="Summary (WordPress, NationBuilder).")] = None
    cw: Annotated[str | None, Field(description="Content warning above the folded text (Mastodon).")] = None
    sensitive: Annotated[StrictBool | None, Field(description="Hide the pictures until a click (Mastodon).")] = None
    description: Annotated[str | None, Field(description="Description (YouTube, TikTok).")] = None
    first_comment: Annotated[str | None, Field(description="The first comment below (Instagram, Facebook).")] = None
    silent: Annotated[
        StrictBool | None, Field(description="Without a sound on the readers' phones (Telegram, Discord).")
    ] = None
    self_labels: Annotated[Words | None, Field(description="Warnings such as graphic-media (Bluesky).")] = None
    link_preview: Annotated[
        StrictBool | None, Field(description="Show a card of the link (Telegram, Discord, Slack).")
    ] = None
    whatsapp_template: Annotated[
        str | None, Field(description="The approved template to send, where it is not the account's (WhatsApp).")
    ] = None
    whatsapp_language: Annotated[
        str | None, Field(description="The template's language code, such as id or en_US (WhatsApp).")
    ] = None
    whatsapp_parameters: Annotated[
        Words | None,
        Field(description="What fills the template's places, in order: title, text, link, name (WhatsApp)."),
    ] = None
    ai_generated: Annotated[
        StrictBool | None, Field(description="Label it as made by artificial intelligence (TikTok, X, YouTube).")
    ] = None
    promotes: Annotated[
        Literal["own", "paid", "none"] | None,
        Field(description="Label it as advertising: own (TikTok), paid for by somebody else (TikTok, X, YouTube)."),
    ] = None
    thumbnail: Annotated[
        Thumbnail | None,
        Field(description="A picture, or {file, consent, origin, credit}, shown before the video plays (YouTube)."),
    ] = None
    captions: Annotated[
        dict[str, str] | None,
        Field(description="Files with subtitles (.srt, .vtt) by language, such as {id: media/x.srt} (YouTube)."),
    ] = None


class Post(Strict):
    """One intended message of a plan."""

    id: Annotated[
        str,
        Field(
            description="Name of the post, unique in the plan; it stays when the text changes.",
            json_schema_extra={"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
        ),
    ] = ""
    at: Annotated[
        Moment | None,
        Field(description="H-7 08:00, 2026-12-03 08:00, 2026-12-03T08:00:30+07:00, H-7 pagi or {slot: pagi}."),
    ] = None
    zone: Annotated[
        str | None, Field(description="account: each account's own zone; or a zone. Default: the plan's.")
    ] = None
    every: Annotated[str | None, Field(description="Days and times: mon,wed 19:30 or daily 07:30,17:00.")] = None
    rrule: Annotated[str | None, Field(description="A rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO;COUNT=6.")] = None
    from_: Annotated[
        str | None,
        Field(
            alias="from",
            description="First day of a recurring post: H-7 or a date.",
            json_schema_extra={"pattern": _DAY},
        ),
    ] = None
    until: Annotated[
        str | None,
        Field(description="Last day of a recurring post: H-1 or a date.", json_schema_extra={"pattern": _DAY}),
    ] = None
    text: Annotated[str | None, Field(description="What it says.")] = None
    template: Annotated[str | None, Field(description="A template of templates/posts, without .j2.")] = None
    with_: Annotated[dict[str, Any], Field(alias="with", description="Values for the template.")] = {}
    media: Annotated[tuple[Media, ...], Field(description="Pictures and videos, in their order.")] = ()
    link: Annotated[str | None, Field(description="The link of this post instead of the plan's.")] = None
    variants: Annotated[
        dict[str, Variant], Field(description="Differences by account, platform or language (in this order).")
    ] = {}
    thread: Annotated[Thread | None, Field(description="auto: split what is too long; or the parts.")] = None
    thread_marks: Annotated[StrictBool, Field(description="Mark the parts of a thread 1/3, 2/3, 3/3.")] = False
    hashtags: Annotated[Hashtags | None, Field(description="Instead of the plan's hashtags; [] for none.")] = None
    sources: Annotated[Words, Field(description="Where the facts come from.")] = ()
    audience: Annotated[Words | None, Field(description="A part of the plan's audience.")] = None
    theme: Annotated[str | None, Field(description="What it is about.")] = None
    frame: Annotated[str | None, Field(description="How it is told.")] = None
    labels: Annotated[Words, Field(description="Own words, for holds, filters and reports.")] = ()
    accounts: Annotated[Words | None, Field(description="Accounts or groups instead of the plan's.")] = None
    language: Annotated[str | None, Field(description="Language of this post's text.")] = None
    visibility: Annotated[str | None, Field(description="Who may see it; the network's own word.")] = None
    repeat: Annotated[StrictBool, Field(description="May say the same as another recent post.")] = False
    utm: Annotated[Utm | None, Field(description="Tag links for the report, or not, or how.")] = None
    embargo_until: Annotated[
        Moment | None, Field(description="Nothing sends it before this instant, whatever else is said.")
    ] = None
    paid: Annotated[StrictBool, Field(description="Somebody paid for it: it must say so.")] = False
    waive: Annotated[
        Waivers, Field(description="Rules that do not count here, each with its reason: {S004: why}.")
    ] = {}


class Plan(Strict):
    """One campaign file."""

    campaign: Annotated[
        str,
        Field(
            description="Name of the campaign, unique in the workspace.",
            json_schema_extra={"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
        ),
    ] = ""
    title: Annotated[str | None, Field(description="Title for people.")] = None
    timezone: Annotated[str, Field(description="WIB, WITA, WIT or an IANA name such as Asia/Tokyo.")] = ""
    day: Annotated[
        str | None,
        Field(
            description="Hari H, from which H-7 and H+1 count.", json_schema_extra={"pattern": r"^\d{4}-\d{2}-\d{2}$"}
        ),
    ] = None
    language: Annotated[str | None, Field(description="Language of the texts: id, en …")] = None
    audience: Annotated[Words, Field(description="Who is meant: anggota, publik …")] = ()
    accounts: Annotated[Words, Field(description="Accounts or groups of accounts.yaml.")] = ()
    link: Annotated[str | None, Field(description="The link that posts carry.")] = None
    utm: Annotated[Utm, Field(description="Tag links per account for the report; or the tags themselves.")] = False
    hashtags: Annotated[Hashtags, Field(description="Hashtags of every post, with or without #.")] = ()
    vars: Annotated[dict[str, Any], Field(description="Values for {{ name }} in every text.")] = {}
    approval: Annotated[StrictInt, Field(ge=0, le=20, description="Signatures that are needed.")] = 0
    labels: Annotated[Words, Field(description="Own words on every post.")] = ()
    visibility: Annotated[str | None, Field(description="Who may see the posts; the network's own word.")] = None
    sources: Annotated[Words, Field(description="Where the facts come from.")] = ()
    author: Annotated[str | None, Field(description="Who wrote the plan; as in the approvers file.")] = None
    embargo_until: Annotated[
        Moment | None, Field(description="Nothing of the plan goes out before this instant, whatever else is said.")
    ] = None
    internal: Annotated[
        Words, Field(description="Words that stay inside, such as meeting points; a check looks for them in the posts.")
    ] = ()
    waive: Annotated[Waivers, Field(description="Rules that do not count in this plan, each with its reason.")] = {}
    posts: Annotated[tuple[Post, ...], Field(description="The messages, in their order.")] = ()
