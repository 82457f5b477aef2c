"""Our own client on the server that the SDK proves: the calls that issue 1 did not need."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sdk.world import CODE, DPO, ENDLESS, QWEN, SERVERLESS, World, archive
from workflows.fireworks import (
    batch_jobs,
    batch_results,
    datasets,
    deployed_models,
    deployments,
    errors,
    evaluation_jobs,
    evaluators,
    inference,
    metrics_file,
    preference_jobs,
    usage,
)
from workflows.fireworks.client import Fireworks
from workflows.fireworks.many import complete_many
from workflows.fireworks.signed import read_signed


def preference(world: World, id_: str, **more: Any) -> preference_jobs.Preference:
    pairs = world.name("datasets", world.pairs())
    return preference_jobs.Preference(pairs, world.name("models", f"model-of-{id_}"), base_model=QWEN, **more)


def test_a_preference_job_from_start_to_metrics(ours: Fireworks, world: World):
    id_ = world.fresh("job")
    wanted = preference(world, id_, beta=0.2, learning_rate=1e-5, batch_size_samples=2)
    assert preference_jobs.create(ours, id_, wanted).name == DPO.name(id_)
    assert preference_jobs.create(ours, id_, wanted).beta == 0.2
    with pytest.raises(errors.Conflict, match=r"lossConfig\.dpo\.beta"):
        preference_jobs.create(ours, id_, replace(wanted, beta=0.3))
    job = world.until(lambda: (now := preference_jobs.get(ours, id_)).over and now, f"{id_} to end")
    assert (job.word, job.method, job.base_model) == ("COMPLETED", "DPO", QWEN)
    assert id_ in {each.name.rpartition("/")[2] for each in preference_jobs.list_all(ours)}
    points = metrics_file.fetch(ours, preference_jobs.metrics_url(ours, id_))
    assert [point.train_loss for point in points] == [2.0]


def test_a_preference_job_is_stopped_and_goes_on(ours: Fireworks, world: World):
    id_ = world.fresh("job")
    wanted = preference(world, id_, method="ORPO", odds_weight=0.5, learning_rate=ENDLESS)
    preference_jobs.create(ours, id_, wanted)
    state = lambda word: preference_jobs.get(ours, id_).word == word  # noqa: E731
    world.until(lambda: state("RUNNING"), f"{id_} to run")
    preference_jobs.cancel(ours, id_)
    world.until(lambda: state("CANCELLED"), f"{id_} to be cancelled")
    preference_jobs.resume(ours, id_)
    world.until(lambda: state("RUNNING"), f"{id_} to run again")
    preference_jobs.cancel(ours, id_)
    again = preference_jobs.get(ours, id_)
    assert (again.method, again.base_model) == ("ORPO", QWEN), "what goes on is the same job"


def asked(tmp_path: Path, ours: Fireworks, world: World) -> str:
    """Full name of a dataset of three questions, one of which cannot be answered."""
    rows = [
        {"custom_id": "red", "body": {"messages": [{"role": "user", "content": "Is a tomato red?"}]}},
        {"custom_id": "bad", "body": {"messages": []}},
        {"custom_id": "blue", "body": {"messages": [{"role": "user", "content": "Is the sky blue?"}]}},
    ]
    path = tmp_path / "asked.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = datasets.create(ours, datasets.dataset_body(world.fresh("asked"), 3, format_=""))
    return datasets.upload(ours, made.name, path).name


def test_a_batch_is_answered_row_by_row(ours: Fireworks, world: World, tmp_path: Path):
    id_ = world.fresh("batch")
    output = world.name("datasets", f"{id_}-answers")
    wanted = batch_jobs.Batch(
        SERVERLESS, asked(tmp_path, ours, world), output, max_tokens=4, extra={"seed": 1}
    )
    batch_jobs.create(ours, id_, wanted)
    assert batch_jobs.create(ours, id_, wanted).output_dataset == output
    job = world.until(lambda: (now := batch_jobs.get(ours, id_)).over and now, f"{id_} to end")
    assert (job.word, job.progress.requests, job.progress.failed) == ("COMPLETED", 3, 1)
    assert id_ in {each.name.rpartition("/")[2] for each in batch_jobs.list_all(ours)}
    rows = {row.custom_id: row for row in batch_results.fetch(ours, output)}
    assert set(rows) == {"red", "bad", "blue"}
    assert rows["red"].answer.completion_tokens in range(1, 5)
    assert (rows["bad"].answer, rows["bad"].error == "") == (None, False)


def test_many_questions_at_once_get_the_answers_they_get_alone(ours: Fireworks):
    forms = inference.addresses(SERVERLESS)
    asked = {
        str(number): inference.chat_body(
            [{"role": "user", "content": f"Is {number} a number?"}],
            max_tokens=6,
            temperature=0.7,
            seed=number,
        )
        for number in range(8)
    }
    together = dict(complete_many(ours, asked.items(), forms, at_once=8))
    assert set(together) == set(asked)
    for key, body in asked.items():
        assert together[key].text == inference.complete(ours, body, forms).text


def test_a_lora_is_loaded_once_and_unloaded(ours: Fireworks, world: World):
    place, model = world.name("deployments", world.roomy()), world.name("models", world.tuned())
    made = deployed_models.load(ours, model, place, "candidate")
    assert deployed_models.load(ours, model, place, "candidate").name == made.name
    world.until(lambda: deployed_models.get(ours, made.name).deployed, "the LoRA to be loaded")
    deployed_models.unload(ours, made.name)
    gone = lambda: made.name not in {each.name for each in deployed_models.list_all(ours)}  # noqa: E731
    world.until(gone, "the LoRA to be unloaded")
    deployments.delete(ours, place)
    assert deployments.get(ours, place).gone


def test_costs_are_told_in_groups(ours: Fireworks, world: World):
    world.answered()
    now = datetime.now(UTC)
    found = usage.query(ours, now - timedelta(hours=2), now + timedelta(hours=1), ("DAY", "MODEL"))
    assert found.scope == "ACCOUNT"
    assert found.subtotal.amount == sum(row.amount.amount for row in found.rows)
    assert SERVERLESS in {row.dimensions["model"] for row in found.rows}


def built(ours: Fireworks, world: World, tmp_path: Path, code: str) -> evaluators.Evaluator:
    path = tmp_path / "code.tar.gz"
    path.write_bytes(archive(main__py=code, requirements__txt=""))
    authored = evaluators.Authored(
        "main.py::evaluate", hashlib.sha256(path.read_bytes()).hexdigest(), "Marks"
    )
    made = evaluators.create(ours, world.fresh("judge"), authored)
    assert evaluators.create(ours, made.name.rpartition("/")[2], authored).name == made.name
    evaluators.upload(ours, made.name, path)
    assert evaluators.get(ours, made.name).state == "BUILDING"
    world.until(lambda: evaluators.get(ours, made.name).state != "BUILDING", f"{made.name} to be built")
    return evaluators.get(ours, made.name)


def test_an_evaluator_is_built_and_scores(ours: Fireworks, world: World, tmp_path: Path):
    judge = built(ours, world, tmp_path, CODE)
    assert judge.active
    evaluators.upload(ours, judge.name, tmp_path / "code.tar.gz")
    assert evaluators.get(ours, judge.name).active
    source = evaluators.source_urls(ours, judge.name)
    assert read_signed(ours, source["code.tar.gz"]) == (tmp_path / "code.tar.gz").read_bytes()
    id_ = world.fresh("score")
    data, output = world.name("datasets", world.dataset()), world.name("datasets", f"{id_}-out")
    wanted = evaluation_jobs.Evaluation(judge.name, data, output)
    evaluation_jobs.create(ours, id_, wanted)
    assert evaluation_jobs.create(ours, id_, wanted).evaluator == judge.name
    job = world.until(lambda: (now := evaluation_jobs.get(ours, id_)).over and now, f"{id_} to end")
    assert (job.word, set(job.metrics.values()) >= {1.0}) == ("COMPLETED", True)
    assert b"seen 2" in read_signed(ours, evaluation_jobs.log_url(ours, id_))
    assert id_ in {each.name.rpartition("/")[2] for each in evaluation_jobs.list_all(ours)}
    assert datasets.get(ours, output).examples == 3


def test_a_build_that_fails_says_why(ours: Fireworks, world: World, tmp_path: Path):
    judge = built(ours, world, tmp_path, "def evaluate(:")
    assert (judge.failed, judge.status.message == "") == (True, False)
    assert read_signed(ours, evaluators.build_log_url(ours, judge.name))
