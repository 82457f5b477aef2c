"""Every example, and every bullet on customising, of the preference document, typed as it stands there and
driven to the end through the page, for pairs and for prompts alone, on the first rows of real files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from localfireworks.judge import JudgingEngine
from sessions.models import TuningSession
from sessions.states import GateKind, Status
from tests.factories import BIG_QWEN, QWEN, make_base_model
from tests.integration.evaluators.conftest import walls
from tests.integration.preference.conftest import JUDGE, STRONG, WEAK, Speaking, content
from tests.integration.seeds.journey import Journey, customisations, instructions, rows_of
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import report
from tests.integration.workflows.test_evaluator_faults import on_fireworks

__all__ = ["walls"]

NAME = "preference-learning"
DPO = "dpoJobs"
MIXTURE = "accounts/fireworks/models/qwen3-30b-a3b"
Bodies = list[dict[str, Any]]
LISTS = b'''
def evaluate(messages, ground_truth=None, **row):
    """A point for a list, little for any other text of some length, nothing for a curt one."""
    text = messages[-1]["content"] or ""
    return {"score": 1.0 if text.startswith("- ") else 0.1 * (len(text) > 40)}
'''


@pytest.fixture
def journey(db: None, tmp_path: Path, client: Client, settings: Settings) -> Iterator[Journey]:
    """The documents' account with models that can be tuned, that make pairs, and that judge."""
    settings.FIREWORKS = {**settings.FIREWORKS, "account": "myacct"}
    with opened(tmp_path, "myacct", JudgingEngine(Speaking())) as house:
        make_base_model(BIG_QWEN, display_name="Qwen3 32B", parameters=32_800_000_000)
        for name, size in ((STRONG, 2_780_000_000_000), (WEAK, 20_900_000_000), (JUDGE, 8_000_000_000)):
            make_base_model(name, parameters=size, tunable=False, servable=False, serverless=True)
        yield Journey(client, house)


def ended_well(session: TuningSession, journey: Journey) -> Bodies:
    """The session succeeded and left its report; the bodies of its training jobs."""
    assert session.status == Status.SUCCEEDED, [event.text for event in session.events.all()][-5:]
    assert session.not_understood == []
    assert report(session)["served"]["proof"]["answer"].strip()
    return journey.house.wire.created(DPO)


@pytest.mark.parametrize("file", ["ifeval-pairs", "ifeval-chosen-rejected"])
def test_the_first_example(journey: Journey, file: str) -> None:
    """DPO on pairs with one base model: a sweep over its settings, judged against the base."""
    name = journey.house.dataset("customer-prefs", rows_of(file))
    original = content(journey.house, name)
    session = journey.begin(instructions(NAME)[0])
    if file == "ifeval-chosen-rejected":
        assert "chosen and rejected conversations become pairs" in journey.page(session)
    page = journey.page(session)
    assert "Who judges, and by which rubric" in page
    rows = session.artifacts.get(name="train.jsonl").detail["rows"]
    assert f"Train 3 candidates of qwen3-32b by DPO on {rows} pairs" in page
    bodies = ended_well(journey.finish(session), journey)
    assert {body["trainingConfig"]["baseModel"] for body in bodies} == {BIG_QWEN}
    assert session.phases.get(phase="training").state == "skipped"
    told = report(session)["preference"]
    assert told["comparisons"][0]["baseline"] == "qwen3-32b, untuned"
    assert content(journey.house, name) == original


def test_the_second_example(journey: Journey) -> None:
    """Prompts only: pairs are made, and the base models are swept since that was asked for in words."""
    name = journey.house.dataset("prompts-only", rows_of("prompts-only"))
    original = content(journey.house, name)
    session = journey.begin(instructions(NAME)[1])
    assert journey.house.gate(session).kind == GateKind.PLAN
    page = journey.page(session)
    assert "Pair generation" in page
    assert "answers of kimi-k3" in page
    bodies = ended_well(journey.finish(session), journey)
    assert {body["trainingConfig"]["baseModel"] for body in bodies} == {QWEN, BIG_QWEN}
    made = report(session)["preference"]["made"]
    assert (made["strong"], made["weak"]) == (STRONG, WEAK)
    assert 0 < made["pairs"] <= made["prompts"] == 16
    gates = [each.kind for each in session.gates.all()]
    assert gates == [GateKind.PLAN, GateKind.PROMOTION], "one approval, and the comparison"
    assert content(journey.house, name) == original


def pinned(session: TuningSession, bodies: Bodies) -> None:
    assert {body["trainingConfig"]["baseModel"] for body in bodies} == {BIG_QWEN}


def grid(session: TuningSession, bodies: Bodies) -> None:
    found = [(body["trainingConfig"]["baseModel"], body["lossConfig"]["dpo"]["beta"]) for body in bodies]
    assert found == [(model, beta) for model in (BIG_QWEN, MIXTURE) for beta in (0.1, 0.3)]


def made(session: TuningSession, bodies: Bodies) -> None:
    assert session.value("make_pairs") is True


def stopped(session: TuningSession, bodies: Bodies) -> None:
    assert len(bodies) == 1
    assert session.value("target") == ("win_rate", 0.75)


CHECKS: dict[int, Callable[[TuningSession, Bodies], None]] = {0: pinned, 1: grid, 3: made, 4: stopped}
FORMATS = {"pairs": "ifeval-pairs", "prompts": "prompts-only"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("number", CHECKS, ids=["pinned", "grid", "made", "stopped"])
def test_each_customisation(journey: Journey, number: int, form: str) -> None:
    """Each bullet's sentence beside a first sentence that names the data."""
    if number == 1:
        make_base_model(MIXTURE, display_name="Qwen3-30B-A3B", parameters=30_500_000_000)
    journey.house.dataset("mydata", rows_of(FORMATS[form]))
    models = "" if number in (0, 1) else " using Qwen3 8B"
    first = f"Run DPO on accounts/myacct/datasets/mydata{models}."
    session = journey.begin(f"{first} {customisations(NAME)[number]}")
    bodies = ended_well(journey.finish(session), journey)
    CHECKS[number](session, bodies)
    assert bool(report(session)["preference"]["made"]) is (form == "prompts")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("walls")
def test_an_evaluator_of_ones_own(journey: Journey, tmp_path: Path, form: str) -> None:
    """The bullet on evaluators: its scores compare the models, so that nobody judges."""
    name = on_fireworks(journey.house, tmp_path, LISTS, "my-rubric")
    journey.house.dataset("mydata", rows_of(FORMATS[form]))
    sentence = f"Run DPO on accounts/myacct/datasets/mydata using Qwen3 8B. {customisations(NAME)[2]}"
    session = journey.begin(sentence)
    assert session.value("evaluator") == name
    assert "your evaluator scores" in journey.page(session).lower()
    ended_well(journey.finish(session), journey)
    found = {(each.subject, each.metric): each.value for each in session.evaluations.all()}
    assert (found[f"base:{QWEN}", "score"], found["candidate:1", "score"]) == (0.0, 1.0)
    assert found["candidate:1", "win_rate"] == 1.0
    assert not session.answers.filter(prompts__startswith="judge").exists()
    told = [each.text for each in session.events.filter(text__contains="mean score")]
    assert len(told) == len(set(told)) == 1 + session.candidates.count()
    asked = session.artifacts.get(name="prompts/heldout.jsonl").detail["sampling"]["max_tokens"]
    assert asked == session.plans.last().body["judge"]["answer_tokens"]
    text = session.artifacts.get(name="final_report.md").path.read_text()
    assert "scored by the evaluator that was named" in text
