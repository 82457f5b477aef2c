"""From what was said to what will be run: values that follow from the data, defaults, candidates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sessions.specification.catalogue import short_name
from sessions.specification.entries import Entry, FieldError, Origin, Specification
from sessions.specification.fields import FIELDS
from sessions.specification.values import rate_text

# Product row 2.5: rank and learning rate of the three default candidates of each base model.
DEFAULT_GRID = ((8, 1.5e-4), (16, 1.0e-4), (32, 5.0e-5))
MAX_CANDIDATES = 100
MAX_TRAINED_EXAMPLES = 3_000_000  # examples x epochs, a limit of the API


@dataclass(frozen=True)
class CandidateConfig:
    """One training configuration of the sweep; `number` counts from 1."""

    number: int
    base_model: str
    lora_rank: int
    learning_rate: float
    epochs: int

    @property
    def label(self) -> str:
        rate = rate_text(self.learning_rate)
        return f"{short_name(self.base_model)}, rank {self.lora_rank}, learning rate {rate}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CandidateConfig:
        return cls(**data)


def default_epochs(total_samples: int) -> int:
    """`min(5, ceil(2500 / total_samples))`, product row 2.5."""
    return min(5, math.ceil(2500 / max(total_samples, 1)))


def default_heldout(total_samples: int) -> int:
    """A tenth of the rows rounded down, at least 1, at most 100."""
    return max(1, min(100, total_samples // 10))


def _from_data(spec: Specification, total_samples: int) -> dict[str, Entry]:
    rows = f"{total_samples:,} rows"
    epochs = Entry(default_epochs(total_samples), Origin.DATA, f"min(5, ceil(2500 / rows)) with {rows}")
    if spec.value("evaluation_dataset"):
        heldout = Entry(0, Origin.DATA, "none held out: the evaluation dataset is measured on")
    elif share := spec.value("test_share"):
        held = max(1, round(total_samples * share))
        heldout = Entry(held, Origin.DATA, f"{FIELDS['test_share'].show(share)} of {rows}")
    else:
        heldout = Entry(default_heldout(total_samples), Origin.DATA, f"a tenth of {rows}, at most 100")
    return {"epochs": epochs, "heldout_rows": heldout}


def resolve(spec: Specification, *, total_samples: int) -> Specification:
    """Fill what follows from the data and the defaults; what is there already is kept.

    `total_samples` is the number of usable rows of the dataset. A value of origin `data` or `default` is
    worked out anew, so resolving again after a change is safe. Raises `FieldError` for settings that
    this dataset cannot take.
    """
    kept = spec.by_person().entries
    defaults = {
        name: Entry(field.default, Origin.DEFAULT)
        for name, field in FIELDS.items()
        if field.default is not None and spec.value("workflow", "sft") in field.workflows
    }
    resolved = Specification({**defaults, **_from_data(spec, total_samples), **kept})
    _check_against_data(resolved, total_samples)
    return resolved


def _check_against_data(spec: Specification, total_samples: int) -> None:
    heldout, epochs = spec.value("heldout_rows"), spec.value("epochs")
    if heldout and heldout > total_samples - 3 and spec.entries["heldout_rows"].origin.by_person:
        raise FieldError(
            "heldout_rows",
            f"Holding out {heldout:,} of {total_samples:,} rows leaves too few to train on.",
            f"Hold out {default_heldout(total_samples):,}, or leave it empty.",
        )
    if total_samples * epochs > MAX_TRAINED_EXAMPLES:
        most = max(1, MAX_TRAINED_EXAMPLES // total_samples)
        raise FieldError(
            "epochs",
            f"{total_samples:,} rows for {epochs} epochs pass the limit of 3,000,000 examples.",
            f"Use {most} epochs at the most, or fewer rows.",
        )


def rate_for_rank(rank: int) -> float:
    """The default learning rate of the default rank nearest to this one (on the doubling scale)."""
    return min(DEFAULT_GRID, key=lambda pair: (abs(math.log2(pair[0] / rank)), pair[0]))[1]


def grid(spec: Specification) -> tuple[tuple[int, float], ...]:
    """Pairs of LoRA rank and learning rate to try on every base model.

    Neither given: the default three. Both: every combination, ranks outermost. Only ranks: each with the
    default learning rate that goes with it. Only rates: each with rank 16, the middle of the default grid.
    """
    ranks, rates = spec.value("lora_ranks"), spec.value("learning_rates")
    if ranks and rates:
        return tuple(itertools.product(ranks, rates))
    if ranks:
        return tuple((rank, rate_for_rank(rank)) for rank in ranks)
    if rates:
        return tuple((DEFAULT_GRID[1][0], rate) for rate in rates)
    return DEFAULT_GRID


def of_candidates(kept: Sequence[CandidateConfig], *, rates_said: bool = False) -> dict[str, Any]:
    """The base models, ranks and rates that make exactly these candidates; FieldError when no grid does.

    `rates_said`: learning rates stand already, so that they must be named again.
    """
    models = tuple(dict.fromkeys(each.base_model for each in kept))
    ranks = tuple(dict.fromkeys(each.lora_rank for each in kept))
    rates = tuple(dict.fromkeys(each.learning_rate for each in kept))
    wanted = {(each.base_model, each.lora_rank, each.learning_rate) for each in kept}
    grids: list[dict[str, Any]] = [{"lora_ranks": ranks}, {"lora_ranks": ranks, "learning_rates": rates}]
    for grid_values in grids[rates_said:]:
        values = {"base_models": models, **grid_values}
        spec = Specification({name: Entry(value, Origin.ANSWER) for name, value in values.items()})
        if {(each.base_model, each.lora_rank, each.learning_rate) for each in candidates(spec)} == wanted:
            return values
    raise FieldError(
        "lora_ranks",
        "These candidates are no grid: every base model is tried with every rank and rate.",
        "Drop a base model, a rank or a learning rate instead.",
    )


def thinned(combined: list[tuple[str, tuple[int, float]]], most: int) -> list[tuple[str, tuple[int, float]]]:
    """At most `most` of the grid, in its order: the middle pair of every base model first, then outwards."""
    pairs = list(dict.fromkeys(pair for _, pair in combined))
    outwards = sorted(range(len(pairs)), key=lambda at: (abs(2 * at - len(pairs) + 1), at))
    rank = {pairs[at]: place for place, at in enumerate(outwards)}
    kept = sorted(combined, key=lambda each: rank[each[1]])[:most]
    return [each for each in combined if each in kept]


def candidates(spec: Specification) -> tuple[CandidateConfig, ...]:
    """The candidates of the sweep, numbered from 1: base models in the order said, then the grid."""
    pairs = grid(spec)
    combined = list(itertools.product(spec.value("base_models", ()), pairs))
    combined = thinned(combined, spec.value("max_candidates") or len(combined))
    if len(combined) > MAX_CANDIDATES:
        raise FieldError(
            "lora_ranks",
            f"The grid makes {len(combined)} candidates.",
            f"Use fewer ranks, rates or base models: {MAX_CANDIDATES} at the most.",
        )
    return tuple(
        CandidateConfig(number, model, rank, rate, spec.value("epochs", 1))
        for number, (model, (rank, rate)) in enumerate(combined, 1)
    )
