"""Faults named by line, even draws under a budget, schedules and settings."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localfireworks.engine.chat import Renderer
from localfireworks.engine.dataset import carve_out, draw, open_source, spread
from localfireworks.engine.job_settings import JobError, JobSettings
from localfireworks.engine.schedule import schedule
from localfireworks.engine.tokens import load_tokenizer


def row(number=0, **answer):
    return {
        "messages": [
            {"role": "user", "content": f"question {number}"},
            {"role": "assistant", "content": f"answer {number}", **answer},
        ]
    }


def written(tmp_path, rows, name="rows.jsonl"):
    path = tmp_path / name
    path.write_text("".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in rows))
    return path


@pytest.fixture(scope="module")
def renderer():
    return Renderer(load_tokenizer())


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("{broken", "not valid JSON"),
        ([1], "not a JSON object"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role is 'robot'"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content must be text"),
        ({"messages": [{"role": "user", "content": "x"}, {"role": "system", "content": "y"}]}, "messages[1]"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "a part that is not text"),
        (row(weight=2), "messages[1].weight is 2"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, bad, fault):
    path = written(tmp_path, [row(), "", bad, row()])
    with pytest.raises(JobError) as caught:
        open_source([path])
    assert str(caught.value).startswith("line 3: ")
    assert fault in str(caught.value)
    assert caught.value.reason == "DATASET_INVALID"


def test_two_rows_are_too_few(tmp_path):
    with pytest.raises(JobError, match="at least 3"):
        open_source([written(tmp_path, [row(), row()])])


def test_rows_of_several_files_are_read_in_any_order(tmp_path):
    first = written(tmp_path, [row(0), row(1)], "a.jsonl")
    second = written(tmp_path, [row(2), row(3)], "b.jsonl")
    source = open_source([first, second])
    assert [each["messages"][0]["content"] for each in source.read([3, 0, 2])] == [
        "question 3",
        "question 0",
        "question 2",
    ]


@given(st.integers(1, 600))
def test_the_even_order_has_each_row_once(count):
    assert sorted(spread(count).tolist()) == list(range(count))


def test_every_beginning_of_the_even_order_is_spread():
    beginning = np.sort(spread(1000)[:50])
    assert np.diff(beginning).max() <= 3 * 1000 / 50


def test_without_a_budget_every_row_is_used(tmp_path, renderer):
    source = open_source([written(tmp_path, [row(number) for number in range(40)])])
    samples = draw(source, np.arange(40), renderer.render, 512, 0)
    assert len(samples.rows) == samples.total == 40


def test_a_budget_is_kept_and_drawn_from_the_whole_file(tmp_path, renderer):
    source = open_source([written(tmp_path, [row(number) for number in range(400)])])
    samples = draw(source, np.arange(400), renderer.render, 512, 1000)
    assert 900 < samples.tokens <= 1000
    assert samples.total == 400
    texts = [renderer.tokenizer.decode(each.ids.tolist()) for each in samples.rows]
    numbers = [int(text.split("question ")[1].split("\n")[0].removesuffix("assistant")) for text in texts]
    assert numbers == sorted(numbers)
    assert numbers[0] < 40
    assert numbers[-1] > 360


def test_rows_without_an_answer_are_left_out_and_counted(tmp_path, renderer):
    mute = {"messages": [{"role": "user", "content": "only a question"}]}
    source = open_source([written(tmp_path, [row(0), mute, row(1, weight=0), row(2)])])
    samples = draw(source, np.arange(4), renderer.render, 512, 0)
    assert (len(samples.rows), samples.skipped) == (2, 2)


@pytest.mark.parametrize(("count", "held"), [(9, 0), (200, 20), (7473, 100)])
def test_the_carve_out_is_a_tenth_and_a_hundred_at_most(count, held):
    train, evaluation = carve_out(count, 42)
    assert len(evaluation) == held
    assert sorted([*train.tolist(), *evaluation.tolist()]) == list(range(count))
    assert np.array_equal(evaluation, carve_out(count, 42)[1])


def test_schedules_warm_up_and_go_down():
    assert [schedule("constant", 10, 2)(step) for step in (0, 1, 9)] == [0.5, 1.0, 1.0]
    assert schedule("linear", 11, 1, 0.0)(6) == pytest.approx(0.5)
    assert schedule("cosine", 10, 0, 0.1)(10) == pytest.approx(0.1)
    assert schedule("linear", 10, 0, 0.0, 0.5)(4) == 1.0
    assert all(math.isfinite(schedule("cosine", 3, 5)(step)) for step in range(8))


MINIMAL = {"kind": "sft", "base": {"standin": "small"}, "dataset": "a.jsonl"}


def test_settings_are_read_with_their_defaults():
    settings = JobSettings.from_json(
        {**MINIMAL, "batch_size_samples": None, "lr_scheduler": {"cosine": {"minLrRatio": 0.1}}}
    )
    assert (settings.lora_rank, settings.batch_size_samples, settings.seed) == (8, None, 42)
    assert (settings.scheduler, settings.min_lr_ratio, settings.decay_ratio) == ("cosine", 0.1, 1.0)


@pytest.mark.parametrize(
    "fault",
    [{"kind": "rft"}, {"lora_rank": 0}, {"epochs": 0}, {"learning_rate": 0}, {"lr_scheduler": {"step": {}}}],
)
def test_settings_that_cannot_be_trained_are_refused(fault):
    with pytest.raises(JobError):
        JobSettings.from_json({**MINIMAL, **fault})
