"""Every example, and every bullet on customising, of the classification document, typed as it stands there
and driven to the end through the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from sessions.models import TuningSession
from sessions.states import PhaseState, Status
from tests.factories import BIG_QWEN, QWEN
from tests.integration.seeds.journey import Journey, customisations, instructions
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.house import JOBS, report

NAME = "classification"
START = "Run classification fine-tuning on accounts/myacct/datasets/mydata with {models}, LoRA rank 8."
BOTH, ONE = "Qwen3 8B and Qwen3 32B", "Qwen3 8B"
FEELINGS = {"positive": ("great", "love"), "negative": ("bad", "hate"), "neutral": ("okay", "fine")}
Bodies = list[dict[str, Any]]


def ended_well(session: TuningSession, journey: Journey) -> Bodies:
    """The session succeeded and left its report; the bodies of its training jobs."""
    assert session.status == Status.SUCCEEDED, [event.text for event in session.events.all()][-5:]
    assert session.not_understood == []
    assert session.artifacts.filter(name="final_report.md").exists()
    return journey.house.wire.created(JOBS)


def accuracies(session: TuningSession) -> set[str]:
    """The models whose accuracy was measured."""
    return set(session.evaluations.filter(metric="accuracy").values_list("subject", flat=True))


def test_the_first_example(journey: Journey) -> None:
    """Two base models measured, tuned and compared on one dataset, split by label; the winner answers."""
    journey.house.dataset("intent-labels", tickets(60))
    session = journey.begin(instructions(NAME)[0])
    page = journey.page(session)
    assert "Base-model inference" in page
    assert "Fine-tuned inference" in page
    assert session.value("labels") == ("billing", "technical", "account", "sales")
    assert session.value("heldout_rows") == 12
    bodies = ended_well(journey.finish(session), journey)
    assert {body["baseModel"] for body in bodies} == {QWEN, BIG_QWEN}
    assert len(bodies) == 6
    assert len(accuracies(session)) == 8
    told = report(session)
    assert told["served"]["proof"]["answer"].strip()
    assert "chat.completions.create" in told["served"]["snippet"]


def test_the_second_example(journey: Journey) -> None:
    """Separate train and evaluation datasets, one model: every row of each is used."""
    journey.house.dataset("train", tickets(40))
    journey.house.dataset("test", tickets(20, seed=2))
    session = journey.finish(journey.begin(instructions(NAME)[1]))
    ended_well(session, journey)
    rows = session.evaluations.filter(metric="accuracy").values_list("rows", flat=True)
    assert set(rows) == {20}
    parts = {each["name"]: each["rows"] for each in report(session)["data"]["parts"]}
    assert parts == {"train.jsonl": 40, "heldout.jsonl": 20}


def labels(session: TuningSession, journey: Journey, bodies: Bodies) -> None:
    assert session.value("labels") == ("positive", "negative", "neutral")


def threshold(session: TuningSession, journey: Journey, bodies: Bodies) -> None:
    plan = session.plans.last()
    assert plan is not None
    assert plan.body["labels"]["imbalance"]["threshold"] == 20
    assert plan.body["labels"]["imbalance"]["flagged"]


def benchmark(session: TuningSession, journey: Journey, bodies: Bodies) -> None:
    assert bodies == []
    assert accuracies(session) == {f"base:{QWEN}", f"base:{BIG_QWEN}"}
    assert session.phases.get(phase="deployment").state == PhaseState.SKIPPED
    assert session.winner is None


def single(session: TuningSession, journey: Journey, bodies: Bodies) -> None:
    assert {body["baseModel"] for body in bodies} == {QWEN}
    assert session.value("compare_base") is False


def split(session: TuningSession, journey: Journey, bodies: Bodies) -> None:
    assert session.value("heldout_rows") == 18


@pytest.mark.parametrize(
    ("number", "models", "rows", "check"),
    [
        (0, ONE, tickets(42, words=FEELINGS), labels),
        (1, ONE, [*tickets(84, words={"often": ("a", "b")}), *tickets(4, seed=3, words={"rare": ("c", "d")})],
         threshold),
        (2, BOTH, tickets(40), benchmark),
        (3, "", tickets(40), single),
        (4, ONE, tickets(60), split),
    ],
    ids=["labels", "threshold", "benchmark", "single", "split"],
)  # fmt: skip
def test_each_customisation(
    journey: Journey, number: int, models: str, rows: list[dict[str, Any]], check: Callable[..., None]
) -> None:
    """Each bullet's sentence beside a first sentence that names the data."""
    journey.house.dataset("mydata", rows)
    first = re.sub(r" with (?=,)", "", START.format(models=models))
    session = journey.begin(f"{first} {customisations(NAME)[number]}")
    bodies = ended_well(journey.finish(session), journey)
    check(session, journey, bodies)
