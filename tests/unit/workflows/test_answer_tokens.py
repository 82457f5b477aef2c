"""How long an answer may be: as its references want, and as the models hold."""

import pytest

from workflows.data.tokens import of_bytes
from workflows.evaluators.samples import Sample
from workflows.phases.scoring import FEWEST_TOKENS, MOST_TOKENS, answer_tokens, prompt_tokens
from workflows.phases.sft.measuring import cut

pytestmark = pytest.mark.unit


def sample(asked: int, answer: int) -> Sample:
    """A row by the characters of its prompt and of its reference."""
    return Sample(1, [{"role": "user", "content": "x" * asked}], "y" * answer, "", {})


def test_an_answer_has_room_for_half_as_much_again_as_its_reference() -> None:
    assert answer_tokens([sample(30, 600)], 32_768) == 327  # 600 bytes are 218 tokens at the most
    assert answer_tokens([sample(30, 3)], 32_768) == FEWEST_TOKENS
    assert answer_tokens([sample(30, 90_000)], 32_768) == MOST_TOKENS


def test_a_prompt_and_its_answer_fit_into_what_the_models_hold() -> None:
    """Stand-ins hold 1,024 tokens: asked for as many after a prompt, they would refuse every row."""
    long = sample(600, 2_000)
    assert answer_tokens([long], 1024) + prompt_tokens(long) == 1024
    assert "the models hold 1,024" in cut([long], answer_tokens([long], 1024), 1024)[0]
    short = sample(600, 600)
    assert cut([short], answer_tokens([short], 32_768), 32_768) == []


def test_a_prompt_that_is_refused_anyway_cuts_no_answer_of_others() -> None:
    assert answer_tokens([sample(9_000, 30), sample(30, 600)], 1024) == 327


@pytest.mark.parametrize(
    "text", ["微调大型语言模型需要高质量的数据集。" * 30, "भाषा मॉडल को प्रशिक्षित करना " * 16]
)
def test_scripts_of_more_bytes_have_more_tokens(text: str) -> None:
    """By characters these had less room than the portal's own estimate of their reference."""
    asked = [{"role": "user", "content": text}]
    found = Sample(1, asked, text, text, {})
    estimate = of_bytes(len(text.encode()), 1)
    assert answer_tokens([found], 32_768) > 1.5 * estimate
    assert prompt_tokens(found) > estimate


def test_a_reference_longer_than_any_answer_may_be_is_told() -> None:
    long = sample(30, 8_000)
    (words,) = cut([long], answer_tokens([long], 131_072), 131_072)
    assert words.startswith(
        "Answers may have 1,024 tokens, and 4,350 would leave room for all of them: that is"
    )
