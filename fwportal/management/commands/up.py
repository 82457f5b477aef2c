"""`manage.py up`: the whole portal on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from fwportal import env
from fwportal.supervisor import broker
from fwportal.supervisor.errors import StartError
from fwportal.supervisor.parts import House
from fwportal.supervisor.screen import Screen
from fwportal.supervisor.up import run


class Command(BaseCommand):
    help = "Start and supervise Redis, local Fireworks, worker, beat and web; Ctrl-C ends all of it."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        screen = Screen(sys.stdout)
        try:
            if not settings.LOCAL:
                raise StartError(
                    "`up` is for one person's machine. On a server use docker compose (see README.md)."
                )
            house = plan()
            screen.note("portal", introduction(house))
            run(house, settings.DATABASES["default"], settings.BASE_DIR, screen)
        except StartError as fault:
            Screen(sys.stderr).bad("portal", str(fault))
            sys.exit(1)


def plan() -> House:
    # Not settings.PORT: what an earlier `up` of this folder used must not decide for this one.
    port = env.port(os.environ)
    given = env.text(os.environ, "REDIS_URL")
    rehearsal = settings.FIREWORKS["rehearsal"]
    elsewhere = env.text(os.environ, "FWPORTAL_FIREWORKS_URL")
    return House(
        data=settings.DATA,
        port=port,
        redis_url=given or broker.url(settings.DATA, port + 2),
        redis_binary=None if given else broker.binary(),
        fireworks_url=f"http://127.0.0.1:{port + 1}" if rehearsal and not elsewhere else None,
        token_budget=env.whole(os.environ, "FWPORTAL_TOKEN_BUDGET", 200_000, 0, 10**12),
        worker_processes=env.whole(os.environ, "FWPORTAL_WORKER_PROCESSES", 2, 1, 64),
    )


def introduction(house: House) -> str:
    if not settings.FIREWORKS["rehearsal"]:
        return f"real Fireworks account at {settings.FIREWORKS['base_url']}: training costs money"
    return (
        "rehearsal: no FIREWORKS_API_KEY is set, so everything goes to local Fireworks and costs nothing; "
        f"data in {house.data}"
    )
