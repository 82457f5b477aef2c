"""How long an answer may be: as its references want, and as the models hold."""

import pytest

from workflows.evaluators.samples import Sample
from workflows.phases.scoring import FEWEST_TOKENS, MOST_TOKENS, answer_tokens, prompt_tokens
from workflows.phases.sft.measuring import cut

pytestmark = pytest.mark.unit


def sample(asked: int, answer: int) -> Sample:
    """A row by the characters of its prompt and of its reference."""
    return Sample(1, [{"role": "user", "content": "x" * asked}], "y" * answer, "", {})


def test_an_answer_has_room_for_half_as_much_again_as_its_reference() -> None:
    assert answer_tokens([sample(30, 600)], 32_768) == 300
    assert answer_tokens([sample(30, 3)], 32_768) == FEWEST_TOKENS
    assert answer_tokens([sample(30, 90_000)], 32_768) == MOST_TOKENS


def test_a_prompt_and_its_answer_fit_into_what_the_models_hold() -> None:
    """Stand-ins hold 1,024 tokens: asked for as many after a prompt, they would refuse every row."""
    long = sample(900, 9_000)
    assert answer_tokens([long], 1024) + prompt_tokens(long) == 1024
    assert "the models hold 1,024" in cut([long], answer_tokens([long], 1024), 1024)[0]
    assert cut([long], answer_tokens([long], 32_768), 32_768) == []


def test_a_prompt_that_is_refused_anyway_cuts_no_answer_of_others() -> None:
    assert answer_tokens([sample(9_000, 30), sample(30, 600)], 1024) == 300
