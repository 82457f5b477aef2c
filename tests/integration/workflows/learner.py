"""Models on paper that have learnt a part of a dataset's answers: the more, the higher their rank. The loss
on paper says the opposite, so that it can be seen which of the two decides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.localfireworks.conftest import Echo, EchoEngine, Word

UNTUNED = 0.1  # share of the answers that a base model knows


def luck(text: str) -> float:
    """From 0 to 1, the same for the same text: a model that knows more knows all that the others know."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48


@dataclass
class Learner(Echo):
    """Says the dataset's answer where it knows it, else the first half of it."""

    answers: Mapping[str, str] = field(default_factory=dict)
    context_length: int = 8192

    def generate(self, messages: Sequence[dict[str, Any]], **given: Any) -> Iterator[Word]:
        self.calls.append(given)
        question = str(messages[-1]["content"])
        words = self.answers.get(question, "I do not know.").split(" ")
        said = words if luck(question) < self.share else words[: len(words) // 2]
        yield Word(" ".join(said), finish_reason="stop")

    @property
    def share(self) -> float:
        """Of the answers that it knows: all from rank 20 on."""
        if self.adapter is None:
            return UNTUNED
        rank: int = json.loads((self.adapter / "adapter_config.json").read_text())["r"]
        return min(1.0, rank / 20)


@dataclass
class LearningEngine(EchoEngine):
    """Loads learners."""

    answers: Mapping[str, str] = field(default_factory=dict)

    def load(self, standin: str, adapter: Path | None) -> Learner:
        return Learner(standin, adapter, answers=self.answers)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> LearningEngine:
        """Of chat rows that end with their answer."""
        ends = (row["messages"][-2:] for row in rows)
        return cls(answers={question["content"]: answer["content"] for question, answer in ends})
