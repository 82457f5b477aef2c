"""Puts the parts together: what `manage.py up` does, from the first check to the last process ended."""

from __future__ import annotations

import json
import os
from pathlib import Path

from fwportal.supervisor import broker, checks, leftovers, parts
from fwportal.supervisor.child import Child, Part
from fwportal.supervisor.parts import House
from fwportal.supervisor.screen import Screen
from fwportal.supervisor.supervise import Supervisor

# The web first, so that nobody starts anything more; Redis last, since all others speak to it.
ENDING_ORDER = (("web",), ("worker", "beat"), ("fireworks",), ("redis",))


def run(house: House, database: dict[str, object], root: Path, screen: Screen) -> None:
    """Returns when the person ends it; raises StartError when it cannot start."""
    with checks.only_one(house.data):
        leftovers.end(house.data)
        check_surroundings(house)
        write_whereabouts(house)
        supervisor = Supervisor(screen, str(house.data / "logs"))
        supervisor.listen()
        try:
            supervise(supervisor, house, database, root)
        finally:
            screen.note("portal", "ending …")
            supervisor.end(ENDING_ORDER)
            leftovers.end(house.data)
        screen.good("portal", "ended; the next start continues where this one stopped")


def supervise(supervisor: Supervisor, house: House, database: dict[str, object], root: Path) -> None:
    """Redis and local Fireworks start while the database is migrated; the rest needs it migrated."""

    def children(*found: Part | None) -> list[Child]:
        return [Child(part, house.data, root) for part in found if part is not None]

    config = broker.write_config(house.data, house.port + 2)
    supervisor.start(*children(parts.redis(house, config), parts.fireworks(house)))
    checks.migrate(database)
    supervisor.start(*children(parts.web(house), parts.worker(house), parts.beat(house)))
    supervisor.watch(house.port)


def check_surroundings(house: House) -> None:
    checks.port_free(house.port, "the pages", house.port)
    if house.fireworks_url:
        checks.port_free(house.port + 1, "local Fireworks", house.port)
    if house.redis_binary is None:
        broker.check(house.redis_url)
    else:
        checks.port_free(house.port + 2, "Redis", house.port)


def write_whereabouts(house: House) -> None:
    """So that `manage.py session …` in another terminal finds the same Redis, whatever PORT was given."""
    told = {name: house.environment().get(name) for name in ("PORT", "REDIS_URL", "FWPORTAL_FIREWORKS_URL")}
    fresh = house.data / f".up.json.{os.getpid()}"
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps({name: value for name, value in told.items() if value}))
    fresh.replace(house.data / "up.json")
