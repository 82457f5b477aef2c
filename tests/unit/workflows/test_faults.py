"""What an error means for a session."""

from decimal import Decimal

import pytest

from sessions.actions.spending import ApprovalExceeded
from sessions.models import TuningSession
from sessions.states import GateKind
from workflows.faults import TRIES_BEFORE_ASKING, DataFault, outcome_of
from workflows.fireworks.errors import error_for, parse_fault
from workflows.outcomes import Ask, Failed, Retry


def session(tries=0):
    return TuningSession(public_id="abc", phase="sweep", tries=tries)


def remote(status, code, message):
    return error_for(parse_fault(status, {"code": code, "message": message}), "POST /v1/x")


def test_a_passing_fault_is_tried_again_and_then_a_person_is_asked():
    error = remote(503, 14, "upstream is away")
    assert isinstance(outcome_of(error, session()), Retry)
    asked = outcome_of(error, session(TRIES_BEFORE_ASKING - 1))
    assert isinstance(asked, Ask)
    assert asked.kind == GateKind.TROUBLE
    assert asked.body["theirs"] == "upstream is away"
    assert asked.body["whose"] == "platform"


@pytest.mark.parametrize(("status", "code", "whose"), [(412, 9, "quota"), (401, 16, "configuration")])
def test_what_only_a_person_can_mend_is_asked_at_once(status, code, whose):
    asked = outcome_of(remote(status, code, "no"), session())
    assert isinstance(asked, Ask)
    assert asked.body["whose"] == whose


def test_a_refusal_fails_with_the_providers_words_beside_ours():
    failed = outcome_of(remote(400, 3, "loraRank must be a power of two"), session())
    assert isinstance(failed, Failed)
    assert failed.failure.theirs == "loraRank must be a power of two"
    assert failed.failure.whose == "configuration"


def test_data_that_cannot_be_used_names_the_remedy():
    failed = outcome_of(DataFault("The file is empty.", "Choose another file."), session())
    assert (failed.failure.whose, failed.failure.next) == ("data", "Choose another file.")


def test_more_money_than_approved_names_what_is_left_and_the_new_amount():
    error = ApprovalExceeded("training:final", Decimal("3.00"), Decimal("1.50"), Decimal("2.00"))
    asked = outcome_of(error, session())
    assert asked.kind == GateKind.SPEND
    assert (asked.body["amount"], asked.body["left"]) == ("4.50", "0.50")


def test_an_unexpected_error_is_named_by_its_type_alone():
    retry = outcome_of(RuntimeError("a secret"), session())
    assert isinstance(retry, Retry)
    assert "RuntimeError" in retry.text
    assert "a secret" not in retry.text
