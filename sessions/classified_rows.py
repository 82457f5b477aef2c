"""The held-out rows behind a figure: which ones an address asks for, and what the models said to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from sessions.classified import OUTSIDE, Model
from sessions.models import Answer, TuningSession

PROMPTS = "heldout"
ROWS_SHOWN = 100
KINDS = {
    "gained": "became right",
    "lost": "became wrong",
    "outside": "answered outside the set",
    "refused": "refused by Fireworks",
}
Labels = frozenset[str]
Wanted = Callable[[Labels, Labels], bool]
# What one label is in a row, by the address: in words, and by the true labels and those that were said.
OF_LABEL: Mapping[str, tuple[str, Callable[[str, Labels, Labels], bool]]] = {
    "label": ("labelled “{}”", lambda label, right, _: label in right),
    "hits": ("labelled “{}” and answered with it", lambda label, right, said: label in right & said),
    "missing": ("labelled “{}” and not answered with it", lambda label, right, said: label in right - said),
    "added": ("not labelled “{}” and answered with it", lambda label, right, said: label in said - right),
    "neither": ("neither labelled nor answered “{}”", lambda label, right, said: label not in right | said),
}


@dataclass(frozen=True)
class Row:
    """One held-out row with what the models said."""

    row: int
    right: str
    said: list[dict[str, Any]]


def filtered(
    session: TuningSession, subject: str, query: Mapping[str, str], comparison: Mapping[str, Any]
) -> tuple[str, QuerySet[Answer] | None]:
    """The answers that a filter of the address asks for, and the filter in words; None without one."""
    asked = Answer.objects.filter(session=session, prompts=PROMPTS, subject=subject).order_by("row")
    answers = asked.filter(error="")
    kind, right = query.get("rows", ""), query.get("right", "")
    if kind in {"gained", "lost"}:
        pair = next((each for each in comparison.get("comparisons", ()) if each["first"] == subject
                     and each["against_base"]), None)  # fmt: skip
        return KINDS[kind], answers.filter(row__in=pair[f"{kind}_rows"] if pair else [])
    if kind == "outside":
        return KINDS[kind], where(answers, lambda _, said: OUTSIDE in said)
    if kind == "refused":
        return KINDS[kind], asked.exclude(error="")
    if kind in OF_LABEL and right:
        words, of_label = OF_LABEL[kind]
        return words.format(right), where(answers, lambda true, said: of_label(right, true, said))
    if "missing" in query and "added" in query:
        missing, added = query["missing"], query["added"]
        return swap_words(missing, added), where(answers, swap(missing, added))
    if "answered" in query and right:
        answered = query["answered"]
        words = f"labelled “{right}” and answered {f'“{answered}”' if answered else 'outside the set'}"
        return words, answers.filter(result__right=[right], result__labels=[answered] if answered else None)
    return "", None


def where(answers: QuerySet[Answer], wanted: Wanted) -> QuerySet[Answer]:
    """The answers whose true labels and said ones are as wanted; OUTSIDE is said by one outside the set."""
    places = [
        row
        for row, result in answers.values_list("row", "result")
        if wanted(frozenset(result.get("right", ())), said_labels(result))
    ]
    return answers.filter(row__in=places)


def said_labels(result: Mapping[str, Any]) -> Labels:
    labels = result.get("labels")
    return frozenset([OUTSIDE] if labels is None else labels)


def swap(missing: str, added: str) -> Wanted:
    """Rows in which the one label is missing and the other one was added; an empty one stands for none."""

    def wanted(right: Labels, said: Labels) -> bool:
        lacks, has = right - said, said - right
        fits = (missing in lacks if missing else not lacks) and (added in has if added else not has)
        return fits and right != said

    return wanted


def swap_words(missing: str, added: str) -> str:
    """`without “fee”, with “card” instead`."""
    if not missing:
        return f"with “{added}” added to what is right"
    if added == OUTSIDE:
        return f"without “{missing}”, answered outside the set"
    return f"without “{missing}”, " + (f"with “{added}” instead" if added else "with nothing instead")


def rows(
    session: TuningSession, subjects: Sequence[Model], wanted: QuerySet[Answer], start: int = 0
) -> list[Row]:
    """Some of these rows, from the one at `start`, with the answers of all these models side by side."""
    places = list(wanted.values_list("row", flat=True)[start : start + ROWS_SHOWN])
    found = Answer.objects.filter(
        session=session, prompts=PROMPTS, row__in=places, subject__in=[each.subject for each in subjects]
    )
    names = {each.subject: each.name for each in subjects}
    said: dict[int, dict[str, Answer]] = {}
    for each in found:
        said.setdefault(each.row, {})[each.subject] = each
    return [
        Row(
            place,
            ", ".join(next(iter(said[place].values())).result.get("right", ())),
            [reading(names[subject], said[place][subject]) for subject in names if subject in said[place]],
        )
        for place in places
    ]


def named(label: str) -> str:
    return "outside the set" if label == OUTSIDE else label


def reading(name: str, answer: Answer) -> dict[str, Any]:
    """One model's answer: the text, what it was read as, and whether that is right."""
    labels, right = answer.result.get("labels"), answer.result.get("right", [])
    return {
        "name": name,
        "text": answer.text or answer.error,
        "labels": None if labels is None else ", ".join(map(named, labels)),
        "refused": bool(answer.error),
        "right": labels is not None and set(labels) == set(right),
        "strict": answer.result.get("strict") is not None,
    }
