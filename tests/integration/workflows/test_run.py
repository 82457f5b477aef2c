"""A run from its start to its report, phase by phase (product sections 1, 2 and 6)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.utils import timezone

from sessions.models import LedgerLine
from sessions.states import GateKind, PhaseState, Status
from tests.integration.workflows.house import ACCOUNT, DATASETS, DEPLOYMENTS, JOBS, chat, report
from workflows.fireworks.money import Money


def micro(amount):
    """To the six decimals that the portal keeps."""
    return amount.quantize(Decimal("0.000001"))


def test_a_run_ends_with_a_deployed_model(house):
    """Rows 2.8 to 2.11: sweep, promotion, full-data run, evaluation, deployment; numbers have sources."""
    session = house.finished(rows=40, tuning_samples=20, lora_ranks=(8, 16))
    assert session.status == Status.SUCCEEDED, session.failure
    assert set(session.phases.values_list("state", flat=True)) == {PhaseState.DONE}
    jobs = {job["name"]: job for job in house.remote(JOBS)}
    told = report(session)
    assert [each["role"] for each in told["candidates"]] == ["sweep", "sweep", "final"]
    for each in told["candidates"]:
        job = jobs.pop(each["job"])
        assert (job["state"], job["outputModel"]) == ("JOB_STATE_COMPLETED", each["model"])
        assert (job["loraRank"], job["epochs"]) == (each["lora_rank"], each["epochs"])
        assert Decimal(each["cost"]) == micro(Money.from_api(job["estimatedCost"]).amount)
        assert each["tokens"] == job["jobProgress"]["inputTokens"]
    assert not jobs
    final = told["candidates"][-1]
    assert (told["final"]["number"], final["lora_rank"]) == (3, 8)
    assert told["served"]["model"] == final["model"]
    assert told["served"]["proof"]["answer"].strip()
    assert [place["state"] for place in house.remote(DEPLOYMENTS)] == ["READY"]
    sources = {(each["model"], each["metric"]): each for each in told["evaluations"]}
    assert len(sources) == 6
    files = {each["name"]: each for each in told["data"]["parts"]}
    held = sources["Full-data run", "validation loss"]
    assert (held["value"], held["rows"], held["sha256"]) == (
        final["validation_loss"], 4, files["heldout.jsonl"]["sha256"],
    )  # fmt: skip
    assert sources["Candidate 1", "train loss"]["sha256"] == files["sample.jsonl"]["sha256"]
    assert sources["Full-data run", "train loss"]["sha256"] == files["train.jsonl"]["sha256"]


def test_every_candidate_trains_and_is_measured_on_the_same_rows(house):
    """Rows 2.1 and 2.8: the evaluation dataset is set and the automatic carve-out off, for every job."""
    house.finished(rows=40, lora_ranks=(8, 16))
    bodies = house.wire.created(JOBS)
    assert len(bodies) == 2
    assert len({(body["dataset"], body["evaluationDataset"]) for body in bodies}) == 1
    assert {body["evalAutoCarveout"] for body in bodies} == {False}
    rows = {each["name"]: int(each["exampleCount"]) for each in house.remote(DATASETS)}
    assert (rows[bodies[0]["dataset"]], rows[bodies[0]["evaluationDataset"]]) == (36, 4)


def test_an_evaluation_dataset_is_measured_on_and_nothing_is_held_out(house):
    """Row 2.1: the person's own evaluation rows, all of them; the dataset is trained on whole."""
    own = house.dataset("own-evaluation", chat(7, "shade"))
    house.finished(rows=30, evaluation_dataset=own)
    (body,) = house.wire.created(JOBS)
    rows = {each["name"]: int(each["exampleCount"]) for each in house.remote(DATASETS)}
    assert (rows[body["dataset"]], rows[body["evaluationDataset"]]) == (30, 7)
    assert body["evaluationDataset"] != own


def test_the_default_candidates(house):
    """Row 2.5: (8, 1.5e-4), (16, 1.0e-4), (32, 5.0e-5); epochs min(5, ceil(2500 / samples))."""
    session = house.start(rows=40, lora_ranks=None, learning_rates=None, epochs=None)
    house.drive(session)
    grid = house.gate(session).plan.body["candidates"]
    assert [(each["lora_rank"], each["learning_rate"]) for each in grid] == [
        (8, 1.5e-4), (16, 1.0e-4), (32, 5.0e-5),
    ]  # fmt: skip
    assert {each["epochs"] for each in grid} == {5}


