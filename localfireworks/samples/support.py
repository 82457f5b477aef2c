"""Customer messages and replies in one house style, for supervised fine-tuning."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from localfireworks.samples.words import distinct, letter, slots

SYSTEM = "You answer customers of Birchwood Supply. Be warm, name the order, give the next step."
SEED = 42


@dataclass(frozen=True)
class Matter:
    """What a customer may want: ways to say it, and the house reply."""

    texts: tuple[str, ...]
    reply: str


MATTERS = (
    Matter(
        (
            "my order {order} has not arrived. It was due on {day}.",
            "where is order {order}? I have waited for the {product} since {day}.",
            "the parcel with my {product} is late, order {order}.",
        ),
        "I am sorry order {order} is late. I have asked the carrier to trace it, and you will hear "
        "from us by tomorrow evening.",
    ),
    Matter(
        (
            "the {product} from order {order} came broken.",
            "order {order} arrived today and the {product} has a crack.",
            "my {product} is damaged. The order number is {order}.",
        ),
        "I am sorry the {product} in order {order} was damaged. A new one leaves our store today, and"
        " you may keep the old one.",
    ),
    Matter(
        (
            "I want to send back the {product} of order {order}.",
            "how can I return the {product}? Order {order}.",
            "the {product} does not suit me. Can I return order {order}?",
        ),
        "You can return the {product} of order {order} within 30 days. I have sent you a free label "
        "by mail; drop the parcel at any post office.",
    ),
    Matter(
        (
            "order {order} was charged twice, {amount} euros each time.",
            "I see two payments of {amount} euros for order {order}.",
            "why did you take {amount} euros twice? My order is {order}.",
        ),
        "I am sorry about the double charge on order {order}. I have sent {amount} euros back; your "
        "bank shows it within three days.",
    ),
    Matter(
        (
            "I moved to {city}. Can order {order} go to my new address?",
            "please change the address of order {order}, I live in {city} now.",
            "order {order} must go to {city} and not to my old flat.",
        ),
        "I can change the address of order {order} to {city}. Please reply with the street and the "
        "post code, and we ship it there.",
    ),
    Matter(
        (
            "please cancel order {order}, I do not need the {product} any more.",
            "I ordered the {product} by mistake. Can you stop order {order}?",
            "stop order {order} please.",
        ),
        "Order {order} is cancelled. Nothing will be sent, and your money is back within three days.",
    ),
    Matter(
        (
            "I got a {colour} {product} but ordered another colour. Order {order}.",
            "the {product} in order {order} is {colour}, that is the wrong one.",
            "wrong colour in order {order}: the {product} is {colour}.",
        ),
        "I am sorry you got the wrong {product} in order {order}. The right one leaves today; please "
        "send the {colour} one back with the free label in the box.",
    ),
    Matter(
        (
            "I need an invoice for order {order}.",
            "can you send me the bill of order {order}?",
            "there was no invoice with the {product}. Order {order}.",
        ),
        "The invoice of order {order} is on its way to your mail address. You can also find it in "
        "your account under Orders.",
    ),
    Matter(
        (
            "is the {product} also sold in {colour}?",
            "do you have the {colour} {product} in store?",
            "I am looking for a {colour} {product}.",
        ),
        "The {product} is made in {colour} too. You can order it on our page, and it ships within two days.",
    ),
    Matter(
        (
            "only one of {count} items of order {order} came.",
            "order {order} is not complete, the {product} is missing.",
            "the {product} was not in the box of order {order}.",
        ),
        "I am sorry the {product} was missing from order {order}. It leaves our store today, and you "
        "pay nothing for it.",
    ),
)


def _row(draw: random.Random) -> dict[str, Any]:
    matter, filled = draw.choice(MATTERS), slots(draw)
    text = letter(draw, draw.choice(matter.texts), filled)
    reply = f"Thank you for your message. {matter.reply.format(**filled)} Kind regards, Birchwood Supply"
    turns = (("system", SYSTEM), ("user", text), ("assistant", reply))
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def support_replies(count: int) -> list[dict[str, Any]]:
    """`count` conversations in chat format, all with different customer messages."""
    return distinct(count, SEED, _row, lambda row: str(row["messages"][1]["content"]))
