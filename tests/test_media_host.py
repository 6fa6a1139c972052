"""media_host: networks that fetch media themselves find them on a WordPress site or in a folder of a web server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from content_helpers import Folder
from dispatch_helpers import FakePlatform, Table
from platform_helpers import PNG, picture, sending
from stage_helpers import ACCOUNTS, png
from test_wordpress import on_its_way, site

from campaign_cli.accounts import Workspace
from campaign_cli.content.hosts import host_problems
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Picture, Receipt
from campaign_cli.plan import open_workspace
from campaign_cli.platforms.base import Sending, Session
from campaign_cli.platforms.wordpress import platform as wordpress
from campaign_cli.stage import MEDIA_HOST, stage_accounts, stage_workspace
from campaign_cli.stage.server import StageServer

POSTER = picture()
URL = "https://serikat.example/media"


class Fetching(FakePlatform):
    """A network that fetches its media; ``hosted`` counts what its own accounts were asked to hold."""

    fetches_media = True

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.files: set[str] = set()
        self.refuses: Failure | None = None
        self.hosted: list[str] = []
        self.down = 0

    async def publish(self, sending: Sending) -> Receipt:
        for each in sending.content.media:
            self.fetched.append(await sending.public_url(each))
        return await super().publish(sending)

    async def host(self, session: Session, picture: Picture, content: bytes) -> str:
        session.secret("token")
        if self.down:
            self.down -= 1
            raise Unavailable("No route.")
        if self.refuses is not None:
            raise self.refuses
        await asyncio.sleep(0)
        if picture.sha256 not in self.files:
            self.files.add(picture.sha256)
            self.hosted.append(f"{session.account.name}: {len(content)}")
        return f"https://web.example/{picture.name}"


def table(root: Path, host: str | Mapping[str, str] | None) -> Table:
    own = replace(Table.account("foto"), media_host=host)
    made = Table(root, own, "web")
    made.platform = Fetching()
    return made


def publish(table: Table) -> None:
    asyncio.run(publish_pass(table.dispatcher()))


def test_a_folder_gets_the_file_under_the_name_of_its_content(tmp_path: Path) -> None:
    """Readable for the web server, whole, and nothing else beside it."""
    (tmp_path / "public").mkdir()
    played = table(tmp_path, {"folder": "public", "url": URL})
    key = played.queue("a", account="foto", media={POSTER: PNG})
    publish(played)
    assert played.state(key) == "published"
    (file,) = (tmp_path / "public").iterdir()
    assert file.name == f"{POSTER.sha256}.png"
    assert file.read_bytes() == PNG
    assert file.stat().st_mode & 0o777 == 0o644
    assert played.platform.fetched == [f"{URL}/{file.name}"]


def test_a_file_that_lies_there_is_not_written_again(tmp_path: Path) -> None:
    """The same picture in two posts is one file, which stays as it was."""
    (tmp_path / "public").mkdir()
    played = table(tmp_path, {"folder": "public", "url": URL})
    played.queue("a", account="foto", media={POSTER: PNG})
    publish(played)
    (file,) = (tmp_path / "public").iterdir()
    before = file.stat()
    played.queue("b", account="foto", media={POSTER: PNG})
    publish(played)
    assert file.stat().st_ino == before.st_ino
    assert len(played.platform.fetched) == 2


def test_a_folder_that_is_gone_fails_with_what_to_do(tmp_path: Path) -> None:
    """Nothing is sent, and the reason names the folder."""
    played = table(tmp_path, {"folder": "public", "url": URL})
    key = played.queue("a", account="foto", media={POSTER: PNG})
    publish(played)
    found = played.ledger.delivery(key)
    assert found is not None
    assert found.state.value == "failed"
    assert "public" in found.error
    assert played.remote.posts == {}


@pytest.mark.parametrize("tidied", [False, True])
def test_a_second_try_uploads_again_only_what_is_gone(tmp_path: Path, tidied: bool) -> None:
    """Between two tries days may lie: a file that somebody took off the host is put there again."""
    played = table(tmp_path, "web")
    key = played.queue("a", account="foto", media={POSTER: PNG})
    played.remote.script.extend(["down"])
    publish(played)
    assert played.state(key) == "waiting"
    if tidied:
        played.platform.files.clear()
    asyncio.run(played.clock.sleep(3600 / 4))
    publish(played)
    assert played.state(key) == "published"
    assert played.platform.hosted == [f"web: {len(PNG)}"] * (2 if tidied else 1)
    assert played.platform.fetched == ["https://web.example/poster.png"] * 2


def test_a_host_that_is_down_lets_the_post_wait(tmp_path: Path) -> None:
    """Its refusal says whose it is."""
    played = table(tmp_path, "web")
    played.platform.down = 1
    key = played.queue("a", account="foto", media={POSTER: PNG})
    publish(played)
    found = played.ledger.delivery(key)
    assert found is not None
    assert found.state.value == "waiting"
    assert found.error.startswith("media_host “web”: No route.")


@pytest.mark.parametrize(
    ("refusal", "state", "credential"),
    [
        (Rejected("The file is too large.", status=413), "failed", False),
        (Unauthorized("The password was refused.", status=401), "failed", True),
        (Unconfirmed("No answer."), "waiting", False),
    ],
)
def test_a_host_that_refuses_is_named(tmp_path: Path, refusal: Failure, state: str, credential: bool) -> None:
    """Whose refusal it is, and whose secret to renew; nothing of the post was sent, so nothing is uncertain."""
    played = table(tmp_path, "web")
    played.platform.refuses = refusal
    key = played.queue("a", account="foto", media={POSTER: PNG})
    outcome = asyncio.run(publish_pass(played.dispatcher()))
    found = played.ledger.delivery(key)
    assert found is not None
    assert found.state.value == state
    assert found.error.startswith("media_host “web”: ")
    assert ("campaign accounts check web" in found.error) == credential
    assert [result.credential for result in outcome.results] == [credential]
    assert played.remote.posts == {}


def test_a_file_that_was_changed_on_the_host_is_written_anew(tmp_path: Path) -> None:
    """Also where it is as long as it was: what is fetched is what was approved."""
    (tmp_path / "public").mkdir()
    played = table(tmp_path, {"folder": "public", "url": URL})
    file = tmp_path / "public" / f"{POSTER.sha256}.png"
    for wrong in (PNG[::-1], PNG[:-1], b""):
        file.write_bytes(wrong)
        played.queue(f"a{len(played.ledger.deliveries())}", account="foto", media={POSTER: PNG})
        publish(played)
        assert file.read_bytes() == PNG
    (tmp_path / "rahasia").write_bytes(b"tetap")
    file.unlink()
    file.symlink_to(tmp_path / "rahasia")
    played.queue("akhir", account="foto", media={POSTER: PNG})
    publish(played)
    assert (file.read_bytes(), file.is_symlink()) == (PNG, False)
    assert (tmp_path / "rahasia").read_bytes() == b"tetap"


@pytest.mark.parametrize("host", [None, "tiada"])
def test_without_a_host_nothing_is_sent(tmp_path: Path, host: str | None) -> None:
    """An account whose media_host was taken out after queueing says what to write."""
    played = table(tmp_path, host)
    key = played.queue("a", account="foto", media={POSTER: PNG})
    publish(played)
    found = played.ledger.delivery(key)
    assert found is not None
    assert found.state.value == "failed"
    assert "media_host" in found.error
    assert played.remote.posts == {}


def test_wordpress_uploads_each_content_once() -> None:
    """What an earlier process uploaded is found again by its name, which comes from its content."""
    network = site()
    first = asyncio.run(wordpress.host(on_its_way(network), POSTER, PNG))
    again = asyncio.run(wordpress.host(on_its_way(network), replace(POSTER, name="lain.png", alt="Lain"), PNG))
    assert first == again
    (media,) = network.media.values()
    assert media["bytes"] == len(PNG)
    assert POSTER.sha256[:40] in first


def test_networks_that_hold_no_files_say_so() -> None:
    """Only WordPress can stand in for a web server."""
    from campaign_cli.platforms.telegram import platform

    item = sending(platform, site(), settings=ACCOUNTS["kanal"].settings, secrets={"token": "1:x"})
    with pytest.raises(Rejected, match="can't hold files"):
        asyncio.run(platform.host(item, POSTER, PNG))


def problem_of(folder: Folder, line: str, account: str = "papua-telegram") -> tuple[str, int, str]:
    """Code, line and message of the one problem of an account of a network that fetches."""
    text = (folder.root / "accounts.yaml").read_text().replace('"@contoh_papua",', f'"@contoh_papua", {line}')
    folder.write("accounts.yaml", text)
    workspace, problems = open_workspace(folder.root)
    assert problems == []
    (found,) = host_problems(workspace.accounts[account], workspace)
    return found.code, found.line, found.message


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        ("", "A020", "no media_host"),
        ("media_host: wep,", "A021", 'Did you mean "web"?'),
        ("media_host: langit,", "A021", "Bluesky"),
        ("media_host: {folder: tiada, url: https://serikat.example/m},", "A021", "tiada"),
    ],
)
def test_what_keeps_a_host_from_being_used_is_told_at_its_line(tmp_path: Path, line: str, code: str, word: str) -> None:
    """No host, an unknown account, one that holds no files, and a folder that is missing."""
    found = problem_of(Folder(tmp_path), line)
    assert found[:2] == (code, 4)
    assert word in found[2]


@pytest.mark.parametrize("line", ["web", "{folder: public, url: https://serikat.example/m}"])
def test_a_host_that_can_be_used_is_no_problem(tmp_path: Path, line: str) -> None:
    """A WordPress account of the workspace, or a folder that is there."""
    folder = Folder(tmp_path)
    (tmp_path / "public").mkdir()
    text = (tmp_path / "accounts.yaml").read_text()
    folder.write("accounts.yaml", text.replace('"@contoh_papua",', f'"@contoh_papua", media_host: {line},'))
    workspace, problems = open_workspace(tmp_path)
    assert problems == []
    assert list(host_problems(workspace.accounts["papua-telegram"], workspace)) == []


@pytest.mark.parametrize(
    "value", ["5", "[web]", "{folder: x}", "{folder: x, url: http://serikat.example}", '{folder: "", url: https://a.b}']
)
def test_what_is_no_host_is_refused_when_accounts_are_read(tmp_path: Path, value: str) -> None:
    """A number, a list, half of a folder, an address that isn't https."""
    folder = Folder(tmp_path)
    text = (tmp_path / "accounts.yaml").read_text()
    folder.write("accounts.yaml", text.replace('"@contoh_papua",', f'"@contoh_papua", media_host: {value},'))
    _workspace, problems = open_workspace(tmp_path)
    assert [(problem.code, problem.line) for problem in problems] == [("A021", 4)]


