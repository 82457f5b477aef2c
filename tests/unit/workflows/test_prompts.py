"""Prompt sets: the same rows give the same bytes; each row is sampled by a seed of its own."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.actions import storable
from sessions.actions.answering import Open
from workflows.answers.live import over_with, untouched
from workflows.answers.prompts import PromptSet, Sampling, write
from workflows.answers.subjects import Subject
from workflows.answers.ways import ORDER
from workflows.fireworks import errors

SAMPLING = Sampling(max_tokens=16, seed=42)
ROWS = [[{"role": "user", "content": f"Grüße {at}"}] for at in range(5)]


def test_the_same_rows_give_the_same_bytes_whatever_order_their_fields_have(tmp_path):
    turned = [[dict(reversed(list(each.items()))) for each in row] for row in ROWS]
    first, second = tmp_path / "first" / "a.jsonl", tmp_path / "b.jsonl"
    assert write(first, iter(ROWS)) == write(second, iter(turned)) == 5
    assert first.read_bytes() == second.read_bytes()
    told = [json.loads(each) for each in first.read_text().splitlines()]
    assert [each["row"] for each in told] == [0, 1, 2, 3, 4]
    assert told[3]["messages"] == ROWS[3]
    assert not list(tmp_path.rglob("*.part"))


def test_an_empty_prompt_set_is_a_file_without_lines(tmp_path):
    assert write(tmp_path / "none.jsonl", []) == 0
    assert (tmp_path / "none.jsonl").read_bytes() == b""


def test_rows_are_read_by_number(tmp_path):
    path = tmp_path / "a.jsonl"
    write(path, ROWS)
    prompts = PromptSet("a", 5, hashlib.sha256(path.read_bytes()).hexdigest(), path, SAMPLING)
    assert prompts.messages({4, 1}) == {1: ROWS[1], 4: ROWS[4]}


def test_the_request_of_a_row_is_the_same_whoever_is_asked():
    """Row 2.11: temperature 0, thinking off, a seed that is derived and fits what the API takes."""
    body = SAMPLING.body(3, ROWS[3])
    assert body == SAMPLING.body(3, ROWS[3])
    assert (body["max_tokens"], body["temperature"], body["reasoning_effort"]) == (16, 0.0, "none")
    assert body["seed"] == SAMPLING.seed_of(3) != SAMPLING.seed_of(4)
    assert body["seed"] != Sampling(max_tokens=16, seed=43).seed_of(3)
    assert body["context_length_exceeded_behavior"] == "error"
    assert "model" not in body
    judge = Sampling(max_tokens=9, seed=1, extra={"response_format": {"type": "json_object"}})
    assert judge.body(0, ROWS[0])["response_format"] == {"type": "json_object"}


@given(st.integers(0, 2**31 - 1), st.integers(0, 10**6))
def test_seeds_are_31_bits(seed, row):
    assert 0 <= Sampling(1, seed).seed_of(row) < 2**31


@given(st.text(st.characters(codec=None)))
def test_every_text_can_be_stored(text):
    stored = storable.text(text)
    assert "\0" not in stored
    stored.encode()
    assert stored == text or "\0" in text or any("\ud800" <= each <= "\udfff" for each in text)


def test_json_is_cleaned_however_deep():
    """Row 1.14: PostgreSQL refuses both in jsonb, and the whole group would be lost with them."""
    found = {"a\0": ["b\ud800", {"c": ("\0", 1.5, None, True)}]}
    assert storable.json(found) == {"a\ufffd": ["b?", {"c": ["\ufffd", 1.5, None, True]}]}


def test_subjects_are_named_as_answers_and_evaluations_name_them():
    base = Subject.base("accounts/fireworks/models/qwen3-8b")
    planned = Subject.planned(3, "accounts/fireworks/models/qwen3-8b")
    assert (base.key, base.label) == ("base:accounts/fireworks/models/qwen3-8b", "qwen3-8b, untuned")
    assert (planned.key, planned.label, planned.model) == ("candidate:3", "Candidate 3", "")


def test_the_cheapest_way_is_first():
    assert ORDER == ("serverless", "batch", "multi_lora", "live_merge")


def fault(kind, status=0):
    return kind("words", errors.Fault(status=status, message="words"))


@pytest.mark.parametrize(
    ("error", "free", "over"),
    [
        (fault(errors.Unreachable), True, False),
        (fault(errors.Temporary, 429), True, False),
        (fault(errors.Temporary, 503), True, False),
        (fault(errors.Temporary, 500), False, False),
        (fault(errors.Temporary), False, False),
        (fault(errors.AccountSuspended, 412), True, False),
        (fault(errors.NotFound, 404), True, False),
        (fault(errors.OutcomeUnknown), False, False),
        (fault(errors.Permanent, 400), False, True),
    ],
)
def test_what_a_fault_means_for_its_row(error, free, over):
    """Billed perhaps or surely not; to be asked again or over."""
    assert (untouched(error), over_with(Open(0), error)) == (free, over)
