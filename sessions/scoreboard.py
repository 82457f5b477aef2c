"""The scoreboard of a session: rows, order, what is within noise, and the same as CSV. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sessions.classified import HEADLINES
from sessions.models import Candidate, Evaluation
from sessions.models.evidence import Role
from sessions.specification import rate_text, short_name
from sessions.specification.preference import weight
from sessions.spreadsheets import csv_line
from sessions.states import CandidateState

PARAMETERS = {
    "base_model": "Base model",
    "lora_rank": "LoRA rank",
    "learning_rate": "Learning rate",
    "beta": "Beta",
    "epochs": "Epochs",
}
MEASURES = {
    "right_share": "Right answers",  # only where labels were predicted
    "score": "Score",  # only where an evaluator scored
    "win_rate": "Win rate",  # only where models were compared with their base
    "validation_loss": "Validation loss",
    "train_loss": "Training loss",
    "cost": "Cost",
    "seconds": "Time",
    "state": "State",
}
STATE_WORDS = {
    CandidateState.PLANNED: "Planned",
    CandidateState.ACTIVE: "Training",
    CandidateState.DONE: "Done",
    CandidateState.FAILED: "Failed",
    CandidateState.CANCELLED: "Cancelled",
}
VALIDATION_LOSS, SCORE, WIN_RATE, RIGHT = "validation_loss", "score", "win_rate", "right_share"
ABOUT_EQUAL = 0.01  # relative difference in loss below which two candidates are called about equal


@dataclass(frozen=True)
class Interval:
    """A measured loss (nats) with its confidence interval and the rows it rests on."""

    low: float | None
    high: float | None
    rows: int

    @property
    def is_known(self) -> bool:
        return self.low is not None and self.high is not None

    def overlaps(self, other: Interval) -> bool:
        """Whether both could be the same number; unknown bounds overlap with nothing."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return False
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Score:
    """An evaluator's mean score of one subject, with the rows that have none."""

    who: str
    model: str
    value: float
    interval: Interval
    missing: int

    @classmethod
    def of(cls, found: Evaluation) -> Score:
        asked = found.provenance.get("asked", found.rows)
        interval = Interval(found.low, found.high, found.rows)
        model = found.candidate.base_model if found.candidate else found.subject.removeprefix("base:")
        return cls(found.who, model, found.value, interval, asked - found.rows)


@dataclass(frozen=True)
class Row:
    """One candidate on the scoreboard."""

    candidate: Candidate
    state_word: str
    seconds: float | None
    interval: Interval | None
    is_best: bool
    is_suggested: bool
    is_winner: bool
    noise: str  # "within noise of the best", or empty
    failure: str
    score: Score | None = None
    win_rate: Score | None = None  # against its own base model
    right_share: Score | None = None  # of its full-data run where there was one
    score_noise: str = ""  # against the suggested one, on the rows that both have

    def value(self, name: str) -> Any:
        """A column's value, for sorting and for the CSV."""
        if name in {SCORE, WIN_RATE, RIGHT}:
            found: Score | None = getattr(self, name)
            return found.value if found else None
        return self.seconds if name == "seconds" else getattr(self.candidate, name)


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    sort: str  # what ?sort= becomes when the heading is pressed
    direction: str  # for aria-sort


@dataclass(frozen=True)
class Scoreboard:
    columns: list[Column]
    rows: list[Row]
    same: list[tuple[str, str]]  # parameters that all candidates share, said once above the table
    others: list[Score]  # scores of what does not compete: base models as they are, full-data runs

    @property
    def parameters(self) -> list[str]:
        return [column.name for column in self.columns if column.name in PARAMETERS]


def points(candidate: Candidate, key: str) -> list[tuple[float, float]]:
    """The (step, value) points of one key of a candidate's curve."""
    return [
        (float(point["step"]), float(point[key]))
        for point in candidate.curve
        if point.get("step") is not None and point.get(key) is not None
    ]


def short_label(candidate: Candidate) -> str:
    """A candidate in a few characters, for legends: qwen3-8b r16 1e-4."""
    return f"{short_name(candidate.base_model)} r{candidate.lora_rank} {rate_text(candidate.learning_rate)}"


