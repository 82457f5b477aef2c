"""Beginnings that prompts share: what is found, that answers stay the same, and what is told of it."""

import numpy as np
import pytest

from localfireworks.engine.asking import Asked
from localfireworks.engine.batch import Batch
from localfireworks.engine.decoding import for_decoding, nothing
from localfireworks.engine.prefixes import LEAST, Prefixes, beginnings
from localfireworks.engine.row import Row
from tests.integration.engine.test_model import CONFIG, TABLE, decoded, params

__all__ = ["params"]  # the fixture
STOP, COUNT = 39, 6
DRAW = np.random.default_rng(5)
INSTRUCTION, OTHER = (DRAW.integers(0, 38, 25).tolist() for _ in range(2))


def prompt(number, begun=INSTRUCTION):
    return (*begun, number, *DRAW.integers(0, 38, number % 7).tolist())


def together(weights, prompts, prefixes, arrivals=()):
    """Ids, log probabilities and cached tokens by ticket; `arrivals` come after the first step."""
    batch = Batch(weights, CONFIG, (STOP,), prefixes=prefixes)
    said = {}
    for number, each in enumerate(prompts):
        batch.add(Row(number, Asked(max_tokens=COUNT), each, COUNT, TABLE, None))
    later = list(enumerate(arrivals, len(prompts)))
    while batch.busy:
        for ticket, pieces in batch.step():
            said.setdefault(ticket, []).extend(pieces)
        for number, each in later:
            batch.add(Row(number, Asked(max_tokens=COUNT), each, COUNT, TABLE, None))
        later = []
    return {
        ticket: ([each.token_id for each in pieces], [each.logprob for each in pieces], pieces[0].cached)
        for ticket, pieces in said.items()
    }


@pytest.fixture
def weights(params):
    return for_decoding(params, CONFIG)


@pytest.fixture
def prefixes():
    return Prefixes(nothing(CONFIG))


def equal_to_alone(params, prompts, said):
    for number, each in enumerate(prompts):
        ids, chances = decoded(params, np.asarray(each), COUNT)
        assert said[number][0] == ids
        assert said[number][1] == pytest.approx(chances, abs=1e-4)


def test_answers_with_a_shared_beginning_are_those_of_prompts_read_alone(params, weights, prefixes):
    prompts = [prompt(number) for number in range(6)]
    said = together(weights, prompts, prefixes)
    equal_to_alone(params, prompts, said)
    assert sorted(cached for *_, cached in said.values()) == [0] + [len(INSTRUCTION)] * 5
    again = together(weights, prompts, prefixes)
    equal_to_alone(params, prompts, again)
    assert {cached for *_, cached in again.values()} == {len(INSTRUCTION)}


def test_two_beginnings_and_none_at_all_go_together(params, weights, prefixes):
    prompts = [prompt(number, (INSTRUCTION, OTHER, [])[number % 3]) for number in range(9)]
    said = together(weights, prompts, prefixes, [prompt(9, OTHER), prompt(10, OTHER)])
    equal_to_alone(params, [*prompts], said)
    assert [said[number][2] for number in (3, 4, 5)].count(0) <= 2
    assert said[5][2] == 0
    assert {said[9][2], said[10][2]} == {len(OTHER)}


def test_who_asks_one_by_one_finds_what_was_read_before(params, weights, prefixes):
    prompts = [prompt(number) for number in (20, 21, 22)]
    said = dict(enumerate(together(weights, [each], prefixes)[0] for each in prompts))
    equal_to_alone(params, prompts, said)
    assert [cached for *_, cached in said.values()] == [0, len(INSTRUCTION), len(INSTRUCTION)]


def test_the_last_token_of_a_prompt_is_always_read(weights, prefixes):
    same = [prompt(3)] * 2
    first = together(weights, same[:1], prefixes)[0]
    again = together(weights, same[:1], prefixes)[0]
    assert again[0] == first[0]
    assert again[2] == len(same[0]) - 1


def test_short_beginnings_are_not_worth_it():
    few = [np.asarray([*INSTRUCTION[: LEAST - 1], number]) for number in range(30, 34)]
    assert list(beginnings(few)) == []


def test_groups_of_prompts_have_beginnings_of_their_own():
    prompts = [np.asarray(prompt(number, (INSTRUCTION, OTHER)[number % 2])) for number in range(8)]
    found = {tuple(ids.tolist()) for _, ids in beginnings([*prompts, np.asarray([1, 2, 3])])}
    assert found == {tuple(INSTRUCTION), tuple(OTHER)}


def test_what_was_not_used_for_long_is_forgotten(weights):
    prefixes = Prefixes(nothing(CONFIG), most=1)
    together(weights, [prompt(1)], prefixes)
    together(weights, [prompt(1, OTHER)], prefixes)
    assert prefixes.find(np.asarray(INSTRUCTION))[1] == 0
    assert prefixes.find(np.asarray(OTHER))[1] == len(OTHER)
