"""Whether what is set aside for a subject covers the next of its rows, by what Fireworks counted so far.

An estimate may miss: prompts that hold more than was assumed, a tokenizer that splits finer, calls that were
lost. So before each part of the rows what they may cost at the most is held against what is left of the
line's reservation. What is missing is set aside before they are asked; where the approved amount does not
allow it, a person decides first (product row 1.7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import ceil
from pathlib import Path

import orjson

from sessions.actions import answering, spending
from sessions.actions.answering import Open
from sessions.costs import money
from sessions.costs.inference import MICRO, PROMPT_HIGH, TOKEN_WAYS, factor, token_cost
from sessions.costs.rates import Rates, TokenPrice
from sessions.models import Answer, LedgerLine
from workflows.answers import settling
from workflows.answers.asking import Asking
from workflows.data import tokens
from workflows.work import rates_path

FIRST = 1  # rows of the first part at the least: as long as nothing was counted, a byte is taken for a token
PART = 16  # rows of every further part at the least; for fewer, more is set aside
TEMPLATE = 100  # tokens that a chat template may add to a conversation by itself
ROLE = 16  # bytes of a message besides its text
MARGIN = Decimal("1.25")  # of what was counted, for the rows that follow


@dataclass(frozen=True, slots=True)
class Size:
    """A prompt: tokens by the estimate that plans go by, and the most tokens that it can have."""

    estimate: int
    most: int


@lru_cache(maxsize=4)
def sizes(path: Path, sha256: str) -> tuple[Size, ...]:
    """The size of each row of a prompt set's file."""
    del sha256  # with the path the key: a file is written once
    with path.open("rb") as lines:
        return tuple(size(orjson.loads(line)) for line in lines)


def size(row: dict[str, list[dict[str, object]]]) -> Size:
    messages = row["messages"]
    most = sum(tokens.message_bytes(each) + ROLE for each in messages) + TEMPLATE
    return Size(tokens.of_sample(row), most)


