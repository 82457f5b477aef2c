"""Words the sample texts are filled with, and the drawing of distinct rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

PRODUCTS = (
    "desk lamp",
    "kettle",
    "rain jacket",
    "backpack",
    "wall clock",
    "coffee grinder",
    "bookshelf",
    "floor rug",
    "garden hose",
    "water bottle",
    "tool box",
    "yoga mat",
    "picnic blanket",
    "bedside table",
    "umbrella",
    "toaster",
)
COLOURS = ("green", "blue", "grey", "black", "white", "red")
CITIES = ("Leeds", "Bergen", "Porto", "Graz", "Utrecht", "Lyon", "Malmo", "Cork")
NAMES = ("Ada", "Ben", "Clara", "Deniz", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kemal", "Lena")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
OPENINGS = ("Hello,", "Hi,", "Good morning,", "Dear team,", "Hi there,", "")
ENDINGS = ("Thanks", "Thank you", "Please help", "Best, {name}", "Regards, {name}", "")

Drawn = TypeVar("Drawn")


def slots(draw: random.Random) -> dict[str, str]:
    """One value for every slot a text may have."""
    return {
        "product": draw.choice(PRODUCTS),
        "other": draw.choice(PRODUCTS),
        "colour": draw.choice(COLOURS),
        "city": draw.choice(CITIES),
        "name": draw.choice(NAMES),
        "day": draw.choice(DAYS),
        "order": str(draw.randint(1000, 9999)),
        "amount": str(draw.randint(9, 180)),
        "count": str(draw.randint(2, 6)),
    }


def letter(draw: random.Random, text: str, filled: dict[str, str]) -> str:
    """A customer's message: opening, text, ending, slots filled."""
    parts = (draw.choice(OPENINGS), text, draw.choice(ENDINGS))
    return " ".join(part for part in parts if part).format(**filled)


def distinct(
    count: int, seed: int, make: Callable[[random.Random], Drawn], key: Callable[[Drawn], str]
) -> list[Drawn]:
    """`count` rows whose keys all differ, drawn with one seed."""
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    rows: dict[str, Drawn] = {}
    while len(rows) < count:
        row = make(draw)
        rows.setdefault(key(row), row)
    return list(rows.values())
