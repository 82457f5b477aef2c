"""Whether what is said behind “because” gives a reason for a choice, or takes the choice back."""

from __future__ import annotations

from sessions.instructions.doubts import CORRECTIONS
from sessions.instructions.grammar import HEDGES, Match, Parse, grammar, parse
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind, tokenize
from sessions.specification import Context

PROMOTION = "promotion.grammar"
POLITE = {"polite", "praise"}  # acts that decide nothing
# What a reason must not hold: then it may be no reason, and the choice not meant.
HELD_BACK = HEDGES - words("comparing", PROMOTION) | CORRECTIONS | words("holding", PROMOTION)
FEWEST_WORDS = 2


def is_reason(text: str) -> bool:
    """Whether the words behind “because” can only be a reason, and take nothing back."""
    said = [token.norm for token in tokenize(text) if token.kind is not Kind.PUNCT]
    if len(said) < FEWEST_WORDS or HELD_BACK & {token.norm for token in tokenize(text)}:
        return False
    parsed = parse(text, grammar(PROMOTION, "reply.grammar"), Context())
    acts = [match for match in parsed.matches if match.rule.kind == "act" and match.rule.name not in POLITE]
    return all(_is_spoken_of(parsed, match) for match in acts)


def _is_spoken_of(parsed: Parse, match: Match) -> bool:
    """“candidate 1 overfits”: another candidate is named, and not taken."""
    tokens, bare = parsed.source.tokens, {"candidate", "the", "number", "config", "configuration"}
    goes_on = match.end < len(tokens) and tokens[match.end].kind is Kind.WORD
    return match.rule.name == "choose" and tokens[match.start].norm in bare and goes_on
