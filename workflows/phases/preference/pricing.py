"""What preference learning costs, line by line: pairs to be made, training, answers, verdicts, deployment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sessions.costs import Estimate, Line, Pricing, Rates, candidate_lines, deployment_line
from sessions.costs.lines import EVALUATOR, PAIRS
from sessions.models import BaseModel
from sessions.specification import CandidateConfig, Specification
from workflows.answers import Load, Priced, Subject, priced
from workflows.answers.settling import item, price_of
from workflows.data import formats, tokens
from workflows.phases.preference import judging, leading, making, prompts, verdicts
from workflows.phases.preference.judging import BY_TOKEN
from workflows.phases.preference.roles import Makers
from workflows.phases.preference.splitting import Parts
from workflows.phases.serving import Accelerators
from workflows.work import Work, rates_path

METHODS = {"dpo": "lora_dpo", "orpo": "lora_dpo"}  # no price of its own is told for ORPO (facts sheet 9)
JUDGE_ANSWER = 60  # tokens of a verdict with its reason, as expected
HALF = 2


@dataclass(frozen=True)
class Costed:
    """What the lines are worked out from. `answer_tokens` and `making_tokens` are the
    most that an answer to a held-out prompt, and to one that a pair is made of, may have."""

    work: Work
    specification: Specification
    configs: Sequence[CandidateConfig]
    parts: Parts
    makers: Makers | None
    judge: str
    answer_tokens: int
    making_tokens: int

    @property
    def expected(self) -> int:
        """Tokens of an answer as expected: half of what is allowed."""
        return self.answer_tokens // HALF

    @property
    def bases(self) -> list[str]:
        return list(dict.fromkeys(each.base_model for each in self.configs))


def estimated(costed: Costed, accelerators: Accelerators | None) -> tuple[Estimate, list[dict[str, Any]]]:
    """The cost of the plan, by the dated price table, and the ways in which answers can be had."""
    rates = Rates.load(rates_path())
    asked = [*made(costed), *measured(costed)]
    found = settled(costed.work, [*trained(costed, rates), *(line for each in asked for line in each.lines)])
    if costed.specification.value("deploy"):
        found.append(deployment_line(rates, accelerators, costed.work.now.date()))
    return Estimate(tuple(found), rates.date.isoformat()), [way for each in asked for way in each.ways]


def settled(work: Work, lines: Sequence[Line]) -> list[Line]:
    """The lines of a plan that comes back after pairs were made: what is paid is not paid again."""
    paid = {line.item: line for line in work.session.ledger.exclude(actual=None)}
    items = {line.item for line in lines}
    found = [
        replace(line, low=cost, expected=cost, high=cost, how="Answered and paid already.")
        if line.item in paid and (cost := paid[line.item].actual) is not None
        else line
        for line in lines
    ]
    gone = (line for item, line in paid.items() if item not in items)
    words = "Paid already, and not used any more."
    return found + [
        Line(each.item, each.label, each.group, each.phase, each.actual, each.actual, each.actual, words)
        for each in gone
    ]


def rates_of(costed: Costed, estimate: Estimate) -> dict[str, dict[str, Any]]:
    """What the models that make pairs and judge cost, by their part: USD for a million tokens of prompts and
    of answers, and for what they are asked here; None is not known."""
    rates, found = Rates.load(rates_path()), {}
    makers, parts = costed.makers, {"judge": (costed.judge, "inference:judge-")}
    if makers:
        parts |= {
            "strong": (makers.strong, making_item(makers.strong)),
            "weak": (makers.weak, making_item(makers.weak)),
        }
    for part, (model, paid_by) in parts.items():
        if not model:
            continue
        price = price_of(rates, model)
        lines = [each for each in estimate.lines if each.item.startswith(paid_by)]
        known = all(each.high is not None for each in lines)
        found[part] = {
            "input": str(price.input) if price else None,
            "output": str(price.output) if price else None,
            "expected": str(sum(each.expected or 0 for each in lines)) if known else None,
            "high": str(sum(each.high or 0 for each in lines)) if known else None,
        }
    return found


def making_item(model: str) -> str:
    """The ledger line of a model's answers that pairs are made of."""
    return item(making.PROMPTS, Subject.base(model).key)


