"""The session page: what it opens at, who may see it, and that a part is the same as the page."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fwportal.middleware import owner
from sessions.actions.events import note
from sessions.models import Artifact, Event, Resource, TuningSession
from sessions.models.evidence import workspace
from sessions.states import GateKind, Phase, PhaseState, Status
from tests.factories import (
    QWEN,
    make_candidate,
    make_gate,
    make_ledger_line,
    make_plan,
    make_session,
    make_user,
    set_phase,
)
from tests.integration.session_page.conftest import Get

pytestmark = pytest.mark.django_db


def keep(session: TuningSession, name: str, text: str = "{}", **detail: Any) -> Artifact:
    path = workspace(session) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return Artifact.objects.create(
        session=session, name=name, media_type="text/plain", bytes=len(text), sha256="0" * 64, detail=detail
    )


def at_plan(**columns: Any) -> TuningSession:
    session = make_session(**columns)
    set_phase(session, Phase.PLANNING)
    make_gate(session)
    return session


def over(status: str, **columns: Any) -> TuningSession:
    now = timezone.now()
    return make_session(status=status, started_at=now, ended_at=now, wake_at=None, **columns)


def plain(html: str) -> str:
    """Without what differs between two renderings of the same truth."""
    html = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", html)
    return re.sub(r"\s+", " ", re.sub(r"<time.*?</time>", "", html, flags=re.DOTALL))


def test_the_header_answers_where_who_and_what(get: Get) -> None:
    html = get(at_plan())
    assert "Phase 2 of 7: Plan and approval." in html
    assert "You: approve the plan below, or ask for changes." in html
    assert "Not yet. Every ending leaves a report." in html
    assert "supervised fine-tuning" in html


def test_the_title_and_the_icon_carry_the_state(get: Get) -> None:
    html = get(at_plan())
    assert "<title>Needs you · Support replies · fwportal</title>" in html
    assert "favicon-needs-you.svg" in html
    assert 'data-tab-title="Needs you · Support replies · fwportal"' in html


def test_the_timeline_has_seven_phases_and_their_notes(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    set_phase(session, Phase.SWEEP)
    session.phases.filter(phase=Phase.TRAINING).update(state=PhaseState.SKIPPED, note="You asked to skip it.")
    make_ledger_line(session, actual="0.85")
    html = get(session)
    assert len(re.findall(r'class="step step-', html)) == 7
    assert "You asked to skip it." in html
    assert "about $1.00, actually $0.85" in plain(html)
    assert html.count('aria-current="step"') == 1


def test_a_waiting_session_opens_at_its_gate_in_the_order_of_the_book(get: Get) -> None:
    html = get(at_plan())
    wanted = (
        "Train 1 candidate on 40 rows",
        "Candidate sweep</th>",
        "How this was worked out",
        "<dt>Time</dt>",
        "<dt>Risks</dt>",
        "Resolved values, and where each comes from",
        "you chose",
        "What cannot be undone",
        ">Approve",
        "Ask for changes",
        "Reject",
        "Or reply in words",
    )
    gate = html[html.index('id="gate"') :]
    places = [gate.find(words) for words in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_the_next_revision_says_what_changed(get: Get) -> None:
    session = make_session()
    set_phase(session, Phase.PLANNING)
    make_plan(session)
    newer = make_plan(session, 2)
    newer.changes = ["Epochs: 5 became 3."]
    newer.save()
    make_gate(session, plan=newer)
    html = get(session)
    assert "Changed since revision 1" in html
    assert "Epochs: 5 became 3." in html


def test_what_could_not_be_priced_is_named_at_the_gate(get: Get) -> None:
    line = {"item": "d", "label": "First hour", "group": "Deployment's first hour", "phase": "deployment"}
    unknown = {**line, "low": None, "expected": None, "high": None, "how": "The GPU is not known."}
    session = make_session()
    set_phase(session, Phase.PLANNING)
    make_gate(session, plan=make_plan(session, estimate={"lines": [unknown]}))
    html = plain(get(session))
    assert "1 line could not be priced and is not in the total" in html
    assert "First hour: The GPU is not known." in html
    assert "not calculated" in html


def test_every_way_to_decide_works_without_a_script(get: Get) -> None:
    gate = get(at_plan())
    gate = gate[gate.index('id="gate"') :]
    assert set(re.findall(r'name="action" value="(\w+)"', gate)) == {"approve", "changes", "reject", "reply"}
    assert gate.count('method="post"') == 4
    assert "onclick" not in gate


def test_a_failed_session_opens_at_the_failure(get: Get) -> None:
    failure = {
        "phase": "sweep",
        "whose": "data",
        "ours": "All candidates failed.",
        "theirs": "row 12: <b>bad</b>",
        "next": "Mend the data.",
    }
    session = over(Status.FAILED, failure=failure)
    html = get(session)
    for words in ("Failed in candidate sweep", "the data", "All candidates failed.", "Mend the data."):
        assert words in html
    assert "row 12: &lt;b&gt;bad&lt;/b&gt;" in html
    assert f"/new/?from={session.public_id}" in html


def test_a_finished_session_opens_at_the_verdict(get: Get) -> None:
    session = over(Status.SUCCEEDED)
    model = "accounts/rehearsal/models/tuned"
    winner = make_candidate(session, state="done", model=model, validation_loss=1.25, train_loss=1.0)
    TuningSession.objects.filter(pk=session.pk).update(winner=winner)
    name = "accounts/rehearsal/deployments/d1"
    now = timezone.now()
    Resource.objects.create(
        session=session, kind="deployment", purpose="deployment", name=name, state="created", intended_at=now
    )
    make_ledger_line(session, actual="0.80")
    keep(session, "final_report.md", "# Report")
    served = {
        "endpoint": "http://127.0.0.1/inference/v1/chat/completions",
        "address": f"{model}#{name}",
        "snippet": "from fireworks import Fireworks",
        "curl": "curl -sS",
        "proof": {"question": "Where?", "answer": "There.", "seconds": 1.5},
    }
    keep(session, "deployment.json", **served)
    html = plain(get(session))
    for words in (model, name, served["endpoint"], "from fireworks import Fireworks", "curl -sS"):
        assert words in html
    assert "validation 1.2500, training 1.0000" in html
    assert "about $1.00 estimated, $0.80 actually" in html
    assert f"/s/{session.public_id}/report.md" in html
    proof = get(session, "?tab=deployment")
    assert "Where?" in proof
    assert "There." in proof


def test_a_cancelled_session_says_so_and_offers_a_new_start(get: Get) -> None:
    session = over(Status.CANCELLED)
    html = get(session)
    assert "Nothing of this session runs any more." in html
    assert f"/new/?from={session.public_id}" in html


def test_the_promotion_gate_shows_the_scoreboard_and_how_sure_it_is(get: Get) -> None:
    session = make_session()
    set_phase(session, Phase.SWEEP)
    make_candidate(session, 1, state="done", validation_loss=1.0, lora_rank=8, cost=Decimal("0.1"))
    make_candidate(session, 2, state="done", validation_loss=1.005, lora_rank=16, cost=Decimal("0.2"))
    body = {"suggested": 1, "rule": "Lowest validation loss.", "certainty": "Within noise."}
    make_gate(session, GateKind.PROMOTION, body=body)
    html = plain(get(session))
    for words in (
        "Candidate 1 is suggested",
        "Lowest validation loss.",
        "Within noise.",
        "within noise of #1",
    ):
        assert words in html
    assert "Go on with candidate 1" in html


def test_the_questions_page_asks_everything_at_once(get: Get) -> None:
    session = make_session()
    many = [{"value": f"m{number}", "label": f"Model {number}"} for number in range(12)]
    asked = [
        {"field": "base_models", "text": "Which base models?", "options": many},
        {"field": "dataset", "text": "Which dataset?", "options": [{"value": "a", "label": "A"}]},
        {"field": "epochs", "text": "How many epochs?", "options": []},
    ]
    make_gate(session, GateKind.QUESTIONS, body={"questions": asked})
    html = get(session)
    assert html.count('type="checkbox" name="base_models"') == 12
    assert 'data-filter="#q-base_models"' in html
    assert 'type="radio" name="dataset"' in html
    assert 'name="epochs"' in html
    assert html.count('value="answer"') == 1


def test_tabs_appear_when_they_have_something(get: Get) -> None:
    def tabs(session: TuningSession) -> list[str]:
        return re.findall(r'\?tab=(\w+)#part-tabs"(?: aria-current="page")?>[A-Z]', get(session))

    session = make_session(status=Status.RUNNING)
    assert tabs(session) == ["events"]
    make_plan(session)
    make_candidate(session, state="active", launched_at=timezone.now(), validation_loss=1.5)
    keep(session, "final_report.md")
    assert tabs(session) == [
        "plan",
        "data",
        "scoreboard",
        "training",
        "evaluation",
        "cost",
        "events",
        "report",
    ]


@pytest.mark.parametrize("tab", ["training", "scoreboard"])
def test_a_table_stands_under_the_loss_curves(get: Get, tab: str) -> None:
    session = make_session(status=Status.RUNNING)
    curve = [{"step": 1, "train_loss": 1.5}, {"step": 2, "train_loss": 1.25, "eval_loss": 1.3125}]
    make_candidate(session, state="active", launched_at=timezone.now(), curve=curve)
    keep(session, "charts/losses.svg", "<svg>curves</svg>")
    html = get(session, f"?tab={tab}")
    assert html.index("<svg>curves</svg>") < html.index("1.3125")


def test_an_unknown_tab_shows_the_one_worth_seeing(get: Get) -> None:
    assert 'aria-current="page">Events' in get(make_session(), "?tab=nonsense")


@pytest.mark.parametrize("name", ["header", "timeline", "focus", "tabs", "panel"])
def test_a_part_is_the_same_as_the_page(get: Get, name: str) -> None:
    session = at_plan()
    note(session, "hello", "Something happened")
    assert plain(get(session, f"part/{name}/?tab=plan")).strip() in plain(get(session, "?tab=plan"))


def test_an_unknown_part_is_not_there(get: Get) -> None:
    assert "Candidate sweep" not in get(make_session(), "part/nonsense/", status=404)


def test_strangers_see_nothing_and_staff_see_all(get: Get, client: Client) -> None:
    session = make_session(user=make_user("ann"))
    for rest in (
        "",
        "part/header/",
        "stream/",
        "report/",
        "report.md",
        "scoreboard.csv",
        "files/x",
        "cancel/",
    ):
        assert client.get(f"/s/{session.public_id}/{rest}").status_code == 404
    person = owner()
    person.is_staff = True
    person.save()
    assert "by ann" in get(session)


def test_sorting_is_a_link_that_the_server_understands(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    for number, loss in enumerate((1.5, 1.1, 1.3), 1):
        make_candidate(session, number, state="done", validation_loss=loss, lora_rank=8 * number)
    html = get(session, "?tab=scoreboard&sort=-validation_loss")
    assert re.findall(r'<th scope="row" class="nowrap">(\d)', html) == ["1", "3", "2"]
    assert 'aria-sort="descending"' in html
    assert "sort=validation_loss#" in html


def test_a_failed_candidates_words_are_text(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    make_candidate(session, state="failed", detail={"failure": {"message": "<script>alert(1)</script>"}})
    html = get(session, "?tab=scoreboard")
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html


def test_the_newest_events_are_shown_and_older_ones_are_a_page_away(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    now = timezone.now()
    Event.objects.bulk_create(
        Event(session=session, seq=seq, at=now, phase="sweep", kind="epoch", text=f"line {seq}.")
        for seq in range(2, 452)
    )
    TuningSession.objects.filter(pk=session.pk).update(event_seq=451)

    def shown(rest: str) -> list[int]:
        return [int(seq) for seq in re.findall(r'data-seq="(\d+)"', get(session, rest))]

    assert shown("?tab=events") == list(range(451, 251, -1))
    assert shown("?tab=events&before=252") == list(range(251, 51, -1))
    assert shown("?tab=events&before=52") == list(range(51, 0, -1))
    assert shown(f"?tab=events&before={'9' * 4301}") == shown("?tab=events&before=²") == shown("?tab=events")
    assert "before=252" in get(session, "?tab=events")
    assert "Older events" not in get(session, "?tab=events&before=52")


def test_a_page_reads_the_same_number_of_rows_however_long_the_log(client: Client) -> None:
    def queries(count: int) -> int:
        session = make_session(status=Status.RUNNING)
        set_phase(session, Phase.SWEEP)
        for number in range(1, 1 + count // 50):
            make_candidate(session, number, state="active", launched_at=timezone.now(), curve=[{"step": 1}])
        Event.objects.bulk_create(
            Event(session=session, seq=seq, at=timezone.now(), phase="sweep", kind="k", text="t")
            for seq in range(2, count)
        )
        with CaptureQueriesContext(
            connection,
        ) as made:
            assert client.get(f"/s/{session.public_id}/").status_code == 200
        return len(made)

    assert queries(100) == queries(600) <= 20


def test_the_call_behind_a_step_can_be_seen(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    note(session, "resource-created", "Made dataset x", data={"curl": "curl -X POST 'https://example'"})
    assert "The same call with curl" in get(session, "?tab=events")
    assert "curl -X POST &#x27;https://example&#x27;" in get(session, "?tab=events")


def test_the_page_says_from_where_the_stream_goes_on(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    note(session, "k", "second")
    assert f'sse-connect="/s/{session.public_id}/stream/?after=2"' in get(session)
    TuningSession.objects.filter(pk=session.pk).update(status=Status.SUCCEEDED)
    assert "sse-connect" not in get(session)


def test_lines_after_a_number_for_a_page_whose_stream_is_down(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    for number in range(2, 6):
        note(session, "k", f"line {number}")
    assert re.findall(r'data-seq="(\d+)"', get(session, "part/lines/?after=3")) == ["5", "4"]


def test_the_data_tab_names_the_bad_line(get: Get) -> None:
    session = at_plan()
    problem = {
        "line": 143,
        "level": "error",
        "field": "messages",
        "message": "Not JSON.",
        "remedy": "Mend it.",
    }
    found = {
        "format": "chat",
        "samples": 200,
        "usable_samples": 199,
        "tokens": {"total": 9000},
        "problems": [problem],
    }
    keep(session, "inspection.json", json.dumps(found))
    keep(session, "inspection-problems.csv", "line\n143\n")
    html = get(session, "?tab=data")
    for words in (">143</th>", "Not JSON.", "Mend it.", "inspection-problems.csv"):
        assert words in html


def test_the_cost_tab_sets_estimate_against_actual_with_the_reason(get: Get) -> None:
    session = make_session(status=Status.RUNNING, approved_amount=Decimal(2))
    make_ledger_line(session, actual="0.80", reserved="1.30", gap="fewer tokens than thought")
    html = plain(get(session, "?tab=cost"))
    for words in ("about $1.00", "$1.30", "$0.80", "fewer tokens than thought", "$2.00 approved"):
        assert words in html


def test_stand_ins_and_the_token_budget_are_named(get: Get) -> None:
    session = make_session(status=Status.RUNNING)
    budget = {"rehearsal": {"rowsUsed": 120, "rowsTotal": 214, "rowsCutOff": 3}}
    make_candidate(session, state="active", launched_at=timezone.now(), base_model=QWEN, detail=budget)
    words = "rehearsal: 120 of 214 rows, by the token budget; 3 too long for the stand-in were left out"
    assert words in get(session, "?tab=training")
