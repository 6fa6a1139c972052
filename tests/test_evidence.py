"""Evidence: one document that ties plan, content, request, receipt and log together."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest
from conftest import Campaign
from staged import SECRETS, Staged, soon

from campaign_cli.dispatch.wire import fingerprint
from campaign_cli.platforms.base import Request, Upload

LEAD = 3


def published(campaign: Campaign, stage: Staged) -> Path:
    """One post that is out on two networks."""
    plan = stage.plan(
        f'  - id: pembuka\n    at: "{soon(seconds=LEAD)}"\n    text: "Upah <b>layak</b>."\n'
        "    accounts: [mastodon, papua]\n"
    )
    assert campaign("queue", plan, "--yes").code == 0
    time.sleep(LEAD)
    assert campaign("publish").code == 0
    return plan


def test_it_ties_everything_together(
    campaign: Campaign, stage: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The JSON file has plan, content hash, request hash, receipt and log; the page shows its SHA-256; the log knows
    who signed it off; no secret is in either."""
    plan = published(campaign, stage)
    out = tmp_path / "bukti" / "upah"
    ran = campaign("evidence", "plan", "--out", out, "--plan", plan, "--as", "Siti Rahma", "--lang", "en")
    assert ran.code == 0, ran.err
    text = out.with_name("upah.json").read_text(encoding="utf-8")
    document, digest = json.loads(text), hashlib.sha256(text.encode()).hexdigest()
    assert document["plan"]["sha256"] == hashlib.sha256(plan.read_bytes()).hexdigest()
    assert document["log"]["whole"] is True
    (status, *_rest) = json.loads(campaign("status", "--json", "--account", "papua").out)["deliveries"]
    one = next(each for each in document["deliveries"] if each["account"] == "papua")
    assert one["content_hash"] == status["hash"]
    (proof,) = one["receipts"]
    assert proof["url"] == status["receipts"][0]["url"]
    assert len(proof["extra"]["request"]) == 64
    assert [event["kind"] for event in document["events"] if event["key"] == one["key"]] == [
        "queued",
        "sending",
        "published",
    ]
    page = out.with_name("upah.html").read_text(encoding="utf-8")
    assert digest in page
    assert proof["extra"]["request"] in page
    assert "Upah &lt;b&gt;layak&lt;/b&gt;." in page
    assert all(secret not in text + page for secret in SECRETS.values())
    last = json.loads(campaign("log", "--json").out)["events"][-1]
    assert (last["kind"], last["data"]) == ("evidence", {"name": "Siti Rahma", "sha256": digest})
    assert campaign("log", "--verify").code == 0


def test_the_page_tells_the_story_in_the_language_of_the_reader(
    campaign: Campaign, stage: Staged, tmp_path: Path
) -> None:
    """What happened is said in words, as the log says it."""
    published(campaign, stage)
    assert campaign("withdraw", "plan/pembuka/papua", "--reason", "salah angka", "--yes").code == 0
    assert campaign("evidence", "plan", "--out", tmp_path / "upah", "--lang", "id").code == 0
    page = (tmp_path / "upah.html").read_text(encoding="utf-8")
    for word in ("diantrekan", "terbit", "akan diturunkan", "diturunkan"):
        assert f"<td>{word}</td>" in page
    assert "withdraw" not in page


def test_only_its_owner_reads_it(campaign: Campaign, stage: Staged, tmp_path: Path) -> None:
    """It ties names to posts: 0600, also where an older file was everybody's."""
    published(campaign, stage)
    out = tmp_path / "bukti" / "upah"
    out.parent.mkdir()
    out.with_name("upah.json").write_text("{}")
    out.with_name("upah.json").chmod(0o644)
    assert campaign("evidence", "plan", "--out", out).code == 0
    files = sorted(out.parent.iterdir())
    assert [(file.name, file.stat().st_mode & 0o777) for file in files] == [("upah.html", 0o600), ("upah.json", 0o600)]


def test_only_the_campaign_is_in_it(campaign: Campaign, stage: Staged, tmp_path: Path) -> None:
    """Other campaigns' deliveries and events stay out; a hold of everything stays in."""
    for name in ("satu", "dua"):
        plan = stage.plan(f'  - id: p\n    at: "{soon(hours=1)}"\n    text: "{name}"\n', name=f"{name}.yaml")
        assert campaign("queue", plan, "--yes").code == 0
    assert campaign("hold", "--reason", "uji").code == 0
    assert campaign("evidence", "satu", "--out", tmp_path / "bukti").code == 0
    document = json.loads((tmp_path / "bukti.json").read_text(encoding="utf-8"))
    assert [one["key"] for one in document["deliveries"]] == ["satu/p/mastodon"]
    assert {event["campaign"] for event in document["events"]} == {"satu", None}
    assert [hold["reason"] for hold in document["holds"]] == ["uji"]
    assert document["signed_off_by"] is None


def test_bad_input_writes_nothing(campaign: Campaign, stage: Staged, tmp_path: Path) -> None:
    """An unknown campaign, another campaign's plan, a place that can't be written."""
    plan = stage.plan(f'  - id: p\n    at: "{soon(hours=1)}"\n    text: "satu"\n')
    assert campaign("queue", plan, "--yes").code == 0
    out = tmp_path / "bukti"
    ran = campaign("evidence", "lain", "--out", out, "--lang", "en")
    assert (ran.code, "knows no campaign lain" in ran.err) == (2, True)
    other = stage.plan(f'  - id: p\n    at: "{soon(hours=1)}"\n    text: "dua"\n', name="lain.yaml")
    ran = campaign("evidence", "plan", "--plan", other, "--out", out, "--lang", "en")
    assert (ran.code, "is the plan of lain, not of plan" in ran.err) == (2, True)
    assert not out.with_name("bukti.json").exists()
    (tmp_path / "berkas").write_text("x")
    ran = campaign("evidence", "plan", "--out", tmp_path / "berkas" / "bukti", "--lang", "en")
    assert (ran.code, "--out" in ran.err) == (2, True)


def test_a_request_is_known_by_what_it_says_and_not_by_its_secret() -> None:
    """The same request has the same fingerprint whatever the token; other words, files or methods have another."""

    def of(secret: str, **changes: object) -> str:
        request = Request(
            **{
                "method": "POST",
                "url": f"https://api.example/bot{secret}/send",
                "json": {"text": "Upah"},
                "headers": {"authorization": f"Bearer {secret}"},
                **changes,
            }  # type: ignore[arg-type]
        )
        return fingerprint(request, redact=lambda text: text.replace(secret, "***"))

    first = of("rahasia-satu")
    assert first == of("rahasia-dua")
    upload = Upload(field="file", name="a.jpg", mime="image/jpeg", content=b"a")
    others = {
        of("rahasia-satu", json={"text": "Hak"}),
        of("rahasia-satu", method="PUT"),
        of("rahasia-satu", json=None, content=b"a"),
        of("rahasia-satu", json=None, content=b"b"),
        of("rahasia-satu", json=None, uploads=(upload,)),
        of("rahasia-satu", json={"text": "\ud800"}),
    }
    assert len(others) == 6
    assert first not in others
