"""Lost answers, killed workers, refusals: nothing is made twice, and what ends says why."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from sessions.actions import gates, moves
from sessions.models import TuningSession
from sessions.states import CandidateState, GateKind, PhaseState, Status
from tests.integration.workflows.house import DATASETS, DEPLOYMENTS, JOBS, Fault, Killed, report

LEASE = moves.LEASE / timedelta(seconds=1) + 1


def made_once(house, session):
    """Every remote thing of the session is there once, under the name in its row."""
    ours = [each["name"] for each in house.remote(JOBS) + house.remote(DATASETS) + house.remote(DEPLOYMENTS)]
    ours = [name for name in ours if f"-{session.public_id}-" in name]
    rows = session.resources.exclude(kind="model").values_list("name", flat=True)
    return sorted(ours) == sorted(rows) and len(set(ours)) == len(ours)


@pytest.mark.parametrize("collection", [JOBS, DATASETS, DEPLOYMENTS])
def test_a_lost_answer_after_a_creation_is_adopted(house, collection):
    """Row 1.14: the server did it, the answer was lost: the thing is looked for, not made again."""
    session = house.start()
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.wire.lose("POST", f"/{collection}")
    house.drive(session)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    assert made_once(house, session)
    assert not [fault for fault in house.wire.faults if fault.times]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("ending", [f"/{DATASETS}", ":upload", f"/{JOBS}", f"/{DEPLOYMENTS}"])
def test_a_worker_killed_around_a_creation_makes_it_once(house, ending, after):
    """Row 1.14: between the intent and its record; the next worker goes on under the same name."""
    session = house.approved(lora_ranks=(8, 16), deploy=ending == f"/{DEPLOYMENTS}")
    if ending == f"/{DEPLOYMENTS}":
        house.drive(session)
        house.reply(session, "Proceed with the winning config.")
    house.wire.kill("POST", ending, after=after)
    with pytest.raises(Killed):
        house.drive(session)
    session.refresh_from_db()
    assert session.lease
    reserved = {line.item: line.reserved for line in session.ledger.all()}
    house.clock.pass_by(LEASE)
    house.drive(session)
    assert made_once(house, session)
    assert all(line.reserved == reserved[line.item] for line in session.ledger.all() if reserved[line.item])
    numbers = list(session.events.values_list("seq", flat=True))
    assert numbers == list(range(1, session.event_seq + 1))


def test_a_worker_killed_before_its_job_is_recorded_does_not_take_a_second_place(house):
    """Row 1.12: the forgotten job counts; with one place there is still one job."""
    house.trainer.hold = True
    session = house.approved(lora_ranks=(8, 16), parallel_jobs=1)
    house.wire.kill("POST", f"/{JOBS}", after=True)
    with pytest.raises(Killed):
        house.drive(session)
    house.clock.pass_by(LEASE)
    house.drive(session, until=lambda: bool(house.trainer.running))
    assert len(house.remote(JOBS)) == 1
    assert session.candidates.get(number=1).state == CandidateState.ACTIVE


def test_a_job_made_by_a_killed_worker_is_cancelled_with_the_session(house):
    """Row 1.10: also what nobody had recorded yet."""
    house.trainer.hold = True
    session = house.approved()
    house.wire.kill("POST", f"/{JOBS}", after=True)
    with pytest.raises(Killed):
        house.drive(session)
    gates.cancel(session, session.owner, house.clock())
    house.clock.pass_by(LEASE)
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert [job["state"] for job in house.remote(JOBS)] == ["JOB_STATE_CANCELLED"]
    assert report(session)["candidates"][0]["job"]


def test_a_step_whose_lease_was_lost_changes_nothing(house):
    """Row 1.14: a worker that slept past its lease is fenced off; the other one's work stands."""
    session = house.start()
    house.drive(session)
    house.reply(session, "Approved, proceed.")

    def oversleep(ask):
        answer = ask()
        TuningSession.objects.filter(pk=session.pk).update(lease="somebody else's")
        return answer

    house.wire.refuse("POST", f"/{JOBS}", 503)
    house.wire.faults[-1].act = oversleep
    house.drive(session, until=lambda: session.lease == "somebody else's")
    assert not session.candidates.exclude(state=CandidateState.ACTIVE).exists()
    phase = session.phases.get(phase="sweep")
    assert (session.phase, phase.state) == ("sweep", PhaseState.WORKING)
    TuningSession.objects.filter(pk=session.pk).update(lease="", lease_until=None)
    house.drive(session)
    assert made_once(house, session)


def test_a_passing_fault_is_tried_again_and_told(house):
    """Row 1.15: a provider that is down for a while costs time only."""
    session = house.approved(deploy=False)
    house.wire.refuse("POST", f"/{JOBS}", 503, times=6, code=14, message="overloaded")
    house.drive(session)
    assert session.events.filter(kind="retry").exists()
    assert house.gate(session).kind == GateKind.PROMOTION
    assert made_once(house, session)


