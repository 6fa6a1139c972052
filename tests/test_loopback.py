"""How the code of a sign-in comes back: by the browser, to this machine alone, or pasted; and what else knocks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from login_helpers import Browser, Office, office

from campaign_cli.errors import CredentialError, InputError
from campaign_cli.signin import loopback


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """A workspace whose accounts log in on a stage."""
    with office(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    "pasted", ["https://a.example/?code=abc&state=wrong", "https://a.example/?code=abc", "code=abc"]
)
def test_a_pasted_answer_of_another_sign_in(desk: Office, pasted: str) -> None:
    """Its state is not ours: the code is not used."""
    with pytest.raises(InputError, match="another sign-in"):
        desk.sign_in("kicau", browser=Browser(pasted=pasted, follow=False), paste=True)
    assert "codes" not in desk.rules()


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("https://a.example/?state=s&code=4%2F0Ab", "4/0Ab"),
        ("https://a.example/?state=s&co\n  de=4%2F0Ab#_=_", "4/0Ab"),
        ("'https://a.example/masuk?x=1&code=abc&state=s#_'", "abc"),
        ("?code=abc&state=s", "abc"),
        ("abc&state=s", "abc"),
        ("4%2F0Ab", "4/0Ab"),
        ("4/0Ab", "4/0Ab"),
        ("abc#_=_", "abc"),
        ("abc#_", "abc"),
    ],
)
def test_every_way_to_paste(pasted: str, code: str) -> None:
    """As it stands in the browser's line, broken over lines, with what Meta hangs on it, or only a piece of it."""
    assert loopback.code_in(pasted, state="s") == code


@pytest.mark.parametrize(
    "pasted",
    ["https://[", "https://a.example/#code=a&state=s", "code=a&state=\udcff", "abc&state=t", "http://a?state=s"],
)
def test_hostile_pastes_are_said(pasted: str) -> None:
    """Without a traceback."""
    with pytest.raises(InputError):
        loopback.code_in(pasted, state="s")


def test_a_wrong_paste_is_no_end(desk: Office) -> None:
    """Where somebody can be asked again they are told what was wrong, and the same sign-in goes on."""

    class Clumsy(Browser):
        said: list[str]

        def paste(self, wrong: InputError | None = None) -> str:
            self.said = [*getattr(self, "said", []), wrong.message if wrong else ""]
            return {1: "https://[", 2: "dua kata"}.get(len(self.said)) or super().paste()

    browser = Clumsy(follow=False)
    assert desk.works("kicau", desk.sign_in("kicau", browser=browser, paste=True).login.access)
    assert browser.said == ["", "This answer belongs to another sign-in.", "This is no code."]


def test_a_page_that_shows_the_code_knows_no_state() -> None:
    """Mastodon's own page has the code in its address, and nothing else; a state that stands there still counts."""
    page = "https://m.example/oauth/authorize/native?code=abc"
    assert loopback.code_in(page, state="s", shown=True) == "abc"
    with pytest.raises(InputError, match="another sign-in"):
        loopback.code_in(f"{page}&state=t", state="s", shown=True)
    with pytest.raises(InputError, match="another sign-in"):
        loopback.code_in(page, state="s")


def test_the_address_of_a_page_that_shows_the_code(desk: Office) -> None:
    """Pasted whole, it opens the account."""

    class Reader(Browser):
        def paste(self, wrong: InputError | None = None) -> str:
            page = httpx.get(self.shown[0], trust_env=False).text
            code = page.partition("<code>")[2].partition("</code>")[0]
            return f"https://m.example/oauth/authorize/native?code={code}"

    assert desk.works("toot", desk.sign_in("toot", browser=Reader(follow=False), paste=True).login.access)


@pytest.mark.parametrize("pasted", ["", "  ", "two words"])
def test_what_is_no_code(desk: Office, pasted: str) -> None:
    """Is said, and not sent."""
    with pytest.raises(InputError, match="no code"):
        desk.sign_in("kicau", browser=Browser(pasted=pasted, follow=False), paste=True)


def test_a_code_that_nobody_gave_out(desk: Office) -> None:
    """The network's refusal is told in its words, with what to check."""
    with pytest.raises(CredentialError, match="invalid_grant") as caught:
        desk.sign_in("kicau", browser=Browser(pasted="salah", follow=False), paste=True)
    assert "secret" in caught.value.fix


