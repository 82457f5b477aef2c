"""Preference learning from its start to its report (product section 4)."""

from __future__ import annotations

import json
from decimal import Decimal

from sessions.actions import gates
from sessions.models import Answer, Artifact
from sessions.scoreboard import scoreboard
from sessions.states import CandidateState, GateKind, Status
from tests.integration.preference.conftest import (
    BIG_QWEN,
    JUDGE,
    QWEN,
    STRONG,
    WEAK,
    content,
    lines,
    pairs,
    preference,
    prompts,
)
from tests.integration.workflows.house import DATASETS, DEPLOYMENTS, report, write_lines

DPO = "dpoJobs"
TOKENS = "train/total_tokens"  # of a metrics file, so far


def numbers(session):
    found = session.evaluations.all()
    return {(each.subject, each.metric): each for each in found}


def test_pairs_end_with_a_deployed_model(house):
    """Rows 4.1 to 4.9 for pairs: split by prompt, trained, judged blind in both orders, confirmed,
    deployed."""
    session = preference(house, pairs(20), betas=(0.1, 0.3))
    house.drive(session)
    body = house.gate(session).plan.body
    assert "Train 2 candidates of qwen3-8b by DPO on 16 pairs" in body["summary"]
    assert (body["judge"]["model"], body["makers"]) == (JUDGE, None)
    assert "list items: more in 100% of 16 pairs" in session.value("rubric")
    assert body["skipped"]["training"]
    assert body["data"]["lint"]["lengths"]["longer"] == 20
    assert not house.wire.calls("POST", DPO), "nothing is made before the approval"
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    gate = house.gate(session)
    assert (gate.kind, gate.body["metric"]) == (GateKind.PROMOTION, "win_rate")
    assert "cannot be told apart from candidate 2" in gate.body["certainty"]
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    jobs = house.remote(DPO)
    assert [job["lossConfig"]["dpo"]["beta"] for job in jobs] == [0.1, 0.3]
    assert {job["lossConfig"]["method"] for job in jobs} == {"DPO"}
    assert [place["state"] for place in house.remote(DEPLOYMENTS)] == ["READY"]
    found = numbers(session)
    first = found["candidate:1", "win_rate"]
    assert (first.value, first.rows) == (1.0, 4)
    assert first.provenance["baseline"] == f"base:{QWEN}"
    assert (first.provenance["wins"], first.provenance["invalid_rows"]) == (4, 0)
    assert found["candidate:1", "win_rate:candidate:2"].provenance["ties"] == 4
    asked = Answer.objects.filter(session=session, prompts="judge-1")
    assert {each.result["pick"] for each in asked.filter(row__in=(0, 2, 4, 6))} == {"first"}
    assert {each.result["pick"] for each in asked.filter(row__in=(1, 3, 5, 7))} == {"second"}
    told = report(session)
    assert told["served"]["model"] == session.winner.model


def test_prompts_have_pairs_made_of_them_first(house):
    """Row 4.3: strong over weak, screened and counted, uploaded under a new name; held-out prompts stay
    out."""
    rows = prompts(20)
    for at, word in enumerate(("silence", "same", "refuse")):
        rows += [{"messages": [{"role": "user", "content": f"{word} {at} {each}"}]} for each in range(3)]
    original = house.dataset("prompts", rows)
    session = preference(house, None, dataset=original, make_pairs=True)
    house.drive(session)
    body = house.gate(session).plan.body
    assert body["makers"] == {"strong": STRONG, "weak": WEAK, "max_tokens": 512, "screening": "refused"}
    making = [each for each in body["estimate"]["by_group"] if each["label"] == "Pair generation"]
    assert making, body["estimate"]["by_group"]
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    made = lines(session.artifacts.get(name="pairs.jsonl").path)
    held = {row["messages"][0]["content"] for row in lines(session.artifacts.get(name="heldout.jsonl").path)}
    asked = [row["input"]["messages"][0]["content"] for row in made]
    assert not held & set(asked)
    assert all(row["preferred_output"][0]["content"].startswith("- Here is") for row in made)
    assert not any(word in text for text in asked for word in ("silence", "same", "refuse"))
    summary = session.artifacts.get(name="pairs.jsonl").detail
    assert summary["counts"]["kept"] == len(made)
    assert sum(summary["counts"].values()) == summary["prompts"]
    traces = lines(session.artifacts.get(name="pairs-provenance.jsonl").path)
    assert len(traces) == summary["prompts"]
    assert all(isinstance(each["strong"]["seed"], int) for each in traces)
    uploaded = [each for each in house.remote(DATASETS) if "dataset-pairs" in each["name"]]
    assert len(uploaded) == 1
    assert {job["dataset"] for job in house.remote(DPO)} == {uploaded[0]["name"]}
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure


