"""The tabs of the session page: which are there, and what each shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from sessions import inspected, queries, sources
from sessions.bill import bill, lines_of_ledger, lines_of_plan
from sessions.board import Facts
from sessions.gatecard import values
from sessions.models import Artifact, Candidate, Evaluation, Gate, Plan, Resource, TuningSession
from sessions.models.evidence import Role
from sessions.numbers import row_number
from sessions.scoreboard import Scoreboard, scoreboard
from sessions.specification import Specification, Workflow
from sessions.states import CandidateState, Decision, GateKind, Phase, ResourceState, Status
from sessions.views import answers, classification, evaluator, preference
from sessions.views.reading import EVENTS_SHOWN, newest_events

LABELS = {
    "plan": "Plan",
    "data": "Data",
    "evaluator": "Evaluator",
    "scoreboard": "Scoreboard",
    "training": "Training",
    "evaluation": "Evaluation",
    "deployment": "Deployment",
    "cost": "Cost",
    "events": "Events",
    "report": "Report",
}
DOWNLOADS = ("final_report.md", "report.json", "scoreboard.csv")
INSPECTIONS = {"inspection": "Dataset", "evaluation-inspection": "Evaluation dataset"}
DATA_FILES = (
    "train.jsonl",
    "sample.jsonl",
    "heldout.jsonl",
    "pairs.jsonl",
    "converted-data.jsonl",
    "converted-evaluation.jsonl",
)
ROW_SHOWN = 4000  # characters of a row before and after a conversion
CURVE_ROWS = 40  # rows of a curve's table; longer ones are thinned evenly
LARGEST_SHOWN = 2_000_000  # bytes of an artifact that is read into a page


@dataclass(frozen=True)
class Ask:
    """What a tab is built from: the session's rows, its files by name, and the query of the address."""

    facts: Facts
    files: dict[str, Artifact]
    query: dict[str, str]


@dataclass(frozen=True)
class Tab:
    name: str
    label: str
    current: bool


def panel(request: HttpRequest, facts: Facts, *, with_content: bool = True) -> dict[str, Any]:
    """The tabs, and the content of the chosen one."""
    files = {each.name: each for each in Artifact.objects.filter(session=facts.session)}
    there = available(facts, files)
    asked = request.GET.get("tab", "")
    current = asked if asked in there else default(facts, there)
    context: dict[str, Any] = {
        "tab": current,
        "tabs": [Tab(name, LABELS[name], name == current) for name in there],
    }
    if with_content:
        context |= CONTENT[current](Ask(facts, files, request.GET.dict()))
    return context


def available(facts: Facts, files: dict[str, Artifact]) -> list[str]:
    """The tabs that have something to show."""
    deployed = Resource.objects.filter(session=facts.session, purpose="deployment").exists()
    trained = [each for each in facts.candidates if each.launched_at]
    approved = any(gate.kind == GateKind.PLAN and gate.decision == Decision.APPROVED for gate in facts.gates)
    there = {
        "plan": facts.plan is not None,
        "data": "inspection.json" in files or bool((facts.plan or {}).get("data")),
        "evaluator": evaluator.is_there(files),
        "scoreboard": any(each.role == Role.SWEEP for each in facts.candidates),
        "training": bool(trained) or (approved and facts.session.workflow != Workflow.AUTHORING),
        "evaluation": any(each.validation_loss is not None for each in facts.candidates)
        or classification.has_something(files)
        or preference.has_something(facts.session),
        "deployment": deployed,
        "cost": facts.plan is not None or bool(facts.ledger),
        "events": True,
        "report": "final_report.md" in files,
    }
    return [name for name in LABELS if there[name]]


def default(facts: Facts, there: list[str]) -> str:
    """What is worth seeing now."""
    wanted: list[str] = []
    if facts.session.status == Status.SUCCEEDED:
        first = "scoreboard" if facts.session.workflow == Workflow.SFT else "evaluation"
        wanted = [first, "evaluator", "report"]
    elif not facts.session.is_over:
        wanted = ["training"]
    return next((name for name in wanted if name in there), "events")


