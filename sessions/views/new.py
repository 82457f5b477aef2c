"""New session: one sentence and a form, both the same thing, with what it comes to beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sessions import catalogue, queries, sources
from sessions.actions import uploading
from sessions.actions.starting import create_session
from sessions.drafts import Draft, fill_form, write_sentence
from sessions.forms import Boxes
from sessions.intake import Intake, Shelf, read_text, shelf, take
from sessions.models import TuningSession
from sessions.models.fields import token
from sessions.proposals.reader import reader
from sessions.views.choices import choices
from sessions.views.uploads import receive

TOKEN_LENGTH = 40
ADVANCED = (
    "tuning_samples", "parallel_jobs", "heldout_rows", "max_candidates", "budget", "seed",
    "title", "evaluation_dataset", "final_run", "deploy",
)  # fmt: skip
MAKING = ("strong_model", "weak_model", "judge_model", "screening", "review_pairs")


@dataclass(frozen=True)
class Page:
    """One request's view of the form."""

    request: HttpRequest
    stock: Shelf
    draft: Draft
    form_token: str

    def with_draft(self, draft: Draft) -> Page:
        return replace(self, draft=draft)

    def read(self, text: str) -> Any:
        return read_text(text, self.stock)

    def intake(self) -> Intake:
        today = timezone.now().date()
        form_only = self.draft.is_form_only
        return take(self.draft.typed, self.stock, self.request.user, today, form_only=form_only)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form. A GET shows it, filled from the address; a POST reads, writes, uploads or starts."""
    if request.method != "POST":
        page = Page(request, shelf(), first_draft(request), token())
        return show(page)
    form_token = request.POST.get("form_token", "")[:TOKEN_LENGTH] or token()
    page = Page(request, shelf(), Draft.from_post(request.POST), form_token)
    return ACTIONS.get(request.POST.get("action", ""), write)(page)


def first_draft(request: HttpRequest) -> Draft:
    """Empty, or with the values of an earlier session of one's own, or with the data or model picked."""
    if again := request.GET.get("from", ""):
        return replace(Draft.from_json(queries.session_or_404(request.user, again).entered), again=again)
    asked = {"dataset": "dataset", "base_models": "model", "evaluator": "evaluator"}
    fields = {name: request.GET.get(parameter, "") for name, parameter in asked.items()}
    fields |= {"strategy": "evaluator"} if fields["evaluator"] else {}
    draft = Draft(fields={name: text for name, text in fields.items() if text})
    if not draft.fields:
        return draft
    stock = shelf()
    return write_sentence(draft, lambda text: read_text(text, stock), stock.context)


def read(page: Page) -> HttpResponse:
    """The sentence was typed: it fills the form."""
    return answer(page.with_draft(fill_form(page.draft, page.read)), "new/after_read.html")


def write(page: Page) -> HttpResponse:
    """The form was changed: it writes the sentence."""
    return answer(
        page.with_draft(write_sentence(page.draft, page.read, page.stock.context)), "new/after_write.html"
    )


def upload(page: Page) -> HttpResponse:
    """A file came with the form, without JavaScript: keep everything, and pick the file."""
    try:
        found = receive(page.request)
    except uploading.Refused as fault:
        return show(page, status=422, upload_fault=str(fault))
    chosen = {"evaluator": found.reference, "strategy": "evaluator"} if found.is_evaluator else {}
    fields = {**page.draft.fields, **(chosen or {"dataset": found.reference})}
    return write(page.with_draft(replace(page.draft, fields=fields)))


def start(page: Page) -> HttpResponse:
    """Start, or say what speaks against it beside what was entered."""
    intake = page.intake()
    if intake.errors or not page.request.user.is_authenticated:
        return show(page, status=422, faults=intake.errors)
    begun = intake.start(page.draft.to_json(), form_token=own_token(page))
    return redirect(create_session(page.request.user, begun))


def own_token(page: Page) -> str:
    """The form's token, so that a double click starts one session; a fresh one when that token already
    started something else: the person went back, changed the form and means a second session."""
    known = TuningSession.objects.filter(form_token=page.form_token).first()
    same = known and known.owner_id == page.request.user.pk and known.entered == page.draft.to_json()
    return token() if known and not same else page.form_token


ACTIONS: dict[str, Callable[[Page], HttpResponse]] = {
    "read": read,
    "write": write,
    "upload": upload,
    "start": start,
}


def answer(page: Page, fragment: str) -> HttpResponse:
    """The parts that follow, for an open page; the whole page without JavaScript."""
    if page.request.headers.get("HX-Request"):
        return render(page.request, fragment, shown(page) | {"oob": True})
    return show(page)


def show(page: Page, status: int = 200, **more: Any) -> HttpResponse:
    return render(page.request, "new.html", shown(page) | more, status=status)


def shown(page: Page) -> dict[str, Any]:
    """Everything the form's templates need."""
    intake, models = page.intake(), catalogue.load(timezone.now())
    listed = {offer.model.name for offer in models.tunable}
    form = Boxes(page.draft.typed, intake.errors, intake.specification)
    picked = sources.find(page.draft.fields.get("dataset", ""), page.request.user)
    return {
        "page": "new",
        "form_token": page.form_token,
        "draft": page.draft,
        "intake": intake,
        "reader": reader(rehearsal=page.stock.rehearsal),
        "form": form,
        "catalogue": models,
        "served": models.served,
        "makers_open": any(form[name].is_set for name in MAKING),
        "advanced_open": any(form[name].is_set for name in ADVANCED),
        "unlisted_models": [name for name in form["base_models"].values if name not in listed],
        "choices": choices(page.request.user, page.draft.fields),
        "upload": picked.upload if picked else None,
        "report": picked.report if picked else None,
        "chosen": page.draft.fields.get("dataset", ""),
        "evaluator_upload": sources.evaluator(page.draft.fields.get("evaluator", ""), page.request.user),
    }
