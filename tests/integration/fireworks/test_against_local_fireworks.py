"""Our client against the real local Fireworks over HTTP: datasets, jobs, refusals, adoption."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.fireworks.conftest import QWEN, fresh, training, uploaded, wait_for
from workflows.fireworks import accounts, datasets, deployments, errors, jobs, models


def test_the_account_and_its_catalogue(fireworks):
    assert fireworks.account == "rehearsal"
    assert accounts.get(fireworks).problem == ""
    assert any(quota.limit for quota in accounts.quotas(fireworks))
    catalogue = {model.name: model for model in models.list_public(fireworks)}
    qwen = catalogue[QWEN]
    assert (qwen.ready, qwen.tunable, qwen.parameters) == (True, True, 8_190_000_000)
    assert models.get(fireworks, QWEN).name == QWEN


@pytest.mark.parametrize("small", [datasets.SMALL_UPLOAD, 10], ids=["multipart", "signed URL"])
def test_a_dataset_comes_back_byte_for_byte(fireworks, rows, tmp_path, small):
    made = uploaded(fireworks, rows, 60, small=small)
    assert (made.ready, made.examples) == (True, 60)
    fetched = datasets.download(fireworks, made.name, tmp_path / "back.jsonl")
    assert fetched.path.read_bytes() == rows.read_bytes()
    assert made.name in {each.name for each in datasets.list_all(fireworks)}


def test_the_same_id_is_adopted_and_other_content_is_a_conflict(fireworks):
    identifier = fresh("twice")
    first = datasets.create(fireworks, datasets.dataset_body(identifier, 60))
    assert datasets.create(fireworks, datasets.dataset_body(identifier, 60)).name == first.name
    with pytest.raises(errors.Conflict, match="exampleCount"):
        datasets.create(fireworks, datasets.dataset_body(identifier, 61))


def test_a_dataset_that_was_never_filled_cannot_be_trained_on(fireworks):
    made = datasets.create(fireworks, datasets.dataset_body(fresh("unfilled"), 60))
    assert "still uploading" in datasets.unready_reason(made)
    with pytest.raises(errors.Permanent) as caught:
        jobs.create(fireworks, fresh("job"), training(made.name))
    assert "READY" in caught.value.provider_message


def test_estimates_and_validation_create_nothing(fireworks, rows):
    made = uploaded(fireworks, rows, 60)
    before = (
        {job.name for job in jobs.list_all(fireworks)},
        {each.name for each in deployments.list_all(fireworks)},
    )
    one, three = (jobs.estimate_cost(fireworks, training(made.name, epochs=epochs)) for epochs in (1, 3))
    assert three.amount == 3 * one.amount > 0
    place = deployments.validate_only(fireworks, deployments.Wanted(QWEN))
    assert place.accelerator_type
    assert place.accelerator_count
    after = (
        {job.name for job in jobs.list_all(fireworks)},
        {each.name for each in deployments.list_all(fireworks)},
    )
    assert before == after


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"base_model": "accounts/fireworks/models/no-such-model"}, errors.NotFound),
        ({"dataset": "accounts/rehearsal/datasets/no-such-data"}, errors.NotFound),
    ],
)
def test_what_does_not_exist_is_named(fireworks, change, kind):
    asked = replace(training("accounts/rehearsal/datasets/support-replies"), **change)
    with pytest.raises(kind) as caught:
        jobs.create(fireworks, fresh("job"), asked)
    assert "no-such" in caught.value.provider_message


def test_foreign_things_are_not_touched(fireworks):
    with pytest.raises(errors.CallForbidden):
        jobs.cancel(fireworks, "somebody-elses")
    with pytest.raises(errors.CallForbidden):
        fireworks.call("DELETE", "/v1/accounts/rehearsal/datasets/support-replies")
    assert datasets.get(fireworks, "support-replies").ready


def test_a_running_job_of_ours_is_cancelled(fireworks):
    wanted = training("accounts/rehearsal/datasets/support-replies", epochs=5)
    started = jobs.create(fireworks, fresh("job"), wanted)
    jobs.cancel(fireworks, started.name)
    ended = wait_for(lambda: (now := jobs.get(fireworks, started.name)).over and now, "the cancelled job")
    assert (ended.word, ended.succeeded) == ("CANCELLED", False)
