"""What must not be taken though a phrase matched: near a negation, a doubt, a bound, a question.

A wrong reading is worse than none, so what stands near such a word, unless a phrase covers the word
itself, is given back as not understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sessions.instructions.grammar import HEDGES, Match, Parse, is_glue
from sessions.instructions.mentions import is_mentioned, is_unknown
from sessions.instructions.purposes import has_other_purpose, is_for_each, is_for_some_models
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind, Token

REQUESTS, OPENERS = words("requests"), words("openers")
SENTENCE_ENDS, SEGMENT_ENDS = {".", "!", "?", ";"}, {",", ":", "—", "–", "(", ")", "but"}
GREETINGS = {"hi", "hello", "hey", "ok", "okay", ",", "so", "and", "now", "-", "–", "—"}
CORRECTIONS = words("corrections")
# What names itself: a stray number or an unknown neighbour does not change what it says.
NAMES = {"workflow", "method", "dataset", "evaluation_dataset", "base_models", "strategy", "evaluator"}
NAMES |= {"labels", "rubric", "criterion", "title"}

ARTICLES = {"the", "a", "an", "my", "our", "this"}
SPOKEN_OF = {"base_models", "dataset"}

Range = tuple[int, int]


def withdrawn(parse: Parse) -> frozenset[Match]:
    """The matches that are not to be taken."""
    taken_back: set[Match] = set()
    before: list[Match] = []
    for sentence in _pieces(parse, 0, len(parse.source.tokens), SENTENCE_ENDS):
        inside = [match for match in parse.matches if sentence[0] <= match.start < sentence[1]]
        doubtful = list(_doubtful(parse, sentence, inside))
        stray = _has_stray_number(parse, sentence, inside)
        for match in inside:
            covered = any(first <= match.start < last for first, last in doubtful)
            unsure = _is_setting(match) and (stray or _beside_unknown(parse, match))
            unsure = unsure or is_for_each(parse, sentence, match)
            if covered or unsure or any(doubt(parse, match) for doubt in DOUBTS):
                taken_back.add(match)
        if any(takes_back(parse, sentence) for takes_back in TAKING_BACK):
            taken_back.update(inside, before)
        before = inside or before
    return frozenset(taken_back | _for_some_models(parse, taken_back))


def _for_some_models(parse: Parse, taken_back: set[Match]) -> set[Match]:
    """Settings of some models only. “3 epochs for A, 5 epochs for B” is left: it is a fault of its own."""
    kept = [match for match in parse.matches if match not in taken_back]
    return {
        match
        for match in kept
        if is_for_some_models(parse, match)
        and not any(other.rule.name == match.rule.name and other.value != match.value for other in kept)
    }


def _is_spoken_of(parse: Parse, match: Match) -> bool:
    """“qwen3-8b gave bad results”: a name that begins its sentence and is followed by what nobody knows."""
    tokens, at = parse.source.tokens, match.end
    begins = match.start == 0 or tokens[match.start].breaks or tokens[match.start - 1].norm in SENTENCE_ENDS
    while at < len(tokens) and tokens[at].norm in {"is", "are", "has", "have"} and at in parse.left:
        at += 1
    return match.rule.kind == "value" and begins and is_unknown(parse, at) and match.rule.name in SPOKEN_OF


def _under_unknown_key(parse: Parse, match: Match) -> bool:
    """“teacher_model = qwen3-8b”: what stands behind a key that nobody knows is not what it looks like."""
    tokens, sign = parse.source.tokens, match.start - 1
    if sign < 1 or sign not in parse.left or tokens[sign].norm not in {"=", ":"}:
        return False
    key = first = sign - 1
    unknown = key in parse.left and tokens[key].kind is Kind.WORD and not is_glue(tokens, key)
    while tokens[first].glued:
        first -= 1
    alone = first == 0 or tokens[first].breaks or tokens[first - 1].kind is not Kind.WORD
    return unknown and alone


def _goes_on(parse: Parse, match: Match) -> bool:
    """Labels of which the next one was not understood: half a list is a wrong one."""
    tokens, at = parse.source.tokens, match.end
    while at < len(tokens) and tokens[at].norm in {",", "and", "or"}:
        at += 1
    unknown = at in parse.left and tokens[at].kind is Kind.WORD and not is_glue(tokens, at)
    return match.rule.name == "labels" and at > match.end and unknown


def _miscounted(parse: Parse, match: Match) -> bool:
    """“4 labels: red and green”: one of them is missing."""
    before = match.start - 1
    return (
        match.rule.name == "labels" and before in parse.left and parse.source.tokens[before].value is not None
    )


def _of_something_else(parse: Parse, match: Match) -> bool:
    """“reserve 10% of the budget”: a part of what nobody knows, or of anything but the data."""
    tokens, at = parse.source.tokens, match.end
    if match.rule.name != "test_share" or at not in parse.left or tokens[at].norm != "of":
        return False
    while at in parse.left and is_glue(tokens, at):
        at += 1
    following = next((each for each in parse.matches if each.start == at), None)
    return at < len(tokens) and (following is None or following.rule.name != "dataset")


DOUBTS = (
    _goes_on,
    _miscounted,
    _is_spoken_of,
    _under_unknown_key,
    _of_something_else,
    has_other_purpose,
    is_mentioned,
)


def _is_setting(match: Match) -> bool:
    """A number or a yes and no, whose meaning hangs on the words around it."""
    setting = match.rule.kind in {"value", "edit"} or match.rule.name == "choose"
    return setting and match.rule.name not in NAMES


def _has_left(parse: Parse, piece: Range, among: frozenset[str]) -> bool:
    """True when one of these words stands in the piece and no phrase covers it."""
    return any(piece[0] <= at < piece[1] and parse.source.tokens[at].norm in among for at in parse.left)


def _corrects(parse: Parse, sentence: Range) -> bool:
    return _has_left(parse, sentence, CORRECTIONS)


def _only_denies(parse: Parse, sentence: Range) -> bool:
    """“Or not.”, “Ignore it.”: a sentence of nothing but denial is about the one before."""
    tokens = parse.source.tokens
    words = [at for at in range(*sentence) if tokens[at].kind is not Kind.PUNCT]
    denied = any(tokens[at].norm in HEDGES for at in words)
    return denied and all(at in parse.left and _says_little(parse, at) for at in words)


def _says_little(parse: Parse, at: int) -> bool:
    return parse.source.tokens[at].norm in HEDGES or is_glue(parse.source.tokens, at)


def _says_no(parse: Parse, sentence: Range) -> bool:
    """“3 epochs. No, 4 epochs.” takes back what was said."""
    tokens, first = parse.source.tokens, sentence[0]
    return first in parse.left and tokens[first].norm == "no" and first + 1 in parse.left


TAKING_BACK = (_corrects, _only_denies, _says_no)


def _beside_unknown(parse: Parse, match: Match) -> bool:
    """A word right before or after that nobody knows can turn a setting: “early stopping after 2 epochs”,
    “500 samples for tuning the prompt”."""
    tokens = parse.source.tokens
    after = match.end
    while after in parse.left and tokens[after].norm in ARTICLES and not tokens[after].breaks:
        after += 1
    for at, line in ((match.start - 1, match.start), (after, after)):
        if (
            at in parse.left
            and tokens[at].kind is Kind.WORD
            and not is_glue(tokens, at)
            and not tokens[line].breaks
        ):
            return True
    return False


def _pieces(parse: Parse, first: int, last: int, ends: set[str]) -> Iterator[Range]:
    """Token ranges between the signs of `ends` and line breaks that no phrase covers."""
    tokens, left = parse.source.tokens, set(parse.left)
    begins = {match.start for match in parse.matches} | left
    start = first
    for at in range(first, last):
        if at > start and at in begins and tokens[at].breaks:
            yield start, at
            start = at
        if at in left and tokens[at].norm in ends:
            yield start, at + 1
            start = at + 1
    if start < last:
        yield start, last


def _doubtful(parse: Parse, sentence: Range, inside: list[Match]) -> Iterator[Range]:
    tokens = parse.source.tokens
    first = tokens[sentence[0]]
    asks = _is_question(tokens[sentence[0] : sentence[1]]) or (
        first.norm in OPENERS and sentence[0] in parse.left
    )
    if asks and not any(match.rule.kind == "ask" for match in inside):
        yield sentence
    for match in inside:
        if match.rule.kind == "deny":
            yield sentence[0], match.start
    for segment in _pieces(parse, *sentence, SEGMENT_ENDS):
        if _has_left(parse, segment, HEDGES):
            yield segment[0], sentence[1]
        for match in inside:
            if match.rule.kind == "turn" and segment[0] <= match.start < segment[1]:
                yield match.start, segment[1]


def _is_question(sentence: Sequence[Token]) -> bool:
    begins = next((each.norm for each in sentence if each.norm not in GREETINGS), "")
    return sentence[-1].norm == "?" and begins not in REQUESTS


def _has_stray_number(parse: Parse, sentence: Range, inside: list[Match]) -> bool:
    """A number that nothing covers may belong to any of the settings in its sentence."""
    turns = [match.start for match in inside if match.rule.kind == "turn"]
    for at in parse.left:
        token = parse.source.tokens[at]
        counts = token.kind in {Kind.NUMBER, Kind.PERCENT} or (
            token.value is not None and token.norm != "one"
        )
        after_turn = any(start < at for start in turns)
        if counts and not token.glued and not after_turn and sentence[0] <= at < sentence[1]:
            return True
    return False
