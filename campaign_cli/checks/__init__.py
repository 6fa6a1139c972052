"""Everything that ``check``, ``preview``, ``rehearse`` and ``queue`` want to know of a plan before it goes anywhere."""

from campaign_cli.checks.codes import CODES, explain
from campaign_cli.checks.pipeline import Examined, blocking, examine

__all__ = ["CODES", "Examined", "blocking", "examine", "explain"]
