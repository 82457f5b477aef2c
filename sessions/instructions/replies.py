"""A typed reply at a gate: what it decides. One not understood to the last word approves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sessions.instructions.doubts import withdrawn
from sessions.instructions.grammar import Match, Parse, grammar, parse
from sessions.instructions.reading import LONGEST_TEXT, Reading, reading_of
from sessions.instructions.terms import identifier
from sessions.instructions.tokens import Kind
from sessions.specification import FIELDS, CandidateConfig, Context, Entry, FieldError, ModelName, Origin

# What may stand between the phrases of a reply that decides; anything else makes it ask again.
CONNECTING = frozenset({"and", "then", "so"})
SMALL_WORDS = CONNECTING | {"please", "now"}
SMALL_SIGNS = frozenset(",.!\"'`-–—")
AGREEING = {"approve", "proceed", "yes"}

ACCEPTED = {
    "questions": "Answer in plain words, for example “qwen3-8b”, or write “cancel”.",
    "plan": "Write “Approved, proceed.”, say what to change, or write “reject”.",
    "promotion": "Write “Proceed with the winning config.”, or “use candidate 2 instead”, or “cancel”.",
    "spend": "Write “Approved, proceed.” or “reject”.",
    "trouble": "Write “try again” or “cancel”.",
}


class ReplyKind(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"
    REJECT = "reject"
    CHOOSE = "choose"
    ANSWER = "answer"
    ASK_MODELS = "ask_models"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True)
class Reply:
    """`approve` at the promotion gate confirms the suggested winner; `choose` names another `candidate`.

    `words` is one sentence for the person: how the reply was taken, or why it was not.
    """

    kind: ReplyKind
    words: str
    entries: dict[str, Entry] = field(default_factory=dict)
    candidate: int | None = None
    reading: Reading = field(default_factory=lambda: Reading(""))

    def to_json(self) -> dict[str, Any]:
        entries = {name: entry.to_json() for name, entry in self.entries.items()}
        parts = {"kind": str(self.kind), "words": self.words, "candidate": self.candidate}
        return {**parts, "entries": entries, "reading": self.reading.to_json()}


@dataclass(frozen=True)
class _Heard:
    """A reply taken apart: its acts, the numbers chosen, its values, and whether every word is covered."""

    acts: frozenset[str]
    chosen: frozenset[Any]
    reading: Reading
    exact: bool


def reply(
    text: str,
    gate_kind: str,
    *,
    catalogue: Sequence[ModelName] = (),
    candidates: Sequence[CandidateConfig] = (),
    account: str = "",
    asked: Sequence[str] = (),
) -> Reply:
    """What a typed reply does at a gate (questions, plan, promotion, spend, trouble).

    `candidates` are those that may be chosen at the promotion gate; `asked` the fields that a questions
    gate asks for, so that a bare name can answer.
    """
    if len(text) > LONGEST_TEXT:
        words = f"The reply has {len(text):,} characters; use {LONGEST_TEXT:,} at the most."
        return Reply(ReplyKind.NOT_UNDERSTOOD, words)
    parsed = parse(text, grammar("reply.grammar"), Context(catalogue, account))
    heard = _hear(parsed, Origin.ANSWER)
    if "ask_models" in heard.acts and len(heard.acts) == 1 and not heard.reading.entries:
        return Reply(
            ReplyKind.ASK_MODELS, "The supported base models are listed below.", reading=heard.reading
        )
    if gate_kind == "questions" and "dataset" in asked and (bare := _bare_dataset(parsed)):
        return Reply(ReplyKind.ANSWER, "Answered.", {"dataset": bare}, reading=heard.reading)
    if not heard.reading.complete:
        return _not_understood(heard.reading, gate_kind)
    if heard.reading.entries:
        return _values(heard, gate_kind)
    return _decision(heard, gate_kind, candidates)


def _hear(parsed: Parse, origin: Origin) -> _Heard:
    doubtful = withdrawn(parsed)
    acts = [match for match in parsed.matches if match.rule.kind == "act" and match not in doubtful]
    names = frozenset(match.rule.name for match in acts) - {"polite"}
    chosen = frozenset(match.value for match in acts if match.rule.name == "choose")
    return _Heard(names, chosen, reading_of(parsed, origin), _exact(parsed, acts))


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
    """A reply that is one bare id and nothing else."""
    tokens = parsed.source.tokens
    if not tokens:
        return None
    for end, value in identifier(parsed.source, 0):
        if all(token.norm in SMALL_SIGNS for token in tokens[end:]):
            try:
                name = FIELDS["dataset"].check(value, parsed.source.context)
            except FieldError:
                return None
            return Entry(name, Origin.ANSWER, value)
    return None


def _values(heard: _Heard, gate_kind: str) -> Reply:
    """A reply that sets values. It never approves, even when it says so as well."""
    kinds = {"questions": ReplyKind.ANSWER, "plan": ReplyKind.CHANGES}
    if gate_kind in kinds and heard.acts <= AGREEING | {"no"}:
        words = "Answered." if gate_kind == "questions" else "The plan will be made anew with these changes."
        return Reply(kinds[gate_kind], words, heard.reading.entries, reading=heard.reading)
    return _not_understood(heard.reading, gate_kind)


def _decision(heard: _Heard, gate_kind: str, candidates: Sequence[CandidateConfig]) -> Reply:
    if not heard.exact:
        return _not_understood(heard.reading, gate_kind)
    if gate_kind == "promotion" and "choose" in heard.acts:
        return _choice(heard, candidates)
    if _rejects(heard.acts, gate_kind):
        return Reply(ReplyKind.REJECT, "Rejected.", reading=heard.reading)
    if _approves(heard.acts, gate_kind):
        return Reply(ReplyKind.APPROVE, "Approved.", reading=heard.reading)
    return _not_understood(heard.reading, gate_kind)


def _approves(acts: frozenset[str], gate_kind: str) -> bool:
    """Which acts, all of them understood, mean yes at which gate."""
    if gate_kind in {"plan", "spend"}:
        return bool(acts) and acts <= AGREEING
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
    numbers = {candidate.number for candidate in candidates}
    if len(heard.chosen) != 1 or not heard.acts <= AGREEING | {"choose", "no"}:
        return _not_understood(heard.reading, "promotion")
    (number,) = heard.chosen
    if number not in numbers:
        listed = ", ".join(str(each) for each in sorted(numbers)) or "none"
        words = f"There is no candidate {number}. Choose one of: {listed}."
        return Reply(ReplyKind.NOT_UNDERSTOOD, words, reading=heard.reading)
    words = f"Candidate {number} is promoted."
    return Reply(ReplyKind.CHOOSE, words, candidate=int(number), reading=heard.reading)


def _not_understood(reading: Reading, gate_kind: str) -> Reply:
    what = " ".join(str(error) for error in reading.errors)
    if reading.not_understood:
        lost = ", ".join(f"“{span.text}”" for span in reading.not_understood)
        what = f"Not understood: {lost}. {what}".strip()
    words = f"{what} {ACCEPTED.get(gate_kind, '')}".strip()
    return Reply(ReplyKind.NOT_UNDERSTOOD, words, reading=reading)
