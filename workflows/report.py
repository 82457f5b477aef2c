"""`final_report.md` from the facts of a session. Pure: the same facts give the same text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sessions.costs import about, money, money_range
from sessions.specification.preference import weight
from workflows import classification_report, scores
from workflows.markup import plain, table
from workflows.phases.preference import written

Facts = Mapping[str, Any]
REHEARSAL = (
    "> **Rehearsal.** This session ran against local Fireworks: the models are small stand-ins that "
    "carry the real names, the losses are theirs, and nothing was charged. Prices are the real ones."
)


def loss(value: float | None) -> str:
    """A loss as the pages show it."""
    return "not reported" if value is None else f"{value:.4f}"


def dollars(value: Any) -> str:
    """An amount, or that it is not known."""
    return "not known" if value is None else money(Decimal(value))


def render(facts: Facts) -> str:
    """The whole report."""
    sections = (
        outcome, failure, asked, data, candidates, classification_report.section, scores.section,
        written.section, winner, cost, standing, timeline, provenance, reproduce,
    )  # fmt: skip
    lines = [f"# Final report: {plain(facts['title'])}", "", facts["verdict"], ""]
    if facts["rehearsal"]:
        lines += [REHEARSAL, ""]
    for section in sections:
        lines += section(facts)
    return "\n".join(lines).rstrip() + "\n"


def outcome(facts: Facts) -> list[str]:
    """Section 1.16 of the product page: what a person takes away."""
    served = facts["served"]
    lines = ["## Outcome", ""]
    if facts["final"]:
        final = facts["final"]
        lines += [
            f"- Final model: `{final['model']}` (base `{final['base_model']}`)",
            f"- Training loss: {loss(final['train_loss'])}",
            *(written.outcome(facts) or [validation(final)]),
            *scores.outcome(facts),
            *classification_report.outcome(facts),
        ]
    if not served:
        return [*lines, "- Nothing is deployed.", ""] if facts["final"] else []
    lines += [
        f"- Deployment: `{served['deployment']}`",
        f"- Inference endpoint: `{served['endpoint']}`",
        "",
        "Ask it from Python (`pip install fireworks-ai`):",
        "",
        "```python",
        served["snippet"].rstrip(),
        "```",
        "",
        "or from the shell:",
        "",
        "```bash",
        served["curl"].rstrip(),
        "```",
        "",
    ]
    proof = served.get("proof")
    if proof:
        lines += [f"The first real request was answered in {proof['seconds']:.1f} s:", ""]
        lines += [f"> {plain(proof['question'])}", ">", f"> → {plain(proof['answer'])}", ""]
    return lines


def validation(final: Facts) -> str:
    return f"- Validation loss: {loss(final['validation_loss'])} on {final['heldout_rows']:,} held-out rows"


def failure(facts: Facts) -> list[str]:
    """What went wrong, whose fault it looks like, and the next step (product row 1.15)."""
    told = facts["failure"]
    if not told:
        return []
    lines = [
        "## What went wrong",
        "",
        f"- Phase: {told['phase_label']}",
        f"- In our words: {plain(told['ours'])}",
    ]
    if told.get("theirs"):
        lines.append(f"- In the provider's words: {plain(told['theirs'])}")
    lines += [f"- It looks like a matter of: {told['whose']}", f"- Next: {plain(told['next'])}", ""]
    return lines


def asked(facts: Facts) -> list[str]:
    """The instruction and every value with its origin."""
    lines = ["## What was asked", ""]
    if facts["instruction"]:
        lines += [f"> {plain(facts['instruction'])}", ""]
    rows = ([plain(each["label"]), plain(each["shown"]), plain(each["origin"])] for each in facts["values"])
    return [*lines, *table(("Setting", "Value", "Where it came from"), rows)]


def data(facts: Facts) -> list[str]:
    """The data and its parts."""
    read = facts["data"]
    if not read:
        return []
    lines = [
        "## Data",
        "",
        f"- Source: {plain(read['source'])}",
        f"- Rows: {read['samples']:,}, usable: {read['usable']:,}",
    ]
    rows = (
        [plain(part["name"]), f"{part['rows']:,}", f"about {part['tokens']:,}", f"`{part['sha256']}`"]
        for part in read["parts"]
    )
    return [*lines, "", *table(("Part", "Rows", "Tokens", "SHA-256"), rows)]


def candidates(facts: Facts) -> list[str]:
    """The scoreboard. Where models were compared nobody measured a validation loss."""
    has_beta = any(each.get("beta") is not None for each in facts["candidates"])
    named = weight((facts.get("preference") or {}).get("method")).capitalize()
    compared = any(each.get("win_rate") for each in facts["candidates"])
    rows = (
        [
            str(each["number"]) if each["role"] == "sweep" else f"{each['number']} (full data)",
            plain(each["model_short"]),
            str(each["lora_rank"]),
            plain(each["learning_rate"]),
            str(each["epochs"]),
            *([f"{each['beta']:g}" if each["beta"] is not None else ""] if has_beta else []),
            *([won(each["win_rate"])] if compared else []),
            loss(each["train_loss"]),
            *([] if compared else [loss(each["validation_loss"])]),
            "not known" if each["tokens"] is None else f"{each['tokens']:,}",
            dollars(each["cost"]),
            plain(each["state"]),
        ]
        for each in facts["candidates"]
    )
    head = (
        "Candidate", "Base model", "LoRA rank", "Learning rate", "Epochs", *[named] * has_beta,
        *["Win rate against its base"] * compared, "Training loss", *["Validation loss"] * (not compared),
        "Tokens", "Cost", "State",
    )  # fmt: skip
    listed = table(head, rows)
    pictures = [f"![{each['words']}]({each['name']})\n" for each in facts["pictures"]]
    return ["## Candidates", "", *listed, *pictures] if listed else []


def won(found: Facts | None) -> str:
    """A win rate with its interval."""
    if not found:
        return "not measured"
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%})"


def winner(facts: Facts) -> list[str]:
    """Who won, by which rule, who confirmed it."""
    chosen = facts["promotion"]
    if not chosen:
        return []
    lines = ["## The winner", "", f"- Suggested: candidate {chosen['suggested']}. {plain(chosen['rule'])}"]
    lines += [f"- Why: {plain(chosen['why'])}"] if chosen.get("why") else []
    lines += [f"- How sure: {plain(chosen['certainty'])}"]
    lines += [f"- Confirmed: candidate {chosen['number']} by {plain(chosen['by'])} at {chosen['at']}"]
    if chosen.get("reason"):
        lines.append(f"- Reason given: {plain(chosen['reason'])}")
    if facts["evaluation"]:
        lines.append(f"- Final evaluation: {plain(facts['evaluation'])}")
    return [*lines, ""]


def cost(facts: Facts) -> list[str]:
    """Estimated against actual, line by line, with the reason for the gap."""
    rows = [
        [
            plain(line["label"]),
            "not calculated" if line["expected"] is None else about(Decimal(line["expected"])),
            "" if line["low"] is None else money_range(Decimal(line["low"]), Decimal(line["high"])),
            "not settled" if line["actual"] is None else dollars(line["actual"]),
            plain(line["gap"]),
        ]
        for line in facts["costs"]["lines"]
    ]
    if not rows:
        return ["## Cost", "", "Nothing was approved and nothing was spent.", ""]
    total = facts["costs"]
    lines = table(("Line", "Estimate", "Range", "Actual", "Why it differs"), rows)
    spent = f"Settled so far: {dollars(total['actual'])}. Approved: up to {dollars(total['approved'])}."
    if facts["rehearsal"]:
        spent += (
            " In rehearsal these are the prices that the same tokens would have had; nothing was charged."
        )
    return ["## Cost", "", *lines, spent, ""]


def standing(facts: Facts) -> list[str]:
    """What is still there, and what of it costs money."""
    rows = ([plain(each["kind"]), f"`{each['name']}`", plain(each["costs"])] for each in facts["standing"])
    listed = table(("What", "Name", "Costs"), rows)
    follow = [f"- {plain(line)}" for line in facts["next_steps"]]
    return ["## What is there now", "", *listed, *follow, ""]


def timeline(facts: Facts) -> list[str]:
    """The seven phases."""
    rows = (
        [plain(each["label"]), plain(each["state"]), plain(each["took"]), plain(each["note"])]
        for each in facts["phases"]
    )
    lines = ["## What was done", "", *table(("Phase", "State", "Took", "What came of it"), rows)]
    return [*lines, *(f"- {plain(line)}" for line in facts["decisions"]), ""]


def provenance(facts: Facts) -> list[str]:
    """Where each number comes from."""
    rows = (
        [
            plain(each["model"]),
            plain(each["metric"]),
            loss(each["value"]),
            f"{each['rows']:,}",
            f"`{each['job']}`",
            f"`{each['file']}` `{each['sha256'][:12]}`",
            str(each["seed"]),
        ]
        for each in facts["evaluations"]
    )
    listed = table(("Model", "Metric", "Value", "Rows", "Job or judge", "Rows from", "Seed"), rows)
    return ["## Where the numbers come from", "", *listed] if listed else []


AGAIN = (
    "These calls made what is listed above, in this order. Run them where the session's files are, one by "
    "one: a dataset must be READY before its job, and a job COMPLETED before its model is deployed. The "
    "names are taken now: put another prefix of the same length in place of `{prefix}` everywhere."
)


def reproduce(facts: Facts) -> list[str]:
    """The calls that made things, for the shell and for Python."""
    if not facts["calls"]:
        return []
    lines = ["## The same again", "", AGAIN.format(prefix=facts["prefix"]), ""]
    shell = ["```bash", "export FIREWORKS_API_KEY=…  # yours", *facts["calls"], "```", ""]
    python = [
        "The same with `pip install fireworks-ai`:",
        "",
        "```python",
        facts["program"].rstrip(),
        "```",
        "",
    ]
    return [*lines, *shell, *python]
