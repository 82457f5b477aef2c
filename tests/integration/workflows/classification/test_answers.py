"""What models answer beside the labels of the set, and what they do not answer at all."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from sessions.models import Evaluation, TuningSession
from sessions.states import GateKind, Status
from tests.factories import QWEN
from tests.integration.workflows.classification.oracle import Oracle, OracleEngine
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import JOBS, House


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
        session = measured(house, rows, deploy=False)
        found = figures(session, f"base:{QWEN}")
        assert (found["exact_match"].value, found["outside"].value) == (0, 1)
        assert found["micro_f1"].value < 1
        body = json.loads(session.artifacts.get(name__startswith="classification/base").path.read_bytes())
        assert body["outside"] == body["rows"]
        assert (
            ",billing; outside the set,no," in session.artifacts.get(name="predictions.csv").path.read_text()
        )


@dataclass
class Refusing(Oracle):
    """Has room for no ticket."""

    context_length: int = 12


def test_a_model_that_refuses_nearly_all_rows_is_not_measured(db: None, tmp_path: Path) -> None:
    """Nothing is trained on such a benchmark; a refusal is not an answer outside the set."""
    rows = tickets(40)
    with answering(tmp_path, Refusing, rows) as house:
        session = measured(house, rows)
        assert session.status == Status.FAILED
        assert session.failure is not None
        assert "answered 0 of 8 rows, too few to be measured" in session.failure["ours"]
        assert session.failure["theirs"]
        assert house.remote(JOBS) == []
        assert not session.evaluations.filter(metric__in=("accuracy", "outside")).exists()


@dataclass
class Roomy(Oracle):
    """Has room for all but the longest ticket."""

    context_length: int = 300


def test_refused_rows_are_in_no_figure(
    db: None, tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """387 of 400: figures rest on the answered rows, and the others are told and opened."""
    rows = tickets(80)
    held = tickets(24, seed=2)
    held[5]["messages"][0]["content"] += " very much" * 200
    with answering(tmp_path, Roomy, rows) as house:
        own = house.dataset("own", held)
        session = measured(house, rows, benchmark_only=True, evaluation_dataset=own)
        assert session.status == Status.SUCCEEDED, session.failure
        found = figures(session, f"base:{QWEN}")
        assert {each.rows for each in found.values()} == {23}
        table = session.artifacts.get(name="predictions.csv").path.read_text().splitlines()
        assert [",refused,," in line for line in table[1:]] == [at == 5 for at in range(24)]
        shown = client.get(session.get_absolute_url(), {"tab": "evaluation", "rows": "refused"})
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", shown.content.decode()))
        assert "1 more refused by Fireworks" in text
        assert "1 row refused by Fireworks" in text
        every_row_can_be_opened(session, client, monkeypatch)


def every_row_can_be_opened(session: TuningSession, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of rows leads to the next one until all were shown."""
    monkeypatch.setattr("sessions.classified_rows.ROWS_SHOWN", 2)
    found, address = [], f"{session.get_absolute_url()}?tab=evaluation&rows=label&right=billing"
    while address:
        text = client.get(address).content.decode()
        found += re.findall(r"held-out row (\d+)", text)
        onwards = re.search(r'href="(\?[^"]+from=\d+)[^"]*">the next', text)
        address = session.get_absolute_url() + html.unescape(onwards[1]) if onwards else ""
    assert len(found) == len(set(found)) == 6


class Spoilt(Oracle):
    """Knows everything until it is tuned."""

    def answer(self, text: str) -> str:
        return "nonsense" if self.adapter else self.truth[text]


def test_a_tuned_model_that_lost_is_said_to_have_lost(db: None, tmp_path: Path, client: Client) -> None:
    """At the gate, and first of all in the report."""
    rows = tickets(60)
    with answering(tmp_path, Spoilt, rows) as house:
        session = measured(house, rows)
        gate = house.gate(session)
        assert gate.kind == GateKind.PROMOTION
        assert gate.body["base"]["value"] == 1
        assert gate.body["base_is_better"]
        assert gate.body["against_base"].startswith("Tuning did harm")
        text = re.sub(r"\s+", " ", client.get(session.get_absolute_url()).content.decode())
        assert re.search(r"its base model as it is 100\.0.%", text)
        house.reply(session, "Proceed with the winning config.")
        house.drive(session)
        told = session.artifacts.get(name="final_report.md").path.read_text()
        assert "It answered 0.0% of 12 held-out rows rightly, untuned 100.0%: clearly worse." in told
        assert "- Right answers: 0.0% (0.0% to 24.2%) of 12 held-out rows; qwen3-8b, untuned 100.0%" in told
