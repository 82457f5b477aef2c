"""Data and wishes that a plan cannot take as they are: it asks, or says what became of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sessions.states import GateKind, Status
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.classification.test_plan import UNEVEN, counts, labels, planned, said
from tests.integration.workflows.house import House


def same(count: int, text: str, label: str) -> list[dict[str, Any]]:
    """Rows of one conversation."""
    return [{"messages": [{"role": "user", "content": text}], "ground_truth": label}] * count


def notes(told: dict[str, Any]) -> dict[str, list[int]]:
    """Lines that show it, by what is told."""
    return {each["text"]: [row["line"] for row in each["rows"]] for each in told["notes"]}


def test_rare_labels_join_the_one_called_other_and_the_run_ends(knowing: House) -> None:
    """Row 3.4: the label that takes the rare ones in may be rare itself."""
    rows = [
        *tickets(120),
        *tickets(2, seed=3, words={"other": ("e",)}),
        *tickets(2, seed=4, words={"rare": ("f",)}),
    ]
    session = planned(knowing, rows, imbalance_threshold=10.0)
    told = said(knowing, session, "Merge the rare labels.")
    assert counts(told) == {"account": 30, "billing": 30, "sales": 30, "technical": 30, "other": 4}
    assert "As you chose, rare labels are merged into one: “other”, “rare”." in notes(told)
    knowing.reply(session, "Approved, proceed.")
    knowing.drive(session)
    assert knowing.gate(session).kind == GateKind.PROMOTION


@pytest.mark.parametrize(
    "rows",
    [
        [*same(20, "same", "a"), *same(20, "same", "b")],
        [*same(20, "one", "a"), *same(20, "two", "b")],
        [*same(38, "same", "a"), *same(1, "x", "b"), *same(1, "y", "b")],
    ],
    ids=["one conversation", "two", "one and two others"],
)
def test_rows_that_are_all_alike_give_no_plan(house: House, rows: list[dict[str, Any]]) -> None:
    """Equal conversations stay on one side; nothing is planned that would measure next to nothing."""
    session = planned(house, rows)
    assert session.status == Status.FAILED
    assert session.plans.count() == 0
    assert "rows are equal (lines 1, 2, 3, …)" in str(session.failure)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"test_share": 0.99}, "40 rows with labels are too few to hold out 40 of them."),
        ({"heldout_rows": 38}, "leaves too few to train on"),
    ],
    ids=["share", "rows"],
)
def test_a_part_that_leaves_nothing_to_train_on_is_asked_about(
    house: House, values: dict[str, Any], fault: str
) -> None:
    gate = house.gate(planned(house, tickets(40), **values))
    assert gate.kind == GateKind.QUESTIONS
    (question,) = gate.body["questions"]
    assert question["field"] in values
    assert fault in question["text"]


def test_a_part_to_hold_out_beside_an_evaluation_dataset_is_told_to_have_no_effect(house: House) -> None:
    own = house.dataset("own-evaluation", tickets(16, seed=9))
    session = planned(house, tickets(40), evaluation_dataset=own, test_share=0.3)
    (text,) = [each for each in session.plans.last().body["risks"] if "no effect" in each]  # type: ignore[union-attr]
    assert "“Test share 30%” has no effect: nothing is held out" in text


def test_labels_change_places_row_by_row_and_a_change_of_none_is_told(house: House) -> None:
    """Row 3.3: what the form says of all labels is done at once; what meets no label is not passed over."""
    rows = [*tickets(20, words={"account": ("login",)}), *tickets(12, seed=2, words={"billing": ("refund",)})]
    session = planned(house, rows)
    house.reply(session, "", action=["changes"], label_new=["billing", "account"])
    house.drive(session)
    assert counts(labels(session)) == {"account": 12, "billing": 20}
    told = said(house, session, "Rename nosuch to thing.")
    assert "No label is called so, and this change does nothing: “nosuch -> thing”." in notes(told)


def test_a_label_that_is_a_text_leaves_its_row_out(house: House) -> None:
    rows = tickets(40)
    rows[17]["ground_truth"] = "x" * 81
    session = planned(house, rows)
    text = "1 row with a label of more than 80 characters, which is a text. Left out."
    assert notes(labels(session))[text] == [18]
    assert session.plans.last().body["data"]["dropped_rows"] == 1  # type: ignore[union-attr]


def test_many_labels_outside_the_given_ones_are_summed_up(house: House) -> None:
    rows = [*tickets(40), *tickets(30, seed=2, words={f"odd {each:02}": ("word",) for each in range(30)})]
    told = labels(planned(house, rows, labels=("billing", "sales")))
    assert len(told["notes"]) == 9
    (lines,) = [lines for text, lines in notes(told).items() if text.startswith("24 more labels")]
    assert lines == [47, 48, 49]


def test_given_labels_that_differ_by_case_are_asked_about(house: House) -> None:
    gate = house.gate(planned(house, tickets(40), labels=("billing", "Billing", "sales")))
    assert "You named “billing” and “Billing”" in gate.body["questions"][0]["text"]


def test_5000_different_labels_are_asked_about(house: House) -> None:
    """Row 3.3: they are texts."""
    rows = [{**row, "ground_truth": f"text {at}"} for at, row in enumerate(tickets(5000))]
    gate = house.gate(planned(house, rows))
    assert "5,000 different labels in 5,000 rows look like texts" in gate.body["questions"][0]["text"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Rebalance the labels.", "repeat"),
        ("Cap the frequent labels.", "cap"),
        ("Drop the rare labels.", "drop"),
    ],
)
def test_a_remedy_costs_what_was_said_when_candidates_train_on_a_sample(
    house: House, words: str, name: str
) -> None:
    """Row 3.4: the sample is balanced as well, and has as many rows as before where none are repeated."""
    session = planned(house, UNEVEN, tuning_samples=80)
    before = labels(session)["imbalance"]
    promised = next(each for each in before["remedies"] if each["name"] == name)
    after = said(house, session, words)["imbalance"]
    assert Decimal(promised["cost"]) == pytest.approx(Decimal(after["training_cost"]), rel=Decimal("0.02"))
    assert before["training_cost"] != after["training_cost"]
    risks = str(session.plans.last().body["risks"])  # type: ignore[union-attr]
    assert ("You chose: " in risks) == (name != "drop")
