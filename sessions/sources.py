"""The data that a session may use: datasets of the account and uploads of the person, and what speaks
against using one. Everything here comes from rows; nobody is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sessions import inspected, queries
from sessions.inspected import Problem, Report
from sessions.models import RemoteDataset, Upload
from sessions.queries import Person
from sessions.specification import FieldError, Workflow

READY = "READY"
FEWEST = 3  # samples of a dataset, a limit of the API (facts sheet 2)
UPLOAD = "upload:"
PREFERENCE_DATA = frozenset({"pairs", "prompts", "chosen-rejected"})  # formats of `inspected.FORMATS`
SHOWN = 3  # problems named in one message; the card has them all
NO_LABELS = "no labels were found: the rows, from line 1 on, have no ground_truth and no assistant message."
NO_LABELS_REMEDY = "Give each row a ground_truth, or end it with an assistant message that is the label."


@dataclass(frozen=True)
class Source:
    """One dataset as a choice. Sizes are None where they are not known yet; tokens are of one pass."""

    name: str
    label: str
    samples: int | None
    tokens: int | None
    state: str = READY
    upload: Upload | None = None
    report: Report | None = None

    @property
    def usable(self) -> int | None:
        return self.report.usable if self.report else self.samples

    @property
    def ready(self) -> bool:
        return self.state == READY


def of_dataset(row: RemoteDataset) -> Source:
    return Source(row.name, row.display_name or row.short_name, row.examples, row.tokens, row.state)


def of_upload(upload: Upload) -> Source:
    report = inspected.report(upload)
    samples, tokens = (report.samples, report.tokens) if report else (None, None)
    return Source(upload.reference, upload.filename, samples, tokens, READY, upload, report)


def find(name: str, person: Person) -> Source | None:
    """The dataset or upload of this name, if the person may use it."""
    if name.startswith(UPLOAD):
        upload = queries.data_uploads(person).filter(token=name.removeprefix(UPLOAD)).first()
        return of_upload(upload) if upload else None
    row = queries.datasets().filter(name=name).first()
    return of_dataset(row) if row else None


def evaluator(name: str, person: Person) -> Upload | None:
    """The person's uploaded evaluator of this name."""
    if not name.startswith(UPLOAD):
        return None
    found = Upload.objects.filter(owner_id=person.pk, token=name.removeprefix(UPLOAD)).first()
    return found if found and found.is_evaluator else None


def fault_of_evaluator(name: str, upload: Upload | None) -> FieldError | None:
    """Why an uploaded evaluator cannot be used; None when it can, or when it is one on Fireworks, which the
    session fetches."""
    if not name.startswith(UPLOAD):
        return None
    if upload is None:
        return FieldError("evaluator", "This upload is not there any more.", "Upload the evaluator again.")
    told = (upload.inspection or {}).get("fault")
    if not told:
        return None
    return FieldError("evaluator", f"“{upload.filename}”: {told}.", "Mend it and upload it again.")


def upload_names(values: Iterable[object]) -> dict[str, str]:
    """What people call the uploads among these values, by reference: the name of the file."""
    tokens = [str(value).removeprefix(UPLOAD) for value in values if str(value).startswith(UPLOAD)]
    rows = Upload.objects.filter(token__in=tokens) if tokens else ()
    return {row.reference: f"{row.filename} (uploaded)" for row in rows}


def fault(
    name: str, source: Source | None, field: str, *, leave_out: bool, unread: bool = False
) -> FieldError | None:
    """Why this data cannot be used for a run, with what to do about it; None when it can.

    `leave_out`: rows that cannot be used are left out, so they are no fault. `unread`: a file that no worker
    has read yet may be used; the session reads it before it plans.
    """
    if source is None:
        return unknown(name, field)
    if not source.ready:
        remedy = "Wait until it is READY, or pick another one."
        return FieldError(field, f"Dataset “{source.label}” is {source.state}, not {READY}.", remedy)
    if source.upload and source.report is None and unread:
        return None
    if source.upload:
        return fault_of_upload(source, field, leave_out=leave_out)
    return too_few(source, field)


def misplaced(source: Source | None, field: str, workflow: str) -> FieldError | None:
    """A fault when an upload holds preference data and another workflow was chosen."""
    report = source.report if source and source.upload else None
    if (
        report is None
        or report.fatal
        or report.format not in PREFERENCE_DATA
        or workflow == Workflow.PREFERENCE
    ):
        return None
    assert source is not None  # noqa: S101  # it has a report
    if workflow == Workflow.CLASSIFICATION and report.format == "prompts":
        return FieldError(
            field,
            f"“{source.label}”: {NO_LABELS}",
            NO_LABELS_REMEDY,
        )
    held = f"“{source.label}”: the file holds {report.format_words}, not samples with answers."
    return FieldError(field, held, "Choose preference learning for it, or upload another file.")


def unknown(name: str, field: str) -> FieldError:
    if name.startswith(UPLOAD):
        return FieldError(field, "This upload is not there any more.", "Upload the file again.")
    remedy = "Check the name, or pick one from the list; a new dataset is listed within a minute."
    return FieldError(field, f"Dataset “{name}” is not in the account.", remedy)


def fault_of_upload(source: Source, field: str, *, leave_out: bool) -> FieldError | None:
    report = source.report
    if report is None:
        remedy = "Wait a moment and start again."
        return FieldError(field, f"“{source.label}” is still being read.", remedy)
    if report.fatal:
        first = report.fatal[0]
        return FieldError(
            field, f"“{source.label}”: {told(report.fatal)}", first.remedy or "Upload another file."
        )
    if few := too_few(source, field):
        return few
    if report.bad_rows and not leave_out:
        rows = f"{report.bad_rows:,} row{'s' * (report.bad_rows != 1)} cannot be used"
        them = "it" if report.bad_rows == 1 else "them"
        remedy = f"Correct {them} and upload again, or leave {them} out."
        return FieldError(field, f"“{source.label}”: {rows}. {told(report.bad)}", remedy)
    return None


def too_few(source: Source, field: str) -> FieldError | None:
    if source.usable is None or source.usable >= FEWEST:
        return None
    rows = f"{source.usable} usable sample{'s' * (source.usable != 1)}"
    return FieldError(field, f"“{source.label}” has {rows}.", f"At least {FEWEST} are needed; add more.")


def told(problems: Sequence[Problem]) -> str:
    """The first problems in one line each, with their physical lines."""
    lines = [f"Line {each.line}: {each.message}" if each.line else each.message for each in problems[:SHOWN]]
    return " ".join(line if line.endswith(".") else f"{line}." for line in lines)
