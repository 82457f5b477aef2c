"""Celery tasks: shells that load by id and call one function."""

from __future__ import annotations

from celery import shared_task

from workflows import catalogue, readings, sweeping, teardown, uploads
from workflows.engine import advance as advance_session


@shared_task(name="workflows.advance")
def advance(public_id: str) -> None:
    """Take one session as far as it goes now."""
    advance_session(public_id)


@shared_task(name="workflows.sweep")
def sweep() -> None:
    """Wake what is due: the message that would have woken it may be lost."""
    sweeping.sweep()


@shared_task(name="workflows.refresh")
def refresh() -> None:
    """Keep the rows of the account's models and datasets fresh."""
    catalogue.refresh()


@shared_task(name="workflows.inspect_upload")
def inspect_upload(token: str) -> None:
    """Read an uploaded file and keep what was found."""
    uploads.inspect(token)


@shared_task(name="workflows.read_words")
def read_words(reading: int) -> None:
    """Ask a model for a reading that a person approved."""
    readings.ask(reading)


@shared_task(name="workflows.tear_down")
def tear_down(resource: int) -> None:
    """Tear down a deployment that a person does not want any more."""
    teardown.tear_down(resource)
