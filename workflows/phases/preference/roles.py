"""Which models play the parts that nobody is asked about: the judge, and the makers of pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sessions.models import BaseModel
from sessions.specification import FieldError, short_name

REHEARSAL_JUDGE = "accounts/fireworks/models/standin-judge"
WORD = re.compile(r"[a-z]+")
# Words of ids by family: names differ where makers renamed a line or tuned another maker's model.
FAMILIES = {
    "codellama": "llama",
    "codestral": "mistral",
    "devstral": "mistral",
    "magistral": "mistral",
    "ministral": "mistral",
    "mixtral": "mistral",
    "pixtral": "mistral",
    "qwq": "qwen",
    "codegemma": "gemma",
    **{name: name for name in ("llama", "mistral", "qwen", "gemma", "deepseek", "glm", "kimi", "phi")},
}


@dataclass(frozen=True)
class Makers:
    """The two models that pairs are made with, by full name: the stronger one's answers are preferred."""

    strong: str
    weak: str

    @property
    def both(self) -> tuple[str, str]:
        return self.strong, self.weak


def families(model: str) -> set[str]:
    """All families that an id speaks of: `deepseek-r1-distill-qwen-32b` answers like both. Of an id with
    no known family, its first word."""
    words = WORD.findall(short_name(model).rsplit("/", 1)[-1].lower())
    return {FAMILIES[word] for word in words if word in FAMILIES} or set(words[:1])


def served() -> list[BaseModel]:
    """Models that answer by the token, the smallest first; the stand-ins that go by rules are none."""
    rows = [row for row in BaseModel.objects.filter(listed=True, serverless=True) if row.answers]
    return sorted(rows, key=lambda row: (row.parameters or 0, row.name))


def judge(base_models: Sequence[str], made_by: Sequence[str] = (), *, rehearsal: bool) -> str:
    """The largest served model of another family than the models that are judged and those that made the
    pairs; else than the judged ones alone; else the largest one.

    Models favour answers of their own kind (Panickssery et al. 2024, "LLM Evaluators Recognize and Favor
    Their Own Generations"). Raises FieldError when none is served.
    """
    if rehearsal and BaseModel.objects.filter(name=REHEARSAL_JUDGE, listed=True).exists():
        return REHEARSAL_JUDGE
    names = [row.name for row in served()]
    if not names:
        fault = "No model of this account can judge answers: none is served by the token."
        raise FieldError("evaluator", fault, "Name an evaluator; its scores then compare the models.")
    for models in ((*base_models, *made_by), base_models):
        kin = set[str]().union(*map(families, models))
        if others := [name for name in names if not families(name) & kin]:
            return others[-1]
    return names[-1]


def related(judge: str, base_models: Iterable[str]) -> list[str]:
    """Judged models of the judge's own family."""
    return [model for model in base_models if families(model) & families(judge)]


def makers() -> Makers:
    """The largest and the smallest served model.

    What counts is the difference between the two (Geng et al. 2025, "The Delta Learning Hypothesis"). Raises
    FieldError when there are not two.
    """
    names = [row.name for row in served()]
    if len(names) < 2:
        fault = "Pairs cannot be made: fewer than two models of this account are served by the token."
        raise FieldError("dataset", fault, "Bring a dataset of preference pairs.")
    return Makers(names[-1], names[0])
