"""No training runs unseen: what may have been made is looked for, and odd answers end nothing paid for."""

import httpx

from sessions.states import CandidateState, GateKind, Status
from tests.integration.workflows.house import JOBS, Fault


def test_a_success_that_cannot_be_read_is_looked_for_and_adopted(house):
    session = house.approved()

    def garbled(ask):
        ask()
        return httpx.Response(200, text="<html>proxy</html>")

    house.wire.faults.append(Fault("POST", JOBS, garbled))
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert len(house.remote(JOBS)) == 1
    assert session.ledger.get(item="training:candidate:1").actual > 0


def test_a_job_under_a_taken_name_is_stopped_and_not_called_free(house):
    house.trainer.hold = True
    session = house.approved(lora_ranks=(8, 16))

    def shown_otherwise(ask):
        return httpx.Response(200, json={**ask().json(), "loraRank": 32})

    def taken(ask):
        house.wire.faults.append(Fault("GET", ask().json()["name"], shown_otherwise))
        return httpx.Response(409, json={"message": "exists", "code": 6})

    house.wire.faults.append(Fault("POST", JOBS, taken))
    house.drive(session)
    assert session.status == Status.FAILED
    assert "another configuration" in session.failure["ours"]
    assert {job["state"] for job in house.remote(JOBS)} == {"JOB_STATE_CANCELLED"}
    assert session.candidates.get(number=1).state == CandidateState.CANCELLED
    assert session.ledger.get(item="training:candidate:1").gap != "the job was refused"


def test_metrics_that_cannot_be_had_end_no_training(house):
    session = house.approved()
    house.wire.faults.append(Fault("GET", "/metrics.jsonl", lambda _ask: httpx.Response(402), 99))
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert session.candidates.get().state == CandidateState.DONE
    told = [event.text for event in session.events.filter(kind="no-metrics")]
    assert told
    assert all("HTTP 402" in text and "?" not in text for text in told)
