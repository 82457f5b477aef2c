"""What a gate card shows, from the gate's row and its plan. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sessions.bill import Bill, bill, lines_of_plan
from sessions.forms import OPTIONS, text_of
from sessions.models import Candidate, Gate
from sessions.models.evidence import Role
from sessions.scoreboard import shown
from sessions.specification import FIELDS, Origin, Specification, Workflow, rate_text, short_name, show
from sessions.states import CandidateState, Decision, GateKind

# What can be changed in the small form of the plan gate, in its order.
CHANGEABLE = (
    "base_models", "strategy", "evaluator", "criterion", "lora_ranks", "learning_rates", "max_candidates",
    "epochs", "tuning_samples", "heldout_rows", "parallel_jobs", "seed", "final_run", "deploy",
)  # fmt: skip
CLASSIFYING = (
    "base_models", "labels", "label_changes", "prompt", "balance", "imbalance_threshold", "test_share",
    "benchmark_only", "lora_ranks", "learning_rates", "max_candidates", "epochs", "tuning_samples",
    "parallel_jobs", "seed", "final_run", "deploy",
)  # fmt: skip
PREFERRING = (
    "base_models", "method", "betas", "learning_rates", "lora_ranks", "max_candidates", "epochs", "rubric",
    "judge_model", "evaluator", "strong_model", "weak_model", "screening", "review_pairs", "target",
    "stop_early", "test_share", "heldout_rows", "parallel_jobs", "seed", "deploy",
)  # fmt: skip
AUTHORING = ("criterion", "seed")  # another value there writes the evaluator anew
LONG = {"rubric"}
MODELS = {"strong_model", "weak_model", "judge_model"}
FLAGS = {"final_run", "deploy", "benchmark_only", "stop_early"}
HINTS = {
    GateKind.PLAN: "Approved, proceed.",
    GateKind.PROMOTION: "Proceed with the winning config.",
    GateKind.QUESTIONS: "Use qwen3-8b and qwen3-32b.",
    GateKind.SPEND: "Approved, proceed.",
    GateKind.TROUBLE: "Try again.",
}
DECIDED = {
    Decision.APPROVED: "approved",
    Decision.CHANGES: "sent back for changes",
    Decision.REJECTED: "rejected",
    Decision.ANSWERED: "answered",
    Decision.WITHDRAWN: "withdrawn",
}


@dataclass(frozen=True)
class Words:
    """A number that candidates are ranked by, in words, and what is said where there is none."""

    known: str
    missing: str


MEASURED = {
    "": Words("validation loss {:.4f}", "no validation loss was reported"),
    "score": Words("mean score {:.3f}", "no answer has a score"),
    "win_rate": Words("win rate {:.1%}", "no win rate"),
    "right answers": Words("{:.1%} of the held-out rows answered rightly", "not measured"),
}


@dataclass(frozen=True)
class Value:
    """One resolved value of the specification and where it came from."""

    name: str
    label: str
    text: str
    origin: str
    origin_label: str
    words: str

    @property
    def is_quoted(self) -> bool:
        """The words of a person; the others are the rule that gave the value."""
        return Origin(self.origin).quotes


@dataclass(frozen=True)
class Input:
    """One field of the small form of changes, as typed or as it stands."""

    name: str
    label: str
    text: str
    help: str
    is_flag: bool
    is_long: bool = False
    options: Sequence[tuple[str, str]] = ()  # what can be picked: the value as typed, the words for it
    fault: str = ""


@dataclass(frozen=True)
class Typed:
    """What a person entered that was not taken, kept so that it can be put right."""

    reply: str = ""
    form: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    action: str = ""

    def first(self, name: str) -> str:
        return (self.form.get(name) or [""])[0]


@dataclass(frozen=True)
class Choice:
    """One answer that can be picked."""

    value: str
    label: str
    help: str
    chosen: bool


@dataclass(frozen=True)
class Question:
    """One question of the questions gate."""

    field: str
    text: str
    help: str
    multiple: bool
    choices: list[Choice]
    typed: str
    fault: str


@dataclass(frozen=True)
class Rival:
    """A candidate that can be chosen instead of the suggested one, and what it was ranked by in words."""

    candidate: Candidate
    measured: str


@dataclass(frozen=True)
class GateCard:
    """An open gate, ready to be shown."""

    gate: Gate
    key: str  # changes when there is something else to decide about
    hint: str
    body: dict[str, Any]
    typed: Typed
    bill: Bill | None = None
    values: list[Value] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    suggested: Candidate | None = None
    others: list[Rival] = field(default_factory=list)

    @property
    def chosen(self) -> str:
        """The candidate that was chosen in a form that must be put right."""
        return self.typed.first("candidate")

    @property
    def reason(self) -> str:
        return self.typed.first("reason")


def gate_card(
    gate: Gate,
    candidates: Sequence[Candidate],
    specification: Specification,
    typed: Typed | None = None,
    names: Mapping[str, str] | None = None,
) -> GateCard:
    """The card of an open gate of any kind. `names`: what uploads are called."""
    typed = typed or Typed()
    body = gate.plan.body if gate.plan else gate.body
    resolved = Specification.from_json(body.get("specification") or {})
    is_plan = gate.kind == GateKind.PLAN
    suggested = next((each for each in candidates if each.number == gate.body.get("suggested")), None)
    return GateCard(
        gate=gate,
        key=f"{gate.pk}:{gate.plan.digest if gate.plan else ''}",
        hint=str(body.get("hint") or HINTS.get(GateKind(gate.kind), "")),
        body=body,
        typed=typed,
        bill=bill(lines_of_plan(body)) if is_plan else None,
        values=values(resolved, names) if is_plan else [],
        inputs=inputs(resolved.with_entries(specification.entries), typed) if is_plan else [],
        questions=questions(gate.body, typed),
        suggested=suggested,
        others=[each for each in rivals(gate, candidates) if each.candidate is not suggested],
    )


def rivals(gate: Gate, candidates: Sequence[Candidate]) -> list[Rival]:
    """The candidates that a promotion gate offers: those that can win, with what they are ranked by."""
    if gate.kind != GateKind.PROMOTION:
        return []
    metric = gate.body.get("metric", "")
    values = {each["number"]: each.get("value") for each in gate.body.get("ranking", ())}
    return [
        Rival(each, measured(metric, values.get(each.number, each.validation_loss)))
        for each in candidates
        if can_win(each, values)
    ]


def can_win(candidate: Candidate, ranked: Container[int]) -> bool:
    """Whether it can be chosen: of those that were trained, one that the gate ranks, where it ranks any."""
    trained = candidate.role == Role.SWEEP and candidate.state == CandidateState.DONE
    return trained and (not ranked or candidate.number in ranked)


def measured(metric: str, value: float | None) -> str:
    """What a gate ranks a candidate by, in words."""
    words = MEASURED.get(metric, MEASURED[""])
    return words.missing if value is None else words.known.format(value)


def values(specification: Specification, names: Mapping[str, str] | None = None) -> list[Value]:
    """The resolved values in the fields' order. What was picked or answered would only repeat the value."""
    found = []
    for name, each in FIELDS.items():
        entry = specification.entry(name)
        if entry is not None:
            text = (names or {}).get(str(entry.value)) or show(name, entry.value)
            quoted = "" if entry.origin in {Origin.FORM, Origin.ANSWER} else entry.words
            words = (names or {}).get(quoted, quoted)
            found.append(Value(name, each.label, text, entry.origin, entry.origin.label, words))
    return found


