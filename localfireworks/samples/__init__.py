"""Sample datasets of our own making, there at the first start as READY datasets.

The texts are ours; rows are drawn with a fixed seed, so every server has the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from localfireworks.dataset_fields import DatasetFields
from localfireworks.datasets import folder_of, make_ready, new_dataset, register
from localfireworks.samples.pairs import preference_pairs, prompts
from localfireworks.samples.support import support_replies
from localfireworks.samples.tickets import ticket_labels
from localfireworks.service import Service

Rows = list[dict[str, Any]]
REPLIES, HOLDOUT = 240, 40


@dataclass(frozen=True)
class Sample:
    """One sample dataset."""

    id: str
    title: str
    format: str
    rows: Callable[[], Rows]


SAMPLES = (
    Sample(
        "support-replies",
        "Support replies (SFT)",
        "CHAT",
        lambda: support_replies(REPLIES + HOLDOUT)[:REPLIES],
    ),
    Sample(
        "support-holdout",
        "Support replies, held out (SFT)",
        "CHAT",
        lambda: support_replies(REPLIES + HOLDOUT)[REPLIES:],
    ),
    Sample("ticket-labels", "Tickets with one of six labels", "CHAT", lambda: ticket_labels(400)),
    Sample(
        "support-preferences",
        "Preference pairs for replies",
        "FORMAT_UNSPECIFIED",
        lambda: preference_pairs(120),
    ),
    Sample("support-prompts", "Customer messages without replies", "CHAT", lambda: prompts(80)),
)


def as_jsonl(rows: Rows) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


async def add_samples(service: Service) -> None:
    """Store every sample that is not there yet."""
    for sample in SAMPLES:
        fields = DatasetFields.model_validate({"displayName": sample.title, "format": sample.format})
        row = new_dataset(service, sample.id, fields)
        if service.store.get(row.name) is not None:
            continue
        content = as_jsonl(sample.rows())
        name = f"{sample.id}.jsonl"
        register(row, {name: len(content)})
        (folder_of(service, row) / name).write_bytes(content)
        service.store.insert(row)
        await make_ready(service, row)
