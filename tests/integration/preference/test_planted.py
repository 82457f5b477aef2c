"""A whole run with a judge whose fault is planted: what it prefers is known, so the win rate must be too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from localfireworks.judge import Bias, JudgingEngine
from tests.factories import make_base_model
from tests.integration.preference.conftest import JUDGE, pairs, preference
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import House
from tests.unit.localfireworks.conftest import Echo, EchoEngine, Word

KINDS = {
    "plainwin": 10,
    "plainloss": 4,
    "nearwin": 3,
    "nearloss": 3,
}  # of 20 rows: 13 of them to the tuned model
TRUTH = 13 / 20
FIRST, SECOND = Bias(first=0.6), Bias(first=-0.6)


@dataclass
class Planted(Echo):
    """The better answer repeats the whole prompt. Where the two are near, the other one lacks only its last
    word, which a judge that leans to a place does not see."""

    def generate(self, messages: Sequence[dict[str, Any]], **given: Any) -> Iterator[Word]:
        asked = str(messages[-1]["content"])
        is_better = asked.split()[0].endswith("win" if self.adapter else "loss")
        less = asked.rsplit(" ", 1)[0] if asked.startswith("near") else "Well, no."
        words = (asked if is_better else less).split(" ")[: given["max_tokens"]]
        for number, word in enumerate(words):
            yield Word(f"{word} ", finish_reason="stop" if number == len(words) - 1 else None)


class Planting(EchoEngine):
    """An engine of such models."""

    def load(self, standin: str, adapter: Path | None) -> Echo:
        return Planted(standin, adapter, context_length=4096)


def measured_on(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Pairs to measure on, of each kind so many."""
    rows = pairs(sum(counts.values()))
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    for at, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        row["input"]["messages"][0]["content"] = (
            f"{kind} {at} alder birch cedar elm fir hazel linden maple oak"
        )
    return rows


def compared(house: House, counts: dict[str, int] = KINDS, **values: Any) -> Any:
    make_base_model(JUDGE, parameters=8_000_000_000, tunable=False, servable=False, serverless=True)
    other = house.dataset("measured", measured_on(counts))
    session = preference(house, pairs(12), evaluation_dataset=other, betas=(0.1,), deploy=False, **values)
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    return session


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("bias", "counts"),
    [(Bias(), (13, 0, 7)), (FIRST, (10, 6, 4)), (SECOND, (10, 6, 4))],
    ids=["fair", "first", "second"],
)
def test_a_leaning_to_a_place_does_not_move_the_win_rate(
    tmp_path: Path, client: Client, bias: Bias, counts: tuple[int, int, int]
) -> None:
    with opened(tmp_path, engine=JudgingEngine(Planting(), bias)) as house:
        session = compared(house)
        found = session.evaluations.get(metric="win_rate")
        facts = found.provenance
        assert (facts["wins"], facts["ties"], facts["losses"]) == counts
        assert found.value == pytest.approx(TRUTH)
        assert facts["flip_rate"]["value"] == pytest.approx(counts[1] / 20)
        leans = [each for each in facts["sentences"] if "The judge leans to the answer shown" in each]
        assert bool(leans) is bool(bias.first)
        house.reply(session, "Proceed with the winning config.")
        house.drive(session)
        page = client.get(f"/s/{session.public_id}/?tab=evaluation").content.decode()
        report = session.artifacts.get(name="final_report.md").path.read_text()
        for told in [*leans, "65.0"]:
            assert told in page
            assert told in report


@pytest.mark.django_db
def test_a_leaning_that_hides_one_side_alone_makes_nothing_clear(tmp_path: Path) -> None:
    """The order hides all 13 wins, which are narrow, and none of the 7 losses: 65 % look like 32.5 %."""
    with opened(tmp_path, engine=JudgingEngine(Planting(), FIRST)) as house:
        session = compared(house, {"plainloss": 7, "nearwin": 13})
        found = session.evaluations.get(metric="win_rate")
        assert found.value == pytest.approx(0.325)
        assert found.low <= 0 < TRUTH <= found.high
        gate = house.gate(session)
        assert gate.body["word"] == "unclear"
        assert "Clearly" not in gate.body["certainty"]


@pytest.mark.django_db
def test_with_noise_the_interval_holds_what_was_planted(tmp_path: Path) -> None:
    with opened(tmp_path, engine=JudgingEngine(Planting(), Bias(first=0.6, noise=0.3))) as house:
        found = compared(house).evaluations.get(metric="win_rate")
        assert found.provenance["flip_rate"]["value"] > 0
        assert found.low < TRUTH < found.high
