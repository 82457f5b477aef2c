"""Models that answer by what a test knows: untuned ones seldom rightly and sloppily, tuned ones mostly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.localfireworks.conftest import Echo, EchoEngine, Word

SLOPPY = ("{}", "Label: {}.", "I think it is {}", "“{}”")


def draw(*parts: object) -> float:
    """A number from 0 to 1 that depends on nothing but these."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


@dataclass
class Oracle(Echo):
    """Looks the message up; how often it then tells the truth depends on the model."""

    truth: Mapping[str, str] = field(default_factory=dict)
    context_length: int = 8192

    def generate(self, messages: Sequence[dict[str, Any]], **given: Any) -> Iterator[Word]:
        self.calls.append(given)
        text = str(messages[-1]["content"])
        yield Word(self.answer(text), finish_reason="stop")

    def answer(self, text: str) -> str:
        right, luck = self.truth.get(text, "unknown"), draw(self.standin, bool(self.adapter), text)
        if luck < (0.85 if self.adapter else 0.45):
            return right if self.adapter else SLOPPY[int(100 * luck) % len(SLOPPY)].format(right)
        labels = sorted(set(self.truth.values()))
        wrong = labels[(labels.index(right) + 1) % len(labels)] if right in labels else "unknown"
        return wrong if luck < 0.95 else "no idea"


@dataclass
class OracleEngine(EchoEngine):
    """Loads oracles."""

    truth: Mapping[str, str] = field(default_factory=dict)

    def load(self, standin: str, adapter: Path | None) -> Oracle:
        return Oracle(standin, adapter, truth=self.truth)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> OracleEngine:
        """What these rows say."""
        return cls(truth={row["messages"][0]["content"]: row["ground_truth"] for row in rows})
