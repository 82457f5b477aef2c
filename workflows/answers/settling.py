"""The end of one subject: what its answers really cost, and why that differs from the estimate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sessions import prices
from sessions.actions import answering, spending
from sessions.actions.answering import NOT_ASKED
from sessions.costs.inference import TOKEN_WAYS, factor, token_cost
from sessions.costs.rates import Rates, TokenPrice
from sessions.models import Answer, Artifact, Serving
from workflows.answers.prompts import PromptSet
from workflows.answers.subjects import Subject
from workflows.work import Work, rates_path


def item(prompts: str, subject: str) -> str:
    """The ledger line that pays for a subject's answers to a prompt set."""
    return f"inference:{prompts}:{subject}"


@dataclass(frozen=True)
class Tally:
    """What the answers of a subject came to; tokens by way. `lost` are calls whose outcome nobody knows and
    that may be billed, `lost_prompt` the tokens of their prompts; an answer has `max_tokens` at the most."""

    answered: int
    refused: int
    repeated: int
    prompt: Counter[str]
    answer: Counter[str]
    lost: Counter[str]
    lost_prompt: Counter[str]
    max_tokens: int


def tally(serving: Serving) -> Tally:
    """Add up the answers of a subject."""
    known = Answer.objects.filter(session=serving.session, prompts=serving.prompts, subject=serving.subject)
    rows = list(known.values_list("answered_at", "error", "attempt", "detail"))
    prompt, answer, lost, lost_prompt = (Counter[str]() for _ in range(4))
    most_tokens, typical = bounds(serving)
    typical = max((detail.get("prompt_tokens", 0) for *_, detail in rows), default=0) or typical
    for answered_at, _, attempt, detail in rows:
        way, times = detail["way"], attempts_lost(answered_at is not None, attempt, detail)
        prompt[way] += detail.get("prompt_tokens", 0)
        answer[way] += detail.get("completion_tokens", 0)
        lost[way] += times
        lost_prompt[way] += times * (detail.get("prompt_tokens") or typical)
    over = [(error, attempt) for answered_at, error, attempt, _ in rows if answered_at]
    refused = sum(bool(error) for error, _ in over)
    repeated = sum(attempt > 1 for _, attempt in over)
    return Tally(
        len(over) - refused, refused, repeated, +prompt, +answer, +lost, lost_prompt, most_tokens
    )  # fmt: skip


def bounds(serving: Serving) -> tuple[int, int]:
    """Tokens that an answer may have, and those of a prompt by its length where no answer told them."""
    file = Artifact.objects.filter(session=serving.session, name=f"prompts/{serving.prompts}.jsonl").first()
    if file is None:
        return 0, 0
    return file.detail["sampling"]["max_tokens"], file.bytes // (3 * max(1, file.detail["rows"]))


def attempts_lost(over: bool, attempt: int, detail: dict[str, Any]) -> int:
    """How many calls for a row had an outcome that nobody knows."""
    last = "lost" in detail or (not over and NOT_ASKED not in detail)
    return attempt if last else attempt - 1


class RowsOpen(Exception):
    """A subject was to be ended while rows of it have no answer: a fault of ours."""


def finish(work: Work, prompts: PromptSet, subject: Subject, serving: Serving) -> None:
    """Settle the subject's line, then say that it is over. Raises RowsOpen."""
    work.keep_lease()
    left = answering.open_rows(work.session, prompts.name, subject.key, prompts.rows)
    if left:
        raise RowsOpen(f"{len(left):,} rows of {prompts.name} are open for {subject.key}")
    found = settle(work, serving)
    words = f"{subject.label} answered {found.answered:,} of {prompts.rows:,} {prompts.words}"
    words += f"; {found.refused:,} refused" if found.refused else ""
    facts = {"answered": found.answered, "refused": found.refused, "asked_again": found.repeated}
    answering.end(serving, work.clock(), words, facts)


def settle(work: Work, serving: Serving) -> Tally:
    """Settle the line of a subject by the answers it gave so far."""
    found, rates = tally(serving), Rates.load(rates_path())
    cost = actual(found, price_of(rates, base_of(serving)), rates)
    if cost is not None:
        spending.settle(work.session, item(serving.prompts, serving.subject), cost, gap(found))
    return found


def base_of(serving: Serving) -> str:
    """The base model that prices go by."""
    kind, _, which = serving.subject.partition(":")
    if kind == "base":
        return which
    return str(serving.session.candidates.values_list("base_model", flat=True).get(number=which))


def price_of(rates: Rates, base_model: str) -> TokenPrice | None:
    """Serverless price of a base model and of what is tuned from it: by its name, else by its size."""
    return prices.by_token(rates, base_model)


def actual(found: Tally, price: TokenPrice | None, rates: Rates) -> Decimal | None:
    """USD for the tokens that were billed, lost calls at their most; deployments have a line of their own.
    None: no rate is known."""
    total = Decimal(0)
    for way in TOKEN_WAYS:
        prompt = found.prompt[way] + found.lost_prompt[way]
        answer = found.answer[way] + found.lost[way] * found.max_tokens
        if not prompt and not answer:
            continue
        share = factor(rates, way)
        if price is None or share is None:
            return None
        total += token_cost(prompt, answer, price, share)
    return total


def gap(found: Tally) -> str:
    """Why the cost differs from the estimate."""
    counted = [
        f"{found.prompt[way]:,} prompt and {found.answer[way]:,} answer tokens by {way.replace('_', ' ')}"
        for way in sorted(found.prompt)
    ]
    words = [f"Fireworks counted {' and '.join(counted)}"] if counted else []
    if any(way not in TOKEN_WAYS for way in found.prompt):
        words.append("what a temporary deployment answered is in its own line")
    if found.repeated:
        words.append(f"{found.repeated:,} rows were asked more than once and may be billed twice")
    lost = sum(found.lost[way] for way in TOKEN_WAYS)
    if lost:
        calls = (
            "1 call whose answer was lost is" if lost == 1 else f"{lost:,} calls whose answers were lost are"
        )
        words.append(f"{calls} counted at the most")
    return "; ".join(words)
