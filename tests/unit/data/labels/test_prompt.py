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
        ("- red\n- mauve", None, ("red",)),
        ("red\nred", None, ("red",)),
        ("mauve", None, None),
    ],
)
def test_answers_of_several_labels(
    text: str, strict: tuple[str, ...] | None, lenient: tuple[str, ...] | None
) -> None:
    assert TAGS.strict(text) == strict
    assert TAGS.lenient(text) == lenient


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
