"""A few hundred of what ``make fuzz`` tries: nothing untrusted brings a command or a delivery down."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import answers, plans, stage
from fuzz.__main__ import fuzz


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_no_plan_brings_examining_down(tmp_path: Path) -> None:
    """Every plan ends with problems at a place of the file, or with none, whatever lies beside it; nothing is written,
    and nothing from outside the workspace comes to light."""
    ends = fuzz(plans.cases, plans.workspace(tmp_path), number=300)
    assert ends["good"] > 0
    assert ends["error"] > 0


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_no_answer_brings_an_adapter_down() -> None:
    """Every answer ends with a value of the contract or with a failure of ours, which tells no secret."""
    ends = fuzz(answers.cases, answers.attempt, number=400)
    assert ends["Receipt"] > 0
    assert ends["Unconfirmed"] > 0


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_no_request_brings_the_stage_down() -> None:
    """Every request is answered in time without an error of the stage's own, and what people look at stays whole."""
    ends = fuzz(stage.cases, stage.attempt, number=150)
    assert any("2xx" in end for end in ends)
    assert any("4xx" in end for end in ends)
