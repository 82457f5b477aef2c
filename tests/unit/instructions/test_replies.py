"""Typed replies: what they do at each gate, and the many that must never approve."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.instructions import Reply, reply
from sessions.specification import DEFAULT_GRID, CandidateConfig, Entry, Origin, Specification
from tests.unit.specification.examples import CATALOGUE, full

CANDIDATES = tuple(CandidateConfig(number, full("qwen3-8b")[0], 8, 1e-4, 1) for number in (1, 2, 3))
GATES = ("questions", "plan", "promotion", "spend", "trouble")


def answered(text: str, gate: str) -> Reply:
    return reply(
        text, gate, catalogue=CATALOGUE, candidates=CANDIDATES, account="me", asked=("dataset", "base_models")
    )


@pytest.mark.parametrize(
    "text",
    [
        "Approved, proceed.",
        "approved proceed",
        '"Approved, proceed."',
        "APPROVED!!!",
        "Approve.",
        "I approve the plan.",
        "The plan is approved",
        "Proceed",
        "please proceed",
        "go ahead",
        "Yes",
        "yes please",
        "Yes, go ahead.",
        "Looks good, proceed.",
        "Great, approved. Thank you!",
        "Ok, run it",
        "Approved — proceed",
    ],
)
def test_approves_a_plan_and_nothing_else(text: str) -> None:
    assert answered(text, "plan").kind == "approve"
    assert answered(text, "spend").kind == "approve"
    assert answered(text, "questions").kind == "not_understood"
    if "yes" not in text.lower():
        assert answered(text, "promotion").kind == "not_understood"


@pytest.mark.parametrize(
    "text",
    [
        "Proceed with the winning config.",
        "proceed with the winner",
        "Approved, proceed with the winning config.",
        "confirm the winner",
        "Confirmed.",
        "use the suggested candidate",
        "go with the best one",
        "yes",
    ],
)
def test_confirms_the_suggested_winner(text: str) -> None:
    found = answered(text, "promotion")
    assert (found.kind, found.candidate) == ("approve", None)
    if text != "yes":
        assert answered(text, "plan").kind == "not_understood"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("use candidate 3 instead", 3),
        ("Candidate 2", 2),
        ("pick candidate #2, please", 2),
        ("go with number 1", 1),
        ("No, use candidate 2 instead.", 2),
        ("proceed with candidate three", 3),
    ],
)
def test_chooses_another_candidate(text: str, number: int) -> None:
    found = answered(text, "promotion")
    assert (found.kind, found.candidate) == ("choose", number)
    assert answered(text, "plan").kind != "approve"


@pytest.mark.parametrize(
    "text",
    ["use candidate 9", "use candidate 2 or 3", "candidate 1 and candidate 2", "not candidate 2",
     "candidate 2.5", "use candidate 2 with 3 epochs", "candidate 2?", "maybe candidate 2", "no 2",
     "proceed with the winning config or candidate 2"],
)  # fmt: skip
def test_an_unclear_choice_asks_again(text: str) -> None:
    assert answered(text, "promotion").kind == "not_understood"


@pytest.mark.parametrize(
    "text",
    ["candidate 2: no", "candidate 2, no", "candidate 2: reject", "candidate 2: don't use it",
     "candidate 1 — cancel", "candidate 2, it should not win", "candidate 3: forget it",
     "use candidate 2 as it is not clear which to use, so cancel",
     "candidate 2 because it's cheaper, but do not proceed yet",
     "use candidate 2 since I have not decided yet",
     "candidate 2 because hmm, rather 3", "candidate 2 because I decline", "candidate 2 because no",
     "candidate 2 because cheaper", "candidate 2 since it is better, stop here",
     "use candidate 2 since nobody told me what to do, please ask Bob first", "hm, candidate 2"],
)  # fmt: skip
def test_what_takes_a_choice_back_is_no_reason_for_it(text: str) -> None:
    assert answered(text, "promotion").kind == "not_understood"


@pytest.mark.parametrize("gate", ["plan", "spend", "trouble"])
@pytest.mark.parametrize(
    "text",
    ["no, looks good", "no thanks, looks good", "no, ok", "nope, all good", "hm, yes", "do it, sorry",
     "yes, hmm", "sorry, no"],
)  # fmt: skip
def test_what_says_both_or_hesitates_decides_nothing(text: str, gate: str) -> None:
    assert answered(text, gate).kind == "not_understood"


def test_a_candidate_that_is_not_there_is_named() -> None:
    assert (
        answered("use candidate 9", "promotion").words
        == "Candidate 9 is none that can be chosen. Choose one of: 1, 2, 3."
    )


@pytest.mark.parametrize(
    "text",
    ["reject", "Rejected.", "cancel", "cancel the run", "stop", "abort", "do not proceed", "Don't proceed!",
     "please do not proceed", "I do not approve this plan", "not approved", "No, cancel it."],
)  # fmt: skip
def test_rejects_at_every_gate(text: str) -> None:
    assert {answered(text, gate).kind for gate in GATES} == {"reject"}


@pytest.mark.parametrize(
    ("text", "kind", "unpriced"),
    [
        ("Approved, also what is not calculated.", "approve", True),
        ("Approved.", "approve", False),
        ("also what is not calculated", "not_understood", False),
        ("No, also what is not calculated", "not_understood", False),
    ],
)
def test_what_has_no_price_is_approved_by_name_only(text: str, kind: str, unpriced: bool) -> None:
    found = answered(text, "plan")
    assert (found.kind, found.unpriced) == (kind, unpriced)
    assert answered(text, "spend").kind == ("approve" if text == "Approved." else "not_understood")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("the budget is $3", "changes"), ("the budget is $3 and approved", "changes"),
     ("rank 8", "not_understood"),
     ("the budget is $3 and rank 8", "not_understood"), ("cancel, the budget is $3", "not_understood")],
)  # fmt: skip
def test_where_more_money_is_asked_for_only_the_budget_changes(text: str, kind: str) -> None:
    assert answered(text, "spend").kind == kind


def test_a_bare_no_rejects_a_plan_but_answers_no_question() -> None:
    assert answered("no", "plan").kind == "reject"
    assert answered("No thanks.", "spend").kind == "reject"
    assert answered("no", "questions").kind == "not_understood"
    assert answered("no", "promotion").kind == "not_understood"


NEVER = [
    "Approved?",
    "not approved yet",
    "I approve nothing",
    "approved by nobody",
    "unapproved",
    "disapproved",
    "approve everything except the deployment",
    "approved if it stays under $5",
    "Approved under $5",
    "approved unless it costs more",
    "Approved for testing",
    "Approved to run with the model",
    "Approved. Wait.",
    "Approved... not!",
    "Approved, then cancel",
    "No, approved",
    "yes and no",
    "yes, but later",
    "maybe approved",
    "should I approve?",
    "what happens if I approve?",
    "he said approved",
    "it was approved last week",
    "I can't approve this",
    "I won't approve",
    "don't cancel",
    "do not stop",
    "nobody approves",
    "almost approved",
    "approved, but use rank 24",
    "approved, but use rank 8",
    "approved with 3 epochs",
    "Proceed with the plan without deployment",
    "Proceed with candidate 2",
    "proceed carefully",
    "approve the other one",
    "approved 2",
    "approved $5",
    "approved 100%",
    "Approved, proceed. No.",
    "Approved @ 5pm",
    "Approved and",
    "Yes, then...",
    "ok",
    "fine",
    "looks good",
    "thanks",
    "",
    "   ",
    "?",
    "👍",
    "a-p-p-r-o-v-e-d",
    "pre-approved",
    "approve-not",
    "genehmigt",
    "Approved" + " x" * 3000,
]


@pytest.mark.parametrize("gate", ["plan", "spend", "trouble", "questions", "promotion"])
@pytest.mark.parametrize("text", NEVER)
def test_never_approves(text: str, gate: str) -> None:
    assert answered(text, gate).kind != "approve"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Use 3 epochs instead", {"epochs": 3}),
        ("No, use 3 epochs instead.", {"epochs": 3}),
        ("Use 3 epochs instead of 5", {"epochs": 3}),
        ("approved, but use rank 8", {"lora_ranks": (8,)}),
        ("Skip the full-data final run and approve", {"final_run": False}),
        ("qwen3-8b and kimi k3", {"base_models": full("qwen3-8b", "kimi-k3")}),
        ("Approved, without deployment", {"deploy": False}),
    ],
)
def test_changes_to_a_plan(text: str, values: dict[str, Any]) -> None:
    found = answered(text, "plan")
    assert found.kind == "changes"
    assert {name: entry.value for name, entry in found.entries.items()} == values
    assert {entry.origin for entry in found.entries.values()} == {Origin.ANSWER}
    assert answered(text, "promotion").kind == "not_understood"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("validation loss is fine", {"strategy": "validation_loss"}),
        ("qwen3-8b", {"base_models": full("qwen3-8b")}),
        ("Yes, Qwen3 8B and 32B please", {"base_models": full("qwen3-8b", "qwen3-32b")}),
        ("accounts/a/datasets/b", {"dataset": "accounts/a/datasets/b"}),
        ("support-tickets-v2", {"dataset": "accounts/me/datasets/support-tickets-v2"}),
        ("tickets.", {"dataset": "accounts/me/datasets/tickets"}),
    ],
)
def test_answers_to_questions(text: str, values: dict[str, Any]) -> None:
    found = answered(text, "questions")
    assert found.kind == "answer"
    assert {name: entry.value for name, entry in found.entries.items()} == values


def test_a_bare_id_answers_only_when_a_dataset_is_asked_for() -> None:
    assert (
        reply("support-tickets-v2", "questions", catalogue=CATALOGUE, account="me").kind == "not_understood"
    )


@pytest.mark.parametrize(
    "text",
    ["Which base models do you support?", "Which base models do you support for SFT?",
     "what models are available?", "What models can I use?", "list the supported base models",
     "Show me all models"],
)  # fmt: skip
def test_asking_for_the_models_leaves_the_gate_open(text: str) -> None:
    found = {(answered(text, gate).kind, answered(text, gate).topics) for gate in GATES}
    assert found == {("ask", ("models",))}


PLAN = Specification(
    {
        "base_models": Entry(
            full("qwen3-8b", "llama-v3p3-70b-instruct"), Origin.SAID, "qwen3-8b and llama 70b"
        ),
        "epochs": Entry(3, Origin.DATA),
    }
)
LLAMA = "llama-v3p3-70b-instruct"
EDITS: list[tuple[str, dict[str, Any]]] = [
    ("use rank 16 instead", {"lora_ranks": (16,)}),
    ("drop the 70B model", {"base_models": full("qwen3-8b")}),
    ("Please remove llama.", {"base_models": full("qwen3-8b")}),
    ("no 70B please", {"base_models": full("qwen3-8b")}),
    ("drop the smaller one", {"base_models": full(LLAMA)}),
    ("only the 8b", {"base_models": full("qwen3-8b")}),
    ("only qwen3-14b", {"base_models": full("qwen3-14b")}),
    ("yes, but without the 70B", {"base_models": full("qwen3-8b")}),
    ("add qwen3 14b", {"base_models": full("qwen3-8b", LLAMA, "qwen3-14b")}),
    ("also try kimi k3", {"base_models": full("qwen3-8b", LLAMA, "kimi-k3")}),
    ("replace the 70b with qwen3 14b", {"base_models": full("qwen3-8b", "qwen3-14b")}),
    ("use qwen3-14b instead of qwen3-8b", {"base_models": full("qwen3-14b", LLAMA)}),
    ("only 2 candidates", {"max_candidates": 2}),
    ("no deployment please", {"deploy": False}),
    ("without rank 32", {"lora_ranks": (8, 16)}),
    ("drop learning rate 5e-5", {"lora_ranks": (8, 16)}),
    ("add rank 4", {"lora_ranks": (8, 16, 32, 4)}),
    ("one more epoch", {"epochs": 4}),
    ("2 epochs fewer", {"epochs": 1}),
    ("drop the 70B and add rank 4", {"base_models": full("qwen3-8b"), "lora_ranks": (8, 16, 32, 4)}),
    ("Increase the epochs to 5 and keep it under $5", {"epochs": 5, "budget": "5.00"}),
    ("please make it 5 epochs", {"epochs": 5}),
    ("change the learning rate to 1e-4", {"learning_rates": (1e-4,)}),
]


@pytest.mark.parametrize(("text", "values"), EDITS)
def test_a_plan_is_edited_from_what_stands(text: str, values: dict[str, Any]) -> None:
    found = reply(text, "plan", catalogue=CATALOGUE, current=PLAN)
    assert found.kind == "changes", found.words
    assert {name: entry.value for name, entry in found.entries.items()} == values


GRID = tuple(
    CandidateConfig(number, model, rank, rate, 3)
    for number, (model, (rank, rate)) in enumerate(product(full("qwen3-8b", LLAMA), DEFAULT_GRID), 1)
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("only candidate 1", {"base_models": full("qwen3-8b"), "lora_ranks": (8,)}),
        ("drop candidates 4, 5 and 6", {"base_models": full("qwen3-8b"), "lora_ranks": (8, 16, 32)}),
        ("Keep only candidates 2 and 5.", {"base_models": full("qwen3-8b", LLAMA), "lora_ranks": (16,)}),
        ("drop candidate 6", "These candidates are no grid"),
        ("drop candidate 9", "The plan has no candidate 9."),
        ("without candidates 1, 2, 3, 4, 5, 6", "No candidate would be left."),
    ],
)
def test_candidates_of_the_plan_are_dropped_by_number(text: str, values: Any) -> None:
    found = reply(text, "plan", catalogue=CATALOGUE, candidates=GRID, current=PLAN)
    if isinstance(values, str):
        assert values in found.words
        assert found.kind == "not_understood"
    else:
        assert {name: entry.value for name, entry in found.entries.items()} == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("drop qwen3-32b", "qwen3-32b is not in the plan. It has qwen3-8b and llama"),
        ("drop qwen3-8b and llama", "nothing would be left"),
        ("add learning rate 1e-3", "Name all the rates"),
        ("add rank 24", "rank 24 is not a power of two"),
        ("3 epochs and one more epoch", "said twice"),
        ("use 4 epochs, no", "Write"),
        ("also what is not calculated", "Write"),
        ("yes, not now", "Write"),
        ("leave out qwen3-14b", "qwen3-14b is not in the plan"),
        ("a budget of 1.000 dollars", "Not understood: “budget of 1.000 dollars”"),
        ("drop the 9B", "Not understood"),
        ("drop 3 epochs", "Not understood"),
        ("drop 3", "Not understood"),
        ("5 epochs fewer", "Epochs: -2 is outside"),
        ("use rank 8. Why so expensive?", "one of the two at a time"),
        ("approved, except the 70B", "Not understood: “except the 70B”"),
        ("what if we used rank 8?", "Not understood"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(text: str, words: str) -> None:
    found = reply(text, "plan", catalogue=CATALOGUE, current=PLAN)
    assert found.kind == "not_understood"
    assert words in found.words


@pytest.mark.parametrize(
    ("text", "candidate", "reason"),
    [
        ("take number 2 because it is cheaper", 2, "it is cheaper"),
        ("I'd take candidate 2, since the loss is about the same.", 2, "the loss is about the same"),
        ("candidate 2 because it has fewer parameters and costs less", 2, "fewer parameters"),
        ("use candidate 2 as it was the best of all on long answers", 2, "was the best of all"),
        ("candidate 2: smaller adapter", None, "Write"),
        ("use candidate 2 because candidate 1 overfits", 2, "candidate 1 overfits"),
        ("use candidate 2 because candidate 1", None, "Write"),
        ("use candidate 2 because use candidate 1 now", None, "Write"),
        ("candidate 2 because candidate 1 is what I meant", None, "Write"),
        ("No, candidate 2 because of the cost", 2, "of the cost"),
        ("use 2", 2, ""),
        ("use candidate 2 instead of 1", 2, ""),
        ("take candidate 2 because 1 is worse, no wait, 3", None, "Write"),
        ("use the rank 16 one", 2, ""),
        ("go with rank 16 because it is smaller", 2, "it is smaller"),
        ("No, use the llama one", 3, ""),
        ("go with qwen3-8b", None, "candidate 1 or 2"),
        ("use rank 4", None, "None has that"),
        ("use candidate 2 because it is cheaper than $5 maybe. Wait.", None, "Wait"),
    ],
)
def test_a_candidate_is_chosen_by_number_or_by_what_it_alone_has(
    text: str, candidate: int | None, reason: str
) -> None:
    options = (
        CandidateConfig(1, full("qwen3-8b")[0], 8, 1e-4, 1),
        CandidateConfig(2, full("qwen3-8b")[0], 16, 1e-4, 1),
        CandidateConfig(3, full(LLAMA)[0], 8, 1e-4, 1),
    )
    found = reply(text, "promotion", catalogue=CATALOGUE, candidates=options, current=PLAN)
    assert (found.kind == "choose", found.candidate) == (candidate is not None, candidate)
    assert reason in (found.reason if candidate else found.words)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("how much will it cost?", "cost"),
        ("Why so expensive?", "cost"),
        ("what does this cost so far", "cost"),
        ("how much is left?", "cost"),
        ("What happens next?", "next"),
        ("what happens if I approve?", "next"),
        ("What did you not understand?", "lost"),
        ("did you understand everything?", "lost"),
        ("how long will it take", "time"),
        ("what are the settings?", "settings"),
        ("Which candidates will you train?", "settings"),
        ("how many rows are there?", "data"),
        ("what can I say here?", "help"),
        ("help", "help"),
        ("why is it the winner?", "winner"),
        ("how sure are you?", "winner"),
        ("what went wrong?", "trouble"),
        ("which datasets do I have?", "datasets"),
        ("how can it be evaluated?", "strategies"),
    ],
)
def test_questions_are_recognised_at_every_gate_and_decide_nothing(text: str, topic: str) -> None:
    found = {gate: answered(text, gate) for gate in GATES}
    assert {each.kind for each in found.values()} == {"ask"}
    assert {each.topics for each in found.values()} == {(topic,)}
    assert answered(f"Approved. {text}", "plan").kind == "ask"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The final number must match.", "answer"),
        ("It is right if the JSON has the values of the reference", "answer"),
        ("Which base models do you support?", "ask"),
        ("What is meant by that?", "not_understood"),
        ("cancel", "reject"),
        ("It counts as right if it says yes or no like the reference", "answer"),
        ("please wait until tomorrow", "not_understood"),
        ("hold on a second please", "not_understood"),
        ("I do not know yet", "not_understood"),
        ("I have no idea", "not_understood"),
        ("we will decide that later", "not_understood"),
        ("unless somebody else said to cancel it", "not_understood"),
        ("hm", "not_understood"),
        ("3 epochs", "answer"),
    ],
)
def test_a_question_that_wants_a_sentence_takes_one(text: str, kind: str) -> None:
    found = reply(text, "questions", catalogue=CATALOGUE, asked=("criterion",))
    assert found.kind == kind
    if kind == "answer":
        assert {entry.words for entry in found.entries.values()} == {text}
    assert reply(text, "plan", catalogue=CATALOGUE, asked=("criterion",)).entries.get("criterion") is None


def test_a_dataset_of_the_account_is_known_by_its_id() -> None:
    known = ["accounts/me/datasets/support-replies"]
    found = reply("Use support-replies and qwen3-8b", "questions", catalogue=CATALOGUE, datasets=known)
    assert {name: entry.value for name, entry in found.entries.items()} == {
        "dataset": known[0],
        "base_models": full("qwen3-8b"),
    }


@pytest.mark.parametrize("text", ["try again", "retry", "please retry", "Go on.", "yes"])
def test_trouble_is_retried_on_a_clear_word(text: str) -> None:
    assert answered(text, "trouble").kind == "approve"
    if text != "yes":
        assert answered(text, "plan").kind == "not_understood"


def test_not_understood_says_what_and_what_would_be() -> None:
    found = answered("Approved, use rank 24 on the moon", "plan")
    assert found.kind == "not_understood"
    assert "“moon”" in found.words
    assert "rank 24 is not a power of two" in found.words
    assert "“Approved, proceed.”" in found.words


def test_a_reply_is_json() -> None:
    data = json.loads(json.dumps(answered("Use 3 epochs", "plan").to_json()))
    assert data["kind"] == "changes"
    assert data["entries"]["epochs"]["value"] == 3
    assert data["reading"]["spans"][0]["field"] == "epochs"


EXTRA = """not never no don't unless if maybe nothing cheaper tomorrow rank 8 3 epochs qwen3-8b $5 or later
without deployment wait cancel stop reject ? 50% them run with for use the model data"""
INTRUDERS = st.sampled_from(EXTRA.split())


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(INTRUDERS, min_size=1, max_size=4), st.integers(0, 2), st.sampled_from(["plan", "spend"]))
def test_an_approval_with_anything_else_in_it_approves_nothing(
    extra: list[str], place: int, gate: str
) -> None:
    words = ["Approved,", "proceed."]
    text = " ".join([*words[:place], *extra, *words[place:]])
    found = answered(text, gate)
    harmless = {"the", "run", "with"}
    assert found.kind != "approve" or set(extra) <= harmless, text


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.text(max_size=40), st.sampled_from(GATES))
def test_no_arbitrary_text_approves(text: str, gate: str) -> None:
    assert answered(text, gate).kind != "approve"
