"""The sample datasets: sizes, formats, no doubles, always the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from localfireworks.app import prepare
from localfireworks.backend import Backend
from localfireworks.samples import SAMPLES, Sample, as_jsonl
from localfireworks.service import build_service
from localfireworks.settings import Settings
from tests.unit.localfireworks.conftest import Clock, EchoEngine, Runs

ROWS = {sample.id: sample.rows() for sample in SAMPLES}


def test_sizes_are_as_announced() -> None:
    assert {id_: len(rows) for id_, rows in ROWS.items()} == {
        "support-replies": 240,
        "support-holdout": 40,
        "ticket-labels": 400,
        "support-preferences": 120,
        "support-prompts": 80,
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_rows_are_distinct_filled_and_the_same_every_time(sample: Sample) -> None:
    rows = sample.rows()
    text = as_jsonl(rows)
    assert text == as_jsonl(sample.rows())
    assert len(set(text.splitlines())) == len(rows)
    assert b"{order}" not in text
    assert b"{product}" not in text


def test_the_held_out_messages_are_not_in_the_training_file() -> None:
    trained, held = (
        {row["messages"][1]["content"] for row in ROWS[id_]} for id_ in ("support-replies", "support-holdout")
    )
    assert not trained & held


def test_conversations_end_with_the_reply_and_labels_agree() -> None:
    for row in ROWS["support-replies"] + ROWS["ticket-labels"]:
        assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
    labels = [row["ground_truth"] for row in ROWS["ticket-labels"]]
    assert labels == [row["messages"][-1]["content"] for row in ROWS["ticket-labels"]]
    assert len(set(labels)) == 6
    assert min(labels.count(label) for label in set(labels)) >= 10


def test_pairs_differ_and_prompts_have_no_answer() -> None:
    for row in ROWS["support-preferences"]:
        assert row["preferred_output"] != row["non_preferred_output"]
        assert row["input"]["messages"][-1]["role"] == "user"
    assert {turn["role"] for row in ROWS["support-prompts"] for turn in row["messages"]} == {"user"}


async def test_they_are_ready_at_the_first_start_and_stay_deleted_after(tmp_path: Path) -> None:
    service = build_service(Settings(tmp_path), Backend(EchoEngine(), 1), Runs(), Clock())  # type: ignore[arg-type]
    await prepare(service)
    rows = service.store.page("datasets", "rehearsal")
    assert {row.id: row.state for row in rows} == {sample.id: "READY" for sample in SAMPLES}
    service.store.delete("accounts/rehearsal/datasets/ticket-labels")
    await prepare(service)
    assert service.store.count("datasets", "rehearsal") == len(SAMPLES) - 1
    service.backend.close()
    service.store.close()
