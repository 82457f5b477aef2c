"""What preference learning tries where nothing was said. The figures and their sources:
docs/preference.md."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from sessions.specification.entries import Entry, FieldError, Origin, Specification

Settings = tuple[int, float, float | None]  # LoRA rank, learning rate, beta

RANK, RATE, BETA = 16, 1e-5, 0.1
DEFAULT_GRIDS: dict[str, tuple[Settings, ...]] = {
    "dpo": ((RANK, RATE, BETA), (RANK, 5e-5, BETA), (RANK, RATE, 0.3)),
    "orpo": ((RANK, RATE, BETA), (RANK, 5e-5, BETA), (RANK, RATE, 0.25)),
}
LARGEST_BETA = 0.5  # of DPO, left out itself (facts sheet 5)
MOST_EPOCHS, EXAMPLES = 3, 1000
HELDOUT_SHARE = 0.2
MOST_MODELS, LARGEST_MODEL = 6, 80_000_000_000


def weight(method: str | None) -> str:
    """What the number is called that candidates carry as `beta`: ORPO weighs its odds ratio by a lambda."""
    return "lambda" if method == "orpo" else "beta"


def epochs(rows: int) -> tuple[int, str]:
    """Passes over so many pairs, and the rule."""
    rule = f"min({MOST_EPOCHS}, ceil({EXAMPLES} / rows))"
    return min(MOST_EPOCHS, math.ceil(EXAMPLES / max(rows, 1))), rule


def heldout(rows: int) -> tuple[int, str]:
    """Rows measured on, and the rule."""
    return max(1, round(rows * HELDOUT_SHARE)), f"a fifth of {rows:,} rows"


def grid(spec: Specification) -> tuple[Settings, ...]:
    """Settings to try on every base model.

    Nothing said: the method's default three for one base model, the first of them for several. Else every
    combination of what was said, with the first default for what was not.
    """
    defaults = DEFAULT_GRIDS[spec.value("method", "dpo")]
    said = [spec.value(name) for name in ("lora_ranks", "learning_rates", "betas")]
    if not any(said):
        return defaults if len(spec.value("base_models", ())) == 1 else defaults[:1]
    columns = [values or (default,) for values, default in zip(said, defaults[0], strict=True)]
    return tuple((rank, rate, beta) for rank, rate, beta in itertools.product(*columns))


def check(spec: Specification) -> None:
    """Raises FieldError for settings that the method cannot take."""
    too_large = [beta for beta in spec.value("betas", ()) if beta >= LARGEST_BETA]
    if too_large and spec.value("method", "dpo") == "dpo":
        fault = f"Beta {too_large[0]:g} is too large for DPO."
        raise FieldError("betas", fault, f"Choose betas below {LARGEST_BETA:g}, for example 0.1 and 0.3.")
    if spec.value("stop_early") and not spec.value("target"):
        fault = "Stopping early needs a target to stop at."
        raise FieldError("target", fault, "Name one, for example: win rate, 75%.")
    strong, weak = spec.value("strong_model"), spec.value("weak_model")
    if strong and strong == weak:
        fault = "The strong and the weak model are the same: such pairs show no difference."
        raise FieldError("weak_model", fault, "Name a smaller model, or leave it empty.")
    metric = (spec.value("target") or ("win_rate",))[0]
    if metric != "win_rate" and not (metric == "score" and spec.value("evaluator")):
        fault = f"A target for {metric.replace('_', ' ')} cannot be checked: it is not measured here."
        raise FieldError("target", fault, "Name a win rate, or with an evaluator a score.")


def swept(sizes: Sequence[tuple[str, int | None]]) -> Entry:
    """The base models of a model sweep, from the supported ones with their parameters.

    At most MOST_MODELS of those up to LARGEST_MODEL parameters, evenly spread over the sizes: larger ones
    cost a multiple, and can be named. Where only larger ones are supported, those.
    """
    known = sorted(((size or 0, name) for name, size in sizes), key=lambda each: each)
    small = [name for size, name in known if size <= LARGEST_MODEL] or [name for _, name in known]
    last, count = len(small) - 1, min(MOST_MODELS, len(small))
    chosen = [small[round(at * last / max(1, count - 1))] for at in range(count)]
    rule = f"{count} of {len(sizes)} supported models, spread over sizes up to 80B; name others to change it"
    return Entry(tuple(chosen), Origin.DATA, rule)
