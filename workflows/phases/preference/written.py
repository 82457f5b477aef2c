"""The part of `final_report.md` on preference learning. Pure: the same facts give the same text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.markup import plain, table

Facts = Mapping[str, Any]


def section(facts: Facts) -> list[str]:
    """The report's part, in Markdown."""
    found = facts.get("preference")
    if not found:
        return []
    return ["## Comparison", "", *rubric(found), *compared(found), *reached(found), *pairs(found)]


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
    told = f"Judged by `{judge['model']}`, blind and in both orders; a row is won when both orders say so."
    return [told, "", f"> Rubric ({judge['origin']}): {plain(judge['rubric'])}", ""]


def compared(found: Facts) -> list[str]:
    lines = table(
        (
            "Model",
            "Against",
            "Win rate",
            "95 % interval",
            "Rows",
            "Won",
            "Tied",
            "Lost",
            "Order decided",
            "Invalid",
        ),
        ([*figures(each)] for each in found["comparisons"]),
    )
    said = [plain(words) for each in found["comparisons"] for words in each["sentences"][1:]]
    return lines + [f"- {words}" for words in dict.fromkeys(said)] + ([""] if said else [])


def figures(each: Facts) -> list[str]:
    if not each["rows"]:
        return [each["subject"], each["baseline"], "not measured", *[""] * 7]
    flips = each.get("flip_rate")
    return [
        each["subject"],
        each["baseline"],
        share(each["value"]),
        f"{share(each['low'])} to {share(each['high'])}",
        f"{each['rows']:,}",
        *(f"{each[name]:,}" for name in ("wins", "ties", "losses")),
        share(flips["value"]) if flips else "",
        f"{each['invalid_rows']:,}" if "invalid_rows" in each else "",
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