def shown(name: str, value: Any) -> str:
    """A parameter as people write it."""
    if name == "base_model":
        return short_name(value)
    if name == "beta":
        return f"{value:g}"
    return rate_text(value) if name == "learning_rate" else str(value)


def seconds(candidate: Candidate) -> float | None:
    """How long the job took, from launch to end."""
    if candidate.launched_at is None or candidate.ended_at is None:
        return None
    return (candidate.ended_at - candidate.launched_at).total_seconds()


def intervals(evaluations: Iterable[Evaluation]) -> dict[int, Interval]:
    """Validation-loss intervals by the candidate's primary key."""
    return {
        each.candidate_id: Interval(each.low, each.high, each.rows)
        for each in evaluations
        if each.metric == VALIDATION_LOSS and each.candidate_id is not None
    }


def best_of(candidates: Iterable[Candidate]) -> Candidate | None:
    """The candidate with the lowest validation loss; the first of equals."""
    measured = [each for each in candidates if each.validation_loss is not None]
    return min(measured, key=lambda each: (each.validation_loss, each.number), default=None)


def scoreboard(
    candidates: Sequence[Candidate],
    evaluations: Iterable[Evaluation] = (),
    *,
    sort: str = "",
    suggested: int | None = None,
    winner_id: int | None = None,
    words: Mapping[int, str] | None = None,
) -> Scoreboard:
    """The sweep's candidates in the asked order, parameters that differ first.

    `words` say by number how sure the suggested one's higher score is: "clear" or "within noise".
    """
    evaluations = list(evaluations)
    sweep = [each for each in candidates if each.role == Role.SWEEP]
    measured, best = intervals(evaluations), best_of(sweep)
    found = {each.subject: Score.of(each) for each in evaluations if each.metric == SCORE}
    won = {each.subject: Score.of(each) for each in evaluations if each.metric == WIN_RATE and each.rows}
    right = shares(candidates, evaluations)
    rows = [
        replace(
            row(each, best, measured, suggested, winner_id),
            score=found.get(each.subject),
            win_rate=won.get(each.subject),
            right_share=right.get(each.pk),
            score_noise=against(each, suggested, words or {}),
        )
        for each in sweep
    ]
    measures = {
        name: label
        for name, label in MEASURES.items()
        if (right if name == RIGHT else has(name, scored=bool(found), won=bool(won)))
    }
    usual = next(
        (f"-{name}" for name, known in ((RIGHT, right), (SCORE, found), (WIN_RATE, won)) if known),
        VALIDATION_LOSS,
    )
    sort = sort if sort.lstrip("-") in {*PARAMETERS, *measures, "number"} else usual
    differing = [name for name in PARAMETERS if len({getattr(each, name) for each in sweep}) > 1]
    alike = [name for name in PARAMETERS if name not in differing]
    same = [name for name in alike if sweep and getattr(sweep[0], name) is not None]
    called = parameters(sweep)
    labels = {"number": "#", **{name: called[name] for name in differing}, **measures}
    competing = {each.subject for each in sweep}
    return Scoreboard(
        columns=[column(name, label, sort) for name, label in labels.items()],
        rows=ordered(rows, sort),
        same=[(called[name], shown(name, getattr(sweep[0], name))) for name in same],
        others=[score for subject, score in sorted(found.items()) if subject not in competing],
    )


def shares(candidates: Iterable[Candidate], evaluations: Sequence[Evaluation]) -> dict[int, Score]:
    """The share of rows answered rightly, by candidate's primary key; that of a full-data run stands for the
    candidate it repeats."""
    known = {each.subject: Score.of(each) for each in evaluations if each.metric in HEADLINES}
    found = {each.pk: known[each.subject] for each in candidates if each.subject in known}
    return found | {
        each.parent_id: found[each.pk] for each in candidates if each.parent_id and each.pk in found
    }


def parameters(sweep: Sequence[Candidate]) -> dict[str, str]:
    """The labels of the parameters; ORPO's number has a name of its own."""
    weighed = next((each for each in sweep if each.beta is not None), None)
    name = weight(weighed.session.value("method")) if weighed else "beta"
    return {**PARAMETERS, "beta": name.capitalize()}


def has(name: str, *, scored: bool, won: bool) -> bool:
    """Whether a column of measures is shown. Models that are compared with their base have no validation
    loss: their jobs take no held-out rows."""
    return {SCORE: scored, WIN_RATE: won, VALIDATION_LOSS: not won}.get(name, True)


