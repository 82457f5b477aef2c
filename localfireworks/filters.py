"""AIP-160 filters, the part lists are asked with: comparisons, AND, OR, NOT, parentheses.

Fields may be written in snake_case or camelCase and may be dotted; `:` means "contains".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from operator import ge, gt, le, lt
from typing import Any

from localfireworks.errors import invalid

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|[=<>:()])|(?P<word>[^\s()=<>!:"']+))"""
)
DEEPEST = 50
TEXT, NUMBERS = frozenset({str}), frozenset({int, float})
Body = dict[str, Any]
Test = Callable[[list[Body], list[int]], list[int]]  # bodies, places to look at; the places that pass
Compare = Callable[[Any], bool]


@dataclass(frozen=True)
class Filter:
    """A test of many resource bodies: a comparison after the other, each in few calls for 10,000 rows."""

    test: Test | None

    @property
    def anything(self) -> bool:
        return self.test is None

    def passing(self, bodies: list[Body]) -> list[int]:
        """Places of the bodies that pass, in their order."""
        every = list(range(len(bodies)))
        return every if self.test is None else self.test(bodies, every)

    def __call__(self, body: Body) -> bool:
        return bool(self.passing([body]))


@dataclass(frozen=True)
class Comparison:
    """A test of one value; `quick` says the same of the types it is for."""

    test: Compare
    types: frozenset[type] = frozenset()
    quick: Compare = bool

    def marks(self, values: list[Any]) -> list[bool]:
        test, types, quick = self.test, self.types, self.quick
        return [quick(value) if type(value) in types else test(value) for value in values]


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


def column(path: str) -> Callable[[list[Body]], list[Any]]:
    """Reads the value at a dotted path, or None, of each body."""
    if "." in path:
        read = getter(path)
        return lambda bodies: [read(body) for body in bodies]
    key = camel(path)
    return lambda bodies: [body.get(key) for body in bodies]


def compile_filter(text: str) -> Filter:
    """A test of one resource body; INVALID_ARGUMENT when the filter cannot be read."""
    if not text.strip():
        return Filter(None)
    parser = _Parser(text)
    test = parser.either()
    if parser.next is not None:
        raise parser.fault()
    return Filter(test)


class _Parser:
    """Recursive descent: either -> both -> one -> comparison."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split(text)
        self.at = self.depth = 0

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
        return tests[0] if len(tests) == 1 else _any(tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.next not in {None, "OR", ")"}:
            if self.next == "AND":
                self.take()
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else _all(tests)

    def one(self) -> Test:
        if self.next in {"NOT", "-"}:
            return _none(self.deeper(self.one))
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
        comparison, values = COMPARE[operator](wanted), column(path)

        def test(bodies: list[Body], among: list[int]) -> list[int]:
            return list(compress(among, comparison.marks(values([bodies[place] for place in among]))))

        return test


def _all(tests: list[Test]) -> Test:
    def test(bodies: list[Body], among: list[int]) -> list[int]:
        for each in tests:
            among = each(bodies, among)
        return among

    return test


def _any(tests: list[Test]) -> Test:
    def test(bodies: list[Body], among: list[int]) -> list[int]:
        passed: list[int] = []
        left = among
        for each in tests:
            found = each(bodies, left)
            left, passed = _without(left, found), passed + found
        return sorted(passed)

    return test


def _none(inner: Test) -> Test:
    return lambda bodies, among: _without(among, inner(bodies, among))


def _without(places: list[int], others: list[int]) -> list[int]:
    gone = set(others)
    return [place for place in places if place not in gone]


def _equal(wanted: str) -> Comparison:
    """Equal as the value's own type has it; an absent value equals what stands for nothing."""
    lower, number = wanted.lower(), _number(wanted)
    nothing = lower in {"", "false", "null", "0"}
    pattern = ".*".join(re.escape(part) for part in wanted.split("*")) if "*" in wanted else None

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return value == wanted if pattern is None else re.fullmatch(pattern, value) is not None
        if value is None:
            return nothing
        if isinstance(value, bool):
            return lower == str(value).lower()
        return isinstance(value, int | float) and number == float(value)

    return Comparison(test) if pattern else Comparison(test, TEXT, wanted.__eq__)


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[str], Comparison]:
    """As numbers where both are numbers, else as texts."""

    def make(wanted: str) -> Comparison:
        right = _number(wanted)

        def test(value: Any) -> bool:
            if value is None:
                return False
            left = None if right is None else _number(value)
            return holds(str(value), wanted) if left is None else holds(left, right)

        if right is None:
            return Comparison(test, TEXT, lambda value: holds(value, wanted))
        return Comparison(test, NUMBERS, lambda value: holds(value, right))

    return make


def _has(wanted: str) -> Comparison:
    """`:`: an element of a list, a key of an object, a part of a text; `*`: anything at all."""
    equal, key = _equal(wanted).test, camel(wanted)

    def test(value: Any) -> bool:
        if wanted == "*":
            return value not in (None, "", [], {})
        if isinstance(value, list):
            return any(equal(item) for item in value)
        if isinstance(value, dict):
            return key in value
        return wanted in str(value or "")

    return Comparison(test) if wanted == "*" else Comparison(test, TEXT, lambda value: wanted in value)


def _unequal(wanted: str) -> Comparison:
    equal = _equal(wanted).test
    return Comparison(lambda value: not equal(value))


COMPARE: dict[str, Callable[[str], Comparison]] = {
    "=": _equal,
    "!=": _unequal,
    "<": _ordered(lt),
    ">": _ordered(gt),
    "<=": _ordered(le),
    ">=": _ordered(ge),
    ":": _has,
}