def test_an_early_stop_launches_nothing_after_the_evaluation_that_reached_it(house):
    session = preference(house, pairs(20), betas=(0.1, 0.2, 0.3), stop_early=True, target=("win_rate", 0.75))
    house.drive(session)
    body = house.gate(session).plan.body
    assert "once one reaches the target no job is started any more" in body["summary"]
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    gate = house.gate(session)
    assert gate.kind == GateKind.PROMOTION
    assert len(house.remote(DPO)) == 1
    assert gate.body["target"]["word"] == "too close to call", "4 rows cannot tell 75 % from less"
    kinds = list(session.events.values_list("kind", "text"))
    reached = next(at for at, (kind, _) in enumerate(kinds) if kind == "measured")
    assert not any("Making job" in text for _, text in kinds[reached:])
    states = list(session.candidates.values_list("number", "state"))
    assert states == [(1, "done"), (2, "cancelled"), (3, "cancelled")]


def test_jobs_that_run_when_the_target_is_reached_go_on_as_the_plan_said(house):
    house.trainer.hold = True
    session = preference(
        house,
        pairs(20),
        betas=(0.1, 0.2, 0.3, 0.4),
        stop_early=True,
        target=("win_rate", 0.75),
        parallel_jobs=2,
    )
    house.drive(session)
    assert "up to 2 at a time" in house.gate(session).plan.body["summary"]
    house.reply(session, "Approved, proceed.")
    house.drive(session, until=lambda: len(house.trainer.running) == 2)
    house.trainer.finish()
    house.drive(session, until=lambda: session.evaluations.exists())
    assert len(house.trainer.running) == 1
    house.pass_time()
    house.advance(session)
    assert len(house.remote(DPO)) == 2, "the free place stays free"
    house.trainer.finish()
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    states = list(session.candidates.values_list("state", flat=True))
    assert states == ["done", "done", "cancelled", "cancelled"]
    assert numbers(session)["candidate:2", "win_rate"].rows == 4
    lines = {line.item: line.actual for line in session.ledger.all()}
    assert lines["training:candidate:3"] == 0


def test_no_base_model_is_a_sweep_that_is_confirmed_first(house):
    session = preference(house, pairs(20), base_models=None)
    house.drive(session)
    gate = house.gate(session)
    assert [each["field"] for each in gate.body["questions"]] == ["sweep_models"]
    house.reply(session, "", action=["answer"], sweep_models=["yes"])
    house.drive(session)
    body = house.gate(session).plan.body
    assert [each["base_model"] for each in body["candidates"]] == [QWEN, BIG_QWEN]
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    found = numbers(session)
    assert found["candidate:2", "win_rate"].provenance["baseline"] == f"base:{BIG_QWEN}"
    assert found["candidate:1", "win_rate:candidate:2"].rows == 4


def test_chosen_and_rejected_are_trained_on_as_pairs_by_orpo(house):
    rows = [
        {"prompt": row["input"]["messages"][0]["content"], "chosen": row["preferred_output"][0]["content"],
         "rejected": row["non_preferred_output"][0]["content"]}
        for row in pairs(12)
    ]  # fmt: skip
    session = preference(house, rows, method="orpo", betas=(0.2,), deploy=False)
    house.drive(session)
    body = house.gate(session).plan.body
    assert body["data"]["conversions"][0]["rows"] == 12
    assert "lambda 0.2" in body["sentence"]
    assert any("lambda 0.2" in line["label"] for line in body["estimate"]["lines"])
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    (job,) = house.remote(DPO)
    assert job["lossConfig"]["method"] == "ORPO"
    assert job["lossConfig"]["orpo"]["lambda"] == 0.2
    board = scoreboard(list(session.candidates.all()))
    assert ("Lambda", "0.2") in board.same
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    text = session.artifacts.get(name="final_report.md").path.read_text()
    assert "| Learning rate | Epochs | Lambda |" in text
    assert not house.remote(DEPLOYMENTS)


