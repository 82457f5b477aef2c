"""What the data itself may spoil, as lines for the plan and the Data tab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sessions.models import BaseModel
from sessions.specification import short_name
from workflows.data.inspection import Inspection
from workflows.data.overlap import Overlap
from workflows.data.tokens import TokenStats


def lines(
    found: Inspection, shared: Overlap, models: Sequence[str], *, brought: bool, prompt: int = 0
) -> list[str]:
    """One line for each risk that there is. `brought`: the evaluation rows are a dataset of their own.
    `prompt`: tokens of the prompt that every row of a classifier is given beside its own."""
    return [
        *_too_long(found, models, prompt),
        *_untrainable(found),
        *_repeats(found),
        *_shared(shared, brought=brought),
        *_fields(found),
    ]


def little_trained(train: int, heldout: int, *, brought: bool) -> list[str]:
    """Rows held out of the person's own data that outnumber those trained on: few people mean that."""
    if brought or heldout <= train:
        return []
    return [f"Held out are {rows(heldout)}, more than the {train:,} that are trained on. Was less meant?"]


def _too_long(found: Inspection, models: Sequence[str], prompt: int) -> Iterator[str]:
    more = f" with the prompt's {prompt:,}" if prompt else ""
    lost = f"what is beyond is cut off{', and the label is the last of it' if prompt else ''}."
    contexts = BaseModel.objects.filter(name__in=models)
    for row in contexts:
        limit = row.training_context_length or row.context_length
        if not limit:
            continue
        text = over_words(found.tokens, found.usable_samples, limit - prompt)
        if text:
            trained = f"than the {limit:,} tokens that {short_name(row.name)} is trained with"
            yield f"{text}{more} {trained}: {lost}"


def over_words(counted: TokenStats, samples: int, limit: int) -> str:
    """`3 rows longer (one is line 7)`; with the range where tokens are estimated. Empty: none is."""
    likely = counted.over(limit, samples)
    most = counted.over(limit * counted.total / counted.high, samples) if counted.high else likely
    if not most:
        return ""
    first = min((line for length, line in counted.longest_rows if length > limit), default=0)
    where = f" (one is line {first:,})" if first else ""
    if not likely:
        return f"By the estimate no row, but perhaps up to {rows(most)}, longer"
    more = f", up to {most:,} if the estimate is low," if most > likely else ""
    return f"{rows(likely)}{more} longer{where}"


def rows(count: int) -> str:
    """`1 row`, `12 rows`."""
    return f"{count:,} row{'s' * (count != 1)}"


def _untrainable(found: Inspection) -> Iterator[str]:
    if found.untrainable_rows:
        yield (
            f"{rows(found.untrainable_rows)} without an answer to train on: no assistant message, or all of "
            "weight 0. Left out."
        )


def _repeats(found: Inspection) -> Iterator[str]:
    if found.duplicates:
        yield f"{rows(found.duplicates)} more than once, byte for byte: what is repeated weighs more."
    if found.near_duplicates:
        share = found.near_duplicates / max(1, found.usable_samples)
        yield f"{rows(found.near_duplicates)} ({share:.1%}) nearly the same as another row."


def _shared(shared: Overlap, *, brought: bool) -> Iterator[str]:
    what = "rows of the evaluation dataset" if brought else "held-out rows"
    if shared.exact:
        yield (
            f"{shared.exact:,} of {shared.rows:,} {what} are also trained on: the loss on them looks better "
            "than on new ones."
        )
    if shared.near:
        yield (
            f"{shared.near:,} of {shared.rows:,} {what} nearly repeat a training row: the loss on them looks "
            "better than on new ones."
        )


def _fields(found: Inspection) -> Iterator[str]:
    if "parallel_tool_calls" in found.other_fields:
        yield "`parallel_tool_calls` is an option of requests: it stays in the rows; training ignores it."