def test_candidates_of_much_data_train_on_a_sample(house):
    """Row 2.6: more than 1,000 rows: the candidates train on 1,000 drawn with seed 42."""
    session = house.start(rows=1_200, epochs=None)
    house.drive(session)
    body = house.gate(session).plan.body
    assert (body["data"]["sample_rows"], body["data"]["train_rows"]) == (1000, 1100)
    assert body["candidates"][0]["epochs"] == 3
    sample = session.artifacts.get(name="sample.jsonl")
    assert (sample.detail["rows"], sample.detail["seed"]) == (1000, 42)
    assert set(sample.path.read_bytes().splitlines()) < set(
        session.artifacts.get(name="train.jsonl").path.read_bytes().splitlines()
    )


def test_the_promotion_gate_suggests_the_lowest_loss_and_takes_another(house):
    """Row 2.9: the suggestion, how sure it is, and the person's other choice with its reason."""
    session = house.approved(rows=40, lora_ranks=(16, 8))
    house.drive(session)
    gate = house.gate(session)
    assert (gate.kind, gate.body["suggested"]) == (GateKind.PROMOTION, 2)
    assert [each["number"] for each in gate.body["ranking"]] == [2, 1]
    assert gate.body["certainty"]
    house.reply(session, "", action=["choose"], candidate=["1"], reason=["It is the safer one."])
    house.drive(session)
    told = report(session)
    assert told["final"]["number"] == 1
    chosen = told["promotion"]
    assert (chosen["suggested"], chosen["number"], chosen["reason"]) == (2, 1, "It is the safer one.")
    assert "candidate" not in chosen
    assert session.phases.get(phase="training").state == PhaseState.SKIPPED


def test_without_full_data_run_and_deployment_nothing_of_them_is_made(house):
    """Row 1.3: phases that do not apply are skipped with their reason; row 2.12: the winner as it is."""
    session = house.finished(rows=40, tuning_samples=20, final_run=False, deploy=False)
    assert session.status == Status.SUCCEEDED
    skipped = dict(session.phases.filter(state=PhaseState.SKIPPED).values_list("phase", "note"))
    assert set(skipped) == {"training", "deployment"}
    assert all(skipped.values())
    assert len(house.remote(JOBS)) == 1
    assert not house.remote(DEPLOYMENTS)


def test_waiting_holds_nothing_however_long(house):
    """Row 1.2: a waiting session has no wake-up and no lease, and a year later it takes the reply."""
    session = house.start()
    house.drive(session)
    assert (session.status, session.wake_at, session.lease) == (Status.WAITING, None, "")
    house.clock.pass_by(365 * 86_400)
    before = len(house.wire.requests)
    house.advance(session)
    assert len(house.wire.requests) == before
    house.reply(session, "Approved, proceed.")
    assert (session.status, session.wake_at) == (Status.RUNNING, house.clock())


def test_events_count_without_gaps_and_the_status_moves_as_documented(house):
    """Rows 1.1 and 1.2: queued, running, waiting for the plan and the winner, succeeded."""
    session = house.start()
    assert session.status == Status.QUEUED
    seen = [session.status]
    for words in ("Approved, proceed.", "Proceed with the winning config.", ""):
        house.drive(session)
        seen.append(session.status)
        if words:
            house.reply(session, words)
            seen.append(session.status)
    assert seen == ["queued", "waiting", "running", "waiting", "running", "succeeded"]
    numbers = list(session.events.values_list("seq", flat=True))
    assert numbers == list(range(1, session.event_seq + 1))


def test_the_data_is_staged_once_and_never_asked_for_again(house):
    """Row 1.13: one download a session; every later step reads the copy."""
    session = house.start(rows=40, tuning_samples=20)
    name = session.value("dataset")
    house.drive(session)
    with house.person() as person:
        person.delete(f"/v1/{name}").raise_for_status()
    house.reply(session, "Use 3 epochs instead.")
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    assert len(house.wire.calls("GET", ":getDownloadEndpoint")) == 1


