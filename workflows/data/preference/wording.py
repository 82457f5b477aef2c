"""What to do about each fault of preference data."""

from __future__ import annotations

from typing import Final

IDENTICAL: Final = "pair.identical"
CONTRADICTS: Final = "pair.contradicts"
SHARED: Final = "prompt.shared"

PAIR_REMEDIES = {
    "input.type": 'Make input an object like {"messages": [...]}.',
    "prompt.empty": "Write what is asked, or take the row out.",
    "prompt.last": "End the prompt with the user's message; the answers stand in the other two fields.",
    "prompt.turns": "Nothing to do, if the earlier turns are meant as context.",
    "answer.type": "Make it a list with one assistant message.",
    "answer.turns": "Keep one answer: preference tuning compares single answers to one prompt.",
    "answer.role": "Give the answer the role assistant.",
    "answer.empty": "Write the answer, or take the row out.",
    "chosen.type": "Make chosen and rejected lists of messages, or texts beside a prompt.",
    "chosen.prompts": "Give both conversations the same messages up to the last answer.",
    IDENTICAL: "Take the row out: equal answers show no preference.",
    CONTRADICTS: "Keep the one that is right: two rows that say the opposite cancel each other out.",
    SHARED: "Nothing to do; to train on it, take it out of the evaluation dataset.",
    "tools.unasked": "Take the row out, or the tools if its answers do without them.",
    "row.format": "Give the row input, preferred_output and non_preferred_output.",
}
