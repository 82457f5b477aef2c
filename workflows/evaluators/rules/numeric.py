"""The final number must match."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

# settings
MARKERS = ("####",)

# rule
SIGN = r"(?:(?<![\w)])[-+−])?"  # in "10-12" and "5 - 3" without blanks it is no sign
EXPONENT = r"(?:[eE][-+]?\d{1,3}(?!\d))?"  # more digits are part of a code, not of a number
NUMBER = SIGN + r"\$?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?" + EXPONENT + r"(?:\s*/\s*[1-9]\d*)?"
WORD = r"[^\W\d_]+(?:\d[^\W_]*(?:,\d{3}(?!\d))*(?:\.\d+)?)?"  # what begins with a letter is no number
TOKEN = re.compile(f"(?P<number>{NUMBER})|{WORD}")
BOXED = re.compile(r"\\boxed\{([^{}]*)\}")


def numbers_in(text: str) -> list[re.Match[str]]:
    """Numbers as people write them: 1,234.50, $5, -3, 2/3, 1e-4; not those of CO2 and a9e82345678."""
    return [found for found in TOKEN.finditer(text) if found["number"]]


def final_part(text: str) -> str:
    """What comes after the last marker or stands in the last box; the whole text where there is neither."""
    boxed = BOXED.findall(text)
    if boxed:
        return str(boxed[-1])
    for marker in MARKERS:
        if marker.lower() in text.lower():
            return text[text.lower().rindex(marker.lower()) + len(marker) :]
    return text


def value_of(written: str) -> Decimal:
    top, _, bottom = re.sub(r"[,$\s+]", "", written).replace("−", "-").partition("/")
    return Decimal(top) / Decimal(bottom or "1")


def final_number(text: str) -> Decimal | None:
    """The first number after a marker, else the last number of the text; None where there is none."""
    part = final_part(text)
    found = numbers_in(part)
    if not found:
        return None
    return value_of(found[0 if part != text else -1].group())


def compare(answer: str, expected: Any) -> tuple[float, str]:
    """1 when both end in the same number."""
    wanted, given = final_number(str(expected)), final_number(answer)
    if wanted is None:
        raise ValueError("the expected answer holds no number")
    if given is None:
        return 0.0, f"the answer holds no number; {wanted} was expected"
    return float(given == wanted), f"the final number is {given}; {wanted} was expected"


# trial
def spoil(answer: str) -> str:
    """The same answer with another final number."""
    part = final_part(answer)
    found = numbers_in(part)
    if not found:
        return answer
    last = found[0 if part != answer else -1]
    start = answer.rindex(part) if part else 0
    wrong = value_of(last.group()) + 1
    return answer[: start + last.start()] + str(wrong) + answer[start + last.end() :]
