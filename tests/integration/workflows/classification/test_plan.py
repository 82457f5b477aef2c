"""The plan of a classification: labels to confirm and edit, imbalance, splits, and unusable data."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from sessions.models import BaseModel, TuningSession
from sessions.states import GateKind
from tests.factories import QWEN, make_base_model
from tests.integration.proposals.byhand import propose
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.house import House

UNEVEN = [*tickets(120, words={"often": ("a", "b")}), *tickets(30, seed=2, words={"seldom": ("c", "d")}),
          *tickets(2, seed=3, words={"rare": ("e", "f")})]  # fmt: skip


def planned(house: House, rows: list[dict[str, Any]], **values: Any) -> TuningSession:
    """A session at its plan, or at the question that comes before it."""
    count = len(house.remote("datasets"))
    dataset = house.dataset(f"rows-{count}", rows)
    session = house.start(
        workflow="classification", strategy=None, base_models=(QWEN,), dataset=dataset, **values
    )
    house.drive(session)
    return session


def labels(session: TuningSession) -> dict[str, Any]:
    """What the newest plan says of labels."""
    plan = session.plans.last()
    assert plan is not None
    found: dict[str, Any] = plan.body["labels"]
    return found


def said(house: House, session: TuningSession, words: str) -> dict[str, Any]:
    """The labels of the plan after a typed change."""
    outcome = house.reply(session, words)
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN, outcome.text
    return labels(session)


def counts(told: dict[str, Any]) -> dict[str, int]:
    return {each["label"]: each["rows"] for each in told["counts"]}


def test_the_plan_has_its_own_lines_and_the_split_by_label(house: House) -> None:
    """Rows 1.6 and 3.1: base-model inference, fine-tuning, fine-tuned inference, deployment, total; 80/20."""
    session = planned(house, tickets(100))
    plan = house.gate(session).plan
    assert plan is not None
    groups = [each["label"] for each in plan.body["estimate"]["by_group"]]
    assert groups == [
        "Base-model inference", "Training", "Fine-tuned inference", "Deployment's first hour", "Total",
    ]  # fmt: skip
    assert {(each["train"], each["heldout"]) for each in labels(session)["counts"]} == {(20, 5)}
    held = session.artifacts.get(name="heldout.jsonl").path.read_text().splitlines()
    first = json.loads(held[0])["messages"]
    assert [each["role"] for each in first] == ["system", "user", "assistant"]
    assert first[0]["content"].endswith("account\nbilling\nsales\ntechnical")


def test_labels_are_confirmed_renamed_merged_and_dropped(house: House) -> None:
    """Row 3.3: in words, one change after the other; spellings that differ by case are offered as one."""
    rows = [*tickets(80), *tickets(4, seed=9, words={"Billing": ("invoice",)})]
    session = planned(house, rows)
    (offer,) = labels(session)["variants"]
    assert [each["label"] for each in offer["labels"]] == ["billing", "Billing"]
    form = {"action": ["changes"], "label_changes": [offer["all_changes"]]}
    house.reply(session, "", **form)
    house.drive(session)
    assert counts(labels(session)) == {"account": 20, "billing": 24, "sales": 20, "technical": 20}
    told = said(house, session, "Merge account and sales into office.")
    assert counts(told) == {"billing": 24, "office": 40, "technical": 20}
    told = said(house, session, "Drop the label technical.")
    assert counts(told) == {"billing": 24, "office": 40}
    assert session.value("label_changes") == (
        "Billing -> billing", "account -> office", "sales -> office", "technical ->",
    )  # fmt: skip
    assert "“office”" not in str(house.gate(session).plan.body["risks"])  # type: ignore[union-attr]


def test_label_changes_that_a_model_proposed_come_after_those_that_stand(house: House) -> None:
    session = planned(house, tickets(80))
    said(house, session, "Rename label account to konto.")
    propose(house, session, "let sales be sort of technical", label_changes=["sales -> technical"])
    house.reply(session, "", action=["take"], take=["label_changes"])
    house.drive(session)
    assert session.value("label_changes") == ("account -> konto", "sales -> technical")
    assert counts(labels(session)) == {"billing": 20, "konto": 20, "technical": 40}


def test_labels_with_any_signs_are_changed_row_by_row(house: House, client: Client) -> None:
    """Row 3.3: a box and a tick for each label; signs that end a label in a list are part of it."""
    odd = ("Card; Lost", "card; lost", "a -> b", 'say "hi", please', "drop me")
    session = planned(house, tickets(100, words=dict.fromkeys(odd, ("word",))))
    assert labels(session)["set"] == sorted(odd)
    assert client.get(session.get_absolute_url()).content.count(b'name="label_new"') == len(odd)
    (offer,) = labels(session)["variants"]
    house.reply(session, "", action=["changes"], label_changes=[offer["all_changes"]])
    house.drive(session)
    merged = offer["labels"][0]["label"]
    assert counts(labels(session))[merged] == 40
    names = labels(session)["set"]
    new = ["x; y" if each in {"a -> b", "drop me"} else "" for each in names]
    dropped = [str(names.index('say "hi", please'))]
    house.reply(session, "", action=["changes"], label_new=new, label_drop=dropped)
    house.drive(session)
    assert counts(labels(session)) == {merged: 40, "x; y": 40}


def test_given_labels_against_those_of_the_data(house: House) -> None:
    """A label in no row, rows of other labels, another spelling: each told with the rows that show it."""
    rows = [*tickets(80), *tickets(2, seed=9, words={"Sales": ("offer",)})]
    session = planned(house, rows, labels=("billing", "technical", "sales", "refund"))
    told = labels(session)
    assert counts(told) == {"billing": 20, "technical": 20, "sales": 22, "refund": 0}
    texts = {each["text"]: each["rows"] for each in told["notes"]}
    (outside,) = [text for text in texts if "account" in text]
    assert "20 rows labelled “account”, which is not among your labels. Left out." in outside
    assert texts[outside][0]["line"] == 3
    assert "“Sales” is taken as your label “sales”." in texts
    assert any("No row carries “refund”" in text for text in texts)


def test_two_datasets_name_the_labels_that_only_one_has(house: House) -> None:
    """Row 3.1: a label that no training row has cannot be learned, and the rows say so."""
    own = house.dataset("own-evaluation", [*tickets(16), *tickets(2, seed=4, words={"legal": ("law",)})])
    rows = [*tickets(40), *tickets(3, seed=5, words={"press": ("news",)})]
    session = planned(house, rows, evaluation_dataset=own)
    texts = [each["text"] for each in labels(session)["notes"]]
    assert "In no training row, so that no model can learn it: “legal”." in texts
    assert "In no held-out row, so that it is not measured: “press”." in texts
    assert {"legal", "press"} <= set(labels(session)["set"])


@pytest.mark.parametrize(
    ("measured", "labels_said", "fault"),
    [
        ([{"messages": [*row["messages"], {"role": "assistant", "content": "An essay. " * 30}]}
          for row in tickets(8)], (), "No labels were found in the evaluation dataset"),
        (tickets(8, words={"legal": ("law",)}), ("billing", "sales"),
         "0 of 8 rows of the evaluation dataset carry a label of the set"),
    ],
    ids=["no labels", "other labels"],
)  # fmt: skip
def test_an_evaluation_dataset_without_the_labels_is_refused(
    house: House, measured: list[dict[str, Any]], labels_said: tuple[str, ...], fault: str
) -> None:
    """Nothing of the training rows is pasted onto it, and no plan measures on nothing."""
    own = house.dataset("own-evaluation", measured)
    values = {"labels": labels_said} if labels_said else {}
    session = planned(house, tickets(40), evaluation_dataset=own, **values)
    gate = house.gate(session)
    assert gate.kind == GateKind.QUESTIONS
    assert fault in gate.body["questions"][0]["text"]


def test_two_training_rows_are_too_few_beside_an_evaluation_dataset(house: House) -> None:
    own = house.dataset("own-evaluation", tickets(8))
    rows = tickets(40, words={"legal": ("law",)}) + tickets(2)
    session = planned(house, rows, evaluation_dataset=own, labels=("billing", "technical"))
    assert "2 of 42 rows of the training dataset" in house.gate(session).body["questions"][0]["text"]


def test_what_is_odd_is_told_file_by_file(house: House) -> None:
    """Rows left out of the evaluation dataset are counted and shown, beside those of the training one."""
    measured, rows = tickets(16), tickets(40)
    measured[2]["ground_truth"] = {"label": "billing"}
    rows[4]["ground_truth"] = {"label": "billing"}
    own = house.dataset("own-evaluation", measured)
    session = planned(house, rows, evaluation_dataset=own)
    told = {each["text"].partition(" with")[0]: each["rows"] for each in labels(session)["notes"]}
    assert told["Training dataset: 1 row"][0]["line"] == 5
    assert told["Evaluation dataset: 1 row"][0]["line"] == 3
    data = session.plans.last().body["data"]  # type: ignore[union-attr]
    assert (data["samples"], data["usable"]) == (40, 39)
    assert (data["dropped_rows"], data["dropped_evaluation_rows"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "name", "rows", "of_rare"),
    [
        ("Rebalance the labels.", "repeat", 96 + 24 + 10, 10),
        ("Cap the frequent labels.", "cap", 50 + 24 + 1, 1),
        ("Weight the samples.", "weight", 96 + 24 + 1, 1),
        ("Drop the rare labels.", "drop", 96 + 24, 0),
        ("Merge the rare labels.", "merge", 96 + 24 + 1, 0),
    ],
)  # fmt: skip
def test_each_remedy_does_to_the_file_what_the_plan_says(
    house: House, words: str, name: str, rows: int, of_rare: int
) -> None:
    """Row 3.4: the flag, the remedies with their effect, and the training file after one was picked."""
    session = planned(house, UNEVEN)
    uneven = labels(session)["imbalance"]
    assert (uneven["ratio"], uneven["flagged"]) == (60.0, True)
    effect = next(each for each in uneven["remedies"] if each["name"] == name)
    assert effect["rows"] == rows
    heldout = session.artifacts.get(name="heldout.jsonl").sha256
    said(house, session, words)
    assert session.value("balance") == name
    written = [
        json.loads(line) for line in session.artifacts.get(name="train.jsonl").path.read_text().splitlines()
    ]
    assert len(written) == rows
    assert sum(row["messages"][-1]["content"] == "rare" for row in written) == of_rare
    assert all("weight" in row for row in written) == (name == "weight")
    if name in {"repeat", "cap", "weight"}:
        assert session.artifacts.get(name="heldout.jsonl").sha256 == heldout


def test_the_effects_of_remedies_do_not_depend_on_the_one_picked(house: House) -> None:
    """What leaving the rows as they are would do is told from the rows as they are."""
    session = planned(house, UNEVEN)
    before = {each["name"]: each["rows"] for each in labels(session)["imbalance"]["remedies"]}
    after = said(house, session, "Drop the rare labels.")["imbalance"]["remedies"]
    assert {each["name"]: each["rows"] for each in after} == before
    assert [each["name"] for each in after if each["chosen"]] == ["drop"]


def test_rows_that_lose_their_label_beside_the_prompt_are_told(house: House) -> None:
    """Row 2.3: a row may fit alone and not with the list of labels; what is cut off is the label."""
    BaseModel.objects.filter(name=QWEN).update(training_context_length=60)
    plan = planned(house, tickets(100)).plans.last()
    assert plan is not None
    (told,) = [each for each in plan.body["risks"] if "trained with" in each]
    assert "longer with the prompt's" in told
    assert "than the 60 tokens that qwen3-8b is trained with" in told
    assert told.endswith("what is beyond is cut off, and the label is the last of it.")


def test_the_threshold_is_the_persons(house: House) -> None:
    """Row 3.4: at the default of 50 a ratio of 60 is flagged, at 100 it is not."""
    assert not labels(planned(house, UNEVEN, imbalance_threshold=100.0))["imbalance"]["flagged"]


def test_the_prompt_can_be_put_in_other_words(house: House) -> None:
    """The prompt stands in the plan; what is asked and trained follows it."""
    session = planned(house, tickets(40))
    told = said(house, session, "Prompt: “Which desk is it for? One of {labels}.”")
    assert told["instruction"] == "Which desk is it for? One of account\nbilling\nsales\ntechnical."
    first = json.loads(session.artifacts.get(name="train.jsonl").path.read_text().splitlines()[0])
    assert first["messages"][0]["content"] == told["instruction"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (tickets(40, words={"billing": ("a", "b")}), "carry one label, “billing”"),
        ([{**row, "ground_truth": f"a text of its own {at}"} for at, row in enumerate(tickets(600))],
         "600 different labels in 600 rows look like texts"),
        ([{"messages": [*row["messages"], {"role": "assistant", "content": "An essay. " * 30 + str(at)}]}
          for at, row in enumerate(tickets(40))], "No labels were found"),
    ],
    ids=["one label", "texts", "none"],
)  # fmt: skip
def test_labels_that_cannot_be_predicted_are_asked_about(
    house: House, rows: list[dict[str, Any]], fault: str
) -> None:
    """Bad input: refused with rows that show it, and a way on."""
    session = planned(house, rows)
    gate = house.gate(session)
    assert gate.kind == GateKind.QUESTIONS
    (question,) = gate.body["questions"]
    assert question["field"] == "labels"
    assert fault in question["text"]
    assert "line 1: “" in question["text"]


def test_mixed_kinds_of_ground_truth_are_told_with_their_rows(house: House) -> None:
    """A list among texts, a number, an object: taken or left out, and shown."""
    rows = tickets(60)
    rows[3]["ground_truth"] = ["sales"]
    rows[5]["ground_truth"] = 7
    rows[8]["ground_truth"] = {"label": "billing"}
    rows[9]["ground_truth"] = 7
    told = labels(planned(house, rows))
    notes = {each["text"]: [row["line"] for row in each["rows"]] for each in told["notes"]}
    (mixed,) = [lines for text, lines in notes.items() if "a text counts as a list of one" in text]
    (number,) = [lines for text, lines in notes.items() if "is a number" in text]
    (odd,) = [lines for text, lines in notes.items() if "neither a text, a number nor a list" in text]
    assert (mixed, number, odd) == ([4], [6, 10], [9])
    assert "7" in told["set"]


def test_full_data_runs_are_priced_by_every_base_model_that_may_go_on(house: House) -> None:
    """Row 1.6: which base models go on is not known before the benchmark; each place covers the dearest, by
    its prompts and its answers."""
    names = [QWEN, *(f"accounts/fireworks/models/{name}" for name in ("qwen3p5-9b", "qwen3-14b"))]
    for name, parameters in zip(names[1:], (1_000_000_000, 90_000_000_000), strict=True):
        make_base_model(name, parameters=parameters)
    session = house.start(
        workflow="classification", strategy=None, base_models=tuple(names), tuning_samples=40,
        dataset=house.dataset("priced", tickets(100)),
    )  # fmt: skip
    house.drive(session)
    body = house.gate(session).plan.body  # type: ignore[union-attr]
    lines = {each["item"]: each for each in body["estimate"]["lines"]}
    bases = [lines[f"inference:heldout:base:{name}"] for name in names]
    runs = [each for item, each in lines.items() if item.startswith("inference:heldout:candidate:")]
    assert len(runs) == 2
    for run in runs:
        assert Decimal(run["high"]) == max(Decimal(each["high"]) for each in bases)
        assert Decimal(run["low"]) == min(Decimal(each["low"]) for each in bases)
        assert Decimal(run["low"]) < Decimal(run["expected"]) < Decimal(run["high"])
