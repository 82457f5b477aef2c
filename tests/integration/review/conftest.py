"""The engine's house: the portal on a whole local Fireworks."""

from tests.integration.workflows.conftest import house

__all__ = ["house"]
