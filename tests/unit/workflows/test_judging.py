"""Which candidate is suggested by its scores, and how sure that is said to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessions.models import Candidate
from workflows.phases.sft.judging import Judged, proposal

pytestmark = pytest.mark.unit
QWEN = "accounts/fireworks/models/qwen3-8b"
BASE = f"base:{QWEN}"
FAILED = "With 0 for the answers on which the evaluator failed"


def candidate(number: int, loss: float | None = 1.0) -> Candidate:
    return Candidate(number=number, base_model=QWEN, validation_loss=loss)


def judged(done: list[Candidate], **scores: list[float | None]) -> Judged:
    """Scores by row from lists; `c2` is candidate 2, `base` the base model. Without a score: the evaluator
    failed on it."""
    keys = {"base": BASE, **{f"c{each.number}": each.subject for each in done}}
    by_row = {
        keys[name]: {row: value for row, value in enumerate(values) if value is not None}
        for name, values in scores.items()
    }
    failed = {
        keys[name]: frozenset(row for row, value in enumerate(values) if value is None)
        for name, values in scores.items()
    }
    return Judged(done, by_row, 40, "the final number", 42, failed)


def said(done: list[Candidate], **scores: list[float | None]) -> dict[str, Any]:
    return proposal(judged(done, **scores))


def test_the_highest_mean_is_suggested_whatever_the_loss() -> None:
    body = said([candidate(1, 0.5), candidate(2, 0.9)], c1=[0.0] * 40, c2=[1.0] * 40, base=[0.0] * 40)
    assert (body["suggested"], body["metric"]) == (2, "score")
    assert body["rule"] == "Highest mean score by the evaluator (the final number) on the 40 held-out rows."
    assert body["certainty"].startswith("Candidate 2 is better than Candidate 1: +100.0 points")
    assert body["verdicts"] == [{"number": 1, "word": "clear"}]
    assert body["against_base"].startswith("Candidate 2 is better than qwen3-8b untuned")
    assert not body["base_is_better"]


def test_a_small_lead_is_within_noise() -> None:
    body = said([candidate(1), candidate(2)], c1=[1.0, 0.0] * 20, c2=[1.0, 0.0] * 19 + [1.0, 1.0])
    assert body["suggested"] == 2
    assert body["verdicts"] == [{"number": 1, "word": "within noise"}]
    assert "cannot be told apart" in body["certainty"]
    assert body["against_base"] == ""


def test_others_within_noise_are_named() -> None:
    row = [1.0, 0.0] * 20
    body = said([candidate(1), candidate(2), candidate(3)], c1=row, c2=row, c3=row, base=[0.0] * 40)
    assert body["suggested"] == 1
    assert body["certainty"].endswith("Within noise of it as well: candidate 3.")


def test_an_evaluator_that_tells_nothing_leaves_the_loss_to_decide() -> None:
    body = said([candidate(1, 0.9), candidate(2, 0.5)], c1=[0.5] * 40, c2=[0.5] * 40, base=[0.5] * 40)
    assert body["suggested"] == 2
    assert body["rule"].startswith("Lowest validation loss, since")
    assert "gave every answer the same score" in body["certainty"]


def test_a_base_model_that_does_better_is_said_so() -> None:
    body = said([candidate(1)], c1=[0.0] * 40, base=[1.0] * 40)
    assert body["base_is_better"]
    assert body["against_base"].startswith("qwen3-8b untuned is better than Candidate 1")
    assert body["certainty"] == "There is no other candidate to compare with."


def test_candidates_without_scores_are_ranked_last() -> None:
    body = said([candidate(1, 0.1), candidate(2, 0.9)], c2=[0.0, 1.0])
    assert body["suggested"] == 2
    assert body["certainty"] == "Candidate 1 has no score to compare with."
    nothing = said([candidate(1, 0.9), candidate(2, 0.1)])
    assert nothing["suggested"] == 2
    assert nothing["certainty"].startswith("No answer has a score")


def test_a_candidate_with_scores_on_a_few_rows_is_not_suggested() -> None:
    """All right on the 3 rows that it answered is less than 90 % right on all of them."""
    few: list[float | None] = [1.0, 1.0, 1.0, *[None] * 37]
    body = said([candidate(1), candidate(2)], c1=[0.0, *[1.0] * 35, *[0.0] * 4], c2=few, base=[0.0] * 40)
    assert body["suggested"] == 1
    assert body["certainty"].endswith(
        "Candidate 2 has a score on 3 of 40 rows only, too few to be ranked with the others."
    )


def test_candidates_are_ranked_on_the_rows_that_all_have() -> None:
    """Candidate 2 lost two hard rows: its own mean is higher, and on the same rows candidate 1 is better."""
    body = said([candidate(1), candidate(2)], c1=[0.0, 0.0, *[1.0] * 38], c2=[None, None, 0.5, *[1.0] * 37])
    assert [each["number"] for each in body["ranking"]] == [1, 2]
    assert body["ranking"][0]["value"] == 1.0
    assert "on the 38 of 40 held-out rows that the compared candidates all have" in body["rule"]
    assert body["certainty"].endswith(f" {FAILED} the order stays: Candidate 1 0.950, Candidate 2 0.938.")


def test_who_gains_by_answers_that_cannot_be_scored_is_told() -> None:
    """The hard rows on which the evaluator fails for candidate 2 are left out for both, and that decides."""
    clear: list[float | None] = [1.0, 1.0, *[0.9] * 38]
    failing: list[float | None] = [None, None, *[0.94] * 38]
    body = said([candidate(1), candidate(2)], c1=clear, c2=failing, base=[1.0] * 40)
    assert body["suggested"] == 2
    assert body["certainty"].endswith(f" {FAILED} the order changes: Candidate 1 0.905, Candidate 2 0.893.")
    assert body["against_base"].endswith(f" {FAILED}: 0.893 against 1.000.")


def test_answers_that_were_cut_are_told() -> None:
    found = judged([candidate(1), candidate(2)], c1=[0.5] * 40, c2=[0.4] * 39 + [0.3])
    cut = replace(found, cut={"candidate:2": frozenset(range(7))})
    assert proposal(cut)["certainty"].endswith(
        " Cut at the most tokens, so their scores may read low: 7 of 40 answers of Candidate 2."
    )
    assert "Cut" not in proposal(found)["certainty"]


def test_a_row_that_no_candidate_has_a_score_of_counts_against_none() -> None:
    half: list[float | None] = [*[1.0] * 20, *[None] * 20]
    body = said([candidate(1, 0.9), candidate(2, 0.5)], c1=half, c2=[*[0.5] * 20, *[None] * 20])
    assert body["suggested"] == 1
    assert "too few" not in body["certainty"]