def test_a_plan_with_pictures_for_a_fetching_network_needs_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem is told by check and blocks; a post without pictures needs none."""
    from campaign_cli.platforms.telegram import Telegram

    monkeypatch.setattr(Telegram, "fetches_media", True)
    folder = Folder(tmp_path)
    folder.write("p.png", png())
    body = "posts:\n  - {id: a, at: 2026-12-03 08:00, accounts: [papua-telegram], text: Halo"
    assert folder.plan(body + "}").problems == []
    examined = folder.plan(body + ", media: [{file: p.png, alt: Poster, consent: true}]}")
    assert [(problem.code, problem.file, problem.line) for problem in examined.problems] == [
        ("A020", "accounts.yaml", 4)
    ]
    assert examined.drafts == {}


def test_the_stage_holds_the_media_of_networks_that_fetch_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own site takes them over real HTTP, whatever host the workspace names, and shows them to everybody."""
    import httpx

    from campaign_cli.credentials import Secrets
    from campaign_cli.platforms.http import HttpTransport
    from campaign_cli.platforms.telegram import Telegram

    monkeypatch.setattr(Telegram, "fetches_media", True)
    table = Table(tmp_path)
    with StageServer(clock=table.clock.now) as server:
        staged, environment = stage_workspace(Workspace(root=tmp_path, accounts=ACCOUNTS), server.url)
        secrets = Secrets(environment=environment, root=tmp_path)
        server.state.add_accounts(stage_accounts(staged.accounts, reveal=secrets.reveal))
        assert staged.accounts["kanal"].media_host == MEDIA_HOST
        host: Account = staged.accounts[MEDIA_HOST]

        async def hosted() -> str:
            transport = HttpTransport(redact=secrets.redact, now=table.clock.now)
            item = Session(
                account=host,
                http=transport,
                secret=lambda name: secrets.reveal(host.settings[name]),
                now=table.clock.now,
                sleep=table.clock.sleep,
                memory={},
            )
            try:
                return await wordpress.host(item, POSTER, PNG)
            finally:
                await transport.aclose()

        url = asyncio.run(hosted())
        assert httpx.get(url, trust_env=False).content == PNG
        assert asyncio.run(hosted()) == url
