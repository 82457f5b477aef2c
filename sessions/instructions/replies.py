"""A typed reply at a gate: what it decides. One not understood to the last word approves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sessions.instructions.doubts import CORRECTIONS, withdrawn
from sessions.instructions.edits import edited
from sessions.instructions.grammar import HEDGES, Match, Parse, grammar, is_glue, parse
from sessions.instructions.reading import LONGEST_TEXT, Reading, reading_of
from sessions.instructions.reasons import POLITE, is_reason
from sessions.instructions.tokens import Kind, glued_run, text_of
from sessions.specification import (
    FIELDS,
    CandidateConfig,
    Context,
    Entry,
    FieldError,
    ModelName,
    Origin,
    Specification,
)

# What may stand between the phrases of a reply that decides; anything else makes it ask again.
CONNECTING = frozenset({"and", "then", "so"})
SMALL_WORDS = CONNECTING | {"please", "now"}
SMALL_SIGNS = frozenset(",.!\"'`-–—")
# Fields that are answered by a sentence in the person's own words.
FREE_TEXT, FEWEST_WORDS = {"criterion", "rubric"}, 3
AGREEING = {"approve", "proceed", "yes"}
OWN_GATES = {"plan", "promotion"}  # those with phrases of their own
HARMLESS = POLITE | {"yes", "no"}  # acts that a sentence about answers may name

ACCEPTED = {
    "questions": "Answer in plain words, for example “qwen3-8b”, or write “cancel”.",
    "plan": "Write “Approved, proceed.”, say what to change, or write “reject”.",
    "promotion": "Write “Proceed with the winning config.”, or “use candidate 2 because …”, or “cancel”.",
    "spend": "Write “Approved, proceed.” or “reject”.",
    "trouble": "Write “try again” or “cancel”.",
}

VALUES_TAKEN = {
    "questions": "Answered.",
    "plan": "The plan will be made anew with these changes.",
    "spend": "The budget is changed.",
}


class ReplyKind(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"
    REJECT = "reject"
    CHOOSE = "choose"
    ANSWER = "answer"
    ASK = "ask"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True)
class Reply:
    """`approve` at the promotion gate confirms the suggested winner; `choose` names another `candidate`.

    `words` is one sentence for the person: how the reply was taken, or why it was not. `topics` are what
    a question asks for (`models`, `cost`, `next`, …), `reason` why another candidate was chosen, `unpriced`
    that lines without a price are approved knowingly.
    """

    kind: ReplyKind
    words: str
    entries: dict[str, Entry] = field(default_factory=dict)
    candidate: int | None = None
    reason: str = ""
    unpriced: bool = False
    topics: tuple[str, ...] = ()
    reading: Reading = field(default_factory=lambda: Reading(""))

    def to_json(self) -> dict[str, Any]:
        entries = {name: entry.to_json() for name, entry in self.entries.items()}
        parts = {"kind": str(self.kind), "words": self.words, "candidate": self.candidate}
        more = {"reason": self.reason, "topics": list(self.topics)}
        return {**parts, **more, "entries": entries, "reading": self.reading.to_json()}


@dataclass(frozen=True)
class _Heard:
    """A reply taken apart: its acts in their order, its questions, its values, whether every word is covered.

    `late_no` is True when a “no” stands behind something else: it may take that back.
    """

    said: tuple[Match, ...]
    late_no: bool
    topics: tuple[str, ...]
    reading: Reading
    exact: bool

    @property
    def acts(self) -> frozenset[str]:
        """What decides, or could."""
        return frozenset(match.rule.name for match in self.said) - POLITE

    @property
    def chosen(self) -> tuple[Match, ...]:
        return tuple(match for match in self.said if match.rule.name.split(" ")[0] in {"choose", "pick"})

    @property
    def praised(self) -> bool:
        return any(match.rule.name == "praise" for match in self.said)


def reply(
    text: str,
    gate_kind: str,
    *,
    catalogue: Sequence[ModelName] = (),
    candidates: Sequence[CandidateConfig] = (),
    account: str = "",
    datasets: Sequence[str] = (),
    served: Sequence[ModelName] = (),
    asked: Sequence[str] = (),
    current: Specification | None = None,
) -> Reply:
    """What a typed reply does at a gate (questions, plan, promotion, spend, trouble).

    `candidates` are those that may be chosen at the promotion gate, or those of the plan; `asked` the
    fields that a questions gate asks for, so that a bare name can answer; `current` what stands now, so
    that it can be edited.
    """
    if len(text) > LONGEST_TEXT:
        words = f"The reply has {len(text):,} characters; use {LONGEST_TEXT:,} at the most."
        return Reply(ReplyKind.NOT_UNDERSTOOD, words)
    own = (f"{gate_kind}.grammar",) if gate_kind in OWN_GATES else ()
    context = Context(catalogue, account, datasets, served)
    parsed = parse(text, grammar(*own, "reply.grammar"), context, current)
    heard = _hear(parsed, candidates)
    if gate_kind == "questions" and "dataset" in asked and (bare := _bare_dataset(parsed)):
        return Reply(ReplyKind.ANSWER, "Answered.", {"dataset": bare}, reading=heard.reading)
    if gate_kind == "questions" and (free := _free_text(parsed, heard, asked)):
        return Reply(ReplyKind.ANSWER, "Answered.", free, reading=heard.reading)
    if heard.topics and not heard.reading.entries:
        return Reply(ReplyKind.ASK, "", topics=heard.topics, reading=heard.reading)
    if not heard.reading.complete or heard.topics:
        return _not_understood(heard.reading, gate_kind, several=bool(heard.topics))
    if heard.reading.entries:
        return _values(heard, gate_kind)
    if gate_kind == "questions" and (taken := _agreed(heard, asked, text)):
        return taken
    return _decision(heard, gate_kind, candidates)


def _hear(parsed: Parse, candidates: Sequence[CandidateConfig]) -> _Heard:
    doubtful = withdrawn(parsed)
    kept = [match for match in parsed.matches if match not in doubtful]
    acts = [match for match in kept if match.rule.kind == "act"]
    weighty = [match.rule.name for match in kept if match.rule.name not in POLITE]
    topics = tuple(dict.fromkeys(match.rule.name for match in kept if match.rule.kind == "ask"))
    reading = _edited(parsed, [match for match in kept if match.rule.kind == "edit"], candidates)
    return _Heard(tuple(acts), "no" in weighty[1:], topics, reading, _exact(parsed, acts))


def _edited(parsed: Parse, edits: list[Match], candidates: Sequence[CandidateConfig]) -> Reading:
    """The values said, and those that edits make of what stands now."""
    reading = reading_of(parsed, Origin.ANSWER)
    try:
        changed = edited(parsed, edits, candidates)
    except FieldError as fault:
        return replace(reading, errors=(*reading.errors, fault))
    both = sorted(set(changed) & set(reading.entries))
    faults = [
        FieldError(name, f"{FIELDS[name].label}: said twice, in different ways.", "Say it once.")
        for name in both
    ]
    return replace(reading, entries={**reading.entries, **changed}, errors=(*reading.errors, *faults))


def _exact(parsed: Parse, acts: Sequence[Match]) -> bool:
    """True when nothing but acts, small words and plain punctuation was written."""
    for at in parsed.left:
        token = parsed.source.tokens[at]
        small = SMALL_WORDS if token.kind is Kind.WORD else SMALL_SIGNS
        if token.norm not in small:
            return False
    words = [token.norm for token in parsed.source.tokens if token.kind is not Kind.PUNCT]
    breaks_off = bool(words) and words[-1] in CONNECTING
    return len(acts) == len(parsed.matches) and not breaks_off


def _bare_dataset(parsed: Parse) -> Entry | None:
    """A reply that is one bare id that no phrase understands, and nothing else."""
    tokens = parsed.source.tokens
    if not tokens or parsed.matches or tokens[0].kind is not Kind.WORD or is_glue(tokens, 0):
        return None
    end = glued_run(tokens, 0)
    if any(token.norm not in SMALL_SIGNS for token in tokens[end:]):
        return None
    written = text_of(tokens, 0, end, parsed.source.text)
    listed = {name.rsplit("/", 1)[-1] for name in parsed.source.context.datasets}
    plain = tokens[0].norm in HEDGES | CORRECTIONS or (listed and written.isalpha())
    if plain and written.lower() not in listed:
        return None  # a word of the language, and none of the datasets there are
    try:
        name = FIELDS["dataset"].check(written, parsed.source.context)
    except FieldError:
        return None
    return Entry(name, Origin.ANSWER, written)


def _free_text(parsed: Parse, heard: _Heard, asked: Sequence[str]) -> dict[str, Entry]:
    """The answer to a question that wants a sentence: a reply in which nothing else was understood.

    A sentence that withdraws an act, “please wait until tomorrow”, is no answer either.
    """
    name = next((each for each in asked if each in FREE_TEXT), "")
    text = parsed.source.text.strip()
    acts = {match.rule.name for match in parsed.matches if match.rule.kind == "act"} - HARMLESS
    taken_back = CORRECTIONS & {token.norm for token in parsed.source.tokens}
    said = any((heard.reading.entries, heard.reading.errors, heard.acts, heard.topics, acts, taken_back))
    if not name or said or len(text.split()) < FEWEST_WORDS or text.endswith("?"):
        return {}
    return {name: Entry(FIELDS[name].check(text, parsed.source.context), Origin.ANSWER, text)}


def _agreed(heard: _Heard, asked: Sequence[str], text: str) -> Reply | None:
    """“Approved, proceed.” where the only question is whether to go on with the pairs that were made."""
    if list(asked) != ["review_pairs"] or not heard.exact or not heard.acts:
        return None
    if heard.acts <= AGREEING:
        entries = {"review_pairs": Entry("train", Origin.ANSWER, text)}
        return Reply(ReplyKind.ANSWER, "Answered.", entries, reading=heard.reading)
    return None


def _values(heard: _Heard, gate_kind: str) -> Reply:
    """A reply that sets values. It never approves, even when it says so as well."""
    kinds = {"questions": ReplyKind.ANSWER, "plan": ReplyKind.CHANGES}
    if set(heard.reading.entries) == {"budget"}:
        kinds["spend"] = ReplyKind.CHANGES
    if gate_kind in kinds and heard.acts <= AGREEING | {"no", "unsure"} and not heard.late_no:
        words = VALUES_TAKEN[gate_kind]
        return Reply(kinds[gate_kind], words, heard.reading.entries, reading=heard.reading)
    return _not_understood(heard.reading, gate_kind)


def _decision(heard: _Heard, gate_kind: str, candidates: Sequence[CandidateConfig]) -> Reply:
    if not heard.exact:
        return _not_understood(heard.reading, gate_kind)
    if gate_kind == "promotion" and heard.chosen:
        return _choice(heard, candidates)
    if heard.praised and "no" in heard.acts:
        return _not_understood(heard.reading, gate_kind)  # “no, looks good”: no to what?
    if _rejects(heard.acts, gate_kind):
        return Reply(ReplyKind.REJECT, "Rejected.", reading=heard.reading)
    if _approves(heard.acts, gate_kind):
        unpriced = "unpriced" in heard.acts
        return Reply(ReplyKind.APPROVE, "Approved.", unpriced=unpriced, reading=heard.reading)
    return _not_understood(heard.reading, gate_kind)


def _approves(acts: frozenset[str], gate_kind: str) -> bool:
    """Which acts, all of them understood, mean yes at which gate."""
    if gate_kind in {"plan", "spend"}:
        return bool(acts & AGREEING) and acts <= AGREEING | {"unpriced"}
    if gate_kind == "trouble":
        return bool(acts) and acts <= AGREEING | {"retry"}
    if gate_kind == "promotion":
        return acts == {"yes"} or ("confirm" in acts and acts <= AGREEING | {"confirm"})
    return False


def _rejects(acts: frozenset[str], gate_kind: str) -> bool:
    """A bare “no” ends nothing where it could answer something else."""
    plain_no = gate_kind in {"plan", "spend", "trouble"}
    return bool(acts) and acts <= {"reject", "no"} and ("reject" in acts or plain_no)


def _choice(heard: _Heard, candidates: Sequence[CandidateConfig]) -> Reply:
    """Another candidate, by its number or by what it alone has."""
    picking = {match.rule.name for match in heard.chosen}
    meant = {_meant(match, candidates) for match in heard.chosen}
    if len(meant) != 1 or not heard.acts <= AGREEING | picking | {"no"} or heard.late_no:
        return _not_understood(heard.reading, "promotion")
    numbers = meant.pop()
    if len(numbers) != 1:
        listed = ", ".join(str(each.number) for each in candidates) or "none"
        words = f"{_unclear(heard.chosen[0], numbers)} Choose one of: {listed}."
        return Reply(ReplyKind.NOT_UNDERSTOOD, words, reading=heard.reading)
    reasons = [match.captures[1] for match in heard.chosen if len(match.captures) > 1]
    if not all(map(is_reason, reasons)):
        return _not_understood(heard.reading, "promotion")
    reason = next(iter(reasons), "")
    return Reply(
        ReplyKind.CHOOSE,
        f"Candidate {numbers[0]} is promoted.",
        candidate=numbers[0],
        reason=reason.strip(" .!"),
        reading=heard.reading,
    )


def _unclear(match: Match, numbers: tuple[int, ...]) -> str:
    """Why a choice names no candidate, or several."""
    if numbers:
        return f"That could be candidate {' or '.join(map(str, numbers))}."
    if match.rule.name == "choose":
        return f"Candidate {match.captures[0]} is none that can be chosen."
    return "None has that."


def _meant(match: Match, candidates: Sequence[CandidateConfig]) -> tuple[int, ...]:
    """The numbers of the candidates that a phrase can mean."""
    wanted, attribute = match.captures[0], match.rule.name.removeprefix("choose").removeprefix("pick ")
    names = wanted if isinstance(wanted, tuple) else (wanted,)
    return tuple(each.number for each in candidates if getattr(each, attribute or "number") in names)


def _not_understood(reading: Reading, gate_kind: str, *, several: bool = False) -> Reply:
    what = " ".join(str(error) for error in reading.errors)
    if reading.not_understood:
        lost = ", ".join(f"“{span.text}”" for span in reading.not_understood)
        what = f"Not understood: {lost}. {what}".strip()
    if several:
        what = f"{what} Ask, or say what to change: one of the two at a time.".strip()
    words = f"{what} {ACCEPTED.get(gate_kind, '')}".strip()
    return Reply(ReplyKind.NOT_UNDERSTOOD, words, reading=reading)
