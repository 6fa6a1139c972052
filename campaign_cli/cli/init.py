"""``campaign init``: a workspace that checks clean from the first minute."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import now
from campaign_cli.cli.options import LanguageOption
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, language

app = usage.application()

ACCOUNTS = """\
# {about}
accounts:
  mastodon: {{platform: mastodon, url: https://mastodon.example, token: env:MASTODON_TOKEN, timezone: WIB}}
  # bluesky:  {{platform: bluesky, handle: serikat.example, password: env:BLUESKY_PASSWORD, timezone: WIB}}
  # web:      {{platform: wordpress, url: https://serikat.example, username: redaksi, password: env:WP_PASSWORD}}
  # telegram: {{platform: telegram, channel: "@contoh_serikat", token: env:TELEGRAM_TOKEN, timezone: WIB}}
  # x:        {{platform: x, handle: "@contoh_serikat", token: env:X_TOKEN, timezone: WIB}}
  # discord:  {{platform: discord, webhook: env:DISCORD_WEBHOOK, timezone: WIB}}
  # slack:    {{platform: slack, channel: C0123456789, token: env:SLACK_TOKEN, timezone: WIB}}
  # linkedin: {{platform: linkedin, author: "urn:li:organization:1234567", token: env:LINKEDIN_TOKEN, timezone: WIB}}
  # nation:   {{platform: nationbuilder, nation: contoh, site: contoh, blog: 1, token: env:NATIONBUILDER_TOKEN}}
  # facebook: {{platform: facebook, page: "100012345678901", token: env:FACEBOOK_TOKEN, timezone: WIB}}
  # instagram: {{platform: instagram, handle: "@contoh.serikat", token: env:INSTAGRAM_TOKEN, media_host: web}}
  # threads:   {{platform: threads, handle: "@contoh.serikat", token: env:THREADS_TOKEN, media_host: web}}
  # kait:     {{platform: webhook, url: https://serikat.example/masuk, secret: env:WEBHOOK_SECRET, timezone: WIB}}
  # grup:     {{platform: manual, to: "Grup WhatsApp Anggota", share: whatsapp, timezone: WIB}}
  # anggota:  {{platform: whatsapp, phone_number_id: "106540352242922", token: env:WHATSAPP_TOKEN, template: kabar,
  #            recipients: "file:anggota.csv", timezone: WIB}}
  # matrix:   {{platform: matrix, url: https://matrix.example, room: "#kantor:matrix.example", token: env:MATRIX_TOKEN}}
  # youtube:  {{platform: youtube, channel: "@contoh_serikat", token: env:YOUTUBE_TOKEN, timezone: WIB}}
  # tiktok:   {{platform: tiktok, handle: "@contoh.serikat", token: env:TIKTOK_TOKEN, timezone: WIB, media_host: web}}
groups: {{nasional: [mastodon]}}
slots:  {{pagi: "07:30", sore: "17:00"}}
rules:  {{late_grace: 30m}}
# notify: [env:CAMPAIGN_NOTIFY_URL]
# protected: protected.txt
# public_contacts: [redaksi@serikat.example, "+62 21 000 0123"]
"""
ENVIRONMENT = """\
# {about}
MASTODON_TOKEN=
# BLUESKY_PASSWORD=
# WP_PASSWORD=
# TELEGRAM_TOKEN=
# X_TOKEN=
# DISCORD_WEBHOOK=
# SLACK_TOKEN=
# LINKEDIN_TOKEN=
# NATIONBUILDER_TOKEN=
# FACEBOOK_TOKEN=
# INSTAGRAM_TOKEN=
# THREADS_TOKEN=
# WEBHOOK_SECRET=
# WHATSAPP_TOKEN=
# MATRIX_TOKEN=
# YOUTUBE_TOKEN=
# TIKTOK_TOKEN=
# CAMPAIGN_NOTIFY_URL=
"""
PLAN = """\
# yaml-language-server: $schema=../schema/plan.schema.json
campaign: {slug}
title: {title}
timezone: WIB
day: {day}
language: {language}
accounts: [nasional]
hashtags: [{hashtag}]
posts:
  - id: {opening}
    at: H-7 08:00
    text: |
      {first}
  - id: {reminder}
    at: H-1 19:30
    text: |
      {second}
"""
IGNORED = ".env\n.campaign/\nout/\nanggota.csv\n"


@usage.command(
    app,
    help=_(
        "Make a workspace with an accounts file, a first plan and a place for secrets. Example: campaign init my-union"
    ),
)
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help=_("The folder; it is made if it isn't there."))
    ] = Path(),
    lang: LanguageOption = None,
) -> int:
    files = _files()
    present = [name for name in files if (folder / name).exists()]
    if present:
        raise InputError(
            _("{files} is already there; nothing was changed.").format(files=", ".join(present)),
            fix=_("Choose another folder, or move these away."),
        )
    _make(folder, files)
    output.write(_("A workspace is ready in {folder}.").format(folder=folder.absolute()))
    output.write(_("Next: write your accounts into accounts.yaml and their secrets into .env, then"))
    if folder != Path():
        output.write(f"  cd {shlex.quote(str(folder))}")
    output.write("  campaign check campaigns/*.yaml\n  campaign rehearse campaigns/*.yaml\n  campaign accounts check")
    return 0


def _make(folder: Path, files: dict[str, str]) -> None:
    """Every file and folder, or, where one of them fails, none. Raises OSError."""
    made: list[Path] = []
    try:
        for path in (folder / "media", folder / "templates" / "posts", *((folder / name).parent for name in files)):
            for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
                missing.mkdir()
                made.append(missing)
        for name, text in files.items():
            made.append(folder / name)
            made[-1].touch(mode=0o600 if name == ".env" else 0o644)
            made[-1].write_text(text, encoding="utf-8")
    except BaseException:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        raise


def _files() -> dict[str, str]:
    import json

    from campaign_cli.plan import plan_schema

    indonesian = language() == "id"
    words = {
        "slug": "aksi-pertama" if indonesian else "first-action",
        "title": "Aksi pertama" if indonesian else "First action",
        "hashtag": "HidupBuruh" if indonesian else "UnionStrong",
        "opening": "ajakan" if indonesian else "call",
        "reminder": "pengingat" if indonesian else "reminder",
        "first": _("We go together. Write the date down and bring your workmates."),
        "second": _("Tomorrow is the day. Meet at the union office at eight."),
    }
    # Two weeks ahead: the first plan of a new workspace must check without a word about past times.
    day = (now() + timedelta(days=14)).date().isoformat()
    return {
        "accounts.yaml": ACCOUNTS.format(about=_("Where posts go. Secrets are references only.")),
        ".env": ENVIRONMENT.format(about=_("Secrets. Never commit this file; only you may read it.")),
        "campaigns/{slug}.yaml".format(**words): PLAN.format(day=day, language=language(), **words),
        "schema/plan.schema.json": json.dumps(plan_schema(), ensure_ascii=False, indent=2) + "\n",
        ".gitignore": IGNORED,
    }