def plan(ask: Ask) -> dict[str, Any]:
    plans = list(Plan.objects.filter(session=ask.facts.session).order_by("-revision"))
    newest = plans[0]
    resolved = Specification.from_json(newest.body.get("specification") or {})
    names = sources.upload_names(resolved.values().values())
    return {
        "plan": newest,
        "revisions": plans,
        "values": values(resolved, names),
        "decisions": ask.facts.gates,
    }


def data(ask: Ask) -> dict[str, Any]:
    return {
        "data": (ask.facts.plan or {}).get("data") or {},
        "labels": (ask.facts.plan or {}).get("labels"),
        "inspections": [found for name in INSPECTIONS if (found := inspection(ask.files, name))],
        "data_files": [ask.files[name] for name in DATA_FILES if name in ask.files],
        **preference.data(ask.files, read_json(ask.files.get(preference.LINT))),
    }


def inspection(files: dict[str, Artifact], name: str) -> dict[str, Any] | None:
    """One inspected file: what was found, the chart of its lengths, and rows before and after conversions."""
    found = read_json(files.get(f"{name}.json"))
    if not found:
        return None
    examples = read_json(files.get(f"{name}-conversions.json"))
    return {
        "of": name,
        "label": INSPECTIONS[name],
        "report": inspected.from_json(found),
        "chart": picture(files.get(f"charts/{name}-lengths.svg")),
        "csv": files.get(f"{name}-problems.csv"),
        "conversions": [
            {**each, "examples": [written(row) for row in examples.get(each["kind"], ())]}
            for each in found.get("conversions") or ()
        ],
    }


def written(example: dict[str, Any]) -> dict[str, Any]:
    """A row before and after a conversion as indented JSON, cut where it is very long."""
    texts = {name: json.dumps(example[name], ensure_ascii=False, indent=1) for name in ("before", "after")}
    cut = {name: text if len(text) <= ROW_SHOWN else f"{text[:ROW_SHOWN]} …" for name, text in texts.items()}
    return {"line": example["line"], **cut}


def board(ask: Ask) -> dict[str, Any]:
    return {
        "board": scores(ask.facts, ask.query.get("sort", "")),
        "promotion": promotion_gate(ask.facts),
        "finals": [each for each in ask.facts.candidates if each.role == Role.FINAL],
        "chart": picture(ask.files.get("charts/scoreboard.svg")),
        "losses": picture(ask.files.get("charts/losses.svg")),
        "curves": curves(ask.facts.candidates),
    }


def promotion_gate(facts: Facts) -> Gate | None:
    return next((gate for gate in facts.gates if gate.kind == GateKind.PROMOTION), None)


def scores(facts: Facts, sort: str = "") -> Scoreboard:
    """The scoreboard with the suggestion and the winner marked."""
    gate = promotion_gate(facts)
    return scoreboard(
        facts.candidates,
        facts.session.evaluations.select_related("candidate"),
        sort=sort,
        suggested=gate.body.get("suggested") if gate else None,
        winner_id=facts.session.winner_id,
        words=words_of(gate),
    )


def words_of(gate: Gate | None) -> dict[int, str]:
    """What the promotion gate says of each candidate beside the suggested one."""
    return {each["number"]: each["word"] for each in (gate.body.get("verdicts") or ())} if gate else {}


def training(ask: Ask) -> dict[str, Any]:
    jobs = [each for each in ask.facts.candidates if each.launched_at or each.state != CandidateState.PLANNED]
    return {
        "jobs": jobs,
        "losses": picture(ask.files.get("charts/losses.svg")),
        "curves": curves(jobs),
        "waiting": sum(each.state == CandidateState.PLANNED for each in ask.facts.candidates),
    }


def curves(candidates: Sequence[Candidate]) -> list[tuple[Candidate, list[dict[str, Any]]]]:
    """The numbers behind the loss curves, for the tables under the chart."""
    return [(each, thinned(each)) for each in candidates if each.curve]