def test_a_fault_that_stays_asks_a_person_and_goes_on_after_the_reply(house):
    """Row 1.15: whose fault, the provider's words and the next step stand at the gate."""
    session = house.approved(deploy=False)
    house.wire.refuse("POST", f"/{JOBS}", 503, times=1000, code=14, message="overloaded")
    house.drive(session)
    gate = house.gate(session)
    assert (gate.kind, gate.body["whose"], gate.body["theirs"]) == (
        GateKind.TROUBLE,
        "platform",
        "overloaded",
    )
    house.wire.faults.clear()
    house.reply(session, "Try again.")
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION


def test_a_suspended_account_waits_for_its_owner(house):
    """Row 1.15: 412 is a matter for a person at once, not for trying again."""
    session = house.approved()
    house.wire.refuse("POST", f"/{JOBS}", 412, times=1000, code=9, message="spend limit reached")
    house.drive(session)
    gate = house.gate(session)
    assert (gate.kind, gate.body["whose"]) == (GateKind.TROUBLE, "quota")
    assert not session.events.filter(kind="retry").exists()


def test_a_deployment_has_its_time_after_a_person_decided(house):
    """The deadline is the provider's: it begins when the deployment is made, and anew after trouble."""
    session = house.approved()
    house.wire.refuse("POST", "/deployments", 412, code=9, message="spend limit reached")
    house.drive(session)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert house.gate(session).kind == GateKind.TROUBLE
    house.clock.pass_by(86_400)
    house.reply(session, "Try again.")
    house.drive(session, until=lambda: session.resources.filter(kind="deployment", state="created").exists())
    [made] = house.remote("deployments")
    house.wire.refuse("GET", made["name"], 412, code=9, message="spend limit reached")
    house.drive(session)
    assert house.gate(session).kind == GateKind.TROUBLE
    house.clock.pass_by(86_400)
    house.reply(session, "Try again.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED
    assert not session.events.filter(kind="retry").exists()


INVALID = {"code": "INVALID_ARGUMENT", "reason": "DATASET_INVALID", "message": "row 7 has no answer"}


def test_one_failed_candidate_does_not_stop_the_others(house):
    """Row 2.8: the sweep goes on, and the report has the provider's words."""
    house.trainer.failures = {8: INVALID}
    session = house.finished(lora_ranks=(8, 16), deploy=False)
    assert session.status == Status.SUCCEEDED
    first, second = report(session)["candidates"]
    assert (first["state"], first["failure"]["message"]) == ("failed", "DATASET_INVALID: row 7 has no answer")
    assert (second["state"], report(session)["final"]["number"]) == ("done", 2)


def test_a_sweep_without_a_survivor_fails_with_a_report(house):
    """Row 1.15: which phase, whose fault, the provider's own words, the next step, what it cost."""
    house.trainer.failures = {8: INVALID}
    session = house.approved()
    house.drive(session)
    assert session.status == Status.FAILED
    told = report(session)["failure"]
    assert (told["phase"], told["whose"]) == ("sweep", "data")
    assert told["theirs"] == "DATASET_INVALID: row 7 has no answer"
    assert told["next"] == "Mend the data and start again with the same values."
    text = session.artifacts.get(name="final_report.md").path.read_text()
    assert "row 7 has no answer" in text
    assert "dataset" in {each["kind"] for each in report(session)["standing"]}
    assert session.phases.get(phase="sweep").state == PhaseState.FAILED


def test_a_refused_job_fails_its_candidate_in_the_providers_words(house):
    """Row 1.15: a configuration that is refused at creation costs nothing and is not tried again."""
    session = house.approved()
    house.wire.refuse("POST", f"/{JOBS}", 400, times=1000, code=3, message="rank 8 is out of fashion")
    house.drive(session)
    assert session.status == Status.FAILED
    assert report(session)["failure"]["theirs"] == "rank 8 is out of fashion"
    assert report(session)["costs"]["actual"] in {"0", "0.000000"}


def test_cancelling_in_the_middle_of_a_launch_is_no_fault(house):
    """Row 1.10: a cancellation that comes while a step works stops the next launch, quietly."""
    house.trainer.hold = True
    session = house.approved(lora_ranks=(8, 16))

    def cancelled(ask):
        answer = ask()
        gates.cancel(TuningSession.objects.get(pk=session.pk), session.owner, house.clock())
        return answer

    house.wire.refuse("POST", f"/{JOBS}", 503)
    house.wire.faults[-1].act = cancelled
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert [job["state"] for job in house.remote(JOBS)] == ["JOB_STATE_CANCELLED"]
    assert not [text for text in session.events.values_list("text", flat=True) if "unexpected" in text]


def test_a_dataset_that_is_still_being_checked_is_waited_for_and_not_sent_again(house):
    """Row 2.1: no job is made before its data is READY."""
    session = house.approved(deploy=False)

    seen = []

    def checking(answer):
        """The first looks at a full dataset find it still being checked."""
        response = answer()
        found = response.json() if "-dataset-" in response.text else {}
        if found.get("state") != "READY" or len(seen) == 3:
            return response
        seen.append(found["name"])
        return httpx.Response(200, json={**found, "state": "UPLOADING"})

    house.wire.faults.append(Fault("GET", "", checking, times=1000))
    house.drive(session)
    assert "still uploading" in session.events.filter(kind="retry").first().text
    assert house.gate(session).kind == GateKind.PROMOTION
    assert made_once(house, session)
    assert len([path for method, path in house.wire.requests if path.endswith(":upload")]) == 2
