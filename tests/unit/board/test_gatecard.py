"""What a gate card shows."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from sessions.gatecard import Typed, as_text, decided, gate_card, inputs, question, values
from sessions.models import Gate, Plan
from sessions.specification import Entry, Origin, Specification, read_form
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