def made(costed: Costed) -> Iterator[Priced]:
    """Both models' answers to the training prompts, where pairs are made."""
    if costed.makers is None:
        return
    rows = costed.parts.train
    load = Load(rows.rows, rows.tokens, costed.making_tokens // HALF, costed.making_tokens)
    loads = {Subject.base(name): load for name in (costed.makers.strong, costed.makers.weak)}
    label = "Pairs: answers of {subject}"
    yield priced(costed.work, making.PROMPTS, loads, phase="sweep", label=label, group=PAIRS, order=BY_TOKEN)


def trained(costed: Costed, rates: Rates) -> Iterator[Line]:
    """One line a candidate. Tokens of pairs that are not made yet are those of the prompts, and of answers of
    the expected length; the upper end is that of answers at their limit."""
    sizes = dict(BaseModel.objects.values_list("name", "parameters"))
    pricing = Pricing(rates, sizes, METHODS[costed.specification.value("method")])
    rows = costed.parts.train
    if costed.makers is None:
        yield from candidate_lines(costed.configs, rows.tokens, pricing)
        return
    most, expected = (
        HALF * (rows.tokens + rows.rows * tokens)
        for tokens in (costed.making_tokens, costed.making_tokens // HALF)
    )
    pairs = zip(
        candidate_lines(costed.configs, expected, pricing),
        candidate_lines(costed.configs, most, pricing),
        strict=True,
    )
    for line, highest in pairs:
        how = f"{line.how} Answers of {costed.making_tokens // HALF} tokens are assumed."
        yield replace(
            line, high=highest.high, how=f"{how} Upper end: all {costed.making_tokens} that it may have."
        )


def measured(costed: Costed) -> Iterator[Priced]:
    """Answers of every base and tuned model to the held-out prompts, and the judge's to all comparisons."""
    rows, phase = costed.parts.heldout, "sweep" if costed.specification.value("stop_early") else "evaluation"
    prompt_tokens = heldout_prompt_tokens(costed)
    load = Load(rows.rows, prompt_tokens, costed.expected, costed.answer_tokens)
    subjects = [Subject.base(name) for name in costed.bases]
    subjects += [Subject.planned(each.number, each.base_model) for each in costed.configs]
    label = "Held-out answers of {subject}"
    order = costed.specification.value("serving_order") or ()
    loads = dict.fromkeys(subjects, load)
    yield priced(costed.work, prompts.HELDOUT, loads, phase=phase, label=label, group=EVALUATOR, order=order)
    if not costed.judge:
        return
    frame = tokens.of_sample({"messages": verdicts.frame(costed.specification.value("rubric"))})
    shown, most = (
        HALF * (prompt_tokens + rows.rows * (HALF * answer + frame))
        for answer in (costed.expected, costed.answer_tokens)
    )
    load = Load(HALF * rows.rows, shown, JUDGE_ANSWER, judging.JUDGE_TOKENS, most)
    judge = {Subject.base(costed.judge): load}
    for name, label in matches(costed.configs):
        yield priced(costed.work, name, judge, phase=phase, label=label, group=EVALUATOR, order=BY_TOKEN)


def heldout_prompt_tokens(costed: Costed) -> int:
    """Tokens of the prompts alone: a pair counts its prompt twice, and both answers, so half is the most."""
    tokens, parts = costed.parts.heldout.tokens, costed.parts
    return tokens if parts.asked.format == formats.PROMPTS else tokens // HALF


def matches(configs: Sequence[CandidateConfig]) -> list[tuple[str, str]]:
    """The judge's prompt sets and what they are for: each candidate against its base, then the best
    against each other."""
    finals = leading.most_duels(len(configs))
    return [
        *((f"judge-{each.number}", f"Verdicts on candidate {each.number}") for each in configs),
        *((f"judge-final-{place}", f"Verdicts on the best, {place}") for place in range(1, finals + 1)),
    ]
