"""From what a person pressed or typed at a gate to a decision. Pages and the command line come through here.

Nothing that is not understood ever decides anything: it asks again and keeps what was entered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sessions import answers, objections, proposed
from sessions.actions import gates
from sessions.actions.gates import AlreadyDecided, Stale, Verdict
from sessions.entered import Entered, Kind, Outcome
from sessions.gatecard import Question, Typed, can_win, changeable, decided, inputs, questions
from sessions.instructions import Reply, ReplyKind, reply
from sessions.labelling import DROP, NEW, relabelled
from sessions.models import Candidate, Gate
from sessions.numbers import row_number
from sessions.specification import (
    FIELDS,
    CandidateConfig,
    Entry,
    Origin,
    Specification,
    read_form,
    show,
)
from sessions.states import Decision, GateKind

__all__ = ["Entered", "Kind", "Outcome", "act"]


def act(entered: Entered) -> Outcome:
    """Do what the pressed button says; the buttons need no grammar."""
    if not entered.gate.is_open:
        return Outcome(Kind.CLOSED, decided(entered.gate))
    name = entered.first("action") or "reply"
    if name not in ALLOWED[GateKind(entered.gate.kind)] | {"reply"}:
        text = "That cannot be done here. Use one of the buttons, or reply in words."
        return Outcome(Kind.AGAIN, text, Typed(entered.first("reply")))
    return ACTIONS[name](entered)


def say(entered: Entered) -> Outcome:
    """A typed reply. What is not understood to the last word decides nothing."""
    if not entered.first("reply"):
        return entered.again("Nothing was written.")
    heard = read(entered)
    match heard.kind:
        case ReplyKind.APPROVE:
            return approve(entered, knowingly=heard.unpriced)
        case ReplyKind.REJECT:
            return reject(entered)
        case ReplyKind.CHANGES if entered.gate.kind == GateKind.SPEND:
            return rebudget(entered, heard.entries)
        case ReplyKind.CHANGES:
            return request_changes(entered, heard.entries)
        case ReplyKind.CHOOSE:
            return promote(entered, heard.candidate, heard.reason or entered.first("reply"))
        case ReplyKind.ANSWER:
            return answered(entered, heard.entries)
        case ReplyKind.ASK:
            return told(entered, heard.topics)
        case _:
            return lost(entered, heard)


def lost(entered: Entered, heard: Reply) -> Outcome:
    """Asked again; the page may offer to have a model read the words."""
    return replace(entered.again(heard.words), heard=heard)


def read(entered: Entered) -> Reply:
    """The typed words as the grammar takes them at this gate."""
    gate = entered.gate
    return reply(
        entered.first("reply"),
        gate.kind,
        catalogue=entered.context.catalogue,
        candidates=offered(gate),
        account=entered.context.account,
        datasets=entered.context.datasets,
        served=entered.context.served,
        asked=asked(gate),
        current=planned(gate),
    )


def told(entered: Entered, topics: tuple[str, ...]) -> Outcome:
    """A question is answered from rows; what else was entered stays as it is."""
    found = answers.answer(entered.gate, topics)
    kind = Kind.MODELS if topics == ("models",) else Kind.TOLD
    form = {name: values for name, values in entered.form.items() if name != "reply"}
    return Outcome(kind, found.text, Typed("", form, {}, entered.first("action")), found.lines)


def offered(gate: Gate) -> list[CandidateConfig]:
    """The candidates that a reply can name by number: those that can win, or those of the plan."""
    if gate.kind == GateKind.PROMOTION:
        return [configuration(each) for each in finished(gate)]
    return [CandidateConfig.from_json(each) for each in gate.plan.body["candidates"]] if gate.plan else []


def finished(gate: Gate) -> list[Candidate]:
    """The candidates that can win."""
    ranked = {each["number"] for each in gate.body.get("ranking", ())}
    return [each for each in Candidate.objects.filter(session=gate.session) if can_win(each, ranked)]


def configuration(each: Candidate) -> CandidateConfig:
    return CandidateConfig(
        each.number, each.base_model, each.lora_rank, each.learning_rate, each.epochs, each.beta
    )


def asked(gate: Gate) -> list[str]:
    """The fields that a questions gate asks for."""
    return [question["field"] for question in gate.body.get("questions", [])]


def settle(entered: Entered, verdict: Verdict, facts: str = "") -> Outcome:
    """Hand the verdict over; the gate itself knows whether it is still open.

    `facts` are answers in words: with them questions may be left, and the gate stays open.
    """
    try:
        if facts:
            left = gates.take_answers(entered.gate, entered.actor, verdict, facts, entered.now)
            if left:
                return kept(facts, left)
        else:
            gates.decide(entered.gate, entered.actor, verdict, entered.now)
    except AlreadyDecided as late:
        return Outcome(Kind.CLOSED, decided(late.gate), entered.typed())
    except Stale as stale:
        return Outcome(Kind.STALE, str(stale), entered.typed())
    return Outcome(Kind.DECIDED, DONE[verdict.decision])


def approve(entered: Entered, *, knowingly: bool = False) -> Outcome:
    """The plan as it was seen, the suggested winner, more money, or another try."""
    if entered.gate.kind == GateKind.PROMOTION:
        return promote(entered, entered.gate.body.get("suggested"), entered.first("reply"))
    if beyond := objections.beyond_budget(entered.gate):
        return entered.again(beyond)
    if not knowingly and (unpriced := objections.not_calculated(entered.gate)):
        return entered.again(unpriced)
    verdict = Verdict(Decision.APPROVED, entered.first("reply"), plan_digest=entered.first("plan_digest"))
    return settle(entered, verdict)


def reject(entered: Entered) -> Outcome:
    return settle(entered, Verdict(Decision.REJECTED, entered.first("reply")))


def choose(entered: Entered) -> Outcome:
    """Another candidate than the suggested one, with a reason."""
    number = row_number(entered.first("candidate"))
    if number is None:
        return entered.again("Choose a candidate first.", {"candidate": "Choose a candidate."})
    reason = entered.first("reason")
    if number != entered.gate.body.get("suggested") and not reason:
        missing = "Say in a few words why; the report keeps it."
        return entered.again("A reason is missing.", {"reason": missing})
    return promote(entered, number, reason)


def promote(entered: Entered, number: Any, reason: str) -> Outcome:
    """Confirm a candidate by its number as the winner."""
    winner = next((each for each in finished(entered.gate) if each.number == number), None)
    if winner is None:
        return entered.again(
            f"Candidate {number} cannot win: it did not finish.", {"candidate": "Choose another candidate."}
        )
    answer = {"candidate": winner.pk, "number": winner.number, "reason": reason}
    return settle(entered, Verdict(Decision.APPROVED, entered.first("reply"), answer))


def change(entered: Entered) -> Outcome:
    """What was changed in the small form, and what was typed; the words win where both name a value."""
    fields = changeable(planned(entered.gate))
    given = {name: values[0] for name, values in entered.form.items() if name in fields and values}
    unchanged = {each.name: each.text for each in inputs(planned(entered.gate), Typed())}
    if {NEW, DROP} & entered.form.keys() and entered.gate.plan:
        standing = unchanged["label_changes"]
        given["label_changes"] = relabelled(entered.form, entered.gate.plan.body, standing)
    reading = read_form(
        {name: text for name, text in given.items() if text.strip() != unchanged[name]}, entered.context
    )
    faults = {error.field: f"{error.fault} {error.remedy}" for error in reading.errors}
    if faults:
        return entered.again("Something in the form cannot be taken yet.", faults)
    entries = reading.entries
    if entered.first("reply"):
        heard = read(entered)
        if heard.kind == ReplyKind.ASK:
            return told(entered, heard.topics)
        if heard.kind != ReplyKind.CHANGES:
            return lost(entered, heard)
        entries = entries | heard.entries
    if not entries:
        return entered.again("Nothing is changed yet. Say what should be different.")
    return request_changes(entered, entries)


def request_changes(entered: Entered, entries: dict[str, Entry]) -> Outcome:
    """Send the plan back with another specification; the next revision is worked out from it."""
    if wrong := objections.to_values(entered.gate.session, entries):
        return entered.again(wrong)
    entries = added(entered.gate, entries)
    return settle(entered, Verdict(Decision.CHANGES, entered.first("reply"), entries=entries))


def added(gate: Gate, entries: dict[str, Entry]) -> dict[str, Entry]:
    """Changes of labels that are said come after those that stand; the form, and the answer to a question
    about them, replace them."""
    said, standing = entries.get("label_changes"), gate.session.specification.entry("label_changes")
    if said is None or standing is None or said.origin == Origin.FORM or "label_changes" in asked(gate):
        return entries
    return {**entries, "label_changes": Entry((*standing.value, *said.value), said.origin, said.words)}


def rebudget(entered: Entered, entries: dict[str, Entry]) -> Outcome:
    """Another budget where more money is asked for; the question stays open."""
    budget = show("budget", entries["budget"].value)
    try:
        gates.keep(entered.gate, entered.actor, entries, f"set the budget to {budget}")
    except AlreadyDecided as late:
        return Outcome(Kind.CLOSED, decided(late.gate), entered.typed())
    return Outcome(Kind.KEPT, f"The budget is {budget} now. The new amount still waits for your approval.")


def planned(gate: Gate) -> Specification:
    """The resolved specification that the form of changes was filled with."""
    body = gate.plan.body if gate.plan else {}
    resolved = Specification.from_json(body.get("specification") or {})
    return resolved.with_entries(gate.session.specification.entries)


def answer(entered: Entered) -> Outcome:
    """All questions of the page at once."""
    given = {question.field: chosen(question) for question in questions(entered.gate.body, entered.typed())}
    reading = read_form(given, entered.context)
    faults = {name: "This one has no answer yet." for name in given if not given[name].strip()}
    faults |= {error.field: f"{error.fault} {error.remedy}" for error in reading.errors}
    if faults:
        return entered.again("Not every question has an answer yet.", faults)
    return answered(entered, reading.entries)


def chosen(question: Question) -> str:
    """The answer of one question as text: what was written, else what was picked."""
    picked = [choice.value for choice in question.choices if choice.chosen]
    return question.typed.strip() or "\n".join(picked)


def answered(entered: Entered, entries: dict[str, Entry]) -> Outcome:
    """Take the answers into the specification, named as answers. What is still open keeps the gate open."""
    if asked(entered.gate) == ["review_pairs"] and "review_pairs" not in entries:
        entries = {**entries, "review_pairs": Entry("change", Origin.ANSWER, entered.first("reply"))}
    if wrong := objections.to_values(entered.gate.session, entries):
        return entered.again(wrong)
    said = {name: as_answer(entry) for name, entry in added(entered.gate, entries).items()}
    facts = "; ".join(
        f"{FIELDS[name].label.lower()}: {show(name, entry.value)}" for name, entry in said.items()
    )
    values = {name: entry.to_json()["value"] for name, entry in said.items()}
    verdict = Verdict(Decision.ANSWERED, entered.first("reply"), values, entries=said)
    return settle(entered, verdict, facts)


def as_answer(entry: Entry) -> Entry:
    """A value as an answer; one that a model proposed stays known as that."""
    return entry if entry.origin == Origin.PROPOSED else Entry(entry.value, Origin.ANSWER, entry.words)


def taken(entered: Entered, entries: dict[str, Entry]) -> Outcome:
    """Values that a model proposed and a person ticked do what the same words do when they are typed."""
    return (request_changes if entered.gate.kind == GateKind.PLAN else answered)(entered, entries)


def kept(facts: str, left: list[dict[str, Any]]) -> Outcome:
    """What was answered is kept, and the rest is asked for; nothing is decided yet."""
    count = "One question is" if len(left) == 1 else f"{len(left)} questions are"
    text = f"Kept: {facts}. {count} still open."
    return Outcome(Kind.KEPT, text, lines=tuple(each["text"] for each in left))


DONE = {
    Decision.APPROVED: "Approved. The portal goes on.",
    Decision.CHANGES: "Your changes are taken. The plan is worked out again and shown here.",
    Decision.REJECTED: "Rejected. The session stops and a report is written.",
    Decision.ANSWERED: "Thank you. The portal goes on.",
}
ACTIONS: dict[str, Callable[[Entered], Outcome]] = {
    "approve": approve,
    "changes": change,
    "reject": reject,
    "answer": answer,
    "choose": choose,
    "reply": say,
    "propose": lambda entered: proposed.propose(entered, read),
    "take": lambda entered: proposed.take(entered, planned(entered.gate), taken),
    "discard": proposed.discard,
}
READING = {"propose", "take", "discard"}
ALLOWED = {
    GateKind.QUESTIONS: {"answer", "reject", *READING},
    GateKind.PLAN: {"approve", "changes", "reject", *READING},
    GateKind.PROMOTION: {"approve", "choose", "reject"},
    GateKind.SPEND: {"approve", "reject"},
    GateKind.TROUBLE: {"approve", "reject"},
}
