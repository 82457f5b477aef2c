"""Sentence and form as one draft; what was understood, marked in the text."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from hypothesis import given as random
from hypothesis import strategies as st

from sessions.drafts import Draft, fill_form, write_sentence
from sessions.forms import Boxes, Typed, text_of, typed_fields
from sessions.instructions import Reading, read
from sessions.marks import marks
from sessions.specification import FIELDS, Context, Entry, FieldError, ModelName, Origin, Specification

CATALOGUE = [
    ModelName("accounts/fireworks/models/qwen3-8b", "Qwen3 8B"),
    ModelName("accounts/fireworks/models/qwen3-32b", "Qwen3 32B"),
]
CONTEXT = Context(CATALOGUE, "acme")
DATA = "accounts/acme/datasets/support"


def understood(text: str) -> Reading:
    return read(text, CATALOGUE, account="acme")


def filled(text: str, **more: object) -> Draft:
    return fill_form(Draft(text=text, **more), understood)


def written(draft: Draft) -> Draft:
    return write_sentence(draft, understood, CONTEXT)


def test_a_sentence_fills_the_fields_as_they_would_be_typed() -> None:
    fields = filled(
        f"Run SFT on {DATA} across qwen3-8b and qwen3-32b with LoRA ranks 8 and 16, seed 7"
    ).fields
    assert fields["dataset"] == DATA
    assert fields["base_models"].split("\n") == [model.full for model in CATALOGUE]
    assert (fields["lora_ranks"], fields["seed"]) == ("8, 16", "7")


def test_a_field_whose_words_are_gone_is_emptied() -> None:
    draft = filled("3 epochs, seed 7")
    shorter = fill_form(Draft("seed 7", draft.fields, said=draft.said), understood)
    assert (shorter.fields["epochs"], shorter.fields["seed"]) == ("", "7")


def test_what_was_said_stays_when_another_box_is_changed() -> None:
    draft = filled(f"Run classification on {DATA} with qwen3-8b. Labels are: red, dark green.")
    assert (draft.fields["workflow"], draft.fields["labels"]) == ("classification", "red, dark green")
    changed = written(Draft(draft.text, {**draft.fields, "epochs": "3"}, said=draft.said))
    again = understood(changed.text)
    assert again.not_understood == ()
    assert {name: entry.value for name, entry in again.entries.items()} == {
        "workflow": "classification",
        "dataset": DATA,
        "base_models": (CATALOGUE[0].full,),
        "labels": ("red", "dark green"),
        "epochs": 3,
    }


def test_data_that_was_picked_stays_when_the_sentence_is_rewritten() -> None:
    picked = written(Draft(fields={"dataset": "upload:abc", "epochs": "3"}))
    assert "upload:abc" in picked.text
    rewritten = fill_form(Draft("5 epochs", picked.fields, said=picked.said), understood)
    assert (rewritten.fields["dataset"], rewritten.fields["epochs"]) == ("upload:abc", "5")


def test_data_that_was_said_goes_with_its_words() -> None:
    said = filled(f"Run SFT on {DATA}")
    assert fill_form(Draft("3 epochs", said.fields, said=said.said), understood).fields["dataset"] == ""


def test_what_is_at_fault_stays_at_fault_beside_words_that_nobody_knows() -> None:
    draft = written(Draft("Use LoRA rank 24. In rhyme, batch size 8.", {"epochs": "3"}))
    assert draft.text.endswith("Train each candidate for 3 epochs. LoRA rank 24. rhyme batch size 8")
    again = understood(written(Draft(draft.text, draft.fields, draft.written, draft.said)).text)
    assert [error.field for error in again.errors] == ["lora_ranks"]
    assert [span.text for span in again.not_understood] == ["rhyme", "batch size 8"]


def test_a_written_sentence_is_the_forms_own_until_it_is_typed_in() -> None:
    draft = written(Draft(fields={"epochs": "3"}))
    assert draft.is_form_only
    assert not Draft(f"{draft.text} And more.", draft.fields, draft.written).is_form_only


def test_an_empty_form_writes_nothing() -> None:
    assert written(Draft()).text == ""


def test_what_is_at_fault_in_the_form_is_left_out_of_the_sentence() -> None:
    assert "rank" not in written(Draft(fields={"lora_ranks": "24", "epochs": "3"})).text


def test_a_fault_that_was_mended_in_the_form_leaves_the_sentence() -> None:
    draft = written(Draft("Use LoRA rank 24.", {"lora_ranks": "16"}))
    assert "24" not in draft.text
    assert "16" in draft.text


@random(
    st.fixed_dictionaries(
        {},
        optional={
            "lora_ranks": st.lists(st.sampled_from(["1", "8", "16", "32"]), min_size=1, unique=True).map(
                ", ".join
            ),
            "epochs": st.integers(1, 100).map(str),
            "tuning_samples": st.integers(3, 9999).map(str),
            "parallel_jobs": st.integers(1, 50).map(str),
            "heldout_rows": st.integers(1, 500).map(str),
            "seed": st.integers(0, 999).map(str),
            "final_run": st.sampled_from(["yes", "no"]),
            "deploy": st.sampled_from(["yes", "no"]),
            "drop_bad_rows": st.sampled_from(["yes", "no"]),
        },
    )
)
def test_the_sentence_that_a_form_writes_fills_the_same_form(fields: dict[str, str]) -> None:
    draft = written(Draft(fields=fields))
    back = filled(draft.text).fields
    for name, text in fields.items():
        default = FIELDS[name].default
        assert back.get(name, text_of(name, default)) == text


def test_a_draft_survives_as_json() -> None:
    draft = filled("3 epochs", again="abc")
    assert Draft.from_json(draft.to_json()) == draft


def test_a_draft_of_an_older_or_foreign_shape_is_read_as_far_as_it_goes() -> None:
    assert Draft.from_json({}) == Draft()
    assert Draft.from_json({"fields": {"nonsense": "1", "epochs": 3}}).fields == {"epochs": "3"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [("deploy=no&deploy=yes", "yes"), ("deploy=no", "no"), ("", ""), ("deploy=yes&deploy=no", "yes")],
)
def test_a_box_is_ticked_when_any_says_yes(query: str, expected: str) -> None:
    assert typed_fields(QueryDict(query))["deploy"] == expected


def test_several_models_and_the_last_of_a_single_field() -> None:
    fields = typed_fields(QueryDict("base_models=a&base_models=b&base_models=&epochs=1&epochs=2"))
    assert (fields["base_models"], fields["epochs"]) == ("a\nb", "2")


def test_boxes_show_text_fault_and_the_words_that_were_said() -> None:
    spec = Specification({"epochs": Entry(3, Origin.SAID, "3 epochs")})
    error = FieldError("seed", "No.", "Yes.")
    boxes = Boxes(Typed("", {"epochs": "3"}), [error], spec)
    assert (boxes["epochs"].text, boxes["epochs"].words) == ("3", "3 epochs")
    assert boxes["seed"].errors == (error,)
    assert boxes["tuning_samples"].ghost == "1,000"
    assert boxes["deploy"].ticked
    assert not Boxes(Typed("", {"deploy": "no"}))["deploy"].ticked


def test_marks_say_what_was_set_what_was_lost_and_what_is_at_fault() -> None:
    found = marks(understood("Use 3 epochs and LoRA rank 24, frobnicate."), {})
    kinds = {mark.text: (mark.kind, mark.means) for mark in found if mark.kind != "plain"}
    assert ("understood", "Epochs: 3") in kinds.values()
    assert any(kind == "fault" and "24" in means for kind, means in kinds.values())
    assert kinds["frobnicate"] == ("lost", "Not understood")


def test_marks_call_data_by_its_name() -> None:
    found = marks(understood("Run SFT on upload:abc"), {"upload:abc": "mine.jsonl"})
    assert "Dataset: mine.jsonl" in [mark.means for mark in found]


@random(st.text(alphabet=st.sampled_from('3 epochs,rank 16 frob. seed 7\n<&"“'), max_size=60))
def test_marks_joined_are_the_text(text: str) -> None:
    assert "".join(mark.text for mark in marks(understood(text), {})) == understood(text).text
