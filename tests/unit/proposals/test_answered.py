"""What a model answered is believed in nothing: words, shape and values are looked at."""

import json

import pytest

from sessions.models import ProposedReading
from sessions.proposals import request
from sessions.proposals.answered import proposal
from sessions.specification import Context, Entry, ModelName, Origin, Specification

TEXT = "Use qwen3-8b, the “Rank”  being sixteen, seed it with 7, no deployment"
LOST = ((13, 40), (42, 56))
CONTEXT = Context((ModelName("accounts/fireworks/models/qwen3-8b", "Qwen3 8B"),), "me")
NOW = Specification({"seed": Entry(7, Origin.FORM)})


def reading(answer, **columns):
    body = request.body(TEXT, LOST, "sft", CONTEXT)
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return ProposedReading(
        text=TEXT, lost=[list(each) for each in LOST], request=body, answer=text,
        model="accounts/fireworks/models/gpt-oss-120b", **{"detail": {"finish_reason": "stop"}, **columns},
    )  # fmt: skip


def look(answer, objection=lambda name, entry: "", **columns):
    return proposal(reading(answer, **columns), NOW, CONTEXT, objection)


def given(quote, value):
    return {"quote": quote, "value": value}


def test_a_value_is_taken_from_its_words_whatever_their_blanks_case_and_quotation_marks():
    [item] = look({"lora_ranks": given('the "rank" being Sixteen', [16])}).items
    assert (item.quote, item.value, item.present, item.fault) == (
        "the “Rank”  being sixteen", "16", "not given", ""
    )  # fmt: skip
    assert item.entry == Entry((16,), Origin.PROPOSED, item.quote)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("lora_ranks", given("rank of sixteen", [16]), "which you did not write"),
        ("lora_ranks", given("", [16]), "which you did not write"),
        ("lora_ranks", given("“ ”", [16]), "which you did not write"),
        ("lora_ranks", given("ixtee", [16]), "which you did not write"),
        ("deploy", given("no deployment", False), "was understood already"),
        ("base_models", given("qwen3-8b", ["qwen3-8b"]), "was understood already"),
        ("epochs", given(f"{TEXT}", 9), "more than the words that were not understood"),
        ("epochs", given("qwen3-8b, the “Rank”", 9), "more than the words that were not understood"),
        ("epochs", given("the “Rank” being sixteen, seed it with 7", 9), "more than the words"),
        ("lora_ranks", given("sixteen", [[16], 8]), "lists in a list"),
        ("lora_ranks", given("sixteen", [{"a": 16}]), "lists in a list"),
        ("lora_ranks", [16], "without words or without a value"),
        ("lora_ranks", {"quote": "sixteen"}, "without words or without a value"),
        ("lora_ranks", given("sixteen", []), "came without a value"),
        ("epochs", given("sixteen", None), "came without a value"),
        ("epochs", given("sixteen", {"a": 1}), "came without a value"),
        ("workflow", given("sixteen", "preference"), "no setting that could be named here"),
        ("betas", given("sixteen", [0.1]), "no setting that could be named here"),
        ("approve", given("sixteen", True), "no setting that could be named here"),
    ],
)
def test_what_proves_nothing_is_dropped_and_said(name, answer, told):
    found = look({name: answer})
    assert (found.items, found.problem, len(found.dropped)) == ((), "", 1)
    assert told in found.dropped[0]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("lora_ranks", [24], "not a power of two"),
        ("learning_rates", ["fast"], "is not a number"),
        ("epochs", 0, "outside what is possible"),
        ("epochs", 2.5, "not a whole number"),
        ("base_models", ["gpt-9"], "not one that can be fine-tuned"),
        ("deploy", "maybe", "neither yes nor no"),
        ("budget", -3, "cannot be kept"),
        ("seed", 7, "It is so already."),
        ("seed", 1e999, "is not a number"),
    ],
)
def test_a_value_is_checked_as_if_it_were_typed(name, value, told):
    [item] = look(json.dumps({name: given("sixteen", value)}).replace("Infinity", "1e999")).items
    assert told in item.fault
    assert item.entry is None


def test_what_speaks_against_a_value_in_this_session_is_said():
    found = look({"epochs": given("sixteen", 16)}, lambda name, entry: f"{name} not now")
    assert (found.items[0].fault, found.entries()) == ("epochs not now", {})


@pytest.mark.parametrize(
    ("answer", "columns", "told"),
    [
        ("", {}, "gave no answer"),
        ("I'm sorry, I can't help with that.", {}, "in other words than asked for: “I'm sorry"),
        ('{"seed": NaN}', {}, "in other words"),
        ("[" * 100_000, {}, "in other words"),
        ('{"seed": ' + "[" * 480 + "]" * 480 + "}", {}, "in other words"),
        ("[1]", {}, "something else than settings"),
        ('{"se', {"detail": {"finish_reason": "length", "completion_tokens": 1500}}, "cut off after 1,500"),
        ("", {"error": "503. It cost nothing."}, "503. It cost nothing."),
    ],
)
def test_an_answer_that_cannot_be_read_is_told_in_plain_words(answer, columns, told):
    found = look(answer, **columns)
    assert told in found.problem
    assert found.items == ()


ODD = (-1, 0, 10**400, 1e308, 1e999, True, None, "", " ", "\ud800", "\0", "ü" * 9_000, "1,2;3->", [], [[]],
       {}, [None, True, "x\ny"], ["\udc00"], {"a": []})  # fmt: skip


@pytest.mark.parametrize("value", ODD)
def test_no_value_of_any_field_breaks_the_page(value):
    names = request.schema("sft", CONTEXT)["properties"]
    answer = json.dumps({name: given("sixteen", value) for name in names})
    found = look(answer.replace("Infinity", "1e999"))
    assert len(found.items) + len(found.dropped) == len(names)
    told = [*found.dropped, found.problem, *(each.value + each.fault for each in found.items)]
    assert "".join(told).encode()


def test_words_understood_in_a_reply_prove_nothing_more():
    answer = {"heldout_rows": given("seed it with 7, no", 7)}
    own = {"deploy": Entry(False, Origin.ANSWER, "no deployment").to_json()}
    assert look(answer).items[0].quote == "seed it with 7, no"
    found = look(answer, understood=own)
    assert "more than the words" in found.dropped[0]


def test_a_reply_keeps_what_was_understood_without_the_model():
    own = {"epochs": Entry(3, Origin.ANSWER, "3 epochs").to_json()}
    found = look({"epochs": given("sixteen", 16), "seed": given("seed it", 9)}, understood=own)
    assert [(item.name, item.by_model) for item in found.items] == [("epochs", False), ("seed", True)]
    assert found.entries()["epochs"] == Entry(3, Origin.ANSWER, "3 epochs")


def test_labels_with_commas_stay_whole():
    text = "labels “a, b” and c"
    row = reading({"labels": given("labels", ["a, b", "c"])})
    row.text, row.lost = text, [[0, len(text)]]
    row.request = request.body(text, ((0, len(text)),), "classification", CONTEXT)
    [item] = proposal(row, NOW, CONTEXT, lambda name, entry: "").items
    assert item.entry.value == ("a, b", "c")
