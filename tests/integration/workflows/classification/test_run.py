"""A classification run from its start to its report (product section 3)."""

from __future__ import annotations

import csv
import json
import re
from typing import Any

import pytest
from django.test import Client

from sessions.models import Answer, Evaluation, TuningSession
from sessions.states import CandidateState, GateKind, PhaseState, Status
from tests.factories import BIG_QWEN, QWEN, make_base_model
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.house import JOBS, House, Killed, report


def started(house: House, rows: list[dict[str, Any]] | None = None, **values: Any) -> TuningSession:
    """A session on rows of its own, at its plan."""
    if "dataset" not in values:
        values["dataset"] = house.dataset("intent-labels", rows or tickets(100))
    values.setdefault("base_models", (QWEN, BIG_QWEN))
    session = house.start(workflow="classification", strategy=None, **values)
    house.drive(session)
    return session


def finished(house: House, **values: Any) -> TuningSession:
    """The same, approved and driven to its end."""
    session = started(house, **values)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    return session


def read(session: TuningSession, name: str) -> str:
    return session.artifacts.get(name=name).path.read_text(encoding="utf-8")


def page(client: Client, session: TuningSession, **query: str) -> str:
    """The session's page as it is read."""
    answer = client.get(session.get_absolute_url(), query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_run_compares_base_and_tuned_and_deploys_the_winner(knowing: House, client: Client) -> None:
    """Rows 3.5 to 3.7: benchmark, sweep, full-data run of each base model, evaluation, comparison; numbers
    have their rows and intervals, and the rows behind a cell can be opened."""
    session = finished(knowing, tuning_samples=40, lora_ranks=(8, 16))
    assert set(session.phases.values_list("state", flat=True)) == {PhaseState.DONE}
    roles = list(session.candidates.values_list("role", "base_model"))
    assert roles[4:] == [("final", QWEN), ("final", BIG_QWEN)]
    found = {each.subject: each for each in Evaluation.objects.filter(session=session, metric="accuracy")}
    assert found.keys() == {f"base:{QWEN}", f"base:{BIG_QWEN}", "candidate:5", "candidate:6"}
    for each in found.values():
        assert each.rows == 20
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.value <= each.high
    told = report(session)
    assert told["served"]["snippet"].count("reasoning_effort") == 1
    against = [each for each in told["classification"]["comparisons"] if each["against_base"]]
    assert len(against) == 2
    chosen = report(session)["promotion"]["ranking"][0]
    assert chosen["name"].endswith(f"tuned (candidate {chosen['number']} on all rows)")
    markdown = read(session, "final_report.md")
    assert "## Base against tuned" in markdown
    rows = list(csv.reader(read(session, "predictions.csv").splitlines()))
    assert (len(rows), len(rows[0])) == (21, 3 + 4 * 4)
    shown_on_the_page(client, session)
    chosen_one = session.result.subject if session.result else ""
    (sentence,) = [each["sentence"] for each in against if each["first"] == chosen_one]
    assert f"of 20 held-out rows , by {chosen['name']}. {sentence}" in page(client, session)
    every_row_once(session)


def shown_on_the_page(client: Client, session: TuningSession) -> None:
    """Per label, the confusion, and the rows behind a figure."""
    assert "4 labels" in page(client, session, tab="data")
    text = page(client, session, tab="evaluation")
    assert "By label" in text
    assert "became right" in text
    body = json.loads(read(session, f"classification/{session.result.subject.replace(':', '-')}.json"))  # type: ignore[union-attr]
    label, line = body["labels"][0], body["matrix"][0]
    cell = page(client, session, tab="evaluation", right=label, answered=label)
    assert f"{line[0]} row" in cell
    assert f"labelled “{label}” and answered “{label}”" in cell
    all_rows = page(client, session, tab="evaluation", rows="label", right=label)
    assert f"{sum(line)} rows labelled “{label}”" in all_rows
    hits = page(client, session, tab="evaluation", rows="hits", right=label)
    assert f"labelled “{label}” and answered with it" in hits
    assert "outside the set" in page(client, session, tab="evaluation", rows="outside")
    base = page(client, session, tab="evaluation", of=f"base:{QWEN}")
    assert "By label: qwen3-8b, untuned" in base


def test_a_benchmark_measures_and_trains_nothing(knowing: House, client: Client) -> None:
    """Row 3.8: base models against each other, no job, no deployment; the report and the page say so."""
    session = started(knowing, benchmark_only=True)
    knowing.reply(session, "Approved, proceed.")
    knowing.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    assert knowing.remote(JOBS) == []
    told = report(session)
    assert "nothing was trained" in told["verdict"]
    (comparison,) = told["classification"]["comparisons"]
    assert not comparison["against_base"]
    text = page(client, session)
    assert "By label" in text
    assert "The base models are measured" in text
    assert "Nothing was trained." in text
    assert "## Base models compared" in read(session, "final_report.md")
    best = max(session.evaluations.filter(metric="accuracy"), key=lambda each: each.value)
    assert f"rows answered rightly by {best.subject.rpartition('/')[2]}, untuned" in text


def every_row_once(session: TuningSession) -> None:
    """Each row has one answer of each model, from one attempt, read by both rules."""
    for subject in (f"base:{QWEN}", f"base:{BIG_QWEN}", "candidate:5", "candidate:6"):
        answers = Answer.objects.filter(session=session, subject=subject)
        assert sorted(answers.values_list("row", "attempt")) == [(row, 1) for row in range(20)]
        assert all({"labels", "strict", "right"} <= each.result.keys() for each in answers)


def test_each_row_is_asked_once_though_the_worker_is_killed_five_times(knowing: House) -> None:
    """The worker dies at five places of the evaluation; no row has two answers, and none was asked again."""
    session = started(knowing, base_models=(QWEN,), deploy=False)
    knowing.reply(session, "Approved, proceed.")
    places = [
        ("POST", "batchInferenceJobs", True),
        ("GET", ":getDownloadEndpoint", False),
        ("POST", "supervisedFineTuningJobs", True),
        ("POST", "batchInferenceJobs", False),
        ("GET", ":getDownloadEndpoint", True),
    ]
    for method, ending, after in places:
        knowing.wire.kill(method, ending, after=after)
        with pytest.raises(Killed):
            knowing.drive(session)
        knowing.clock.pass_by(3600)
    knowing.drive(session)
    knowing.reply(session, "Proceed with the winning config.")
    knowing.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    answers = Answer.objects.filter(session=session)
    assert answers.count() == 2 * 20
    assert set(answers.values_list("attempt", flat=True)) == {1}
    assert len(knowing.remote("batchInferenceJobs")) == 2


def test_the_weaker_base_models_are_measured_and_not_trained(knowing: House, client: Client) -> None:
    """Row 3.5: of four base models the better two go on; what the others would have cost is not spent."""
    more = [f"accounts/fireworks/models/{name}" for name in ("qwen3p5-9b", "qwen3-14b")]
    for name in more:
        make_base_model(name, parameters=4_000_000_000)
    session = started(knowing, base_models=(QWEN, BIG_QWEN, *more), deploy=False)
    knowing.reply(session, "Approved, proceed.")
    knowing.drive(session)
    states = list(session.candidates.values_list("state", flat=True))
    assert sorted(states) == [CandidateState.CANCELLED] * 2 + [CandidateState.DONE] * 2
    shares = dict(
        Evaluation.objects.filter(session=session, metric="accuracy").values_list("subject", "value")
    )
    trained = {each.base_model for each in session.candidates.filter(state=CandidateState.DONE)}
    knowing.reply(session, "Proceed with the winning config.")
    knowing.drive(session)
    let_go = session.candidates.filter(state=CandidateState.CANCELLED)
    for item in (
        f"{part}:candidate:{each.number}" for each in let_go for part in ("training", "inference:heldout")
    ):
        assert session.ledger.get(item=item).actual == 0
    best_share = session.evaluations.filter(metric="accuracy", candidate__isnull=False).order_by("-value")[0]
    board = page(client, session, tab="scoreboard")
    assert "Right answers" in board
    assert f"{100 * best_share.value:.1f} %" in board  # with a space that does not break, read as any
    best = min(shares[f"base:{name}"] for name in trained)
    assert all(shares[f"base:{name}"] <= best for name in {QWEN, BIG_QWEN, *more} - trained)


def test_a_limit_of_candidates_leaves_two_base_models_to_train(knowing: House) -> None:
    """Of four base models with two candidates those two go on, whichever answer best; the plan says so."""
    more = [f"accounts/fireworks/models/{name}" for name in ("qwen3p5-9b", "qwen3-14b")]
    for name in more:
        make_base_model(name, parameters=4_000_000_000)
    models = (*more, QWEN, BIG_QWEN)
    session = started(knowing, base_models=models, max_candidates=2, deploy=False)
    plan = session.plans.last()
    assert plan is not None
    assert any("qwen3-8b, qwen3-32b have no candidate" in each for each in plan.body["risks"])
    knowing.reply(session, "Approved, proceed.")
    knowing.drive(session)
    assert knowing.gate(session).kind == GateKind.PROMOTION
    trained = session.candidates.filter(state=CandidateState.DONE)
    assert set(trained.values_list("base_model", flat=True)) == set(more)


def test_fewer_candidates_than_base_models_that_go_on_are_refused(knowing: House) -> None:
    session = started(knowing, max_candidates=1)
    (question,) = knowing.gate(session).body["questions"]
    assert question["field"] == "max_candidates"
    assert "1 candidate is too few: 2 base models go on" in question["text"]


def test_a_failed_full_data_run_leaves_its_candidate_to_measure(knowing: House) -> None:
    """The base model stays in the comparison by the candidate on the sample, and the gate says so."""
    session = started(knowing, tuning_samples=40, deploy=False)
    knowing.reply(session, "Approved, proceed.")
    knowing.drive(session, until=lambda: len(knowing.remote(JOBS)) == 2)
    knowing.wire.refuse(
        "POST", JOBS, 400, error={"code": 3, "message": "no room for this", "status": "INVALID_ARGUMENT"}
    )
    knowing.drive(session)
    gate = knowing.gate(session)
    assert gate.kind == GateKind.PROMOTION, session.failure
    assert "The full-data run of qwen3-8b failed" in gate.body["rule"]
    assert len(gate.body["ranking"]) == 2
    knowing.reply(session, "Proceed with the winning config.")
    knowing.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure


def test_rows_with_several_labels(knowing: House, client: Client) -> None:
    """Row 3.6: a list of labels makes it multi-label; exact match, Hamming loss, micro and macro F1. Each
    label has its rows in four parts, and what is missing and added together is listed; numbers open rows."""
    rows = tickets(60)
    for at, row in enumerate(rows):
        row["ground_truth"] = [row["ground_truth"], "urgent"] if at % 3 == 0 else [row["ground_truth"]]
    session = finished(knowing, rows=rows, base_models=(QWEN,), deploy=False)
    metrics = set(session.evaluations.values_list("metric", flat=True))
    assert {"exact_match", "exact_match_strict", "hamming_loss", "micro_f1", "macro_f1", "outside"} <= metrics
    assert "accuracy" not in metrics
    for each in session.evaluations.filter(metric__in=("hamming_loss", "micro_f1", "macro_f1")):
        assert each.low is not None
        assert each.high is not None
        assert each.low <= each.value <= each.high
    plan = session.plans.last()
    assert plan is not None
    assert plan.body["labels"]["multi"]
    lines = read(session, "train.jsonl").splitlines()
    assert "billing\nurgent" in {json.loads(line)["messages"][-1]["content"] for line in lines}
    parts_open_their_rows(client, session)


def parts_open_their_rows(client: Client, session: TuningSession) -> None:
    """As many rows behind each number of the tables as it says, for the suggested model."""
    body = json.loads(read(session, f"classification/{session.result.subject.replace(':', '-')}.json"))  # type: ignore[union-attr]
    words = {
        "hits": "labelled “{}” and answered with it",
        "missing": "labelled “{}” and not answered with it",
        "added": "not labelled “{}” and answered with it",
        "neither": "neither labelled nor answered “{}”",
    }
    urgent = next(each for each in body["cells"] if each["label"] == "urgent")
    assert sum(urgent[kind] for kind in words) == body["rows"]
    for kind, text in words.items():
        shown = page(client, session, tab="evaluation", rows=kind, right="urgent")
        assert re.search(rf"\b{urgent[kind]} rows? {text.format('urgent')}", shown), kind
    for swap in body["swaps"]:
        shown = page(client, session, tab="evaluation", missing=swap["missing"], added=swap["added"])
        assert re.search(rf"\b{swap['rows']} rows? with", shown), swap
    assert "Most often missing and added together" in page(client, session, tab="evaluation")


def test_the_same_inputs_give_the_same_files(knowing: House) -> None:
    """Row 6.1: split and sample byte for byte; another seed gives others."""
    rows = knowing.dataset("rows", tickets(100))

    def files(**values: Any) -> list[str]:
        session = started(knowing, dataset=rows, tuning_samples=40, **values)
        names = ("train.jsonl", "sample.jsonl", "heldout.jsonl")
        return [session.artifacts.get(name=name).sha256 for name in names]

    first = files()
    assert files() == first
    assert all(one != other for one, other in zip(files(seed=7), first, strict=True))
