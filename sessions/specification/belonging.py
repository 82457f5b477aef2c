"""Which workflow a field belongs to: what follows from that, and what is out of place."""

from __future__ import annotations

from collections.abc import Mapping

from sessions.specification.entries import Entry, FieldError, Origin, Specification, Workflow
from sessions.specification.fields import FIELDS, show

# Two ways to say one thing: the later one takes the place of the other.
_RIVALS = {"heldout_rows": "test_share", "test_share": "heldout_rows"}

# Fields that are said in one workflow only: labels in classification, betas in preference learning.
_TELLING = {
    "labels", "label_changes", "imbalance_threshold", "balance", "benchmark_only", "compare_base", "method",
    "betas", "make_pairs", "strong_model", "weak_model", "screening", "review_pairs",
}  # fmt: skip


def _is_win_rate(name: str, entry: Entry) -> bool:
    return name == "target" and entry.value[0] == "win_rate"


def implied_workflow(entries: Mapping[str, Entry]) -> Entry | None:
    """The one workflow that the values given point to, in their own words; None when they leave it open."""
    telling = [name for name, entry in entries.items() if name in _TELLING or _is_win_rate(name, entry)]
    found = {each for name in telling for each in FIELDS[name].workflows}
    if len(found) != 1:
        return None
    return Entry(str(found.pop()), Origin.SAID, entries[telling[0]].words)


def out_of_place(specification: Specification) -> list[FieldError]:
    """Values that the workflow does not use, or that say the same thing twice, as faults."""
    workflow = specification.value("workflow", "sft")
    faults = [
        FieldError(name, f"{FIELDS[name].label} has no use in {show('workflow', workflow)}.", _remedy(name))
        for name, entry in specification.entries.items()
        if entry.origin.by_person and workflow not in FIELDS[name].workflows
    ]
    said = specification.by_person()
    unchecked = workflow == Workflow.SFT and said.value("strategy") != "generated"
    if said.value("criterion") and unchecked:
        fault = "What counts as right is checked by a generated evaluator only."
        remedy = "Say “generate an evaluator”, or leave it out."
        faults.append(FieldError("criterion", fault, remedy))
    if all(said.value(name) for name in _RIVALS):
        rows = show("heldout_rows", specification.value("heldout_rows"))
        share = show("test_share", specification.value("test_share"))
        fault = f"What is held out is said twice, as {rows} rows and as {share} of the data."
        faults.append(FieldError("test_share", fault, "Say it once."))
    return faults


def with_changes(specification: Specification, entries: Mapping[str, Entry]) -> Specification:
    """The specification with these values, and without what they take the place of. An evaluator that is
    named is one that is used."""
    gone = [other for name, other in _RIVALS.items() if name in entries and other not in entries]
    changed = specification.without(*gone).with_entries(entries)
    named = entries.get("evaluator")
    if named and "strategy" not in entries and changed.value("workflow", "sft") == Workflow.SFT:
        changed = changed.with_entries({"strategy": Entry("evaluator", named.origin, named.words)})
    return changed


def _remedy(name: str) -> str:
    homes = " or ".join(show("workflow", each) for each in Workflow if each in FIELDS[name].workflows)
    return f"Leave it out, or run {homes}."
