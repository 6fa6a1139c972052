"""The codes of ethics and law: which rule each has in mind. None of this is legal advice."""

from __future__ import annotations

from typing import Final

from campaign_cli.i18n import N_

CODES: Final[dict[str, tuple[str, str]]] = {
    "E001": (
        N_("A figure without a source"),
        N_(
            "A percentage, a sum of money or a number of people is believed when one can look it up, and turned "
            "against the union when it is wrong. Name the source under “sources” of the post or of the plan, or in the "
            "text behind “Sumber:”. In mind: Kode Etik Jurnalistik, articles 1 to 3 (accurate, tested information). No "
            "legal advice."
        ),
    ),
    "E002": (
        N_("An accusation by name without a source"),
        N_(
            "The text seems to name a company or a person beside a word that accuses. Whether it is so can't be seen "
            "from the text; have the proof at hand, ask the other side, and name a source under “sources”. In mind: "
            "UU ITE (UU 11/2008 as amended by UU 1/2024), article 27A on attacks on honour by electronic means, "
            "which by decision 105/PUU-XXII/2024 of the Constitutional Court protects persons, not companies or "
            "authorities (they may sue under civil law); KUHP on defamation; Kode Etik Jurnalistik, articles 1 and "
            "3. What is said in the public interest may be lawful; ask the union's lawyer. No legal advice."
        ),
    ),
    "E003": (
        N_("Words of threat, hatred or incitement"),
        N_(
            "The text has a word or phrase of the list that comes with the program, in Indonesian and English, or of "
            "the union's own file (rules: {words: words.txt} in accounts.yaml; a line adds, “- phrase” takes away, “- "
            "*” takes all of the program's list away). A quotation is waived with a reason. In mind: UU ITE (UU "
            "11/2008 as amended by UU 1/2024), articles 28(2) on hatred and 29 on threats; KUHP on incitement; the "
            "networks' own rules. No legal advice."
        ),
    ),
    "E004": (
        N_("A post on a day of silence"),
        N_(
            "The workspace names days on which nothing is posted (silent_days under rules in accounts.yaml), such as "
            "the days of calm before an election; they count in each account's zone, and “release”, “crisis end” and "
            "“retry” give no time in them. In mind: UU 7/2017 on elections, articles 278 and 287 (5) on the days of "
            "calm, and 492 on campaigning outside the set time. Whom they bind is a question for a lawyer; what is "
            "not about the election may be waived with that reason. No legal advice."
        ),
    ),
    "E005": (
        N_("Many accounts of a network say the same at once"),
        N_(
            "Five accounts or more with the same text within ten minutes can look like one hand that steers many, and "
            "networks hide or close such accounts. Branches that speak for themselves do so in their own words. In "
            "mind: the networks' own rules on spam and coordinated behaviour. No legal advice."
        ),
    ),
    "E006": (
        N_("A paid post does not say so"),
        N_(
            "“paid: true” says that somebody paid for the post; then readers must see it in the text: #iklan, Iklan, "
            "Disponsori, Kerja sama berbayar, #ad, Sponsored, Paid partnership. In mind: UU 8/1999 on the protection "
            "of consumers, articles 9, 10 and 17 on misleading offers and advertising; Etika Pariwara Indonesia; the "
            "networks' own rules, which also ask for their own label. No legal advice."
        ),
    ),
    "E007": (
        N_("A picture that a machine made does not say so"),
        N_(
            "“origin: ai” of the picture, or its own metadata (IPTC's DigitalSourceType), says that a machine made "
            "it or a part of it. Say so in the text or in the alt text, for example “Gambar dibuat dengan AI”. In "
            "mind: Kode Etik Jurnalistik, articles 2 and 3, and the Press Council's guidelines on artificial "
            "intelligence (1/2025); UU ITE (UU 1/2024), article 28 on false information that harms consumers or "
            "leads to unrest; the networks' own rules, which also ask for their own label. No legal advice."
        ),
    ),
    "E008": (
        N_("Somebody else's picture without credit"),
        N_(
            "“origin: other” says that somebody else made the picture; then “credit” says who. In mind: UU 28/2014 on "
            "copyright, article 5, by which whoever made a work must be named; a permission to use it is a question of "
            "its own (article 9). No legal advice."
        ),
    ),
    "E009": (
        N_("The credit of a picture is not shown"),
        N_(
            "The plan knows who made the picture, and the readers of this account don't: the words under “credit” "
            "stand neither in the text nor in the alt text. In mind: UU 28/2014 on copyright, article 5. No legal "
            "advice."
        ),
    ),
}
