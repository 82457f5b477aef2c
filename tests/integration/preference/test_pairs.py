"""Who makes the pairs, what is left out, and a person's look at them before anything is trained."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from sessions.models import Answer
from sessions.proposals.reader import REHEARSAL_READER
from sessions.states import GateKind, Status
from tests.factories import make_base_model
from tests.integration.preference.conftest import JUDGE, STRONG, WEAK, pairs, preference, prompts
from tests.integration.workflows.house import DATASETS, report

MIDDLE = "accounts/fireworks/models/glm-5p1"
SERVED = "glm-5p1, gpt-oss-20b, kimi-k3"


@pytest.fixture
def client(db: None) -> Client:
    return Client()


def page(client: Client, session, query: str = "") -> str:
    html = client.get(f"/s/{session.public_id}/{query}").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def asked(*words: str) -> list[dict[str, object]]:
    return [{"messages": [{"role": "user", "content": text}]} for text in words]


def middle() -> None:
    make_base_model(MIDDLE, parameters=300_000_000_000, tunable=False, servable=False, serverless=True)


def started(house, rows, **values):
    """A session at its plan."""
    session = preference(house, rows, betas=(0.1,), deploy=False, **values)
    house.drive(session)
    return session


def approved(house, session) -> None:
    house.reply(session, "Approved, proceed.")
    house.drive(session)


def uploaded(house) -> list[str]:
    return [each["name"] for each in house.remote(DATASETS) if "dataset-pairs" in each["name"]]


def test_both_models_and_the_judge_are_proposed_with_their_price_and_can_be_changed(house, client):
    middle()
    session = started(house, prompts(12))
    plan = house.gate(session).plan.body
    said = plan["specification"]
    assert (said["strong_model"]["value"], said["strong_model"]["origin"]) == (STRONG, "data")
    assert said["weak_model"]["words"] == "the smallest model that answers by the token"
    assert said["judge_model"]["value"] == JUDGE
    for part in ("strong", "weak", "judge"):
        assert float(plan["prices"][part]["input"]) > 0
        assert 0 < float(plan["prices"][part]["expected"]) < float(plan["prices"][part]["high"])
    shown = page(client, session)
    assert "Preferred: answers of kimi-k3" in shown
    assert "a million prompt tokens" in shown
    house.reply(session, "Use glm-5p1 as the strong model and judge with kimi-k3.")
    house.drive(session)
    plan = house.gate(session).plan
    assert plan.changes == [
        "Strong model: kimi-k3 became glm-5p1.",
        "Judge: standin-judge became kimi-k3.",
    ]
    assert (plan.body["makers"]["strong"], plan.body["judge"]["model"]) == (MIDDLE, STRONG)
    assert [each["item"] for each in plan.body["estimate"]["lines"] if "pairs" in each["item"]] == [
        f"inference:pairs:base:{MIDDLE}",
        f"inference:pairs:base:{WEAK}",
    ]
    house.reply(session, "", action=["changes"], weak_model=["glm-5p1"])
    house.drive(session)
    (question,) = house.gate(session).body["questions"]
    assert "are the same" in question["text"]


def test_a_model_that_does_not_answer_by_the_token_is_refused_with_the_list(house):
    middle()
    session = started(house, prompts(12))
    told = house.reply(session, "", action=["changes"], strong_model=["qwen3-8b"])
    assert f"Choose one of: {SERVED}." in told.typed.faults["strong_model"]
    told = house.reply(session, "Use qwen3-8b as the judge.")
    assert f"Choose one of: {SERVED}." in told.text
    assert house.gate(session).plan.revision == 1


def test_the_stand_ins_that_go_by_rules_cannot_be_named(house, client):
    middle()
    make_base_model(REHEARSAL_READER, tunable=False, servable=False, serverless=True)
    offered = re.findall(r'<option value="([\w.-]+)">', client.get("/new/").content.decode())
    assert {"kimi-k3", "gpt-oss-20b"} <= set(offered)
    assert not {"standin-judge", "standin-reader"} & set(offered)
    session = started(house, prompts(12))
    assert house.gate(session).plan.body["judge"]["model"] == JUDGE
    for rule in ("standin-judge", "standin-reader"):
        told = house.reply(session, "", action=["changes"], strong_model=[rule])
        assert f"Choose one of: {SERVED}." in told.typed.faults["strong_model"]
        assert house.reply(session, f"Use {rule} as the judge.").kind == "again"
    assert house.gate(session).plan.revision == 1


def test_a_judge_that_goes_by_rules_is_asked_about(house):
    """Named where it was offered once."""
    session = started(house, pairs(12), judge_model=JUDGE)
    (question,) = house.gate(session).body["questions"]
    assert "standin-judge does not answer by the token here" in question["text"]
    assert "standin-judge" not in question["text"].partition("Those that do")[2]


def test_a_sample_of_what_was_kept_and_left_out_is_on_the_data_tab(house, client):
    session = started(house, [*prompts(20), *asked("refuse 1", "refuse 2", "refuse 3", "same 1")])
    approved(house, session)
    assert house.gate(session).kind == GateKind.PROMOTION, "nobody is asked in between"
    drawn = json.loads(session.artifacts.get(name="pairs-sample.json").path.read_bytes())
    outcomes = [each["outcome"] for each in drawn]
    counts = session.artifacts.get(name="pairs.jsonl").detail["counts"]
    assert outcomes.count("kept") == 5
    assert outcomes.count("refused") == min(2, counts["an answer declined the task"])
    assert {each["preferred"][:9] for each in drawn if each["outcome"] == "kept"} == {"- Here is"}
    shown = page(client, session, "?tab=data")
    assert "kept and left out, drawn by the seed" in shown
    assert "Left out: an answer declined" in shown


def test_the_pairs_are_shown_before_training_when_asked_for(house, client):
    session = started(house, prompts(20), review_pairs="show")
    assert "Wait until you have seen some of them" in house.gate(session).plan.body["summary"]
    approved(house, session)
    gate = house.gate(session)
    assert (gate.kind, gate.body["questions"][0]["text"]) == (
        GateKind.QUESTIONS,
        "Train on these 16 pairs?",
    )
    assert uploaded(house) == []
    shown = page(client, session)
    assert "The pairs that were made" in shown
    assert "- Here is Name" in shown
    assert "Nothing was spent" not in shown
    told = house.reply(session, "what happens next?")
    assert told.text.startswith("Nothing is uploaded or trained before you answer.")
    house.reply(session, "hm")
    assert house.gate(session).pk == gate.pk
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert len(uploaded(house)) == 1


def test_a_person_ends_it_at_the_pairs(house):
    session = started(house, prompts(12), review_pairs="show")
    approved(house, session)
    house.reply(session, "", action=["reject"])
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert (uploaded(house), house.remote("dpoJobs")) == ([], [])
    assert report(session)


def test_more_than_half_without_a_pair_is_asked_about(house):
    words = [f"refuse {at}" for at in range(16)]
    session = started(house, [*prompts(8), *asked(*words)], seed=1)
    approved(house, session)
    gate = house.gate(session)
    assert gate.kind == GateKind.QUESTIONS
    assert "because an answer declined the task." in gate.body["questions"][0]["help"]
    before = Answer.objects.filter(session=session).count()
    house.reply(session, "keep pairs with refusals")
    house.drive(session)
    plan = house.gate(session).plan
    assert plan.changes == [
        "Left out of made pairs: answers that decline became only what makes no pair.",
        "Made pairs: not given became show them before training.",
    ]
    paid = {each["item"]: each for each in plan.body["estimate"]["lines"] if ":pairs:" in each["item"]}
    assert {each["how"] for each in paid.values()} == {"Answered and paid already."}
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    assert set(session.artifacts.get(name="pairs.jsonl").detail["counts"]) == {"kept"}
    assert "Left out" not in house.gate(session).body["questions"][0]["help"]
    assert Answer.objects.filter(session=session, prompts="pairs").count() == before, "nothing is asked twice"


def test_other_models_at_the_pairs_come_back_as_a_plan(house):
    """What the weak model said is not asked again; what the first strong one cost stays in the bill."""
    middle()
    session = started(house, prompts(12), review_pairs="show")
    approved(house, session)
    asked_before = len(house.wire.calls("POST", "chat/completions"))
    house.reply(session, "Use glm-5p1 as the strong model.")
    house.drive(session)
    gate = house.gate(session)
    assert (gate.kind, gate.plan.revision) == (GateKind.PLAN, 2)
    assert session.value("review_pairs") == "show"
    lines_now = {each["item"]: each["how"] for each in gate.plan.body["estimate"]["lines"]}
    assert lines_now[f"inference:pairs:base:{WEAK}"] == "Answered and paid already."
    assert lines_now[f"inference:pairs:base:{STRONG}"] == "Paid already, and not used any more."
    told = house.reply(session, "", action=["changes"], seed=["7"])
    house.drive(session)
    assert "the prompts were asked already" in house.gate(session).body["questions"][0]["text"], told
    house.reply(session, "", action=["answer"], seed=["42"])
    house.drive(session)
    approved(house, session)
    assert house.gate(session).body["questions"][0]["text"].startswith("Train on these")
    rows = session.artifacts.get(name="pairs.jsonl").detail["prompts"]
    assert asked_before < len(house.wire.calls("POST", "chat/completions")) <= asked_before + rows
    house.reply(session, "", action=["answer"], review_pairs=["train"])
    house.drive(session)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    assert report(session)["preference"]["made"]["strong"] == MIDDLE


def test_the_plan_again_without_a_change_goes_on_with_the_pairs(house):
    session = started(house, prompts(12), review_pairs="show")
    approved(house, session)
    house.reply(session, "", action=["answer"], review_pairs=["change"])
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN
    approved(house, session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert len(uploaded(house)) == 1


def test_answers_are_no_longer_than_what_the_longest_prompt_leaves(house):
    """Stand-ins hold 2,048 tokens, prompt and answer together."""
    rows = pairs(20)
    for row in rows:
        row["input"]["messages"][0]["content"] += " and" * 900
        row["preferred_output"][0]["content"] += " word" * 1400
    plan = house.gate(started(house, rows)).plan.body
    assert 64 < plan["judge"]["answer_tokens"] < 2048 - 3600 // 3
    assert any("the models hold 2,048" in risk for risk in plan["risks"]), plan["risks"]
