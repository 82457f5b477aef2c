"""From labels as written to the set that is predicted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.data.labels.rows import chat, file
from workflows.data import imbalance
from workflows.data.labels import Read, read
from workflows.data.labels_resolution import LabelFault, resolve, without_rare


def of(tmp_path: Path, *labels: str | list[str]) -> Read:
    rows = [chat(f"text {at}", ground_truth=label) for at, label in enumerate(labels)]
    return read(file(tmp_path, rows))


def test_inferred_labels_stand_by_name_with_their_counts(tmp_path: Path) -> None:
    found = resolve(of(tmp_path, "b", "a", "b"))
    assert found.labels == ("a", "b")
    assert found.counts == {"a": 1, "b": 2}
    assert not found.multi


def test_spellings_that_differ_by_case_or_spaces_are_offered_as_one(tmp_path: Path) -> None:
    found = resolve(of(tmp_path, "sign up", "Sign Up", "signup", "signup", "other"))
    assert found.variants == [("signup", "Sign Up", "sign up")]
    merged = resolve(
        of(tmp_path, "sign up", "Sign Up", "signup", "other"),
        changes=["sign up -> signup", "Sign Up -> signup"],
    )
    assert merged.labels == ("other", "signup")
    assert not merged.variants


def test_a_given_label_takes_its_other_spellings_and_the_rest_is_outside(tmp_path: Path) -> None:
    data = of(tmp_path, "Billing", "billing", "sales", "spam", "spam")
    found = resolve(data, ["billing", "sales", "technical"])
    assert found.labels == ("billing", "sales", "technical")
    assert found.taken == {"Billing": "billing"}
    assert found.absent == ["technical"]
    assert found.outside["spam"].count == 2
    assert found.outside["spam"].rows[0].line == 4
    assert found.left_out == 2


def test_labels_are_renamed_merged_and_dropped(tmp_path: Path) -> None:
    data = of(tmp_path, "a", "b", "c", ["a", "d"])
    found = resolve(data, changes=["a -> x", "b -> x", "d ->"])
    assert found.counts == {"x": 3, "c": 1}
    assert [row.labels for row in found.rows] == [("x",), ("x",), ("c",), ("x",)]


def test_changes_follow_each_other(tmp_path: Path) -> None:
    found = resolve(of(tmp_path, "a", "b", "c", "d"), changes=["a -> b", "b -> x", "d ->", "d -> y"])
    assert found.counts == {"x": 2, "c": 1}


def test_a_change_is_of_the_label_that_is_written_so_before_those_that_are_alike(tmp_path: Path) -> None:
    data = of(tmp_path, "Billing", "billing", "sales")
    assert resolve(data, changes=["billing -> invoices"]).labels == ("Billing", "invoices", "sales")
    assert resolve(data, changes=["BILLING -> bills"]).counts == {"bills": 2, "sales": 1}


def test_a_change_that_meets_no_label_is_kept_to_be_told(tmp_path: Path) -> None:
    found = resolve(of(tmp_path, "a", "b"), changes=["nosuch -> thing", "b -> c", "b ->"])
    assert found.idle == ["nosuch -> thing", "b ->"]
    assert found.labels == ("a", "c")


def test_rare_labels_merge_into_one_that_is_rare_itself(tmp_path: Path) -> None:
    found = resolve(of(tmp_path, *["often"] * 9, *["seldom"] * 9, "other", "rare"))
    names = imbalance.without_rare(found.counts, 5, merge=True)
    merged = without_rare(found, names)
    assert merged.labels == ("often", "seldom", "other")
    assert merged.counts == {"often": 9, "seldom": 9, "other": 2}
    assert merged.names["rare"] == merged.names["other"] == "other"


def test_rare_labels_merge_into_the_spelling_that_there_is(tmp_path: Path) -> None:
    found = resolve(of(tmp_path, *["a"] * 9, *["Other"] * 9, "rare"))
    merged = without_rare(found, imbalance.without_rare(found.counts, 5, merge=True))
    assert merged.counts == {"a": 9, "Other": 10}


def test_a_row_with_a_label_that_is_too_long_is_left_out(tmp_path: Path) -> None:
    data = of(tmp_path, *["a", "b"] * 10, "x" * 81, ["a", "y" * 81])
    assert resolve(data).labels == ("a", "b")
    assert [each.line for each in data.notes["long"].rows] == [21, 22]


def test_many_labels_that_are_too_long_are_texts_and_those_rows_are_shown(tmp_path: Path) -> None:
    data = of(tmp_path, *["a", "b"] * 10, *["x" * 81] * 3)
    with pytest.raises(LabelFault, match="3 of 23 rows have a label of more than 80 characters") as refused:
        resolve(data)
    assert [each.line for each in refused.value.rows] == [21, 22, 23]


def test_changes_come_before_the_question_whether_labels_are_texts(tmp_path: Path) -> None:
    data = of(tmp_path, *(f"label {each}" for each in range(24)), *["a", "b"] * 8)
    with pytest.raises(LabelFault, match="26 different labels in 40 rows"):
        resolve(data)
    assert len(resolve(data, changes=[f"label {each} -> a" for each in range(10)]).labels) == 16


def test_labels_named_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelFault, match="You named “billing” and “Billing”"):
        resolve(of(tmp_path, "billing", "sales"), ["billing", "Billing", "sales"])


def test_thousands_of_labels_are_refused_with_rows(tmp_path: Path) -> None:
    with pytest.raises(LabelFault, match="5,000 different labels") as refused:
        resolve(of(tmp_path, *(f"text number {each}" for each in range(5000))))
    assert refused.value.rows[0].line == 1
    assert "Name the labels" in refused.value.remedy


@pytest.mark.parametrize(("given", "fault"), [([], "carry one label, “a”"), (["x", "y"], "No row carries")])
def test_nothing_to_tell_apart_is_refused(tmp_path: Path, given: list[str], fault: str) -> None:
    with pytest.raises(LabelFault, match=fault) as refused:
        resolve(of(tmp_path, "a", "a", "a"), given)
    assert len(refused.value.rows) == 3


def test_no_labels_at_all_are_refused_with_rows(tmp_path: Path) -> None:
    essays = [
        chat(f"q{at}", "An essay.\n" * 30 + "and a very long last line " * 9 + str(at)) for at in range(4)
    ]
    with pytest.raises(LabelFault, match="No labels were found") as refused:
        resolve(read(file(tmp_path, essays)))
    assert refused.value.rows[0].text.startswith("An essay.")


def test_a_file_of_odd_ground_truths_is_refused_for_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(LabelFault, match="what stands in ground_truth is neither"):
        resolve(
            read(file(tmp_path, [chat("x", ground_truth={"label": "a"}), chat("y", ground_truth=["a", 1])]))
        )


def test_more_labels_than_a_prompt_can_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelFault, match="You named 501 labels"):
        resolve(of(tmp_path, "a", "b"), [f"label {each}" for each in range(501)])
