"""What a gate card shows."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from sessions.gatecard import Typed, as_text, decided, gate_card, inputs, question, values
from sessions.models import Candidate, Gate, Plan
from sessions.specification import FIELDS, Entry, Origin, Specification, read_form, with_changes
from sessions.specification.catalogue import ModelName
from sessions.specification.fields import Context

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MODELS = ("accounts/fireworks/models/qwen3-8b", "accounts/fireworks/models/qwen3-32b")
SPEC = Specification(
    {
        "base_models": Entry(MODELS, Origin.SAID, "qwen3-8b and qwen3-32b"),
        "lora_ranks": Entry((8, 16), Origin.FORM),
        "learning_rates": Entry((1.5e-4, 5e-5), Origin.FORM),
        "epochs": Entry(4, Origin.DATA, "min(5, ceil(2500 / rows))"),
        "final_run": Entry(True, Origin.DEFAULT),
    }
)


def plan_gate(**body: Any) -> Gate:
    plan = Plan(revision=2, digest="abc", body={"specification": SPEC.to_json(), **body})
    return Gate(pk=7, kind="plan", plan=plan, opened_at=NOON)


def test_each_value_says_where_it_comes_from() -> None:
    shown = {value.name: value for value in values(SPEC)}
    assert (shown["base_models"].origin_label, shown["base_models"].words) == (
        "you said",
        "qwen3-8b and qwen3-32b",
    )
    assert shown["base_models"].is_quoted
    assert (shown["epochs"].origin_label, shown["epochs"].is_quoted) == ("from the data", False)
    assert shown["final_run"].origin_label == "default"


def test_the_form_of_changes_reads_back_to_what_it_shows() -> None:
    context = Context([ModelName(name) for name in MODELS])
    shown = {each.name: each.text for each in inputs(SPEC, Typed())}
    reading = read_form(shown, context)
    assert reading.errors == []
    assert {name: entry.value for name, entry in reading.entries.items()} == SPEC.values()


def test_what_was_typed_wrongly_is_kept_with_its_fault() -> None:
    typed = Typed(form={"epochs": ["many"]}, faults={"epochs": "Not a number."})
    epochs = next(each for each in inputs(SPEC, typed) if each.name == "epochs")
    assert (epochs.text, epochs.fault) == ("many", "Not a number.")


def test_an_unset_value_is_an_empty_field() -> None:
    assert as_text("lora_ranks", None) == ""
    assert as_text("deploy", False) == "no"


def test_the_key_of_a_card_changes_with_the_plan() -> None:
    gate = plan_gate()
    before = gate_card(gate, [], SPEC).key
    gate.plan.digest = "def"  # type: ignore[union-attr]
    assert gate_card(gate, [], SPEC).key != before


def test_a_question_keeps_what_was_picked_or_written() -> None:
    body = {
        "field": "dataset",
        "text": "Which?",
        "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}],
    }
    picked = question(body, Typed(form={"dataset": ["b", ""]}))
    assert [choice.chosen for choice in picked.choices] == [False, True]
    assert question(body, Typed(form={"dataset": ["accounts/x/datasets/y"]})).typed == "accounts/x/datasets/y"
    assert question({**body, "field": "base_models"}, Typed()).multiple


def test_a_closed_gate_says_who_and_when() -> None:
    gate = Gate(kind="plan", decision="approved", decided_at=NOON, decided_by=User(username="owner"))
    assert decided(gate) == "Already approved by owner at 2026-11-20 12:00 UTC."
    assert "withdrawn by the portal" in decided(Gate(kind="plan", decision="withdrawn", decided_at=NOON))


def test_every_workflow_shows_what_can_be_changed_in_it() -> None:
    """Product row 1.6: how candidates are compared, how many there are and the seed are in the small form."""
    shown = {each.name: each for each in inputs(SPEC, Typed())}
    assert {"strategy", "evaluator", "criterion", "max_candidates", "seed"} <= set(shown)
    assert [value for value, _ in shown["strategy"].options] == ["validation_loss", "generated", "evaluator"]
    for workflow, own in (
        ("classification", {"labels", "label_changes", "balance", "test_share"}),
        ("preference", {"betas", "rubric", "target"}),
        ("authoring", {"criterion", "seed"}),
    ):
        spec = Specification({"workflow": Entry(workflow, Origin.SAID)})
        names = {each.name for each in inputs(spec, Typed())}
        assert own <= names
        assert all(workflow in FIELDS[name].workflows for name in names), workflow


def test_an_evaluator_named_in_the_form_is_used() -> None:
    evaluator = Entry("accounts/me/evaluators/mine", Origin.FORM)
    assert with_changes(SPEC, {"evaluator": evaluator}).value("strategy") == "evaluator"
    loss = Entry("validation_loss", Origin.FORM)
    assert (
        with_changes(SPEC, {"evaluator": evaluator, "strategy": loss}).value("strategy") == "validation_loss"
    )


def test_a_promotion_gate_offers_those_that_can_win_with_what_they_were_ranked_by() -> None:
    """A failed candidate has a loss at times, and a scored one none."""
    made = [
        Candidate(number=1, role="sweep", state="done", validation_loss=0.5),
        Candidate(number=2, role="sweep", state="done"),
        Candidate(number=3, role="sweep", state="failed", validation_loss=0.4),
        Candidate(number=4, role="final", state="done", validation_loss=0.4),
    ]
    ranking = [{"number": 1, "value": 0.9}, {"number": 2, "value": 0.7}]
    body = {"suggested": 1, "metric": "score", "ranking": ranking}
    card = gate_card(Gate(kind="promotion", body=body, opened_at=NOON), made, SPEC)
    assert [(each.candidate.number, each.measured) for each in card.others] == [(2, "mean score 0.700")]
    plain = {"suggested": 2, "ranking": [{"number": 1, "value": 0.5}, {"number": 2, "value": None}]}
    card = gate_card(Gate(kind="promotion", body=plain, opened_at=NOON), made, SPEC)
    assert [(each.candidate.number, each.measured) for each in card.others] == [(1, "validation loss 0.5000")]
