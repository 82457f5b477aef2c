"""Which workers are alive: a sorted set in Redis, host name by the time of its last heartbeat."""

from __future__ import annotations

import logging
import time
from functools import cache

import redis
from django.conf import settings

KEY = "fwportal:workers"
ALIVE_SECONDS = 15

log = logging.getLogger(__name__)


@cache
def connection(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)


def note(hostname: str) -> None:
    """Record that this worker's loop turns; a Redis that is away is the broker's trouble, not ours."""
    now = time.time()
    try:
        with connection(settings.REDIS_URL).pipeline() as pipe:
            pipe.zadd(KEY, {hostname: now})
            pipe.zremrangebyscore(KEY, 0, now - ALIVE_SECONDS)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("no heartbeat written: %s", type(error).__name__)


def alive() -> int:
    """How many workers beat lately. Raises `redis.RedisError` when the broker does not answer."""
    return connection(settings.REDIS_URL).zcount(KEY, time.time() - ALIVE_SECONDS, "+inf")
