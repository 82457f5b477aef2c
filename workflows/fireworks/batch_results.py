"""What a batch inference job answered: the rows of its output dataset. Source: facts sheet 7.2.

The dataset holds a results file and an error file (its name contains "error"); neither keeps an order.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from . import datasets
from .client import Fireworks
from .errors import BadAnswer, parse_fault
from .fields import mapping, text
from .inference import Completion, read
from .names import short
from .signed import open_signed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """The answer to the input row `custom_id`, or in `error` why there is none; `raw` is the whole line.

    `broken`: there was an answer, and it cannot be read."""

    custom_id: str
    answer: Completion | None = None
    error: str = ""
    broken: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def fetch(fireworks: Fireworks, output_dataset: str) -> Iterator[Row]:
    """All rows of an output dataset, streamed, in no order. A line that names no row is left out, so that its
    row has no answer."""
    urls = datasets.file_urls(fireworks, output_dataset)
    for name, url in sorted(urls.items()):
        with open_signed(fireworks, url) as chunks:
            for line in _lines(chunks):
                try:
                    yield row(line, failed="error" in name.lower(), where=f"{short(output_dataset)}/{name}")
                except BadAnswer as fault:
                    log.warning("%s", fault)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest


def row(line: bytes, *, failed: bool, where: str) -> Row:
    """One line `{custom_id, response}` or `{custom_id, error}`; in the error file all lines are failures.

    Raises `BadAnswer` for a line that names no row."""
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        raise BadAnswer(f"{where} holds a line that is not JSON") from fault
    identifier = raw.get("custom_id") if isinstance(raw, Mapping) else None
    if identifier is None:
        raise BadAnswer(f"{where} holds a line without a custom_id")
    response = mapping(raw, "response")
    response = mapping(response, "body") or response
    if failed or raw.get("error") or not response:
        return Row(str(identifier), error=_why(raw), raw=raw)
    try:
        return Row(str(identifier), answer=read(response, text(response, "model")), raw=raw)
    except BadAnswer as fault:
        return Row(str(identifier), error=str(fault), broken=True, raw=raw)


def _why(raw: Mapping[str, Any]) -> str:
    error = raw.get("error")
    message = parse_fault(0, {"error": error}).message if isinstance(error, str | Mapping) else ""
    return message or "no answer and no explanation"
