"""Terminals, pipes, encodings and files that commands write: nothing from outside steers or breaks a command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Campaign
from refusals import HEAD, POST, command_line, contents, refused, workspace
from staged import Staged

HOSTILE = r"\e]0;rahasia\a\e[2J\u009b31m\r\u202etxt.exe\u202c \u200fakhir"
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
BOX = re.compile(r"\x1b\[[0-9;]*m")  # colours, which Rich writes on a terminal alone


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a plan, and one whose text, titles and names are hostile."""
    workspace(tmp_path)
    (tmp_path / "plan.yaml").write_text(HEAD + POST + '  - {id: dua, at: H-1 08:00, text: "Ayo… → ✊🏽 é"}\n', "utf-8")
    hostile = HEAD.replace("campaign: plan", f'campaign: jahat\ntitle: "[red]{HOSTILE}"')
    keys = f'    text: "Halo {HOSTILE} [bold]tebal[/bold]"\n    labels: ["{HOSTILE}"]\n'
    (tmp_path / "jahat.yaml").write_text(f"{hostile}  - id: satu\n    at: 2035-06-01 08:00\n{keys}", "utf-8")
    faulty = f'{hostile}  - id: satu\n    at: "{HOSTILE}"\n    "{HOSTILE}": 1\n    accounts: ["{HOSTILE}"]\n'
    (tmp_path / "salah.yaml").write_text(faulty, "utf-8")
    return tmp_path


def test_hostile_signs_steer_no_terminal(campaign: Campaign, root: Path) -> None:
    """Escape sequences and signs that turn the text are shown as what they are, in every output of a plan."""
    name = "\x1b]0;x\x07.yaml"
    commands = (
        ("check", "jahat.yaml"),
        ("check", "salah.yaml"),
        ("check", "salah.yaml", "--format", "github"),
        ("check", "salah.yaml", "--json"),
        ("check", name),
        ("preview", "jahat.yaml"),
        ("preview", "jahat.yaml", "--json"),
        ("preview", "jahat.yaml", "--requests"),
        ("queue", "jahat.yaml", "--yes"),
        ("preview", "jahat.yaml", "--queued"),
        ("status", "--json"),
        ("status", "--campaign", name),
        ("hold", "--reason", "\x1b[2Jalasan", "--campaign", "jahat"),
        ("log",),
        ("log", "--json"),
        ("release", "--campaign", "\x1b[2J"),
        ("release",),
        ("rehearse", "jahat.yaml"),
        ("rehearse", "jahat.yaml", "--json"),
        ("post", "x", "--to", "\x1b[2J"),
        ("cancel", "\x1b[2J/x/y"),
        ("chekc\x1b[2J",),
    )
    for command in commands:
        ran = campaign(*command)
        assert ran.code in (0, 2), ran
        assert not STEERING.search(ran.out), command
        assert not STEERING.search(BOX.sub("", ran.err).replace("\x1b[?25h", "").replace("\x1b[?25l", "")), command
        assert "Traceback" not in ran.err
        if "--json" in command:
            json.loads(ran.out)
    assert r"\x1b]0;rahasia\x07\x1b[2J\x9b31m" in campaign("check", "salah.yaml").out
    assert "[red]" in campaign("rehearse", "jahat.yaml").out
    (shown,) = json.loads(campaign("preview", "jahat.yaml", "--json").out)["posts"]
    assert "\x1b]0;rahasia\x07\x1b[2J" in shown["draft"]["parts"][0]["text"]


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "cp1252:strict"},
    ],
)
def test_a_narrow_encoding_breaks_nothing(root: Path, environment: dict[str, str]) -> None:
    """Where the output can't carry a sign, it is written another way; JSON says the same in its own escapes."""
    encoding = environment.get("PYTHONIOENCODING", "ascii").partition(":")[0]
    for command, code in (("--help", 0), ("check tidak-ada.yaml", 2), ("preview plan.yaml", 0)):
        ran = command_line(*command.split(), cwd=root, **environment)
        assert ran.returncode == code, ran
        assert b"rror" not in ran.stderr
        assert "->" in ran.stdout.decode(encoding) or command != "check tidak-ada.yaml"
    ran = command_line("preview", "plan.yaml", "--json", cwd=root, **environment)
    texts = [post["draft"]["parts"][0]["text"] for post in json.loads(ran.stdout.decode(encoding))["posts"]]
    assert "Ayo… → ✊🏽 é" in [text.strip() for text in texts]


