"""Who is suggested, how surely, and which models play the judge and the makers of pairs."""

from __future__ import annotations

import pytest

from sessions.models import Evaluation
from sessions.specification import FieldError
from tests.factories import make_base_model, make_candidate, make_session, make_specification
from workflows.phases.preference import comparison, roles

MODELS = "accounts/fireworks/models"
BEATS, ALIKE, LOSES = (0.7, 0.6, 0.8), (0.5, 0.4, 0.6), (0.3, 0.2, 0.4)
NEAR = (0.8, 0.7, 0.9), (0.79, 0.69, 0.89), (0.78, 0.68, 0.88)
pytestmark = pytest.mark.django_db


def compared(*numbers: tuple[float, float, float], finals=(), **values):
    """A session with a candidate for each (win rate, low, high) against its base; `finals` are those of one
    candidate against another."""
    session = make_session(specification=make_specification(workflow="preference", **values))
    done = [make_candidate(session, number) for number in range(1, len(numbers) + 1)]
    for each, rate in zip(done, numbers, strict=True):
        keep(session, each, "win_rate", rate)
    for number, other, rate in finals:
        keep(session, done[number - 1], f"win_rate:candidate:{other}", rate)
    return comparison.proposal(session, done)


def keep(session, candidate, metric, rate):
    value, low, high = rate
    told = {"sentences": [f"{candidate.label} won {value:.0%}."], "baseline": "base:x"}
    Evaluation.objects.create(
        session=session, candidate=candidate, subject=candidate.subject, metric=metric, value=value,
        low=low, high=high, rows=50, provenance=told,
    )  # fmt: skip


def test_a_clear_winner_beats_its_base_and_every_other():
    found = compared((0.8, 0.7, 0.9), (0.6, 0.5, 0.7), finals=[(1, 2, BEATS)])
    assert (found["suggested"], found["word"]) == (1, "clear")


def test_a_leader_that_cannot_be_told_apart_is_no_clear_winner():
    found = compared((0.8, 0.7, 0.9), (0.78, 0.68, 0.88), finals=[(1, 2, ALIKE)])
    assert (found["suggested"], found["word"]) == (1, "unclear")
    assert "cannot be told apart from candidate 2" in found["certainty"]


def test_what_was_not_compared_head_to_head_is_not_called_alike():
    rates = (0.8, 0.7, 0.9), (0.78, 0.68, 0.88), (0.76, 0.66, 0.86)
    found = compared(*rates, finals=[(1, 2, LOSES), (1, 3, ALIKE)])
    assert (found["suggested"], found["word"]) == (2, "unclear")
    assert found["certainty"].endswith("It was not compared with candidate 3 directly.")


def test_a_ranking_across_base_models_says_what_it_compares():
    session = make_session(specification=make_specification(workflow="preference"))
    models = [f"{MODELS}/qwen3-8b", f"{MODELS}/qwen3-32b"]
    done = [make_candidate(session, at, base_model=name) for at, name in enumerate(models, 1)]
    for each in done:
        keep(session, each, "win_rate", (0.8, 0.7, 0.9))
    assert "against their own base models" in comparison.proposal(session, done)["rule"]


def test_a_runner_up_that_clearly_beats_the_leader_is_suggested():
    found = compared((0.8, 0.7, 0.9), (0.78, 0.68, 0.88), finals=[(1, 2, LOSES)])
    assert (found["suggested"], found["word"]) == (2, "clear")
    assert found["why"] == (
        "Candidate 1 has the best number against its base model, but directly candidate 2 beats candidate 1 "
        "with 70.0% (95% interval 60.0% to 80.0%, 50 rows). Nobody beats candidate 2 clearly."
    )
    assert "Directly it beats candidate 1." in found["certainty"]


def test_where_a_beats_b_and_b_beats_c_the_one_that_none_beats_is_suggested():
    finals = [(1, 2, LOSES), (1, 3, ALIKE), (2, 3, LOSES)]
    found = compared(*NEAR, finals=finals)
    assert (found["suggested"], found["word"]) == (3, "unclear")
    assert "candidate 2 beats candidate 1" in found["why"]
    assert "candidate 3 beats candidate 2" in found["why"]
    assert "It cannot be told apart from candidate 1" in found["certainty"]


def test_a_circle_is_told_and_leaves_the_choice_open():
    found = compared(*NEAR, finals=[(1, 2, BEATS), (1, 3, LOSES), (2, 3, BEATS)])
    assert (found["suggested"], found["word"]) == (1, "unclear")
    assert found["why"].startswith(
        "The best 3 beat each other in a circle: candidate 1 beats candidate 2 with "
    )
    assert "It is beaten by candidate 3." in found["certainty"]
    assert found["title"] == "No clear winner: choose which one goes on"


def test_between_base_models_direct_comparisons_go_before_what_each_won_against_its_own():
    session = make_session(specification=make_specification(workflow="preference"))
    models = [f"{MODELS}/qwen3-8b", f"{MODELS}/qwen3-32b"]
    done = [make_candidate(session, at, base_model=name) for at, name in enumerate(models, 1)]
    for each, rate in zip(done, NEAR, strict=False):
        keep(session, each, "win_rate", rate)
    keep(session, done[0], "win_rate:candidate:2", (0.45, 0.35, 0.55))
    found = comparison.proposal(session, done)
    assert (found["suggested"], found["word"]) == (2, "unclear")
    assert found["why"].endswith("but candidate 2 did better against the others directly.")


