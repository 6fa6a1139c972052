"""A stage with one account of each network, and adapters that talk to it over real sockets."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from campaign_cli import platforms
from campaign_cli.accounts import Workspace
from campaign_cli.models import Account, Part, Picture, Receipt
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.stage import stage_accounts, stage_workspace
from campaign_cli.stage.server import StageServer
from tests import platform_helpers as helpers

START = datetime(2030, 5, 1, 1, 0, tzinfo=UTC)

ACCOUNTS = {
    "nasional": Account(
        name="nasional", platform="mastodon", settings={"url": "https://mastodon.example", "token": "env:M"}
    ),
    "langit": Account(
        name="langit", platform="bluesky", settings={"handle": "contoh.bsky.social", "password": "env:B"}
    ),
    "web": Account(
        name="web",
        platform="wordpress",
        settings={"url": "https://serikat.example", "username": "redaksi", "password": "env:W"},
    ),
    "kanal": Account(name="kanal", platform="telegram", settings={"channel": "@contoh_papua", "token": "env:T"}),
    "kicau": Account(name="kicau", platform="x", settings={"handle": "fsp_contoh", "token": "env:X"}),
    "ruang": Account(name="ruang", platform="discord", settings={"webhook": "env:D"}),
    "kantor": Account(name="kantor", platform="slack", settings={"channel": "C0CONTOH01", "token": "env:S"}),
    "laman": Account(name="laman", platform="facebook", settings={"page": "100000000001", "token": "env:F"}),
    "kait": Account(name="kait", platform="slack-webhook", settings={"webhook": "env:K"}),
    "profesi": Account(
        name="profesi", platform="linkedin", settings={"author": "urn:li:organization:5515715", "token": "env:L"}
    ),
    "warta": Account(
        name="warta",
        platform="nationbuilder",
        settings={"nation": "contoh", "site": "contoh", "blog": "13", "token": "env:N"},
    ),
    "galeri": Account(name="galeri", platform="instagram", settings={"handle": "fsp.contoh", "token": "env:I"}),
    "utas": Account(name="utas", platform="threads", settings={"handle": "fsp.contoh", "token": "env:H"}),
    "situs": Account(
        name="situs",
        platform="webhook",
        settings={"url": "https://penerima.example/masuk", "secret": "env:H", "removes_repeats": True},
    ),
    "anggota": Account(
        name="anggota",
        platform="whatsapp",
        settings={
            "phone_number_id": "106540352242922",
            "token": "env:A",
            "recipients": "file:anggota.csv",
            "template": "kabar_anggota",
        },
    ),
    "grup": Account(name="grup", platform="manual", settings={"to": "Grup WhatsApp Anggota", "share": "whatsapp"}),
    "balai": Account(
        name="balai",
        platform="matrix",
        settings={"url": "https://matrix.example", "room": "!balai:matrix.example", "token": "env:A"},
    ),
    "layar": Account(name="layar", platform="youtube", settings={"channel": "@fsp_contoh", "token": "env:Y"}),
    "goyang": Account(name="goyang", platform="tiktok", settings={"handle": "fsp.contoh", "token": "env:G"}),
}
"""As an officer writes them: real addresses, references to real secrets."""

VIDEOS = ("youtube", "tiktok")
"""Networks whose posts are videos in the first place: the least that one needs is a video."""


class Clock(helpers.Clock):
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        super().__init__(START)

    def move(self, **time: float) -> None:
        """Let time pass."""
        self.at += timedelta(**time)


def png(width: int = 64, height: int = 48, colour: str = "red") -> bytes:
    """A picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def file_for(platform: str, width: int = 64, height: int = 48) -> tuple[bytes, str]:
    """A picture and its type, as the network takes them."""
    kind = "image/png" if "image/png" in platforms.get(platform).limits.image_types else "image/jpeg"
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, kind.rpartition("/")[2])
    return file.getvalue(), kind


def with_least(platform: str, parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], dict[str, bytes]]:
    """The parts, with a picture or a video in the first where the network takes none without, and the bytes of that."""
    if not platforms.get(platform).limits.media_least or any(part.media for part in parts):
        return parts, {}
    if platform in VIDEOS:
        film = helpers.video()
        return (replace(parts[0], media=(film,)), *parts[1:]), {film.sha256: helpers.VIDEO}
    file, mime = file_for(platform)
    least = helpers.picture(file, name="poster.jpg", mime=mime)
    return (replace(parts[0], media=(least,)), *parts[1:]), {least.sha256: file}


