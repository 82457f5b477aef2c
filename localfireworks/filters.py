"""AIP-160 filters, the part lists are asked with: comparisons, AND, OR, NOT, parentheses.

Fields may be written in snake_case or camelCase and may be dotted; `:` means "contains".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localfireworks.errors import invalid

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|[=<>:()])|(?P<word>[^\s()=<>!:"']+))"""
)
Test = Callable[[dict[str, Any]], bool]


def camel(name: str) -> str:
    """`base_model` as `baseModel`; camelCase stays as it is."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def value_at(body: dict[str, Any], path: str) -> Any:
    """The value at a dotted path, or None."""
    value: Any = body
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(camel(part))
    return value


def compile_filter(text: str) -> Test:
    """A test of one resource body; INVALID_ARGUMENT when the filter cannot be read."""
    if not text.strip():
        return lambda _: True
    parser = _Parser(text)
    test = parser.either()
    if parser.next is not None:
        raise parser.fault()
    return test


class _Parser:
    """Recursive descent: either -> both -> one -> comparison."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split(text)
        self.at = 0

    def _split(self, text: str) -> list[str]:
        tokens: list[str] = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if not match:
                raise invalid(f"invalid filter {text!r}: cannot read {text[at:].strip()[:20]!r}")
            tokens.append(match[0].strip())
            at = match.end()
        return tokens

    @property
    def next(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> str:
        token = self.next
        if token is None:
            raise self.fault()
        self.at += 1
        return token

    def fault(self) -> Exception:
        return invalid(f"invalid filter {self.text!r}: unexpected {self.next or 'end'!r}")

    def either(self) -> Test:
        tests = [self.both()]
        while self.next == "OR":
            self.take()
            tests.append(self.both())
        return lambda body: any(test(body) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.next not in {None, "OR", ")"}:
            if self.next == "AND":
                self.take()
            tests.append(self.one())
        return lambda body: all(test(body) for test in tests)

    def one(self) -> Test:
        if self.next in {"NOT", "-"}:
            self.take()
            test = self.one()
            return lambda body: not test(body)
        if self.next == "(":
            self.take()
            inner = self.either()
            if self.take() != ")":
                raise self.fault()
            return inner
        return self.comparison()

    def comparison(self) -> Test:
        path, operator = self.take(), self.take()
        if operator not in COMPARE:
            raise self.fault()
        wanted = self.take()
        if wanted[0] in "\"'":
            wanted = re.sub(r"\\(.)", r"\1", wanted[1:-1])
        compare = COMPARE[operator]
        return lambda body: compare(value_at(body, path), wanted)


def _equal(value: Any, wanted: str) -> bool:
    if value is None:
        return wanted.lower() in {"", "false", "null", "0"}
    if isinstance(value, bool):
        return wanted.lower() == str(value).lower()
    if isinstance(value, int | float):
        return _number(wanted) == float(value)
    if "*" in wanted:
        pattern = ".*".join(re.escape(part) for part in wanted.split("*"))
        return re.fullmatch(pattern, str(value)) is not None
    return str(value) == wanted


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _ordered(sign: int, *, equal: bool) -> Callable[[Any, str], bool]:
    def compare(value: Any, wanted: str) -> bool:
        if value is None:
            return False
        left, right = _number(value), _number(wanted)
        if left is None or right is None:
            difference = (str(value) > wanted) - (str(value) < wanted)
        else:
            difference = (left > right) - (left < right)
        return difference == sign or (equal and difference == 0)

    return compare


def _has(value: Any, wanted: str) -> bool:
    if wanted == "*":
        return value not in (None, "", [], {})
    if isinstance(value, list):
        return any(_equal(item, wanted) for item in value)
    if isinstance(value, dict):
        return camel(wanted) in value
    return wanted in str(value or "")


COMPARE: dict[str, Callable[[Any, str], bool]] = {
    "=": _equal,
    "!=": lambda value, wanted: not _equal(value, wanted),
    "<": _ordered(-1, equal=False),
    ">": _ordered(1, equal=False),
    "<=": _ordered(-1, equal=True),
    ">=": _ordered(1, equal=True),
    ":": _has,
}
