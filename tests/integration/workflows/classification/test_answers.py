"""What models answer beside the labels of the set, and what they do not answer at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sessions.models import Evaluation, TuningSession
from tests.factories import QWEN
from tests.integration.workflows.classification.oracle import Oracle, OracleEngine
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import House


@contextmanager
def answering(folder: Path, kind: type[Oracle], rows: list[dict[str, Any]]) -> Iterator[House]:
    """A house whose models answer by this kind of oracle."""

    class Engine(OracleEngine):
        def load(self, standin: str, adapter: Path | None) -> Oracle:
            return kind(standin, adapter, truth=self.truth)

    with opened(folder, engine=Engine.of(rows)) as house:
        yield house


def measured(house: House, rows: list[dict[str, Any]], **values: Any) -> TuningSession:
    """A session that was approved and driven as far as it goes."""
    dataset = house.dataset("rows", rows)
    session = house.start(
        workflow="classification", strategy=None, dataset=dataset, base_models=(QWEN,), **values
    )
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    return session


def figures(session: TuningSession, subject: str) -> dict[str, Evaluation]:
    return {each.metric: each for each in session.evaluations.filter(subject=subject)}


class Inventing(Oracle):
    """Tells the truth and two labels that nobody named."""

    def answer(self, text: str) -> str:
        return "\n".join([*self.truth[text], "weather", "politics"])


def test_labels_that_were_never_named_spoil_a_row_of_several(db: None, tmp_path: Path) -> None:
    rows = tickets(40)
    for at, row in enumerate(rows):
        row["ground_truth"] = [row["ground_truth"], *(["urgent"] if at % 3 == 0 else [])]
    with answering(tmp_path, Inventing, rows) as house:
        session = measured(house, rows, benchmark_only=True)
        found = figures(session, f"base:{QWEN}")
        assert (found["exact_match"].value, found["outside"].value) == (0, 1)
        assert found["micro_f1"].value < 1
        body = json.loads(session.artifacts.get(name__startswith="classification/base").path.read_bytes())
        assert body["outside"] == body["rows"]
        assert (
            ",billing; outside the set,no," in session.artifacts.get(name="predictions.csv").path.read_text()
        )
