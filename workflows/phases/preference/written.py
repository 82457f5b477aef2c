"""The part of `final_report.md` on preference learning. Pure: the same facts give the same text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflows.markup import plain, table

Facts = Mapping[str, Any]


def section(facts: Facts) -> list[str]:
    """The report's part, in Markdown."""
    found = facts.get("preference")
    if not found:
        return []
    asked = heldout(facts, found["comparisons"])
    return ["## Comparison", "", *rubric(found), *asked, *compared(found), *reached(found), *pairs(found)]


def outcome(facts: Facts) -> list[str]:
    """What the final model's comparisons came to, for the head of the report; empty for other workflows."""
    found, final = facts.get("preference"), facts["final"]
    if not found or not final:
        return []
    label = f"Candidate {final['number']}"
    told = [each["sentences"][0] for each in found["comparisons"] if each["subject"] == label]
    met = found["target"]
    return [f"- {plain(each)}" for each in told] + ([f"- Target {met['said']}: {met['word']}"] if met else [])


def rubric(found: Facts) -> list[str]:
    judge = found["judge"]
    if not judge.get("model"):
        return ["The answers were scored by the evaluator that was named.", ""]
    told = (
        f"Judged by `{judge['model']}`, blind and in both orders. A row is won when both say so; where "
        "the order decides, it is tied; rows without two valid verdicts are left out."
    )
    names = ", ".join(f"`{name}`" for name in judge["related"])
    kin = f"The judge is of the family of {names}: models favour answers of their own kind."
    return [
        told,
        "",
        *([kin, ""] if names else []),
        f"> Rubric ({judge['origin']}): {plain(judge['rubric'])}",
        "",
    ]


def heldout(facts: Facts, comparisons: Sequence[Facts]) -> list[str]:
    """How many prompts were asked, of how many held-out rows."""
    prompts = next((each["asked"] for each in comparisons if each.get("asked")), 0)
    parts = (facts["data"] or {}).get("parts") or ()
    rows = next((part["rows"] for part in parts if part["name"] == "heldout.jsonl"), prompts)
    if not prompts:
        return []
    once = f", which are {rows:,} rows: one that repeats a prompt is asked once" if rows > prompts else ""
    return [f"Asked: {prompts:,} held-out prompts{once}.", ""]


def compared(found: Facts) -> list[str]:
    lines = table(
        (
            "Model",
            "Against",
            "Win rate",
            "95% interval",
            "Rows",
            "Won",
            "Tied",
            "Lost",
            "Order decided",
            "Invalid",
            "Mean words",
        ),
        ([*figures(each)] for each in found["comparisons"]),
    )
    notes = [line for each in found["comparisons"] for line in beside(each)]
    return lines + notes + ([""] if notes else [])


def beside(each: Facts) -> list[str]:
    """What to know of one comparison's judge and answers."""
    said = each["sentences"][1:]
    return [f"- {each['subject']} against {each['baseline']}: {plain(' '.join(said))}"] if said else []


def figures(each: Facts) -> list[str]:
    if not each["rows"]:
        return [each["subject"], each["baseline"], "not measured", *[""] * 8]
    flips, words = each.get("flip_rate"), each.get("words")
    return [
        each["subject"],
        each["baseline"],
        share(each["value"]),
        f"{share(each['low'])} to {share(each['high'])}",
        f"{each['rows']:,}",
        *(f"{each[name]:,}" for name in ("wins", "ties", "losses")),
        share(flips["value"]) if flips else "",
        f"{each['invalid_rows']:,}" if "invalid_rows" in each else "",
        f"{words['subject']:,.0f} against {words['baseline']:,.0f}" if words else "",
    ]


def share(value: float) -> str:
    return f"{value:.1%}"


def reached(found: Facts) -> list[str]:
    told = found["target"]
    return [f"Target, {told['said']}: **{told['word']}**. {plain(told['sentence'])}", ""] if told else []


def pairs(found: Facts) -> list[str]:
    made, lengths = found["made"], found["lint"].get("lengths")
    if made:
        counts = "; ".join(f"{rows:,} {words}" for words, rows in made["counts"].items())
        sampling = made["sampling"]
        return [
            "### Where the pairs come from",
            "",
            f"- Preferred: answers of `{made['strong']}`; the others: of `{made['weak']}`",
            f"- Temperature {sampling['temperature']:g}, at most {sampling['max_tokens']} tokens",
            f"- Seed {sampling['seed']}; each row's own seed is in `pairs-provenance.jsonl`",
            f"- {made['prompts']:,} prompts: {counts}",
            f"- Pairs with an answer that was cut off: {made['cut_off']:,}",
            *(f"- `{name}`: SHA-256 `{digest}`" for name, digest in made["sha256"].items()),
            "",
        ]
    if not lengths:
        return []
    told = f"In the dataset's pairs the preferred answer is longer in {share(lengths['share'])} of the cases"
    return [f"{told}, by {lengths['characters']:+,.0f} characters in the middle.", ""]
