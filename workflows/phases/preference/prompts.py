"""The held-out prompts as they are asked of every model: the same for base and tuned ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from sessions.models import Artifact
from workflows.answers import PromptSet, Sampling, Subject, collect, prompt_set
from workflows.answers.ways import ORDER
from workflows.data.lines import batches
from workflows.data.preference.rows import prompt_of
from workflows.data.preference.splits import HELDOUT as HELDOUT_FILE
from workflows.outcomes import Outcome
from workflows.phases import plans
from workflows.work import Work

HELDOUT = "heldout"


def heldout(work: Work) -> PromptSet:
    """The held-out prompts, with the answers' length that the plan says."""
    path = Artifact.objects.get(session=work.session, name=HELDOUT_FILE).path
    tokens = plans.approved(work.session).body["judge"]["answer_tokens"]
    sampling = Sampling(max_tokens=tokens, seed=work.session.value("seed"))
    return prompt_set(work, HELDOUT, prompts_in(path), sampling)


def asked(work: Work, subjects: Sequence[Subject]) -> Outcome | None:
    """None when every subject answered; else what the phase's step returns."""
    return collect(work, heldout(work), subjects, work.session.value("serving_order") or ORDER)


def prompts_in(path: Path) -> Iterator[list[dict[str, Any]]]:
    """The messages of every row of a split file; its rows are faultless."""
    for batch in batches(path):
        for line in batch.lines:
            yield [dict(each) for each in prompt_of(orjson.loads(line))]