def against(candidate: Candidate, suggested: int | None, words: Mapping[int, str]) -> str:
    """How sure it is that the suggested candidate scores higher, in a few words."""
    word = words.get(candidate.number, "")
    if not word:
        return ""
    return f"{word} of #{suggested}" if word == "within noise" else f"clearly below #{suggested}"


def row(
    candidate: Candidate,
    best: Candidate | None,
    measured: Mapping[int, Interval],
    suggested: int | None,
    winner_id: int | None,
) -> Row:
    interval, is_best = measured.get(candidate.pk), candidate is best
    return Row(
        candidate=candidate,
        state_word=STATE_WORDS.get(CandidateState(candidate.state), candidate.state),
        seconds=seconds(candidate),
        interval=interval,
        is_best=is_best,
        is_suggested=candidate.number == suggested,
        is_winner=candidate.pk is not None and candidate.pk == winner_id,
        noise=noise(candidate, best, measured),
        failure=failure(candidate),
    )


def noise(candidate: Candidate, best: Candidate | None, measured: Mapping[int, Interval]) -> str:
    """Words for a candidate that may be as good as the best one; empty when it is clearly worse.

    Overlapping intervals decide where there are any; Fireworks gives one mean and no spread, and then a
    relative difference below one percent does.
    """
    if best is None or candidate is best or candidate.validation_loss is None or not best.validation_loss:
        return ""
    mine, theirs = measured.get(candidate.pk), measured.get(best.pk)
    if mine and theirs and mine.is_known and theirs.is_known:
        close = mine.overlaps(theirs)
    else:
        close = candidate.validation_loss / best.validation_loss - 1 < ABOUT_EQUAL
    return f"within noise of #{best.number}" if close else ""


def failure(candidate: Candidate) -> str:
    """The provider's words for a failed candidate."""
    found = candidate.detail.get("failure") or ""
    return str(found.get("message") or found.get("code") or "") if isinstance(found, dict) else str(found)


def ordered(rows: list[Row], sort: str) -> list[Row]:
    """Rows by one column; those without a value come last in either direction."""
    name, backwards = sort.lstrip("-"), sort.startswith("-")
    known = [each for each in rows if each.value(name) is not None]
    unknown = [each for each in rows if each.value(name) is None]
    known.sort(key=lambda each: each.candidate.number)
    known.sort(key=lambda each: each.value(name), reverse=backwards)
    return known + unknown


def column(name: str, label: str, sort: str) -> Column:
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "none")
    return Column(name, label, f"-{name}" if direction == "ascending" else name, direction)


def to_csv(board: Scoreboard) -> str:
    """Every candidate with full names and exact numbers."""
    names = [
        "number",
        *PARAMETERS,
        "validation_loss",
        "train_loss",
        "cost",
        "seconds",
        "state",
        "job",
        "model",
    ]
    scored = [f"{SCORE}{end}" for end in ("", "_low", "_high", "_rows", "_missing")]
    won = [f"{WIN_RATE}{end}" for end in ("", "_low", "_high", "_rows")]
    right = [f"{RIGHT}{end}" for end in ("", "_low", "_high", "_rows")]
    losses = ["validation_low", "validation_high", "validation_rows"]
    lines: list[list[Any]] = [[*names, *losses, *scored, *won, *right]]
    for each in board.rows:
        interval = each.interval or Interval(None, None, 0)
        cells = [each.value(name) for name in names] + [interval.low, interval.high, interval.rows or None]
        lines.append([*cells, *score_cells(each.score), *score_cells(each.win_rate)[:-1],
                      *score_cells(each.right_share)[:-1]])  # fmt: skip
    for other in board.others:
        blank: list[Any] = [other.model if name == "base_model" else None for name in names]
        blank[0] = other.who
        lines.append(
            [*blank, None, None, None, *score_cells(other), *score_cells(None)[:-1], *score_cells(None)[:-1]]
        )
    return "".join(map(csv_line, lines))


def score_cells(score: Score | None) -> list[Any]:
    if score is None:
        return [None] * 5
    return [score.value, score.interval.low, score.interval.high, score.interval.rows, score.missing]
