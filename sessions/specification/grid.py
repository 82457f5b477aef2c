"""From what was said to what will be run: values that follow from the data, defaults, candidates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sessions.specification import preference
from sessions.specification.catalogue import short_name
from sessions.specification.entries import Entry, FieldError, Origin, Specification, Workflow
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
    beta: float | None = None  # of DPO; lambda of ORPO
    method: str = ""  # of preference learning: dpo or orpo

    @property
    def label(self) -> str:
        rate = rate_text(self.learning_rate)
        beta = "" if self.beta is None else f", {preference.weight(self.method)} {self.beta:g}"
        return f"{short_name(self.base_model)}, rank {self.lora_rank}, learning rate {rate}{beta}"

    @property
    def settings(self) -> preference.Settings:
        """What differs between candidates of one base model."""
        return self.lora_rank, self.learning_rate, self.beta

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
    if spec.value("workflow") == Workflow.PREFERENCE:
        count, rule = preference.epochs(total_samples)
        held, rule_held = preference.heldout(total_samples)
    else:
        count, rule = default_epochs(total_samples), "min(5, ceil(2500 / rows))"
        held, rule_held = default_heldout(total_samples), f"a tenth of {rows}, at most 100"
    if spec.value("workflow") == Workflow.CLASSIFICATION:
        held, rule_held = preference.heldout(total_samples)
    epochs = Entry(count, Origin.DATA, f"{rule} with {rows}")
    if spec.value("evaluation_dataset"):
        heldout = Entry(0, Origin.DATA, "none held out: the evaluation dataset is measured on")
    elif share := spec.value("test_share"):
        held = max(1, round(total_samples * share))
        heldout = Entry(held, Origin.DATA, f"{FIELDS['test_share'].show(share)} of {rows}")
    else:
        heldout = Entry(held, Origin.DATA, rule_held)
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
    if spec.value("workflow") == Workflow.PREFERENCE:
        preference.check(spec)
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


def grid(spec: Specification) -> tuple[preference.Settings, ...]:
    """LoRA rank, learning rate and, in preference learning alone, beta to try on every base model."""
    if spec.value("workflow") == Workflow.PREFERENCE:
        return preference.grid(spec)
    return tuple((rank, rate, None) for rank, rate in pairs(spec))


def pairs(spec: Specification) -> tuple[tuple[int, float], ...]:
    """Pairs of LoRA rank and learning rate where there is no beta.

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
    """The base models, ranks, rates and betas that make exactly these candidates; FieldError when no grid
    does.

    `rates_said`: learning rates stand already, so that they must be named again.
    """
    models = tuple(dict.fromkeys(each.base_model for each in kept))
    ranks, rates, betas = (
        tuple(dict.fromkeys(column)) for column in zip(*(c.settings for c in kept), strict=True)
    )
    wanted = {(each.base_model, each.settings) for each in kept}
    full: dict[str, Any] = {"lora_ranks": ranks, "learning_rates": rates}
    grids = [{"lora_ranks": ranks}, full][rates_said:]
    if None not in betas:
        full["betas"], grids = betas, [full]
    for grid_values in grids:
        values = {"base_models": models, **grid_values}
        if "betas" in values:
            values["workflow"] = Workflow.PREFERENCE
        spec = Specification({name: Entry(value, Origin.ANSWER) for name, value in values.items()})
        if {(each.base_model, each.settings) for each in candidates(spec)} == wanted:
            values.pop("workflow", None)
            return values
    raise FieldError(
        "lora_ranks",
        "These candidates are no grid: every base model is tried with every value of the others.",
        "Drop a base model, a rank or a learning rate instead.",
    )


def thinned(
    combined: list[tuple[str, preference.Settings]], most: int
) -> list[tuple[str, preference.Settings]]:
    """At most `most` of the grid, in its order: the middle settings of every base model first, then
    outwards."""
    found = list(dict.fromkeys(settings for _, settings in combined))
    outwards = sorted(range(len(found)), key=lambda at: (abs(2 * at - len(found) + 1), at))
    rank = {found[at]: place for place, at in enumerate(outwards)}
    kept = sorted(combined, key=lambda each: rank[each[1]])[:most]
    return [each for each in combined if each in kept]


def candidates(spec: Specification) -> tuple[CandidateConfig, ...]:
    """The candidates of the sweep, numbered from 1: base models in the order said, then the grid."""
    combined = list(itertools.product(spec.value("base_models", ()), grid(spec)))
    combined = thinned(combined, spec.value("max_candidates") or len(combined))
    if len(combined) > MAX_CANDIDATES:
        raise FieldError(
            "lora_ranks",
            f"The grid makes {len(combined)} candidates.",
            f"Use fewer ranks, rates or base models: {MAX_CANDIDATES} at the most.",
        )
    method = spec.value("method", "dpo") if spec.value("workflow") == Workflow.PREFERENCE else ""
    return tuple(
        CandidateConfig(number, model, rank, rate, spec.value("epochs", 1), beta, method)
        for number, (model, (rank, rate, beta)) in enumerate(combined, 1)
    )