def running(house, session):
    """The folder of the session's job while it runs, with metrics that tell its tokens."""
    house.trainer.hold = True
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session, until=lambda: len(house.trainer.running) == 1)
    (folder,) = house.trainer.running
    write_lines(folder / "metrics.jsonl", [{"step": 1, "train/loss": 1.0, TOKENS: 1_000_000}])
    return folder


def settled_by_tokens(session) -> bool:
    line = session.ledger.get(item="training:candidate:1")
    return line.actual == Decimal("1.00") and "1,000,000 trained tokens" in line.gap


def test_what_a_cancelled_job_trained_on_is_settled(house):
    session = preference(house, pairs(20), betas=(0.1,), deploy=False)
    running(house, session)
    house.pass_time()
    house.advance(session)
    assert gates.cancel(session, session.owner, house.clock())
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert settled_by_tokens(session)


def test_training_is_settled_from_the_tokens_that_the_metrics_tell(house):
    session = preference(house, pairs(20), betas=(0.1,), deploy=False)
    folder = running(house, session)
    house.pass_time()
    (folder / "result.json").write_text(json.dumps({"ok": False, "code": "INTERNAL", "message": "it broke"}))
    house.trainer.running.clear()
    house.drive(session)
    assert session.candidates.get().state == CandidateState.FAILED
    assert settled_by_tokens(session)


def test_models_that_answer_nothing_end_the_session_with_the_providers_words(house):
    """Row 1.15: prompts that leave no room for an answer are refused one by one."""
    rows = pairs(16)
    for row in rows:
        row["input"]["messages"][0]["content"] += " word" * 5000
    session = preference(house, rows, betas=(0.1,))
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    assert session.status == Status.FAILED
    assert "above the context length" in session.failure["theirs"]
    assert numbers(session)["candidate:1", "win_rate"].rows == 0
    assert "no held-out prompt was answered by both" in session.events.filter(kind="measured").last().text


def test_mixed_formats_are_refused_with_the_counts(house):
    session = preference(house, [*pairs(6), *prompts(2)])
    house.drive(session)
    assert session.status == Status.FAILED
    assert "6 preference pairs, 2 prompts without answers" in session.failure["ours"]


def test_rows_that_cannot_be_used_are_asked_about_and_left_out(house):
    rows = pairs(12)
    bad = pairs(13)[12:]
    bad[0]["preferred_output"] = bad[0]["non_preferred_output"]
    session = preference(house, [*rows, *bad])
    house.drive(session)
    (question,) = house.gate(session).body["questions"]
    assert question["field"] == "drop_bad_rows"
    assert "line 13: both answers are the same" in question["text"]
    house.reply(session, "", action=["answer"], drop_bad_rows=["yes"])
    house.drive(session)
    assert house.gate(session).plan.body["data"]["dropped_rows"] == 1


def test_the_original_stays_and_a_rerun_makes_new_names(house):
    name = house.dataset("prompts", prompts(15))
    before = content(house, name)
    names = []
    for _ in range(2):
        session = preference(house, None, dataset=name, deploy=False)
        house.drive(session)
        house.reply(session, "Approved, proceed.")
        house.drive(session)
        names += [each.name for each in session.resources.exclude(kind="model")]
    assert content(house, name) == before
    assert {method for method, path in house.wire.requests if name in path} == {"GET"}
    assert len(set(names)) == len(names)
    digests = {each.sha256 for each in artifacts("pairs.jsonl")}
    assert len(digests) == 1, "the same prompts and seed give the same pairs"


def test_a_dataset_to_measure_on_is_never_trained_on(house):
    rows = pairs(16)
    measured = house.dataset("measured", [*rows[:3], *pairs(20)[16:]])
    session = preference(house, rows, evaluation_dataset=measured)
    house.drive(session)
    data = house.gate(session).plan.body["data"]
    assert (data["train_rows"], data["heldout_rows"]) == (13, 7)
    assert any("3 training rows ask a prompt of the evaluation dataset" in risk for risk in data["risks"])


def artifacts(name: str):
    return Artifact.objects.filter(name=name)


def test_more_held_out_than_trained_on_is_a_risk_of_the_plan(house):
    session = preference(house, pairs(40), heldout_rows=30)
    house.drive(session)
    told = "Held out are 30 rows, more than the 10 that are trained on. Was less meant?"
    assert told in house.gate(session).plan.body["risks"]
    house.reply(session, "Use 80% for training.")
    house.drive(session)
    assert not any("Held out are" in risk for risk in house.gate(session).plan.body["risks"])
