"""Models: which base models can be fine-tuned, at what price."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions import catalogue


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """The catalogue as last listed; reading it calls nobody."""
    table = catalogue.rates()
    shown = {"page": "models", "catalogue": catalogue.load(timezone.now()), "rates": table}
    return render(request, "models.html", shown | {"source": table.source("training")})
