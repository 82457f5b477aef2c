"""How labels are asked for, and how answers are read."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.unit.data.labels.rows import chat, file
from workflows.data import imbalance
from workflows.data.labels import read
from workflows.data.labels_files import Wanted, write
from workflows.data.labels_prompt import Prompt
from workflows.metrics.multilabel import OUTSIDE

BANK = Prompt(("card_arrival", "card_lost", "card", "C", "C++"))
TAGS = Prompt(("red", "green", "blue"), multi=True)


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        ("card_lost", "card_lost", "card_lost"),
        (" card_lost\n", "card_lost", "card_lost"),
        ("Card Lost", None, "card_lost"),
        ("Label: “card-lost”.", None, "card_lost"),
        ("<think>card or card_lost?</think>card_lost", None, "card_lost"),
        ("card_lost\n\nThe card is gone.", None, "card_lost"),
        ("This is about card_arrival, I think.", None, "card_arrival"),
        ("card_arrival or card_lost", None, None),
        ("c++", None, "C++"),
        ("c", None, "C"),
        ("my_card_lost_twice", None, None),
        ("", None, None),
        ("refund", None, None),
        ("C is what I would say", None, None),
        ("It is not card_lost", None, None),
        ("It isn't about card_lost.", None, None),
        ("It is not about card_lost but card_arrival", None, "card_arrival"),
        ("No doubt about it, card_lost", None, "card_lost"),
    ],
)
def test_answers_of_one_label(text: str, strict: str | None, lenient: str | None) -> None:
    assert BANK.strict(text) == (None if strict is None else (strict,))
    assert BANK.lenient(text) == (None if lenient is None else (lenient,))


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (("A", "B"), "A customer asks something"),
        (("yes", "no"), "not yes"),
        (("yes", "no"), "There is no label that applies"),
        (("billing", "other"), "The customer has other questions"),
        (("4", "5"), "It deserves 4 stars"),
    ],
)
def test_no_label_is_read_into_a_sentence_that_gives_none(labels: tuple[str, ...], text: str) -> None:
    assert Prompt(labels).lenient(text) is None


def test_a_label_that_begins_like_a_lead_is_itself() -> None:
    assert Prompt(("Label: billing", "Label: sales")).lenient("Label: billing") == ("Label: billing",)


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        ("green\nred", ("red", "green"), ("red", "green")),
        ("Red, Blue", None, ("red", "blue")),
        ("- red\n- mauve", None, ("red", OUTSIDE)),
        ("red, weather and politics", None, ("red", OUTSIDE)),
        ("1. red\n2. blue", None, ("red", "blue")),
        ('```json\n["red", "blue"]\n```', None, ("red", "blue")),
        ("These apply:\nred\nLabel: blue", None, ("red", "blue")),
        ("red and green\n\nThe customer says so in the first line.", None, ("red", "green")),
        ("red\nred", None, ("red",)),
        ("mauve", None, None),
    ],
)
def test_answers_of_several_labels(
    text: str, strict: tuple[str, ...] | None, lenient: tuple[str, ...] | None
) -> None:
    assert TAGS.strict(text) == strict
    assert TAGS.lenient(text) == lenient


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- Food, drinks\n- Fee", ("Food, drinks", "Fee")),
        ("food, drinks, fee", ("Food, drinks", "Fee")),
        ("Fee, Food, drinks", ("Food, drinks", "Fee")),
        ("Food, fee", ("Fee", OUTSIDE)),
    ],
)
def test_a_label_may_hold_a_comma(text: str, found: tuple[str, ...]) -> None:
    assert Prompt(("Food, drinks", "Fee"), multi=True).lenient(text) == found


@pytest.mark.parametrize(
    ("labels", "text", "found"),
    [
        (("card_arrival", "card-lost"), "The label is card arrival.", "card_arrival"),
        (("card_arrival", "card-lost"), "I would say card lost here", "card-lost"),
        (("top up", "refund"), "It is about a top_up", "top up"),
        (("top up", "top_up"), "It is about a top-up", None),
        (("top up", "top_up"), "It is about a top_up", "top_up"),
        (("not_now", "refund"), "That does not now matter", None),
    ],
)
def test_words_of_a_mentioned_label_may_be_apart_by_other_signs(
    labels: tuple[str, ...], text: str, found: str | None
) -> None:
    assert Prompt(labels).lenient(text) == (None if found is None else (found,))


def test_labels_beyond_ascii_have_room_for_two_tokens_a_character() -> None:
    assert Prompt(("卡片丢失", "x")).max_tokens >= 2 * 4
    assert Prompt(("卡片丢失" * 10, "x")).max_tokens >= 2 * 40


def test_the_prompt_names_every_label_and_keeps_the_rows_own_system_message() -> None:
    row = [{"role": "system", "content": "You work for a bank."}, {"role": "user", "content": "hello"}]
    system, user = BANK.messages(row)
    assert system["content"].startswith("You work for a bank.\n\nClassify")
    assert system["content"].endswith("card_arrival\ncard_lost\ncard\nC\nC++")
    assert user == row[1]


def test_words_of_ones_own_hold_the_labels_where_they_say() -> None:
    assert Prompt(("a", "b"), text="Pick from {labels}, please.").instruction == "Pick from a\nb, please."
    assert Prompt(("a", "b"), text="Pick one.").instruction == "Pick one.\na\nb"


def test_files_train_what_is_asked(tmp_path: Path) -> None:
    found = read(file(tmp_path, [chat("x", ground_truth=["blue", "red"]), chat("y", ground_truth=["red"])]))
    balanced = imbalance.Balanced([2, 1], [0.5, 1.5])
    wanted = {"train": Wanted(tmp_path / "train.jsonl", found.rows, balanced)}
    made = write(tmp_path / "data.jsonl", wanted, TAGS)["train"]
    rows = [orjson.loads(line) for line in made.path.read_bytes().splitlines()]
    assert made.rows == 3
    assert [row["weight"] for row in rows] == [0.5, 0.5, 1.5]
    assert rows[0]["messages"][:-1] == TAGS.messages([{"role": "user", "content": "x"}])
    assert rows[0]["messages"][-1] == {"role": "assistant", "content": "red\nblue"}
    assert write(tmp_path / "data.jsonl", wanted, TAGS)["train"].sha256 == made.sha256
