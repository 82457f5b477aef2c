"""Error bodies in all their shapes, and which family each answer belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.fireworks import errors
from workflows.fireworks.errors import Fault, error_for, parse_fault

QUOTA_DETAIL = [
    {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "QUOTA_EXCEEDED",
        "domain": "training.fireworks.ai",
        "metadata": {"quota_required": "8", "quota_available": "0"},
    }
]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"code": 9, "message": "not ready", "details": []}, "FAILED_PRECONDITION", "not ready"),
        ({"message": "alone"}, "", "alone"),
        ({"error": {"message": "inner", "code": 5}}, "NOT_FOUND", "inner"),
        ({"error": "just words"}, "", "just words"),
        (
            {"error": {"message": "model?", "code": "NOT_FOUND", "type": "error", "param": "model"}},
            "NOT_FOUND",
            "model?",
        ),
        ({"code": 99, "message": "new code"}, "99", "new code"),
        ({"code": "NEW_WORD", "message": "m"}, "NEW_WORD", "m"),
    ],
)
def test_every_documented_body_shape_is_read(body, code, message):
    fault = parse_fault(400, body)
    assert (fault.code, fault.message, fault.status) == (code, message, 400)


def test_plain_text_of_the_edge_is_kept():
    assert parse_fault(404, None, "fault filter abort\n").message == "fault filter abort"


def test_error_info_gives_reason_and_metadata():
    fault = parse_fault(403, {"code": 7, "message": "no", "details": ["odd", *QUOTA_DETAIL]})
    assert fault.reason == "QUOTA_EXCEEDED"
    assert fault.metadata["quota_required"] == "8"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"code": 3, "message": "bad"}, errors.Permanent),
        (401, {"code": 16, "message": "key"}, errors.KeyRefused),
        (402, {"error": {"message": "pay", "code": "PAYMENT"}}, errors.PaymentNeeded),
        (403, {"code": 7, "message": "role"}, errors.PermissionMissing),
        (403, {"code": 7, "message": "gpus", "details": QUOTA_DETAIL}, errors.QuotaReached),
        (404, {"code": 5, "message": "gone"}, errors.NotFound),
        (408, {}, errors.Temporary),
        (409, {"code": 6, "message": "exists"}, errors.AlreadyExists),
        (409, {"code": 10, "message": "race"}, errors.Temporary),
        (412, {"error": {"message": "suspended", "code": "PRECONDITION_FAILED"}}, errors.AccountSuspended),
        (429, {"code": 8, "message": "slow down"}, errors.Temporary),
        (429, {"error": {"code": "quota_exceeded", "message": "gpu"}}, errors.QuotaReached),
        (500, {"code": 13, "message": "Internal"}, errors.Temporary),
        (501, {"code": 12, "message": "no such thing"}, errors.Permanent),
        (503, {"error": {"code": "DEPLOYMENT_SCALING_UP", "message": "waking"}}, errors.ScalingUp),
        (503, {"error": {"message": "load"}}, errors.Temporary),
        (520, None, errors.Temporary),
    ],
)
def test_family_by_status_code_and_reason(status, body, kind):
    assert type(error_for(parse_fault(status, body), "GET /x")) is kind


def test_a_rate_limit_whose_words_mention_quota_is_still_temporary():
    fault = parse_fault(429, {"code": 8, "message": "quota of tokens per minute"})
    assert type(error_for(fault, "POST /x")) is errors.Temporary


def test_the_message_names_call_status_words_and_remedy():
    told = str(
        error_for(
            Fault(status=403, code="PERMISSION_DENIED", message="Tier 2 needed", reason="QUOTA"), "POST /v1/j"
        )
    )
    assert "POST /v1/j" in told
    assert "Tier 2 needed" in told
    assert "raise the quota" in told


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "code", "message", "details", "reason"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(status=st.integers(400, 599), body=json_values)
def test_no_body_breaks_the_parser(status, body):
    error = error_for(parse_fault(status, body, "text"), "GET /x")
    assert error.status == status
    assert isinstance(error, errors.Temporary | errors.Permanent | errors.NeedsPerson)
