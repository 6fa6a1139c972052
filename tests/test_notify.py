"""Telling people of what needs them."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from campaign_cli.credentials import Secrets
from campaign_cli.dispatch import notify
from campaign_cli.dispatch.notify import Notifier, compose
from campaign_cli.errors import CredentialError, MissingExtra
from campaign_cli.ledger.values import Notice
from campaign_cli.models import State

NOW = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)


def notice(name: str, kind: State = State.FAILED, message: str = "Too long.") -> Notice:
    return Notice(key=f"upah/{name}/web", kind=kind, message=message, at=NOW)


def notifier(tmp_path: Path, *addresses: str) -> Notifier:
    environment = {f"NOTIFY_{number}": address for number, address in enumerate(addresses)}
    secrets = Secrets(environment=environment, root=tmp_path)
    return Notifier(references=[f"env:{name}" for name in environment], secrets=secrets)


def test_a_message_names_each_delivery_and_why() -> None:
    """One message lists every delivery with what happened and the reason."""
    title, body = compose([notice("a"), notice("b", State.MISSED, ""), notice("c", State.UNCERTAIN, "Reset.")])
    assert "3 deliveries" in title
    assert body.splitlines() == ["Failed: upah/a/web: Too long.", "Missed: upah/b/web", "Uncertain: upah/c/web: Reset."]


def test_a_long_list_is_cut_and_says_so() -> None:
    """Hundreds of failures make one readable message."""
    _title, body = compose([notice(str(number)) for number in range(300)])
    assert len(body.splitlines()) == 21
    assert "280" in body.splitlines()[-1]


def test_it_reaches_the_address_behind_the_reference(tmp_path: Path) -> None:
    """The notice arrives at a real server on this machine."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        trouble = asyncio.run(
            notifier(tmp_path, f"json://127.0.0.1:{server.server_port}/hook").tell([notice("pembuka")])
        )
        server.shutdown()
    assert trouble is None
    assert b"upah/pembuka/web" in received[0]


def test_a_notifier_that_fails_never_raises(tmp_path: Path) -> None:
    """A server that is not there is a sentence, not an exception."""
    assert asyncio.run(notifier(tmp_path, "json://127.0.0.1:9/hook").tell([notice("a")]))


def test_an_address_is_never_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An address that can't be read is told by its place, and its words stay out of message and log."""
    caplog.set_level(logging.DEBUG)
    trouble = asyncio.run(notifier(tmp_path, "nonsense://geheim-token").tell([notice("a")]))
    assert trouble is not None
    assert "geheim" not in trouble
    assert "geheim" not in caplog.text


def test_an_absent_secret_is_said_with_its_fix(tmp_path: Path) -> None:
    """A reference to nothing is explained and harms nothing."""
    absent = Notifier(references=["env:NOT_SET"], secrets=Secrets(environment={}, root=tmp_path))
    with pytest.raises(CredentialError):
        absent.prepare()
    assert "NOT_SET" in (asyncio.run(absent.tell([notice("a")])) or "")


def test_without_the_extra_the_install_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Apprise is not installed, the sentence tells how to install it."""
    monkeypatch.setattr(notify, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra):
        notifier(tmp_path, "json://127.0.0.1").prepare()
    assert "campaign-cli[notify]" in (asyncio.run(notifier(tmp_path, "json://127.0.0.1").tell([notice("a")])) or "")


def test_nobody_to_tell_is_no_work(tmp_path: Path) -> None:
    """Without addresses, or without notices, nothing happens."""
    nobody = Notifier(references=[], secrets=Secrets(environment={}, root=tmp_path))
    assert not nobody.enabled
    assert asyncio.run(nobody.tell([notice("a")])) is None
    assert asyncio.run(notifier(tmp_path, "json://127.0.0.1:9").tell([])) is None
