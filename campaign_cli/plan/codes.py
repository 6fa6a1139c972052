"""The codes of plans, times, accounts and picture files: code → (title, explanation), marked for translation."""

from __future__ import annotations

from typing import Final

from campaign_cli.i18n import N_

CODES: Final[dict[str, tuple[str, str]]] = {
    "P001": (
        N_("The file can't be read"),
        N_("The file is missing, is a folder, or its permissions forbid reading it. Check the name that you typed."),
    ),
    "P002": (N_("The file is empty"), N_("There is nothing in the file but blank lines or comments.")),
    "P003": (
        N_("The file is too large"),
        N_("A file may have 16 MiB at most. A larger campaign is split into several plans."),
    ),
    "P004": (
        N_("The file is not UTF-8"),
        N_(
            "Plans are UTF-8 text. Older editors save Latin-1, Windows-1252 or UTF-16; choose UTF-8 when you save. "
            "A byte order mark and Windows line ends are accepted."
        ),
    ),
    "P005": (
        N_("There is an invisible sign"),
        N_("Control characters and invisible line separators come from copying out of other programs. Delete them."),
    ),
    "P006": (
        N_("This is not valid YAML"),
        N_(
            "The usual causes: a tab in the indentation; text with a colon, # or @ without quotes; a quotation mark "
            "that is not closed; keys of one level that don't begin in the same column. Long text is easiest below "
            "a | sign."
        ),
    ),
    "P007": (
        N_("Several documents in one file"),
        N_('A plan is one YAML document: the line "---" may stand only at the top.'),
    ),
    "P008": (N_("A key is written twice"), N_("Only one of the two could count, and nobody can say which was meant.")),
    "P009": (N_("A key is not text"), N_("Numbers, lists and true/false can't be keys; put the key in quotes.")),
    "P010": (
        N_("Aliases go too far"),
        N_("Aliases (*name) may stand for at most 10,000 values in a file, and may not contain themselves."),
    ),
    "P011": (N_("Nested too deeply"), N_("Lists and groups of keys may be nested 32 levels deep; a plan needs eight.")),
    "P012": (N_("A tag is not allowed"), N_("Tags such as !!python/object could run programs. Write plain values.")),
    "P013": (
        N_("Merge keys are not supported"),
        N_(
            '"<<" is not part of YAML 1.2. Write the keys out, or name a whole value with &name and repeat it '
            "with *name."
        ),
    ),
    "P020": (
        N_("A key is not known"),
        N_("The key has no meaning at this place, so what it says would be lost. Mostly it is a slip of the pen."),
    ),
    "P021": (N_("A key is missing"), N_("Without this key the plan can't be used.")),
    "P022": (
        N_("A value of the wrong kind"),
        N_("There is text where a list belongs, a number where text belongs, and so on. Text like 2027 needs quotes."),
    ),
    "P023": (
        N_("A value can't be used"),
        N_("The value has the right kind, but is not one of those that are possible."),
    ),
    "P024": (
        N_("A name has the wrong form"),
        N_("The names of campaigns and posts become part of addresses and keys: a-z, 0-9 and single hyphens."),
    ),
    "P025": (
        N_("Two posts have the same id"),
        N_("The id is how a post is known after its text has changed. It must be unique in the plan."),
    ),
    "P026": (
        N_("The post has no time, or several"),
        N_("A post has exactly one of at, every and rrule; from and until belong to the last two."),
    ),
    "P027": (
        N_("An account would get no text"),
        N_("Each account needs text, a template or the parts of a thread: from the post or from one of its variants."),
    ),
    "P028": (
        N_("A variant's name means nothing"),
        N_("A variant is named after a platform, an account of accounts.yaml, or a language such as en."),
    ),
    "P029": (N_("A post widens the audience"), N_("A post may name a part of the plan's audience, not more.")),
    "P030": (N_("Cards are not available"), N_("This version can't draw pictures from text. Add a finished picture.")),
    "P031": (
        N_("A field means nothing on this network"),
        N_("Fields such as title or cw exist on some networks only; elsewhere they are left out."),
    ),
    "P032": (
        N_("A variant is never used"),
        N_("No account of the post has this name or language, so nobody would see the variant."),
    ),
    "P033": (N_("This is not a plan"), N_("A plan begins with keys such as campaign, timezone and posts.")),
    "P034": (
        N_("A key has no value"),
        N_("Behind the key there is nothing, or only a comment: text that begins with # needs quotes."),
    ),
    "T001": (
        N_("The time zone is missing or unknown"),
        N_("No time is ever guessed: a plan says WIB, WITA, WIT or a name of the IANA list such as Asia/Tokyo."),
    ),
    "T002": (
        N_("A time is not understood"),
        N_("A time is a day and a clock time (or a slot): H-7 08:00, 2026-12-03 08:00, H-7 pagi, {slot: pagi}."),
    ),
    "T003": (N_("There is no such day or time"), N_("The calendar or the clock has no such day or time.")),
    "T004": (
        N_("The clock skips this time"),
        N_("In that zone clocks are put forward that night, so this time never comes. Write it with an offset."),
    ),
    "T005": (
        N_("This time happens twice"),
        N_("In that zone clocks are put back that night, so this time comes twice. Write it with an offset."),
    ),
    "T006": (
        N_("The campaign has no day"),
        N_("H-7 and H+1 count from the day of the campaign, which the plan gives under day."),
    ),
    "T007": (N_("A slot is not known"), N_("Slots are named clock times, written under slots in accounts.yaml.")),
    "T008": (
        N_("A recurring post has no beginning or no end"),
        N_("A recurring post needs from, and until or (in a rule) COUNT or UNTIL."),
    ),
    "T009": (
        N_("A rule can't be used"),
        N_("rrule follows RFC 5545; its time of day comes from BYHOUR or from the time in from."),
    ),
    "T010": (N_("A post recurs too often"), N_("A post may recur 1,000 times, over ten years at most.")),
    "T011": (N_("A recurring post never occurs"), N_("Between its first and last day there is none of its days.")),
    "T012": (
        N_("Offset and zone contradict each other"),
        N_("A time with an offset is the same instant everywhere; a zone, or a recurrence, means clock time."),
    ),
    "T013": (N_("The end lies before the beginning"), N_("until must not lie before from.")),
    "T014": (
        N_("The post is due before its embargo is over"),
        N_(
            "Nothing is sent before embargo_until, of the plan or of the post, whichever is later: not by retry, "
            "release or --grace, and not by a clock that is wrong. So a post that is due before can't be meant."
        ),
    ),
    "A001": (
        N_("There is no accounts.yaml"),
        N_("The workspace is the folder with accounts.yaml. Every command looks for it in the current folder first."),
    ),
    "A002": (N_("The platform is not known"), N_("Each account names the network that it is on, under platform.")),
    "A004": (N_("A setting of accounts.yaml can't be used"), N_("A key is unknown, missing or of the wrong kind.")),
    "A005": (
        N_("A secret is written in the file"),
        N_(
            "Files hold only references: env:NAME (from the environment or .env), file:PATH (readable by you alone), "
            "keyring:SERVICE/NAME or login:NAME. A secret that was shared or committed must be replaced by a new one."
        ),
    ),
    "A006": (N_("Two entries are the same account"), N_("Every post would go out twice. Keep one of the entries.")),
    "A007": (N_("An account or group is not known"), N_("Plans and groups may name only what accounts.yaml holds.")),
    "A008": (
        N_("Others can read the secrets"),
        N_("The file .env is readable by other users of this machine. Run: chmod 600 .env"),
    ),
    "A009": (N_("The time zone of an account is unknown"), N_("Write WIB, WITA, WIT or a name like Asia/Tokyo.")),
    "A010": (
        N_("A rule of the workspace can't be used"),
        N_('Durations are written 30m or 2h, quiet hours "22:00-05:00"; “words” names a text file of the workspace.'),
    ),
    "A011": (N_("A slot can't be used"), N_('A slot is a clock time in quotes, like "07:30".')),
    "A012": (
        N_("The name of an account can't be used"),
        N_("Names are small letters, digits, - and _, and differ from other networks and from languages."),
    ),
    "A013": (N_("A group can't be used"), N_("A group has a name of its own and does not contain itself.")),
    "A014": (N_("A post goes nowhere"), N_("Accounts or groups are named at the top of the plan or in the post.")),
    "A021": (
        N_("A media_host can't be used"),
        N_(
            "It is the name of an account that can hold files (WordPress), or a folder that exists, may be written to, "
            "and that a web server publishes."
        ),
    ),
    "M001": (
        N_("A picture or video has no alt text"),
        N_("Alt text says what is shown, and any text in it, to those who can't see it. It is required."),
    ),
    "M002": (N_("A picture or video is missing"), N_("Paths count from the workspace's folder.")),
    "M003": (
        N_("A picture or video lies outside the workspace"),
        N_("Media are files inside the workspace, so that a plan can't publish other files of this machine."),
    ),
}
