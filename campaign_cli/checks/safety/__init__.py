"""Members are safe: what could harm a person must not go out unseen. None of this is legal advice."""

from typing import Final

from campaign_cli.checks.safety.personal import personal
from campaign_cli.checks.safety.pictures import consent, metadata

RULES: Final = (personal, consent, metadata)
"""All rules of this family; they look at what is sent, so ``queue`` asks them too."""

__all__ = ["RULES", "consent", "metadata", "personal"]
