"""Ask row by row, many at once: rows are marked before the call and stored as their answers come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sessions.actions import answering
from sessions.actions.answering import NOT_ASKED, Open
from sessions.models import Answer
from workflows.answers.asking import Asking, Refused
from workflows.answers.gauge import Gauge
from workflows.fireworks.errors import (
    BadAnswer,
    CallForbidden,
    FireworksError,
    NeedsPerson,
    NotFound,
    OutcomeUnknown,
    ScalingUp,
    Temporary,
    Unreachable,
)
from workflows.fireworks.inference import Address, Completion
from workflows.fireworks.many import complete_groups
from workflows.fireworks.wire import Json
from workflows.outcomes import Wait

AT_ONCE = 32  # requests under way
SLICE = 256  # rows read at a time
ALIKE = 3  # refusals in the same words before the first answer: they concern every row
MOST_ATTEMPTS = 8  # of a row whose calls are lost one after another
UNTOUCHED = frozenset({429, 503})  # refused before anything was done, so nothing is billed


def ask(asking: Asking, forms: Sequence[Address], way: str) -> Wait | None:
    """Ask every open row until time is up. None when all are over.

    Raises what must stop the subject (`NotFound`, `NeedsPerson`, …), Refused when all that it says to the
    first rows is the same refusal, ApprovalExceeded before the next rows could pass the approved amount, and
    a `Temporary` fault when not one answer came in this step: then the engine backs off. With some progress a
    fault only makes it wait.
    """
    rows, answered, fault = asking.open_rows(), 0, None
    gauge = Gauge.of(asking)
    met = asking.answered
    size = SLICE if len(forms) == 1 or asking.serving.address else 1  # first find the form that is answered
    while rows and not asking.time_is_up:
        taken = gauge.covered(rows[:size]) if gauge else rows[:size]
        part = Slice(asking, forms, way, taken, answered, met=met or answered > 0, gauge=gauge)
        part.run()
        rows, size, answered, fault = rows[len(taken) :], SLICE, part.answered, part.fault or fault
        if part.stopped:
            break
    if fault is None:
        return Wait(0.0) if asking.open_rows() else None  # time may have run out within the last slice
    if not answered or not isinstance(fault, Temporary):
        raise fault
    return Wait(max(fault.retry_after or 0.0, asking.work.poll_seconds))


@dataclass
class Slice:
    """Some rows on their way. `answered` counts from the beginning of the step."""

    asking: Asking
    forms: Sequence[Address]
    way: str
    rows: Sequence[Open]
    answered: int
    met: bool  # whether the subject ever answered
    gauge: Gauge | None = None
    fault: FireworksError | None = None
    stopped: bool = False
    sent: dict[str, Open] = field(default_factory=dict)
    done: list[Answer] = field(default_factory=list)
    refusals: list[Answer] = field(default_factory=list)  # before the first answer: of the row, or of all?
    left: Iterator[Open] = field(init=False)
    messages: dict[int, list[dict[str, Any]]] = field(init=False)

    def run(self) -> None:
        """Ask, and store what comes. What was not sent because of a fault is as open as it was."""
        work, before = self.asking.work, len(self.asking.work.seen)
        for form in self.forms:  # looked up here once: among the calls no database may be asked
            work.fireworks.permit_asking(form.model, form.header)
        self.left, self.messages = (
            iter(self.rows),
            self.asking.prompts.messages({each.row for each in self.rows}),
        )
        answering.mark(self.asking.serving, work.clock(), (), {}, self.rows)  # tells of what is asked again
        for group in complete_groups(work.fireworks, self.more, self.forms, AT_ONCE):
            for key, outcome in group:
                self.take(self.sent.pop(key), outcome)
            del work.seen[before:]  # thousands of calls alike; the report shows those that made things
        if self.way_is_refused:
            self.done += [self.answer(opened(each), {NOT_ASKED: each.error}) for each in self.refusals]
            raise Refused(self.refusals[0].error, self.done)
        self.done += self.refusals
        self.store()

    def more(self, room: int) -> list[tuple[str, Json]]:
        """The next requests; none any more after a stop. What came so far is stored before, and these are
        recorded as asked, so that a kill repeats only what is under way. Outside the event loop, which stands
        still meanwhile."""
        over, sampling = self.stopped or self.asking.time_is_up, self.asking.prompts.sampling
        rows = [] if over else list(islice(self.left, room))
        if self.done or rows:
            detail, now = {"way": self.way}, self.asking.work.clock()
            answering.pass_on(self.asking.serving, now, self.done, rows, detail)
        self.done = []
        self.sent |= {str(each.row): each for each in rows}
        return [(str(each.row), sampling.body(each.row, self.messages[each.row])) for each in rows]

    @property
    def way_is_refused(self) -> bool:
        """Whether what was refused so far, without any answer, is not a matter of the single row."""
        words = {each.error for each in self.refusals}
        return not self.met and len(self.refusals) >= ALIKE and len(words) == 1

    def take(self, row: Open, outcome: Completion | FireworksError) -> None:
        """Keep what came of one row for the next store."""
        if isinstance(outcome, BadAnswer):  # it was asked, and what came back is of no use
            outcome = OutcomeUnknown(str(outcome), outcome.fault)
        if isinstance(outcome, Completion):
            self.answered, self.met = self.answered + 1, True
            self.done.append(self.given(row, outcome))
            if not self.asking.serving.address:
                answering.remember(self.asking.serving, self.asking.work.clock(), outcome.address)
        elif over_with(row, outcome):
            self.refuse(row, outcome)
        else:
            detail = {NOT_ASKED: str(outcome)} if untouched(outcome) else {"lost": str(outcome)}
            self.done.append(self.answer(row, detail))
            self.fall(outcome)

    def refuse(self, row: Open, outcome: FireworksError) -> None:
        """There will be no answer to this row."""
        words, lost = outcome.provider_message or str(outcome), isinstance(outcome, Temporary)
        detail = {"lost": words} if lost else {}
        found = self.answer(row, detail, error=words, answered_at=self.asking.work.clock())
        (self.done if self.met or lost else self.refusals).append(found)
        self.stopped = self.stopped or self.way_is_refused

    def fall(self, outcome: FireworksError) -> None:
        """Remember a fault, and stop unless it passes while others are answered."""
        self.fault = outcome
        passing = isinstance(outcome, Temporary) and not isinstance(outcome, ScalingUp)
        self.stopped = self.stopped or not (passing and self.answered and outcome.status != 429)

    def given(self, row: Open, completion: Completion) -> Answer:
        return self.answer(
            row,
            completion_facts(completion),
            text=completion.text,
            answered_at=self.asking.work.clock(),
        )

    def answer(self, row: Open, detail: dict[str, Any], **columns: Any) -> Answer:
        """The row as it is to be stored."""
        told = {"way": self.way, "seed": self.asking.prompts.sampling.seed_of(row.row), **detail}
        now = self.asking.work.clock()
        found = answering.answer(self.asking.serving, row, asked_at=now, detail=told, **columns)
        if self.gauge:
            self.gauge.count(found)
        return found

    def store(self) -> None:
        work = self.asking.work
        if self.done:
            answering.store(work.session, work.clock(), self.done)
        self.done = []


def opened(refusal: Answer) -> Open:
    """The row of a refusal that was not a matter of the row, to be asked under the same attempt."""
    return Open(refusal.row, refusal.attempt)


def completion_facts(completion: Completion) -> dict[str, Any]:
    """What is kept beside the text of an answer."""
    facts = {
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
    }
    return facts | ({"reasoning": completion.reasoning} if completion.reasoning else {})


def over_with(row: Open, error: FireworksError) -> bool:
    """Whether a row will have no answer: refused for good, or lost again and again."""
    if isinstance(error, Temporary) and not untouched(error):
        return row.attempt >= MOST_ATTEMPTS
    return not isinstance(error, Temporary | NeedsPerson | NotFound | CallForbidden)


def untouched(error: FireworksError) -> bool:
    """Whether a call surely had no effect: it was not sent, or refused before anything was done."""
    if isinstance(error, Unreachable | NeedsPerson | NotFound | CallForbidden):
        return True
    return isinstance(error, Temporary) and error.status in UNTOUCHED