def test_one_that_was_not_met_is_behind_where_intervals_against_one_base_do_not_touch():
    finals = [(1, 2, BEATS), (1, 3, BEATS), (2, 3, ALIKE)]
    behind = compared(*NEAR, (0.5, 0.4, 0.6), finals=finals)
    assert (behind["suggested"], behind["word"]) == (1, "clear")
    close = compared(*NEAR, (0.7, 0.6, 0.8), finals=finals)
    assert close["word"] == "unclear"
    assert close["certainty"].endswith("It was not compared with candidate 4 directly.")


def test_a_number_below_half_is_told_though_it_is_within_noise():
    found = compared((0.4, 0.3, 0.55))
    assert found["word"] == "unclear"
    assert found["certainty"].endswith("On these rows its base model did better.")


def test_a_model_that_lost_to_its_base_is_said_to_be_worse():
    found = compared((0.3, 0.2, 0.4))
    assert found["word"] == "worse"
    assert "consider stopping here" in found["certainty"]


@pytest.mark.parametrize(
    ("rate", "word"),
    [((0.9, 0.8, 0.95), "met"), ((0.6, 0.5, 0.69), "not met"), ((0.75, 0.6, 0.85), "too close to call")],
)
def test_a_target_is_met_when_the_whole_interval_is_there(rate, word):
    assert compared(rate, target=("win_rate", 0.7))["target"]["word"] == word


def test_the_best_of_several_is_held_to_more():
    """32 of 50 won: clear for one model, and of six equal ones the best comes to that by luck."""
    session = make_session(specification=make_specification(workflow="preference"))
    done = [make_candidate(session, number) for number in range(1, 7)]
    for each in done:
        keep(session, each, "win_rate", (0.64, 0.501, 0.76))
    found = session.evaluations.get(subject=done[0].subject)
    found.provenance |= {"wins": 32, "losses": 18}
    found.save()
    alone, best = comparison.best_of(found, 1), comparison.best_of(found, 6)
    assert (alone.low, alone.high) == (0.501, 0.76)
    assert best.low < 0.5 < best.high < 0.85
    word, certainty = comparison.sure(session, done[0], done)
    assert word == "unclear"
    assert "It is the best of 6, and the best of several looks good by luck too" in certainty


def serverless(**sizes: int) -> None:
    for name, billions in sizes.items():
        make_base_model(
            f"{MODELS}/{name.replace('_', '-')}", parameters=billions * 10**9, serverless=True, tunable=False
        )


def test_the_judge_is_the_largest_of_another_family():
    serverless(qwen3_235b=235, kimi_k3=1000, gpt_oss_20b=20)
    assert roles.judge([f"{MODELS}/qwen3-8b"], rehearsal=False) == f"{MODELS}/kimi-k3"
    assert roles.judge([f"{MODELS}/kimi-k2p6"], rehearsal=False) == f"{MODELS}/qwen3-235b"
    makers = roles.makers()
    assert makers == roles.Makers(f"{MODELS}/kimi-k3", f"{MODELS}/gpt-oss-20b")
    other = roles.judge([f"{MODELS}/llama-8b"], makers.both, rehearsal=False)
    assert other == f"{MODELS}/qwen3-235b", "the makers' families are left out where another one is served"
    assert roles.judge([f"{MODELS}/qwen3-8b"], makers.both, rehearsal=False) == f"{MODELS}/kimi-k3"


@pytest.mark.parametrize(
    ("judge", "model", "kin"),
    [
        ("qwq-32b", "qwen3-8b", True),
        ("mixtral-8x22b-instruct", "mistral-small-24b", True),
        ("deepseek-r1-distill-qwen-32b", "qwen3-8b", True),
        ("deepseek-r1-distill-qwen-32b", "deepseek-v3", True),
        ("glm-4p6", "qwen3-8b", False),
        ("unheard-of-7b", "unheard-of-70b", True),
        ("unheard-of-7b", "nameless-8b", False),
    ],
)
def test_kin_goes_by_any_name(judge: str, model: str, kin: bool):
    assert bool(roles.related(f"{MODELS}/{judge}", [f"{MODELS}/{model}"])) is kin


def test_where_all_are_of_one_family_the_plan_can_warn():
    serverless(qwen3_235b=235)
    judge = roles.judge([f"{MODELS}/qwen3-8b"], rehearsal=False)
    assert roles.related(judge, [f"{MODELS}/qwen3-8b"]) == [f"{MODELS}/qwen3-8b"]
    with pytest.raises(FieldError, match="fewer than two models"):
        roles.makers()


def test_without_a_served_model_an_evaluator_is_asked_for():
    with pytest.raises(FieldError, match="Name an evaluator"):
        roles.judge([f"{MODELS}/qwen3-8b"], rehearsal=True)
