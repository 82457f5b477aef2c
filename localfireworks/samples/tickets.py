"""Tickets with one of six labels, for classification."""

from __future__ import annotations

import random
from typing import Any

from localfireworks.samples.words import distinct, letter, slots

SYSTEM = "Label the ticket with one of: account, billing, product, returns, shipping, technical."
SEED = 43
# Shares differ on purpose: a classifier is to meet labels that are rarer than others.
WEIGHTS = {"account": 3, "billing": 5, "product": 4, "returns": 4, "shipping": 6, "technical": 2}
TEXTS = {
    "account": (
        "I forgot my password and the reset mail never comes.",
        "please change the mail address of my account, my name is {name}.",
        "how do I delete my account and my data?",
        "I cannot log in since {day}, it says my user is locked.",
        "two accounts exist in the name of {name}, please merge them.",
        "I want to stop the newsletter that goes to my account.",
    ),
    "billing": (
        "you charged {amount} euros twice for order {order}.",
        "I need an invoice for {amount} euros with our tax number.",
        "my card was refused when I paid {amount} euros on {day}.",
        "the discount code was not taken off my bill for order {order}.",
        "why is the total {amount} euros when the {product} costs less?",
        "the refund of {amount} euros is not on my bank statement.",
    ),
    "product": (
        "is the {product} made of steel or of plastic?",
        "how heavy is the {colour} {product}?",
        "does the {product} come with a guarantee, and for how long?",
        "which size of the {product} fits a small flat?",
        "will the {colour} {product} be back in store by {day}?",
        "can the {product} be used outside in the rain?",
    ),
    "returns": (
        "I want to send back the {product} of order {order}.",
        "where do I find the return label for the {product}?",
        "the {product} does not fit, can I swap it for a {colour} one?",
        "how many days do I have to return order {order}?",
        "I opened the box of the {product}, may I still return it?",
        "I returned {count} items on {day} and heard nothing since.",
    ),
    "shipping": (
        "where is my parcel? Order {order} was due on {day}.",
        "the tracking of order {order} has not moved since {day}.",
        "do you deliver to {city}, and how long does it take?",
        "the driver left the {product} with a neighbour I do not know.",
        "please send order {order} to my new address in {city}.",
        "can order {order} arrive before {day}?",
    ),
    "technical": (
        "the page shows an error when I press pay.",
        "your app closes by itself when I open the {product}.",
        "the search finds nothing, not even the word {product}.",
        "pictures of the {colour} {product} do not load in my browser.",
        "the basket empties itself whenever I add the {product}.",
        "the checkout button does not react on my phone.",
    ),
}


def _row(draw: random.Random) -> dict[str, Any]:
    label = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    text = letter(draw, draw.choice(TEXTS[label]), slots(draw))
    turns = (("system", SYSTEM), ("user", text), ("assistant", label))
    return {
        "messages": [{"role": role, "content": content} for role, content in turns],
        "ground_truth": label,
    }


def ticket_labels(count: int) -> list[dict[str, Any]]:
    """`count` tickets, the label in the last assistant message and in `ground_truth`."""
    return distinct(count, SEED, _row, lambda row: str(row["messages"][1]["content"]))
