"""Charts: the same bytes for the same data, colours that follow the theme, nothing that leaks."""

import re
from decimal import Decimal
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest

from sessions.models import Candidate
from workflows.charts import LITERAL, draw_losses, draw_scoreboard, losses_of, scoreboard_of

CURVE = [
    {"step": 1, "train_loss": 2.0},
    {"step": 2, "train_loss": 1.5, "eval_loss": 1.8},
    {"step": 3, "train_loss": 1.2},
    {"step": 4, "train_loss": 1.1, "eval_loss": 1.4},
]


def candidate(number: int, **columns: Any) -> Candidate:
    values: dict[str, Any] = {
        "base_model": "accounts/fireworks/models/qwen3-8b",
        "lora_rank": 8 * number,
        "learning_rate": 1e-4,
        "epochs": 3,
        "curve": CURVE,
        "validation_loss": 1.4 + number / 10,
        "cost": Decimal(number),
    }
    return Candidate(number=number, **{**values, **columns})


BOTH = [candidate(1), candidate(2)]
STEEP_CURVE = [{"step": 1, "train_loss": 8.0}, *CURVE]


@cache
def both(draw: Any, *, literal: bool = False) -> str:
    """The chart of two candidates; drawing takes a while, so each is drawn once for all tests."""
    return str(draw(BOTH, literal=literal))


@pytest.mark.parametrize(("draw", "kept"), [(draw_losses, losses_of), (draw_scoreboard, scoreboard_of)])
def test_the_same_data_give_the_same_bytes(draw: Any, kept: Any) -> None:
    first = both(draw)
    kept.cache_clear()
    assert draw(BOTH) == first
    assert both(draw) != draw([candidate(1), candidate(2, curve=CURVE[:3], validation_loss=1.1)])


def test_page_and_report_are_one_drawing() -> None:
    both(draw_losses)
    before = losses_of.cache_info().misses
    both(draw_losses, literal=True)
    draw_losses([candidate(1), candidate(2)])
    assert losses_of.cache_info().misses == before


@pytest.mark.parametrize("draw", [draw_losses, draw_scoreboard])
def test_every_colour_follows_the_theme(draw: Any) -> None:
    text = both(draw)
    assert "var(--chart-1, " in text
    outside = re.sub(r"var\(--[a-z0-9-]+, #[0-9a-f]{6}\)", "", text)
    assert re.findall(r"#[0-9a-f]{6}\b", outside) == []


@pytest.mark.parametrize("draw", [draw_losses, draw_scoreboard])
def test_the_reports_file_has_literal_colours_and_parses(draw: Any) -> None:
    text = both(draw, literal=True)
    assert "var(" not in text
    assert LITERAL["chart-1"] in text
    assert ElementTree.fromstring(text).tag.endswith("svg")  # our own text


def test_two_charts_fit_on_one_page() -> None:
    found = [set(re.findall(r'\bid="([^"]+)"', draw)) for draw in (both(draw_losses), both(draw_scoreboard))]
    assert not found[0] & found[1]
    assert all("<style" not in text for text in (both(draw_losses), both(draw_scoreboard)))


def test_no_reference_is_left_dangling() -> None:
    text = both(draw_losses)
    named = set(re.findall(r'\bid="([^"]+)"', text))
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= named
    assert set(re.findall(r'href="#([^"]+)"', text)) <= named


def test_every_candidate_is_named_in_the_legend() -> None:
    text = both(draw_losses)
    assert "#1 qwen3-8b r8 1e-4" in text
    assert "#2 qwen3-8b r16 1e-4" in text
    assert 'role="img"' in text


def test_training_points_alone_are_drawn_too() -> None:
    assert "#1 " in draw_losses([candidate(1, curve=CURVE[:1])])


def test_nothing_to_draw_gives_nothing() -> None:
    assert draw_losses([candidate(1, curve=[])]) == ""
    assert draw_scoreboard([candidate(1)]) == ""
    assert draw_scoreboard([candidate(1), candidate(2, cost=None), candidate(3, validation_loss=None)]) == ""


def test_the_suggested_candidate_is_marked() -> None:
    assert "(suggested)" in draw_scoreboard(BOTH, suggested=2, intervals={1: (1.4, 1.6)})
    assert "(suggested)" not in both(draw_scoreboard)


def test_more_candidates_than_colours_stay_apart() -> None:
    text = draw_losses([candidate(number) for number in range(1, 11)])
    assert "stroke-dasharray" in text
    assert "stroke-dasharray" not in both(draw_losses)


def test_a_steep_start_gets_a_logarithmic_axis() -> None:
    steep = draw_losses([candidate(1, curve=[{**row, "step": n} for n, row in enumerate(STEEP_CURVE)])])
    labels = re.findall(r">([\d.]+)</text>", steep)
    assert {"1", "2", "3", "5"} <= set(labels)
    assert "1.2" in re.findall(r">([\d.]+)</text>", both(draw_losses))


def test_where_scores_decide_they_are_drawn() -> None:
    text = draw_scoreboard([candidate(1, validation_loss=None), candidate(2)], scores={1: 0.9, 2: 0.4})
    assert "mean score" in text
    assert "validation loss" not in text.lower()
