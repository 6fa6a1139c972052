"""What is generated from the code and committed: ``write`` makes it anew, ``check`` fails where it is not in step."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from campaign_cli.cli.commands import COMMANDS
from campaign_cli.i18n import use_language
from campaign_cli.plan import plan_schema
from campaign_cli.platforms import PLANNED, PLATFORMS, get
from campaign_cli.platforms.base import Limits, Proof

THREADS = {"chain": "yes", "root": "answers to the first part", "order": "messages below each other"}
ROOT = Path(__file__).parent.parent


def schema() -> str:
    """The JSON Schema of plans."""
    return json.dumps(plan_schema(), ensure_ascii=False, indent=2) + "\n"


def between(path: Path, name: str, content: str) -> str:
    """The file's text with what stands between its ``<!-- NAME -->`` markers replaced."""
    text = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    if not rest or end not in rest:
        raise SystemExit(f"{path}: the markers {start.strip()} … {end} are missing")
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
    parts.append(f"{limits.images} images")
    if limits.videos:
        most = [f"{limits.video_seconds:g} s"] if limits.video_seconds else []
        most += [f"{limits.video_bytes / 1_000_000:.0f} MB"] if limits.video_bytes else []
        parts.append(
            f"{limits.videos} video{'s' if limits.videos > 1 else ''}" + (f" ({', '.join(most)})" if most else "")
        )
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


def platform_table() -> str:
    """Every network: what it takes, what it proves, how that was verified."""
    lines = ["| network | one message | threads | when the answer never came | verified by |", "|---|---|---|---|---|"]
    for name in PLATFORMS:
        platform = get(name)
        threads = THREADS[platform.thread_form] if platform.threads else "joined into one post"
        cells = (platform.title, limits_text(platform.limits), threads, proof_text(platform.proof))
        lines.append(f"| {' | '.join(cells)} | {platform.proof.verified_by} |")
    lines += ["", "Not yet: " + ", ".join(PLANNED) + ". A plan may already hold variants for them."]
    return "\n".join(lines)


def documents() -> dict[Path, str]:
    """Each generated file with its text."""
    use_language("en")
    readme, platforms = ROOT / "README.md", ROOT / "docs/platforms.md"
    return {
        ROOT / "schema/plan.schema.json": schema(),
        readme: between(readme, "commands", command_table()),
        platforms: between(platforms, "platforms", platform_table()),
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
