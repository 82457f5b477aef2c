"""The metrics file: real keys, aliases, broken and partial lines, absence."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.fireworks import errors, metrics_file
from workflows.fireworks.metrics_file import Point
from workflows.fireworks.signed import LinkExpired

URL = "https://store.test/metrics?sig=s"


def test_the_documented_lines():
    content = (
        b'{"step": 1, "train/step": 1, "train/loss": 2.5, "train/ppl": 12.2, "train/lr": 0.0001,'
        b' "train/total_tokens": 4096, "perf/fwd_bwd_time": 0.1}\n'
        b'{"step": 2, "eval/loss": 2.25, "eval/ppl": 9.5}\n'
    )
    assert metrics_file.parse(content) == [
        Point(step=1, train_loss=2.5, lr=1e-4, tokens=4096),
        Point(step=2, eval_loss=2.25),
    ]


def test_the_lines_of_preference_jobs():
    content = (
        b'{"step": 1, "train/dpo_loss": 0.69, "train/margin": -0.01, "train/accuracy": 0.5, "epoch": 1}\n'
        b'{"step": 1, "train/orpo_loss": 1.9, "train/sft_loss": 1.2, "train/log_odds_ratio": 0.3}\n'
    )
    assert metrics_file.parse(content) == [
        Point(step=1, epoch=1.0, train_loss=0.69, margin=-0.01, accuracy=0.5),
        Point(step=1, train_loss=1.9, log_odds=0.3),
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"step": 3, "timestamp": 1, "data": {"loss": "1.5", "learning_rate": 2e-5}},
            Point(step=3, train_loss=1.5, lr=2e-5),
        ),
        ({"train/step": "4", "train/ce_loss": 1, "train/epoch": 2}, Point(step=4, train_loss=1.0, epoch=2.0)),
        ({"step": 5, "train/loss": None, "train/ce_loss": 0.5}, Point(step=5, train_loss=0.5)),
        ({"step": 5, "train/learning_rate": 1e-3}, Point(step=5, lr=1e-3)),
        ({"eval_loss": 0.75}, Point(eval_loss=0.75)),
    ],
)
def test_aliases_of_real_parsers(row, expected):
    assert metrics_file.parse(orjson.dumps(row)) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        b'{"step": 7, "train/lo',
        b"",
        b"null",
        b"[1]",
        b'{"step": 7}',
        b'{"other": 1}',
        b'{"step": 1, "train/loss": NaN}',
        b"\xff\xfe",
        b'{"step": 2, "train/loss": null}',
    ],
)
def test_lines_that_say_nothing_are_skipped(line):
    good = b'{"step": 1, "train/loss": 1.0}'
    assert metrics_file.parse(good + b"\n" + line) == [Point(step=1, train_loss=1.0)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_parser(content):
    assert isinstance(metrics_file.parse(content), list)


def test_points_as_json_hold_only_what_is_known():
    assert Point(step=1, train_loss=2.0).to_json() == {"step": 1, "train_loss": 2.0}


def test_the_file_is_fetched_without_the_key(remote):
    remote.on("GET /metrics", (200, b'{"step": 1, "train/loss": 1.0}\n'))
    assert metrics_file.fetch(remote.client(), URL) == [Point(step=1, train_loss=1.0)]
    assert "authorization" not in remote.requests[0].headers


def test_before_the_first_line_there_are_no_points(remote):
    client = remote.client()
    assert metrics_file.fetch(client, "") == []
    assert metrics_file.fetch(client, URL) == []
    assert len(remote.requests) == 1


def test_an_expired_url_asks_for_a_fresh_one(remote):
    remote.on("GET /metrics", (403, b"<Error>"))
    with pytest.raises(LinkExpired):
        metrics_file.fetch(remote.client(), URL)
    assert len(remote.requests) == 1


def test_an_endless_file_is_not_held_in_memory(remote):
    remote.on("GET /metrics", (200, b"x" * 1000))
    from workflows.fireworks.signed import read_signed

    with pytest.raises(errors.BadAnswer, match="more than 10 bytes"):
        read_signed(remote.client(), URL, limit=10)
