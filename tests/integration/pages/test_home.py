"""Home: what needs the person, what runs, what ended, what it cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sessions.models import Resource, TuningSession
from sessions.states import GateKind, Phase, ResourceState, Status
from tests.factories import (
    NOON,
    make_candidate,
    make_gate,
    make_ledger_line,
    make_session,
    make_user,
    set_phase,
)
from tests.integration.pages.conftest import HTMX, body, text


def failed(**columns: object) -> TuningSession:
    values = {"status": Status.FAILED, "ended_at": timezone.now(), **columns}
    return make_session(title="The failed one", **values)


def test_empty_home_shows_three_steps(client: Client) -> None:
    page = text(client.get("/"))
    assert "Fine-tune a model in three steps" in page
    assert "Rehearse, or connect" in page
    assert "FIREWORKS_API_KEY" in page


def test_empty_home_with_a_key_names_the_account(client: Client, settings) -> None:
    settings.FIREWORKS = {**settings.FIREWORKS, "rehearsal": False, "account": "acme"}
    assert "You are connected" in text(client.get("/"))


def test_what_needs_the_person_comes_first(client: Client) -> None:
    make_session(title="A running one", status=Status.RUNNING)
    gate = make_gate(make_session(title="A waiting one"))
    page = text(client.get("/"))
    assert page.index("A waiting one") < page.index("A running one")
    assert "Approve the plan: $1.30 at the most." in page
    assert gate.session.get_absolute_url() in body(client.get("/"))


def test_each_kind_of_gate_says_what_is_asked(client: Client) -> None:
    make_gate(make_session(), GateKind.QUESTIONS, body={"questions": [{"text": "Which base models?"}]})
    make_gate(make_session(), GateKind.PROMOTION, body={"suggested": 2})
    make_gate(make_session(), GateKind.SPEND, body={"text": "$2 more are needed."})
    make_gate(make_session(), GateKind.TROUBLE, body={"text": "Fireworks did not answer five times."})
    page = text(client.get("/"))
    for words in (
        "Which base models?",
        "Confirm the winner: candidate 2 is suggested.",
        "$2 more are needed.",
        "Fireworks did not answer five times.",
        "4 things wait for you",
    ):
        assert words in page


def test_a_failure_needs_the_person_and_says_why(client: Client) -> None:
    failed(failure={"phase": "sweep", "ours": "No row could be used."})
    assert "Candidate sweep: No row could be used." in text(client.get("/"))


def test_a_failure_is_settled_once_it_was_started_again(client: Client) -> None:
    first = failed(failure={"phase": "sweep", "ours": "No row could be used."})
    make_session(entered={"again": first.public_id})
    assert "No row could be used." not in text(client.get("/"))


def test_an_old_failure_is_only_a_result(client: Client) -> None:
    failed(ended_at=timezone.now() - timedelta(days=8))
    page = text(client.get("/"))
    assert "Needs you" not in page
    assert "The failed one" in page


def test_a_failure_without_a_known_phase_is_shown_all_the_same(client: Client) -> None:
    failed(failure={"phase": "something-new", "ours": "It broke."})
    assert "It broke." in text(client.get("/"))


def deployment(session: TuningSession) -> Resource:
    return Resource.objects.create(
        session=session,
        kind="deployment",
        purpose="deployment",
        name="accounts/acme/deployments/tuned-1",
        state=ResourceState.CREATED,
        intended_at=NOON,
        created_at=NOON,
    )


def test_a_deployment_that_costs_money_needs_the_person(client: Client) -> None:
    deployment(make_session(rehearsal=False, status=Status.SUCCEEDED, ended_at=NOON))
    assert "Deployment tuned-1 is up, and costs money while it runs." in text(client.get("/"))


def test_a_rehearsed_deployment_costs_nothing_and_is_not_listed(client: Client) -> None:
    deployment(make_session(rehearsal=True, status=Status.SUCCEEDED, ended_at=NOON))
    assert "tuned-1" not in text(client.get("/"))


def test_running_sessions_have_one_line_each_with_progress(client: Client) -> None:
    run = make_session(title="Sweeping", status=Status.RUNNING)
    set_phase(run, Phase.SWEEP)
    for number in (1, 2, 3):
        make_candidate(run, number, state="done" if number == 1 else "active")
    assert "Candidate sweep, 1 of 3 jobs done" in text(client.get("/"))


def test_results_show_the_winner(client: Client) -> None:
    run = make_session(title="Done", status=Status.SUCCEEDED, ended_at=timezone.now())
    winner = make_candidate(run, 1, validation_loss=0.81237)
    TuningSession.objects.filter(pk=run.pk).update(winner=winner)
    assert "qwen3-8b, validation loss 0.8124" in text(client.get("/"))


def test_results_show_the_number_that_decided_of_the_full_data_run(client: Client) -> None:
    run = make_session(title="Scored", status=Status.SUCCEEDED, ended_at=timezone.now())
    winner = make_candidate(run, 1, validation_loss=0.81237)
    final = make_candidate(run, 2, role="final", parent=winner, state="done")
    TuningSession.objects.filter(pk=run.pk).update(winner=winner)
    for each, value in ((winner, 0.5), (final, 0.75)):
        run.evaluations.create(candidate=each, subject=each.subject, metric="score", value=value, rows=20)
    assert "qwen3-8b, mean score 0.750" in text(client.get("/"))


def test_spend_adds_up_actual_and_reserved_of_this_month(client: Client) -> None:
    run = make_session(status=Status.RUNNING)
    make_ledger_line(run, "a", actual=Decimal("1.10"), reserved=Decimal(5))
    make_ledger_line(run, "b", reserved=Decimal("2.25"))
    old = make_session(created_at=timezone.now() - timedelta(days=62))
    make_ledger_line(old, "a", actual=Decimal(99))
    page = text(client.get("/"))
    assert "$1.10 is what it would have cost, in 1 session" in page
    assert "$2.25 set aside for what runs now" in page


def test_nobody_elses_sessions_are_listed(client: Client) -> None:
    make_gate(make_session(make_user(), title="Not mine"))
    assert "Not mine" not in text(client.get("/"))


def test_an_open_page_gets_the_lists_only_when_something_changed(client: Client) -> None:
    gate = make_gate(make_session())
    version = client.get("/").context["version"]
    assert client.get(f"/?seen={version}", headers=HTMX).status_code == 204
    TuningSession.objects.filter(pk=gate.session.pk).update(event_seq=99)
    fresh = client.get(f"/?seen={version}", headers=HTMX)
    assert fresh.status_code == 200
    assert "<html" not in body(fresh)


def test_a_title_cannot_bring_markup(client: Client) -> None:
    make_session(title="<script>alert(1)</script>", status=Status.RUNNING)
    assert "<script>alert(1)" not in body(client.get("/"))


def test_the_number_of_queries_does_not_grow(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        make_gate(make_session())
        make_session(status=Status.RUNNING)
    with django_assert_max_num_queries(16):
        assert client.get("/").status_code == 200
