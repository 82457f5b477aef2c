"""Every example, and every bullet on customising, of the supervised document, typed as it stands there and
driven to the end through the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sessions.models import TuningSession
from sessions.specification import short_name
from sessions.states import GateKind, PhaseState, Status
from tests.factories import BIG_QWEN, QWEN
from tests.integration.evaluators.conftest import walls
from tests.integration.seeds.journey import Journey, customisations, instructions, triggers
from tests.integration.workflows.house import JOBS, chat, report
from tests.integration.workflows.test_evaluator_faults import GOOD as EXACT
from tests.integration.workflows.test_evaluator_faults import on_fireworks

__all__ = ["walls"]

NAME = "supervised-fine-tuning"
START = "Run supervised fine-tuning on accounts/myacct/datasets/mydata with Qwen3 8B, without deploying."
ONE = "Use LoRA rank 8 with learning rate 1e-4, 1 epoch."
Bodies = list[dict[str, Any]]


def ended_well(session: TuningSession, journey: Journey) -> Bodies:
    """The session succeeded and left its report; the bodies of its training jobs."""
    assert session.status == Status.SUCCEEDED, [event.text for event in session.events.all()][-5:]
    assert session.not_understood == []
    assert session.artifacts.filter(name="final_report.md").exists()
    return journey.house.wire.created(JOBS)


def test_the_first_example(journey: Journey) -> None:
    """Validation loss on one base model: three default candidates, and a deployed winner."""
    journey.house.dataset("customer-support-conv", chat(40))
    session = journey.finish(journey.begin(instructions(NAME)[0]))
    bodies = ended_well(session, journey)
    assert {body["baseModel"] for body in bodies} == {BIG_QWEN}
    assert [(body["loraRank"], body["learningRate"]) for body in bodies[:3]] == [
        (8, 1.5e-4), (16, 1e-4), (32, 5e-5),
    ]  # fmt: skip
    served = report(session)["served"]
    assert served["proof"]["answer"].strip()
    assert "fireworks" in served["snippet"]


def test_the_second_example(journey: Journey) -> None:
    """An explicit grid over two base models: eight candidates of three epochs."""
    journey.house.dataset("mydata", chat(40))
    session = journey.finish(journey.begin(instructions(NAME)[1]))
    sweep = ended_well(session, journey)[:8]
    seen = {(body["baseModel"], body["loraRank"], body["learningRate"], body["epochs"]) for body in sweep}
    assert seen == {
        (model, rank, rate, 3) for model in (QWEN, BIG_QWEN) for rank in (16, 32) for rate in (1e-4, 5e-5)
    }


def grid(session: TuningSession, bodies: Bodies) -> None:
    seen = {(body["loraRank"], body["learningRate"]) for body in bodies}
    assert seen == {(rank, rate) for rank in (8, 16, 32) for rate in (1e-4, 5e-5)}


def epochs(session: TuningSession, bodies: Bodies) -> None:
    assert {body["epochs"] for body in bodies} == {3}


def samples(session: TuningSession, bodies: Bodies) -> None:
    assert session.artifacts.get(name="sample.jsonl").detail["rows"] == 500
    assert session.candidates.filter(role="final").count() == 1


def parallel(session: TuningSession, bodies: Bodies) -> None:
    """How many really run at once is seen in the test below."""
    assert session.value("parallel_jobs") == 10


def no_final_run(session: TuningSession, bodies: Bodies) -> None:
    assert session.phases.get(phase="training").state == PhaseState.SKIPPED
    assert len(bodies) == 3
    assert session.result == session.winner


def own_evaluation(session: TuningSession, bodies: Bodies) -> None:
    assert {body["evalAutoCarveout"] for body in bodies} == {False}
    assert session.artifacts.get(name="heldout.jsonl").detail["rows"] == 7
    assert len({body["evaluationDataset"] for body in bodies}) == 1


BULLETS: list[Callable[[TuningSession, Bodies], None]] = [
    grid, epochs, samples, parallel, no_final_run, own_evaluation,
]  # fmt: skip


@pytest.mark.parametrize("at", range(len(BULLETS)), ids=[each.__name__ for each in BULLETS])
def test_every_bullet_on_customising(journey: Journey, at: int) -> None:
    sentences = customisations(NAME)
    assert len(sentences) == len(BULLETS)
    journey.house.dataset("mydata", chat(620 if BULLETS[at] is samples else 40))
    journey.house.dataset("holdout", chat(7, "shade"))
    session = journey.finish(journey.begin(f"{START} {sentences[at]}"))
    BULLETS[at](session, ended_well(session, journey))


def evaluators(journey: Journey, tmp_path: Path) -> None:
    """The account has the evaluator that the document names."""
    on_fireworks(journey.house, tmp_path, EXACT, "my-eval")


def path_ended(session: TuningSession, journey: Journey, strategy: str) -> None:
    """The session was measured as asked: the plan, the promotion gate and the report say so."""
    plan = session.plans.last()
    assert plan is not None
    words = {
        "validation_loss": "compare them by validation loss",
        "evaluator": "the mean score of an evaluator (what you brought, evaluator.tar.gz)",
        "generated": "the mean score of an evaluator (one of a set)",
    }
    assert words[strategy] in plan.body["summary"]
    ended_well(journey.finish(session), journey)
    assert session.value("strategy") == strategy
    has_scores = session.evaluations.filter(metric="score").exists()
    assert has_scores == (strategy != "validation_loss")
    text = session.artifacts.get(name="final_report.md").path.read_text()
    assert ("## Scores" in text) == has_scores


# A phrase by its place among the six, what is answered to the questions that follow (a number: another
# phrase), and the strategy in the end.
LABELS = "The answer must be the right one of the labels."
INSTRUCTED = [
    (0, [], "validation_loss"),
    (2, [], "evaluator"),
    (4, [LABELS], "generated"),
]
ANSWERED = [
    (1, "Use my own evaluator.", [], "validation_loss"),
    (3, "Generate an evaluator for me.", [2], "evaluator"),
    (5, "Use my own evaluator.", [LABELS], "generated"),
]


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("at", "answers", "strategy"), INSTRUCTED, ids=[each[2] for each in INSTRUCTED])
def test_the_trigger_phrases_in_the_instruction(
    journey: Journey, tmp_path: Path, at: int, answers: list[str], strategy: str
) -> None:
    phrases = triggers(NAME)
    assert len(phrases) == len(INSTRUCTED) + len(ANSWERED)
    journey.house.dataset("mydata", chat(40))
    evaluators(journey, tmp_path)
    session = journey.begin(f"{START} {ONE} {phrases[at]}")
    for each in answers:
        journey.say(session, each)
    path_ended(session, journey, strategy)


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("at", "asking", "then", "strategy"), ANSWERED, ids=[each[3] for each in ANSWERED])
def test_the_trigger_phrases_when_asked(
    journey: Journey, tmp_path: Path, at: int, asking: str, then: list[int | str], strategy: str
) -> None:
    """The portal asks for what a strategy needs; the phrase is typed there and settles, or asks on."""
    phrases = triggers(NAME)
    journey.house.dataset("mydata", chat(40))
    evaluators(journey, tmp_path)
    session = journey.begin(f"{START} {ONE} {asking}")
    for each in (phrases[at], *then):
        assert journey.house.gate(session).kind == GateKind.QUESTIONS
        journey.say(session, phrases[each] if isinstance(each, int) else each)
    path_ended(session, journey, strategy)


@pytest.mark.usefixtures("walls")
def test_a_strategy_named_at_the_plan_asks_for_what_it_needs(journey: Journey, tmp_path: Path) -> None:
    phrases = triggers(NAME)
    journey.house.dataset("mydata", chat(40))
    evaluators(journey, tmp_path)
    session = journey.begin(f"{START} {ONE}")
    for phrase, field in ((phrases[3], "evaluator"), (phrases[5], "criterion"), (phrases[2], "")):
        journey.say(session, phrase)
        asked = [each["field"] for each in journey.house.gate(session).body.get("questions", [])]
        assert asked == ([field] if field else [])
    page = journey.page(session)
    assert "what you brought, evaluator.tar.gz" in page


def test_a_winner_that_is_not_deployed_is_not_said_to_be(journey: Journey) -> None:
    journey.house.dataset("mydata", chat(40))
    session = journey.begin(f"{START} {ONE}")
    journey.say(session, "Approved, proceed.")
    assert journey.house.gate(session).kind == GateKind.PROMOTION
    page = journey.page(session)
    assert "The winner is measured; nothing is deployed." in page
    assert "within what you approved" not in page


def test_ten_jobs_in_parallel(journey: Journey) -> None:
    journey.house.dataset("mydata", chat(40))
    grid = "LoRA ranks 1, 2, 4, 8, 16 and 32 with learning rates 1e-4 and 5e-5."
    session = journey.begin(f"{START} {grid} {customisations(NAME)[BULLETS.index(parallel)]}")
    trainer = journey.house.trainer
    trainer.hold = True
    journey.reply(session, "Approved, proceed.")
    journey.house.drive(session, until=lambda: len(trainer.running) >= 10)
    for _ in range(3):  # it stays at ten
        journey.house.pass_time()
        journey.house.advance(session)
    assert len(trainer.running) == 10
    trainer.hold = False
    for folder in list(trainer.running):
        trainer.finish(folder)
    journey.house.drive(session)
    assert len(ended_well(journey.finish(session), journey)) == 12


def test_asking_for_the_models_keeps_the_gate(journey: Journey) -> None:
    """Asked in the reply box while the plan waits: the list is shown, and nothing is decided."""
    journey.house.dataset("mydata", chat(40))
    session = journey.begin(START)
    page = journey.reply(session, "Which base models do you support for SFT?", status=200)
    listed = page.split("The supported base models are listed below.")[1].partition("</table>")[0]
    for name in (QWEN, BIG_QWEN):
        assert short_name(name) in listed
    gate = journey.house.gate(session)
    assert gate.kind == GateKind.PLAN
    assert journey.house.wire.created(JOBS) == []
