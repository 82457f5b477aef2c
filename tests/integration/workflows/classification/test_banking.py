"""Banking77, for real: stand-ins that are trained and answer, and intervals that separate base from tuned."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localfireworks.backend import JaxEngine
from sessions.models import Evaluation
from sessions.states import Status
from tests.factories import QWEN, make_base_model
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import House, Trainer, report

DATA = Path(__file__).parents[5] / "shared" / "data"
# Two intents that differ in their words: as many as stand-ins of half a million parameters learn quickly.
INTENTS = ("card_arrival", "passcode_forgotten")
TO_TRAIN, TO_MEASURE = 36, 15  # rows of each intent
OTHER_QWEN = "accounts/fireworks/models/qwen3p5-9b"  # the same small stand-in, trained for itself


@dataclass
class RealTrainer(Trainer):
    """Job processes that train, one after the other, to their end."""

    def start(self, folder: Path, command: Sequence[str] = ()) -> bool:
        program = command or (sys.executable, "-m", "localfireworks.engine.job")
        subprocess.run([*program, str(folder)], check=True, capture_output=True)
        return True


def rows(name: str, most: int) -> list[dict[str, Any]]:
    """The first rows of each chosen intent."""
    path = DATA / f"banking77-{name}.jsonl"
    if not path.exists():
        pytest.skip(f"the real data are not here: shared/data/{path.name}")
    kept: dict[str, list[dict[str, Any]]] = {intent: [] for intent in INTENTS}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found = kept.get(row["messages"][-1]["content"])
        if found is not None and len(found) < most:
            found.append(row)
    return [row for each in kept.values() for row in each]


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[House]:
    """A local Fireworks that trains and answers with its stand-ins."""
    with opened(tmp_path, engine=JaxEngine(tmp_path / "cache"), trainer=RealTrainer()) as found:
        yield found


@pytest.mark.timeout(900)
def test_tuned_models_are_told_from_base_models(house: House) -> None:
    """Two base models are measured untuned and tuned on the same held-out messages; of each the intervals of
    both accuracies do not touch, and the comparison of the tuned model with its base says so."""
    make_base_model(OTHER_QWEN, parameters=9_000_000_000)
    session = house.finished(
        workflow="classification", strategy=None, base_models=(QWEN, OTHER_QWEN), lora_ranks=(32,),
        learning_rates=(1.5e-4,), epochs=5, deploy=False,
        dataset=house.dataset("train", rows("train", TO_TRAIN)),
        evaluation_dataset=house.dataset("test", rows("test", TO_MEASURE)),
    )  # fmt: skip
    assert session.status == Status.SUCCEEDED, session.failure
    found = {each.subject: each for each in Evaluation.objects.filter(session=session, metric="accuracy")}
    assert {each.rows for each in found.values()} == {len(INTENTS) * TO_MEASURE}
    told = report(session)["classification"]["comparisons"]
    assert {each.base_model for each in session.candidates.all()} == {QWEN, OTHER_QWEN}
    for candidate in session.candidates.all():
        base, tuned = found[f"base:{candidate.base_model}"], found[candidate.subject]
        assert base.high is not None
        assert tuned.low is not None
        assert tuned.low > base.high, (base.value, tuned.value)
        (against,) = [each for each in told if each["first"] == candidate.subject and each["against_base"]]
        assert against["word"] == "clear"
        assert against["low"] > 0
    assert len([each for each in told if not each["against_base"]]) == 1
