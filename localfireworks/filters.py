"""AIP-160 filters, the part lists are asked with: comparisons, AND, OR, NOT, parentheses.

Fields may be written in snake_case or camelCase and may be dotted; `:` means "contains".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localfireworks.errors import invalid

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|[=<>:()])|(?P<word>[^\s()=<>!:"']+))"""
)
DEEPEST = 50
Body = dict[str, Any]
Test = Callable[[Body], bool]
Compare = Callable[[Any], bool]


@dataclass(frozen=True)
class Filter:
    """A test of one resource body, and the top-level fields that it looks at."""

    test: Test
    fields: frozenset[str]

    def __call__(self, body: Body) -> bool:
        return self.test(body)


def camel(name: str) -> str:
    """`base_model` as `baseModel`; camelCase stays as it is."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def getter(path: str) -> Callable[[Body], Any]:
    """Reads the value at a dotted path, or None."""
    first, *rest = [camel(part) for part in path.split(".")]
    if not rest:
        return lambda body: body.get(first)

    def read(body: Body) -> Any:
        value = body.get(first)
        for part in rest:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    return read


def value_at(body: Body, path: str) -> Any:
    return getter(path)(body)


def compile_filter(text: str) -> Filter:
    """A test of one resource body; INVALID_ARGUMENT when the filter cannot be read."""
    if not text.strip():
        return Filter(lambda _: True, frozenset())
    parser = _Parser(text)
    test = parser.either()
    if parser.next is not None:
        raise parser.fault()
    return Filter(test, frozenset(parser.fields))


class _Parser:
    """Recursive descent: either -> both -> one -> comparison."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split(text)
        self.at = self.depth = 0
        self.fields: set[str] = set()

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
        return tests[0] if len(tests) == 1 else lambda body: any(test(body) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.next not in {None, "OR", ")"}:
            if self.next == "AND":
                self.take()
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda body: all(test(body) for test in tests)

    def one(self) -> Test:
        if self.next in {"NOT", "-"}:
            test = self.deeper(self.one)
            return lambda body: not test(body)
        if self.next == "(":
            inner = self.deeper(self.either)
            if self.take() != ")":
                raise self.fault()
            return inner
        return self.comparison()

    def deeper(self, read: Callable[[], Test]) -> Test:
        """What follows NOT or a parenthesis; both are read, and tested, by recursion."""
        self.take()
        if self.depth == DEEPEST:
            raise invalid(f"invalid filter: nested more than {DEEPEST} levels deep")
        self.depth += 1
        test = read()
        self.depth -= 1
        return test

    def comparison(self) -> Test:
        path, operator = self.take(), self.take()
        if operator not in COMPARE:
            raise self.fault()
        wanted = self.take()
        if wanted[0] in "\"'":
            wanted = re.sub(r"\\(.)", r"\1", wanted[1:-1])
        self.fields.add(camel(path.split(".")[0]))
        compare = COMPARE[operator](wanted)
        if "." not in path:  # one call less for each of perhaps 10,000 rows
            key = camel(path)
            return lambda body: compare(body.get(key))
        read = getter(path)
        return lambda body: compare(read(body))


def _equal(wanted: str) -> Compare:
    """Equal as the value's own type has it; an absent value equals what stands for nothing."""
    lower, number = wanted.lower(), _number(wanted)
    nothing = lower in {"", "false", "null", "0"}
    pattern = ".*".join(re.escape(part) for part in wanted.split("*")) if "*" in wanted else None

    def compare(value: Any) -> bool:
        if isinstance(value, str):
            return value == wanted if pattern is None else re.fullmatch(pattern, value) is not None
        if value is None:
            return nothing
        if isinstance(value, bool):
            return lower == str(value).lower()
        return isinstance(value, int | float) and number == float(value)

    return compare


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _ordered(sign: int, *, equal: bool) -> Callable[[str], Compare]:
    def make(wanted: str) -> Compare:
        right = _number(wanted)

        def compare(value: Any) -> bool:
            if value is None:
                return False
            left = value if type(value) in (int, float) else _number(value)
            if left is None or right is None:
                difference = (str(value) > wanted) - (str(value) < wanted)
            else:
                difference = (left > right) - (left < right)
            return difference == sign or (equal and difference == 0)

        return compare

    return make


def _has(wanted: str) -> Compare:
    """`:`: an element of a list, a key of an object, a part of a text; `*`: anything at all."""
    equal, key = _equal(wanted), camel(wanted)

    def compare(value: Any) -> bool:
        if wanted == "*":
            return value not in (None, "", [], {})
        if isinstance(value, list):
            return any(equal(item) for item in value)
        if isinstance(value, dict):
            return key in value
        return wanted in str(value or "")

    return compare


def _unequal(wanted: str) -> Compare:
    equal = _equal(wanted)
    return lambda value: not equal(value)


COMPARE: dict[str, Callable[[str], Compare]] = {
    "=": _equal,
    "!=": _unequal,
    "<": _ordered(-1, equal=False),
    ">": _ordered(1, equal=False),
    "<=": _ordered(-1, equal=True),
    ">=": _ordered(1, equal=True),
    ":": _has,
}
