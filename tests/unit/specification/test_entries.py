"""The specification as a value: immutable, JSON-stable, digest over what will be run."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.specification import Entry, FieldError, Origin, Specification

VALUES = st.one_of(
    st.integers(-5, 5_000),
    st.booleans(),
    st.none(),
    st.text(max_size=20),
    st.lists(st.sampled_from([1e-4, 1.5e-4, 5e-5, 1e-7]), max_size=4).map(tuple),
    st.lists(st.text(max_size=9), max_size=3).map(tuple),
)
SPECS = st.dictionaries(
    st.sampled_from(["dataset", "base_models", "epochs", "title", "learning_rates"]),
    st.builds(Entry, VALUES, st.sampled_from(Origin), st.text(max_size=10)),
).map(Specification)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(SPECS)
def test_json_text_gives_the_same_specification_back(spec: Specification) -> None:
    again = Specification.from_json(json.loads(json.dumps(spec.to_json())))
    assert again.entries == spec.entries
    assert again.digest() == spec.digest()


def test_digest_is_of_the_values_whoever_gave_them_in_whatever_order() -> None:
    said = Specification({"epochs": Entry(3, Origin.SAID, "3 epochs"), "seed": Entry(42, Origin.DEFAULT)})
    chosen = Specification({"seed": Entry(42, Origin.FORM), "epochs": Entry(3, Origin.FORM)})
    assert said.digest() == chosen.digest()
    assert said.digest() != said.with_entries({"epochs": Entry(4, Origin.SAID)}).digest()


def test_digest_does_not_change_between_releases() -> None:
    spec = Specification({"learning_rates": Entry((1e-4, 5e-5), Origin.SAID)})
    assert spec.digest() == "9ccd60be7c57db388d671d6e96bf31a457f137248ff5a5abee8fc264d7b00d8c"


def test_entries_cannot_be_changed_in_place() -> None:
    source = {"epochs": Entry(3, Origin.SAID)}
    spec = Specification(source)
    source["epochs"] = Entry(9, Origin.SAID)
    assert spec.value("epochs") == 3
    with pytest.raises(TypeError):
        spec.entries["epochs"] = Entry(9, Origin.SAID)  # type: ignore[index]


def test_with_and_without_leave_the_original_alone() -> None:
    spec = Specification({"epochs": Entry(3, Origin.SAID)})
    assert spec.with_entries({"seed": Entry(7, Origin.FORM)}).values() == {"epochs": 3, "seed": 7}
    assert spec.without("epochs").values() == {}
    assert spec.values() == {"epochs": 3}
    assert spec.value("seed") is None
    assert "epochs" in spec
    assert list(spec) == ["epochs"]


def test_by_person_drops_what_was_worked_out() -> None:
    spec = Specification(
        {
            "epochs": Entry(3, Origin.DATA),
            "seed": Entry(42, Origin.DEFAULT),
            "dataset": Entry("upload:x", Origin.ANSWER),
        }
    )
    assert list(spec.by_person()) == ["dataset"]


def test_field_error_reads_as_one_sentence_and_carries_its_parts() -> None:
    error = FieldError("epochs", "Epochs: 0 is outside what is possible.", "Choose 1.")
    assert str(error) == "Epochs: 0 is outside what is possible. Choose 1."
    assert error.to_json() == {"field": "epochs", "fault": error.fault, "remedy": "Choose 1."}
    assert error == FieldError("epochs", error.fault, "Choose 1.")
    assert len({error, FieldError("epochs", error.fault, "Choose 1.")}) == 1
