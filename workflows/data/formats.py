"""Which format a row has, and which one a file has, with the evidence in counts.

Source: facts sheet 2 (SFT and DPO rows) and the product's lists of inputs (2.3, 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CHAT: Final = "chat"  # messages with an assistant turn
ANSWERS: Final = "prompts-with-answer"  # messages that end with a user turn, and a ground_truth
PROMPTS: Final = "prompts"  # messages with user turns only
PAIRS: Final = "pairs"  # input, preferred_output, non_preferred_output
CHOSEN: Final = "chosen-rejected"
COMPLETION: Final = "completion"  # prompt and completion
VISION: Final = "vision"  # a message holds an image
UNKNOWN: Final = "unknown"

WORDS = {
    CHAT: "chat samples (messages)",
    ANSWERS: "prompts with a ground truth",
    PROMPTS: "prompts without answers",
    PAIRS: "preference pairs",
    CHOSEN: "chosen/rejected conversations",
    COMPLETION: "prompt/completion rows",
    VISION: "vision data (messages with images)",
    UNKNOWN: "rows of an unknown format",
}
IMAGE_PARTS = frozenset({"image_url", "image", "input_image"})


def has_image(message: Any) -> bool:
    """Whether a message's content holds an image part."""
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, list) and any(
        isinstance(part, dict) and (part.get("type") in IMAGE_PARTS or "image_url" in part)
        for part in content
    )


def _of_messages(messages: list[Any], row: Mapping[str, Any]) -> str:
    if any(has_image(message) for message in messages):
        return VISION
    roles = [message.get("role") for message in messages if isinstance(message, dict)]
    if row.get("ground_truth") is not None and roles and roles[-1] == "user":
        return ANSWERS
    if "user" in roles and set(map(str, roles)) <= {"user", "system", "developer"}:
        return PROMPTS
    return CHAT


def of_row(row: Any) -> str:
    """The format of one decoded row."""
    if not isinstance(row, dict):
        return UNKNOWN
    if "preferred_output" in row or "non_preferred_output" in row:
        return PAIRS
    if "chosen" in row or "rejected" in row:
        return CHOSEN
    if isinstance(row.get("messages"), list):
        return _of_messages(row["messages"], row)
    if "messages" in row:
        return CHAT
    if "prompt" in row and ("completion" in row or "response" in row):
        return COMPLETION
    return UNKNOWN


def of_file(evidence: Mapping[str, int]) -> str:
    """The format of a file from its rows: any image makes it vision, else the most frequent one.

    Prompts beside chat samples are chat samples that lack their answer.
    """
    if evidence.get(VISION):
        return VISION
    counts = {name: count for name, count in evidence.items() if count}
    if not counts:
        return UNKNOWN
    if counts.get(CHAT) and set(counts) <= {CHAT, PROMPTS, ANSWERS, UNKNOWN}:
        return CHAT if counts[CHAT] >= counts.get(UNKNOWN, 0) else UNKNOWN
    return max(counts, key=lambda name: (counts[name], name))