def thinned(candidate: Candidate) -> list[dict[str, Any]]:
    """A curve as rows of a table, at most CURVE_ROWS; every evaluation pass is kept."""
    rows = [point for point in candidate.curve if point.get("step") is not None]
    every = max(1, len(rows) // CURVE_ROWS)
    return [
        row for position, row in enumerate(rows) if row.get("eval_loss") is not None or position % every == 0
    ]


def evaluation(ask: Ask) -> dict[str, Any]:
    if classification.has_something(ask.files):
        found = classification.shown(ask.facts.session, ask.files, ask.query)
        found["classified"]["svg"] = picture(found["classified"]["picture"])
        return found
    run = next((each for each in ask.facts.phases if each.phase == Phase.EVALUATION), None)
    return {
        "evaluated": run,
        "measured": list(
            ask.facts.session.evaluations.select_related("candidate").order_by("candidate__number", "metric")
        ),
        "candidate": ask.facts.session.result,
        "promotion": promotion_gate(ask.facts),
        "answers": answers.summary(ask.facts.session),
        **preference.evaluated(ask.facts.session),
    }


def deployment(ask: Ask) -> dict[str, Any]:
    return verdict(ask.facts) | {
        "hour": next((line for line in ask.facts.ledger if line.phase == Phase.DEPLOYMENT), None),
    }


def cost(ask: Ask) -> dict[str, Any]:
    """The ledger; before a plan is approved its estimate, and readings that were approved apart."""
    session, ledger = ask.facts.session, ask.facts.ledger
    lines, apart = lines_of_ledger(ledger), all(line.item.startswith("reading:") for line in ledger)
    is_estimate = apart and not (session.is_over and ledger)
    if is_estimate:
        lines = [*lines_of_plan(ask.facts.plan or {}), *lines]
    return {"cost": bill(lines), "is_estimate": is_estimate, "approved": queries.approved(session)}


def events(ask: Ask) -> dict[str, Any]:
    before = row_number(ask.query.get("before"))
    shown = newest_events(ask.facts.session, EVENTS_SHOWN, before)
    oldest = shown[-1].seq if shown else 1
    return {"events": shown, "older": oldest if oldest > 1 else None, "before": before}


def report(ask: Ask) -> dict[str, Any]:
    return {"downloads": [ask.files[name] for name in DOWNLOADS if name in ask.files]}


CONTENT: dict[str, Callable[[Ask], dict[str, Any]]] = {
    "plan": plan,
    "data": data,
    "evaluator": lambda ask: evaluator.shown(ask.files, ask.facts.session.public_id),
    "scoreboard": board,
    "training": training,
    "evaluation": evaluation,
    "deployment": deployment,
    "cost": cost,
    "events": events,
    "report": report,
}


def verdict(facts: Facts) -> dict[str, Any]:
    """The outcome (product row 1.16): model, deployment, how to call it, and the request that proved it."""
    made = Resource.objects.filter(session=facts.session, purpose="deployment").first()
    proof = Artifact.objects.filter(session=facts.session, name="deployment.json").first()
    return {
        "deployment": made,
        "still_there": made is not None and made.state == ResourceState.CREATED,
        "served": proof.detail if proof else {},
        "result": facts.session.result,
        "score": score_of(facts.session),
        "registered": Resource.objects.filter(
            session=facts.session, kind="evaluator", state=ResourceState.CREATED
        ).first(),
        "compared": preference.of_winner(facts.session),
        "classified": classification.outcome(facts.session),
        "cost": bill(lines_of_ledger(facts.ledger)),
        "has_report": Artifact.objects.filter(session=facts.session, name="final_report.md").exists(),
    }


def score_of(session: TuningSession) -> Evaluation | None:
    """The evaluator's mean score of the model that is the result, where one scored."""
    result = session.result
    return session.evaluations.filter(subject=result.subject, metric="score").first() if result else None


def picture(artifact: Artifact | None) -> SafeString:
    """A chart to be put into the page, so that it takes the theme's colours. Only the portal draws these."""
    return mark_safe(read_text(artifact))  # noqa: S308


def read_json(artifact: Artifact | None) -> dict[str, Any]:
    text = read_text(artifact)
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def read_text(artifact: Artifact | None) -> str:
    """A small file of the workspace; empty when it is not there."""
    if artifact is None or artifact.bytes > LARGEST_SHOWN:
        return ""
    try:
        return artifact.path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