@dataclass
class Gauge:
    """The cost of one subject's answers. `before` is what they cost in USD before this step, `prompt` and
    `answer` are the tokens since; calls that were lost count at their most."""

    asking: Asking
    price: TokenPrice
    share: Decimal
    before: Decimal
    prompt: int = 0
    answer: int = 0
    answered: int = 0
    estimated: int = 0  # tokens of the answered prompts by the estimate
    counted: int = 0  # by Fireworks

    @classmethod
    def of(cls, asking: Asking) -> Gauge | None:
        """None for what is not billed by the token, or where no rate is known: that was approved as such."""
        serving, rates = asking.serving, Rates.load(rates_path())
        price = settling.price_of(rates, asking.subject.base_model)
        share = factor(rates, serving.way)
        spent = settling.actual(settling.tally(serving), price, rates)
        if serving.way not in TOKEN_WAYS or price is None or share is None or spent is None:
            return None
        found = cls(asking, price, share, spent)
        known = Answer.objects.filter(
            session=asking.work.session, prompts=asking.prompts.name, subject=asking.subject.key, error=""
        )
        for row, detail in known.exclude(answered_at=None).values_list("row", "detail"):
            found.learn(row, detail.get("prompt_tokens") or 0)
        return found

    def learn(self, row: int, prompt_tokens: int) -> None:
        """What Fireworks counted of a row."""
        if prompt_tokens:
            self.answered += 1
            self.estimated += sizes(self.asking.prompts.path, self.asking.prompts.sha256)[row].estimate
            self.counted += prompt_tokens

    def count(self, found: Answer) -> None:
        """Add what came of a row in this step."""
        detail = found.detail
        if "lost" in detail:
            self.prompt += self.most(Open(found.row))
            self.answer += self.asking.prompts.sampling.max_tokens
        elif detail.get("prompt_tokens"):
            self.prompt += detail["prompt_tokens"]
            self.answer += detail["completion_tokens"]
            self.learn(found.row, detail["prompt_tokens"])

    def covered(self, rows: Sequence[Open]) -> Sequence[Open]:
        """The first of these rows that the reservation surely covers; more is set aside when these are too
        few. Raises LeaseLost, NotApproved or ApprovalExceeded."""
        few = rows[: PART if self.counted else FIRST]
        fit = self.fitting(rows)
        if fit < len(few) and self.least(few) > self.left:
            self.set_aside(few)
            fit = self.fitting(rows)
        return rows[: max(fit, len(few))]

    def job(self, rows: Sequence[Open]) -> Sequence[Open]:
        """The rows of one batch job, which nobody can stop: all of them, unless nothing was counted yet and
        they might pass the approved amount. Raises as `covered` does."""
        if not self.counted and self.need(rows) > self.left + self.free:
            return self.covered(rows)
        least = self.least(rows)
        if least > self.left:
            self.reserve(least - self.left)
        return rows

    @property
    def line(self) -> LedgerLine:
        name = settling.item(self.asking.prompts.name, self.asking.subject.key)
        return LedgerLine.objects.get(session=self.asking.work.session, item=name)

    @property
    def left(self) -> Decimal:
        """Of what is set aside for the subject."""
        return (self.line.reserved or Decimal(0)) - self.spent

    @property
    def free(self) -> Decimal:
        """Of the approved amount: neither spent nor set aside."""
        session = self.asking.work.session
        return (session.approved_amount or Decimal(0)) - spending.committed(session)

    @property
    def spent(self) -> Decimal:
        return self.before + self.cost(self.prompt, self.answer)

    def cost(self, prompt: int, answer: int) -> Decimal:
        return token_cost(prompt, answer, self.price, self.share)

    def answers(self, rows: Sequence[Open]) -> int:
        """Tokens of their answers at the most."""
        return len(rows) * self.asking.prompts.sampling.max_tokens

    def likely(self, rows: Sequence[Open]) -> int:
        """Tokens of their prompts by the upper end of the estimate."""
        known = sizes(self.asking.prompts.path, self.asking.prompts.sha256)
        return ceil(sum(known[each.row].estimate for each in rows) * PROMPT_HIGH)

    def most(self, row: Open) -> int:
        """Tokens of a prompt at the most: a byte each as long as nothing was counted, then by what was."""
        known = sizes(self.asking.prompts.path, self.asking.prompts.sha256)[row.row]
        most = known.most + len(orjson.dumps(dict(self.asking.prompts.sampling.extra)))
        if not self.counted:
            return most
        scale = max(PROMPT_HIGH, MARGIN * self.counted / self.estimated)
        return min(most, ceil(known.estimate * scale))

    def need(self, rows: Sequence[Open]) -> Decimal:
        """What these rows cost at the most."""
        return self.cost(sum(map(self.most, rows)), self.answers(rows))

    def least(self, rows: Sequence[Open]) -> Decimal:
        """What must be set aside for these rows, so that they may be asked."""
        return self.need(rows) if self.counted else self.cost(self.likely(rows), self.answers(rows))

    def fitting(self, rows: Sequence[Open]) -> int:
        """How many of the rows, from the first on, what is left covers."""
        left, prompt = self.left, 0
        for number, each in enumerate(rows):
            prompt += self.most(each)
            if self.cost(prompt, self.answers(rows[: number + 1])) > left:
                return number
        return len(rows)

    def set_aside(self, few: Sequence[Open]) -> None:
        """More for the next rows, and for all that follow as far as can be told by those before and as far as
        the approved amount reaches: a person is asked when it does not reach for the next rows."""
        lacking, follow = self.least(few) - self.left, Decimal(0)
        if self.answered:
            open_rows = self.asking.prompts.rows - self.answered
            follow = (self.spent * MARGIN * open_rows / self.answered).quantize(MICRO)
        enough = lacking + follow
        self.reserve(min(enough, self.free) if lacking <= self.free else enough)

    def reserve(self, amount: Decimal) -> None:
        work, line = self.asking.work, self.line
        work.keep_lease()
        why = "The prompts hold more than was estimated"
        if self.answered:
            why = (
                f"{self.answered:,} of {self.asking.prompts.rows:,} {self.asking.prompts.words} cost "
                f"{money(self.spent)} so far, more than was estimated"
            )
        answering.reserve_more(
            work.session, line.item, amount, f"Set aside {money(amount)} more for {line.label}", why
        )
