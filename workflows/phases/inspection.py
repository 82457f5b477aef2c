"""Phase 1: ask for what is missing, bring the data in, and say what it holds and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from django.conf import settings

from sessions.models import Artifact
from sessions.sources import NO_LABELS, NO_LABELS_REMEDY
from sessions.specification import Workflow
from workflows.data import conversion, counting, formats
from workflows.data.inspection import Inspection, inspect
from workflows.data.problems import problems_csv
from workflows.data.tokens import Scaled
from workflows.faults import DataFault
from workflows.histogram import draw_lengths
from workflows.outcomes import Done, Outcome
from workflows.phases import questions, staging
from workflows.work import Work

DATA, EVALUATION = "data.jsonl", "evaluation.jsonl"
KEPT_PROBLEMS = 20_000
SHOWN_LINES = 3
ON_THE_TAB = 50  # problems beside the numbers; the other files have them all
EXAMPLES = 3  # rows shown before and after a conversion
Preview = Callable[[Path, Collection[str], int], Sequence[conversion.Example]]


def step(work: Work) -> Outcome:
    """Questions first, so that a person is not asked in several rounds (product row 1.5)."""
    asked = questions.unanswered(work)
    if asked:
        return asked
    found = look(work, work.session.value("dataset"), DATA, "inspection")
    evaluation = work.session.value("evaluation_dataset")
    measured = look(work, evaluation, EVALUATION, "evaluation-inspection") if evaluation else None
    bad = bad_rows(found) + (bad_rows(measured) if measured else 0)
    if bad and not work.session.value("drop_bad_rows"):
        ask = questions.choice("drop_bad_rows", *about_bad_rows(found, measured), ("yes", "Leave them out"))
        assert ask is not None  # noqa: S101  # one question is always a gate
        return ask
    return Done(words(found))


def bad_rows(found: Inspection) -> int:
    """Rows that cannot be used."""
    return found.samples - found.usable_samples


def look(work: Work, reference: str, name: str, report: str) -> Inspection:
    """Stage and inspect one file, once. Raises DataFault when it cannot be used at all."""
    known = Artifact.objects.filter(session=work.session, name=f"{report}.json").first()
    if known:
        return Inspection.from_json(json.loads(known.path.read_bytes()))
    source = staging.bring_in(work, reference, name)
    found = inspect(source.path, max_problems_kept=KEPT_PROBLEMS, scaled=scaled(work, source))
    keep(work, report, source, found)
    if not found.usable:
        raise DataFault(*(no_labels(work, found, source.words) or fatal(found, source.words)))
    return found


def no_labels(work: Work, found: Inspection, source: str) -> tuple[str, str] | None:
    """Fault and remedy where prompts alone are to train a classifier."""
    if work.session.workflow != Workflow.CLASSIFICATION or found.format != formats.PROMPTS:
        return None
    return f"{source}: {NO_LABELS}", NO_LABELS_REMEDY


def scaled(work: Work, source: staging.Source) -> Scaled | None:
    """What a base model's tokenizer says of the estimate, where there is one (FWPORTAL_TOKENIZERS).

    With several base models the first that has a tokenizer counts.
    """
    for model in work.session.value("base_models") or ():
        file = counting.find(settings.TOKENIZERS, model)
        if file is None:
            continue
        name = model.rsplit("/", 1)[-1]
        try:
            counted = counting.count(source.path, file, name)
        except counting.NoTokenizer as error:
            work.tell("tokenizer", f"Tokens are estimated: {error}")
            continue
        if counted:
            return Scaled(counted.scale, counted.low, counted.high, counted.method)
    return None


def keep(
    work: Work, report: str, source: staging.Source, found: Inspection, preview: Preview = conversion.preview
) -> None:
    """The inspection and its problems as files of the workspace, and one line in the log. `preview` shows
    rows before and after the conversions named."""
    work.tell("inspected", f"{source.words}: {words(found)}")
    listed = (*found.problems, *found.repeats)
    if listed:
        work.keep(f"{report}-problems.csv", "text/csv", problems_csv(listed))
        rows = "".join(f"{json.dumps(asdict(each))}\n" for each in listed)
        work.keep(f"{report}-problems.jsonl", "application/jsonl", rows)
    keep_examples(work, report, source, found, preview)
    drawn = draw_lengths(found.tokens)
    if drawn:
        work.keep(f"charts/{report}-lengths.svg", "image/svg+xml", drawn)
    facts = {"source": source.words, "samples": found.samples, "usable": found.usable_samples}
    short = replace(found, problems=found.problems[:ON_THE_TAB], repeats=found.repeats[:ON_THE_TAB])
    work.keep(f"{report}.json", "application/json", json.dumps(short.to_json()), **facts)


def keep_examples(
    work: Work, report: str, source: staging.Source, found: Inspection, preview: Preview
) -> None:
    """Rows before and after each conversion, for the Data tab: they are shown before they are made."""
    shown = {
        each.kind: [asdict(example) for example in preview(source.path, [each.kind], EXAMPLES)]
        for each in found.conversions
    }
    if shown:
        work.keep(f"{report}-conversions.json", "application/json", json.dumps(shown))


def words(found: Inspection) -> str:
    """What a file holds, in a line."""
    text = f"{found.samples:,} samples, about {found.tokens.total:,} tokens"
    bad = bad_rows(found)
    return f"{text}, {bad:,} cannot be used" if bad else text


def fatal(found: Inspection, source: str) -> tuple[str, str]:
    """Fault and remedy of a file that cannot be used, with the lines where there are some."""
    first = found.fatal[0]
    lines = sorted({each.line for each in found.problems if each.line})[:SHOWN_LINES]
    where = f" (line {', '.join(map(str, lines))})" if lines else ""
    others = "; ".join(each.message for each in found.problems[1 : 1 + SHOWN_LINES])
    detail = f" Also: {others}." if others else ""
    return f"{source}: {first.message}{where}.{detail}", first.remedy


def about_bad_rows(found: Inspection, measured: Inspection | None) -> tuple[str, str]:
    """The question about rows that cannot be used, and what to know for it."""
    problems = [each for each in found.problems if each.line and each.level == "error"]
    problems += [
        each for each in (measured.problems if measured else ()) if each.line and each.level == "error"
    ]
    bad = bad_rows(found) + (bad_rows(measured) if measured else 0)
    total = found.samples + (measured.samples if measured else 0)
    shown = "; ".join(f"line {each.line}: {each.message}" for each in problems[:SHOWN_LINES])
    more = f"; and {bad - SHOWN_LINES:,} more" if bad > SHOWN_LINES else ""
    text = f"{bad:,} of {total:,} rows cannot be used ({shown}{more}). Leave them out?"
    remedy = problems[0].remedy if problems else ""
    return text, f"Or stop here, mend the file and start again. {remedy} All of them are in the problems CSV."