def test_the_same_inputs_give_the_same_files(house):
    """Row 6.1: split and sample are the same, byte for byte; another seed gives others."""
    rows = house.dataset("same", chat(60))

    def files(**more):
        session = house.start(dataset=rows, tuning_samples=20, **more)
        house.drive(session)
        names = ("train.jsonl", "sample.jsonl", "heldout.jsonl")
        return [session.artifacts.get(name=name).path.read_bytes() for name in names]

    first = files()
    assert files() == first
    assert all(one != other for one, other in zip(files(seed=7), first, strict=True))


def test_actual_costs_are_kept_beside_the_estimate(house):
    """Rows 1.16 and 2.7: each job's own cost in its line, the sum of them as what was spent."""
    session = house.finished(rows=40, tuning_samples=20, lora_ranks=(8, 16))
    jobs = house.remote(JOBS)
    paid = sum(micro(Money.from_api(job["estimatedCost"]).amount) for job in jobs)
    lines = {line.item: line for line in LedgerLine.objects.filter(session=session)}
    assert {"training:candidate:1", "training:candidate:2", "training:final"} < set(lines)
    assert all(lines[item].expected is not None for item in lines if item.startswith("training"))
    spent = sum(line.actual or 0 for line in lines.values())
    assert spent == paid
    assert report(session)["costs"]["actual"] == str(spent)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_network_is_asked(house):
    """A row lock held through a call would stop every page of the session."""
    session = house.finished(rows=30)
    assert session.status == Status.SUCCEEDED
    assert len(house.wire.in_transaction) > 20
    assert not any(house.wire.in_transaction)


def test_new_things_carry_the_session_and_a_time_and_nothing_else_is_touched(house):
    """Row 1.9: only names of the session are made; what was in the account stays as it was."""
    foreign = house.dataset("foreign", chat(5))
    before = house.remote(DATASETS)[0]
    session = house.finished(rows=40)
    made = [
        each["name"]
        for each in house.remote(JOBS) + house.remote(DATASETS) + house.remote(DEPLOYMENTS)
        if each["name"] not in {foreign, f"{ACCOUNT}/{DATASETS}/rows"}
    ]
    stamp = f"{timezone.now():%Y%m%d}"
    assert len(made) == 4
    assert all(f"fwp-{session.public_id}-" in name and stamp in name for name in made), made
    assert [each for each in house.remote(DATASETS) if each["name"] == foreign] == [before]
    own = f"/v1/{ACCOUNT}/"
    changing = [(method, path) for method, path in house.wire.requests if method not in {"GET", "HEAD"}]
    allowed = ("POST", "/inference/v1/chat/completions")
    collections = {own + name for name in (JOBS, DATASETS, DEPLOYMENTS)}
    assert all(
        call == allowed or call[1] in collections or f"/fwp-{session.public_id}-" in call[1]
        for call in changing
    ), changing


def test_what_stands_is_listed_by_candidate_whatever_job_ended_first(house):
    """Row 1.15: the same run gives the same report."""
    house.trainer.hold = True
    session = house.approved(rows=40, lora_ranks=(8, 16), deploy=False)
    house.drive(session, until=lambda: len(house.trainer.running) == 2)
    house.trainer.finish(house.trainer.running[1])
    house.drive(session, until=lambda: session.resources.filter(purpose="model-2").exists())
    house.trainer.finish()
    house.drive(session)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    models = [each["name"] for each in report(session)["standing"] if each["kind"] == "model"]
    assert [name.split("-job-")[1][0] for name in models] == ["1", "2"]


def test_the_report_lists_the_calls_that_made_things_without_the_key(house):
    """Row 1.16: what was made can be made again by hand; the key is not in it."""
    session = house.finished(rows=40)
    told = report(session)
    assert sum(f"/{JOBS}?" in call for call in told["calls"]) == 1
    assert sum(":upload" in call for call in told["calls"]) == 2
    for each in (told["program"], session.artifacts.get(name="final_report.md").path.read_text()):
        assert f"/{JOBS}'" in each
        assert told["prefix"] in each
    assert "Bearer any" not in json.dumps(told)
