"""The answers that a written evaluator is tried on."""

from __future__ import annotations

import pytest

from workflows.evaluators.kinds import KINDS
from workflows.evaluators.samples import Sample
from workflows.evaluators.trial import SPOILED, answers_for

pytestmark = pytest.mark.unit


def test_a_spoiled_answer_lacks_what_the_sentence_names() -> None:
    sample = Sample(0, [{"role": "user", "content": "4 apples?"}], "2 + 2 is 4. #### 4", "4", {})
    given = answers_for(KINDS["facts"], {"FACTS": ("####", "apples")}, [sample])
    (spoiled,) = [text for what, _, text in given if what == SPOILED]
    assert "####" not in spoiled
