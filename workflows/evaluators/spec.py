"""`eval_spec.md`: what a written evaluator checks, and how it did on real samples. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workflows.evaluators.kinds import unchecked
from workflows.evaluators.samples import MOST_ROWS, Seen
from workflows.evaluators.trial import EMPTY, OTHER, REFERENCE, SPOILED, Trial
from workflows.markup import plain, table

if TYPE_CHECKING:
    from workflows.evaluators.authoring import Rejected

SHOWN = 5
LONGEST = 160
ANSWERS = {
    REFERENCE: "the dataset's own answer",
    OTHER: "the answer of another row",
    SPOILED: "the own answer, made wrong",
    EMPTY: "no answer",
}
HOW = {
    "numeric": "The number after the marker, or else the last number of the answer, must equal that of the "
    "expected answer. `1,234.50`, `$5`, `-3`, `2/3` and `\\boxed{7}` are understood; what stands "
    "right behind a letter, as in `CO2`, is no number.",
    "one_of": "The answer must be the expected label. Case, quotes and underscores do not matter; an answer "
    "outside the set is wrong.",
    "exact": "The answer must be the expected text; runs of white space count as one blank.",
    "json_schema": "The answer must be JSON of this shape; a code fence around it is allowed. The score "
    "is the share of expected values that it has.",
    "facts": "The score is the share of facts that the answer mentions as whole words.",
}


def text(trial: Trial, rejected: Sequence[Rejected], seen: Seen, criterion: str) -> str:
    """The whole document; the same arguments give the same text."""
    rows = f"{seen.usable:,} of {seen.rows:,} rows have an answer to compare with"
    more = f" (the first {MOST_ROWS:,} were read)" if seen.rows >= MOST_ROWS else ""
    own = f"{seen.own_truth:,} of them carry it in `ground_truth`; else the assistant's last message is it."
    lines = [
        "# What the evaluator checks",
        "",
        f"You said: “{plain(criterion)}”",
        "",
        f"- Rule: {trial.kind.label}. {how(trial)}",
        f"- Data: {rows}{more}. {own}",
        *[f"- Not checked: “{plain(each)}”" for each in unchecked(trial.kind, criterion)],
        *[f"- `{name}`: {shown(value)}" for name, value in trial.settings.items()],
        "",
        "The expected answer comes to the evaluator as `ground_truth`, the answer as the last message.",
        "",
        f"## On {len(seen.kept)} real samples",
        "",
        *table(("Answers", "How many", "Mean score"), means(trial)),
        *examples(trial),
        *others(rejected),
    ]
    return "\n".join(lines).rstrip() + "\n"


def how(trial: Trial) -> str:
    if trial.settings.get("COMPARE_VALUES") is False:
        return "The answer must be JSON of this shape; its values are not compared."
    return HOW[trial.kind.name]


def shown(value: Any) -> str:
    """A setting on one line."""
    if isinstance(value, tuple):
        return ", ".join(f"“{plain(each)}”" for each in value) or "none"
    return f"`{value}`"


def means(trial: Trial) -> list[tuple[str, str, str]]:
    found = []
    for what, words in ANSWERS.items():
        mean, count = trial.mean(what), sum(each.what == what for each in trial.answers)
        found.append((words, str(count), "–" if mean is None else f"{mean:.2f}"))
    return found


def examples(trial: Trial) -> list[str]:
    """The first samples with what was said of each answer."""
    rows = [
        (
            str(each.sample.line),
            ANSWERS[each.what],
            short(each.text),
            f"{each.result.score:g}",
            each.result.reason,
        )
        for each in trial.answers[: 4 * SHOWN]
        if each.result.score is not None
    ]
    safe = [[plain(cell) for cell in row] for row in rows]
    return table(("Line", "Answer", "Text", "Score", "Reason"), safe)


def short(words: str) -> str:
    """The end of a long answer, where the result usually stands."""
    return words if len(words) <= LONGEST else "…" + words[-LONGEST:]


def others(rejected: Sequence[Rejected]) -> list[str]:
    if not rejected:
        return []
    return ["## Not taken", "", *[f"- {each.kind.label}: {plain(each.why)}" for each in rejected], ""]