@dataclass
class Played:
    """A running stage and what talks to it."""

    server: StageServer
    clock: Clock
    workspace: Workspace
    environment: Mapping[str, str]
    http: httpx.Client
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)

    def account(self, platform: str) -> Account:
        """The account of a network, at its address on the stage."""
        return next(each for each in self.workspace.accounts.values() if each.platform == platform)

    def path(self, platform: str) -> str:
        """The account's path on the stage."""
        return f"/{platform}/{self.account(platform).name}"

    def secret(self, platform: str) -> str:
        """What opens the account."""
        return self.secrets(platform)[platforms.get(platform).secrets[0]]

    def secrets(self, platform: str) -> dict[str, str]:
        """Everything that the account's settings refer to, by setting."""
        settings = self.account(platform).settings
        names = [name for name in platforms.get(platform).secrets if settings.get(name)]
        return {name: self.environment[str(settings[name]).removeprefix("env:")] for name in names}

    def posts(self, **query: str) -> list[dict[str, Any]]:
        """What the stage holds."""
        found: list[dict[str, Any]] = self.http.get("/_stage/posts", params=query).json()["posts"]
        return found

    def misbehave(self, kind: str, **order: Any) -> None:
        """Give an order."""
        self.http.post("/_stage/misbehave", json={"kind": kind, **order}).raise_for_status()

    def run(
        self,
        platform: str,
        work: Callable[[Sending], Awaitable[Any]],
        *,
        secret: str | None = None,
        bytes_of: Mapping[str, bytes] | None = None,
        **members: Any,
    ) -> Any:
        """Do ``work`` with a sending of an account, over a real transport."""
        adapter, account = platforms.get(platform), self.account(platform)
        members["content"], more = with_least(
            platform, members.get("content") or (Part(text="Upah layak adalah hak."),)
        )
        bytes_of = {**(bytes_of or {}), **more}

        async def main() -> Any:
            transport = HttpTransport(redact=str, now=self.clock.now, pause_until=adapter.pause_until, time_out=10)
            try:
                sending = helpers.sending(
                    adapter,
                    transport,
                    settings=account.settings,
                    secrets=self.secrets(platform) | ({adapter.secrets[0]: secret} if secret else {}),
                    clock=self.clock,
                    bytes_of=bytes_of,
                    **{"due": self.clock.now(), **members},
                )
                sending.public_url = self._hosted(bytes_of or {})
                return await work(sending)
            finally:
                await transport.aclose()

        return asyncio.run(main())

    def _hosted(self, bytes_of: Mapping[str, bytes]) -> Callable[[Picture], Awaitable[str]]:
        """Addresses on the stage, at which the network finds what it fetches."""

        async def public_url(wanted: Picture) -> str:
            self.server.state.files[wanted.sha256] = (wanted.mime, bytes_of.get(wanted.sha256, helpers.PNG))
            return f"{self.server.url}/_stage/media/{wanted.sha256}"

        return public_url

    def publish(self, platform: str, *parts: Part, **members: Any) -> list[Receipt]:
        """Send every part, one after the other."""
        adapter, receipts = platforms.get(platform), []
        for number in range(len(parts)):
            receipts.append(
                self.run(
                    platform,
                    adapter.publish,
                    content=parts,
                    part=number,
                    earlier=tuple(receipts),
                    **{"key": f"{number:040d}", **members},
                )
            )
        return receipts


def open_played(root: Path, **options: Any) -> Played:
    """A stage that plays ``ACCOUNTS``; not yet listening."""
    clock = Clock()
    server = StageServer(clock=clock.now, **options)
    workspace, environment = stage_workspace(Workspace(root=root, accounts=ACCOUNTS), server.url)
    reveal = {f"env:{name}": value for name, value in environment.items()}.__getitem__
    server.state.add_accounts(stage_accounts(workspace.accounts, reveal=reveal))
    client = httpx.Client(base_url=server.url, trust_env=False, timeout=10)
    return Played(server=server, clock=clock, workspace=workspace, environment=environment, http=client)
