"""What came of finished sessions, in a few words: the model and the number that decided."""

from __future__ import annotations

from collections.abc import Sequence

from sessions.models import Candidate, Evaluation, TuningSession
from sessions.specification import short_name

# What decides where it was measured, the first of these; else the validation loss.
WORDS = {
    "win_rate": "win rate {:.1%}",
    "score": "mean score {:.3f}",
    "accuracy": "{:.1%} right",
    "exact_match": "{:.1%} right",
}


def results(sessions: Sequence[TuningSession]) -> list[tuple[TuningSession, str]]:
    """Each session with its result, of its full-data run where there was one; empty without a winner."""
    chosen = {each.pk: each.winner for each in sessions if each.winner}
    final = Candidate.objects.filter(session__in=list(chosen), role="final", state="done")
    chosen |= {each.session_id: each for each in final if each.parent_id == chosen[each.session_id].pk}
    found: dict[int, dict[str, float]] = {}
    for each in Evaluation.objects.filter(candidate__in=list(chosen.values()), metric__in=WORDS):
        found.setdefault(each.session_id, {})[each.metric] = each.value
    return [(each, told(chosen.get(each.pk), found.get(each.pk, {}))) for each in sessions]


def told(candidate: Candidate | None, measured: dict[str, float]) -> str:
    """A model and its number; a loss that nobody measured is not spoken of."""
    if candidate is None:
        return ""
    loss = "" if candidate.validation_loss is None else f"validation loss {candidate.validation_loss:.4f}"
    decided = next((words.format(measured[name]) for name, words in WORDS.items() if name in measured), loss)
    return ", ".join(filter(None, [short_name(candidate.base_model), decided]))
