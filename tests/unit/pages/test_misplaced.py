"""Data that another workflow is for, told by the workflow that was chosen."""

from __future__ import annotations

import pytest

from sessions.inspected import Report
from sessions.models import Upload
from sessions.sources import Source, misplaced


def held(form: str) -> Source:
    """An upload of that format."""
    report = Report(form, 60, 0, None, "", 0, (), {}, ())
    return Source("upload:x", "rows.jsonl", 60, None, upload=Upload(), report=report)


@pytest.mark.parametrize(
    ("form", "workflow", "words"),
    [
        ("prompts", "classification", ("no labels were found", "line 1", "ground_truth")),
        ("pairs", "classification", ("preference pairs", "Choose preference learning")),
        ("prompts", "sft", ("prompts without answers", "Choose preference learning")),
    ],
)
def test_the_fault_names_what_the_workflow_lacks(form: str, workflow: str, words: tuple[str, ...]) -> None:
    fault = misplaced(held(form), "dataset", workflow)
    assert fault is not None
    assert all(each in f"{fault.fault} {fault.remedy}" for each in words)


def test_prompts_belong_to_preference_learning() -> None:
    assert misplaced(held("prompts"), "dataset", "preference") is None
