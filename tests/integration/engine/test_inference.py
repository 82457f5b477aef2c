"""Answers of the shipped stand-ins: repeatable, bounded, with the adapter that a job wrote."""

import json

import pytest

from localfireworks.engine.files import Folder
from localfireworks.engine.inference import PromptTooLong, load
from localfireworks.engine.job_settings import JobSettings
from localfireworks.engine.sft import train_job

QUESTION = [{"role": "user", "content": "How many apples are 3 apples and 4 apples?"}]


@pytest.fixture(scope="module")
def generator():
    return load("small")


def answer(generator, messages=QUESTION, **asked):
    return list(generator.generate(messages, **{"max_tokens": 40, **asked}))


def text(pieces):
    return "".join(piece.text for piece in pieces)


def test_greedy_answers_repeat_and_end_with_a_reason(generator):
    first, second = answer(generator), answer(generator)
    assert first == second
    assert 1 <= len(first) <= 40
    assert [piece.finish_reason for piece in first[:-1]] == [None] * (len(first) - 1)
    assert first[-1].finish_reason in {"stop", "length"}
    assert all(piece.logprob <= 0 for piece in first)


def test_sampling_follows_its_seed(generator):
    hot = [text(answer(generator, temperature=1.0, seed=seed)) for seed in (1, 1, 2, 3)]
    assert hot[0] == hot[1]
    assert len(set(hot)) > 1


def test_the_length_limit_counts_tokens(generator):
    whole = answer(generator, max_tokens=20)
    pieces = answer(generator, max_tokens=3)
    assert len(pieces) == 3
    assert pieces[-1].finish_reason == "length"
    assert [piece.token_id for piece in pieces] == [piece.token_id for piece in whole[:3]]


def test_a_stop_string_ends_the_answer_before_it(generator):
    whole = text(answer(generator))
    stop = whole[5:8]
    pieces = answer(generator, stop=[stop])
    assert text(pieces) == whole[: whole.index(stop)]
    assert pieces[-1].finish_reason == "stop"


def test_the_context_is_a_limit(generator):
    room = generator.context_length
    long = [{"role": "user", "content": "one " * (room - 14)}]
    used = generator.count_prompt_tokens(long)
    assert room - 12 < used < room
    assert len(answer(generator, long, max_tokens=500)) <= room - used
    with pytest.raises(PromptTooLong, match=f"context holds {room}"):
        answer(generator, [{"role": "user", "content": "one " * room}])


def test_an_unknown_stand_in_is_named():
    with pytest.raises(ValueError, match="huge"):
        load("huge")


def test_a_tuned_model_answers_as_it_was_taught(tmp_path):
    row = {"messages": [*QUESTION, {"role": "assistant", "content": "Seven, my friend."}]}
    path = tmp_path / "rows.jsonl"
    path.write_text((json.dumps(row) + "\n") * 8)
    settings = JobSettings("small", (path,), epochs=12, learning_rate=2e-4, lora_rank=4)
    train_job(settings, Folder(tmp_path))
    pieces = answer(load("small", tmp_path / "adapter"))
    assert text(pieces) == "Seven, my friend."
    assert pieces[-1].finish_reason == "stop"
    assert text(answer(load("small"))) != "Seven, my friend."