def listen(visit: Callable[[int], list[httpx.Response]], *, patience: float = 10) -> tuple[str, list[httpx.Response]]:
    """Listen for state ``s`` while ``visit`` does its requests in a thread; the code and the answers."""

    async def main() -> tuple[str, list[httpx.Response]]:
        async with loopback.listening("s") as listener:
            visiting = asyncio.create_task(asyncio.to_thread(visit, listener.port))
            try:
                code = await listener.wait(patience)
            finally:
                answers = await visiting
            return code, answers

    return asyncio.run(main())


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=10)


def test_whoever_else_knocks_changes_nothing() -> None:
    """A browser's icon, another path, a wrong state, a request without a query: the right one still counts."""
    paths = ["/favicon.ico", "/", "/x?code=a&state=s", "/?code=a&state=wrong", "/?state=s", "/?code=right&state=s"]
    code, answers = listen(lambda port: [get(port, path) for path in paths])
    assert code == "right"
    assert [answer.status_code for answer in answers] == [404, 404, 404, 400, 400, 200]
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)


def test_one_answer_counts() -> None:
    """A second one is told that it comes too late."""

    async def main() -> tuple[str, int]:
        async with loopback.listening("s") as listener:
            first = await asyncio.to_thread(get, listener.port, "/?code=one&state=s")
            second = await asyncio.to_thread(get, listener.port, "/?code=two&state=s")
            assert first.status_code == 200
            return await listener.wait(5), second.status_code

    assert asyncio.run(main()) == ("one", 410)


def test_what_is_no_request_is_dropped() -> None:
    """Garbage and endless heads end their own connection and nothing else."""

    def visit(port: int) -> list[httpx.Response]:
        for junk in (b"\x16\x03\x01" + b"x" * 40_000, b"GET /?code=a&state=s", b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(junk)
        return [get(port, "/?code=right&state=s")]

    assert listen(visit)[0] == "right"


def raw(port: int, request: str) -> bytes:
    """The answer to a request as it is written."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode())
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize(
    "request_head",
    [
        "GET /?code=a&state=s HTTP/1.1\r\nHost: jahat.example:8719\r\n\r\n",
        "GET /?code=a&state=s HTTP/1.1\r\n\r\n",
        "GET /?code=a&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: jahat.example\r\n\r\n",
        "GET /?code=a&state=s HTTP/1.1\r\nHost: [\r\n\r\n",
        "GET //[x?code=a&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "POST /?code=a&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)
def test_a_name_that_was_made_to_lead_here(request_head: str) -> None:
    """Is not this machine's (DNS rebinding), and what can't be read is nothing: no code, and no traceback."""
    heard: list[bytes] = []

    def visit(port: int) -> list[httpx.Response]:
        heard.append(raw(port, request_head))
        return [get(port, "/?code=right&state=s")]

    assert listen(visit)[0] == "right"
    assert heard[0].startswith(b"HTTP/1.1 404 ")


def test_a_page_quotes_nothing_as_html() -> None:
    """The network's words are text."""

    def visit(port: int) -> list[httpx.Response]:
        return [get(port, "/?state=s&error=%3Cscript%3Ealert(1)%3C/script%3Eno")]

    async def main() -> str:
        async with loopback.listening("s") as listener:
            answers = await asyncio.to_thread(visit, listener.port)
            with pytest.raises(CredentialError):
                await listener.wait(5)
            return answers[0].text

    assert "<script" not in asyncio.run(main())


def test_nobody_comes_back(desk: Office) -> None:
    """After a while it ends by itself, and says how to do it on a server; the port is free again."""
    browser = Browser(follow=False)
    with pytest.raises(CredentialError, match="Nobody came back") as caught:
        desk.sign_in("kicau", browser=browser, patience=0.05)
    assert "--paste" in caught.value.fix
    port = urlsplit(browser.shown[1]).port
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_a_taken_port_is_said(desk: Office) -> None:
    """With the two ways out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="Port") as caught:
            desk.sign_in("kicau", port=taken.getsockname()[1])
    assert "--port" in caught.value.fix and "--paste" in caught.value.fix
