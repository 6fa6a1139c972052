"""Every problem code with its explanation, as ``check --explain CODE`` shows it."""

from __future__ import annotations

from typing import Final

from campaign_cli.checks.ethics_codes import CODES as ETHICS_CODES
from campaign_cli.checks.safety.codes import CODES as SAFETY_CODES
from campaign_cli.i18n import N_, _
from campaign_cli.models import Severity
from campaign_cli.plan.codes import CODES as PLAN_CODES

_OWN: Final[dict[str, tuple[str, str]]] = {
    "A020": (
        N_("The network fetches media from a public address, and the account has none"),
        N_(
            "Instagram, Threads and TikTok take no pictures as files: they fetch them from the web. “media_host” of "
            "the account says where to put them: the name of a WordPress account, or a folder of a web server, "
            "as {folder: public/media, url: https://serikat.example/media}."
        ),
    ),
    "A022": (
        N_("A token ends before the campaign does"),
        N_(
            "By what this machine has stored, nothing can be sent to the account after that instant. Most logins are "
            "renewed by themselves; this one needs a person: campaign accounts login NAME, on each machine that sends."
        ),
    ),
    "A023": (
        N_("No signed approval can be given"),
        N_(
            "“approvers” under rules in accounts.yaml names the file with the keys of those who may approve, in git's "
            "allowed-signers form, inside the workspace. Without it no signature can be verified, so nothing that "
            "needs an approval is sent."
        ),
    ),
    "L001": (
        N_("The text is too long"),
        N_(
            "Every network counts in its own way: links, emoji and names on other servers may count more or less than "
            "they seem to. Nothing is ever cut. Shorten the text, write a variant for the network, or let "
            "“thread: auto” split it."
        ),
    ),
    "L002": (
        N_("A word or link is longer than a part of a thread may be"),
        N_("Links, names, hashtags and words are never cut, so one that is longer than a part can't be placed."),
    ),
    "L004": (
        N_("Too many pictures"),
        N_("The network shows fewer pictures with one post. Leave some out in a variant."),
    ),
    "L005": (
        N_("The alt text is too long"),
        N_("The network takes a shorter description. Say what matters; a variant may carry its own “alt”."),
    ),
    "L007": (
        N_("The network has no such visibility"),
        N_("Visibilities are the network's own words, such as public, unlisted, private. Put them into a variant."),
    ),
    "L008": (
        N_("The network would refuse the post"),
        N_(
            "Some networks want a certain kind of post, such as exactly one video with a title of at most 100 "
            "characters. What they would refuse when the post is due is refused here."
        ),
    ),
    "L010": (
        N_("A network's quota leaves no room for the post"),
        N_(
            "Some networks let an account send so much in a day or an hour and no more. What would not fit is refused "
            "here, since it would come too late there. Move posts apart, or leave the account out of some of them."
        ),
    ),
    "L901": (
        N_("The server's limits are not known"),
        N_(
            "Each server of this network sets its own limits. Until “campaign accounts check” has read them, the "
            "network's documented ones are used."
        ),
    ),
    "M110": (
        N_("A picture has a shape that the network doesn't take"),
        N_(
            "Some networks take neither very narrow nor very wide pictures. Nothing is cut off by itself: cut it as "
            "you want it to be seen, and name it in a variant."
        ),
    ),
    "M111": (
        N_("Videos can't be sent there"),
        N_(
            "The network takes none, or none from programs like this one. A variant may show a "
            "picture and the link to the video."
        ),
    ),
    "M112": (
        N_("A video is too long"),
        N_("The network takes shorter ones. Shorten it, or leave it out in a variant."),
    ),
    "M113": (
        N_("A video has too many bytes"),
        N_("The network takes smaller files. Videos are never encoded anew: export it smaller."),
    ),
    "M114": (
        N_("A video has a type that the network doesn't take"),
        N_("MP4 with H.264 and AAC is taken everywhere. MOV becomes MP4 by itself where ffmpeg is installed."),
    ),
    "M115": (
        N_("The network takes no post without media"),
        N_("Instagram, TikTok and YouTube show pictures or videos; a text alone is no post there."),
    ),
    "M116": (
        N_("Pictures and videos in one post"),
        N_("The network shows either pictures or a video. Choose in a variant, or write two posts."),
    ),
    "M118": (
        N_("A video may tell where it was made"),
        N_(
            "Phones and cameras write the place, the time and their own name into videos. ffmpeg takes that out; "
            "without it, that is not possible for a track of data between the pictures of a WebM or a film in parts."
        ),
    ),
    "M119": (
        N_("It is not known how long a video lasts"),
        N_("ffprobe, a part of ffmpeg, reads the length of any video. The network may refuse one that is too long."),
    ),
    "M120": (
        N_("A video is coded in a way that not everything plays"),
        N_("Newer iPhones save HEVC (H.265). Export it as MP4 with H.264 and AAC, which plays everywhere."),
    ),
    "M121": (
        N_("A video is broken"),
        N_("It ends too early, is damaged, or holds no moving pictures. Export it again."),
    ),
    "M122": (
        N_("HEIC pictures need an extra"),
        N_('iPhones save HEIC. Install the extra with: pip install "campaign-cli[heic]", or save it as JPEG.'),
    ),
    "M130": (
        N_("A thumbnail or subtitles can't be used"),
        N_("A thumbnail is a picture. Subtitles are .srt or .vtt files in UTF-8 with times, each with its language."),
    ),
    "M101": (N_("A picture can't be read"), N_("The file is missing or its permissions forbid reading it.")),
    "M102": (
        N_("A file is neither a picture nor a video"),
        N_(
            "Its content is none of JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF, MP4, MOV or WebM, whatever its name "
            "says; SVG and PDF are not."
        ),
    ),
    "M103": (N_("A picture is broken"), N_("The file ends too early or is damaged. Export it again.")),
    "M104": (
        N_("A picture has too many pixels"),
        N_("More than 100 million pixels are a mistake or an attack on the memory. Save it smaller."),
    ),
    "M105": (N_("A picture lies outside the workspace"), N_("Only files inside the workspace can be published.")),
    "M106": (N_("A file is too large"), N_("A picture may have 64 MiB, a video 256 MiB. Save it smaller.")),
    "M107": (N_("A picture is animated"), N_("Only still pictures can be sent. Save one image of it as PNG or JPEG.")),
    "M108": (
        N_("A picture can't be made small enough"),
        N_("Even very small it has more bytes than the network takes. Use a simpler picture."),
    ),
    "M109": (N_("A picture changed while it was in use"), N_("Run the command again.")),
    "P201": (
        N_("A template needs a value that nobody gives"),
        N_("Values come from “vars” in the plan and “with” in the post. Check the spelling in {{ … }}."),
    ),
    "P202": (
        N_("A template can't be read"),
        N_("Templates are Jinja: {{ value }}, {% if … %} … {% endif %}, {% for … %} … {% endfor %}, {# remark #}."),
    ),
    "P203": (N_("A template is missing"), N_("Templates lie in templates/posts and end in .j2; name them without it.")),
    "P204": (
        N_("A template does too much"),
        N_("Loops, text and numbers are bounded, so that no template can stop a campaign."),
    ),
    "P205": (
        N_("A template asks for what it may not have"),
        N_("Templates see their values only: no files, no clock, no chance, no inner parts of the program."),
    ),
    "P206": (N_("A template fails"), N_("It was given a value of a kind that it did not expect.")),
    "P207": (N_("A post is empty"), N_("There is neither text nor picture for an account.")),
    "P250": (
        N_("Two posts say the same on one account"),
        N_("Networks punish repeated posts, and “queue” refuses them. “repeat: true” says that it is meant."),
    ),
    "P251": (
        N_("A hashtag is not one"),
        N_("A hashtag is one word of letters, digits and _, with at least one letter; a hyphen or a space ends it."),
    ),
    "P260": (
        N_("A waiver can't be used"),
        N_(
            "“waive” of a post or of the plan takes codes of members' safety (S), of ethics and law (E) and T102, each "
            "with a written reason of at least ten characters: {E003: Quotation from the judgement}. Everything else "
            "would break when it is sent. The reason stands in “check”, in the preview and in the log."
        ),
    ),
    "P261": (
        N_("A waiver has nothing to waive"),
        N_(
            "Nothing of this code was found where the waiver counts. It would keep silent what comes later: delete it, "
            "or write it at the post that it is meant for."
        ),
    ),
    "T101": (
        N_("The time is in the past"),
        N_("“queue” stops at new posts whose time is over; “--skip-past” queues the others."),
    ),
    "T102": (
        N_("The time lies in quiet hours"),
        N_("The workspace's rule quiet_hours warns of it; it does not stop it."),
    ),
    "T103": (
        N_("Days of a recurring post are in the past"),
        N_("They are left out and listed; the days to come are queued."),
    ),
}
# What other commands say with a code of their own.
_ELSEWHERE: Final[dict[str, tuple[str, str]]] = {
    "P091": (
        N_("The account said the same before"),
        N_("A live or recent delivery of this account has the same content. “repeat: true” says that it is meant."),
    ),
    "P092": (
        N_("The plan must name its author"),
        N_("The workspace's rule other_approver says that nobody's plan goes out on the author's approval alone."),
    ),
    "P093": (
        N_("The plan and the ledger differ"),
        N_("What is approved is what the ledger holds. Queue the plan first, so that both say the same."),
    ),
}

