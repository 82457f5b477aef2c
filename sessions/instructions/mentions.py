"""Models that are spoken of beside one that is to be trained: they are not taken for base models.

“We have qwen3-32b in production; train qwen3-8b to replace it” asks for one model, and names two.
"""

from __future__ import annotations

from sessions.instructions.grammar import Match, Parse, is_glue
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind

TRAINING, ASKING, SPEAKING = words("training"), words("asking"), words("speaking")
SOURCES, WISHES = {"from", "by", "of", "against", "than"}, {"would", "i'd", "we'd"}
VERSIONS = {"version", "versions", "variant", "variants"}  # of a model: that model
ANEW = {"and", "then", "so", "now", "also"}  # what stands before these is another thing
CLAUSE_ENDS = {",", ":", ";", ".", "!", "?", "—", "–", "(", ")", "but"}


def is_mentioned(parse: Parse, match: Match) -> bool:
    """Whether a model is only spoken of, as far as can be told from the words around it."""
    if not _names_models(match):
        return False
    before = _before(parse, match)
    if _is_source(parse, match) or (before[-1:] == ["like"] and not WISHES & set(before)):
        return True
    others = [each for each in parse.matches if _names_models(each) and each.value != match.value]
    if not others or _is_asked_for(parse, match, TRAINING):
        return False
    if _has_unknown(parse, match):
        return True
    asked = any(_is_asked_for(parse, each, TRAINING | ASKING) for each in others)
    return asked and bool(SPEAKING & set(before))


def _names_models(match: Match) -> bool:
    return match.rule.kind == "value" and match.rule.name == "base_models"


def _before(parse: Parse, match: Match) -> list[str]:
    """The words that say nothing by themselves right before a model, in their order."""
    tokens, at = parse.source.tokens, match.start
    while at - 1 in parse.left and is_glue(tokens, at - 1) and not tokens[at].breaks:
        if tokens[at - 1].norm in ANEW:
            break
        at -= 1
    return [token.norm for token in tokens[at : match.start]]


def _is_asked_for(parse: Parse, match: Match, verbs: frozenset[str]) -> bool:
    """“train the qwen3-8b”, “SFT of qwen3-8b”: what asks for a training stands right before."""
    before = _before(parse, match)
    first = match.start - len(before)
    named = any(each.end == first and each.rule.name in {"workflow", "method"} for each in parse.matches)
    return named or (bool(verbs & set(before)) and not SPEAKING & set(before))


def _is_source(parse: Parse, match: Match) -> bool:
    """“responses come from qwen3-32b”, “the quality of qwen3-32b”: what it belongs to is not known."""
    tokens, at = parse.source.tokens, match.start - 1
    if at < 1 or at not in parse.left or tokens[at].norm not in SOURCES:
        return False
    return is_unknown(parse, at - 1) and tokens[at - 1].norm not in VERSIONS


def _has_unknown(parse: Parse, match: Match) -> bool:
    """Whether a word that nobody knows stands in the same clause."""
    tokens = parse.source.tokens
    for step, at in ((-1, match.start - 1), (1, match.end)):
        while 0 <= at < len(tokens) and not (at in parse.left and tokens[at].norm in CLAUSE_ENDS):
            if tokens[at if step > 0 else at + 1].breaks:
                break
            if is_unknown(parse, at):
                return True
            at += step
    return False


def is_unknown(parse: Parse, at: int) -> bool:
    """Whether nobody knows a word, so that it may turn what stands beside it; a last “too” does not."""
    tokens = parse.source.tokens
    if at not in parse.left or tokens[at].kind is not Kind.WORD or is_glue(tokens, at):
        return False
    closes = at + 1 == len(tokens) or tokens[at + 1].breaks or tokens[at + 1].kind is Kind.PUNCT
    return not (tokens[at].norm == "too" and closes)
