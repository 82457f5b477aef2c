"""Preference learning on its pages: the lint, the rubric, the comparison, answers blind and with names."""

from __future__ import annotations

import csv
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from fwportal.middleware import owner
from sessions.actions import uploading
from sessions.compared import Side, hidden
from sessions.forms import Typed
from sessions.intake import shelf, take
from sessions.states import GateKind
from tests.integration.preference.conftest import JUDGE, pairs, preference, prompts
from workflows import uploads


@pytest.fixture
def client(db: None) -> Client:
    return Client()


def page(client: Client, session, query: str = "") -> str:
    return client.get(f"/s/{session.public_id}/{query}").content.decode()


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def compared(house, **values):
    """A session that waits at its comparison."""
    session = preference(house, pairs(20), betas=(0.1, 0.3), **values)
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    return session


def test_the_plan_shows_judge_and_rubric_and_takes_another(house, client):
    session = preference(house, pairs(20))
    house.drive(session)
    shown = text(page(client, session))
    assert "Who judges, and by which rubric" in shown
    assert "list items: more in 100% of 16 pairs" in shown
    house.reply(session, "", action=["changes"], rubric=["Prefer answers that rhyme."])
    house.drive(session)
    gate = house.gate(session)
    assert (gate.plan.revision, gate.plan.body["judge"]["rubric"]) == (2, "Prefer answers that rhyme.")
    assert gate.plan.body["judge"]["origin"] == "you chose"
    assert "Prefer answers that rhyme." in text(page(client, session))


def test_changing_something_else_keeps_the_measured_rubric(house):
    session = preference(house, pairs(20))
    house.drive(session)
    before = house.gate(session).plan.body["judge"]
    house.reply(session, "", action=["changes"], epochs=["1"], rubric=[before["rubric"]])
    house.drive(session)
    assert house.gate(session).plan.body["judge"] == before


def test_the_data_tab_shows_lint_and_pairs(house, client):
    session = preference(house, pairs(20))
    house.drive(session)
    shown = text(page(client, session, "?tab=data"))
    assert "20 usable, of 20 different prompts" in shown
    assert "The preferred answer is longer in 100.0" in shown
    assert "- Rhine" in shown


def test_made_pairs_are_shown_with_where_they_come_from(house, client):
    session = preference(house, [*prompts(20), {"messages": [{"role": "user", "content": "silence"}]}])
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    shown = text(page(client, session, "?tab=data"))
    assert "Pairs that were made" in shown
    assert "kimi-k3 (preferred) and gpt-oss-20b" in shown
    assert "- Here is Name" in shown
    traces = client.get(f"/s/{session.public_id}/files/pairs-provenance.jsonl")
    assert b"".join(traces.streaming_content).startswith(b"{")
    traces.close()


def test_the_comparison_is_at_the_gate_and_on_its_tab(house, client):
    session = compared(house, target=("win_rate", 0.7))
    assert house.gate(session).kind == GateKind.PROMOTION
    shown = text(page(client, session))
    assert "No clear winner: choose which one goes on" in shown
    assert "Candidate 1 is suggested, but nothing speaks clearly for it." in shown
    assert "Read the answers blind" in shown
    assert "12 against 2" in shown, "mean words"
    assert "Target too close to call" in shown
    assert "4, 0, 0" in shown
    tab = text(page(client, session, "?tab=evaluation"))
    assert "Candidate 1 against qwen3-8b, untuned: win rate 100.0%" in tab
    assert "0, 4, 0" in tab


def test_rows_are_blind_until_names_are_asked_for(house, client):
    session = compared(house)
    address = f"/s/{session.public_id}/comparison/"
    blind = text(client.get(address).content.decode())
    assert "Answer A" in blind
    assert "Well, no." in blind
    body = blind.partition("nothing says whose they are.")[2]
    assert "untuned" not in body
    assert "Candidate" not in body
    assert "preferred in both orders (4)" in blind
    assert "preferred" not in body, "the preferred one is nearly always the tuned model's"
    assert text(client.get(f"{address}?show=won").content.decode()) == blind
    named = text(client.get(f"{address}?names=yes").content.decode())
    assert "qwen3-8b, untuned" in named.partition("4 rows")[2]
    assert "Stand-in judge" in named
    lost = text(client.get(f"{address}?show=lost&names=yes").content.decode())
    assert "No row is of this kind." in lost
    final = text(client.get(f"{address}?match=judge-final-1&names=yes").content.decode())
    assert "Candidate 1 against Candidate 2" in final
    assert client.get(f"{address}?match=none&show=none&page=999").status_code == 200


def test_the_drawn_order_is_the_sessions_own():
    sides = [Side("tuned", "a", won=True), Side("base", "b", won=False)]
    drawn = [
        "".join(hidden(sides, f"{session} judge-1 {row}")[0].text for row in range(40)) for session in "xy"
    ]
    assert set(drawn[0]) == {"a", "b"}
    assert drawn[0] != drawn[1]


def test_a_session_without_comparison_has_no_such_page(house, client):
    session = preference(house, pairs(20))
    assert client.get(f"/s/{session.public_id}/comparison/").status_code == 404


def test_the_other_candidate_can_be_chosen_in_words(house):
    session = compared(house, deploy=False)
    house.reply(session, "", action=["choose"], candidate=["2"], reason=["the safer one"])
    house.drive(session)
    assert session.winner.number == 2
    report = session.artifacts.get(name="final_report.md").path.read_text()
    assert "## Comparison" in report
    assert (
        "| Candidate 1 | qwen3-8b, untuned | 100.0% | 47.3% to 100.0% | 4 | 4 | 0 | 0 | 0.0% | 0 |" in report
    )
    assert "> Rubric (from the data): Decide which answer" in report
    assert "| Candidate | Base model | LoRA rank | Learning rate | Epochs | Beta | Win rate" in report
    assert "| 100.0% (47.3% to 100.0%) |" in report
    assert "Validation loss" not in report
    table = session.artifacts.get(name="scoreboard.csv").path.read_text().splitlines()
    first = next(csv.DictReader(table))
    assert (first["win_rate"], first["win_rate_low"][:4], first["win_rate_rows"]) == ("1.0", "0.47", "4")
    digest = session.artifacts.get(name="heldout.jsonl").sha256[:12]
    row = "| Candidate 1 | win rate against Candidate 2 | 0.5000 | 4 |"
    assert f"{row} `{JUDGE}` | `heldout.jsonl` `{digest}` |" in report


def test_why_the_suggested_one_is_answered_with_win_rates(house):
    session = compared(house)
    told = house.reply(session, "Why this one?")
    assert "win rate 100.0%" in str(told)


@pytest.mark.parametrize("form", ["pairs", "prompts", "mixed"])
def test_an_upload_is_read_by_the_rules_of_its_format(house, form):
    rows = {"pairs": pairs(12), "prompts": prompts(12), "mixed": [*pairs(6), *prompts(3)]}[form]
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    upload = uploading.receive(owner(), SimpleUploadedFile("rows.jsonl", content), uploading.data(1_000_000))
    uploads.inspect(upload.token)
    typed = Typed("Run DPO with qwen3-8b.", {"dataset": upload.reference})
    taken = take(typed, shelf(), owner(), house.clock().date())
    assert [error.field for error in taken.errors] == (["dataset"] if form == "mixed" else [])
    typed = Typed("Run SFT with qwen3-8b.", {"dataset": upload.reference})
    other = take(typed, shelf(), owner(), house.clock().date())
    assert [error.field for error in other.errors] == ["dataset"]
