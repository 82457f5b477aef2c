"""A worker that dies while pairs are made or answers judged: no stored answer is asked for again, and no more
than what was under way is."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import orjson
import pytest

from sessions.models import Answer, BaseModel
from sessions.states import GateKind
from tests.integration.preference.conftest import JUDGE, STRONG, WEAK, content, pairs, preference, prompts
from tests.integration.workflows.house import DATASETS, Fault, Killed, die
from workflows.answers.live import AT_ONCE

CHAT = "/inference/v1/chat/completions"
Asked = Counter[tuple[str, str]]


def approved(house, session):
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    return session


def killed(house, session, at: int) -> None:
    """The worker dies right after the completion of that number was done, counted from now."""
    calls = count(1)

    def strike(ask: Any) -> Any:
        return partial(die, after=True)(ask) if next(calls) == at else ask()

    house.wire.faults.append(Fault("POST", CHAT, strike, times=10_000))
    with pytest.raises(Killed):
        house.drive(session)
    house.wire.faults.clear()
    house.clock.pass_by(600)  # its lease is over


def asked(house) -> Asked:
    """How often each question was asked of each model over the wire."""
    sent = zip(house.wire.requests, house.wire.bodies, strict=True)
    bodies = [orjson.loads(body) for (_, path), body in sent if path == CHAT]
    return Counter((body["model"], body["messages"][-1]["content"]) for body in bodies)


def pairs_of(house, session) -> str:
    """The one dataset of pairs that a session uploaded."""
    (name,) = session.resources.filter(purpose="dataset-pairs").values_list("name", flat=True)
    assert name in {each["name"] for each in house.remote(DATASETS)}
    return name


def stored(session, name: str) -> dict[tuple[str, str], int]:
    """Model and question of every row that has its answer."""
    text = session.artifacts.get(name=f"prompts/{name}.jsonl").path.read_bytes()
    questions = [orjson.loads(line)["messages"][-1]["content"] for line in text.splitlines()]
    over = Answer.objects.filter(session=session, prompts=name).exclude(answered_at=None)
    return {(each.subject.removeprefix("base:"), questions[each.row]): each.attempt for each in over}


def repeated(house, before: dict[tuple[str, str], int]) -> int:
    """How many questions were asked more than once; never one whose answer was stored."""
    twice = {key for key, times in asked(house).items() if times > 1}
    assert twice.isdisjoint(before)
    return len(twice)


def test_a_kill_in_pair_generation(house):
    name = house.dataset("prompts", prompts(120))
    session = approved(house, preference(house, None, dataset=name, deploy=False, betas=(0.1,)))
    killed(house, session, at=60)
    before = stored(session, "pairs")
    assert len(before) >= 60 - AT_ONCE
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert repeated(house, before) <= AT_ONCE
    assert session.answers.filter(attempt__gt=1).count() <= AT_ONCE
    assert set(stored(session, "pairs")) > set(before)
    calm = undisturbed(house, name)
    assert content(house, pairs_of(house, session)) == content(house, pairs_of(house, calm))


def undisturbed(house, name: str):
    """The same session with nothing happening to it."""
    calm = approved(house, preference(house, None, dataset=name, deploy=False, betas=(0.1,)))
    house.drive(calm)
    return calm


def test_a_kill_in_the_upload_of_the_pairs(house):
    """Before the bytes arrived, and after: the dataset is filled once, with the same bytes; the original
    is as it was, and every run has names of its own."""
    name = house.dataset("prompts", prompts(12))
    original = content(house, name)
    calm = undisturbed(house, name)
    wanted, seen = content(house, pairs_of(house, calm)), {pairs_of(house, calm)}
    for after in (False, True):
        session = approved(house, preference(house, None, dataset=name, deploy=False, betas=(0.1,)))
        before = asked(house)
        house.wire.faults.append(Fault("POST", ":upload", partial(die, after=after)))
        with pytest.raises(Killed):
            house.drive(session)
        house.clock.pass_by(600)  # its lease is over
        house.drive(session)
        assert house.gate(session).kind == GateKind.PROMOTION
        assert content(house, pairs_of(house, session)) == wanted
        assert session.answers.filter(prompts="pairs", attempt__gt=1).count() == 0
        again = asked(house) - before
        assert max(times for (model, _), times in again.items() if model in (STRONG, WEAK)) == 1
        seen.add(pairs_of(house, session))
    assert len(seen) == 3
    assert content(house, name) == original


def test_a_kill_in_judging(house):
    session = approved(house, preference(house, pairs(300), deploy=False, betas=(0.1,)))
    killed(house, session, at=70)
    before = stored(session, "judge-1")
    assert len(before) >= 10
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert repeated(house, before) <= AT_ONCE
    assert session.answers.filter(attempt__gt=1).count() <= AT_ONCE
    found = session.evaluations.get(metric="win_rate")
    assert (found.rows, found.provenance["invalid_rows"]) == (60, 0)


def test_a_judge_that_gives_no_verdicts_is_found_before_all_are_paid(house):
    """A person decides after the first of them; to go on is possible, and nothing is asked twice."""
    session = approved(house, preference(house, pairs(300), deploy=False, betas=(0.1,), judge_model=WEAK))
    house.drive(session)
    gate = house.gate(session)
    assert gate.kind == GateKind.TROUBLE
    assert "20 of the first 20 verdicts" in gate.body["text"]
    assert "Well, no." in gate.body["theirs"]
    assert session.answers.filter(prompts="judge-1").count() == 20
    house.reply(session, "Try again.")
    house.drive(session)
    session.refresh_from_db()
    assert "not one held-out row has a valid verdict" in session.failure["ours"]
    assert session.answers.filter(prompts="judge-1").count() == 120
    assert repeated(house, {}) == 0


def test_a_long_rubric_is_counted_in_the_estimate(house):
    """Its tokens are in the estimate: all that is asked of the judge stays below the line's upper end."""
    rubric = "prefer what is good " * 400
    session = preference(house, pairs(60), deploy=False, betas=(0.1,), rubric=rubric, heldout_rows=30)
    house.drive(session)
    lines = {each["item"]: each for each in house.gate(session).plan.body["estimate"]["lines"]}
    (name,) = [item for item in lines if item.startswith("inference:judge-")]
    high = Decimal(lines[name]["high"])
    assert high > 60 * 2_000 * Decimal("0.07") / 1_000_000
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert 0 < session.ledger.get(item=name).actual <= high


def test_a_rubric_that_leaves_the_judge_no_room_is_refused_before_anything_is_paid(house):
    BaseModel.objects.filter(name=JUDGE).update(context_length=4096)
    rubric = "prefer what is good " * 800
    session = preference(house, pairs(60), deploy=False, betas=(0.1,), rubric=rubric)
    house.drive(session)
    session.refresh_from_db()
    told = f"{session.failure} {[each.body for each in session.gates.all()]}"
    assert "the judge holds 4,096" in told
    assert not session.resources.exists()