def changeable(specification: Specification) -> tuple[str, ...]:
    """The fields of the small form of changes of a workflow."""
    own = {
        Workflow.CLASSIFICATION: CLASSIFYING,
        Workflow.PREFERENCE: PREFERRING,
        Workflow.AUTHORING: AUTHORING,
    }
    return own.get(specification.value("workflow"), CHANGEABLE)


def inputs(specification: Specification, typed: Typed) -> list[Input]:
    """The small form of changes, filled with what stands now or with what was typed."""
    return [
        Input(
            name=name,
            label=FIELDS[name].label,
            text=typed.first(name) if name in typed.form else as_text(name, specification.value(name)),
            help=FIELDS[name].help,
            is_flag=name in FLAGS,
            is_long=name in LONG,
            options=() if name in FLAGS else OPTIONS.get(name, ()),
            fault=typed.faults.get(name, ""),
        )
        for name in changeable(specification)
    ]


def as_text(name: str, value: Any) -> str:
    """A value as it would be typed; reading it back gives the same value."""
    if value is None:
        return "no" if name in FLAGS and FIELDS[name].default is None else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (list, tuple)):
        return short_name(str(value)) if name in MODELS else str(value)
    if name == "learning_rates":
        return ", ".join(rate_text(each) for each in value)
    if name == "target":
        return f"{value[0].replace('_', ' ')}, {value[1]:g}"
    if name in {"labels", "label_changes"}:
        return text_of(name, value)
    return ", ".join(shown("base_model", each) if name == "base_models" else str(each) for each in value)


def questions(body: dict[str, Any], typed: Typed) -> list[Question]:
    """The questions of a gate with what was answered so far."""
    return [question(each, typed) for each in body.get("questions", [])]


def question(body: dict[str, Any], typed: Typed) -> Question:
    name, given = body["field"], typed.form.get(body["field"], [])
    options = body.get("options") or []
    offered = {each["value"] for each in options}
    return Question(
        field=name,
        text=body["text"],
        help=body.get("help", ""),
        multiple=bool(body.get("multiple", name == "base_models")),
        choices=[
            Choice(each["value"], each["label"], each.get("help", ""), each["value"] in given)
            for each in options
        ],
        typed=next((each for each in given if each and each not in offered), ""),
        fault=typed.faults.get(name, ""),
    )


def decided(gate: Gate) -> str:
    """A closed gate in one sentence."""
    who = gate.decided_by.get_username() if gate.decided_by else "the portal"
    when = f"{gate.decided_at:%Y-%m-%d %H:%M} UTC" if gate.decided_at else "an unknown time"
    verb = DECIDED.get(Decision(gate.decision), gate.decision)
    return f"Already {verb} by {who} at {when}."