def shell(script: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A line of shell in which ``campaign`` is the command line."""
    setup = f'campaign() {{ {sys.executable} -m campaign_cli --lang en "$@"; }}\n'
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["bash", "-c", setup + script], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_a_reader_that_goes_away(root: Path) -> None:
    """``| head`` is no error, and the command's own exit code stays true."""
    script = "; ".join(
        f"campaign {command} | head -n0; echo ${{PIPESTATUS[0]}}"
        for command in ("check plan.yaml", "check salah.yaml", "schema")
    )
    ran = shell(script, cwd=root)
    assert ran.stdout.split() == ["0", "2", "0"]
    assert ran.stderr == ""


def test_a_closed_or_full_output(root: Path) -> None:
    """Closed streams are a void, and no file of ours takes their place; a full disk behind stdout is told, exit 2."""
    ran = shell(
        "campaign check salah.yaml >&-; echo $?; campaign queue plan.yaml --yes >&- 2>&- <&-; echo $?", cwd=root
    )
    assert ran.stdout.split() == ["2", "0"]
    assert ran.stderr == ""
    assert shell("campaign status --json", cwd=root).stdout.count('"key"') == 2
    ran = shell("campaign status > /dev/full; echo $?; campaign check x.yaml 2> /dev/full >&2; echo $?", cwd=root)
    assert ran.stdout.split() == ["2", "2"]
    assert ran.stderr.splitlines()[0] == "error: standard output: the disk is full"
    assert "→ Make room on the disk" in ran.stderr


def test_a_log_that_can_not_be_written_stops_nothing(campaign: Campaign, stage: Staged) -> None:
    """A full disk under the log file is told once, and what is due is published."""
    assert campaign("post", "Sidang ditunda.", "--to", "papua", "--at", "2035-06-01 08:00").code == 0
    (key,) = [one["key"] for one in json.loads(campaign("status", "--json").out)["deliveries"]]
    assert campaign("cancel", key, "--yes").code == 0
    assert campaign("retry", key, "--yes").code == 0
    ran = campaign("publish", "--log-file", "/dev/full")
    assert ran.code == 0
    assert ran.err == "warning: The log can't be written: the disk is full\n"
    assert len(stage.posts()) == 1


@pytest.mark.parametrize(
    ("command", "says", "fix"),
    [
        (("preview", "plan.yaml", "--html", "media"), "media: this is a folder, not a file", "Name a file"),
        (
            ("preview", "plan.yaml", "--html", "plan.yaml/x.html"),
            "there is something of that name already",
            "Choose another name",
        ),
        (("rehearse", "plan.yaml", "--html", "media"), "media: this is a folder, not a file", "Name a file"),
        (("schema", "--output", "media"), "media: this is a folder, not a file", "Name a file"),
        (("schema", "--output", "/proc/x/y.json"), "there is no such file or folder", "Check the name"),
        (("publish", "--log-file", "media"), "media: this is a folder, not a file", "Name a file"),
        (("init", "plan.yaml"), "is a file, not a folder", "Choose another name"),
        (("preview", "plan.yaml", "--html", "x" * 300), "the name is too long", "Choose another name"),
    ],
)
def test_a_file_that_can_not_be_written(
    campaign: Campaign, root: Path, command: tuple[str, ...], says: str, fix: str
) -> None:
    """The file is named, with the fix and exit code 2, and no half of it is left."""
    (root / "media").mkdir()
    refused(campaign, *command, says=says, fix=fix, root=root)


def test_an_older_page_survives_what_fails(campaign: Campaign, root: Path) -> None:
    """A page is replaced whole, and a pipe is written to and never replaced."""
    assert campaign("preview", "plan.yaml", "--html", "halaman.html").code == 0
    page = (root / "halaman.html").read_bytes()
    script = "ulimit -S -f 1; campaign preview jahat.yaml --html halaman.html; echo $?"
    ran = shell(script, cwd=root)
    assert ran.stdout.split()[-1] == "2"
    assert "the file would become too large" in ran.stderr
    assert contents(root)["halaman.html"] == page
    assert not [name for name in contents(root) if name.endswith(".tmp")]
    os.mkfifo(root / "pipa")
    reader = os.open(root / "pipa", os.O_RDONLY | os.O_NONBLOCK)
    assert campaign("schema", "--output", "pipa").code == 0
    assert json.loads(os.read(reader, 1 << 20)) == json.loads(campaign("schema").out)
    os.close(reader)
    assert (root / "pipa").is_fifo()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_rehearsal_that_is_stopped_leaves_nothing(
    root: Path, tmp_path_factory: pytest.TempPathFactory, number: signal.Signals
) -> None:
    """Ctrl-C ends a rehearsal with 130 and a word, and neither a file nor a process of it stays."""
    before, temporary = contents(root), tmp_path_factory.mktemp("sementara")
    command = [
        sys.executable,
        "-m",
        "campaign_cli",
        "--lang",
        "en",
        "rehearse",
        "plan.yaml",
        "--misbehave",
        "mastodon:slow:seconds=60",
    ]
    with subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        end = time.monotonic() + 20
        while not list(temporary.rglob("ledger.sqlite3")) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in out + errors
    assert list(temporary.iterdir()) == []
    assert contents(root) == before
