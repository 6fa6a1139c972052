"""The codes of members' safety: code → (title, explanation), marked for translation."""

from __future__ import annotations

from typing import Final

from campaign_cli.i18n import N_

CODES: Final[dict[str, tuple[str, str]]] = {
    "S001": (
        N_("A NIK is in what is sent"),
        N_(
            "Sixteen digits with the code of a region and a date of birth (a woman's day + 40: the form that PP "
            "37/2007, Pasal 37, gave it; PP 40/2019 rules it by now), or sixteen digits beside the word NIK or KTP; "
            "also in groups that commas, hashtags or tags part. Who has it can take credit in that person's name. In "
            "mind: UU 27/2022 (PDP), Pasal 65 (2), which forbids making known what is somebody else's; UU 24/2013. "
            "This is no legal advice."
        ),
    ),
    "S002": (
        N_("The number of a family card (KK) is in what is sent"),
        N_(
            "Sixteen digits beside KK or kartu keluarga. It opens the data of a whole family, children among them. "
            "In mind: UU 27/2022 (PDP), Pasal 4 (2) and 65 (2); UU 24/2013. This is no legal advice."
        ),
    ),
    "S003": (
        N_("An NPWP is in what is sent"),
        N_(
            "Fifteen digits as the tax office writes them, or fifteen or sixteen beside the word NPWP; of a person,"
            " it may be the NIK. In mind: UU 27/2022 (PDP), Pasal 65 (2). The organisation's own number can stand "
            "under public_contacts. This is no legal advice."
        ),
    ),
    "S004": (
        N_("A BPJS number is in what is sent"),
        N_(
            "Thirteen digits (BPJS Kesehatan) or eleven (BPJS Ketenagakerjaan) beside BPJS, JKN, KIS, KPJ or "
            "Jamsostek. It leads to data on health and wages. In mind: UU 27/2022 (PDP), Pasal 4 (2) and 65 (2). "
            "This is no legal advice."
        ),
    ),
    "S005": (
        N_("The number of a union card is in what is sent"),
        N_(
            "Letters and digits behind KTA, kartu anggota or nomor anggota. It proves that somebody is a member, "
            "which can cost a job. In mind: UU 21/2000, Pasal 28, which protects membership; UU 27/2022 (PDP), "
            "Pasal 65 (2). This is no legal advice."
        ),
    ),
    "S006": (
        N_("A telephone number is in what is sent"),
        N_(
            "A number that the numbering plan of Indonesia or, with +, of another country knows; also in links that "
            "open a chat, and in a page's address behind + or the word for it. Free numbers and short ones such as "
            "1500-xxx are nobody's own. In mind: UU 27/2022 (PDP), Pasal 65 (2); UU 11/2008 (ITE) as amended, Pasal "
            "26. The union's own numbers stand under public_contacts in accounts.yaml. This is no legal advice."
        ),
    ),
    "S007": (
        N_("An e-mail address is in what is sent"),
        N_(
            "Also where the sign @ is written (at). In mind: UU 27/2022 (PDP), Pasal 65 (2); UU 11/2008 (ITE) as "
            "amended, Pasal 26. The union's own addresses stand under public_contacts in accounts.yaml. This is no "
            "legal advice."
        ),
    ),
    "S008": (
        N_("Somebody's home address is in what is sent"),
        N_(
            "A street, lane or housing estate with the number of a house, or RT and RW. A street alone is none, nor"
            " is an office, a factory or a court that is named before it. In mind: UU 27/2022 (PDP), Pasal 65 (2). "
            "Where the union can be visited stands under public_contacts in accounts.yaml. This is no legal advice."
        ),
    ),
    "S009": (
        N_("The number plate of a vehicle is in what is sent"),
        N_(
            "The letters of an area, up to four digits and up to three letters. Whoever is looking for somebody can"
            " find the owner by it. In mind: UU 27/2022 (PDP), Pasal 4 (3) and 65 (2). This is no legal advice."
        ),
    ),
    "S010": (
        N_("A bank account or an e-wallet is in what is sent"),
        N_(
            "Eight digits or more beside the name of a bank or a wallet, or beside rek. In mind: UU 27/2022 (PDP), "
            "Pasal 4 (2) (data on personal finances) and 65 (2). Accounts for donations stand under public_contacts"
            " in accounts.yaml. This is no legal advice."
        ),
    ),
    "S011": (
        N_("A protected name is in what is sent"),
        N_(
            "“protected” in accounts.yaml lists members, minors and whistle-blowers whom nobody may name, or the "
            "file that lists them. Capitals, accents, signs between the words and digits for letters (S1ti) don't "
            "matter. In mind: UU 31/2014 (witnesses and victims), UU 35/2014 and UU 11/2012, Pasal 19 (children), UU "
            "21/2000, Pasal 28 (members). This is no legal advice."
        ),
    ),
    "S012": (
        N_("The list of protected names can't be read"),
        N_(
            "Without it, nobody would be protected, so nothing is queued. It is a file in UTF-8 with one name a "
            "line; what follows # is a remark. Its name counts from the workspace's folder. In mind: the same laws "
            "as S011. This is no legal advice."
        ),
    ),
    "S013": (
        N_("Something that the plan keeps inside is in what is sent"),
        N_(
            "“internal” in the plan lists what only members should know, such as a meeting point or a link to a "
            "live location. It may be right for these readers, so this is a hint. In mind: the safety of those who "
            "come; no law forbids it, and this is no legal advice."
        ),
    ),
    "S014": (
        N_("It is not written whether the people on a picture agreed"),
        N_(
            "Nobody guesses who can be recognised: write consent: true on the picture when those who can have "
            "agreed, or when nobody can. It is asked once for each file. In mind: UU 27/2022 (PDP), Pasal 20; UU "
            "28/2014 (copyright), Pasal 12, on portraits in advertising; UU 21/2000, Pasal 28. This is no legal "
            "advice."
        ),
    ),
    "S015": (
        N_("The people on a picture have not agreed"),
        N_(
            "The plan says consent: false, so the picture must not go out. In mind: UU 27/2022 (PDP), Pasal 20 and "
            "65 (3); UU 28/2014 (copyright), Pasal 12, on portraits in advertising. This is no legal advice."
        ),
    ),
    "S016": (
        N_("The file of a picture tells where it was taken"),
        N_(
            "Phones write the place into the picture. It is removed from what is sent, but whoever gets the "
            "original (from git, by chat) can read it. In mind: UU 27/2022 (PDP), Pasal 4 (3). This is no legal "
            "advice."
        ),
    ),
    "S017": (
        N_("The file of a picture holds personal data"),
        N_(
            "Its metadata holds what would not be let through in a text: a number, an address, a protected name. It"
            " is removed from what is sent, but the original still has it. In mind: UU 27/2022 (PDP), Pasal 65 (2)."
            " This is no legal advice."
        ),
    ),
    "S018": (
        N_("The file of a picture names somebody"),
        N_(
            "Its metadata says who took it or who owns the camera. It is removed from what is sent. Where credit is"
            " due, write it under credit. In mind: UU 27/2022 (PDP), Pasal 4 (3); UU 28/2014 (copyright), Pasal 5. "
            "This is no legal advice."
        ),
    ),
}
