"""Wake-ups over Redis. Losing every one of them only delays: the sweep and the streams poll as well."""

from __future__ import annotations

import logging
from functools import cache

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def channel(public_id: str) -> str:
    """The Redis channel on which an open page hears that something changed."""
    return f"fwportal:session:{public_id}"


@cache
def connection() -> redis.Redis:
    """One connection pool a process, with short named timeouts: a page must not hang on a dead Redis."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)


def publish(public_id: str) -> None:
    """Tell open pages that a session changed."""
    try:
        connection().publish(channel(public_id), "changed")
    except redis.RedisError as error:
        log.warning("could not wake the pages of session %s: %s", public_id, type(error).__name__)


def advance_soon(public_id: str) -> None:
    """Ask a worker to advance a session now instead of at the next sweep."""
    send("workflows.advance", public_id)


def inspect_soon(token: str) -> None:
    """Ask a worker to read an uploaded file."""
    send("workflows.inspect_upload", token)


def read_words_soon(reading: int) -> None:
    """Ask a worker to have a model read words."""
    send("workflows.read_words", reading)


def tear_down_soon(resource: int) -> None:
    """Ask a worker to tear down a deployment."""
    send("workflows.tear_down", resource)


def send(task: str, argument: str | int) -> None:
    try:
        connection().ping()  # Celery would try a dead broker for seconds, and a page waits for this
        current_app.send_task(task, args=[argument], expires=60, retry=False)
    except (OperationalError, redis.RedisError, OSError) as error:
        log.warning("no broker, %s waits for the next sweep: %s", task, type(error).__name__)
