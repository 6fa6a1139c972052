"""Fixtures that every part uses: the command line in this process, and a language that does not leak between tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import backends
import pytest
import spoken
from hypothesis import HealthCheck, settings
from postgres_server import postgres_server
from secret_sweep import (
    _secrets_stay,  # noqa: F401 - a fixture of every test
    leaks,
)
from staged import Staged, staged

from campaign_cli import i18n
from campaign_cli.cli.main import run

# No test is timed: a busy machine is none of our faults.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
settings.register_profile("soak", deadline=None)  # pytest --hypothesis-profile=soak: the state machine's long form


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--ledger postgresql`` runs the same tests over a PostgreSQL server that it starts."""
    parser.addoption("--ledger", choices=("sqlite", "postgresql"), default="sqlite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what speaks of one database's own files or processes where the other one is asked for."""
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[config.getoption("--ledger")]
    left_out = [item for item in items if item.get_closest_marker(other)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", autouse=True)
def _database_server(request: pytest.FixtureRequest) -> Iterator[None]:
    """The server behind ``--ledger postgresql``, one for each process of the tests."""
    if request.config.getoption("--ledger") == "sqlite":
        yield
        return
    with postgres_server() as backends.server:
        yield
    backends.server = None


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and both streams."""

    code: int
    out: str
    err: str


Campaign = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Every test begins and ends in the language of the source, and says nothing that has no translation."""
    with pytest.MonkeyPatch.context() as patch:
        spoken.listen(patch)
        spoken.faults.clear()
        i18n.use_language("en")
        yield
    i18n.use_language("en")
    assert not spoken.faults


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No workspace, database or width of the machine's environment reaches a test."""
    for name in ("CAMPAIGN_WORKSPACE", "CAMPAIGN_DATABASE_URL", "COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _plain_machine: None) -> None:
    """The ledger of the workspace in ``tmp_path`` is where ``--ledger`` says."""
    if backends.server is not None:
        monkeypatch.setenv("CAMPAIGN_DATABASE_URL", backends.place(tmp_path)["database_url"])


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Campaign]:
    """Run a command line in ``tmp_path`` as the shell would, in English unless ``--lang`` is given."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        words = [str(argument) for argument in arguments]
        code = run(words if "--lang" in words else ["--lang", "en", *words])
        captured = capsys.readouterr()
        said = list(leaks(tmp_path, [captured.out, captured.err], files=False))
        assert not said, f"a secret stands in {said}"
        assert not re.search(r"\bNone\b", captured.out + captured.err), "nothing is shown as None"
        return Ran(code, captured.out, captured.err)

    yield call


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names neither proxies nor authorities."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Staged]:
    """A workspace in ``tmp_path`` whose accounts live on a stage."""
    with staged(tmp_path) as made:
        yield made
