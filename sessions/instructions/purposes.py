"""Settings of the whole run that are asked for with a narrower purpose: they are not what was meant.

“Set aside 1000 samples for the sweep” holds nothing out, “2 candidates for each base model” is no limit to
all of them, and “3 epochs for qwen3-8b” says nothing of the other model.
"""

from __future__ import annotations

from collections.abc import Iterator

from sessions.instructions.grammar import Match, Parse, is_glue
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind

# Words that a purpose begins with, those that end it, and the purposes that are the setting's own.
PURPOSE, AFTER_PURPOSE = words("purpose"), words("after-purpose")
WHOLE_RUN = words("whole-run")
TRAINED = WHOLE_RUN | words("trained")
OWN: dict[str, frozenset[str]] = {
    "test_share": words("of-data"),
    "heldout_rows": words("of-data"),
    "budget": WHOLE_RUN,
    "max_candidates": TRAINED - words("one-by-one"),
    "parallel_jobs": TRAINED - words("one-by-one"),
    "tuning_samples": TRAINED,
    "epochs": TRAINED - words("tuned"),
}
GLOBAL = frozenset(OWN) - {"epochs", "tuning_samples"}  # one value for all, so “each” does not go with them
JOINING = {"for", "with", "on", "at", "of", "only", "just", ":", "use", "using", "("}


def has_other_purpose(parse: Parse, match: Match) -> bool:
    """Whether a purpose that is not the setting's own stands right behind it."""
    tokens, at = parse.source.tokens, match.end
    if match.rule.kind != "value" or match.rule.name not in OWN or at not in parse.left:
        return False
    if tokens[at].norm not in PURPOSE or tokens[at].breaks:
        return False
    return any(word not in OWN[match.rule.name] for word in _purpose(parse, at + 1))


def _purpose(parse: Parse, at: int) -> Iterator[str]:
    """The words of a purpose; the first one that nobody knows is the last."""
    tokens = parse.source.tokens
    while at < len(tokens) and at in parse.left and not tokens[at].breaks:
        if tokens[at].kind is Kind.PUNCT or tokens[at].norm in AFTER_PURPOSE:
            return
        yield tokens[at].norm
        if not is_glue(tokens, at):
            return
        at += 1


def is_for_each(parse: Parse, sentence: tuple[int, int], match: Match) -> bool:
    """“For each base model, 2 candidates”: said of each, and there is but one for all."""
    tokens = parse.source.tokens
    each = any(sentence[0] <= at < sentence[1] and tokens[at].norm == "each" for at in parse.left)
    return match.rule.kind == "value" and match.rule.name in GLOBAL and each


def is_for_some_models(parse: Parse, match: Match) -> bool:
    """“3 epochs for qwen3-8b” where another model is named as well, or stands in the plan."""
    if match.rule.kind != "value" or match.rule.name in SETS_MODELS:
        return False
    every = {name for each in parse.matches if _names_models(each) for name in _names(each)}
    every |= set(parse.source.current.value("base_models", ()))
    beside = (each for each in parse.matches if _names_models(each) and _joined(parse, match, each))
    return any(set(_names(each)) != every for each in beside)


SETS_MODELS = {"base_models", "dataset", "evaluation_dataset", "workflow", "method"}


def _names_models(match: Match) -> bool:
    return match.rule.kind == "value" and match.rule.name == "base_models"


def _names(match: Match) -> tuple[str, ...]:
    return match.value if isinstance(match.value, tuple) else (match.value,)


def _joined(parse: Parse, setting: Match, model: Match) -> bool:
    """Whether only joining words stand between a setting and a model: `for`, `with`, `only for`."""
    first, last = sorted((setting, model), key=lambda match: match.start)
    between = range(first.end, last.start)
    tokens = parse.source.tokens
    joining = all(at in parse.left and tokens[at].norm in JOINING for at in between)
    return joining and not any(tokens[at].breaks for at in (*between, last.start)) and len(between) > 0
