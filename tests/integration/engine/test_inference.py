"""Answers of the shipped stand-ins: repeatable, bounded, with the adapter that a job wrote."""

import json

import pytest

from localfireworks.engine.asking import Asked, Piece, Refused
from localfireworks.engine.files import Folder
from localfireworks.engine.inference import PromptTooLong, iter_steps, load
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
    assert [piece.token_id for piece in first] == [piece.token_id for piece in second]
    assert text(first) == text(second)
    chances = [piece.logprob for piece in second]  # the second finds the prompt known
    assert [piece.logprob for piece in first] == pytest.approx(chances, abs=1e-4)
    assert second[0].cached == generator.count_prompt_tokens(QUESTION) - 1
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


def test_a_schema_is_kept_to_and_a_cut_off_is_told(generator):
    schema = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"]}
    asked = {"type": "json_schema", "schema": schema | {"additionalProperties": False}}
    whole = answer(generator, response_format=asked, temperature=1.0, seed=4)
    assert json.loads(text(whole))["n"] in {1, 2}
    assert whole[-1].finish_reason == "stop"
    cut = answer(generator, response_format=asked, max_tokens=2)
    assert (len(cut), cut[-1].finish_reason) == (2, "length")


def test_alternatives_come_with_the_chosen_token_first(generator):
    pieces = answer(generator, top_logprobs=3, max_tokens=4)
    assert [len(piece.top) for piece in pieces] == [3] * len(pieces)
    assert all(piece.top[0].token_id == piece.token_id for piece in pieces)
    assert all(piece.top[0].logprob == pytest.approx(piece.logprob, abs=1e-4) for piece in pieces)


def test_many_answers_equal_those_of_one_by_one(generator):
    questions = [[{"role": "user", "content": f"Order {n} is late{'!' * n}"}] for n in range(20)]
    batch, said = generator.open(), {n: [] for n in range(20)}
    for ticket, question in enumerate(questions):
        batch.add(ticket, Asked(question, max_tokens=12, temperature=0.8 * (ticket % 2), seed=ticket))
    for ticket, pieces in iter_steps(batch):
        said[ticket] += pieces
    for ticket in (0, 7, 13):
        asked = {"max_tokens": 12, "temperature": 0.8 * (ticket % 2), "seed": ticket}
        alone = answer(generator, questions[ticket], **asked)
        assert text(said[ticket]) == text(alone)
        assert said[ticket][-1].finish_reason == alone[-1].finish_reason


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


@pytest.mark.parametrize("bias", [{99_999_999: 1.0}, {-1: 5.0}, {5: float("nan")}])
def test_a_bias_outside_the_vocabulary_is_refused_at_once(generator, bias):
    answers = generator.open()
    with pytest.raises(Refused, match="logit_bias"):
        answers.add(0, Asked(QUESTION, logit_bias=bias))
    assert not answers.busy


class Breaking(dict):
    """A bias that passes every check and breaks when it is weighed."""

    def __init__(self):
        super().__init__({5: 1.0})
        self.checked = False

    def items(self):
        if self.checked:
            raise ZeroDivisionError
        self.checked = True
        return super().items()


def test_a_fault_ends_the_answers_of_its_lane_alone(generator):
    answers = generator.open()
    answers.add(0, Asked(QUESTION, max_tokens=4, logit_bias=Breaking()))
    answers.add(1, Asked(QUESTION, max_tokens=4))
    said: dict[int, list] = {0: [], 1: []}
    while answers.busy:
        for ticket, told in answers.step():
            said[ticket] += [told] if isinstance(told, Exception) else told
    assert [type(each) for each in said[0]] == [ZeroDivisionError]
    lanes = len(answers._lanes)
    assert [type(each) for each in said[1]] == ([ZeroDivisionError] if lanes == 1 else [Piece] * 4)
    answers.add(2, Asked(QUESTION, max_tokens=4))
    assert len([piece for _, pieces in iter_steps(answers) for piece in pieces]) == 4
