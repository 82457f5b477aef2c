"""Order, noise and CSV of the scoreboard."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sessions.models import Candidate, Evaluation
from sessions.scoreboard import Scoreboard, scoreboard, short_label, to_csv
from sessions.spreadsheets import guarded

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
QWEN = "accounts/fireworks/models/qwen3-8b"


def candidate(number: int, loss: float | None = None, **columns: Any) -> Candidate:
    values = {
        "base_model": QWEN,
        "lora_rank": 8,
        "learning_rate": 1e-4,
        "epochs": 3,
        "state": "done",
        **columns,
    }
    return Candidate(pk=number, number=number, validation_loss=loss, **values)


def measured(of: int, low: float | None, high: float | None) -> Evaluation:
    return Evaluation(candidate_id=of, metric="validation_loss", value=0, low=low, high=high, rows=24)


def numbers(board: Scoreboard) -> list[int]:
    return [row.candidate.number for row in board.rows]


def test_the_best_loss_comes_first_and_unmeasured_ones_last() -> None:
    board = scoreboard([candidate(1, 1.5), candidate(2), candidate(3, 1.1)])
    assert numbers(board) == [3, 1, 2]
    assert [row.is_best for row in board.rows] == [True, False, False]


@pytest.mark.parametrize(
    ("sort", "order"),
    [("cost", [2, 1, 3]), ("-cost", [1, 2, 3]), ("number", [1, 2, 3]), ("evil;", [2, 1, 3])],
)
def test_any_column_sorts_in_both_directions(sort: str, order: list[int]) -> None:
    rows = [candidate(1, 1.5, cost=Decimal(2)), candidate(2, 1.4, cost=Decimal(1)), candidate(3)]
    assert numbers(scoreboard(rows, sort=sort)) == order


def test_the_pressed_heading_turns_the_order_round() -> None:
    columns = {each.name: each for each in scoreboard([candidate(1, 1.0)], sort="cost").columns}
    assert (columns["cost"].sort, columns["cost"].direction) == ("-cost", "ascending")
    assert (columns["state"].sort, columns["state"].direction) == ("state", "none")


def test_parameters_that_differ_come_first_and_the_others_are_said_once() -> None:
    board = scoreboard([candidate(1, 1.0, lora_rank=8), candidate(2, 1.2, lora_rank=16)])
    assert [column.name for column in board.columns][:3] == ["number", "lora_rank", "validation_loss"]
    assert ("Learning rate", "1e-4") in board.same
    assert "epochs" not in board.parameters


def test_overlapping_intervals_are_within_noise_and_apart_ones_are_not() -> None:
    rows = [candidate(1, 1.00), candidate(2, 1.10), candidate(3, 1.50)]
    spread = [measured(1, 0.9, 1.12), measured(2, 1.0, 1.2), measured(3, 1.4, 1.6)]
    assert [row.noise for row in scoreboard(rows, spread).rows] == ["", "within noise of #1", ""]


def test_without_a_spread_less_than_one_percent_is_within_noise() -> None:
    rows = [candidate(1, 1.000), candidate(2, 1.009), candidate(3, 1.011)]
    assert [row.noise for row in scoreboard(rows, [measured(1, None, None)]).rows] == [
        "",
        "within noise of #1",
        "",
    ]


def test_the_final_run_is_not_on_the_scoreboard() -> None:
    assert numbers(scoreboard([candidate(1, 1.0), candidate(2, 0.5, role="final")])) == [1]


def test_an_empty_scoreboard_has_no_rows_and_no_shared_values() -> None:
    board = scoreboard([])
    assert (board.rows, board.same) == ([], [])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_numbers_stay_numbers_in_the_csv() -> None:
    assert [guarded(value) for value in (-1.5, Decimal("-0.5"), None, 3)] == ["-1.5", "-0.5", "", "3"]


def test_the_csv_has_the_numbers_of_the_page() -> None:
    ended = candidate(1, 1.25, launched_at=NOON, ended_at=NOON + timedelta(seconds=90), job="=evil")
    read = list(csv.DictReader(io.StringIO(to_csv(scoreboard([ended], [measured(1, 1.2, 1.3)])))))
    assert read[0]["validation_loss"] == "1.25"
    assert read[0]["seconds"] == "90.0"
    assert read[0]["job"] == "'=evil"
    assert (read[0]["validation_low"], read[0]["validation_rows"]) == ("1.2", "24")


def test_a_failure_is_shown_in_the_providers_words() -> None:
    failed = candidate(1, state="failed", detail={"failure": {"code": "X", "message": "row 12 is bad"}})
    assert scoreboard([failed]).rows[0].failure == "row 12 is bad"


def test_a_candidate_has_a_short_name() -> None:
    assert short_label(candidate(1)) == "qwen3-8b r8 1e-4"


# --- scores of an evaluator ---------------------------------------------------------------------------


def scored(of: Candidate | None, value: float, **more: Any) -> Evaluation:
    subject = of.subject if of else f"base:{QWEN}"
    columns = {"low": value - 0.1, "high": value + 0.1, "rows": 18, "provenance": {"asked": 20}, **more}
    return Evaluation(candidate=of, subject=subject, metric="score", value=value, **columns)


def test_scores_come_with_a_column_of_their_own_and_lead_the_order() -> None:
    one, two = candidate(1, 0.5), candidate(2, 0.9)
    board = scoreboard([one, two], [scored(one, 0.2), scored(two, 0.7), scored(None, 0.3)])
    assert numbers(board) == [2, 1]
    assert [each.name for each in board.columns][:2] == ["number", "score"]
    assert board.rows[0].score
    assert (board.rows[0].score.interval.rows, board.rows[0].score.missing) == (18, 2)
    assert [(each.who, each.value) for each in board.others] == [("qwen3-8b, untuned", 0.3)]
    assert [each.name for each in scoreboard([one]).columns][:2] == ["number", "validation_loss"]


def test_what_the_gate_found_of_the_others_is_said_in_words() -> None:
    one, two, three = candidate(1), candidate(2), candidate(3)
    rows = scoreboard([one, two, three], suggested=2, words={1: "clear", 3: "within noise"}).rows
    assert {row.candidate.number: row.score_noise for row in rows} == {
        1: "clearly below #2", 2: "", 3: "within noise of #2",
    }  # fmt: skip


def test_the_csv_has_scores_of_candidates_and_of_what_does_not_compete() -> None:
    one = candidate(1, 0.5)
    board = scoreboard([one], [scored(one, 0.25), scored(None, 0.5, low=None, high=None)])
    first, base = csv.DictReader(io.StringIO(to_csv(board), newline=""))
    assert (first["number"], first["score"], first["score_rows"], first["score_missing"]) == (
        "1", "0.25", "18", "2",
    )  # fmt: skip
    assert (base["number"], base["base_model"], base["score"]) == ("qwen3-8b, untuned", QWEN, "0.5")
    assert (base["score_low"], base["validation_loss"]) == ("", "")


def right(of: Candidate, share: float) -> Evaluation:
    return Evaluation(
        candidate=of, subject=of.subject, metric="accuracy", value=share, low=share / 2, high=1, rows=40
    )


def test_labels_rank_by_right_answers_and_a_full_data_run_stands_for_its_candidate() -> None:
    one, two = candidate(1, 0.5), candidate(2, 0.9)
    final = candidate(3, 0.4, role="final", parent=two)
    board = scoreboard([one, two, final], [right(one, 0.6), right(final, 0.8)])
    assert numbers(board) == [2, 1]
    assert [each.label for each in board.columns][1] == "Right answers"
    first, second = csv.DictReader(io.StringIO(to_csv(board), newline=""))
    assert (first["number"], first["right_share"], first["right_share_low"]) == ("2", "0.8", "0.4")
    assert (second["right_share"], second["right_share_rows"]) == ("0.6", "40")
    assert "right_share" not in {each.name for each in scoreboard([one, two]).columns}
