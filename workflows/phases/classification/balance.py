"""How uneven the labels are, and what each remedy would make of the training rows, the ratio and the cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sessions.costs import Pricing
from sessions.specification import CandidateConfig, Specification
from sessions.specification.classifying import BALANCES
from workflows.data import imbalance
from workflows.data.labels import Labelled
from workflows.data.labels_prompt import Prompt
from workflows.data.labels_resolution import relabelled
from workflows.data.tokens import of_sample
from workflows.phases.classification.data import Prepared, counts, sampled
from workflows.phases.classification.lines import pricing, training_cost


@dataclass(frozen=True)
class Rows:
    """Rows before they are balanced: all that are trained on, and the candidates' sample (None: all)."""

    train: list[Labelled]
    sample: list[Labelled] | None


@dataclass(frozen=True)
class Standing:
    """The plan as it stands, from which effects are told."""

    prepared: Prepared
    specification: Specification
    configs: tuple[CandidateConfig, ...]
    prices: Pricing

    @property
    def chosen(self) -> str:
        """The remedy that stands."""
        remedy: str = self.specification.value("balance")
        return remedy


def uneven(
    prepared: Prepared, specification: Specification, configs: tuple[CandidateConfig, ...]
) -> dict[str, Any]:
    """The ratio, and each remedy with its effect, JSON-stable."""
    found = prepared.resolved.counts
    there = sorted((count, label) for label, count in found.items() if count)
    threshold = specification.value("imbalance_threshold")
    now = Standing(prepared, specification, configs, pricing())
    cost = training_cost(specification, prepared, configs, now.prices)
    return {
        "ratio": imbalance.ratio(found),
        "threshold": threshold,
        "flagged": imbalance.ratio(found) > threshold,
        "most": {"label": there[-1][1], "rows": there[-1][0]},
        "least": {"label": there[0][1], "rows": there[0][0]},
        "remedies": [
            {**effect(now, remedy, rows), "chosen": remedy == now.chosen}
            for remedy, rows in by_remedy(now).items()
        ],
        "training_cost": None if cost is None else str(cost),
    }


def by_remedy(now: Standing) -> dict[str, Rows]:
    """The rows that each remedy is used on: those of all labels, or those without the rare ones."""
    most, whole = now.specification.value("tuning_samples"), now.prepared.whole
    found = dict.fromkeys(BALANCES, Rows(now.prepared.whole_train, sampled(now.prepared.whole_train, most)))
    for remedy in ("drop", "merge"):
        threshold = now.specification.value("imbalance_threshold")
        rare = imbalance.without_rare(whole.counts, threshold, merge=remedy == "merge")
        if rare:
            names = {each: rare.get(each, each) for each in whole.labels}
            chosen = remedy == now.chosen
            train = now.prepared.train if chosen else relabelled(now.prepared.whole_train, names)
            found[remedy] = Rows(train, sampled(train, most))
    return found


def effect(now: Standing, remedy: str, rows: Rows) -> dict[str, Any]:
    """What a remedy makes of the training rows, and what training costs then: priced as the plan is, by the
    tokens that the files would have."""
    after = imbalance.balanced(rows.train, remedy)
    plan = now.prepared if remedy == now.chosen else with_files(now, remedy, rows)
    cost = training_cost(now.specification, plan, now.configs, now.prices)
    return {
        "name": remedy,
        "label": BALANCES[remedy],
        "rows": sum(after.copies),
        "labels": len(counts(rows.train)),
        "ratio": imbalance.ratio_after(rows.train, after),
        "cost": None if cost is None else str(cost),
    }


def with_files(now: Standing, remedy: str, rows: Rows) -> Prepared:
    """What is prepared, with as many tokens in its files as they would have."""
    files, labels = now.prepared.files, counts(rows.train)
    trained = weighed(now, rows.train, remedy, labels)
    tried = trained if rows.sample is None else weighed(now, rows.sample, remedy, labels)
    made = {name: replace(files[name], tokens=each) for name, each in (("train", trained), ("sample", tried))}
    return replace(now.prepared, files={**files, **made}, has_sample=rows.sample is not None)


def weighed(now: Standing, rows: Sequence[Labelled], remedy: str, labels: Iterable[str]) -> int:
    """Tokens of a file under a remedy, in proportion to those of the training file that is written."""
    prompt = now.prepared.prompt
    other = replace(prompt, labels=tuple(sorted(labels)))
    as_is = tokens(now.prepared.train, now.chosen, prompt)
    return round(now.prepared.files["train"].tokens * tokens(rows, remedy, other) / max(1, as_is))


def tokens(rows: Sequence[Labelled], remedy: str, prompt: Prompt) -> int:
    """Estimated tokens of rows under a remedy, each with the prompt and an answer."""
    more = of_sample(prompt.training_row([], prompt.labels[:1]))
    copies = imbalance.balanced(rows, remedy).copies
    return sum((row.tokens + more) * times for row, times in zip(rows, copies, strict=True))


def words(told: dict[str, Any]) -> str:
    """The flag in a sentence, with what was chosen about it."""
    most, least = told["most"], told["least"]
    chosen = next((each for each in told["remedies"] if each["chosen"]), None)
    if chosen is None or chosen["name"] == "none":
        ending = "What can be done about it is listed with its effect."
    else:
        ending = f"You chose: {chosen['label']}; what is trained on has a ratio of {chosen['ratio']:,.1f}."
    return (
        f"The labels are imbalanced: {most['rows']:,} row{'s' * (most['rows'] != 1)} of “{most['label']}” to "
        f"{least['rows']:,} of “{least['label']}”, a ratio of {told['ratio']:,.1f} above the threshold of "
        f"{told['threshold']:g}. {ending}"
    )
