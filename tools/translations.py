"""Keep the Indonesian catalogue complete: ``update`` extracts and compiles, ``check`` fails on what is missing."""

from __future__ import annotations

import ast
import io
import re
import string
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
PO = ROOT / "campaign_cli/locale/id/LC_MESSAGES/campaign.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "gettext": None}


def extracted() -> Catalog:
    """Every message of the code and of the page templates."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalog = Catalog(project="campaign-cli", charset="utf-8")
    found = extract_from_dir(ROOT, method_map=methods, options_map=options, keywords=KEYWORDS)
    for name, _line, message, _comments, context in found:
        if message:
            catalog.add(message, locations=[(name, 0)], context=context)
    return catalog


def read() -> Catalog:
    """The Indonesian catalogue as it stands."""
    if not PO.exists():
        return Catalog(locale="id", project="campaign-cli", charset="utf-8")
    with PO.open("rb") as file:
        return read_po(file, locale="id")


def compiled(catalog: Catalog) -> bytes:
    """The binary catalogue, with fixed dates so that it only changes with its messages."""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def fields(text: str) -> set[str]:
    """The names of the placeholders; none in a text that is never formatted."""
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        return set()
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in parsed if name is not None}


def faults(message: Message) -> list[str]:
    """What is wrong with one translation."""
    sources = message.id if isinstance(message.id, tuple) else (message.id,)
    targets = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if message.fuzzy or not all(targets):
        return [f"no translation: {sources[0]!r}"]
    allowed = set().union(*map(fields, sources))
    return [
        f"placeholders differ: {sources[0]!r} → {target!r}"
        for target in targets
        if not fields(target) <= allowed or (len(sources) == 1 and fields(target) != allowed)
    ]


def hidden() -> list[str]:
    """Messages inside f-strings, which extraction does not see."""
    found = []
    for path in sorted((ROOT / "campaign_cli").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for text in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
            for call in (node for node in ast.walk(text) if isinstance(node, ast.Call)):
                literal = bool(call.args) and isinstance(call.args[0], ast.Constant)
                if isinstance(call.func, ast.Name) and call.func.id in KEYWORDS and literal:
                    found.append(
                        f"{path.relative_to(ROOT)}:{call.lineno}: a message inside an f-string is not extracted"
                    )
    return found


def check() -> int:
    """0 when every message has its translation, with the same placeholders, and the compiled file is in step."""
    catalog, needed = read(), extracted()
    problems = hidden()
    for message in needed:
        if message.id:
            known = catalog.get(message.id, context=message.context)
            problems += faults(known) if known else [f"not in the catalogue: {message.id!r}"]
    spare = [m.id for m in catalog if m.id and not needed.get(m.id, context=m.context)]
    problems += [f"no longer used: {identifier!r}" for identifier in spare]
    if not MO.exists() or compiled(catalog) != MO.read_bytes():
        problems.append(f"{MO.relative_to(ROOT)} is not in step: run `make translations`")
    for problem in problems:
        sys.stdout.write(problem + "\n")
    sys.stdout.write(f"translations: {sum(1 for m in needed if m.id)} messages, {len(problems)} problems\n")
    return 1 if problems else 0


def update() -> int:
    """Bring the catalogue in step with the code and compile it."""
    catalog = read()
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    for message in catalog:
        if message.id and message.fuzzy:  # Babel marks what became plural; a filled translation is what counts here
            message.flags.discard("fuzzy")
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalog, width=120, no_location=True, omit_header=False, sort_output=True)
    # Dates in the header would make every update a change.
    text = PO.read_text(encoding="utf-8")
    PO.write_text(
        re.sub(r'"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Generated-By): [^"]*"\n', "", text),
        encoding="utf-8",
    )
    MO.write_bytes(compiled(read()))
    missing = [m.id for m in read() if m.id and faults(m)]
    sys.stdout.write(f"{len(missing)} messages still need a translation in {PO.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit({"check": check, "update": update}[sys.argv[1]]())
