"""From rows to an answer over HTTP: inspection, split, upload, training, curve, deployment, completion."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.fireworks.conftest import QWEN, fresh, training, uploaded, wait_for
from workflows.data.inspection import inspect
from workflows.data.splits import split
from workflows.fireworks import deployments, errors, inference, jobs, metrics_file, models
from workflows.metrics import losses


def test_from_rows_to_an_answer(fireworks, rows, tmp_path):
    """Inspect, split, upload, train, read the curve, deploy, ask, delete: all over HTTP, all real."""
    assert inspect(rows).usable
    parts = split(rows, tmp_path / "split")
    train = uploaded(fireworks, parts.train.path, parts.train.rows)
    held = uploaded(fireworks, parts.heldout.path, parts.heldout.rows)
    wanted = training(train.name, evaluation_dataset=held.name, epochs=2, lora_rank=8)
    identifier = fresh("job")
    started = jobs.create(fireworks, identifier, wanted)
    assert jobs.create(fireworks, identifier, wanted).name == started.name
    with pytest.raises(errors.Conflict, match="epochs is 2, not 3"):
        jobs.create(fireworks, identifier, replace(wanted, epochs=3))

    job = wait_for(lambda: (now := jobs.get(fireworks, started.name)).over and now, "the job to end")
    assert (job.word, job.status.message) == ("COMPLETED", "")
    assert job.estimated_cost.amount > 0
    points = [point.to_json() for point in metrics_file.fetch(fireworks, job.metrics_url)]
    passes = losses.evaluations(points)
    assert [each.epoch for each in passes] == [1, 2]
    assert passes[-1].loss < passes[0].loss
    assert losses.curve(points)
    tuned = models.get(fireworks, job.output_model)
    assert (tuned.ready, tuned.base_model) == (True, QWEN)

    place = deployments.create(fireworks, fresh("place"), deployments.Wanted(tuned.name))
    wait_for(lambda: deployments.get(fireworks, place.name).ready, "the deployment")
    body = inference.chat_body([{"role": "user", "content": "Number 3: which colour?"}], max_tokens=8)
    forms = inference.addresses(tuned.name, place.name)
    answers = [inference.complete(fireworks, body, [form]) for form in forms]
    assert len({answer.text for answer in answers}) == 1
    assert all(answer.prompt_tokens > 0 and answer.completion_tokens > 0 for answer in answers)

    deployments.delete(fireworks, place.name)
    wait_for(lambda: gone(fireworks, place.name), "the deployment to go")
    with pytest.raises(errors.NotFound):
        inference.complete(fireworks, body, forms)


def gone(fireworks, name):
    try:
        return deployments.get(fireworks, name).gone
    except errors.NotFound:
        return True
