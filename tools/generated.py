"""What is generated from the code and committed: ``write`` makes it anew, ``check`` fails where it is not in step."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from pathlib import Path

from campaign_cli.checks import CODES
from campaign_cli.checks.codes import severities
from campaign_cli.cli.commands import COMMANDS
from campaign_cli.i18n import use_language
from campaign_cli.models import Draft, Part
from campaign_cli.plan import plan_schema
from campaign_cli.platforms import PLATFORMS, get
from campaign_cli.platforms.base import Limits, Platform, Proof

THREADS = {"chain": "yes", "root": "answers to the first part", "order": "messages below each other"}
COLUMNS = (
    "network",
    "one message",
    "pictures",
    "video",
    "threads",
    "counted of a post",
    "deleted by us",
    "signs in",
    "paid or counted",
)
FAMILIES = {
    "P": "plan",
    "T": "time",
    "L": "limits",
    "M": "media",
    "A": "accounts",
    "S": "members' safety",
    "E": "ethics and law",
}
ROOT = Path(__file__).parent.parent


def schema() -> str:
    """The JSON Schema of plans."""
    return json.dumps(plan_schema(), ensure_ascii=False, indent=2) + "\n"


def between(path: Path, name: str, content: str) -> str:
    """The file's text with what stands between its ``<!-- NAME -->`` markers replaced."""
    return between_text(path.read_text(encoding="utf-8"), name, content)


def between_text(text: str, name: str, content: str) -> str:
    """The same for a text."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    if not rest or end not in rest:
        raise SystemExit(f"the markers {start.strip()} … {end} are missing")
    return f"{before}{start}\n{content}\n{end}{after}"


def command_table() -> str:
    """Every command with its one sentence."""
    rows = [f"| `{name}` | {summary} |" for name, summary in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def limits_text(limits: Limits) -> str:
    """What one message may hold, in words."""
    parts = ["no limit" if limits.text is None else f"{limits.text:,} {limits.unit}"]
    if limits.text_bytes:
        parts.append(f"{limits.text_bytes:,} bytes")
    if limits.caption:
        parts.append(f"{limits.caption:,} with pictures")
    if limits.url_length:
        parts.append(f"a link counts {limits.url_length}")
    return ", ".join(parts)


def proof_text(proof: Proof) -> str:
    """What becomes of a post whose answer never came, in words."""
    if proof.blind:
        return "Nothing can be proved: it stays uncertain until a person has looked at the account and decided"
    steps = []
    if proof.look_up:
        by = f" by {proof.found_by}" if proof.found_by else ""
        steps.append(f"Looked up on the account{by}; sent again only when it is proved absent")
    if proof.repeat_for is not None:
        minutes = int(proof.repeat_for.total_seconds() // 60)
        span = "At any time" if proof.repeat_for == timedelta.max else f"Within {minutes} minutes of the first try"
        condition = f", where {proof.repeat_if}" if proof.repeat_if else ""
        steps.append(f"{span} the same key makes no second post{condition}")
    if not proof.look_up:
        steps.append("After that a person looks and decides")
    return ". ".join(steps)


def pictures_text(limits: Limits) -> str:
    """How many pictures, and whether they are described."""
    if not limits.images:
        return "none"
    text = f"{limits.images}"
    if limits.image_bytes:
        text += f", {size_text(limits.image_bytes)} each"
    if limits.alt:
        text += f", alt text {limits.alt:,}"
    return f"{text}, at least {limits.media_least}" if limits.media_least and not limits.videos else text


def video_text(limits: Limits) -> str:
    """Whether videos are taken, and how long they may be."""
    if not limits.videos:
        return "no"
    parts = [str(limits.videos)]
    parts += [size_text(limits.video_bytes)] if limits.video_bytes else []
    parts += [f"{limits.video_seconds / 60:g} min"] if limits.video_seconds else []
    return ", ".join(parts)


def size_text(size: int) -> str:
    """Bytes in round numbers."""
    return f"{size / 1_000_000_000:.3g} GB" if size >= 1_000_000_000 else f"{size / 1_000_000:.3g} MB"


def taken_text(platform: Platform) -> str:
    """What the network charges for or counts."""
    part = Part(text="x")
    draft = Draft(platform=platform.name, account="a", address="a", language="en", parts=(part,))
    words = []
    for use in platform.uses(draft):
        hours = f"{use.period.total_seconds() / 3600:g} h" if use.period else ""
        hours = f"a day ({use.zone})" if use.zone else hours
        words.append(f"{use.limit:g} {use.what} in {hours}" if use.limit is not None else f"{use.what}")
    return ", ".join(words) or "–"


def platform_table() -> str:
    """Every network: what it takes and shows."""
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    for name in PLATFORMS:
        platform = get(name)
        cells = (
            platform.title,
            limits_text(platform.limits),
            pictures_text(platform.limits),
            video_text(platform.limits),
            THREADS[platform.thread_form] if platform.threads else "joined into one post",
            ", ".join(platform.metrics) or "–",
            "yes" if platform.deletes else "no",
            "`accounts login`" if platform.oauth else "token or key",
            taken_text(platform),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def proof_table() -> str:
    """Every network: what it proves after a crash, how all of it was verified, what nobody has confirmed."""
    lines = ["| network | when the answer never came | verified by | unconfirmed |", "|---|---|---|---|"]
    for name in PLATFORMS:
        platform = get(name)
        unconfirmed = "; ".join(platform.unconfirmed) or "–"
        lines.append(
            f"| {platform.title} | {proof_text(platform.proof)} | {platform.proof.verified_by} | {unconfirmed} |"
        )
    return "\n".join(lines)


def checks_tables() -> str:
    """Every code of ``check``, by family."""
    lines: list[str] = []
    for family, title in FAMILIES.items():
        codes = sorted(code for code in CODES if code[0] == family)
        lines += [f"## {family}: {title}", "", "| code | severity | what | why, and what to do |", "|---|---|---|---|"]
        for code in codes:
            severity = ", ".join(severity.value for severity in severities(code))
            lines.append(f"| {code} | {severity} | {cell(CODES[code][0])} | {cell(CODES[code][1])} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def cell(text: str) -> str:
    """Words in a table's cell: nothing of them is Markdown or ends the cell."""
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", text)


def documents() -> dict[Path, str]:
    """Each generated file with its text."""
    use_language("en")
    readme, platforms, checks = ROOT / "README.md", ROOT / "docs/platforms.md", ROOT / "docs/checks.md"
    tables = between(platforms, "platforms", platform_table())
    return {
        ROOT / "schema/plan.schema.json": schema(),
        readme: between(readme, "commands", command_table()),
        platforms: between_text(tables, "proof", proof_table()),
        checks: between(checks, "checks", checks_tables()),
    }


def main(action: str) -> int:
    """``write`` or ``check``."""
    stale = 0
    for path, text in documents().items():
        if action == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale += 1
            sys.stdout.write(f"{path.relative_to(ROOT)} is not in step: run `make docs`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
