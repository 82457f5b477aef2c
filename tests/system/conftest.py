"""Portals of real processes; whatever a test does, nothing of them stays behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.portal import Portal

MakePortal = Callable[..., Portal]


@pytest.fixture
def make_portal(tmp_path: Path) -> Iterator[MakePortal]:
    """A portal not yet started: make_portal(REDIS_URL="…") sets environment variables."""
    made: list[Portal] = []

    def make(**environment: str) -> Portal:
        made.append(Portal(tmp_path / f"data{len(made)}", environment))
        return made[-1]

    yield make
    for portal in made:
        portal.remove()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One running portal for a module's tests, in rehearsal."""
    running = Portal(tmp_path_factory.mktemp("portal") / "data")
    try:
        yield running.start()
    finally:
        running.remove()
