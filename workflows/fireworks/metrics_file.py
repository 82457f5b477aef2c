"""The metrics file of a training job: JSON lines, read tolerantly. Source: facts sheet 4.5, 5.

The file is rewritten while training goes on, so a last line may be cut, and it does not exist at first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .client import Fireworks
from .errors import NotFound
from .fields import number
from .signed import read_signed

STEP = ("step", "train/step")
EPOCH = ("epoch", "train/epoch")
TRAIN_LOSS = ("train/loss", "loss", "train_loss", "train/ce_loss", "train/dpo_loss", "train/orpo_loss")
EVAL_LOSS = ("eval/loss", "eval_loss", "validation_loss")
RATE = ("train/lr", "learning_rate", "train/learning_rate", "lr")
MARGIN = ("train/margin", "margin", "rewards/margins")
ACCURACY = ("train/accuracy", "accuracy", "rewards/accuracies")
LOG_ODDS = ("train/log_odds_ratio", "log_odds_ratio")
TOKENS = ("train/total_tokens", "total_tokens", "tokens")


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the file. Losses are means in nats (SFT: of cross-entropy by token); `tokens` counts from
    the start. Managed SFT writes no epoch; then `epoch` is None. Preference jobs count epochs from 1 and add
    DPO's margin (beta times the difference of the log-ratios), ORPO's log odds ratio, and the share of pairs
    (0 to 1) whose preferred answer came out ahead.
    """

    step: int | None = None
    epoch: float | None = None
    train_loss: float | None = None
    eval_loss: float | None = None
    lr: float | None = None
    tokens: int | None = None
    margin: float | None = None
    accuracy: float | None = None
    log_odds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Only what is known, by the names of the fields."""
        return {key: value for key in self.__slots__ if (value := getattr(self, key)) is not None}


def _first(row: Mapping[str, Any], names: Iterable[str]) -> float | None:
    for name in names:
        value = number(row.get(name))
        if value is not None:
            return value
    return None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def point(row: Mapping[str, Any]) -> Point | None:
    """A line's object as a point; None when it holds neither a loss nor anything else we know."""
    inner = row.get("data")
    flat = {**row, **inner} if isinstance(inner, Mapping) else row
    found = Point(
        step=_whole(_first(flat, STEP)),
        epoch=_first(flat, EPOCH),
        train_loss=_first(flat, TRAIN_LOSS),
        eval_loss=_first(flat, EVAL_LOSS),
        lr=_first(flat, RATE),
        tokens=_whole(_first(flat, TOKENS)),
        margin=_first(flat, MARGIN),
        accuracy=_first(flat, ACCURACY),
        log_odds=_first(flat, LOG_ODDS),
    )
    return found if found != Point() and found != Point(step=found.step) else None


def parse(content: bytes) -> list[Point]:
    """All points in file order; broken, partial and foreign lines are skipped."""
    points = []
    for line in content.splitlines():
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        found = point(row) if isinstance(row, dict) else None
        if found:
            points.append(found)
    return points


def fetch_raw(fireworks: Fireworks, url: str) -> bytes:
    """The file behind a job's `metricsFileSignedUrl`; b"" without a URL or while it is not there yet.

    Raises `signed.LinkExpired` when the job must be read again for a fresh URL.
    """
    if not url:
        return b""
    try:
        return read_signed(fireworks, url)
    except NotFound:
        return b""


def fetch(fireworks: Fireworks, url: str) -> list[Point]:
    """The points behind a job's `metricsFileSignedUrl`; [] while there are none."""
    return parse(fetch_raw(fireworks, url))
