"""The rubric says what was measured, and nothing that chance explains."""

from __future__ import annotations

import random

import orjson
import pytest

from tests.unit.data.preference.conftest import pair, prompt
from workflows.data.preference import features, rubric
from workflows.data.preference.rows import Pair

WORDS = ("river", "cloud", "stone", "paper", "glass", "forest", "window", "garden", "music", "street")


def sentence(draw: random.Random, length: int) -> str:
    return " ".join(draw.choices(WORDS, k=length)) + "."


def pairs(count: int, better, worse) -> list[Pair]:
    draw = random.Random(7)
    return [Pair.of_row(pair(f"Tell me about {at}.", better(draw), worse(draw))) for at in range(count)]


def counting(found: rubric.Rubric) -> set[str]:
    return {each.feature for each in found.effects if each.counts}


def test_planted_preferences_are_found_and_told():
    found = rubric.of_pairs(
        pairs(
            60,
            lambda draw: f"- {sentence(draw, 8)}\n- {sentence(draw, 8)}",
            lambda draw: f"I'm sorry, I can't help with that. {sentence(draw, 12)}",
        )
    )
    assert {"lists", "refusal"} <= counting(found)
    assert "prefer a list where there are several points (list items: more in 100% of 60 pairs)" in found.text
    assert "over one that declines" in found.text
    assert found.pairs == 60


def test_length_is_told_in_its_direction_and_never_alone():
    longer = rubric.of_pairs(pairs(50, lambda draw: sentence(draw, 30), lambda draw: sentence(draw, 8)))
    assert "never for length alone" in longer.text
    shorter = rubric.of_pairs(pairs(50, lambda draw: sentence(draw, 8), lambda draw: sentence(draw, 30)))
    assert "more concise" in shorter.text


def test_what_chance_explains_is_left_out():
    """Answers drawn from one distribution: of 200 sets, each of twelve features, few give any rule."""
    draw, wrong = random.Random(3), 0
    for _ in range(200):
        rows = [
            Pair.of_row(pair("q", *(sentence(draw, draw.randint(5, 40)) for _ in range(2))))
            for _ in range(30)
        ]
        wrong += bool(counting(rubric.of_pairs(rows)))
    assert wrong <= 200 * rubric.ERROR_RATE * 1.6


def test_few_pairs_give_no_rule():
    found = rubric.of_pairs(pairs(4, lambda draw: sentence(draw, 30), lambda draw: sentence(draw, 8)))
    assert counting(found) == set()
    assert rubric.UNGROUNDED in found.text


def test_the_text_fits_the_field_and_has_no_quotation_marks(tmp_path):
    draw = random.Random(1)
    rows = pairs(
        80,
        lambda _: f"# Title\n\n**{sentence(draw, 30)}**\n\n- {sentence(draw, 9)}\n- x\n\n```\ncode\n```",
        lambda _: "I'm sorry, but as an AI language model I cannot do that",
    )
    found = rubric.of_pairs(rows)
    assert len(counting(found)) > rubric.MOST_RULES
    assert len(found.text) <= 1000
    assert not set(found.text) & set('"“”„\n')


def test_prompts_alone_say_what_they_ask_for(tmp_path):
    path = tmp_path / "train.jsonl"
    asked = ["Write a list of rivers.", "Name the capital of France?", "Write code that sorts."]
    path.write_bytes(b"".join(orjson.dumps(prompt(each)) + b"\n" for each in asked))
    found = rubric.from_file(path)
    assert "Of 3 prompts 1 ask for a list" in found.text
    assert (found.pairs, found.effects) == (0, ())


def test_the_same_rows_give_the_same_rubric(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"".join(orjson.dumps(pair(f"q{at}", "a " * 20, "b")) + b"\n" for at in range(30)))
    assert rubric.from_file(path) == rubric.from_file(path)
    assert rubric.from_file(path).to_json()["effects"][0]["label"]


@pytest.mark.parametrize(
    ("answer", "declines"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I cannot assist with this request.", True),
        ("As an AI language model, I do not have opinions.", True),
        ("We are unable to answer.", True),
        ("I apologize, but I’m not able to write that.", True),
        ("Unfortunately, I must decline.", True),
        ("I won't provide that.", True),
        ("I'm sorry to hear about your loss. Here is a letter.", False),
        ("We can't wait to see you!", False),
        ("I won't lie: it was hard.", False),
        ("I am afraid of spiders.", False),
        ("You cannot divide by zero.", False),
        ("The sorry state of the roads is known.", False),
        ("Sure! " + "text " * 60 + "I cannot say more.", False),
    ],
)
def test_refusals(answer, declines):
    assert features.refuses(answer) is declines


def test_measures_of_single_answers():
    assert features.overlap("Describe the old castle", "The CASTLE is old.") == 0.5
    assert features.overlap("of it", "x") == 0
    assert features.repetition("a b c a b c") == 0.25
    assert (features.is_json('```json\n{"a": 1}\n```'), features.is_json("[1, 2"), features.is_json("x")) == (
        1,
        0,
        0,
    )
    assert (
        features.is_finished("Done."),
        features.is_finished("and then"),
        features.is_finished("- a\n- b"),
    ) == (1, 0, 1)
    assert (features.upper_share("ABcd"), features.upper_share("1")) == (0.5, 0)
