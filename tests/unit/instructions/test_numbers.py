"""Numbers typed side by side: each is the value that it was typed for, or is shown as not understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.instructions import Reading, read
from tests.unit.specification.examples import CATALOGUE

JOINED = st.sampled_from([", ", ",", " and ", "/", ", and "])
BETWEEN = st.sampled_from([" ", " ", " ", ", ", "; ", " and ", "\n", ". ", ", and ", " with "])
SIZES, PEAKS = ("4", "8", "16", "32"), ("1e-4", "5e-5", "2e-5")


@dataclass(frozen=True)
class Typed:
    """A setting as typed: its words, the numbers among them, and what it means."""

    field: str
    words: str
    numbers: tuple[str, ...]
    value: Any


def _single(field: str, phrases: list[str], numbers: list[int], value: Any = int) -> st.SearchStrategy[Typed]:
    return st.builds(
        lambda phrase, number: Typed(field, phrase.format(number), (str(number),), value(number)),
        st.sampled_from(phrases),
        st.sampled_from(numbers),
    )


def _list(field: str, phrases: list[str], items: tuple[str, ...], value: Any) -> st.SearchStrategy[Typed]:
    """Several numbers; where the phrase tells how many, that is told rightly or not."""

    def typed(phrase: str, chosen: list[str], between: str, told: int) -> Typed:
        written = between.join(chosen[:-1]) + (between if chosen[1:] else "") + chosen[-1]
        words = phrase.format(written, told)
        return Typed(field, words, tuple(chosen), tuple(map(value, chosen)))

    chosen = st.lists(st.sampled_from(items), min_size=1, unique=True)
    return st.builds(typed, st.sampled_from(phrases), chosen, JOINED, st.integers(2, 3))


RANKS = _list("lora_ranks", ["ranks {0}", "ranks: {0}", "ranks={0}", "{1} ranks: {0}"], SIZES, int)
RATES = _list("learning_rates", ["lrs {0}", "learning rates: {0}", "{1} learning rates {0}"], PEAKS, float)
OTHERS = st.one_of(
    _single("epochs", ["{} epochs", "epochs: {}", "epochs {}", "{} epochs for each candidate"], [2, 3, 5]),
    _single("seed", ["seed {}", "seed: {}"], [2, 6, 7]),
    _single("max_candidates", ["{} candidates", "at most {} candidates"], [2, 3, 9]),
    _single("parallel_jobs", ["{} jobs in parallel", "jobs in parallel: {}"], [2, 3, 11]),
    _single("tuning_samples", ["{} samples for tuning", "tuning samples: {}"], [200, 300]),
    _single("heldout_rows", ["hold out {} rows", "{} rows for evaluation"], [40, 60]),
    _single("budget", ["a budget of ${}", "under ${}"], [20, 70], lambda amount: f"{amount}.00"),
)
FEW_OTHERS = st.lists(OTHERS, max_size=2, unique_by=lambda typed: typed.field)
PLANS = st.builds(lambda *lists: [*lists[:2], *lists[2]], RANKS, RATES, FEW_OTHERS).flatmap(st.permutations)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(PLANS, st.lists(BETWEEN, min_size=4, max_size=4))
def test_every_number_is_what_it_was_typed_for_or_is_shown(typed: list[Typed], between: list[str]) -> None:
    text = "".join(f"{each.words}{between[at]}" for at, each in enumerate(typed)).strip(" ,;")
    found = read(text, CATALOGUE, account="me")
    values = {name: entry.value for name, entry in found.entries.items()}
    assert values.items() <= {each.field: each.value for each in typed}.items()
    for each in typed:
        assert each.field in values or shown(each, found), each


def shown(typed: Typed, found: Reading) -> bool:
    """Whether each number of a setting stands among what was not understood, or the setting is at fault."""
    lost = " ".join(span.text for span in found.not_understood)
    at_fault = {error.field for error in found.errors}
    return typed.field in at_fault or all(number in lost for number in typed.numbers)


@pytest.mark.parametrize(
    "text",
    [
        "2 ranks: 8, 16 and 32",
        "4 labels: billing, technical and sales",
        "ranks 8 and 16, 2 of each",
        "rank 8 and 2 learning rates",
    ],
)
def test_a_count_that_does_not_fit_its_list_takes_the_list_with_it(text: str) -> None:
    found = read(text, CATALOGUE, account="me")
    assert found.entries == {}
    lost = " ".join(span.text for span in found.not_understood)
    assert [number for number in re.findall(r"\d+", text) if number not in lost] == []
