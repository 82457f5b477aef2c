"""As many labels as Banking77 has, from the plan to the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from sessions.states import Status
from tests.factories import QWEN
from tests.integration.workflows.classification.oracle import OracleEngine
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.conftest import opened

LABELS = {f"intent_{each:02d}": (f"word{each}",) for each in range(77)}


@pytest.mark.django_db
def test_77_labels_are_planned_run_and_shown(tmp_path: Path, client: Client) -> None:
    """Each label is on both sides, in the prompt and in the table; the rows behind one can be opened."""
    rows = tickets(385, words=LABELS)
    with opened(tmp_path, engine=OracleEngine.of(rows)) as house:
        dataset = house.dataset("many", rows)
        session = house.start(
            workflow="classification", strategy=None, base_models=(QWEN,), dataset=dataset, deploy=False
        )
        house.drive(session)
        told = session.plans.last().body["labels"]  # type: ignore[union-attr]
        assert {(each["train"], each["heldout"]) for each in told["counts"]} == {(4, 1)}
        assert told["instruction"].endswith("\n".join(LABELS))
        assert client.get(session.get_absolute_url()).content.count(b'name="label_new"') == 77
        house.reply(session, "Approved, proceed.")
        house.drive(session)
        house.reply(session, "Proceed with the winning config.")
        house.drive(session)
        assert session.status == Status.SUCCEEDED, session.failure
        text = client.get(session.get_absolute_url(), {"tab": "evaluation"}).content.decode()
        assert all(text.count(f'<th scope="row">{label}') >= 1 for label in LABELS)
        body = json.loads(session.artifacts.get(name__startswith="classification/base").path.read_bytes())
        base = {"tab": "evaluation", "of": f"base:{QWEN}"}
        text = client.get(session.get_absolute_url(), base).content.decode()
        pairs = [
            (i, j)
            for i, line in enumerate(body["matrix"])
            for j, count in enumerate(line)
            if count and i != j
        ]
        assert text.count("&amp;answered=") == len(pairs)
        query = {"tab": "evaluation", "rows": "label", "right": "intent_40"}
        assert "1 row labelled “intent_40”" in client.get(session.get_absolute_url(), query).content.decode()
