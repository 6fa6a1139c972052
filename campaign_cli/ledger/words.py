"""When two deliveries say the same."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Final

from campaign_cli.models import Draft

_LINK_TAG: Final = re.compile(r"""[?&]utm_\w+=[^&\s"'#\\<>)\]]*""")


def body_hash(draft: Draft) -> str:
    """What makes two deliveries the same words: the draft without the account's name and the tags of its links.

    Link tags carry the names of campaign and post, so a renamed campaign must not look like new words.
    """
    return hashlib.sha256(_LINK_TAG.sub("", replace(draft.as_sent(), account="").to_json()).encode()).hexdigest()
