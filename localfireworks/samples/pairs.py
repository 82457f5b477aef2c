"""Preference pairs and prompts without answers, for preference learning."""

from __future__ import annotations

import random
from typing import Any

from localfireworks.samples.support import MATTERS
from localfireworks.samples.words import distinct, letter, slots

PAIR_SEED, PROMPT_SEED = 44, 45
# What a customer should not get: curt, vague, or blaming.
POOR = (
    "We cannot help with that.",
    "Please look at our page.",
    "This happens sometimes. Wait a few more days.",
    "You must have made a mistake with the {product}.",
    "Your message was received and will be read at some point.",
    "That is not our fault. Ask the carrier.",
    "Order {order} is in the system. There is nothing to do.",
    "Try again later.",
)


def _pair(draw: random.Random) -> dict[str, Any]:
    matter, filled = draw.choice(MATTERS), slots(draw)
    text = letter(draw, draw.choice(matter.texts), filled)
    good = f"Thank you for your message. {matter.reply.format(**filled)}"
    poor = draw.choice(POOR).format(**filled)
    return {
        "input": {"messages": [{"role": "user", "content": text}]},
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": poor}],
    }


def _prompt(draw: random.Random) -> dict[str, Any]:
    text = letter(draw, draw.choice(draw.choice(MATTERS).texts), slots(draw))
    return {"messages": [{"role": "user", "content": text}]}


def preference_pairs(count: int) -> list[dict[str, Any]]:
    """`count` pairs in the format of DPO datasets."""
    return distinct(count, PAIR_SEED, _pair, lambda row: str(row["input"]["messages"][0]["content"]))


def prompts(count: int) -> list[dict[str, Any]]:
    """`count` conversations that end with the customer's message."""
    return distinct(count, PROMPT_SEED, _prompt, lambda row: str(row["messages"][0]["content"]))
