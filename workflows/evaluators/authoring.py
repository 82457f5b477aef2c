"""Write an evaluator from a dataset and a sentence on what counts as right, by rule and measured evidence.

No language model is asked. The sentence names the kinds of rules to be tried, the data says whether they fit,
and each is written, run apart on real samples, and kept only when it tells good answers from bad ones
(product rows 5.1 to 5.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workflows.evaluators import spec
from workflows.evaluators.kinds import KINDS, DoesNotFit, Kind, said
from workflows.evaluators.samples import Seen
from workflows.evaluators.trial import Score, Trial, tried

FEWEST = 3


@dataclass(frozen=True, slots=True)
class Rejected:
    """A kind that was thought of and not taken, and why."""

    kind: Kind
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind.name, "label": self.kind.label, "why": self.why}


@dataclass(frozen=True, slots=True)
class Authored:
    """A written evaluator: its rule with the trial, what else was thought of, and both files as text."""

    trial: Trial
    rejected: tuple[Rejected, ...]
    criterion: str
    specification: str

    @property
    def code(self) -> str:
        return self.trial.code


class CannotTell(Exception):
    """No rule does what the sentence asks. `offers` are sentences that the data does allow."""

    def __init__(self, why: str, offers: list[str]) -> None:
        super().__init__(why)
        self.offers = offers


def author(seen: Seen, criterion: str, score: Score) -> Authored:
    """The evaluator for what a person asked for. Raises CannotTell."""
    if len(seen.kept) < FEWEST:
        raise CannotTell(
            f"Only {len(seen.kept)} rows have an answer to compare with; {FEWEST} is the least.", []
        )
    asked = said(criterion)
    good, rejected = attempts(asked, seen, criterion, score)
    if good:
        text = spec.text(good, rejected, seen, criterion)
        return Authored(good, tuple(rejected), criterion, text)
    why = "; ".join(f"{each.kind.label}: {each.why}" for each in rejected)
    if asked:
        why = f"What you said does not work on this data. {why[:1].upper()}{why[1:]}."
    else:
        why = f"No rule of the portal checks “{criterion}”."
    raise CannotTell(why, offers([kind for kind in KINDS.values() if kind not in asked], seen, score))


def attempts(
    kinds: list[Kind], seen: Seen, criterion: str, score: Score
) -> tuple[Trial | None, list[Rejected]]:
    """The first kind that tells good from bad, and why those before it did not."""
    rejected = []
    for kind in kinds:
        try:
            trial = tried(kind, kind.settings(seen, criterion), criterion, seen.kept, score)
        except DoesNotFit as misfit:
            rejected.append(Rejected(kind, str(misfit)))
            continue
        except (ArithmeticError, RecursionError, ValueError) as fault:  # answers no rule was made for
            rejected.append(Rejected(kind, f"it cannot take the expected answers ({type(fault).__name__})"))
            continue
        if not trial.refusal:
            return trial, rejected
        rejected.append(Rejected(kind, trial.refusal))
    return None, rejected


def offers(kinds: list[Kind], seen: Seen, score: Score) -> list[str]:
    """Sentences that would work on this data, each tried."""
    return [kind.offer for kind in kinds if attempts([kind], seen, kind.offer, score)[0]]