CODES: Final[dict[str, tuple[str, str]]] = {**_ELSEWHERE, **PLAN_CODES, **_OWN, **SAFETY_CODES, **ETHICS_CODES}
"""Code → (title, explanation), in English; translated when shown."""

_MILDER: Final[dict[Severity, tuple[str, ...]]] = {
    Severity.WARNING: (
        *("A008", "A022", "A023", "E003", "E006", "E007", "E008", "M118", "M119", "M120"),
        *("P031", "P032", "P250", "P251"),
        *("S009", "S016", "S017", "T101", "T102"),
    ),
    Severity.HINT: ("E001", "E002", "E005", "E009", "L901", "P261", "S013", "S014", "S018", "T103"),
}
_SEVERAL: Final[dict[str, tuple[Severity, ...]]] = {"A008": (Severity.ERROR, Severity.WARNING)}


def severities(code: str) -> tuple[Severity, ...]:
    """How much a problem of this code can matter; the gravest first."""
    milder = next((severity for severity, some in _MILDER.items() if code in some), Severity.ERROR)
    return _SEVERAL.get(code, (milder,))


def explain(code: str) -> str | None:
    """Title and explanation of a code in the chosen language, or None for an unknown one."""
    if code not in CODES:
        return None
    title, text = CODES[code]
    return f"{code}: {_(title)}\n\n{_(text)}"
