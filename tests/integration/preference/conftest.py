"""A house for each test whose models have a taste: base models answer curtly, tuned ones as was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from localfireworks.judge import JudgingEngine
from sessions.models import TuningSession
from tests.factories import make_base_model
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import House, Wire
from tests.unit.localfireworks.conftest import Echo, EchoEngine, Word

STRONG = "accounts/fireworks/models/kimi-k3"
WEAK = "accounts/fireworks/models/gpt-oss-20b"
JUDGE = "accounts/fireworks/models/standin-judge"
QWEN = "accounts/fireworks/models/qwen3-8b"
BIG_QWEN = "accounts/fireworks/models/qwen3-32b"


@dataclass
class Speaker(Echo):
    """Tuned models and the large one answer with the prompt's words in a list, others curtly."""

    def generate(self, messages: Sequence[dict[str, Any]], **given: Any) -> Iterator[Word]:
        asked = str(messages[-1]["content"])
        text = f"- Here is {asked}\n- and more" if self.adapter or self.standin == "large" else "Well, no."
        if "silence" in asked:
            text = " "
        elif "same" in asked:
            text = "One answer."
        elif "refuse" in asked:
            text = "I'm sorry, I can't help with that."
            text += " Ask me another." if self.standin == "large" else ""
        self.written += 1
        words = text.split(" ")[: given["max_tokens"]]
        for number, word in enumerate(words):
            yield Word(f"{word} ", finish_reason="stop" if number == len(words) - 1 else None)


class Speaking(EchoEngine):
    """An engine of such models."""

    def load(self, standin: str, adapter: Path | None) -> Echo:
        return Speaker(standin, adapter, context_length=4096)


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path, engine=JudgingEngine(Speaking())) as found:
        make_base_model(BIG_QWEN, parameters=32_800_000_000)
        for name, parameters in ((STRONG, 2_780_000_000_000), (WEAK, 20_900_000_000), (JUDGE, 8_000_000_000)):
            make_base_model(name, parameters=parameters, tunable=False, servable=False, serverless=True)
        yield found


def pairs(count: int) -> list[dict[str, Any]]:
    """Distinct pairs: the preferred answer is a list."""
    return [
        {
            "input": {"messages": [{"role": "user", "content": f"Name {at} rivers as bullet points."}]},
            "preferred_output": [{"role": "assistant", "content": f"- Rhine {at}\n- Elbe\n- Oder"}],
            "non_preferred_output": [{"role": "assistant", "content": "I do not know."}],
        }
        for at in range(count)
    ]


def prompts(count: int) -> list[dict[str, Any]]:
    """Distinct prompts without answers."""
    return [{"messages": row["input"]["messages"]} for row in pairs(count)]


def preference(house: House, rows: list[dict[str, Any]] | None, **values: Any) -> TuningSession:
    """A session on a dataset of these rows; a value of None is not given at all."""
    if rows is not None:
        values["dataset"] = house.dataset("rows", rows)
    alone = {"lora_ranks": None, "learning_rates": None, "epochs": None}
    return house.start(**{"workflow": "preference", **alone, **values})


def lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def content(house: House, name: str) -> bytes:
    """The bytes of a dataset as local Fireworks hands them out."""
    with house.person() as person:
        found = person.get(f"/v1/{name}:getDownloadEndpoint").raise_for_status().json()
    (url,) = found["filenameToSignedUrls"].values()
    with httpx.Client(transport=Wire(house.wire.app, house.wire.thread)) as anybody:
        return anybody.get(url).raise_for_status().content
