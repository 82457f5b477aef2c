"""How long an answer may be: as long as is usual, and no longer than fits beside its prompt."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sessions.models import Artifact, BaseModel
from sessions.specification import FieldError
from workflows.data.preference.scan import numbers, scan
from workflows.phases import scoring
from workflows.phases.preference import judging, making, verdicts
from workflows.phases.preference.prompts import prompts_in
from workflows.phases.preference.roles import Makers
from workflows.phases.preference.splitting import Parts
from workflows.work import Work

USUAL_TOKENS = 512  # where nothing says how long answers are
CHARACTERS_A_TOKEN = 3  # of an answer: a low count
MOST_ANSWERS = 90  # percentile of the preferred answers' lengths


def wanted(parts: Parts) -> int:
    """Tokens that nine of ten preferred answers have, within bounds."""
    if not parts.has_pairs:
        return USUAL_TOKENS
    lengths = numbers(scan(parts.train.path).kept.preferred)
    usual = int(np.percentile(lengths, MOST_ANSWERS)) // CHARACTERS_A_TOKEN
    return min(scoring.MOST_TOKENS, max(scoring.FEWEST_TOKENS, usual))


def of_answers(work: Work, parts: Parts, models: list[str], judge: str, rubric: str) -> int:
    """The most tokens of an answer to a held-out prompt: what the models have left after the longest prompt,
    and of what the judge holds half of what the prompt leaves, since it reads two. Raises FieldError for a
    rubric that leaves no room to most of them."""
    prompts = prompt_tokens(parts.heldout.path)
    held = scoring.tokens_held(work.session, models)
    rooms = [held - each for each in prompts]
    known = BaseModel.objects.filter(name=judge, context_length__gt=0).first()
    if known:
        said = scoring.tokens_of(verdicts.frame(rubric))
        left = (known.context_length or 0) - said - judging.JUDGE_TOKENS
        judged = [(left - each) // 2 for each in prompts]
        if said > left and sum(each < scoring.FEWEST_TOKENS for each in judged) * 2 > len(judged):
            fault = (
                f"The rubric has about {said:,} tokens; the judge holds {known.context_length:,}, and most "
                "comparisons would not fit beside it."
            )
            raise FieldError("rubric", fault, "Shorten the rubric.")
        rooms += judged
    return scoring.fitted(wanted(parts), rooms)


def of_pairs(work: Work, parts: Parts, makers: Makers) -> int:
    """The most tokens of an answer that becomes part of a pair; as they were asked, once they were."""
    asked = Artifact.objects.filter(session=work.session, name=making.QUESTIONS).first()
    if asked:
        return int(asked.detail["sampling"]["max_tokens"])
    held = scoring.tokens_held(work.session, makers.both)
    return scoring.fitted(USUAL_TOKENS, [held - each for each in prompt_tokens(parts.train.path)])


def prompt_tokens(path: Path) -> list[int]:
    """About how many tokens each prompt of a split file has."""
    return [scoring.tokens_of(messages) for messages in prompts_in(path)]
