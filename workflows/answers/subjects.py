"""Who is asked: a base model as it is, or a candidate's tuned model."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.models import Candidate
from sessions.specification import short_name


@dataclass(frozen=True, slots=True)
class Subject:
    """`key` names it in answers, evaluations and the ledger; `model` and `base_model` are full names.

    In a plan, where a candidate is not trained yet, its `model` is empty.
    """

    key: str
    model: str
    base_model: str

    @classmethod
    def base(cls, name: str) -> Subject:
        """A base model as it is: `base:accounts/fireworks/models/qwen3-8b`."""
        return cls(f"base:{name}", name, name)

    @classmethod
    def planned(cls, number: int, base_model: str) -> Subject:
        """A candidate that is not trained yet: `candidate:3`."""
        return cls(f"candidate:{number}", "", base_model)

    @classmethod
    def of(cls, candidate: Candidate) -> Subject:
        """A trained candidate."""
        return cls(candidate.subject, candidate.model, candidate.base_model)

    @property
    def is_base(self) -> bool:
        return self.key.startswith("base:")

    @property
    def label(self) -> str:
        """How it is named to people."""
        if self.is_base:
            return f"{short_name(self.base_model)}, untuned"
        return self.key.replace(":", " ").capitalize()

    @property
    def slug(self) -> str:
        """A short name for remote things that serve this subject alone."""
        return f"base-{short_name(self.base_model)}" if self.is_base else self.key.replace(":", "-")
